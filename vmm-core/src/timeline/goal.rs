//! Where a timeline is to go, and whether it has got there.

use super::Position;
use super::scan::Wanted;
use super::watch::{Breakpoint, Point};
use crate::mode::End;

/// Where to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Goal {
    /// A position that was visited.
    Position(Position),
    /// Where so many instructions of the guest have retired.
    Instruction(u64),
    /// Right after the event of this number, and what the monitor made of it.
    Event(u64),
    /// The next point of this kind.
    Next(Point),
    /// The last one before.
    Previous(Point),
    /// The next instruction in the same ring and on the same stack: over calls and traps.
    Over,
    /// The instruction before in the same ring and on the same stack: back over calls and traps.
    OverBack,
    /// The next of the timeline's breakpoints.
    Continue,
    /// The last one before; where there is none, the beginning.
    ReverseContinue,
    /// The end of the run.
    End,
}

/// How far a timeline has got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Not there yet.
    Working,
    /// There, and what it was, if it was one of several breakpoints.
    Reached(Option<Breakpoint>),
    /// The run ended before.
    Ended(End),
    /// There is nothing of the kind before; the timeline is where it was.
    Nothing,
}

/// A goal on the way.
pub(super) enum Pursuit {
    /// To a position that was visited: one leap.
    Leap(Position),
    /// Forward, until so many instructions have retired.
    Instruction(u64),
    /// Forward, until the event of this number has happened.
    Event(u64),
    /// Forward, to the first of these.
    Forward(Vec<Breakpoint>),
    /// Through the stretches between snapshots, the last first, to the last of these.
    Backward {
        /// What to find.
        points: Vec<Breakpoint>,
        /// Where the part that was not looked through yet ends.
        before: Wanted,
        /// Where to be if there is none; else, at the beginning.
        otherwise: Option<Position>,
    },
    /// One step; and then, if that led into a call or a trap, back out of it.
    Over,
    /// Forward, to the first of these.
    OutOf {
        /// Where the call or the trap returns to.
        points: Vec<Breakpoint>,
        /// If it is here, another step is to be made.
        again: Option<u32>,
    },
    /// One step back.
    OverBack,
    /// That led to the end of a call or of a trap handler: this way back to where it began.
    BackOutOf(Box<Pursuit>),
}
