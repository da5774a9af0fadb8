//! What it costs to be the guest of a guest: a monitor that is itself a guest, looked at from outside, one instruction
//! after the other.

use toy_isa::instruction::{Registers, decode};
use toy_isa::profile::Behaviour;

use crate::engine::EngineName;
use crate::guest::GuestView;
use crate::mode::{End, ModeName, Sync};
use crate::run::{Run, Stop};
use crate::setup::{Setup, StartError};

/// What was seen of a monitor that is the guest of a machine, and of whoever is innermost in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walk {
    /// How it ended.
    pub end: End,
    /// How many privileged instructions ring 0 of the machine has executed from the entry of a trap to the return from
    /// it, for each trap from which it returned: the k of each. Below another monitor, each of them traps.
    pub hot_paths: Vec<u32>,
    /// Instructions that retired on the machine at or above a linear address: those of the innermost guest that need
    /// no monitor.
    pub innermost: u64,
}

impl Walk {
    /// Runs a guest alone on its machine. What stands at or above the linear address `innermost` is the innermost
    /// guest.
    ///
    /// # Errors
    /// If the image does not fit the machine.
    pub fn of(setup: &Setup, innermost: u32, budget: u64) -> Result<Walk, StartError> {
        let mut run = Run::new(setup, ModeName::Bare, EngineName::Reference)?;
        let (mut hot_paths, mut count) = (Vec::new(), 0);
        let mut path = None;
        loop {
            let view = run.guest();
            let here = linear(&view);
            let (inside, before) = (here >= innermost, view.pace.retired());
            if inside {
                // Its handlers are on no path of a monitor.
                path = None;
            } else if is_privileged(setup, &view, here) {
                path = path.map(|k: u32| k + 1);
            }
            let stop = run.step(budget);
            count += u64::from(inside) * (run.guest().pace.retired() - before);
            match stop {
                Stop::Sync(Sync::Enter(_)) => path = Some(0),
                Stop::Sync(Sync::Return) => hot_paths.extend(path.take()),
                Stop::Sync(Sync::Left(_)) => {}
                Stop::Fuel if run.machine().attempts < budget => {}
                Stop::Fuel | Stop::End(_) => {
                    return Ok(Walk {
                        end: run.ended().unwrap_or(End::Budget),
                        hot_paths,
                        innermost: count,
                    });
                }
            }
        }
    }

    /// The mean of the hot paths; `None` if there was none.
    pub fn k(&self) -> Option<f64> {
        let paths = self.hot_paths.len();
        let sum: u64 = self.hot_paths.iter().map(|k| u64::from(*k)).sum();
        (paths > 0).then(|| sum as f64 / paths as f64)
    }
}

fn linear(view: &GuestView) -> u32 {
    toy_isa::mmu::linear(&view.hart, view.hart.pc)
}

/// Whether ring 0 is about to execute what would trap outside it.
fn is_privileged(setup: &Setup, view: &GuestView, here: u32) -> bool {
    let word = (view.hart.ring() == 0).then(|| view.word(here)).flatten();
    word.and_then(|word| decode(word, Registers::Sixteen))
        .is_some_and(|insn| setup.profile.behaviour(insn.row()) == Behaviour::Traps)
}
