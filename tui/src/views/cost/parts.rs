//! The parts of a method's cost.

use vmm_core::counts::Counts;
use vmm_core::price::{Basis, PriceList};
use vmm_core::tally::Tally;

/// What cycles are spent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Instructions that the hardware executed: the guest's, and what a translator made of them.
    Executed,
    /// Instructions that the monitor executed in their place.
    Emulated,
    /// The ways into the kernel or the monitor, and back.
    Crossings,
    /// What the monitor does for the guest.
    Routines,
    /// Page tables: shadows, nested ones, walks, validation.
    Tables,
    /// Translation.
    Translator,
    /// Devices, real or virtual.
    Devices,
}

impl Part {
    /// All of them, in the order in which they are shown.
    pub(super) const ALL: [Part; 7] = [
        Part::Executed,
        Part::Emulated,
        Part::Crossings,
        Part::Routines,
        Part::Tables,
        Part::Translator,
        Part::Devices,
    ];

    /// Its name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Part::Executed => "instructions",
            Part::Emulated => "emulated ones",
            Part::Crossings => "crossings",
            Part::Routines => "routines",
            Part::Tables => "page tables",
            Part::Translator => "translation",
            Part::Devices => "devices",
        }
    }

    /// What it is, in a few words.
    pub(super) fn what(self) -> &'static str {
        match self {
            Part::Executed => "executed by the hardware",
            Part::Emulated => "executed by the monitor, or as code of the host",
            Part::Crossings => "into the kernel or the monitor, and back",
            Part::Routines => "what the monitor does for the guest",
            Part::Tables => "shadows, nested tables, walks, validation",
            Part::Translator => "making code",
            Part::Devices => "registers, events and rings",
        }
    }

    /// The part that a price belongs to.
    pub(super) fn of(price: &str) -> Part {
        match price {
            "interpreted" | "emitted" => Part::Emulated,
            "trap" | "system_call" | "word" | "vm_exit" | "vm_entry" | "structure_word" => Part::Crossings,
            "dispatch" | "callout" | "hypercall" | "emulate" | "emulate_access" | "reflect" | "inject" => {
                Part::Routines
            }
            "shadow_fill" | "shadow_drop" | "shadow_switch" | "nested_fill" | "guest_reference"
            | "walk_reference" | "mmu_update" | "validate" => Part::Tables,
            "translate" => Part::Translator,
            "device" | "send_event" | "ring_request" => Part::Devices,
            _ => Part::Executed,
        }
    }
}

/// What one price is due for.
fn what(price: &str) -> &'static str {
    match price {
        "alu" => "arithmetic",
        "mul" => "multiplication",
        "div" => "division",
        "load" => "load",
        "store" => "store",
        "branch" => "branch",
        "jump" => "jump",
        "fence" => "fence",
        "csr" => "control register",
        "system" => "system instruction",
        "io" => "port",
        "trap" => "trap or interrupt",
        "system_call" => "system call, hypercall",
        "word" => "word saved, restored",
        "dispatch" => "dispatch",
        "vm_exit" => "vm exit",
        "vm_entry" => "vm entry",
        "structure_word" => "control structure word",
        "nested_fill" => "nested fill",
        "callout" => "callout",
        "translate" => "translated instruction",
        "hypercall" => "hypercall",
        "mmu_update" => "page-table update",
        "validate" => "validated entry",
        "send_event" => "event sent",
        "ring_request" => "ring request",
        "emulate" => "emulated instruction",
        "emulate_access" => "emulated access",
        "reflect" => "reflected trap",
        "inject" => "injection, upcall",
        "shadow_fill" => "shadow fill",
        "shadow_drop" => "shadow drop",
        "shadow_switch" => "shadow switch",
        "guest_reference" => "guest's entry read",
        "walk_reference" => "entry read in a walk",
        "device" => "device register",
        "interpreted" => "interpreted",
        "emitted" => "as code of the host",
        _ => "",
    }
}

/// A line of the bill.
pub(super) struct Item {
    /// What it is due for.
    pub(super) what: &'static str,
    pub(super) part: Part,
    /// How often it is due.
    pub(super) count: u64,
    /// Its price.
    pub(super) each: u64,
    /// Where that comes from.
    pub(super) mark: char,
    /// Its price on the list before.
    pub(super) before: u64,
    pub(super) cycles: u64,
}

/// What a run has cost.
pub(super) struct Bill {
    /// By parts, in a fixed order, and in them in the order of the names of prices.
    pub(super) items: Vec<Item>,
    pub(super) total: u64,
}

impl Bill {
    pub(super) fn new(tally: &Tally, list: &PriceList, before: &PriceList) -> Bill {
        let mut items: Vec<Item> = tally
            .iter()
            .map(|(name, due)| {
                let count = due.unsigned_abs();
                let each = list.price(name);
                let basis = list.figures().get(name).map(|figure| &figure.basis);
                Item {
                    what: what(name),
                    part: Part::of(name),
                    count,
                    each,
                    mark: basis.map_or(' ', Basis::mark),
                    before: before.price(name),
                    cycles: count.saturating_mul(each),
                }
            })
            .collect();
        // What a method adds comes before what every method has.
        items.sort_by_key(|item| (item.part == Part::Executed, item.part as usize));
        let total = items
            .iter()
            .fold(0, |sum: u64, item| sum.saturating_add(item.cycles));
        Bill { items, total }
    }

    /// What a part has cost, and the worst mark of its prices.
    pub(super) fn of(&self, part: Part) -> (u64, char) {
        let items = || {
            self.items
                .iter()
                .filter(|item| item.part == part && item.cycles > 0)
        };
        let worst = ['*', 'f']
            .into_iter()
            .find(|mark| items().any(|item| item.mark == *mark));
        let sum = items().fold(0, |sum: u64, item| sum.saturating_add(item.cycles));
        (sum, worst.unwrap_or(' '))
    }
}

/// Whether the walks of the hardware are missing in what a run has cost.
pub(super) fn without_walks(counts: &Counts) -> bool {
    counts.tlb.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_price_says_what_it_is_due_for() {
        let list = PriceList::textbook();
        for name in list.figures().keys() {
            assert!(!what(name).is_empty(), "{name}");
            let instruction = toy_isa::table::Cost::ALL.iter().any(|cost| cost.name() == name);
            assert_eq!(Part::of(name) == Part::Executed, instruction, "{name}");
        }
    }

    #[test]
    fn the_parts_come_to_the_whole_and_to_what_the_run_costs() {
        let tally = Tally::new([
            ("alu", 10),
            ("trap", 3),
            ("word", 48),
            ("emulate", 2),
            ("shadow_fill", 1),
        ]);
        let [merom, textbook] = ["merom", "textbook"].map(|name| PriceList::shipped(name).expect("it ships"));
        let bill = Bill::new(&tally, &merom, &textbook);
        let parts: u64 = Part::ALL.iter().map(|part| bill.of(*part).0).sum();
        assert_eq!(parts, bill.total);
        assert_eq!(i128::from(bill.total), tally.cycles(&merom));
        let trap = bill
            .items
            .iter()
            .find(|item| item.what == "trap or interrupt")
            .expect("it is due");
        assert_eq!(
            (trap.each, trap.before),
            (merom.price("trap"), textbook.price("trap"))
        );
    }
}
