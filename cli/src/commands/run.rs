//! `trapeze run`: one guest under one method.

use scenarios::Scenario;
use scenarios::terminal::{escape, escape_line};
use vmm_core::check::Verdict;
use vmm_core::check::report::Report;
use vmm_core::counts::Counts;
use vmm_core::mode::ModeName;

use crate::arguments::{DEFAULT_SCENARIO, legend, mode, policy};
use crate::checked::{CheckOptions, Checked, lint, without_tlb};
use crate::failure::{Failure, OrFail};
use crate::output::{Output, Paint};
use crate::text::{counted, exact, wrap};

/// Arguments of `run`.
#[derive(clap::Args)]
#[command(after_help = legend())]
pub(crate) struct Args {
    /// The name of a shipped scenario, or the path of one
    #[arg(default_value = DEFAULT_SCENARIO)]
    scenario: String,
    /// The method [default: trap, or what the scenario lists]
    #[arg(long, value_name = "M", value_parser = mode(), hide_possible_values = true)]
    mode: Option<ModeName>,
    /// The methods of this policy, on its machine, in place of a mode: a name (`trapeze products`), or a file that ends
    /// in .toml
    #[arg(long, value_name = "P", conflicts_with_all = ["mode", "profile"])]
    policy: Option<String>,
    #[command(flatten)]
    check: CheckOptions,
}

/// Runs the command.
pub(crate) fn run(args: &Args, output: &Output) -> Result<(), Failure> {
    let policy = args.policy.as_deref().map(policy).transpose()?;
    let of_policy = policy
        .as_ref()
        .map(|policy| policy.mode().or_bad_input(|| policy.name.clone()));
    let chosen = of_policy.transpose()?.or(args.mode);
    let mode = |scenario: &Scenario| chosen.unwrap_or_else(|| scenario.default_mode());
    let checked = args.check.check_under(
        &args.scenario,
        policy.as_ref(),
        |scenario| vec![mode(scenario)],
        output,
    )?;
    let report = checked
        .reports
        .first()
        .expect("there is one report for each mode");
    if output.json {
        let mut object = checked.json();
        let run = serde_json::to_value(report).expect("a report is always JSON");
        object
            .as_object_mut()
            .into_iter()
            .for_each(|all| all.extend(run.as_object().cloned().unwrap_or_default()));
        output.object(&object)?;
    } else {
        output.text(&render(&checked, report, output.paint))?;
    }
    checked.verdict(false)
}

/// What a guest printed, safe for a terminal, ending with a newline if there is anything.
pub(crate) fn console(bytes: &[u8]) -> String {
    let mut text = escape(bytes);
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

fn render(checked: &Checked, report: &Report, paint: Paint) -> String {
    let name = escape_line(checked.scenario.name.as_bytes());
    let slowdown = report
        .slowdown
        .map_or("with no bare machine to compare with".to_string(), |times| {
            let mark = without_tlb(report.without_tlb);
            format!("{times:.2}{mark} times those of the bare machine")
        });
    let head = format!("{name} under {} ({})", report.mode, report.mode.describe());
    let mut text = console(&report.console);
    if !text.is_empty() {
        text.push('\n');
    }
    text += &format!("{}\n", paint.strong(wrap("", &head).trim_end()));
    text += &wrap("  ", &format!("{}.", report.end));
    text += &wrap(
        "  ",
        &format!(
            "{} retired, {} of them directly on the hardware; {}; {} carried out by a monitor; {}, {slowdown}.",
            counted(report.retired, "instruction", "instructions"),
            exact(report.direct),
            counted(report.traps, "trap", "traps"),
            counted(report.emulated, "instruction", "instructions"),
            counted(report.cycles, "cycle", "cycles") + without_tlb(report.counts.tlb.is_none()),
        ),
    );
    if report.mode != ModeName::Bare {
        let verdict = &report.verdict;
        text += "\n";
        text += &property("equivalence", &verdict.equivalence, paint);
        text += &property("resource control", &verdict.resource_control, paint);
        text += &property("efficiency", &verdict.efficiency, paint);
    }
    text += &hypercalls(&report.counts);
    text += &exits(&report.counts);
    text += &real(report);
    text += &lint(&checked.reports);
    text + "\n" + &checked.notes()
}

/// What a ported kernel asked of the monitor; nothing of any other.
fn hypercalls(counts: &Counts) -> String {
    if counts.hypercalls.is_empty() {
        return String::new();
    }
    let mut calls: Vec<_> = counts.hypercalls.iter().collect();
    calls.sort_by_key(|(_, times)| std::cmp::Reverse(**times));
    let calls: Vec<String> = calls
        .into_iter()
        .map(|(name, times)| format!("{name} {}", exact(*times)))
        .collect();
    let batches: Vec<String> = counts
        .batches
        .iter()
        .map(|(size, times)| format!("{} of {}", exact(*times), exact((*size).into())))
        .collect();
    let rings = format!(
        "{} disk requests, {} bytes of the console, {} notifications; {} events, {} upcalls",
        exact(counts.ring_requests),
        exact(counts.ring_bytes),
        exact(counts.notifications),
        exact(counts.events_sent),
        exact(counts.upcalls)
    );
    let line = |name: &str, what: &str| wrap(&format!("  {name:<16}  "), what);
    "\n".to_string()
        + &line("hypercalls", &calls.join(", "))
        + &match batches.is_empty() {
            true => String::new(),
            false => line("batches", &batches.join(", ")),
        }
        + &line("rings and events", &rings)
}

/// Why a guest left non-root operation, and how often; nothing of one that was not in it.
fn exits(counts: &Counts) -> String {
    let mut reasons: Vec<(&String, &u64)> = counts.vm_exits.iter().collect();
    if reasons.is_empty() {
        return String::new();
    }
    reasons.sort_by_key(|(_, times)| std::cmp::Reverse(**times));
    let list: Vec<String> = reasons
        .into_iter()
        .map(|(reason, times)| format!("{reason} {}", exact(*times)))
        .collect();
    "\n".to_string() + &wrap(&format!("  {:<16}  ", "exits by reason"), &list.join(", "))
}

/// What the real virtual machine did, in which the guest was executed; nothing where there was none.
fn real(report: &Report) -> String {
    let figures = &report.figures;
    if figures.exits.is_empty() {
        return String::new();
    }
    let retired = report.retired.max(1);
    let line = |name: &str, what: &str| wrap(&format!("  {name:<16}  "), what);
    let list: Vec<String> = figures
        .exits
        .iter()
        .map(|(what, times)| format!("{what} {}", exact(*times)))
        .collect();
    "\n".to_string()
        + &line(
            "inside KVM_RUN",
            &format!(
                "{} of {} instructions ({:.2} %), in {:.0} ms with all that the monitor did",
                exact(figures.emitted),
                exact(retired),
                100.0 * figures.emitted as f64 / retired as f64,
                report.wall_ns as f64 / 1e6
            ),
        )
        + &line("real exits", &list.join(", "))
}

fn property(name: &str, verdict: &Verdict, paint: Paint) -> String {
    let (answer, painted) = match verdict.answer() {
        Some(true) => ("yes", paint.good("yes")),
        Some(false) => ("NO ", paint.bad("NO ")),
        None => ("–  ", "–  ".to_string()),
    };
    let first = format!("  {name:<16}  {answer}  ");
    wrap(&first, &escape_line(verdict.detail.as_bytes())).replacen(answer, &painted, 1)
}
