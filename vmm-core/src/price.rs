//! Prices: a run is counted once and priced as often as wanted. Prices never influence execution.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use toy_isa::table::Cost;
use toy_isa::trap::Cause;

use crate::counts::Counts;
use crate::event::Event;
use crate::modes::para::interface::channel;
use crate::modes::trap::allocator::STATE_WORDS;

/// What everything costs, in cycles of some processor.
#[derive(Clone, Debug, PartialEq)]
pub struct PriceList {
    /// Its name.
    pub name: String,
    /// Where the figures come from.
    pub source: String,
    /// Whether all are assumed, not published. Every output says so.
    pub assumed: bool,
    /// When the processor came out; none for an imagined one.
    pub year: Option<u32>,
    /// Whether the processor has nested paging.
    pub nested_paging: bool,
    figures: BTreeMap<String, Figure>,
    instruction: InstructionPrices,
    event: EventPrices,
}

/// A price, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Figure {
    /// The price.
    pub cycles: u64,
    /// Where it comes from.
    pub basis: Basis,
}

/// Where a figure comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// It is published or was measured: here.
    Source(String),
    /// It was determined by this measurement of somebody, given the other prices (ADR 9).
    Fitted(String),
    /// Nobody has measured it.
    Assumed,
}

impl Basis {
    /// The mark in tables: none for a figure with a source, `f` for a fitted and `*` for an assumed one.
    pub fn mark(&self) -> char {
        match self {
            Basis::Source(_) => ' ',
            Basis::Fitted(_) => 'f',
            Basis::Assumed => '*',
        }
    }
}

/// Why a text is no price list.
#[derive(Debug, thiserror::Error)]
pub enum PriceError {
    /// It is not TOML, or lacks a price, or has one that nothing costs.
    #[error(transparent)]
    Toml(#[from] toml::de::Error),
    /// A price that does not say where it comes from.
    #[error(
        "the price of '{0}' says not where it comes from: expected one of source, fitted and assumed = true, or a list \
         that is assumed as a whole"
    )]
    Basis(String),
    /// A price beyond reason.
    #[error("the price of '{0}' is too high: expected at most {limit} cycles", limit = PriceList::HIGHEST)]
    TooHigh(String),
    /// There is no such list.
    #[error("no price list is named '{0}': expected one of {names}", names = PriceList::NAMES.join(", "))]
    Unknown(String),
}

/// The file of a list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    name: String,
    source: String,
    assumed: bool,
    year: Option<u32>,
    #[serde(default = "yes")]
    nested_paging: bool,
    /// Prices that are not in the file are those of the textbook list, assumed.
    #[serde(default)]
    rest_from_textbook: bool,
    #[serde(default)]
    instruction: BTreeMap<String, Entry>,
    #[serde(default)]
    event: BTreeMap<String, Entry>,
}

fn yes() -> bool {
    true
}

