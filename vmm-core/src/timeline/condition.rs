//! Conditions on a guest's state: `a0 == 5 && ring == 3`, `[sp] != 0 || clock > 1000`.

use std::fmt;

use toy_isa::disasm::REGISTER_NAMES;
use toy_isa::hart::Csrs;

use crate::guest::GuestView;

/// A condition, as it was written, and as it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    text: String,
    /// One of these, of each of which all hold.
    either: Vec<Vec<Comparison>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Comparison {
    left: Value,
    relation: Relation,
    right: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    More,
    MoreOrEqual,
}

/// The ways to write one; longer ones first.
const RELATIONS: [(&str, Relation); 6] = [
    ("==", Relation::Equal),
    ("!=", Relation::Unequal),
    ("<=", Relation::LessOrEqual),
    (">=", Relation::MoreOrEqual),
    ("<", Relation::Less),
    (">", Relation::More),
];

/// Something that has a value. Registers and memory are compared without regard to sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value {
    Number(u64),
    Register(u8),
    /// In the order of [`Csrs::words`].
    Csr(u8),
    Pc,
    Ring,
    Clock,
    Retired,
    /// The word that a register, or a number, is the address of.
    Word(Address),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Address {
    Number(u32),
    Register(u8),
}

/// What is wrong with a condition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// There is no relation.
    #[error("'{0}' is no comparison: expected VALUE == VALUE, with ==, !=, <, <=, > or >=")]
    NoRelation(String),
    /// A word that means nothing.
    #[error(
        "'{0}' has no value: expected a number, a register such as a0, a control register such as status, \
         pc, ring, clock, retired, a symbol, or an address in brackets such as [sp]"
    )]
    NoValue(String),
}

impl Condition {
    /// Reads a condition; `symbol` knows the addresses of names.
    ///
    /// # Errors
    /// If it is none.
    pub fn parse(text: &str, symbol: &dyn Fn(&str) -> Option<u32>) -> Result<Condition, ConditionError> {
        let all = |text: &str| {
            text.split("&&")
                .map(|part| comparison(part.trim(), symbol))
                .collect()
        };
        Ok(Condition {
            text: text.trim().to_string(),
            either: text.split("||").map(all).collect::<Result<_, _>>()?,
        })
    }

    /// Whether it holds for a guest in this state.
    pub fn holds(&self, guest: &GuestView) -> bool {
        let holds = |comparison: &Comparison| {
            let (left, right) = (comparison.left.of(guest), comparison.right.of(guest));
            let (Some(left), Some(right)) = (left, right) else {
                return false;
            };
            match comparison.relation {
                Relation::Equal => left == right,
                Relation::Unequal => left != right,
                Relation::Less => left < right,
                Relation::LessOrEqual => left <= right,
                Relation::More => left > right,
                Relation::MoreOrEqual => left >= right,
            }
        };
        self.either.iter().any(|all| all.iter().all(holds))
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn comparison(text: &str, symbol: &dyn Fn(&str) -> Option<u32>) -> Result<Comparison, ConditionError> {
    let found = RELATIONS
        .into_iter()
        .filter_map(|(sign, relation)| Some((text.find(sign)?, sign, relation)))
        .min_by_key(|(at, sign, _)| (*at, usize::MAX - sign.len()));
    let Some((at, sign, relation)) = found else {
        return Err(ConditionError::NoRelation(text.to_string()));
    };
    Ok(Comparison {
        left: value(text[..at].trim(), symbol)?,
        relation,
        right: value(text[at + sign.len()..].trim(), symbol)?,
    })
}

/// A number as people write it.
pub fn number(text: &str) -> Option<u64> {
    let digits = text.replace(['_', ','], "");
    match digits.strip_prefix("0x") {
        Some(hexadecimal) => u64::from_str_radix(hexadecimal, 16).ok(),
        None => digits.parse().ok(),
    }
}

/// The number of a register of this name.
pub fn register(name: &str) -> Option<u8> {
    let by_name = REGISTER_NAMES.iter().position(|known| *known == name);
    let by_number = || name.strip_prefix('x')?.parse().ok().filter(|number| *number < 16);
    by_name.or_else(by_number).map(|number| number as u8)
}

fn value(text: &str, symbol: &dyn Fn(&str) -> Option<u32>) -> Result<Value, ConditionError> {
    let unknown = || ConditionError::NoValue(text.to_string());
    if let Some(inner) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        return match value(inner.trim(), symbol)? {
            Value::Number(number) => u32::try_from(number).map(Address::Number).map_err(|_| unknown()),
            Value::Register(number) => Ok(Address::Register(number)),
            _ => Err(unknown()),
        }
        .map(Value::Word);
    }
    let csr = Csrs::NAMES.iter().position(|name| *name == text);
    let named = match text {
        "pc" => Some(Value::Pc),
        "ring" => Some(Value::Ring),
        "clock" => Some(Value::Clock),
        "retired" => Some(Value::Retired),
        _ => None,
    };
    named
        .or_else(|| number(text).map(Value::Number))
        .or_else(|| register(text).map(Value::Register))
        .or_else(|| csr.map(|place| Value::Csr(place as u8)))
        .or_else(|| symbol(text).map(|address| Value::Number(address.into())))
        .ok_or_else(unknown)
}

impl Value {
    /// Of a guest in this state; `None` for memory that it has not.
    fn of(self, guest: &GuestView) -> Option<u64> {
        let hart = &guest.hart;
        Some(match self {
            Value::Number(number) => number,
            Value::Register(number) => hart.x[usize::from(number)].into(),
            Value::Csr(place) => hart.csr.words()[usize::from(place)].into(),
            Value::Pc => hart.pc.into(),
            Value::Ring => hart.ring().into(),
            Value::Clock => guest.pace.clock,
            Value::Retired => guest.pace.retired(),
            Value::Word(address) => {
                let address = match address {
                    Address::Number(address) => address,
                    Address::Register(number) => hart.x[usize::from(number)],
                };
                guest.at(address & !3)?.into()
            }
        })
    }
}
