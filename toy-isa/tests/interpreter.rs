//! What the interpreter does in bursts: hot loops of what compiled code consists of, in which a handler executes
//! several instructions, must come to the same as on the reference, wherever they are interrupted.
//!
//! `TRAPEZE_FUZZ=N` multiplies the number of programs.

mod common;
#[path = "common/engines.rs"]
mod engines;

use common::comparison::difference;
use common::*;
use toy_isa::bus::Bus;
use toy_isa::engine::{Engine, Exit, Interpreter, Reference};
use toy_isa::hart::Status;
use toy_isa::machine::{Ledger, Machine};
use toy_isa::mmu::{PAGE, pte};
use toy_isa::profile::{Profile, ProfileName};
use toy_isa::table::{Csr, Op};

/// Where the page tables of these tests are.
const ROOT: u32 = 0x4000;
const SECOND: u32 = 0x5000;
/// Another address of [`CODE`], where the tables map it.
const ALIAS: u32 = 0x1_1000;
const ALL: u32 = pte::V | pte::R | pte::W | pte::X | pte::U;

/// What lies between a program's addresses and memory.
#[derive(Clone, Copy, Debug)]
enum Setting {
    /// Nothing.
    Plain,
    /// A limit, in ring 3.
    Limited,
    /// Relocation, in ring 3.
    Relocated,
    /// A page table, in ring 0 and with a TLB of this size.
    Paged(usize),
    /// A page table and relocation, in ring 3, with a limit in the midst of a page.
    PagedAndLimited,
    /// A page table, in ring 3, and somebody who watches the frames.
    Watched,
}

const SETTINGS: [Setting; 8] = [
    Setting::Plain,
    Setting::Limited,
    Setting::Relocated,
    Setting::Paged(1),
    Setting::Paged(4),
    Setting::Paged(64),
    Setting::PagedAndLimited,
    Setting::Watched,
];

/// A machine in this setting, about to execute `words` at [`CODE`]; its handler goes on after what trapped.
fn hot(setting: Setting, words: &[u32]) -> Machine {
    let tlb = if let Setting::Paged(entries) = setting {
        entries
    } else {
        64
    };
    let mut m = build(Profile::new(ProfileName::Classic), MEMORY, tlb);
    let base = if matches!(setting, Setting::Relocated | Setting::PagedAndLimited) {
        PAGE
    } else {
        0
    };
    put(&mut m, CODE + base, words);
    put(
        &mut m,
        HANDLER,
        &[
            c(Op::Csrrs, 15, Csr::Epc, 0),
            i(Op::Addi, 15, 15, 4),
            c(Op::Csrrw, 0, Csr::Epc, 15),
            n(Op::Mret),
        ],
    );
    put(&mut m, ROOT, &[pte::entry(SECOND, pte::V)]);
    for page in 0..16 {
        put(&mut m, SECOND + 4 * page, &[pte::entry(page * PAGE, ALL)]);
    }
    put(&mut m, SECOND + 4 * (ALIAS / PAGE), &[pte::entry(CODE, ALL)]);
    m.hart.pc = CODE;
    m.hart.csr.tvec = HANDLER;
    let csr = &mut m.hart.csr;
    match setting {
        Setting::Plain => {}
        Setting::Limited => (csr.status, csr.bound) = (Status(3), DATA + 0x7fe),
        Setting::Relocated => (csr.status, csr.base, csr.bound) = (Status(3 | Status::RE), base, 0x8000),
        Setting::Paged(_) => csr.ptbr = ROOT | 1,
        Setting::PagedAndLimited => {
            csr.ptbr = ROOT | 1;
            (csr.status, csr.base, csr.bound) = (Status(3 | Status::RE), base, DATA + 0x7fe);
        }
        Setting::Watched => {
            (csr.status, csr.ptbr) = (Status(3), ROOT | 1);
            m.board.observer.ledger = Some(Ledger {
                owners: vec![0; 16],
                ..Ledger::default()
            });
        }
    }
    m.board.attend();
    m
}

/// Runs both engines in the same slices and compares them after each.
fn lockstep(start: &Machine, attempts: u64, mut slice: impl FnMut() -> u64, what: &str) {
    let (mut a, mut b) = (start.clone(), start.clone());
    let (mut reference, mut interpreter) = (Reference, Interpreter::default());
    while a.attempts < attempts {
        let fuel = slice();
        let exits = (reference.run(&mut a, fuel), interpreter.run(&mut b, fuel));
        assert_eq!(exits.0, exits.1, "{what}, attempt {}", a.attempts);
        assert_eq!(
            difference(&a, &b, true),
            None,
            "{what}, attempt {}: {:x?}",
            a.attempts,
            b.hart
        );
        assert_eq!(
            a.board.observer.intrusions, b.board.observer.intrusions,
            "{what}, attempt {}",
            a.attempts
        );
    }
}

