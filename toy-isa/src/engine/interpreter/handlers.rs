//! Direct-threaded execution: each handler does its instructions and calls the handler of the next one.
//!
//! All handlers have one signature, whose arguments fit registers, so that an optimizing build makes each such call a
//! jump. Where it does not, the stack grows by a frame with each; the length of a burst keeps that within bounds.

use super::burst::Burst;
use super::page::{Operands, Page, Register, WORDS};
use crate::bus::Width;
use crate::hart::Hart;
use crate::instruction::Instruction;
use crate::mmu::PAGE;
use crate::semantics::{computed, condition, execute, extended, width};
use crate::table::{OPS, Op};

/// The memory that loads and stores reach without further questions, by words.
pub(super) type Memory = [[u8; 4]];

/// Executes instruction number `at` of the page, perhaps with some that follow, and goes on. Returns the address of the
/// first instruction that was not executed.
#[derive(Clone, Copy)]
pub(super) struct Handler(pub(super) fn(&mut Hart, &mut Memory, &Page, usize, &mut Burst<'_>) -> u32);

/// Where a handler finds the sources of an instruction: in a register, or as the result of an instruction that it has
/// done before, one, two or three back. The first source in the low two bits, the second above.
pub(super) const fn from(first: u8, second: u8) -> u8 {
    first | second << 2
}

/// What the last three instructions of a handler computed; the last is first.
type Results = [u32; 3];

/// One instruction.
pub(super) fn one<const A: u8>(
    hart: &mut Hart,
    memory: &mut Memory,
    page: &Page,
    at: usize,
    burst: &mut Burst<'_>,
) -> u32 {
    last::<A, 0>(hart, memory, page, at % WORDS, [0; 3], burst)
}

/// Two instructions; F says where the second finds its sources.
pub(super) fn two<const A: u8, const B: u8, const F: u8>(
    hart: &mut Hart,
    memory: &mut Memory,
    page: &Page,
    at: usize,
    burst: &mut Burst<'_>,
) -> u32 {
    let at = at % WORDS;
    let Some(r) = straight::<A, 0>(hart, memory, page, at, [0; 3], burst) else {
        return beyond::<A>(hart, memory, page, at, burst);
    };
    last::<B, F>(hart, memory, page, at + 1, r, burst)
}

/// Three instructions.
pub(super) fn three<const A: u8, const B: u8, const C: u8, const F: u8, const G: u8>(
    hart: &mut Hart,
    memory: &mut Memory,
    page: &Page,
    at: usize,
    burst: &mut Burst<'_>,
) -> u32 {
    let at = at % WORDS;
    let Some(r) = straight::<A, 0>(hart, memory, page, at, [0; 3], burst) else {
        return beyond::<A>(hart, memory, page, at, burst);
    };
    let Some(r) = straight::<B, F>(hart, memory, page, at + 1, r, burst) else {
        return beyond::<B>(hart, memory, page, at + 1, burst);
    };
    last::<C, G>(hart, memory, page, at + 2, r, burst)
}

/// Four instructions.
pub(super) fn four<
    const A: u8,
    const B: u8,
    const C: u8,
    const D: u8,
    const F: u8,
    const G: u8,
    const H: u8,
>(
    hart: &mut Hart,
    memory: &mut Memory,
    page: &Page,
    at: usize,
    burst: &mut Burst<'_>,
) -> u32 {
    let at = at % WORDS;
    let Some(r) = straight::<A, 0>(hart, memory, page, at, [0; 3], burst) else {
        return beyond::<A>(hart, memory, page, at, burst);
    };
    let Some(r) = straight::<B, F>(hart, memory, page, at + 1, r, burst) else {
        return beyond::<B>(hart, memory, page, at + 1, burst);
    };
    let Some(r) = straight::<C, G>(hart, memory, page, at + 2, r, burst) else {
        return beyond::<C>(hart, memory, page, at + 2, burst);
    };
    last::<D, H>(hart, memory, page, at + 3, r, burst)
}

/// The values of the source registers.
#[inline(always)]
fn sources<const F: u8>(hart: &Hart, entry: &Operands, results: Results) -> (u32, u32) {
    let source = |from: u8, register: Register| match from {
        0 => hart.x[register as usize],
        back => results[back as usize - 1],
    };
    (source(F & 3, entry.rs1), source(F >> 2, entry.rs2))
}

/// Executes an instruction that goes on to the next, and puts its result before the others. `None`, and nothing has
/// happened, if memory does not answer.
#[inline(always)]
fn straight<const OP: u8, const F: u8>(
    hart: &mut Hart,
    memory: &mut Memory,
    page: &Page,
    at: usize,
    results: Results,
    burst: &Burst<'_>,
) -> Option<Results> {
    let entry = &page.operands[at];
    let op = const { OPS[OP as usize].op };
    let (a, b) = sources::<F>(hart, entry, results);
    let address = a.wrapping_add(entry.imm as u32);
    let value = match op {
        Op::Sb | Op::Sh | Op::Sw => {
            if address < burst.flagged {
                return None;
            }
            write(memory, address, width(op), b)?;
            None
        }
        Op::Lb | Op::Lh | Op::Lw | Op::Lbu | Op::Lhu => Some(extended(op, read(memory, address, width(op))?)),
        _ => computed(op, a, b, entry.imm, burst.address(at)),
    };
    if let Some(value) = value {
        hart.x[entry.rd as usize] = value;
    }
    Some([value.unwrap_or(0), results[0], results[1]])
}

/// Executes the last instruction of a handler, number `at`, and goes on.
#[inline(always)]
fn last<const OP: u8, const F: u8>(
    hart: &mut Hart,
    memory: &mut Memory,
    page: &Page,
    at: usize,
    results: Results,
    burst: &mut Burst<'_>,
) -> u32 {
    let op = const { OPS[OP as usize].op };
    let (a, b) = sources::<F>(hart, &page.operands[at], results);
    match (op, condition(op, a, b)) {
        (Op::Jal, _) => {
            link(hart, page, at, burst);
            jump(hart, memory, page, at, burst)
        }
        (Op::Jalr, _) => indirect(hart, memory, page, at, a, burst),
        (_, Some(true)) => jump(hart, memory, page, at, burst),
        (_, Some(false)) => next(hart, memory, page, at + 1, burst),
        _ => match straight::<OP, F>(hart, memory, page, at, results, burst) {
            Some(_) => next(hart, memory, page, at + 1, burst),
            None => beyond::<OP>(hart, memory, page, at, burst),
        },
    }
}

/// Goes on with instruction number `at`.
#[inline(always)]
fn next(hart: &mut Hart, memory: &mut Memory, page: &Page, at: usize, burst: &mut Burst<'_>) -> u32 {
    (page.handlers[at].0)(hart, memory, page, at, burst)
}

/// The link of a jump, if it wants one.
#[inline(always)]
fn link(hart: &mut Hart, page: &Page, at: usize, burst: &Burst<'_>) {
    let rd = page.operands[at].rd;
    if rd != Register::X0 {
        hart.x[rd as usize] = burst.address(at + 1);
    }
}

/// Takes the direct jump number `at`.
#[inline(always)]
fn jump(hart: &mut Hart, memory: &mut Memory, page: &Page, at: usize, burst: &mut Burst<'_>) -> u32 {
    let jump = &page.jumps[at];
    let count = jump.count.get();
    if count == 0 {
        return first_jump(hart, memory, page, at, burst);
    }
    jump.count.set(count.wrapping_add(1));
    go(
        hart,
        memory,
        page,
        usize::from(jump.target),
        i64::from(jump.hop),
        burst,
    )
}

/// As [`jump`], the first time since the census was settled.
#[cold]
#[inline(never)]
fn first_jump(hart: &mut Hart, memory: &mut Memory, page: &Page, at: usize, burst: &mut Burst<'_>) -> u32 {
    let jump = &page.jumps[at];
    burst.census.jumped(jump, at);
    go(
        hart,
        memory,
        page,
        usize::from(jump.target),
        i64::from(jump.hop),
        burst,
    )
}

/// Takes the indirect jump number `at`, with this value in its source register, if it stays in the page.
#[inline(always)]
fn indirect(
    hart: &mut Hart,
    memory: &mut Memory,
    page: &Page,
    at: usize,
    a: u32,
    burst: &mut Burst<'_>,
) -> u32 {
    let offset = (a.wrapping_add(page.operands[at].imm as u32) & !1).wrapping_sub(burst.start);
    if offset >= PAGE || offset & 3 != 0 {
        return burst.leave(at);
    }
    let target = offset as usize / 4;
    let (jumps, arrivals) = (page.jumps[at].count.get(), page.arrivals[target].get());
    if jumps == 0 || arrivals == 0 {
        return first_indirect(hart, memory, page, at, target, burst);
    }
    page.jumps[at].count.set(jumps.wrapping_add(1));
    page.arrivals[target].set(arrivals.wrapping_add(1));
    link(hart, page, at, burst);
    go(hart, memory, page, target, target as i64 - at as i64 - 1, burst)
}

/// As [`indirect`], the first time from or to there since the census was settled.
#[cold]
#[inline(never)]
fn first_indirect(
    hart: &mut Hart,
    memory: &mut Memory,
    page: &Page,
    at: usize,
    target: usize,
    burst: &mut Burst<'_>,
) -> u32 {
    burst.census.jumped(&page.jumps[at], at);
    burst.census.arrived(page, target);
    link(hart, page, at, burst);
    go(hart, memory, page, target, target as i64 - at as i64 - 1, burst)
}

/// Goes on with instruction number `target`, which is `hop` from the one after the jump, if the budget suffices for
/// what is executed before the next jump.
#[inline(always)]
fn go(
    hart: &mut Hart,
    memory: &mut Memory,
    page: &Page,
    target: usize,
    hop: i64,
    burst: &mut Burst<'_>,
) -> u32 {
    burst.limit += hop;
    let target = target % WORDS;
    if burst.limit < i64::from(page.ends[target]) {
        return burst.leave(target);
    }
    next(hart, memory, page, target, burst)
}

/// What the interpreter does one at a time.
pub(super) fn apart(_: &mut Hart, _: &mut Memory, _: &Page, at: usize, burst: &mut Burst<'_>) -> u32 {
    burst.leave(at)
}

/// Instruction number `at` is a load or store that the memory at hand has not answered.
#[inline(never)]
fn beyond<const OP: u8>(
    hart: &mut Hart,
    memory: &mut Memory,
    page: &Page,
    at: usize,
    burst: &mut Burst<'_>,
) -> u32 {
    let at = at % WORDS;
    let op = const { OPS[OP as usize].op };
    let place = if burst.board.is_some() {
        translated::<OP>(hart, page, at, burst)
    } else if unflagged(hart, memory, op, &page.operands[at], burst) {
        Next::On
    } else {
        Next::Before
    };
    match place {
        Next::On => next(hart, memory, page, at + 1, burst),
        Next::After => burst.leave(at + 1),
        Next::Before => burst.leave(at),
    }
}

/// Where it goes on.
enum Next {
    /// With the next handler.
    On,
    /// The burst ends after this instruction.
    After,
    /// The burst ends before this instruction.
    Before,
}

/// Executes a store to a page without flags below one that has some; else nothing has happened.
#[inline(always)]
fn unflagged(hart: &Hart, memory: &mut Memory, op: Op, entry: &Operands, burst: &Burst<'_>) -> bool {
    let address = hart.x[entry.rs1 as usize].wrapping_add(entry.imm as u32);
    matches!(op, Op::Sb | Op::Sh | Op::Sw)
        && burst.flags.get((address / PAGE) as usize) == Some(&0)
        && write(memory, address, width(op), hart.x[entry.rs2 as usize]).is_some()
}

/// Executes a load or store where addresses are translated or watched.
#[inline(never)]
fn translated<const OP: u8>(hart: &mut Hart, page: &Page, at: usize, burst: &mut Burst<'_>) -> Next {
    let entry = &page.operands[at];
    let clock = burst.clock(at);
    hart.pc = burst.address(at);
    let Some(board) = burst.board.as_deref_mut() else {
        return Next::Before;
    };
    board.pace.clock = clock;
    let insn = Instruction {
        op: const { OPS[OP as usize].op },
        rd: entry.rd as u8,
        rs1: entry.rs1 as u8,
        rs2: entry.rs2 as u8,
        imm: entry.imm,
    };
    match execute(hart, board, insn) {
        Ok(_) if board.pace.attention >= burst.horizon => Next::On,
        Ok(_) => Next::After,
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
