//! Prices: a run is counted once and priced as often as wanted. Prices never influence execution.

use serde::{Deserialize, Serialize};
use toy_isa::table::Cost;

use crate::counts::Counts;
use crate::event::Event;
use crate::modes::para::interface::channel;
use crate::modes::trap::allocator::STATE_WORDS;

/// What everything costs, in cycles of some processor.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct PriceList {
    /// Its name.
    pub name: String,
    /// Where the figures come from.
    pub source: String,
    /// Whether they are assumed, not published. Every output says so.
    pub assumed: bool,
    instruction: InstructionPrices,
    event: EventPrices,
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
        self.count * self.price
    }
}

/// The list of round numbers.
const TEXTBOOK: &str = include_str!("../prices/textbook.toml");

impl PriceList {
    /// Round numbers for teaching; all of them assumed.
    ///
    /// # Panics
    /// Never: a test reads the shipped list.
    pub fn textbook() -> PriceList {
        PriceList::parse(TEXTBOOK).expect("the shipped price list is valid")
    }

    /// Reads a list.
    ///
    /// # Errors
    /// If it is not TOML, or lacks a price, or has one that nothing costs.
    pub fn parse(text: &str) -> Result<PriceList, toml::de::Error> {
        toml::from_str(text)
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

    /// The bill for a run, item by item.
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
            item("trap", counts.traps_total(), event.trap),
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
            item("dispatch", counts.exits - counts.callouts, event.dispatch),
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
                counts.walk_references,
                event.walk_reference,
            ),
            item("device register", counts.device_registers, event.device),
            item(
                "interpreted instruction",
                counts.interpreted_total(),
                event.interpreted,
            ),
        ];
        instructions.chain(events).filter(|item| item.count > 0).collect()
    }

    /// The cycles of a run.
    pub fn cycles(&self, counts: &Counts) -> u64 {
        self.bill(counts).iter().map(Item::cycles).sum()
    }

    /// The price of one interpreted instruction.
    pub fn interpreted(&self) -> u64 {
        self.event.interpreted
    }

    /// The cycles of one event, without the guest's own instructions and table entries read.
    pub fn of(&self, what: &Event) -> u64 {
        let event = &self.event;
        match what {
            Event::Exit { .. } => event.trap + event.dispatch + STATE_WORDS * event.word,
            Event::VmExit { .. } => event.vm_exit + event.dispatch,
            Event::VmEntry { .. } => event.vm_entry,
            Event::NestedFill { .. } => event.nested_fill,
            Event::Callout { .. } => event.callout,
            Event::Translate { instructions, .. } => event.translate * u64::from(*instructions),
            Event::Hypercall { .. } => event.hypercall,
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
            Event::Enter { how, .. } => match how {
                crate::event::Delivery::Hardware => event.trap,
                crate::event::Delivery::Reflected => event.reflect,
                crate::event::Delivery::Injected | crate::event::Delivery::Upcall => event.inject,
            },
            Event::Return { .. } => 0,
            Event::Resume { .. } => STATE_WORDS * event.word,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_list_is_valid_and_says_that_it_is_assumed() {
        let list = PriceList::textbook();
        assert_eq!(list.name, "textbook");
        assert!(list.assumed);
    }

    #[test]
    fn an_unknown_price_is_an_error() {
        let text = TEXTBOOK.replace("[event]", "[event]\nmagic = 1");
        assert!(PriceList::parse(&text).unwrap_err().to_string().contains("magic"));
    }

    #[test]
    fn a_bill_multiplies_and_adds() {
        let list = PriceList::textbook();
        let mut counts = Counts {
            words: 32,
            ..Counts::default()
        };
        counts.trap(toy_isa::trap::Cause::Illegal);
        assert_eq!(list.cycles(&counts), 100 + 32);
    }
}
