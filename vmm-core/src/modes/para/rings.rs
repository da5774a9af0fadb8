//! Rings in place of devices (section 3.4, figure 2): a page of the guest's, in which requests and responses, or bytes,
//! pass from one side to the other, and which both read and write while neither waits.
//!
//! The monitor keeps its own indices to itself and reads the guest's anew each time: a guest that writes nonsense into
//! its ring loses its own requests, and nothing else. It reaches the rings as the guest's devices reach memory, by
//! guest-physical addresses.

use toy_isa::bus::{Bus, Width};
use toy_isa::devices::{Register, SECTOR};
use toy_isa::mmu::PAGE;

use super::interface::{Errno, channel, console, disk};
use crate::counts::Counts;
use crate::event::Event;
use crate::guest::VirtualBoard;

const CONSOLE_DATA: Register = Register { device: 0, index: 0 };
const DISK_SECTOR: Register = disk_register(0);
const DISK_ADDRESS: Register = disk_register(1);
const DISK_COUNT: Register = disk_register(2);
const DISK_COMMAND: Register = disk_register(3);
const DISK_STATUS: Register = disk_register(4);
const DISK_CAPACITY: Register = disk_register(5);

const fn disk_register(index: u32) -> Register {
    Register { device: 2, index }
}

/// In the disk's status: it could not do it.
const FAILED: u32 = 4;

/// What a monitor has to say about the buffers of a guest's requests.
pub trait Buffers {
    /// The guest-physical address of a page or buffer that the guest calls by `address`; it is held, if it is going to
    /// be `written`, until it is released.
    ///
    /// # Errors
    /// If it is not the guest's, or must not be written.
    fn hold(&mut self, board: &mut VirtualBoard, address: u32, written: bool) -> Result<u32, Errno>;

    /// The buffer, held to be written, is the guest's alone again.
    fn release(&mut self, board: &mut VirtualBoard, address: u32);
}

/// What passed through a ring while it was served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Passed {
    /// Requests taken, or bytes of output.
    pub requests: u32,
    /// Responses written, or bytes of input.
    pub responses: u32,
    /// Whether the guest is to hear of it.
    pub event: bool,
}

impl Passed {
    /// Counts it as what passed through the ring of this channel. The event that tells of it, if anything passed.
    pub fn count(self, channel: u32, counts: &mut Counts) -> Option<Event> {
        let Passed {
            requests, responses, ..
        } = self;
        match channel {
            channel::CONSOLE => counts.ring_bytes += u64::from(requests + responses),
            _ => counts.ring_requests += u64::from(requests),
        }
        (requests + responses > 0).then_some(Event::RingServed {
            channel,
            requests,
            responses,
        })
    }
}

/// A page of the guest's that is a ring, by its guest-physical address.
#[derive(Clone, Copy, Debug)]
struct Page(u32);

impl Page {
    fn word(self, board: &mut VirtualBoard, offset: u32) -> u32 {
        self.get(board, offset, Width::Word)
    }

    fn byte(self, board: &mut VirtualBoard, offset: u32) -> u32 {
        self.get(board, offset, Width::Byte)
    }

    fn get(self, board: &mut VirtualBoard, offset: u32, width: Width) -> u32 {
        let value = board.read(self.0 + offset, width);
        debug_assert!(value.is_some(), "a ring is in a frame of the guest's");
        value.unwrap_or_default()
    }

    fn put(self, board: &mut VirtualBoard, offset: u32, width: Width, value: u32) {
        let written = board.write(self.0 + offset, width, value);
        debug_assert!(written.is_some(), "a ring is in a frame of the guest's");
    }

    fn put_word(self, board: &mut VirtualBoard, offset: u32, value: u32) {
        self.put(board, offset, Width::Word, value);
    }
}

/// The rings of a guest, from the monitor's side.
#[derive(Clone, Debug, Default)]
pub struct Rings {
    console: Option<ConsoleRing>,
    disk: Option<DiskRing>,
}

#[derive(Clone, Copy, Debug)]
struct ConsoleRing {
    page: Page,
    /// Bytes of output taken.
    consumed: u32,
    /// Bytes of input put in.
    produced: u32,
}

