//! Expressions: read with GNU as's ranks of operators, folded at once as far as their symbols are known.

use super::diagnostic::{Fault, Problem};
use super::lexer::{Cursor, Direction, Token};

/// What an expression can be worth while sections have no addresses yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Number(i64),
    /// So many bytes after the beginning of a section.
    Place {
        section: usize,
        offset: i64,
    },
}

/// An expression, or what is left of it after folding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expression {
    Known(Value),
    Symbol(String),
    Unary(Unary, Box<Expression>),
    Binary(Binary, Box<(Expression, Expression)>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unary {
    Minus,
    Not,
    LogicalNot,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binary {
    Multiply,
    Divide,
    Remainder,
    ShiftLeft,
    ShiftRight,
    Or,
    Xor,
    And,
    Add,
    Subtract,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    LogicalAnd,
    LogicalOr,
}

/// Where the names in an expression get their values.
pub(crate) trait Scope {
    /// The value of a symbol, if it is defined above.
    fn value(&self, name: &str) -> Option<Value>;
    /// The value of `.`.
    fn here(&self) -> Value;
    /// The symbol that `1b` or `1f` stands for.
    fn local(&self, label: u32, direction: Direction) -> String;
}

/// Trees are walked by recursion; this bounds its depth.
const MOST_OPERATORS: usize = 200;

/// Operators with their ranks: the greater binds the tighter (GNU as manual, 6.2.3 "Arguments").
fn operator(mark: &str) -> Option<(Binary, u8)> {
    use Binary::*;
    Some(match mark {
        "*" => (Multiply, 5),
        "/" => (Divide, 5),
        "%" => (Remainder, 5),
        "<<" => (ShiftLeft, 5),
        ">>" => (ShiftRight, 5),
        "|" => (Or, 4),
        "^" => (Xor, 4),
        "&" => (And, 4),
        "+" => (Add, 3),
        "-" => (Subtract, 3),
        "==" => (Equal, 2),
        "!=" | "<>" => (NotEqual, 2),
        "<" => (Less, 2),
        "<=" => (LessOrEqual, 2),
        ">" => (Greater, 2),
        ">=" => (GreaterOrEqual, 2),
        "&&" => (LogicalAnd, 1),
        "||" => (LogicalOr, 0),
        _ => return None,
    })
}

/// Reads one expression.
pub(crate) fn parse(cursor: &mut Cursor<'_>, scope: &dyn Scope) -> Result<Expression, Fault> {
    Parser { scope, operators: 0 }.binary(cursor, 0)
}

struct Parser<'s> {
    scope: &'s dyn Scope,
    operators: usize,
}

impl Parser<'_> {
    fn binary(&mut self, cursor: &mut Cursor<'_>, least: u8) -> Result<Expression, Fault> {
        let mut left = self.unary(cursor)?;
        while let Token::Mark(mark) = cursor.peek() {
            let Some((op, rank)) = operator(mark).filter(|(_, rank)| *rank >= least) else {
                break;
            };
            let at = cursor.at();
            self.count(cursor)?;
            let right = self.binary(cursor, rank + 1)?;
            left = Expression::binary(op, left, right).map_err(|problem| Fault::new(at, problem))?;
        }
        Ok(left)
    }

    fn unary(&mut self, cursor: &mut Cursor<'_>) -> Result<Expression, Fault> {
        let op = match cursor.peek() {
            Token::Mark("-") => Unary::Minus,
            Token::Mark("~") => Unary::Not,
            Token::Mark("!") => Unary::LogicalNot,
            Token::Mark("+") => {
                self.count(cursor)?;
                return self.unary(cursor);
            }
            Token::Mark("(") => {
                self.count(cursor)?;
                let inner = self.binary(cursor, 0)?;
                cursor.expect(")")?;
                return Ok(inner);
            }
            _ => return self.atom(cursor),
        };
        self.count(cursor)?;
        Ok(Expression::unary(op, self.unary(cursor)?))
    }

    fn atom(&mut self, cursor: &mut Cursor<'_>) -> Result<Expression, Fault> {
        let expression = match cursor.peek() {
            Token::Number(number) => Expression::Known(Value::Number(number)),
            Token::Name(".") => Expression::Known(self.scope.here()),
            Token::Name(name) => match self.scope.value(name) {
                Some(value) => Expression::Known(value),
                None => Expression::Symbol(name.to_string()),
            },
            Token::Local(label, direction) => {
                let name = self.scope.local(label, direction);
                self.scope
                    .value(&name)
                    .map_or(Expression::Symbol(name), Expression::Known)
            }
            _ => return Err(cursor.expected("a number, a symbol or '('")),
        };
        cursor.next();
        Ok(expression)
    }

    /// Steps over an operator.
    fn count(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        self.operators += 1;
        if self.operators > MOST_OPERATORS {
            return Err(Fault::new(
                cursor.at(),
                Problem::ExpressionTooLong(MOST_OPERATORS),
            ));
        }
        cursor.next();
        Ok(())
    }
}

