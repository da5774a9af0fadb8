//! Rows: what classification, profiles and the monitor's routines speak of. A row is an instruction, or an
//! access of one kind to one control register.

use std::fmt;

use crate::profile::Behaviour;
use crate::table::{CSRS, Csr, OPS, Op, Outside, Sensitive};

/// A row of the ISA: (instruction, operand class).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Row {
    /// An instruction other than a control-register access.
    Op(Op),
    /// Reading a control register.
    Read(Csr),
    /// Writing a control register, or swapping with it.
    Write(Csr),
}

impl Row {
    /// An upper limit of [`Row::index`], for arrays.
    pub const COUNT: usize = OPS.len() + 2 * CSRS.len();

    /// A number of its own for each row, less than [`Row::COUNT`].
    #[inline]
    pub fn index(self) -> usize {
        match self {
            Row::Op(op) => op as usize,
            Row::Read(csr) => OPS.len() + 2 * csr as usize,
            Row::Write(csr) => OPS.len() + 2 * csr as usize + 1,
        }
    }

    /// Every row, in the order of the table.
    pub fn all() -> impl Iterator<Item = Row> {
        let ops = OPS
            .iter()
            .map(|row| Row::Op(row.op))
            .filter(|row| !row.is_csr_instruction());
        let csrs = CSRS.iter().flat_map(|row| {
            let write = row.write.map(|_| Row::Write(row.csr));
            std::iter::once(Row::Read(row.csr)).chain(write)
        });
        ops.chain(csrs)
    }

    /// Whether this is one of the six control-register instructions, which are no row of their own.
    fn is_csr_instruction(self) -> bool {
        matches!(
            self,
            Row::Op(Op::Csrrw | Op::Csrrs | Op::Csrrc | Op::Csrrwi | Op::Csrrsi | Op::Csrrci)
        )
    }

    /// The row written as `text`: a mnemonic, or `csrr NAME` or `csrw NAME`.
    pub fn from_name(text: &str) -> Option<Row> {
        Row::all().find(|row| row.to_string() == text)
    }

    /// What it does outside ring 0, per profile.
    pub fn outside(self) -> Outside {
        match self {
            Row::Op(op) => op.row().outside,
            Row::Read(csr) => csr.row().read.outside,
            Row::Write(csr) => csr.row().write.unwrap_or(csr.row().read).outside,
        }
    }

    /// Why it is declared sensitive; empty if it is not.
    pub fn sensitive(self) -> &'static [Sensitive] {
        match self {
            Row::Op(op) => op.row().sensitive,
            Row::Read(csr) => csr.row().read.sensitive,
            Row::Write(csr) => csr.row().write.map_or(&[], |access| access.sensitive),
        }
    }

    /// The x86 instruction it stands for.
    pub fn cousin(self) -> Option<&'static str> {
        match self {
            Row::Op(op) => op.row().cousin,
            Row::Read(csr) => csr.row().read.cousin,
            Row::Write(csr) => csr.row().write.and_then(|access| access.cousin),
        }
    }

    /// One line of documentation.
    pub fn doc(self) -> String {
        match self {
            Row::Op(op) => op.row().doc().to_string(),
            Row::Read(csr) => format!("read {}: {}", csr.row().name, csr.row().doc()),
            Row::Write(csr) => format!("write {}: {}", csr.row().name, csr.row().doc()),
        }
    }

    /// What it may be made to do outside ring 0 by an override.
    pub fn possible(self) -> &'static [Behaviour] {
        use Behaviour::*;
        match self {
            Row::Op(Op::Prober | Op::Probew) | Row::Read(_) => &[Traps, Leaks, Ignored],
            Row::Op(Op::Mret | Op::Wfi | Op::SfenceVma) => &[Traps, Ignored, TakesEffect],
            Row::Op(Op::In | Op::Out) => &[Traps, Ignored, TakesEffect],
            Row::Write(Csr::Status) => &[Traps, Ignored, Partial, TakesEffect],
            Row::Write(_) => &[Traps, Ignored, TakesEffect],
            Row::Op(op) if op.row().outside.classic == Innocuous => &[Innocuous],
            Row::Op(_) => &[Traps],
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Row::Op(op) => f.pad(op.row().mnemonic),
            Row::Read(csr) => f.pad(&format!("csrr {}", csr.row().name)),
            Row::Write(csr) => f.pad(&format!("csrw {}", csr.row().name)),
        }
    }
}
