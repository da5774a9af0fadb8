//! `to`: where a stop is.

use toml::Spanned;
use toy_isa::trap::Cause;
use vmm_core::modes::para::interface::{Hypercall, channel};

use super::super::schema::TargetTable;
use super::super::sought::{EVENTS, Key, Sought, ways};
use super::super::{Target, limit};
use super::{Scene, TourLoader};
use crate::error::{Error, nearest};

impl TourLoader<'_> {
    pub(super) fn target(&self, to: &Spanned<TargetTable>, scene: &Scene) -> Result<Target, Error> {
        let table = to.get_ref();
        let kinds = [
            table.event.is_some(),
            table.instruction.is_some(),
            table.symbol.is_some(),
            table.end.as_ref().is_some_and(|end| *end.get_ref()),
        ];
        if kinds.iter().filter(|given| **given).count() != 1 {
            let message = "expected one of event, instruction, symbol, and end = true";
            return Err(self.loader.error(to.span(), message, None));
        }
        self.fits(table)?;
        let nth = self.nth(table)?;
        if let Some(event) = &table.event {
            return Ok(Target::Event(self.sought(table, event, nth)?));
        }
        if let Some(symbol) = &table.symbol {
            return Ok(Target::Address(self.address(symbol, scene)?, nth));
        }
        Ok(match &table.instruction {
            Some(instruction) => Target::Instruction(*instruction.get_ref()),
            None => Target::End,
        })
    }

    /// That there is no key which what is looked for does not have.
    fn fits(&self, table: &TargetTable) -> Result<(), Error> {
        let event = table.event.as_ref().map(|event| event.get_ref().as_str());
        let known = EVENTS.iter().find(|(name, _)| Some(*name) == event);
        let has = known.map_or(&[] as &[Key], |(_, has)| has);
        for key in Key::ALL.into_iter().filter(|key| !has.contains(key)) {
            let span = match key {
                Key::Cause => table.cause.as_ref().map(Spanned::span),
                Key::Row => table.row.as_ref().map(Spanned::span),
                Key::How => table.how.as_ref().map(Spanned::span),
                Key::ToRing => table.to_ring.as_ref().map(Spanned::span),
                Key::Hypercall => table.hypercall.as_ref().map(Spanned::span),
                Key::Channel => table.channel.as_ref().map(Spanned::span),
            };
            // An unknown event is told as such.
            if let (Some(span), true) = (span, event.is_none() || known.is_some()) {
                let of = with(key).join(", ");
                let message = format!(
                    "'{}' does not belong here: events that have it are {of}",
                    key.name()
                );
                return Err(self.loader.error(span, message, None));
            }
        }
        if let (Some(ring), None) = (&table.ring, event) {
            let message = "'ring' does not belong here: only events have it";
            return Err(self.loader.error(ring.span(), message, None));
        }
        Ok(())
    }

    fn sought(&self, table: &TargetTable, event: &Spanned<String>, nth: u64) -> Result<Sought, Error> {
        let names = || EVENTS.iter().map(|(name, _)| *name);
        let name = names()
            .find(|name| name == event.get_ref())
            .ok_or_else(|| self.loader.unknown("event", event, names()))?;
        let cause = table.cause.as_ref().map(|cause| self.cause(cause)).transpose()?;
        let row = table.row.as_ref().map(|row| self.loader.row(row)).transpose()?;
        let (ring, to_ring) = (
            self.ring(table.ring.as_ref())?,
            self.ring(table.to_ring.as_ref())?,
        );
        let how = self.one_of("way", table.how.as_ref(), ways(name))?;
        let calls = Hypercall::ALL.map(Hypercall::name).to_vec();
        let channels: Vec<&str> = (0..channel::COUNT).map(channel::name).collect();
        let hypercall = self.one_of("hypercall", table.hypercall.as_ref(), calls)?;
        let channel = self.one_of("channel", table.channel.as_ref(), channels)?;
        Ok(Sought {
            event: name,
            ring,
            cause,
            row,
            how,
            to_ring,
            hypercall,
            channel: channel
                .and_then(|name| (0..channel::COUNT).find(|number| channel::name(*number) == name)),
            nth,
        })
    }

    fn one_of(
        &self,
        what: &str,
        written: Option<&Spanned<String>>,
        names: Vec<&'static str>,
    ) -> Result<Option<&'static str>, Error> {
        let Some(written) = written else { return Ok(None) };
        let found = names.iter().copied().find(|name| name == written.get_ref());
        match found {
            Some(name) => Ok(Some(name)),
            None => Err(self.loader.unknown(what, written, names.into_iter())),
        }
    }

    fn cause(&self, cause: &Spanned<String>) -> Result<Cause, Error> {
        let found = Cause::ALL
            .into_iter()
            .find(|known| known.to_string() == *cause.get_ref());
        found.ok_or_else(|| {
            let names = Cause::ALL.map(|cause| cause.to_string());
            self.loader
                .unknown("cause", cause, names.iter().map(String::as_str))
        })
    }

    fn ring(&self, ring: Option<&Spanned<u32>>) -> Result<Option<u32>, Error> {
        match ring {
            Some(ring) if *ring.get_ref() > 3 => {
                let message = format!("there is no ring {}: expected 0 to 3", ring.get_ref());
                Err(self.loader.error(ring.span(), message, None))
            }
            _ => Ok(ring.map(|ring| *ring.get_ref())),
        }
    }

    fn nth(&self, table: &TargetTable) -> Result<u64, Error> {
        let Some(nth) = &table.nth else { return Ok(1) };
        let number = *nth.get_ref();
        let message = match (&table.event, &table.symbol) {
            (None, None) => {
                "'nth' does not belong here: only an event or a symbol can come again".to_string()
            }
            _ if (1..=limit::NTH).contains(&number) => return Ok(number),
            _ => format!("nth: {number} is out of range: expected 1 to {}", limit::NTH),
        };
        Err(self.loader.error(nth.span(), message, None))
    }

    /// The address of a symbol of the program that runs there.
    fn address(&self, symbol: &Spanned<String>, scene: &Scene) -> Result<u32, Error> {
        let (image, _) = self.scenes[scene.place].2.program(scene.mode);
        let name = symbol.get_ref();
        let found = image.symbol(name).map(|symbol| symbol.address);
        found.ok_or_else(|| {
            let names = image.symbols.iter().map(|symbol| symbol.name.as_str());
            let message = format!("the guest has no symbol '{name}'");
            self.loader.error(symbol.span(), message, nearest(name, names))
        })
    }
}

/// The events that have this key.
fn with(key: Key) -> Vec<&'static str> {
    let having = EVENTS.iter().filter(|(_, has)| has.contains(&key));
    having.map(|(name, _)| *name).collect()
}
