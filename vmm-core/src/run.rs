//! The one loop: resume the guest, see why it left, answer, resume.

use toy_isa::engine::{Engine, Figures};
use toy_isa::machine::{Board, Machine};
use toy_isa::mmu::PAGE;
use toy_isa::ram::Ram;
use toy_isa::table::Op;

use crate::counts::Counts;
use crate::edit::{Edit, EditError};
use crate::engine::EngineName;
use crate::event::{Delivery, Event, Log};
use crate::guest::GuestView;
use crate::mode::{Answer, End, Exit, Mode, ModeName, Notes, Sync};
use crate::modes::jit::Emulated;
use crate::modes::para::look::Interface;
use crate::modes::translate::Translate;
use crate::modes::translate::listing::{self, UnitListing};
use crate::setup::{Setup, StartError};
use crate::walk::hardware::Hardware;

/// How many events a run keeps unless it is told otherwise.
pub const LOG_CAPACITY: usize = 65_536;

/// A guest under one mode, on its way.
pub struct Run {
    /// Which mode.
    pub mode_name: ModeName,
    /// What happened.
    pub log: Log,
    machine: Machine,
    mode: Box<dyn Mode>,
    engine: Box<dyn Engine>,
    counts: Counts,
    ended: Option<End>,
    /// The guest's clock when the monitor last had control, and the longest it was without.
    last_control: u64,
    longest_without_control: u64,
}

/// What a run was at, but for what its memories held.
pub(crate) struct Still {
    log: Log,
    machine: Machine,
    mode: Box<dyn Mode>,
    counts: Counts,
    ended: Option<End>,
    last_control: u64,
    longest_without_control: u64,
}

/// Why [`Run::advance`] came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The guest's processor changed hands.
    Sync(Sync),
    /// The fuel is used up.
    Fuel,
    /// The guest is over.
    End(End),
}

impl Run {
    /// A guest at power-on.
    ///
    /// # Errors
    /// If the image does not fit the machine, there is no image for this mode, or the host has no such engine.
    pub fn new(setup: &Setup, mode_name: ModeName, engine: EngineName) -> Result<Run, StartError> {
        let (machine, mode) = mode_name.build(setup)?;
        Run::with(mode_name, machine, mode, engine)
    }

    /// As [`Run::new`], with a mode that was built by hand.
    ///
    /// # Errors
    /// If the host has no such engine.
    pub fn with(
        mode_name: ModeName,
        machine: Machine,
        mode: Box<dyn Mode>,
        engine: EngineName,
    ) -> Result<Run, StartError> {
        Ok(Run {
            mode_name,
            log: Log::new(LOG_CAPACITY),
            machine,
            mode,
            engine: mode_name.engine(engine).build(true)?,
            counts: Counts::default(),
            ended: None,
            last_control: 0,
            longest_without_control: 0,
        })
    }

    /// Runs until the guest's processor changes hands, the guest ends, or `fuel` attempts have been made.
    pub fn advance(&mut self, fuel: u64) -> Stop {
        let deadline = self.machine.attempts.saturating_add(fuel);
        loop {
            let left = deadline.saturating_sub(self.machine.attempts);
            if let Some(stop) = self.turn(left) {
                return stop;
            }
        }
    }

    /// Resumes the guest once, for `fuel` attempts at the most, and answers what it leaves by. `None` if that was
    /// between it and the monitor.
    pub fn turn(&mut self, fuel: u64) -> Option<Stop> {
        if let Some(end) = self.ended {
            return Some(Stop::End(end));
        }
        if fuel == 0 {
            return Some(Stop::Fuel);
        }
        let mut notes = Notes {
            log: &mut self.log,
            counts: &mut self.counts,
        };
        let exit = self
            .mode
            .resume(&mut self.machine, &mut *self.engine, fuel, &mut notes);
        self.watch_control(&exit);
        match exit {
            Exit::Hardware(trap) => {
                let mut notes = Notes {
                    log: &mut self.log,
                    counts: &mut self.counts,
                };
                match self.mode.answer(&mut self.machine, trap, &mut notes) {
                    Answer::Resume => {}
                    Answer::Sync(sync) => return Some(self.sync(sync, Delivery::Reflected)),
                    Answer::End(end) => self.ended = Some(end),
                }
            }
            Exit::Virtual(sync, how) => return Some(self.sync(sync, how)),
            Exit::Fuel => {}
            Exit::End(end) => self.ended = Some(end),
        }
        None
    }