#[derive(Clone, Copy, Debug)]
struct DiskRing {
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
    /// The address, as the guest calls it, of the buffer that is held until the transfer is over.
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

impl Rings {
    /// Makes a page of the guest's, which it calls by `address`, the ring of a channel, for good. It stays writable as
    /// long as the guest lives.
    ///
    /// # Errors
    /// If the channel has no ring, or has one already, or the page cannot be had.
    pub fn connect(
        &mut self,
        board: &mut VirtualBoard,
        buffers: &mut impl Buffers,
        number: u32,
        address: u32,
    ) -> Result<(), Errno> {
        let taken = match number {
            channel::CONSOLE => self.console.is_some(),
            channel::DISK => self.disk.is_some(),
            _ => return Err(Errno::Invalid),
        };
        if !address.is_multiple_of(PAGE) {
            return Err(Errno::Invalid);
        }
        if taken {
            return Err(Errno::Busy);
        }
        let page = Page(buffers.hold(board, address, true)?);
        match number {
            channel::CONSOLE => self.console = Some(ConsoleRing::new(board, page)),
            _ => self.disk = Some(DiskRing::new(board, page)),
        }
        Ok(())
    }

    /// Takes what the guest has for a ring, and gives it what there is.
    ///
    /// # Errors
    /// If the channel has no ring, or the guest's indices cannot be; what passed before is passed.
    pub fn serve(
        &mut self,
        board: &mut VirtualBoard,
        buffers: &mut impl Buffers,
        channel: u32,
    ) -> (Passed, Result<(), Errno>) {
        match channel {
            channel::CONSOLE => match self.serve_console(board) {
                Ok(passed) => (passed, Ok(())),
                Err(error) => (Passed::default(), Err(error)),
            },
            channel::DISK => self.serve_disk(board, buffers),
            _ => (Passed::default(), Err(Errno::Invalid)),
        }
    }

    /// Takes what the guest has written to the console, and gives it the input that fits.
    ///
    /// # Errors
    /// If there is no ring, or the guest's indices cannot be.
    fn serve_console(&mut self, board: &mut VirtualBoard) -> Result<Passed, Errno> {
        let ring = self.console.as_mut().ok_or(Errno::Invalid)?;
        let (page, clock) = (ring.page, board.pace().clock);
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
            let _ = board.devices().write(CONSOLE_DATA, byte, clock);
            ring.consumed = ring.consumed.wrapping_add(1);
        }
        page.put_word(board, console::OUT_CONSUMED, ring.consumed);
        let mut given = 0;
        while given < console::IN_SIZE - unread && board.devices().console.waiting() {
            let byte = board.devices().read(CONSOLE_DATA, clock).unwrap_or_default();
            let at = console::IN + ring.produced % console::IN_SIZE;
            page.put(board, at, Width::Byte, byte);
            ring.produced = ring.produced.wrapping_add(1);
            given += 1;
        }
        page.put_word(board, console::IN_PRODUCED, ring.produced);
        Ok(Passed {
            requests: written,
            responses: given,
            event: given > 0,
        })
    }

    /// Gives the disk the next request that it can work on. Those that it cannot have their answer at once.
    ///
    /// # Errors
    /// If there is no ring, or the guest's index cannot be; what passed before is passed.
    fn serve_disk(
        &mut self,
        board: &mut VirtualBoard,
        buffers: &mut impl Buffers,
    ) -> (Passed, Result<(), Errno>) {
        let mut passed = Passed::default();
        let Some(ring) = &mut self.disk else {
            return (passed, Err(Errno::Invalid));
        };
        let mut result = Ok(());
        while ring.running.is_none() {
            let request = match ring.next(board) {
                Ok(Some(request)) => request,
                Ok(None) => break,
                Err(error) => {
                    result = Err(error);
                    break;
                }
            };
            passed.requests += 1;
            match start(board, buffers, request) {
                Ok(held) => ring.running = Some(Running { id: request.id, held }),
                Err(_) => {
                    passed.event |= ring.respond(board, request.id, disk::ERROR);
                    passed.responses += 1;
                }
            }
        }
        if ring.running.is_none() {
            // Idle: the very next request has to be told.
            let event = ring.consumed.wrapping_add(1);
            ring.page.put_word(board, disk::REQUEST_EVENT, event);
        }
        (passed, result)
    }

    /// The disk has finished: its interrupt is taken back, the guest gets its response, and the disk its next request.
    /// `None` if it was not at work for a ring.
    pub fn disk_finished(&mut self, board: &mut VirtualBoard, buffers: &mut impl Buffers) -> Option<Passed> {
        let ring = self.disk.as_mut()?;
        let running = ring.running.take()?;
        let clock = board.pace().clock;
        let status = board.devices().read(DISK_STATUS, clock).unwrap_or_default();
        // Any value takes the interrupt back.
        let _ = board.devices().write(DISK_STATUS, 0, clock);
        if let Some(address) = running.held {
            buffers.release(board, address);
        }
        let outcome = match status & FAILED {
            0 => disk::OKAY,
            _ => disk::ERROR,
        };
        let event = ring.respond(board, running.id, outcome);
        // An index that cannot be is the guest's mistake, of which it hears when it notifies.
        let (next, _) = self.serve_disk(board, buffers);
        Some(Passed {
            requests: next.requests,
            responses: next.responses + 1,
            event: event || next.event,
        })
    }

