//! From the address that a program writes to the place that it means: limit, relocation, paging.

mod entry;

use crate::bus::{Bus, Width};
use crate::hart::Hart;
use crate::trap::{Cause, Trap};

pub use entry::{Meaning, Refusal};

/// Bits of a page-table entry, as in RISC-V Sv32 (Privileged Specification 1.12, section 4.3).
pub mod pte {
    /// The entry is valid.
    pub const V: u32 = 1;
    /// Loads are allowed.
    pub const R: u32 = 2;
    /// Stores are allowed.
    pub const W: u32 = 4;
    /// Fetches are allowed.
    pub const X: u32 = 8;
    /// Ring 3 may use the page.
    pub const U: u32 = 16;
    /// Accessed.
    pub const A: u32 = 64;
    /// Stored to.
    pub const D: u32 = 128;

    /// The entry of a leaf or table at the physical address `frame` (a multiple of 4096).
    pub fn entry(frame: u32, flags: u32) -> u32 {
        frame >> 2 | flags
    }

    /// The physical address that an entry points to; `None` beyond 4 GiB, where Ring32 has nothing.
    pub fn frame(entry: u32) -> Option<u32> {
        (entry >> 30 == 0).then_some((entry & 0x3fff_fc00) << 2)
    }
}

/// Bytes in a page.
pub const PAGE: u32 = 4096;

/// What an access is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// Executing.
    Fetch,
    /// Reading.
    Load,
    /// Writing.
    Store,
}

impl Access {
    /// The trap of an access that no memory answers, or that a limit forbids.
    pub fn access_fault(self, address: u32) -> Trap {
        let cause = match self {
            Access::Fetch => Cause::FetchAccess,
            Access::Load => Cause::LoadAccess,
            Access::Store => Cause::StoreAccess,
        };
        Trap { cause, tval: address }
    }

    /// The trap of an access that the page table forbids.
    pub fn page_fault(self, address: u32) -> Trap {
        let cause = match self {
            Access::Fetch => Cause::FetchPage,
            Access::Load => Cause::LoadPage,
            Access::Store => Cause::StorePage,
        };
        Trap { cause, tval: address }
    }

    fn misaligned(self, address: u32) -> Trap {
        let cause = match self {
            Access::Fetch => Cause::FetchMisaligned,
            Access::Load => Cause::LoadMisaligned,
            Access::Store => Cause::StoreMisaligned,
        };
        Trap { cause, tval: address }
    }

    /// The trap out of non-root operation of an access that the nested table does not allow, with the guest-physical
    /// address.
    pub fn nested_fault(self, address: u32) -> Trap {
        let cause = match self {
            Access::Fetch => Cause::NestedFetch,
            Access::Load => Cause::NestedLoad,
            Access::Store => Cause::NestedStore,
        };
        Trap { cause, tval: address }
    }

    /// The bits that the access sets in a leaf.
    pub fn marks(self) -> u32 {
        match self {
            Access::Fetch | Access::Load => pte::A,
            Access::Store => pte::A | pte::D,
        }
    }

    /// The permission bit that a leaf must have.
    pub fn permission(self) -> u32 {
        match self {
            Access::Fetch => pte::X,
            Access::Load => pte::R,
            Access::Store => pte::W,
        }
    }
}

/// The limit test, in 33 bits: whether `size` bytes at `address` lie below `bound`. Ring 0 has no limit.
#[inline]
pub fn within(ring: u32, bound: u32, address: u32, size: u32) -> bool {
    ring == 0 || u64::from(address) + u64::from(size) <= u64::from(bound)
}

/// The linear address: virtual, relocated.
#[inline]
pub fn linear(hart: &Hart, address: u32) -> u32 {
    address.wrapping_add(hart.csr.relocation())
}

/// The physical address that a fetch, load or store at virtual `address` reaches, with A and D set as the
/// access demands.
///
/// # Errors
/// The trap that the access raises: misaligned, beyond the limit, or not in the page table.
#[inline]
pub fn translate<B: Bus>(
    hart: &Hart,
    bus: &mut B,
    access: Access,
    address: u32,
    width: Width,
) -> Result<u32, Trap> {
    if address & (width.bytes() - 1) != 0 {
        return Err(access.misaligned(address));
    }
    let limit = if access == Access::Fetch {
        hart.csr.xbound
    } else {
        hart.csr.bound
    };
    if !within(hart.ring(), limit, address, width.bytes()) {
        return Err(access.access_fault(address));
    }
    translate_linear(hart, bus, access, address, linear(hart, address))
}

