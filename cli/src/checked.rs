//! Checked runs of a scenario: what `run` and `compare` have in common.

use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Instant;

use scenarios::Scenario;
use scenarios::expect::Expectation;
use scenarios::terminal::escape_line;
use serde_json::json;
use vmm_core::check::equivalence::Grain;
use vmm_core::check::report::{self, Report};
use vmm_core::engine::EngineName;
use vmm_core::mode::{End, ModeName};
use vmm_core::policy::Policy;
use vmm_core::price::{Basis, PriceList};
use vmm_core::setup::StartError;

use crate::arguments::{self, GuestOptions};
use crate::commands::price;
use crate::exit_code::ExitCode;
use crate::failure::{Failure, OrFail};
use crate::output::Output;
use crate::text::{counted, wrap};
use crate::trace;

/// The mark of a figure that is without what the TLB's misses cost, because nobody counted them.
pub(crate) const WITHOUT_TLB: &str = "+";

/// [`WITHOUT_TLB`], if that is so.
pub(crate) fn without_tlb(so: bool) -> &'static str {
    if so { WITHOUT_TLB } else { "" }
}

/// How a guest is run and checked.
#[derive(clap::Args)]
pub(crate) struct CheckOptions {
    #[command(flatten)]
    pub(crate) guest: GuestOptions,
    /// Price the run on this list: a name (`trapeze price` lists them), or a file that ends in .toml
    #[arg(long, value_name = "L", default_value = "textbook")]
    pub(crate) list: String,
    /// Compare states after every instruction, not only where the guest's processor changes hands
    #[arg(long)]
    pub(crate) lockstep: bool,
    /// Write the events to FILE: a trace for Perfetto if it ends in .json, else JSON lines
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
}

impl Default for CheckOptions {
    fn default() -> CheckOptions {
        CheckOptions {
            guest: GuestOptions::default(),
            list: "textbook".to_string(),
            lockstep: false,
            trace: None,
        }
    }
}

/// A scenario and what became of it.
pub(crate) struct Checked {
    /// The scenario, changed as asked.
    pub(crate) scenario: Scenario,
    /// One for each mode.
    pub(crate) reports: Vec<Report>,
    /// What cycles are counted in.
    pub(crate) prices: PriceList,
    /// What executed the guest's code.
    pub(crate) engine: EngineName,
    /// Modes that this host cannot run, and why.
    pub(crate) skipped: Vec<(ModeName, StartError)>,
}

impl CheckOptions {
    /// Runs the scenario under the modes that are chosen for it; writes the trace, if one is wanted.
    pub(crate) fn check(
        &self,
        scenario: &str,
        modes: impl FnOnce(&Scenario) -> Vec<ModeName>,
        output: &Output,
    ) -> Result<Checked, Failure> {
        self.check_under(scenario, None, modes, output)
    }

    /// As [`CheckOptions::check`], with the machine and the guest that a policy asks for.
    pub(crate) fn check_under(
        &self,
        scenario: &str,
        policy: Option<&Policy>,
        modes: impl FnOnce(&Scenario) -> Vec<ModeName>,
        output: &Output,
    ) -> Result<Checked, Failure> {
        let mut scenario = self.guest.load_under(scenario, policy)?;
        let prices = arguments::prices(&self.list)?;
        let options = report::Options {
            engine: self.guest.engine,
            budget: scenario.budget,
            grain: if self.lockstep {
                Grain::Lockstep
            } else {
                Grain::SyncPoints
            },
            prices: &prices,
            now: nanoseconds,
        };
        let (modes, skipped) = possible(modes(&scenario));
        let reports = output
            .busy(format!("running {}", scenario.name), || {
                report::compare(&scenario.setup, &modes, options)
            })
            .or_bad_input(|| format!("cannot load the guest of '{}'", scenario.name))?;
        if reports.iter().any(|report| report.counts.tlb.is_none()) {
            scenario.without_tlb_counts();
        }
        if let Some(path) = &self.trace {
            trace::write(path, &scenario.name, &reports)?;
        }
        Ok(Checked {
            scenario,
            reports,
            prices,
            engine: self.guest.engine,
            skipped,
        })
    }
}

/// Of several modes those that this host can run, and why it cannot run the others. One alone has to be tried.
fn possible(modes: Vec<ModeName>) -> (Vec<ModeName>, Vec<(ModeName, StartError)>) {
    if modes.len() == 1 {
        return (modes, Vec::new());
    }
    let missing = |mode: &ModeName| Some((*mode, mode.missing()?));
    let skipped: Vec<_> = modes.iter().filter_map(missing).collect();
    let runs = |mode: &ModeName| !skipped.iter().any(|(skipped, _)| skipped == mode);
    (modes.into_iter().filter(runs).collect(), skipped)
}

impl Checked {
    /// The object that `--json` prints, without the runs.
    pub(crate) fn json(&self) -> serde_json::Value {
        let failures: Vec<String> = self.failures();
        json!({
            "scenario": self.scenario.name,
            "title": self.scenario.title,
            "profile": self.scenario.setup.profile.describe(),
            "price_list": price::head(&self.prices),
            "failures": failures,
            "unchecked": self.scenario.unchecked,
            "uncounted": self.uncounted(),
            "skipped": self.skipped.iter().map(|(mode, why)| {
                json!({ "mode": mode.name(), "reason": why.to_string() })
            }).collect::<Vec<_>>(),
        })
    }

