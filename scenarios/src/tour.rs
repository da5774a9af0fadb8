//! Guided tours: a way through a run, stop by stop, with what is to be said and asked at each.
//!
//! Read in this order: [`Tour`] and [`Stop`], [`schema`] (every key of the file), [`Way`] (how a run gets to a stop),
//! [`Text`] and [`Known`] (how texts get the figures of the run).
//!
//! A tour is a TOML file, and as hostile as a scenario. It names a scenario, and nothing else outside itself.

mod figure;
mod load;
mod read;
pub mod schema;
mod shipped;
mod sought;
mod text;
mod way;
mod wholes;

use std::path::Path;
use std::sync::Arc;

use vmm_core::mode::ModeName;
use vmm_core::price::PriceList;

pub use figure::{Known, Reading, Value};
pub use shipped::list;
pub use sought::Sought;
pub use text::{Claim, Text};
pub use way::{Mark, Step, Walk, WalkError, Way};
pub use wholes::Wholes;

use crate::error::Error;
use crate::{Origin, Scenario};

/// What a tour cannot exceed.
pub mod limit {
    /// Stops of a tour.
    pub const STOPS: usize = 100;
    /// Scenarios, on one profile or another, that a tour goes through.
    pub const SCENES: usize = 16;
    /// Characters of what is said at a stop: so many fit beside a view on a small terminal.
    pub const SAY: usize = 480;
    /// Characters of a question, and of an answer.
    pub const QUESTION: usize = 320;
    /// Characters of a choice: one line.
    pub const CHOICE: usize = 72;
    /// Characters of a presenter's notes for one stop.
    pub const NOTES: usize = 2000;
    /// Characters of a title or a name.
    pub const TITLE: usize = 72;
    /// The so-manieth event that a stop can ask for.
    pub const NTH: u64 = 1_000_000;
}

/// A guided tour, ready to be taken.
#[derive(Clone, Debug)]
pub struct Tour {
    /// The name of its file without the ending.
    pub name: String,
    /// One line.
    pub title: String,
    /// What one will have seen at the end; may be empty.
    pub about: String,
    /// The scenarios that it goes through, each on one profile.
    pub scenes: Vec<Arc<Scenario>>,
    /// The stops, at least one.
    pub stops: Vec<Stop>,
    /// Where it comes from.
    pub origin: Origin,
    /// Scenes and modes whose whole runs its texts speak of, the bare machine before the others of its scene.
    wholes: Vec<(usize, ModeName)>,
}

/// A stop of a tour.
#[derive(Clone, Debug)]
pub struct Stop {
    /// Its name, if it has one.
    pub name: Option<String>,
    /// The scenario: a place in [`Tour::scenes`].
    pub scene: usize,
    /// The mode.
    pub mode: ModeName,
    /// Where in the run it is.
    pub target: Target,
    /// What to look at.
    pub view: View,
    /// The pane of the view that is pointed out.
    pub pane: Option<String>,
    /// The modes that [`View::Compare`] has side by side; none: as it likes.
    pub compare: Vec<ModeName>,
    /// What cycles are counted in.
    pub prices: PriceList,
    /// What is asked before the run goes on to here.
    pub ask: Option<Ask>,
    /// What is said here.
    pub say: Text,
    /// What the presenter reads.
    pub notes: Text,
    /// What the texts claim.
    pub claims: Vec<Claim>,
}

/// A prediction.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The question.
    pub question: Text,
    /// The answers to choose from.
    pub choices: Vec<Text>,
    /// Which of them is right, from 0.
    pub right: usize,
    /// Why.
    pub answer: Text,
}

/// Where in a run a stop is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Where the run is; in a run that begins here, at the same instruction of the guest as the run before.
    Stay,
    /// After this event.
    Event(Sought),
    /// When so many instructions have retired.
    Instruction(u64),
    /// When the guest's program counter is here, for the so-manieth time.
    Address(u32, u64),
    /// When the guest is over.
    End,
}

/// What is looked at: the views of the interface, in the order of their keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum View {
    /// Processor, memory, devices, code.
    #[default]
    Machine,
    /// Each trap on its way: guest, monitor, hardware.
    Flow,
    /// Modes side by side.
    Compare,
    /// Popek and Goldberg's three properties.
    Properties,
    /// Translated code.
    Translation,
    /// Page tables and walks.
    Address,
    /// Several guests, and what they share.
    Guests,
    /// Where cycles went.
    Cost,
}

impl View {
    /// All of them.
    pub const ALL: [View; 8] = [
        View::Machine,
        View::Flow,
        View::Compare,
        View::Properties,
        View::Translation,
        View::Address,
        View::Guests,
        View::Cost,
    ];

    /// As files write it.
    pub fn name(self) -> &'static str {
        match self {
            View::Machine => "machine",
            View::Flow => "flow",
            View::Compare => "compare",
            View::Properties => "properties",
            View::Translation => "translation",
            View::Address => "address",
            View::Guests => "guests",
            View::Cost => "cost",
        }
    }

    /// The view of this name, in any case.
    pub fn from_name(name: &str) -> Option<View> {
        View::ALL
            .into_iter()
            .find(|view| view.name().eq_ignore_ascii_case(name))
    }
}

/// The modes of tours: those that every host can run.
pub(crate) fn modes() -> impl Iterator<Item = ModeName> {
    let host = [ModeName::Jit, ModeName::Kvm];
    ModeName::ALL.into_iter().filter(move |mode| !host.contains(mode))
}

impl Tour {
    /// The shipped tour of this name; else the one in the file of this path.
    ///
    /// # Errors
    /// If there is neither, or it is not a good tour.
    pub fn find(name_or_path: &str) -> Result<Tour, Error> {
        let path = Path::new(name_or_path);
        match shipped::exists(name_or_path) || !name_or_path.ends_with(".toml") {
            true => shipped::load(name_or_path),
            false => load::from_file(path),
        }
    }

    /// The stop before this one in the same run; `None` if the run begins here.
    pub(super) fn before(&self, stop: usize) -> Option<usize> {
        let before = stop.checked_sub(1)?;
        self.same_run(before, stop).then_some(before)
    }

    /// Whether two stops are in the same run: of one guest, on one machine, in one mode.
    pub fn same_run(&self, one: usize, other: usize) -> bool {
        let run = |stop: usize| self.stops.get(stop).map(|stop| (stop.scene, stop.mode));
        run(one) == run(other)
    }

    /// Whether two stops are in runs of the same guest: their instructions are the same, one by one.
    pub(super) fn same_guest(&self, one: usize, other: usize) -> bool {
        let scenario = |stop: usize| &self.scenes[self.stops[stop].scene];
        let (one, other) = (scenario(one), scenario(other));
        (&one.name, &one.origin) == (&other.name, &other.origin)
    }

    /// What is known at a stop: `marks` are those of the stops as far as they were reached.
    pub fn known<'a>(&'a self, stop: usize, marks: &'a [Option<Mark>], wholes: &'a Wholes) -> Known<'a> {
        Known {
            tour: self,
            stop,
            marks,
            wholes,
        }
    }
}

/// The JSON Schema of tours, for editors.
pub fn json_schema() -> serde_json::Value {
    schemars::schema_for!(schema::Document).to_value()
}
