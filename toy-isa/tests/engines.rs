//! All engines do exactly the same: generated programs on the interpreter and on the reference, in one run and in
//! slices; and broken engines, which the same programs must find.
//!
//! `TRAPEZE_FUZZ=N` multiplies the number of programs.

mod common;
#[path = "common/engines.rs"]
mod engines;

use common::comparison::{PROGRAMS, compare, difference, is_end, seeds, sliced};
use common::programs::generate;
use common::*;
use toy_isa::engine::{Engine, Exit, Interpreter, Reference};
use toy_isa::machine::Machine;
use toy_isa::mmu::PAGE;
use toy_isa::profile::ProfileName;
use toy_isa::ram::flag;
use toy_isa::table::{Csr, Op};

#[test]
fn the_interpreter_does_what_the_reference_does() {
    for seed in seeds(1) {
        let parted = compare(seed, &mut Reference, &mut Interpreter::default(), true, |_, _| {});
        if let Some(report) = parted {
            panic!("{report}");
        }
    }
}

/// What generated programs must reach, or they prove little.
#[derive(Default, Debug)]
struct Reached {
    causes: std::collections::BTreeMap<u32, u32>,
    rings: [u32; 4],
    returns: u32,
    power_off: u32,
    deadlocks: u32,
    double_faults: u32,
    paging: u32,
    relocating: u32,
    limited: u32,
    skipped: u64,
    stale: u64,
    transfers: u64,
    retired: u64,
    histogram: Vec<u64>,
}

#[test]
fn the_programs_reach_everything() {
    let mut reached = Reached::default();
    for seed in seeds(10) {
        let mut last = None;
        let parted = compare(seed, &mut Reference, &mut Reference, true, |m, exit| {
            let csr = &m.hart.csr;
            match exit {
                Exit::Trap(trap) => {
                    *reached.causes.entry(trap.cause.code()).or_default() += 1;
                    // What was on in the interrupted code.
                    reached.rings[csr.status.previous_ring() as usize] += 1;
                    reached.relocating += csr.status.0 >> 7 & 1;
                    reached.paging += csr.ptbr & 1;
                    reached.limited += u32::from(csr.xbound != u32::MAX);
                    reached.transfers += u64::from(m.board.devices.disk.done());
                }
                Exit::Return => reached.returns += 1,
                Exit::Left(_) => panic!("nobody enters non-root operation"),
                Exit::Fuel => {}
                Exit::PowerOff(_) => reached.power_off += 1,
                Exit::Deadlock => reached.deadlocks += 1,
                Exit::DoubleFault(_) => reached.double_faults += 1,
                Exit::Failed => panic!("the reference needs no host"),
            }
            last = Some((m.board.pace.clone(), m.board.tlb.counts, m.histogram));
        });
        assert_eq!(parted, None, "the reference agrees with itself");
        let (pace, counts, histogram) = last.expect("a program has at least one exit");
        reached.skipped += pace.skipped;
        reached.stale += counts.stale;
        reached.retired += histogram.iter().sum::<u64>();
        reached.histogram.resize(histogram.len(), 0);
        for (sum, count) in reached.histogram.iter_mut().zip(histogram) {
            *sum += count;
        }
    }
    let causes = [
        0,
        1,
        2,
        3,
        4,
        5,
        6,
        7,
        8,
        9,
        10,
        11,
        12,
        13,
        15,
        24,
        0x8000_0007,
        0x8000_000b,
    ];
    for cause in causes {
        assert!(
            reached.causes.contains_key(&cause),
            "cause {cause:#x}: {reached:?}"
        );
    }
    let rare = [reached.power_off, reached.deadlocks, reached.double_faults];
    assert!(rare.into_iter().all(|count| count >= 3), "{reached:?}");
    let common = [
        reached.returns,
        reached.paging,
        reached.relocating,
        reached.limited,
    ];
    assert!(
        common.into_iter().chain(reached.rings).all(|count| count >= 300),
        "{reached:?}"
    );
    let sums = [reached.skipped, reached.stale, reached.transfers];
    assert!(sums.into_iter().all(|count| count >= 30), "{reached:?}");
    // Every instruction that can retire at all.
    for (row, count) in toy_isa::table::OPS.iter().zip(&reached.histogram) {
        let never = matches!(
            row.op,
            Op::Ecall
                | Op::Ebreak
                | Op::Hcall
                | Op::Vmon
                | Op::Vmoff
                | Op::Vmenter
                | Op::Vmresume
                | Op::Vminval
        );
        assert_eq!(*count == 0, never, "{}", row.mnemonic);
    }
}

