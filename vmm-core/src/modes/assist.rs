//! Hardware assistance: the guest runs in non-root operation of the simulated processor (`toy_isa::root`), as under
//! VT-x or AMD-V. All four rings are its own, and so are its control registers: its system calls, page faults and
//! returns never leave. It leaves by what the control structure names, and this monitor answers.
//!
//! The monitor's Rust code stands in for software in ring 0 of root operation. What it owns is in simulated memory,
//! where no table leads that the guest is under: the control [`structure`], and the page tables, [`nested`] or, to
//! compare, shadows. [`exits`] is the dispatcher.

pub mod exits;
pub mod nested;
pub mod structure;

use std::sync::Arc;

use toy_isa::cpu::{Poll, look};
use toy_isa::engine::{Engine, Exit as EngineExit};
use toy_isa::hart::Hart;
use toy_isa::machine::Machine;
use toy_isa::mmu::PAGE;
use toy_isa::profile::Profile;
use toy_isa::root::{self, Exits, How, Operation, layout};
use toy_isa::row::Row;
use toy_isa::table::{Csr, Op};
use toy_isa::trap::{Cause, Trap};

use crate::edit::{Edit, EditError, apply, set};
use crate::event::{Delivery, Event};
use crate::guest::{Guest, GuestView, VirtualBoard};
use crate::mode::{Answer, End, Exit, Inside, Mode, Notes, Rewind, Sync, native};
use crate::modes::estate::Estate;
use crate::modes::para::look::Interface;
use crate::modes::trap::allocator::Allocator;
use crate::modes::trap::shadow::{RootKey, Shadow, View};
use crate::setup::{Setup, StartError};
use crate::walk::hardware::{Execution, Hardware, Tables as Walked};
use nested::Nested;
use structure::Structure;

/// How guest-physical memory is made out of real memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Paging {
    /// The hardware walks a second table behind the guest's own.
    Nested,
    /// The monitor makes one table of the guest's own and its map, and the hardware walks that.
    Shadow,
}

/// A protection that can be lifted on purpose, so that a test can see the resource check catch it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// Where the guest has no memory, the nested table leads to whatever is there in real memory.
    ProtectionLifted,
}

/// The tables that the hardware walks for the guest.
#[derive(Clone)]
enum Tables {
    Nested(Nested),
    Shadow(Shadow),
}

/// The monitor regains control after so many traps of the guest's own, too: they take no time, and a guest that does
/// nothing else is not reached by the countdown.
const TRAPS: u32 = 256;

/// The monitor.
#[derive(Clone)]
pub struct Assist {
    guest: Guest,
    structure: Structure,
    tables: Tables,
    how: How,
    /// The word of the instruction at which the guest left, as far as there is one.
    detail: u32,
    /// A trap that the guest has to take when it is entered, and how it comes to it.
    inject: Option<(Trap, Delivery)>,
    bug: Option<Bug>,
}

/// The exits without which the monitor would lose control, or the guest would see another machine than its own:
/// devices, time and interrupts are virtual.
fn needed(paging: Paging) -> Exits {
    let mut exits = Exits::default();
    for op in [Op::In, Op::Out, Op::Wfi] {
        exits.add_row(Row::Op(op));
    }
    for csr in [Csr::Timer, Csr::Irq] {
        exits.add_row(Row::Read(csr));
        exits.add_row(Row::Write(csr));
    }
    if paging == Paging::Shadow {
        // The processor has the shadow where the guest believes its own table to be.
        exits.add_row(Row::Read(Csr::Ptbr));
        exits.add_row(Row::Write(Csr::Ptbr));
        exits.add_row(Row::Op(Op::Prober));
        exits.add_row(Row::Op(Op::Probew));
        for cause in [Cause::FetchPage, Cause::LoadPage, Cause::StorePage] {
            exits.add_cause(cause);
        }
    }
    exits
}

impl Assist {
    /// A machine with room for guest and monitor, on this hardware, and the guest in it at power-on.
    ///
    /// # Errors
    /// If the hardware has no root operation, or the image does not fit the guest's memory.
    pub fn build(
        setup: &Setup,
        paging: Paging,
        hardware: Arc<Profile>,
    ) -> Result<(Machine, Assist), StartError> {
        let (mut machine, estate) = Estate::alone(setup, hardware);
        let monitor = Self::settle_on(setup, paging, &mut machine, estate)?;
        Ok((machine, monitor))
    }