/// A loop of what compiled code consists of, with a call in it; x8 to x11 point to data, code and a limit.
fn body(rng: &mut Rng) -> Vec<u32> {
    let mut words = Vec::new();
    words.extend(
        [
            li(8, DATA + 0x400),
            li(9, DATA + 0x7f0),
            li(10, CODE + 0x800),
            li(11, ALIAS + 0x40),
        ]
        .concat(),
    );
    let top = words.len() as i32;
    for _ in 0..rng.below(40) + 2 {
        let (rd, rs1, rs2) = (rng.below(8) as u8, rng.below(9) as u8, rng.below(12) as u8);
        let pointer = rng.pick(&[8, 8, 8, 9, 10, 10, 11]);
        let offset = if rng.one_in(12) {
            rng.below(48) as i32
        } else {
            4 * rng.below(8) as i32
        };
        words.push(match rng.below(12) {
            0 | 1 => i(
                rng.pick(&[Op::Addi, Op::Andi, Op::Xori]),
                rd,
                rs1,
                rng.below(4096) as i32 - 2048,
            ),
            2 | 3 => i(
                rng.pick(&[Op::Slli, Op::Srli, Op::Srai]),
                rd,
                rs1,
                rng.below(32) as i32,
            ),
            4 | 5 => r(
                rng.pick(&[Op::Add, Op::Sub, Op::Xor, Op::And, Op::Or, Op::Mul]),
                rd,
                rs1,
                rs2,
            ),
            6 | 7 => i(rng.pick(&[Op::Lw, Op::Lw, Op::Lbu, Op::Lh]), rd, pointer, offset),
            8 | 9 => s(rng.pick(&[Op::Sw, Op::Sw, Op::Sb, Op::Sh]), rs2, pointer, offset),
            10 => b(rng.pick(&[Op::Beq, Op::Bne, Op::Blt, Op::Bgeu]), rs1, rs2, 8),
            _ => rng.pick(&[
                n(Op::FenceI),
                c(Op::Csrrs, rd, Csr::Instret, 0),
                word(Op::Lui, rd, 0, 0, 0x7000),
            ]),
        });
    }
    let here = words.len() as i32;
    // A call of the next instruction but two, and back.
    words.push(word(Op::Jal, 1, 0, 0, 12));
    words.push(i(Op::Addi, 12, 12, 1));
    words.push(word(Op::Jal, 0, 0, 0, 4 * (top - here - 2)));
    words.push(i(Op::Addi, 13, 13, 3));
    words.push(i(Op::Jalr, 0, 1, 0));
    words
}

fn times() -> u64 {
    std::env::var("TRAPEZE_FUZZ").map_or(1, |text| text.parse().expect("TRAPEZE_FUZZ is a number"))
}

#[test]
fn hot_loops_do_what_they_do_on_the_reference() {
    for seed in 0..150 * times() {
        let mut rng = Rng(seed);
        let words = body(&mut rng);
        for setting in SETTINGS {
            let start = hot(setting, &words);
            let longest = rng.pick(&[7, 100, 3000]);
            let what = format!("seed {seed}, {setting:?}");
            lockstep(&start, 3000, || u64::from(rng.below(longest)) + 1, &what);
        }
    }
}

/// Code full of branches, forwards and backwards, between instructions on a few registers: loops in loops, into whose
/// midst others jump. What one handler passes on to the next differs by the way that it is reached.
fn tangle(rng: &mut Rng) -> Vec<u32> {
    let mut words = [
        li(8, DATA),
        li(1, rng.below(100)),
        li(2, rng.below(100)),
        li(3, 1),
    ]
    .concat();
    let top = words.len() as i32;
    let length = rng.below(25) as i32 + 4;
    let end = top + length;
    for at in top..end {
        let mut any = || rng.below(3) as u8 + 1;
        let (rd, rs1, rs2) = (any(), any(), any());
        let target = top + rng.below(length as u32) as i32;
        words.push(match rng.below(10) {
            0 | 1 => i(rng.pick(&[Op::Addi, Op::Xori]), rd, rs1, rng.below(16) as i32 - 4),
            2 => i(rng.pick(&[Op::Slli, Op::Srli]), rd, rs1, 1),
            3 | 4 => r(
                rng.pick(&[Op::Add, Op::Sub, Op::Xor, Op::And, Op::Mul]),
                rd,
                rs1,
                rs2,
            ),
            5 => i(Op::Lw, rd, 8, 4 * rng.below(4) as i32),
            6 => s(Op::Sw, rs1, 8, 4 * rng.below(4) as i32),
            7 => word(Op::Jal, rng.pick(&[0, 0, rd]), 0, 0, 4 * (target - at)),
            _ => b(
                rng.pick(&[Op::Beq, Op::Bne, Op::Blt, Op::Bgeu]),
                rs1,
                rs2,
                4 * (target - at),
            ),
        });
    }
    words.push(word(Op::Jal, 0, 0, 0, 4 * (top - end)));
    words
}

