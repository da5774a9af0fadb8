//! What the checker says of the session's guest, mode by mode. It runs the guest beside the bare machine, from power-on
//! to the end, in slices; each mode once, whichever view asks.

use std::sync::Arc;

use scenarios::Scenario;
use toy_isa::row::Row;
use vmm_core::check::Verdicts;
use vmm_core::check::checked::{Checked, Judged, Pursued, Terms};
use vmm_core::check::equivalence::{Divergence, Grain};
use vmm_core::check::fuel::Fuel;
use vmm_core::engine::EngineName;
use vmm_core::mode::ModeName;
use vmm_core::numbers::counted;

/// Attempts in a slice of work.
const SLICE: u64 = 1 << 16;

/// What is known of the guest's modes.
#[derive(Default)]
pub(super) struct Checks {
    scenario: Option<Arc<Scenario>>,
    known: Vec<(ModeName, Check)>,
}

/// A checked run.
pub(super) enum Check {
    /// It is not at its end.
    Working(Box<Checked>),
    /// It is.
    Over(Box<Told>),
    /// It could not be done, and why.
    Failed(String),
}

/// What came of it.
pub(super) struct Told {
    pub(super) verdicts: Verdicts,
    /// How the guest ended.
    pub(super) end: String,
    /// Where it left the path of the bare machine, if it did.
    pub(super) parted: Option<Divergence>,
    /// The holes that it fell into.
    pub(super) holes: Vec<Row>,
}

impl Told {
    fn new(judged: Judged) -> Told {
        let retired = judged.run.guest().pace.retired();
        let retired = counted(retired, "instruction", "instructions");
        let (parted, holes) = judged
            .findings
            .map(|findings| (findings.first, findings.holes))
            .unwrap_or_default();
        Told {
            verdicts: judged.verdict,
            end: format!("after {retired}: {}", judged.end),
            parted,
            holes: holes.into_iter().map(|hole| hole.row).collect(),
        }
    }
}

impl Checks {
    /// Begins to check the guest under a mode, if nobody has.
    pub(super) fn gather(&mut self, scenario: &Arc<Scenario>, mode: ModeName, engine: EngineName) {
        let same = |known: &Arc<Scenario>| Arc::ptr_eq(known, scenario);
        if !self.scenario.as_ref().is_some_and(same) {
            *self = Checks {
                scenario: Some(Arc::clone(scenario)),
                known: Vec::new(),
            };
        }
        if self.of(mode).is_none() {
            self.known.push((mode, Check::new(scenario, mode, engine)));
        }
    }

    /// What is known of a mode.
    pub(super) fn of(&self, mode: ModeName) -> Option<&Check> {
        let (_, check) = self.known.iter().find(|(known, _)| *known == mode)?;
        Some(check)
    }

    /// Whether there is something to do for a mode.
    pub(super) fn busy(&self, mode: ModeName) -> bool {
        matches!(self.of(mode), Some(Check::Working(_)))
    }

    /// Does a slice of it, if there is.
    pub(super) fn work(&mut self, mode: ModeName) {
        if let Some((_, check)) = self.known.iter_mut().find(|(known, _)| *known == mode) {
            check.work();
        }
    }
}

impl Check {
    fn new(scenario: &Scenario, mode: ModeName, engine: EngineName) -> Check {
        let terms = Terms {
            engine,
            budget: scenario.budget,
            grain: Grain::SyncPoints,
            now: || 0,
        };
        match Checked::new(&scenario.setup, mode, terms) {
            Ok(checked) => Check::Working(Box::new(checked)),
            Err(error) => Check::Failed(error.to_string()),
        }
    }

    fn work(&mut self) {
        *self = match std::mem::replace(self, Check::Failed(String::new())) {
            Check::Working(checked) => match checked.pursue(&mut Fuel::new(SLICE)) {
                Ok(Pursued::Working(checked)) => Check::Working(checked),
                Ok(Pursued::Over(judged)) => Check::Over(Box::new(Told::new(*judged))),
                Err(error) => Check::Failed(error.to_string()),
            },
            known => known,
        };
    }

    /// The first hole that the guest fell into, if it did.
    pub(super) fn hole(&self) -> Option<Row> {
        match self {
            Check::Over(told) => told.holes.first().copied(),
            Check::Working(_) | Check::Failed(_) => None,
        }
    }

    /// Where the guest leaves the path of the bare machine, if that is known and it does.
    pub(super) fn parted(&self) -> Option<&Divergence> {
        match self {
            Check::Over(told) => told.parted.as_ref(),
            Check::Working(_) | Check::Failed(_) => None,
        }
    }
}
