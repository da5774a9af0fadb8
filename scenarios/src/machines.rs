//! Machines of history, told as profiles: which rows of Ring32 do what an instruction of that machine did outside its
//! most privileged mode, and where that is written.
//!
//! The files hold what the machines did, never what follows from it: verdicts are computed.

use std::collections::BTreeMap;

use serde::Deserialize;
use toy_isa::profile::{Behaviour, OverrideError, Profile, ProfileName};
use toy_isa::row::Row;

use crate::error::{did_you_mean, nearest};

macro_rules! files {
    ($($name:literal),*) => {
        /// Names, and the texts of the files.
        const FILES: &[(&str, &str)] = &[$(($name, include_str!(concat!("../machines/", $name, ".toml")))),*];
    };
}

files![
    "pdp-10", "s370", "vax", "68000", "68010", "x86", "armv7", "risc-v", "x86-umip"
];

/// A machine of history.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The name on the command line.
    pub name: &'static str,
    /// What it was, and when.
    pub title: String,
    /// Why it is told, in a paragraph.
    pub story: String,
    /// The profile with the rows that are told.
    pub profile: Profile,
    /// The rows that are told, in the order of the table.
    pub rows: Vec<Stand>,
    /// What is sensitive on that machine too, and has nothing here that could stand for it.
    pub left_out: Vec<String>,
}

/// A row that stands for an instruction of that machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stand {
    /// The row.
    pub row: Row,
    /// What the instruction did outside the most privileged mode.
    pub behaviour: Behaviour,
    /// The instruction.
    pub instruction: String,
    /// Where it is written.
    pub source: String,
}

/// Why there is no such machine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MachineError {
    /// None of this name is shipped.
    #[error("no machine is named '{name}'{}", did_you_mean(.suggestion))]
    Unknown {
        /// The name.
        name: String,
        /// The nearest that is shipped.
        suggestion: Option<String>,
    },
    /// Its file is not as it should be.
    #[error("{name}.toml: {message}")]
    File {
        /// The name.
        name: &'static str,
        /// What is wrong.
        message: String,
    },
    /// It asks for what a row cannot do.
    #[error("{name}.toml: {error}")]
    Override {
        /// The name.
        name: &'static str,
        /// What is wrong.
        error: OverrideError,
    },
}

/// The names of the machines, in the order of history.
pub fn names() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(name, _)| *name)
}

/// The machine of this name.
///
/// # Errors
/// If there is none, or its file is not as it should be.
pub fn load(name: &str) -> Result<Machine, MachineError> {
    let file = FILES.iter().find(|(known, _)| *known == name);
    let (name, text) = file.ok_or_else(|| MachineError::Unknown {
        name: name.to_string(),
        suggestion: nearest(name, names()),
    })?;
    parse(name, text)
}

/// A file in `machines/`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    title: String,
    story: String,
    profile: String,
    #[serde(default)]
    left_out: Vec<String>,
    rows: BTreeMap<String, StandTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StandTable {
    does: String,
    instruction: String,
    source: String,
}

