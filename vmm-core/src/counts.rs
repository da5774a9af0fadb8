//! The histogram of a run: how often each kind of event happened. Prices are applied to it afterwards.

use std::collections::BTreeMap;

use toy_isa::mmu::TlbCounts;
use toy_isa::row::Row;
use toy_isa::table::{Cost, OPS};
use toy_isa::trap::{Cause, Trap};

use crate::event::AccessReason;

/// How often everything happened that a price list can put a price on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Instructions that the processor executed directly, by operation in the order of [`OPS`].
    pub direct: [u64; OPS.len()],
    /// Instructions executed in the translation cache, by operation: those that were emitted, not the guest's.
    pub translated: [u64; OPS.len()],
    /// Of these, how many are instructions of the guest that were translated identically.
    pub identical: u64,
    /// Units translated; blocks, where pure emulation translates.
    pub units: u64,
    /// Instructions of the guest in them.
    pub translated_instructions: u64,
    /// Calls of the monitor by translated code.
    pub callouts: u64,
    /// Ways from one unit, or block, to another that were linked.
    pub links: u64,
    /// Indirect jumps whose target the lookup table did not know.
    pub lookup_misses: u64,
    /// Times the cache of translated code was emptied because it was full.
    pub cache_flushes: u64,
    /// Hypercalls, by name.
    pub hypercalls: BTreeMap<&'static str, u64>,
    /// Batches of page-table updates, by their size.
    pub batches: BTreeMap<u32, u64>,
    /// Page-table updates and commands in them that were carried out.
    pub mmu_updates: u64,
    /// Valid page-table entries that were validated.
    pub validated: u64,
    /// Event channels marked pending.
    pub events_sent: u64,
    /// Upcalls: entries into the guest's kernel because of events.
    pub upcalls: u64,
    /// Requests that the monitor took from the guest's rings.
    pub ring_requests: u64,
    /// Bytes that passed through the guest's rings.
    pub ring_bytes: u64,
    /// Times the guest told the monitor that a ring has something for it.
    pub notifications: u64,
    /// Instructions that pure emulation carried out one by one, by operation.
    pub interpreted: [u64; OPS.len()],
    /// Instructions that pure emulation executed as code of the host, by operation.
    pub emitted: [u64; OPS.len()],
    /// Hardware entries into ring 0, by cause.
    pub traps: BTreeMap<Cause, u64>,
    /// Of these, how many the monitor got: exits. With hardware assistance, those of [`Counts::vm_exits`].
    pub exits: u64,
    /// Exits out of non-root operation by reason: a row that the controls name, or a trap. They are no entries into
    /// ring 0 by a trap, and not among [`Counts::traps`].
    pub vm_exits: BTreeMap<String, u64>,
    /// Entries of non-root operation.
    pub vm_entries: u64,
    /// Words of a control structure that the monitor has read or written.
    pub structure_words: u64,
    /// Entries of a nested page table filled.
    pub nested_fills: u64,
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
    /// Memory accesses that the monitor carried out though they touched plain memory.
    pub plain_accesses: u64,
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
    /// What the model of the real processor's TLB counted; `None` if the engine does not count it.
    pub tlb: Option<TlbCounts>,
}

impl Default for Counts {
    fn default() -> Counts {
        Counts {
            direct: [0; OPS.len()],
            translated: [0; OPS.len()],
            identical: 0,
            units: 0,
            translated_instructions: 0,
            callouts: 0,
            links: 0,
            lookup_misses: 0,
            cache_flushes: 0,
            hypercalls: BTreeMap::new(),
            batches: BTreeMap::new(),
            mmu_updates: 0,
            validated: 0,
            events_sent: 0,
            upcalls: 0,
            ring_requests: 0,
            ring_bytes: 0,
            notifications: 0,
            interpreted: [0; OPS.len()],
            emitted: [0; OPS.len()],
            traps: BTreeMap::new(),
            exits: 0,
            vm_exits: BTreeMap::new(),
            vm_entries: 0,
            structure_words: 0,
            nested_fills: 0,
            emulated: BTreeMap::new(),
            device_registers: 0,
            device_accesses: 0,
            traced_writes: 0,
            code_writes: 0,
            plain_accesses: 0,
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
            tlb: Some(TlbCounts::default()),
        }
    }
}

