//! Rings in place of devices (section 3.4, figure 2): a page of the guest's, in which requests and responses, or bytes,
//! pass from one side to the other, and which both read and write while neither waits.
//!
//! The monitor keeps its own indices to itself and reads the guest's anew each time: a guest that writes nonsense into
//! its ring loses its own requests, and nothing else.

use toy_isa::bus::{Bus, Width};
use toy_isa::devices::{Register, SECTOR};
use toy_isa::machine::{Board, Machine};
use toy_isa::mmu::PAGE;

use super::Para;
use super::events::disk_register;
use super::interface::{Errno, channel, console, disk};
use super::pages::Kind;
use crate::event::Event;
use crate::mode::Notes;

const CONSOLE_DATA: Register = Register { device: 0, index: 0 };
const DISK_SECTOR: Register = disk_register(0);
const DISK_ADDRESS: Register = disk_register(1);
const DISK_COUNT: Register = disk_register(2);
const DISK_COMMAND: Register = disk_register(3);
pub(super) const DISK_STATUS: Register = disk_register(4);

/// In the disk's status: it could not do it.
const FAILED: u32 = 4;

/// A page of the guest's that is a ring.
#[derive(Clone, Copy, Debug)]
struct Page(u32);

impl Page {
    fn word(self, board: &Board, offset: u32) -> u32 {
        self.get(board, offset, Width::Word)
    }

    fn byte(self, board: &Board, offset: u32) -> u32 {
        self.get(board, offset, Width::Byte)
    }

    fn get(self, board: &Board, offset: u32, width: Width) -> u32 {
        let value = board.ram.read(self.0 + offset, width);
        debug_assert!(value.is_some(), "a ring is in a frame of the guest's");
        value.unwrap_or_default()
    }

    fn put(self, board: &mut Board, offset: u32, width: Width, value: u32) {
        let written = board.write(self.0 + offset, width, value);
        debug_assert!(written.is_some(), "a ring is in a frame of the guest's");
    }

    fn put_word(self, board: &mut Board, offset: u32, value: u32) {
        self.put(board, offset, Width::Word, value);
    }
}

/// The console's ring, from the monitor's side.
#[derive(Clone, Copy, Debug)]
pub(super) struct ConsoleRing {
    page: Page,
    /// Bytes of output taken.
    consumed: u32,
    /// Bytes of input put in.
    produced: u32,
}

impl ConsoleRing {
    /// In this frame of the guest, empty.
    pub(super) fn new(board: &mut Board, frame: u32) -> ConsoleRing {
        let page = Page(frame * PAGE);
        page.put_word(board, console::OUT_CONSUMED, 0);
        page.put_word(board, console::IN_PRODUCED, 0);
        ConsoleRing {
            page,
            consumed: 0,
            produced: 0,
        }
    }
}

/// The disk's ring, from the monitor's side.
#[derive(Clone, Copy, Debug)]
pub(super) struct DiskRing {
    page: Page,
    /// Requests taken.
    consumed: u32,
    /// Responses written.
    produced: u32,
    /// The request that the disk is working on.
    running: Option<Running>,
}

#[derive(Clone, Copy, Debug)]
struct Running {
    /// The guest's word.
    id: u32,
    /// The frame that is held writable until the transfer is over.
    held: Option<u32>,
}

/// A request, read once.
#[derive(Clone, Copy, Debug)]
struct Request {
    id: u32,
    operation: u32,
    sector: u32,
    address: u32,
}

impl DiskRing {
    /// In this frame of the guest, empty.
    pub(super) fn new(board: &mut Board, frame: u32) -> DiskRing {
        let ring = DiskRing {
            page: Page(frame * PAGE),
            consumed: 0,
            produced: 0,
            running: None,
        };
        ring.page.put_word(board, disk::RESPONSES, 0);
        ring.page.put_word(board, disk::REQUEST_EVENT, 1);
        ring
    }

    fn entry(index: u32) -> u32 {
        disk::ENTRIES + index % disk::COUNT * disk::ENTRY
    }

