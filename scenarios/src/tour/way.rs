//! The way to a stop: from wherever a run is, in slices, so that nothing waits for it.

use std::collections::VecDeque;

use vmm_core::engine::EngineName;
use vmm_core::mode::End;
use vmm_core::setup::StartError;
use vmm_core::timeline::{Goal, Point, Position, Progress, Timeline};

use super::{Known, Reading, Sought, Target, Tour, Wholes};

/// Where a stop was found, and what the run had come to there.
#[derive(Clone, Debug)]
pub struct Mark {
    /// The place in its run.
    pub position: Position,
    /// What figures are read of.
    pub reading: Reading,
}

impl Mark {
    /// Of a run where it is.
    pub fn of(timeline: &Timeline) -> Mark {
        Mark {
            position: timeline.position(),
            reading: Reading::of(timeline.run(), timeline.history().iter()),
        }
    }
}

/// How far one has got on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Not there yet.
    Working,
    /// The run is at the stop.
    Arrived,
    /// The run is over, and the stop was not met.
    Missed(End),
}

/// The way to a stop, in the run that the stop is in.
pub struct Way {
    /// What is to be met, one after the other.
    hops: VecDeque<Hop>,
    /// The timeline was given a goal.
    begun: bool,
}

/// A part of a way.
enum Hop {
    /// Back, or on, to where somebody was.
    Place(Position),
    /// On to an event, so many of which are still to come.
    Event(Sought),
    Address(u32, u64),
    Instruction(u64),
    End,
}

impl Hop {
    /// To a target; `before` is where the stop before is, in whichever run.
    fn to(target: &Target, before: Option<&Mark>) -> Option<Hop> {
        Some(match target {
            Target::Stay => Hop::Instruction(before?.reading.retired),
            Target::Event(sought) => Hop::Event(sought.clone()),
            Target::Instruction(number) => Hop::Instruction(*number),
            Target::Address(address, nth) => Hop::Address(*address, *nth),
            Target::End => Hop::End,
        })
    }
}

impl Way {
    /// The way back to where a run begins.
    pub fn to_power_on() -> Way {
        Way {
            hops: VecDeque::from([Hop::Place(Position::default())]),
            begun: false,
        }
    }

    /// The way to this stop. `timeline` is of its run, wherever that is; `marks` are where the stops before it were
    /// found.
    pub fn to(tour: &Tour, stop: usize, marks: &[Option<Mark>], timeline: &Timeline) -> Way {
        let visited = |stop: usize| {
            let mark: &Mark = marks.get(stop)?.as_ref()?;
            (mark.position <= timeline.furthest()).then_some(mark.position)
        };
        let mut hops = VecDeque::new();
        let mut next = Some(stop);
        // From the last stop of the run that was visited on this timeline, or from power-on.
        while let Some(stop) = next {
            if let Some(position) = visited(stop) {
                hops.push_front(Hop::Place(position));
                break;
            }
            let before = tour.before(stop);
            let stays = before.is_some() && tour.stops[stop].target == Target::Stay;
            let same_guest = |before: &usize| tour.same_guest(*before, stop);
            let mark = stop.checked_sub(1).filter(same_guest);
            let mark = mark.and_then(|before| marks.get(before)?.as_ref());
            if let Some(hop) = Hop::to(&tour.stops[stop].target, mark).filter(|_| !stays) {
                hops.push_front(hop);
            }
            if before.is_none() {
                hops.push_front(Hop::Place(Position::default()));
            }
            next = before;
        }
        Way { hops, begun: false }
    }

    /// Goes on, for about `fuel` attempts at an instruction.
    pub fn pursue(&mut self, timeline: &mut Timeline, fuel: u64) -> Step {
        let until = timeline.position().attempts.saturating_add(fuel);
        while let Some(hop) = self.hops.front_mut() {
            if !self.begun && hop.is_here(timeline) {
                self.hops.pop_front();
                continue;
            }
            if !self.begun {
                timeline.begin(hop.goal());
                self.begun = true;
            }
            let seen = timeline.history().total();
            let left = until.saturating_sub(timeline.position().attempts);
            match timeline.pursue(left.max(1)) {
                Progress::Working => return Step::Working,
                Progress::Reached(_) | Progress::Nothing => {
                    self.begun = false;
                    if hop.is_over(timeline, seen) {
                        self.hops.pop_front();
                    }
                }
                Progress::Ended(end) => {
                    let met = matches!(hop, Hop::End) || hop.is_over(timeline, seen);
                    if !met {
                        return Step::Missed(end);
                    }
                    self.begun = false;
                    self.hops.pop_front();
                }
            }
            if timeline.position().attempts >= until && !self.hops.is_empty() {
                return Step::Working;
            }
        }
        Step::Arrived
    }
}

