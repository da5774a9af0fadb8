//! `trapeze products`: which methods real products mix, and what each is worth to them.

use std::fmt::Write;

use scenarios::Variant;
use scenarios::terminal::escape_line;
use serde::Serialize;
use serde_json::{Value, json};
use toy_isa::profile::Profile;
use vmm_core::check::equivalence::Grain;
use vmm_core::check::report::{self, Options, Report};
use vmm_core::engine::EngineName;
use vmm_core::mode::{End, ModeName};
use vmm_core::policy::{Device, Kernel, Method, Pages, Policy, Share};
use vmm_core::price::PriceList;

use crate::arguments::{find_with, policy, prices};
use crate::checked::{nanoseconds, price_note};
use crate::exit_code::ExitCode;
use crate::failure::{Failure, OrFail};
use crate::output::{Output, Paint};
use crate::text::wrap;

/// A method has its tick if a product that is denied it fails, or takes more than so many times as long.
const FACTOR: f64 = 1.1;

/// Arguments of `products`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The name of a shipped scenario whose guest has a port, or the path of one
    #[arg(default_value = "work-server")]
    scenario: String,
    /// Try this policy instead of those that ship: a name, or a file that ends in .toml; may be repeated
    #[arg(long, value_name = "P")]
    policy: Vec<String>,
    /// The list of prices
    #[arg(long, value_name = "L", default_value = "textbook")]
    list: String,
}

/// What became of a guest under a policy.
#[derive(Clone)]
struct Outcome {
    mode: ModeName,
    cycles: u64,
    /// Against the bare machine, if there is one.
    slowdown: Option<f64>,
    /// Why it does not work, if it does not.
    failure: Option<Trouble>,
}

/// Why a guest does not work under a policy.
#[derive(Clone, Serialize)]
struct Trouble {
    /// In a few words.
    reason: String,
    /// The verdict that says so, in full.
    verdict: String,
}

/// A policy, and what it is worth without each of its methods.
struct Tried {
    policy: Policy,
    outcome: Outcome,
    without: Vec<(Method, Share, Outcome)>,
}

/// What a method is worth to a product.
enum Worth {
    /// Without it the product fails.
    Needed(Trouble),
    /// Without it the product takes so many times as long.
    Times(f64),
}

/// Runs the command.
pub(crate) fn run(args: &Args, output: &Output) -> Result<(), Failure> {
    let list = prices(&args.list)?;
    let policies = match args.policy.is_empty() {
        true => Policy::names().map(String::from).to_vec(),
        false => args.policy.clone(),
    };
    let policies: Vec<Policy> = policies
        .iter()
        .map(|name| policy(name))
        .collect::<Result<_, _>>()?;
    let tried = output.busy(format!("running {} under policies", args.scenario), || {
        try_all(&policies, &args.scenario, &list)
    })?;
    match output.json {
        true => output.object(&object(&tried, &args.scenario, &list)),
        false => output.text(&render(&tried, &args.scenario, &list, output.paint)),
    }
}

fn try_all(policies: &[Policy], scenario: &str, list: &PriceList) -> Result<Vec<Tried>, Failure> {
    // Each is a run of its own, so they can share the processors.
    std::thread::scope(|scope| {
        let running: Vec<_> = policies
            .iter()
            .map(|policy| scope.spawn(|| try_one(policy, scenario, list)))
            .collect();
        let panicked = |_| Err(Failure::new(ExitCode::Internal, "a run has panicked"));
        running
            .into_iter()
            .map(|run| run.join().unwrap_or_else(panicked))
            .collect()
    })
}

fn try_one(policy: &Policy, scenario: &str, list: &PriceList) -> Result<Tried, Failure> {
    let mut without = Vec::new();
    for method in Method::ALL {
        if let Some(share) = policy.share(method) {
            without.push((method, share, outcome(&policy.without(method), scenario, list)?));
        }
    }
    Ok(Tried {
        outcome: outcome(policy, scenario, list)?,
        policy: policy.clone(),
        without,
    })
}

/// Runs the guest as the policy says, on the machine that it is for, and checks it.
fn outcome(policy: &Policy, scenario: &str, list: &PriceList) -> Result<Outcome, Failure> {
    let mode = policy.mode().or_bad_input(|| policy.name.clone())?;
    let variant = Variant {
        set: Vec::new(),
        parts: policy.parts(),
    };
    let mut scenario = find_with(scenario, &variant)?;
    scenario.set_profile(Profile::new(policy.machine));
    let options = Options {
        engine: EngineName::Auto,
        budget: scenario.budget,
        grain: Grain::SyncPoints,
        prices: list,
        now: nanoseconds,
    };
    let what = || format!("cannot start '{}' in mode {mode}", scenario.name);
    let reports = report::compare(&scenario.setup, &[ModeName::Bare, mode], options).or_bad_input(what)?;
    let [bare, report] = &reports[..] else {
        return Err(Failure::new(ExitCode::Internal, "two modes have two reports"));
    };
    Ok(Outcome {
        mode,
        cycles: report.cycles,
        slowdown: report.slowdown,
        failure: trouble(bare, report),
    })
}

