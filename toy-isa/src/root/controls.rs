//! What makes a guest leave non-root operation.

use crate::row::Row;
use crate::table::{Csr, Op};
use crate::trap::{Cause, Trap};

/// The instructions that can be made to leave, in the order of their bits.
pub const OPS: [Op; 7] = [
    Op::Mret,
    Op::Wfi,
    Op::SfenceVma,
    Op::In,
    Op::Out,
    Op::Prober,
    Op::Probew,
];

/// The control registers whose accesses can be made to leave, in the order of their bits.
pub const CSRS: [Csr; 18] = [
    Csr::Status,
    Csr::Tvec,
    Csr::Scratch,
    Csr::Epc,
    Csr::Cause,
    Csr::Tval,
    Csr::Ptbr,
    Csr::Base,
    Csr::Bound,
    Csr::Xbound,
    Csr::Window,
    Csr::Timer,
    Csr::Irq,
    Csr::Instret,
    Csr::Instreth,
    Csr::Cpuid,
    Csr::Mstatus,
    Csr::Mhartid,
];

/// Which rows and which traps make a guest leave: four words of the control structure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Exits {
    /// A bit for each of [`OPS`].
    pub ops: u32,
    /// A bit for each of [`CSRS`] that is read.
    pub reads: u32,
    /// A bit for each of [`CSRS`] that is written.
    pub writes: u32,
    /// A bit for each cause of a trap that has a code below 32 and is not root operation's own.
    pub traps: u32,
}

impl Exits {
    /// All that there are.
    pub const ALL: Exits = Exits {
        ops: (1 << OPS.len()) - 1,
        reads: (1 << CSRS.len()) - 1,
        // The last five are read-only, but for `mstatus`.
        writes: 0x1_1fff,
        traps: 0x0100_bfff,
    };

    /// Adds a row. Rows that trap in every ring (`ecall`, `ebreak`, `hcall`) leave as their traps do. False if the row
    /// cannot be made to leave.
    pub fn add_row(&mut self, row: Row) -> bool {
        let traps = match row {
            Row::Op(Op::Ecall) => 0xf00,
            Row::Op(Op::Ebreak) => 1 << Cause::Breakpoint.code(),
            Row::Op(Op::Hcall) => 1 << Cause::Hypercall.code(),
            _ => {
                let Some((word, bit)) = self.control(row) else {
                    return false;
                };
                *word |= bit;
                return true;
            }
        };
        self.traps |= traps;
        true
    }

    /// Adds the traps of this cause. False if they cannot be made to leave.
    pub fn add_cause(&mut self, cause: Cause) -> bool {
        let bit = 1_u32.checked_shl(cause.code()).unwrap_or_default() & Exits::ALL.traps;
        self.traps |= bit;
        bit != 0
    }

    /// Those of both.
    pub fn or(self, other: Exits) -> Exits {
        Exits {
            ops: self.ops | other.ops,
            reads: self.reads | other.reads,
            writes: self.writes | other.writes,
            traps: self.traps | other.traps,
        }
    }

    /// Those that are not among the others.
    pub fn without(self, others: Exits) -> Exits {
        Exits {
            ops: self.ops & !others.ops,
            reads: self.reads & !others.reads,
            writes: self.writes & !others.writes,
            traps: self.traps & !others.traps,
        }
    }

    /// Whether this row is among them.
    pub fn has_row(mut self, row: Row) -> bool {
        self.control(row).is_some_and(|(word, bit)| *word & bit != 0)
    }

    /// Whether the traps of this cause are among them.
    pub fn has_cause(self, cause: Cause) -> bool {
        1_u32
            .checked_shl(cause.code())
            .is_some_and(|bit| self.traps & bit != 0)
    }

    /// Whether bits are set that mean nothing.
    pub(super) fn has_reserved(self) -> bool {
        self.or(Exits::ALL) != Exits::ALL
    }

    /// The word and the bit that control a row.
    fn control(&mut self, row: Row) -> Option<(&mut u32, u32)> {
        let of_csr = |csr| CSRS.iter().position(|known| *known == csr);
        let (word, position, possible) = match row {
            Row::Op(op) => {
                let position = OPS.iter().position(|known| *known == op)?;
                (&mut self.ops, position, Exits::ALL.ops)
            }
            Row::Read(csr) => (&mut self.reads, of_csr(csr)?, Exits::ALL.reads),
            Row::Write(csr) => (&mut self.writes, of_csr(csr)?, Exits::ALL.writes),
        };
        let bit = 1 << position & possible;
        (bit != 0).then_some((word, bit))
    }
}

/// What the processor keeps of a control structure while its guest runs. A change to the structure counts from the
/// next entry on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Controls {
    /// The physical address of the structure.
    pub structure: u32,
    /// Rows and traps that make the guest leave.
    pub exits: Exits,
    /// Whether interrupts of the real machine do.
    pub external: bool,
    /// Whether being able to take an interrupt does.
    pub window: bool,
    /// The clock value before whose instruction the guest leaves, if there is a countdown.
    pub deadline: Option<u64>,
    /// How many traps of its own the guest may still take, if there is a limit.
    pub traps: Option<u32>,
    /// Added to the clock where the guest reads it.
    pub offset: u64,
    /// The clock at the guest's first instruction.
    pub start: u64,
}

impl Controls {
    /// Whether a trap with this cause makes the guest leave.
    pub fn leaves(&self, cause: Cause) -> bool {
        match cause {
            Cause::TimerInterrupt | Cause::DeviceInterrupt => self.external,
            _ => cause.is_of_root_operation() || self.exits.has_cause(cause),
        }
    }

    /// What the guest leaves by when this trap comes; `None` if it takes the trap itself, which is counted.
    pub(crate) fn sift(&mut self, trap: Trap) -> Option<Trap> {
        if self.leaves(trap.cause) {
            return Some(trap);
        }
        match &mut self.traps {
            Some(0) => Some(Trap {
                cause: Cause::TrapLimit,
                tval: 0,
            }),
            Some(left) => {
                *left -= 1;
                None
            }
            None => None,
        }
    }

    /// Whether the countdown is over.
    pub fn is_over(&self, clock: u64) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= clock)
    }
}