/// As [`translate`], from the linear address on; `address` is what a trap reports.
#[inline]
pub fn translate_linear<B: Bus>(
    hart: &Hart,
    bus: &mut B,
    access: Access,
    address: u32,
    linear: u32,
) -> Result<u32, Trap> {
    if !hart.translates() {
        bus.translated(hart.world(), linear);
        return Ok(linear);
    }
    if let Some(frame) = bus.tlb().and_then(|tlb| tlb.hit(hart.ring(), access, linear)) {
        return Ok(frame | linear & (PAGE - 1));
    }
    miss(hart, bus, access, address, linear)
}

/// What the buffer does not know: the tables are walked. Apart, so that the way without stays short.
#[inline(never)]
fn miss<B: Bus>(hart: &Hart, bus: &mut B, access: Access, address: u32, linear: u32) -> Result<u32, Trap> {
    match find(hart, bus, access, linear) {
        Ok(found) => {
            if let Some(tlb) = bus.tlb() {
                tlb.fill(access, linear, found);
            }
            let physical = found.frame | linear & (PAGE - 1);
            bus.translated(hart.world(), physical);
            Ok(physical)
        }
        Err(fault) => {
            if let Some(tlb) = bus.tlb() {
                tlb.refuse(hart.ring(), access, linear);
            }
            Err(fault.trap(access, address))
        }
    }
}

/// A translation, as a TLB would hold it.
#[derive(Clone, Copy, Debug)]
struct Found {
    /// The physical address of the 4 KiB frame.
    frame: u32,
    /// The flags of the leaf; where there are two, what both allow.
    flags: u32,
    /// The program's own leaf maps 4 MiB.
    superpage: bool,
    /// Entries read.
    references: u32,
}

/// Walks the tables for a `linear` address: the program's own, and in non-root operation the nested one for every
/// reference of that walk and for what it leads to. Sets A and D as the access demands.
fn find<B: Bus>(hart: &Hart, bus: &mut B, access: Access, linear: u32) -> Result<Found, WalkFault> {
    let nested = hart.nested;
    if !hart.csr.paging() {
        return through(nested, bus, access, linear);
    }
    let leaf = walk_own(hart, bus, hart.ring(), access, linear)?;
    let real = through(nested, bus, access, leaf.frame | linear & (PAGE - 1))?;
    let marked = leaf.entry | access.marks();
    if leaf.entry != marked {
        let entry = through(nested, bus, Access::Store, leaf.at)?;
        bus.mark(entry.frame | leaf.at & (PAGE - 1), marked)
            .ok_or(WalkFault::Access)?;
    }
    Ok(Found {
        frame: real.frame,
        flags: marked & real.flags,
        superpage: leaf.level == 1,
        references: leaf.references + real.references,
    })
}

/// What a physical address of a program is in the nested table, or just itself where that is off. The nested table
/// has the format of any other, but no rings: U does not count.
fn through<B: Bus>(nested: u32, bus: &mut B, access: Access, physical: u32) -> Result<Found, WalkFault> {
    if nested & 1 == 0 {
        return Ok(Found {
            frame: physical & !(PAGE - 1),
            flags: EVERYTHING,
            superpage: false,
            references: 0,
        });
    }
    let fault = |_| WalkFault::Nested(access.nested_fault(physical));
    let leaf = walk(nested, bus, 0, access, physical).map_err(fault)?;
    let marked = leaf.entry | access.marks();
    if leaf.entry != marked {
        bus.mark(leaf.at, marked)
            .ok_or(WalkFault::Access)
            .map_err(fault)?;
    }
    Ok(Found {
        frame: leaf.frame,
        flags: marked | pte::U,
        superpage: false,
        references: leaf.references,
    })
}

/// The flags of what no table limits.
const EVERYTHING: u32 = pte::V | pte::R | pte::W | pte::X | pte::U | pte::A | pte::D;

/// What a page-table walk found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// The leaf entry as it stands in memory.
    pub entry: u32,
    /// The physical address of the entry.
    pub at: u32,
    /// The physical address of the 4 KiB frame that the address falls into.
    pub frame: u32,
    /// 1 for a superpage, else 0.
    pub level: u32,
    /// Entries read: 1 for a superpage, else 2; with a nested table, those of its walks as well.
    pub references: u32,
}

