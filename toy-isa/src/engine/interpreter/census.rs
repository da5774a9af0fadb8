//! How often each instruction of a page was executed, from where runs of instructions begin and end.

use super::page::{Page, WORDS, target};
use crate::table::OPS;

/// The jumps and ends of bursts in one page since the last settlement.
pub(super) struct Census {
    /// By number in the page: how many runs of instructions begin there, less how many end before.
    change: Vec<i64>,
    /// Numbers at which runs may begin.
    begins: Vec<u16>,
    /// Numbers of the instructions whose jumps are not 0.
    jumped: Vec<u16>,
}

impl Default for Census {
    fn default() -> Census {
        Census {
            change: vec![0; WORDS + 1],
            begins: Vec::new(),
            jumped: Vec::new(),
        }
    }
}

impl Census {
    /// A burst begins.
    pub(super) fn enter(&mut self, at: usize) {
        self.change[at] += 1;
        self.begins.push(at as u16);
    }

    /// A burst ends before this instruction.
    pub(super) fn leave(&mut self, at: usize) {
        self.change[at] -= 1;
    }

    /// Instruction number `at` has jumped for the first time.
    pub(super) fn jumped(&mut self, at: usize) {
        self.jumped.push(at as u16);
    }

    /// Instruction number `at` was reached by an indirect jump for the first time.
    pub(super) fn arrived(&mut self, at: usize) {
        self.begins.push(at as u16);
    }

    /// Adds what was executed of `page` to the histogram, and forgets it.
    pub(super) fn settle(&mut self, page: &Page, histogram: &mut [u64; OPS.len()]) {
        for at in self.jumped.drain(..) {
            let at = at as usize;
            let count = i64::from(page.jumps[at].count.take());
            self.change[at + 1] -= count;
            if let Some(target) = page.instructions[at].and_then(|insn| target(insn, at)) {
                self.change[target] += count;
                self.begins.push(target as u16);
            }
        }
        for at in &self.begins {
            let at = *at as usize;
            self.change[at] += i64::from(page.arrivals[at].take());
        }
        self.begins.sort_unstable();
        let mut at = 0;
        for begin in self.begins.drain(..) {
            at = at.max(begin as usize);
            let mut running = 0;
            loop {
                running += std::mem::take(&mut self.change[at]);
                if running == 0 {
                    break;
                }
                if let Some(insn) = page.instructions[at] {
                    histogram[insn.op as usize] += running as u64;
                }
                at += 1;
            }
        }
    }
}
