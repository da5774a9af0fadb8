//! Expectations of a run, and how a run fails them.

use std::fmt;

use serde::Serialize;
use toy_isa::disasm;
use toy_isa::hart::Hart;
use toy_isa::instruction::Registers;
use vmm_core::check::Verdict;
use vmm_core::check::report::Report;
use vmm_core::counts::Counts;
use vmm_core::mode::{End, ModeName};
use vmm_core::numbers::exact;

use crate::schema::{Amount, EndName};
use crate::terminal::escape_line;

/// What a scenario expects of its runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expectations {
    /// Of every run.
    pub all: Vec<Expectation>,
    /// Of the runs of one mode: these take the place of those in `all` with the same subject.
    pub of_mode: Vec<(ModeName, Vec<Expectation>)>,
    /// Whether the runs have another budget than they were written for. Then only the end is expected, and the
    /// properties that are to hold: they hold of the beginning of a run if they hold of all of it.
    pub another_budget: bool,
}

/// One thing that is expected at the end of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// The guest ends in this way.
    End(EndName),
    /// It switches itself off with this exit code.
    ExitCode(u32),
    /// This is the whole console output.
    Console(String),
    /// All of these are parts of the console output.
    ConsoleContains(Vec<String>),
    /// The register of this name, one of [`register_names`], holds this.
    Register(&'static str, u32),
    /// The word of guest-physical memory at this address holds this.
    Memory {
        /// A multiple of 4.
        address: u32,
        /// The symbol or the number in the file.
        name: String,
        /// The word.
        value: u32,
    },
    /// What has this name, one of [`count_names`], happened so often.
    Count(&'static str, Amount),
    /// The property holds, or does not.
    Holds(Property, bool),
    /// The guest leaves the path of the bare machine through these rows, in the order of the alphabet, and no
    /// others.
    Holes(Vec<String>),
}

/// One of Popek and Goldberg's properties.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Property {
    /// The guest runs as it would on the bare machine.
    Equivalence,
    /// The monitor alone decides on resources.
    ResourceControl,
    /// Innocuous instructions run on the hardware.
    Efficiency,
}

impl Property {
    fn name(self) -> &'static str {
        match self {
            Property::Equivalence => "equivalence",
            Property::ResourceControl => "resource control",
            Property::Efficiency => "efficiency",
        }
    }

    fn of(self, report: &Report) -> &Verdict {
        match self {
            Property::Equivalence => &report.verdict.equivalence,
            Property::ResourceControl => &report.verdict.resource_control,
            Property::Efficiency => &report.verdict.efficiency,
        }
    }
}

/// An expectation that a run did not meet. Displays as one sentence, safe to print.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The name of the mode.
    pub mode: &'static str,
    /// What was looked at.
    pub what: String,
    /// What it should be.
    pub expected: String,
    /// What it is.
    pub found: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failure {
            mode,
            what,
            expected,
            found,
        } = self;
        write!(f, "in mode {mode}, {what}: expected {expected}, found {found}")
    }
}

impl Expectations {
    /// What is expected of a run in this mode. Verdicts in `all` are not meant for `bare`, which has no
    /// monitor.
    pub fn of(&self, mode: ModeName) -> Vec<&Expectation> {
        let own: Vec<&Expectation> = self
            .of_mode
            .iter()
            .filter(|(of, _)| *of == mode)
            .flat_map(|(_, own)| own)
            .collect();
        let general = self
            .all
            .iter()
            .filter(|one| mode != ModeName::Bare || !one.is_verdict())
            .filter(|one| !own.iter().any(|own| own.subject() == one.subject()));
        let all = general.chain(own.iter().copied());
        all.filter(|one| !self.another_budget || !one.needs_the_budget())
            .collect()
    }

    /// Whether another budget takes some of them away.
    pub(crate) fn need_the_budget(&self) -> bool {
        let of_mode = self.of_mode.iter().flat_map(|(_, own)| own);
        self.all.iter().chain(of_mode).any(Expectation::needs_the_budget)
    }

    /// Takes away those of how often something happens; whether there were any.
    pub(crate) fn drop_counts(&mut self) -> bool {
        self.drop_counts_of(|_| true)
    }

    /// Takes away those of counts with such names; whether there were any.
    pub(crate) fn drop_counts_of(&mut self, named: impl Fn(&str) -> bool) -> bool {
        let of_mode = self.of_mode.iter_mut().map(|(_, own)| own);
        let mut dropped = false;
        for list in of_mode.chain([&mut self.all]) {
            let before = list.len();
            list.retain(|one| !matches!(one, Expectation::Count(name, _) if named(name)));
            dropped |= list.len() < before;
        }
        dropped
    }

