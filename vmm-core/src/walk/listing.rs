//! What is mapped in the guest's present address space: its own tables beside those that the processor really walks.

use std::collections::BTreeMap;

use toy_isa::devices::MMIO;
use toy_isa::mmu::{PAGE, pte};

use super::Looker;
use super::hardware::Tables;
use crate::event::AccessReason;
use crate::modes::para::pages::Kind;
use crate::modes::trap::allocator::MONITOR;
use crate::run::Run;

/// Entries in a page table.
const ENTRIES: u32 = PAGE / 4;

/// Pages that are looked at one by one before a listing is given up: an address space can have a million.
const MOST: usize = 1 << 14;

/// The mapped ranges of an address space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// Whose tables the processor really walks.
    pub tables: Tables,
    /// Whether the guest pages. If not, its addresses are physical ones.
    pub paging: bool,
    /// The ranges, by linear address: what the guest's tables map, and what the shadow table does.
    pub ranges: Vec<Range>,
    /// The nested table, by guest-physical address; empty where there is none.
    pub nested: Vec<Range>,
    /// There was more than could be listed.
    pub cut: bool,
}

/// Pages in a row that are mapped alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The address of the first page.
    pub first: u32,
    /// How many they are.
    pub pages: u32,
    /// The guest's own entry.
    pub own: Option<Entry>,
    /// The first guest frame that is meant; the others follow it.
    pub guest: Option<u32>,
    /// The flags of the entries that the processor uses instead, or in addition.
    pub real: Option<u32>,
    /// The first frame of real memory.
    pub host: Option<u32>,
    /// The other frames of real memory do not follow the first.
    pub scattered: bool,
    /// What the pages are to the monitor.
    pub holds: Holds,
}

/// An entry of the guest's own table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its flags: the low eight bits.
    pub flags: u32,
    /// 1 for a superpage, else 0.
    pub level: u32,
}

/// What pages are to the monitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Memory like any other.
    Memory,
    /// A page table that is shadowed: stores to it trap.
    Shadowed,
    /// Code that has been translated: stores to it trap.
    Code,
    /// A page table of this kind, or pages that are mapped to be written, as the monitor has validated.
    Validated(Kind),
    /// Registers of devices.
    Devices,
    /// No memory of the guest's.
    Beyond,
    /// The monitor itself.
    Monitor,
}

/// What a page is mapped to.
#[derive(Clone, Copy)]
struct Mapped {
    frame: u32,
    flags: u32,
    level: u32,
}

impl Listing {
    /// What is mapped in a run at rest.
    pub fn of(run: &Run) -> Listing {
        Looker::at(run).list()
    }
}

/// The valid leaves of the table at this physical address, by page number: the first [`MOST`] of them, and one more if
/// there are more. `word` reads its memory.
fn leaves(root: u32, word: &dyn Fn(u32) -> Option<u32>) -> BTreeMap<u32, Mapped> {
    let entries = |table: u32| {
        (0..ENTRIES).filter_map(move |index| {
            let entry = word(table + 4 * index).filter(|entry| entry & pte::V != 0)?;
            Some((index, entry, pte::frame(entry)? / PAGE))
        })
    };
    let is_leaf = |entry: u32| entry & (pte::R | pte::X) != 0;
    let mut found = BTreeMap::new();
    for (directory, entry, frame) in entries(root & !(PAGE - 1)) {
        let flags = entry & 0xff;
        if is_leaf(entry) {
            found.insert(
                directory * ENTRIES,
                Mapped {
                    frame,
                    flags,
                    level: 1,
                },
            );
            continue;
        }
        if found.len() > MOST {
            break;
        }
        for (index, entry, frame) in entries(frame * PAGE).filter(|(_, entry, _)| is_leaf(*entry)) {
            let flags = entry & 0xff;
            found.insert(
                directory * ENTRIES + index,
                Mapped {
                    frame,
                    flags,
                    level: 0,
                },
            );
        }
    }
    found
}

