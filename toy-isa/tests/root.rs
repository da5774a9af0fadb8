//! Root and non-root operation, by the book's chapter: what the control structure means, word by word and bit by bit,
//! why an entry is refused, by what a guest leaves, and that the engines agree. The numbers here are the book's; none
//! is read from the crate.

mod common;
#[path = "common/engines.rs"]
mod engines;

use common::*;
use toy_isa::bus::{Bus, Width};
use toy_isa::engine::{Engine, Exit, Interpreter, Reference};
use toy_isa::machine::Machine;
use toy_isa::mmu::pte;
use toy_isa::profile::{Profile, ProfileName};
use toy_isa::root::{EntryError, Operation};
use toy_isa::table::{Csr, Op};
use toy_isa::trap::{Cause, Trap};

/// Where the structure is, and where the host goes on when a guest leaves.
const STRUCTURE: u32 = 0x8000;
const HOST: u32 = 0x1800;
const HOST_SP: u32 = 0x7f00;
/// The guest's code and its trap handler, in memory that is its own without a nested table.
const GUEST: u32 = 0x4000;
const GUEST_HANDLER: u32 = 0x5000;

// Words of the structure.
const G_PC: u32 = 0x000;
const G_STATUS: u32 = 0x040;
const G_TVEC: u32 = 0x044;
const G_EPC: u32 = 0x04c;
const G_PTBR: u32 = 0x058;
const ACTIVITY: u32 = 0x06c;
const H_PC: u32 = 0x080;
const H_STATUS: u32 = 0x088;
const H_TVEC: u32 = 0x08c;
const H_EPC: u32 = 0x094;
const H_PTBR: u32 = 0x0a0;
const REVISION: u32 = 0x0c0;
const STATE: u32 = 0x0c4;
const EXIT_OPS: u32 = 0x0c8;
const EXIT_READS: u32 = 0x0cc;
const EXIT_WRITES: u32 = 0x0d0;
const EXIT_TRAPS: u32 = 0x0d4;
const OPTIONS: u32 = 0x0d8;
const NESTED: u32 = 0x0dc;
const COUNTDOWN: u32 = 0x0e0;
const OFFSET: u32 = 0x0e4;
const INJECT: u32 = 0x0ec;
const INJECT_CAUSE: u32 = 0x0f0;
const INJECT_VALUE: u32 = 0x0f4;
const TRAPS: u32 = 0x0f8;
const REASON: u32 = 0x100;
const VALUE: u32 = 0x104;
const DETAIL: u32 = 0x108;
const RAN: u32 = 0x10c;
const ERROR: u32 = 0x114;

const EXTERNAL: u32 = 1;
const WINDOW: u32 = 2;

const RING_3: u32 = 3;
const IE: u32 = 1 << 4;

/// A host in root operation before `vmenter x1`, with a valid structure of a guest in its ring 0 that begins with these
/// words, and no controls.
fn stage(guest: &[u32]) -> Machine {
    let mut m = build(Profile::new(ProfileName::Assist), 0x4_0000, 64);
    put(&mut m, GUEST, guest);
    put(&mut m, HOST, &[i(Op::Vmresume, 0, 1, 0)]);
    for (offset, value) in [
        (G_PC, GUEST),
        (G_TVEC, GUEST_HANDLER),
        (H_PC, HOST),
        (0x084, HOST_SP),
        (H_TVEC, HANDLER),
        (REVISION, 1),
    ] {
        set(&mut m, offset, value);
    }
    // bound and xbound of guest and host.
    for offset in [0x060, 0x064, 0x0a8, 0x0ac] {
        set(&mut m, offset, u32::MAX);
    }
    program(&mut m, &[n(Op::Vmon), i(Op::Vmenter, 0, 1, 0), n(Op::Fence)]);
    m.hart.x[1] = STRUCTURE;
    assert_eq!(step(&mut m), Exit::Fuel, "vmon");
    m
}

/// Writes a word of the structure.
fn set(m: &mut Machine, offset: u32, value: u32) {
    put(m, STRUCTURE + offset, &[value]);
}

fn get(m: &Machine, offset: u32) -> u32 {
    peek(m, STRUCTURE + offset)
}

fn in_guest(m: &Machine) -> bool {
    matches!(m.hart.operation, Operation::NonRoot(_))
}

/// Executes the host's `vmenter`.
fn enter(m: &mut Machine) {
    assert_eq!(step(m), Exit::Fuel);
    assert!(in_guest(m), "error {}", get(m, ERROR));
}

/// The same again, after an exit.
fn enter_again(m: &mut Machine) {
    m.hart.pc = HOST;
    m.hart.x[1] = STRUCTURE;
    enter(m);
}

/// Runs until the guest leaves and looks at what it leaves: reason, value, detail, and the guest's pc.
fn left(m: &mut Machine, engine: EngineName) -> [u32; 4] {
    let exit = engine.build().run(m, 1000);
    assert!(matches!(exit, Exit::Left(_)), "{exit:?} at {:#x}", m.hart.pc);
    assert!(!in_guest(m));
    assert_eq!((m.hart.pc, m.hart.x[2], m.hart.ring()), (HOST, HOST_SP, 0));
    [REASON, VALUE, DETAIL, G_PC].map(|offset| get(m, offset))
}

/// Enters and runs until the guest leaves.
fn run(m: &mut Machine, engine: EngineName) -> [u32; 4] {
    enter(m);
    left(m, engine)
}

#[test]
fn who_may_execute_the_five_instructions() {
    let others = [
        n(Op::Vmoff),
        i(Op::Vmenter, 0, 1, 0),
        i(Op::Vmresume, 0, 1, 0),
        i(Op::Vminval, 0, 1, 0),
    ];
    for word in others {
        // Before vmon, after vmoff, and outside ring 0.
        for prepare in [&[][..], &[n(Op::Vmon), n(Op::Vmoff)]] {
            let mut m = build(Profile::new(ProfileName::Assist), MEMORY, 64);
            let words: Vec<u32> = prepare.iter().copied().chain([word]).collect();
            program(&mut m, &words);
            let exit = Reference.run(&mut m, 9);
            assert_eq!(exit, Exit::Trap(Trap::illegal(word)));
            assert_eq!(m.hart.operation, Operation::Off);
        }
        for ring in 1..4 {
            let mut m = stage(&[]);
            put(&mut m, CODE + 4, &[word]);
            m.hart.csr.status.0 = ring;
            assert_eq!(step(&mut m), Exit::Trap(Trap::illegal(word)), "ring {ring}");
        }
    }
    // vmon twice is no mistake; a guest has none of the five.
    let mut m = stage(&[]);
    put(&mut m, CODE + 4, &[n(Op::Vmon)]);
    assert_eq!(step(&mut m), Exit::Fuel);
    assert_eq!(m.hart.operation, Operation::Root);
    for word in others.into_iter().chain([n(Op::Vmon)]) {
        for ring in 0..4 {
            let mut m = stage(&[word]);
            set(&mut m, G_STATUS, ring);
            enter(&mut m);
            match ring {
                0 => assert_eq!(left(&mut m, EngineName::Reference), [22, word, word, GUEST]),
                _ => assert_eq!(step(&mut m), Exit::Trap(Trap::illegal(word))),
            }
            assert_eq!(in_guest(&m), ring != 0);
        }
    }
}

/// A value of its own for each word of a state that a processor can hold.
fn mark(offset: u32) -> u32 {
    match offset {
        G_STATUS => 2 | 1 << 2 | 1 << 5 | 1 << 6 | 2 << 8,
        H_STATUS => 3 << 2 | 1 << 7 | 1 << 8,
        G_PTBR | H_PTBR => 0x0123_4000,
        _ => 0x0100_0000 + 0x0001_0010 * offset,
    }
}

