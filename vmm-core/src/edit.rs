//! Edits: what somebody may change of a guest that is at rest.

use toy_isa::bus::{Bus, Width};
use toy_isa::hart::Hart;

/// A change of a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Another value in a register, x1 to x15.
    Register {
        /// Its number.
        number: u8,
        /// The value.
        value: u32,
    },
    /// Another program counter, a multiple of 4.
    Pc(u32),
    /// Another word in memory.
    Word {
        /// Its address, a multiple of 4.
        address: u32,
        /// The word.
        value: u32,
    },
}

/// Why a guest cannot be changed in this way, here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// There is no such register, or it cannot hold anything.
    #[error("register x{0} cannot be changed: x1 to x15 can")]
    NoRegister(u8),
    /// The address is not that of a word.
    #[error("{0:#010x} is not a multiple of 4")]
    Misaligned(u32),
    /// There is no memory.
    #[error("the guest has no memory at {0:#010x} now")]
    NoMemory(u32),
    /// In the midst of translated code, the program counter is not the guest's.
    #[error(
        "the guest stands inside a translated unit, which cannot be entered elsewhere: \
         change the program counter under another mode"
    )]
    InUnit,
    /// Something was made from that memory, and is in use.
    #[error(
        "translated code is running, and the monitor has made units or tables from the page of {0:#010x}: \
         change it under another mode, or where user code runs"
    )]
    InUse(u32),
    /// A table that the processor walks, and the monitor has validated.
    #[error("the page of {0:#010x} is a validated page table: only a hypercall may change it")]
    Validated(u32),
}

/// Changes a processor, as far as the edit is about one.
pub(crate) fn set(hart: &mut Hart, edit: Edit) {
    match edit {
        Edit::Register { number, value } => hart.x[usize::from(number) % hart.x.len()] = value,
        Edit::Pc(pc) => hart.pc = pc,
        Edit::Word { .. } => {}
    }
}

/// Changes a processor, or memory at a physical address of this board.
pub(crate) fn apply<B: Bus>(hart: &mut Hart, board: &mut B, edit: Edit) -> Result<(), EditError> {
    set(hart, edit);
    match edit {
        Edit::Word { address, value } => board
            .write(address, Width::Word, value)
            .ok_or(EditError::NoMemory(address)),
        _ => Ok(()),
    }
}