/// Why a walk found nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WalkFault {
    /// An invalid entry, or one that forbids the access.
    Page,
    /// An entry, or what it points to, is not in memory.
    Access,
    /// The nested table does not allow a reference: not the program's trap but its monitor's.
    Nested(Trap),
}

impl WalkFault {
    /// The trap that it raises for this access to virtual `address`.
    pub fn trap(self, access: Access, address: u32) -> Trap {
        match self {
            WalkFault::Page => access.page_fault(address),
            WalkFault::Access => access.access_fault(address),
            WalkFault::Nested(trap) => trap,
        }
    }
}

/// Walks the two-level table that `ptbr` names, for a `linear` address (RISC-V Privileged Specification 1.12,
/// section 4.3.2). Nothing is marked. The table is in real memory.
///
/// # Errors
/// If the table has no leaf that allows the access from `ring`.
pub fn walk<B: Bus>(
    ptbr: u32,
    bus: &mut B,
    ring: u32,
    access: Access,
    linear: u32,
) -> Result<Leaf, WalkFault> {
    walk_with(ptbr, ring, access, linear, |at| {
        let entry = bus.read(at, Width::Word).ok_or(WalkFault::Access)?;
        bus.walked(at);
        Ok((entry, 1))
    })
}

/// As [`walk`], of the table that `hart` itself would walk: in non-root operation, every reference goes through the
/// nested table.
///
/// # Errors
/// As [`walk`], or if the nested table does not allow a reference.
pub fn walk_own<B: Bus>(
    hart: &Hart,
    bus: &mut B,
    ring: u32,
    access: Access,
    linear: u32,
) -> Result<Leaf, WalkFault> {
    walk_with(hart.csr.ptbr, ring, access, linear, |at| {
        let place = through(hart.nested, bus, Access::Load, at)?;
        let real = place.frame | at & (PAGE - 1);
        let entry = bus.read(real, Width::Word).ok_or(WalkFault::Access)?;
        bus.walked(real);
        Ok((entry, 1 + place.references))
    })
}

/// The walk itself, for whoever reads the entries in a way of his own: `read` has the entry at an address, and says how
/// many entries were read for it.
///
/// # Errors
/// As [`walk`], and those of `read`.
pub fn walk_with(
    ptbr: u32,
    ring: u32,
    access: Access,
    linear: u32,
    mut read: impl FnMut(u32) -> Result<(u32, u32), WalkFault>,
) -> Result<Leaf, WalkFault> {
    let mut table = ptbr & !(PAGE - 1);
    let mut references = 0;
    for level in [1, 0] {
        let index = linear >> (12 + 10 * level) & 1023;
        let at = table + 4 * index;
        let (entry, read) = read(at)?;
        references += read;
        match Meaning::of(entry, level, access, ring, linear) {
            Meaning::Table(next) => table = next,
            Meaning::Leaf(frame) => {
                return Ok(Leaf {
                    entry,
                    at,
                    frame,
                    level,
                    references,
                });
            }
            Meaning::Refused(refusal) => return Err(refusal.fault()),
        }
    }
    Err(WalkFault::Page)
}

/// A counting model of a translation look-aside buffer: two direct-mapped halves, for fetches and for data.
///
/// Translation is coherent by definition, so this model never decides what an access reaches. It counts what a
/// real one would have missed, and it notices where a real one would still have used a stale translation: where
/// a program left out a fence. Because every answer stays right, engines also use it to skip the walk.
#[derive(Clone, Debug)]
pub struct Tlb {
    fetch: Vec<Entry>,
    data: Vec<Entry>,
    /// Grows with every store to a page table; an entry of another epoch must be looked at again.
    epoch: u32,
    /// Which space the processor is in, as the bits above a page number: 0 for root operation, else the position in
    /// `spaces`, from 1 on.
    space: u32,
    /// Nested tables under which there may be entries, by their roots. Entries of several spaces live side by side,
    /// as a tagged buffer has them.
    spaces: Vec<u32>,
    /// See [`Tlb::changes`].
    changes: u64,
    /// What was counted.
    pub counts: TlbCounts,
    lost: Lost,
}

/// What a [`Tlb`] has given up since somebody asked last: for an engine that keeps copies of what it holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// Everything. Then the rest says nothing.
    pub all: bool,
    /// Some translation for fetches.
    pub fetches: bool,
    /// Translations for data, by the numbers of their pages.
    pub pages: Vec<u32>,
}

/// So many pages are worth a list.
const LOST_PAGES: usize = 32;