    /// A monitor and its guest at power-on, on their own part of a machine.
    ///
    /// # Errors
    /// If the hardware has no root operation, or the image does not fit the guest's memory.
    pub fn settle_on(
        setup: &Setup,
        paging: Paging,
        machine: &mut Machine,
        estate: Estate,
    ) -> Result<Assist, StartError> {
        let hardware = machine.board.profile_handle();
        if !hardware.root_operation() {
            return Err(StartError::NoRootOperation(hardware.describe()));
        }
        let allocator = Allocator::on(machine, estate.monitor, 0);
        crate::modes::load_scattered(machine, &estate.frames, setup)?;
        let mut guest = Guest::new(setup, estate.frames);
        let tables = match paging {
            Paging::Nested => Tables::Nested(Nested::new(allocator.table_pages())),
            Paging::Shadow => {
                guest.stores = Some(Vec::new());
                Tables::Shadow(Shadow::apart(&allocator))
            }
        };
        let mut exits = needed(paging).or(setup.exits).without(setup.no_exits);
        if guest.enlightened.is_some() {
            exits.add_cause(Cause::Hypercall);
        }
        // Pages 0 and 1 of the monitor's own, as in trap-and-emulate: where it is entered, where the guest is saved.
        let structure = Structure::begin(
            &mut machine.board,
            allocator.monitor() + PAGE,
            allocator.monitor(),
            exits,
            paging == Paging::Shadow,
            &Hart::new(setup.image.entry),
        );
        machine.hart.operation = Operation::Root;
        Ok(Assist {
            guest,
            structure,
            tables,
            how: How::First,
            detail: 0,
            inject: None,
            bug: None,
        })
    }

    /// Plants a bug.
    pub fn plant(&mut self, bug: Bug) {
        self.bug = Some(bug);
    }

    /// Does something to the guest's processor on its virtual board. What that changes of the processor stays only if
    /// it does not end in a trap, which the hardware will inject.
    fn virtually<T>(
        &mut self,
        machine: &mut Machine,
        notes: &mut Notes,
        act: impl FnOnce(&mut Hart, &mut VirtualBoard) -> Result<T, Trap>,
    ) -> Result<T, Trap> {
        let mut hart = self.structure.load(&machine.board);
        let before = hart.clone();
        let result = act(&mut hart, &mut self.guest.on(&mut machine.board));
        if result.is_ok() {
            self.structure.store(&mut machine.board, &before, &hart);
        }
        self.settle(machine, &before, notes);
        result
    }

    /// Counts what was done on the virtual board, and drops the shadow entries that were made from what it has changed.
    fn settle(&mut self, machine: &mut Machine, hart: &Hart, notes: &mut Notes) {
        notes.counts.guest_references += std::mem::take(&mut self.guest.references);
        notes.counts.structure_words += std::mem::take(&mut self.structure.words);
        notes.enlightened(&mut self.guest, hart);
        let stores = self.guest.stores.as_mut().map(std::mem::take);
        for address in stores.into_iter().flatten() {
            let Tables::Shadow(shadow) = &mut self.tables else {
                break;
            };
            if shadow.stored(&mut machine.board, address) {
                notes.counts.shadow_drops += 1;
                notes.event(&self.guest, hart, Event::ShadowDrop { entry: address });
            }
        }
    }

    /// Enters the guest, unless it is over. `Some` if its processor has changed hands with that.
    fn enter(&mut self, machine: &mut Machine, notes: &mut Notes) -> Option<Exit> {
        let hart = self.structure.peek(&machine.board);
        if self.inject.is_none() {
            let found = look(&hart, &mut self.guest.on(&mut machine.board));
            self.settle(machine, &hart, notes);
            match found {
                Poll::Go => {}
                Poll::Interrupted(trap) => self.inject = Some((trap, Delivery::Injected)),
                Poll::PowerOff(code) => return Some(Exit::End(End::PowerOff(code))),
                Poll::Deadlock => return Some(Exit::End(End::Deadlock)),
            }
        }
        let inject = self.inject.take();
        self.control(machine, &hart, inject.map(|(trap, _)| trap), notes);
        let start = machine.board.pace.clock;
        let Machine {
            hart: real, board, ..
        } = machine;
        if let Err(error) = root::enter(real, board, self.structure.address(), self.how, start) {
            return Some(Exit::End(End::Refused(error)));
        }
        self.how = How::Again;
        notes.counts.vm_entries += 1;
        notes.counts.structure_words += std::mem::take(&mut self.structure.words);
        let event = Event::VmEntry {
            inject: inject.map(|(trap, _)| trap),
        };
        notes.event(&self.guest, &hart, event);
        let (trap, how) = inject?;
        Some(Exit::Virtual(Sync::Enter(trap), how))
    }

