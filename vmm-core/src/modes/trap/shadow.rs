//! Shadow page tables: what the processor really walks while the guest believes it walks its own.
//!
//! A shadow entry is made when the guest first uses a page, from the guest's own tables and the allocator's map,
//! and dropped when the guest changes the entry it was made from. To notice that, every guest page that holds
//! such entries is *traced*: no shadow entry allows a store to it, so each store traps and is carried out by the
//! monitor, which then drops what has become false. Stores through another mapping of the page and stores by the
//! disk pass the same place.
//!
//! The guest's A and D bits stay exact by the same means: an entry is not present until the first access, which
//! sets A in the guest's table, and not writable until the first store, which sets D.

use std::collections::{BTreeMap, BTreeSet};

use toy_isa::bus::{Bus, Width};
use toy_isa::hart::Hart;
use toy_isa::machine::Board;
use toy_isa::mmu::{self, Access, PAGE, pte};

use crate::guest::{Frames, VirtualBoard};
use crate::modes::trap::allocator::{Allocator, MONITOR};

/// Which of the guest's rings a shadow table serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum View {
    /// All of them: the real rings tell kernel and user apart (layout 0/1/3).
    Both,
    /// Virtual rings 0..2, which run in real ring 3: every page counts as a user page (layout 0/3/3).
    Kernel,
    /// Virtual ring 3: only the guest's user pages are there (layout 0/3/3).
    User,
}

/// What a shadow table is the shadow of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RootKey {
    /// The guest's `ptbr`; 0 while the guest's paging is off.
    pub ptbr: u32,
    /// For which rings.
    pub view: View,
}

impl RootKey {
    /// The guest frame of the root table; `None` while the guest's paging is off.
    fn frame(self) -> Option<u32> {
        (self.ptbr & 1 != 0).then_some(self.ptbr / PAGE)
    }
}

/// A guest page, as the guest's tables map it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// The guest's flags: R, W, X, U, D.
    flags: u32,
    /// The guest frame of the second-level table that the leaf stands in; `None` for a superpage, or without paging.
    table: Option<u32>,
}

impl Mapping {
    /// Looks a mapped `linear` address up in the guest's tables.
    pub fn of(hart: &Hart, board: &mut VirtualBoard, access: Access, linear: u32) -> Mapping {
        // Without paging every ring may do everything everywhere.
        let unpaged = Mapping {
            flags: pte::R | pte::W | pte::X | pte::U | pte::D,
            table: None,
        };
        if !hart.csr.paging() {
            return unpaged;
        }
        match mmu::walk(hart.csr.ptbr, board, hart.ring(), access, linear) {
            Ok(leaf) => Mapping {
                flags: leaf.entry & (pte::R | pte::W | pte::X | pte::U | pte::D),
                table: (leaf.references == 2).then_some(leaf.at / PAGE),
            },
            // The caller has translated the address a moment ago.
            Err(_) => Mapping {
                flags: 0,
                table: None,
            },
        }
    }
}

/// A shadow of one of the guest's address spaces.
#[derive(Clone)]
struct Root {
    /// Physical address of the first-level table.
    page: u32,
    /// The second-level tables by index: physical address, and the guest frame they were made from.
    tables: BTreeMap<u32, (u32, Option<u32>)>,
    /// When it was last switched to.
    used: u64,
}

/// All shadow tables of a guest.
#[derive(Clone)]
pub struct Shadow {
    /// Physical address of the monitor's superpage, if it is part of every address space.
    monitor: Option<u32>,
    free: Vec<u32>,
    roots: BTreeMap<RootKey, Root>,
    /// For each traced guest frame, how many tables were made from it.
    traced: BTreeMap<u32, u32>,
    current: Option<RootKey>,
    switches: u64,
    /// Guest frames with code that has been translated: traced as well.
    code: BTreeSet<u32>,
    /// What has become false since the binary translator last asked.
    news: News,
}

/// What a binary translator has to know of the guest's stores.
#[derive(Clone, Debug, Default)]
pub struct News {
    /// Guest frames with translated code that were stored to.
    pub code: Vec<u32>,
    /// Ranges of linear addresses, first and last, that the current address space may map otherwise from now on.
    pub mappings: Vec<(u32, u32)>,
}

/// What a switch of tables came to.
pub struct Switch {
    /// The physical address of the table to walk.
    pub root: u32,
    /// Whether it is another than before.
    pub changed: bool,
    /// Whether it was begun anew.
    pub fresh: bool,
}

/// How many address spaces are kept. The one used longest ago makes room for another.
const ROOTS_KEPT: usize = 32;

impl Shadow {
    /// No tables yet.
    pub fn new(allocator: &Allocator) -> Shadow {
        Shadow {
            monitor: Some(allocator.monitor()),
            free: allocator.table_pages(),
            roots: BTreeMap::new(),
            traced: BTreeMap::new(),
            current: None,
            switches: 0,
            code: BTreeSet::new(),
            news: News::default(),
        }
    }

