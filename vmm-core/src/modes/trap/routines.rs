//! One interpreter routine for each privileged row: what Popek and Goldberg call v_1 .. v_m.
//!
//! A routine does to the *virtual* processor what the instruction would have done to the real one. What an
//! instruction means stands once, in `toy_isa::semantics`, and is not repeated here: a routine runs it on the
//! virtual processor and its virtual board. What differs from row to row is what stays behind in the real machine,
//! and that is what each routine says. The real control registers follow from the virtual ones, for all
//! routines alike, when the guest is resumed (see [`super::world`]).

use toy_isa::bus::Bus;
use toy_isa::hart::Hart;
use toy_isa::instruction::Instruction;
use toy_isa::row::Row;
use toy_isa::semantics::execute;
use toy_isa::table::{Csr, Op};
use toy_isa::trap::Trap;

use crate::guest::VirtualBoard;

/// The routine of a privileged row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Routine {
    /// What it did, in a sentence: the virtual effect, and what became of the real machine.
    pub says: &'static str,
}

impl Routine {
    /// Runs the instruction on the virtual processor; it retires there, and the guest's clock goes on.
    ///
    /// # Errors
    /// The trap that the virtual processor raises, if it may not do it either.
    pub fn run(self, hart: &mut Hart, board: &mut VirtualBoard, insn: Instruction) -> Result<(), Trap> {
        hart.pc = execute(hart, board, insn)?;
        board.pace().clock += 1;
        Ok(())
    }
}

/// The routine of a row. `None` for innocuous rows, which do not trap, and for those that trap in every ring and
/// are reflected as they are.
pub fn routine(row: Row) -> Option<Routine> {
    let says = match row {
        // Rings and interrupts.
        Row::Op(Op::Mret) => {
            "the monitor returned to the previous *virtual* ring; which real ring that is, the layout decides"
        }
        Row::Read(Csr::Status) => {
            "the monitor answered with the *virtual* status; the real one shows another ring"
        }
        Row::Write(Csr::Status) => {
            "the monitor changed the *virtual* flags; real interrupts stay on, so that it keeps control"
        }

        // The trap frame.
        Row::Read(Csr::Tvec | Csr::Scratch | Csr::Epc | Csr::Cause | Csr::Tval) => {
            "the monitor answered with the *virtual* trap frame; the real one tells of the monitor's own traps"
        }
        Row::Write(Csr::Tvec) => {
            "the monitor noted where to reflect traps to; the real vector goes on pointing to the monitor"
        }
        Row::Write(Csr::Scratch | Csr::Epc | Csr::Cause | Csr::Tval) => {
            "the monitor changed the *virtual* trap frame"
        }

        // Memory.
        Row::Read(Csr::Ptbr) => {
            "the monitor answered with the guest's own root; the real one is a shadow table"
        }
        Row::Write(Csr::Ptbr) => {
            "the monitor noted the guest's root, and gives the processor the shadow of it"
        }
        Row::Read(Csr::Base | Csr::Bound | Csr::Xbound | Csr::Window) => {
            "the monitor answered with the guest's own relocation register; the real one has the monitor's limit in it"
        }
        Row::Write(Csr::Base | Csr::Bound | Csr::Xbound | Csr::Window) => {
            "the monitor noted the guest's wish, and gives the processor what lies within the allocator's limits"
        }
        Row::Op(Op::SfenceVma) => {
            "nothing was left to forget: shadow entries are dropped at the store that changes the guest's table"
        }
        Row::Op(Op::Prober | Op::Probew) => {
            "the monitor answered from the guest's tables, not from the shadow"
        }
        Row::Op(Op::Wlw | Op::Wsw) => "the monitor made the access through the guest's window",

        // Time.
        Row::Read(Csr::Instret | Csr::Instreth) => "the monitor answered with the guest's own clock",
        Row::Read(Csr::Timer | Csr::Irq) => {
            "the monitor answered for the *virtual* timer and interrupt lines"
        }
        Row::Write(Csr::Timer) => "the monitor set the *virtual* timer, and arms the real one for it",
        Row::Write(Csr::Irq) => "the monitor changed which *virtual* lines may interrupt",
        Row::Op(Op::Wfi) => "the monitor halted the *virtual* processor until its next interrupt",

        // Devices and identity.
        Row::Op(Op::In | Op::Out) => "the monitor let the *virtual* device answer",
        Row::Read(Csr::Mstatus | Csr::Mhartid | Csr::Cpuid) | Row::Write(Csr::Mstatus) => {
            "the monitor answered for the *virtual* machine"
        }

        // The machine that this monitor shows its guest has no root operation: the routine raises its trap.
        Row::Op(Op::Vmon | Op::Vmoff | Op::Vmenter | Op::Vmresume | Op::Vminval) => {
            "the virtual machine has no root operation"
        }

        Row::Op(_) | Row::Write(Csr::Instret | Csr::Instreth | Csr::Mhartid | Csr::Cpuid) => return None,
    };
    Some(Routine { says })
}
