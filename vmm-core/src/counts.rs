//! The histogram of a run: how often each kind of event happened. Prices are applied to it afterwards.

use std::collections::BTreeMap;

use toy_isa::row::Row;
use toy_isa::table::{Cost, OPS};
use toy_isa::trap::Cause;

use crate::event::AccessReason;

/// How often everything happened that a price list can put a price on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Instructions that the processor executed directly, by operation in the order of [`OPS`].
    pub direct: [u64; OPS.len()],
    /// Instructions that pure emulation carried out, by operation.
    pub interpreted: [u64; OPS.len()],
    /// Hardware entries into ring 0, by cause.
    pub traps: BTreeMap<Cause, u64>,
    /// Of these, how many the monitor got: exits.
    pub exits: u64,
    /// Instructions that the monitor's routines emulated, by row.
    pub emulated: BTreeMap<String, u64>,
    /// Registers of devices, real or virtual, that the guest read or wrote.
    pub device_registers: u64,
    /// Memory accesses that the monitor carried out because they reached a device.
    pub device_accesses: u64,
    /// Memory accesses that the monitor carried out because they changed a shadowed page table.
    pub traced_writes: u64,
    /// Memory accesses that the monitor carried out because they changed translated code.
    pub code_writes: u64,
    /// Memory accesses that the monitor carried out because they were above the limit.
    pub above_limit: u64,
    /// Instructions that the monitor carried out because the timer could not be armed exactly.
    pub deadline_steps: u64,
    /// Traps handed on to the guest kernel.
    pub reflected: u64,
    /// Virtual interrupts delivered.
    pub injected: u64,
    /// Entries of a shadow table filled.
    pub shadow_fills: u64,
    /// Changes to guest page tables that made shadow entries invalid.
    pub shadow_drops: u64,
    /// Times the processor was given another shadow table.
    pub shadow_switches: u64,
    /// Guest page-table entries that the monitor read.
    pub guest_references: u64,
    /// Words of processor state saved and restored.
    pub words: u64,
    /// Returns from traps that the guest executed directly.
    pub returns: u64,
    /// Translations that the model of the TLB missed.
    pub tlb_misses: u64,
    /// Page-table entries read by the walks of these misses.
    pub walk_references: u64,
    /// Translations used after a change without a fence.
    pub missing_fences: u64,
}

impl Default for Counts {
    fn default() -> Counts {
        Counts {
            direct: [0; OPS.len()],
            interpreted: [0; OPS.len()],
            traps: BTreeMap::new(),
            exits: 0,
            emulated: BTreeMap::new(),
            device_registers: 0,
            device_accesses: 0,
            traced_writes: 0,
            code_writes: 0,
            above_limit: 0,
            deadline_steps: 0,
            reflected: 0,
            injected: 0,
            shadow_fills: 0,
            shadow_drops: 0,
            shadow_switches: 0,
            guest_references: 0,
            words: 0,
            returns: 0,
            tlb_misses: 0,
            walk_references: 0,
            missing_fences: 0,
        }
    }
}

impl Counts {
    /// Counts a hardware entry into ring 0.
    pub fn trap(&mut self, cause: Cause) {
        *self.traps.entry(cause).or_default() += 1;
    }

    /// Counts an emulated instruction.
    pub fn emulate(&mut self, row: Row) {
        *self.emulated.entry(row.to_string()).or_default() += 1;
    }

    /// Counts a memory access that the monitor carried out.
    pub fn access(&mut self, why: AccessReason) {
        match why {
            AccessReason::Device => self.device_accesses += 1,
            AccessReason::Traced => self.traced_writes += 1,
            AccessReason::Code => self.code_writes += 1,
            AccessReason::AboveLimit => self.above_limit += 1,
            AccessReason::Deadline => self.deadline_steps += 1,
        }
    }

    /// Instructions executed directly.
    pub fn direct_total(&self) -> u64 {
        self.direct.iter().sum()
    }

    /// Instructions carried out by pure emulation.
    pub fn interpreted_total(&self) -> u64 {
        self.interpreted.iter().sum()
    }

    /// Hardware entries into ring 0.
    pub fn traps_total(&self) -> u64 {
        self.traps.values().sum()
    }

    /// Instructions that the monitor emulated, privileged ones and memory accesses together.
    pub fn emulated_total(&self) -> u64 {
        self.emulated.values().sum::<u64>()
            + self.device_accesses
            + self.traced_writes
            + self.code_writes
            + self.above_limit
            + self.deadline_steps
    }

    /// Directly executed instructions of one price class.
    pub fn direct_of(&self, cost: Cost) -> u64 {
        OPS.iter()
            .zip(self.direct)
            .filter(|(row, _)| row.cost == cost)
            .map(|(_, n)| n)
            .sum()
    }
}

impl serde::Serialize for Counts {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        /// Only what happened, by mnemonic.
        fn by_mnemonic(counts: &[u64; OPS.len()]) -> BTreeMap<&'static str, u64> {
            OPS.iter()
                .zip(counts)
                .filter(|(_, n)| **n > 0)
                .map(|(row, n)| (row.mnemonic, *n))
                .collect()
        }
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("direct", &by_mnemonic(&self.direct))?;
        map.serialize_entry("interpreted", &by_mnemonic(&self.interpreted))?;
        let traps = self.traps.iter().map(|(cause, n)| (cause.to_string(), n));
        map.serialize_entry("traps", &traps.collect::<BTreeMap<_, _>>())?;
        map.serialize_entry("emulated", &self.emulated)?;
        for (name, count) in self.scalars() {
            map.serialize_entry(name, &count)?;
        }
        map.end()
    }
}

impl Counts {
    /// The counts that are single numbers, by name: what scenarios can expect.
    pub fn scalars(&self) -> [(&'static str, u64); 17] {
        [
            ("exits", self.exits),
            ("device_registers", self.device_registers),
            ("device_accesses", self.device_accesses),
            ("traced_writes", self.traced_writes),
            ("above_limit", self.above_limit),
            ("deadline_steps", self.deadline_steps),
            ("reflected", self.reflected),
            ("injected", self.injected),
            ("shadow_fills", self.shadow_fills),
            ("shadow_drops", self.shadow_drops),
            ("shadow_switches", self.shadow_switches),
            ("guest_references", self.guest_references),
            ("words", self.words),
            ("returns", self.returns),
            ("tlb_misses", self.tlb_misses),
            ("walk_references", self.walk_references),
            ("missing_fences", self.missing_fences),
        ]
    }
}
