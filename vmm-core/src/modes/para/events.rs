//! Events in place of interrupts (section 3.2.2), and the way of traps into the guest kernel (section 3.2.1).
//!
//! An event marks a byte in the shared page. If the guest has upcalls enabled, it then enters the kernel where it asked
//! for that; else the mark waits. A trap enters at the handler that the kernel has registered for its cause. Both leave
//! the same frame in the shared page and disable upcalls, as the hardware leaves its frame in control registers and
//! disables interrupts: so a kernel has one way in for both.

use toy_isa::bus::{Bus, Width};
use toy_isa::devices::line;
use toy_isa::hart::{Hart, Status};
use toy_isa::machine::{Board, Machine};
use toy_isa::mmu::PAGE;
use toy_isa::trap::{Cause, Trap};

use super::interface::{channel, shared};
use super::look::{self, Channel};
use super::{HANDLERS, KERNEL, Para, USER};
use crate::event::Event;
use crate::mode::{Answer, Notes, Sync};

/// The shared page, from the monitor's side. What the guest has left there is never trusted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shared {
    /// Its machine address.
    page: u32,
}

impl Shared {
    /// In this machine frame, as a guest finds it at the start.
    pub(super) fn new(board: &mut Board, frame: u32) -> Shared {
        let shared = Shared { page: frame * PAGE };
        (0..channel::COUNT).for_each(|channel| shared.put_byte(board, shared::MASK + channel, 1));
        shared
    }

    /// Its machine frame.
    pub(super) fn frame(self) -> u32 {
        self.page / PAGE
    }

    pub(super) fn word(self, board: &Board, offset: u32) -> u32 {
        self.get(board, offset, Width::Word)
    }

    fn get(self, board: &Board, offset: u32, width: Width) -> u32 {
        let value = board.ram.read(self.page + offset, width);
        debug_assert!(value.is_some(), "the shared page is in memory");
        value.unwrap_or_default()
    }

    pub(super) fn put(self, board: &mut Board, offset: u32, value: u32) {
        let written = board.write(self.page + offset, Width::Word, value);
        debug_assert!(written.is_some(), "the shared page is in memory");
    }

    fn put_byte(self, board: &mut Board, offset: u32, value: u32) {
        let written = board.write(self.page + offset, Width::Byte, value);
        debug_assert!(written.is_some(), "the shared page is in memory");
    }

    /// Whether an event is pending that is not masked: what ends a wait.
    pub(super) fn wakes(self, board: &Board) -> bool {
        let byte = |offset| self.get(board, offset, Width::Byte) != 0;
        (0..channel::COUNT).any(|channel| byte(shared::PENDING + channel) && !byte(shared::MASK + channel))
    }

    /// The event channels as they are.
    pub(super) fn channels(self, board: &Board) -> Vec<Channel> {
        look::channels(|offset| self.get(board, offset, Width::Byte))
    }

    pub(super) fn enabled(self, board: &Board) -> bool {
        self.word(board, shared::ENABLED) != 0
    }

    /// The trap frame in the place of the control registers that it stands for, for those who look on.
    pub(super) fn show(self, board: &Board, hart: &mut Hart) {
        hart.csr.epc = self.word(board, shared::EPC);
        hart.csr.cause = self.word(board, shared::CAUSE);
        hart.csr.tval = self.word(board, shared::TVAL);
        let previous = self.word(board, shared::PREVIOUS) & 3;
        hart.csr.status = Status(hart.ring() | previous << 2);
    }
}

impl Para {
    /// Marks an event.
    pub(super) fn send(&mut self, machine: &mut Machine, channel: u32, notes: &mut Notes) {
        self.shared
            .put_byte(&mut machine.board, shared::PENDING + channel, 1);
        notes.counts.events_sent += 1;
        let hart = self.allocator.load(&machine.board);
        notes.event(&self.guest, &hart, Event::EventSent { channel });
    }

    /// Takes the interrupts of the devices, which are the monitor's, and makes events of them.
    pub(super) fn collect(&mut self, machine: &mut Machine, notes: &mut Notes) {
        let clock = self.guest.pace.clock;
        let lines = self.guest.devices.lines(clock);
        if lines & line::TIMER != 0 {
            self.guest.devices.timer.set(0, clock);
            self.send(machine, channel::TIMER, notes);
        }
        if lines & line::DISK != 0 {
            let mut board = self.guest.on(&mut machine.board);
            let passed = self.rings.disk_finished(&mut board, &mut self.pages);
            self.passed(machine, channel::DISK, passed.unwrap_or_default(), notes);
        }
    }

    /// Makes an upcall, if the guest is to have one: its processor enters the kernel.
    pub(super) fn upcall(&mut self, machine: &mut Machine) -> Option<Trap> {
        if !self.shared.enabled(&machine.board) || !self.shared.wakes(&machine.board) {
            return None;
        }
        let trap = Trap {
            cause: Cause::DeviceInterrupt,
            tval: 0,
        };
        self.enter_kernel(machine, trap, self.callback);
        Some(trap)
    }

    /// Hands a trap of the guest to the handler that its kernel has registered for it, or else to that of events.
    pub(super) fn bounce(&mut self, machine: &mut Machine, trap: Trap) -> Answer {
        let handler = self.handlers[(trap.cause.code() % HANDLERS) as usize];
        let handler = if handler == 0 { self.callback } else { handler };
        self.enter_kernel(machine, trap, handler);
        Answer::Sync(Sync::Enter(trap))
    }

    /// The guest's way into its kernel: what `Hart::enter` is on the bare machine.
    fn enter_kernel(&mut self, machine: &mut Machine, trap: Trap, handler: u32) {
        let board = &mut machine.board;
        let mut hart = self.allocator.load(board);
        let enabled = if self.shared.enabled(board) {
            shared::PREVIOUS_ENABLED
        } else {
            0
        };
        self.shared.put(board, shared::EPC, hart.pc);
        self.shared.put(board, shared::CAUSE, trap.cause.code());
        self.shared.put(board, shared::TVAL, trap.tval);
        self.shared.put(board, shared::PREVIOUS, hart.ring() | enabled);
        self.shared.put(board, shared::ENABLED, 0);
        hart.pc = handler;
        hart.csr.status = Status(KERNEL);
        self.allocator.store(board, &hart);
        self.guest.pace.entering = true;
    }

    /// The way back, to where the frame says.
    pub(super) fn leave_kernel(&mut self, machine: &mut Machine) {
        let board = &mut machine.board;
        let mut hart = self.allocator.load(board);
        let previous = self.shared.word(board, shared::PREVIOUS);
        hart.pc = self.shared.word(board, shared::EPC) & !3;
        hart.x[5] = self.shared.word(board, shared::T0);
        let ring = if previous & 3 == USER { USER } else { KERNEL };
        hart.csr.status = Status(ring);
        self.shared
            .put(board, shared::ENABLED, previous & shared::PREVIOUS_ENABLED);
        self.allocator.store(board, &hart);
    }
}
