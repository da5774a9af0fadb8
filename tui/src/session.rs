//! A session: one scenario under one mode, at some place of its run, and on its way through it.

mod around;
mod places;
mod speed;

use std::collections::VecDeque;
use std::sync::Arc;

use scenarios::Scenario;
use scenarios::tour::{Step, Way};
use toy_isa::asm::Source;
use toy_isa::bus::Pace;
use toy_isa::devices::Devices;
use toy_isa::hart::Hart;
use toy_isa::image::Image;
use vmm_core::edit::{Edit, EditError};
use vmm_core::engine::EngineName;
use vmm_core::mode::{End, ModeName};
use vmm_core::run::Run;
use vmm_core::setup::StartError;
use vmm_core::timeline::{Breakpoint, Goal, Position, Progress, Timeline};

pub use around::Around;
pub use speed::Speed;

/// How many attempts at an instruction are made in a slice of work: about a millisecond for a guest that runs as code
/// of the host, some milliseconds for one that is interpreted.
const SLICE: u64 = 1 << 17;

/// Up to this speed every instruction is a step of its own, so that each is seen.
const SEEN: u64 = 100;

/// A guest under one mode.
pub struct Session {
    /// What is run.
    pub scenario: Arc<Scenario>,
    /// The method.
    pub mode: ModeName,
    timeline: Timeline,
    motion: Motion,
    before: Before,
    /// Pages of the guest's memory that somebody shows.
    shown: Vec<u32>,
    /// What is to be changed on the way, each where so many instructions have retired; and where it ends.
    changes: VecDeque<(u64, Edit)>,
    destination: u64,
}

/// Whether, and how, the guest is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Motion {
    /// It stands.
    Still,
    /// It is on its way to a goal.
    Pursuing,
    /// It is played.
    Playing {
        /// How fast.
        speed: Speed,
        /// Thousandths of an instruction that are due.
        due: u64,
    },
}

/// The guest when it stood last: what is different now has changed.
pub struct Before {
    /// Its processor.
    pub hart: Hart,
    /// Its clock.
    pub pace: Pace,
    /// Its interrupt lines and enables: the register `irq`.
    pub irq: u32,
    /// What its timer was set to.
    pub timer: u32,
    /// How many bytes it had printed.
    pub printed: usize,
    /// Where that was.
    pub position: Position,
    /// Pages of its memory, by their numbers.
    pages: Vec<(u32, Box<[u8]>)>,
}

impl Before {
    fn new(timeline: &Timeline, pages: &[u32]) -> Before {
        let guest = timeline.run().guest();
        let devices: &Devices = guest.devices;
        let page = |number: &u32| Some((*number, guest.page(*number)?.into()));
        Before {
            irq: devices.irq(guest.pace.clock),
            timer: devices.timer.value(),
            printed: devices.console.output().len(),
            position: timeline.position(),
            pages: pages.iter().filter_map(page).collect(),
            hart: guest.hart,
            pace: guest.pace,
        }
    }

    /// A page of memory as it was, if it was shown.
    pub fn page(&self, number: u32) -> Option<&[u8]> {
        let page = self.pages.iter().find(|(of, _)| *of == number);
        page.map(|(_, bytes)| &**bytes)
    }
}

/// Why the guest stands again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// It is where it was to go; and which breakpoint that is, if it is one.
    There(Option<Breakpoint>),
    /// It has ended.
    Ended(End),
    /// There is nothing of the kind.
    Nothing,
    /// It cannot be changed there as it was to be.
    NotEdited(EditError),
}

impl Session {
    /// A guest at power-on.
    ///
    /// # Errors
    /// If the mode cannot run this guest, or this host cannot run the mode.
    pub fn new(scenario: Arc<Scenario>, mode: ModeName, engine: EngineName) -> Result<Session, StartError> {
        let timeline = Timeline::new(&scenario.setup, mode, engine, scenario.budget)?;
        Ok(Session {
            before: Before::new(&timeline, &[]),
            scenario,
            mode,
            timeline,
            motion: Motion::Still,
            shown: Vec::new(),
            changes: VecDeque::new(),
            destination: 0,
        })
    }

    /// The same guest under another mode, with the same breakpoints, on its way to the same instruction by way of the
    /// same edits.
    ///
    /// # Errors
    /// As [`Session::new`].
    pub fn in_mode(&self, mode: ModeName, engine: EngineName) -> Result<Session, StartError> {
        let mut other = Session::new(Arc::clone(&self.scenario), mode, engine)?;
        *other.timeline.breakpoints_mut() = self.timeline.breakpoints().to_vec();
        other.shown.clone_from(&self.shown);
        other.changes = self.timeline.edits().collect();
        other.destination = self.timeline.retired();
        other.motion = Motion::Pursuing;
        other.go_on();
        Ok(other)
    }

    /// To the next place where something is to be changed, or to where it ends.
    fn go_on(&mut self) {
        let next = self
            .changes
            .front()
            .map_or(self.destination, |(retired, _)| *retired);
        self.timeline.begin(Goal::Instruction(next));
    }

    /// The run where it is.
    pub fn run(&self) -> &Run {
        self.timeline.run()
    }

    /// The run with its past.
    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// The breakpoints, to be changed.
    pub fn breakpoints_mut(&mut self) -> &mut Vec<Breakpoint> {
        self.timeline.breakpoints_mut()
    }

