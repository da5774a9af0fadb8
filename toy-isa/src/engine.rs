//! Engines: what executes Ring32 code. An engine runs until the guest leaves, and says why; it never handles it.

mod interpreter;
mod reference;

pub use interpreter::Interpreter;
pub use reference::Reference;

use crate::cpu::{self, Poll, Step};
use crate::instruction::Registers;
use crate::machine::{Board, Machine};
use crate::trap::Trap;

/// Why an engine stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// A trap or an interrupt was taken: the processor stands, in ring 0, before the first instruction of the
    /// handler. Under a monitor this is where the monitor gets control; on the bare machine, go on.
    Trap(Trap),
    /// A guest left non-root operation by this: the processor stands, in ring 0 of root operation, where its control
    /// structure says. On the bare machine, go on.
    Left(Trap),
    /// `mret` was executed.
    Return,
    /// The fuel is used up.
    Fuel,
    /// The machine switched itself off, with this exit code.
    PowerOff(u32),
    /// `wfi` waits for an interrupt that can never come.
    Deadlock,
    /// The first instruction of a trap handler could not be fetched: this trap, on top of another.
    DoubleFault(Trap),
    /// The host has failed the engine, and what the machine is like is not known: [`Figures::failure`] says why.
    Failed,
}

impl Exit {
    /// The exit of a run after this trap was taken.
    fn taken(board: &mut Board, trap: Trap) -> Exit {
        if std::mem::take(&mut board.pace.left) {
            Exit::Left(trap)
        } else {
            Exit::Trap(trap)
        }
    }
}

/// What happens between two instructions, in the manner of the reference, where something wants attention: for engines,
/// which may know more about the machine's code than it does. The exit, if the next instruction is not to be executed.
pub fn attend(machine: &mut Machine) -> Option<Exit> {
    match cpu::poll(&mut machine.hart, &mut machine.board) {
        Poll::Go => None,
        Poll::Interrupted(trap) => {
            machine.attempts += 1;
            Some(Exit::taken(&mut machine.board, trap))
        }
        Poll::PowerOff(code) => Some(Exit::PowerOff(code)),
        Poll::Deadlock => Some(Exit::Deadlock),
    }
}

/// One attempt at an instruction, in the manner of the reference: for engines, where they have no better way. The exit,
/// if the next is not to be executed at once.
pub fn attempt(machine: &mut Machine) -> Option<Exit> {
    let Machine {
        hart,
        board,
        attempts,
        histogram,
    } = machine;
    *attempts += 1;
    let pc = hart.pc;
    match cpu::step(hart, board, Registers::Sixteen) {
        Step::Retired(insn) => {
            histogram[insn.op as usize] += 1;
            board.retired_at(pc);
        }
        Step::Trapped(trap) => return Some(Exit::taken(board, trap)),
        Step::DoubleFault(trap) => return Some(Exit::DoubleFault(trap)),
    }
    std::mem::take(&mut board.pace.returned).then_some(Exit::Return)
}

/// What an engine has to say about how it executed, beside what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Instructions that were executed as code of the host.
    pub emitted: u64,
    /// How often code came back out of a virtual machine, by why, and what else was done for it there; in the order in
    /// which it is shown. Empty where there is none.
    pub exits: Vec<(&'static str, u64)>,
    /// What has failed, if [`Exit::Failed`] was returned.
    pub failure: Option<String>,
}

/// Something that executes Ring32 code. All engines do exactly the same, at different speeds.
///
/// An engine may keep what it knows about the machine's code from one run to the next. So each machine, and each
/// clone of a machine that goes its own way, needs an engine of its own.
pub trait Engine {
    /// The name, as `--engine` takes it.
    fn name(&self) -> &'static str;

    /// Whether it translates addresses by way of the counting model of the TLB, as the reference does. If not, what the
    /// model has counted in its runs means nothing.
    fn counts_tlb(&self) -> bool {
        true
    }

    /// Runs `machine` for at most `fuel` attempts at an instruction (interrupts taken count as one each). The fuel
    /// used is added to [`Machine::attempts`].
    fn run(&mut self, machine: &mut Machine, fuel: u64) -> Exit;

    /// Forgets what it knows of the machine that it has run: somebody has put that into another state.
    fn forget(&mut self);

    /// What it can say about how it executed since it was made.
    fn figures(&self) -> Figures {
        Figures::default()
    }
}
