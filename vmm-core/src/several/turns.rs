//! Several guests with their past, which can be taken back turn by turn.
//!
//! As on a [timeline](crate::timeline) of one guest, nothing is recorded but snapshots, and whatever was between two of
//! them is made again.

use std::collections::VecDeque;

use toy_isa::machine::Machine;
use toy_isa::ram::Ram;

use super::{Several, Tenant};
use crate::timeline::memory::Versions;

/// Turns between two snapshots, to begin with.
const INTERVAL: u64 = 64;

/// How many snapshots are kept.
const SNAPSHOTS: usize = 128;

/// What snapshots may take, in bytes.
const MEMORY: usize = 256 << 20;

/// How many of the last turns are remembered.
const REMEMBERED: usize = 1 << 16;

/// One turn: who had the processor, and what came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Whose it was.
    pub guest: usize,
    /// The fuel that it used.
    pub fuel: u64,
    /// How often it paid for an exit.
    pub exits: u64,
    /// It ended in this turn.
    pub ended: bool,
}

/// Several guests, turn by turn.
pub struct Turns {
    several: Several,
    /// Fuel after which a guest is ended.
    budget: u64,
    /// Turns that were given.
    position: u64,
    furthest: u64,
    snapshots: Vec<Snapshot>,
    memory: Versions<u64>,
    interval: u64,
    target: Option<u64>,
    /// The last turns that were visited, and the number of the first of them.
    remembered: VecDeque<Turn>,
    first: u64,
}

struct Snapshot {
    position: u64,
    still: Still,
    flags: Box<[u8]>,
    bytes: usize,
}

/// What the guests and their machine were at, but for what the memory held.
struct Still {
    machine: Machine,
    guests: Vec<Tenant>,
    last: Option<usize>,
}

impl Still {
    /// What it takes, in bytes, about.
    fn held(&self) -> usize {
        let guests = self.guests.iter().map(|guest| {
            let lists = size_of_val(&*guest.exit_codes);
            size_of::<Tenant>() + guest.mode.held() + lists
        });
        size_of::<Still>() + self.machine.board.tlb.held() + guests.sum::<usize>()
    }
}

impl Several {
    fn still(&mut self) -> Still {
        let aside = self.put_aside();
        let still = Still {
            machine: self.machine.clone(),
            guests: self.guests.iter().map(Tenant::copy).collect(),
            last: self.last,
        };
        self.take_back(aside);
        still
    }

    fn go_back(&mut self, still: &Still) {
        let aside = self.put_aside();
        self.machine = still.machine.clone();
        self.guests = still.guests.iter().map(Tenant::copy).collect();
        self.last = still.last;
        self.take_back(aside);
        self.engine.forget();
    }

    /// Takes out of the machine what is too large to be copied with it: its memory, and whose the frames are, which
    /// never changes.
    fn put_aside(&mut self) -> (Ram, Vec<u16>) {
        let board = &mut self.machine.board;
        let ledger = board.observer.ledger.as_mut();
        let owners = ledger.map(|ledger| std::mem::take(&mut ledger.owners));
        (
            std::mem::replace(&mut board.ram, Ram::new(0)),
            owners.unwrap_or_default(),
        )
    }

    fn take_back(&mut self, (ram, owners): (Ram, Vec<u16>)) {
        let board = &mut self.machine.board;
        board.ram = ram;
        if let Some(ledger) = &mut board.observer.ledger {
            ledger.owners = owners;
        }
    }
}

impl Turns {
    /// These guests before their first turn. Each is ended when it has used so much fuel, if it has not ended before.
    pub fn new(mut several: Several, budget: u64) -> Turns {
        let memory = Versions::new(&mut several.machine.board, 0);
        let mut turns = Turns {
            several,
            budget,
            position: 0,
            furthest: 0,
            snapshots: Vec::new(),
            memory,
            interval: INTERVAL,
            target: None,
            remembered: VecDeque::new(),
            first: 0,
        };
        turns.keep();
        turns
    }

    /// The guests, where they are now.
    pub fn several(&self) -> &Several {
        &self.several
    }

    /// How many turns they have had.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The most turns that were visited.
    pub fn furthest(&self) -> u64 {
        self.furthest
    }

    /// The turns before here, as far as they are remembered, with the number of the first of these.
    pub fn past(&self) -> (u64, impl DoubleEndedIterator<Item = &Turn> + ExactSizeIterator) {
        let count = self.position.saturating_sub(self.first) as usize;
        let count = count.min(self.remembered.len());
        (self.first, self.remembered.range(..count))
    }

    /// The turn that has led here.
    pub fn last(&self) -> Option<Turn> {
        let before = self.position.checked_sub(1)?;
        let place = before.checked_sub(self.first)?;
        self.remembered.get(place as usize).copied()
    }