#[test]
fn an_entry_takes_the_guests_state_and_an_exit_gives_it_back() {
    let mut m = stage(&[]);
    for offset in (0x000..0x06c).chain(0x080..0x0b4).step_by(4) {
        set(&mut m, offset, mark(offset));
    }
    set(&mut m, 0x050, 0xffff_ffff); // cause takes every value
    set(&mut m, H_PC, HOST);
    set(&mut m, EXIT_TRAPS, 1 << 1);
    let clock = m.board.pace.clock;
    enter(&mut m);
    assert_eq!(m.board.pace.clock, clock + 1, "the entering instruction retires");
    assert_eq!(get(&m, STATE), 1);
    let x = |m: &Machine| m.hart.x[1..16].to_vec();
    let guest: Vec<u32> = (1..16).map(|index| mark(4 * index)).collect();
    assert_eq!((m.hart.pc, x(&m)), (mark(0), guest.clone()));
    let csr = m.hart.csr;
    let expected = |first: u32| {
        let all: Vec<u32> = (0..11).map(|index| mark(first + 4 * index)).collect();
        all
    };
    let mut words = expected(0x040);
    words[4] = 0xffff_ffff;
    assert_eq!(csr.words().to_vec(), words);

    // The guest stands where there is no memory: it leaves at once, by the fault that its controls name.
    let exit = step(&mut m);
    assert_eq!(
        exit,
        Exit::Left(Trap {
            cause: Cause::FetchAccess,
            tval: mark(0)
        })
    );
    assert_eq!(
        [REASON, VALUE, DETAIL, RAN].map(|word| get(&m, word)),
        [1, mark(0), 0, 0]
    );
    assert_eq!((m.hart.pc, m.hart.x[2]), (HOST, mark(0x084)));
    assert_eq!(m.hart.csr.words().to_vec(), expected(0x088));
    assert_eq!(m.board.pace.clock, clock + 1, "leaving takes no time");
    let others = [&guest[..1], &guest[2..]].concat();
    assert_eq!(
        [&m.hart.x[1..2], &m.hart.x[3..16]].concat(),
        others,
        "but for sp, registers stay"
    );

    // What the guest does to its state is what the structure then holds.
    let mut m = stage(&[
        i(Op::Addi, 15, 0, 7),
        c(Op::Csrrwi, 0, Csr::Scratch, 9),
        n(Op::Hcall),
    ]);
    set(&mut m, EXIT_TRAPS, 1 << 24);
    assert_eq!(
        run(&mut m, EngineName::Reference),
        [24, 0, n(Op::Hcall), GUEST + 8]
    );
    assert_eq!((get(&m, 4 * 15), get(&m, 0x048)), (7, 9));
    assert_eq!((get(&m, RAN), get(&m, RAN + 4)), (2, 0));
}

/// A mistake in a structure and the number of the error.
type Mistake = (u32, fn(&mut Machine));

#[rustfmt::skip]
fn mistakes() -> Vec<Mistake> {
    vec![
        (1, |m| set(m, REVISION, 0)),
        (1, |m| set(m, REVISION, 2)),
        (2, |m| set(m, STATE, 1)),
        (2, |m| set(m, STATE, 7)),
        (3, |m| put(m, CODE + 4, &[i(Op::Vmresume, 0, 1, 0)])),
        (4, |m| set(m, EXIT_OPS, 1 << 7)),
        (4, |m| set(m, EXIT_READS, 1 << 18)),
        (4, |m| set(m, EXIT_WRITES, 1 << 13)),
        (4, |m| set(m, EXIT_WRITES, 1 << 15)),
        (4, |m| set(m, EXIT_WRITES, 1 << 17)),
        (4, |m| set(m, EXIT_TRAPS, 1 << 14)),
        (4, |m| set(m, EXIT_TRAPS, 1 << 20)),
        (4, |m| set(m, EXIT_TRAPS, 1 << 22)),
        (4, |m| set(m, EXIT_TRAPS, 1 << 25)),
        (4, |m| set(m, OPTIONS, 4)),
        (5, |m| set(m, NESTED, 0x9003)),
        (5, |m| set(m, NESTED, 0x9800)),
        (5, |m| set(m, NESTED, 0x0400_0001)),
        (6, |m| set(m, H_PC, HOST + 2)),
        (6, |m| set(m, H_TVEC, HANDLER + 1)),
        (6, |m| set(m, H_EPC, 3)),
        (6, |m| set(m, 0x0a4, 2)),
        (7, |m| set(m, H_STATUS, 1)),
        (7, |m| set(m, H_STATUS, 1 << 10)),
        (8, |m| set(m, H_PTBR, 2)),
        (9, |m| set(m, G_PC, GUEST + 1)),
        (9, |m| set(m, G_TVEC, 2)),
        (9, |m| set(m, G_EPC, 1)),
        (9, |m| set(m, 0x05c, 1)),
        (10, |m| set(m, G_STATUS, 1 << 31)),
        (11, |m| set(m, G_PTBR, 0x800)),
        (12, |m| set(m, ACTIVITY, 4)),
        (13, |m| set(m, INJECT, 2)),
        (13, |m| { set(m, INJECT, 1); set(m, INJECT_CAUSE, 14) }),
        (13, |m| { set(m, INJECT, 1); set(m, INJECT_CAUSE, 21) }),
        (13, |m| { set(m, INJECT, 1); set(m, INJECT_CAUSE, 25) }),
        (13, |m| { set(m, INJECT, 1); set(m, INJECT_CAUSE, 0x8000_0018); set(m, G_STATUS, IE) }),
        (14, |m| { set(m, INJECT, 1); set(m, INJECT_CAUSE, 0x8000_0007) }),
        (14, |m| { set(m, INJECT, 1); set(m, INJECT_CAUSE, 0x8000_000b) }),
    ]
}

#[test]
fn a_structure_with_a_mistake_is_refused_with_its_number_and_nothing_else_happens() {
    for (case, (number, mistake)) in mistakes().into_iter().enumerate() {
        for engine in ENGINES {
            let mut m = stage(&[]);
            mistake(&mut m);
            let mut want = m.clone();
            want.hart.pc += 4;
            want.board.pace.clock += 1;
            set(&mut want, ERROR, number);
            assert_eq!(engine.build().run(&mut m, 1), Exit::Fuel);
            assert_eq!(visible(&m), visible(&want), "case {case}, error {number}");
        }
    }
    let numbers: std::collections::BTreeSet<u32> = mistakes().iter().map(|(number, _)| *number).collect();
    assert!(numbers.into_iter().eq(1..=14), "every number has a case");
}

#[test]
fn of_several_mistakes_the_first_counts_and_each_has_a_text() {
    let mut m = stage(&[]);
    for (_, mistake) in mistakes().iter().rev().filter(|(number, _)| *number != 3) {
        mistake(&mut m);
    }
    step(&mut m);
    assert_eq!(get(&m, ERROR), 1);
    let numbers = EntryError::NUMBERED.map(EntryError::number);
    assert!(numbers.into_iter().eq(1..=14));
    let texts: std::collections::BTreeSet<String> =
        EntryError::NUMBERED.iter().map(ToString::to_string).collect();
    assert_eq!(texts.len(), 14);
}

