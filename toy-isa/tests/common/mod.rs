//! What the integration tests share: words, small machines, and a seeded generator of numbers.
#![allow(
    dead_code,
    reason = "every test file compiles this module and uses its own part of it"
)]

pub(crate) mod comparison;
pub(crate) mod programs;

use std::sync::Arc;

use toy_isa::bus::{Bus, Width};
use toy_isa::devices::Devices;
use toy_isa::engine::{Engine, Exit, Reference};
use toy_isa::instruction::Instruction;
use toy_isa::machine::{Config, Machine};
use toy_isa::profile::{Profile, ProfileName};
use toy_isa::table::{Csr, Op};

#[allow(unused_imports, reason = "not every test file runs on all engines")]
pub(crate) use crate::engines::{ENGINES, EngineName};

/// Where the tests put code, unless they say otherwise.
pub(crate) const CODE: u32 = 0x1000;
/// Where the tests put data.
pub(crate) const DATA: u32 = 0x2000;
/// Where the tests put their trap handler.
pub(crate) const HANDLER: u32 = 0x400;
/// RAM of the test machines.
pub(crate) const MEMORY: u32 = 0x1_0000;
/// An address with neither memory nor a device.
pub(crate) const NOWHERE: u32 = 0x2000_0000;

/// An instruction word from its fields.
pub(crate) fn word(op: Op, rd: u8, rs1: u8, rs2: u8, imm: i32) -> u32 {
    Instruction {
        op,
        rd,
        rs1,
        rs2,
        imm,
    }
    .encode()
}

/// `op rd, rs1, rs2`
pub(crate) fn r(op: Op, rd: u8, rs1: u8, rs2: u8) -> u32 {
    word(op, rd, rs1, rs2, 0)
}

/// `op rd, rs1, imm` or `op rd, imm(rs1)`
pub(crate) fn i(op: Op, rd: u8, rs1: u8, imm: i32) -> u32 {
    word(op, rd, rs1, 0, imm)
}

/// `op rs2, imm(rs1)`
pub(crate) fn s(op: Op, rs2: u8, rs1: u8, imm: i32) -> u32 {
    word(op, 0, rs1, rs2, imm)
}

/// `op rs1, rs2, target`
pub(crate) fn b(op: Op, rs1: u8, rs2: u8, offset: i32) -> u32 {
    word(op, 0, rs1, rs2, offset)
}

/// `op rd, csr, rs1` or `op rd, csr, imm`
pub(crate) fn c(op: Op, rd: u8, csr: Csr, rs1: u8) -> u32 {
    word(op, rd, rs1, 0, i32::from(csr.row().number))
}

/// `op`
pub(crate) fn n(op: Op) -> u32 {
    word(op, 0, 0, 0, 0)
}

/// `lui` and `addi`: a register gets any value.
pub(crate) fn li(rd: u8, value: u32) -> [u32; 2] {
    let low = (value as i32) << 20 >> 20;
    let high = value.wrapping_sub(low as u32);
    [word(Op::Lui, rd, 0, 0, high as i32), i(Op::Addi, rd, rd, low)]
}

/// A machine at reset, of this profile.
pub(crate) fn machine_of(profile: Profile) -> Machine {
    build(profile, MEMORY, 64)
}

/// A machine at reset, of this shipped profile.
pub(crate) fn machine(profile: ProfileName) -> Machine {
    machine_of(Profile::new(profile))
}

/// A machine at reset with memory and TLB of this size, a disk of eight sectors and no input.
pub(crate) fn build(profile: Profile, memory: u32, tlb: usize) -> Machine {
    Machine::new(Config {
        memory,
        profile: Arc::new(profile),
        disk: (0..8 * 512).map(|i| (i % 251) as u8).collect(),
        input: Vec::new(),
        tlb,
    })
}

/// Writes words into memory, as a program would.
pub(crate) fn put(machine: &mut Machine, address: u32, words: &[u32]) {
    for (i, word) in words.iter().enumerate() {
        let at = address + 4 * i as u32;
        machine
            .board
            .write(at, Width::Word, *word)
            .expect("the test writes into memory");
    }
}

/// The word in memory at `address`.
pub(crate) fn peek(machine: &Machine, address: u32) -> u32 {
    machine
        .board
        .ram
        .read(address, Width::Word)
        .expect("the test reads memory")
}

/// Makes `words` the program at [`CODE`] that runs next.
pub(crate) fn program(machine: &mut Machine, words: &[u32]) {
    put(machine, CODE, words);
    machine.hart.pc = CODE;
    machine.hart.csr.tvec = HANDLER;
    machine.board.attend();
}

/// One attempt on the reference engine.
pub(crate) fn step(machine: &mut Machine) -> Exit {
    Reference.run(machine, 1)
}

/// Executes one word at [`CODE`].
pub(crate) fn execute(machine: &mut Machine, word: u32) -> Exit {
    program(machine, &[word]);
    step(machine)
}

/// Everything that a program could see, to be compared.
pub(crate) fn visible(machine: &Machine) -> impl PartialEq + std::fmt::Debug + use<> {
    let board = &machine.board;
    let bytes = board.ram.slice(0, board.ram.size()).expect("all of memory");
    let used = bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1);
    (
        machine.hart.clone(),
        Devices {
            accesses: 0,
            ..board.devices.clone()
        },
        (board.pace.clock, board.pace.skipped, board.pace.halted),
        bytes[..used].to_vec(),
    )
}

/// A generator of numbers that are the same in every run (SplitMix64).
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    /// The next number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: u32) -> u32 {
        (self.next() % u64::from(limit)) as u32
    }

    /// One of these.
    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u32) as usize]
    }

    /// True once in `n` times.
    pub(crate) fn one_in(&mut self, n: u32) -> bool {
        self.below(n) == 0
    }
}
