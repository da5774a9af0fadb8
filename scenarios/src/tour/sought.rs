//! The event at which a stop is.

use toy_isa::instruction::{Registers, decode};
use toy_isa::row::Row;
use toy_isa::trap::{Cause, Trap};
use vmm_core::event::{AccessReason, Delivery, Event, Record};

/// What an event has that can be asked for: the keys of a target's table, beside `event`, `ring` and `nth`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Cause,
    Row,
    How,
    ToRing,
    Hypercall,
    Channel,
}

impl Key {
    pub(super) const ALL: [Key; 6] = [
        Key::Cause,
        Key::Row,
        Key::How,
        Key::ToRing,
        Key::Hypercall,
        Key::Channel,
    ];

    /// As files write it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Key::Cause => "cause",
            Key::Row => "row",
            Key::How => "how",
            Key::ToRing => "to_ring",
            Key::Hypercall => "hypercall",
            Key::Channel => "channel",
        }
    }
}

/// The events by their names in traces, and what each has.
pub(super) const EVENTS: [(&str, &[Key]); 18] = [
    ("exit", &[Key::Cause, Key::Row]),
    ("vm-exit", &[Key::Cause, Key::Row]),
    ("vm-entry", &[]),
    ("nested-fill", &[]),
    ("callout", &[]),
    ("translate", &[]),
    ("hypercall", &[Key::Hypercall]),
    ("table-updates", &[]),
    ("event-sent", &[Key::Channel]),
    ("ring-served", &[Key::Channel]),
    ("emulate", &[Key::Row]),
    ("emulate-access", &[Key::How]),
    ("shadow-fill", &[]),
    ("shadow-drop", &[]),
    ("shadow-switch", &[]),
    ("enter", &[Key::Cause, Key::How]),
    ("return", &[Key::ToRing]),
    ("resume", &[]),
];

const DELIVERIES: [Delivery; 4] = [
    Delivery::Hardware,
    Delivery::Reflected,
    Delivery::Injected,
    Delivery::Upcall,
];

const REASONS: [AccessReason; 6] = [
    AccessReason::Device,
    AccessReason::Traced,
    AccessReason::Code,
    AccessReason::AboveLimit,
    AccessReason::Deadline,
    AccessReason::Plain,
];

/// Everything that key `how` can say of this event.
pub(super) fn ways(event: &str) -> Vec<&'static str> {
    match event {
        "enter" => DELIVERIES.map(Delivery::name).to_vec(),
        "emulate-access" => REASONS.map(AccessReason::name).to_vec(),
        _ => Vec::new(),
    }
}

/// An event that a run is to go on to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sought {
    /// Its name, as [`Event::name`] has it.
    pub event: &'static str,
    /// The ring of the guest, if that matters.
    pub ring: Option<u32>,
    /// The trap, of an event that has one.
    pub cause: Option<Cause>,
    /// The row of the instruction.
    pub row: Option<Row>,
    /// How a trap reached the guest, or why an access was emulated.
    pub how: Option<&'static str>,
    /// The ring that the guest returns to.
    pub to_ring: Option<u32>,
    /// The name of the hypercall.
    pub hypercall: Option<&'static str>,
    /// The number of the event channel.
    pub channel: Option<u32>,
    /// The so-manieth, from 1.
    pub nth: u64,
}

impl Sought {
    /// Whether this is one of those that are meant.
    pub fn is(&self, record: &Record) -> bool {
        fn agree<T: PartialEq>(wanted: Option<T>, found: Option<T>) -> bool {
            wanted.is_none() || wanted == found
        }
        let event = &record.event;
        self.event == event.name()
            && agree(self.ring, Some(record.ring))
            && agree(self.cause, trap(event).map(|trap| trap.cause))
            && agree(self.row, row(event))
            && agree(self.how, how(event))
            && agree(self.to_ring, to_ring(event))
            && agree(self.hypercall, hypercall(event))
            && agree(self.channel, channel(event))
    }
}

fn trap(event: &Event) -> Option<Trap> {
    match event {
        Event::Exit { trap, .. } | Event::VmExit { trap } | Event::Enter { trap, .. } => Some(*trap),
        _ => None,
    }
}

/// The row of the instruction that an event is about. Of a trap, that of the word that it tells.
fn row(event: &Event) -> Option<Row> {
    match event {
        Event::Emulate { row, .. } => Some(*row),
        _ => {
            let trap = trap(event)?;
            let tells = matches!(trap.cause, Cause::Illegal | Cause::Intercepted);
            let word = tells.then_some(trap.tval)?;
            Some(decode(word, Registers::Sixteen)?.row())
        }
    }
}

fn how(event: &Event) -> Option<&'static str> {
    match event {
        Event::Enter { how, .. } => Some(how.name()),
        Event::EmulateAccess { why, .. } => Some(why.name()),
        _ => None,
    }
}

fn to_ring(event: &Event) -> Option<u32> {
    match event {
        Event::Return { ring } => Some(*ring),
        _ => None,
    }
}

fn hypercall(event: &Event) -> Option<&'static str> {
    match event {
        Event::Hypercall { name, .. } => Some(name),
        _ => None,
    }
}

fn channel(event: &Event) -> Option<u32> {
    match event {
        Event::EventSent { channel } | Event::RingServed { channel, .. } => Some(*channel),
        _ => None,
    }
}
