//! Pure emulation: the guest's processor is a data structure, and the monitor executes each instruction on it.
//!
//! Slow, portable, and isolated for free: the guest has no way of naming anything that is not its own. It is not
//! a monitor in the sense of Popek and Goldberg, because no instruction of the guest runs on the hardware.
//!
//! For the same reason the guest's processor need not be the hardware's: a guest that is compiled for the 32 registers
//! of RV32I, of which Ring32 has the lower half, runs here and nowhere else.

use std::sync::Arc;

use toy_isa::bus::Bus;
use toy_isa::cpu::{Poll, Step, poll, step};
use toy_isa::engine::Engine;
use toy_isa::hart::Hart;
use toy_isa::instruction::Registers;
use toy_isa::machine::{Config, LoadError, Machine};
use toy_isa::trap::Trap;

use crate::edit::{Edit, EditError, apply};
use crate::event::Delivery;
use crate::guest::{Frames, Guest, GuestView, VirtualBoard};
use crate::mode::{Answer, End, Exit, Inside, Mode, Notes, Rewind, Sync};
use crate::modes::load_scattered;
use crate::setup::Setup;
use crate::walk::hardware::{Execution, Hardware};

/// The emulator: a processor, devices and a clock, all in software.
#[derive(Clone)]
pub struct Interpret {
    hart: Hart,
    registers: Registers,
    guest: Guest,
}

impl Interpret {
    /// A machine to hold the guest's memory, and the emulated processor at reset.
    ///
    /// # Errors
    /// If the image does not fit the guest's memory.
    pub fn build(setup: &Setup) -> Result<(Machine, Interpret), LoadError> {
        let pool = crate::modes::pool_frames(setup.memory);
        let mut machine = Machine::new(Config {
            memory: pool * toy_isa::mmu::PAGE,
            profile: Arc::clone(&setup.profile),
            disk: Vec::new(),
            input: Vec::new(),
            tlb: setup.tlb,
        });
        let frames = Frames::shuffled(setup.memory.div_ceil(toy_isa::mmu::PAGE), pool, setup.seed);
        load_scattered(&mut machine, &frames, setup)?;
        let mut guest = Guest::new(setup, frames);
        let registers = setup.image.registers;
        // A control structure has room for sixteen.
        guest.root_operation = setup.profile.root_operation() && registers == Registers::Sixteen;
        let mode = Interpret {
            hart: Hart::new(setup.image.entry),
            registers,
            guest,
        };
        Ok((machine, mode))
    }
}

/// The emulated processor has taken this trap, or a guest of the guest has left by it.
fn taken(board: &mut VirtualBoard, trap: Trap) -> Exit {
    let sync = match std::mem::take(&mut board.pace().left) {
        true => Sync::Left(trap),
        false => Sync::Enter(trap),
    };
    Exit::Virtual(sync, Delivery::Hardware)
}

impl Mode for Interpret {
    fn resume(&mut self, machine: &mut Machine, _: &mut dyn Engine, fuel: u64, notes: &mut Notes) -> Exit {
        let Machine { board, attempts, .. } = machine;
        let end = attempts.saturating_add(fuel);
        let mut virtual_board = self.guest.on(board);
        while *attempts < end {
            if virtual_board.pace().clock >= virtual_board.pace().attention {
                match poll(&mut self.hart, &mut virtual_board) {
                    Poll::Go => {}
                    Poll::Interrupted(trap) => {
                        *attempts += 1;
                        return taken(&mut virtual_board, trap);
                    }
                    Poll::PowerOff(code) => return Exit::End(End::PowerOff(code)),
                    Poll::Deadlock => return Exit::End(End::Deadlock),
                }
            }
            *attempts += 1;
            match step(&mut self.hart, &mut virtual_board, self.registers) {
                Step::Retired(insn) => notes.counts.interpreted[insn.op as usize] += 1,
                Step::Trapped(trap) => return taken(&mut virtual_board, trap),
                Step::DoubleFault(trap) => return Exit::End(End::DoubleFault(trap)),
            }
            if std::mem::take(&mut virtual_board.pace().returned) {
                return Exit::Virtual(Sync::Return, Delivery::Hardware);
            }
        }
        Exit::Fuel
    }

    fn answer(&mut self, _: &mut Machine, _: Trap, _: &mut Notes) -> Answer {
        // The guest never runs on the hardware, so the hardware never interrupts it.
        Answer::Resume
    }

    fn guest<'a>(&'a self, machine: &'a Machine) -> GuestView<'a> {
        self.guest.view(self.hart.clone(), machine)
    }
}

impl Inside for Interpret {
    fn hardware(&self, _: &Machine) -> Hardware<'_> {
        Hardware::own(self.hart.clone(), Execution::Emulated)
    }
}

impl Rewind for Interpret {
    fn copy(&self) -> Box<dyn Mode> {
        Box::new(self.clone())
    }

    fn edit(&mut self, machine: &mut Machine, edit: Edit, _: &mut Notes) -> Result<(), EditError> {
        apply(&mut self.hart, &mut self.guest.on(&mut machine.board), edit)
    }
}