#[test]
fn an_address_that_is_no_page_of_memory_traps() {
    for (address, cause) in [
        (STRUCTURE + 4, Cause::LoadMisaligned),
        (STRUCTURE + 2048, Cause::LoadMisaligned),
        (0x4_0000, Cause::LoadAccess),
        (0xf000_0000, Cause::LoadAccess),
        (0xffff_f000, Cause::LoadAccess),
    ] {
        let mut m = stage(&[]);
        m.hart.x[1] = address;
        assert_eq!(step(&mut m), Exit::Trap(Trap { cause, tval: address }));
        assert_eq!((m.hart.operation.clone(), m.hart.pc), (Operation::Root, HANDLER));
    }
}

#[test]
fn a_valid_entry_clears_the_error_and_a_guest_is_resumed_as_often_as_one_likes() {
    let mut m = stage(&[n(Op::Hcall), n(Op::Hcall), n(Op::Hcall)]);
    set(&mut m, EXIT_TRAPS, 1 << 24);
    set(&mut m, ERROR, 99);
    for count in 0..3 {
        if count == 0 {
            enter(&mut m);
        } else {
            enter_again(&mut m);
        }
        assert_eq!(get(&m, ERROR), 0);
        assert_eq!(left(&mut m, EngineName::Reference)[3], GUEST + 4 * count);
        let next = get(&m, G_PC) + 4;
        set(&mut m, G_PC, next);
    }
    // Software may begin anew.
    set(&mut m, STATE, 0);
    m.hart.pc = CODE + 4;
    m.hart.x[1] = STRUCTURE;
    enter(&mut m);
}

/// The instructions and control registers that controls name, in the order of their bits.
fn controllable() -> Vec<(u32, u32, u32)> {
    let ops = [
        n(Op::Mret),
        n(Op::Wfi),
        r(Op::SfenceVma, 0, 0, 0),
        i(Op::In, 10, 5, 0),
        r(Op::Out, 0, 5, 6),
        r(Op::Prober, 10, 1, 2),
        r(Op::Probew, 10, 1, 2),
    ];
    let csrs = [
        Csr::Status,
        Csr::Tvec,
        Csr::Scratch,
        Csr::Epc,
        Csr::Cause,
        Csr::Tval,
        Csr::Ptbr,
        Csr::Base,
        Csr::Bound,
        Csr::Xbound,
        Csr::Window,
        Csr::Timer,
        Csr::Irq,
        Csr::Instret,
        Csr::Instreth,
        Csr::Cpuid,
        Csr::Mstatus,
        Csr::Mhartid,
    ];
    let bit = |position: usize| 1 << position;
    let mut all: Vec<_> = ops
        .iter()
        .enumerate()
        .map(|(at, word)| (EXIT_OPS, bit(at), *word))
        .collect();
    for (at, csr) in csrs.into_iter().enumerate() {
        all.push((EXIT_READS, bit(at), c(Op::Csrrs, 10, csr, 0)));
        if csr.row().write.is_some() {
            all.push((EXIT_WRITES, bit(at), c(Op::Csrrw, 10, csr, 7)));
        }
    }
    all
}

#[test]
fn each_bit_of_the_controls_makes_its_row_leave_and_no_other() {
    for (word_of_control, bit, word) in controllable() {
        for engine in ENGINES {
            // With the bit, the guest leaves before the instruction.
            let mut m = stage(&[n(Op::Fence), word]);
            set(&mut m, word_of_control, bit);
            let before = stage(&[]).board.devices.clone();
            assert_eq!(run(&mut m, engine), [22, word, word, GUEST + 4], "{word:#x}");
            assert_eq!(get(&m, RAN), 1);
            assert_eq!(m.board.devices, before, "nothing of it has happened");

            // With every other bit and none of its own, it does not.
            let mut m = stage(&[word]);
            for (control, all) in [(EXIT_OPS, 0x7f), (EXIT_READS, 0x3_ffff), (EXIT_WRITES, 0x1_1fff)] {
                let mine = if control == word_of_control { bit } else { 0 };
                set(&mut m, control, all & !mine);
            }
            enter(&mut m);
            // An instruction that halts, or goes elsewhere, retires too.
            let clock = m.board.pace.clock;
            let exit = engine.build().run(&mut m, 1);
            assert!(matches!(exit, Exit::Fuel | Exit::Return), "{word:#x}: {exit:?}");
            assert_eq!(m.board.pace.clock, clock + 1);
        }
    }
}

#[test]
fn what_is_illegal_outside_ring_0_stays_the_guests_own_trap_and_what_leaks_can_be_closed() {
    for (word_of_control, bit, word) in controllable() {
        let leaks = |csr: Csr| {
            let innocent = [
                Csr::Tvec,
                Csr::Scratch,
                Csr::Status,
                Csr::Ptbr,
                Csr::Base,
                Csr::Bound,
                Csr::Xbound,
                Csr::Window,
                Csr::Instret,
                Csr::Instreth,
                Csr::Cpuid,
            ];
            innocent.contains(&csr)
        };
        let insn =
            toy_isa::instruction::decode(word, toy_isa::instruction::Registers::Sixteen).expect("legal");
        let runs = match word_of_control {
            EXIT_OPS => matches!(insn.op, Op::Prober | Op::Probew),
            EXIT_READS => insn.csr().is_some_and(leaks),
            // The write of `status` that drops bits.
            _ => insn.csr() == Some(Csr::Status),
        };
        let mut m = stage(&[word]);
        set(&mut m, word_of_control, bit);
        set(&mut m, G_STATUS, RING_3);
        enter(&mut m);
        if runs {
            assert_eq!(left(&mut m, EngineName::Reference)[0], 22, "{word:#x}");
        } else {
            assert_eq!(step(&mut m), Exit::Trap(Trap::illegal(word)));
            assert_eq!((in_guest(&m), m.hart.pc), (true, GUEST_HANDLER));
        }
    }
}

#[test]
fn a_guest_reads_its_own_state_in_every_ring() {
    // `csrr tvec`, `csrr ptbr` and `csrr status` leak in ring 3; what they leak is the guest's.
    let words = [Csr::Tvec, Csr::Ptbr, Csr::Status].map(|csr| c(Op::Csrrs, 10, csr, 0));
    for (word, value) in words.into_iter().zip([GUEST_HANDLER, 0x0123_4000, RING_3]) {
        let mut m = stage(&[word]);
        set(&mut m, G_STATUS, RING_3);
        set(&mut m, G_PTBR, 0x0123_4000);
        enter(&mut m);
        step(&mut m);
        assert_eq!(m.hart.x[10], value);
    }
}

/// How a guest brings about each trap: cause, value, and its words; x1 is where nothing is, x2 is odd.
fn trapping() -> Vec<(u32, u32, [u32; 2])> {
    let nop = n(Op::Fence);
    let nowhere = 0x2000_0000;
    vec![
        (0, GUEST + 2, [word(Op::Jal, 0, 0, 0, 2), nop]),
        (1, nowhere, [i(Op::Jalr, 0, 1, 0), nop]),
        (2, 0, [0, nop]),
        (3, GUEST, [n(Op::Ebreak), nop]),
        (4, 0x6001, [i(Op::Lw, 10, 2, 0), nop]),
        (5, nowhere, [i(Op::Lw, 10, 1, 0), nop]),
        (6, 0x6001, [s(Op::Sh, 10, 2, 0), nop]),
        (7, nowhere, [s(Op::Sb, 10, 1, 0), nop]),
        (11, 0, [n(Op::Ecall), nop]),
        (24, 0, [n(Op::Hcall), nop]),
    ]
}