impl Expression {
    fn unary(op: Unary, inner: Expression) -> Expression {
        match inner {
            Expression::Known(Value::Number(n)) => Expression::Known(Value::Number(op.apply(n))),
            _ => Expression::Unary(op, Box::new(inner)),
        }
    }

    fn binary(op: Binary, left: Expression, right: Expression) -> Result<Expression, Problem> {
        if let (Expression::Known(a), Expression::Known(b)) = (&left, &right)
            && let Some(value) = op.fold(*a, *b)?
        {
            return Ok(Expression::Known(value));
        }
        Ok(Expression::Binary(op, Box::new((left, right))))
    }

    /// The number that it is already.
    pub(crate) fn number(&self) -> Option<i64> {
        match self {
            Expression::Known(Value::Number(number)) => Some(*number),
            _ => None,
        }
    }

    /// The number that it is at the end, when sections have their addresses and symbols their values.
    pub(crate) fn resolve(&self, names: &mut dyn Names) -> Result<i64, Problem> {
        match self {
            Expression::Known(value) => Ok(names.address(*value)),
            Expression::Symbol(name) => names.symbol(name),
            Expression::Unary(op, inner) => Ok(op.apply(inner.resolve(names)?)),
            Expression::Binary(op, sides) => op.apply(sides.0.resolve(names)?, sides.1.resolve(names)?),
        }
    }
}

/// What an expression needs to become a number at the end.
pub(crate) trait Names {
    fn address(&self, value: Value) -> i64;
    fn symbol(&mut self, name: &str) -> Result<i64, Problem>;
}

impl Unary {
    fn apply(self, n: i64) -> i64 {
        match self {
            Unary::Minus => n.wrapping_neg(),
            Unary::Not => !n,
            Unary::LogicalNot => i64::from(n == 0),
        }
    }
}

impl Binary {
    /// The value of two known sides; `None` if it depends on where a section will stand.
    fn fold(self, left: Value, right: Value) -> Result<Option<Value>, Problem> {
        use Value::{Number, Place};
        Ok(match (self, left, right) {
            (_, Number(a), Number(b)) => Some(Number(self.apply(a, b)?)),
            (Binary::Add, Place { section, offset }, Number(n))
            | (Binary::Add, Number(n), Place { section, offset }) => Some(Place {
                section,
                offset: offset.wrapping_add(n),
            }),
            (Binary::Subtract, Place { section, offset }, Number(n)) => Some(Place {
                section,
                offset: offset.wrapping_sub(n),
            }),
            (
                _,
                Place {
                    section: a,
                    offset: left,
                },
                Place {
                    section: b,
                    offset: right,
                },
            ) if a == b && self.cancels_section() => Some(Number(self.apply(left, right)?)),
            _ => None,
        })
    }

    /// Whether two places in one section give a number that does not depend on where it stands.
    fn cancels_section(self) -> bool {
        use Binary::*;
        matches!(
            self,
            Subtract | Equal | NotEqual | Less | LessOrEqual | Greater | GreaterOrEqual
        )
    }

    /// 64-bit arithmetic that wraps; comparisons are -1 or 0, as in GNU as.
    fn apply(self, a: i64, b: i64) -> Result<i64, Problem> {
        let truth = |holds: bool| -i64::from(holds);
        Ok(match self {
            Binary::Multiply => a.wrapping_mul(b),
            Binary::Divide | Binary::Remainder if b == 0 => return Err(Problem::DivisionByZero),
            Binary::Divide => a.wrapping_div(b),
            Binary::Remainder => a.wrapping_rem(b),
            Binary::ShiftLeft => shift(b).map_or(0, |by| a << by),
            Binary::ShiftRight => shift(b).map_or(0, |by| (a as u64 >> by) as i64),
            Binary::Or => a | b,
            Binary::Xor => a ^ b,
            Binary::And => a & b,
            Binary::Add => a.wrapping_add(b),
            Binary::Subtract => a.wrapping_sub(b),
            Binary::Equal => truth(a == b),
            Binary::NotEqual => truth(a != b),
            Binary::Less => truth(a < b),
            Binary::LessOrEqual => truth(a <= b),
            Binary::Greater => truth(a > b),
            Binary::GreaterOrEqual => truth(a >= b),
            Binary::LogicalAnd => i64::from(a != 0 && b != 0),
            Binary::LogicalOr => i64::from(a != 0 || b != 0),
        })
    }
}

/// A shift by 64 or more leaves nothing.
fn shift(by: i64) -> Option<u32> {
    u32::try_from(by).ok().filter(|by| *by < 64)
}
