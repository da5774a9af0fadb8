//! The nested page table: from guest-physical to real memory, in one map for all of the guest's address spaces.

use std::collections::BTreeMap;

use toy_isa::bus::{Bus, Width};
use toy_isa::machine::Board;
use toy_isa::mmu::{PAGE, pte};

/// A two-level table that is filled as the guest uses its memory. The guest's own tables are ordinary memory to it:
/// what the guest does to them, nobody has to notice.
#[derive(Clone)]
pub struct Nested {
    /// Physical address of the first level.
    root: u32,
    /// Physical addresses of the second level, by index.
    tables: BTreeMap<u32, u32>,
    /// Pages for more.
    free: Vec<u32>,
}

impl Nested {
    /// An empty table in the first of these pages of zeros, with the others for its second level.
    pub fn new(mut pages: Vec<u32>) -> Nested {
        Nested {
            root: pages.pop().unwrap_or_default(),
            tables: BTreeMap::new(),
            free: pages,
        }
    }

    /// What the control structure names it by.
    pub fn pointer(&self) -> u32 {
        self.root | 1
    }

    /// What a copy of it takes, in bytes, about; without what is in the machine's memory.
    pub fn held(&self) -> usize {
        size_of_val(&*self.free) + self.tables.len() * size_of::<(u32, u32)>()
    }

    /// Maps a guest frame to a real one.
    pub fn fill(&mut self, board: &mut Board, guest_frame: u32, host_frame: u32) {
        let (index, entry) = (guest_frame >> 10, guest_frame & 1023);
        let table = match self.tables.get(&index) {
            Some(table) => *table,
            None => {
                // There are 1021 for the 1024 that could be asked for; a guest has memory for 64.
                let Some(table) = self.free.pop() else { return };
                self.tables.insert(index, table);
                put(board, self.root + 4 * index, pte::entry(table, pte::V));
                table
            }
        };
        let flags = pte::V | pte::R | pte::W | pte::X;
        put(board, table + 4 * entry, pte::entry(host_frame * PAGE, flags));
    }
}

fn put(board: &mut Board, address: u32, entry: u32) {
    let written = board.write(address, Width::Word, entry);
    debug_assert!(written.is_some(), "the nested table is in memory");
}
