//! One statement that is an instruction: `.insn`, the pseudo-instructions of two words, and all the others.

use super::diagnostic::{Fault, Problem};
use super::encode::{self, Piece, in_range};
use super::expression::{self, Expression, Scope, Value};
use super::lexer::Cursor;
use super::operand::{self, Immediate, Kind, Modifier, Operand};
use super::pattern::Field;
use crate::instruction::Instruction;
use crate::table::{Form, Op};

/// The pseudo-instructions that have no pattern of their own, because they may be two words.
pub(crate) const TWO_WORDS: [&str; 6] = ["li", "la", "lla", "call", "tail", "jump"];

const RA: u8 = 1;
const T1: u8 = 6;

/// The words of the instruction `name`, whose operands come next.
///
/// `macros` are names to suggest beside those of instructions.
pub(crate) fn instruction<'a>(
    name: &str,
    at: usize,
    cursor: &mut Cursor<'_>,
    scope: &dyn Scope,
    macros: impl Iterator<Item = &'a str>,
) -> Result<Vec<Piece>, Fault> {
    if name == ".insn" {
        return Ok(vec![Piece::Word(insn(cursor, scope)?)]);
    }
    if TWO_WORDS.contains(&name) {
        let operands = operand::operands(cursor, scope)?;
        if let Some(pieces) = two_words(name, &operands) {
            return pieces;
        }
        return match name {
            "li" => {
                encode::encode(encode::patterns(name, at, macros)?, at, &operands).map(|piece| vec![piece])
            }
            _ => {
                let expected = match name {
                    "call" => "'call symbol' or 'call rd, symbol'",
                    "tail" => "'tail symbol'",
                    "jump" => "'jump symbol, rt'",
                    _ => "'la rd, symbol'",
                };
                let (mnemonic, expected) = (name.to_string(), expected.to_string());
                Err(Fault::new(at, Problem::Operands { mnemonic, expected }))
            }
        };
    }
    let patterns = encode::patterns(name, at, macros.chain(TWO_WORDS))?;
    let operands = operand::operands(cursor, scope)?;
    match memory_of_symbol(patterns[0].fixed.op, &operands) {
        Some(pieces) => pieces,
        None => encode::encode(patterns, at, &operands).map(|piece| vec![piece]),
    }
}

