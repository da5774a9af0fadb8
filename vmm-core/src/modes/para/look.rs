//! The paravirtual interface as those see it who look on: event channels, and rings with the indices of both sides.
//!
//! What the guest says in its own pages is shown as it stands there; the monitor's indices are those that it keeps to
//! itself.

use super::interface::{channel, console, disk, shared};
use super::rings::Rings;

/// What passes between a ported guest and its monitor beside hypercalls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// The event channels, where there are any: a guest that only has rings hears of them by interrupts.
    pub channels: Vec<Channel>,
    /// Whether the monitor may make upcalls, where the guest takes them.
    pub upcalls: Option<bool>,
    /// Whether the guest waits for an event.
    pub waits: bool,
    /// The rings that are connected.
    pub rings: Vec<Ring>,
}

/// An event channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Channel {
    /// Its number.
    pub number: u32,
    /// Something has happened that the guest has not seen to.
    pub pending: bool,
    /// The guest does not want to hear of it.
    pub masked: bool,
}

/// A ring: places that both sides reach, and how far each of them is. Indices count for ever and wrap around; the place
/// is the index modulo the size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ring {
    /// What passes through it.
    pub stream: Stream,
    /// How many places there are.
    pub size: u32,
    /// How far who fills it is.
    pub produced: u32,
    /// How far who empties it is.
    pub consumed: u32,
    /// How far the answers to what was taken are, where each takes the place of its request.
    pub answered: Option<u32>,
    /// The other side is to be told when this index is reached, where anybody says so: by the guest of a request, and
    /// by the monitor of an answer.
    pub tell: Option<[u32; 2]>,
    /// What stands in the places, by place, as far as they are looked at.
    pub entries: Vec<Entry>,
}

/// What passes through a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Bytes of output, from the guest to the monitor.
    ConsoleOut,
    /// Bytes of input, from the monitor to the guest.
    ConsoleIn,
    /// Requests to the disk, and the answers in their places.
    Disk,
}

impl Stream {
    /// The event channel that it belongs to.
    pub fn channel(self) -> u32 {
        match self {
            Stream::ConsoleOut | Stream::ConsoleIn => channel::CONSOLE,
            Stream::Disk => channel::DISK,
        }
    }
}

/// The four words of a place of the disk's ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The guest's own word.
    pub id: u32,
    /// 1 reads and 2 writes, in a request; in an answer, how it went.
    pub operation: u32,
    /// The sector.
    pub sector: u32,
    /// The buffer, as the guest calls it.
    pub address: u32,
}

impl Ring {
    /// How many places are filled and not yet taken; `None` if the guest's index cannot be.
    pub fn waiting(&self) -> Option<u32> {
        let waiting = self.produced.wrapping_sub(self.consumed);
        (waiting <= self.size).then_some(waiting)
    }

    /// How many were taken and not yet answered.
    pub fn at_work(&self) -> u32 {
        self.answered
            .map_or(0, |answered| self.consumed.wrapping_sub(answered))
    }

    /// What is in a place.
    pub fn state(&self, place: u32) -> Place {
        let from = |start: u32| place.wrapping_sub(start) % self.size;
        let at_work = self.at_work();
        let first = self.answered.unwrap_or(self.consumed);
        match from(first) {
            distance if distance < at_work => Place::AtWork,
            distance if distance < at_work + self.waiting().unwrap_or(0) => Place::Waiting,
            _ => Place::Free,
        }
    }
}

/// What is in a place of a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Nothing, or what is over.
    Free,
    /// Something that the other side has not taken.
    Waiting,
    /// Something that was taken, and has no answer.
    AtWork,
}

/// The channels, as bytes of a shared page say.
pub(in crate::modes) fn channels(byte: impl Fn(u32) -> u32) -> Vec<Channel> {
    (0..channel::COUNT)
        .map(|number| Channel {
            number,
            pending: byte(shared::PENDING + number) != 0,
            masked: byte(shared::MASK + number) != 0,
        })
        .collect()
}

impl Rings {
    /// The rings as they are. `word` reads the guest's memory.
    pub(in crate::modes) fn look(&self, word: &dyn Fn(u32) -> Option<u32>) -> Vec<Ring> {
        let mut rings = Vec::new();
        if let Some((page, consumed, produced)) = self.console() {
            let word = |offset| word(page + offset).unwrap_or_default();
            let stream = |stream, size, produced, consumed| Ring {
                stream,
                size,
                produced,
                consumed,
                answered: None,
                tell: None,
                entries: Vec::new(),
            };
            rings.push(stream(
                Stream::ConsoleOut,
                console::OUT_SIZE,
                word(console::OUT_PRODUCED),
                consumed,
            ));
            rings.push(stream(
                Stream::ConsoleIn,
                console::IN_SIZE,
                produced,
                word(console::IN_CONSUMED),
            ));
        }
        if let Some((page, consumed, answered)) = self.disk() {
            let word = |offset| word(page + offset).unwrap_or_default();
            let entry = |place| {
                let at = disk::ENTRIES + place * disk::ENTRY;
                Entry {
                    id: word(at + disk::ID),
                    operation: word(at + disk::OPERATION),
                    sector: word(at + disk::SECTOR),
                    address: word(at + disk::ADDRESS),
                }
            };
            rings.push(Ring {
                stream: Stream::Disk,
                size: disk::COUNT,
                produced: word(disk::REQUESTS),
                consumed,
                answered: Some(answered),
                tell: Some([word(disk::REQUEST_EVENT), word(disk::RESPONSE_EVENT)]),
                entries: (0..disk::COUNT).map(entry).collect(),
            });
        }
        rings
    }
}
