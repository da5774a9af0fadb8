//! Paravirtualization, as Xen did it: the guest kernel is ported, knows that it runs deprivileged, and asks the monitor
//! for what it may not do itself (Barham et al., "Xen and the Art of Virtualization", SOSP 2003).
//!
//! The kernel runs in ring 1 and its processes in ring 3, both directly. The hardware walks the guest's own page
//! tables, which hold machine frames; the guest may read but not write them, and the monitor validates each change
//! ([`pages`]). [`interface`] is all that both sides agree on, [`hypercalls`] answers, [`events`] takes the place of
//! interrupts, [`rings`] that of devices, and [`builder`] is how a guest begins.

pub mod builder;
pub mod events;
pub mod hypercalls;
pub mod interface;
pub mod look;
pub mod pages;
pub mod rings;

use toy_isa::bus::{Bus, Width};
use toy_isa::cpu::{Poll, poll};
use toy_isa::devices::line;
use toy_isa::engine::Engine;
use toy_isa::hart::{Csrs, Hart, Status};
use toy_isa::machine::Machine;
use toy_isa::mmu::{self, Access};
use toy_isa::trap::{Cause, Trap};

use crate::edit::{Edit, EditError, apply, set};
use crate::event::{Delivery, Event};
use crate::guest::{Guest, GuestView};
use crate::mode::{Answer, End, Exit, Inside, Mode, Notes, Rewind, Sync, entered, hosted};
use crate::modes::trap::allocator::{Allocator, MONITOR, STATE_WORDS};
use crate::setup::Setup;
use crate::walk::hardware::{Execution, Hardware, Tables};
use events::Shared;
use interface::Errno;
use look::Interface;
use pages::{Bug, Pages};
use rings::Rings;

/// The ring of the guest's kernel, and that of its processes.
const KERNEL: u32 = 1;
const USER: u32 = 3;

/// Causes that can have a handler.
const HANDLERS: u32 = 32;

/// The monitor.
#[derive(Clone)]
pub struct Para {
    /// Holds the save area, where the guest's registers, ring and root table are while the monitor has the processor.
    allocator: Allocator,
    guest: Guest,
    pages: Pages,
    shared: Shared,
    /// The machine frames of the shared page and of the window, which the guest reaches though they are not its own.
    lent: Vec<u32>,
    /// By cause.
    handlers: [u32; HANDLERS as usize],
    /// Where upcalls enter.
    callback: u32,
    /// The guest waits for an event.
    blocked: bool,
    rings: Rings,
    /// The real clock, and the ticks skipped on it, when the guest was resumed; `None` while the monitor has the
    /// processor.
    resumed: Option<(u64, u64)>,
}

impl Para {
    /// Plants a bug in the validator.
    pub fn plant(&mut self, bug: Bug) {
        self.pages.plant(bug);
    }

    /// The real control registers under which the guest runs.
    fn real_csrs(&self, hart: &Hart) -> Csrs {
        Csrs {
            status: Status(hart.ring() | Status::IE),
            tvec: self.allocator.entry(),
            ptbr: hart.csr.ptbr | 1,
            bound: MONITOR,
            xbound: MONITOR,
            ..Csrs::RESET
        }
    }

    /// Gives the processor to the guest.
    fn enter_guest(&mut self, machine: &mut Machine, notes: &mut Notes) {
        let hart = self.allocator.load(&machine.board);
        machine.hart.x = hart.x;
        machine.hart.pc = hart.pc;
        machine.hart.csr = self.real_csrs(&hart);
        let clock = machine.board.pace.clock;
        // 0 would turn the timer off. One tick later is as good: the guest's clock is not that of the bare machine.
        let deadline = (clock + self.guest.undisturbed().min(Setup::QUANTUM - 1)) as u32;
        machine.board.devices.timer.set(deadline.max(1), clock);
        machine.board.devices.enabled = line::TIMER;
        machine.board.pace.entering = false;
        machine.board.pace.attention = 0;
        self.resumed = Some((clock, machine.board.pace.skipped));
        notes.counts.words += STATE_WORDS;
        let real_ring = hart.ring();
        notes.event(&self.guest, &hart, Event::Resume { real_ring });
    }

    /// Takes the processor back: the guest's registers go to the save area, the guest's clock goes on.
    fn leave_guest(&mut self, machine: &mut Machine, trap: Trap, notes: &mut Notes) {
        let Some((clock, skipped)) = self.resumed.take() else {
            return;
        };
        let ran = machine.board.pace.clock - clock;
        self.guest.pace.clock += ran;
        self.guest.pace.skipped += machine.board.pace.skipped - skipped;
        self.guest.pace.attention = 0;
        // The handler's first instruction has been fetched, unless it is its fetch that faults.
        let fetching = matches!(trap.cause, Cause::FetchAccess | Cause::FetchPage);
        self.guest.pace.entering &= fetching && ran == 0;
        self.allocator
            .save(&mut machine.board, &machine.hart.x, machine.hart.csr.epc);
        notes.counts.words += STATE_WORDS;
        let hart = self.allocator.load(&machine.board);
        notes.exit(&self.guest, &hart, trap, hart.ring());
    }

