//! Pure emulation by translation: the guest's machine is a data structure, and blocks of its code are executed as code
//! of the host.
//!
//! What `interpret` decides for each instruction is decided once for each block: emitted code knows its operands,
//! counts itself and goes on to the next block. It is kept, linked, and forgotten when the guest stores to what it was
//! made from (`accel`, ADR 12).
//!
//! Isolation does not come for free any more. An interpreter cannot name what is not the guest's; emitted code could,
//! because it runs on the host's own processor with all rights of this process. Three things keep it in:
//!
//! - it is made of computation and checked accesses only, and leaves before whatever else the guest wants done;
//! - an access either compares its address with a window of the guest's memory, or adds what stands for its page in a
//!   table that only pages of that memory are entered in;
//! - each block takes its length off a budget before anything else, so the monitor has the processor back in time.
//!
//! A run is judged by what the last two come to: [`Emulated::watched`] and [`Emulated::longest`].

use std::sync::Arc;

use accel::{Confinement, HostCode, X86_64};
use toy_isa::engine::{Engine, Exit as EngineExit};
use toy_isa::machine::{Config, Machine};
use toy_isa::mmu::PAGE;
use toy_isa::trap::Trap;

use crate::edit::{Edit, EditError, apply};
use crate::guest::GuestView;
use crate::mode::{Answer, Exit, Inside, Mode, Notes, Rewind, native};
use crate::setup::{Setup, StartError};
use crate::walk::hardware::{Execution, Hardware};

/// A machine that is a data structure of the monitor, with what executes its code.
pub struct Emulated {
    /// The machine.
    pub machine: Machine,
    /// What a copy has not got yet.
    engine: Option<X86_64>,
    longest: u64,
    watched: Option<Watched>,
}

impl Clone for Emulated {
    /// The copy has no emitted code: it makes its own when it runs.
    fn clone(&self) -> Emulated {
        Emulated {
            machine: self.machine.clone(),
            engine: None,
            longest: self.longest,
            watched: self.watched.clone(),
        }
    }
}

/// What was seen of what emitted code can reach.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watched {
    /// How often somebody looked: whenever emitted code was left for good.
    pub looks: u64,
    /// The most pages of addresses that led straight to memory.
    pub most: u64,
    /// The first page that led elsewhere than to the guest's memory.
    pub astray: Option<u32>,
}

impl Emulated {
    /// The most instructions, with interrupts taken, for which emitted code had the host's processor at a time.
    pub fn longest(&self) -> u64 {
        self.longest
    }

    /// From now on, remembers what emitted code is for, so that [`Emulated::code`] has it.
    pub fn keep_listing(&mut self) {
        if let Some(engine) = &mut self.engine {
            engine.keep_listing();
        }
    }

    /// The emitted code that there is, with what it was made from.
    pub fn code(&self) -> HostCode {
        self.engine.as_ref().map(X86_64::code).unwrap_or_default()
    }

    /// From now on, looks at what emitted code can reach.
    pub fn watch(&mut self) {
        self.watched.get_or_insert_default();
    }

    /// What was seen, if somebody has looked.
    pub fn watched(&self) -> Option<&Watched> {
        self.watched.as_ref()
    }

    fn run(&mut self, fuel: u64) -> EngineExit {
        let before = self.machine.attempts;
        let engine = match &mut self.engine {
            Some(engine) => engine,
            none => match X86_64::new() {
                Ok(engine) => none.insert(engine.without_tlb()),
                Err(_) => return EngineExit::Failed,
            },
        };
        let exit = engine.run(&mut self.machine, fuel);
        self.longest = self.longest.max(self.machine.attempts - before);
        if let Some(watched) = &mut self.watched {
            let Confinement { pages, astray } = engine.confinement(&self.machine);
            watched.looks += 1;
            watched.most = watched.most.max(pages);
            watched.astray = watched.astray.or(astray.first().copied());
        }
        exit
    }
}

/// The emulator.
#[derive(Clone)]
pub struct Jit {
    emulated: Emulated,
    quantum: u64,
}

impl Jit {
    /// A real machine that has nothing to do, and the emulated one with the guest in it.
    ///
    /// # Errors
    /// If the image does not fit the guest's memory, or the host has no engine that emits code.
    pub fn build(setup: &Setup) -> Result<(Machine, Jit), StartError> {
        let config = |memory| Config {
            memory,
            profile: Arc::clone(&setup.profile),
            disk: Vec::new(),
            input: Vec::new(),
            tlb: setup.tlb,
        };
        let mut machine = Machine::new(Config {
            disk: setup.disk.clone(),
            input: setup.input.clone(),
            ..config(setup.memory)
        });
        machine.load(&setup.image)?;
        let emulated = Emulated {
            machine,
            engine: Some(X86_64::new().map_err(StartError::NoTranslator)?.without_tlb()),
            longest: 0,
            watched: None,
        };
        let quantum = setup.quantum;
        Ok((Machine::new(config(PAGE)), Jit { emulated, quantum }))
    }
}

impl Mode for Jit {
    fn resume(&mut self, machine: &mut Machine, _: &mut dyn Engine, fuel: u64, notes: &mut Notes) -> Exit {
        let exit = self.emulated.run(fuel.min(self.quantum));
        machine.attempts = self.emulated.machine.attempts;
        let counts = &mut *notes.counts;
        counts.emitted = self.emulated.machine.histogram;
        // How much was translated is this engine's affair, and part of the price of an emitted instruction.
        let translated = self
            .emulated
            .engine
            .as_ref()
            .map(X86_64::translated)
            .unwrap_or_default();
        counts.units = translated.blocks;
        counts.links = translated.links;
        counts.cache_flushes = translated.flushes;
        native(exit)
    }

    fn answer(&mut self, _: &mut Machine, _: Trap, _: &mut Notes) -> Answer {
        // The guest never runs on the simulated hardware, so that never interrupts it.
        Answer::Resume
    }

    fn guest<'a>(&'a self, _: &'a Machine) -> GuestView<'a> {
        GuestView::bare(&self.emulated.machine)
    }
}

impl Inside for Jit {
    fn hardware(&self, _: &Machine) -> Hardware<'_> {
        Hardware::own(self.emulated.machine.hart.clone(), Execution::Emulated)
    }

    fn emulated(&self) -> Option<&Emulated> {
        Some(&self.emulated)
    }

    fn emulated_mut(&mut self) -> Option<&mut Emulated> {
        Some(&mut self.emulated)
    }
}

impl Rewind for Jit {
    fn copy(&self) -> Box<dyn Mode> {
        Box::new(self.clone())
    }

    fn edit(&mut self, _: &mut Machine, edit: Edit, _: &mut Notes) -> Result<(), EditError> {
        let Machine { hart, board, .. } = &mut self.emulated.machine;
        apply(hart, board, edit)
    }
}
