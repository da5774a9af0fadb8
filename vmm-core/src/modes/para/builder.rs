//! How a guest begins: what Xen's domain builder does (section 3.3.4).
//!
//! A ported kernel never runs without paging. It starts on page tables that the builder has made in the guest's own
//! memory, in the frames after its image: they map every frame at its own number, and themselves read-only. The
//! shared page takes the place of frame 0. In the window at [`INFO`] the guest finds which machine frames are its own.

use std::sync::Arc;

use toy_isa::bus::{Bus, Width};
use toy_isa::devices::line;
use toy_isa::hart::{Hart, Status};
use toy_isa::machine::{Board, LoadError, Machine};
use toy_isa::mmu::{PAGE, pte};
use toy_isa::profile::Profile;

use super::events::Shared;
use super::interface::{INFO, M2P, NO_FRAME, P2M, start};
use super::pages::{Kind, Pages, Work};
use super::rings::Rings;
use super::{HANDLERS, KERNEL, Para};
use crate::guest::{Frames, Guest};
use crate::modes::estate::Estate;
use crate::modes::load_scattered;
use crate::modes::trap::allocator::{Allocator, MONITOR};
use crate::setup::{Port, Setup};

/// Pages that one table of the second level maps.
const TABLE_REACH: u32 = PAGE / 4;

impl Para {
    /// A machine of this hardware profile with room for guest and monitor, and the port of the guest on it, at its
    /// start.
    ///
    /// # Errors
    /// If the image and the tables that it starts on do not fit the guest's memory.
    pub fn build(setup: &Setup, port: &Port, hardware: Arc<Profile>) -> Result<(Machine, Para), LoadError> {
        let (mut machine, estate) = Estate::alone(setup, hardware);
        let monitor = Self::settle_on(setup, port, &mut machine, estate)?;
        Ok((machine, monitor))
    }

    /// A monitor and the port of its guest at its start, on their own part of a machine.
    ///
    /// # Errors
    /// If the image and the tables that it starts on do not fit the guest's memory.
    pub fn settle_on(
        setup: &Setup,
        port: &Port,
        machine: &mut Machine,
        estate: Estate,
    ) -> Result<Para, LoadError> {
        const { assert!(MONITOR - INFO == TABLE_REACH * PAGE, "two slots are reserved") };
        let ported = Setup {
            image: Arc::clone(&port.image),
            ..setup.clone()
        };
        let (frames, allocator) = (estate.frames, Allocator::on(machine, estate.monitor, 0));
        load_scattered(machine, &frames, &ported)?;
        let board = &mut machine.board;
        let mut free = allocator.table_pages();
        let shared = Shared::new(board, take(&mut free) / PAGE);
        let boot = BootTables::build(board, &frames, &ported, shared)?;

        let mut window = Window::new(&mut free);
        let facts = [
            (start::FRAMES, frames.len()),
            (start::SHARED, shared.frame()),
            (start::BOOT_TABLE, boot.first),
            (start::BOOT_TABLES, boot.count),
            (start::BATCH, port.batch),
        ];
        for (offset, value) in facts {
            window.put(board, &mut free, INFO + offset, value);
        }
        for (guest, machine) in frames.pairs() {
            window.put(board, &mut free, P2M + 4 * guest, machine);
        }
        for machine in 0..board.ram.pages() {
            let guest = frames.guest(machine).unwrap_or(NO_FRAME);
            window.put(board, &mut free, M2P + 4 * machine, guest);
        }

        let everything = pte::V | pte::R | pte::W | pte::X | pte::A | pte::D;
        let reserved = [
            pte::entry(window.table, pte::V),
            pte::entry(allocator.monitor(), everything),
        ];
        let mut pages = Pages::new(&frames, shared.frame(), reserved);
        let root = frames.host(boot.first).unwrap_or_default();
        let valid = pages.get(board, root, Kind::Root);
        debug_assert_eq!(valid, Ok(()), "the builder's own tables are valid");
        pages.work = Work::default();

        let mut hart = Hart::new(port.image.entry);
        hart.csr.status = Status(KERNEL);
        hart.csr.ptbr = root * PAGE;
        allocator.store(board, &hart);
        let mut guest = Guest::new(&ported, frames);
        guest.devices.enabled = line::TIMER | line::DISK;
        Ok(Para {
            allocator,
            guest,
            pages,
            shared,
            lent: [vec![shared.frame()], window.frames].concat(),
            handlers: [0; HANDLERS as usize],
            callback: 0,
            blocked: false,
            rings: Rings::default(),
            resumed: None,
        })
    }
}

