//! The reference engine: the definition of the machine, with nothing clever in it.

use crate::engine::{Engine, Exit, attempt, attend};
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
        while machine.attempts < end {
            let wanted = machine.board.pace.clock >= machine.board.pace.attention;
            let exit = wanted.then(|| attend(machine)).flatten();
            if let Some(exit) = exit.or_else(|| attempt(machine)) {
                return exit;
            }
        }
        Exit::Fuel
    }

    fn forget(&mut self) {}
}
