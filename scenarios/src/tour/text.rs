//! Texts with figures in them, and claims about figures.

use std::cmp::Ordering;

use vmm_core::numbers::counted;

use super::figure::{Figure, Known, Of, Value};

/// A text of a tour: paragraphs with figures of the run in braces.
#[derive(Clone, Debug, Default)]
pub struct Text {
    pub(super) pieces: Vec<Piece>,
}

#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "a tour has a few dozen of them")]
pub(super) enum Piece {
    /// Words; paragraphs end with a newline.
    Plain(String),
    Figure(Figure),
    /// A number with what it counts, in the singular and in the plural.
    Counted(Figure, String, String),
    /// How many times the second the first is.
    Ratio(Figure, Figure),
}

/// What stands in a text for a figure that is not known yet.
const UNKNOWN: &str = "…";

impl Text {
    /// The text with its figures, a paragraph on each line. `…` stands for what is not known yet.
    pub fn fill(&self, known: &Known) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Plain(text) => text.clone(),
            Piece::Figure(figure) => match figure.value(known) {
                Some(value) => value.to_string(),
                None => UNKNOWN.to_string(),
            },
            Piece::Counted(figure, one, many) => match figure.value(known) {
                Some(Value::Number(number)) => counted(number, one, many),
                Some(value) => format!("{value} {many}"),
                None => format!("{UNKNOWN} {many}"),
            },
            Piece::Ratio(of, to) => match ratio(of, to, known) {
                Some(times) => times.to_string(),
                None => UNKNOWN.to_string(),
            },
        };
        self.pieces.iter().map(piece).collect()
    }

    /// As long as it can become: with large numbers for figures.
    pub fn widest(&self) -> String {
        const LARGE: &str = "999,999,999";
        let piece = |piece: &Piece| match piece {
            Piece::Plain(text) => text.clone(),
            Piece::Figure(_) | Piece::Ratio(..) => LARGE.to_string(),
            Piece::Counted(_, _, many) => format!("{LARGE} {many}"),
        };
        self.pieces.iter().map(piece).collect()
    }

    /// Whether one of its figures is of the run at the text's own stop.
    pub(super) fn tells_of_its_stop(&self) -> bool {
        let own = |figure: &Figure| matches!(figure.of, Of::Stop { at: None, .. });
        self.pieces.iter().any(|piece| match piece {
            Piece::Plain(_) => false,
            Piece::Figure(figure) | Piece::Counted(figure, ..) => own(figure),
            Piece::Ratio(of, to) => own(of) || own(to),
        })
    }

    /// The words that were typed, without the figures.
    pub fn typed(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().flat_map(|piece| match piece {
            Piece::Plain(text) => vec![text.as_str()],
            Piece::Figure(_) | Piece::Ratio(..) => Vec::new(),
            Piece::Counted(_, one, many) => vec![one.as_str(), many.as_str()],
        })
    }
}

fn ratio(of: &Figure, to: &Figure, known: &Known) -> Option<Value> {
    let (of, to) = (of.value(known)?.amount()?, to.value(known)?.amount()?);
    (to != 0.0).then(|| Value::Times(of / to))
}

/// What a text claims: two values, and how they compare.
#[derive(Clone, Debug)]
pub struct Claim {
    /// As it is written.
    pub written: String,
    pub(super) left: Side,
    pub(super) relation: Relation,
    pub(super) right: Side,
}

#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "a tour has a few dozen of them")]
pub(super) enum Side {
    /// So many times a figure.
    Figure(f64, Figure),
    Number(f64),
    Word(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Less,
    AtMost,
    Equal,
    Unequal,
    AtLeast,
    More,
}

impl Relation {
    /// Those of two characters before those of one.
    pub(super) const ALL: [(&str, Relation); 6] = [
        ("<=", Relation::AtMost),
        (">=", Relation::AtLeast),
        ("!=", Relation::Unequal),
        ("<", Relation::Less),
        (">", Relation::More),
        ("=", Relation::Equal),
    ];

    fn allows(self, order: Ordering) -> bool {
        match self {
            Relation::Less => order.is_lt(),
            Relation::AtMost => order.is_le(),
            Relation::Equal => order.is_eq(),
            Relation::Unequal => order.is_ne(),
            Relation::AtLeast => order.is_ge(),
            Relation::More => order.is_gt(),
        }
    }
}

impl Claim {
    /// What contradicts it, in words; `None` if it holds.
    pub fn broken(&self, known: &Known) -> Option<String> {
        let (left, right) = (self.left.value(known), self.right.value(known));
        let order = match (&left, &right) {
            (Found::Amount(left), Found::Amount(right)) => left.partial_cmp(right),
            (Found::Word(left), Found::Word(right)) => Some(left.cmp(right)),
            _ => None,
        };
        match order.is_some_and(|order| self.relation.allows(order)) {
            true => None,
            false => Some(format!(
                "'{}' does not hold: {left} on the left, {right} on the right",
                self.written
            )),
        }
    }
}

/// The value of a side.
enum Found {
    Amount(f64),
    Word(&'static str),
    Unknown,
}

impl std::fmt::Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Found::Amount(amount) => write!(f, "{amount}"),
            Found::Word(word) => f.write_str(word),
            Found::Unknown => f.write_str("something that is not known"),
        }
    }
}

impl Side {
    fn value(&self, known: &Known) -> Found {
        match self {
            Side::Number(number) => Found::Amount(*number),
            Side::Word(word) => Found::Word(word),
            Side::Figure(times, figure) => match figure.value(known) {
                Some(Value::Word(word)) => Found::Word(word),
                Some(value) => value
                    .amount()
                    .map_or(Found::Unknown, |amount| Found::Amount(times * amount)),
                None => Found::Unknown,
            },
        }
    }
}
