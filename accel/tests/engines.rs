//! The x86-64 engine does exactly what the reference does: generated programs in slices, random words as code, and what
//! an engine that keeps code and translations could get wrong.
//!
//! `TRAPEZE_FUZZ=N` multiplies the number of programs.

#[path = "../../toy-isa/tests/common/mod.rs"]
mod common;
#[path = "../../toy-isa/tests/common/engines.rs"]
mod engines;

use accel::{Kvm, Purpose, X86_64};
use common::comparison::{compare, difference, is_end, seeds, sliced};
use common::programs::generate;
use common::*;
use proptest::prelude::*;
use toy_isa::bus::Bus;
use toy_isa::engine::{Engine, Reference};
use toy_isa::instruction::{Registers, decode};
use toy_isa::machine::{Machine, Tally};
use toy_isa::mmu::{PAGE, pte};
use toy_isa::profile::ProfileName;
use toy_isa::table::{Csr, OPS, Op};

/// One that translates everything at once, one that waits a little, as users' engines do, and one in a virtual
/// machine, which takes long to make: where there are many machines to be run, once in [`SELDOM`] numbers. As far as
/// this host has them.
fn engines(number: u64) -> Vec<Box<dyn Engine>> {
    let mut engines: Vec<Box<dyn Engine>> = Vec::new();
    for patience in [0, 2] {
        match X86_64::with_patience(patience) {
            Ok(engine) => engines.push(Box::new(engine)),
            Err(missing) => accel::skipped("engines: x86-64", &missing),
        }
    }
    if number.is_multiple_of(SELDOM) {
        match Kvm::new() {
            Ok(engine) => engines.push(Box::new(engine)),
            Err(missing) => accel::skipped("engines: kvm", &missing),
        }
    }
    engines
}

/// A prime, so that all kinds are among them.
const SELDOM: u64 = 61;

#[test]
fn generated_programs_do_what_they_do_on_the_reference() {
    for seed in seeds(2) {
        for mut engine in engines(seed) {
            let counts_tlb = engine.counts_tlb();
            if let Some(report) = compare(seed, &mut Reference, &mut *engine, counts_tlb, |_, _| {}) {
                panic!("{report}");
            }
        }
    }
}

#[test]
fn a_run_is_the_sum_of_its_slices() {
    for seed in seeds(12) {
        let generated = generate(seed);
        let mut rng = Rng(seed);
        for mut engine in engines(seed) {
            let (mut whole, mut machine) = (generated.machine.clone(), generated.machine.clone());
            while whole.attempts < generated.fuel {
                let fuel = generated.fuel - whole.attempts;
                let exit = Reference.run(&mut whole, fuel);
                let longest = [1, 7, 40, 4000][seed as usize % 4];
                let same = sliced(&mut *engine, &mut machine, fuel, longest, &mut rng) == exit;
                assert!(same, "seed {seed}");
                assert_eq!(
                    difference(&machine, &whole, engine.counts_tlb()),
                    None,
                    "seed {seed}"
                );
                if is_end(exit) {
                    break;
                }
            }
        }
    }
}

/// How many times as many cases as usual.
fn fuzz() -> u32 {
    let asked = std::env::var("TRAPEZE_FUZZ").ok();
    asked.and_then(|times| times.parse().ok()).unwrap_or(1)
}

/// Runs both for `fuel` attempts in slices, and compares.
fn same(engine: &mut dyn Engine, start: &Machine, fuel: u64, slice: u64) -> Machine {
    let (mut left, mut right) = (start.clone(), start.clone());
    while left.attempts < fuel {
        let exits = (Reference.run(&mut left, slice), engine.run(&mut right, slice));
        assert_eq!(exits.0, exits.1, "at {:#x}, {:#x}", left.hart.pc, right.hart.pc);
        assert_eq!(
            difference(&left, &right, engine.counts_tlb()),
            None,
            "{:x?}\n{:x?}",
            left.hart,
            right.hart
        );
        if is_end(exits.0) {
            break;
        }
    }
    left
}