    fn sync(&mut self, sync: Sync, how: Delivery) -> Stop {
        let view = self.mode.guest(&self.machine);
        let (clock, mut hart) = (view.pace.clock, view.hart);
        match sync {
            Sync::Enter(trap) => {
                match how {
                    Delivery::Hardware => self.counts.trap(trap.cause),
                    Delivery::Reflected => self.counts.reflected += 1,
                    Delivery::Injected => self.counts.injected += 1,
                    Delivery::Upcall => self.counts.upcalls += 1,
                }
                // The trap belongs where it was taken: its frame tells.
                hart.pc = hart.csr.epc;
                hart.csr.status = hart.csr.status.returned();
                self.log.push(clock, &hart, Event::Enter { trap, how });
            }
            Sync::Left(trap) => {
                self.counts.vm_exit(trap);
                self.log.push(clock, &hart, Event::VmExit { trap });
            }
            Sync::Return => {
                if how == Delivery::Hardware {
                    self.counts.returns += 1;
                }
                let ring = hart.ring();
                self.log.push(clock, &hart, Event::Return { ring });
            }
        }
        Stop::Sync(sync)
    }

    /// Measures how long the guest kept the processor to itself.
    fn watch_control(&mut self, exit: &Exit) {
        let clock = self.machine.board.pace.clock;
        self.longest_without_control = self.longest_without_control.max(clock - self.last_control);
        // What the hardware delivers inside the guest does not wake the monitor.
        if !matches!(exit, Exit::Fuel | Exit::Virtual(_, Delivery::Hardware)) {
            self.last_control = clock;
        }
    }

    /// Runs to the end, or until `budget` attempts have been made since the beginning.
    pub fn finish(&mut self, budget: u64) -> End {
        loop {
            match self.advance(budget.saturating_sub(self.machine.attempts)) {
                Stop::Sync(_) => {}
                Stop::Fuel => return End::Budget,
                Stop::End(end) => return end,
            }
        }
    }

    /// Runs until one guest instruction has retired or trapped: the step of lockstep comparison.
    pub fn step(&mut self, budget: u64) -> Stop {
        let before = self.guest().pace.retired();
        loop {
            if self.machine.attempts >= budget {
                return Stop::Fuel;
            }
            match self.advance(1) {
                Stop::Fuel if self.guest().pace.retired() == before => {}
                stop => return stop,
            }
        }
    }

