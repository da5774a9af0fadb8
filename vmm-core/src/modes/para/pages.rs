//! Page types: what a guest may do with a frame, and the validation of its page tables (section 3.3.3).
//!
//! The hardware walks the guest's own tables, so an entry in them is as good as a key. A frame of the guest is a root
//! table, a table of the second level, or writable, and never two of these at once; a count says how often it is
//! used as what it is, and only at 0 may it become something else. So the guest never holds a writable mapping
//! of a page table, every change goes through [`Pages::update`], and what is validated stays valid.
//!
//! Reading is no use: a guest may always map its own frames read-only. Xen has a second count, which tells when a frame
//! can be given to another guest; here a guest keeps its frames for life.

use toy_isa::bus::{Bus, Width};
use toy_isa::machine::Board;
use toy_isa::mmu::{PAGE, pte};

use super::interface::{Errno, RESERVED_SLOT};
use super::rings::Buffers;
use crate::guest::{Frames, VirtualBoard};

/// Entries in a page table.
const ENTRIES: u32 = PAGE / 4;

/// Entries of a root table that are the monitor's.
const RESERVED: usize = (ENTRIES - RESERVED_SLOT) as usize;

/// What a frame can be used as, beside being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A page table of the first level (Xen: PD).
    Root,
    /// A page table of the second level (Xen: PT).
    Table,
    /// Something that is stored to, by the guest or by a device (Xen: RW).
    Writable,
}

/// Whose a frame of real memory is: the monitor's ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    /// The monitor's, or there is no such frame.
    Monitor,
    /// The guest's.
    Guest,
    /// The monitor's, but the guest may read and write it: the shared page.
    Shared,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Page {
    /// Means nothing while `uses` is 0.
    kind: Kind,
    uses: u32,
    pinned: bool,
}

/// A mistake in the validator, planted so that a test can see the resource check catch it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// A leaf may map any frame.
    OwnerUnchecked,
    /// A frame may be a page table and writable at once.
    KindUnchecked,
}

/// What the validator did, for whoever counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Entries read.
    pub read: u64,
    /// Of these, valid ones that were checked.
    pub validated: u64,
}

/// The ledger: the guest's frames and their use. All others are the monitor's, but for the shared page.
#[derive(Clone)]
pub struct Pages {
    /// By the guest's numbers of them.
    pages: Vec<Page>,
    /// Whose the frames of the machine are.
    frames: Frames,
    shared_frame: u32,
    /// The monitor's own entries, which it puts into every root table.
    reserved: [u32; RESERVED],
    /// Since it was last taken.
    pub work: Work,
    bug: Option<Bug>,
}

impl Pages {
    /// All of the guest's frames unused. `reserved` are the last entries of every root table.
    pub fn new(frames: &Frames, shared_frame: u32, reserved: [u32; RESERVED]) -> Pages {
        let unused = Page {
            kind: Kind::Writable,
            uses: 0,
            pinned: false,
        };
        Pages {
            pages: vec![unused; frames.len() as usize],
            frames: frames.clone(),
            shared_frame,
            reserved,
            work: Work::default(),
            bug: None,
        }
    }

    /// Plants a bug.
    pub fn plant(&mut self, bug: Bug) {
        self.bug = Some(bug);
    }

    fn owner(&self, frame: u32) -> Owner {
        match self.frames.guest(frame) {
            Some(_) => Owner::Guest,
            None if frame == self.shared_frame => Owner::Shared,
            None => Owner::Monitor,
        }
    }

    /// The record of a frame of the guest.
    fn own(&mut self, frame: u32) -> Result<&mut Page, Errno> {
        let page = self.frames.guest(frame);
        let page = page.and_then(|number| self.pages.get_mut(number as usize));
        page.ok_or(Errno::Permission)
    }

    /// What a frame is in use as; `None` if it is nothing in particular.
    pub fn kind(&self, frame: u32) -> Option<Kind> {
        let page = self.pages.get(self.frames.guest(frame)? as usize)?;
        (page.uses > 0).then_some(page.kind)
    }

    /// What a copy of it takes, in bytes.
    pub fn held(&self) -> usize {
        size_of_val(&*self.pages)
    }

    /// Begins to use a frame as this. A table is validated when its use begins.
    ///
    /// # Errors
    /// If it is not the guest's, is in use as something else, or is a table with an entry that must not be.
    pub fn get(&mut self, board: &mut Board, frame: u32, kind: Kind) -> Result<(), Errno> {
        let unchecked = self.bug == Some(Bug::KindUnchecked);
        let page = self.own(frame)?;
        if page.uses > 0 && page.kind != kind && !unchecked {
            return Err(Errno::Busy);
        }
        page.uses += 1;
        if page.uses > 1 {
            return Ok(());
        }
        // From here on it is what it will be: a table that points to itself meets this, and is refused.
        page.kind = kind;
        let taken = match kind {
            Kind::Writable => Ok(()),
            Kind::Root | Kind::Table => self.take_all(board, frame, kind),
        };
        if taken.is_err() {
            self.own(frame)?.uses = 0;
        }
        taken
    }

    /// Ends a use that [`Pages::get`] began.
    pub fn put(&mut self, board: &Board, frame: u32) {
        // Nothing to end only where a planted bug has confused the books.
        let Some(page) = self.own(frame).ok().filter(|page| page.uses > 0) else {
            return;
        };
        page.uses -= 1;
        let (over, kind) = (page.uses == 0, page.kind);
        if over && kind != Kind::Writable {
            for index in 0..guest_entries(kind) {
                let entry = self.read(board, frame, index);
                self.give(board, kind, entry);
            }
        }
    }

