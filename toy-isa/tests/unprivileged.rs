//! The unprivileged half against the RISC-V Unprivileged Specification 20191213: chapters 2 (RV32I), 4 (RV32E) and
//! 7 (M), corner by corner.

mod common;
#[path = "common/engines.rs"]
mod engines;

use common::*;
use toy_isa::engine::Exit;
use toy_isa::machine::Machine;
use toy_isa::profile::ProfileName;
use toy_isa::table::{Csr, Form, OPS, Op};

const MIN: u32 = 0x8000_0000;
const MAX: u32 = 0x7fff_ffff;
const ONES: u32 = 0xffff_ffff;

fn fresh() -> Machine {
    machine(ProfileName::Classic)
}

/// The result of `op x10, x1, x2`.
fn binary(op: Op, a: u32, b: u32) -> u32 {
    let mut m = fresh();
    m.hart.x[1] = a;
    m.hart.x[2] = b;
    assert_eq!(execute(&mut m, r(op, 10, 1, 2)), Exit::Fuel);
    m.hart.x[10]
}

/// The result of `op x10, x1, imm`.
fn immediate(op: Op, a: u32, imm: i32) -> u32 {
    let mut m = fresh();
    m.hart.x[1] = a;
    assert_eq!(execute(&mut m, i(op, 10, 1, imm)), Exit::Fuel);
    m.hart.x[10]
}

/// The trap that the word raises, as cause and tval, when x1 holds `a`; the registers must be as before.
fn trap(word: u32, a: u32) -> (u32, u32) {
    let mut m = fresh();
    m.hart.x[1] = a;
    m.hart.x[10] = 0xdead_beef;
    let before = m.hart.x;
    assert!(
        matches!(execute(&mut m, word), Exit::Trap(_)),
        "{word:#010x} traps"
    );
    assert_eq!(m.hart.x, before, "nothing of {word:#010x} has happened");
    assert_eq!((m.hart.csr.epc, m.hart.pc), (CODE, HANDLER));
    (m.hart.csr.cause, m.hart.csr.tval)
}

/// Operands at the edges.
const EDGES: [u32; 12] = [0, 1, 2, 3, 31, 32, MAX - 1, MAX, MIN, MIN + 1, ONES - 1, ONES];

#[test]
fn division_by_zero_and_overflow() {
    // Table 7.1
    for a in EDGES {
        assert_eq!(binary(Op::Divu, a, 0), ONES);
        assert_eq!(binary(Op::Remu, a, 0), a);
        assert_eq!(binary(Op::Div, a, 0), ONES);
        assert_eq!(binary(Op::Rem, a, 0), a);
    }
    assert_eq!(binary(Op::Div, MIN, ONES), MIN);
    assert_eq!(binary(Op::Rem, MIN, ONES), 0);
}

#[test]
fn division_rounds_towards_zero_and_remainders_take_the_sign_of_the_dividend() {
    let minus = |n: u32| n.wrapping_neg();
    for (a, b, quotient, remainder) in [
        (7, 2, 3, 1),
        (minus(7), 2, minus(3), minus(1)),
        (7, minus(2), minus(3), 1),
        (minus(7), minus(2), 3, minus(1)),
        (MIN, 2, 0xc000_0000, 0),
        (MIN, MAX, minus(1), minus(1)),
        (MAX, MIN, 0, MAX),
    ] {
        assert_eq!(binary(Op::Div, a, b), quotient);
        assert_eq!(binary(Op::Rem, a, b), remainder);
    }
    assert_eq!(binary(Op::Divu, MIN, ONES), 0);
    assert_eq!(binary(Op::Remu, MIN, ONES), MIN);
}

#[test]
fn dividend_is_quotient_times_divisor_plus_remainder() {
    for a in EDGES {
        for b in EDGES {
            for (div, rem) in [(Op::Div, Op::Rem), (Op::Divu, Op::Remu)] {
                let back = binary(div, a, b).wrapping_mul(b).wrapping_add(binary(rem, a, b));
                assert_eq!(back, a, "{a:#x} {} {b:#x}", div.row().mnemonic);
            }
        }
    }
}

