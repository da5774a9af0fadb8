//! Time: a run that can be looked at where it is, and taken forwards and backwards.
//!
//! Everything in a run is deterministic, so its past need not be recorded: it is enough to keep snapshots, and to run
//! again from the last one before. The state reached backwards is the state that was reached forwards; guest, monitor
//! and devices go together. See `docs/adr/0014-timeline.md`.

mod condition;
mod goal;
mod history;
pub(crate) mod memory;
mod scan;
mod watch;

pub use condition::{Condition, ConditionError, number, register};
pub use goal::{Goal, Progress};
pub use history::History;
pub use watch::{Breakpoint, Point};

use crate::edit::{Edit, EditError};
use crate::engine::EngineName;
use crate::mode::{End, ModeName};
use crate::run::{Run, Still, Stop};
use crate::setup::{Setup, StartError};
use goal::Pursuit;
use memory::Versions;
use scan::Wanted;

/// A place on a timeline. Attempts at an instruction come first; where the monitor does several things between two, the
/// events that have happened tell them apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Attempts of the machine at an instruction.
    pub attempts: u64,
    /// Events that have happened.
    pub events: u64,
    /// The guest has ended, which takes no attempt.
    pub over: bool,
}

/// Attempts between two snapshots, to begin with: as many as are made again in some milliseconds.
const INTERVAL: u64 = 1 << 18;

/// How many snapshots are kept.
const SNAPSHOTS: usize = 512;

/// What snapshots may take, in bytes.
const MEMORY: usize = 256 << 20;

/// Who goes back further than this from a snapshot leaves another on the way, half as far from the target: for who goes
/// back step by step.
const NEAR: u64 = 1 << 13;

struct Snapshot {
    position: Position,
    retired: u64,
    still: Still,
    /// Of each board, those of its pages.
    flags: Vec<Box<[u8]>>,
    /// See [`Run::held`], and the flags.
    bytes: usize,
    /// Somebody has changed the run here; where that was, before the change. Who comes there goes on from here.
    edited: Option<Position>,
}

/// A run, with its past.
pub struct Timeline {
    run: Run,
    budget: u64,
    snapshots: Vec<Snapshot>,
    /// What the memories of the boards held.
    memories: Vec<Versions<Position>>,
    history: History,
    furthest: Position,
    furthest_retired: u64,
    interval: u64,
    /// The snapshot that somebody going back has left.
    near: Option<Position>,
    breakpoints: Vec<Breakpoint>,
    pursuit: Option<Pursuit>,
    /// Where they were made, after how many retired instructions, and what.
    edits: Vec<(Position, u64, Edit)>,
}

impl Timeline {
    /// A guest at power-on. Its run ends after `budget` attempts, if not before.
    ///
    /// # Errors
    /// As [`Run::new`].
    pub fn new(
        setup: &Setup,
        mode: ModeName,
        engine: EngineName,
        budget: u64,
    ) -> Result<Timeline, StartError> {
        let mut run = Run::new(setup, mode, engine)?;
        let start = Position::default();
        let boards = run.boards();
        let memories = boards
            .into_iter()
            .map(|board| Versions::new(board, start))
            .collect();
        let mut timeline = Timeline {
            run,
            budget,
            snapshots: Vec::new(),
            memories,
            history: History::default(),
            furthest: start,
            furthest_retired: 0,
            interval: INTERVAL,
            near: None,
            breakpoints: Vec::new(),
            pursuit: None,
            edits: Vec::new(),
        };
        timeline.keep(None);
        Ok(timeline)
    }

    /// The run, where it is now.
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// Where it is.
    pub fn position(&self) -> Position {
        Position {
            attempts: self.run.machine().attempts,
            events: self.run.log.total(),
            over: self.run.ended().is_some(),
        }
    }

    /// How many instructions of the guest have retired: what runs of the same guest under other modes share.
    pub fn retired(&self) -> u64 {
        self.run.guest().pace.retired()
    }

    /// The latest position that was visited.
    pub fn furthest(&self) -> Position {
        self.furthest
    }

    /// How many instructions had retired there.
    pub fn furthest_retired(&self) -> u64 {
        self.furthest_retired
    }