/// Why a guest that was run beside the bare machine does not work, if it does not.
fn trouble(bare: &Report, report: &Report) -> Option<Trouble> {
    let verdict = &report.verdict;
    let trouble = |reason: &str, verdict: String| {
        Some(Trouble {
            reason: reason.to_string(),
            verdict,
        })
    };
    if !verdict.equivalence.holds {
        let holes = report.findings.iter().flat_map(|findings| &findings.holes);
        let holes: Vec<String> = holes
            .map(|hole| match hole.row.cousin() {
                Some(cousin) => format!("`{}` ({cousin} of x86)", hole.row),
                None => format!("`{}`", hole.row),
            })
            .collect();
        let reason = match holes.is_empty() {
            true => "what it prints is not what it prints on the bare machine".to_string(),
            false => format!(
                "its kernel falls into a hole of the processor: {}",
                holes.join(", ")
            ),
        };
        return trouble(&reason, verdict.equivalence.detail.clone());
    }
    if !verdict.resource_control.holds {
        let detail = verdict.resource_control.detail.clone();
        return trouble("the monitor loses control of a resource", detail);
    }
    let endless = report.end == End::Budget && bare.end != End::Budget;
    endless.then(|| Trouble {
        reason: "it does not come to its end within its budget".to_string(),
        verdict: report.end.to_string(),
    })
}

impl Tried {
    /// What its method is worth to it.
    fn worth(&self, rest: &Outcome) -> Worth {
        match &rest.failure {
            Some(why) => Worth::Needed(why.clone()),
            None => Worth::Times(rest.cycles as f64 / self.outcome.cycles.max(1) as f64),
        }
    }
}

impl Worth {
    fn tick(&self) -> bool {
        match self {
            Worth::Needed(_) => true,
            Worth::Times(times) => *times > FACTOR,
        }
    }

    /// The more it is worth, the larger.
    fn rank(&self) -> f64 {
        match self {
            Worth::Needed(_) => f64::INFINITY,
            Worth::Times(times) => *times,
        }
    }

    fn short(&self) -> String {
        match self {
            Worth::Needed(_) => "fails without".to_string(),
            Worth::Times(times) => format!("{times:.2}x without"),
        }
    }
}

/// What a method is worth to a product at most, among its policies, and how much of the guest it serves there.
fn cell<'a>(tried: &'a [Tried], product: &str, method: Method) -> Option<(Share, Worth, &'a Tried)> {
    let own = tried.iter().filter(|one| one.policy.product == product);
    let cells = own.flat_map(|one| {
        let served = one.without.iter().filter(|(served, ..)| *served == method);
        served.map(move |(_, share, rest)| (*share, one.worth(rest), one))
    });
    cells.max_by(|(_, a, _), (_, b, _)| a.rank().total_cmp(&b.rank()))
}

/// Each product once, in the order of the policies.
fn products(tried: &[Tried]) -> Vec<&str> {
    let mut all: Vec<&str> = Vec::new();
    for one in tried {
        if !all.contains(&one.policy.product.as_str()) {
            all.push(&one.policy.product);
        }
    }
    all
}

fn object(tried: &[Tried], scenario: &str, list: &PriceList) -> Value {
    let outcome = |outcome: &Outcome| {
        json!({
            "mode": outcome.mode.name(),
            "cycles": outcome.cycles,
            "slowdown": outcome.slowdown,
            "failure": outcome.failure,
        })
    };
    let of_policy = |one: &Tried| {
        let without = one.without.iter().map(|(method, share, rest)| {
            let worth = one.worth(rest);
            json!({
                "method": method,
                "serves": share,
                "tick": worth.tick(),
                "times": match worth { Worth::Times(times) => Some(times), Worth::Needed(_) => None },
                "run": outcome(rest),
            })
        });
        json!({
            "policy": one.policy,
            "run": outcome(&one.outcome),
            "without": without.collect::<Vec<_>>(),
        })
    };
    json!({
        "scenario": scenario,
        "price_list": super::price::head(list),
        "factor": FACTOR,
        "policies": tried.iter().map(of_policy).collect::<Vec<_>>(),
    })
}

