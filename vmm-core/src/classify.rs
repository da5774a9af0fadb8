//! The check of an instruction set: which rows are sensitive, which are privileged, and so which of Popek and
//! Goldberg's theorems hold ("Formal Requirements for Virtualizable Third Generation Architectures", CACM 17(7), 1974).
//!
//! Everything is computed from behaviour. The classifier sees an instruction set as an opaque step function from a
//! concrete [`State`] to its successor or a trap; it knows what a state means, and how a row is encoded, but neither
//! profiles nor what the table declares. Declarations are compared with its findings afterwards.
//!
//! Read in this order: [`state`] (the small machine), `domain` and `sample` (which states are paired, which
//! instructions are tried), [`observe`] (what is seen of a row, and the definitions), [`Known`] (looking at
//! all of them), [`region`] (where a row stands), [`class`] (against what is
//! declared), [`witness`] (two states that a person can follow), [`cousins`] (what x86 had).
//!
//! What is found is certain: there is a witness for it. What is *not* found was not there among the states that were
//! tried, which is no proof. [`Domain`] says which they were.

pub mod class;
pub mod cousins;
mod domain;
mod look;
pub mod observe;
pub mod part;
mod random;
pub mod region;
mod sample;
pub mod state;
pub mod witness;

pub use look::Known;
use serde::Serialize;
use toy_isa::profile::Profile;
use toy_isa::row::Row;
use toy_isa::trap::Trap;

use crate::check::Verdict;
use crate::modes::trap::Layout;
use class::{Class, Declaration};
use look::observe;
use observe::{Observed, Sensitivity, Virtual, deprivileged};
use part::Reading;
use state::{State, ring32};

/// What was found of a row, beside what is declared of it.
#[derive(Clone, Debug)]
pub struct RowReport {
    /// The row.
    pub row: Row,
    /// What the table says.
    pub declared: Declaration,
    /// What was seen.
    pub observed: Observed,
}

impl RowReport {
    /// The class that the table declares.
    pub fn declared_class(&self) -> Class {
        self.declared.class(&self.observed)
    }

    /// What is wrong with the declaration, in sentences.
    pub fn disagreements(&self) -> Vec<String> {
        self.declared.disagreements(&self.observed)
    }
}

/// The findings on an instruction set.
#[derive(Clone, Debug)]
pub struct Classification {
    /// One for each row, in the order of the table.
    pub rows: Vec<RowReport>,
}

/// The layouts in which a monitor runs a guest.
pub const LAYOUTS: [Layout; 2] = [Layout::RingDeprivileging, Layout::RingCompression];

/// The three theorems, in one reading and for one layout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Theorems {
    /// A monitor can be constructed: all sensitive rows are privileged.
    #[serde(rename = "1")]
    pub virtualizable: Verdict,
    /// The machine is recursively virtualizable.
    #[serde(rename = "2")]
    pub recursively: Verdict,
    /// A hybrid monitor can be constructed: all user-sensitive rows are privileged.
    #[serde(rename = "3")]
    pub hybrid: Verdict,
}

/// A theorem, and whether its condition is met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Theorem<'a> {
    /// Its number.
    pub number: u32,
    /// What follows from it, in words.
    pub claim: String,
    /// Why.
    pub verdict: &'a Verdict,
}

impl Theorems {
    /// In their order.
    pub fn all(&self) -> [Theorem<'_>; 3] {
        let theorem = |number, verdict, what: &str, can: &str| -> Theorem<'_> {
            let verdict: &Verdict = verdict;
            let is = if verdict.holds { "is" } else { "is not" };
            let claim = format!("{what} {is} {can}");
            Theorem {
                number,
                claim,
                verdict,
            }
        };
        let hybrid = "A hybrid monitor, which interprets the guest's kernel,";
        [
            theorem(1, &self.virtualizable, "Trap-and-emulate", "enough for a monitor"),
            theorem(2, &self.recursively, "The machine", "recursively virtualizable"),
            theorem(3, &self.hybrid, hybrid, "possible"),
        ]
    }
}

/// Classifies these rows of Ring32 with this profile.
pub fn ring32_rows(profile: &Profile, rows: impl IntoIterator<Item = Row>) -> Classification {
    classify(&ring32(profile), rows, |row| Declaration::of(row, profile))
}

/// Classifies rows by what `step` makes of states, and puts beside that what is declared of them.
pub fn classify(
    step: &impl Fn(&State) -> Result<State, Trap>,
    rows: impl IntoIterator<Item = Row>,
    declared: impl Fn(Row) -> Declaration,
) -> Classification {
    let rows = rows.into_iter().map(|row| RowReport {
        row,
        declared: declared(row),
        observed: observe(step, row),
    });
    Classification { rows: rows.collect() }
}