#[test]
fn high_words_of_products() {
    for (a, b, mul, mulh, mulhsu, mulhu) in [
        (0, 0, 0, 0, 0, 0),
        (1, ONES, ONES, ONES, 0, 0),
        (ONES, 1, ONES, ONES, ONES, 0),
        (ONES, ONES, 1, 0, ONES, 0xffff_fffe),
        (MIN, MIN, 0, 0x4000_0000, 0xc000_0000, 0x4000_0000),
        (MIN, ONES, MIN, 0, MIN, MAX),
        (ONES, MIN, MIN, 0, ONES, MAX),
        (MAX, MAX, 1, 0x3fff_ffff, 0x3fff_ffff, 0x3fff_ffff),
        (MAX, ONES, 0x8000_0001, ONES, 0x7fff_fffe, 0x7fff_fffe),
    ] {
        let got = [Op::Mul, Op::Mulh, Op::Mulhsu, Op::Mulhu].map(|op| binary(op, a, b));
        assert_eq!(got, [mul, mulh, mulhsu, mulhu], "{a:#x} * {b:#x}");
    }
}

#[test]
fn high_words_agree_with_products_in_128_bits() {
    let signed = |a: u32| i128::from(a as i32);
    let unsigned = |a: u32| i128::from(a);
    for a in EDGES {
        for b in EDGES {
            assert_eq!(binary(Op::Mulh, a, b), ((signed(a) * signed(b)) >> 32) as u32);
            assert_eq!(binary(Op::Mulhsu, a, b), ((signed(a) * unsigned(b)) >> 32) as u32);
            assert_eq!(
                binary(Op::Mulhu, a, b),
                ((unsigned(a) * unsigned(b)) >> 32) as u32
            );
        }
    }
}

#[test]
fn shifts_use_five_bits_of_the_amount() {
    for amount in 0..=255 {
        let five = amount % 32;
        let power = 1_u64 << five;
        for a in EDGES {
            let left = (u64::from(a) * power) as u32;
            let right = (u64::from(a) / power) as u32;
            let arithmetic = i64::from(a as i32).div_euclid(power as i64) as u32;
            assert_eq!(binary(Op::Sll, a, amount), left);
            assert_eq!(binary(Op::Srl, a, amount | 0xffff_ff00), right);
            assert_eq!(binary(Op::Sra, a, amount), arithmetic);
            if amount < 32 {
                assert_eq!(immediate(Op::Slli, a, amount as i32), left);
                assert_eq!(immediate(Op::Srli, a, amount as i32), right);
                assert_eq!(immediate(Op::Srai, a, amount as i32), arithmetic);
            }
        }
    }
    // Bit 25 of a shift by an immediate is 0 on RV32.
    for op in [Op::Slli, Op::Srli, Op::Srai] {
        let word = i(op, 10, 1, 1) | 1 << 25;
        assert_eq!(trap(word, 1), (2, word));
    }
}

#[test]
fn immediates_are_sign_extended() {
    assert_eq!(immediate(Op::Addi, 0, -2048), 0xffff_f800);
    assert_eq!(immediate(Op::Addi, 0, 2047), 0x7ff);
    assert_eq!(immediate(Op::Addi, ONES, 1), 0);
    assert_eq!(immediate(Op::Andi, ONES, -2048), 0xffff_f800);
    assert_eq!(immediate(Op::Ori, 0, -1), ONES);
    assert_eq!(immediate(Op::Xori, 0x0f0f_0f0f, -1), 0xf0f0_f0f0);
    // sltiu: "the immediate is first sign-extended to XLEN bits then treated as an unsigned number"
    assert_eq!(immediate(Op::Sltiu, 0xffff_f7ff, -2048), 1);
    assert_eq!(immediate(Op::Sltiu, 0xffff_f800, -2048), 0);
    assert_eq!(immediate(Op::Sltiu, 0, 1), 1);
    assert_eq!(immediate(Op::Slti, MIN, -2048), 1);
    assert_eq!(immediate(Op::Slti, 0xffff_f800, -2048), 0);
}