fn render(tried: &[Tried], scenario: &str, list: &PriceList, paint: Paint) -> String {
    let scenario = escape_line(scenario.as_bytes());
    let mut text = paint.strong(&format!("What products mix, running {scenario}")) + "\n\n";
    let head = format!(
        "{:<33} {:<12} {:<10} {:<12} {:>8}",
        "policy", "kernel", "pages", "devices", "slowdown"
    );
    text += &(paint.faint(&head) + "\n");
    for one in tried {
        let slowdown = match (&one.outcome.failure, one.outcome.slowdown) {
            (None, Some(times)) => format!("{times:.2}x"),
            (None, None) => "–".to_string(),
            (Some(_), _) => "FAILS".to_string(),
        };
        let policy = &one.policy;
        let _ = writeln!(
            text,
            "{:<33} {:<12} {:<10} {:<12} {slowdown:>8}",
            escape_line(policy.name.as_bytes()),
            kernel(policy.kernel),
            pages(policy.pages),
            devices(policy),
        );
    }
    text += &format!("\n{}\n\n", paint.strong("What each method is worth to them"));
    let columns = [
        Method::BinaryTranslation,
        Method::Paravirtualization,
        Method::HardwareAssistance,
        Method::Emulation,
    ];
    let names = columns.map(|method| format!("{:<16}", column(method))).concat();
    text += &(paint.faint(format!("{:<8} {names}", "").trim_end()) + "\n");
    for product in products(tried) {
        let mut first = format!("{:<8} ", escape_line(product.as_bytes()));
        let mut second = " ".repeat(9);
        for method in columns {
            let (verdict, why) = match cell(tried, product, method) {
                None => ("–", String::new()),
                Some((share, worth, _)) => (verdict(share, &worth), worth.short()),
            };
            first += &format!("{verdict:<16}");
            second += &format!("{why:<16}");
        }
        text += &format!("{}\n{}\n", first.trim_end(), paint.faint(second.trim_end()));
    }
    text += "\n";
    text += &reasons(tried);
    text += &wrap(
        "",
        &format!(
            "yes: without the method, its situations left to trap-and-emulate, shadow tables and emulated devices, the \
             product fails, or takes more than {FACTOR} times as long. partly: so it is, but the method serves devices \
             only. no: it makes no such difference. –: the product does not use it."
        ),
    );
    text + "\n" + &price_note(list)
}

/// Why products fail without a method, each reason once.
fn reasons(tried: &[Tried]) -> String {
    let mut reasons: Vec<(String, Vec<String>)> = Vec::new();
    for one in tried {
        for (method, _, rest) in &one.without {
            let Worth::Needed(trouble) = one.worth(rest) else {
                continue;
            };
            let who = format!("{} without {}", one.policy.name, method.name());
            match reasons.iter_mut().find(|(known, _)| *known == trouble.reason) {
                Some((_, all)) => all.push(who),
                None => reasons.push((trouble.reason, vec![who])),
            }
        }
    }
    let mut text = String::new();
    for (reason, who) in reasons {
        let line = format!("It fails because {reason}: {}.", who.join("; "));
        text += &(wrap("", &escape_line(line.as_bytes())) + "\n");
    }
    text
}

/// What stands above the column of a method.
fn column(method: Method) -> &'static str {
    match method {
        Method::Emulation => "emulation",
        Method::BinaryTranslation => "translation",
        Method::Paravirtualization => "paravirtual",
        Method::HardwareAssistance => "hardware",
    }
}

fn verdict(share: Share, worth: &Worth) -> &'static str {
    match (worth.tick(), share) {
        (true, Share::Kernel) => "yes",
        (true, Share::Devices) => "partly",
        (false, _) => "no",
    }
}

fn kernel(kernel: Kernel) -> &'static str {
    match kernel {
        Kernel::Interpret => "interpreted",
        Kernel::Trap => "trapped",
        Kernel::Translate => "translated",
        Kernel::Paravirtual => "ported",
        Kernel::Hardware => "non-root",
    }
}

fn pages(pages: Pages) -> &'static str {
    match pages {
        Pages::Emulated => "emulated",
        Pages::Shadow => "shadows",
        Pages::Validated => "validated",
        Pages::Nested => "nested",
    }
}

fn devices(policy: &Policy) -> &'static str {
    let all = [policy.timer, policy.console, policy.disk];
    let ported = all
        .into_iter()
        .filter(|device| *device == Device::Paravirtual)
        .count();
    match ported {
        0 => "emulated",
        3 => "ported",
        _ => "some ported",
    }
}
