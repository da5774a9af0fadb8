//! The guest before and after an event, while it stands somewhere else.

use toy_isa::hart::Hart;
use vmm_core::timeline::Goal;

use super::{Motion, Session};

/// The guest before an event, and after what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Around {
    /// Its processor before, as it sees itself.
    pub before: Hart,
    /// The same after.
    pub after: Hart,
    /// The real processor, where the first of the events had been answered and nobody had been resumed yet.
    pub answered: Hart,
}

impl Session {
    /// Goes where these events are, looks, and comes back: the last of them is what came of the first. `None` while
    /// the guest is on its way, and where the events are not in its past.
    ///
    /// That takes a few leaps on the timeline, each of them bounded by the distance between two snapshots.
    pub fn around(&mut self, first: u64, last: u64) -> Option<Around> {
        let timeline = &mut self.timeline;
        if self.motion != Motion::Still || last >= timeline.position().events {
            return None;
        }
        let here = timeline.position();
        timeline.go(Goal::Event(first));
        let answered = timeline.run().machine().hart.clone();
        timeline.step_back();
        let before = timeline.run().guest().hart;
        // From here on it is the way forward again.
        timeline.go(Goal::Event(last));
        let after = timeline.run().guest().hart;
        timeline.go(Goal::Position(here));
        Some(Around {
            before,
            after,
            answered,
        })
    }
}