#[test]
fn comparisons() {
    for a in EDGES {
        for b in EDGES {
            let less = i64::from(a as i32) < i64::from(b as i32);
            assert_eq!(binary(Op::Slt, a, b), u32::from(less));
            assert_eq!(binary(Op::Sltu, a, b), u32::from(a < b));
            for (op, taken) in [
                (Op::Beq, a == b),
                (Op::Bne, a != b),
                (Op::Blt, less),
                (Op::Bge, !less),
                (Op::Bltu, a < b),
                (Op::Bgeu, a >= b),
            ] {
                let mut m = fresh();
                m.hart.x[1] = a;
                m.hart.x[2] = b;
                execute(&mut m, common::b(op, 1, 2, 64));
                assert_eq!(m.hart.pc, if taken { CODE + 64 } else { CODE + 4 });
            }
        }
    }
}

#[test]
fn x0_is_always_zero() {
    for row in OPS {
        let writes = matches!(
            row.form,
            Form::R | Form::I | Form::Shift | Form::U | Form::J | Form::Load
        );
        if !writes || row.op == Op::Wlw {
            continue;
        }
        let mut m = fresh();
        m.hart.x[1] = DATA;
        put(&mut m, DATA, &[ONES]);
        assert_eq!(
            execute(&mut m, word(row.op, 0, 1, 1, 0)),
            Exit::Fuel,
            "{}",
            row.mnemonic
        );
        assert_eq!(m.hart.x[0], 0, "{}", row.mnemonic);
    }
    // A load to x0 still takes its trap.
    assert_eq!(trap(i(Op::Lw, 0, 1, 0), NOWHERE), (5, NOWHERE));
    assert_eq!(trap(i(Op::Lw, 0, 1, 0), 2), (4, 2));
}

#[test]
fn lui_and_auipc() {
    let mut m = fresh();
    execute(&mut m, word(Op::Lui, 10, 0, 0, 0xffff_f000_u32 as i32));
    assert_eq!(m.hart.x[10], 0xffff_f000);
    // auipc wraps.
    let mut m = fresh();
    execute(&mut m, word(Op::Auipc, 10, 0, 0, 0xffff_f000_u32 as i32));
    assert_eq!(m.hart.x[10], CODE.wrapping_sub(0x1000));
    let mut m = fresh();
    execute(&mut m, word(Op::Auipc, 10, 0, 0, MIN as i32));
    assert_eq!(m.hart.x[10], MIN + CODE);
}

#[test]
fn loads_extend_and_stores_cut() {
    let load = |op: Op, offset: i32| {
        let mut m = fresh();
        put(&mut m, DATA, &[0x80ff_7f01]);
        m.hart.x[1] = DATA;
        execute(&mut m, i(op, 10, 1, offset));
        m.hart.x[10]
    };
    assert_eq!(
        [0, 1, 2, 3].map(|o| load(Op::Lb, o)),
        [1, 0x7f, ONES, 0xffff_ff80]
    );
    assert_eq!([0, 1, 2, 3].map(|o| load(Op::Lbu, o)), [1, 0x7f, 0xff, 0x80]);
    assert_eq!([0, 2].map(|o| load(Op::Lh, o)), [0x7f01, 0xffff_80ff]);
    assert_eq!([0, 2].map(|o| load(Op::Lhu, o)), [0x7f01, 0x80ff]);

    let store = |op: Op, offset: i32| {
        let mut m = fresh();
        put(&mut m, DATA, &[0xaaaa_aaaa]);
        m.hart.x[1] = DATA;
        m.hart.x[2] = 0x1234_5678;
        execute(&mut m, s(op, 2, 1, offset));
        peek(&m, DATA)
    };
    assert_eq!(
        [0, 1, 2, 3].map(|o| store(Op::Sb, o)),
        [0xaaaa_aa78, 0xaaaa_78aa, 0xaa78_aaaa, 0x78aa_aaaa]
    );
    assert_eq!([0, 2].map(|o| store(Op::Sh, o)), [0xaaaa_5678, 0x5678_aaaa]);
    assert_eq!(store(Op::Sw, 0), 0x1234_5678);
}

#[test]
fn addresses_wrap_modulo_2_to_the_32() {
    for (base, offset) in [
        (ONES, 0x7ff),
        (DATA + 2048, -2048),
        (DATA.wrapping_sub(2047), 2047),
    ] {
        let target = base.wrapping_add_signed(offset);
        let mut m = fresh();
        m.hart.x[1] = base;
        put(&mut m, target & !3, &[0x0403_0201]);
        execute(&mut m, i(Op::Lbu, 10, 1, offset));
        assert_eq!(m.hart.x[10], 1 + target % 4);
    }
}

