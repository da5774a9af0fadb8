//! Operands as they are written, before it is known which field each one is.

use super::diagnostic::{Fault, Problem};
use super::expression::{self, Expression, Scope};
use super::lexer::{Cursor, Token};
use crate::disasm::{FOREIGN_NAMES, REGISTER_NAMES};

/// What a relocation function makes of its argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Modifier {
    None,
    Hi,
    Lo,
    PcrelHi,
    /// The low part of the distance whose high part is in the instruction at the argument.
    PcrelLo,
    /// The low part of the distance from the instruction before this one.
    PcrelLoBefore,
}

/// An expression, perhaps inside a relocation function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Immediate {
    /// Byte offset in the statement.
    pub(crate) at: usize,
    pub(crate) modifier: Modifier,
    pub(crate) expression: Expression,
}

/// An operand, with its byte offset in the statement.
#[derive(Clone, Debug)]
pub(crate) struct Operand<'a> {
    pub(crate) at: usize,
    /// As it is written, if it is a single name: it may be that of a control register or of a fence's set.
    pub(crate) name: Option<&'a str>,
    pub(crate) kind: Kind,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Register(u8),
    Value(Immediate),
    /// `imm(rs1)`
    Address(Immediate, u8),
}

impl Kind {
    /// In words, for messages.
    pub(crate) fn describe(&self) -> &'static str {
        match self {
            Kind::Register(_) => "a register",
            Kind::Value(_) => "a value",
            Kind::Address(..) => "an address with a base register",
        }
    }
}

/// The number of a register by its ABI name, as `x` with a number, or as `fp`.
///
/// # Errors
/// If it is a register of RV32I that RV32E does not have. `Ok(None)`: it is no register's name.
pub(crate) fn register(name: &str) -> Result<Option<u8>, Problem> {
    let number = match name
        .strip_prefix('x')
        .filter(|digits| *digits == "0" || !digits.starts_with('0'))
    {
        Some(digits) if digits.len() <= 2 => digits.parse::<u8>().ok().filter(|number| *number < 32),
        _ if name == "fp" => Some(8),
        _ => REGISTER_NAMES
            .iter()
            .position(|register| *register == name)
            .map(|number| number as u8),
    };
    if number.is_some_and(|number| number >= 16) || FOREIGN_NAMES.contains(&name) {
        return Err(Problem::MissingRegister(name.to_string()));
    }
    Ok(number)
}

/// Reads operands up to the end of the statement.
pub(crate) fn operands<'a>(cursor: &mut Cursor<'a>, scope: &dyn Scope) -> Result<Vec<Operand<'a>>, Fault> {
    let mut operands = Vec::with_capacity(3);
    if cursor.is_end() {
        return Ok(operands);
    }
    loop {
        operands.push(operand(cursor, scope)?);
        if cursor.is_end() {
            return Ok(operands);
        }
        if !cursor.eat(",") {
            return Err(cursor.expected("',' or the end of the statement"));
        }
    }
}

fn operand<'a>(cursor: &mut Cursor<'a>, scope: &dyn Scope) -> Result<Operand<'a>, Fault> {
    let at = cursor.at();
    let name = match (cursor.peek(), cursor.peek_at(1)) {
        (Token::Name(name), Token::End | Token::Mark(",")) => Some(name),
        _ => None,
    };
    if let Some(number) = name
        .map(register)
        .transpose()
        .map_err(|problem| Fault::new(at, problem))?
        .flatten()
    {
        cursor.next();
        return Ok(Operand {
            at,
            name,
            kind: Kind::Register(number),
        });
    }
    if let Some(base) = base(cursor)? {
        let zero = Expression::Known(expression::Value::Number(0));
        let immediate = Immediate {
            at,
            modifier: Modifier::None,
            expression: zero,
        };
        return Ok(Operand {
            at,
            name,
            kind: Kind::Address(immediate, base),
        });
    }
    let immediate = immediate(cursor, scope)?;
    let kind = match base(cursor)? {
        Some(base) => Kind::Address(immediate, base),
        None => Kind::Value(immediate),
    };
    Ok(Operand { at, name, kind })
}

fn immediate(cursor: &mut Cursor<'_>, scope: &dyn Scope) -> Result<Immediate, Fault> {
    let at = cursor.at();
    if !cursor.eat("%") {
        return Ok(Immediate {
            at,
            modifier: Modifier::None,
            expression: expression::parse(cursor, scope)?,
        });
    }
    const EXPECTED: &str = "'%hi', '%lo', '%pcrel_hi' or '%pcrel_lo'";
    let mut after = cursor.clone();
    let modifier = match after.name(EXPECTED)? {
        "hi" => Modifier::Hi,
        "lo" => Modifier::Lo,
        "pcrel_hi" => Modifier::PcrelHi,
        "pcrel_lo" => Modifier::PcrelLo,
        _ => return Err(cursor.expected(EXPECTED)),
    };
    *cursor = after;
    cursor.expect("(")?;
    let expression = expression::parse(cursor, scope)?;
    cursor.expect(")")?;
    Ok(Immediate {
        at,
        modifier,
        expression,
    })
}

/// `(register)`, if that is what comes next.
fn base(cursor: &mut Cursor<'_>) -> Result<Option<u8>, Fault> {
    let (Token::Mark("("), Token::Name(name), Token::Mark(")")) =
        (cursor.peek(), cursor.peek_at(1), cursor.peek_at(2))
    else {
        return Ok(None);
    };
    let number = register(name).map_err(|problem| Fault::new(cursor.at(), problem))?;
    if number.is_some() {
        *cursor = cursor.after(3);
    }
    Ok(number)
}
