//! The monitor in a hundred lines: Popek and Goldberg's dispatcher, allocator and interpreter routines (1974,
//! section 4), for the machine with relocation-bounds only.
//!
//! The guest has one piece of memory, from LOW on. The hardware adds `base` to every address of the guest and keeps
//! it below `bound`; every sensitive instruction traps. That is all a monitor needs.

use std::sync::Arc;

use toy_isa::cpu::{Poll, Step, poll, step};
use toy_isa::devices::line;
use toy_isa::engine::Engine;
use toy_isa::hart::{Csrs, Hart, Status};
use toy_isa::instruction::Registers;
use toy_isa::machine::{Config, LoadError, Machine};
use toy_isa::mmu::{PAGE, linear};
use toy_isa::profile::Profile;
use toy_isa::trap::{Cause, Trap};

use crate::edit::{Edit, EditError, apply};
use crate::event::{AccessReason, Delivery};
use crate::guest::{Frames, Guest, GuestView};
use crate::mode::{Answer, End, Exit, Inside, Mode, Notes, Rewind, Sync, hosted};
use crate::modes::load_scattered;
use crate::setup::Setup;
use crate::walk::hardware::{Execution, Hardware, Tables};

// ANCHOR: monitor
/// Where the guest's memory begins; what is below is the monitor's.
const LOW: u32 = 16 * PAGE;

/// The monitor: all that it knows is the guest's *virtual* machine.
#[derive(Clone)]
pub struct HundredLines {
    processor: Hart,
    guest: Guest,
    /// The end of the guest's turn on the real clock, once it has begun: to be resumed again makes it no longer.
    turn: Option<u64>,
}

impl HundredLines {
    /// The allocator: whatever base and limits the guest asks for, it gets them within its own piece of memory.
    fn allocate(&self) -> Csrs {
        let (wish, ring) = (&self.processor.csr, self.processor.ring());
        let offset = if wish.status.relocates() { wish.base } else { 0 };
        let memory = self.guest.frames.len() * PAGE;
        // This hardware cannot page. A guest that tries has no access left that is direct: all are interpreted.
        let room = if wish.paging() {
            0
        } else {
            memory.saturating_sub(offset)
        };
        let (limit, fetch_limit) = match ring {
            0 => (room, room),
            _ => (room.min(wish.bound), room.min(wish.bound).min(wish.xbound)),
        };
        let real_ring = if ring < 3 { 1 } else { 3 };
        Csrs {
            status: Status(real_ring | Status::IE | Status::RE),
            base: LOW.wrapping_add(offset),
            bound: limit,
            xbound: fetch_limit,
            ..Csrs::RESET
        }
    }
}

impl Mode for HundredLines {
    /// Gives the processor to the guest, deprivileged, until it traps.
    fn resume(&mut self, machine: &mut Machine, engine: &mut dyn Engine, fuel: u64, _: &mut Notes) -> Exit {
        match poll(&mut self.processor, &mut self.guest.on(&mut machine.board)) {
            Poll::Go => {}
            Poll::Interrupted(trap) => return Exit::Virtual(Sync::Enter(trap), Delivery::Injected),
            Poll::PowerOff(code) => return Exit::End(End::PowerOff(code)),
            Poll::Deadlock => return Exit::End(End::Deadlock),
        }
        machine.hart = Hart {
            csr: self.allocate(),
            ..self.processor.clone()
        };
        let start = machine.board.pace.clock;
        // A deadline of 0 would turn the timer off: `modes::trap::world` says what to do after 2^32 ticks.
        let deadline = start.max(*self.turn.get_or_insert(start + self.guest.undisturbed()));
        machine.board.devices.timer.set(deadline as u32, start);
        machine.board.devices.enabled = line::TIMER;
        machine.board.pace.attention = 0;
        machine.board.pace.entering = false;

        let exit = hosted(engine.run(machine, fuel));
        self.guest.pace.clock += machine.board.pace.clock - start;
        self.processor.x = machine.hart.x;
        self.processor.pc = match exit {
            Exit::Hardware(_) => machine.hart.csr.epc,
            _ => machine.hart.pc,
        };
        exit
    }

    /// The dispatcher: the clock's interrupt only gives control back; everything else is the guest's doing.
    fn answer(&mut self, machine: &mut Machine, trap: Trap, notes: &mut Notes) -> Answer {
        let real_ring = machine.hart.csr.status.previous_ring();
        notes.exit(&self.guest, &self.processor, trap, real_ring);
        self.turn = None;
        if trap.cause == Cause::TimerInterrupt {
            return Answer::Resume;
        }
        // The interpreter routines, all in one: the virtual processor executes the instruction that trapped. What
        // the guest may do is done there; what it may not do traps there, into the guest's own handler.
        let before = self.processor.clone();
        let mut board = self.guest.on(&mut machine.board);
        match step(&mut self.processor, &mut board, Registers::Sixteen) {
            Step::Retired(insn) if !insn.row().sensitive().is_empty() => {
                notes.emulated(&self.guest, &before, insn, self.processor.x[insn.rd as usize])
            }
            Step::Retired(_) => notes.counts.access(self.reason(&before, trap.tval)),
            Step::Trapped(trap) => return Answer::Sync(Sync::Enter(trap)),
            Step::DoubleFault(trap) => return Answer::End(End::DoubleFault(trap)),
        }
        self.guest.retired()
    }

    fn guest<'a>(&'a self, machine: &'a Machine) -> GuestView<'a> {
        self.guest.view(self.processor.clone(), machine)
    }
}
// ANCHOR_END: monitor

impl Inside for HundredLines {
    fn hardware(&self, _: &Machine) -> Hardware<'_> {
        let hart = Hart {
            csr: self.allocate(),
            ..self.processor.clone()
        };
        Hardware {
            tables: Tables::None,
            ..Hardware::own(hart, Execution::Direct)
        }
    }
}

impl Rewind for HundredLines {
    fn copy(&self) -> Box<dyn Mode> {
        Box::new(self.clone())
    }

    fn edit(&mut self, machine: &mut Machine, edit: Edit, _: &mut Notes) -> Result<(), EditError> {
        apply(&mut self.processor, &mut self.guest.on(&mut machine.board), edit)
    }
}

impl HundredLines {
    /// A machine of this hardware profile with the monitor's memory below the guest's, and the guest at power-on.
    ///
    /// # Errors
    /// If the image does not fit the guest's memory.
    pub fn build(setup: &Setup, hardware: Arc<Profile>) -> Result<(Machine, HundredLines), LoadError> {
        let frames = Frames::contiguous(LOW / PAGE, setup.memory.div_ceil(PAGE));
        let mut machine = Machine::new(Config {
            memory: LOW + frames.len() * PAGE,
            profile: hardware,
            disk: Vec::new(),
            input: Vec::new(),
            tlb: setup.tlb,
        });
        load_scattered(&mut machine, &frames, setup)?;
        let monitor = HundredLines {
            processor: Hart::new(setup.image.entry),
            guest: Guest::new(setup, frames),
            turn: None,
        };
        Ok((machine, monitor))
    }

    /// Why an innocuous instruction did not run directly, for the notes: it meant a device, or memory that the one
    /// limit of this hardware has no way to let through.
    fn reason(&self, before: &Hart, address: u32) -> AccessReason {
        let memory = self.guest.frames.address(linear(before, address));
        if before.csr.paging() || memory.is_some() {
            AccessReason::AboveLimit
        } else {
            AccessReason::Device
        }
    }
}

#[cfg(test)]
mod tests;