/// A price in a file: a number, or a number and where it comes from.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "expected a number of cycles, or { cycles = .. } with source, fitted or assumed = true"
)]
enum Entry {
    Cycles(u64),
    Figure(FigureEntry),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FigureEntry {
    cycles: u64,
    source: Option<String>,
    fitted: Option<String>,
    #[serde(default)]
    assumed: bool,
}

impl Entry {
    /// The figure of this name; `assumed` is what the list says of itself.
    fn figure(self, name: &str, assumed: bool) -> Result<Figure, PriceError> {
        let (cycles, basis) = match self {
            Entry::Cycles(cycles) => (cycles, assumed.then_some(Basis::Assumed)),
            Entry::Figure(entry) => {
                let basis = match (entry.source, entry.fitted, entry.assumed) {
                    (Some(source), None, false) => Some(Basis::Source(source)),
                    (None, Some(fitted), false) => Some(Basis::Fitted(fitted)),
                    (None, None, true) => Some(Basis::Assumed),
                    _ => None,
                };
                (entry.cycles, basis)
            }
        };
        let basis = basis.ok_or_else(|| PriceError::Basis(name.to_string()))?;
        if cycles > PriceList::HIGHEST {
            return Err(PriceError::TooHigh(name.to_string()));
        }
        Ok(Figure { cycles, basis })
    }
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct InstructionPrices {
    alu: u64,
    mul: u64,
    div: u64,
    load: u64,
    store: u64,
    branch: u64,
    jump: u64,
    fence: u64,
    csr: u64,
    system: u64,
    io: u64,
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct EventPrices {
    trap: u64,
    system_call: u64,
    word: u64,
    dispatch: u64,
    vm_exit: u64,
    vm_entry: u64,
    structure_word: u64,
    nested_fill: u64,
    callout: u64,
    translate: u64,
    hypercall: u64,
    mmu_update: u64,
    validate: u64,
    send_event: u64,
    ring_request: u64,
    emulate: u64,
    emulate_access: u64,
    reflect: u64,
    inject: u64,
    shadow_fill: u64,
    shadow_drop: u64,
    shadow_switch: u64,
    guest_reference: u64,
    walk_reference: u64,
    device: u64,
    interpreted: u64,
    emitted: u64,
}

/// One line of a bill.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Item {
    /// What.
    pub what: &'static str,
    /// How often.
    pub count: u64,
    /// Cycles each.
    pub price: u64,
}

impl Item {
    /// Cycles for all of them.
    pub fn cycles(&self) -> u64 {
        self.count.saturating_mul(self.price)
    }
}

/// The list of round numbers.
const TEXTBOOK: &str = include_str!("../prices/textbook.toml");

/// The lists of processors, in the order of their years.
const PROCESSORS: [(&str, &str); 6] = [
    ("prescott", include_str!("../prices/prescott.toml")),
    ("merom", include_str!("../prices/merom.toml")),
    ("penryn", include_str!("../prices/penryn.toml")),
    ("nehalem", include_str!("../prices/nehalem.toml")),
    ("westmere", include_str!("../prices/westmere.toml")),
    ("sandy-bridge", include_str!("../prices/sandy-bridge.toml")),
];

/// The prices alone, in the form that bills are made with.
fn prices<T: serde::de::DeserializeOwned>(figures: &BTreeMap<String, Figure>) -> Result<T, toml::de::Error> {
    let cycles = |(name, figure): (&String, &Figure)| (name.clone(), (figure.cycles as i64).into());
    figures.iter().map(cycles).collect::<toml::Table>().try_into()
}

impl PriceList {
    /// The names of the lists that ship: round numbers for teaching, then processors in the order of their years.
    pub const NAMES: [&str; 7] = [
        "textbook",
        "prescott",
        "merom",
        "penryn",
        "nehalem",
        "westmere",
        "sandy-bridge",
    ];

    /// The highest price, in cycles: so that no bill can be beyond all numbers.
    pub const HIGHEST: u64 = 1_000_000;

    /// Round numbers for teaching; all of them assumed.
    ///
    /// # Panics
    /// Never: a test reads the shipped list.
    pub fn textbook() -> PriceList {
        PriceList::parse(TEXTBOOK).expect("the shipped price list is valid")
    }

    /// The list of this name that ships.
    ///
    /// # Errors
    /// If there is none.
    pub fn shipped(name: &str) -> Result<PriceList, PriceError> {
        if name == "textbook" {
            return Ok(PriceList::textbook());
        }
        let (_, text) = PROCESSORS
            .iter()
            .find(|(known, _)| *known == name)
            .ok_or_else(|| PriceError::Unknown(name.to_string()))?;
        PriceList::parse(text)
    }

    /// The lists of processors that ship, in the order of their years.
    ///
    /// # Panics
    /// Never: a test reads them.
    pub fn processors() -> Vec<PriceList> {
        let parse = |(_, text): (_, &str)| PriceList::parse(text).expect("the shipped price lists are valid");
        PROCESSORS.into_iter().map(parse).collect()
    }