#[test]
fn results_are_passed_on_only_where_they_are_those_of_the_registers() {
    for seed in 0..1500 * times() {
        let mut rng = Rng(seed);
        let words = tangle(&mut rng);
        let setting = rng.pick(&[Setting::Plain, Setting::Paged(64)]);
        let start = hot(setting, &words);
        lockstep(
            &start,
            400,
            || u64::from(rng.below(150)) + 1,
            &format!("seed {seed}, {setting:?}"),
        );
    }
}

/// The loop is entered with x3 as the last result, and as the one before that: an older value of it. The jump back
/// leaves x3 as the one before the last.
#[test]
fn of_two_results_in_one_register_only_the_last_is_passed_on() {
    let words = [
        word(Op::Lui, 3, 0, 0, 0x5000),
        word(Op::Lui, 3, 0, 0, 0x1000),
        i(Op::Addi, 3, 3, 2),
        i(Op::Addi, 4, 4, 1),
        b(Op::Bne, 4, 0, -8),
    ];
    let start = hot(Setting::Plain, &words);
    lockstep(&start, 60, || 60, "one run");
}

#[test]
fn a_loop_that_changes_its_page_table_sees_the_change_at_once() {
    const PAGE_OF_DATA: u32 = SECOND + 4 * (DATA / PAGE);
    for tlb in [1, 4, 64] {
        for (change, fence) in [
            (pte::entry(0x6000, ALL), false),
            (pte::entry(0x6000, ALL), true),
            (0, false),
        ] {
            // x4 counts down; at 40 the page of data becomes another one, or none.
            let words = [
                &li(8, DATA)[..],
                &li(7, change),
                &li(9, PAGE_OF_DATA),
                &[
                    i(Op::Addi, 4, 0, 80),
                    i(Op::Addi, 5, 0, 40),
                    i(Op::Lw, 2, 8, 0),
                    i(Op::Addi, 2, 2, 1),
                    s(Op::Sw, 2, 8, 0),
                    i(Op::Addi, 4, 4, -1),
                    b(Op::Bne, 4, 5, -16),
                    s(Op::Sw, 7, 9, 0),
                    if fence { n(Op::SfenceVma) } else { n(Op::Fence) },
                    i(Op::Addi, 5, 0, 0),
                    b(Op::Bne, 4, 0, -32),
                ],
            ]
            .concat();
            let start = hot(Setting::Paged(tlb), &words);
            let what = format!("{change:#x}, fence {fence}, TLB of {tlb}");
            lockstep(&start, 600, || 10_000, &what);
            let mut m = start.clone();
            Interpreter::default().run(&mut m, 300);
            let read = |address| m.board.ram.read(address, toy_isa::bus::Width::Word);
            assert_eq!(read(DATA), Some(40), "{what}");
            assert_eq!(read(0x6000) == Some(0), change == 0, "{what}");
        }
    }
}

/// A loop whose handlers execute several instructions each, and which nothing interrupts.
fn quiet() -> Vec<u32> {
    [
        &li(8, DATA)[..],
        &[
            i(Op::Lw, 2, 8, 0),
            i(Op::Lw, 3, 8, 4),
            i(Op::Addi, 2, 2, 1),
            i(Op::Addi, 3, 3, 7),
            s(Op::Sw, 2, 8, 0),
            s(Op::Sw, 3, 8, 4),
            i(Op::Addi, 4, 4, 1),
            b(Op::Bne, 4, 0, -28),
        ],
    ]
    .concat()
}

#[test]
fn a_budget_ends_on_the_exact_instruction() {
    let start = hot(Setting::Plain, &quiet());
    // Within the first turns of the loop, and where a burst ends.
    for fuel in (1..60).chain(8170..8210).chain([20_000, 100_003]) {
        let (mut a, mut b) = (start.clone(), start.clone());
        let exits = (
            Reference.run(&mut a, fuel),
            Interpreter::default().run(&mut b, fuel),
        );
        assert_eq!(exits, (Exit::Fuel, Exit::Fuel));
        assert_eq!((b.attempts, b.histogram.iter().sum::<u64>()), (fuel, fuel));
        assert_eq!(difference(&a, &b, true), None, "after {fuel}");
    }
}

