//! `trapeze crowd`: several guests under one monitor.

use scenarios::limit::{EXIT_FUEL, GUESTS, WEIGHT};
use scenarios::terminal::escape_line;
use scenarios::{Scenario, limit};
use serde_json::json;
use vmm_core::check::Verdict;
use vmm_core::check::crowd::{self, BOUND, CrowdReport, GuestReport, Options};
use vmm_core::mode::{End, ModeName};
use vmm_core::setup::StartError;

use crate::arguments::{GuestOptions, budget, find, mode};
use crate::checked::nanoseconds;
use crate::exit_code::ExitCode;
use crate::failure::{Failure, OrFail};
use crate::output::{Output, Paint};
use crate::text::{counted, cut, exact, short, wrap};

/// Guests that have a line each; more are told by kind and weight.
const LINES: usize = 16;

/// Arguments of `crowd`.
#[derive(clap::Args)]
#[command(after_help = after_help())]
pub(crate) struct Args {
    /// The name of a shipped scenario, or the path of one
    #[arg(default_value = "tenant")]
    scenario: String,
    /// The method: trap, translate, para or assist, or a variant of one
    #[arg(long, value_name = "M", default_value = "trap", value_parser = mode(), hide_possible_values = true)]
    mode: ModeName,
    /// Run N of the scenario's guest
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(GUESTS)))]
    guests: Option<u32>,
    /// Their weights, one guest after the other and again from the first
    #[arg(
        long,
        value_name = "W,W",
        value_delimiter = ',',
        value_parser = clap::value_parser!(u32).range(1..=i64::from(WEIGHT))
    )]
    weights: Option<Vec<u32>>,
    /// Run a guest of this scenario beside them; may be given again
    #[arg(long, value_name = "SCENARIO")]
    beside: Vec<String>,
    /// What an exit costs a guest in fuel, of which an instruction costs 1
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=EXIT_FUEL))]
    exit_fuel: Option<u64>,
    /// End all of them after N of fuel together; else each runs to its end or to its budget, in fuel
    #[arg(long, value_name = "N", value_parser = budget)]
    fuel: Option<u64>,
    #[command(flatten)]
    guest: GuestOptions,
}

fn after_help() -> &'static str {
    "Each guest gets the processor by its weight. It pays in fuel: 1 for an\n\
     instruction that retires, and a fixed price for each exit to the monitor. --budget counts fuel here, too."
}

/// Runs the command.
pub(crate) fn run(args: &Args, output: &Output) -> Result<(), Failure> {
    let scenario = args.load()?;
    let options = Options {
        mode: args.mode,
        engine: args.guest.engine,
        exit_fuel: scenario.crowd.exit_fuel,
        budget: scenario.budget,
        fuel: args.fuel.unwrap_or(u64::MAX),
        now: nanoseconds,
    };
    let crowd = scenario.members();
    if let (ModeName::Para, Some((name, _))) = (
        args.mode,
        crowd.kinds.iter().find(|(_, setup)| setup.port.is_none()),
    ) {
        return Err(Failure::bad_input(format!("'{name}': {}", StartError::NoPort)));
    }
    let report = output
        .busy(format!("running a crowd of {}", scenario.name), || {
            crowd::run(&crowd, options)
        })
        .or_bad_input(|| format!("cannot start the crowd of '{}'", scenario.name))?;
    if output.json {
        output.object(&json!({
            "scenario": scenario.name,
            "mode": args.mode.name(),
            "exit_fuel": options.exit_fuel,
            "bound_percent": BOUND,
            "crowd": report,
        }))?;
    } else {
        output.text(&render(&scenario, args.mode, &report, output.paint))?;
    }
    verdict(&scenario, &report)
}

impl Args {
    /// The scenario with its crowd, changed as asked.
    fn load(&self) -> Result<Scenario, Failure> {
        let mut scenario = self.guest.load(&self.scenario)?;
        let crowd = &mut scenario.crowd;
        crowd.guests = self.guests.unwrap_or(crowd.guests);
        crowd.exit_fuel = self.exit_fuel.unwrap_or(crowd.exit_fuel);
        if let Some(weights) = &self.weights {
            crowd.weights.clone_from(weights);
        }
        for other in &self.beside {
            crowd.beside.push(find(other)?);
        }
        if crowd.beside.len() > limit::BESIDE {
            let message = format!("too many other scenarios: expected at most {}", limit::BESIDE);
            return Err(Failure::bad_input(message));
        }
        Ok(scenario)
    }
}

/// Success, if each guest had its share, kept to its own and ended as alone.
fn verdict(scenario: &Scenario, report: &CrowdReport) -> Result<(), Failure> {
    let broken: Vec<&str> = verdicts(report)
        .into_iter()
        .filter_map(|(_, verdict)| verdict.filter(|verdict| !verdict.holds))
        .map(|verdict| verdict.detail.as_str())
        .collect();
    match broken.is_empty() {
        true => Ok(()),
        false => Err(Failure::new(
            ExitCode::NotAsExpected,
            format!(
                "the crowd of '{}' did not go as it should:\n  {}",
                scenario.name,
                broken.join("\n  ")
            ),
        )),
    }
}

fn verdicts(report: &CrowdReport) -> [(&'static str, Option<&Verdict>); 3] {
    [
        ("shares", report.shares.as_ref()),
        ("as alone", Some(&report.alone)),
        ("isolation", Some(&report.isolation)),
    ]
}

/// Guests that have a line together.
struct Class<'a> {
    /// The number of the first.
    first: usize,
    guests: Vec<&'a GuestReport>,
}