/// `None` if the operands have none of the forms that make two words.
fn two_words(name: &str, operands: &[Operand<'_>]) -> Option<Result<Vec<Piece>, Fault>> {
    use Kind::{Register, Value};
    let kinds: Vec<_> = operands.iter().map(|operand| &operand.kind).collect();
    let jump = |link, through, target| {
        pair(
            through,
            target,
            Op::Jalr,
            Instruction {
                rd: link,
                ..blank(Op::Jalr)
            },
        )
    };
    let pieces = match (name, kinds.as_slice()) {
        ("li", [Register(rd), Value(value)]) if value.modifier == Modifier::None => {
            match value.expression.number() {
                Some(number) => load_constant(*rd, number),
                None => Err(Problem::NotConstant("the value of 'li' (an address takes 'la')")),
            }
        }
        ("la" | "lla", [Register(rd), Value(value)]) => match value.expression.number() {
            Some(number) => load_constant(*rd, number),
            None => pair(
                *rd,
                value,
                Op::Addi,
                Instruction {
                    rd: *rd,
                    ..blank(Op::Addi)
                },
            ),
        },
        ("call", [Value(target)]) => jump(RA, RA, target),
        ("call", [Register(link), Value(target)]) => jump(*link, T1, target),
        ("tail", [Value(target)]) => jump(0, T1, target),
        ("jump", [Value(target), Register(through)]) => jump(0, *through, target),
        _ => return None,
    };
    let at = operands
        .iter()
        .find(|operand| matches!(operand.kind, Value(_)))
        .map_or(0, |operand| operand.at);
    Some(pieces.map_err(|problem| Fault::new(at, problem)))
}

/// `lw rd, symbol` and `sw rs, symbol, rt`.
fn memory_of_symbol(op: Op, operands: &[Operand<'_>]) -> Option<Result<Vec<Piece>, Fault>> {
    /// The standard loads and stores: not those through the monitor's window, where no symbol lives.
    const LOAD: u32 = 0x03;
    const STORE: u32 = 0x23;
    use Kind::{Register, Value};
    let kinds: Vec<_> = operands.iter().map(|operand| &operand.kind).collect();
    let pieces = match (op.row().bits & 0x7f, kinds.as_slice()) {
        (LOAD, [Register(rd), Value(address)]) => {
            pair(*rd, address, op, Instruction { rd: *rd, ..blank(op) })
        }
        (STORE, [Register(rs2), Value(address), Register(through)]) => pair(
            *through,
            address,
            op,
            Instruction {
                rs2: *rs2,
                ..blank(op)
            },
        ),
        _ => return None,
    };
    Some(pieces.map_err(|problem| Fault::new(operands[1].at, problem)))
}

fn blank(op: Op) -> Instruction {
    Instruction {
        op,
        rd: 0,
        rs1: 0,
        rs2: 0,
        imm: 0,
    }
}

/// `auipc` into `through`, then `second` with `through` as its rs1: together they reach any address.
fn pair(through: u8, target: &Immediate, op: Op, second: Instruction) -> Result<Vec<Piece>, Problem> {
    if target.modifier != Modifier::None {
        let expected = "a symbol".to_string();
        return Err(Problem::Expected {
            expected,
            found: "a relocation function".to_string(),
        });
    }
    let part = |modifier| Immediate {
        modifier,
        ..target.clone()
    };
    let first = Instruction {
        rd: through,
        ..blank(Op::Auipc)
    };
    let second = Instruction {
        rs1: through,
        ..second
    };
    let field = if op.row().form == Form::I {
        Field::Imm
    } else {
        Field::Address
    };
    Ok(vec![
        encode::piece(first, Field::Upper, &part(Modifier::PcrelHi))?,
        encode::piece(second, field, &part(Modifier::PcrelLoBefore))?,
    ])
}

/// The choice of GNU as for rv32: `addi` alone, `lui` alone, or both.
fn load_constant(rd: u8, number: i64) -> Result<Vec<Piece>, Problem> {
    let number = in_range("constant", number, i64::from(i32::MIN), i64::from(u32::MAX))? as i32;
    let low = number << 20 >> 20;
    let high = number.wrapping_sub(low);
    let mut words = Vec::with_capacity(2);
    if high != 0 {
        words.push(Instruction {
            rd,
            imm: high,
            ..blank(Op::Lui)
        });
    }
    if low != 0 || high == 0 {
        let rs1 = if high != 0 { rd } else { 0 };
        words.push(Instruction {
            rd,
            rs1,
            imm: low,
            ..blank(Op::Addi)
        });
    }
    Ok(words.into_iter().map(|insn| Piece::Word(insn.encode())).collect())
}

/// `.insn r opcode, funct3, funct7, rd, rs1, rs2`, `.insn i opcode, funct3, rd, rs1, imm` (or `imm(rs1)`),
/// `.insn s opcode, funct3, rs2, imm(rs1)`, `.insn u opcode, rd, imm`, or `.insn word`: any word, whether
/// or not a row of the table describes it.
fn insn(cursor: &mut Cursor<'_>, scope: &dyn Scope) -> Result<u32, Fault> {
    let start = cursor.at();
    let format = match cursor.clone().name("") {
        Ok(name @ ("r" | "i" | "s" | "u")) => name,
        _ => {
            let word = number(cursor, scope, "instruction word", i64::from(u32::MAX))?;
            cursor.expect_end()?;
            return Ok(word);
        }
    };
    cursor.next();
    let opcode = opcode(cursor, scope)?;
    cursor.expect(",")?;
    let mut function = |most: i64, shift: u32| -> Result<u32, Fault> {
        let value = number(cursor, scope, "function code", most)?;
        cursor.expect(",")?;
        Ok(value << shift)
    };
    // The fields of a row of the table of this format, whose own opcode and function codes are taken away.
    let (op, fixed) = match format {
        "r" => (Op::Add, function(7, 12)? | function(127, 25)?),
        "i" => (Op::Addi, function(7, 12)?),
        "s" => (Op::Sw, function(7, 12)?),
        _ => (Op::Lui, 0),
    };
    let operands = operand::operands(cursor, scope)?;
    let has_address = operands
        .iter()
        .any(|operand| matches!(operand.kind, Kind::Address(..)));
    // The same fields, written as a load writes them.
    let op = if op == Op::Addi && has_address { Op::Lw } else { op };
    let row = op.row();
    let patterns = encode::patterns(row.mnemonic, start, std::iter::empty())?;
    match encode::encode(&patterns[..1], start, &operands)? {
        Piece::Word(word) => Ok(word & !row.bits | opcode | fixed),
        Piece::Later(_) => Err(Fault::new(
            start,
            Problem::NotConstant("the immediate of '.insn'"),
        )),
    }
}

fn opcode(cursor: &mut Cursor<'_>, scope: &dyn Scope) -> Result<u32, Fault> {
    // The names of GNU as, RISC-V Unprivileged Specification table 24.1; those of formats that are read here.
    const OPCODES: [(&str, u32); 14] = [
        ("LOAD", 0x03),
        ("CUSTOM_0", 0x0b),
        ("MISC_MEM", 0x0f),
        ("OP_IMM", 0x13),
        ("AUIPC", 0x17),
        ("STORE", 0x23),
        ("CUSTOM_1", 0x2b),
        ("AMO", 0x2f),
        ("OP", 0x33),
        ("LUI", 0x37),
        ("CUSTOM_2", 0x5b),
        ("JALR", 0x67),
        ("SYSTEM", 0x73),
        ("CUSTOM_3", 0x7b),
    ];
    if let Ok(name) = cursor.clone().name("")
        && let Some((_, opcode)) = OPCODES.iter().find(|(known, _)| *known == name)
    {
        cursor.next();
        return Ok(*opcode);
    }
    number(cursor, scope, "opcode", 127)
}

fn number(cursor: &mut Cursor<'_>, scope: &dyn Scope, what: &'static str, most: i64) -> Result<u32, Fault> {
    let at = cursor.at();
    let parsed: Expression = expression::parse(cursor, scope)?;
    let Expression::Known(Value::Number(value)) = parsed else {
        return Err(Fault::new(at, Problem::NotConstant("a code of '.insn'")));
    };
    in_range(what, value, 0, most)
        .map(|value| value as u32)
        .map_err(|problem| Fault::new(at, problem))
}