    /// The guest as it sees itself.
    pub fn guest(&self) -> GuestView<'_> {
        self.mode.guest(&self.machine)
    }

    /// See [`Inside::translator`](crate::mode::Inside::translator).
    pub fn translator(&self) -> Option<&Translate> {
        self.mode.translator()
    }

    /// The units of translated code, in the order in which they were translated; none where nothing is translated.
    pub fn units(&self) -> Vec<UnitListing> {
        let units = self.translator().map(|translator| translator.cache().units());
        units
            .into_iter()
            .flatten()
            .map(|unit| listing::list(unit))
            .collect()
    }

    /// See [`Inside::interface`](crate::mode::Inside::interface).
    pub fn interface(&self) -> Option<Interface> {
        self.mode.interface(&self.machine)
    }

    /// See [`Inside::lent`](crate::mode::Inside::lent).
    pub fn lent(&self) -> Vec<u32> {
        self.mode.lent()
    }

    /// See [`Inside::hardware`](crate::mode::Inside::hardware).
    pub fn hardware(&self) -> Hardware<'_> {
        self.mode.hardware(&self.machine)
    }

    /// The real machine.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// The real machine, for observers that keep notes on its board.
    pub fn machine_mut(&mut self) -> &mut Machine {
        &mut self.machine
    }

    /// The machine whose memory is the guest's, for the same: the real one, or the one that is emulated.
    pub fn guest_machine_mut(&mut self) -> &mut Machine {
        match self.mode.emulated_mut() {
            Some(emulated) => &mut emulated.machine,
            None => &mut self.machine,
        }
    }

    /// See [`Inside::emulated`](crate::mode::Inside::emulated).
    pub fn emulated(&self) -> Option<&Emulated> {
        self.mode.emulated()
    }

    /// See [`Inside::emulated_mut`](crate::mode::Inside::emulated_mut).
    pub fn emulated_mut(&mut self) -> Option<&mut Emulated> {
        self.mode.emulated_mut()
    }

    /// What the run is at now, without what its memories hold.
    pub(crate) fn still(&mut self) -> Still {
        let memories = self.take_memories();
        let still = Still {
            log: self.log.without_records(),
            machine: self.machine.clone(),
            mode: self.mode.copy(),
            counts: self.counts.clone(),
            ended: self.ended,
            last_control: self.last_control,
            longest_without_control: self.longest_without_control,
        };
        self.put_memories(memories);
        still
    }

    /// Goes back to what the run was at; whoever asks for that puts back what the memories held. Of the log nothing is
    /// left but where it stood.
    pub(crate) fn go_back(&mut self, still: &Still) {
        let memories = self.take_memories();
        self.log = still.log.clone();
        self.machine = still.machine.clone();
        self.mode = still.mode.copy();
        self.counts = still.counts.clone();
        self.ended = still.ended;
        self.last_control = still.last_control;
        self.longest_without_control = still.longest_without_control;
        self.put_memories(memories);
        self.engine.forget();
    }

    /// Changes the guest where it stands; a word's address is the guest's own. What follows is another run's future.
    ///
    /// # Errors
    /// If there is nothing like that to be changed, or not here.
    pub fn edit(&mut self, edit: Edit) -> Result<(), EditError> {
        let edit = match edit {
            Edit::Register { number, .. } if !(1..16).contains(&number) => {
                return Err(EditError::NoRegister(number));
            }
            Edit::Pc(pc) if pc % 4 != 0 => return Err(EditError::Misaligned(pc)),
            Edit::Word { address, .. } if address % 4 != 0 => return Err(EditError::Misaligned(address)),
            Edit::Word { address, value } => {
                let guest = self.guest();
                let real = guest.real(address).ok_or(EditError::NoMemory(address))?;
                let page = guest
                    .guest_page(real / PAGE)
                    .ok_or(EditError::NoMemory(address))?;
                let address = page * PAGE + real % PAGE;
                Edit::Word { address, value }
            }
            other => other,
        };
        let mut notes = Notes {
            log: &mut self.log,
            counts: &mut self.counts,
        };
        self.mode.edit(&mut self.machine, edit, &mut notes)
    }

    /// What a copy of the monitor's and the board's own data structures takes, about, in bytes.
    pub(crate) fn held(&self) -> usize {
        let boards =
            std::iter::once(&self.machine).chain(self.mode.emulated().map(|emulated| &emulated.machine));
        let boards: usize = boards.map(|machine| machine.board.tlb.held()).sum();
        boards + self.mode.held()
    }

    /// The boards that there are: the real one, and one that is emulated.
    pub(crate) fn boards(&mut self) -> Vec<&mut Board> {
        let emulated = self.mode.emulated_mut();
        let emulated = emulated.map(|emulated| &mut emulated.machine.board);
        std::iter::once(&mut self.machine.board).chain(emulated).collect()
    }

    fn take_memories(&mut self) -> Vec<Ram> {
        let boards = self.boards().into_iter();
        boards
            .map(|board| std::mem::replace(&mut board.ram, Ram::new(0)))
            .collect()
    }

    fn put_memories(&mut self, memories: Vec<Ram>) {
        for (board, ram) in self.boards().into_iter().zip(memories) {
            board.ram = ram;
        }
    }

    /// How the guest ended, if it has.
    pub fn ended(&self) -> Option<End> {
        self.ended
    }

    /// What the engine has to say about how it executed.
    pub fn figures(&self) -> Figures {
        self.engine.figures()
    }

    /// The longest stretch of clock ticks that the guest had without the monitor getting control.
    pub fn longest_without_control(&self) -> u64 {
        self.longest_without_control
    }

    /// What was counted so far.
    pub fn counts(&self) -> Counts {
        let mut counts = self.counts.clone();
        for (direct, (all, translated)) in counts
            .direct
            .iter_mut()
            .zip(self.machine.histogram.iter().zip(counts.translated))
        {
            *direct = all - translated;
        }
        let tally = self.machine.board.observer.tally.as_ref();
        counts.identical = tally.map_or(0, |tally| tally.retired);
        let entries = [Op::Vmenter, Op::Vmresume].map(|op| self.machine.histogram[op as usize]);
        counts.vm_entries += entries.iter().sum::<u64>();
        counts.device_registers = self.guest().devices.accesses;
        // What is emulated is not translated by the real processor, whatever the engine.
        let counted = self.engine.counts_tlb() || self.mode_name.is_emulation();
        counts.tlb = counted.then_some(self.machine.board.tlb.counts);
        counts
    }
}
