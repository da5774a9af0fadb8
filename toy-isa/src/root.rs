//! Root and non-root operation: hardware assistance as of VT-x and AMD-V, simulated.
//!
//! A monitor in ring 0 of *root* operation describes a guest in a control structure in memory ([`layout`]) and enters
//! it ([`entry`]). From then on the processor holds the guest's state, all four rings are the guest's, and what it does
//! to control registers it does to its own. It *leaves* by what the structure asks for ([`controls`]): the processor
//! puts the guest's state and the reason into the structure and goes on where the structure says. The book's chapter on
//! root operation is the specification.

pub mod controls;
pub mod entry;
pub mod layout;

pub use controls::{Controls, Exits};
pub use entry::{EntryError, How, enter};

use crate::bus::Bus;
use crate::hart::{Csrs, Hart};
use crate::instruction::Instruction;
use crate::table::Op;
use crate::trap::{Cause, Trap};

/// Where the processor stands with respect to root operation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Operation {
    /// It has not been switched on: a machine as without it.
    #[default]
    Off,
    /// Root operation: the monitor's.
    Root,
    /// Non-root operation: a guest's, under these controls.
    NonRoot(Box<Controls>),
}

/// Executes one of the five instructions of root operation. As [`crate::semantics::execute`].
pub(crate) fn execute<B: Bus>(hart: &mut Hart, bus: &mut B, insn: Instruction, a: u32) -> Result<u32, Trap> {
    let word = insn.encode();
    if !bus.root_operation() || hart.ring() != 0 {
        return Err(Trap::illegal(word));
    }
    if hart.controls().is_some() {
        return Err(Trap {
            cause: Cause::Intercepted,
            tval: word,
        });
    }
    let next = hart.pc.wrapping_add(4);
    if insn.op == Op::Vmon {
        hart.operation = Operation::Root;
        return Ok(next);
    }
    if hart.operation == Operation::Off {
        return Err(Trap::illegal(word));
    }
    match insn.op {
        Op::Vmoff => hart.operation = Operation::Off,
        Op::Vminval => {
            if let Some(tlb) = bus.tlb() {
                tlb.forget_space((insn.rs1 != 0).then_some(a));
            }
        }
        _ => {
            let how = if insn.op == Op::Vmenter {
                How::First
            } else {
                How::Again
            };
            // The entering instruction retires before the guest's first.
            let start = bus.pace().clock + 1;
            match enter(hart, bus, a, how, start) {
                Ok(()) => return Ok(hart.pc),
                Err(EntryError::Nowhere(trap)) => return Err(trap),
                Err(error) => layout::put(bus, a, layout::ERROR, error.number()),
            }
        }
    }
    Ok(next)
}

/// Ends non-root operation before the instruction at `hart.pc`: the guest's state and the reason go to the control
/// structure, the host's state comes from it. `detail` is the word of that instruction, as far as it was fetched, else
/// 0; for a double fault it is the cause of the second fault. Does nothing outside non-root operation.
pub fn leave<B: Bus>(hart: &mut Hart, bus: &mut B, trap: Trap, detail: u32) {
    let Operation::NonRoot(controls) = std::mem::replace(&mut hart.operation, Operation::Root) else {
        hart.operation = Operation::Off;
        return;
    };
    let structure = controls.structure;
    let pace = bus.pace();
    let ran = pace.clock.wrapping_sub(controls.start);
    let activity =
        if pace.entering { layout::ENTERING } else { 0 } | if pace.halted { layout::HALTED } else { 0 };
    (pace.entering, pace.halted, pace.left) = (false, false, true);
    layout::put_guest(bus, structure, hart, activity);
    layout::put(bus, structure, layout::REASON, trap.cause.code());
    layout::put(bus, structure, layout::VALUE, trap.tval);
    layout::put(bus, structure, layout::DETAIL, detail);
    layout::put(bus, structure, layout::RAN, ran as u32);
    layout::put(bus, structure, layout::RAN + 4, (ran >> 32) as u32);

    let host = layout::get_host(bus, structure);
    hart.pc = host.pc & !3;
    hart.x[2] = host.sp;
    hart.csr = Csrs::from_words(host.csrs);
    // The host is ring 0, whatever became of the structure since the entry.
    hart.csr.status.0 &= !3;
    hart.nested = 0;
    if let Some(tlb) = bus.tlb() {
        tlb.leave_space();
    }
    bus.attend();
}
