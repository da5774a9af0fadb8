//! What the guest's addresses mean to emitted code, for each state of the processor in which they mean something else.

use std::io;

use toy_isa::hart::Hart;
use toy_isa::machine::Machine;
use toy_isa::mmu::{self, Access, PAGE};

use super::layout::PAGES;
use super::lower::Memory;
use super::mapped::Zeros;

/// Everything that decides what an address of the guest reaches. Emitted code of one regime never runs in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Regime {
    memory: Memory,
    user: bool,
    base: u32,
    bound: u32,
    xbound: u32,
    ptbr: u32,
    nested: u32,
}

impl Regime {
    /// That of this machine. Pages are found one by one where that is asked for, or where a ledger of frames wants to
    /// hear of each that is reached.
    pub(super) fn of(machine: &Machine, one_by_one: bool) -> Regime {
        let hart = &machine.hart;
        let limited = hart.ring() != 0;
        let base = if hart.csr.status.relocates() {
            hart.csr.base
        } else {
            0
        };
        let ptbr = if hart.csr.paging() { hart.csr.ptbr } else { 0 };
        let watched = machine.board.observer.ledger.is_some() && hart.world() != 0;
        let plain = base == 0 && (ptbr | hart.nested) & 1 == 0 && !watched && !one_by_one;
        Regime {
            memory: if plain { Memory::Flat } else { Memory::Paged },
            user: hart.ring() == 3,
            base,
            bound: if limited { hart.csr.bound } else { u32::MAX },
            xbound: if limited { hart.csr.xbound } else { u32::MAX },
            ptbr,
            nested: hart.nested,
        }
    }

    pub(super) fn memory(self) -> Memory {
        self.memory
    }

    /// The bytes from address 0 on that may be accessed where translation is off.
    pub(super) fn limit(self, ram: u32) -> u32 {
        self.bound.min(ram)
    }
}

/// A regime that emitted code has run in.
struct Space {
    regime: Regime,
    number: u32,
    /// The places of its addends that are filled.
    filled: Vec<u32>,
}

/// How many regimes have addends at a time.
const SPACES: usize = 16;
/// Words for the addends of each: for loads, then for stores.
const WORDS: usize = 2 * PAGES;

/// The regimes in use, with their addends: what is to be added to an address of a page of the guest to reach the host's
/// memory, or 0 where emitted code has to ask.
pub(super) struct Spaces {
    known: Vec<Space>,
    addends: Zeros,
    current: usize,
    /// The space that is given up next.
    victim: usize,
    /// Numbers given away.
    numbers: u32,
}

impl Spaces {
    pub(super) fn new() -> io::Result<Spaces> {
        Ok(Spaces {
            known: Vec::new(),
            addends: Zeros::new(8 * WORDS * SPACES)?,
            current: 0,
            victim: 0,
            numbers: 0,
        })
    }

