//! How instructions are written: the operand list of each form of the table, and the pseudo-instructions
//! that are one instruction with some fields fixed. The assembler reads these patterns, the disassembler
//! prints them.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::instruction::Instruction;
use crate::table::{CSRS, Csr, Form, OPS, Op};

/// One operand as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Rd,
    Rs1,
    Rs2,
    /// A 12-bit signed immediate.
    Imm,
    /// A shift amount.
    Shamt,
    /// The upper 20 bits.
    Upper,
    /// An absolute address, encoded as a distance.
    Target,
    /// `imm(rs1)`
    Address,
    /// A control register.
    Csr,
    /// The 5-bit unsigned immediate that stands in the place of rs1.
    Zimm,
    /// What a fence orders before it.
    Pred,
    /// What a fence orders after it.
    Succ,
}

impl Field {
    /// As the reference writes it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Field::Rd => "rd",
            Field::Rs1 => "rs1",
            Field::Rs2 => "rs2",
            Field::Imm => "imm",
            Field::Shamt => "shamt",
            Field::Upper => "upper",
            Field::Target => "target",
            Field::Address => "imm(rs1)",
            Field::Csr => "csr",
            Field::Zimm => "uimm",
            Field::Pred => "pred",
            Field::Succ => "succ",
        }
    }
}

impl Form {
    /// The operands in the order in which they are written.
    pub(crate) fn fields(self) -> &'static [Field] {
        use Field::*;
        match self {
            Form::R => &[Rd, Rs1, Rs2],
            Form::I => &[Rd, Rs1, Imm],
            Form::Shift => &[Rd, Rs1, Shamt],
            Form::Load => &[Rd, Address],
            Form::Store => &[Rs2, Address],
            Form::Branch => &[Rs1, Rs2, Target],
            Form::U => &[Rd, Upper],
            Form::J => &[Rd, Target],
            Form::Fence => &[Pred, Succ],
            Form::FenceI | Form::None => &[],
            Form::Csr => &[Rd, Csr, Rs1],
            Form::CsrImm => &[Rd, Csr, Zimm],
            Form::Rs1 => &[Rs1],
            Form::Rs1Rs2 => &[Rs1, Rs2],
            Form::RdRs1 => &[Rd, Rs1],
        }
    }
}

/// A way of writing an instruction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pattern {
    pub(crate) name: &'static str,
    /// The operation, with the values of all fields that are not written.
    pub(crate) fixed: Instruction,
    /// Whether some field that the form has is not written: only then is it shorter, and printed.
    pub(crate) shorter: bool,
    pub(crate) fields: &'static [Field],
}

const fn blank(op: Op) -> Instruction {
    Instruction {
        op,
        rd: 0,
        rs1: 0,
        rs2: 0,
        imm: 0,
    }
}

macro_rules! pseudos {
    ($( $name:literal [$($field:ident),*] $op:ident $( { $($fix:ident: $value:expr),+ } )?; )*) => {
        &[$( Pattern {
            name: $name,
            fixed: Instruction { $($($fix: $value,)+)? ..blank(Op::$op) },
            shorter: pseudos!(@shorter $($($fix)+)?),
            fields: &[$(Field::$field),*],
        }, )*]
    };
    (@shorter) => { false };
    (@shorter $($fix:ident)+) => { true };
}

/// Predecessor and successor sets `iorw, iorw`.
const FENCE_ALL: i32 = 0xff;

/// In the order in which the disassembler tries them. The list is that of the RISC-V Assembly Programmer's
/// Manual, and the short forms that GNU as takes.
const PSEUDOS: &[Pattern] = pseudos! {
    "nop" [] Addi { rd: 0, rs1: 0, imm: 0 };
    "li" [Rd, Imm] Addi { rs1: 0 };
    "mv" [Rd, Rs1] Addi { imm: 0 };
    "not" [Rd, Rs1] Xori { imm: -1 };
    "neg" [Rd, Rs2] Sub { rs1: 0 };
    "seqz" [Rd, Rs1] Sltiu { imm: 1 };
    "snez" [Rd, Rs2] Sltu { rs1: 0 };
    "sltz" [Rd, Rs1] Slt { rs2: 0 };
    "sgtz" [Rd, Rs2] Slt { rs1: 0 };
    "sgt" [Rd, Rs2, Rs1] Slt;
    "sgtu" [Rd, Rs2, Rs1] Sltu;
    "beqz" [Rs1, Target] Beq { rs2: 0 };
    "bnez" [Rs1, Target] Bne { rs2: 0 };
    "bgez" [Rs1, Target] Bge { rs2: 0 };
    "bltz" [Rs1, Target] Blt { rs2: 0 };
    "blez" [Rs2, Target] Bge { rs1: 0 };
    "bgtz" [Rs2, Target] Blt { rs1: 0 };
    "bgt" [Rs2, Rs1, Target] Blt;
    "ble" [Rs2, Rs1, Target] Bge;
    "bgtu" [Rs2, Rs1, Target] Bltu;
    "bleu" [Rs2, Rs1, Target] Bgeu;
    "j" [Target] Jal { rd: 0 };
    "jal" [Target] Jal { rd: 1 };
    "ret" [] Jalr { rd: 0, rs1: 1, imm: 0 };
    "jr" [Rs1] Jalr { rd: 0, imm: 0 };
    "jr" [Address] Jalr { rd: 0 };
    "jr" [Rs1, Imm] Jalr { rd: 0 };
    "jalr" [Rs1] Jalr { rd: 1, imm: 0 };
    "jalr" [Address] Jalr { rd: 1 };
    "jalr" [Rs1, Imm] Jalr { rd: 1 };
    "jalr" [Rd, Rs1] Jalr { imm: 0 };
    "jalr" [Rd, Rs1, Imm] Jalr;
    "rdinstret" [Rd] Csrrs { rs1: 0, imm: CSRS[Csr::Instret as usize].number as i32 };
    "rdinstreth" [Rd] Csrrs { rs1: 0, imm: CSRS[Csr::Instreth as usize].number as i32 };
    "csrr" [Rd, Csr] Csrrs { rs1: 0 };
    "csrw" [Csr, Rs1] Csrrw { rd: 0 };
    "csrs" [Csr, Rs1] Csrrs { rd: 0 };
    "csrc" [Csr, Rs1] Csrrc { rd: 0 };
    "csrwi" [Csr, Zimm] Csrrwi { rd: 0 };
    "csrsi" [Csr, Zimm] Csrrsi { rd: 0 };
    "csrci" [Csr, Zimm] Csrrci { rd: 0 };
    "csrw" [Csr, Zimm] Csrrwi { rd: 0 };
    "csrs" [Csr, Zimm] Csrrsi { rd: 0 };
    "csrc" [Csr, Zimm] Csrrci { rd: 0 };
    "csrrw" [Rd, Csr, Zimm] Csrrwi;
    "csrrs" [Rd, Csr, Zimm] Csrrsi;
    "csrrc" [Rd, Csr, Zimm] Csrrci;
    "fence" [] Fence { imm: FENCE_ALL };
    "sfence.vma" [] SfenceVma { rs1: 0, rs2: 0 };
    "sfence.vma" [Rs1] SfenceVma { rs2: 0 };
    "add" [Rd, Rs1, Imm] Addi;
    "slt" [Rd, Rs1, Imm] Slti;
    "sltu" [Rd, Rs1, Imm] Sltiu;
    "xor" [Rd, Rs1, Imm] Xori;
    "or" [Rd, Rs1, Imm] Ori;
    "and" [Rd, Rs1, Imm] Andi;
    "sll" [Rd, Rs1, Shamt] Slli;
    "srl" [Rd, Rs1, Shamt] Srli;
    "sra" [Rd, Rs1, Shamt] Srai;
};

