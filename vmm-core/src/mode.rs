//! Execution modes: the methods of virtualization, behind one small trait.

use std::sync::Arc;

use toy_isa::engine::{Engine, Exit as EngineExit};
use toy_isa::hart::Hart;
use toy_isa::instruction::Instruction;
use toy_isa::machine::Machine;
use toy_isa::trap::Trap;

use crate::counts::Counts;
use crate::event::{Delivery, Event, Log};
use crate::guest::{Guest, GuestView};
use crate::hundred::HundredLines;
use crate::modes::trap::Layout;
use crate::modes::{bare::Bare, interpret::Interpret, trap::TrapAndEmulate};
use crate::setup::Setup;

/// A point at which the guest's processor changes hands, on bare hardware as under a monitor: where states are
/// compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sync {
    /// The guest's trap handler was entered.
    Enter(Trap),
    /// The guest's kernel returned from a trap.
    Return,
}

/// Why the guest is not running any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Hardware entered ring 0, where the monitor lives: the monitor has to answer.
    Hardware(Trap),
    /// The guest's own processor changed hands in this way, and nobody has to answer.
    Virtual(Sync, Delivery),
    /// The fuel is used up, or the engine wants to be asked again.
    Fuel,
    /// The guest is over.
    End(End),
}

/// How a guest ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It switched its machine off, with this exit code.
    PowerOff(u32),
    /// It waits for an interrupt that can never come.
    Deadlock,
    /// The first instruction of its trap handler could not be fetched.
    DoubleFault(Trap),
    /// The budget was used up.
    Budget,
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            End::PowerOff(code) => write!(f, "the guest switched itself off with exit code {code}"),
            End::Deadlock => write!(
                f,
                "deadlock: the guest waits for an interrupt that can never come"
            ),
            End::DoubleFault(trap) => {
                write!(
                    f,
                    "double fault: the guest's trap handler cannot be fetched ({trap})"
                )
            }
            End::Budget => write!(f, "the budget is used up"),
        }
    }
}

/// What the monitor makes of an exit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Resume the guest.
    Resume,
    /// Resume the guest, whose processor changed hands.
    Sync(Sync),
    /// The guest is over.
    End(End),
}

/// What a mode writes down for others to read; it reads nothing back.
pub struct Notes<'a> {
    /// The last events.
    pub log: &'a mut Log,
    /// How often what happened.
    pub counts: &'a mut Counts,
}

impl Notes<'_> {
    /// Writes down an event of this guest, whose processor is in this state.
    pub fn event(&mut self, guest: &Guest, hart: &Hart, event: Event) {
        self.log.push(guest.pace.clock, hart, event);
    }

    /// The guest left to the monitor by this trap, from this ring of the real processor.
    pub fn exit(&mut self, guest: &Guest, hart: &Hart, trap: Trap, real_ring: u32) {
        self.counts.trap(trap.cause);
        self.counts.exits += 1;
        self.event(guest, hart, Event::Exit { trap, real_ring });
    }

    /// The monitor emulated a privileged instruction, at which the processor was in this state.
    pub fn emulated(&mut self, guest: &Guest, hart: &Hart, insn: Instruction) {
        let (row, word) = (insn.row(), insn.encode());
        self.counts.emulate(row);
        self.event(guest, hart, Event::Emulate { row, word });
    }
}

/// A method of virtualization.
pub trait Mode {
    /// Resumes the guest and returns when it leaves.
    fn resume(
        &mut self,
        machine: &mut Machine,
        engine: &mut dyn Engine,
        fuel: u64,
        notes: &mut Notes,
    ) -> Exit;

    /// Answers a trap that the hardware delivered to the monitor.
    fn answer(&mut self, machine: &mut Machine, trap: Trap, notes: &mut Notes) -> Answer;

    /// The guest as it sees itself, for those who compare. A mode never calls it.
    fn guest<'a>(&'a self, machine: &'a Machine) -> GuestView<'a>;
}

