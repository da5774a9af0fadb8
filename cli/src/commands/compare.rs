//! `trapeze compare`: one guest under several methods.

use scenarios::Scenario;
use scenarios::terminal::escape_line;
use serde_json::json;
use toy_isa::profile::ProfileName;
use vmm_core::check::Verdict;
use vmm_core::check::report::Report;
use vmm_core::mode::{End, ModeName};

use crate::arguments::{DEFAULT_SCENARIO, GuestOptions, legend, mode, mode_option};
use crate::checked::{CheckOptions, Checked, lint, without_tlb};
use crate::failure::Failure;
use crate::output::{Output, Paint};
use crate::text::{short, wrap};

/// Arguments of `compare`.
#[derive(clap::Args)]
#[command(after_help = legend())]
pub(crate) struct Args {
    /// The name of a shipped scenario, or the path of one
    #[arg(default_value = DEFAULT_SCENARIO)]
    scenario: String,
    /// The modes to compare, instead of those that the scenario names
    #[arg(long, value_name = "M,M", value_delimiter = ',', value_parser = mode(), hide_possible_values = true)]
    modes: Option<Vec<ModeName>>,
    /// Show what the guest printed
    #[arg(long)]
    console: bool,
    #[command(flatten)]
    check: CheckOptions,
}

impl Default for Args {
    fn default() -> Args {
        Args {
            scenario: DEFAULT_SCENARIO.to_string(),
            modes: None,
            console: false,
            check: CheckOptions::default(),
        }
    }
}

impl Args {
    /// The options that only this command has, as they are typed.
    fn only_here(&self) -> String {
        let names =
            |modes: &Vec<ModeName>| modes.iter().map(|mode| mode.name()).collect::<Vec<_>>().join(",");
        let modes = self
            .modes
            .as_ref()
            .map(|modes| format!(" --modes {}", names(modes)));
        let lockstep = self.check.lockstep.then(|| " --lockstep".to_string());
        [modes, lockstep].into_iter().flatten().collect()
    }
}

/// Runs the command.
pub(crate) fn run(args: &Args, output: &Output) -> Result<(), Failure> {
    let modes = |scenario: &Scenario| args.modes.clone().unwrap_or_else(|| scenario.modes_here());
    let checked = args.check.check(&args.scenario, modes, output)?;
    if output.json {
        let mut object = checked.json();
        object["modes"] = json!(checked.reports);
        output.object(&object)?;
    } else {
        output.text(&render(&checked, args, output.paint))?;
    }
    checked.verdict(args.check.guest.profile.is_some())
}

/// The comparison for people. It says nothing that differs from one host, or one run, to the next.
fn render(checked: &Checked, args: &Args, paint: Paint) -> String {
    let scenario = &checked.scenario;
    let profile = &scenario.setup.profile;
    let title = format!(
        "{}: {}",
        escape_line(scenario.name.as_bytes()),
        escape_line(scenario.title.as_bytes())
    );
    let mut text = paint.strong(wrap("", &title).trim_end());
    text += &format!("\nprofile {}\n\n", profile.describe());
    text += &table(&checked.reports, paint);
    text += "\nE equivalence, R resource control, F efficiency (Popek and Goldberg 1974)\n";
    text += &broken(&checked.reports, paint);
    if args.console {
        text += &consoles(&checked.reports, paint);
    }
    text += &lint(&checked.reports);
    text += "\n";
    text += &checked.notes();
    text + &format!("Try next: {}\n", hint(checked, args))
}

fn table(reports: &[Report], paint: Paint) -> String {
    // A longer name has a line to itself: the table fits 80 columns.
    const WIDTH: usize = 10;
    let head = format!(
        "{:<WIDTH$} {:>6} {:>7} {:>6} {:>7} {:>8} {:>7} {:>8}   E   R   F",
        "mode", "exit", "retired", "direct", "traps", "emulated", "cycles", "slowdown"
    );
    let mut text = paint.faint(&head) + "\n";
    for report in reports {
        let name = match report.mode.name() {
            name if name.len() > WIDTH => format!("{name}\n{:WIDTH$}", ""),
            name => format!("{name:<WIDTH$}"),
        };
        text += &format!(
            "{name} {:>6} {:>7} {:>6} {:>7} {:>8} {:>7} {:>8}",
            end(report.end),
            short(report.retired),
            share(report.direct, report.retired),
            short(report.traps),
            short(report.emulated),
            short(report.cycles) + without_tlb(report.counts.tlb.is_none()),
            report.slowdown.map_or("–".to_string(), |times| {
                format!("{times:.2}x{}", without_tlb(report.without_tlb))
            }),
        );
        for (_, verdict) in properties(report) {
            text += &light(verdict, paint);
        }
        text += "\n";
    }
    text
}

