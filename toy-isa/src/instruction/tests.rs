use proptest::prelude::*;

use super::*;
use crate::table::{CSRS, Cost};

/// Operands that the form of `op` has room for; the others are 0.
fn operands(op: usize) -> impl Strategy<Value = Instruction> {
    let row = &OPS[op];
    let imm = match row.form {
        Form::I | Form::Load | Form::Store => (-2048..2048).boxed(),
        Form::Shift => (0..32).boxed(),
        Form::Branch => (-2048..2048).prop_map(|half| half * 2).boxed(),
        Form::U => any::<i32>().prop_map(|word| word & !0xfff).boxed(),
        Form::J => (-(1 << 19)..1 << 19).prop_map(|half| half * 2).boxed(),
        Form::Fence | Form::FenceI => (0..4096).boxed(),
        Form::Csr | Form::CsrImm => (0..CSRS.len()).prop_map(|i| i32::from(CSRS[i].number)).boxed(),
        _ => Just(0).boxed(),
    };
    let (rd, rs1, rs2): (u8, u8, u8) = match row.form {
        Form::R => (16, 16, 16),
        Form::I | Form::Shift | Form::Load | Form::Fence | Form::FenceI | Form::Csr => (16, 16, 1),
        Form::CsrImm => (16, 32, 1),
        Form::Store | Form::Branch | Form::Rs1Rs2 => (1, 16, 16),
        Form::U | Form::J => (16, 1, 1),
        Form::None => (1, 1, 1),
        Form::Rs1 => (1, 16, 1),
        Form::RdRs1 => (16, 16, 1),
    };
    let op = row.op;
    (0..rd, 0..rs1, 0..rs2, imm).prop_map(move |(rd, rs1, rs2, imm)| Instruction {
        op,
        rd,
        rs1,
        rs2,
        imm,
    })
}

proptest! {
    #[test]
    fn decoding_inverts_encoding(insn in (0..OPS.len()).prop_flat_map(operands)) {
        let read_only = insn.csr().is_some_and(|csr| csr.row().write.is_none());
        let expected = (!(read_only && insn.writes_csr())).then_some(insn);
        prop_assert_eq!(decode(insn.encode(), Registers::Sixteen), expected);
        prop_assert_eq!(decode(insn.encode(), Registers::ThirtyTwo), expected);
    }

    #[test]
    fn encoding_inverts_decoding(word: u32) {
        for registers in [Registers::Sixteen, Registers::ThirtyTwo] {
            if let Some(insn) = decode(word, registers) {
                prop_assert_eq!(insn.encode(), word);
            }
        }
    }

    #[test]
    fn sixteen_registers_are_a_part_of_thirty_two(word: u32) {
        let narrow = decode(word, Registers::Sixteen);
        prop_assert!(narrow.is_none() || narrow == decode(word, Registers::ThirtyTwo));
    }
}

/// Words of the RISC-V Unprivileged Specification and of GNU as, written down by hand.
#[test]
fn words_known_from_elsewhere() {
    let expected = [
        (0x0010_0093, Op::Addi, 1, 0, 0, 1),
        (0xfff0_0513, Op::Addi, 10, 0, 0, -1),
        (0x41f5_5593, Op::Srai, 11, 10, 0, 31),
        (0x02b5_0633, Op::Mul, 12, 10, 11, 0),
        (0x8000_00b7, Op::Lui, 1, 0, 0, i32::MIN),
        (0xffdf_f06f, Op::Jal, 0, 0, 0, -4),
        (0xfe05_1ee3, Op::Bne, 0, 10, 0, -4),
        (0xfeb5_2e23, Op::Sw, 0, 10, 11, -4),
        (0x3052_9073, Op::Csrrw, 0, 5, 0, 0x305),
    ];
    for (word, op, rd, rs1, rs2, imm) in expected {
        let insn = Instruction {
            op,
            rd,
            rs1,
            rs2,
            imm,
        };
        assert_eq!(decode(word, Registers::Sixteen), Some(insn), "{word:#010x}");
        assert_eq!(insn.encode(), word);
    }
}

#[test]
fn a_register_above_fifteen_is_illegal_only_with_sixteen() {
    let add_x16 = 0x0000_0833;
    assert_eq!(decode(add_x16, Registers::Sixteen), None);
    assert_eq!(
        decode(add_x16, Registers::ThirtyTwo).map(|insn| insn.rd),
        Some(16)
    );
}

#[test]
fn control_register_accesses_are_rows_of_their_own() {
    let row = |word| decode(word, Registers::Sixteen).map(Instruction::row);
    assert_eq!(row(0x7c00_2573), Some(Row::Read(Csr::Status)));
    assert_eq!(row(0x7c05_1073), Some(Row::Write(Csr::Status)));
    assert_eq!(
        row(0x7c00_1073),
        Some(Row::Write(Csr::Status)),
        "csrrw with x0 writes 0"
    );
    assert_eq!(row(0xc020_2573), Some(Row::Read(Csr::Instret)));
    assert_eq!(
        row(0xc020_1073),
        None,
        "a write to a read-only register is illegal"
    );
    assert_eq!(row(0x1230_2573), None, "no row describes this register");
}

#[test]
fn reserved_fields_of_fences_do_not_name_registers() {
    let fence = decode(0x0ff8_8f8f, Registers::Sixteen);
    assert_eq!(fence.map(|insn| insn.op.row().cost), Some(Cost::Fence));
}