#[test]
fn a_trap_goes_to_the_guests_own_handler_unless_its_bit_is_set() {
    for (code, value, words) in trapping() {
        for engine in ENGINES {
            let start = |controls| {
                let mut m = stage(&words);
                set(&mut m, 4, 0x2000_0000);
                set(&mut m, 8, 0x6001);
                set(&mut m, EXIT_TRAPS, controls);
                m
            };
            // All other bits.
            let mut m = start(0x0100_bfff & !(1 << code));
            enter(&mut m);
            let exit = engine.build().run(&mut m, 9);
            assert!(
                matches!(exit, Exit::Trap(trap) if trap.cause.code() == code),
                "{code}: {exit:?}"
            );
            assert!(in_guest(&m));
            let csr = m.hart.csr;
            assert_eq!((m.hart.pc, csr.cause, csr.tval), (GUEST_HANDLER, code, value));

            let mut m = start(1 << code);
            // A jump to where nothing is has happened; the fetch has not.
            let (pc, detail) = if code == 1 { (value, 0) } else { (GUEST, words[0]) };
            assert_eq!(run(&mut m, engine), [code, value, detail, pc]);
            assert_eq!(
                get(&m, G_STATUS),
                0,
                "nothing of the trap has happened to the guest"
            );
        }
    }
    for ring in 0..4 {
        let mut m = stage(&[n(Op::Ecall)]);
        set(&mut m, G_STATUS, ring);
        set(&mut m, EXIT_TRAPS, 1 << (11 - ring));
        assert_eq!(run(&mut m, EngineName::Reference)[0], 11 - ring);
    }
}

#[test]
fn a_system_call_comes_and_goes_without_an_exit() {
    for engine in ENGINES {
        let mut m = stage(&[n(Op::Ecall), n(Op::Hcall)]);
        put(
            &mut m,
            GUEST_HANDLER,
            &[
                c(Op::Csrrs, 10, Csr::Epc, 0),
                i(Op::Addi, 10, 10, 4),
                c(Op::Csrrw, 0, Csr::Epc, 10),
                n(Op::Mret),
            ],
        );
        set(&mut m, G_STATUS, RING_3);
        set(&mut m, EXIT_TRAPS, 1 << 24);
        enter(&mut m);
        let mut engine = engine.build();
        assert!(matches!(engine.run(&mut m, 9), Exit::Trap(_)));
        assert_eq!(engine.run(&mut m, 9), Exit::Return);
        assert!(in_guest(&m));
        assert_eq!(m.hart.ring(), 3);
        assert!(matches!(engine.run(&mut m, 9), Exit::Left(_)));
        assert_eq!(get(&m, RAN), 4, "the handler's four; traps do not retire");
    }
}

/// Code that computes, with a jump, and a trap that does not retire.
fn busy() -> Vec<u32> {
    let mut words: Vec<u32> = (0..40).map(|at| i(Op::Addi, 10, 10, at)).collect();
    words[20] = word(Op::Jal, 0, 0, 0, 4);
    words[30] = n(Op::Ecall);
    words
}

#[test]
fn the_countdown_is_exact() {
    for engine in ENGINES {
        for count in 1..60 {
            for slice in [1, 7, 1000] {
                let mut m = stage(&busy());
                put(&mut m, GUEST_HANDLER, &[i(Op::Addi, 11, 11, 1); 40]);
                set(&mut m, COUNTDOWN, count);
                enter(&mut m);
                let (mut engine, clock) = (engine.build(), m.board.pace.clock);
                let exit = loop {
                    match engine.run(&mut m, slice) {
                        Exit::Fuel | Exit::Trap(_) => {}
                        exit => break exit,
                    }
                };
                let trap = Trap {
                    cause: Cause::Countdown,
                    tval: 0,
                };
                assert_eq!(exit, Exit::Left(trap));
                assert_eq!(m.board.pace.clock - clock, u64::from(count));
                let found = [REASON, DETAIL, RAN].map(|offset| get(&m, offset));
                assert_eq!(found, [0x8000_0018, 0, count]);
                let pc = if count < 31 {
                    GUEST + 4 * count
                } else {
                    GUEST_HANDLER + 4 * (count - 30)
                };
                // The thirtieth is followed by the trap, which is no time.
                if count != 30 {
                    assert_eq!(get(&m, G_PC), pc, "after {count}");
                }
            }
        }
    }
}

#[test]
fn a_guest_that_only_traps_is_reached_by_the_limit_of_traps() {
    for engine in ENGINES {
        for (limit, word) in [(1, n(Op::Ecall)), (7, n(Op::Ecall)), (7, 0)] {
            let mut m = stage(&[word]);
            put(&mut m, GUEST_HANDLER, &[word]);
            set(&mut m, COUNTDOWN, 100);
            set(&mut m, TRAPS, limit);
            enter(&mut m);
            let mut engine = engine.build();
            for _ in 0..limit {
                assert!(matches!(engine.run(&mut m, 9), Exit::Trap(_)));
            }
            let trap = Trap {
                cause: Cause::TrapLimit,
                tval: 0,
            };
            assert_eq!(engine.run(&mut m, 9), Exit::Left(trap));
            // In place of the trap: the instruction is still to come.
            let found = [REASON, VALUE, DETAIL, G_PC, RAN].map(|offset| get(&m, offset));
            assert_eq!(found, [0x8000_001a, 0, word, GUEST_HANDLER, 0]);
            enter_again(&mut m);
            assert!(matches!(engine.run(&mut m, 9), Exit::Trap(_)));
        }
    }
    // Traps that leave are not counted.
    let mut m = stage(&[n(Op::Ecall)]);
    set(&mut m, TRAPS, 1);
    set(&mut m, EXIT_TRAPS, 1 << 11);
    assert_eq!(run(&mut m, EngineName::Reference)[0], 11);
}

#[test]
fn without_a_countdown_a_guest_keeps_the_processor() {
    let mut m = stage(&[word(Op::Jal, 0, 0, 0, 0)]);
    enter(&mut m);
    assert_eq!(Interpreter::default().run(&mut m, 100_000), Exit::Fuel);
    assert!(in_guest(&m));
}

#[test]
fn a_real_interrupt_makes_the_guest_leave_whatever_it_wants_or_else_is_the_guests() {
    let timer = |m: &mut Machine| {
        m.board.devices.enabled = 1;
        let clock = m.board.pace.clock;
        m.board.devices.timer.set(clock as u32 + 10, clock);
    };
    let device = |m: &mut Machine| {
        let clock = m.board.pace.clock;
        let disk = |index| toy_isa::devices::Register { device: 2, index };
        m.board.devices.enabled = 2;
        m.board.devices.write(disk(3), 1, clock).expect("a command");
        // It moves nothing, so it is done 400 ticks later.
        m.board.pace.clock = clock + 395;
    };
    type Arm = fn(&mut Machine);
    for (arm, code) in [(timer as Arm, 0x8000_0007), (device as Arm, 0x8000_000b)] {
        for engine in ENGINES {
            for status in [0, IE] {
                let mut m = stage(&busy());
                arm(&mut m);
                set(&mut m, OPTIONS, EXTERNAL);
                set(&mut m, G_STATUS, status);
                let [reason, value, detail, pc] = run(&mut m, engine);
                assert_eq!([reason, value, detail], [code, 0, 0]);
                assert!(pc > GUEST && pc < GUEST + 0x40);
                assert_eq!(get(&m, G_STATUS), status);
                // The line is still pending: the next entry ends at once.
                enter_again(&mut m);
                assert_eq!(left(&mut m, engine), [code, 0, 0, pc]);
                assert_eq!(get(&m, RAN), 0);
            }
            let mut m = stage(&busy());
            arm(&mut m);
            set(&mut m, G_STATUS, IE);
            enter(&mut m);
            let exit = engine.build().run(&mut m, 100);
            assert!(
                matches!(exit, Exit::Trap(trap) if trap.cause.code() == code),
                "{exit:?}"
            );
            assert!(in_guest(&m));
        }
    }
}

