//! Direct-threaded execution: each handler does its instructions and calls the handler of the next one.
//!
//! All handlers have one signature, whose arguments fit registers, so that an optimizing build makes each such call a
//! jump. Where it does not, the stack grows by a frame with each; the length of a burst keeps that within bounds.

use super::burst::Burst;
use super::flow::{DEPTH, jumps};
use super::memory::{Memory, Next, load, slowly, store};
use super::page::{Operands, Register, WORDS};
use crate::mmu::PAGE;
use crate::semantics::{computed, condition};
use crate::table::{OPS, Op};

/// Executes instruction number `at` of the page, perhaps with some that follow, and goes on. Returns the address of the
/// first instruction that was not executed.
#[derive(Clone, Copy)]
pub(super) struct Handler(pub(super) fn(&mut Burst<'_>, &mut Memory, Carried, usize) -> u32);

/// The results that handlers pass on: the last, and the one before it.
#[derive(Clone, Copy)]
pub(super) struct Carried {
    older: u32,
    last: u32,
}

/// Where a handler finds the sources of an instruction: in a register, or so many results back. The first source in the
/// low three bits, the second above.
pub(super) const fn from(first: u8, second: u8) -> u8 {
    first | second << 3
}

/// The results at hand; the last is first.
type Results = [u32; DEPTH];

impl Carried {
    #[inline(always)]
    fn results(self) -> Results {
        [self.last, self.older, 0, 0, 0]
    }

    #[inline(always)]
    fn new(results: Results) -> Carried {
        Carried {
            older: results[1],
            last: results[0],
        }
    }
}

/// One instruction; E says where it finds its sources.
pub(super) fn one<const A: u8, const E: u8, const PAGED: bool>(
    burst: &mut Burst<'_>,
    memory: &mut Memory,
    carried: Carried,
    at: usize,
) -> u32 {
    last::<A, E, PAGED>(burst, memory, carried.results(), at % WORDS)
}

/// Two instructions.
pub(super) fn two<const A: u8, const B: u8, const E: u8, const F: u8, const PAGED: bool>(
    burst: &mut Burst<'_>,
    memory: &mut Memory,
    carried: Carried,
    at: usize,
) -> u32 {
    let at = at % WORDS;
    let r = carried.results();
    let Some(r) = straight::<A, E, PAGED>(burst, memory, r, at) else {
        return aside::<A>(burst, memory, r, at);
    };
    last::<B, F, PAGED>(burst, memory, r, at + 1)
}

/// Three instructions.
pub(super) fn three<
    const A: u8,
    const B: u8,
    const C: u8,
    const E: u8,
    const F: u8,
    const G: u8,
    const PAGED: bool,
>(
    burst: &mut Burst<'_>,
    memory: &mut Memory,
    carried: Carried,
    at: usize,
) -> u32 {
    let at = at % WORDS;
    let r = carried.results();
    let Some(r) = straight::<A, E, PAGED>(burst, memory, r, at) else {
        return aside::<A>(burst, memory, r, at);
    };
    let Some(r) = straight::<B, F, PAGED>(burst, memory, r, at + 1) else {
        return aside::<B>(burst, memory, r, at + 1);
    };
    last::<C, G, PAGED>(burst, memory, r, at + 2)
}

/// Four instructions.
pub(super) fn four<
    const A: u8,
    const B: u8,
    const C: u8,
    const D: u8,
    const E: u8,
    const F: u8,
    const G: u8,
    const H: u8,
    const PAGED: bool,
>(
    burst: &mut Burst<'_>,
    memory: &mut Memory,
    carried: Carried,
    at: usize,
) -> u32 {
    let at = at % WORDS;
    let r = carried.results();
    let Some(r) = straight::<A, E, PAGED>(burst, memory, r, at) else {
        return aside::<A>(burst, memory, r, at);
    };
    let Some(r) = straight::<B, F, PAGED>(burst, memory, r, at + 1) else {
        return aside::<B>(burst, memory, r, at + 1);
    };
    let Some(r) = straight::<C, G, PAGED>(burst, memory, r, at + 2) else {
        return aside::<C>(burst, memory, r, at + 2);
    };
    last::<D, H, PAGED>(burst, memory, r, at + 3)
}

/// The values of the source registers.
#[inline(always)]
fn sources<const F: u8>(burst: &Burst<'_>, entry: &Operands, results: Results) -> (u32, u32) {
    let source = |from: u8, register: Register| match from {
        0 => burst.x[register as usize],
        back => results[back as usize - 1],
    };
    (source(F & 7, entry.rs1), source(F >> 3, entry.rs2))
}

/// Executes an instruction, and puts its result, if it has one, before the others. `None`, and nothing has happened, if
/// memory does not answer, or a branch is taken.
#[inline(always)]
fn straight<const OP: u8, const F: u8, const PAGED: bool>(
    burst: &mut Burst<'_>,
    memory: &mut Memory,
    results: Results,
    at: usize,
) -> Option<Results> {
    let entry = &burst.page.operands[at];
    let op = const { OPS[OP as usize].op };
    let (a, b) = sources::<F>(burst, entry, results);
    if let Some(taken) = condition(op, a, b) {
        return (!taken).then_some(results);
    }
    let value = match op {
        Op::Sb | Op::Sh | Op::Sw => {
            store::<OP, PAGED>(burst, memory, a.wrapping_add(entry.imm as u32), b)?;
            None
        }
        Op::Lb | Op::Lh | Op::Lw | Op::Lbu | Op::Lhu => Some(load::<OP, PAGED>(
            burst,
            memory,
            a.wrapping_add(entry.imm as u32),
        )?),
        _ => computed(op, a, b, entry.imm, burst.address(at)),
    };
    let Some(value) = value else {
        return Some(results);
    };
    burst.x[entry.rd as usize] = value;
    Some([value, results[0], results[1], results[2], results[3]])
}

/// Executes the last instruction of a handler, number `at`, and goes on.
#[inline(always)]
fn last<const OP: u8, const F: u8, const PAGED: bool>(
    burst: &mut Burst<'_>,
    memory: &mut Memory,
    results: Results,
    at: usize,
) -> u32 {
    let op = const { OPS[OP as usize].op };
    match op {
        Op::Jal => {
            link(burst, at);
            jump(burst, memory, Carried::new(results), at)
        }
        Op::Jalr => {
            let (a, _) = sources::<F>(burst, &burst.page.operands[at], results);
            indirect(burst, memory, a, at)
        }
        _ => match straight::<OP, F, PAGED>(burst, memory, results, at) {
            Some(results) => next(burst, memory, Carried::new(results), at + 1),
            None => aside::<OP>(burst, memory, results, at),
        },
    }
}

/// Does what is left to do of an instruction at which [`straight`] has ended.
#[inline(always)]
fn aside<const OP: u8>(burst: &mut Burst<'_>, memory: &mut Memory, results: Results, at: usize) -> u32 {
    if const { jumps(OPS[OP as usize].op) } {
        jump(burst, memory, Carried::new(results), at)
    } else {
        beyond::<OP>(burst, memory, at)
    }
}

/// Goes on with instruction number `at`, from the one before it.
#[inline(always)]
fn next(burst: &mut Burst<'_>, memory: &mut Memory, carried: Carried, at: usize) -> u32 {
    (burst.page.handlers[at].0)(burst, memory, carried, at)
}

/// Begins with instruction number `at`, in the page.
pub(super) fn begin(burst: &mut Burst<'_>, memory: &mut Memory, at: usize) -> u32 {
    let at = at % WORDS;
    let [last, older] = burst.page.carried[at].map(|register| burst.x[register as usize]);
    (burst.page.heads[at].0)(burst, memory, Carried { older, last }, at)
}

/// Goes on with instruction number `at` where the results at hand are not those that it wants.
pub(super) fn enter(burst: &mut Burst<'_>, memory: &mut Memory, _: Carried, at: usize) -> u32 {
    begin(burst, memory, at)
}

/// The link of a jump, if it wants one.
#[inline(always)]
fn link(burst: &mut Burst<'_>, at: usize) {
    let rd = burst.page.operands[at].rd;
    if rd != Register::X0 {
        burst.x[rd as usize] = burst.address(at + 1);
    }
}

/// Takes the direct jump number `at`.
#[inline(always)]
fn jump(burst: &mut Burst<'_>, memory: &mut Memory, carried: Carried, at: usize) -> u32 {
    if burst.page.jumps[at].count.first() {
        return first_jump(burst, memory, carried, at);
    }
    jump_on(burst, memory, carried, at)
}

/// As [`jump`], the first time since the census was settled.
#[cold]
#[inline(never)]
fn first_jump(burst: &mut Burst<'_>, memory: &mut Memory, carried: Carried, at: usize) -> u32 {
    let at = at % WORDS;
    burst.census.jumped(at);
    jump_on(burst, memory, carried, at)
}

/// Goes on where jump number `at` leads, if what it leaves of the budget suffices for what is executed before the next
/// one.
#[inline(always)]
fn jump_on(burst: &mut Burst<'_>, memory: &mut Memory, carried: Carried, at: usize) -> u32 {
    let page = burst.page;
    let jump = &page.jumps[at];
    burst.slack += jump.slack();
    if burst.slack < 0 {
        return burst.leave(jump.target());
    }
    (page.leads[at].0)(burst, memory, carried, jump.target())
}

/// Takes the indirect jump number `at`, with this value in its source register, if it stays in the page.
#[inline(always)]
fn indirect(burst: &mut Burst<'_>, memory: &mut Memory, a: u32, at: usize) -> u32 {
    let page = burst.page;
    let offset = (a.wrapping_add(page.operands[at].imm as u32) & !1).wrapping_sub(burst.start);
    if offset >= PAGE || offset & 3 != 0 {
        return burst.leave(at);
    }
    let target = offset as usize / 4;
    let (first, first_there) = (page.jumps[at].count.first(), page.arrivals[target].first());
    if first || first_there {
        return first_indirect(burst, memory, at, target);
    }
    indirect_on(burst, memory, at, target)
}

/// As [`indirect`], the first time from or to there since the census was settled.
#[cold]
#[inline(never)]
fn first_indirect(burst: &mut Burst<'_>, memory: &mut Memory, at: usize, target: usize) -> u32 {
    let (at, target) = (at % WORDS, target % WORDS);
    if burst.page.jumps[at].count.is_one() {
        burst.census.jumped(at);
    }
    if burst.page.arrivals[target].is_one() {
        burst.census.arrived(target);
    }
    indirect_on(burst, memory, at, target)
}

/// Goes on with instruction number `target`, where the indirect jump number `at` leads.
#[inline(always)]
fn indirect_on(burst: &mut Burst<'_>, memory: &mut Memory, at: usize, target: usize) -> u32 {
    link(burst, at);
    // Nothing is reached from here without a jump.
    burst.slack += target as i64 - i64::from(burst.page.ends[target]);
    if burst.slack < 0 {
        return burst.leave(target);
    }
    begin(burst, memory, target)
}

/// What the interpreter does one at a time.
pub(super) fn apart(burst: &mut Burst<'_>, _: &mut Memory, _: Carried, at: usize) -> u32 {
    burst.leave(at)
}

/// Instruction number `at` is a load or store that the memory at hand has not answered.
#[inline(never)]
fn beyond<const OP: u8>(burst: &mut Burst<'_>, memory: &mut Memory, at: usize) -> u32 {
    let at = at % WORDS;
    match slowly::<OP>(burst, memory, at) {
        Next::On if at + 1 < WORDS => begin(burst, memory, at + 1),
        Next::On | Next::After => burst.leave(at + 1),
        Next::Before => burst.leave(at),
    }
}
