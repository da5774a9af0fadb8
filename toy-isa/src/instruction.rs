//! Instructions, and the way from a word to an instruction and back. Both ways read the table.

use std::sync::LazyLock;

use crate::row::Row;
use crate::table::{Csr, Form, OPS, Op, OpRow};

/// A decoded instruction: operands extracted, immediate sign-extended.
///
/// Fields that the form does not use are 0, except for the reserved fields of the fences, which are kept so
/// that every word can be written back as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Instruction {
    /// What it does.
    pub op: Op,
    /// Destination register.
    pub rd: u8,
    /// First source register; for the immediate forms of control-register access, the 5-bit immediate.
    pub rs1: u8,
    /// Second source register.
    pub rs2: u8,
    /// Immediate, in the units of the assembler: bytes for offsets, the upper 20 bits in place for `lui`,
    /// the number of the control register for `csr` forms, bits 31..20 for fences.
    pub imm: i32,
}

/// How many registers an instruction may name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Registers {
    /// x0..x15, as RV32E and Ring32.
    #[default]
    Sixteen,
    /// x0..x31, as RV32I: only for a foreign guest under pure emulation.
    ThirtyTwo,
}

impl Registers {
    /// How many there are.
    pub const fn count(self) -> u8 {
        match self {
            Registers::Sixteen => 16,
            Registers::ThirtyTwo => 32,
        }
    }
}

/// The rows that can match a word, by major opcode and funct3.
static BY_OPCODE: LazyLock<[Vec<&'static OpRow>; 1024]> = LazyLock::new(|| {
    std::array::from_fn(|slot| {
        let word = (slot as u32 & 0x7f) | (slot as u32 >> 7) << 12;
        OPS.iter()
            .filter(|row| (word ^ row.bits) & row.mask & 0x707f == 0)
            .collect()
    })
});

/// The instruction that `word` encodes; `None` if it is an illegal one.
pub fn decode(word: u32, registers: Registers) -> Option<Instruction> {
    let slot = (word & 0x7f | word >> 5 & 0x380) as usize;
    let row = BY_OPCODE[slot].iter().find(|row| word & row.mask == row.bits)?;
    let insn = extract(row, word);
    // The reserved fields of the fences are no register names.
    let named = match row.form {
        Form::Fence | Form::FenceI => [0; 3],
        Form::CsrImm => [insn.rd, 0, 0],
        _ => [insn.rd, insn.rs1, insn.rs2],
    };
    if named.into_iter().any(|register| register >= registers.count()) {
        return None;
    }
    match row.form {
        Form::Csr | Form::CsrImm => insn.row_of_csr().map(|_| insn),
        _ => Some(insn),
    }
}

fn extract(row: &OpRow, word: u32) -> Instruction {
    let rd = (word >> 7 & 31) as u8;
    let rs1 = (word >> 15 & 31) as u8;
    let rs2 = (word >> 20 & 31) as u8;
    let signed = word as i32;
    let blank = Instruction {
        op: row.op,
        rd: 0,
        rs1: 0,
        rs2: 0,
        imm: 0,
    };
    match row.form {
        Form::R => Instruction {
            rd,
            rs1,
            rs2,
            ..blank
        },
        Form::I | Form::Load => Instruction {
            rd,
            rs1,
            imm: signed >> 20,
            ..blank
        },
        Form::Shift => Instruction {
            rd,
            rs1,
            imm: i32::from(rs2),
            ..blank
        },
        Form::Store => Instruction {
            rs1,
            rs2,
            imm: signed >> 25 << 5 | (word >> 7 & 0x1f) as i32,
            ..blank
        },
        Form::Branch => {
            let imm = signed >> 31 << 12
                | ((word >> 7 & 1) << 11 | (word >> 25 & 0x3f) << 5 | (word >> 8 & 0xf) << 1) as i32;
            Instruction {
                rs1,
                rs2,
                imm,
                ..blank
            }
        }
        Form::U => Instruction {
            rd,
            imm: (word & 0xffff_f000) as i32,
            ..blank
        },
        Form::J => {
            let imm = signed >> 31 << 20
                | (word & 0xf_f000 | (word >> 20 & 1) << 11 | (word >> 21 & 0x3ff) << 1) as i32;
            Instruction { rd, imm, ..blank }
        }
        Form::Fence | Form::FenceI | Form::Csr | Form::CsrImm => Instruction {
            rd,
            rs1,
            imm: (word >> 20) as i32,
            ..blank
        },
        Form::None => blank,
        Form::Rs1 => Instruction { rs1, ..blank },
        Form::Rs1Rs2 => Instruction { rs1, rs2, ..blank },
        Form::RdRs1 => Instruction { rd, rs1, ..blank },
    }
}

impl Instruction {
    /// The word of this instruction: the inverse of [`decode`]. Immediate bits that the form has no room for
    /// are dropped; the assembler checks ranges before it comes here.
    pub fn encode(self) -> u32 {
        let row = self.op.row();
        let rd = u32::from(self.rd) << 7;
        let rs1 = u32::from(self.rs1) << 15;
        let rs2 = u32::from(self.rs2) << 20;
        let imm = self.imm as u32;
        row.bits
            | match row.form {
                Form::R => rd | rs1 | rs2,
                Form::I | Form::Load | Form::Fence | Form::FenceI | Form::Csr | Form::CsrImm => {
                    rd | rs1 | imm << 20
                }
                Form::Shift => rd | rs1 | (imm & 31) << 20,
                Form::Store => rs1 | rs2 | (imm >> 5 & 0x7f) << 25 | (imm & 0x1f) << 7,
                Form::Branch => {
                    rs1 | rs2
                        | (imm >> 12 & 1) << 31
                        | (imm >> 5 & 0x3f) << 25
                        | (imm >> 1 & 0xf) << 8
                        | (imm >> 11 & 1) << 7
                }
                Form::U => rd | imm & 0xffff_f000,
                Form::J => {
                    rd | (imm >> 20 & 1) << 31
                        | (imm >> 1 & 0x3ff) << 21
                        | (imm >> 11 & 1) << 20
                        | imm & 0xf_f000
                }
                Form::None => 0,
                Form::Rs1 => rs1,
                Form::Rs1Rs2 => rs1 | rs2,
                Form::RdRs1 => rd | rs1,
            }
    }

    /// The control register it names, if it is of a `csr` form.
    pub fn csr(self) -> Option<Csr> {
        match self.op.row().form {
            Form::Csr | Form::CsrImm => Csr::from_number(self.imm as u16 & 0xfff),
            _ => None,
        }
    }

    /// Whether a control-register instruction writes: all but the set and clear forms with source 0.
    pub fn writes_csr(self) -> bool {
        self.rs1 != 0 || matches!(self.op, Op::Csrrw | Op::Csrrwi)
    }

    /// The row of the ISA that it belongs to.
    pub fn row(self) -> Row {
        self.row_of_csr().unwrap_or(Row::Op(self.op))
    }

    /// The row of a control-register access; `None` for another instruction, and for an access that no row
    /// describes (an unknown register, or a write to a read-only one).
    fn row_of_csr(self) -> Option<Row> {
        let csr = self.csr()?;
        if !self.writes_csr() {
            Some(Row::Read(csr))
        } else {
            csr.row().write.map(|_| Row::Write(csr))
        }
    }
}

#[cfg(test)]
mod tests;
