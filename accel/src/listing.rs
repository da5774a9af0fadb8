//! Emitted code as people read it: what became of which instruction of the guest.

use toy_isa::instruction::Instruction;

/// The code that an engine holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostCode {
    /// Registers of the guest that have a register of the host, by their numbers. The others are in memory.
    pub homes: Vec<(u8, u8)>,
    /// Where all blocks leave to the engine, and where they do so when nobody knows the target's block: places in the
    /// same count as [`HostBlock::origin`].
    pub ways_out: [usize; 2],
    /// Its blocks, in the order of their addresses.
    pub blocks: Vec<HostBlock>,
}

/// A block of the guest's code, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostBlock {
    /// The guest's address of its first instruction.
    pub start: u32,
    /// Whether each page of the guest's addresses has an addend; else they are places in memory.
    pub paged: bool,
    /// Where the code stands, from the beginning of all emitted code on. Its jumps are relative.
    pub origin: usize,
    /// The code.
    pub code: Vec<u8>,
    /// Its parts, in the order in which they stand.
    pub parts: Vec<HostPart>,
}

/// A part of a block's code, which ends where the next one begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostPart {
    /// Where it begins, from the beginning of all emitted code on.
    pub at: usize,
    /// What it is for.
    pub what: Purpose,
}

/// What a part of a block's code is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The way in: the budget, and registers that a loop borrows.
    Enter,
    /// An instruction of the guest.
    Instruction {
        /// Its address.
        address: u32,
        /// Itself.
        insn: Instruction,
        /// This is the second copy, which takes nothing for granted: what the first had found out was not so.
        cautious: bool,
    },
    /// What is behind the last instruction.
    Behind,
    /// From the branch at this address out of the block, or past some of it.
    Branch(u32),
    /// Back to the engine because the budget is too small.
    Budget,
    /// Back to the engine before the instruction at this address.
    Before(u32),
    /// Back to the engine at the end of the block, until somebody leads the jump to the block of this address.
    To(u32),
    /// Back to the engine because nobody knows where the target's block is.
    Unknown,
}
