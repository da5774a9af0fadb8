//! A page of decoded code.

use std::cell::Cell;

use super::fuse::{Shape, choose, result};
use super::handlers::{Handler, apart};
use crate::instruction::{Instruction, Registers, decode};
use crate::mmu::PAGE;
use crate::table::Op;

/// Instructions in a page.
pub(super) const WORDS: usize = PAGE as usize / 4;

/// A register of Ring32, as an index that needs no bounds check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[rustfmt::skip]
pub(super) enum Register { X0, X1, X2, X3, X4, X5, X6, X7, X8, X9, X10, X11, X12, X13, X14, X15 }

impl Register {
    #[rustfmt::skip]
    const ALL: [Register; 16] = {
        use Register::*;
        [X0, X1, X2, X3, X4, X5, X6, X7, X8, X9, X10, X11, X12, X13, X14, X15]
    };

    fn new(number: u8) -> Register {
        Register::ALL[number as usize % 16]
    }
}

/// The operands of an instruction, ready to be used.
pub(super) struct Operands {
    pub(super) imm: i32,
    pub(super) rd: Register,
    pub(super) rs1: Register,
    pub(super) rs2: Register,
}

/// A jump, if the instruction is one.
pub(super) struct Jump {
    /// How often it has jumped since the census was last settled.
    pub(super) count: Cell<u32>,
    /// Of a direct jump within the page: the number of the target.
    pub(super) target: u16,
    /// How far that is from the instruction after the jump.
    pub(super) hop: i16,
}

/// So many instructions of no effect follow those of a page, that a handler finds its own without a bounds check.
const BEYOND: usize = 4;

/// A page of decoded code. What is kept for each instruction is in arrays of its own, all indexed by its number.
pub(super) struct Page {
    pub(super) handlers: [Handler; WORDS + BEYOND],
    pub(super) operands: [Operands; WORDS + BEYOND],
    pub(super) jumps: [Jump; WORDS + BEYOND],
    /// How often it was reached by an indirect jump since the census was last settled.
    pub(super) arrivals: [Cell<u32>; WORDS],
    /// The first number after it that cannot be reached without a jump.
    pub(super) ends: [u16; WORDS],
    /// The instructions; `None` where the word is illegal.
    pub(super) instructions: [Option<Instruction>; WORDS],
}

impl Page {
    /// Decodes the bytes of a page.
    pub(super) fn new(bytes: &[u8]) -> Page {
        let mut words = bytes.as_chunks().0.iter().copied();
        let instructions: [Option<Instruction>; WORDS] = std::array::from_fn(|_| {
            words
                .next()
                .and_then(|word| decode(u32::from_le_bytes(word), Registers::Sixteen))
        });
        let get = |at: usize| instructions.get(at).copied().flatten();
        let shapes = shapes(&instructions);
        let mut handlers = [Handler(apart); WORDS + BEYOND];
        choose(&shapes, &mut handlers);
        let mut ends = [WORDS as u16; WORDS];
        for at in (0..WORDS - 1).rev() {
            let ends_here = shapes[at].is_none_or(|shape| matches!(shape.op, Op::Jal | Op::Jalr));
            ends[at] = if ends_here { at as u16 + 1 } else { ends[at + 1] };
        }
        Page {
            handlers,
            operands: std::array::from_fn(|at| Operands::new(get(at))),
            jumps: std::array::from_fn(|at| Jump::new(get(at), at)),
            arrivals: [const { Cell::new(0) }; WORDS],
            ends,
            instructions,
        }
    }
}

impl Operands {
    fn new(insn: Option<Instruction>) -> Operands {
        let (rd, rs1, rs2, imm) = insn.map_or((0, 0, 0, 0), |insn| (insn.rd, insn.rs1, insn.rs2, insn.imm));
        Operands {
            imm,
            rd: Register::new(rd),
            rs1: Register::new(rs1),
            rs2: Register::new(rs2),
        }
    }
}

impl Jump {
    fn new(insn: Option<Instruction>, at: usize) -> Jump {
        let target = insn.and_then(|insn| target(insn, at));
        Jump {
            count: Cell::new(0),
            target: target.unwrap_or(0) as u16,
            hop: target.map_or(0, |target| target as i16 - at as i16 - 1),
        }
    }
}

/// The number in the page of the instruction that this one, number `at`, jumps to; `None` if it is no direct jump, or
/// not one to an instruction of the page.
pub(super) fn target(insn: Instruction, at: usize) -> Option<usize> {
    if !matches!(
        insn.op,
        Op::Jal | Op::Beq | Op::Bne | Op::Blt | Op::Bge | Op::Bltu | Op::Bgeu
    ) || insn.imm & 3 != 0
    {
        return None;
    }
    at.checked_add_signed(insn.imm as isize / 4)
        .filter(|target| *target < WORDS)
}

/// What the choice of handlers looks at; `None` for an instruction that no handler executes.
fn shapes(page: &[Option<Instruction>]) -> Vec<Option<Shape>> {
    // The registers with the results of the last three instructions, the last first.
    let mut results = [0; 3];
    let mut shapes = Vec::with_capacity(page.len());
    for (at, insn) in page.iter().enumerate() {
        let simple = insn.and_then(|insn| simple(insn, at).map(|op| (insn, op)));
        let back = |register: u8| {
            let found = results.iter().position(|result| *result == register);
            found.filter(|_| register != 0).map_or(0, |found| found as u8 + 1)
        };
        shapes.push(simple.map(|(insn, op)| Shape {
            op,
            back: (back(insn.rs1), back(insn.rs2)),
        }));
        let result = simple
            .filter(|(_, op)| result(*op))
            .map_or(0, |(insn, _)| insn.rd);
        results = [result, results[0], results[1]];
    }
    shapes
}

/// What an instruction comes to, if a generic handler does it: it writes x0 only as `fence`, which does nothing.
fn simple(insn: Instruction, at: usize) -> Option<Op> {
    match insn.op {
        Op::Jalr => Some(insn.op),
        Op::Jal | Op::Beq | Op::Bne | Op::Blt | Op::Bge | Op::Bltu | Op::Bgeu => {
            target(insn, at).map(|_| insn.op)
        }
        Op::Lb | Op::Lh | Op::Lw | Op::Lbu | Op::Lhu => (insn.rd != 0).then_some(insn.op),
        Op::Sb | Op::Sh | Op::Sw => Some(insn.op),
        Op::Fence | Op::FenceI => Some(Op::Fence),
        op if (op as u8) <= Op::Remu as u8 => Some(if insn.rd == 0 { Op::Fence } else { op }),
        _ => None,
    }
}
