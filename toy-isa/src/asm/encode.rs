//! From operands to an instruction, and from a resolved value to its immediate.

use super::diagnostic::{Fault, Problem};
use super::operand::{Immediate, Kind, Modifier, Operand};
use super::pattern::{self, Field, Pattern};
use crate::disasm::{FENCE_LETTERS, REGISTER_NAMES};
use crate::instruction::Instruction;
use crate::table::{CSRS, Form};

/// One word of code.
#[derive(Clone, Debug)]
pub(crate) enum Piece {
    /// Complete.
    Word(u32),
    /// Complete but for its immediate, which needs addresses.
    Later(Unfinished),
}

/// An instruction without its immediate.
#[derive(Clone, Debug)]
pub(crate) struct Unfinished {
    pub(crate) insn: Instruction,
    pub(crate) field: Field,
    pub(crate) immediate: Immediate,
}

/// Encodes an instruction that is written with one of `patterns`.
///
/// # Errors
/// The place and the nature of the first operand that fits none.
pub(crate) fn encode(patterns: &[Pattern], at: usize, operands: &[Operand<'_>]) -> Result<Piece, Fault> {
    match patterns.iter().find(|pattern| accepts(pattern, operands)) {
        Some(pattern) => fill(pattern, operands),
        None => Err(mismatch(patterns, at, operands)),
    }
}

fn accepts(pattern: &Pattern, operands: &[Operand<'_>]) -> bool {
    pattern.fields.len() == operands.len() && pattern.fields.iter().zip(operands).all(|(f, o)| fits(*f, o))
}

fn fits(field: Field, operand: &Operand<'_>) -> bool {
    match field {
        Field::Rd | Field::Rs1 | Field::Rs2 => matches!(operand.kind, Kind::Register(_)),
        Field::Address => matches!(operand.kind, Kind::Address(..)),
        _ => matches!(operand.kind, Kind::Value(_)),
    }
}

fn mismatch(patterns: &[Pattern], at: usize, operands: &[Operand<'_>]) -> Fault {
    let same_count = patterns
        .iter()
        .find(|pattern| pattern.fields.len() == operands.len());
    let wrong = same_count.and_then(|p| p.fields.iter().zip(operands).find(|(f, o)| !fits(**f, o)));
    match wrong {
        Some((
            Field::Rd | Field::Rs1 | Field::Rs2,
            Operand {
                at, name: Some(name), ..
            },
        )) => Fault::new(*at, Problem::ExpectedRegister(name.to_string()))
            .suggest(name, REGISTER_NAMES.into_iter()),
        Some((field, operand)) => {
            let expected = format!("{} as in '{}'", field.name(), patterns[0].usage());
            Fault::new(
                operand.at,
                Problem::Expected {
                    expected,
                    found: operand.kind.describe().to_string(),
                },
            )
        }
        None => {
            let usages: Vec<_> = patterns
                .iter()
                .map(|pattern| format!("'{}'", pattern.usage()))
                .collect();
            let mnemonic = patterns[0].name.to_string();
            Fault::new(
                at,
                Problem::Operands {
                    mnemonic,
                    expected: usages.join(" or "),
                },
            )
        }
    }
}

fn fill(pattern: &Pattern, operands: &[Operand<'_>]) -> Result<Piece, Fault> {
    let mut insn = pattern.fixed;
    let mut pending = None;
    for (field, operand) in pattern.fields.iter().zip(operands) {
        let fault = |problem| Fault::new(operand.at, problem);
        match (field, &operand.kind) {
            (Field::Rd, Kind::Register(number)) => insn.rd = *number,
            (Field::Rs1, Kind::Register(number)) => insn.rs1 = *number,
            (Field::Rs2, Kind::Register(number)) => insn.rs2 = *number,
            (Field::Csr, Kind::Value(value)) => insn.imm = csr_number(operand, value)?,
            (Field::Zimm, Kind::Value(value)) => {
                let number = constant(value, "the immediate").map_err(fault)?;
                insn.rs1 = in_range("immediate", number, 0, 31).map_err(fault)? as u8;
            }
            (Field::Pred, _) => insn.imm |= fence_set(operand)? << 4,
            (Field::Succ, _) => insn.imm |= fence_set(operand)?,
            (Field::Address, Kind::Address(value, base)) => {
                insn.rs1 = *base;
                pending = Some((operand.at, *field, value));
            }
            (_, Kind::Value(value)) => pending = Some((operand.at, *field, value)),
            // `accepts` has seen to it that there is nothing else.
            _ => {}
        }
    }
    match pending {
        Some((at, field, immediate)) => {
            piece(insn, field, immediate).map_err(|problem| Fault::new(at, problem))
        }
        None => Ok(Piece::Word(insn.encode())),
    }
}

/// The instruction with `immediate` in `field`: at once if it is a number and does not depend on the place.
pub(crate) fn piece(insn: Instruction, field: Field, immediate: &Immediate) -> Result<Piece, Problem> {
    let takes = match immediate.modifier {
        Modifier::None => true,
        Modifier::Hi | Modifier::PcrelHi => field == Field::Upper,
        Modifier::Lo | Modifier::PcrelLo | Modifier::PcrelLoBefore => {
            matches!(field, Field::Imm | Field::Address)
        }
    };
    if !takes {
        let expected = "%hi with an upper immediate, %lo with a 12-bit one".to_string();
        return Err(Problem::Expected {
            expected,
            found: "the other".to_string(),
        });
    }
    let unfinished = Unfinished {
        insn,
        field,
        immediate: immediate.clone(),
    };
    let depends_on_place =
        field == Field::Target || !matches!(immediate.modifier, Modifier::None | Modifier::Hi | Modifier::Lo);
    match immediate.expression.number() {
        Some(number) if !depends_on_place => Ok(Piece::Word(unfinished.finish(0, number)?)),
        _ => Ok(Piece::Later(unfinished)),
    }
}

impl Unfinished {
    /// The word at address `pc`, with the value of the expression; for `%pcrel_lo`, with the distance that
    /// its partner has.
    pub(crate) fn finish(&self, pc: u32, value: i64) -> Result<u32, Problem> {
        let low = |value: u32| ((value << 20) as i32) >> 20;
        let high = |value: u32| (value.wrapping_add(0x800) & 0xffff_f000) as i32;
        let address = value as u32;
        let imm = match (self.immediate.modifier, self.field) {
            (Modifier::Hi, _) => high(address),
            (Modifier::PcrelHi, _) => high(address.wrapping_sub(pc)),
            (Modifier::Lo | Modifier::PcrelLo, _) => low(address),
            (Modifier::PcrelLoBefore, _) => low(address.wrapping_sub(pc.wrapping_sub(4))),
            (Modifier::None, Field::Shamt) => in_range("shift amount", value, 0, 31)? as i32,
            (Modifier::None, Field::Upper) => (in_range("upper immediate", value, 0, 0xf_ffff)? << 12) as i32,
            (Modifier::None, Field::Target) => self.distance(address, pc)?,
            (Modifier::None, _) => in_range("immediate", as_signed(value), -2048, 2047)? as i32,
        };
        Ok(Instruction { imm, ..self.insn }.encode())
    }

    fn distance(&self, target: u32, pc: u32) -> Result<i32, Problem> {
        let distance = target.wrapping_sub(pc) as i32;
        let reach = if self.insn.op.row().form == Form::J {
            1 << 20
        } else {
            1 << 12
        };
        let (low, high) = (-reach, reach - 2);
        if distance % 2 != 0 {
            return Err(Problem::OddTarget(target));
        }
        if (low..=high).contains(&distance) {
            Ok(distance)
        } else {
            Err(Problem::TooFar { distance, low, high })
        }
    }
}

/// A 32-bit number may be written as an unsigned one: 0xffffffff is -1.
fn as_signed(value: i64) -> i64 {
    u32::try_from(value).map_or(value, |word| i64::from(word as i32))
}

pub(crate) fn in_range(what: &'static str, value: i64, low: i64, high: i64) -> Result<i64, Problem> {
    if (low..=high).contains(&value) {
        Ok(value)
    } else {
        Err(Problem::Range {
            what,
            value,
            low,
            high,
        })
    }
}

fn constant(value: &Immediate, what: &'static str) -> Result<i64, Problem> {
    match (value.modifier, value.expression.number()) {
        (Modifier::None, Some(number)) => Ok(number),
        _ => Err(Problem::NotConstant(what)),
    }
}

fn csr_number(operand: &Operand<'_>, value: &Immediate) -> Result<i32, Fault> {
    if let Some(row) = operand
        .name
        .and_then(|name| CSRS.iter().find(|row| row.name == name))
    {
        return Ok(i32::from(row.number));
    }
    let fault = |problem| Fault::new(operand.at, problem);
    match (value.expression.number(), operand.name) {
        (None, Some(name)) => {
            Err(fault(Problem::UnknownCsr(name.to_string())).suggest(name, CSRS.iter().map(|row| row.name)))
        }
        _ => {
            let number = constant(value, "the number of a control register").map_err(fault)?;
            Ok(in_range("control register", number, 0, 0xfff).map_err(fault)? as i32)
        }
    }
}

/// The bits of a fence's set: some of the letters i, o, r, w in this order.
fn fence_set(operand: &Operand<'_>) -> Result<i32, Fault> {
    let written = operand.name.unwrap_or_default();
    let mut rest = written;
    let mut set = 0;
    for letter in FENCE_LETTERS {
        let after = rest.strip_prefix(letter);
        set = set << 1 | i32::from(after.is_some());
        rest = after.unwrap_or(rest);
    }
    if set == 0 || !rest.is_empty() {
        let expected = "some of the letters i, o, r, w in this order".to_string();
        return Err(Fault::new(
            operand.at,
            Problem::Expected {
                expected,
                found: format!("'{written}'"),
            },
        ));
    }
    Ok(set)
}

/// The instruction of the table or the pseudo-instructions of this name, as patterns.
///
/// # Errors
/// If there is none: with the nearest of them and of `others`.
pub(crate) fn patterns<'a>(
    name: &str,
    at: usize,
    others: impl Iterator<Item = &'a str>,
) -> Result<&'static [Pattern], Fault> {
    pattern::by_name(name).ok_or_else(|| {
        let names = pattern::names().map(|known| -> &'a str { known });
        Fault::new(at, Problem::UnknownInstruction(name.to_string())).suggest(name, names.chain(others))
    })
}
