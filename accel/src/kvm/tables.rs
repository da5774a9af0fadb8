//! The page tables of the virtual machine (Intel's manual, volume 3, 5.5), one tree for each regime of the guest.
//!
//! What is here is only what they are to become. Some KVMs keep shadows of them and notice a change only when the guest
//! itself makes it, so the list of changes is given to a stub in ring 0 of the guest, and nobody else writes to a table
//! that the machine has seen.

use std::collections::HashMap;

use super::place::{CODE, CONTEXT, OWN, RAM, SHARED, TABLES, WINDOW};

/// Bits of an entry. A and D are set beforehand, so that nobody has to set them.
const PRESENT: u64 = 1 | 1 << 5 | 1 << 6;
const WRITE: u64 = 1 << 1;
const USER: u64 = 1 << 2;
const LARGE: u64 = 1 << 7;
const NO_EXECUTE: u64 = 1 << 63;
/// An entry that leads to another table forbids nothing.
const LINK: u64 = PRESENT | WRITE | USER;

const PAGE: u64 = 4096;
const LARGE_PAGE: u64 = 2 << 20;

/// How many trees there are.
pub(crate) const TREES: usize = 16;
/// Tables that each has from the beginning: its root, the next level, and four that cover the window.
const FIXED: u64 = 6;
/// Pages of the window that one table of the last level covers.
const COVERED: u32 = 512;

/// A change of a table: the address of an entry, its value, and an address in the page that it maps.
pub(crate) type Change = [u64; 3];

/// The trees.
pub(crate) struct Tables {
    trees: Vec<Tree>,
    /// Tables that are not in any tree, and hold nothing.
    free: Vec<u64>,
    /// From here on, tables have never been used.
    fresh: u64,
    /// What has not been done yet.
    changes: Vec<Change>,
}

#[derive(Default)]
struct Tree {
    /// Tables of the last level, by their place in the window, with the number of pages they map.
    leaves: HashMap<u32, (u64, u32)>,
    /// What is mapped, by page.
    entries: HashMap<u32, u64>,
}

impl Tables {
    pub(crate) fn new() -> Tables {
        Tables {
            trees: (0..TREES).map(|_| Tree::default()).collect(),
            free: Vec::new(),
            fresh: TABLES + TREES as u64 * FIXED * PAGE,
            changes: Vec::new(),
        }
    }

    /// The address of a tree's root.
    pub(crate) fn root(tree: usize) -> u64 {
        TABLES + tree as u64 * FIXED * PAGE
    }

    /// The entry that leads to the table of the last level for this page.
    fn link(tree: usize, page: u32) -> u64 {
        let quarter = u64::from(page >> 18);
        Tables::root(tree) + (2 + quarter) * PAGE + 8 * u64::from(page / COVERED % 512)
    }

    /// What stands in the tables before the machine runs, as addresses and values: everything that never changes.
    pub(crate) fn beginning() -> Vec<(u64, u64)> {
        let [upper, low, small, code] = [0, 1, 2, 3].map(|table| SHARED + table * PAGE);
        let mut entries = vec![
            (upper, low | LINK),
            (upper + 8 * (CODE >> 30), code | LINK),
            (low, small | LINK),
        ];
        for page in 1..LARGE_PAGE / PAGE {
            let at = page * PAGE;
            let kind = match at {
                CONTEXT..SHARED => WRITE | USER | NO_EXECUTE,
                SHARED.. => NO_EXECUTE,
                _ => WRITE,
            };
            entries.push((small + 8 * page, at | PRESENT | kind));
        }
        for large in 1..OWN / LARGE_PAGE {
            let at = large * LARGE_PAGE;
            entries.push((low + 8 * large, at | PRESENT | WRITE | LARGE | NO_EXECUTE));
        }
        for large in 0..16 {
            let at = CODE + large * LARGE_PAGE;
            entries.push((code + 8 * large, at | PRESENT | USER | LARGE));
        }
        for tree in 0..TREES {
            let root = Tables::root(tree);
            let second = root + PAGE;
            entries.push((root, upper | LINK));
            entries.push((root + 8 * (WINDOW >> 39), second | LINK));
            for quarter in 0..4 {
                let at = second + 8 * ((WINDOW >> 30 & 511) + quarter);
                entries.push((at, (root + (2 + quarter) * PAGE) | LINK));
            }
        }
        entries
    }

    /// The changes that have to be made before the guest goes on, in this order; at most so many of them.
    pub(crate) fn take(&mut self, most: usize) -> Vec<Change> {
        let most = most.min(self.changes.len());
        self.changes.drain(..most).collect()
    }

    /// Whether there are any.
    pub(crate) fn are_due(&self) -> bool {
        !self.changes.is_empty()
    }

    /// Lets a page of the window lead to this physical page of Ring32's machine; who may store there may go on. Nothing
    /// happens if there is no table
    /// left for it: the guest will ask again, and be served without.
    pub(crate) fn map(&mut self, tree: usize, page: u32, physical: u32, write: bool) {
        let place = page / COVERED;
        if !self.trees[tree].leaves.contains_key(&place) {
            let Some(table) = self.table() else {
                return;
            };
            self.trees[tree].leaves.insert(place, (table, 0));
            self.change(Tables::link(tree, page), table | LINK, page);
        }
        let entry = (RAM + u64::from(physical)) | PRESENT | USER | NO_EXECUTE;
        let known = self.trees[tree].entries.get(&page).copied();
        let write = write || known == Some(entry | WRITE);
        let entry = if write { entry | WRITE } else { entry };
        self.trees[tree].entries.insert(page, entry);
        if known.is_none()
            && let Some((_, mapped)) = self.trees[tree].leaves.get_mut(&place)
        {
            *mapped += 1;
        }
        if known != Some(entry) {
            self.put(tree, page, entry);
        }
    }

    /// Lets nobody store to a page.
    pub(crate) fn protect(&mut self, tree: usize, page: u32) {
        if let Some(entry) = self.trees[tree].entries.get_mut(&page)
            && *entry & WRITE != 0
        {
            *entry &= !WRITE;
            let entry = *entry;
            self.put(tree, page, entry);
        }
    }

    /// Lets a page lead nowhere.
    pub(crate) fn unmap(&mut self, tree: usize, page: u32) {
        if self.trees[tree].entries.remove(&page).is_none() {
            return;
        }
        self.put(tree, page, 0);
        let place = page / COVERED;
        if let Some((table, mapped)) = self.trees[tree].leaves.get_mut(&place) {
            *mapped -= 1;
            if *mapped == 0 {
                self.free.push(*table);
                self.trees[tree].leaves.remove(&place);
                self.change(Tables::link(tree, page), 0, page);
            }
        }
    }

    fn table(&mut self) -> Option<u64> {
        if let Some(table) = self.free.pop() {
            return Some(table);
        }
        let table = self.fresh;
        (table + PAGE <= OWN).then(|| self.fresh += PAGE)?;
        Some(table)
    }

    fn put(&mut self, tree: usize, page: u32, entry: u64) {
        let table = self.trees[tree].leaves.get(&(page / COVERED));
        if let Some((table, _)) = table {
            let at = table + 8 * u64::from(page % COVERED);
            self.change(at, entry, page);
        }
    }

    fn change(&mut self, at: u64, entry: u64, page: u32) {
        self.changes.push([at, entry, WINDOW + u64::from(page) * PAGE]);
    }
}
