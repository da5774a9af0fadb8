//! The translation cache: translated units in the monitor's memory, linked to each other, found by the guest's
//! address, and forgotten when what they were made from changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use toy_isa::bus::{Bus, Width};
use toy_isa::instruction::{Instruction, Registers, decode};
use toy_isa::machine::{Board, Tally};
use toy_isa::mmu::PAGE;
use toy_isa::table::Op;

use crate::modes::translate::emit::{At, Call, Code, Part, Place, TARGET, emit, slot};
use crate::modes::translate::unit::{Guest, Treatment};
use crate::modes::trap::allocator::Allocator;

/// On what the meaning of an address of the guest's code depends, beside the page tables of its kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Context {
    /// The guest's ring.
    pub ring: u32,
    /// Its fetch limit.
    pub limit: u32,
    /// Its page table, for user code; kernels are mapped alike in all, which is checked at each change.
    pub space: Option<u32>,
}

impl Context {
    /// Which lookup table its jumps use.
    fn table(self) -> usize {
        usize::from(self.space.is_some())
    }
}

/// A unit in the cache. Dead ones stay until the cache is emptied.
#[derive(Clone)]
pub struct Unit {
    /// Where it belongs.
    pub context: Context,
    /// The guest's instructions; never empty.
    pub guest: Vec<Guest>,
    /// The guest-physical frame that they are on.
    pub frame: u32,
    /// The linear address of its first word.
    pub start: u32,
    /// Its words, with the ways out as they are linked now.
    pub code: Code,
    /// Whether it may be executed.
    pub live: bool,
    /// Words of other units that jump to it: their linear addresses.
    incoming: Vec<u32>,
}

impl Unit {
    /// The guest's address of its first instruction.
    pub fn pc(&self) -> u32 {
        self.guest.first().map_or(0, |guest| guest.pc)
    }

    /// How many instructions of the guest it holds.
    pub fn len(&self) -> u32 {
        self.guest.len() as u32
    }

    /// Never, but asked for beside `len`.
    pub fn is_empty(&self) -> bool {
        self.guest.is_empty()
    }

    fn at(&self, word: usize) -> u32 {
        self.start + 4 * word as u32
    }

    /// Where it is entered when it is known to be the right one.
    pub fn body(&self) -> u32 {
        self.at(self.code.body)
    }

    /// Where the translation of one of its instructions begins.
    pub fn start_of(&self, index: usize) -> u32 {
        self.at(self.code.starts.get(index).copied().unwrap_or(self.code.body))
    }
}

/// The number of a unit, valid until the cache is emptied.
pub type UnitId = usize;

/// A word that calls the monitor, as found by its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// In which unit; `None` for the one word that every empty entry of a lookup table points to.
    pub unit: Option<UnitId>,
    /// The guest's state at it.
    pub place: Place,
    /// Why it calls the monitor, if it does.
    pub call: Option<Call>,
}

/// All translated code of a guest.
#[derive(Clone)]
pub struct Cache {
    /// Linear address of the cache, and of the first byte after it.
    range: std::ops::Range<u32>,
    /// Physical address of its first byte.
    physical: u32,
    /// Linear address of the next free word.
    free: u32,
    units: Vec<Arc<Unit>>,
    by_start: BTreeMap<u32, UnitId>,
    by_pc: BTreeMap<(Context, u32), UnitId>,
    /// Whose entries each lookup table holds.
    tables: [Option<Context>; 2],
    /// How often it was emptied because it was full.
    pub flushes: u64,
}

/// What adding a unit came to.
pub struct Added {
    /// The new unit.
    pub unit: UnitId,
    /// Whether the cache had to be emptied for it.
    pub emptied: bool,
}

impl Cache {
    /// An empty cache in the monitor's memory.
    pub fn new(allocator: &Allocator, board: &mut Board) -> Cache {
        let range = allocator.cache();
        board.observer.tally = Some(Tally::new(range.start, range.len() / 4));
        let mut cache = Cache {
            free: range.start,
            physical: allocator.monitor(),
            range,
            units: Vec::new(),
            by_start: BTreeMap::new(),
            by_pc: BTreeMap::new(),
            tables: [None, None],
            flushes: 0,
        };
        cache.empty(board);
        cache
    }

    /// Forgets everything.
    fn empty(&mut self, board: &mut Board) {
        self.units.clear();
        self.by_start.clear();
        self.by_pc.clear();
        self.tables = [None, None];
        self.free = self.range.start;
        // The word that stands for "not in the table".
        self.put(board, self.range.start, CALL, false);
        self.free += 4;
    }

