//! Execution modes: the methods of virtualization, behind one small trait.

use std::borrow::Cow;
use std::sync::Arc;

use accel::X86_64;
use toy_isa::cpu;
use toy_isa::engine::{Engine, Exit as EngineExit};
use toy_isa::hart::Hart;
use toy_isa::instruction::{Instruction, Registers};
use toy_isa::machine::Machine;
use toy_isa::profile::Profile;
use toy_isa::root::EntryError;
use toy_isa::table::Form;
use toy_isa::trap::Trap;

use crate::counts::Counts;
use crate::edit::{Edit, EditError};
use crate::engine::EngineName;
use crate::event::{Delivery, Event, Log};
use crate::guest::{Guest, GuestView};
use crate::hundred::HundredLines;
use crate::modes::assist::{Assist, Paging};
use crate::modes::enlightened::{Enlightened, News};
use crate::modes::estate::Estate;
use crate::modes::jit::{Emulated, Jit};
use crate::modes::para::Para;
use crate::modes::para::interface::Hypercall;
use crate::modes::para::look::Interface;
use crate::modes::translate::{CACHE_PAGES, Scope, Translate};
use crate::modes::trap::Layout;
use crate::modes::trap::shadow::Switch;
use crate::modes::{bare::Bare, hybrid::Hybrid, interpret::Interpret, trap::TrapAndEmulate};
use crate::setup::{PortedPages, Setup, StartError};
use crate::walk::hardware::Hardware;

/// A point at which the guest's processor changes hands, on bare hardware as under a monitor: where states are
/// compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sync {
    /// The guest's trap handler was entered.
    Enter(Trap),
    /// The guest's kernel returned from a trap.
    Return,
    /// The guest is itself a monitor, with root operation, and a guest of its own left to it by this.
    Left(Trap),
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
    /// The processor refused to enter it: its control structure is not valid.
    Refused(EntryError),
    /// The budget was used up.
    Budget,
    /// The host failed the engine: [`Run::figures`](crate::run::Run::figures) says how.
    Failed,
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
            End::Refused(error) => write!(f, "the processor refused to enter the guest: {error}"),
            End::Budget => write!(f, "the budget is used up"),
            End::Failed => write!(f, "the host failed what executes the guest"),
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

    /// The processor was given another shadow table, if it was.
    pub fn shadow_switch(&mut self, guest: &Guest, hart: &Hart, switch: &Switch) {
        if switch.changed {
            self.counts.shadow_switches += 1;
            let (ptbr, fresh) = (hart.csr.ptbr, switch.fresh);
            self.event(guest, hart, Event::ShadowSwitch { ptbr, fresh });
        }
    }

    /// The guest made a hypercall; its processor was in this state.
    pub fn hypercall(&mut self, guest: &Guest, hart: &Hart, name: &'static str, result: i32) {
        self.counts.hypercall(name);
        self.counts.notifications += u64::from(name == Hypercall::EventChannelOp.name());
        let event = Event::Hypercall {
            name,
            arguments: [hart.x[10], hart.x[11]],
            result,
        };
        self.event(guest, hart, event);
    }

    /// What an enlightened guest, whose processor was in this state, has asked for and got since this was last called.
    pub fn enlightened(&mut self, guest: &mut Guest, hart: &Hart) {
        let news = guest.enlightened.as_mut().map(Enlightened::take_news);
        for news in news.into_iter().flatten() {
            match news {
                News::Called(name, result) => self.hypercall(guest, hart, name, result),
                News::Passed(channel, passed) => {
                    if let Some(event) = passed.count(channel, self.counts) {
                        self.event(guest, hart, event);
                    }
                }
            }
        }
    }

    /// The monitor emulated a privileged instruction, at which the processor was in the state `before`; now its
    /// destination register holds `result`.
    pub fn emulated(&mut self, guest: &Guest, before: &Hart, insn: Instruction, result: u32) {
        let (row, word) = (insn.row(), insn.encode());
        self.counts.emulate(row);
        let first = match insn.op.row().form {
            Form::CsrImm => u32::from(insn.rs1),
            _ => before.x[usize::from(insn.rs1)],
        };
        let event = Event::Emulate {
            row,
            word,
            sources: [first, before.x[usize::from(insn.rs2)]],
            result,
        };
        self.event(guest, before, event);
    }
}