#[test]
fn the_window_opens_when_the_guest_turns_interrupts_on() {
    for engine in ENGINES {
        let mut m = stage(&[n(Op::Fence), c(Op::Csrrsi, 0, Csr::Status, 16), n(Op::Fence)]);
        set(&mut m, OPTIONS, WINDOW);
        assert_eq!(run(&mut m, engine), [0x8000_0019, 0, 0, GUEST + 8]);
        // It is open already.
        enter_again(&mut m);
        assert_eq!(left(&mut m, engine), [0x8000_0019, 0, 0, GUEST + 8]);
        assert_eq!(get(&m, RAN), 0);
        // By a return as well.
        let mut m = stage(&[n(Op::Mret)]);
        set(&mut m, OPTIONS, WINDOW);
        set(&mut m, G_STATUS, 1 << 5 | RING_3 << 2);
        set(&mut m, G_EPC, 0x6000);
        enter(&mut m);
        let mut engine = engine.build();
        assert_eq!(engine.run(&mut m, 9), Exit::Return);
        assert!(matches!(engine.run(&mut m, 9), Exit::Left(trap) if trap.cause == Cause::Window));
        assert_eq!(get(&m, G_PC), 0x6000);
    }
}

#[test]
fn a_halted_guest_waits_for_lines_for_the_countdown_or_not_at_all() {
    for engine in ENGINES {
        // With the window, an interrupt waits already: wfi goes on.
        let mut m = stage(&[n(Op::Wfi), n(Op::Hcall)]);
        set(&mut m, OPTIONS, WINDOW);
        set(&mut m, EXIT_TRAPS, 1 << 24);
        assert_eq!(run(&mut m, engine)[3], GUEST + 4);
        assert_eq!(m.board.pace.skipped, 0);

        // The countdown goes on while the guest waits, and it leaves waiting.
        let mut m = stage(&[n(Op::Wfi), n(Op::Hcall)]);
        set(&mut m, COUNTDOWN, 100);
        set(&mut m, EXIT_TRAPS, 1 << 24);
        assert_eq!(run(&mut m, engine), [0x8000_0018, 0, 0, GUEST + 4]);
        assert_eq!(
            (get(&m, RAN), get(&m, ACTIVITY), m.board.pace.skipped),
            (100, 2, 99)
        );
        assert!(!m.board.pace.halted, "the host does not wait");
        // So it goes on waiting, until a real line is pending.
        set(&mut m, COUNTDOWN, 0);
        m.board.devices.enabled = 1;
        let clock = m.board.pace.clock;
        m.board.devices.timer.set(clock as u32 + 50, clock);
        enter_again(&mut m);
        assert_eq!(left(&mut m, engine)[0], 24);
        // One tick of the fifty was the entering instruction's.
        assert_eq!((get(&m, RAN), get(&m, ACTIVITY)), (49, 0));

        // An injected trap ends the wait.
        let mut m = stage(&[]);
        set(&mut m, ACTIVITY, 2);
        set(&mut m, INJECT, 1);
        set(&mut m, INJECT_CAUSE, 24);
        enter(&mut m);
        assert!(!m.board.pace.halted);

        // With nothing that could come, it is a deadlock as anywhere.
        let mut m = stage(&[n(Op::Wfi)]);
        enter(&mut m);
        assert_eq!(engine.build().run(&mut m, 9), Exit::Deadlock);
    }
}

#[test]
fn a_trap_is_injected_before_the_first_instruction() {
    let status = RING_3 | IE | 1 << 6;
    for (code, value) in [
        (2, 0x1234),
        (13, 0xdead_0000),
        (8, 0),
        (0x8000_0007, 0),
        (0x8000_000b, 0),
    ] {
        for engine in ENGINES {
            let mut m = stage(&[0; 4]);
            put(
                &mut m,
                GUEST_HANDLER,
                &[c(Op::Csrrs, 10, Csr::Cause, 0), n(Op::Hcall)],
            );
            set(&mut m, G_STATUS, status);
            set(&mut m, EXIT_TRAPS, 1 << 24 | 1 << 2 | 1 << 13 | 1 << 8);
            set(&mut m, INJECT, 1);
            set(&mut m, INJECT_CAUSE, code);
            set(&mut m, INJECT_VALUE, value);
            enter(&mut m);
            let csr = m.hart.csr;
            assert_eq!((m.hart.pc, csr.epc), (GUEST_HANDLER, GUEST));
            assert_eq!((csr.cause, csr.tval), (code, value));
            // Ring 3, IE and RE have moved to their previous places.
            assert_eq!(csr.status.0, 3 << 2 | 1 << 5 | 1 << 7);
            assert_eq!(get(&m, INJECT), 0, "once");
            assert_eq!(left(&mut m, engine), [24, 0, n(Op::Hcall), GUEST_HANDLER + 4]);
            assert_eq!(get(&m, 4 * 10), code);
        }
    }
}

#[test]
fn a_handler_that_cannot_be_fetched_is_a_double_fault_and_leaves() {
    for engine in ENGINES {
        // By a trap of its own, and by an injected one.
        let mut own = stage(&[n(Op::Ecall)]);
        set(&mut own, G_TVEC, 0x2000_0000);
        enter(&mut own);
        assert!(matches!(engine.build().run(&mut own, 9), Exit::Trap(_)));
        let mut injected = stage(&[]);
        set(&mut injected, G_TVEC, 0x2000_0000);
        set(&mut injected, INJECT, 1);
        set(&mut injected, INJECT_CAUSE, 11);
        enter(&mut injected);
        for mut m in [own, injected] {
            let found = left(&mut m, engine);
            assert_eq!(found, [25, 0x2000_0000, 1, 0x2000_0000]);
            assert_eq!(get(&m, ACTIVITY), 1);
            // Nothing has changed, so the next entry ends in the same way.
            enter_again(&mut m);
            assert_eq!(left(&mut m, engine), found);
        }
        // A fault that the monitor wants to see is the monitor's, and it is told that a handler is being entered.
        let mut m = stage(&[n(Op::Ecall)]);
        set(&mut m, G_TVEC, 0x2000_0000);
        set(&mut m, EXIT_TRAPS, 1 << 1);
        enter(&mut m);
        assert!(matches!(engine.build().run(&mut m, 9), Exit::Trap(_)));
        assert_eq!(left(&mut m, engine), [1, 0x2000_0000, 0, 0x2000_0000]);
        assert_eq!(get(&m, ACTIVITY), 1);
    }
}

#[test]
fn the_host_is_not_halted_nor_entering_and_its_own_double_faults_are_as_ever() {
    let mut m = stage(&[n(Op::Hcall)]);
    set(&mut m, EXIT_TRAPS, 1 << 24);
    set(&mut m, H_PC, 0x2000_0000);
    enter(&mut m);
    assert!(matches!(step(&mut m), Exit::Left(_)));
    // The host's first instruction cannot be fetched: an ordinary trap of the host's.
    let fetch = Trap {
        cause: Cause::FetchAccess,
        tval: 0x2000_0000,
    };
    assert_eq!(step(&mut m), Exit::Trap(fetch));
    assert_eq!(m.hart.pc, HANDLER);
}