impl Lost {
    /// This entry of one of the halves is given up.
    fn note(&mut self, entry: Entry, data: bool) {
        if entry.page == EMPTY.page || self.all {
        } else if !data {
            self.fetches = true;
        } else if self.pages.len() == LOST_PAGES {
            self.all = true;
        } else {
            self.pages.push(entry.page & ((1 << SPACE_SHIFT) - 1));
        }
    }
}

/// What [`Tlb::changes`] grows by when more than one entry may change.
const MANY: u64 = 2;
/// How many nested tables the buffer tells apart.
const SPACES: usize = 64;
/// Where the number of the space stands in [`Entry::page`].
const SPACE_SHIFT: u32 = 20;

/// What a [`Tlb`] counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TlbCounts {
    /// Translations that had to walk.
    pub misses: u64,
    /// Page-table entries read by those walks.
    pub references: u64,
    /// Translations that a fence-less change had made stale: reported by the lint.
    pub stale: u64,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// Linear page number with the number of the space above it, or `EMPTY`.
    page: u32,
    frame: u32,
    /// Those of the leaf, and [`SUPERPAGE`].
    flags: u32,
    epoch: u32,
}

/// The leaf maps 4 MiB, of which the entry holds the page that was accessed. A bit that no leaf's flags use.
const SUPERPAGE: u32 = 1 << 8;

const EMPTY: Entry = Entry {
    page: u32::MAX,
    frame: 0,
    flags: 0,
    epoch: 0,
};

impl Entry {
    /// Whether a buffer that trusts this entry would let the access to `page` through.
    #[inline]
    fn allows(&self, ring: u32, access: Access, page: u32) -> bool {
        // A store also needs D, so that the first one walks and sets it.
        let needed = match access {
            Access::Fetch => pte::X,
            Access::Load => pte::R,
            Access::Store => pte::W | pte::D,
        } | if ring == 3 { pte::U } else { 0 };
        self.page == page && self.flags & needed == needed
    }
}

impl Tlb {
    /// What the entries take, in bytes.
    pub fn held(&self) -> usize {
        (self.fetch.len() + self.data.len()) * size_of::<Entry>()
    }

    /// An empty buffer of `entries` for fetches and as many for data; a power of two.
    pub fn new(entries: usize) -> Tlb {
        assert!(
            entries.is_power_of_two(),
            "a direct-mapped buffer is indexed by low bits"
        );
        Tlb {
            fetch: vec![EMPTY; entries],
            data: vec![EMPTY; entries],
            epoch: 0,
            space: 0,
            spaces: Vec::new(),
            changes: 0,
            counts: TlbCounts::default(),
            lost: Lost::default(),
        }
    }

    /// Whether anything was given up since [`Tlb::take_lost`].
    #[inline]
    pub fn has_lost(&self) -> bool {
        self.lost.all || self.lost.fetches || !self.lost.pages.is_empty()
    }

    /// What was given up since this was called last.
    pub fn take_lost(&mut self) -> Lost {
        std::mem::take(&mut self.lost)
    }

    /// Entries for data.
    pub(crate) fn entries(&self) -> usize {
        self.data.len()
    }

    /// Grows with whatever changes the answers of [`Tlb::hit`] for data, by one for one entry: an engine that remembers
    /// answers asks for it.
    pub(crate) fn changes(&self) -> u64 {
        self.changes
    }

    /// The page of `linear` in the space in use.
    #[inline]
    fn page(&self, linear: u32) -> u32 {
        (linear / PAGE) | self.space
    }

    #[inline]
    fn slot(&mut self, access: Access, page: u32) -> &mut Entry {
        let half = if access == Access::Fetch {
            &mut self.fetch
        } else {
            &mut self.data
        };
        let index = page as usize & (half.len() - 1);
        &mut half[index]
    }

    /// The frame of `linear` if the buffer holds a translation that is still true and allows the access.
    #[inline]
    pub fn hit(&mut self, ring: u32, access: Access, linear: u32) -> Option<u32> {
        let page = self.page(linear);
        let epoch = self.epoch;
        let entry = *self.slot(access, page);
        (entry.epoch == epoch && entry.allows(ring, access, page)).then_some(entry.frame)
    }