    fn put(&self, board: &mut Board, linear: u32, word: u32, identical: bool) {
        let written = board.write(self.physical + (linear - self.range.start), Width::Word, word);
        debug_assert!(written.is_some(), "the cache is in memory");
        if let Some(tally) = &mut board.observer.tally {
            tally.mark(linear, identical);
        }
    }

    /// What a copy of it takes, in bytes, about: units are shared until they change.
    pub fn held(&self) -> usize {
        let each =
            size_of::<Arc<Unit>>() + size_of::<(u32, UnitId)>() + size_of::<((Context, u32), UnitId)>();
        self.units.len() * each
    }

    /// The units, dead ones too, in the order in which they were translated.
    pub fn units(&self) -> &[Arc<Unit>] {
        &self.units
    }

    /// How many bytes there are, and how many of them are taken, by dead units too.
    pub fn room(&self) -> (u32, u32) {
        (self.range.len() as u32, self.free - self.range.start)
    }

    /// The ways out of a unit that are jumps to known code or calls of the monitor to find it: the address of each in
    /// the cache, the guest's address that it leads to, and the unit that it is linked to.
    pub fn ways(&self, unit: &Unit) -> Vec<(u32, u32, Option<UnitId>)> {
        let ways = unit.code.calls.iter().filter_map(|(word, call)| match call {
            Call::Way(target) => Some((*word, *target)),
            Call::Deadline | Call::Missed | Call::Callout(_) => None,
        });
        let linked = |address: u32, word: u32| {
            let jump = decode(word, Registers::Sixteen).filter(|insn| insn.op == Op::Jal)?;
            self.at(address.wrapping_add(jump.imm as u32))?.unit
        };
        ways.map(|(word, target)| {
            let address = unit.at(word);
            (address, target, linked(address, unit.code.words[word]))
        })
        .collect()
    }

    /// The units that are linked to this one, each once.
    pub fn linked_to(&self, unit: &Unit) -> Vec<UnitId> {
        let mut from: Vec<UnitId> = unit
            .incoming
            .iter()
            .filter_map(|word| self.at(*word)?.unit)
            .collect();
        from.sort_unstable();
        from.dedup();
        from
    }

    /// A unit by its number.
    pub fn unit(&self, id: UnitId) -> Option<&Unit> {
        self.units.get(id).map(Arc::as_ref)
    }

    /// The live unit that begins at this address.
    pub fn find(&self, context: Context, pc: u32) -> Option<UnitId> {
        self.by_pc.get(&(context, pc)).copied()
    }

    /// What stands at an address of the cache.
    pub fn at(&self, address: u32) -> Option<Found> {
        if address == self.range.start {
            return Some(Found {
                unit: None,
                place: Place {
                    at: At::Target,
                    ahead: 0,
                    spilled: [
                        Some((TARGET, slot::SPILL + 1)),
                        Some((TARGET + 1, slot::SPILL + 2)),
                    ],
                    part: Part::Entrance,
                },
                call: Some(Call::Missed),
            });
        }
        let (_, id) = self.by_start.range(..=address).next_back()?;
        let unit = self.units.get(*id)?;
        let word = ((address - unit.start) / 4) as usize;
        Some(Found {
            unit: Some(*id),
            place: *unit.code.places.get(word)?,
            call: unit
                .code
                .calls
                .iter()
                .find(|(at, _)| *at == word)
                .map(|(_, call)| *call),
        })
    }

    /// Makes the lookup table of this context the guest's; where another context had it, it is cleared.
    pub fn use_table(&mut self, board: &mut Board, allocator: &Allocator, context: Context) {
        let table = context.table();
        if self.tables[table] != Some(context) {
            self.tables[table] = Some(context);
            for entry in 0..slot::ENTRIES {
                allocator.put(board, slot::TABLES[table] + entry, self.range.start);
            }
        }
    }

    /// From now on, jumps to the unit's address through the lookup table find it.
    pub fn enlist(&self, board: &mut Board, allocator: &Allocator, id: UnitId) {
        if let Some(unit) = self.units.get(id) {
            let word = slot::TABLES[unit.context.table()] + entry_of(unit.pc());
            allocator.put(board, word, unit.start);
        }
    }