#[test]
fn the_offset_shifts_the_clock_that_the_guest_reads_and_no_other() {
    for (offset, name) in [
        (1_000_u64, "ahead"),
        (0_u64.wrapping_sub(3), "behind"),
        (5 << 32, "high"),
    ] {
        let mut m = stage(&[
            c(Op::Csrrs, 10, Csr::Instret, 0),
            c(Op::Csrrs, 11, Csr::Instreth, 0),
        ]);
        set(&mut m, OFFSET, offset as u32);
        set(&mut m, OFFSET + 4, (offset >> 32) as u32);
        enter(&mut m);
        let clock = m.board.pace.clock;
        step(&mut m);
        let guest = clock.wrapping_add(offset);
        assert_eq!(m.hart.x[10], guest as u32, "{name}");
        step(&mut m);
        assert_eq!(m.hart.x[11], (guest.wrapping_add(1) >> 32) as u32, "{name}");
        assert_eq!(m.board.pace.clock, clock + 2);
    }
}

// ---- Nested paging ---------------------------------------------------------------------------------------------

/// Tables of the monitor's, and where the guest-physical pages 0 to 31 really are: from 0x2_0000 on, backwards.
const NESTED_ROOT: u32 = 0x9000;
const NESTED_SECOND: u32 = 0xa000;
const RWX: u32 = pte::V | pte::R | pte::W | pte::X;

fn real(guest_page: u32) -> u32 {
    0x2_0000 + (31 - guest_page) * 4096
}

/// A guest with a nested table over 32 pages and no page table of its own yet: code on page 4, its root on page 1, its
/// second level on page 2, data on page 6.
fn nested_stage(guest: &[u32]) -> Machine {
    let mut m = stage(&[]);
    put(&mut m, NESTED_ROOT, &[pte::entry(NESTED_SECOND, pte::V)]);
    for page in 0..32 {
        put(&mut m, NESTED_SECOND + 4 * page, &[pte::entry(real(page), RWX)]);
    }
    put(&mut m, real(4), guest);
    set(&mut m, NESTED, NESTED_ROOT | 1);
    set(&mut m, G_PC, 0x4000);
    set(&mut m, EXIT_TRAPS, 1 << 24);
    set(&mut m, 4 * 7, 0x6000);
    m
}

/// The same with the guest's own paging: the lowest 16 pages are themselves, for every ring.
fn paged_stage(guest: &[u32]) -> Machine {
    let mut m = nested_stage(guest);
    put(&mut m, real(1), &[pte::entry(0x2000, pte::V)]);
    for page in 0..16 {
        put(
            &mut m,
            real(2) + 4 * page,
            &[pte::entry(page * 4096, RWX | pte::U)],
        );
    }
    set(&mut m, G_PTBR, 0x1001);
    m
}

#[test]
fn every_access_goes_through_the_nested_table() {
    for engine in ENGINES {
        for paged in [false, true] {
            let words = [
                i(Op::Lw, 10, 7, 0),
                i(Op::Addi, 10, 10, 1),
                s(Op::Sw, 10, 7, 4),
                n(Op::Hcall),
            ];
            let mut m = if paged {
                paged_stage(&words)
            } else {
                nested_stage(&words)
            };
            put(&mut m, real(6), &[41]);
            assert_eq!(run(&mut m, engine)[0], 24);
            assert_eq!((peek(&m, real(6) + 4), peek(&m, 0x6004)), (42, 0));
            assert_eq!(m.hart.nested, 0, "the host's memory is real memory");
        }
    }
}

#[test]
fn a_nested_walk_is_eight_references() {
    let misses = |mut m: Machine| {
        run(&mut m, EngineName::Reference);
        let counts = m.board.tlb.counts;
        (counts.misses, counts.references)
    };
    let words = [i(Op::Lw, 10, 7, 0), i(Op::Lw, 10, 7, 8), n(Op::Hcall)];
    // One fetch and one load each: (2 + 1) (2 + 1) - 1, as 24 of x86-64's 4 and 4.
    assert_eq!(misses(paged_stage(&words)), (2, 16));
    // The guest does not page: the nested walk alone.
    assert_eq!(misses(nested_stage(&words)), (2, 4));
    // A nested table of one superpage (3 + 2), though not the guest's own.
    let superpage = |m: &mut Machine| {
        put(m, NESTED_ROOT, &[pte::entry(0, RWX)]);
        put(m, 0x4000, &words);
        put(m, 0x1000, &[pte::entry(0x2000, pte::V)]);
        for page in 0..16 {
            put(m, 0x2000 + 4 * page, &[pte::entry(page * 4096, RWX | pte::U)]);
        }
    };
    let mut m = paged_stage(&words);
    enter(&mut m);
    superpage(&mut m);
    left(&mut m, EngineName::Reference);
    assert_eq!(m.board.tlb.counts.references, 2 * 5);
    // A superpage of the guest's own (2 + 1 + 2).
    let mut m = paged_stage(&words);
    put(&mut m, real(1), &[pte::entry(0, RWX)]);
    assert_eq!(misses(m), (2, 10));
}

#[test]
fn translations_outlive_an_exit_under_a_nested_table_and_not_without() {
    let words = [i(Op::Lw, 10, 7, 0), n(Op::Hcall)];
    for (mut m, again) in [
        (paged_stage(&words), 0),
        // Real paging only: a table at 0x6000, filled below.
        (stage(&words), 2),
    ] {
        if again == 2 {
            put(&mut m, 0x6000, &[pte::entry(0, RWX | pte::U)]);
            set(&mut m, G_PTBR, 0x6001);
            set(&mut m, EXIT_TRAPS, 1 << 24);
            set(&mut m, 4 * 7, 0x6000);
        }
        run(&mut m, EngineName::Reference);
        let before = m.board.tlb.counts.misses;
        assert_eq!(before, 2);
        set(&mut m, G_PC, GUEST);
        enter_again(&mut m);
        left(&mut m, EngineName::Reference);
        assert_eq!(m.board.tlb.counts.misses - before, again);
    }
}

#[test]
fn vminval_forgets_what_its_root_has_made() {
    let words = [i(Op::Lw, 10, 7, 0), n(Op::Hcall)];
    for (register, value, again) in [
        (3, NESTED_ROOT, 2),
        (3, NESTED_ROOT + 0x1000, 0),
        (3, NESTED_ROOT + 0x7ff, 2),
        (0, 0, 2),
    ] {
        let mut m = paged_stage(&words);
        run(&mut m, EngineName::Reference);
        let before = m.board.tlb.counts.misses;
        m.hart.x[3] = value;
        put(&mut m, HOST + 0x40, &[i(Op::Vminval, 0, register, 0)]);
        m.hart.pc = HOST + 0x40;
        assert_eq!(step(&mut m), Exit::Fuel);
        set(&mut m, G_PC, GUEST);
        enter_again(&mut m);
        left(&mut m, EngineName::Reference);
        assert_eq!(m.board.tlb.counts.misses - before, again, "{value:#x}");
    }
}

#[test]
fn a_fence_reaches_no_further_than_its_own_world() {
    let words = [
        i(Op::Lw, 10, 7, 0),
        r(Op::SfenceVma, 0, 0, 0),
        i(Op::Lw, 10, 7, 0),
        n(Op::Hcall),
    ];
    let mut m = paged_stage(&words);
    run(&mut m, EngineName::Reference);
    // The fence costs the guest its code page and its data page once more.
    assert_eq!(m.board.tlb.counts.misses, 4);
    put(&mut m, HOST + 0x40, &[r(Op::SfenceVma, 0, 0, 0)]);
    m.hart.pc = HOST + 0x40;
    step(&mut m);
    set(&mut m, G_PC, GUEST + 8);
    enter_again(&mut m);
    left(&mut m, EngineName::Reference);
    assert_eq!(
        m.board.tlb.counts.misses, 4,
        "the host's fence is not the guest's"
    );
}