/// All guests of a kind and a weight together, or each for itself where there are few, in the order of the crowd.
fn classes(guests: &[GuestReport]) -> Vec<Class<'_>> {
    let mut classes: Vec<Class> = Vec::new();
    for (guest, number) in guests.iter().zip(1..) {
        let alike = |class: &&mut Class| {
            let first = class.guests[0];
            (&first.name, first.weight) == (&guest.name, guest.weight) && guests.len() > LINES
        };
        match classes.iter_mut().find(alike) {
            Some(class) => class.guests.push(guest),
            None => classes.push(Class {
                first: number,
                guests: vec![guest],
            }),
        }
    }
    classes
}

/// The result for people. Only its last line is not the same on every host.
fn render(scenario: &Scenario, mode: ModeName, report: &CrowdReport, paint: Paint) -> String {
    let title = format!("{}: {}", scenario.name, scenario.title);
    let mut text = paint.strong(wrap("", &escape_line(title.as_bytes())).trim_end()) + "\n";
    text += &wrap(
        "",
        &format!(
            "{} under mode {mode} ({}); an exit costs {} of fuel, an instruction 1.",
            counted(report.guests.len() as u64, "guest", "guests"),
            mode.describe(),
            exact(scenario.crowd.exit_fuel)
        ),
    );
    let classes = classes(&report.guests);
    let few = classes.len() == report.guests.len();
    let (least, most) = if few {
        ("share", "off by")
    } else {
        ("least", "most")
    };
    let head = format!(
        "{:<19} {:>6} {:>7} {least:>7} {most:>7} {:>7} {:>7} {:>7} {:>5}",
        "guests", "weight", "due", "turns", "exits", "end", "alone"
    );
    text += &format!("\n{}\n", paint.faint(&head));
    for class in &classes {
        text += &line(class, few);
    }
    if !few {
        text += "Of a line's guests: the least and the most share, all turns and exits.\n";
    }
    text += "\n";
    for (name, verdict) in verdicts(report) {
        text += &judged(name, verdict, paint);
    }
    text + "\n" + &cost(report)
}

fn line(class: &Class, few: bool) -> String {
    let guests = &class.guests;
    let first = guests[0];
    let name = escape_line(first.name.as_bytes());
    let number = if few { class.first } else { guests.len() };
    let sign = if few { "" } else { "x " };
    let shares = guests.iter().map(|guest| guest.measured);
    let least = shares.clone().min_by(f64::total_cmp).unwrap_or(0.0);
    let most = match few {
        true => deviation(first),
        false => percent(shares.max_by(f64::total_cmp).unwrap_or(0.0)),
    };
    let least = percent(least);
    let sum = |of: fn(&GuestReport) -> u64| short(guests.iter().map(|guest| of(guest)).sum());
    let ends = match guests.iter().all(|guest| guest.end == first.end) {
        true => end(first.end),
        false => "several".to_string(),
    };
    let alone = if guests.iter().all(|guest| guest.difference.is_none()) {
        "yes"
    } else {
        "NO"
    };
    format!(
        "{} {:>6} {:>7} {least:>7} {most:>7} {:>7} {:>7} {ends:>7} {alone:>5}\n",
        format_args!("{:<19}", cut(&format!("{number:>3} {sign}{name}"), 19)),
        first.weight,
        percent(first.due),
        sum(|guest| guest.turns),
        sum(|guest| guest.exits),
    )
}

/// A share of 1 in at most seven characters.
fn percent(share: f64) -> String {
    let decimals = if share < 0.1 { 3 } else { 2 };
    format!("{:.decimals$}%", share * 100.0)
}

/// By how much a share is too large, in at most seven characters where it is not absurd.
fn deviation(guest: &GuestReport) -> String {
    // What would be written -0.00 is nothing.
    let deviation = match guest.deviation() {
        little if little.abs() < 0.005 => 0.0,
        deviation => deviation,
    };
    let decimals = if deviation.abs() < 99.0 { 2 } else { 0 };
    format!("{deviation:+.decimals$}%")
}

fn end(end: End) -> String {
    match end {
        End::Budget => "stopped".to_string(),
        end => super::compare::end(end),
    }
}

fn judged(name: &str, verdict: Option<&Verdict>, paint: Paint) -> String {
    let head = |answer| format!("{name:<9}  {answer}  ");
    match verdict {
        None => wrap(
            &head("–  "),
            "too early to tell: when the first guest ended, a turn was more than 2 percent of a share. Guests that run \
             longer would show it.",
        ),
        Some(verdict) => {
            let (answer, painted) = match verdict.holds {
                true => ("yes", paint.good("yes")),
                false => ("NO ", paint.bad("NO ")),
            };
            wrap(&head(answer), &escape_line(verdict.detail.as_bytes())).replacen(answer, &painted, 1)
        }
    }
}

/// What the crowd cost, in the laboratory and on the host.
fn cost(report: &CrowdReport) -> String {
    let seconds = |nanoseconds: u64| nanoseconds as f64 / 1e9;
    let peak = super::doctor::peak().map_or(String::new(), |peak| format!("; at most {peak}"));
    format!(
        "{} of fuel, {} MiB of simulated memory\nHost: {:.2} s, and {:.2} s to run each kind alone and compare{peak}\n",
        exact(report.used),
        report.memory >> 20,
        seconds(report.wall_ns),
        seconds(report.alone_ns),
    )
}