/// The three properties of a monitor; none where there is no monitor.
fn properties(report: &Report) -> [(&'static str, Option<&Verdict>); 3] {
    let verdict = &report.verdict;
    let of = |verdict| Some(verdict).filter(|_| report.mode != ModeName::Bare);
    [
        ("equivalence", of(&verdict.equivalence)),
        ("resource control", of(&verdict.resource_control)),
        ("efficiency", of(&verdict.efficiency)),
    ]
}

fn light(verdict: Option<&Verdict>, paint: Paint) -> String {
    match verdict.and_then(Verdict::answer) {
        None => "   –".to_string(),
        Some(true) => format!(" {}", paint.good("yes")),
        Some(false) => format!("  {}", paint.bad("NO")),
    }
}

/// Why each broken property is broken, or cannot be judged, said once where it is the same under several modes.
fn broken(reports: &[Report], paint: Paint) -> String {
    let mut reasons: Vec<(&str, &Verdict, Vec<&str>)> = Vec::new();
    for report in reports {
        for (name, verdict) in properties(report) {
            let Some(verdict) = verdict.filter(|verdict| !verdict.holds) else {
                continue;
            };
            let same = |reason: &&mut (&str, &Verdict, _)| (reason.0, reason.1) == (name, verdict);
            match reasons.iter_mut().find(same) {
                Some((_, _, modes)) => modes.push(report.mode.name()),
                None => reasons.push((name, verdict, vec![report.mode.name()])),
            }
        }
    }
    let text = reasons.iter().map(|(name, verdict, modes)| {
        let modes = match modes.as_slice() {
            [rest @ .., last] if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
            one => one.concat(),
        };
        let head = match verdict.known {
            true => paint.bad(&format!("No {name} under {modes}:")),
            false => format!("No verdict on {name} under {modes}:"),
        };
        let reason = wrap("  ", &escape_line(verdict.detail.as_bytes()));
        format!("\n{head}\n{reason}")
    });
    text.collect()
}

fn consoles(reports: &[Report], paint: Paint) -> String {
    reports
        .iter()
        .map(|report| {
            let head = paint.strong(&format!("console under {}:", report.mode));
            format!("\n{head}\n{}", super::run::console(&report.console))
        })
        .collect()
}

/// How a guest ended, in at most seven characters where it is no exit code.
pub(crate) fn end(end: End) -> String {
    match end {
        End::PowerOff(code) => code.to_string(),
        End::Refused(_) => "refused".to_string(),
        End::Budget => "budget".to_string(),
        End::Deadlock => "stuck".to_string(),
        End::DoubleFault(_) => "fault".to_string(),
        End::Failed => "failed".to_string(),
    }
}

/// A percentage with one decimal, rounded down, so that 100 % means all.
fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".to_string();
    }
    let thousandths = u128::from(part) * 1000 / u128::from(whole);
    format!("{}.{}%", thousandths / 10, thousandths % 10)
}

/// What to type next: where a guest falls into holes, the rows that are none elsewhere; else the same runs on a machine
/// with holes; else the events of one of them.
fn hint(checked: &Checked, args: &Args) -> String {
    let profile = &checked.scenario.setup.profile;
    let base = profile.base().name();
    let shipped = profile.describe() == base;
    // A machine with holes is another machine only for a guest that runs on it.
    let on_hardware = ModeName::Bare.runs_with(checked.scenario.setup.image.registers);
    let mut holes = checked
        .reports
        .iter()
        .filter_map(|report| report.findings.as_ref());
    let hole = holes.find_map(|findings| findings.holes.first());
    let monitor = checked.reports.iter().map(|report| report.mode);
    let mode = monitor
        .filter(|mode| *mode != ModeName::Bare)
        .min_by_key(|mode| *mode != checked.scenario.default_mode());
    match (hole, mode) {
        (Some(_), _) if shipped => format!("trapeze isa --profile {base}"),
        (Some(hole), _) => format!("trapeze isa --row \"{}\"", hole.row),
        (None, Some(_)) if on_hardware && shipped && profile.base() == ProfileName::Classic => {
            let profile = Some(ProfileName::Leaky);
            let guest = GuestOptions {
                profile,
                ..args.check.guest.clone()
            };
            format!(
                "trapeze compare {}{}",
                guest.again(&args.scenario),
                args.only_here()
            )
        }
        (None, mode) => {
            let again = args.check.guest.again(&args.scenario);
            let mode = mode_option(&checked.scenario, mode.unwrap_or(ModeName::Bare));
            format!("trapeze why {again}{mode}")
        }
    }
}
