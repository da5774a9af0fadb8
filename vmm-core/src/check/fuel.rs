//! Slices: a check can be done in parts, so that who has no other thread can do something else in between.

use crate::run::{Run, Stop};
use crate::setup::Setup;

/// What is left of a slice, in attempts at an instruction, about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fuel(u64);

/// A comparison of two states, in attempts that take as long, about.
const COMPARISON: u64 = 64;

/// The most attempts for which a guest is resumed at once: more than a monitor ever resumes it for, so that what is
/// done in slices is exactly what is done without. Only a guest that nobody can stop gets to feel it.
const PIECE: u64 = 2 * Setup::QUANTUM;

impl Fuel {
    /// For a slice of so many attempts.
    pub fn new(attempts: u64) -> Fuel {
        Fuel(attempts)
    }

    /// Enough for everything.
    pub fn endless() -> Fuel {
        Fuel(u64::MAX)
    }

    /// Whether the slice is over.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn compare(&mut self) {
        self.spend(COMPARISON);
    }

    fn spend(&mut self, attempts: u64) {
        self.0 = self.0.saturating_sub(attempts);
    }
}

/// As [`Run::advance`] with what is left of the budget; `None` if the fuel was used up before.
pub(crate) fn advance(run: &mut Run, budget: u64, fuel: &mut Fuel) -> Option<Stop> {
    while !fuel.is_empty() {
        let before = run.machine().attempts;
        let stop = run.turn(budget.saturating_sub(before).min(PIECE));
        // A turn of the monitor alone takes time, too.
        fuel.spend((run.machine().attempts - before).max(1));
        if stop.is_some() {
            return stop;
        }
    }
    None
}