    /// Reads a list.
    ///
    /// # Errors
    /// If it is not TOML, or lacks a price, or has one that nothing costs, or one that says not where it comes from.
    pub fn parse(text: &str) -> Result<PriceList, PriceError> {
        let document: Document = toml::from_str(text)?;
        let read = |entries: BTreeMap<String, Entry>, base: Option<BTreeMap<String, Figure>>| {
            let mut figures = base.unwrap_or_default();
            for (name, entry) in entries {
                let figure = entry.figure(&name, document.assumed)?;
                figures.insert(name, figure);
            }
            Ok::<_, PriceError>(figures)
        };
        let (instruction, event) = match document.rest_from_textbook {
            false => (None, None),
            true => {
                let base: Document = toml::from_str(TEXTBOOK)?;
                let assumed = |entries: BTreeMap<String, Entry>| {
                    let figure = |(name, entry): (String, Entry)| {
                        let cycles = entry.figure(&name, true)?.cycles;
                        let basis = Basis::Assumed;
                        Ok((name, Figure { cycles, basis }))
                    };
                    entries.into_iter().map(figure).collect::<Result<_, PriceError>>()
                };
                (Some(assumed(base.instruction)?), Some(assumed(base.event)?))
            }
        };
        let (instruction, event) = (
            read(document.instruction, instruction)?,
            read(document.event, event)?,
        );
        let head = PriceList {
            name: document.name,
            source: document.source,
            assumed: document.assumed,
            year: document.year,
            nested_paging: document.nested_paging,
            figures: BTreeMap::new(),
            instruction: prices(&instruction)?,
            event: prices(&event)?,
        };
        Ok(PriceList {
            figures: instruction.into_iter().chain(event).collect(),
            ..head
        })
    }

    /// Every price by its name, with where it comes from.
    pub fn figures(&self) -> &BTreeMap<String, Figure> {
        &self.figures
    }

    /// The price of this name in cycles; 0 if there is none.
    pub fn price(&self, name: &str) -> u64 {
        self.figures.get(name).map_or(0, |figure| figure.cycles)
    }

    /// The same list with these prices changed to `cycles`, and the basis of the others as it is.
    #[must_use]
    pub fn changed_only(&self, names: &[&str], cycles: u64) -> PriceList {
        let mut list = self.changed(|name, old| if names.contains(&name) { cycles } else { old });
        for (name, figure) in &self.figures {
            if !names.contains(&name.as_str()) {
                list.figures.insert(name.clone(), figure.clone());
            }
        }
        list
    }

    /// The same list with other prices, all of them assumed: `change` is given the name and the price of each.
    ///
    /// # Panics
    /// Never: the names are those of a list that was read.
    #[must_use]
    pub fn changed(&self, change: impl Fn(&str, u64) -> u64) -> PriceList {
        let figures: BTreeMap<String, Figure> = self
            .figures
            .iter()
            .map(|(name, figure)| {
                let cycles = change(name, figure.cycles).min(PriceList::HIGHEST);
                let basis = Basis::Assumed;
                (name.clone(), Figure { cycles, basis })
            })
            .collect();
        let is_instruction = |name: &String| Cost::ALL.iter().any(|cost| cost.name() == name);
        let (instruction, event) = figures
            .clone()
            .into_iter()
            .partition(|(name, _)| is_instruction(name));
        PriceList {
            instruction: prices(&instruction).expect("its names are right"),
            event: prices(&event).expect("its names are right"),
            figures,
            ..self.clone()
        }
    }

    /// The price of one directly executed instruction.
    pub fn instruction(&self, cost: Cost) -> u64 {
        let prices = &self.instruction;
        match cost {
            Cost::Alu => prices.alu,
            Cost::Mul => prices.mul,
            Cost::Div => prices.div,
            Cost::Load => prices.load,
            Cost::Store => prices.store,
            Cost::Branch => prices.branch,
            Cost::Jump => prices.jump,
            Cost::Fence => prices.fence,
            Cost::Csr => prices.csr,
            Cost::System => prices.system,
            Cost::Io => prices.io,
        }
    }

