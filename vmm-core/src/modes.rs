//! The methods of virtualization, one file or folder each.

pub mod assist;
pub mod bare;
pub mod enlightened;
pub mod estate;
pub mod hybrid;
pub mod interpret;
pub mod jit;
pub mod para;
pub mod translate;
pub mod trap;

use toy_isa::hart::Hart;
use toy_isa::instruction::Instruction;
use toy_isa::machine::{LoadError, Machine};
use toy_isa::mmu::{Access, PAGE};
use toy_isa::table::Form;

use crate::guest::Frames;
use crate::setup::Setup;

/// Frames of a superpage: the granularity in which a monitor asks for real memory.
pub(crate) const SUPERPAGE_FRAMES: u32 = 1024;

/// How many real frames a monitor sets aside to scatter a guest of `memory` bytes over: always some more than
/// the guest has, in whole superpages.
pub(crate) fn pool_frames(memory: u32) -> u32 {
    (memory.div_ceil(PAGE) + SUPERPAGE_FRAMES / 4).next_multiple_of(SUPERPAGE_FRAMES)
}

/// What a load or a store touches that a processor in this state is about to execute.
pub(crate) fn touched(hart: &Hart, insn: Instruction) -> (Access, u32) {
    let access = match insn.op.row().form {
        Form::Store => Access::Store,
        _ => Access::Load,
    };
    (
        access,
        hart.x[usize::from(insn.rs1)].wrapping_add(insn.imm as u32),
    )
}

/// Loads the guest's image into its scattered memory.
pub(crate) fn load_scattered(machine: &mut Machine, frames: &Frames, setup: &Setup) -> Result<(), LoadError> {
    let memory = frames.len() * PAGE;
    for segment in &setup.image.segments {
        let end = u64::from(segment.address) + u64::from(segment.size);
        if end > u64::from(memory) {
            return Err(LoadError::TooLarge { end, memory });
        }
        // Byte by byte: a segment may begin and end anywhere in a frame.
        for (offset, byte) in segment.bytes.iter().enumerate() {
            let guest = segment.address + offset as u32;
            let host = frames.address(guest).ok_or(LoadError::TooLarge { end, memory })?;
            machine
                .board
                .ram
                .load(host, &[*byte])
                .ok_or(LoadError::TooLarge { end, memory })?;
        }
    }
    if setup.image.entry >= memory {
        return Err(LoadError::Entry {
            entry: setup.image.entry,
            memory,
        });
    }
    Ok(())
}
