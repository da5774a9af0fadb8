//! The checks: Popek and Goldberg's three properties, of a run.
//!
//! The checker stands outside: it runs the bare machine beside the monitor, looks at both where the guest's
//! processor changes hands, and no mode can call it. What it does is never priced.

pub mod crowd;
pub mod efficiency;
pub mod equivalence;
pub mod holes;
pub mod report;
pub mod resource;
pub mod streams;

use serde::Serialize;

/// Whether a property holds, and why, or why not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Whether it holds.
    pub holds: bool,
    /// What was looked at, or what was found.
    pub detail: String,
}

impl Verdict {
    /// It holds.
    pub fn yes(detail: impl Into<String>) -> Verdict {
        Verdict {
            holds: true,
            detail: detail.into(),
        }
    }

    /// It does not.
    pub fn no(detail: impl Into<String>) -> Verdict {
        Verdict {
            holds: false,
            detail: detail.into(),
        }
    }
}

/// What every verdict on the bare machine begins with: its `holds` says what is so, and nothing about a monitor.
pub(crate) const UNDEFINED: &str = "not defined without a monitor";

/// The three properties (Popek and Goldberg 1974, section 2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
