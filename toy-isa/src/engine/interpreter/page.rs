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

/// An instruction, ready to be executed.
pub(super) struct Entry {
    /// Of the instruction after it.
    pub(super) next: Handler,
    /// The immediate; of a direct jump within the page, the number of its target in the page.
    pub(super) imm: i32,
    pub(super) rd: Register,
    pub(super) rs1: Register,
    pub(super) rs2: Register,
    /// Its number in the page.
    pub(super) at: u16,
    /// Of a direct jump within the page: how far the target is from the instruction after it.
    pub(super) hop: i16,
    /// How often it has jumped since the census was last settled.
    pub(super) jumps: Cell<u32>,
    /// How often the instruction after it was reached by an indirect jump since then.
    pub(super) arrivals: Cell<u32>,
}

/// A page of decoded code.
pub(super) struct Page {
    /// The instructions; `None` where the word is illegal.
    pub(super) instructions: [Option<Instruction>; WORDS],
    /// They again, ready to be executed, after one that only has a successor, and before one that is only a place.
    pub(super) entries: [Entry; WORDS + 2],
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
        let handlers = handlers(&instructions);
        let entries = std::array::from_fn(|i| Entry::new(&instructions, &handlers, i));
        Page {
            instructions,
            entries,
        }
    }
}

impl Entry {
    /// The entry at this position, which is one more than the number of its instruction.
    fn new(page: &[Option<Instruction>], handlers: &[Handler], position: usize) -> Entry {
        let at = position.wrapping_sub(1);
        let instruction = page.get(at).copied().flatten();
        let (rd, rs1, rs2, imm) =
            instruction.map_or((0, 0, 0, 0), |insn| (insn.rd, insn.rs1, insn.rs2, insn.imm));
        let target = instruction.and_then(|insn| target(insn, at));
        Entry {
            next: handlers.get(position).copied().unwrap_or(Handler(apart)),
            imm: target.map_or(imm, |target| target as i32),
            rd: Register::new(rd),
            rs1: Register::new(rs1),
            rs2: Register::new(rs2),
            at: at as u16,
            hop: target.map_or(0, |target| target as i16 - at as i16 - 1),
            jumps: Cell::new(0),
            arrivals: Cell::new(0),
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

/// The handlers of the instructions of a page.
fn handlers(page: &[Option<Instruction>]) -> Vec<Handler> {
    let mut handlers = vec![Handler(apart); page.len()];
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
    choose(&shapes, &mut handlers);
    handlers
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