/// The engine's exit where the guest runs on the bare hardware and every trap is its own.
pub(crate) fn native(exit: EngineExit) -> Exit {
    match exit {
        EngineExit::Trap(trap) => Exit::Virtual(Sync::Enter(trap), Delivery::Hardware),
        EngineExit::Return => Exit::Virtual(Sync::Return, Delivery::Hardware),
        EngineExit::Fuel => Exit::Fuel,
        EngineExit::PowerOff(code) => Exit::End(End::PowerOff(code)),
        EngineExit::Deadlock => Exit::End(End::Deadlock),
        EngineExit::DoubleFault(trap) => Exit::End(End::DoubleFault(trap)),
    }
}

/// The engine's exit where the guest runs under a monitor: every trap is the monitor's. What else can end a stretch
/// of direct execution happens only where a profile lets a privileged row take effect.
pub(crate) fn hosted(exit: EngineExit) -> Exit {
    match exit {
        EngineExit::Trap(trap) => Exit::Hardware(trap),
        EngineExit::Return => Exit::Fuel,
        other => native(other),
    }
}

/// Which mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ModeName {
    /// The machine alone.
    Bare,
    /// Pure emulation.
    Interpret,
    /// Trap-and-emulate, in one of two layouts of rings.
    Trap(Layout),
    /// Trap-and-emulate as in 1974, for guests that do not page: the monitor in a hundred lines.
    Hundred,
}

impl ModeName {
    /// All of them.
    pub const ALL: [ModeName; 5] = [
        ModeName::Bare,
        ModeName::Interpret,
        ModeName::Trap(Layout::RingDeprivileging),
        ModeName::Trap(Layout::RingCompression),
        ModeName::Hundred,
    ];

    /// Those that run every guest, in the order of the lecture: what a scenario is run under unless it says otherwise.
    pub const FOR_EVERY_GUEST: [ModeName; 4] = [
        ModeName::Bare,
        ModeName::Interpret,
        ModeName::Trap(Layout::RingDeprivileging),
        ModeName::Trap(Layout::RingCompression),
    ];

    /// The name on the command line and in scenario files.
    pub fn name(self) -> &'static str {
        match self {
            ModeName::Bare => "bare",
            ModeName::Interpret => "interpret",
            ModeName::Trap(Layout::RingDeprivileging) => "trap",
            ModeName::Trap(Layout::RingCompression) => "trap:0/3/3",
            ModeName::Hundred => "hundred",
        }
    }

    /// The mode of this name; `trap:0/1/3` is another name of `trap`.
    pub fn from_name(name: &str) -> Option<ModeName> {
        let name = if name == "trap:0/1/3" { "trap" } else { name };
        ModeName::ALL.into_iter().find(|mode| mode.name() == name)
    }

    /// The method in a few words.
    pub fn describe(self) -> &'static str {
        match self {
            ModeName::Bare => "the machine alone, no monitor",
            ModeName::Interpret => "pure emulation, one instruction at a time",
            ModeName::Trap(Layout::RingDeprivileging) => {
                "trap-and-emulate: guest kernel in ring 1, user in ring 3"
            }
            ModeName::Trap(Layout::RingCompression) => {
                "trap-and-emulate: guest kernel and user both in ring 3"
            }
            ModeName::Hundred => "trap-and-emulate in a hundred lines: relocation and limit only",
        }
    }

    /// Makes the machine that the setup asks for and the monitor on it, with the guest loaded.
    ///
    /// # Errors
    /// If the image does not fit the machine.
    pub fn build(self, setup: &Setup) -> Result<(Machine, Box<dyn Mode>), toy_isa::machine::LoadError> {
        Ok(match self {
            ModeName::Bare => {
                let (machine, mode) = Bare::build(setup)?;
                (machine, Box::new(mode))
            }
            ModeName::Interpret => {
                let (machine, mode) = Interpret::build(setup)?;
                (machine, Box::new(mode))
            }
            ModeName::Trap(layout) => {
                let (machine, mode) = TrapAndEmulate::build(setup, layout)?;
                (machine, Box::new(mode))
            }
            ModeName::Hundred => {
                let (machine, mode) = HundredLines::build(setup, Arc::clone(&setup.profile))?;
                (machine, Box::new(mode))
            }
        })
    }
}

impl std::fmt::Display for ModeName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}