fn of_the_table() -> impl Iterator<Item = Pattern> {
    OPS.iter().map(|row| Pattern {
        name: row.mnemonic,
        fixed: blank(row.op),
        shorter: false,
        fields: row.form.fields(),
    })
}

/// Every way of writing an instruction of this name, that of the table first.
pub(crate) fn by_name(name: &str) -> Option<&'static [Pattern]> {
    static BY_NAME: LazyLock<HashMap<&'static str, Vec<Pattern>>> = LazyLock::new(|| {
        let mut map: HashMap<_, Vec<_>> = HashMap::new();
        for pattern in of_the_table().chain(PSEUDOS.iter().copied()) {
            map.entry(pattern.name).or_default().push(pattern);
        }
        map
    });
    BY_NAME.get(name).map(Vec::as_slice)
}

/// The names of all of them, some more than once.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    OPS.iter()
        .map(|row| row.mnemonic)
        .chain(PSEUDOS.iter().map(|pattern| pattern.name))
}

/// How the disassembler writes an instruction: the first pseudo-instruction that fits, or as in the table.
pub(crate) fn to_print(insn: &Instruction) -> &'static Pattern {
    static BY_OP: LazyLock<Vec<Vec<Pattern>>> = LazyLock::new(|| {
        let of_op = |table: Pattern| {
            let shorter = PSEUDOS
                .iter()
                .filter(move |p| p.shorter && p.fixed.op == table.fixed.op);
            shorter.copied().chain([table]).collect()
        };
        of_the_table().map(of_op).collect()
    });
    let patterns = &BY_OP[insn.op as usize];
    let fits = |pattern: &&Pattern| pattern.unwritten(insn) == pattern.fixed;
    // The last is the pattern of the table, which fixes nothing.
    patterns
        .iter()
        .find(fits)
        .unwrap_or(&patterns[patterns.len() - 1])
}

impl Pattern {
    /// `insn` with the written fields cleared.
    fn unwritten(&self, insn: &Instruction) -> Instruction {
        self.fields.iter().fold(*insn, |rest, field| match field {
            Field::Rd => Instruction { rd: 0, ..rest },
            Field::Rs1 | Field::Zimm => Instruction { rs1: 0, ..rest },
            Field::Rs2 => Instruction { rs2: 0, ..rest },
            Field::Imm | Field::Shamt | Field::Upper | Field::Target | Field::Csr => {
                Instruction { imm: 0, ..rest }
            }
            Field::Address => Instruction {
                rs1: 0,
                imm: 0,
                ..rest
            },
            Field::Pred => Instruction {
                imm: rest.imm & !0xf0,
                ..rest
            },
            Field::Succ => Instruction {
                imm: rest.imm & !0x0f,
                ..rest
            },
        })
    }

    /// As the reference writes it: `addi rd, rs1, imm`.
    pub(crate) fn usage(&self) -> String {
        let operands: Vec<_> = self.fields.iter().map(|field| field.name()).collect();
        format!("{} {}", self.name, operands.join(", "))
            .trim_end()
            .to_string()
    }

    /// Whether the pattern writes every bit of `insn`: reserved fields of fences that are not 0, and fences
    /// that order nothing, cannot be written.
    pub(crate) fn carries(&self, insn: &Instruction) -> bool {
        let sets_named = match self.fixed.op.row().form {
            Form::Fence => insn.imm & 0xf0 != 0 && insn.imm & 0x0f != 0,
            _ => true,
        };
        sets_named && self.unwritten(insn) == self.fixed
    }
}
