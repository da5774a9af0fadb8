//! The monitor in a hundred lines: Popek and Goldberg's dispatcher, allocator and interpreter routines (1974,
//! section 4), for the machine with relocation-bounds only.
//!
//! The guest has one piece of memory, from LOW on. The hardware adds `base` to every address of the guest and keeps
//! it below `bound`; every sensitive instruction traps. That is all a monitor needs.

use std::sync::Arc;

use toy_isa::cpu::{self, Poll, Step};
use toy_isa::devices::line;
use toy_isa::engine::{Engine, Exit as EngineExit};
use toy_isa::hart::{Csrs, Hart, Status};
use toy_isa::instruction::Registers;
use toy_isa::machine::{Config, LoadError, Machine};
use toy_isa::mmu::PAGE;
use toy_isa::profile::Profile;
use toy_isa::trap::{Cause, Trap};
use toy_isa::{bus::Pace, devices::Devices};

use crate::event::{AccessReason, Delivery};
use crate::guest::{Frames, GuestView, VirtualBoard};
use crate::mode::{Answer, End, Exit, Mode, Notes, Sync, hosted};
use crate::modes::load_scattered;
use crate::setup::Setup;

/// Where the guest's memory begins; what is below is the monitor's.
const LOW: u32 = 16 * PAGE;
/// The monitor has the processor back after this many ticks.
const QUANTUM: u64 = 50_000;

/// The monitor, and the guest's *virtual* machine: processor, clock and devices as the guest sees them.
// ANCHOR: monitor
pub struct HundredLines {
    processor: Hart,
    pace: Pace,
    devices: Devices,
    setup: Setup,
    frames: Frames,
}

/// The allocator: whatever relocation and limit the guest asks for, it gets them within its own piece of memory.
impl HundredLines {
    fn allocate(&self) -> (u32, u32, u32) {
        let wish = &self.processor.csr;
        let offset = if wish.status.relocates() { wish.base } else { 0 };
        // A guest that turns paging on is beyond this monitor's hardware: no access is direct, all are interpreted.
        let room = if wish.paging() {
            0
        } else {
            (self.frames.len() * PAGE).saturating_sub(offset)
        };
        let (bound, xbound) = match self.processor.ring() {
            0 => (room, room),
            _ => (room.min(wish.bound), room.min(wish.xbound).min(wish.bound)),
        };
        (LOW.wrapping_add(offset), bound, xbound)
    }

    /// Does something to the virtual machine.
    fn virtually<T>(
        &mut self,
        machine: &mut Machine,
        act: impl FnOnce(&mut Hart, &mut VirtualBoard) -> T,
    ) -> T {
        let (stores, references) = (&mut Vec::new(), &mut 0);
        let mut board = VirtualBoard {
            host: &mut machine.board,
            frames: &self.frames,
            devices: &mut self.devices,
            pace: &mut self.pace,
            profile: &self.setup.profile,
            stores,
            references,
        };
        act(&mut self.processor, &mut board)
    }
}

impl Mode for HundredLines {
    /// Gives the processor to the guest, deprivileged, until it traps.
    fn resume(&mut self, machine: &mut Machine, engine: &mut dyn Engine, fuel: u64, _: &mut Notes) -> Exit {
        match self.virtually(machine, |processor, board| cpu::poll(processor, board)) {
            Poll::Go => {}
            Poll::Interrupted(trap) => return Exit::Virtual(Sync::Enter(trap), Delivery::Injected),
            Poll::PowerOff(code) => return Exit::End(End::PowerOff(code)),
            Poll::Deadlock => return Exit::End(End::Deadlock),
        }
        let ring = if self.processor.ring() < 3 { 1 } else { 3 };
        let (base, bound, xbound) = self.allocate();
        let status = Status(ring | Status::IE | Status::RE);
        machine.hart = Hart {
            csr: Csrs {
                status,
                base,
                bound,
                xbound,
                ..Csrs::RESET
            },
            ..self.processor.clone()
        };
        let Pace {
            clock: start,
            skipped,
            ..
        } = machine.board.pace;
        let event = self
            .devices
            .next_event(self.pace.clock)
            .map_or(QUANTUM, |at| at - self.pace.clock);
        // The value 0 would turn the timer off: `modes::trap::world` says what to do after 2^32 ticks.
        machine
            .board
            .devices
            .timer
            .set((start + event.min(QUANTUM)) as u32, start);
        machine.board.devices.enabled = line::TIMER;
        machine.board.pace = Pace {
            clock: start,
            skipped,
            ..Pace::default()
        };

        let exit = engine.run(machine, fuel);
        self.processor.x = machine.hart.x;
        self.pace.clock += machine.board.pace.clock - start;
        self.processor.pc = if let EngineExit::Trap(_) = exit {
            machine.hart.csr.epc
        } else {
            machine.hart.pc
        };
        hosted(exit)
    }

    /// The dispatcher: the clock's interrupt only gives control back; everything else is the guest's doing.
    fn answer(&mut self, machine: &mut Machine, trap: Trap, notes: &mut Notes) -> Answer {
        notes.counts.trap(trap.cause);
        notes.counts.exits += 1;
        if trap.cause == Cause::TimerInterrupt {
            return Answer::Resume;
        }
        // The interpreter routines, all in one: execute the instruction that trapped on the virtual processor. If
        // the guest may do it, it is done there; if not, the virtual processor traps into the guest's own handler.
        match self.virtually(machine, |processor, board| {
            cpu::step(processor, board, Registers::Sixteen)
        }) {
            Step::Retired(insn) => {
                match trap.cause {
                    Cause::Illegal => notes.counts.emulate(insn.row()),
                    _ => notes.counts.access(AccessReason::AboveLimit),
                }
                match std::mem::take(&mut self.pace.returned) {
                    true => Answer::Sync(Sync::Return),
                    false => Answer::Resume,
                }
            }
            Step::Trapped(trap) => Answer::Sync(Sync::Enter(trap)),
            Step::DoubleFault(trap) => Answer::End(End::DoubleFault(trap)),
        }
    }

    fn guest<'a>(&'a self, machine: &'a Machine) -> GuestView<'a> {
        GuestView::mapped(
            self.processor.clone(),
            self.pace.clone(),
            &self.devices,
            machine,
            &self.frames,
        )
    }
}
// ANCHOR_END: monitor

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
            pace: Pace::default(),
            devices: Devices::new(setup.disk.clone(), setup.input.clone()),
            setup: setup.clone(),
            frames,
        };
        Ok((machine, monitor))
    }
}

#[cfg(test)]
mod tests;
