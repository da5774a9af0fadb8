//! The machine alone: no monitor. Every other mode is held to what happens here.

use std::sync::Arc;

use toy_isa::engine::Engine;
use toy_isa::machine::{Config, LoadError, Machine};
use toy_isa::trap::Trap;

use crate::edit::{Edit, EditError, apply};
use crate::guest::GuestView;
use crate::mode::{Answer, Exit, Inside, Mode, Notes, Rewind, native};
use crate::setup::Setup;
use crate::walk::hardware::{Execution, Hardware};

/// No monitor.
#[derive(Clone)]
pub struct Bare;

impl Bare {
    /// The machine that the guest expects, with the guest in it.
    ///
    /// # Errors
    /// If the image does not fit.
    pub fn build(setup: &Setup) -> Result<(Machine, Bare), LoadError> {
        let mut machine = Machine::new(Config {
            memory: setup.memory,
            profile: Arc::clone(&setup.profile),
            disk: setup.disk.clone(),
            input: setup.input.clone(),
            tlb: setup.tlb,
        });
        machine.load(&setup.image)?;
        Ok((machine, Bare))
    }
}

impl Mode for Bare {
    fn resume(&mut self, machine: &mut Machine, engine: &mut dyn Engine, fuel: u64, _: &mut Notes) -> Exit {
        native(engine.run(machine, fuel))
    }

    fn answer(&mut self, _: &mut Machine, _: Trap, _: &mut Notes) -> Answer {
        // The handler in ring 0 is the guest's own: it goes on by itself.
        Answer::Resume
    }

    fn guest<'a>(&'a self, machine: &'a Machine) -> GuestView<'a> {
        GuestView::bare(machine)
    }
}

impl Inside for Bare {
    fn hardware(&self, machine: &Machine) -> Hardware<'_> {
        Hardware::own(machine.hart.clone(), Execution::Direct)
    }
}

impl Rewind for Bare {
    fn copy(&self) -> Box<dyn Mode> {
        Box::new(self.clone())
    }

    fn edit(&mut self, machine: &mut Machine, edit: Edit, _: &mut Notes) -> Result<(), EditError> {
        apply(&mut machine.hart, &mut machine.board, edit)
    }
}