impl Counts {
    /// Counts a hardware entry into ring 0.
    pub fn trap(&mut self, cause: Cause) {
        *self.traps.entry(cause).or_default() += 1;
    }

    /// Counts an exit out of non-root operation.
    pub fn vm_exit(&mut self, trap: Trap) {
        *self.vm_exits.entry(crate::event::reason(trap)).or_default() += 1;
    }

    /// Exits out of non-root operation.
    pub fn vm_exits_total(&self) -> u64 {
        self.vm_exits.values().sum()
    }

    /// Counts an emulated instruction.
    pub fn emulate(&mut self, row: Row) {
        *self.emulated.entry(row.to_string()).or_default() += 1;
    }

    /// Counts a hypercall.
    pub fn hypercall(&mut self, name: &'static str) {
        *self.hypercalls.entry(name).or_default() += 1;
    }

    /// Counts a batch of this many page-table updates.
    pub fn batch(&mut self, size: u32) {
        *self.batches.entry(size).or_default() += 1;
    }

    /// Hypercalls of every name.
    pub fn hypercalls_total(&self) -> u64 {
        self.hypercalls.values().sum()
    }

    /// Counts a memory access that the monitor carried out.
    pub fn access(&mut self, why: AccessReason) {
        match why {
            AccessReason::Device => self.device_accesses += 1,
            AccessReason::Traced => self.traced_writes += 1,
            AccessReason::Code => self.code_writes += 1,
            AccessReason::Plain => self.plain_accesses += 1,
            AccessReason::AboveLimit => self.above_limit += 1,
            AccessReason::Deadline => self.deadline_steps += 1,
        }
    }

    /// Instructions executed directly.
    pub fn direct_total(&self) -> u64 {
        self.direct.iter().sum()
    }

    /// Instructions carried out by pure emulation, one by one.
    pub fn interpreted_total(&self) -> u64 {
        self.interpreted.iter().sum()
    }

    /// Instructions carried out by pure emulation, as code of the host.
    pub fn emitted_total(&self) -> u64 {
        self.emitted.iter().sum()
    }

    /// Hardware entries into ring 0.
    pub fn traps_total(&self) -> u64 {
        self.traps.values().sum()
    }

    /// Of these, how many an `ecall` or an `hcall` asked for.
    pub fn calls(&self) -> u64 {
        let asked = [0, 1, 2, 3]
            .map(Cause::SystemCall)
            .into_iter()
            .chain([Cause::Hypercall]);
        asked.filter_map(|cause| self.traps.get(&cause)).sum()
    }

    /// Instructions that the monitor emulated, privileged ones and memory accesses together.
    pub fn emulated_total(&self) -> u64 {
        self.emulated.values().sum::<u64>()
            + self.hypercalls_total()
            + self.device_accesses
            + self.traced_writes
            + self.code_writes
            + self.plain_accesses
            + self.above_limit
            + self.deadline_steps
    }

    /// Instructions of one price class that the processor executed: the guest's own, and translated ones.
    pub fn executed_of(&self, cost: Cost) -> u64 {
        let executed = self.direct.iter().zip(self.translated).map(|(a, b)| a + b);
        OPS.iter()
            .zip(executed)
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
        map.serialize_entry("translated", &by_mnemonic(&self.translated))?;
        map.serialize_entry("interpreted", &by_mnemonic(&self.interpreted))?;
        map.serialize_entry("emitted", &by_mnemonic(&self.emitted))?;
        let traps = self.traps.iter().map(|(cause, n)| (cause.to_string(), n));
        map.serialize_entry("traps", &traps.collect::<BTreeMap<_, _>>())?;
        map.serialize_entry("exits_by_reason", &self.vm_exits)?;
        map.serialize_entry("emulated", &self.emulated)?;
        map.serialize_entry("hypercalls", &self.hypercalls)?;
        map.serialize_entry("batches", &self.batches)?;
        for (name, count) in self.scalars() {
            map.serialize_entry(name, &count)?;
        }
        map.end()
    }
}