    /// The next request, if there is one.
    ///
    /// # Errors
    /// If the guest says that there are more than fit.
    fn next(&mut self, board: &Board) -> Result<Option<Request>, Errno> {
        let waiting = self.page.word(board, disk::REQUESTS).wrapping_sub(self.consumed);
        // A place is free again when its response is there.
        let unanswered = self.consumed.wrapping_sub(self.produced);
        if waiting > disk::COUNT - unanswered {
            return Err(Errno::Invalid);
        }
        if waiting == 0 {
            return Ok(None);
        }
        let at = DiskRing::entry(self.consumed);
        self.consumed = self.consumed.wrapping_add(1);
        let word = |offset| self.page.word(board, at + offset);
        Ok(Some(Request {
            id: word(disk::ID),
            operation: word(disk::OPERATION),
            sector: word(disk::SECTOR),
            address: word(disk::ADDRESS),
        }))
    }

    /// Writes a response. True if the guest wants an event for it.
    fn respond(&mut self, board: &mut Board, id: u32, status: u32) -> bool {
        let at = DiskRing::entry(self.produced);
        self.page.put_word(board, at + disk::ID, id);
        self.page.put_word(board, at + disk::OPERATION, status);
        self.produced = self.produced.wrapping_add(1);
        self.page.put_word(board, disk::RESPONSES, self.produced);
        self.produced == self.page.word(board, disk::RESPONSE_EVENT)
    }
}

impl Para {
    /// The frames that are held writable for rings and transfers.
    #[cfg(test)]
    pub(super) fn writable_uses(&self) -> impl Iterator<Item = u32> {
        let pages = [
            self.console.map(|ring| ring.page.0),
            self.disk.map(|ring| ring.page.0),
        ];
        let held = self.disk.and_then(|ring| ring.running?.held);
        let pages = pages.into_iter().flatten().map(|page| page / PAGE);
        pages.chain(held)
    }

    /// Takes what the guest has written to the console, and gives it the input that fits.
    ///
    /// # Errors
    /// If there is no ring, or the guest's indices cannot be.
    pub(super) fn serve_console(&mut self, machine: &mut Machine, notes: &mut Notes) -> Result<(), Errno> {
        let mut ring = self.console.ok_or(Errno::Invalid)?;
        let (page, board) = (ring.page, &mut machine.board);
        let clock = self.guest.pace.clock;
        let written = page
            .word(board, console::OUT_PRODUCED)
            .wrapping_sub(ring.consumed);
        let taken = page.word(board, console::IN_CONSUMED);
        let unread = ring.produced.wrapping_sub(taken);
        if written > console::OUT_SIZE || unread > console::IN_SIZE {
            return Err(Errno::Invalid);
        }
        for _ in 0..written {
            let byte = page.byte(board, console::OUT + ring.consumed % console::OUT_SIZE);
            // The console takes every byte.
            let _ = self.guest.devices.write(CONSOLE_DATA, byte, clock);
            ring.consumed = ring.consumed.wrapping_add(1);
        }
        page.put_word(board, console::OUT_CONSUMED, ring.consumed);
        let mut room = console::IN_SIZE - unread;
        let before = ring.produced;
        while room > 0 && self.guest.devices.console.waiting() {
            let byte = self.guest.devices.read(CONSOLE_DATA, clock).unwrap_or_default();
            let at = console::IN + ring.produced % console::IN_SIZE;
            page.put(board, at, Width::Byte, byte);
            ring.produced = ring.produced.wrapping_add(1);
            room -= 1;
        }
        page.put_word(board, console::IN_PRODUCED, ring.produced);
        let given = ring.produced.wrapping_sub(before);
        self.console = Some(ring);
        self.served(machine, channel::CONSOLE, written, given, notes);
        notes.counts.ring_bytes += u64::from(written + given);
        if given > 0 {
            self.send(machine, channel::CONSOLE, notes);
        }
        Ok(())
    }