fn parse(name: &'static str, text: &str) -> Result<Machine, MachineError> {
    let bad = |message: String| MachineError::File { name, message };
    let document: Document = toml::from_str(text).map_err(|error| bad(error.message().to_string()))?;
    let base = ProfileName::from_name(&document.profile)
        .ok_or_else(|| bad(format!("unknown profile '{}'", document.profile)))?;
    let mut profile = Profile::new(base);
    let mut rows = Vec::new();
    for (row, told) in document.rows {
        let row = Row::from_name(&row).ok_or_else(|| bad(format!("unknown row '{row}'")))?;
        let behaviour = Behaviour::from_name(&told.does)
            .ok_or_else(|| bad(format!("unknown behaviour '{}'", told.does)))?;
        profile
            .set(row, behaviour)
            .map_err(|error| MachineError::Override { name, error })?;
        rows.push(Stand {
            row,
            behaviour,
            instruction: told.instruction,
            source: told.source,
        });
    }
    rows.sort_by_key(|stand| stand.row.index());
    Ok(Machine {
        name,
        title: document.title,
        story: document.story.split_whitespace().collect::<Vec<_>>().join(" "),
        profile,
        rows,
        left_out: document.left_out,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use vmm_core::classify::observe::{Observed, deprivileged};
    use vmm_core::classify::part::Reading;
    use vmm_core::classify::{Classification, LAYOUTS, ring32_rows};

    fn machine(name: &str) -> Machine {
        load(name).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Only the rows that are told.
    fn classify_told(machine: &Machine) -> Classification {
        ring32_rows(&machine.profile, machine.rows.iter().map(|stand| stand.row))
    }

    fn holes(found: &Classification, reading: Reading) -> Vec<String> {
        found
            .holes(reading, LAYOUTS[0])
            .iter()
            .map(Row::to_string)
            .collect()
    }

    /// Which theorems hold, and what breaks the first, as history knows it. In both layouts the same.
    #[test]
    fn the_verdicts_are_those_of_history() {
        let leaky: &[&str] = &[
            "prober",
            "probew",
            "csrr tvec",
            "csrr status",
            "csrw status",
            "csrr ptbr",
            "csrr base",
            "csrr bound",
            "csrr xbound",
            "csrr window",
        ];
        let umip: Vec<&str> = leaky
            .iter()
            .copied()
            .filter(|row| !["csrr tvec", "csrr ptbr", "csrr base"].contains(row))
            .collect();
        let history: [(&str, bool, bool, &[&str]); 9] = [
            ("pdp-10", false, true, &["mret"]),
            ("s370", true, true, &[]),
            ("vax", false, false, &["prober", "probew", "csrr status"]),
            ("68000", false, false, &["csrr status"]),
            ("68010", true, true, &[]),
            ("x86", false, false, leaky),
            ("armv7", false, true, &["csrw status"]),
            ("risc-v", true, true, &[]),
            ("x86-umip", false, false, &umip),
        ];
        assert_eq!(
            history.map(|(name, ..)| name).to_vec(),
            names().collect::<Vec<_>>()
        );
        for (name, virtualizable, hybrid, guilty) in history {
            let found = ring32_rows(&machine(name).profile, Row::all());
            assert_eq!(holes(&found, Reading::Of1974), guilty, "{name}");
            for layout in LAYOUTS {
                let theorems = found.theorems(Reading::Of1974, layout);
                assert_eq!(theorems.virtualizable.holds, virtualizable, "{name}");
                assert_eq!(theorems.recursively.holds, virtualizable, "{name}");
                assert_eq!(
                    theorems.hybrid.holds, hybrid,
                    "{name}: {}",
                    theorems.hybrid.detail
                );
            }
            assert_eq!(found.disagreements(), [], "{name}");
        }
    }

    /// STORE CLOCK: what the reading of 1974 does not see.
    #[test]
    fn the_clock_of_system_370_is_a_hole_in_the_extended_reading_only() {
        let found = classify_told(&machine("s370"));
        assert_eq!(holes(&found, Reading::Of1974), [""; 0]);
        assert_eq!(
            holes(&found, Reading::Extended),
            ["csrr instret", "csrr instreth"]
        );
    }

    /// A file tells what a machine did; so every override must be seen to do it.
    #[test]
    fn every_row_that_is_told_is_seen_to_trap_or_not() {
        for name in names() {
            let machine = machine(name);
            let found = classify_told(&machine);
            assert!(!machine.rows.is_empty() && !machine.title.is_empty() && !machine.story.is_empty());
            for (stand, report) in machine.rows.iter().zip(&found.rows) {
                let traps = |observed: &Observed| {
                    deprivileged(LAYOUTS[0])
                        .iter()
                        .all(|ring| observed.executed[*ring] == 0)
                };
                let declared = stand.behaviour == Behaviour::Traps;
                assert_eq!(traps(&report.observed), declared, "{name}: {}", stand.row);
                assert!(!stand.instruction.is_empty() && !stand.source.is_empty());
            }
        }
    }

    #[test]
    fn every_file_is_listed() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/machines");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .expect("the folder")
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .to_string_lossy()
                    .replace(".toml", "")
            })
            .collect();
        let mut listed: Vec<&str> = names().collect();
        files.sort();
        listed.sort_unstable();
        assert_eq!(files, listed);
    }

    #[test]
    fn a_bad_name_or_file_is_told() {
        let error = load("6800").expect_err("there is none");
        assert!(error.to_string().contains("did you mean '68000'?"), "{error}");
        for (text, part) in [
            ("title = 1", "string"),
            (
                "title = ''\nstory = ''\nprofile = 'x'\n[rows]",
                "unknown profile 'x'",
            ),
            (
                "title = ''\nstory = ''\nprofile = 'classic'\n[rows.add]\ndoes = 'traps'\n\
                 instruction = ''\nsource = ''",
                "only 'innocuous'",
            ),
            (
                "title = ''\nstory = ''\nprofile = 'classic'\n[rows.x]\ndoes = 'traps'\ninstruction = ''\nsource = ''",
                "unknown row 'x'",
            ),
        ] {
            let error = parse("68000", text).expect_err("it is bad");
            assert!(error.to_string().contains(part), "{error}");
        }
    }
}
