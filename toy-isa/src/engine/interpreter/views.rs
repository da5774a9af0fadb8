//! The pages that loads and stores reach under paging, without asking the TLB again.

use crate::bus::Width;
use crate::hart::Hart;
use crate::machine::Board;
use crate::mmu::{self, Access, PAGE};

/// How many pages for loads, and as many for stores.
const VIEWS: usize = 64;

/// A page of addresses, and where it lies.
#[derive(Clone, Copy)]
struct View {
    /// The address of its first byte.
    page: u32,
    /// What must be added to its addresses.
    shift: u32,
}

/// Which the first byte of no page can be, nor any address whose low bits alone are looked at.
const NOWHERE: View = View {
    page: PAGE / 2,
    shift: 0,
};

/// What else answers depend on: all that an address space, or a ring in it, does not share with others.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Space {
    changes: u64,
    raised: u64,
    ring: u32,
    bound: u32,
    base: u32,
}

/// Translations of which it is certain that the TLB would hit and nothing would be counted, watched or flagged: what
/// the buffer forgets, or replaces, is forgotten here before the next access.
pub(super) struct Views {
    loads: [View; VIEWS],
    stores: [View; VIEWS],
    space: Space,
}

impl Default for Views {
    fn default() -> Views {
        Views {
            loads: [NOWHERE; VIEWS],
            stores: [NOWHERE; VIEWS],
            space: Space::default(),
        }
    }
}

impl Space {
    fn new(hart: &Hart, board: &Board) -> Space {
        Space {
            changes: board.tlb.changes(),
            raised: board.ram.raised(),
            ring: hart.ring(),
            bound: hart.csr.bound,
            base: hart.csr.relocation(),
        }
    }
}

impl Views {
    /// Where the bytes of an aligned load or store lie in memory, if that is known.
    #[inline(always)]
    pub(super) fn place(&self, access: Access, address: u32, width: Width) -> Option<u32> {
        let views = if access == Access::Store {
            &self.stores
        } else {
            &self.loads
        };
        let view = &views[(address / PAGE) as usize % VIEWS];
        // A misaligned address is on no page.
        let page = address & (!(PAGE - 1) | (width.bytes() - 1));
        (page == view.page).then(|| address.wrapping_add(view.shift))
    }

    /// A burst begins: what belongs to another state is forgotten.
    pub(super) fn enter(&mut self, hart: &Hart, board: &Board) {
        let space = Space::new(hart, board);
        if self.space != space {
            *self = Views {
                space,
                ..Views::default()
            };
        }
    }

    /// The slow way has loaded from this address, or stored to it: what it may have changed in the buffer is forgotten,
    /// and what the next access will find there is remembered.
    pub(super) fn learn(&mut self, hart: &Hart, board: &mut Board, address: u32) {
        let space = Space::new(hart, board);
        // An access fills or empties one entry; anything else is rare.
        let one = Space {
            changes: space.changes,
            ..self.space
        };
        if space != one || space.changes.wrapping_sub(self.space.changes) > 1 {
            *self = Views::default();
        }
        self.space = space;
        let slot = (address / PAGE) as usize % VIEWS;
        // In a small buffer, one entry serves the pages of several views.
        for slot in (slot % board.tlb.entries()..VIEWS).step_by(board.tlb.entries()) {
            self.loads[slot] = NOWHERE;
            self.stores[slot] = NOWHERE;
        }
        let page = address & !(PAGE - 1);
        if !space.base.is_multiple_of(PAGE) || !mmu::within(space.ring, space.bound, page, PAGE) {
            return;
        }
        let linear = page.wrapping_add(space.base);
        if let Some(frame) = board.tlb.hit(space.ring, Access::Load, linear) {
            self.loads[slot] = View::new(page, frame);
        }
        if let Some(frame) = board.tlb.hit(space.ring, Access::Store, linear)
            && board.ram.flags(frame) == 0
        {
            self.stores[slot] = View::new(page, frame);
        }
    }
}

impl View {
    fn new(page: u32, frame: u32) -> View {
        View {
            page,
            shift: frame.wrapping_sub(page),
        }
    }
}