    /// How many snapshots there are.
    pub fn snapshots(&self) -> usize {
        self.snapshots.len()
    }

    /// What they take, in bytes: the pages that they hold, and about what else.
    pub fn memory(&self) -> usize {
        self.memory.bytes()
            + self
                .snapshots
                .iter()
                .map(|snapshot| snapshot.bytes)
                .sum::<usize>()
    }

    /// Gives whoever is next a turn, and says what came of it; `None` if all have ended.
    pub fn step(&mut self) -> Option<Turn> {
        let last = self.snapshots.last().map_or(0, |last| last.position);
        if self.position >= self.furthest && self.position >= last + self.interval {
            self.keep();
        }
        let next = *self.several.queue().first()?;
        let (fuel, exits) = (self.several.guests[next].used, self.several.guests[next].exits);
        let given = self.several.turn();
        debug_assert_eq!(given, Some(next), "the first of the queue is who is next");
        let guest = &self.several.guests[next];
        if guest.used >= self.budget {
            self.several.stop(next);
        }
        let guest = &self.several.guests[next];
        let turn = Turn {
            guest: next,
            fuel: guest.used - fuel,
            exits: guest.exits - exits,
            ended: guest.ended.is_some(),
        };
        self.remember(turn);
        self.position += 1;
        self.furthest = self.furthest.max(self.position);
        Some(turn)
    }

    /// Notes the turn that leads from here.
    fn remember(&mut self, turn: Turn) {
        if self.position == self.first + self.remembered.len() as u64 {
            if self.remembered.len() == REMEMBERED {
                self.remembered.pop_front();
                self.first += 1;
            }
            self.remembered.push_back(turn);
        }
    }

    /// Sets out for the place after so many turns; [`Turns::pursue`] goes there.
    pub fn aim(&mut self, turns: u64) {
        if turns < self.position {
            let before = self
                .snapshots
                .partition_point(|snapshot| snapshot.position <= turns);
            self.restore(before - 1);
        } else {
            let near = self
                .snapshots
                .partition_point(|snapshot| snapshot.position <= turns);
            if self.snapshots[near - 1].position > self.position {
                self.restore(near - 1);
            }
        }
        self.target = Some(turns);
    }

    /// Goes on to where it was set out for, by so many turns at the most. Whether it is there, or all have ended.
    pub fn pursue(&mut self, turns: u64) -> bool {
        for _ in 0..turns {
            if self.target.is_none_or(|target| self.position >= target) || self.step().is_none() {
                self.target = None;
                return true;
            }
        }
        let there = self.target.is_none_or(|target| self.position >= target);
        if there {
            self.target = None;
        }
        there
    }

    /// Whether it was set out for a place that was not reached yet.
    pub fn pursues(&self) -> bool {
        self.target.is_some()
    }

    /// Gives up where it was set out for, and stays where it is.
    pub fn give_up(&mut self) {
        self.target = None;
    }

    /// Goes to the place after so many turns, however long that takes.
    pub fn go(&mut self, turns: u64) {
        self.aim(turns);
        while !self.pursue(INTERVAL) {}
    }

    fn keep(&mut self) {
        let position = self.position;
        if self
            .snapshots
            .last()
            .is_some_and(|last| last.position >= position)
        {
            return;
        }
        let flags: Box<[u8]> = self.several.machine.board.ram.all_flags().into();
        self.memory.take(&mut self.several.machine.board, position);
        let still = self.several.still();
        let snapshot = Snapshot {
            position,
            bytes: still.held() + flags.len(),
            still,
            flags,
        };
        self.snapshots.push(snapshot);
        while self.snapshots.len() > SNAPSHOTS || self.memory() > MEMORY {
            if !self.thin() {
                break;
            }
        }
    }

    /// Gives up every other snapshot, but neither the first nor the one that the memory is at; `false` if there is none
    /// to be given up.
    fn thin(&mut self) -> bool {
        let before = self.snapshots.len();
        let mut place = 1;
        while place < self.snapshots.len() {
            if self.snapshots[place].position != self.memory.at() {
                let position = self.snapshots.remove(place).position;
                let next = self.snapshots.get(place).map(|snapshot| snapshot.position);
                self.memory.forget(position, next);
            }
            place += 1;
        }
        self.interval *= 2;
        self.snapshots.len() < before
    }

    fn restore(&mut self, place: usize) {
        let snapshot = &self.snapshots[place];
        self.memory.put_back(
            &mut self.several.machine.board,
            snapshot.position,
            &snapshot.flags,
        );
        self.several.go_back(&snapshot.still);
        self.position = snapshot.position;
    }
}

#[cfg(test)]
mod tests;
