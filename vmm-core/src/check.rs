//! The checks: Popek and Goldberg's three properties, of a run.
//!
//! The checker stands outside: it runs the bare machine beside the monitor, looks at both where the guest's
//! processor changes hands, and no mode can call it. What it does is never priced.

pub mod checked;
pub mod crowd;
pub mod difference;
pub mod efficiency;
pub mod equivalence;
pub mod fuel;
pub mod holes;
pub mod report;
pub mod resource;
mod sentence;
pub mod streams;

use serde::ser::{Serialize, SerializeStruct, Serializer};

/// Whether a property holds, and why, or why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it holds; false, too, where nobody can tell.
    pub holds: bool,
    /// Whether anybody can tell.
    pub known: bool,
    /// What was looked at, what was found, or why nobody can tell.
    pub detail: String,
}

impl Verdict {
    /// It holds.
    pub fn yes(detail: impl Into<String>) -> Verdict {
        Verdict {
            holds: true,
            known: true,
            detail: detail.into(),
        }
    }

    /// It does not.
    pub fn no(detail: impl Into<String>) -> Verdict {
        Verdict {
            holds: false,
            known: true,
            detail: detail.into(),
        }
    }

    /// Nobody can tell.
    pub fn unknown(detail: impl Into<String>) -> Verdict {
        Verdict {
            holds: false,
            known: false,
            detail: detail.into(),
        }
    }

    /// Whether it holds, if anybody can tell.
    pub fn answer(&self) -> Option<bool> {
        self.known.then_some(self.holds)
    }
}

/// With `holds` as [`Verdict::answer`] has it: null where nobody can tell.
impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Verdict", 2)?;
        fields.serialize_field("holds", &self.answer())?;
        fields.serialize_field("detail", &self.detail)?;
        fields.end()
    }
}

/// What every verdict on the bare machine begins with: its `holds` says what is so, and nothing about a monitor.
pub(crate) const UNDEFINED: &str = "not defined without a monitor";

/// The three properties (Popek and Goldberg 1974, section 2).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Verdicts {
    /// A program runs as it would on the bare machine, but for timing.
    pub equivalence: Verdict,
    /// The monitor alone decides on resources.
    pub resource_control: Verdict,
    /// Innocuous instructions run on the hardware, with no intervention of the monitor.
    pub efficiency: Verdict,
}

#[cfg(test)]
mod tests;
