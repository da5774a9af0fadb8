//! From the address that a program writes to the place that it means: limit, relocation, paging.

use crate::bus::{Bus, Width};
use crate::hart::Hart;
use crate::trap::{Cause, Trap};

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
    if hart.csr.status.relocates() {
        address.wrapping_add(hart.csr.base)
    } else {
        address
    }
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
    if !hart.csr.paging() {
        bus.translated(hart.ring(), linear);
        return Ok(linear);
    }
    if let Some(frame) = bus.tlb().and_then(|tlb| tlb.hit(hart.ring(), access, linear)) {
        return Ok(frame | linear & (PAGE - 1));
    }
    let leaf = match walk(hart.csr.ptbr, bus, hart.ring(), access, linear) {
        Ok(leaf) => leaf,
        Err(fault) => {
            if let Some(tlb) = bus.tlb() {
                tlb.refuse(hart.ring(), access, linear);
            }
            return Err(fault.trap(access, address));
        }
    };
    let marks = if access == Access::Store {
        pte::A | pte::D
    } else {
        pte::A
    };
    if leaf.entry & marks != marks {
        bus.mark(leaf.at, leaf.entry | marks)
            .ok_or(access.access_fault(address))?;
    }
    if let Some(tlb) = bus.tlb() {
        tlb.fill(access, linear, leaf.frame, leaf.entry | marks, leaf.references);
    }
    let physical = leaf.frame | linear & (PAGE - 1);
    bus.translated(hart.ring(), physical);
    Ok(physical)
}

/// What a page-table walk found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// The leaf entry as it stands in memory.
    pub entry: u32,
    /// The physical address of the entry.
    pub at: u32,
    /// The physical address of the 4 KiB frame that the address falls into.
    pub frame: u32,
    /// Entries read: 1 for a superpage, else 2.
    pub references: u32,
}

/// Why a walk found nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WalkFault {
    /// An invalid entry, or one that forbids the access.
    Page,
    /// An entry, or what it points to, is not in memory.
    Access,
}

impl WalkFault {
    /// The trap that it raises for this access to virtual `address`.
    pub fn trap(self, access: Access, address: u32) -> Trap {
        match self {
            WalkFault::Page => access.page_fault(address),
            WalkFault::Access => access.access_fault(address),
        }
    }
}

/// Walks the two-level table that `ptbr` names, for a `linear` address (RISC-V Privileged Specification 1.12,
/// section 4.3.2). Nothing is marked.
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
    let mut table = ptbr & !(PAGE - 1);
    for level in [1, 0] {
        let index = linear >> (12 + 10 * level) & 1023;
        let at = table + 4 * index;
        let entry = bus.read(at, Width::Word).ok_or(WalkFault::Access)?;
        bus.walked(at);
        if entry & pte::V == 0 || entry & (pte::R | pte::W) == pte::W {
            return Err(WalkFault::Page);
        }
        if entry & (pte::R | pte::X) == 0 {
            if level == 0 {
                break;
            }
            table = pte::frame(entry).ok_or(WalkFault::Access)?;
            continue;
        }
        let forbidden = entry & access.permission() == 0 || ring == 3 && entry & pte::U == 0;
        let misaligned_superpage = level == 1 && entry & 0x000f_fc00 != 0;
        if forbidden || misaligned_superpage {
            return Err(WalkFault::Page);
        }
        let within_leaf = if level == 1 { linear & 0x003f_f000 } else { 0 };
        let frame = pte::frame(entry).ok_or(WalkFault::Access)? | within_leaf;
        return Ok(Leaf {
            entry,
            at,
            frame,
            references: 2 - level,
        });
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
    /// What was counted.
    pub counts: TlbCounts,
}

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
    /// Linear page number, or `EMPTY`.
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
            counts: TlbCounts::default(),
        }
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
        let page = linear / PAGE;
        let epoch = self.epoch;
        let entry = *self.slot(access, page);
        (entry.epoch == epoch && entry.allows(ring, access, page)).then_some(entry.frame)
    }

    /// Takes in a translation that a walk of `references` entries has just found.
    fn fill(&mut self, access: Access, linear: u32, frame: u32, flags: u32, references: u32) {
        let page = linear / PAGE;
        let epoch = self.epoch;
        let superpage = if references == 1 { SUPERPAGE } else { 0 };
        let flags = flags & (SUPERPAGE - 1) | superpage;
        let entry = self.slot(access, page);
        let (known, before) = (entry.page == page, *entry);
        *entry = Entry {
            page,
            frame,
            flags,
            epoch,
        };
        if !known {
            self.counts.misses += 1;
            self.counts.references += u64::from(references);
        } else if before.frame != frame || before.flags & !flags & (pte::R | pte::W | pte::X | pte::U) != 0 {
            self.counts.stale += 1;
        }
    }

    /// Takes in that a walk has just refused an access.
    fn refuse(&mut self, ring: u32, access: Access, linear: u32) {
        let page = linear / PAGE;
        let entry = self.slot(access, page);
        if entry.allows(ring, access, page) {
            *entry = EMPTY;
            self.counts.stale += 1;
        }
    }

    /// A page table was stored to: no entry is trusted before it has been compared with the tables.
    pub fn doubt(&mut self) {
        self.epoch = self.epoch.wrapping_add(1);
        if self.epoch == 0 {
            // Once in 2^32 times: an entry as old as that must not look new.
            self.fence(None);
        }
    }

    /// `sfence.vma` for the page of `linear` (the whole of it, if it is a superpage), or for all pages.
    pub fn fence(&mut self, linear: Option<u32>) {
        match linear {
            Some(address) => {
                let page = address / PAGE;
                for entry in self.fetch.iter_mut().chain(&mut self.data) {
                    let superpage = entry.flags & SUPERPAGE != 0 && entry.page >> 10 == page >> 10;
                    if entry.page == page || superpage {
                        *entry = EMPTY;
                    }
                }
            }
            None => {
                self.fetch.fill(EMPTY);
                self.data.fill(EMPTY);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_does_not_come_back_when_the_epochs_begin_again() {
        let mut tlb = Tlb::new(1);
        tlb.fill(Access::Load, 0, PAGE, pte::V | pte::R, 2);
        assert_eq!(tlb.hit(0, Access::Load, 0), Some(PAGE));
        tlb.epoch = u32::MAX;
        tlb.doubt();
        assert_eq!(tlb.hit(0, Access::Load, 0), None);
    }
}
