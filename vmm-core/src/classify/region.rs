//! Where a row stands in the picture of an instruction set: two sets, what they share, and what is in neither.

use super::observe::{Observed, Virtual};
use super::part::Reading;
use crate::modes::trap::Layout;

/// A region of the picture. Each row is in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Region {
    /// Sensitive and not privileged: a *hole*.
    Hole,
    /// Sensitive and privileged, as it should be.
    Guarded,
    /// Privileged without need.
    Needless,
    /// Neither.
    Innocuous,
    /// It traps in every ring, so that nobody ever sees it executed (ADR 5).
    AlwaysTraps,
    /// It was an illegal instruction in every state that was tried.
    Absent,
}

impl Region {
    /// All of them, what matters most first.
    pub const ALL: [Region; 6] = [
        Region::Hole,
        Region::Guarded,
        Region::Needless,
        Region::Innocuous,
        Region::AlwaysTraps,
        Region::Absent,
    ];
}

impl Observed {
    /// Where it stands, in this reading and to a guest that is run in this layout.
    pub fn region(&self, layout: Layout, reading: Reading) -> Region {
        let sensitive = self.sensitive(layout, reading).any();
        match (sensitive, self.privileged(layout)) {
            _ if self.is_absent() => Region::Absent,
            _ if self.never_executes() => Region::AlwaysTraps,
            (true, false) => Region::Hole,
            (true, true) => Region::Guarded,
            (false, true) => Region::Needless,
            (false, false) => Region::Innocuous,
        }
    }

    /// The first reading in which it is sensitive to them.
    pub fn concerns(&self, layout: Layout, who: Virtual) -> Option<Reading> {
        let mut readings = Reading::ALL.into_iter();
        readings.find(|reading| self.sensitivity(layout, *reading, who).any())
    }
}
