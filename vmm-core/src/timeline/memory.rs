//! What a memory held at each snapshot: its pages, each by the snapshots before which it had changed.

use std::collections::BTreeSet;
use std::sync::Arc;

use toy_isa::machine::Board;
use toy_isa::mmu::PAGE;
use toy_isa::ram::flag;

type Page = [u8; PAGE as usize];

/// All versions of a memory. What snapshots are called by, they are ordered by.
///
/// Nobody compares pages to find those that have changed: a page without the flag "clean" has, and the board notes the
/// first store to each that has it.
pub(crate) struct Versions<At> {
    /// For each page, what it holds from which snapshot on. The first snapshot has all pages.
    pages: Vec<Vec<(At, Arc<Page>)>>,
    /// The snapshot that the board's memory is at, but for the pages that have changed since.
    at: At,
    changed: BTreeSet<u32>,
    /// Pages of zeros are all this one.
    zeros: Arc<Page>,
    /// Pages that are kept, without those of zeros.
    kept: usize,
}

impl<At: Copy + Ord> Versions<At> {
    /// The first snapshot of a memory.
    pub(crate) fn new(board: &mut Board, at: At) -> Versions<At> {
        let mut versions = Versions {
            pages: vec![Vec::new(); board.ram.pages() as usize],
            at,
            changed: (0..board.ram.pages()).collect(),
            zeros: Arc::new([0; PAGE as usize]),
            kept: 0,
        };
        versions.take(board, at);
        versions
    }

    /// Takes in which pages have been stored to since it was last asked. Whether one of these is among them.
    pub(crate) fn notice(&mut self, board: &mut Board, watched: &[u32]) -> bool {
        let dirty = std::mem::take(&mut board.observer.dirty);
        let seen = dirty.iter().any(|page| watched.contains(page));
        self.changed.extend(dirty);
        seen
    }

    /// Has the next store to this page noticed, whatever was noticed before.
    pub(crate) fn watch(&mut self, board: &mut Board, page: u32) {
        board.ram.set(page * PAGE, flag::CLEAN);
    }

    /// Takes a snapshot.
    pub(crate) fn take(&mut self, board: &mut Board, at: At) {
        self.notice(board, &[]);
        for number in std::mem::take(&mut self.changed) {
            board.ram.set(number * PAGE, flag::CLEAN);
            let Some(Ok(page)) = board.ram.page(number).map(<&Page>::try_from) else {
                continue;
            };
            let page = match *page == *self.zeros {
                true => Arc::clone(&self.zeros),
                false => {
                    self.kept += 1;
                    Arc::new(*page)
                }
            };
            let versions = &mut self.pages[number as usize];
            let place = versions.partition_point(|(from, _)| *from <= at);
            versions.insert(place, (at, page));
        }
        self.at = at;
    }

    /// Puts a board's memory, and the flags of its pages, back to what they were at a snapshot.
    pub(crate) fn put_back(&mut self, board: &mut Board, to: At, flags: &[u8]) {
        self.notice(board, &[]);
        for (number, flags) in (0..).zip(flags) {
            let versions = &self.pages[number as usize];
            let Some(then) = version(versions, to) else {
                continue;
            };
            let now = version(versions, self.at).filter(|_| !self.changed.contains(&number));
            let same = now.is_some_and(|now| Arc::ptr_eq(now, then));
            // No engine holds code of a machine that was put back.
            let flags = flags & !flag::CODE | flag::CLEAN;
            board.ram.put_back(number, (!same).then_some(&**then), flags);
        }
        self.changed.clear();
        self.at = to;
    }

    /// Gives a snapshot up that is not the first, nor the one that the board is at. `next` is the one after it.
    pub(crate) fn forget(&mut self, at: At, next: Option<At>) {
        for versions in &mut self.pages {
            let Ok(place) = versions.binary_search_by_key(&at, |(from, _)| *from) else {
                continue;
            };
            let followed = versions.get(place + 1).map(|(from, _)| *from);
            match next {
                Some(next) if followed != Some(next) => versions[place].0 = next,
                _ => {
                    let (_, page) = versions.remove(place);
                    self.kept -= usize::from(!Arc::ptr_eq(&page, &self.zeros));
                }
            }
        }
    }

    /// The snapshot that the board's memory is at, but for what has changed since.
    pub(crate) fn at(&self) -> At {
        self.at
    }

    /// What is kept, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.kept * PAGE as usize
    }
}

/// What a page held at a snapshot.
fn version<At: Copy + Ord>(versions: &[(At, Arc<Page>)], at: At) -> Option<&Arc<Page>> {
    let place = versions.partition_point(|(from, _)| *from <= at);
    Some(&versions.get(place.checked_sub(1)?)?.1)
}
