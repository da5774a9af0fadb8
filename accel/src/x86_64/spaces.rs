//! What the guest's addresses mean to emitted code, for each state of the processor in which they mean something else.

use std::collections::BTreeMap;

use toy_isa::hart::Hart;
use toy_isa::machine::Machine;
use toy_isa::mmu::{self, Access, PAGE};
use toy_isa::ram::Ram;

use super::ground::Ground;
use super::lower::Memory;
use super::quiet::reached;

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
        let base = hart.csr.relocation();
        let ptbr = if hart.csr.paging() { hart.csr.ptbr } else { 0 };
        let watched = machine.board.watches(hart);
        let plain = base == 0 && !hart.translates() && !watched && !one_by_one;
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
    /// The pages that are mapped.
    data: BTreeMap<u32, Mapped>,
    /// The physical pages of those that code was found in, by the number.
    code: BTreeMap<u32, u32>,
    /// A page table has been stored to since somebody looked.
    doubtful: bool,
}

/// Where a page of addresses leads.
#[derive(Clone, Copy)]
struct Mapped {
    physical: u32,
    access: Access,
}

/// Pages of addresses.
const ADDRESSES: u32 = 1 << 20;

/// How many regimes have translations at a time.
pub(super) const SPACES: usize = 16;

/// The regimes in use. What is mapped in each is kept by the ground.
#[derive(Default)]
pub(super) struct Spaces {
    known: Vec<Space>,
    current: usize,
    /// The space that is given up next.
    victim: usize,
    /// Numbers given away.
    numbers: u32,
}

impl Spaces {
    /// Every page of addresses that is mapped, of all regimes: whose, and its number.
    pub(super) fn mapped(&self) -> impl Iterator<Item = (usize, u32)> + '_ {
        let spaces = self.known.iter().enumerate();
        spaces.flat_map(|(place, space)| space.data.keys().map(move |page| (place, *page)))
    }

    /// The number of the regime in use. Another regime, or the same after it was forgotten, has another.
    pub(super) fn number(&self) -> u32 {
        self.known[self.current].number
    }

    /// The place of the regime in use.
    pub(super) fn current(&self) -> usize {
        self.current
    }

    /// Begins with the numbers again when they are nearly used up. Then nothing may be found under an old one.
    pub(super) fn begin_again(&mut self, ground: &mut impl Ground) -> bool {
        let worn = self.numbers > u32::MAX - 2 * SPACES as u32;
        if worn {
            self.forget(ground);
            self.numbers = 0;
        }
        worn
    }

    fn next_number(&mut self) -> u32 {
        self.numbers += 1;
        self.numbers
    }

    /// Makes this the regime in use: that of the machine.
    pub(super) fn enter(&mut self, regime: Regime, machine: &mut Machine, ground: &mut impl Ground) {
        self.find(regime, ground);
        if std::mem::take(&mut self.known[self.current].doubtful) {
            self.check(machine, ground);
        }
    }

    fn find(&mut self, regime: Regime, ground: &mut impl Ground) {
        let current = self.known.get(self.current);
        if current.is_some_and(|space| space.regime == regime) {
            return;
        }
        if let Some(place) = self.known.iter().position(|space| space.regime == regime) {
            self.current = place;
            return;
        }
        let space = Space {
            regime,
            number: self.next_number(),
            data: BTreeMap::new(),
            code: BTreeMap::new(),
            doubtful: false,
        };
        if self.known.len() < SPACES {
            self.current = self.known.len();
            self.known.push(space);
        } else {
            self.current = self.victim;
            self.victim = (self.victim + 1) % SPACES;
            self.clear(self.current, ground);
            self.known[self.current] = space;
        }
    }

    fn clear(&mut self, place: usize, ground: &mut impl Ground) {
        for page in std::mem::take(&mut self.known[place].data).into_keys() {
            ground.unmap(place, page);
        }
    }

    /// A page table has been stored to: nothing is certain before somebody has looked.
    pub(super) fn doubt(&mut self) {
        for space in &mut self.known {
            space.doubtful = true;
        }
    }

    /// Looks whether pages still lead where they did, in the regime in use; those that do not lead nowhere now.
    fn check(&mut self, machine: &mut Machine, ground: &mut impl Ground) {
        let place = self.current;
        let space = &mut self.known[place];
        space.data.retain(|page, mapped| {
            let same = reached(machine, mapped.access, *page) == Some(mapped.physical);
            if !same {
                ground.unmap(place, *page);
            }
            same
        });
        let mut code = space.code.iter();
        if !code.all(|(page, physical)| reached(machine, Access::Fetch, *page) == Some(*physical)) {
            space.code.clear();
            let number = self.next_number();
            self.known[place].number = number;
        }
    }

    /// Code of this page of addresses is found by the number of the regime in use from now on.
    pub(super) fn found(&mut self, page: u32, physical: u32) {
        self.known[self.current].code.insert(page, physical);
    }

    /// Forgets all regimes: no address means what it did.
    pub(super) fn forget(&mut self, ground: &mut impl Ground) {
        for place in 0..self.known.len() {
            self.clear(place, ground);
        }
        self.known.clear();
        self.current = 0;
        self.victim = 0;
    }

    /// Gives all regimes new numbers, so that no code is found under the old ones.
    pub(super) fn renumber(&mut self) {
        for place in 0..self.known.len() {
            self.known[place].number = self.next_number();
            self.known[place].code.clear();
        }
    }

    /// Forgets what this page of linear addresses reaches, in every regime.
    pub(super) fn forget_page(&mut self, page: u32, ground: &mut impl Ground) {
        for (place, space) in self.known.iter_mut().enumerate() {
            // What is relocated is mapped where the program sees it.
            let page = page.wrapping_sub(space.regime.base / PAGE) % ADDRESSES;
            if space.data.remove(&page).is_some() {
                ground.unmap(place, page);
            }
        }
    }

    /// Forgets stores to pages that have a flag now: somebody wants to notice them.
    pub(super) fn forget_stores(&mut self, ram: &Ram, ground: &mut impl Ground) {
        for (place, space) in self.known.iter_mut().enumerate() {
            for (page, mapped) in &mut space.data {
                if mapped.access == Access::Store && ram.flags(mapped.physical) != 0 {
                    ground.protect(place, *page);
                    mapped.access = Access::Load;
                }
            }
        }
    }

    /// Takes in what an aligned access to this address reaches, if all accesses of its kind to the page reach plain
    /// memory.
    pub(super) fn fill(
        &mut self,
        machine: &mut Machine,
        access: Access,
        address: u32,
        ground: &mut impl Ground,
    ) {
        let start = address & !(PAGE - 1);
        let hart: &Hart = &machine.hart;
        let split = !hart.csr.relocation().is_multiple_of(PAGE);
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
        let page = start / PAGE;
        ground.map(self.current, page, physical, access);
        let data = &mut self.known[self.current].data;
        let mapped = data.entry(page).or_insert(Mapped { physical, access });
        if access == Access::Store {
            mapped.access = access;
        }
    }
}