    /// Validates a frame as a root table and keeps it so. Nothing changes if it is pinned already.
    ///
    /// # Errors
    /// As [`Pages::get`].
    pub fn pin(&mut self, board: &mut Board, frame: u32) -> Result<(), Errno> {
        if self.own(frame)?.pinned {
            return Ok(());
        }
        self.get(board, frame, Kind::Root)?;
        self.own(frame)?.pinned = true;
        Ok(())
    }

    /// Takes a pin back.
    ///
    /// # Errors
    /// If the frame is not pinned.
    pub fn unpin(&mut self, board: &Board, frame: u32) -> Result<(), Errno> {
        let page = self.own(frame)?;
        if !std::mem::take(&mut page.pinned) {
            return Err(Errno::Invalid);
        }
        self.put(board, frame);
        Ok(())
    }

    /// Writes a word of a frame of the guest: an entry, if the frame is a table, which is then checked; else what a
    /// store of the guest's could write as well. True if a translation that was there before may have changed.
    ///
    /// # Errors
    /// If the frame is not the guest's, the place is the monitor's, or the new entry must not be.
    pub fn update(&mut self, board: &mut Board, address: u32, value: u32) -> Result<bool, Errno> {
        let (frame, index) = (address / PAGE, address % PAGE / 4);
        self.own(frame)?;
        let mut changed = false;
        if let Some(kind @ (Kind::Root | Kind::Table)) = self.kind(frame) {
            if index >= guest_entries(kind) {
                return Err(Errno::Permission);
            }
            let old = self.read(board, frame, index);
            self.take(board, kind, value)?;
            self.give(board, kind, old);
            changed = old & pte::V != 0;
        }
        write(board, frame, index, value);
        Ok(changed)
    }

    /// Takes all entries of a table, or none.
    fn take_all(&mut self, board: &mut Board, frame: u32, kind: Kind) -> Result<(), Errno> {
        for index in 0..guest_entries(kind) {
            let entry = self.read(board, frame, index);
            if let Err(error) = self.take(board, kind, entry) {
                for taken in 0..index {
                    let entry = self.read(board, frame, taken);
                    self.give(board, kind, entry);
                }
                return Err(error);
            }
        }
        if kind == Kind::Root {
            for (index, entry) in (RESERVED_SLOT..).zip(self.reserved) {
                write(board, frame, index, entry);
            }
        }
        Ok(())
    }

    /// Checks an entry of a table of this kind, and begins the use that it makes of a frame.
    fn take(&mut self, board: &mut Board, kind: Kind, entry: u32) -> Result<(), Errno> {
        if entry & pte::V == 0 {
            return Ok(());
        }
        self.work.validated += 1;
        let frame = pte::frame(entry).ok_or(Errno::Permission)? / PAGE;
        let pointer = entry & (pte::R | pte::W | pte::X) == 0;
        // No superpages: of 4 MiB of machine memory in a row, not all is the guest's.
        if pointer != (kind == Kind::Root) || entry & (pte::R | pte::W) == pte::W {
            return Err(Errno::Invalid);
        }
        match self.owner(frame) {
            _ if pointer => self.get(board, frame, Kind::Table),
            Owner::Guest if entry & pte::W != 0 => self.get(board, frame, Kind::Writable),
            Owner::Guest | Owner::Shared => Ok(()),
            Owner::Monitor if self.bug == Some(Bug::OwnerUnchecked) => Ok(()),
            Owner::Monitor => Err(Errno::Permission),
        }
    }

    /// Ends the use that a taken entry made of a frame.
    fn give(&mut self, board: &Board, kind: Kind, entry: u32) {
        let uses = entry & pte::V != 0 && (kind == Kind::Root || entry & pte::W != 0);
        if let Some(address) = pte::frame(entry).filter(|_| uses) {
            self.put(board, address / PAGE);
        }
    }

    fn read(&mut self, board: &Board, frame: u32, index: u32) -> u32 {
        self.work.read += 1;
        let entry = board.ram.read(frame * PAGE + 4 * index, Width::Word);
        debug_assert!(entry.is_some(), "frames of the guest are in memory");
        entry.unwrap_or_default()
    }
}

/// How many entries of a table, from the first on, are the guest's.
fn guest_entries(kind: Kind) -> u32 {
    if kind == Kind::Root {
        RESERVED_SLOT
    } else {
        ENTRIES
    }
}

fn write(board: &mut Board, frame: u32, index: u32, value: u32) {
    let written = board.write(frame * PAGE + 4 * index, Width::Word, value);
    debug_assert!(written.is_some(), "frames of the guest are in memory");
}

/// A ported kernel calls its frames by their machine addresses.
impl Buffers for Pages {
    fn hold(&mut self, board: &mut VirtualBoard, address: u32, written: bool) -> Result<u32, Errno> {
        let frame = address / PAGE;
        let own = board.guest.frames.guest(frame).ok_or(Errno::Permission)?;
        if written {
            self.get(board.host, frame, Kind::Writable)?;
        }
        Ok(own * PAGE + address % PAGE)
    }

    fn release(&mut self, board: &mut VirtualBoard, address: u32) {
        self.put(board.host, address / PAGE);
    }
}

#[cfg(test)]
mod tests;
