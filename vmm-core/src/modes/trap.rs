//! Trap-and-emulate: the guest kernel runs deprivileged on the hardware, every privileged instruction traps, and
//! the monitor does to a *virtual* processor what the instruction asked for.
//!
//! The three parts are those of Popek and Goldberg (1974), section 4: the [`dispatcher`] decides, the
//! [`allocator`] owns the memory, and there is one interpreter [routine](routines) for each privileged row. Paging
//! adds a fourth, the [`shadow`] tables; [`world`] is the switch between monitor and guest.

pub mod allocator;
pub mod dispatcher;
pub mod routines;
pub mod shadow;
pub mod world;

use std::sync::Arc;

use toy_isa::cpu::{Poll, poll};
use toy_isa::engine::Engine;
use toy_isa::hart::Hart;
use toy_isa::machine::{LoadError, Machine};
use toy_isa::mmu::Access;
use toy_isa::profile::Profile;
use toy_isa::trap::Trap;

use crate::edit::{Edit, EditError, apply, set};
use crate::event::{AccessReason, Delivery, Event};
use crate::guest::{Guest, GuestView, VirtualBoard};
use crate::mode::{Answer, End, Exit, Inside, Mode, Notes, Rewind, Sync, entered, hosted};
use crate::modes::estate::Estate;
use crate::modes::para::look::Interface;
use crate::setup::Setup;
use crate::walk::hardware::Hardware;
use allocator::Allocator;
use shadow::Shadow;

/// In which real rings the guest's virtual rings run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layout {
    /// `0/1/3`: virtual rings 0..2 in real ring 1 behind `bound`, virtual ring 3 in ring 3 (ring deprivileging).
    RingDeprivileging,
    /// `0/3/3`: all virtual rings in real ring 3, with a shadow table for the kernel and one for the user (ring
    /// compression, as x86-64 needed it, where segment limits are gone).
    RingCompression,
}

/// A protection that can be lifted on purpose, so that a test can see the resource check catch it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// `bound` does not keep the guest below the monitor, and the monitor's pages are open to ring 3.
    ProtectionLifted,
}

/// The monitor.
#[derive(Clone)]
pub struct TrapAndEmulate {
    layout: Layout,
    /// User code runs in real ring 1 as well, where translated code can use windows; its shadow tables then hold only
    /// what the user may touch.
    pub(super) translates_user: bool,
    pub(super) allocator: Allocator,
    pub(super) shadow: Shadow,
    pub(super) guest: Guest,
    /// The real clock, and the ticks skipped on it, when the guest was resumed; `None` while the monitor has the
    /// processor.
    pub(super) resumed: Option<(u64, u64)>,
    bug: Option<Bug>,
}

impl TrapAndEmulate {
    /// A machine with room for guest and monitor, and the guest in it at power-on.
    ///
    /// # Errors
    /// If the image does not fit the guest's memory.
    pub fn build(setup: &Setup, layout: Layout) -> Result<(Machine, TrapAndEmulate), LoadError> {
        Self::build_on(setup, layout, Arc::clone(&setup.profile), 0)
    }

    /// As [`TrapAndEmulate::build`], on hardware with another profile than the guest expects, and with room for
    /// `cache_pages` pages of translated code.
    ///
    /// # Errors
    /// If the image does not fit the guest's memory.
    pub fn build_on(
        setup: &Setup,
        layout: Layout,
        hardware: Arc<Profile>,
        cache_pages: u32,
    ) -> Result<(Machine, TrapAndEmulate), LoadError> {
        let (mut machine, estate) = Estate::alone(setup, hardware);
        let monitor = Self::settle_on(setup, layout, &mut machine, estate, cache_pages)?;
        Ok((machine, monitor))
    }

    /// A monitor and its guest at power-on, on their own part of a machine.
    ///
    /// # Errors
    /// If the image does not fit the guest's memory.
    pub fn settle_on(
        setup: &Setup,
        layout: Layout,
        machine: &mut Machine,
        estate: Estate,
        cache_pages: u32,
    ) -> Result<TrapAndEmulate, LoadError> {
        let allocator = Allocator::on(machine, estate.monitor, cache_pages);
        crate::modes::load_scattered(machine, &estate.frames, setup)?;
        let mut guest = Guest::new(setup, estate.frames);
        guest.stores = Some(Vec::new());
        let mut monitor = TrapAndEmulate {
            layout,
            translates_user: false,
            shadow: Shadow::new(&allocator),
            guest,
            resumed: None,
            bug: None,
            allocator,
        };
        monitor.guest.on(&mut machine.board).power_on();
        monitor
            .allocator
            .store(&mut machine.board, &Hart::new(setup.image.entry));
        Ok(monitor)
    }

    /// Plants a bug.
    pub fn plant(&mut self, bug: Bug) {
        self.bug = Some(bug);
    }

    /// Looks at what comes before the guest's next instruction: devices, interrupts, the end. `None` to go on.
    pub(super) fn poll_guest(&mut self, machine: &mut Machine, notes: &mut Notes) -> Option<Exit> {
        match self.virtually(machine, notes, |hart, board| poll(hart, board)) {
            Poll::Go => None,
            Poll::Interrupted(trap) => Some(Exit::Virtual(Sync::Enter(trap), Delivery::Injected)),
            Poll::PowerOff(code) => Some(Exit::End(End::PowerOff(code))),
            Poll::Deadlock => Some(Exit::End(End::Deadlock)),
        }
    }