#[test]
fn a_change_of_the_nested_table_counts_at_once_and_is_counted() {
    for engine in ENGINES {
        let words = [i(Op::Lw, 10, 7, 0), n(Op::Hcall)];
        let mut m = paged_stage(&words);
        put(&mut m, real(6), &[1]);
        put(&mut m, real(8), &[2]);
        run(&mut m, engine);
        assert_eq!(get(&m, 40), 1);
        put(&mut m, NESTED_SECOND + 4 * 6, &[pte::entry(real(8), RWX)]);
        set(&mut m, G_PC, GUEST);
        enter_again(&mut m);
        left(&mut m, engine);
        assert_eq!(
            (get(&m, 40), m.board.tlb.counts.stale),
            (2, 1),
            "vminval was left out"
        );
    }
}

#[test]
fn what_the_nested_table_does_not_allow_leaves_with_the_guest_physical_address() {
    let load = i(Op::Lw, 10, 7, 8);
    let store = s(Op::Sb, 10, 7, 9);
    // The nested page whose entry is made so; the word; reason, value and detail.
    let without = |flag: u32| RWX & !flag;
    let cases = [
        (6, 0, load, [21, 0x6008, load]),
        (6, 0, store, [23, 0x6009, store]),
        (6, without(pte::R | pte::W), load, [21, 0x6008, load]),
        (6, without(pte::W), store, [23, 0x6009, store]),
        (6, pte::V | pte::W, store, [23, 0x6009, store]),
        // The page of the code, and the guest's own tables: read, and marked.
        (4, 0, load, [20, 0x4000, 0]),
        (4, without(pte::X), load, [20, 0x4000, 0]),
        (1, 0, load, [21, 0x1000, 0]),
        (2, 0, load, [21, 0x2010, 0]),
        (2, without(pte::W), load, [23, 0x2010, 0]),
    ];
    for (page, entry, word, expected) in cases {
        for engine in ENGINES {
            let mut m = paged_stage(&[word, n(Op::Hcall)]);
            let leaf = if entry == 0 {
                0
            } else {
                pte::entry(real(page), entry)
            };
            put(&mut m, NESTED_SECOND + 4 * page, &[leaf]);
            let found = run(&mut m, engine);
            assert_eq!(found[..3], expected, "page {page}, {entry:#x}, {word:#x}");
            assert_eq!((found[3], get(&m, RAN)), (GUEST, 0));
            // Mended, the guest goes on as if nothing had been.
            put(&mut m, NESTED_SECOND + 4 * page, &[pte::entry(real(page), RWX)]);
            enter_again(&mut m);
            assert_eq!(left(&mut m, engine)[0], 24);
        }
    }
    // Beyond the table, and through a nested table that is broken in every way.
    for (entry, address) in [
        (0, 0x0040_0000),
        (pte::entry(0x0400_0000, pte::V), 0x0040_0008),
        (pte::entry(0x1000, RWX), 0x0040_000c),
        (pte::V | 1 << 30, 0x0040_0010),
    ] {
        let mut m = nested_stage(&[load]);
        put(&mut m, NESTED_ROOT + 4, &[entry]);
        set(&mut m, 4 * 7, address - 8);
        assert_eq!(run(&mut m, EngineName::Reference), [21, address, load, GUEST]);
    }
}

#[test]
fn rings_do_not_count_in_the_nested_table_and_both_tables_do_elsewhere() {
    // Ring 3 under a nested table without U; then without U in its own.
    for (own, cause) in [(RWX | pte::U, None), (RWX, Some(Cause::LoadPage))] {
        let mut m = paged_stage(&[i(Op::Lw, 10, 7, 0), n(Op::Hcall)]);
        put(&mut m, real(2) + 4 * 6, &[pte::entry(0x6000, own)]);
        set(&mut m, G_STATUS, RING_3);
        enter(&mut m);
        let exit = Reference.run(&mut m, 9);
        match cause {
            None => assert!(matches!(exit, Exit::Left(_))),
            Some(cause) => assert_eq!(exit, Exit::Trap(Trap { cause, tval: 0x6000 })),
        }
    }
}

#[test]
fn accessed_and_dirty_are_set_in_both_tables() {
    let marks = |m: &Machine, at: u32| peek(m, at) & (pte::A | pte::D);
    let mut m = paged_stage(&[i(Op::Lw, 10, 7, 0), s(Op::Sw, 10, 7, 0), n(Op::Hcall)]);
    enter(&mut m);
    step(&mut m);
    let (own, nested) = (real(2) + 4 * 6, NESTED_SECOND + 4 * 6);
    assert_eq!((marks(&m, own), marks(&m, nested)), (pte::A, pte::A));
    // The guest's root was read; its second level was read and marked.
    assert_eq!(marks(&m, NESTED_SECOND + 4), pte::A);
    assert_eq!(marks(&m, NESTED_SECOND + 8), pte::A | pte::D);
    step(&mut m);
    assert_eq!(
        (marks(&m, own), marks(&m, nested)),
        (pte::A | pte::D, pte::A | pte::D)
    );
    assert_eq!(marks(&m, NESTED_SECOND + 4 * 9), 0);
}

#[test]
fn a_probe_asks_the_guests_table_and_may_leave_by_a_nested_fault() {
    let word = r(Op::Prober, 10, 7, 0);
    let mut m = paged_stage(&[word, n(Op::Hcall)]);
    run(&mut m, EngineName::Reference);
    assert_eq!(get(&m, 40), 1);
    let mut m = paged_stage(&[word, n(Op::Hcall)]);
    // The code is fetched by a superpage of its own; the probe needs the second level, which is gone.
    put(&mut m, real(1) + 4, &[pte::entry(0, RWX)]);
    put(&mut m, NESTED_SECOND + 8, &[0]);
    set(&mut m, G_PC, 0x0040_4000);
    let found = run(&mut m, EngineName::Reference);
    assert_eq!(found, [21, 0x2018, word, 0x0040_4000]);
}

#[test]
fn where_both_tables_lead_to_no_memory_the_access_faults_in_the_guest() {
    let mut m = nested_stage(&[i(Op::Lw, 10, 7, 0)]);
    put(&mut m, NESTED_SECOND + 4 * 6, &[pte::entry(0x0800_0000, RWX)]);
    enter(&mut m);
    let trap = Trap {
        cause: Cause::LoadAccess,
        tval: 0x6000,
    };
    assert_eq!(step(&mut m), Exit::Trap(trap));
    // A device can be given to a guest.
    let mut m = nested_stage(&[s(Op::Sw, 10, 7, 0), n(Op::Hcall)]);
    put(&mut m, NESTED_SECOND + 4 * 6, &[pte::entry(0xf000_0000, RWX)]);
    set(&mut m, 40, u32::from(b'!'));
    run(&mut m, EngineName::Reference);
    assert_eq!(m.board.devices.console.output(), b"!");
}

#[test]
fn stored_code_runs_at_once_behind_a_nested_table() {
    for engine in ENGINES {
        let addi = i(Op::Addi, 11, 11, 1);
        let mut m = paged_stage(&[s(Op::Sw, 10, 7, 4), n(Op::Fence), n(Op::Hcall)]);
        set(&mut m, 40, addi);
        set(&mut m, 4 * 7, 0x4000);
        run(&mut m, engine);
        assert_eq!(get(&m, 44), 1);
    }
}

// ---- Engines, and garbage --------------------------------------------------------------------------------------

/// What differs between two machines; `None` if they are the same.
fn difference(a: &Machine, b: &Machine) -> Option<&'static str> {
    let pace = |m: &Machine| {
        let p = &m.board.pace;
        (p.clock, p.skipped, p.halted, p.entering, p.returned, p.left)
    };
    let checks = [
        (visible(a) == visible(b), "what a program sees"),
        (pace(a) == pace(b), "pace"),
        (a.attempts == b.attempts, "attempts"),
        (a.histogram == b.histogram, "histogram"),
        (a.board.tlb.counts == b.board.tlb.counts, "TLB counts"),
    ];
    checks
        .into_iter()
        .find_map(|(same, what)| (!same).then_some(what))
}

