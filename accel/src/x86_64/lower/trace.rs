//! Which instructions make a block: a trace, the way that execution will probably take from an address on.
//!
//! A trace goes on behind a branch that leads forward, and where one that leads backward goes to; it follows calls and
//! jumps whose targets are known. It stays in one page. One that leads back to its beginning is repeated until it is
//! long enough that what is paid once for each pass does not matter.

use toy_isa::instruction::Instruction;
use toy_isa::machine::Tally;
use toy_isa::mmu::PAGE;
use toy_isa::table::Op;

use super::super::layout::{LANES, MARKED, VECTORS, lane};

/// Instructions in a trace, at most.
pub(in super::super) const LONGEST: usize = 48;

/// An instruction of a trace.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Step {
    /// Its address.
    pub(in super::super) at: u32,
    pub(in super::super) insn: Instruction,
    pub(in super::super) goes: Goes,
    /// A tally counts it.
    pub(in super::super) marked: bool,
}

/// Where execution goes from an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Goes {
    /// To the next step.
    On,
    /// To the next step; or, if the branch is taken, to one behind it.
    Skip(usize),
    /// To the next step; or, if the branch is taken, out of the trace.
    OutIfTaken,
    /// To the next step, where the branch leads; or, if it is not taken, out of the trace.
    OutIfNot,
    /// To the trace's beginning; or, if it is a branch that is not taken, out.
    Back,
    /// Out of the trace.
    Out,
}

/// Instructions in the order in which they are probably executed.
#[derive(Debug)]
pub(in super::super) struct Trace {
    pub(in super::super) start: u32,
    pub(in super::super) steps: Vec<Step>,
    /// Where execution goes from the last step if that does not say it.
    pub(in super::super) next: u32,
    /// The instruction there is for emitted code, too.
    pub(in super::super) more: bool,
}

impl Trace {
    /// The trace from `start` on. `decode` gives the instruction at an address of the page, if it is one.
    pub(in super::super) fn form(
        start: u32,
        decode: impl Fn(u32) -> Option<Instruction>,
        tally: Option<&Tally>,
    ) -> Trace {
        let mut trace = Trace {
            start,
            steps: Vec::new(),
            next: start,
            more: true,
        };
        while trace.steps.len() < LONGEST && near(start, trace.next) && trace.find(trace.next).is_none() {
            let at = trace.next;
            let Some(insn) = decode(at).filter(|insn| lowers(*insn, at)) else {
                trace.more = false;
                break;
            };
            let target = at.wrapping_add(insn.imm as u32);
            trace.next = at.wrapping_add(4);
            let known = near(start, target) && trace.find(target).is_some();
            let goes = match insn.op {
                Op::Jalr => Goes::Out,
                op if !ends(op) => Goes::On,
                _ if target == start => Goes::Back,
                Op::Jal if known || !near(start, target) => Goes::Out,
                Op::Jal => Goes::On,
                _ if target > at => Goes::OutIfTaken,
                _ if known || !near(start, target) => Goes::Out,
                _ => Goes::OutIfNot,
            };
            if goes == Goes::OutIfNot || goes == Goes::On && insn.op == Op::Jal {
                trace.next = target;
            }
            let marked = tally.is_some_and(|tally| tally.counts(at));
            trace.steps.push(Step {
                at,
                insn,
                goes,
                marked,
            });
            if matches!(goes, Goes::Back | Goes::Out) {
                break;
            }
        }
        trace.repeat();
        trace.skip();
        trace
    }

    /// Whether it leads back to its beginning.
    pub(in super::super) fn is_loop(&self) -> bool {
        self.steps.last().is_some_and(|last| last.goes == Goes::Back)
    }

    fn find(&self, address: u32) -> Option<usize> {
        self.steps.iter().position(|step| step.at == address)
    }

    /// Appends a loop to itself.
    fn repeat(&mut self) {
        let length = self.steps.len();
        if !self.is_loop() {
            return;
        }
        for _ in 1..(LONGEST / length).min(MOST_TURNS) {
            let last = self.steps.len() - 1;
            let turn = &mut self.steps[last];
            turn.goes = if turn.insn.op == Op::Jal {
                Goes::On
            } else {
                Goes::OutIfNot
            };
            self.steps.extend_from_within(..length);
            let last = self.steps.len() - 1;
            self.steps[last].goes = Goes::Back;
        }
    }

    /// Finds the branches that lead to a later step.
    fn skip(&mut self) {
        for index in 0..self.steps.len() {
            let Step { at, insn, goes, .. } = self.steps[index];
            let target = at.wrapping_add(insn.imm as u32);
            let later = self.steps[index + 1..].iter().position(|step| step.at == target);
            if let (Goes::OutIfTaken, Some(distance)) = (goes, later) {
                self.steps[index].goes = Goes::Skip(index + 1 + distance);
            }
        }
    }
}

/// What is added to the lanes.
pub(in super::super) type Composition = [[u16; LANES]; VECTORS];

/// What steps add to the lanes.
pub(in super::super) fn composition(steps: &[Step]) -> Composition {
    let mut vectors = [[0; LANES]; VECTORS];
    for step in steps {
        step.count(&mut vectors);
    }
    vectors
}

impl Step {
    fn count(&self, vectors: &mut Composition) {
        let marked = self.marked.then_some(MARKED);
        for lane in lane(self.insn.op).into_iter().chain(marked) {
            vectors[lane / LANES][lane % LANES] += 1;
        }
    }
}

/// What the first steps add to the lanes, by their number.
pub(super) fn prefixes(steps: &[Step]) -> Vec<Composition> {
    let mut sum = Composition::default();
    let mut prefixes = vec![sum];
    for step in steps {
        step.count(&mut sum);
        prefixes.push(sum);
    }
    prefixes
}

/// How often a loop is repeated, at most.
const MOST_TURNS: usize = 8;

/// Whether both are in one page.
pub(super) fn near(a: u32, b: u32) -> bool {
    a / PAGE == b / PAGE
}

/// Whether the instruction at `at` can be part of a trace.
fn lowers(insn: Instruction, at: u32) -> bool {
    let target = at.wrapping_add(insn.imm as u32);
    match insn.op {
        Op::Jalr => true,
        op if ends(op) => target & 3 == 0,
        op => lane(op).is_some(),
    }
}

/// Whether it may go elsewhere than to the next.
fn ends(op: Op) -> bool {
    matches!(
        op,
        Op::Jal | Op::Jalr | Op::Beq | Op::Bne | Op::Blt | Op::Bge | Op::Bltu | Op::Bgeu
    )
}