    /// Interprets the instruction at the guest's program counter. `None` to go on.
    pub(super) fn interpret_one(
        &mut self,
        machine: &mut Machine,
        why: AccessReason,
        notes: &mut Notes,
    ) -> Option<Exit> {
        let pc = self.allocator.load(&machine.board).pc;
        match self.step(machine, Access::Fetch, pc, why, notes) {
            Answer::Resume => None,
            Answer::Sync(sync) => Some(Exit::Virtual(sync, Delivery::Reflected)),
            Answer::End(end) => Some(Exit::End(end)),
        }
    }

    /// Runs the guest's own code until it leaves, and takes the processor back.
    pub(super) fn run_guest(
        &mut self,
        machine: &mut Machine,
        engine: &mut dyn Engine,
        fuel: u64,
        notes: &mut Notes,
    ) -> Exit {
        let exit = hosted(engine.run(machine, fuel));
        let Exit::Hardware(trap) = exit else { return exit };
        let exit = entered(machine, exit);
        self.leave_guest(machine, trap, notes);
        exit
    }

    /// Does something to the virtual processor on its virtual board, and then drops the shadow entries that were
    /// made from what it has changed.
    pub(super) fn virtually<T>(
        &mut self,
        machine: &mut Machine,
        notes: &mut Notes,
        act: impl FnOnce(&mut Hart, &mut VirtualBoard) -> T,
    ) -> T {
        let mut hart = self.allocator.load(&machine.board);
        let before = self.guest.enlightened.is_some().then(|| hart.clone());
        let result = act(&mut hart, &mut self.guest.on(&mut machine.board));
        self.allocator.store(&mut machine.board, &hart);
        notes.counts.guest_references += std::mem::take(&mut self.guest.references);
        if let Some(before) = before {
            notes.enlightened(&mut self.guest, &before);
        }
        for address in self.guest.stores.replace(Vec::new()).into_iter().flatten() {
            if self.shadow.stored(&mut machine.board, address) {
                notes.counts.shadow_drops += 1;
                notes.event(&self.guest, &hart, Event::ShadowDrop { entry: address });
            }
        }
        result
    }
}

impl Mode for TrapAndEmulate {
    fn resume(
        &mut self,
        machine: &mut Machine,
        engine: &mut dyn Engine,
        fuel: u64,
        notes: &mut Notes,
    ) -> Exit {
        let end = machine.attempts.saturating_add(fuel);
        while self.resumed.is_none() {
            if let Some(exit) = self.poll_guest(machine, notes) {
                return exit;
            }
            match self.next_deadline(machine) {
                Some(deadline) => self.enter_guest(machine, deadline, notes),
                None => {
                    if let Some(exit) = self.interpret_one(machine, AccessReason::Deadline, notes) {
                        return exit;
                    }
                }
            }
        }
        let fuel = end.saturating_sub(machine.attempts);
        self.run_guest(machine, engine, fuel, notes)
    }

    fn answer(&mut self, machine: &mut Machine, trap: Trap, notes: &mut Notes) -> Answer {
        self.dispatch(machine, trap, notes)
    }

    fn guest<'a>(&'a self, machine: &'a Machine) -> GuestView<'a> {
        let mut view = self.guest.view(self.allocator.load(&machine.board), machine);
        if let Some((clock, skipped)) = self.resumed {
            view.hart.x = machine.hart.x;
            view.hart.pc = machine.hart.pc;
            view.pace.clock += machine.board.pace.clock - clock;
            view.pace.skipped += machine.board.pace.skipped - skipped;
        }
        view
    }
}

impl Inside for TrapAndEmulate {
    fn interface(&self, machine: &Machine) -> Option<Interface> {
        self.guest.interface(machine)
    }

    fn hardware(&self, machine: &Machine) -> Hardware<'_> {
        let hart = self.allocator.load(&machine.board);
        let root = self.shadow.root(self.root_key(&hart));
        let csr = self.real_csrs(&hart, root.unwrap_or_default());
        Hardware::shadow(Hart { csr, ..hart }, &self.shadow, root)
    }
}

impl Rewind for TrapAndEmulate {
    fn copy(&self) -> Box<dyn Mode> {
        Box::new(self.clone())
    }

    fn held(&self) -> usize {
        size_of::<TrapAndEmulate>() + self.shadow.held()
    }

    fn edit(&mut self, machine: &mut Machine, edit: Edit, notes: &mut Notes) -> Result<(), EditError> {
        if self.resumed.is_some() {
            set(&mut machine.hart, edit);
        }
        let (resumed, x, pc) = (self.resumed.is_some(), machine.hart.x, machine.hart.pc);
        let done = self.virtually(machine, notes, |hart, board| apply(hart, board, edit));
        if resumed {
            // The save area holds nothing while the guest runs.
            (machine.hart.x, machine.hart.pc) = (x, pc);
        }
        done
    }
}
