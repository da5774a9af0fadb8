//! What loads and stores of handlers reach: memory itself, or, through a look at what is known of translations, that
//! behind them; and everything else by the semantics.

use super::burst::Burst;
use crate::bus::Width;
use crate::instruction::Instruction;
use crate::mmu::{Access, PAGE};
use crate::semantics::{execute, extended, width};
use crate::table::{OPS, Op};

/// The memory that loads and stores reach without further questions, by words; with paging on, none.
pub(super) type Memory = [[u8; 4]];

/// The value of a load; `None`, and nothing has happened, if the quick way does not lead there.
#[inline(always)]
pub(super) fn load<const OP: u8, const PAGED: bool>(
    burst: &Burst<'_>,
    memory: &Memory,
    address: u32,
) -> Option<u32> {
    let op = const { OPS[OP as usize].op };
    let value = if PAGED {
        let place = burst.views.place(Access::Load, address, width(op))?;
        burst.board.as_deref()?.ram.read(place, width(op))?
    } else {
        read(memory, address, width(op))?
    };
    Some(extended(op, value))
}

/// A store; `None`, and nothing has happened, if the quick way does not lead there.
#[inline(always)]
pub(super) fn store<const OP: u8, const PAGED: bool>(
    burst: &mut Burst<'_>,
    memory: &mut Memory,
    address: u32,
    value: u32,
) -> Option<()> {
    let width = width(const { OPS[OP as usize].op });
    if PAGED {
        let place = burst.views.place(Access::Store, address, width)?;
        // Such a page has no flags.
        burst.board.as_deref_mut()?.ram.write(place, width, value)?;
        return Some(());
    }
    if address < burst.flagged {
        return None;
    }
    write(memory, address, width, value)
}

/// Where it goes on.
pub(super) enum Next {
    /// With the next handler.
    On,
    /// The burst ends after this instruction.
    After,
    /// The burst ends before this instruction.
    Before,
}

/// Executes load or store number `at`, which the quick way has not done, if it can be done here.
#[inline(always)]
pub(super) fn slowly<const OP: u8>(burst: &mut Burst<'_>, memory: &mut Memory, at: usize) -> Next {
    if burst.board.is_some() {
        translated::<OP>(burst, at)
    } else if unflagged(burst, memory, const { OPS[OP as usize].op }, at) {
        Next::On
    } else {
        Next::Before
    }
}

/// Executes a store to a page without flags below one that has some; else nothing has happened.
#[inline(always)]
fn unflagged(burst: &Burst<'_>, memory: &mut Memory, op: Op, at: usize) -> bool {
    let entry = &burst.page.operands[at];
    let address = burst.x[entry.rs1 as usize].wrapping_add(entry.imm as u32);
    matches!(op, Op::Sb | Op::Sh | Op::Sw)
        && burst.flags.get((address / PAGE) as usize) == Some(&0)
        && write(memory, address, width(op), burst.x[entry.rs2 as usize]).is_some()
}

/// Executes a load or store where addresses are translated or watched.
#[inline(never)]
fn translated<const OP: u8>(burst: &mut Burst<'_>, at: usize) -> Next {
    let entry = &burst.page.operands[at];
    let clock = burst.clock(at);
    burst.hart.pc = burst.address(at);
    burst.give_back();
    let Some(board) = burst.board.as_deref_mut() else {
        return Next::Before;
    };
    board.pace.clock = clock;
    let address = burst.x[entry.rs1 as usize].wrapping_add(entry.imm as u32);
    let insn = Instruction {
        op: const { OPS[OP as usize].op },
        rd: entry.rd as u8,
        rs1: entry.rs1 as u8,
        rs2: entry.rs2 as u8,
        imm: entry.imm,
    };
    match execute(burst.hart, board, insn) {
        Ok(_) => {
            burst.x[entry.rd as usize] = burst.hart.x[entry.rd as usize];
            if burst.paged {
                burst.views.learn(burst.hart, board, address);
            }
            if board.pace.attention >= burst.horizon {
                Next::On
            } else {
                Next::After
            }
        }
        Err(trap) => {
            burst.trap = Some(trap);
            Next::Before
        }
    }
}

/// An aligned read, zero-extended. Rotated, a misaligned address is beyond all memory.
#[inline(always)]
fn read(memory: &Memory, address: u32, width: Width) -> Option<u32> {
    Some(match width {
        Width::Byte => u32::from(*memory.as_flattened().get(address as usize)?),
        Width::Half => {
            let halves = memory.as_flattened().as_chunks().0;
            u32::from(u16::from_le_bytes(*halves.get(address.rotate_right(1) as usize)?))
        }
        Width::Word => u32::from_le_bytes(*memory.get(address.rotate_right(2) as usize)?),
    })
}

/// An aligned write.
#[inline(always)]
fn write(memory: &mut Memory, address: u32, width: Width, value: u32) -> Option<()> {
    match width {
        Width::Byte => *memory.as_flattened_mut().get_mut(address as usize)? = value as u8,
        Width::Half => {
            let halves = memory.as_flattened_mut().as_chunks_mut().0;
            *halves.get_mut(address.rotate_right(1) as usize)? = (value as u16).to_le_bytes();
        }
        Width::Word => *memory.get_mut(address.rotate_right(2) as usize)? = value.to_le_bytes(),
    }
    Some(())
}