impl Hop {
    fn goal(&self) -> Goal {
        match self {
            Hop::Place(position) => Goal::Position(*position),
            Hop::Event(sought) => Goal::Next(Point::Event {
                name: sought.event.to_string(),
                about: None,
            }),
            Hop::Address(address, _) => Goal::Next(Point::Address(*address)),
            Hop::Instruction(number) => Goal::Instruction(*number),
            Hop::End => Goal::End,
        }
    }

    /// Whether the run is there before it sets out: a run that has not begun can be at an address.
    fn is_here(&mut self, timeline: &Timeline) -> bool {
        match self {
            Hop::Place(position) => timeline.position() == *position,
            Hop::Address(address, nth) if timeline.position() == Position::default() => {
                *nth -= u64::from(timeline.run().guest().hart.pc == *address);
                *nth == 0
            }
            _ => false,
        }
    }

    /// Whether that was the last that is wanted, now that the timeline has met one; `seen` events had happened before.
    fn is_over(&mut self, timeline: &Timeline, seen: u64) -> bool {
        match self {
            Hop::Event(sought) => {
                let new =
                    (seen..timeline.history().total()).filter_map(|number| timeline.history().get(number));
                let met = new.filter(|record| sought.is(record)).count() as u64;
                sought.nth = sought.nth.saturating_sub(met);
                sought.nth == 0
            }
            Hop::Address(_, nth) => {
                *nth -= 1;
                *nth == 0
            }
            Hop::Place(_) | Hop::Instruction(_) | Hop::End => true,
        }
    }
}

/// A whole tour, taken without a screen.
pub struct Walk {
    /// Where its stops were found.
    pub marks: Vec<Option<Mark>>,
    /// What whole runs came to, checked.
    pub wholes: Wholes,
}

/// Why a tour cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WalkError {
    /// The host does not have what a run needs.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The run ended before a stop.
    #[error("stop {stop} was not reached: {end}")]
    Missed {
        /// Which, from 1.
        stop: usize,
        /// How the run ended.
        end: End,
    },
}

impl Walk {
    /// Takes a tour from its first stop to its last.
    ///
    /// # Errors
    /// If a run cannot be started, or a stop is not reached.
    pub fn through(tour: &Tour) -> Result<Walk, WalkError> {
        let mut marks: Vec<Option<Mark>> = Vec::new();
        let mut timeline = None;
        for place in 0..tour.stops.len() {
            let timeline = match timeline.take().filter(|_| tour.before(place).is_some()) {
                Some(same) => timeline.insert(same),
                None => timeline.insert(tour.timeline(place)?),
            };
            let mut way = Way::to(tour, place, &marks, timeline);
            loop {
                match way.pursue(timeline, u64::MAX) {
                    Step::Working => {}
                    Step::Arrived => break,
                    Step::Missed(end) => return Err(WalkError::Missed { stop: place + 1, end }),
                }
            }
            marks.push(Some(Mark::of(timeline)));
        }
        let wholes = Wholes::checked(tour)?;
        Ok(Walk { marks, wholes })
    }

    /// What is known at a stop.
    pub fn known<'a>(&'a self, tour: &'a Tour, stop: usize) -> Known<'a> {
        tour.known(stop, &self.marks, &self.wholes)
    }

    /// The claims that do not hold, with the number of their stop, from 1.
    pub fn broken(&self, tour: &Tour) -> Vec<(usize, String)> {
        let of = |(place, stop): (usize, &super::Stop)| {
            let known = self.known(tour, place);
            let broken = stop.claims.iter().filter_map(|claim| claim.broken(&known));
            broken.map(|why| (place + 1, why)).collect::<Vec<_>>()
        };
        tour.stops.iter().enumerate().flat_map(of).collect()
    }
}

impl Tour {
    /// The run of a stop, at power-on.
    ///
    /// # Errors
    /// If the host does not have what it needs.
    pub fn timeline(&self, stop: usize) -> Result<Timeline, StartError> {
        let stop = &self.stops[stop];
        let scenario = &self.scenes[stop.scene];
        Timeline::new(&scenario.setup, stop.mode, EngineName::default(), scenario.budget)
    }
}