/// A host that enters its guest again and again, with a handler that does so too, and a structure of which some words
/// are random: now and then the whole of it.
fn garbage(rng: &mut Rng) -> Machine {
    let generated = programs::generate(rng.next());
    let mut guest = Vec::new();
    for at in (generated.machine.hart.pc..0x3000).step_by(4) {
        guest.push(peek(&generated.machine, at));
    }
    let mut m = if rng.one_in(2) {
        paged_stage(&[])
    } else {
        stage(&[])
    };
    for base in [GUEST, real(4), real(9), GUEST_HANDLER, real(5)] {
        put(&mut m, base, &guest[..guest.len().min(900)]);
    }
    let again = [
        c(Op::Csrrs, 3, Csr::Instret, 0),
        i(Op::Addi, 1, 0, 0),
        word(Op::Lui, 1, 0, 0, STRUCTURE as i32),
        i(Op::Lw, 4, 1, G_PC as i32),
        i(Op::Addi, 4, 4, 4),
        s(Op::Sw, 4, 1, G_PC as i32),
        i(Op::Vmresume, 0, 1, 0),
        s(Op::Sw, 0, 1, STATE as i32),
        i(Op::Vmenter, 0, 1, 0),
        word(Op::Jal, 0, 0, 0, -36),
    ];
    put(&mut m, HOST, &again);
    put(&mut m, HANDLER, &again);
    let controls = [
        EXIT_OPS,
        EXIT_READS,
        EXIT_WRITES,
        EXIT_TRAPS,
        OPTIONS,
        TRAPS,
        COUNTDOWN,
        INJECT,
        INJECT_CAUSE,
        G_STATUS,
        ACTIVITY,
    ];
    for offset in controls {
        let possible = match offset {
            EXIT_OPS => 0x7f,
            EXIT_READS => 0x3_ffff,
            EXIT_WRITES => 0x1_1fff,
            EXIT_TRAPS => 0x0100_bfff,
            COUNTDOWN => 0x3f,
            G_STATUS => 0x3fc,
            INJECT => 1,
            INJECT_CAUSE => 0xf,
            _ => 3,
        };
        if rng.one_in(2) {
            set(&mut m, offset, rng.next() as u32 & possible & rng.next() as u32);
        }
    }
    if rng.one_in(4) {
        let status = get(&m, G_STATUS) | rng.below(4);
        set(&mut m, G_STATUS, status);
        set(&mut m, EXIT_TRAPS, 0x0100_bfff);
    }
    if rng.one_in(4) {
        // A transfer that has failed waits to be acknowledged.
        let command = toy_isa::devices::Register { device: 2, index: 3 };
        m.board.devices.write(command, 1, 0).expect("a command");
        m.board.devices.enabled = rng.pick(&[2, 3]);
        m.board.pace.clock = u64::from(rng.below(800));
        set(&mut m, OPTIONS, rng.below(4));
    }
    for _ in 0..rng.below(3) {
        let offset = 4 * rng.below(0x50);
        let value = match rng.below(3) {
            0 => rng.next() as u32,
            1 => 1 << rng.below(32),
            _ => rng.below(0x4_0000),
        };
        set(&mut m, offset, value);
    }
    if rng.one_in(16) {
        for offset in (0..0x120).step_by(4) {
            set(&mut m, offset, rng.next() as u32);
        }
        set(&mut m, REVISION, 1);
        set(&mut m, STATE, 0);
    }
    if rng.one_in(8) {
        set(&mut m, INJECT, 1);
        set(&mut m, INJECT_CAUSE, 0x8000_0007);
    }
    for page in 0..32 {
        if rng.one_in(40) {
            let entry = NESTED_SECOND + 4 * page;
            put(&mut m, entry, &[rng.next() as u32]);
        }
    }
    m
}

#[test]
fn garbage_in_root_operation_never_panics_and_the_engines_agree_on_it() {
    let times: u64 = std::env::var("TRAPEZE_FUZZ").map_or(1, |text| text.parse().expect("a number"));
    let mut reasons = std::collections::BTreeMap::<u32, u32>::new();
    let mut refused = std::collections::BTreeMap::<u32, u32>::new();
    for seed in 0..1_500 * times {
        let mut rng = Rng(seed);
        let mut a = garbage(&mut rng);
        let mut b = a.clone();
        let (mut reference, mut interpreter) = (Reference, Interpreter::default());
        while a.attempts < 1_500 {
            let fuel = u64::from(rng.below(200)) + 1;
            let exits = (reference.run(&mut a, fuel), interpreter.run(&mut b, fuel));
            assert_eq!(exits.0, exits.1, "seed {seed}, attempt {}", a.attempts);
            assert_eq!(difference(&a, &b), None, "seed {seed}, attempt {}", a.attempts);
            let error = peek(&a, STRUCTURE + ERROR);
            *refused.entry(error).or_default() += 1;
            match exits.0 {
                Exit::Left(trap) => {
                    *reasons.entry(trap.cause.code()).or_default() += 1;
                }
                Exit::PowerOff(_) | Exit::Deadlock | Exit::DoubleFault(_) => break,
                _ => {}
            }
        }
    }
    let never: Vec<u32> = Cause::ALL
        .into_iter()
        .map(Cause::code)
        .filter(|code| !reasons.contains_key(code))
        .collect();
    assert_eq!(never, [] as [u32; 0], "{reasons:?}");
    assert!(
        (0..=14).all(|number| refused.contains_key(&number)),
        "{refused:?}"
    );
}

#[test]
fn a_structure_anywhere_in_memory_with_anything_in_it_is_harmless() {
    let mut rng = Rng(1974);
    for _ in 0..20_000 {
        let mut m = stage(&[]);
        m.hart.x[1] = match rng.below(3) {
            0 => rng.next() as u32,
            1 => rng.below(0x40) * 4096,
            _ => STRUCTURE,
        };
        for _ in 0..rng.below(80) {
            let value = if rng.one_in(2) {
                rng.next() as u32
            } else {
                rng.below(4)
            };
            set(&mut m, 4 * rng.below(0x48), value);
        }
        Interpreter::default().run(&mut m, 40);
    }
    // The host's half is believed only at the exit: a guest that changes it cannot bring down more than the host.
    for offset in (0x80..0xb8).step_by(4) {
        let mut m = stage(&[s(Op::Sw, 10, 7, 0), n(Op::Hcall)]);
        set(&mut m, EXIT_TRAPS, 1 << 24);
        set(&mut m, 4 * 7, STRUCTURE + offset);
        set(&mut m, 40, u32::MAX);
        enter(&mut m);
        Interpreter::default().run(&mut m, 40);
        assert_eq!(m.hart.ring(), 0);
    }
}

#[test]
fn the_memory_of_a_structure_is_ordinary_memory() {
    let mut m = stage(&[]);
    assert_eq!(m.board.read(STRUCTURE + REVISION, Width::Word), Some(1));
    // What lies behind the processor's words is software's own: nothing touches it.
    for offset in (0x118..0x1000).step_by(4) {
        set(&mut m, offset, offset);
    }
    put(&mut m, GUEST, &[n(Op::Hcall)]);
    set(&mut m, EXIT_TRAPS, 1 << 24);
    run(&mut m, EngineName::Reference);
    assert!((0x118..0x1000).step_by(4).all(|offset| get(&m, offset) == offset));
}