    /// Gives the disk the next request that it can work on. Those that it cannot have their answer at once.
    ///
    /// # Errors
    /// If there is no ring, or the guest's index cannot be.
    pub(super) fn serve_disk(&mut self, machine: &mut Machine, notes: &mut Notes) -> Result<(), Errno> {
        let mut ring = self.disk.ok_or(Errno::Invalid)?;
        let (mut requests, mut responses, mut wanted) = (0, 0, false);
        let mut result = Ok(());
        while ring.running.is_none() {
            let request = match ring.next(&machine.board) {
                Ok(Some(request)) => request,
                Ok(None) => break,
                Err(error) => {
                    result = Err(error);
                    break;
                }
            };
            requests += 1;
            match self.start(machine, request) {
                Ok(held) => ring.running = Some(Running { id: request.id, held }),
                Err(_) => {
                    wanted |= ring.respond(&mut machine.board, request.id, disk::ERROR);
                    responses += 1;
                }
            }
        }
        if ring.running.is_none() {
            // Idle: the very next request has to be told.
            let event = ring.consumed.wrapping_add(1);
            ring.page.put_word(&mut machine.board, disk::REQUEST_EVENT, event);
        }
        self.disk = Some(ring);
        self.served(machine, channel::DISK, requests, responses, notes);
        notes.counts.ring_requests += u64::from(requests);
        if wanted {
            self.send(machine, channel::DISK, notes);
        }
        result
    }

    /// The disk has finished: the guest gets its response, and the disk its next request.
    pub(super) fn disk_done(&mut self, machine: &mut Machine, status: u32, notes: &mut Notes) {
        let Some(mut ring) = self.disk else { return };
        let Some(running) = ring.running.take() else {
            return;
        };
        if let Some(frame) = running.held {
            self.pages.put(&machine.board, frame);
        }
        let status = if status & FAILED != 0 {
            disk::ERROR
        } else {
            disk::OKAY
        };
        let wanted = ring.respond(&mut machine.board, running.id, status);
        self.disk = Some(ring);
        self.served(machine, channel::DISK, 0, 1, notes);
        if wanted {
            self.send(machine, channel::DISK, notes);
        }
        // An index that cannot be is the guest's mistake, of which it hears when it notifies.
        let _ = self.serve_disk(machine, notes);
    }

    /// Starts a transfer of one sector, and returns the frame that it holds.
    ///
    /// # Errors
    /// If the buffer is not in one frame of the guest's, or not in one that may be written; or there is no such
    /// operation.
    fn start(&mut self, machine: &mut Machine, request: Request) -> Result<Option<u32>, Errno> {
        let (frame, offset) = (request.address / PAGE, request.address % PAGE);
        let guest_frame = self.guest.frames.guest(frame).ok_or(Errno::Permission)?;
        if offset + SECTOR > PAGE {
            return Err(Errno::Invalid);
        }
        let held = match request.operation {
            // The frame must not become a page table while the disk writes to it.
            1 => {
                self.pages.get(&mut machine.board, frame, Kind::Writable)?;
                Some(frame)
            }
            2 => None,
            _ => return Err(Errno::Invalid),
        };
        let clock = self.guest.pace.clock;
        // The devices of this guest know its memory by its own frame numbers.
        let address = guest_frame * PAGE + offset;
        for (register, value) in [
            (DISK_SECTOR, request.sector),
            (DISK_ADDRESS, address),
            (DISK_COUNT, 1),
            (DISK_COMMAND, request.operation),
        ] {
            // All four are there, and the disk is idle.
            let _ = self.guest.devices.write(register, value, clock);
        }
        Ok(held)
    }

    /// Writes down what passed through a ring, if anything did.
    fn served(&mut self, machine: &Machine, channel: u32, requests: u32, responses: u32, notes: &mut Notes) {
        if requests + responses > 0 {
            let hart = self.allocator.load(&machine.board);
            let event = Event::RingServed {
                channel,
                requests,
                responses,
            };
            notes.event(&self.guest, &hart, event);
        }
    }
}
