//! Enlightenments: what a monitor offers a guest that knows that it is one, beside the machine itself. (The word is
//! Hyper-V's; Xen speaks of paravirtual drivers.)
//!
//! The guest runs under trap-and-emulate, binary translation or hardware assistance as any other, and makes hypercalls
//! where that is cheaper: [rings](super::para::rings) for its console and its disk, a timer that is set in one step.
//! The numbers and the layout of memory are those of the [paravirtual interface](super::para::interface), but addresses
//! are guest-physical, and events are interrupts.
//!
//! Of a guest whose kernel was ported as well, page tables excepted, the shared page holds what it may neither
//! read nor change of its processor, as in PVM (Huang et al., SOSP 2023, section 3): so it has no sensitive instruction
//! left, and runs on a processor with holes.

use toy_isa::bus::{Bus, Width};
use toy_isa::devices::{Driven, line};
use toy_isa::hart::{Hart, Status};
use toy_isa::mmu::PAGE;

use crate::guest::{Guest, VirtualBoard};
use crate::modes::para::interface::{Errno, Hypercall, channel, event, sched, shared};
use crate::modes::para::look::{self, Interface};
use crate::modes::para::rings::{Buffers, Passed, Rings};
use crate::setup::{Port, PortedPages};

/// What the monitor offers a guest, and what it keeps for that.
#[derive(Clone, Debug, Default)]
pub struct Enlightened {
    rings: Rings,
    /// Whether the kernel has its processor's state in the shared page.
    mirrors: bool,
    /// What has happened since somebody asked.
    news: Vec<News>,
}

/// What a monitor that looks after an enlightened guest writes down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// A hypercall by its name, and what the guest finds in `a0` if it comes back behind it.
    Called(&'static str, i32),
    /// Something passed through the ring of a channel.
    Passed(u32, Passed),
}

impl Enlightened {
    /// What this port of a guest asks for; `None` of one whose page tables are validated, which has a monitor of its
    /// own.
    pub fn of(port: &Port) -> Option<Enlightened> {
        let mirrors = match port.parts.kernel {
            Some(PortedPages::Validated) => return None,
            Some(PortedPages::Shadowed) => true,
            None => false,
        };
        Some(Enlightened {
            mirrors,
            ..Enlightened::default()
        })
    }

    /// The rings of the guest, whose memory `word` reads, and what it knows of its processor.
    pub(crate) fn look(&self, word: &dyn Fn(u32) -> Option<u32>, waits: bool) -> Interface {
        let byte = |offset: u32| word(offset & !3).unwrap_or_default() >> (8 * (offset & 3)) & 255;
        Interface {
            channels: match self.mirrors {
                true => look::channels(byte),
                false => Vec::new(),
            },
            upcalls: self
                .mirrors
                .then(|| word(shared::ENABLED).unwrap_or_default() != 0),
            waits,
            rings: self.rings.look(word),
        }
    }

    /// Takes what has happened since this was last called.
    pub fn take_news(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news)
    }
}

/// The guest calls its memory by its own addresses.
struct Own;

impl Buffers for Own {
    fn hold(&mut self, board: &mut VirtualBoard, address: u32, _written: bool) -> Result<u32, Errno> {
        let frame = board.guest.frames.host(address / PAGE);
        frame.map(|_| address).ok_or(Errno::Permission)
    }

    fn release(&mut self, _board: &mut VirtualBoard, _address: u32) {}
}

impl Guest {
    /// Whether its kernel has its processor's state in the shared page.
    pub(crate) fn mirrors(&self) -> bool {
        let enlightened = self.enlightened.as_ref();
        enlightened.is_some_and(|enlightened| enlightened.mirrors)
    }
}