    /// Puts a new unit into the cache; if there is no room, all others are forgotten first.
    pub fn add(
        &mut self,
        board: &mut Board,
        allocator: &Allocator,
        context: Context,
        frame: u32,
        guest: Vec<Guest>,
    ) -> Added {
        let code = emit(&guest, slot::TABLES[context.table()]);
        let emptied = self.free + 4 * code.words.len() as u32 > self.range.end;
        if emptied {
            self.empty(board);
            self.flushes += 1;
            self.use_table(board, allocator, context);
        }
        let id = self.units.len();
        for (word, (text, place)) in code.words.iter().zip(&code.places).enumerate() {
            let identical = matches!(place.part, Part::Of(index)
                if guest.get(index).is_some_and(|guest| guest.treatment == Treatment::Identical));
            self.put(board, self.free + 4 * word as u32, *text, identical);
        }
        let unit = Unit {
            context,
            guest,
            frame,
            start: self.free,
            code,
            live: true,
            incoming: Vec::new(),
        };
        self.free += 4 * unit.code.words.len() as u32;
        self.by_start.insert(unit.start, id);
        self.by_pc.insert((context, unit.pc()), id);
        self.units.push(Arc::new(unit));
        Added { unit: id, emptied }
    }

    /// Changes a word of a unit.
    fn patch(&mut self, board: &mut Board, address: u32, word: u32) {
        self.put(board, address, word, false);
        let Some((_, id)) = self.by_start.range(..=address).next_back() else {
            return;
        };
        if let Some(unit) = self.units.get_mut(*id).map(Arc::make_mut) {
            let index = ((address - unit.start) / 4) as usize;
            if let Some(old) = unit.code.words.get_mut(index) {
                *old = word;
            }
        }
    }

    /// Lets a way out of one unit jump straight to another.
    pub fn link(&mut self, board: &mut Board, from: u32, to: UnitId) {
        let Some(unit) = self.units.get_mut(to).map(Arc::make_mut) else {
            return;
        };
        unit.incoming.push(from);
        let jump = Instruction {
            op: Op::Jal,
            rd: 0,
            rs1: 0,
            rs2: 0,
            imm: unit.body().wrapping_sub(from) as i32,
        };
        self.patch(board, from, jump.encode());
    }

    /// Forgets the units that `dead` says; returns the frames on which no unit is left.
    pub fn drop_units(
        &mut self,
        board: &mut Board,
        allocator: &Allocator,
        dead: impl Fn(&Unit) -> bool,
    ) -> Vec<u32> {
        let mut frames = Vec::new();
        for id in 0..self.units.len() {
            if !self.units[id].live || !dead(&self.units[id]) {
                continue;
            }
            let unit = Arc::make_mut(&mut self.units[id]);
            unit.live = false;
            frames.push(unit.frame);
            let (context, pc, start) = (unit.context, unit.pc(), unit.start);
            let incoming = std::mem::take(&mut unit.incoming);
            if self.by_pc.get(&(context, pc)) == Some(&id) {
                self.by_pc.remove(&(context, pc));
            }
            for word in incoming {
                self.patch(board, word, CALL);
            }
            let entry = slot::TABLES[context.table()] + entry_of(pc);
            if allocator.word(board, entry) == start {
                allocator.put(board, entry, self.range.start);
            }
        }
        frames.sort_unstable();
        frames.dedup();
        frames.retain(|frame| !self.units.iter().any(|unit| unit.live && unit.frame == *frame));
        frames
    }

    /// The guest's pages, by linear address, from which the live units of kernels were made, with their frames.
    pub fn kernel_pages(&self) -> Vec<(u32, u32)> {
        let mut pages: Vec<(u32, u32)> = self
            .units
            .iter()
            .filter(|unit| unit.live && unit.context.space.is_none())
            .map(|unit| (unit.pc() & !(PAGE - 1), unit.frame))
            .collect();
        pages.sort_unstable();
        pages.dedup();
        pages
    }
}

/// The entry of a lookup table for an address.
fn entry_of(pc: u32) -> u32 {
    pc / 4 % slot::ENTRIES
}

/// The word that calls the monitor: `hcall`.
const CALL: u32 = 0x0000_000b;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_that_calls_the_monitor_is_a_hypercall() {
        let hcall = Instruction {
            op: Op::Hcall,
            rd: 0,
            rs1: 0,
            rs2: 0,
            imm: 0,
        };
        assert_eq!(CALL, hcall.encode());
    }
}