    /// Raises or lowers the line of the disk's ring, for a guest that hears of responses by interrupts and takes them
    /// back in memory.
    pub fn line(&self, board: &mut VirtualBoard, raise: bool) -> Option<bool> {
        let page = self.disk.as_ref()?.page;
        if raise {
            page.put_word(board, disk::INTERRUPT, 1);
        }
        Some(page.word(board, disk::INTERRUPT) != 0)
    }

    /// The page of the console's ring, the bytes of output taken, and those of input put in.
    pub(super) fn console(&self) -> Option<(u32, u32, u32)> {
        let ring = self.console?;
        Some((ring.page.0, ring.consumed, ring.produced))
    }

    /// The page of the disk's ring, the requests taken, and the responses written.
    pub(super) fn disk(&self) -> Option<(u32, u32, u32)> {
        let ring = self.disk?;
        Some((ring.page.0, ring.consumed, ring.produced))
    }

    /// The pages of the rings and the buffers that are held.
    #[cfg(test)]
    pub fn held(&self) -> (Vec<u32>, Option<u32>) {
        let pages = [
            self.console.map(|ring| ring.page.0),
            self.disk.map(|ring| ring.page.0),
        ];
        let held = self.disk.and_then(|ring| ring.running?.held);
        (pages.into_iter().flatten().collect(), held)
    }
}

impl ConsoleRing {
    /// In this page of the guest, empty.
    fn new(board: &mut VirtualBoard, page: Page) -> ConsoleRing {
        page.put_word(board, console::OUT_CONSUMED, 0);
        page.put_word(board, console::IN_PRODUCED, 0);
        ConsoleRing {
            page,
            consumed: 0,
            produced: 0,
        }
    }
}

impl DiskRing {
    /// In this page of the guest, empty.
    fn new(board: &mut VirtualBoard, page: Page) -> DiskRing {
        let clock = board.pace().clock;
        let sectors = board.devices().read(DISK_CAPACITY, clock).unwrap_or_default();
        page.put_word(board, disk::SECTORS, sectors);
        page.put_word(board, disk::RESPONSES, 0);
        page.put_word(board, disk::REQUEST_EVENT, 1);
        DiskRing {
            page,
            consumed: 0,
            produced: 0,
            running: None,
        }
    }

    fn entry(index: u32) -> u32 {
        disk::ENTRIES + index % disk::COUNT * disk::ENTRY
    }

    /// The next request, if there is one.
    ///
    /// # Errors
    /// If the guest says that there are more than fit.
    fn next(&mut self, board: &mut VirtualBoard) -> Result<Option<Request>, Errno> {
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
        let mut word = |offset| self.page.word(board, at + offset);
        Ok(Some(Request {
            id: word(disk::ID),
            operation: word(disk::OPERATION),
            sector: word(disk::SECTOR),
            address: word(disk::ADDRESS),
        }))
    }

    /// Writes a response. True if the guest wants an event for it.
    fn respond(&mut self, board: &mut VirtualBoard, id: u32, status: u32) -> bool {
        let at = DiskRing::entry(self.produced);
        self.page.put_word(board, at + disk::ID, id);
        self.page.put_word(board, at + disk::OPERATION, status);
        self.produced = self.produced.wrapping_add(1);
        self.page.put_word(board, disk::RESPONSES, self.produced);
        self.produced == self.page.word(board, disk::RESPONSE_EVENT)
    }
}

/// Starts a transfer of one sector, and returns the address of the buffer that it holds.
///
/// # Errors
/// If the buffer is not in one frame of the guest's, or not in one that may be written; or there is no such operation.
fn start(
    board: &mut VirtualBoard,
    buffers: &mut impl Buffers,
    request: Request,
) -> Result<Option<u32>, Errno> {
    let reads = match request.operation {
        1 => true,
        2 => false,
        _ => return Err(Errno::Invalid),
    };
    if request.address % PAGE + SECTOR > PAGE {
        return Err(Errno::Invalid);
    }
    // A buffer that is read into must not become a page table while the disk writes to it.
    let address = buffers.hold(board, request.address, reads)?;
    let clock = board.pace().clock;
    for (register, value) in [
        (DISK_SECTOR, request.sector),
        (DISK_ADDRESS, address),
        (DISK_COUNT, 1),
        (DISK_COMMAND, request.operation),
    ] {
        // All four are there, and the disk is idle.
        let _ = board.devices().write(register, value, clock);
    }
    Ok(reads.then_some(request.address))
}