impl VirtualBoard<'_> {
    /// Answers a hypercall of an enlightened guest, if it comes from its ring 0, and says where the guest goes on.
    pub(crate) fn answer(&mut self, hart: &mut Hart) -> Option<u32> {
        if self.guest.enlightened.is_none() || hart.ring() != 0 {
            return None;
        }
        let (a0, a1) = (hart.x[10], hart.x[11]);
        let call = Hypercall::from_number(hart.x[5]);
        self.attend();
        let mirrors = self.guest.mirrors();
        let result = match call {
            Some(Hypercall::SetTimerOp) => {
                self.guest.set_timer(a0);
                Ok(())
            }
            Some(Hypercall::EventChannelOp) if a0 == event::SEND => self.serve(a1),
            Some(Hypercall::EventChannelOp) => Err(Errno::Invalid),
            Some(Hypercall::ConnectRing) => self.connect(a0, a1),
            Some(Hypercall::SetCallbacks) if mirrors => {
                hart.csr.tvec = a0 & !3;
                Ok(())
            }
            Some(Hypercall::LoadTable) if mirrors => {
                hart.csr.ptbr = a0 & !(PAGE - 1) | 1;
                Ok(())
            }
            Some(Hypercall::Iret) if mirrors => {
                hart.x[5] = Mirror::word(self, shared::T0);
                hart.csr.status = hart.csr.status.returned();
                self.pace().returned = true;
                self.note(News::Called(Hypercall::Iret.name(), 0));
                return Some(hart.csr.epc & !3);
            }
            Some(Hypercall::SchedOp) if mirrors => self.schedule(a0, a1),
            _ => Err(Errno::NoSuchCall),
        };
        let result = result.map_or_else(Errno::code, |()| 0);
        hart.x[10] = result as u32;
        self.note(News::Called(call.map_or("unknown", Hypercall::name), result));
        Some(hart.pc.wrapping_add(4))
    }

    fn note(&mut self, news: News) {
        if let Some(enlightened) = &mut self.guest.enlightened {
            enlightened.news.push(news);
        }
    }

    fn schedule(&mut self, operation: u32, code: u32) -> Result<(), Errno> {
        match operation {
            sched::YIELD => {}
            sched::BLOCK => self.pace().halted = true,
            sched::SHUTDOWN => {
                // What the guest has said to the end is heard, though it need not have notified.
                let _ = self.serve(channel::CONSOLE);
                self.devices().power_off = Some(code);
            }
            _ => return Err(Errno::Invalid),
        }
        Ok(())
    }

    /// Takes what the guest has for a ring, and gives it what there is.
    fn serve(&mut self, channel: u32) -> Result<(), Errno> {
        self.with_rings(|board, rings| {
            let (passed, result) = rings.serve(board, &mut Own, channel);
            (Some((channel, passed)), result)
        })
    }

    fn connect(&mut self, channel: u32, address: u32) -> Result<(), Errno> {
        self.with_rings(|board, rings| (None, rings.connect(board, &mut Own, channel, address)))?;
        match channel {
            // What has been typed already is given at once.
            channel::CONSOLE => self.serve(channel),
            _ => {
                // From now on the disk's line tells of responses.
                self.devices().driven.lines |= line::DISK;
                Ok(())
            }
        }
    }

    /// The disk has finished a command, which may have been one from a ring.
    pub(crate) fn disk_rings(&mut self) {
        if self.guest.enlightened.is_some() {
            // There is nothing to fail.
            let _ = self.with_rings(|board, rings| {
                let passed = rings.disk_finished(board, &mut Own);
                (passed.map(|passed| (channel::DISK, passed)), Ok(()))
            });
        }
    }

    /// Looks whether the guest has taken an interrupt of a ring back, which it does in memory.
    pub(crate) fn listen(&mut self) {
        if self.guest.devices.driven.pending != 0 {
            // There is nothing to fail.
            let _ = self.with_rings(|_, _| (None, Ok(())));
        }
    }

    /// Does something with the rings; what has passed is written down, and the line follows the ring.
    fn with_rings(
        &mut self,
        act: impl FnOnce(&mut Self, &mut Rings) -> (Option<(u32, Passed)>, Result<(), Errno>),
    ) -> Result<(), Errno> {
        let Some(mut enlightened) = self.guest.enlightened.take() else {
            return Err(Errno::NoSuchCall);
        };
        let (passed, result) = act(self, &mut enlightened.rings);
        let raise = passed.is_some_and(|(channel, passed)| channel == channel::DISK && passed.event);
        if let Some(up) = enlightened.rings.line(self, raise) {
            let pending = if up { line::DISK } else { 0 };
            let lines = self.devices().driven.lines;
            self.devices().driven = Driven { lines, pending };
        }
        let passed = passed.map(|(channel, passed)| News::Passed(channel, passed));
        enlightened.news.extend(passed);
        self.guest.enlightened = Some(enlightened);
        result
    }

    /// At power-on a kernel that mirrors its processor has everything masked.
    pub(crate) fn power_on(&mut self) {
        if self.guest.mirrors() {
            Mirror::put(self, shared::MASK, Width::Word, u32::MAX);
        }
    }
}