#[test]
fn misaligned_loads_and_stores_trap() {
    for offset in 0..8 {
        for (op, size, store) in [
            (Op::Lb, 1, false),
            (Op::Lbu, 1, false),
            (Op::Lh, 2, false),
            (Op::Lhu, 2, false),
            (Op::Lw, 4, false),
            (Op::Sb, 1, true),
            (Op::Sh, 2, true),
            (Op::Sw, 4, true),
        ] {
            let word = if store {
                s(op, 2, 1, offset)
            } else {
                i(op, 10, 1, offset)
            };
            let address = DATA + offset as u32;
            if !address.is_multiple_of(size) {
                assert_eq!(trap(word, DATA), (if store { 6 } else { 4 }, address));
            } else {
                let mut m = fresh();
                m.hart.x[1] = DATA;
                assert_eq!(execute(&mut m, word), Exit::Fuel);
            }
        }
    }
}

#[test]
fn jalr_clears_bit_0_and_reads_its_source_before_it_writes() {
    for odd in [0, 1] {
        let mut m = fresh();
        m.hart.x[1] = DATA;
        assert_eq!(execute(&mut m, i(Op::Jalr, 1, 1, odd)), Exit::Fuel);
        assert_eq!((m.hart.pc, m.hart.x[1]), (DATA, CODE + 4));
    }
    let mut m = fresh();
    m.hart.x[1] = 4;
    execute(&mut m, i(Op::Jalr, 0, 1, -8));
    assert_eq!(m.hart.pc, 0xffff_fffc, "targets wrap");
}

#[test]
fn a_misaligned_target_traps_at_the_jump() {
    // tval is the target; the link register keeps its value.
    assert_eq!(trap(i(Op::Jalr, 10, 1, 0), DATA + 2), (0, DATA + 2));
    assert_eq!(trap(i(Op::Jalr, 1, 1, 1), DATA + 2), (0, DATA + 2));
    assert_eq!(trap(word(Op::Jal, 10, 0, 0, 6), 0), (0, CODE + 6));
    assert_eq!(trap(word(Op::Jal, 10, 0, 0, -2), 0), (0, CODE - 2));
    assert_eq!(trap(b(Op::Beq, 0, 0, 10), 0), (0, CODE + 10));
    // "No instruction-address-misaligned exception is generated for a conditional branch that is not taken."
    let mut m = fresh();
    assert_eq!(execute(&mut m, b(Op::Bne, 0, 0, 10)), Exit::Fuel);
    assert_eq!(m.hart.pc, CODE + 4);
}

#[test]
fn a_jump_to_where_no_memory_is_traps_at_the_target() {
    let mut m = fresh();
    m.hart.x[1] = NOWHERE;
    assert_eq!(execute(&mut m, i(Op::Jalr, 10, 1, 0)), Exit::Fuel);
    assert_eq!(m.hart.x[10], CODE + 4);
    step(&mut m);
    let csr = &m.hart.csr;
    assert_eq!((csr.epc, csr.cause, csr.tval), (NOWHERE, 1, NOWHERE));
}

#[test]
fn ranges_of_branches_and_jumps() {
    for offset in [-4096, -2048, -4, 0, 4, 2048, 4092] {
        let mut m = fresh();
        execute(&mut m, b(Op::Beq, 0, 0, offset));
        assert_eq!(m.hart.pc, CODE.wrapping_add_signed(offset));
    }
    for offset in [-0x10_0000, -0x800, -4, 0, 4, 0x800, 0xf_fffc] {
        let mut m = fresh();
        execute(&mut m, word(Op::Jal, 10, 0, 0, offset));
        assert_eq!(m.hart.pc, CODE.wrapping_add_signed(offset));
        assert_eq!(m.hart.x[10], CODE + 4);
    }
}

#[test]
fn the_program_counter_wraps() {
    // The last word of the address space, by relocation, links to 0.
    let mut m = fresh();
    m.hart.csr.base = CODE + 4;
    m.hart.csr.status.0 = 1 << 6;
    put(&mut m, CODE, &[word(Op::Jal, 10, 0, 0, 0), n(Op::Fence)]);
    m.hart.pc = 0xffff_fffc;
    step(&mut m);
    assert_eq!((m.hart.pc, m.hart.x[10]), (0xffff_fffc, 0));
    put(&mut m, CODE, &[n(Op::Fence)]);
    step(&mut m);
    assert_eq!(m.hart.pc, 0);
    step(&mut m);
    assert_eq!(m.hart.pc, 4);
}