#[test]
fn an_interrupt_comes_in_the_middle_of_a_hot_loop() {
    for at in (1..40).chain(8180..8200).chain([30_001]) {
        let mut m = hot(Setting::Plain, &quiet());
        m.hart.csr.status = Status(Status::IE);
        m.board.devices.enabled = 1;
        m.board.devices.timer.set(at, 0);
        let mut other = m.clone();
        let exit = Interpreter::default().run(&mut m, 100_000);
        assert!(
            matches!(exit, Exit::Trap(trap) if trap.cause.is_interrupt()),
            "{exit:?}"
        );
        assert_eq!(
            (m.board.pace.clock, m.attempts),
            (u64::from(at), u64::from(at) + 1)
        );
        assert_eq!(Reference.run(&mut other, 100_000), exit);
        assert_eq!(difference(&m, &other, true), None, "at {at}");
    }
}

#[test]
fn a_fault_in_a_hot_loop_leaves_exactly_what_was_before_it() {
    // The pointer runs out of memory, and is misaligned from the beginning by so much.
    for (step, skew) in [(4, 0), (4, 1), (4, 2), (-4, 0), (2, 0)] {
        for op in [Op::Lw, Op::Sw, Op::Lh, Op::Sb] {
            let access = if matches!(op, Op::Sw | Op::Sb) {
                s(op, 2, 8, 0)
            } else {
                i(op, 2, 8, 0)
            };
            let words = [
                &li(8, MEMORY - 0x400 + skew)[..],
                &[
                    i(Op::Addi, 3, 3, 1),
                    access,
                    i(Op::Addi, 8, 8, step),
                    r(Op::Add, 4, 4, 3),
                    b(Op::Bne, 3, 0, -16),
                ],
            ]
            .concat();
            for setting in SETTINGS {
                let start = hot(setting, &words);
                lockstep(
                    &start,
                    2500,
                    || 1_000_000,
                    &format!("{op:?} by {step} from {skew}, {setting:?}"),
                );
            }
        }
    }
}

/// A loop that replaces an instruction of its own while it runs, `behind` instructions after the store: an addition
/// of 1 by one of 16, when x4 is 0.
fn patching(behind: usize, code: u32, fence: bool) -> Vec<u32> {
    let mut words = [&li(7, i(Op::Addi, 10, 10, 16))[..], &li(4, 500), &li(8, code)].concat();
    let top = words.len() as i32;
    words.push(i(Op::Addi, 4, 4, -1));
    words.push(b(Op::Bne, 4, 0, 8));
    let store = words.len();
    words.push(0);
    words.push(if fence {
        n(Op::FenceI)
    } else {
        i(Op::Addi, 5, 5, 1)
    });
    words.extend(vec![i(Op::Addi, 6, 6, 1); behind]);
    let patched = words.len() as i32;
    words[store] = s(Op::Sw, 7, 8, 4 * patched);
    words.push(i(Op::Addi, 10, 10, 1));
    let end = words.len() as i32;
    words.push(word(Op::Jal, 0, 0, 0, 4 * (top - end)));
    words
}

#[test]
fn a_store_into_the_running_loop_takes_effect_at_once() {
    for behind in 0..6 {
        for (code, fence) in [(CODE, false), (CODE, true), (ALIAS, false), (ALIAS, true)] {
            for setting in [Setting::Plain, Setting::Paged(1), Setting::Paged(64)] {
                if code == ALIAS && matches!(setting, Setting::Plain) {
                    continue;
                }
                let start = hot(setting, &patching(behind, code, fence));
                let mut m = start.clone();
                let turn = 5 + behind as u64;
                Interpreter::default().run(&mut m, 6 + 510 * turn);
                assert!(
                    m.hart.x[10] > 499 + 16,
                    "behind {behind}, {setting:?}: {}",
                    m.hart.x[10]
                );
                lockstep(
                    &start,
                    520 * turn,
                    || 100_000,
                    &format!("behind {behind}, {setting:?}"),
                );
            }
        }
    }
}

#[test]
fn the_disk_replaces_the_running_loop() {
    let mut words = quiet();
    words.resize(128, n(Op::Fence));
    let mut m = hot(Setting::Plain, &words);
    // The same loop, but it adds 3.
    words[8] = i(Op::Addi, 4, 4, 3);
    for (i, word) in words.iter().enumerate() {
        m.board.devices.disk.data_mut()[4 * i..4 * i + 4].copy_from_slice(&word.to_le_bytes());
    }
    for (register, value) in [CODE, 1, 1].into_iter().enumerate() {
        let register = toy_isa::devices::Register::from_port(0x21 + register as u32);
        m.board
            .devices
            .write(register, value, 0)
            .expect("the disk has these registers");
    }
    m.board.attend();
    let due = m.board.devices.disk.due().expect("a transfer is under way");
    lockstep(&m, due + 1000, || due + 1000, "transfer");
    let mut engine = Interpreter::default();
    engine.run(&mut m, due + 1000);
    let turns = (due - 2) / 8 + 1000 / 8 * 3;
    assert!(
        u64::from(m.hart.x[4]).abs_diff(turns) <= 6,
        "{} after {due}",
        m.hart.x[4]
    );
}
