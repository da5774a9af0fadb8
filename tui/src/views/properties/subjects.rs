//! The instruction sets that can be looked at, and what is known of them.

use std::sync::Arc;

use scenarios::machines;
use scenarios::subject::Subject;
use toy_isa::profile::{Profile, ProfileName};
use toy_isa::row::Row;
use vmm_core::classify::part::Reading;
use vmm_core::classify::region::Region;
use vmm_core::classify::{Classification, Known, LAYOUTS, RowReport, Theorems};
use vmm_core::modes::trap::Layout;

/// Steps in a slice of work.
const SLICE: u64 = 10_000;

/// Ways to judge: a reading of what is state, and a layout of the guest.
pub(super) const WAYS: [(Reading, Layout); 4] = [
    (Reading::Of1974, LAYOUTS[0]),
    (Reading::Of1974, LAYOUTS[1]),
    (Reading::Extended, LAYOUTS[0]),
    (Reading::Extended, LAYOUTS[1]),
];

/// Instruction sets, one of which is looked at.
#[derive(Default)]
pub(super) struct Subjects {
    running: Option<Arc<Profile>>,
    /// The running machine's first.
    all: Vec<Subject>,
    place: usize,
    known: Known,
    found: Option<Classification>,
}

impl Subjects {
    /// Begins to look at the instruction set of this machine, if another one was running.
    pub(super) fn gather(&mut self, profile: &Arc<Profile>) {
        if self.running.as_ref().is_some_and(|running| running == profile) {
            return;
        }
        let others = ProfileName::ALL.map(Subject::shipped).into_iter();
        let others = others.filter(|subject| subject.profile != **profile);
        let history = machines::names().filter_map(|name| Subject::of_history(name).ok());
        let own = std::iter::once(Subject::of(profile));
        self.all = own.chain(others).chain(history).collect();
        self.running = Some(Arc::clone(profile));
        self.show(0);
    }

    fn show(&mut self, place: usize) {
        self.place = place;
        let known = self.all.get(place);
        self.found = known.and_then(|subject| self.known.classification(&subject.profile));
    }

    /// Looks at another one, so many places further.
    pub(super) fn turn(&mut self, by: isize) {
        let count = self.all.len().max(1) as isize;
        self.show((self.place as isize + by).rem_euclid(count) as usize);
    }

    /// Looks at the one of this name.
    ///
    /// # Errors
    /// In words, if there is none.
    pub(super) fn choose(&mut self, name: &str) -> Result<(), String> {
        let place = self.all.iter().position(|subject| subject.name() == name);
        let names = || self.all.iter().map(Subject::name).collect::<Vec<_>>().join(" ");
        let place = place.ok_or_else(|| format!("'{name}' is no profile and no machine: {}", names()))?;
        self.show(place);
        Ok(())
    }

    /// The one that is looked at.
    pub(super) fn subject(&self) -> Option<&Subject> {
        self.all.get(self.place)
    }

    /// What it is called, and whether it is the running machine's.
    pub(super) fn name(&self) -> String {
        let name = self.subject().map(Subject::name).unwrap_or_default();
        match self.place {
            0 => format!("{name} (running)"),
            _ => name,
        }
    }

    /// What was found out about it, if it is known already.
    pub(super) fn found(&self) -> Option<&Classification> {
        self.found.as_ref()
    }

    /// How many of its rows were looked at, and of how many.
    pub(super) fn progress(&self) -> (usize, usize) {
        let seen = |subject: &Subject| {
            let rows = Row::all();
            rows.filter(|row| self.known.row(&subject.profile, *row).is_some())
                .count()
        };
        (self.subject().map_or(0, seen), Row::all().count())
    }

    /// Whether there is something to do.
    pub(super) fn busy(&self) -> bool {
        self.found.is_none() && self.subject().is_some()
    }

    /// Does a slice of it.
    pub(super) fn work(&mut self) {
        let Some(subject) = self.all.get(self.place).filter(|_| self.found.is_none()) else {
            return;
        };
        if self.known.pursue(&subject.profile, SLICE) {
            self.found = self.known.classification(&subject.profile);
        }
    }
}

/// The rows of each region, in this way of judging.
pub(super) fn regions(found: &Classification, way: usize) -> [(Region, Vec<&RowReport>); 6] {
    let (reading, layout) = WAYS[way];
    Region::ALL.map(|region| {
        let rows = found.rows.iter();
        let rows = rows.filter(|report| report.observed.region(layout, reading) == region);
        (region, rows.collect())
    })
}

/// The theorems, in this way of judging.
pub(super) fn theorems(found: &Classification, way: usize) -> Theorems {
    let (reading, layout) = WAYS[way];
    found.theorems(reading, layout)
}