#[test]
fn a_run_is_the_sum_of_its_slices() {
    for seed in seeds(4) {
        let generated = generate(seed);
        let mut rng = Rng(seed);
        for name in ENGINES {
            let start = || (name.build(), generated.machine.clone());
            let (mut whole, mut by_one, mut random) = (start(), start(), start());
            while whole.1.attempts < generated.fuel {
                let fuel = generated.fuel - whole.1.attempts;
                let exit = whole.0.run(&mut whole.1, fuel);
                for (longest, (engine, machine)) in [(1, &mut by_one), (40, &mut random)] {
                    assert_eq!(
                        sliced(&mut **engine, machine, fuel, longest, &mut rng),
                        exit,
                        "seed {seed}"
                    );
                    let name = engine.name();
                    assert_eq!(
                        difference(machine, &whole.1, true),
                        None,
                        "seed {seed} in slices of {longest}, {name}"
                    );
                }
                if is_end(exit) {
                    break;
                }
            }
        }
    }
}

#[test]
fn the_end_of_a_run_comes_again() {
    let power_off = [
        word(Op::Addi, 2, 0, 0, 0x30),
        word(Op::Addi, 3, 0, 0, 3),
        r(Op::Out, 0, 2, 3),
    ];
    let deadlock = [n(Op::Fence), n(Op::Fence), n(Op::Wfi)];
    for (words, end) in [(power_off, Exit::PowerOff(3)), (deadlock, Exit::Deadlock)] {
        for name in ENGINES {
            let mut engine = name.build();
            let mut m = machine(ProfileName::Classic);
            program(&mut m, &words);
            assert_eq!(engine.run(&mut m, 3), Exit::Fuel, "the budget ends first");
            for fuel in [1, 7] {
                assert_eq!(engine.run(&mut m, fuel), end);
                assert_eq!(m.attempts, 3, "the end is no attempt");
            }
            assert_eq!(engine.run(&mut m, 0), Exit::Fuel);
        }
    }
}

#[test]
fn a_trap_loop_ends_with_the_fuel() {
    for name in ENGINES {
        let mut engine = name.build();
        let mut m = machine(ProfileName::Classic);
        program(&mut m, &[0]);
        let mut exits = 0;
        loop {
            let fuel = 1000 - m.attempts;
            if engine.run(&mut m, fuel) == Exit::Fuel {
                break;
            }
            exits += 1;
        }
        // The handler is a word of zeros, too.
        assert_eq!((exits, m.attempts, m.board.pace.clock), (1000, 1000, 0));
    }
}

#[test]
fn a_handler_without_memory_is_a_double_fault_on_every_engine() {
    for tvec in [NOWHERE, MEMORY, 0xf000_0000] {
        for name in ENGINES {
            let mut engine = name.build();
            let mut m = machine(ProfileName::Classic);
            program(&mut m, &[n(Op::Ecall)]);
            m.hart.csr.tvec = tvec;
            assert!(matches!(engine.run(&mut m, 9), Exit::Trap(_)));
            let exit = engine.run(&mut m, 9);
            assert!(
                matches!(exit, Exit::DoubleFault(_)),
                "{}: {exit:?}",
                engine.name()
            );
        }
    }
}

#[test]
fn stored_code_runs_at_once() {
    // The place that is stored to, in bytes from the code; what stands there first is illegal.
    for (name, at, offset) in [
        ("the next instruction", CODE, 24),
        ("further on in the page", CODE, 64),
        ("across a page", CODE + PAGE - 24, 24),
    ] {
        for engine in ENGINES {
            let mut m = machine(ProfileName::Classic);
            let mut words = vec![n(Op::Fence); offset as usize / 4];
            let [high, low] = li(7, i(Op::Addi, 10, 10, 1));
            words[..3].copy_from_slice(&[high, low, word(Op::Auipc, 8, 0, 0, 0)]);
            words[5] = s(Op::Sw, 7, 8, offset - 8);
            words.push(0);
            put(&mut m, at, &words);
            m.hart.pc = at;
            let fuel = words.len() as u64;
            assert_eq!(engine.build().run(&mut m, fuel), Exit::Fuel, "{name}");
            assert_eq!(m.hart.x[10], 1, "{name}");
        }
    }
}

/// Something that a correct engine would not do.
type Sabotage = fn(&mut Machine);

