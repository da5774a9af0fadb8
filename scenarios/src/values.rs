//! Values that a scenario file may write in more than one way.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use vmm_core::numbers::exact;

/// A size in bytes: a number, or a text such as `"4 MiB"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub u64);

const UNITS: [(&str, u64); 4] = [("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

impl Size {
    /// The size that `text` says; otherwise what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Size, String> {
        let text = text.trim();
        let digits = text.len()
            - text
                .trim_start_matches(|c: char| c.is_ascii_digit() || c == '_')
                .len();
        let (number, unit) = (text[..digits].replace('_', ""), text[digits..].trim_start());
        let Ok(number) = number.parse::<u64>() else {
            return Err(format!(
                "'{text}' is no size: expected one such as \"4 MiB\" or \"64 KiB\""
            ));
        };
        let factor = match unit {
            "" => 1,
            _ => UNITS
                .into_iter()
                .find(|(name, _)| *name == unit)
                .map(|(_, factor)| factor)
                .ok_or_else(|| {
                    let initial = unit.chars().next().map(|initial| initial.to_ascii_uppercase());
                    let meant = UNITS.iter().find(|(name, _)| name.chars().next() == initial);
                    let meant = meant.map(|(unit, _)| unit);
                    let meant =
                        meant.map_or(String::new(), |unit| format!("; did you mean '{number} {unit}'?"));
                    format!("'{unit}' is no unit of size: expected B, KiB, MiB or GiB{meant}")
                })?,
        };
        Ok(Size(number.saturating_mul(factor)))
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |(_, factor): &&(&str, u64)| self.0 >= *factor && self.0.is_multiple_of(*factor);
        let (unit, factor) = UNITS.iter().rev().find(fits).unwrap_or(&UNITS[0]);
        write!(f, "{} {unit}", self.0 / factor)
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Size, D::Error> {
        struct SizeVisitor;
        impl Visitor<'_> for SizeVisitor {
            type Value = Size;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a size: a number of bytes, or a text such as \"4 MiB\"")
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Size, E> {
                let size = u64::try_from(value).map_err(|_| E::custom("a size cannot be negative"))?;
                Ok(Size(size))
            }

            fn visit_str<E: Error>(self, value: &str) -> Result<Size, E> {
                Size::parse(value).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(SizeVisitor)
    }
}

impl JsonSchema for Size {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Size".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A number of bytes, or a text such as \"4 MiB\".",
            "anyOf": [
                { "type": "integer", "minimum": 0 },
                { "type": "string", "pattern": "^[0-9_]+ *(B|KiB|MiB|GiB)?$" },
            ],
        })
    }
}

/// A machine word: a number from -2^31 to 2^32 - 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word(pub u32);

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Word, D::Error> {
        struct WordVisitor;
        impl Visitor<'_> for WordVisitor {
            type Value = Word;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a word: a number from -0x80000000 to 0xffffffff")
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Word, E> {
                let word = u32::try_from(value).or_else(|_| i32::try_from(value).map(|value| value as u32));
                word.map(Word).map_err(|_| {
                    E::custom(format!(
                        "{value} is no word: expected a number from -0x80000000 to 0xffffffff"
                    ))
                })
            }
        }
        deserializer.deserialize_any(WordVisitor)
    }
}

impl JsonSchema for Word {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Word".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A word: a number from -0x80000000 to 0xffffffff.",
            "type": "integer",
            "minimum": i64::from(i32::MIN),
            "maximum": u32::MAX,
        })
    }
}

/// How often something happened: exactly so often, or `{ min = .., max = .. }` with one of them or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount {
    /// At least.
    pub min: u64,
    /// At most.
    pub max: u64,
}

impl Amount {
    /// Whether `count` is so much.
    pub fn contains(self, count: u64) -> bool {
        (self.min..=self.max).contains(&count)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (min, max) = (exact(self.min), exact(self.max));
        match (self.min, self.max) {
            _ if min == max => write!(f, "{min}"),
            (_, u64::MAX) => write!(f, "at least {min}"),
            (0, _) => write!(f, "at most {max}"),
            _ => write!(f, "{min} to {max}"),
        }
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Amount, D::Error> {
        struct AmountVisitor;
        impl<'de> Visitor<'de> for AmountVisitor {
            type Value = Amount;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a count: a number, or { min = .., max = .. }")
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Amount, E> {
                let value = u64::try_from(value).map_err(|_| E::custom("a count cannot be negative"))?;
                Ok(Amount {
                    min: value,
                    max: value,
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Amount, A::Error> {
                const BOUNDS: &[&str] = &["min", "max"];
                let mut amount = Amount {
                    min: 0,
                    max: u64::MAX,
                };
                let mut bounds = 0;
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "min" => amount.min = map.next_value()?,
                        "max" => amount.max = map.next_value()?,
                        _ => return Err(A::Error::unknown_field(&key, BOUNDS)),
                    }
                    bounds += 1;
                }
                if bounds == 0 || amount.min > amount.max {
                    return Err(A::Error::custom(
                        "no count is so: expected min, max or both, and min <= max",
                    ));
                }
                Ok(amount)
            }
        }
        deserializer.deserialize_any(AmountVisitor)
    }
}

impl JsonSchema for Amount {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Amount".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let count = json_schema!({ "type": "integer", "minimum": 0 });
        json_schema!({
            "description": "A count: a number, or { min = .., max = .. } with one of them or both.",
            "anyOf": [
                count,
                {
                    "type": "object",
                    "properties": { "min": count, "max": count },
                    "additionalProperties": false,
                    "minProperties": 1,
                },
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_written() {
        for (text, bytes) in [
            ("4 MiB", 4 << 20),
            ("64KiB", 65_536),
            ("1_000", 1000),
            ("7 B", 7),
            ("1 GiB", 1 << 30),
        ] {
            assert_eq!(Size::parse(text), Ok(Size(bytes)), "{text}");
        }
        for bytes in [0, 7, 1 << 10, 3 << 20, (1 << 20) + 1] {
            assert_eq!(Size::parse(&Size(bytes).to_string()), Ok(Size(bytes)));
        }
        assert_eq!(
            Size::parse("99999999999 GiB"),
            Ok(Size(u64::MAX)),
            "out of every range, and no overflow"
        );
        assert!(Size::parse("4 MB").unwrap_err().contains("did you mean '4 MiB'?"));
        for text in ["", "MiB", "-1", "1.5 MiB", "4 bananas", "99999999999999999999"] {
            assert!(Size::parse(text).is_err(), "{text}");
        }
    }
}