    /// The expectations that a run did not meet.
    pub fn failures(&self, report: &Report) -> Vec<Failure> {
        self.of(report.mode)
            .into_iter()
            .filter_map(|one| one.failure(report))
            .collect()
    }
}

impl Expectation {
    fn is_verdict(&self) -> bool {
        matches!(self, Expectation::Holds(..) | Expectation::Holes(_))
    }

    /// Whether a run with another budget may fail it only because of that.
    fn needs_the_budget(&self) -> bool {
        !matches!(
            self,
            Expectation::End(_) | Expectation::ExitCode(_) | Expectation::Holds(_, true)
        )
    }

    /// What it is about: of two with the same subject, the one of a mode counts.
    fn subject(&self) -> (u8, &str, u32) {
        match self {
            Expectation::End(_) | Expectation::ExitCode(_) => (0, "", 0),
            Expectation::Console(_) => (1, "", 0),
            Expectation::ConsoleContains(_) => (2, "", 0),
            Expectation::Register(name, _) => (3, name, 0),
            Expectation::Memory { address, .. } => (4, "", *address),
            Expectation::Count(name, _) => (5, name, 0),
            Expectation::Holds(property, _) => (6, property.name(), 0),
            Expectation::Holes(_) => (7, "", 0),
        }
    }

    /// How the run fails it; `None` if it does not.
    pub fn failure(&self, report: &Report) -> Option<Failure> {
        let fail = |what: String, expected: String, found: String| {
            Some(Failure {
                mode: report.mode.name(),
                what,
                expected,
                found,
            })
        };
        let word = |value: u32| format!("{} ({value:#x})", exact(value.into()));
        let end = || "the end of the guest".to_string();
        match self {
            Expectation::End(name) if Some(*name) == name_of(report.end) => None,
            Expectation::End(name) => fail(end(), describe(*name).into(), found(report.end)),
            Expectation::ExitCode(code) => match report.exit_code() {
                Some(found) if found == *code => None,
                Some(found) => fail("the exit code".into(), code.to_string(), found.to_string()),
                None => fail(end(), found(End::PowerOff(*code)), found(report.end)),
            },
            Expectation::Console(text) if text.as_bytes() == report.console => None,
            Expectation::Console(text) => {
                let same = text
                    .bytes()
                    .zip(&report.console)
                    .take_while(|(a, b)| a == *b)
                    .count();
                let what = format!("the console output, equal up to byte {}", exact(same as u64));
                fail(
                    what,
                    excerpt(text.as_bytes(), same),
                    excerpt(&report.console, same),
                )
            }
            Expectation::ConsoleContains(parts) => {
                let missing = parts
                    .iter()
                    .find(|part| !contains(&report.console, part.as_bytes()))?;
                let expected = format!("it to contain {}", excerpt(missing.as_bytes(), 0));
                let tail = report.console.len().saturating_sub(EXCERPT);
                let shown = excerpt(&report.console, tail);
                let found = match (report.console.len(), tail) {
                    (0, _) => "nothing".to_string(),
                    (_, 0) => format!("only {shown}"),
                    _ => format!("no such text up to its end, {shown}"),
                };
                fail("the console output".into(), expected, found)
            }
            Expectation::Register(name, value) => {
                let found = register(&report.last.guest().hart, name)?;
                (found != *value).then(|| fail(format!("register {name}"), word(*value), word(found)))?
            }
            Expectation::Memory { address, name, value } => {
                let found = report.last.guest().word(*address);
                let what = format!(
                    "the word of memory at {} ({address:#x})",
                    escape_line(name.as_bytes())
                );
                let shown = found.map_or("no memory".to_string(), word);
                (found != Some(*value)).then(|| fail(what, word(*value), shown))?
            }
            Expectation::Count(name, amount) => {
                let found = count(report, name)?;
                let what = format!("the count '{name}'");
                (!amount.contains(found)).then(|| fail(what, amount.to_string(), exact(found)))?
            }
            Expectation::Holds(property, expected) => {
                let verdict = property.of(report);
                let answer = |holds| if holds { "yes" } else { "no" };
                let found = format!(
                    "{}: {}",
                    verdict.answer().map_or("no verdict", answer),
                    escape_line(verdict.detail.as_bytes())
                );
                let differs = verdict.answer() != Some(*expected);
                differs.then(|| fail(property.name().to_string(), answer(*expected).into(), found))?
            }
            Expectation::Holes(rows) => {
                let found = report.findings.iter().flat_map(|findings| &findings.holes);
                let mut found: Vec<String> = found.map(|hole| hole.row.to_string()).collect();
                found.sort();
                let list = |rows: &[String]| {
                    if rows.is_empty() {
                        "none".into()
                    } else {
                        rows.join(", ")
                    }
                };
                (found != *rows).then(|| fail("the holes".into(), list(rows), list(&found)))?
            }
        }
    }
}

