//! What a run is watched for: points to stop at, each with a condition if it has one.

use std::fmt;

use toy_isa::disasm::REGISTER_NAMES;
use toy_isa::trap::Cause;

use super::condition::Condition;
use crate::event::{Event, Record, reason};
use crate::guest::GuestView;

/// A point to stop at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Point {
    /// Before the instruction at this address of the guest's.
    Address(u32),
    /// After any event, and what the monitor made of it.
    Any,
    /// After the processor, real or virtual, has taken a trap, and whoever is in charge has answered it.
    Trap,
    /// After the guest has left to the monitor, and the monitor has done what there was to do.
    Exit,
    /// After the guest's ring has changed.
    Ring,
    /// After an interrupt, as [`Point::Trap`].
    Interrupt,
    /// After a system call, as [`Point::Trap`].
    SystemCall,
    /// After an event of this name ([`Event::name`]), which is about this, if that matters: a cause, a row, the name of
    /// a hypercall, the reason of an exit or of a callout.
    Event {
        /// Its name.
        name: String,
        /// What it is about, or a part of that.
        about: Option<String>,
    },
    /// After a store, by whomever, to the word at this address of the guest's: the word that it is in the address space
    /// at that time. (Whoever changes that and changes it back between two events does so unseen.)
    Write(u32),
    /// After this register has changed.
    Register(u8),
}

/// What an event is about, as far as a word says it.
fn about(event: &Event) -> Option<String> {
    Some(match event {
        Event::VmExit { trap } => reason(*trap),
        Event::Exit { trap, .. } | Event::Enter { trap, .. } => trap.cause.to_string(),
        Event::Emulate { row, .. } => row.to_string(),
        Event::EmulateAccess { why, .. } => why.name().to_string(),
        Event::Hypercall { name, .. } => (*name).to_string(),
        Event::Callout { why } => why.name().to_string(),
        _ => return None,
    })
}

impl Point {
    /// Whether an event is it. Points that are no events never are.
    pub fn is(&self, record: &Record) -> bool {
        let event = &record.event;
        let trap = event.trap();
        match self {
            Point::Address(_) | Point::Write(_) | Point::Register(_) => false,
            Point::Any => true,
            Point::Trap => trap.is_some(),
            Point::Exit => matches!(event, Event::Exit { .. } | Event::VmExit { .. }),
            Point::Ring => match event {
                Event::Enter { .. } => record.ring != 0,
                Event::Return { ring } => *ring != 0,
                _ => false,
            },
            Point::Interrupt => trap.is_some_and(|trap| trap.cause.is_interrupt()),
            Point::SystemCall => trap.is_some_and(|trap| matches!(trap.cause, Cause::SystemCall(_))),
            Point::Event { name, about: wanted } => {
                event.name() == name
                    && wanted.as_ref().is_none_or(|wanted| {
                        about(event).is_some_and(|about| about.contains(wanted.as_str()))
                    })
            }
        }
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Point::Address(address) => write!(f, "pc {address:#010x}"),
            Point::Any => f.write_str("event"),
            Point::Trap => f.write_str("trap"),
            Point::Exit => f.write_str("exit"),
            Point::Ring => f.write_str("ring change"),
            Point::Interrupt => f.write_str("interrupt"),
            Point::SystemCall => f.write_str("system call"),
            Point::Event { name, about: None } => f.write_str(name),
            Point::Event {
                name,
                about: Some(about),
            } => write!(f, "{name} ({about})"),
            Point::Write(address) => write!(f, "write to {address:#010x}"),
            Point::Register(number) => {
                let name = REGISTER_NAMES.get(usize::from(*number)).unwrap_or(&"?");
                write!(f, "write to {name}")
            }
        }
    }
}

/// A point to stop at, where a condition holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breakpoint {
    /// Where.
    pub point: Point,
    /// Only if this holds there.
    pub condition: Option<Condition>,
    /// Whether it is heeded.
    pub enabled: bool,
}

impl Breakpoint {
    /// One that is always heeded.
    pub fn at(point: Point) -> Breakpoint {
        Breakpoint {
            point,
            condition: None,
            enabled: true,
        }
    }

    /// Whether its condition holds.
    pub(super) fn holds(&self, guest: &GuestView) -> bool {
        self.condition
            .as_ref()
            .is_none_or(|condition| condition.holds(guest))
    }
}

impl fmt::Display for Breakpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.condition {
            None => self.point.fmt(f),
            Some(condition) => write!(f, "{} if {condition}", self.point),
        }
    }
}
