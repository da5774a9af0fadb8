//! Whole runs: guests under the modes that a tour speaks of, from power-on to their end.

use vmm_core::check::Verdicts;
use vmm_core::check::equivalence::Grain;
use vmm_core::check::report::{self, Options};
use vmm_core::counts::Counts;
use vmm_core::engine::EngineName;
use vmm_core::mode::ModeName;
use vmm_core::price::PriceList;
use vmm_core::run::{Run, Stop};
use vmm_core::setup::StartError;

use super::Tour;
use super::figure::Reading;

/// A run to its end.
#[derive(Clone, Debug)]
pub(super) struct Whole {
    /// What it came to.
    pub(super) reading: Reading,
    /// What the bare machine came to with the same guest.
    pub(super) bare: Counts,
    /// The three properties, if they were checked.
    pub(super) verdicts: Option<Verdicts>,
}

/// The whole runs of a tour, made in slices, so that nothing waits for them.
#[derive(Default)]
pub struct Wholes {
    /// Scenes and modes that the tour speaks of, the bare machine before the others of its scene.
    wanted: Vec<(usize, ModeName)>,
    made: Vec<Whole>,
    current: Option<Run>,
}

impl Wholes {
    /// Those of this tour, none of them begun.
    pub fn new(tour: &Tour) -> Wholes {
        Wholes {
            wanted: tour.wholes.clone(),
            made: Vec::new(),
            current: None,
        }
    }

    /// Whether some are not made yet.
    pub fn busy(&self) -> bool {
        self.made.len() < self.wanted.len()
    }

    /// Goes on by `fuel` attempts at an instruction.
    ///
    /// # Errors
    /// If the host does not have what the next one needs.
    pub fn pursue(&mut self, tour: &Tour, fuel: u64) -> Result<(), StartError> {
        let Some((scene, mode)) = self.wanted.get(self.made.len()).copied() else {
            return Ok(());
        };
        let scenario = &tour.scenes[scene];
        let run = match &mut self.current {
            Some(run) => run,
            none => none.insert(Run::new(&scenario.setup, mode, EngineName::default())?),
        };
        let deadline = run.machine().attempts.saturating_add(fuel).min(scenario.budget);
        loop {
            match run.advance(deadline.saturating_sub(run.machine().attempts)) {
                Stop::Sync(_) => {}
                Stop::Fuel if run.machine().attempts < scenario.budget => return Ok(()),
                Stop::Fuel | Stop::End(_) => break,
            }
        }
        let reading = Reading::of(run, run.log.records());
        let bare = self
            .of(scene, ModeName::Bare)
            .map(|bare| bare.reading.counts.clone());
        self.made.push(Whole {
            bare: bare.unwrap_or_else(|| reading.counts.clone()),
            reading,
            verdicts: None,
        });
        self.current = None;
        Ok(())
    }

    /// All of them at once, and checked against the bare machine.
    ///
    /// # Errors
    /// If the host does not have what one of them needs.
    pub fn checked(tour: &Tour) -> Result<Wholes, StartError> {
        let mut wholes = Wholes::new(tour);
        while wholes.busy() {
            wholes.pursue(tour, u64::MAX)?;
        }
        let prices = PriceList::textbook();
        for ((scene, mode), whole) in wholes.wanted.iter().zip(&mut wholes.made) {
            let scenario = &tour.scenes[*scene];
            let options = Options {
                engine: EngineName::default(),
                budget: scenario.budget,
                grain: Grain::SyncPoints,
                prices: &prices,
                now: || 0,
            };
            let report = report::compare(&scenario.setup, &[*mode], options)?.pop();
            whole.verdicts = report.map(|report| report.verdict);
        }
        Ok(wholes)
    }

    pub(super) fn of(&self, scene: usize, mode: ModeName) -> Option<&Whole> {
        let at = self.wanted.iter().position(|wanted| *wanted == (scene, mode))?;
        self.made.get(at)
    }
}
