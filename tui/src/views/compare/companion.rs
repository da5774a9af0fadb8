//! A companion: the same guest under another mode, kept at the same instruction.

use std::sync::Arc;

use scenarios::Scenario;
use vmm_core::check::checked::{Checked, Judged, Pursued, Terms};
use vmm_core::check::equivalence::{Divergence, Grain};
use vmm_core::check::fuel::Fuel;
use vmm_core::engine::EngineName;
use vmm_core::mode::ModeName;
use vmm_core::timeline::{Goal, Progress, Timeline};

/// Attempts in a slice of work.
const SLICE: u64 = 1 << 17;

/// Steps, at most, that are made to catch up with a guest that traps before its next instruction retires.
const TRAPS: usize = 16;

/// Whether a mode does what the bare machine does.
pub(super) enum Likeness {
    /// Not known yet.
    Checking(Box<Checked>),
    /// It does, and what was compared.
    Kept(String),
    /// It does not.
    Parted(Box<Parting>),
    /// Nobody can say, and why.
    Unknown(String),
}

/// Where a mode leaves the path of the bare machine.
pub(super) struct Parting {
    /// Where, and what differs.
    pub(super) divergence: Divergence,
    /// The same in a sentence, with the hole that made the difference.
    pub(super) detail: String,
    /// How many instructions have retired right after it, as soon as somebody has looked.
    pub(super) retired: Option<u64>,
}

/// The guest under a mode.
pub(super) struct Companion {
    pub(super) mode: ModeName,
    pub(super) timeline: Timeline,
    pub(super) likeness: Likeness,
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

/// Begins to hold a mode to the bare machine.
pub(super) fn check(scenario: &Scenario, mode: ModeName, engine: EngineName) -> Likeness {
    let terms = Terms {
        engine,
        budget: scenario.budget,
        grain: Grain::SyncPoints,
        now: || 0,
    };
    match Checked::new(&scenario.setup, mode, terms) {
        Ok(checked) => Likeness::Checking(Box::new(checked)),
        Err(error) => Likeness::Unknown(error.to_string()),
    }
}

impl Likeness {
    /// A slice of the check; whether there was something to do.
    pub(super) fn work(&mut self) -> bool {
        match std::mem::replace(self, Likeness::Unknown(String::new())) {
            Likeness::Checking(checked) => {
                *self = match checked.pursue(&mut Fuel::new(SLICE)) {
                    Ok(Pursued::Working(checked)) => Likeness::Checking(checked),
                    Ok(Pursued::Over(judged)) => Likeness::of(&judged),
                    Err(error) => Likeness::Unknown(error.to_string()),
                };
                true
            }
            known => {
                *self = known;
                false
            }
        }
    }

    fn of(judged: &Judged) -> Likeness {
        let verdict = &judged.verdict.equivalence;
        let first = judged
            .findings
            .as_ref()
            .and_then(|findings| findings.first.clone());
        match (verdict.known && verdict.holds, first) {
            (_, Some(divergence)) => Likeness::Parted(Box::new(Parting {
                divergence,
                detail: verdict.detail.clone(),
                retired: None,
            })),
            (true, None) => Likeness::Kept(verdict.detail.clone()),
            (_, None) => Likeness::Unknown(verdict.detail.clone()),
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
            likeness: check(scenario, mode, engine),
            mode,
            timeline,
        })
    }

    /// Sets out for where the others are; no further than to where it parts from them.
    pub(super) fn follow(&mut self, wanted: Target) {
        self.target = wanted;
        if let Likeness::Parted(parting) = &mut self.likeness {
            if parting.retired.is_none() {
                parting.retired = Some(parting_place(&mut self.timeline, parting.divergence.clock));
            }
            let last = parting.retired.unwrap_or(u64::MAX);
            self.target.retired = wanted.retired.min(last);
        }
        if Target::of(&self.timeline) != self.target {
            self.timeline.begin(Goal::Instruction(self.target.retired));
        }
    }

    /// Whether it stands where it parts from the others.
    pub(super) fn has_parted(&self) -> bool {
        match &self.likeness {
            Likeness::Parted(parting) => parting
                .retired
                .is_some_and(|last| self.timeline.retired() >= last),
            _ => false,
        }
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
