//! Chains of events: an exit with all that it set off, up to the moment at which the guest is resumed.

use crate::event::{Delivery, Event, Log, Record};
use crate::price::PriceList;

/// An event with all that has the same cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// What set it off: an exit, or an event that stands alone.
    pub root: Record,
    /// What followed.
    pub rest: Vec<Record>,
}

impl Chain {
    /// The chain that the event of this number belongs to, as far as `get` has its events. `None` if it does not have
    /// this one.
    pub fn of<'a>(number: u64, get: impl Fn(u64) -> Option<&'a Record>) -> Option<Chain> {
        let record = get(number)?;
        let exit = record.exit.unwrap_or(number);
        // Where the exit is not kept any more, the chain begins with what is.
        let root = get(exit).unwrap_or(record);
        // One chain is over before the next begins.
        let following =
            (root.number + 1..).map_while(|next| get(next).filter(|record| record.exit == Some(exit)));
        Some(Chain {
            root: root.clone(),
            rest: following.cloned().collect(),
        })
    }

    /// The same, out of a log.
    pub fn in_log(number: u64, log: &Log) -> Option<Chain> {
        Chain::of(number, |number| log.get(number))
    }

    /// All of it, in order.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        std::iter::once(&self.root).chain(&self.rest)
    }

    /// What it cost.
    pub fn cycles(&self, prices: &PriceList) -> u64 {
        self.records().map(|record| prices.of(&record.event)).sum()
    }
}

/// Who does what an event tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// The processor.
    Hardware,
    /// The software in ring 0.
    Monitor,
}

impl Actor {
    /// Of this event.
    pub fn of(record: &Record) -> Actor {
        match record.event {
            Event::Exit { .. } | Event::VmExit { .. } => Actor::Hardware,
            Event::Enter {
                how: Delivery::Hardware,
                ..
            } => Actor::Hardware,
            Event::Return { .. } if record.exit.is_none() => Actor::Hardware,
            _ => Actor::Monitor,
        }
    }
}