    /// A word of the guest's memory, as its kernel would load it: what a pointer in a hypercall points to.
    fn argument(&self, machine: &mut Machine, address: u32) -> Result<u32, Errno> {
        let mut hart = self.allocator.load(&machine.board);
        hart.csr = self.real_csrs(&hart);
        hart.csr.status = Status(KERNEL);
        let board = &mut machine.board;
        let physical = mmu::translate(&hart, board, Access::Load, address, Width::Word);
        let word = physical
            .ok()
            .and_then(|physical| board.read(physical, Width::Word));
        word.ok_or(Errno::Fault)
    }
}

impl Mode for Para {
    fn resume(
        &mut self,
        machine: &mut Machine,
        engine: &mut dyn Engine,
        fuel: u64,
        notes: &mut Notes,
    ) -> Exit {
        let end = machine.attempts.saturating_add(fuel);
        while self.resumed.is_none() {
            // The devices do what is due. Their interrupts are the monitor's, so the guest's processor takes none.
            let mut hart = self.allocator.load(&machine.board);
            self.blocked &= !self.shared.wakes(&machine.board);
            self.guest.pace.halted = self.blocked;
            match poll(&mut hart, &mut self.guest.on(&mut machine.board)) {
                Poll::Go | Poll::Interrupted(_) => {}
                Poll::PowerOff(code) => return Exit::End(End::PowerOff(code)),
                Poll::Deadlock => return Exit::End(End::Deadlock),
            }
            self.collect(machine, notes);
            self.blocked &= !self.shared.wakes(&machine.board);
            if self.blocked {
                continue;
            }
            if let Some(trap) = self.upcall(machine) {
                return Exit::Virtual(Sync::Enter(trap), Delivery::Upcall);
            }
            self.enter_guest(machine, notes);
        }
        let exit = hosted(engine.run(machine, end.saturating_sub(machine.attempts)));
        let Exit::Hardware(trap) = exit else { return exit };
        let exit = entered(machine, exit);
        self.leave_guest(machine, trap, notes);
        exit
    }

    fn answer(&mut self, machine: &mut Machine, trap: Trap, notes: &mut Notes) -> Answer {
        let ring = self.allocator.load(&machine.board).ring();
        match trap.cause {
            // Control is regained; what is due for the guest is delivered before it is resumed.
            Cause::TimerInterrupt | Cause::DeviceInterrupt => Answer::Resume,
            Cause::Hypercall if ring == KERNEL => self.hypercall(machine, notes),
            // The first instruction of a handler.
            _ if self.guest.pace.entering => Answer::End(End::DoubleFault(trap)),
            _ => self.bounce(machine, trap),
        }
    }

    fn guest<'a>(&'a self, machine: &'a Machine) -> GuestView<'a> {
        let mut hart = self.allocator.load(&machine.board);
        if self.resumed.is_some() {
            hart.x = machine.hart.x;
            hart.pc = machine.hart.pc;
        }
        self.shared.show(&machine.board, &mut hart);
        let mut view = self.guest.view(hart, machine);
        view.real_tables = true;
        if let Some((clock, skipped)) = self.resumed {
            view.pace.clock += machine.board.pace.clock - clock;
            view.pace.skipped += machine.board.pace.skipped - skipped;
        }
        view
    }
}

impl Inside for Para {
    fn hardware(&self, machine: &Machine) -> Hardware<'_> {
        let hart = self.allocator.load(&machine.board);
        let csr = self.real_csrs(&hart);
        Hardware {
            tables: Tables::Validated,
            pages: Some(&self.pages),
            ..Hardware::own(Hart { csr, ..hart }, Execution::Direct)
        }
    }

    fn interface(&self, machine: &Machine) -> Option<Interface> {
        let word = |address| self.guest.word(machine, address);
        Some(Interface {
            channels: self.shared.channels(&machine.board),
            upcalls: Some(self.shared.enabled(&machine.board)),
            waits: self.blocked,
            rings: self.rings.look(&word),
        })
    }

    fn lent(&self) -> Vec<u32> {
        self.lent.clone()
    }
}

impl Rewind for Para {
    fn copy(&self) -> Box<dyn Mode> {
        Box::new(self.clone())
    }

    fn held(&self) -> usize {
        size_of::<Para>() + self.pages.held()
    }

    fn edit(&mut self, machine: &mut Machine, edit: Edit, _: &mut Notes) -> Result<(), EditError> {
        if let Edit::Word { address, .. } = edit {
            let frame = self.guest.frames.host(address / mmu::PAGE).unwrap_or_default();
            if matches!(
                self.pages.kind(frame),
                Some(pages::Kind::Root | pages::Kind::Table)
            ) {
                return Err(EditError::Validated(address));
            }
        }
        let mut hart = self.allocator.load(&machine.board);
        if self.resumed.is_some() {
            set(&mut machine.hart, edit);
        } else {
            set(&mut hart, edit);
            self.allocator.store(&mut machine.board, &hart);
        }
        apply(&mut hart, &mut self.guest.on(&mut machine.board), edit)
    }
}

#[cfg(test)]
mod tests;
