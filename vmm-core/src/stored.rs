//! Runs that were stored, to be priced again: the counts of a report, read back. What is read is hostile: names have to
//! be known, and numbers are bounded.

use std::collections::BTreeMap;

use serde::Deserialize;
use toy_isa::table::OPS;
use toy_isa::trap::Cause;

use crate::counts::Counts;
use crate::mode::ModeName;
use crate::modes::para::interface::Hypercall;

/// The highest count: what no run reaches, and no bill overflows at.
pub const HIGHEST: u64 = 1_000_000_000_000_000;

/// The most names in one part of the counts.
const MOST_NAMES: usize = 4096;

/// Why stored counts cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CountsError {
    /// Something is counted that this version does not know.
    #[error("'{0}' is counted, which this version does not know")]
    Unknown(String),
    /// A number is too high.
    #[error("the count of '{0}' is too high: expected at most {HIGHEST}")]
    TooHigh(String),
    /// A part should be a number, or should have names in it.
    #[error("'{0}' is not counted in this way: expected a number, or numbers by name, as in a report")]
    Form(String),
    /// A part has too many names.
    #[error("'{0}' has too many parts: expected at most {MOST_NAMES}")]
    TooMany(String),
    /// Something that every report counts is not there.
    #[error("'{0}' is not counted: expected all that a report of this version has")]
    Missing(String),
    /// A sum is not the sum of its parts.
    #[error("'{0}' is not the sum of its parts")]
    Sum(String),
    /// The mode has no such name.
    #[error("'{0}' is no mode")]
    Mode(String),
}

/// A run as a report has stored it.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredRun {
    /// The mode.
    pub mode: ModeName,
    /// What was counted.
    pub counts: Counts,
}

/// A run as it stands in a file.
#[derive(Debug, Deserialize)]
pub struct RawRun {
    mode: String,
    counts: BTreeMap<String, Part>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Part {
    Number(u64),
    Names(BTreeMap<String, u64>),
}

impl RawRun {
    /// The run, if all is well with it.
    ///
    /// # Errors
    /// If it counts what is not known, not all that is, or beyond [`HIGHEST`].
    pub fn checked(self) -> Result<StoredRun, CountsError> {
        let mode = ModeName::from_name(&self.mode).ok_or(CountsError::Mode(self.mode))?;
        let counts = counts(self.counts)?;
        Ok(StoredRun { mode, counts })
    }
}

fn counts(mut parts: BTreeMap<String, Part>) -> Result<Counts, CountsError> {
    let mut counts = Counts::default();
    let mut take = |part: &str| names(&mut parts, part);
    for (field, part) in [
        (&mut counts.direct, "direct"),
        (&mut counts.translated, "translated"),
        (&mut counts.interpreted, "interpreted"),
        (&mut counts.emitted, "emitted"),
    ] {
        for (name, count) in take(part)? {
            let op = OPS.iter().position(|row| row.mnemonic == name);
            field[op.ok_or(CountsError::Unknown(name))?] = count;
        }
    }
    for (name, count) in take("traps")? {
        let cause = Cause::ALL.into_iter().find(|cause| cause.to_string() == name);
        counts
            .traps
            .insert(cause.ok_or(CountsError::Unknown(name))?, count);
    }
    counts.batches = numbered(take("batches")?)?;
    counts.vm_exits = take("exits_by_reason")?;
    counts.emulated = take("emulated")?;
    for (name, count) in take("hypercalls")? {
        let known = Hypercall::ALL.iter().map(|call| call.name()).chain(["unknown"]);
        let known = known.into_iter().find(|known| *known == name);
        counts
            .hypercalls
            .insert(known.ok_or(CountsError::Unknown(name))?, count);
    }
    if Counts::OF_TLB.iter().all(|name| !parts.contains_key(*name)) {
        counts.tlb = None;
    }
    for (name, _) in counts.scalars() {
        let count = match parts.remove(name) {
            Some(Part::Number(count)) => bounded(name, count)?,
            Some(Part::Names(_)) => return Err(CountsError::Form(name.to_string())),
            None => return Err(CountsError::Missing(name.to_string())),
        };
        if let Some(field) = counts.scalar_mut(name) {
            *field = count;
        } else if !counts.scalars().contains(&(name, count)) {
            return Err(CountsError::Sum(name.to_string()));
        }
    }
    match parts.into_keys().next() {
        Some(name) => Err(CountsError::Unknown(name)),
        None => Ok(counts),
    }
}

/// Takes the part of this name, whose counts have names themselves.
fn names(parts: &mut BTreeMap<String, Part>, part: &str) -> Result<BTreeMap<String, u64>, CountsError> {
    match parts.remove(part) {
        Some(Part::Names(names)) if names.len() > MOST_NAMES => Err(CountsError::TooMany(part.to_string())),
        Some(Part::Names(names)) => {
            for (name, count) in &names {
                bounded(name, *count)?;
            }
            Ok(names)
        }
        Some(Part::Number(_)) => Err(CountsError::Form(part.to_string())),
        None => Err(CountsError::Missing(part.to_string())),
    }
}

fn numbered(names: BTreeMap<String, u64>) -> Result<BTreeMap<u32, u64>, CountsError> {
    let number = |(name, count): (String, u64)| match name.parse() {
        Ok(number) => Ok((number, count)),
        Err(_) => Err(CountsError::Unknown(name)),
    };
    names.into_iter().map(number).collect()
}

fn bounded(name: &str, count: u64) -> Result<u64, CountsError> {
    if count > HIGHEST {
        return Err(CountsError::TooHigh(name.to_string()));
    }
    Ok(count)
}