    /// Writes what the processor has to know of this stretch: how long it may last, what time it is for the guest,
    /// which table to walk, what to inject.
    fn control(&mut self, machine: &mut Machine, hart: &Hart, inject: Option<Trap>, notes: &mut Notes) {
        let clock = self.guest.pace.clock;
        let board = &mut machine.board;
        let table = match &mut self.tables {
            Tables::Nested(nested) => (layout::NESTED, nested.pointer()),
            Tables::Shadow(shadow) => {
                let key = root_key(hart);
                let switch = shadow.switch(board, &self.guest.frames, key, false);
                notes.shadow_switch(&self.guest, hart, &switch);
                (layout::GUEST_PTBR, switch.root | 1)
            }
        };
        // A line that the guest does not take now waits for the moment at which it will.
        let entering = self.guest.pace.entering;
        let activity = if entering { layout::ENTERING } else { 0 };
        let waiting = self.guest.devices.wanted(clock) != 0;
        let window = if waiting { layout::WINDOW } else { 0 };
        let offset = clock.wrapping_sub(board.pace.clock);
        let mut words = vec![
            table,
            (layout::COUNTDOWN, self.guest.undisturbed() as u32),
            (layout::TRAPS, TRAPS),
            (layout::OPTIONS, layout::EXTERNAL | window),
            (layout::ACTIVITY, activity),
            (layout::OFFSET, offset as u32),
            (layout::OFFSET + 4, (offset >> 32) as u32),
        ];
        if let Some(trap) = inject {
            words.push((layout::INJECT, 1));
            words.push((layout::INJECT_CAUSE, trap.cause.code()));
            words.push((layout::INJECT_VALUE, trap.tval));
        }
        for (offset, value) in words {
            self.structure.put(board, offset, value);
        }
    }

    /// The guest has left: its clock goes on.
    fn left(&mut self, machine: &mut Machine, trap: Trap, notes: &mut Notes) {
        let exit = self.structure.exit(&machine.board);
        debug_assert_eq!(exit.trap, Some(trap), "the structure tells what the engine tells");
        self.guest.pace.clock += exit.ran;
        self.guest.pace.attention = 0;
        self.guest.pace.entering = exit.entering;
        self.detail = exit.detail;
        notes.counts.exits += 1;
        notes.counts.vm_exit(trap);
        let hart = self.structure.peek(&machine.board);
        notes.event(&self.guest, &hart, Event::VmExit { trap });
    }
}

/// The shadow that a guest in this state runs on.
fn root_key(hart: &Hart) -> RootKey {
    RootKey {
        ptbr: if hart.csr.paging() { hart.csr.ptbr } else { 0 },
        view: View::Both,
    }
}

impl Mode for Assist {
    fn resume(
        &mut self,
        machine: &mut Machine,
        engine: &mut dyn Engine,
        fuel: u64,
        notes: &mut Notes,
    ) -> Exit {
        if machine.hart.controls().is_none()
            && let Some(exit) = self.enter(machine, notes)
        {
            return exit;
        }
        match engine.run(machine, fuel) {
            EngineExit::Left(trap) => {
                self.left(machine, trap, notes);
                Exit::Hardware(trap)
            }
            other => native(other),
        }
    }

    fn answer(&mut self, machine: &mut Machine, trap: Trap, notes: &mut Notes) -> Answer {
        self.dispatch(machine, trap, notes)
    }

    fn guest<'a>(&'a self, machine: &'a Machine) -> GuestView<'a> {
        let saved = self.structure.peek(&machine.board);
        let Some(controls) = machine.hart.controls() else {
            return self.guest.view(saved, machine);
        };
        let mut hart = Hart::new(machine.hart.pc);
        (hart.x, hart.csr) = (machine.hart.x, machine.hart.csr);
        if matches!(self.tables, Tables::Shadow(_)) {
            hart.csr.ptbr = saved.csr.ptbr;
        }
        let mut view = self.guest.view(hart, machine);
        view.pace.clock += machine.board.pace.clock - controls.start;
        view
    }
}

impl Inside for Assist {
    fn interface(&self, machine: &Machine) -> Option<Interface> {
        self.guest.interface(machine)
    }

    fn hardware(&self, machine: &Machine) -> Hardware<'_> {
        let mut hart = self.guest(machine).hart;
        match &self.tables {
            Tables::Nested(nested) => {
                hart.nested = nested.pointer();
                Hardware {
                    tables: Walked::Nested,
                    ..Hardware::own(hart, Execution::Direct)
                }
            }
            Tables::Shadow(shadow) => {
                let root = shadow.root(root_key(&hart));
                hart.csr.ptbr = root.unwrap_or_default() | 1;
                Hardware::shadow(hart, shadow, root)
            }
        }
    }
}

impl Rewind for Assist {
    fn copy(&self) -> Box<dyn Mode> {
        Box::new(self.clone())
    }

    fn held(&self) -> usize {
        let tables = match &self.tables {
            Tables::Nested(nested) => nested.held(),
            Tables::Shadow(shadow) => shadow.held(),
        };
        size_of::<Assist>() + tables
    }

    fn edit(&mut self, machine: &mut Machine, edit: Edit, notes: &mut Notes) -> Result<(), EditError> {
        let before = self.structure.peek(&machine.board);
        let mut hart = before.clone();
        let done = apply(&mut hart, &mut self.guest.on(&mut machine.board), edit);
        if machine.hart.controls().is_some() {
            set(&mut machine.hart, edit);
        } else {
            self.structure.store(&mut machine.board, &before, &hart);
        }
        self.settle(machine, &before, notes);
        done
    }
}

#[cfg(test)]
mod tests;
