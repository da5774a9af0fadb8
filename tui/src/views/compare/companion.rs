//! A companion: the same guest under another mode, kept at the same instruction.

use std::sync::Arc;

use scenarios::Scenario;
use vmm_core::check::equivalence::Divergence;
use vmm_core::engine::EngineName;
use vmm_core::mode::ModeName;
use vmm_core::timeline::{Goal, Progress, Timeline};

/// Attempts in a slice of work.
const SLICE: u64 = 1 << 17;

/// Steps, at most, that are made to catch up with a guest that traps before its next instruction retires.
const TRAPS: usize = 16;

/// The guest under a mode.
pub(super) struct Companion {
    pub(super) mode: ModeName,
    pub(super) timeline: Timeline,
    /// After how many instructions it has left the path of the bare machine, as soon as somebody has looked.
    pub(super) parting: Option<u64>,
    /// Where it is to be.
    target: Target,
}

/// Where a guest stands: after so many instructions, and with this program counter in this ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) retired: u64,
    pub(super) pc: u32,
    pub(super) ring: u32,
}

impl Target {
    /// Where the guest of a timeline stands.
    pub(super) fn of(timeline: &Timeline) -> Target {
        let guest = timeline.run().guest();
        Target {
            retired: guest.pace.retired(),
            pc: guest.hart.pc,
            ring: guest.hart.ring(),
        }
    }
}

impl Companion {
    /// A guest at power-on.
    ///
    /// # Errors
    /// In words, if the mode cannot run it.
    pub(super) fn new(
        scenario: &Arc<Scenario>,
        mode: ModeName,
        engine: EngineName,
    ) -> Result<Companion, String> {
        let timeline = Timeline::new(&scenario.setup, mode, engine, scenario.budget);
        let timeline = timeline.map_err(|error| error.to_string())?;
        Ok(Companion {
            target: Target::of(&timeline),
            parting: None,
            mode,
            timeline,
        })
    }

    /// Sets out for where the others are; no further than to where it is known to part from them.
    pub(super) fn follow(&mut self, wanted: Target, parted: Option<&Divergence>) {
        self.target = wanted;
        if let Some(divergence) = parted {
            let timeline = &mut self.timeline;
            let last = *self
                .parting
                .get_or_insert_with(|| parting_place(timeline, divergence.clock));
            self.target.retired = wanted.retired.min(last);
        }
        if Target::of(&self.timeline) != self.target {
            self.timeline.begin(Goal::Instruction(self.target.retired));
        }
    }

    /// Whether it stands where it parts from the others.
    pub(super) fn has_parted(&self) -> bool {
        self.parting.is_some_and(|last| self.timeline.retired() >= last)
    }

    /// A slice of its way; whether there was any.
    pub(super) fn work(&mut self) -> bool {
        if !self.timeline.pursues() {
            return false;
        }
        if self.timeline.pursue(SLICE) != Progress::Working {
            self.catch_up();
        }
        true
    }

    /// The guest may have trapped without that anything retired: it is where the others are when it has, too.
    fn catch_up(&mut self) {
        let begin = self.timeline.position();
        for _ in 0..TRAPS {
            let here = Target::of(&self.timeline);
            if here == self.target {
                return;
            }
            if here.retired != self.target.retired || self.timeline.ended().is_some() {
                break;
            }
            self.timeline.step();
        }
        self.timeline.go(Goal::Position(begin));
    }
}

/// How many instructions have retired right after the clock of a divergence.
fn parting_place(timeline: &mut Timeline, clock: u64) -> u64 {
    // Ticks that were skipped count for the clock alone; so the place is not beyond it.
    let (mut before, mut after) = (0, clock + 1);
    while before < after {
        let middle = before + (after - before).div_ceil(2);
        timeline.go(Goal::Instruction(middle));
        let here = timeline.run().guest().pace;
        match here.retired() == middle && here.clock <= clock + 1 {
            true => before = middle,
            false => after = middle - 1,
        }
    }
    before
}