/// The page tables that the guest starts on: a root, and tables of the second level in the frames after it.
struct BootTables {
    /// The guest frame of the root.
    first: u32,
    /// Frames in all.
    count: u32,
}

impl BootTables {
    fn build(
        board: &mut Board,
        frames: &Frames,
        setup: &Setup,
        shared: Shared,
    ) -> Result<BootTables, LoadError> {
        let ends = setup.image.segments.iter();
        let end = ends
            .map(|segment| u64::from(segment.address) + u64::from(segment.size))
            .max();
        // The image fits the memory, so its end fits a word.
        let first = end.unwrap_or_default().div_ceil(u64::from(PAGE)) as u32;
        let count = 1 + frames.len().div_ceil(TABLE_REACH);
        let end = u64::from(first + count) * u64::from(PAGE);
        let memory = frames.len() * PAGE;
        if end > u64::from(memory) {
            return Err(LoadError::TooLarge { end, memory });
        }
        let tables = first..first + count;
        let mut entry = |table: u32, index: u32, entry: u32| {
            let at = frames.address(table * PAGE + 4 * index);
            let written = at.and_then(|at| board.write(at, Width::Word, entry));
            debug_assert!(written.is_some(), "the tables are in the guest's memory");
        };
        for (page, machine) in frames.pairs() {
            let (machine, rights) = match page {
                0 => (shared.frame(), pte::R | pte::W),
                _ if tables.contains(&page) => (machine, pte::R),
                _ => (machine, pte::R | pte::W | pte::X),
            };
            let table = first + 1 + page / TABLE_REACH;
            entry(
                table,
                page % TABLE_REACH,
                pte::entry(machine * PAGE, rights | pte::V),
            );
        }
        for (index, table) in (0..).zip(first + 1..tables.end) {
            let machine = frames.host(table).unwrap_or_default();
            entry(first, index, pte::entry(machine * PAGE, pte::V));
        }
        Ok(BootTables { first, count })
    }
}

/// What a guest may read of the monitor: the pages of the superpage at [`INFO`] and the table that maps them.
struct Window {
    /// The machine address of the table.
    table: u32,
    /// The machine frames of the pages.
    frames: Vec<u32>,
}

impl Window {
    fn new(free: &mut Vec<u32>) -> Window {
        Window {
            table: take(free),
            frames: Vec::new(),
        }
    }

    /// Lets the guest read this word at this address.
    fn put(&mut self, board: &mut Board, free: &mut Vec<u32>, address: u32, value: u32) {
        let slot = self.table + 4 * (address / PAGE % TABLE_REACH);
        let known = board.ram.read(slot, Width::Word).filter(|entry| *entry != 0);
        let entry = known.unwrap_or_else(|| {
            let page = take(free);
            self.frames.push(page / PAGE);
            pte::entry(page, pte::V | pte::R | pte::A)
        });
        let page = pte::frame(entry).unwrap_or_default();
        let written =
            board
                .write(slot, Width::Word, entry)
                .and(board.write(page + address % PAGE, Width::Word, value));
        debug_assert!(written.is_some(), "the monitor's pages are in memory");
    }
}

/// A page of the monitor's, by its machine address.
fn take(free: &mut Vec<u32>) -> u32 {
    // One superpage has room for the largest guest: 64 pages of P2M, 66 of M2P, and four more.
    debug_assert!(!free.is_empty(), "the monitor has pages enough");
    free.pop().unwrap_or_default()
}