/// The name of an end that can be expected.
fn name_of(end: End) -> Option<EndName> {
    Some(match end {
        End::PowerOff(_) => EndName::PowerOff,
        End::Deadlock => EndName::Deadlock,
        End::DoubleFault(_) => EndName::DoubleFault,
        End::Refused(_) => EndName::Refused,
        End::Budget => EndName::Budget,
        End::Failed => return None,
    })
}

/// An end that is expected, as something that can be found.
fn describe(end: EndName) -> &'static str {
    match end {
        EndName::PowerOff => "a power-off",
        EndName::Deadlock => "a deadlock",
        EndName::DoubleFault => "a double fault",
        EndName::Refused => "a refusal by the processor",
        EndName::Budget => "none within the budget",
    }
}

/// An end that was found, with all that is known of it.
fn found(end: End) -> String {
    let Some(name) = name_of(end).map(describe) else {
        return end.to_string();
    };
    match end {
        End::PowerOff(code) => format!("{name} with exit code {code}"),
        End::DoubleFault(trap) => format!("{name} ({trap})"),
        End::Deadlock | End::Budget | End::Refused(_) | End::Failed => name.to_string(),
    }
}

/// Bytes of console output that a failure shows.
const EXCERPT: usize = 60;

/// Some of the text from `at` on, in quotes and escaped.
fn excerpt(text: &[u8], at: usize) -> String {
    let rest = &text[at.min(text.len())..];
    let shown = &rest[..rest.len().min(EXCERPT)];
    let before = if at > 0 { "..." } else { "" };
    let after = if shown.len() < rest.len() { "..." } else { "" };
    format!("{before}\"{}\"{after}", escape_line(shown))
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    part.is_empty() || text.windows(part.len()).any(|window| window == part)
}

/// Where a control register of the processor is kept.
type Field = fn(&Hart) -> u32;

const CONTROL: [(&str, Field); 12] = [
    ("pc", |hart| hart.pc),
    ("status", |hart| hart.csr.status.0),
    ("tvec", |hart| hart.csr.tvec),
    ("scratch", |hart| hart.csr.scratch),
    ("epc", |hart| hart.csr.epc),
    ("cause", |hart| hart.csr.cause),
    ("tval", |hart| hart.csr.tval),
    ("ptbr", |hart| hart.csr.ptbr),
    ("base", |hart| hart.csr.base),
    ("bound", |hart| hart.csr.bound),
    ("xbound", |hart| hart.csr.xbound),
    ("window", |hart| hart.csr.window),
];

/// The registers that can be expected of a guest's processor.
pub fn register_names(registers: Registers) -> impl Iterator<Item = &'static str> {
    disasm::register_names(registers).chain(CONTROL.iter().map(|(name, _)| *name))
}

fn register(hart: &Hart, name: &str) -> Option<u32> {
    let general = disasm::register_names(Registers::ThirtyTwo).position(|register| register == name);
    general.map(|index| hart.x[index]).or_else(|| {
        CONTROL
            .iter()
            .find(|(register, _)| *register == name)
            .map(|(_, field)| field(hart))
    })
}

/// The counts that can be expected: the four columns of a report, and [`Counts::scalars`].
pub fn count_names() -> impl Iterator<Item = &'static str> {
    let scalars = Counts::default().scalars().into_iter();
    ["retired", "direct", "traps", "emulated"]
        .into_iter()
        .chain(scalars.map(|(name, _)| name))
}

fn count(report: &Report, name: &str) -> Option<u64> {
    match name {
        "retired" => Some(report.retired),
        "direct" => Some(report.direct),
        "traps" => Some(report.traps),
        "emulated" => Some(report.emulated),
        _ => report
            .counts
            .scalars()
            .into_iter()
            .find(|(scalar, _)| *scalar == name)
            .map(|(_, count)| count),
    }
}
