//! The hybrid monitor of theorem 3: the guest's kernel is interpreted, instruction by instruction; its user code runs
//! directly.
//!
//! So it does not matter what a sensitive instruction does in the hands of a deprivileged kernel: it never executes
//! there. It is enough that user code cannot use it, which is less than theorem 1 asks of a machine (Popek and
//! Goldberg 1974, section 6).

use std::sync::Arc;

use toy_isa::cpu::{self, Step};
use toy_isa::engine::Engine;
use toy_isa::instruction::Registers;
use toy_isa::machine::{LoadError, Machine};
use toy_isa::profile::Profile;
use toy_isa::trap::Trap;

use crate::edit::{Edit, EditError};
use crate::event::Delivery;
use crate::guest::GuestView;
use crate::mode::{Answer, End, Exit, Inside, Mode, Notes, Rewind, Sync};
use crate::modes::trap::{Layout, TrapAndEmulate};
use crate::setup::Setup;
use crate::walk::hardware::{Execution, Hardware};

/// The monitor.
#[derive(Clone)]
pub struct Hybrid {
    /// Everything but the interpreter of kernel code.
    monitor: TrapAndEmulate,
}

impl Hybrid {
    /// A machine of this hardware profile with room for guest and monitor, and the guest in it at power-on.
    ///
    /// # Errors
    /// If the image does not fit the guest's memory.
    pub fn build(setup: &Setup, hardware: Arc<Profile>) -> Result<(Machine, Hybrid), LoadError> {
        let (machine, monitor) = TrapAndEmulate::build_on(setup, Layout::RingDeprivileging, hardware, 0)?;
        Ok((machine, Hybrid { monitor }))
    }

    /// Interprets the guest's next instruction. `None` to go on.
    fn interpret(&mut self, machine: &mut Machine, notes: &mut Notes) -> Option<Exit> {
        machine.attempts += 1;
        let step = self.monitor.virtually(machine, notes, |hart, board| {
            cpu::step(hart, board, Registers::Sixteen)
        });
        match step {
            Step::Retired(insn) => {
                notes.counts.interpreted[insn.op as usize] += 1;
                let returned = std::mem::take(&mut self.monitor.guest.pace.returned);
                returned.then_some(Exit::Virtual(Sync::Return, Delivery::Reflected))
            }
            Step::Trapped(trap) => Some(Exit::Virtual(Sync::Enter(trap), Delivery::Reflected)),
            Step::DoubleFault(trap) => Some(Exit::End(End::DoubleFault(trap))),
        }
    }
}

impl Mode for Hybrid {
    fn resume(
        &mut self,
        machine: &mut Machine,
        engine: &mut dyn Engine,
        fuel: u64,
        notes: &mut Notes,
    ) -> Exit {
        let end = machine.attempts.saturating_add(fuel);
        while self.monitor.resumed.is_none() {
            if machine.attempts >= end {
                return Exit::Fuel;
            }
            if let Some(exit) = self.monitor.poll_guest(machine, notes) {
                return exit;
            }
            let user = self.monitor.allocator.load(&machine.board).ring() == 3;
            match self.monitor.next_deadline(machine).filter(|_| user) {
                Some(deadline) => self.monitor.enter_guest(machine, deadline, notes),
                None => {
                    if let Some(exit) = self.interpret(machine, notes) {
                        return exit;
                    }
                }
            }
        }
        let fuel = end.saturating_sub(machine.attempts);
        self.monitor.run_guest(machine, engine, fuel, notes)
    }

    fn answer(&mut self, machine: &mut Machine, trap: Trap, notes: &mut Notes) -> Answer {
        self.monitor.dispatch(machine, trap, notes)
    }

    fn guest<'a>(&'a self, machine: &'a Machine) -> GuestView<'a> {
        self.monitor.guest(machine)
    }
}

impl Inside for Hybrid {
    fn hardware(&self, machine: &Machine) -> Hardware<'_> {
        let kernel = self.monitor.allocator.load(&machine.board).ring() < 3;
        let execution = if kernel {
            Execution::Emulated
        } else {
            Execution::Direct
        };
        Hardware {
            execution,
            ..self.monitor.hardware(machine)
        }
    }
}

impl Rewind for Hybrid {
    fn copy(&self) -> Box<dyn Mode> {
        Box::new(self.clone())
    }

    fn held(&self) -> usize {
        self.monitor.held()
    }

    fn edit(&mut self, machine: &mut Machine, edit: Edit, notes: &mut Notes) -> Result<(), EditError> {
        self.monitor.edit(machine, edit, notes)
    }
}
