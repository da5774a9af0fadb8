use proptest::prelude::*;

use super::*;
use crate::asm::assemble_line;
use crate::instruction::Instruction;
use crate::table::{CSRS, Form, OPS, OpRow};

/// The word comes back from its text.
fn check(word: u32, pc: u32) {
    let text = disassemble(word, pc);
    match assemble_line(&text, pc) {
        Ok(again) => assert_eq!(
            again, word,
            "{word:#010x} at {pc:#x} is '{text}', which is {again:#010x}"
        ),
        Err(error) => panic!("{word:#010x} at {pc:#x} is '{text}': {error}"),
    }
}

/// The extreme and some middling values of the immediate of a form.
fn immediates(form: Form) -> Vec<i32> {
    match form {
        Form::I | Form::Load | Form::Store => vec![-2048, -1, 0, 1, 5, 2047],
        Form::Shift => vec![0, 1, 31],
        Form::Branch => vec![-4096, -2, 0, 2, 4, 4094],
        Form::U => vec![0, 0x1000, 0x7fff_f000, i32::MIN, -0x1000],
        Form::J => vec![-(1 << 20), -2, 0, 2, 4, (1 << 20) - 2],
        Form::Fence => vec![0, 0x01, 0x10, 0xff, 0x33, 0x833, 0xfff],
        Form::FenceI => vec![0, 1, 0xfff],
        Form::Csr | Form::CsrImm => CSRS.iter().map(|row| i32::from(row.number)).collect(),
        Form::R | Form::None | Form::Rs1 | Form::Rs1Rs2 | Form::RdRs1 => vec![0],
    }
}

fn check_row(row: &OpRow, registers: &[u8], pc: u32) {
    for &imm in &immediates(row.form) {
        for &rd in registers {
            for &rs1 in registers {
                for &rs2 in registers {
                    check(
                        Instruction {
                            op: row.op,
                            rd,
                            rs1,
                            rs2,
                            imm,
                        }
                        .encode(),
                        pc,
                    );
                }
            }
        }
    }
}

#[test]
fn every_row_comes_back_from_its_text_at_the_extremes_of_its_operands() {
    for row in OPS {
        check_row(row, &[0, 1, 2, 15, 16, 31], 0x1000);
        check_row(row, &[0, 1, 9], 0xffff_fffc);
    }
}

#[test]
fn pseudo_instructions_are_printed_where_they_are_shorter() {
    let expected = [
        (0x0000_0013, "nop"),
        (0x0050_0513, "li a0, 5"),
        (0x0005_8513, "mv a0, a1"),
        (0xfff5_c513, "not a0, a1"),
        (0x40b0_0533, "neg a0, a1"),
        (0x0000_8067, "ret"),
        (0x0005_0067, "jr a0"),
        (0x0040_006f, "j 0x1004"),
        (0x0040_00ef, "jal 0x1004"),
        (0xfe05_08e3, "beqz a0, 0xff0"),
        (0x7c00_2573, "csrr a0, status"),
        (0x7c05_1073, "csrw status, a0"),
        (0x7c05_15f3, "csrrw a1, status, a0"),
        (0xc020_2573, "rdinstret a0"),
        (0x0ff0_000f, "fence"),
        (0x0330_000f, "fence rw, rw"),
        (0x1200_0073, "sfence.vma"),
        (0x3020_0073, "mret"),
        (0x1234_5537, "lui a0, 0x12345"),
        (0xffc1_2503, "lw a0, -4(sp)"),
        (0x0200_000b, "in zero, zero"),
    ];
    for (word, text) in expected {
        assert_eq!(disassemble(word, 0x1000), text);
    }
}

#[test]
fn what_has_no_text_is_a_word() {
    let reserved_fence_fields = 0x8330_000f;
    let fence_that_orders_nothing = 0x0000_000f;
    let register_of_rv32i = 0x0000_0813;
    for word in [
        0,
        u32::MAX,
        reserved_fence_fields,
        fence_that_orders_nothing,
        register_of_rv32i,
    ] {
        assert_eq!(disassemble(word, 0), format!(".word {word:#010x}"));
        check(word, 0);
    }
}

#[test]
fn a_foreign_program_has_names_for_all_its_registers() {
    let names: Vec<&str> = register_names(Registers::ThirtyTwo).collect();
    assert_eq!(
        (names.len(), names[15], names[16], names[31]),
        (32, "a5", "a6", "t6")
    );
    assert_eq!(register_names(Registers::Sixteen).last(), Some("a5"));
    // As objdump has them.
    for (word, text) in [
        (0x04000893, "li a7, 64"),
        (0x01cf_a023, "sw t3, 0(t6)"),
        (0x0129_8a33, "add s4, s3, s2"),
    ] {
        assert_eq!(disassemble_for(Registers::ThirtyTwo, word, 0), text);
        assert_eq!(disassemble(word, 0), format!(".word {word:#010x}"));
    }
}

proptest! {
    #[test]
    fn any_word_comes_back_from_its_text(word: u32, pc: u32) {
        check(word, pc & !3);
    }

    #[test]
    fn any_operands_come_back_from_their_text(
        op in 0..OPS.len(), rd in 0..16u8, rs1 in 0..16u8, rs2 in 0..16u8, imm: i32, pc: u32,
    ) {
        check(Instruction { op: OPS[op].op, rd, rs1, rs2, imm }.encode(), pc & !3);
    }
}

/// A slice of `cargo xtask sweep`, which checks all words.
#[test]
fn words_from_everywhere_come_back_from_their_text() {
    // Odd, so that every opcode and every field takes part.
    const STEP: usize = 2089;
    (0..=u32::MAX)
        .step_by(STEP)
        .for_each(|word| check(word, 0x8000_1000));
}