    /// Every page of addresses that leads straight to memory, of all regimes: whether for stores, its number, and where
    /// the host has it.
    pub(super) fn reached(&self) -> impl Iterator<Item = (bool, u32, u64)> + '_ {
        let spaces = self.known.iter().enumerate();
        spaces.flat_map(move |(place, space)| {
            space.filled.iter().map(move |index| {
                let addend = self.addends.get(place * WORDS + *index as usize);
                let page = *index % PAGES as u32;
                let host = addend.wrapping_add(u64::from(page) * u64::from(PAGE));
                (*index as usize >= PAGES, page, host)
            })
        })
    }

    /// Plants an addend in the regime in use, for a test of who watches them.
    #[cfg(test)]
    pub(super) fn lead(&mut self, index: usize, addend: u64) {
        self.addends.set(self.current * WORDS + index, addend);
    }

    /// The number of the regime in use. Another regime, or the same after it was forgotten, has another.
    pub(super) fn number(&self) -> u32 {
        self.known[self.current].number
    }

    /// The address of the addends of the regime in use.
    pub(super) fn base(&self) -> u64 {
        self.addends.start() as u64 + 8 * (self.current * WORDS) as u64
    }

    /// Begins with the numbers again when they are nearly used up. Then nothing may be found under an old one.
    pub(super) fn begin_again(&mut self) -> bool {
        let worn = self.numbers > u32::MAX - 2 * SPACES as u32;
        if worn {
            self.forget();
            self.numbers = 0;
        }
        worn
    }

    /// Makes this the regime in use.
    pub(super) fn enter(&mut self, regime: Regime) {
        let current = self.known.get(self.current);
        if current.is_some_and(|space| space.regime == regime) {
            return;
        }
        if let Some(place) = self.known.iter().position(|space| space.regime == regime) {
            self.current = place;
            return;
        }
        self.numbers += 1;
        let space = Space {
            regime,
            number: self.numbers,
            filled: Vec::new(),
        };
        if self.known.len() < SPACES {
            self.current = self.known.len();
            self.known.push(space);
        } else {
            self.current = self.victim;
            self.victim = (self.victim + 1) % SPACES;
            self.clear(self.current);
            self.known[self.current] = space;
        }
    }

    fn clear(&mut self, place: usize) {
        for index in self.known[place].filled.drain(..) {
            self.addends.set(place * WORDS + index as usize, 0);
        }
    }

    /// Forgets all regimes: no address means what it did, or no code is where it was.
    pub(super) fn forget(&mut self) {
        for place in 0..self.known.len() {
            self.clear(place);
        }
        self.known.clear();
        self.current = 0;
        self.victim = 0;
    }

    /// Gives every regime another number, so that no code is found under the old one.
    pub(super) fn renumber(&mut self) {
        for space in &mut self.known {
            self.numbers += 1;
            space.number = self.numbers;
        }
    }

    /// Forgets what this page of linear addresses reaches, in every regime.
    pub(super) fn forget_page(&mut self, page: u32) {
        for (place, space) in self.known.iter_mut().enumerate() {
            // What is relocated has its addends where the program sees it.
            let page = page.wrapping_sub(space.regime.base / PAGE) as usize % PAGES;
            space.filled.retain(|index| {
                let other = *index as usize % PAGES != page;
                if !other {
                    self.addends.set(place * WORDS + *index as usize, 0);
                }
                other
            });
        }
    }

    /// Forgets what stores reach: some of it may have become a page whose stores are noticed.
    pub(super) fn forget_stores(&mut self) {
        for (place, space) in self.known.iter_mut().enumerate() {
            space.filled.retain(|index| {
                let load = (*index as usize) < PAGES;
                if !load {
                    self.addends.set(place * WORDS + *index as usize, 0);
                }
                load
            });
        }
    }

    /// Takes in what an aligned access to this address reaches, if all accesses of its kind to the page reach plain
    /// memory.
    pub(super) fn fill(&mut self, machine: &mut Machine, access: Access, address: u32) {
        let start = address & !(PAGE - 1);
        let hart: &Hart = &machine.hart;
        let split = hart.csr.status.relocates() && !hart.csr.base.is_multiple_of(PAGE);
        if split || !mmu::within(hart.ring(), hart.csr.bound, start, PAGE) {
            return;
        }
        let board = &mut machine.board;
        let found = mmu::translate_linear(hart, board, access, start, mmu::linear(hart, start));
        let Some(physical) = found
            .ok()
            .filter(|physical| board.ram.page(physical / PAGE).is_some())
        else {
            return;
        };
        if access == Access::Store && board.ram.flags(physical) != 0 {
            return;
        }
        let memory = board.ram.parts().0.as_mut_ptr() as u64;
        let addend = (memory + u64::from(physical)).wrapping_sub(u64::from(start));
        let half = if access == Access::Store { PAGES } else { 0 };
        let index = half + (start / PAGE) as usize;
        self.addends.set(self.current * WORDS + index, addend);
        self.known[self.current].filled.push(index as u32);
    }
}