    /// The program that runs, with the sources that it was made from.
    pub fn program(&self) -> (&Image, &[Source]) {
        self.scenario.program(self.mode)
    }

    /// The guest when it stood last.
    pub fn before(&self) -> &Before {
        &self.before
    }

    /// These pages of the guest's memory are shown: what changes in them is to be told.
    pub fn show_pages(&mut self, pages: Vec<u32>) {
        self.shown = pages;
    }

    /// Whether it is on its way, and how.
    pub fn motion(&self) -> Motion {
        self.motion
    }

    /// Whether it is played.
    pub fn plays(&self) -> bool {
        matches!(self.motion, Motion::Playing { .. })
    }

    /// Whether there is work to be done for it.
    pub fn busy(&self) -> bool {
        match self.motion {
            Motion::Still => false,
            Motion::Pursuing => true,
            Motion::Playing { speed, .. } => speed.per_second().is_none(),
        }
    }

    /// Whether it moves with the time.
    pub fn needs_time(&self) -> bool {
        self.plays() && !self.busy()
    }

    fn leave(&mut self) {
        self.halt();
        self.before = Before::new(&self.timeline, &self.shown);
    }

    /// Stays where it is; whether it was on its way.
    pub fn halt(&mut self) -> bool {
        self.timeline.give_up();
        self.changes.clear();
        std::mem::replace(&mut self.motion, Motion::Still) != Motion::Still
    }

    /// Goes on along a tour's way to a stop, for a slice of work.
    pub(crate) fn follow(&mut self, way: &mut Way) -> Step {
        way.pursue(&mut self.timeline, SLICE)
    }

    /// One instruction.
    pub fn step(&mut self) -> Stopped {
        self.leave();
        self.timeline.step();
        self.stands()
    }

    /// One instruction back.
    pub fn step_back(&mut self) -> Stopped {
        self.leave();
        match self.timeline.step_back() {
            true => Stopped::There(None),
            false => Stopped::Nothing,
        }
    }

    /// Changes the guest, where it stands. What was visited after this is forgotten.
    ///
    /// # Errors
    /// If that cannot be changed here.
    pub fn edit(&mut self, edit: Edit) -> Result<(), EditError> {
        self.leave();
        self.timeline.edit(edit)
    }

    fn stands(&self) -> Stopped {
        self.timeline.ended().map_or(Stopped::There(None), Stopped::Ended)
    }

    /// Sets out for a goal: [`Session::work`] goes there.
    pub fn set_out(&mut self, goal: Goal) {
        self.leave();
        self.timeline.begin(goal);
        self.motion = Motion::Pursuing;
    }

    /// Plays on from here.
    pub fn play(&mut self, speed: Speed) {
        self.leave();
        self.timeline.begin(Goal::Continue);
        // What is slow begins at once.
        let due = if speed.per_second().is_some() { 1000 } else { 0 };
        self.motion = Motion::Playing { speed, due };
    }

    /// Plays at another speed from now on, if it is played.
    pub fn set_speed(&mut self, wanted: Speed) {
        if let Motion::Playing { speed, .. } = &mut self.motion {
            *speed = wanted;
        }
    }

    /// So much time has passed: what is due is played. Whether anything moved, and why it stands if it does now.
    pub fn tick(&mut self, millis: u64) -> (bool, Option<Stopped>) {
        let Motion::Playing { speed, due } = &mut self.motion else {
            return (false, None);
        };
        let Some(per_second) = speed.per_second() else {
            return (false, None);
        };
        // After a pause of the whole program not all of it is made up for.
        *due += millis.min(250).saturating_mul(per_second);
        let instructions = *due / 1000;
        *due %= 1000;
        match instructions {
            0 => (false, None),
            _ if per_second <= SEEN => {
                self.before = Before::new(&self.timeline, &self.shown);
                let stopped = (0..instructions).find_map(|_| self.play_one());
                (true, stopped)
            }
            fuel => (true, self.pursue(fuel)),
        }
    }

    /// Plays one instruction.
    fn play_one(&mut self) -> Option<Stopped> {
        let here = |timeline: &Timeline| (timeline.retired(), timeline.position().events);
        let before = here(&self.timeline);
        while here(&self.timeline) == before {
            if let Some(stopped) = self.pursue(1) {
                return Some(stopped);
            }
        }
        None
    }

    /// Does a slice of work; why it stands, if it does now.
    pub fn work(&mut self) -> Option<Stopped> {
        self.pursue(SLICE)
    }

    fn pursue(&mut self, fuel: u64) -> Option<Stopped> {
        let stopped = match self.timeline.pursue(fuel) {
            Progress::Working => return None,
            Progress::Reached(breakpoint) => Stopped::There(breakpoint),
            Progress::Ended(end) => Stopped::Ended(end),
            Progress::Nothing => Stopped::Nothing,
        };
        if let (Stopped::There(_), Some((_, edit))) = (&stopped, self.changes.pop_front()) {
            if let Err(error) = self.timeline.edit(edit) {
                self.halt();
                return Some(Stopped::NotEdited(error));
            }
            self.go_on();
            return None;
        }
        self.motion = Motion::Still;
        Some(stopped)
    }
}