/// What a timeline asks of a mode ([`crate::timeline`]).
pub trait Rewind {
    /// A copy that goes its own way from here, on a copy of the machine.
    fn copy(&self) -> Box<dyn Mode>;

    /// Changes the guest, which is at rest, for somebody who looks on. A word's address is physical to the guest.
    ///
    /// # Errors
    /// If that cannot be done here.
    fn edit(&mut self, machine: &mut Machine, edit: Edit, notes: &mut Notes) -> Result<(), EditError>;

    /// What of a copy takes room beside itself, in bytes, about; without the machine.
    fn held(&self) -> usize {
        0
    }
}

/// What those who look on ask of a mode. A mode itself never does.
pub trait Inside {
    /// What the real processor goes by when it runs the guest in its present state.
    fn hardware(&self, machine: &Machine) -> Hardware<'_>;

    /// The binary translator, where there is one.
    fn translator(&self) -> Option<&Translate> {
        None
    }

    /// What passes between the guest and its monitor beside hypercalls, where the guest knows of it.
    fn interface(&self, _machine: &Machine) -> Option<Interface> {
        None
    }

    /// The machine that has the guest's processor, memory and devices, where that is not the real one but a data
    /// structure.
    fn emulated(&self) -> Option<&Emulated> {
        None
    }

    /// The same, for observers that keep notes on its board.
    fn emulated_mut(&mut self) -> Option<&mut Emulated> {
        None
    }

    /// Pages of real memory that are the monitor's, but that code outside ring 0 reaches by the monitor's own design.
    fn lent(&self) -> Vec<u32> {
        Vec::new()
    }
}

/// A method of virtualization.
pub trait Mode: Rewind + Inside {
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
        EngineExit::Left(trap) => Exit::Virtual(Sync::Left(trap), Delivery::Hardware),
        EngineExit::Fuel => Exit::Fuel,
        EngineExit::PowerOff(code) => Exit::End(End::PowerOff(code)),
        EngineExit::Deadlock => Exit::End(End::Deadlock),
        EngineExit::DoubleFault(trap) => Exit::End(End::DoubleFault(trap)),
        EngineExit::Failed => Exit::End(End::Failed),
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

/// After an exit to hardware: where the entry page cannot be fetched, no monitor gets control.
pub(crate) fn entered(machine: &mut Machine, exit: Exit) -> Exit {
    match cpu::fetch(&machine.hart, &mut machine.board) {
        Ok(_) => exit,
        Err(fault) => Exit::End(End::DoubleFault(fault)),
    }
}

/// Which mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ModeName {
    /// The machine alone.
    Bare,
    /// Pure emulation, one instruction at a time.
    Interpret,
    /// Pure emulation by code of the host.
    Jit,
    /// Trap-and-emulate, in one of two layouts of rings.
    Trap(Layout),
    /// Binary translation of the guest's kernel, or of everything.
    Translate(Scope),
    /// Paravirtualization: the port of the guest, if it has one.
    Para,
    /// Hardware assistance, with nested paging or with shadow tables.
    Assist(Paging),
    /// As `Assist`, with nested paging; and what the guest executes runs in a real virtual machine.
    Kvm,
    /// The hybrid monitor: kernel code interpreted, user code direct.
    Hybrid,
    /// Trap-and-emulate as in 1974, for guests that do not page: the monitor in a hundred lines.
    Hundred,
}

impl ModeName {
    /// All of them.
    pub const ALL: [ModeName; 14] = [
        ModeName::Bare,
        ModeName::Interpret,
        ModeName::Jit,
        ModeName::Trap(Layout::RingDeprivileging),
        ModeName::Trap(Layout::RingCompression),
        ModeName::Translate(Scope::Kernel),
        ModeName::Translate(Scope::Everything),
        ModeName::Translate(Scope::Callouts),
        ModeName::Hybrid,
        ModeName::Para,
        ModeName::Assist(Paging::Nested),
        ModeName::Assist(Paging::Shadow),
        ModeName::Kvm,
        ModeName::Hundred,
    ];