/// The interpreter with a fault: something is done to the machine before every attempt.
struct Broken {
    inner: Interpreter,
    sabotage: Sabotage,
}

impl Engine for Broken {
    fn name(&self) -> &'static str {
        "broken"
    }

    fn run(&mut self, machine: &mut Machine, fuel: u64) -> Exit {
        for _ in 0..fuel {
            (self.sabotage)(machine);
            let exit = self.inner.run(machine, 1);
            if exit != Exit::Fuel {
                return exit;
            }
        }
        Exit::Fuel
    }

    fn forget(&mut self) {
        self.inner.forget();
    }
}

fn clear_everywhere(m: &mut Machine, flags: u8) {
    for page in 0..m.board.ram.pages() {
        m.board.ram.clear(page * PAGE, flags);
    }
}

/// How many programs it takes to find this fault; `None` if all of them miss it.
fn found_after(sabotage: Sabotage) -> Option<u64> {
    let inner = Interpreter::default;
    (0..PROGRAMS).find(|seed| {
        let mut broken = Broken {
            inner: inner(),
            sabotage,
        };
        compare(*seed, &mut Reference, &mut broken, true, |_, _| {}).is_some()
    })
}

#[test]
fn planted_faults_are_found() {
    let faults: [(&str, Sabotage); 6] = [
        ("decoded code survives a store to it", |m| {
            m.take_stale_code();
        }),
        ("decoded code survives a transfer from the disk to it", |m| {
            if m.board
                .devices
                .disk
                .due()
                .is_some_and(|due| due <= m.board.pace.clock)
            {
                clear_everywhere(m, flag::CODE);
            }
        }),
        ("translations survive a store to their table", |m| {
            clear_everywhere(m, flag::TABLE)
        }),
        ("an interrupt comes one instruction late", |m| {
            let pace = &mut m.board.pace;
            if pace.attention == pace.clock {
                pace.attention += 1;
            }
        }),
        ("a tick is dropped when the low word of the clock wraps", |m| {
            let clock = &mut m.board.pace.clock;
            if *clock == 1 << 32 {
                *clock -= 1;
            }
        }),
        ("a fault in a handler's first fetch is an ordinary trap", |m| {
            m.board.pace.entering = false
        }),
    ];
    for (fault, sabotage) in faults {
        let after = found_after(sabotage).unwrap_or_else(|| panic!("not found: {fault}"));
        println!("found after {after} programs: {fault}");
    }
}

#[test]
fn an_engine_without_a_fault_is_not_blamed() {
    for seed in seeds(10) {
        let mut whole = Broken {
            inner: Interpreter::default(),
            sabotage: |_| {},
        };
        assert_eq!(compare(seed, &mut Reference, &mut whole, true, |_, _| {}), None);
    }
}

/// An interrupt after every number of instructions: both engines take it before the same one.
#[test]
fn an_interrupt_at_every_instruction() {
    let mut body: Vec<u32> = (0..40).map(|i| common::i(Op::Addi, 10, 10, i)).collect();
    body[20] = word(Op::Jal, 0, 0, 0, 4);
    for at in 1..40 {
        for name in ENGINES {
            let mut engine = name.build();
            let mut m = machine(ProfileName::Classic);
            program(&mut m, &body);
            m.hart.csr.status.0 = 1 << 4;
            m.board.devices.enabled = 1;
            m.board.devices.timer.set(at, 0);
            let exit = engine.run(&mut m, 100);
            assert!(matches!(exit, Exit::Trap(trap) if trap.cause.code() == 0x8000_0007));
            assert_eq!(
                (m.hart.csr.epc, m.board.pace.clock),
                (CODE + 4 * at, u64::from(at))
            );
            assert_eq!(m.attempts, u64::from(at) + 1, "an interrupt is one attempt");
            assert_eq!(m.hart.csr.status.0, 1 << 5);
        }
    }
    // It is off in the handler, whatever the ring was.
    let mut m = machine(ProfileName::Classic);
    program(&mut m, &body);
    put(&mut m, HANDLER, &[c(Op::Csrrs, 2, Csr::Cause, 0)]);
    m.hart.csr.status.0 = 3 | 1 << 4;
    m.board.devices.enabled = 1;
    m.board.devices.timer.set(5, 0);
    Interpreter::default().run(&mut m, 100);
    assert_eq!(Interpreter::default().run(&mut m, 1), Exit::Fuel);
    assert_eq!(m.hart.x[2], 0x8000_0007);
}