/// On every engine, in long slices and short ones.
fn same_everywhere(start: &Machine, fuel: u64) -> Machine {
    let mut end = start.clone();
    for slice in [u64::MAX >> 1, 5, 1] {
        for mut engine in engines(0) {
            end = same(&mut *engine, start, fuel, slice.min(fuel));
        }
    }
    end
}

/// Values that instructions are likely to get wrong.
fn value() -> impl Strategy<Value = u32> {
    prop_oneof![
        3 => prop_oneof![
            Just(0), Just(1), Just(u32::MAX), Just(i32::MIN as u32), Just(i32::MAX as u32),
            Just(MEMORY), Just(MEMORY - 4), Just(MEMORY - 1), Just(0xf000_0000), Just(0xffff_fffc),
        ],
        2 => 0..MEMORY,
        1 => any::<u32>(),
    ]
}

/// A word that is an instruction more often than not.
fn code_word() -> impl Strategy<Value = u32> {
    let row = (0..OPS.len(), any::<u32>()).prop_map(|(row, word)| {
        let row = &OPS[row];
        // Register numbers below 16.
        row.bits | word & !row.mask & !0x0108_0800
    });
    prop_oneof![15 => row, 1 => any::<u32>()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn random_words_do_what_they_do_on_the_reference(
        words in proptest::collection::vec(code_word(), 1..60),
        registers in proptest::array::uniform16(value()),
        ring in 0..4_u32,
        bound in prop_oneof![Just(u32::MAX), Just(MEMORY), value()],
        slice in prop_oneof![Just(400_u64), 1..50_u64],
    ) {
        let mut m = machine(ProfileName::Leaky);
        program(&mut m, &words);
        m.hart.x[1..16].copy_from_slice(&registers[1..]);
        m.hart.csr.status.0 = ring;
        m.hart.csr.bound = bound;
        for mut engine in engines(u64::from(registers[15])) {
            same(&mut *engine, &m, 400, slice);
        }
    }

    /// Each operation on each pair of values, to each register, in and out of host registers.
    #[test]
    fn arithmetic_is_the_reference_s(
        op in 0..OPS.len(), rd in 0..16_u8, rs1 in 0..16_u8, rs2 in 0..16_u8, imm in any::<i32>(),
        registers in proptest::array::uniform16(value()),
    ) {
        let mut m = machine(ProfileName::Classic);
        program(&mut m, &[word(OPS[op].op, rd, rs1, rs2, imm), n(Op::Fence), n(Op::Ecall)]);
        m.hart.x[1..16].copy_from_slice(&registers[1..]);
        for mut engine in engines(u64::from(registers[15])) {
            same(&mut *engine, &m, 6, 6);
        }
    }
}

/// A load from a table, of which some addresses are plain memory.
fn table_load() -> impl Strategy<Value = Vec<u32>> {
    let register = || prop_oneof![1 => Just(0_u8), 20 => 3..9_u8, 2 => Just(1)];
    (
        (register(), register(), register(), register(), register()),
        0..4_i32,
        any::<bool>(),
        (-1..3_i32).prop_map(|imm| 4 * imm),
    )
        .prop_map(|((scaled, index, base, sum, value), scale, swapped, imm)| {
            let (a, b) = if swapped { (base, scaled) } else { (scaled, base) };
            vec![
                i(Op::Andi, index, 9, 0x1fc),
                i(Op::Slli, scaled, index, scale),
                r(Op::Add, sum, a, b),
                i(Op::Lw, value, sum, imm),
                i(Op::Lw, 5, sum, imm + 4),
            ]
        })
}

/// An instruction of a loop's body: accesses near each other, relative to registers that move a little, and branches
/// that skip some of the rest.
fn body_word() -> impl Strategy<Value = u32> {
    let base = || prop_oneof![Just(8_u8), Just(11), Just(3)];
    let near = || prop_oneof![4 => (-4..8_i32).prop_map(|i| 4 * i), 1 => -9..9_i32, 1 => Just(2047)];
    let moved = prop_oneof![Just(4_i32), Just(-8), Just(64), Just(1), Just(2000), Just(0)];
    prop_oneof![
        3 => (prop_oneof![4 => Just(Op::Lw), 1 => Just(Op::Lbu), 1 => Just(Op::Lh)], 4..8_u8, base(), near())
            .prop_map(|(op, rd, base, imm)| word(op, rd, base, 0, imm)),
        3 => (prop_oneof![4 => Just(Op::Sw), 1 => Just(Op::Sb), 1 => Just(Op::Sh)], 4..8_u8, base(), near())
            .prop_map(|(op, rs2, base, imm)| word(op, 0, base, rs2, imm)),
        2 => (base(), base(), moved).prop_map(|(rd, rs, imm)| i(Op::Addi, rd, rs, imm)),
        2 => (prop_oneof![Just(Op::Beq), Just(Op::Bltu), Just(Op::Bge)], 4..10_u8, 4..10_u8, 1..5_i32)
            .prop_map(|(op, a, b, skipped)| word(op, 0, a, b, 4 * (skipped + 1))),
        2 => (3..12_u8, 3..12_u8, 3..12_u8).prop_map(|(rd, a, b)| r(Op::Add, rd, a, b)),
        1 => (3..9_u8, 3..10_u8, 0..5_i32).prop_map(|(rd, rs, by)| i(Op::Slli, rd, rs, by)),
        1 => (4..8_u8).prop_map(|rd| i(Op::Andi, rd, 9, 3)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(800 * fuzz()))]

    /// Loops are repeated, branches within them become short, and accesses are checked together: with and without
    /// translation, near the borders of pages, of memory and of all addresses.
    #[test]
    fn loops_do_what_they_do_on_the_reference(
        body in proptest::collection::vec(
            prop_oneof![5 => body_word().prop_map(|word| vec![word]), 1 => table_load()],
            1..20,
        ),
        turns in 1..60_i32,
        registers in proptest::array::uniform16(
            prop_oneof![3 => value(), 2 => (2..14_u32).prop_map(|page| page * PAGE - 16)],
        ),
        paging in any::<bool>(),
        absent in 0..16_u32,
        readable in 0..16_u32,
        slice in prop_oneof![Just(900_u64), 1..90_u64],
    ) {
        let mut m = machine(ProfileName::Classic);
        looped(&mut m, &body.concat(), turns);
        if paging {
            let (root, table) = (0x4000, 0x5000);
            put(&mut m, root, &[pte::entry(table, pte::V)]);
            // Pages in reverse order but for those of the program, the handler and the tables.
            let entry = |page: u32| match page {
                0..=5 => pte::entry(page << 12, pte::V | pte::R | pte::W | pte::X),
                _ if page == absent => 0,
                _ if page == readable => pte::entry((21 - page) << 12, pte::V | pte::R),
                _ => pte::entry((21 - page) << 12, pte::V | pte::R | pte::W),
            };
            let entries: Vec<u32> = (0..16).map(entry).collect();
            put(&mut m, table, &entries);
            m.hart.csr.ptbr = root | 1;
        }
        m.hart.x[3..16].copy_from_slice(&registers[3..16]);
        for mut engine in engines(u64::from(registers[15])) {
            same(&mut *engine, &m, 900, slice);
        }
    }
}

/// A loop of `body`, `count` times; x9 counts. The handler does nothing for ever.
fn looped(m: &mut Machine, body: &[u32], count: i32) {
    put(m, HANDLER, &[word(Op::Jal, 0, 0, 0, 0)]);
    let mut words = vec![i(Op::Addi, 9, 0, count)];
    words.extend(body);
    words.push(i(Op::Addi, 9, 9, -1));
    words.push(b(Op::Bne, 9, 0, -4 * (body.len() as i32 + 1)));
    words.push(n(Op::Ecall));
    program(m, &words);
}

#[test]
fn a_program_may_change_the_code_that_it_executes() {
    let mut m = machine(ProfileName::Classic);
    // Each turn adds another constant: the instruction at the end of the body is counted up by its own loop.
    let step = i(Op::Addi, 10, 10, 1);
    let [high, low] = li(7, step);
    let body = [
        word(Op::Auipc, 8, 0, 0, 0),
        i(Op::Lw, 6, 8, 24),
        high,
        r(Op::Add, 6, 6, 5),
        s(Op::Sw, 6, 8, 24),
        low,
        step,
    ];
    looped(&mut m, &body, 50);
    m.hart.x[5] = 1 << 20;
    let end = same_everywhere(&m, 1000);
    assert_eq!(
        end.hart.x[10],
        (2..52).sum::<u32>(),
        "each turn ran what was stored"
    );
}

#[test]
fn code_changes_by_another_address_of_it_and_by_the_disk() {
    // Page 8 is mapped at its own address, for execution, and at 0x9000, for stores.
    for fence in [Op::FenceI, Op::Fence] {
        let mut m = machine(ProfileName::Classic);
        let code = 0x8000;
        let body = [
            i(Op::Lw, 6, 8, 0x10),
            r(Op::Add, 6, 6, 5),
            s(Op::Sw, 6, 8, 0x10),
            n(fence),
            i(Op::Addi, 10, 10, 1),
        ];
        looped(&mut m, &body, 40);
        let words: Vec<u32> = (0..body.len() as u32 + 4)
            .map(|i| peek(&m, CODE + 4 * i))
            .collect();
        put(&mut m, code, &words);
        let (root, table) = (0x4000, 0x5000);
        put(&mut m, root, &[pte::entry(table, pte::V)]);
        let all = pte::V | pte::R | pte::W | pte::X;
        put(&mut m, table, &[pte::entry(0, all)]);
        put(
            &mut m,
            table + 4 * 8,
            &[pte::entry(code, all), pte::entry(code, all)],
        );
        m.hart.csr.ptbr = root | 1;
        m.hart.pc = code;
        m.hart.x[8] = 0x9004;
        m.hart.x[5] = 1 << 20;
        let end = same_everywhere(&m, 1000);
        assert_eq!(end.hart.x[10], (2..42).sum::<u32>());
    }
    // The disk brings the instruction in while a loop waits for it.
    let mut m = machine(ProfileName::Classic);
    let body = [n(Op::Fence), i(Op::Addi, 10, 10, 1)];
    looped(&mut m, &body, 2000);
    m.board.devices = toy_isa::devices::Devices::new(vec![0; 512], Vec::new());
    let rest = (1..4).map(|word| peek(&m, CODE + 8 + 4 * word));
    let sector: Vec<u32> = std::iter::once(i(Op::Addi, 10, 10, 2)).chain(rest).collect();
    for (word, bytes) in sector
        .iter()
        .zip(m.board.devices.disk.data_mut().chunks_exact_mut(4))
    {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    for (register, value) in [(0, 0), (1, CODE + 8), (2, 1), (3, 1)] {
        let device = toy_isa::devices::Register {
            device: 2,
            index: register,
        };
        m.board.devices.write(device, value, 0);
    }
    m.board.pace.attention = 0;
    let end = same_everywhere(&m, 9000);
    assert!(
        end.board.devices.disk.done() && end.hart.x[10] > 2000,
        "{:?}",
        end.hart.x
    );
}

#[test]
fn addresses_at_every_edge_fault_as_on_the_reference() {
    let edges = [
        0,
        4,
        MEMORY,
        MEMORY + PAGE,
        0x7fff_fffc,
        0x8000_0000,
        0xf000_0000,
        0xffff_f000,
        u32::MAX,
    ];
    let accesses = [Op::Lb, Op::Lbu, Op::Lh, Op::Lhu, Op::Lw, Op::Sb, Op::Sh, Op::Sw];
    let mut number = 0;
    for edge in edges {
        for op in accesses {
            for imm in [-2048, -4, -2, -1, 0, 1, 2, 3, 4, 2047] {
                for back in 0..5 {
                    let mut m = machine(ProfileName::Classic);
                    // Something has happened before the fault, and something would after.
                    let access = word(op, 11, 8, 11, imm);
                    program(&mut m, &[i(Op::Addi, 10, 10, 1), access, i(Op::Addi, 10, 10, 1)]);
                    m.hart.x[8] = edge.wrapping_sub(back);
                    m.hart.x[11] = 0x1234_5678;
                    m.hart.csr.status.0 = 3;
                    m.hart.csr.bound = if back % 2 == 0 { MEMORY } else { MEMORY - 6 };
                    number += 1;
                    for mut engine in engines(number) {
                        same(&mut *engine, &m, 4, 4);
                    }
                }
            }
        }
    }
}

#[test]
fn an_interrupt_comes_before_the_same_instruction_wherever_it_is() {
    for at in 1..60 {
        let mut m = machine(ProfileName::Classic);
        looped(
            &mut m,
            &[i(Op::Addi, 10, 10, 3), s(Op::Sw, 10, 2, 0), i(Op::Lw, 4, 2, 0)],
            30,
        );
        m.hart.x[2] = DATA;
        m.hart.csr.status.0 = 1 << 4;
        m.board.devices.enabled = 1;
        m.board.devices.timer.set(at, 0);
        m.board.attend();
        let end = same_everywhere(&m, 200);
        assert_eq!(end.hart.csr.cause & 0x8000_0000, 0x8000_0000);
    }
}

#[test]
fn a_page_that_loses_its_permission_loses_it_at_once() {
    let mut m = machine(ProfileName::Classic);
    let (root, table) = (0x4000, 0x5000);
    put(&mut m, root, &[pte::entry(table, pte::V)]);
    let all = pte::V | pte::R | pte::W | pte::X;
    let entries: Vec<u32> = (0..16).map(|page| pte::entry(page << 12, all)).collect();
    put(&mut m, table, &entries);
    m.hart.csr.ptbr = root | 1;
    // Stores to page 9 and, in the last turn but ten, takes W from its entry; before, it maps it elsewhere.
    let body = [
        s(Op::Sw, 9, 8, 0),
        i(Op::Lw, 4, 8, 0),
        r(Op::Add, 10, 10, 4),
        r(Op::Sub, 6, 9, 12),
        b(Op::Bne, 6, 0, 8),
        s(Op::Sw, 13, 11, 0),
        i(Op::Addi, 6, 9, -10),
        b(Op::Bne, 6, 0, 8),
        s(Op::Sw, 14, 11, 0),
        n(Op::Fence),
    ];
    looped(&mut m, &body, 40);
    m.hart.x[8] = 0x9000;
    m.hart.x[11] = table + 4 * 9;
    m.hart.x[12] = 25;
    m.hart.x[13] = pte::entry(0xa000, all);
    m.hart.x[14] = pte::entry(0xa000, pte::V | pte::R);
    let end = same_everywhere(&m, 1000);
    assert_eq!(end.hart.csr.cause, 15, "the store of the next turn faults");
    assert_eq!((peek(&end, 0x9000), peek(&end, 0xa000)), (25, 10));
}

#[test]
fn an_engine_may_be_given_another_machine() {
    for mut engine in engines(0) {
        for memory in [1, 2] {
            let mut m = machine(ProfileName::Classic);
            looped(&mut m, &[s(Op::Sw, 9, 8, 0)], 100);
            m.hart.x[8] = DATA * memory;
            same(&mut *engine, &m, 400, 400);
        }
    }
}

#[test]
fn time_after_its_low_word_wraps_is_exact() {
    let mut m = machine(ProfileName::Classic);
    looped(
        &mut m,
        &[c(Op::Csrrs, 3, Csr::Instret, 0), i(Op::Addi, 10, 10, 1)],
        200,
    );
    m.board.pace.clock = (1 << 32) - 150;
    let end = same_everywhere(&m, 900);
    assert!(end.board.pace.clock > 1 << 32);
}

#[test]
fn marked_instructions_are_counted_where_they_retire() {
    for slice in [u64::MAX, 13] {
        let mut counted = Vec::new();
        let mut engines = engines(0);
        engines.push(Box::new(Reference));
        for mut engine in engines {
            let mut m = machine(ProfileName::Classic);
            // In every second turn, an instruction is skipped.
            let body = [
                i(Op::Andi, 6, 9, 1),
                b(Op::Beq, 6, 0, 8),
                i(Op::Addi, 10, 10, 3),
                i(Op::Lw, 4, 2, 0),
            ];
            looped(&mut m, &body, 30);
            let mut tally = Tally::new(CODE & !(PAGE - 1), 1024);
            for word in [1, 3, 4] {
                tally.mark(CODE + 4 * word, true);
            }
            m.board.observer.tally = Some(tally);
            while m.attempts < 500 {
                let fuel = slice.min(500 - m.attempts);
                let exit = engine.run(&mut m, fuel);
                if is_end(exit) {
                    break;
                }
            }
            counted.push(m.board.observer.tally.map(|tally| tally.retired));
        }
        assert!(
            counted.iter().all(|one| *one == Some(30 + 15 + 30)),
            "{counted:?}"
        );
    }
}

#[test]
fn a_program_that_is_too_long_for_the_arena_is_translated_again_and_again() {
    const WORDS: i32 = 12_000;
    let mut m = machine(ProfileName::Classic);
    let mut words = vec![i(Op::Addi, 9, 0, 4)];
    words.extend((0..WORDS).map(|number| match number % 8 {
        0 => i(Op::Addi, 10, 10, number % 2000),
        1 => r(Op::Xor, 11, 11, 10),
        2 => r(Op::Mul, 12, 10, 11),
        3 => i(Op::Sltiu, 13, 12, number % 500),
        4 => r(Op::Add, 14, 13, 14),
        5 => b(Op::Bne, 14, 15, 8),
        6 => r(Op::Sub, 15, 14, 12),
        _ => r(Op::Or, 5, 5, 15),
    }));
    words.extend([
        i(Op::Addi, 9, 9, -1),
        b(Op::Beq, 9, 0, 8),
        word(Op::Jal, 0, 0, 0, -4 * (WORDS + 2)),
        n(Op::Ecall),
    ]);
    program(&mut m, &words);
    put(&mut m, HANDLER, &[word(Op::Jal, 0, 0, 0, 0)]);
    let fuel = 4 * WORDS as u64 + 100;
    for slice in [fuel, 999] {
        let mut engine = match X86_64::with_arena(0, 1) {
            Ok(engine) => engine,
            Err(missing) => return println!("skipped: {missing}"),
        };
        let end = same(&mut engine, &m, fuel, slice);
        assert_eq!(end.hart.x[9], 0, "all turns were made");
        let flushes = engine.translated().flushes;
        assert!(flushes >= 4, "at least once in each turn: {flushes}");
    }
}

/// What it says of its code is the program's code, in the order in which the host has it.
#[test]
fn a_listing_has_the_instructions_that_stand_in_memory() {
    let mut blocks = 0;
    for seed in seeds(20) {
        let generated = generate(seed);
        if let Ok(mut engine) = X86_64::with_patience(seed as u8 % 2) {
            let mut machine = generated.machine.clone();
            engine.keep_listing();
            while machine.attempts < generated.fuel && !is_end(engine.run(&mut machine, 500)) {}
            for block in engine.code().blocks {
                blocks += 1;
                let end = block.origin + block.code.len();
                let places: Vec<usize> = block.parts.iter().map(|part| part.at).collect();
                assert!(places.is_sorted() && places[0] == block.origin && places[places.len() - 1] <= end);
                for part in &block.parts {
                    let Purpose::Instruction { address, insn, .. } = part.what else {
                        continue;
                    };
                    // Without paging and relocation, addresses are places; with, there may be another page there now.
                    if !block.paged && !machine.hart.csr.paging() {
                        assert_eq!(
                            decode(peek(&machine, address), Registers::Sixteen),
                            Some(insn),
                            "seed {seed}"
                        );
                    }
                }
            }
        }
    }
    assert!(X86_64::new().is_err() || blocks > 100, "{blocks}");
}