    /// Those that run every guest on every host, in the order of the lecture: what a scenario is run under unless it
    /// says otherwise, as far as its machine has what they need.
    pub const FOR_EVERY_GUEST: [ModeName; 7] = [
        ModeName::Bare,
        ModeName::Interpret,
        ModeName::Trap(Layout::RingDeprivileging),
        ModeName::Trap(Layout::RingCompression),
        ModeName::Translate(Scope::Kernel),
        ModeName::Assist(Paging::Nested),
        ModeName::Assist(Paging::Shadow),
    ];

    /// The name on the command line and in scenario files.
    pub fn name(self) -> &'static str {
        match self {
            ModeName::Bare => "bare",
            ModeName::Interpret => "interpret",
            ModeName::Jit => "jit",
            ModeName::Trap(Layout::RingDeprivileging) => "trap",
            ModeName::Trap(Layout::RingCompression) => "trap:0/3/3",
            ModeName::Translate(Scope::Kernel) => "translate",
            ModeName::Translate(Scope::Everything) => "translate:all",
            ModeName::Translate(Scope::Callouts) => "translate:callouts",
            ModeName::Para => "para",
            ModeName::Assist(Paging::Nested) => "assist",
            ModeName::Assist(Paging::Shadow) => "assist:shadow",
            ModeName::Kvm => "kvm",
            ModeName::Hybrid => "hybrid",
            ModeName::Hundred => "hundred",
        }
    }

    /// The mode of this name; `trap:0/1/3` is another name of `trap`.
    pub fn from_name(name: &str) -> Option<ModeName> {
        let name = if name == "trap:0/1/3" { "trap" } else { name };
        ModeName::ALL.into_iter().find(|mode| mode.name() == name)
    }

    /// Why this host cannot run it; `None` if it can, as every host can run all but one.
    pub fn missing(self) -> Option<StartError> {
        match self {
            ModeName::Jit => X86_64::new().err().map(StartError::NoTranslator),
            ModeName::Kvm => accel::kvm::available().err().map(StartError::Kvm),
            _ => None,
        }
    }

    /// Whether a machine of this profile has what the mode needs.
    pub fn runs_on(self, profile: &Profile) -> bool {
        !matches!(self, ModeName::Assist(_) | ModeName::Kvm) || profile.root_operation()
    }

    /// Which engine executes what the mode leaves to the hardware, if this one is asked for: mode `kvm` has its own.
    pub fn engine(self, asked: EngineName) -> EngineName {
        match self {
            ModeName::Kvm => EngineName::Kvm,
            _ => asked,
        }
    }

    /// Whether a guest that was compiled for so many registers can run: the hardware has sixteen, and so have engines;
    /// only who emulates instruction by instruction does without.
    pub fn runs_with(self, registers: Registers) -> bool {
        self == ModeName::Interpret || registers == Registers::Sixteen
    }

    /// Whether no instruction of the guest is executed by the real processor.
    pub fn is_emulation(self) -> bool {
        matches!(self, ModeName::Interpret | ModeName::Jit)
    }

    /// The method in a few words.
    pub fn describe(self) -> &'static str {
        match self {
            ModeName::Bare => "the machine alone, no monitor",
            ModeName::Interpret => "pure emulation, one instruction at a time",
            ModeName::Jit => "pure emulation, blocks of code translated to code of the host",
            ModeName::Trap(Layout::RingDeprivileging) => {
                "trap-and-emulate: guest kernel in ring 1, user in ring 3"
            }
            ModeName::Trap(Layout::RingCompression) => {
                "trap-and-emulate: guest kernel and user both in ring 3"
            }
            ModeName::Translate(Scope::Kernel) => {
                "binary translation of the guest's kernel; its user code runs directly"
            }
            ModeName::Translate(Scope::Everything) => "binary translation of everything, user code too",
            ModeName::Translate(Scope::Callouts) => {
                "binary translation with a call of the monitor for each sensitive instruction"
            }
            ModeName::Assist(Paging::Nested) => "hardware assistance with nested paging",
            ModeName::Assist(Paging::Shadow) => "hardware assistance with shadow page tables",
            ModeName::Kvm => "hardware assistance, executed in a real virtual machine by the host's KVM",
            ModeName::Para => "paravirtualization: the guest's kernel is ported and calls the monitor",
            ModeName::Hybrid => "hybrid monitor: the guest's kernel interpreted, its user code direct",
            ModeName::Hundred => "trap-and-emulate in a hundred lines: relocation and limit only",
        }
    }

    /// Makes the machine that the setup asks for and the monitor on it, with the guest loaded.
    ///
    /// # Errors
    /// If the image does not fit the machine, or there is none that this mode can run.
    pub fn build(self, setup: &Setup) -> Result<(Machine, Box<dyn Mode>), StartError> {
        self.build_on(setup, Arc::clone(&setup.profile))
    }

    /// The setup with the program that the guest has in this mode.
    fn program(self, setup: &Setup) -> Result<Cow<'_, Setup>, StartError> {
        if !self.runs_with(setup.image.registers) {
            return Err(StartError::Foreign);
        }
        let setup = setup.in_mode(self);
        let kernel = setup.port.as_ref().and_then(|port| port.parts.kernel);
        match (kernel, self) {
            (Some(PortedPages::Shadowed), ModeName::Translate(_) | ModeName::Assist(_) | ModeName::Kvm) => {
                Err(StartError::PortedKernel(self.name()))
            }
            _ => Ok(setup),
        }
    }

    /// A monitor and its guest at power-on, on their own part of a machine, beside others.
    ///
    /// # Errors
    /// If the image does not fit the guest's memory, the hardware lacks what the mode or the guest needs, or the mode
    /// keeps a machine to itself.
    pub fn settle(
        self,
        setup: &Setup,
        machine: &mut Machine,
        estate: Estate,
    ) -> Result<Box<dyn Mode>, StartError> {
        let setup = &*self.program(setup)?;
        Ok(match self {
            ModeName::Trap(layout) => Box::new(TrapAndEmulate::settle_on(setup, layout, machine, estate, 0)?),
            ModeName::Translate(scope) => {
                Box::new(Translate::settle_on(setup, scope, machine, estate, CACHE_PAGES)?)
            }
            ModeName::Para => {
                let port = setup.port.as_ref().ok_or(StartError::NoPort)?;
                Box::new(Para::settle_on(setup, port, machine, estate)?)
            }
            ModeName::Assist(paging) => Box::new(Assist::settle_on(setup, paging, machine, estate)?),
            ModeName::Kvm => Box::new(Assist::settle_on(setup, Paging::Nested, machine, estate)?),
            ModeName::Bare | ModeName::Interpret | ModeName::Jit | ModeName::Hybrid | ModeName::Hundred => {
                return Err(StartError::Alone(self.name()));
            }
        })
    }

    /// As [`ModeName::build`], with a monitor whose hardware has another profile than the guest expects.
    ///
    /// # Errors
    /// As [`ModeName::build`].
    pub fn build_on(
        self,
        setup: &Setup,
        hardware: Arc<Profile>,
    ) -> Result<(Machine, Box<dyn Mode>), StartError> {
        /// Any mode is a mode.
        fn boxed(built: (Machine, impl Mode + 'static)) -> (Machine, Box<dyn Mode>) {
            (built.0, Box::new(built.1))
        }
        let setup = &*self.program(setup)?;
        Ok(match self {
            ModeName::Bare => boxed(Bare::build(setup)?),
            ModeName::Interpret => boxed(Interpret::build(setup)?),
            ModeName::Jit => boxed(Jit::build(setup)?),
            ModeName::Trap(layout) => boxed(TrapAndEmulate::build_on(setup, layout, hardware, 0)?),
            ModeName::Translate(scope) => boxed(Translate::build_on(setup, scope, hardware, CACHE_PAGES)?),
            ModeName::Para => {
                let port = setup.port.as_ref().ok_or(StartError::NoPort)?;
                boxed(Para::build(setup, port, hardware)?)
            }
            ModeName::Hybrid => boxed(Hybrid::build(setup, hardware)?),
            ModeName::Assist(paging) => boxed(Assist::build(setup, paging, hardware)?),
            ModeName::Kvm => boxed(Assist::build(setup, Paging::Nested, hardware)?),
            ModeName::Hundred => boxed(HundredLines::build(setup, hardware)?),
        })
    }
}

impl std::fmt::Display for ModeName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}