#[test]
fn registers_16_to_31_are_illegal_in_every_field_that_names_one() {
    for row in OPS {
        use Form::*;
        // Which of rd, rs1 and rs2 name registers.
        let named: &[&str] = match row.form {
            R => &["rd", "rs1", "rs2"],
            I | Shift | Load | RdRs1 | Csr => &["rd", "rs1"],
            Store | Branch | Rs1Rs2 => &["rs1", "rs2"],
            U | J | CsrImm => &["rd"],
            Rs1 => &["rs1"],
            None | Fence | FenceI => &[],
        };
        let csr = i32::from(toy_isa::table::Csr::Scratch.row().number);
        let imm = if matches!(row.form, Csr | CsrImm) { csr } else { 0 };
        for field in named {
            for register in 16..32 {
                let at = |name| if *field == name { register } else { 1 };
                let mut m = fresh();
                m.hart.x[1] = DATA;
                let (rd, rs1, rs2) = (at("rd"), at("rs1"), at("rs2"));
                let blank = |name, register| if named.contains(&name) { register } else { 0 };
                let w = word(row.op, blank("rd", rd), blank("rs1", rs1), blank("rs2", rs2), imm);
                assert!(matches!(execute(&mut m, w), Exit::Trap(_)));
                assert_eq!(
                    (m.hart.csr.cause, m.hart.csr.tval),
                    (2, w),
                    "{} with x{register} as {field}",
                    row.mnemonic
                );
            }
        }
    }
}

#[test]
fn reserved_fields_of_fences_are_ignored() {
    // 2.7: "implementations shall ignore these fields"; FENCE.TSO and whatever else has funct3 0 or 1.
    for reserved in 0..1 << 10 {
        let (low, high) = (reserved & 31, reserved >> 5);
        for op in [Op::Fence, Op::FenceI] {
            let w = n(op) | low << 7 | high << 15 | reserved << 22;
            let mut m = fresh();
            m.hart.x[1] = ONES;
            let before = m.hart.x;
            assert_eq!(execute(&mut m, w), Exit::Fuel, "{w:#010x}");
            assert_eq!(m.hart.x, before);
        }
    }
}

#[test]
fn words_that_nothing_describes_are_illegal() {
    for w in [
        0x0000_0000,           // defined to be illegal
        0xffff_ffff,           // defined to be illegal
        0x0000_3003,           // ld
        0x0000_6003,           // lwu
        0x0000_3023,           // sd
        0x0000_001b,           // addiw
        0x0000_003b,           // addw
        0x0200_803b,           // mulw
        0x0000_2063,           // branch funct3 2
        0x0000_3063,           // branch funct3 3
        0x0000_1067,           // jalr funct3 1
        0x4000_0033 | 1 << 12, // sub with funct3 of sll
        0x0000_200f,           // misc-mem funct3 2
        0x0020_0073,           // uret
        0x1020_0073,           // sret
        0x7b20_0073,           // dret
        0x0000_4073,           // system funct3 4
        0x0000_00f3,           // ecall with rd 1
        0x0000_8073,           // ecall with rs1 1
        0x3020_00f3,           // mret with rd 1
        0x1000_202f,           // lr.w
        0x0000_0001,           // a compressed word
        0x0000_0007,           // floating point
    ] {
        let mut m = fresh();
        assert!(matches!(execute(&mut m, w), Exit::Trap(_)), "{w:#010x}");
        assert_eq!((m.hart.csr.cause, m.hart.csr.tval), (2, w));
    }
}

#[test]
fn the_clock_counts_retired_instructions_as_instret_does() {
    let mut m = fresh();
    let read = |rd| c(Op::Csrrs, rd, Csr::Instret, 0);
    program(&mut m, &[read(1), n(Op::Fence), read(2), n(Op::Ecall)]);
    put(&mut m, HANDLER, &[read(3)]);
    for _ in 0..5 {
        step(&mut m);
    }
    assert_eq!((m.hart.x[1], m.hart.x[2], m.hart.x[3]), (0, 2, 3));
}