    /// The bill for a run, item by item. It is without the hardware's table walks where these were not counted: see
    /// [`Counts::tlb`].
    pub fn bill(&self, counts: &Counts) -> Vec<Item> {
        let event = &self.event;
        let called = counts.emulated.values().sum::<u64>() + counts.hypercalls_total();
        let accesses = counts.emulated_total() - called;
        let instructions = Cost::ALL.into_iter().map(|cost| Item {
            what: cost.name(),
            count: counts.executed_of(cost),
            price: self.instruction(cost),
        });
        let item = |what, count, price| Item { what, count, price };
        let events = [
            item("trap", counts.traps_total() - counts.calls(), event.trap),
            item("system call or hypercall", counts.calls(), event.system_call),
            item("word saved or restored", counts.words, event.word),
            item(
                "exit of non-root operation",
                counts.vm_exits_total(),
                event.vm_exit,
            ),
            item("entry of non-root operation", counts.vm_entries, event.vm_entry),
            item(
                "control-structure word",
                counts.structure_words,
                event.structure_word,
            ),
            item("nested fill", counts.nested_fills, event.nested_fill),
            item(
                "dispatch",
                counts.exits.saturating_sub(counts.callouts),
                event.dispatch,
            ),
            item("callout", counts.callouts, event.callout),
            item(
                "translated instruction",
                counts.translated_instructions,
                event.translate,
            ),
            item("hypercall", counts.hypercalls_total(), event.hypercall),
            item("page-table update", counts.mmu_updates, event.mmu_update),
            item("validated entry", counts.validated, event.validate),
            item("event sent", counts.events_sent, event.send_event),
            item("upcall", counts.upcalls, event.inject),
            item("ring request", counts.ring_requests, event.ring_request),
            item(
                "emulated instruction",
                counts.emulated.values().sum(),
                event.emulate,
            ),
            item("emulated access", accesses, event.emulate_access),
            item("reflected trap", counts.reflected, event.reflect),
            item("injected interrupt", counts.injected, event.inject),
            item("shadow fill", counts.shadow_fills, event.shadow_fill),
            item("shadow drop", counts.shadow_drops, event.shadow_drop),
            item("shadow switch", counts.shadow_switches, event.shadow_switch),
            item(
                "guest table entry read",
                counts.guest_references,
                event.guest_reference,
            ),
            item(
                "hardware table entry read",
                counts.tlb.map_or(0, |tlb| tlb.references),
                event.walk_reference,
            ),
            item("device register", counts.device_registers, event.device),
            item(
                "interpreted instruction",
                counts.interpreted_total(),
                event.interpreted,
            ),
            item("instruction as host code", counts.emitted_total(), event.emitted),
        ];
        instructions.chain(events).filter(|item| item.count > 0).collect()
    }

    /// The cycles of a run, as far as it was counted: see [`PriceList::bill`].
    pub fn cycles(&self, counts: &Counts) -> u64 {
        self.bill(counts)
            .iter()
            .map(Item::cycles)
            .fold(0, u64::saturating_add)
    }

    /// The price of one interpreted instruction.
    pub fn interpreted(&self) -> u64 {
        self.event.interpreted
    }

    /// The price of a hardware entry into ring 0.
    fn entry(&self, cause: Cause) -> u64 {
        match cause {
            Cause::SystemCall(_) | Cause::Hypercall => self.event.system_call,
            _ => self.event.trap,
        }
    }

    /// The cycles of one event, without the guest's own instructions and table entries read.
    pub fn of(&self, what: &Event) -> u64 {
        let event = &self.event;
        match what {
            Event::Exit { trap, .. } => self.entry(trap.cause) + event.dispatch + STATE_WORDS * event.word,
            Event::VmExit { .. } => event.vm_exit + event.dispatch,
            Event::VmEntry { .. } => event.vm_entry,
            Event::NestedFill { .. } => event.nested_fill,
            Event::Callout { .. } => event.callout,
            Event::Translate { instructions, .. } => event.translate * u64::from(*instructions),
            Event::Hypercall { .. } => event.hypercall,
            // Its price is that of the translation that follows.
            Event::Adapt { .. } => 0,
            Event::TableUpdates { done, validated, .. } => {
                event.mmu_update * u64::from(*done) + event.validate * validated
            }
            Event::EventSent { .. } => event.send_event,
            Event::RingServed {
                channel, requests, ..
            } if *channel == channel::DISK => event.ring_request * u64::from(*requests),
            Event::RingServed { .. } => 0,
            Event::Emulate { .. } => event.emulate,
            Event::EmulateAccess { .. } => event.emulate_access,
            Event::ShadowFill { .. } => event.shadow_fill,
            Event::ShadowDrop { .. } => event.shadow_drop,
            Event::ShadowSwitch { .. } => event.shadow_switch,
            Event::Enter { trap, how } => match how {
                crate::event::Delivery::Hardware => self.entry(trap.cause),
                crate::event::Delivery::Reflected => event.reflect,
                crate::event::Delivery::Injected | crate::event::Delivery::Upcall => event.inject,
            },
            Event::Return { .. } => 0,
            Event::Resume { .. } => STATE_WORDS * event.word,
        }
    }
}

#[cfg(test)]
mod tests;
