//! A page of decoded code.

use std::cell::Cell;

use super::flow::{self, CARRIED, goes_on, places};
use super::fuse::choose;
use super::handlers::{Handler, apart, enter};
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
    pub(super) count: Count,
    /// Of a direct jump within the page: what it adds to [`super::burst::Burst::slack`], and below that, in 16 bits,
    /// the number of its target.
    to: i32,
}

/// How often something has happened, less one: so that the increment itself tells of the first time.
pub(super) struct Count(Cell<u32>);

impl Count {
    const fn new() -> Count {
        Count(Cell::new(u32::MAX))
    }

    /// It happens; whether for the first time since the count was taken.
    #[inline(always)]
    pub(super) fn first(&self) -> bool {
        let count = self.0.get().wrapping_add(1);
        self.0.set(count);
        count == 0
    }

    /// Whether it has happened just once.
    pub(super) fn is_one(&self) -> bool {
        self.0.get() == 0
    }

    /// How often it has happened, which is then forgotten.
    pub(super) fn take(&self) -> u32 {
        self.0.replace(u32::MAX).wrapping_add(1)
    }
}

/// So many instructions of no effect follow those of a page, that a handler finds its own without a bounds check.
const BEYOND: usize = 4;

/// A page of decoded code. What is kept for each instruction is in arrays of its own, all indexed by its number.
pub(super) struct Page {
    /// What goes on from the instruction before it.
    pub(super) handlers: [Handler; WORDS + BEYOND],
    /// What goes on from elsewhere, if the results of [`Page::carried`] are at hand.
    pub(super) heads: [Handler; WORDS],
    /// The registers with the results that `heads` want to be passed on, the last one first.
    pub(super) carried: [[Register; CARRIED]; WORDS],
    pub(super) operands: [Operands; WORDS + BEYOND],
    /// What goes on where a direct jump leads, if it stays in the page.
    pub(super) leads: [Handler; WORDS + BEYOND],
    pub(super) jumps: [Jump; WORDS + BEYOND],
    /// How often it was reached by an indirect jump since the census was last settled.
    pub(super) arrivals: [Count; WORDS],
    /// The first number after it that cannot be reached without a jump.
    pub(super) ends: [u16; WORDS + BEYOND],
    /// The instructions; `None` where the word is illegal.
    pub(super) instructions: [Option<Instruction>; WORDS],
}

impl Page {
    /// Decodes the bytes of a page, to be executed with paging on or off.
    pub(super) fn new(bytes: &[u8], paged: bool) -> Page {
        let mut words = bytes.as_chunks().0.iter().copied();
        let instructions: [Option<Instruction>; WORDS] = std::array::from_fn(|_| {
            words
                .next()
                .and_then(|word| decode(u32::from_le_bytes(word), Registers::Sixteen))
        });
        let get = |at: usize| instructions.get(at).copied().flatten();
        let places = places(&instructions);
        let choices = choose(&places, paged);
        let mut handlers = [Handler(apart); WORDS + BEYOND];
        for (at, place) in places.iter().enumerate() {
            let fits = place.falls_in.is_none_or(|left| choices[at].takes(&left, place));
            handlers[at] = if fits { choices[at].handler } else { Handler(enter) };
        }
        let mut ends = [WORDS as u16; WORDS + BEYOND];
        for at in (0..WORDS - 1).rev() {
            ends[at] = if goes_on(places[at].op) {
                ends[at + 1]
            } else {
                at as u16 + 1
            };
        }
        let direct = |at: usize| get(at).and_then(|insn| target(insn, at).map(|target| (insn, target)));
        let lead = |at: usize| match direct(at) {
            None => Handler(apart),
            Some((insn, target))
                if choices[target].takes(&flow::left(&places[at], insn), &places[target]) =>
            {
                choices[target].handler
            }
            Some(_) => Handler(enter),
        };
        let jump = |at: usize| Jump::new(at, direct(at).map(|(_, target)| target), &ends);
        Page {
            handlers,
            heads: std::array::from_fn(|at| choices[at].handler),
            carried: std::array::from_fn(|at| {
                std::array::from_fn(|back| Register::new(places[at].history[back]))
            }),
            operands: std::array::from_fn(|at| Operands::new(get(at))),
            leads: std::array::from_fn(lead),
            jumps: std::array::from_fn(jump),
            arrivals: [const { Count::new() }; WORDS],
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
    /// The jump number `at`, to a target in the page if it has one.
    fn new(at: usize, target: Option<usize>, ends: &[u16]) -> Jump {
        // The limit moves as far as execution does; it is looked at from the next jump.
        let slack = |target| target as i32 - i32::from(ends[target]) - (at as i32 + 1 - i32::from(ends[at]));
        Jump {
            count: Count::new(),
            to: target.map_or(0, |target| slack(target) << 16 | target as i32),
        }
    }

    /// The number of the target.
    #[inline(always)]
    pub(super) fn target(&self) -> usize {
        usize::from(self.to as u16)
    }

    /// What the jump adds to [`super::burst::Burst::slack`].
    #[inline(always)]
    pub(super) fn slack(&self) -> i64 {
        i64::from(self.to >> 16)
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