impl Looker<'_> {
    fn list(&self) -> Listing {
        let hart = &self.view.hart;
        let tables = self.hardware.tables;
        // A guest whose tables are validated never runs without.
        let paging = hart.csr.paging() || tables == Tables::Validated;
        let own = match (paging, tables) {
            (false, _) => BTreeMap::new(),
            (true, Tables::Validated) => leaves(hart.csr.ptbr, &|address| self.real_word(address)),
            (true, _) => leaves(hart.csr.ptbr, &|address| self.view.word(address)),
        };
        let real = match tables {
            Tables::Shadow { begun: true } => {
                leaves(self.hardware.hart.csr.ptbr, &|address| self.real_word(address))
            }
            Tables::Nested => leaves(self.hardware.hart.nested, &|address| self.real_word(address)),
            _ => BTreeMap::new(),
        };
        let mut pages = Vec::new();
        let mut cut = false;
        for (page, mapped) in &own {
            let count = if mapped.level == 1 { ENTRIES } else { 1 };
            for offset in 0..count {
                cut |= pages.len() >= MOST;
                if !cut {
                    pages.push(self.own_page(page + offset, mapped, offset, &real));
                }
            }
        }
        if matches!(tables, Tables::Shadow { .. }) {
            let alone = real.iter().filter(|(page, _)| !covers(&own, **page));
            pages.extend(alone.map(|(page, mapped)| self.shadow_page(*page, mapped)));
            pages.sort_by_key(|range| range.first);
        }
        let nested = match tables {
            Tables::Nested => real
                .iter()
                .map(|(page, mapped)| self.nested_page(*page, mapped))
                .collect(),
            _ => Vec::new(),
        };
        Listing {
            tables,
            paging,
            ranges: merged(pages),
            nested: merged(nested),
            cut,
        }
    }

    /// A page that the guest's own table maps.
    fn own_page(&self, page: u32, mapped: &Mapped, offset: u32, real: &BTreeMap<u32, Mapped>) -> Range {
        let frame = mapped.frame + offset;
        let (guest, host) = match self.hardware.tables {
            Tables::Validated => (self.view.guest_page(frame), Some(frame)),
            _ => (Some(frame), self.view.host_page(frame)),
        };
        let real = match self.hardware.tables {
            Tables::Nested => real.get(&frame),
            _ => real.get(&page),
        };
        Range {
            first: page * PAGE,
            pages: 1,
            own: Some(Entry {
                flags: mapped.flags,
                level: mapped.level,
            }),
            guest,
            real: real.map(|real| real.flags),
            host,
            scattered: false,
            holds: self.holds(guest, host),
        }
    }

    /// A page of the shadow table for which the guest's own has nothing.
    fn shadow_page(&self, page: u32, mapped: &Mapped) -> Range {
        let guest = self.view.guest_page(mapped.frame);
        let monitor = page >= MONITOR / PAGE;
        // The monitor's own superpage is one entry.
        let pages = if mapped.level == 1 { ENTRIES } else { 1 };
        Range {
            first: page * PAGE,
            pages,
            own: None,
            guest,
            real: Some(mapped.flags),
            host: Some(mapped.frame),
            scattered: false,
            holds: match monitor {
                true => Holds::Monitor,
                false => self.holds(guest, Some(mapped.frame)),
            },
        }
    }

    fn nested_page(&self, page: u32, mapped: &Mapped) -> Range {
        Range {
            first: page * PAGE,
            pages: 1,
            own: None,
            guest: Some(page),
            real: Some(mapped.flags),
            host: Some(mapped.frame),
            scattered: false,
            holds: self.holds(Some(page), Some(mapped.frame)),
        }
    }

    fn holds(&self, guest: Option<u32>, host: Option<u32>) -> Holds {
        let kind = host.and_then(|host| self.hardware.pages?.kind(host));
        match (
            guest.and_then(|guest| self.hardware.traces(guest)),
            kind,
            host,
            guest,
        ) {
            (Some(AccessReason::Code), ..) => Holds::Code,
            (Some(_), ..) => Holds::Shadowed,
            (None, Some(kind), ..) => Holds::Validated(kind),
            // Memory that the guest may use, and that is not its own.
            (None, None, Some(_), None) => Holds::Monitor,
            (None, None, Some(_), Some(_)) => Holds::Memory,
            (None, None, None, Some(frame)) if frame >= MMIO / PAGE => Holds::Devices,
            (None, None, None, _) => Holds::Beyond,
        }
    }
}

/// Whether a page is among those that these leaves map.
fn covers(leaves: &BTreeMap<u32, Mapped>, page: u32) -> bool {
    let superpage = leaves.get(&(page & !(ENTRIES - 1)));
    leaves.contains_key(&page) || superpage.is_some_and(|mapped| mapped.level == 1)
}

/// Neighbours that are mapped alike become one range.
fn merged(pages: Vec<Range>) -> Vec<Range> {
    let mut ranges: Vec<Range> = Vec::new();
    for page in pages {
        match ranges.last_mut().filter(|range| range.goes_on_with(&page)) {
            Some(range) => {
                range.scattered |= range.host.map(|first| first + range.pages) != page.host;
                range.pages += page.pages;
            }
            None => ranges.push(page),
        }
    }
    ranges
}

impl Range {
    fn goes_on_with(&self, next: &Range) -> bool {
        let follows = |first: Option<u32>, next: Option<u32>| match (first, next) {
            (None, None) => true,
            (Some(first), Some(next)) => first.wrapping_add(self.pages) == next,
            _ => false,
        };
        let alike = (self.own, self.real, self.holds, self.host.is_some())
            == (next.own, next.real, next.holds, next.host.is_some());
        alike && follows(self.guest, next.guest) && self.first.wrapping_add(self.pages * PAGE) == next.first
    }
}
