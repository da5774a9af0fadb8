//! Looking at rows, in slices, and remembering what was seen.

use std::collections::HashMap;

use toy_isa::profile::{Behaviour, Profile, ProfileName};
use toy_isa::row::Row;
use toy_isa::trap::Trap;

use super::class::Declaration;
use super::domain::families;
use super::observe::{Observed, Trial};
use super::sample::{Sample, samples};
use super::state::{State, ring32};
use super::{Classification, RowReport};

/// A look at one row: it is run in all situations, one sample after the other.
struct Look {
    samples: Vec<Sample>,
    next: usize,
    observed: Observed,
}

impl Look {
    fn at(row: Row) -> Look {
        Look {
            samples: samples(row),
            next: 0,
            observed: Observed::default(),
        }
    }

    /// Goes on for so many steps, about; whether it is over.
    fn pursue(&mut self, step: &impl Fn(&State) -> Result<State, Trap>, steps: &mut u64) -> bool {
        while *steps > 0 {
            let Some(sample) = self.samples.get(self.next) else {
                return true;
            };
            let before = self.observed.steps;
            self.observed.try_sample(step, sample);
            self.next += 1;
            *steps = steps.saturating_sub(self.observed.steps - before);
        }
        self.next == self.samples.len()
    }
}

/// Runs a row in all situations and looks at what becomes of them.
pub(super) fn observe(step: &impl Fn(&State) -> Result<State, Trap>, row: Row) -> Observed {
    let mut observed = Observed::default();
    let tried = samples(row);
    tried.iter().for_each(|sample| observed.try_sample(step, sample));
    observed
}

impl Observed {
    fn try_sample(&mut self, step: &impl Fn(&State) -> Result<State, Trap>, sample: &Sample) {
        let (first, end) = sample.families;
        for family in &families()[first..end] {
            let trials: Vec<Trial> = family
                .iter()
                .map(|situation| Trial::new(step, situation, sample))
                .collect();
            self.steps += 4 * trials.len() as u64;
            trials.iter().for_each(|trial| self.one_situation(trial));
            (0..4).for_each(|ring| self.across_situations(&trials, ring));
        }
    }
}

/// What decides on what is seen of a row of Ring32.
type Key = (ProfileName, Row, Behaviour);

/// What was seen of rows of Ring32. Most rows are the same on most machines, and are looked at once.
#[derive(Default)]
pub struct Known {
    rows: HashMap<Key, RowReport>,
    look: Option<(Key, Look)>,
}

impl Known {
    /// Goes on looking at the rows of this profile, for so many steps, about; whether all of them are known.
    pub fn pursue(&mut self, profile: &Profile, mut steps: u64) -> bool {
        for row in Row::all() {
            let key = key(profile, row);
            if self.rows.contains_key(&key) {
                continue;
            }
            let begun = self.look.take().filter(|(of, _)| *of == key);
            let mut look = begun.map_or_else(|| Look::at(row), |(_, look)| look);
            if !look.pursue(&ring32(profile), &mut steps) {
                self.look = Some((key, look));
                return false;
            }
            let report = RowReport {
                row,
                declared: Declaration::of(row, profile),
                observed: look.observed,
            };
            self.rows.insert(key, report);
        }
        true
    }

    /// The row on this profile, if it is known.
    pub fn row(&self, profile: &Profile, row: Row) -> Option<&RowReport> {
        self.rows.get(&key(profile, row))
    }

    /// All rows of this profile, in the order of the table, if they are known.
    pub fn classification(&self, profile: &Profile) -> Option<Classification> {
        let rows = Row::all().map(|row| self.row(profile, row).cloned());
        Some(Classification {
            rows: rows.collect::<Option<_>>()?,
        })
    }

    /// The same, after looking at those that are not.
    pub fn classify(&mut self, profile: &Profile) -> Classification {
        loop {
            self.pursue(profile, u64::MAX);
            if let Some(found) = self.classification(profile) {
                return found;
            }
        }
    }
}

fn key(profile: &Profile, row: Row) -> Key {
    (profile.base(), row, profile.behaviour(row))
}
