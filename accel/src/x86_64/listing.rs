//! What the engine holds, for people: see [`crate::HostCode`].

use super::Translator;
use super::cache::Cache;
use super::gate::Process;
use super::layout::home;
use super::lower::trace::Trace;
use super::lower::{Leave, Mark, Memory};
use crate::{HostBlock, HostCode, HostPart, Purpose};

/// A block as it was laid down.
pub(super) struct Kept {
    pub(super) frame: u32,
    pub(super) memory: Memory,
    /// Its number.
    pub(super) block: u32,
    pub(super) origin: usize,
    pub(super) length: usize,
    pub(super) marks: Vec<Mark>,
}

impl Translator<Process> {
    /// From now on, remembers of each block what its code is for, and [`X86_64::code`] has it.
    pub(super) fn keep_listing(&mut self) {
        self.forget_code();
        self.cache.kept.get_or_insert_default();
    }

    /// The blocks that the engine holds and was asked to remember, without those that it has forgotten.
    pub(super) fn code(&self) -> HostCode {
        let homes = (1..16).filter_map(|x| Some((x, home(x)?)));
        let kept = self.cache.kept.iter().flatten();
        let mut blocks: Vec<HostBlock> = kept.filter_map(|kept| self.cache.listed(kept)).collect();
        blocks.sort_by_key(|block| (block.start, block.origin));
        HostCode {
            homes: homes.collect(),
            ways_out: self.cache.ways_out(),
            blocks,
        }
    }
}

impl Cache {
    fn listed(&self, kept: &Kept) -> Option<HostBlock> {
        let trace = self.traces.get(kept.block as usize)?;
        let start = trace.steps.first()?.at;
        self.holds(kept.frame, start, kept.memory, kept.origin)
            .then(|| HostBlock {
                start,
                paged: kept.memory == Memory::Paged,
                origin: kept.origin,
                code: self.memory.read(kept.origin, kept.length),
                parts: kept.marks.iter().map(|mark| part(trace, *mark)).collect(),
            })
    }
}

fn part(trace: &Trace, mark: Mark) -> HostPart {
    let (at, what) = match mark {
        Mark::Enter(at) => (at, Purpose::Enter),
        Mark::Step(at, index, cautious) => {
            let (address, insn) = (trace.steps[index].at, trace.steps[index].insn);
            let what = Purpose::Instruction {
                address,
                insn,
                cautious,
            };
            (at, what)
        }
        Mark::Behind(at) => (at, Purpose::Behind),
        Mark::Branch(at, index) => (at, Purpose::Branch(trace.steps[index].at)),
        Mark::Stub(at, leave) => (at, purpose(trace, leave)),
    };
    HostPart { at, what }
}

fn purpose(trace: &Trace, leave: Leave) -> Purpose {
    match leave {
        Leave::Unknown => Purpose::Unknown,
        Leave::Budget => Purpose::Budget,
        Leave::Before { index, .. } => {
            let step = trace.steps.get(usize::from(index));
            Purpose::Before(step.map_or(trace.next, |step| step.at))
        }
        Leave::To { target, .. } => Purpose::To(target),
    }
}