    /// No tables yet, for a monitor that lives apart: where the hardware changes the address space when it leaves the
    /// guest, nothing of the monitor need be in the guest's.
    pub fn apart(allocator: &Allocator) -> Shadow {
        Shadow {
            monitor: None,
            ..Shadow::new(allocator)
        }
    }

    /// Whether this guest frame holds code that has been translated.
    pub fn holds_code(&self, guest_frame: u32) -> bool {
        self.code.contains(&guest_frame)
    }

    /// From now on, stores to this frame are noticed, because code on it has been translated.
    pub fn watch_code(&mut self, board: &mut Board, frames: &Frames, guest_frame: u32) {
        if self.code.insert(guest_frame) {
            self.trace(board, frames, guest_frame);
        }
    }

    /// No translated code was made from this frame any more.
    pub fn forget_code(&mut self, guest_frame: u32) {
        if self.code.remove(&guest_frame) {
            self.untrace(guest_frame);
        }
    }

    /// Of all translated code, only what was made from this frame is left.
    pub fn forget_all_code(&mut self, but: u32) {
        for frame in std::mem::take(&mut self.code) {
            match frame == but {
                true => {
                    self.code.insert(frame);
                }
                false => self.untrace(frame),
            }
        }
    }

    /// Takes what has become false.
    pub fn take_news(&mut self) -> News {
        std::mem::take(&mut self.news)
    }

    /// Whether stores to this guest frame must be noticed.
    pub fn traces(&self, guest_frame: u32) -> bool {
        self.traced.contains_key(&guest_frame)
    }

    /// What a copy of it takes, in bytes, about; without what is in the machine's memory.
    pub fn held(&self) -> usize {
        let tables: usize = self.roots.values().map(|root| root.tables.len()).sum();
        size_of_val(&*self.free)
            + self.roots.len() * size_of::<(RootKey, Root)>()
            + tables * size_of::<(u32, (u32, Option<u32>))>()
            + self.traced.len() * size_of::<(u32, u32)>()
    }

    /// The physical address of the shadow of an address space, if it has been begun.
    pub fn root(&self, key: RootKey) -> Option<u32> {
        Some(self.roots.get(&key)?.page)
    }

    /// Finds the shadow of an address space, or begins it. `open` leaves the monitor's pages open to ring 3: a bug,
    /// for tests.
    pub fn switch(&mut self, board: &mut Board, frames: &Frames, key: RootKey, open: bool) -> Switch {
        let changed = self.current != Some(key);
        let fresh = !self.roots.contains_key(&key);
        self.current = Some(key);
        self.switches += 1;
        if fresh {
            self.begin(board, frames, key, open);
        }
        let root = self.roots.get_mut(&key).map_or(0, |root| {
            root.used = self.switches;
            root.page
        });
        Switch {
            root,
            changed: changed || fresh,
            fresh,
        }
    }

    fn begin(&mut self, board: &mut Board, frames: &Frames, key: RootKey, open: bool) {
        while self.roots.len() >= ROOTS_KEPT {
            let oldest = self
                .roots
                .iter()
                .min_by_key(|(_, root)| root.used)
                .map(|(key, _)| *key);
            oldest.into_iter().for_each(|key| self.drop_root(board, key));
        }
        let page = self.take_page(board, key);
        let user = if open { pte::U } else { 0 };
        let all = pte::V | pte::R | pte::W | pte::X | pte::A | pte::D | user;
        if let Some(monitor) = self.monitor {
            put(board, page + 4 * (MONITOR >> 22), pte::entry(monitor, all));
        }
        self.roots.insert(
            key,
            Root {
                page,
                tables: BTreeMap::new(),
                used: self.switches,
            },
        );
        if let Some(frame) = key.frame() {
            self.trace(board, frames, frame);
        }
    }

    /// Makes the entry of a page that the guest has used at `linear`.
    pub fn fill(
        &mut self,
        board: &mut Board,
        frames: &Frames,
        key: RootKey,
        linear: u32,
        mapping: Mapping,
        host_frame: u32,
    ) {
        debug_assert!(
            self.monitor.is_none() || linear < MONITOR,
            "addresses of the monitor are above every guest's limit"
        );
        let table = self.table(board, frames, key, linear >> 22, mapping.table);
        let guest_frame = frames.guest(host_frame);
        let traced = guest_frame.is_some_and(|frame| self.traces(frame));
        let mut flags = mapping.flags & (pte::R | pte::X | pte::U) | pte::V | pte::A;
        if mapping.flags & pte::W != 0 && mapping.flags & pte::D != 0 && !traced {
            flags |= pte::W | pte::D;
        }
        if key.view == View::Kernel {
            flags |= pte::U;
        }
        put(
            board,
            table + 4 * (linear >> 12 & 1023),
            pte::entry(host_frame * PAGE, flags),
        );
    }

