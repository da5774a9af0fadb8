//! How fast a guest is played.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A speed, in instructions a second, or as fast as it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Speed(u8);

/// Instructions a second, in the order of speeds.
const SPEEDS: [u64; 13] = [
    1, 2, 5, 10, 20, 50, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, FULL,
];

const FULL: u64 = u64::MAX;

impl Speed {
    /// All of them, the slowest first.
    pub const ALL: [Speed; SPEEDS.len()] = {
        let mut all = [Speed(0); SPEEDS.len()];
        let mut place = 0;
        while place < all.len() {
            all[place] = Speed(place as u8);
            place += 1;
        }
        all
    };

    /// Instructions a second; `None` for as fast as it goes.
    pub fn per_second(self) -> Option<u64> {
        Some(SPEEDS[usize::from(self.0)]).filter(|speed| *speed != FULL)
    }

    /// The next faster one, if there is one.
    pub fn faster(self) -> Speed {
        Speed::ALL[(usize::from(self.0) + 1).min(SPEEDS.len() - 1)]
    }

    /// The next slower one, if there is one.
    pub fn slower(self) -> Speed {
        Speed(self.0.saturating_sub(1))
    }

    /// The fastest one that is not faster than so many instructions a second; the slowest, if there is none.
    pub fn at_most(per_second: u64) -> Speed {
        let slower = SPEEDS.partition_point(|speed| *speed <= per_second);
        Speed(slower.saturating_sub(1) as u8)
    }

    /// In words: `10/s`, `100k/s`, `full`.
    pub fn name(self) -> String {
        match self.per_second() {
            None => "full".to_string(),
            Some(speed @ 0..1_000) => format!("{speed}/s"),
            Some(speed @ 1_000..1_000_000) => format!("{}k/s", speed / 1_000),
            Some(speed) => format!("{}M/s", speed / 1_000_000),
        }
    }
}

impl Default for Speed {
    fn default() -> Speed {
        Speed::at_most(10)
    }
}

/// As the settings have it: a number, or `"full"`.
impl Serialize for Speed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.per_second() {
            Some(speed) => serializer.serialize_u64(speed),
            None => serializer.serialize_str("full"),
        }
    }
}

impl<'de> Deserialize<'de> for Speed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Speed, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Speed;

            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("a number of instructions a second, or \"full\"")
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Speed, E> {
                Ok(Speed::at_most(value.min(FULL - 1)))
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Speed, E> {
                match u64::try_from(value) {
                    Ok(value) => self.visit_u64(value),
                    Err(_) => Err(E::invalid_value(de::Unexpected::Signed(value), &self)),
                }
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<Speed, E> {
                match value {
                    "full" => Ok(Speed::at_most(FULL)),
                    _ => Err(E::invalid_value(de::Unexpected::Str(value), &self)),
                }
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_go_from_one_a_second_to_full_and_no_further() {
        let slowest = Speed::ALL[0];
        assert_eq!(slowest.per_second(), Some(1));
        assert_eq!(slowest.slower(), slowest);
        let names: Vec<String> = Speed::ALL.iter().map(|speed| speed.name()).collect();
        assert_eq!(names[..4], ["1/s", "2/s", "5/s", "10/s"]);
        let fastest = Speed::ALL[Speed::ALL.len() - 1];
        assert_eq!((fastest.per_second(), fastest.faster()), (None, fastest));
        assert!(
            Speed::ALL
                .windows(2)
                .all(|pair| pair[0].faster() == pair[1] && pair[1].slower() == pair[0])
        );
    }

    #[test]
    fn a_speed_that_there_is_not_is_the_next_slower_one() {
        assert_eq!(Speed::at_most(7).per_second(), Some(5));
        assert_eq!(Speed::at_most(0).per_second(), Some(1));
        assert_eq!(Speed::at_most(u64::MAX).per_second(), None);
        assert_eq!(Speed::at_most(u64::MAX - 1).per_second(), Some(10_000_000));
    }
}
