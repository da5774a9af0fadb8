//! Events in the JSON of traces.

use serde::Serialize;
use serde::ser::SerializeMap;
use toy_isa::trap::Trap;

use super::{Event, Record, access_name, reason};

/// The cause by its name and by its code in the register `cause`, and what it is about.
fn serialize_trap<M: SerializeMap>(map: &mut M, trap: &Trap) -> Result<(), M::Error> {
    map.serialize_entry("cause", &trap.cause.to_string())?;
    map.serialize_entry("code", &trap.cause.code())?;
    map.serialize_entry("tval", &trap.tval)
}

impl Serialize for Record {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("number", &self.number)?;
        map.serialize_entry("clock", &self.clock)?;
        map.serialize_entry("pc", &self.pc)?;
        map.serialize_entry("base", &self.base)?;
        map.serialize_entry("ring", &self.ring)?;
        map.serialize_entry("exit", &self.exit)?;
        map.serialize_entry("event", self.event.name())?;
        match &self.event {
            Event::Exit { trap, real_ring } => {
                serialize_trap(&mut map, trap)?;
                map.serialize_entry("real_ring", real_ring)?;
            }
            Event::VmExit { trap } => {
                map.serialize_entry("reason", &reason(*trap))?;
                map.serialize_entry("cause", &trap.cause.code())?;
                map.serialize_entry("tval", &trap.tval)?;
            }
            Event::VmEntry { inject } => {
                map.serialize_entry("inject", &inject.map(|trap| trap.cause.code()))?;
            }
            Event::NestedFill {
                access,
                guest_frame,
                host_frame,
            } => {
                map.serialize_entry("access", access_name(*access))?;
                map.serialize_entry("guest_frame", guest_frame)?;
                map.serialize_entry("host_frame", host_frame)?;
            }
            Event::Callout { why } => map.serialize_entry("why", why.name())?,
            Event::Translate { instructions, words } => {
                map.serialize_entry("instructions", instructions)?;
                map.serialize_entry("words", words)?;
            }
            Event::Adapt { address, calls } => {
                map.serialize_entry("address", address)?;
                map.serialize_entry("calls", calls)?;
            }
            Event::Hypercall {
                name,
                arguments,
                result,
            } => {
                map.serialize_entry("hypercall", name)?;
                map.serialize_entry("arguments", arguments)?;
                map.serialize_entry("result", result)?;
            }
            Event::TableUpdates {
                requests,
                done,
                validated,
            } => {
                map.serialize_entry("requests", requests)?;
                map.serialize_entry("done", done)?;
                map.serialize_entry("validated", validated)?;
            }
            Event::EventSent { channel } => map.serialize_entry("channel", channel)?,
            Event::RingServed {
                channel,
                requests,
                responses,
            } => {
                map.serialize_entry("channel", channel)?;
                map.serialize_entry("requests", requests)?;
                map.serialize_entry("responses", responses)?;
            }
            Event::Emulate {
                row,
                word,
                sources,
                result,
            } => {
                map.serialize_entry("row", &row.to_string())?;
                map.serialize_entry("word", word)?;
                map.serialize_entry("sources", sources)?;
                map.serialize_entry("result", result)?;
            }
            Event::EmulateAccess { access, address, why } => {
                map.serialize_entry("access", access_name(*access))?;
                map.serialize_entry("address", address)?;
                map.serialize_entry("why", why.name())?;
            }
            Event::ShadowFill {
                access,
                address,
                guest_frame,
                host_frame,
            } => {
                map.serialize_entry("access", access_name(*access))?;
                map.serialize_entry("address", address)?;
                map.serialize_entry("guest_frame", guest_frame)?;
                map.serialize_entry("host_frame", host_frame)?;
            }
            Event::ShadowDrop { entry } => map.serialize_entry("entry", entry)?,
            Event::ShadowSwitch { ptbr, fresh } => {
                map.serialize_entry("ptbr", ptbr)?;
                map.serialize_entry("fresh", fresh)?;
            }
            Event::Enter { trap, how } => {
                serialize_trap(&mut map, trap)?;
                map.serialize_entry("how", how.name())?;
            }
            Event::Return { ring } => map.serialize_entry("to_ring", ring)?,
            Event::Resume { real_ring } => map.serialize_entry("real_ring", real_ring)?,
        }
        map.serialize_entry("text", &self.event.sentence())?;
        map.end()
    }
}