    /// Takes in a translation that a walk has just found.
    fn fill(&mut self, access: Access, linear: u32, found: Found) {
        self.changes += u64::from(access != Access::Fetch);
        let page = self.page(linear);
        let epoch = self.epoch;
        let superpage = if found.superpage { SUPERPAGE } else { 0 };
        let (frame, flags) = (found.frame, found.flags & (SUPERPAGE - 1) | superpage);
        let entry = self.slot(access, page);
        let (known, before) = (entry.page == page, *entry);
        *entry = Entry {
            page,
            frame,
            flags,
            epoch,
        };
        if !known {
            self.lost.note(before, access != Access::Fetch);
            self.counts.misses += 1;
            self.counts.references += u64::from(found.references);
        } else if before.frame != frame || before.flags & !flags & (pte::R | pte::W | pte::X | pte::U) != 0 {
            self.counts.stale += 1;
        }
    }

    /// Takes in that a walk has just refused an access.
    fn refuse(&mut self, ring: u32, access: Access, linear: u32) {
        let page = self.page(linear);
        let entry = self.slot(access, page);
        if entry.allows(ring, access, page) {
            let before = std::mem::replace(entry, EMPTY);
            self.lost.note(before, access != Access::Fetch);
            self.changes += 1;
            self.counts.stale += 1;
        }
    }

    /// A page table was stored to: no entry is trusted before it has been compared with the tables.
    pub fn doubt(&mut self) {
        self.changes += MANY;
        self.epoch = self.epoch.wrapping_add(1);
        if self.epoch == 0 {
            // Once in 2^32 times: an entry as old as that must not look new.
            self.clear();
        }
    }

    /// Grows when translations become doubtful: an engine that has its own copies of them drops them then.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// `sfence.vma` for the page of `linear` (the whole of it, if it is a superpage), or for all pages; of the space in
    /// use.
    pub fn fence(&mut self, linear: Option<u32>) {
        match linear {
            Some(address) => {
                let page = self.page(address);
                self.forget(|entry| {
                    let superpage = entry.flags & SUPERPAGE != 0 && entry.page >> 10 == page >> 10;
                    entry.page == page || superpage
                });
            }
            None if self.spaces.is_empty() => self.clear(),
            None => self.forget_number(self.space),
        }
    }

    /// From now on, translations are those of a guest under this nested table. Without one they have no tag, and
    /// nothing outlives the change of worlds.
    pub(crate) fn enter_space(&mut self, nested: u32) {
        self.changes += MANY;
        if nested & 1 == 0 {
            self.clear();
            return;
        }
        let root = nested & !(PAGE - 1);
        let known = self.spaces.iter().position(|known| *known == root);
        let position = known.unwrap_or_else(|| {
            if self.spaces.len() == SPACES {
                self.clear();
                self.spaces.clear();
            }
            self.spaces.push(root);
            self.spaces.len() - 1
        });
        self.space = (position as u32 + 1) << SPACE_SHIFT;
    }

    /// Translations are those of root operation again.
    pub(crate) fn leave_space(&mut self) {
        self.changes += MANY;
        if self.space == 0 {
            self.clear();
        }
        self.space = 0;
    }

    /// `vminval`: what was made under the nested table with this root, or under any.
    pub(crate) fn forget_space(&mut self, nested: Option<u32>) {
        match nested {
            Some(root) => {
                let root = root & !(PAGE - 1);
                if let Some(position) = self.spaces.iter().position(|known| *known == root) {
                    self.forget_number((position as u32 + 1) << SPACE_SHIFT);
                }
            }
            None => self.forget(|entry| entry.page >> SPACE_SHIFT != 0),
        }
    }

    fn forget_number(&mut self, space: u32) {
        self.forget(|entry| entry.page >> SPACE_SHIFT == space >> SPACE_SHIFT);
    }

    fn forget(&mut self, which: impl Fn(&Entry) -> bool) {
        self.changes += MANY;
        for (half, data) in [(&mut self.fetch, false), (&mut self.data, true)] {
            for entry in half.iter_mut().filter(|entry| which(entry)) {
                self.lost.note(std::mem::replace(entry, EMPTY), data);
            }
        }
    }

    fn clear(&mut self) {
        self.lost.all = true;
        self.changes += MANY;
        self.fetch.fill(EMPTY);
        self.data.fill(EMPTY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_does_not_come_back_when_the_epochs_begin_again() {
        let mut tlb = Tlb::new(1);
        let found = Found {
            frame: PAGE,
            flags: pte::V | pte::R,
            superpage: false,
            references: 2,
        };
        tlb.fill(Access::Load, 0, found);
        assert_eq!(tlb.hit(0, Access::Load, 0), Some(PAGE));
        tlb.epoch = u32::MAX;
        tlb.doubt();
        assert_eq!(tlb.hit(0, Access::Load, 0), None);
    }
}