    /// What stands under every result: what was not checked, and what cycles are.
    pub(crate) fn notes(&self) -> String {
        let unchecked = self.scenario.unchecked.as_ref();
        let unchecked = unchecked.map(|what| wrap("", &format!("Not checked: {what}.")));
        let uncounted = self.uncounted();
        let uncounted = uncounted.map(|what| wrap("", &format!("{WITHOUT_TLB} {what}.")));
        let skipped = self
            .skipped
            .iter()
            .map(|(_, why)| wrap("", &format!("skipped: {why}.")));
        skipped.collect::<String>()
            + &unchecked.unwrap_or_default()
            + &uncounted.unwrap_or_default()
            + &price_note(&self.prices)
    }

    /// What was not counted, and what that means for the figures, if anything was not.
    fn uncounted(&self) -> Option<String> {
        let without_tlb = self.reports.iter().find(|report| report.without_tlb)?;
        let engine = without_tlb.mode.engine(self.engine).name();
        let who_does = match without_tlb.mode {
            ModeName::Kvm => "the other modes do",
            _ => "--engine interpreter does",
        };
        Some(format!(
            "without the misses of the TLB: engine {engine} does not count them, {who_does}"
        ))
    }

    /// Success, if all is as the scenario expects. Where it says nothing about the end, the guest has to
    /// switch itself off, unless `any_end` will do.
    pub(crate) fn verdict(&self, any_end: bool) -> Result<(), Failure> {
        let mut complaints = self.failures();
        let mut code = ExitCode::NotAsExpected;
        for report in &self.reports {
            let expectation = self.end_expectation(report.mode);
            let silent = expectation.is_none() && report.exit_code().is_none() && !any_end;
            if silent {
                complaints.push(format!("in mode {}, {}", report.mode, report.end));
            }
            complaints.extend(report.figures.failure.clone());
            let missed = expectation.is_some_and(|one| one.failure(report).is_some());
            if code == ExitCode::NotAsExpected && (silent || missed) {
                code = code_of(report.end);
            }
        }
        if complaints.is_empty() {
            return Ok(());
        }
        if code == ExitCode::Budget {
            complaints.push(format!(
                "the budget is {}; --budget N sets another",
                counted(
                    self.scenario.budget,
                    "attempt at an instruction",
                    "attempts at an instruction"
                )
            ));
        }
        let list = complaints.join("\n  ");
        Err(Failure::new(
            code,
            format!("'{}' did not go as it should:\n  {list}", self.scenario.name),
        ))
    }

    /// What the scenario expects of the end under this mode.
    fn end_expectation(&self, mode: ModeName) -> Option<&Expectation> {
        let of_end = |one: &&&Expectation| matches!(one, Expectation::End(_) | Expectation::ExitCode(_));
        let all = self.scenario.expect.of(mode);
        all.iter().find(of_end).copied()
    }

    fn failures(&self) -> Vec<String> {
        let failures = self.scenario.failures(&self.reports);
        failures.iter().map(ToString::to_string).collect()
    }
}

/// The exit code for an unexpected end.
fn code_of(end: End) -> ExitCode {
    match end {
        End::PowerOff(_) | End::Refused(_) => ExitCode::NotAsExpected,
        End::Budget => ExitCode::Budget,
        End::Deadlock => ExitCode::Deadlock,
        End::DoubleFault(_) => ExitCode::DoubleFault,
        End::Failed => ExitCode::Internal,
    }
}

/// What the lint has to say of these runs: translations that were used after the page table had changed. The bare
/// machine's count is the guest's own doing, so it is the one that is told.
pub(crate) fn lint(reports: &[Report]) -> String {
    let bare = reports.iter().find(|report| report.mode == ModeName::Bare);
    match bare
        .and_then(|report| report.counts.tlb)
        .map_or(0, |tlb| tlb.stale)
    {
        0 => String::new(),
        times => {
            "\n".to_string()
                + &wrap(
                    "Lint: ",
                    &format!(
                        "between a change of a page-table entry and a fence (sfence.vma), the guest used {} of the \
                         old entry; this machine is coherent, a real one may not be.",
                        counted(times, "translation", "translations")
                    ),
                )
        }
    }
}

/// One line on what cycles are.
pub(crate) fn price_note(prices: &PriceList) -> String {
    let name = &prices.name;
    let assumed = prices
        .figures()
        .values()
        .filter(|figure| figure.basis == Basis::Assumed);
    let note = match prices.assumed {
        true => format!("Cycles are simulated, on the price list \"{name}\": assumed, of no real processor."),
        false => format!(
            "Cycles are simulated, on the price list \"{name}\": {} of its {} figures are assumed \
             (trapeze price --list {name}).",
            assumed.count(),
            prices.figures().len()
        ),
    };
    wrap("", &escape_line(note.as_bytes()))
}

/// The host's clock, from any beginning.
pub(crate) fn nanoseconds() -> u64 {
    static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(BEGIN.elapsed().as_nanos()).unwrap_or(u64::MAX)
}