    /// How the guest has ended, if it has, or if the budget is used up.
    pub fn ended(&self) -> Option<End> {
        let over = self.run.machine().attempts >= self.budget;
        self.run.ended().or(over.then_some(End::Budget))
    }

    /// The events before this position.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Where there are snapshots: positions, and the instructions that had retired there.
    pub fn snapshots(&self) -> impl ExactSizeIterator<Item = (Position, u64)> + '_ {
        self.snapshots
            .iter()
            .map(|snapshot| (snapshot.position, snapshot.retired))
    }

    /// What the snapshots take, in bytes: the pages that they hold, and about what else.
    pub fn memory(&self) -> usize {
        let pages: usize = self.memories.iter().map(Versions::bytes).sum();
        pages
            + self
                .snapshots
                .iter()
                .map(|snapshot| snapshot.bytes)
                .sum::<usize>()
    }

    /// The breakpoints.
    pub fn breakpoints(&self) -> &[Breakpoint] {
        &self.breakpoints
    }

    /// The breakpoints, to be changed.
    pub fn breakpoints_mut(&mut self) -> &mut Vec<Breakpoint> {
        &mut self.breakpoints
    }

    /// One instruction of the guest: until it has retired, or the guest's processor has changed hands.
    pub fn step(&mut self) -> Stop {
        let retired = self.retired();
        loop {
            match self.turn(1) {
                Some(Stop::Fuel) => return Stop::End(End::Budget),
                Some(stop) => return stop,
                None if self.retired() != retired => return Stop::Fuel,
                None => {}
            }
        }
    }

    /// Back to where the last step began; `false` at the beginning.
    pub fn step_back(&mut self) -> bool {
        let here = self.position();
        if here == Position::default() {
            return false;
        }
        // A step is a few attempts, as a rule: the last one that begins before is looked for nearby first.
        let mut span = 16;
        loop {
            let from = here.attempts.saturating_sub(span);
            self.leap_near(Position {
                attempts: from,
                ..Position::default()
            });
            let mut last = (self.position() == Position::default()).then_some(self.position());
            loop {
                let stop = self.step();
                if self.position() >= here || matches!(stop, Stop::End(_)) {
                    break;
                }
                last = Some(self.position());
            }
            match last {
                Some(position) => {
                    self.leap(position);
                    return true;
                }
                None => span *= 8,
            }
        }
    }

    /// Sets out for a goal: [`Timeline::pursue`] goes there.
    pub fn begin(&mut self, goal: Goal) {
        let here = self.position();
        self.pursuit = Some(match goal {
            Goal::Position(position) => Pursuit::Leap(position.min(self.furthest)),
            Goal::Instruction(number) => {
                // Where so many have retired already, it may be past the first such position.
                let before = self
                    .snapshots
                    .partition_point(|snapshot| snapshot.retired < number);
                self.start_from(before, number <= self.retired());
                Pursuit::Instruction(number)
            }
            Goal::Event(number) => {
                let before = self
                    .snapshots
                    .partition_point(|snapshot| snapshot.position.events <= number);
                self.start_from(before, here.events > number);
                Pursuit::Event(number)
            }
            Goal::Next(point) => Pursuit::Forward(vec![Breakpoint::at(point)]),
            Goal::Previous(point) => Pursuit::Backward {
                points: vec![Breakpoint::at(point)],
                before: Wanted::LastBefore(here),
                otherwise: Some(here),
            },
            Goal::Continue => Pursuit::Forward(self.heeded()),
            Goal::ReverseContinue => Pursuit::Backward {
                points: self.heeded(),
                before: Wanted::LastBefore(here),
                otherwise: None,
            },
            Goal::Over => Pursuit::Over,
            Goal::OverBack => Pursuit::OverBack,
            Goal::End => Pursuit::Forward(Vec::new()),
        });
    }

    /// Changes the guest here. What was visited after this is forgotten: it would be another run's future.
    ///
    /// # Errors
    /// As [`Run::edit`]. Then nothing is changed.
    pub fn edit(&mut self, edit: Edit) -> Result<(), EditError> {
        let here = self.position();
        self.run.edit(edit)?;
        self.edits.retain(|(position, ..)| *position <= here);
        self.edits.push((here, self.retired(), edit));
        // An edit of the same place counts as part of the one before.
        let first = self.snapshots.iter().find(|snapshot| snapshot.position == here);
        let before = first.and_then(|first| first.edited).unwrap_or(here);
        while self.snapshots.last().is_some_and(|last| last.position > here) {
            self.give_up_snapshot(self.snapshots.len() - 1);
        }
        // The one of here, if there is one, is replaced; what memory held then is still the last that is known of it.
        self.snapshots.retain(|snapshot| snapshot.position < here);
        self.history.forget_future();
        self.history.extend(self.run.log.take());
        self.furthest = self.position();
        self.history.set_now(self.furthest.events);
        self.furthest_retired = self.retired();
        self.keep(Some(before));
        Ok(())
    }

    /// Whether anything was changed anywhere in the run: it is not the one that began at power-on, then.
    pub fn changed(&self) -> bool {
        !self.edits.is_empty()
    }

    /// What was changed on the way here: how many instructions had retired, and the change.
    pub fn edits(&self) -> impl Iterator<Item = (u64, Edit)> + '_ {
        let here = self.position();
        let before = self
            .edits
            .iter()
            .take_while(move |(position, ..)| *position <= here);
        before.map(|(_, retired, edit)| (*retired, *edit))
    }

    /// Gives the goal up, and stays where it is.
    pub fn give_up(&mut self) {
        self.pursuit = None;
    }

    /// Whether there is a goal that was not reached yet.
    pub fn pursues(&self) -> bool {
        self.pursuit.is_some()
    }

    /// Goes on to the goal, for about `fuel` attempts; back, for as far as a snapshot reaches.
    pub fn pursue(&mut self, fuel: u64) -> Progress {
        let Some(pursuit) = self.pursuit.take() else {
            return Progress::Reached(None);
        };
        let (progress, left) = self.follow(pursuit, fuel);
        self.pursuit = left;
        progress
    }

    /// Goes to a goal, however long that takes.
    pub fn go(&mut self, goal: Goal) -> Progress {
        self.begin(goal);
        loop {
            match self.pursue(INTERVAL) {
                Progress::Working => {}
                progress => return progress,
            }
        }
    }

    fn heeded(&self) -> Vec<Breakpoint> {
        let all = self.breakpoints.iter();
        all.filter(|breakpoint| breakpoint.enabled).cloned().collect()
    }

    fn follow(&mut self, pursuit: Pursuit, fuel: u64) -> (Progress, Option<Pursuit>) {
        let until = self.run.machine().attempts.saturating_add(fuel);
        match pursuit {
            Pursuit::Leap(position) => {
                self.leap_near(position);
                (Progress::Reached(None), None)
            }
            Pursuit::Instruction(number) => loop {
                let missing = number.saturating_sub(self.retired());
                let left = until.saturating_sub(self.run.machine().attempts);
                match (missing, left, self.ended()) {
                    (0, ..) => break (Progress::Reached(None), None),
                    (_, _, Some(end)) => break (Progress::Ended(end), None),
                    (_, 0, None) => break (Progress::Working, Some(pursuit)),
                    _ => self.turn(missing.min(left)),
                };
            },
            Pursuit::Event(number) => loop {
                let left = until.saturating_sub(self.run.machine().attempts);
                match (self.run.log.total() > number, left, self.ended()) {
                    (true, ..) => break (Progress::Reached(None), None),
                    (_, _, Some(end)) => break (Progress::Ended(end), None),
                    (_, 0, None) => break (Progress::Working, Some(pursuit)),
                    _ => self.turn(left),
                };
            },
            Pursuit::Forward(points) => match (self.scan(&points, until, Wanted::First), self.ended()) {
                (Some((_, found)), _) => (Progress::Reached(Some(found)), None),
                (None, Some(end)) => (Progress::Ended(end), None),
                (None, None) => (Progress::Working, Some(Pursuit::Forward(points))),
            },
            Pursuit::Backward {
                points,
                before,
                otherwise,
            } => {
                let (Wanted::LastBefore(end) | Wanted::LastUpTo(end)) = before else {
                    return (Progress::Nothing, None);
                };
                let count = self.snapshots.partition_point(|snapshot| snapshot.position < end);
                let Some(place) = count.checked_sub(1) else {
                    self.leap_near(otherwise.unwrap_or_default());
                    return match otherwise {
                        Some(_) => (Progress::Nothing, None),
                        None => (Progress::Reached(None), None),
                    };
                };
                self.restore(place);
                let from = self.position();
                // Positions with as many attempts as the end, but fewer events, are in the stretch too.
                if let Some((position, found)) = self.scan(&points, end.attempts + 1, before) {
                    self.leap_near(position);
                    return (Progress::Reached(Some(found)), None);
                }
                let left = Pursuit::Backward {
                    points,
                    before: Wanted::LastUpTo(from),
                    otherwise,
                };
                (Progress::Working, Some(left))
            }
            Pursuit::Over => match (self.step_over(), self.ended()) {
                (_, Some(end)) => (Progress::Ended(end), None),
                (None, None) => (Progress::Reached(None), None),
                (Some((points, again)), None) => self.follow(Pursuit::OutOf { points, again }, fuel),
            },
            Pursuit::OverBack => match self.step_over_back() {
                None => (Progress::Nothing, None),
                Some(points) if points.is_empty() => (Progress::Reached(None), None),
                Some(points) => {
                    let here = self.position();
                    let way = Pursuit::Backward {
                        points,
                        before: Wanted::LastBefore(here),
                        otherwise: Some(here),
                    };
                    (Progress::Working, Some(Pursuit::BackOutOf(way.into())))
                }
            },
            Pursuit::BackOutOf(way) => match self.follow(*way, fuel) {
                (Progress::Working, way) => {
                    let left = way.map(|way| Pursuit::BackOutOf(way.into()));
                    (Progress::Working, left)
                }
                _ => (Progress::Reached(None), None),
            },
            Pursuit::OutOf { points, again } => {
                match (self.scan(&points, until, Wanted::First), self.ended()) {
                    (Some(_), _) if Some(self.run.guest().hart.pc) == again => {
                        (Progress::Working, Some(Pursuit::Over))
                    }
                    (Some(_), _) => (Progress::Reached(None), None),
                    (None, Some(end)) => (Progress::Ended(end), None),
                    (None, None) => (Progress::Working, Some(Pursuit::OutOf { points, again })),
                }
            }
        }
    }

    /// Resumes the guest once, for `fuel` attempts at the most, but not past the next snapshot or the budget.
    fn turn(&mut self, fuel: u64) -> Option<Stop> {
        self.keep_if_due();
        let here = self.run.machine().attempts;
        let mut left = self.budget.min(self.due()).saturating_sub(here);
        let edited = self.next_edited();
        if let Some((_, before)) = edited {
            // Where it was edited, between two attempts, something may have happened still.
            left = left.min((before.attempts - here).max(1));
        }
        let stop = self.run.turn(fuel.min(left));
        self.history.extend(self.run.log.take());
        if let Some((place, before)) = edited
            && before == self.position()
        {
            self.restore(place);
        }
        let here = self.position();
        self.history.set_now(here.events);
        if here > self.furthest {
            self.furthest = here;
            self.furthest_retired = self.retired();
        }
        stop
    }

    /// The next snapshot that stands for an edit, and where that was.
    fn next_edited(&self) -> Option<(usize, Position)> {
        if self.edits.is_empty() {
            return None;
        }
        let here = self.position();
        let mut edits = self.snapshots.iter().map(|snapshot| snapshot.edited).enumerate();
        edits.find_map(|(place, edited)| Some((place, edited.filter(|before| *before > here)?)))
    }

    /// How many attempts are made when the next snapshot is due: wherever the run stands, so that a stretch that ends
    /// there has none on its way. Taking one forgets which pages were stored to.
    fn due(&self) -> u64 {
        let mut regular = self.snapshots.iter().rev().map(|snapshot| snapshot.position);
        let last = regular.find(|position| Some(*position) != self.near);
        last.map_or(0, |last| last.attempts) + self.interval
    }

    fn keep_if_due(&mut self) {
        if self.run.machine().attempts >= self.due() && !self.keep(None) {
            // The one that somebody left here stays.
            self.near = None;
        }
    }

    /// Keeps a snapshot of here, if there is none; `edited`: where it was before somebody changed it.
    fn keep(&mut self, edited: Option<Position>) -> bool {
        let position = self.position();
        let place = self
            .snapshots
            .partition_point(|snapshot| snapshot.position < position);
        let known = self.snapshots.get(place).map(|snapshot| snapshot.position);
        if known == Some(position) {
            return false;
        }
        let boards = self.run.boards();
        let flags: Vec<Box<[u8]>> = boards.iter().map(|board| board.ram.all_flags().into()).collect();
        for (board, versions) in boards.into_iter().zip(&mut self.memories) {
            versions.take(board, position);
        }
        let still = self.run.still();
        let snapshot = Snapshot {
            position,
            retired: self.retired(),
            bytes: size_of::<Snapshot>()
                + self.run.held()
                + flags.iter().map(|flags| flags.len()).sum::<usize>(),
            still,
            flags,
            edited,
        };
        self.snapshots.insert(place, snapshot);
        while self.snapshots.len() > SNAPSHOTS || self.memory() > MEMORY {
            if !self.thin() {
                break;
            }
        }
        true
    }

    /// Gives up every other snapshot, as far as that can be done; `false` if none could be.
    fn thin(&mut self) -> bool {
        let at = self.memories.first().map(Versions::at);
        let before = self.snapshots.len();
        let mut place = 1;
        while place < self.snapshots.len() {
            let snapshot = &self.snapshots[place];
            if snapshot.edited.is_none() && Some(snapshot.position) != at {
                self.give_up_snapshot(place);
            }
            place += 1;
        }
        self.interval *= 2;
        self.snapshots.len() < before
    }

    fn give_up_snapshot(&mut self, place: usize) {
        let position = self.snapshots.remove(place).position;
        let next = self.snapshots.get(place).map(|snapshot| snapshot.position);
        for versions in &mut self.memories {
            versions.forget(position, next);
        }
        if self.near == Some(position) {
            self.near = None;
        }
    }

    /// Goes back to a snapshot.
    fn restore(&mut self, place: usize) {
        let snapshot = &self.snapshots[place];
        let boards = self.run.boards().into_iter();
        for ((board, versions), flags) in boards.zip(&mut self.memories).zip(&snapshot.flags) {
            versions.put_back(board, snapshot.position, flags);
        }
        self.run.go_back(&snapshot.still);
        self.history.set_now(snapshot.position.events);
    }

    /// Goes to the last of the first `before` snapshots, if the way is `back`, or that is nearer than here is.
    fn start_from(&mut self, before: usize, back: bool) {
        let place = before.saturating_sub(1);
        if back || self.snapshots[place].position > self.position() {
            self.restore(place);
        }
    }

    /// Goes to a position that was visited; or, if there is none with so few events, to the first with so many
    /// attempts.
    fn leap(&mut self, to: Position) {
        let before = self.snapshots.partition_point(|snapshot| snapshot.position <= to);
        self.start_from(before, self.position() > to);
        while self.run.machine().attempts < to.attempts && self.ended().is_none() {
            self.turn(to.attempts - self.run.machine().attempts);
        }
        while self.position() < to && self.ended().is_none() {
            self.turn(1);
        }
    }

    /// As [`Timeline::leap`], and leaves a snapshot near it, for who goes on backwards.
    fn leap_near(&mut self, to: Position) {
        let last = self.last_before(to);
        if self.position() > to && to.attempts - self.snapshots[last].position.attempts > NEAR {
            self.restore(last);
            self.leap(Position {
                attempts: to.attempts - NEAR / 2,
                ..Position::default()
            });
            self.mark();
        }
        self.leap(to);
    }

    /// The place of the last snapshot that is not after this position. The first is at the beginning, and stays.
    fn last_before(&self, position: Position) -> usize {
        let count = self
            .snapshots
            .partition_point(|snapshot| snapshot.position <= position);
        count.saturating_sub(1)
    }

    /// Leaves the snapshot of who will come back to here, in place of the last such.
    fn mark(&mut self) {
        if !self.keep(None) {
            return;
        }
        let old = self.near.replace(self.position());
        let mut places = self.snapshots.iter();
        let place = old.and_then(|old| places.position(|snapshot| snapshot.position == old));
        if let Some(place) = place {
            self.give_up_snapshot(place);
        }
    }

    /// The same, where the last snapshot is so far back that to come from there would take longer.
    fn mark_if_far(&mut self) {
        let here = self.position();
        let last = self.snapshots[self.last_before(here)].position;
        if here.attempts - last.attempts > NEAR / 8 {
            self.mark();
        }
    }
}
