//! The reference engine: the definition of the machine, with nothing clever in it.

use crate::cpu::{Poll, Step, poll, step};
use crate::engine::{Engine, Exit};
use crate::instruction::Registers;
use crate::machine::Machine;

/// Fetches, decodes and executes one instruction after the other.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reference;

impl Engine for Reference {
    fn name(&self) -> &'static str {
        "reference"
    }

    fn run(&mut self, machine: &mut Machine, fuel: u64) -> Exit {
        let end = machine.attempts.saturating_add(fuel);
        let Machine {
            hart,
            board,
            attempts,
            histogram,
        } = machine;
        while *attempts < end {
            if board.pace.clock >= board.pace.attention {
                match poll(hart, board) {
                    Poll::Go => {}
                    Poll::Interrupted(trap) => {
                        *attempts += 1;
                        return Exit::taken(board, trap);
                    }
                    Poll::PowerOff(code) => return Exit::PowerOff(code),
                    Poll::Deadlock => return Exit::Deadlock,
                }
            }
            *attempts += 1;
            let pc = hart.pc;
            match step(hart, board, Registers::Sixteen) {
                Step::Retired(insn) => {
                    histogram[insn.op as usize] += 1;
                    board.retired_at(pc);
                }
                Step::Trapped(trap) => return Exit::taken(board, trap),
                Step::DoubleFault(trap) => return Exit::DoubleFault(trap),
            }
            if std::mem::take(&mut board.pace.returned) {
                return Exit::Return;
            }
        }
        Exit::Fuel
    }
}