impl Counts {
    /// The names of what [`Counts::tlb`] counts: those of [`Counts::scalars`] that may be absent.
    pub const OF_TLB: [&'static str; 3] = ["tlb_misses", "walk_references", "missing_fences"];

    /// The counts that are single numbers, by name: what scenarios can expect.
    pub fn scalars(&self) -> Vec<(&'static str, u64)> {
        let of_tlb = self.tlb.map(|tlb| [tlb.misses, tlb.references, tlb.stale]);
        let of_tlb = of_tlb
            .into_iter()
            .flat_map(|counts| Counts::OF_TLB.into_iter().zip(counts));
        let others = [
            ("exits", self.exits),
            ("vm_exits", self.vm_exits_total()),
            ("vm_entries", self.vm_entries),
            ("structure_words", self.structure_words),
            ("nested_fills", self.nested_fills),
            ("device_registers", self.device_registers),
            ("device_accesses", self.device_accesses),
            ("traced_writes", self.traced_writes),
            ("code_writes", self.code_writes),
            ("plain_accesses", self.plain_accesses),
            ("identical", self.identical),
            ("units", self.units),
            ("translated_instructions", self.translated_instructions),
            ("callouts", self.callouts),
            ("links", self.links),
            ("lookup_misses", self.lookup_misses),
            ("cache_flushes", self.cache_flushes),
            ("mmu_updates", self.mmu_updates),
            ("validated", self.validated),
            ("events_sent", self.events_sent),
            ("upcalls", self.upcalls),
            ("ring_requests", self.ring_requests),
            ("ring_bytes", self.ring_bytes),
            ("notifications", self.notifications),
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
        ];
        others.into_iter().chain(of_tlb).collect()
    }

    /// The count of this name among [`Counts::scalars`], to be set; none for one that is a sum of others.
    pub(crate) fn scalar_mut(&mut self, name: &str) -> Option<&mut u64> {
        Some(match name {
            "exits" => &mut self.exits,
            "vm_entries" => &mut self.vm_entries,
            "structure_words" => &mut self.structure_words,
            "nested_fills" => &mut self.nested_fills,
            "device_registers" => &mut self.device_registers,
            "device_accesses" => &mut self.device_accesses,
            "traced_writes" => &mut self.traced_writes,
            "code_writes" => &mut self.code_writes,
            "plain_accesses" => &mut self.plain_accesses,
            "identical" => &mut self.identical,
            "units" => &mut self.units,
            "translated_instructions" => &mut self.translated_instructions,
            "callouts" => &mut self.callouts,
            "links" => &mut self.links,
            "lookup_misses" => &mut self.lookup_misses,
            "cache_flushes" => &mut self.cache_flushes,
            "mmu_updates" => &mut self.mmu_updates,
            "validated" => &mut self.validated,
            "events_sent" => &mut self.events_sent,
            "upcalls" => &mut self.upcalls,
            "ring_requests" => &mut self.ring_requests,
            "ring_bytes" => &mut self.ring_bytes,
            "notifications" => &mut self.notifications,
            "above_limit" => &mut self.above_limit,
            "deadline_steps" => &mut self.deadline_steps,
            "reflected" => &mut self.reflected,
            "injected" => &mut self.injected,
            "shadow_fills" => &mut self.shadow_fills,
            "shadow_drops" => &mut self.shadow_drops,
            "shadow_switches" => &mut self.shadow_switches,
            "guest_references" => &mut self.guest_references,
            "words" => &mut self.words,
            "returns" => &mut self.returns,
            "tlb_misses" => &mut self.tlb.as_mut()?.misses,
            "walk_references" => &mut self.tlb.as_mut()?.references,
            "missing_fences" => &mut self.tlb.as_mut()?.stale,
            _ => return None,
        })
    }
}