    /// The second-level table for a part of an address space, made if it is not there.
    fn table(
        &mut self,
        board: &mut Board,
        frames: &Frames,
        key: RootKey,
        index: u32,
        made_from: Option<u32>,
    ) -> u32 {
        let known = self
            .roots
            .get(&key)
            .and_then(|root| root.tables.get(&index))
            .map(|(page, _)| *page);
        if let Some(page) = known {
            return page;
        }
        if let Some(frame) = made_from {
            self.trace(board, frames, frame);
        }
        let page = self.take_page(board, key);
        if let Some(root) = self.roots.get_mut(&key) {
            root.tables.insert(index, (page, made_from));
            put(board, root.page + 4 * index, pte::entry(page, pte::V));
        }
        page
    }

    /// Notices a store of the guest to guest-physical `address`; true if entries had been made from it.
    pub fn stored(&mut self, board: &mut Board, address: u32) -> bool {
        let frame = address / PAGE;
        if !self.traces(frame) {
            return false;
        }
        if self.holds_code(frame) {
            self.news.code.push(frame);
            if self.traced.get(&frame) == Some(&1) {
                return false;
            }
        }
        let index = address % PAGE / 4;
        let keys: Vec<RootKey> = self.roots.keys().copied().collect();
        for key in keys {
            if key.frame() == Some(frame) {
                // An address space that is changed while it is not in use is being built or taken down.
                match self.current.is_some_and(|current| current.ptbr == key.ptbr) {
                    true => {
                        self.news.mappings.push((index << 22, index << 22 | 0x3f_ffff));
                        self.drop_table(board, key, index);
                    }
                    false => self.drop_root(board, key),
                }
            }
            let Some(root) = self.roots.get(&key) else {
                continue;
            };
            for (directory, (page, made_from)) in &root.tables {
                if *made_from == Some(frame) {
                    put(board, page + 4 * index, 0);
                    let linear = directory << 22 | index << 12;
                    if self.current.is_some_and(|current| current.ptbr == key.ptbr) {
                        self.news.mappings.push((linear, linear | (PAGE - 1)));
                    }
                }
            }
        }
        // What was taken away must not live on in the real processor's TLB.
        board.tlb.fence(None);
        true
    }

    /// From now on, stores to this guest frame are noticed: entries that allow them become read-only.
    fn trace(&mut self, board: &mut Board, frames: &Frames, guest_frame: u32) {
        let users = self.traced.entry(guest_frame).or_default();
        *users += 1;
        let Some(host_frame) = frames.host(guest_frame).filter(|_| *users == 1) else {
            return;
        };
        for (page, _) in self.roots.values().flat_map(|root| root.tables.values()) {
            for at in (*page..page + PAGE).step_by(4) {
                let entry = board.ram.read(at, Width::Word).unwrap_or_default();
                if entry & pte::W != 0 && entry >> 10 == host_frame {
                    put(board, at, entry & !(pte::W | pte::D));
                    board.tlb.fence(None);
                }
            }
        }
    }

    fn untrace(&mut self, guest_frame: u32) {
        if let Some(users) = self.traced.get_mut(&guest_frame) {
            *users -= 1;
            if *users == 0 {
                self.traced.remove(&guest_frame);
            }
        }
    }

    fn drop_table(&mut self, board: &mut Board, key: RootKey, index: u32) {
        let Some(root) = self.roots.get_mut(&key) else {
            return;
        };
        let Some((page, made_from)) = root.tables.remove(&index) else {
            return;
        };
        put(board, root.page + 4 * index, 0);
        self.free.push(page);
        made_from.into_iter().for_each(|frame| self.untrace(frame));
    }

    fn drop_root(&mut self, board: &mut Board, key: RootKey) {
        let indices: Vec<u32> = self
            .roots
            .get(&key)
            .map(|root| root.tables.keys().copied().collect())
            .unwrap_or_default();
        for index in indices {
            self.drop_table(board, key, index);
        }
        if let Some(root) = self.roots.remove(&key) {
            self.free.push(root.page);
            key.frame().into_iter().for_each(|frame| self.untrace(frame));
        }
    }

    /// A page of zeros for a table of `key`. Where none is left, everything else is forgotten.
    fn take_page(&mut self, board: &mut Board, key: RootKey) -> u32 {
        if self.free.is_empty() {
            let others: Vec<RootKey> = self.roots.keys().copied().filter(|other| *other != key).collect();
            for other in others {
                self.drop_root(board, other);
            }
        }
        // One address space needs at most 1 + 1023 tables and the monitor has 1022 pages: where even that is not
        // enough, its own tables are made anew as they are used.
        if self.free.is_empty() {
            let indices: Vec<u32> = self
                .roots
                .get(&key)
                .map(|root| root.tables.keys().copied().collect())
                .unwrap_or_default();
            for index in indices {
                self.drop_table(board, key, index);
            }
        }
        let page = self.free.pop().unwrap_or_default();
        for at in (page..page + PAGE).step_by(4) {
            put(board, at, 0);
        }
        page
    }
}

/// Writes an entry of a shadow table; the processor's translations are coherent, so nothing more is to do.
fn put(board: &mut Board, address: u32, entry: u32) {
    let written = board.write(address, Width::Word, entry);
    debug_assert!(written.is_some(), "shadow tables are in memory");
}