/// The shared page of a kernel that mirrors its processor: the guest's frame 0. While the guest runs, the truth about
/// its trap frame and its interrupt flag is here; while the monitor does, in the virtual processor.
pub(crate) struct Mirror;

/// The interrupt lines that have an event channel.
const LINES: [(u32, u32); 2] = [(channel::TIMER, line::TIMER), (channel::DISK, line::DISK)];

impl Mirror {
    fn word(board: &mut VirtualBoard, offset: u32) -> u32 {
        let word = board.read(offset, Width::Word);
        debug_assert!(word.is_some(), "every guest has a frame 0");
        word.unwrap_or_default()
    }

    fn put(board: &mut VirtualBoard, offset: u32, width: Width, value: u32) {
        let written = board.write(offset, width, value);
        debug_assert!(written.is_some(), "every guest has a frame 0");
    }

    /// Before the guest is resumed: what it may know goes to the shared page.
    pub(crate) fn show(board: &mut VirtualBoard, hart: &Hart) {
        let status = hart.csr.status;
        let previous_enabled = match status.returned().interrupts() {
            true => shared::PREVIOUS_ENABLED,
            false => 0,
        };
        for (offset, value) in [
            (shared::ENABLED, u32::from(status.interrupts())),
            (shared::EPC, hart.csr.epc),
            (shared::CAUSE, hart.csr.cause),
            (shared::TVAL, hart.csr.tval),
            (shared::PREVIOUS, status.previous_ring() | previous_enabled),
        ] {
            Mirror::put(board, offset, Width::Word, value);
        }
        let clock = board.pace().clock;
        let wanted = board.devices().wanted(clock);
        for (channel, line) in LINES {
            let pending = u32::from(wanted & line != 0);
            Mirror::put(board, shared::PENDING + channel, Width::Byte, pending);
        }
    }

    /// After it has left: what it has changed in the shared page comes to its processor.
    pub(crate) fn heed(board: &mut VirtualBoard, hart: &mut Hart) {
        hart.csr.epc = Mirror::word(board, shared::EPC);
        hart.csr.cause = Mirror::word(board, shared::CAUSE);
        hart.csr.tval = Mirror::word(board, shared::TVAL);
        let previous = Mirror::word(board, shared::PREVIOUS);
        let enabled = Mirror::word(board, shared::ENABLED) != 0;
        // As `PREVIOUS` has it, ring and enable are where `status` has its current ones.
        let trapped = Status(previous & (3 | shared::PREVIOUS_ENABLED)).entered();
        let enabled = if enabled { Status::IE } else { 0 };
        hart.csr.status = Status(hart.ring() | enabled | trapped.0);
        let mask = Mirror::word(board, shared::MASK);
        let open = |(channel, line): (u32, u32)| if mask >> (8 * channel) & 255 == 0 { line } else { 0 };
        board.devices().enabled = LINES.into_iter().map(open).sum();
    }
}

#[cfg(test)]
mod tests;
