//! The disassembler: canonical text, which the assembler reads back to the same word.

use std::fmt::{self, Write};

use crate::asm::pattern::{self, Field};
use crate::instruction::{Instruction, Registers, decode};
use crate::table::Csr;

/// The ABI names of the registers, x0 first.
pub const REGISTER_NAMES: [&str; 16] = [
    "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4", "a5",
];

/// The ABI names of the registers that only a foreign processor has, x16 first.
pub const FOREIGN_NAMES: [&str; 16] = [
    "a6", "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
];

/// The ABI names of a processor's registers, x0 first.
pub fn register_names(registers: Registers) -> impl Iterator<Item = &'static str> {
    let all = REGISTER_NAMES.into_iter().chain(FOREIGN_NAMES);
    all.take(usize::from(registers.count()))
}

/// The letters of a fence's sets, most significant bit first.
pub(crate) const FENCE_LETTERS: [char; 4] = ['i', 'o', 'r', 'w'];

/// The text of the word at address `pc`, with pseudo-instructions where they are shorter and absolute
/// targets.
///
/// The assembler reads it back to `word` at the same `pc`. What is no instruction, or has bits that the
/// text of its instruction has no place for, is `.word 0x...`.
pub fn disassemble(word: u32, pc: u32) -> String {
    disassemble_for(Registers::Sixteen, word, pc)
}

/// As [`disassemble`], of a program for so many registers. The assembler does not read back what names x16..x31.
pub fn disassemble_for(registers: Registers, word: u32, pc: u32) -> String {
    let mut text = String::with_capacity(32);
    write_instruction(&mut text, registers, word, pc);
    text
}

/// As [`disassemble`], into a buffer that is cleared first.
pub fn disassemble_into(text: &mut String, word: u32, pc: u32) {
    text.clear();
    write_instruction(text, Registers::Sixteen, word, pc);
}

fn write_instruction(text: &mut String, registers: Registers, word: u32, pc: u32) {
    let insn = decode(word, registers);
    let pattern = insn.as_ref().map(pattern::to_print);
    // Writing to a String does not fail.
    let _ = match insn.zip(pattern) {
        Some((insn, pattern)) if pattern.carries(&insn) => {
            text.push_str(pattern.name);
            pattern.fields.iter().enumerate().try_for_each(|(i, field)| {
                text.push_str(if i == 0 { " " } else { ", " });
                write_field(text, *field, &insn, pc)
            })
        }
        _ => write!(text, ".word {word:#010x}"),
    };
}

fn write_field(out: &mut String, field: Field, insn: &Instruction, pc: u32) -> fmt::Result {
    match field {
        Field::Rd => out.write_str(register(insn.rd)),
        Field::Rs1 => out.write_str(register(insn.rs1)),
        Field::Rs2 => out.write_str(register(insn.rs2)),
        Field::Imm | Field::Shamt => write!(out, "{}", insn.imm),
        Field::Upper => write!(out, "{:#x}", insn.imm as u32 >> 12),
        Field::Target => write!(out, "{:#x}", pc.wrapping_add(insn.imm as u32)),
        Field::Address => write!(out, "{}({})", insn.imm, register(insn.rs1)),
        Field::Csr => match Csr::from_number(insn.imm as u16) {
            Some(csr) => out.write_str(csr.row().name),
            None => write!(out, "{:#x}", insn.imm),
        },
        Field::Zimm => write!(out, "{}", insn.rs1),
        Field::Pred => write_set(out, insn.imm >> 4),
        Field::Succ => write_set(out, insn.imm),
    }
}

/// The decoder lets no number above 31 through.
fn register(number: u8) -> &'static str {
    let names = if number < 16 {
        REGISTER_NAMES
    } else {
        FOREIGN_NAMES
    };
    names[usize::from(number & 15)]
}

fn write_set(out: &mut String, set: i32) -> fmt::Result {
    FENCE_LETTERS
        .into_iter()
        .zip([8, 4, 2, 1])
        .filter(|(_, bit)| set & bit != 0)
        .for_each(|(c, _)| out.push(c));
    Ok(())
}

#[cfg(test)]
mod tests;