impl Classification {
    /// The theorems, in this reading and for a guest that is run in this layout.
    pub fn theorems(&self, reading: Reading, layout: Layout) -> Theorems {
        let (sensitive, user) = (self.holes(reading, layout), self.user_holes(reading, layout));
        let virtualizable = verdict(&sensitive, "sensitive");
        let recursively = if virtualizable.holds {
            Verdict::yes(
                "theorem 1 holds; the other condition, a monitor without timing dependencies, is not for this \
                 computation: on profile classic, `trapeze recursion` demonstrates it by running one inside itself",
            )
        } else {
            Verdict::no("theorem 1 does not hold")
        };
        Theorems {
            virtualizable,
            recursively,
            hybrid: verdict(&user, "user sensitive"),
        }
    }

    /// The rows that are sensitive in this way and are not privileged.
    fn offenders(&self, layout: Layout, sensitive: impl Fn(&Observed) -> Sensitivity) -> Vec<Row> {
        let offends =
            |report: &&RowReport| sensitive(&report.observed).any() && !report.observed.privileged(layout);
        self.rows
            .iter()
            .filter(offends)
            .map(|report| report.row)
            .collect()
    }

    /// The rows that are sensitive in this reading and not privileged: what breaks theorem 1.
    pub fn holes(&self, reading: Reading, layout: Layout) -> Vec<Row> {
        self.offenders(layout, |row| row.sensitive(layout, reading))
    }

    /// Those that are sensitive to a guest's programs, too: what breaks theorem 3.
    pub fn user_holes(&self, reading: Reading, layout: Layout) -> Vec<Row> {
        self.offenders(layout, |row| row.sensitivity(layout, reading, Virtual::User))
    }

    /// The rows whose declarations are wrong, with what is wrong.
    pub fn disagreements(&self) -> Vec<(Row, Vec<String>)> {
        let all = self
            .rows
            .iter()
            .map(|report| (report.row, report.disagreements()));
        all.filter(|(_, wrong)| !wrong.is_empty()).collect()
    }

    /// What was looked at.
    pub fn domain(&self) -> Domain {
        let families = domain::families();
        let (plain, drawn) = families.split_at(domain::FAMILIES);
        let mut parts: Vec<&str> = Vec::new();
        for part in families.iter().flatten().filter_map(|situation| situation.part) {
            if !parts.contains(&part.name()) {
                parts.push(part.name());
            }
        }
        let situations = |families: &[Vec<domain::Situation>]| families.iter().map(Vec::len).sum();
        let instructions = |random: bool| {
            let of_row = |report: &RowReport| {
                let all = sample::samples(report.row);
                all.iter().filter(|sample| sample.is_random() == random).count() as u64
            };
            self.rows.iter().map(of_row).sum()
        };
        Domain {
            rings: [0, 1, 2, 3],
            differ_in: parts,
            enumerated: Extent {
                references: plain.len(),
                situations: situations(plain),
                instructions: instructions(false),
            },
            sampled: Extent {
                references: drawn.len(),
                situations: situations(drawn),
                instructions: instructions(true),
            },
            seed: random::SEED,
            steps: self.rows.iter().map(|report| report.observed.steps).sum(),
            pairs: self.rows.iter().map(|report| report.observed.pairs).sum(),
        }
    }
}

/// Which states were tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Domain {
    /// The rings, all of them.
    pub rings: [u32; 4],
    /// The parts of the state in which situations differ from their reference.
    pub differ_in: Vec<&'static str>,
    /// What was enumerated: relocation and paging on and off; each instruction, with extreme operands, in every
    /// situation and every ring.
    pub enumerated: Extent,
    /// What was drawn at random: references; and instructions with their operands, each in the situations of one
    /// reference and in every ring.
    pub sampled: Extent,
    /// Where what is random begins.
    pub seed: u64,
    /// Steps that were made.
    pub steps: u64,
    /// Pairs of states that were compared.
    pub pairs: u64,
}

/// How much was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Extent {
    /// Reference situations.
    pub references: usize,
    /// They, and the situations made from them.
    pub situations: usize,
    /// Instructions with their operands.
    pub instructions: u64,
}

fn verdict(offenders: &[Row], how: &str) -> Verdict {
    if offenders.is_empty() {
        return Verdict::yes(format!(
            "no row was found that is {how} and does not trap outside ring 0; a search, not a proof"
        ));
    }
    let names: Vec<String> = offenders.iter().map(Row::to_string).collect();
    Verdict::no(format!(
        "{how}, and executed outside ring 0 without a trap: {}",
        names.join(", ")
    ))
}

/// The name of a layout: the real rings in which it runs a guest.
pub fn layout_name(layout: Layout) -> &'static str {
    match deprivileged(layout) {
        [1, 3] => "{1,3}",
        _ => "{3}",
    }
}

#[cfg(test)]
mod tests;
