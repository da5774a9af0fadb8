//! `trapeze price`: a stored run is priced again, without running it; or a list of prices is shown.

use std::path::{Path, PathBuf};

use scenarios::terminal::escape_line;
use scenarios::{limit, read_limited};
use serde::Deserialize;
use serde_json::{Value, json};
use vmm_core::mode::ModeName;
use vmm_core::price::{Basis, Figure, PriceList};
use vmm_core::stored::{RawRun, StoredRun};
use vmm_core::tally::Tally;

use crate::arguments::{mode, prices};
use crate::checked::{WITHOUT_TLB, price_note, without_tlb};
use crate::failure::{Failure, OrFail};
use crate::output::{Output, Paint};
use crate::text::{cut, exact, wrap};

/// Arguments of `price`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// What `run --json` or `compare --json` has printed; without it, the prices of the list are shown
    run: Option<PathBuf>,
    /// The list: textbook, a processor's (prescott, merom, penryn, nehalem, westmere, sandy-bridge), or a file that
    /// ends in .toml
    #[arg(long, value_name = "L", default_value = "textbook")]
    list: String,
    /// Only the run under this method
    #[arg(long, value_name = "M", value_parser = mode())]
    mode: Option<ModeName>,
}

/// A file with one run, or with several of one scenario.
#[derive(Deserialize)]
struct File {
    scenario: String,
    profile: String,
    modes: Option<Vec<RawRun>>,
}

/// Runs the command.
pub(crate) fn run(args: &Args, output: &Output) -> Result<(), Failure> {
    let list = prices(&args.list)?;
    match &args.run {
        None => show(&list, output),
        Some(path) => bills(args, path, &list, output),
    }
}

fn show(list: &PriceList, output: &Output) -> Result<(), Failure> {
    if output.json {
        return output.object(&json!({
            "price_list": head(list),
            "prices": list.figures(),
        }));
    }
    let title = format!("{}: {}", list.name, list.source);
    let mut text = output
        .paint
        .strong(wrap("", &escape_line(title.as_bytes())).trim_end())
        + "\n\n";
    for (name, figure) in list.figures() {
        let head = format!("{:>10}{} {name:<16} ", exact(figure.cycles), figure.basis.mark());
        let basis = match &figure.basis {
            Basis::Source(source) => source.clone(),
            Basis::Fitted(to) => format!("fitted: {to}"),
            Basis::Assumed => "assumed".to_string(),
        };
        text += &wrap(&head, &escape_line(basis.as_bytes()));
    }
    text += &format!(
        "\nCycles each. {LEGEND}\nLists: {}\n",
        PriceList::NAMES.join(", ")
    );
    output.text(&text)
}

/// What the marks of figures mean.
const LEGEND: &str = "* assumed, f fitted to a nano-benchmark; the others have a source.";

fn bills(args: &Args, path: &Path, list: &PriceList, output: &Output) -> Result<(), Failure> {
    let (file, runs) = read(path)?;
    let wanted = |run: &&StoredRun| args.mode.is_none_or(|mode| mode == run.mode);
    let runs: Vec<&StoredRun> = runs.iter().filter(wanted).collect();
    if runs.is_empty() {
        return Err(Failure::bad_input(
            "no such run is in the file: expected another --mode",
        ));
    }
    if output.json {
        let runs: Vec<Value> = runs.iter().map(|run| bill_json(run, list)).collect();
        return output.object(&json!({
            "scenario": file.scenario,
            "profile": file.profile,
            "price_list": head(list),
            "runs": runs,
        }));
    }
    let mut text = String::new();
    for run in &runs {
        text += &bill(&file, run, list, output.paint);
    }
    if runs.iter().any(|run| run.counts.tlb.is_none()) {
        text += &format!("{WITHOUT_TLB} without the misses of the TLB, which were not counted.\n");
    }
    text += &price_note(list);
    output.text(&(text + LEGEND + "\n"))
}

/// The file and the runs in it.
fn read(path: &Path) -> Result<(File, Vec<StoredRun>), Failure> {
    let what = || format!("{} is no stored run", path.display());
    let bytes = read_limited(path, limit::RUN).or_bad_input(what)?;
    let mut file: File = serde_json::from_slice(&bytes).or_bad_input(what)?;
    let raw = match file.modes.take() {
        Some(runs) => runs,
        None => vec![serde_json::from_slice(&bytes).or_bad_input(what)?],
    };
    let runs = raw.into_iter().map(RawRun::checked).collect::<Result<_, _>>();
    Ok((file, runs.or_bad_input(what)?))
}

/// The list, and how much of it is assumed.
pub(crate) fn head(list: &PriceList) -> Value {
    let assumed = list
        .figures()
        .iter()
        .filter(|(_, figure)| figure.basis == Basis::Assumed);
    json!({
        "name": list.name,
        "source": list.source,
        "assumed": list.assumed,
        "assumed_figures": assumed.map(|(name, _)| name).collect::<Vec<_>>(),
    })
}

/// What is due, with its price and its cost: the dearest first.
fn items<'a>(tally: &'a Tally, list: &'a PriceList) -> Vec<(&'a str, i64, &'a Figure, i128)> {
    let mut items: Vec<_> = tally
        .iter()
        .filter_map(|(name, due)| {
            let figure = list.figures().get(name)?;
            Some((name, due, figure, i128::from(due) * i128::from(figure.cycles)))
        })
        .collect();
    items.sort_by_key(|(.., cost)| std::cmp::Reverse(*cost));
    items
}

fn bill_json(run: &StoredRun, list: &PriceList) -> Value {
    let tally = Tally::of(&run.counts);
    let items: Vec<Value> = items(&tally, list)
        .into_iter()
        .map(|(name, due, figure, cost)| {
            json!({
                "price": name,
                "count": due,
                "cycles_each": figure.cycles,
                "basis": figure.basis,
                "cycles": cost as u64,
            })
        })
        .collect();
    json!({
        "mode": run.mode.name(),
        "cycles": list.cycles(&run.counts),
        "without_tlb": run.counts.tlb.is_none(),
        "items": items,
    })
}

fn bill(file: &File, run: &StoredRun, list: &PriceList, paint: Paint) -> String {
    let title = format!("{} under {}, profile {}", file.scenario, run.mode, file.profile);
    let mut text = paint.strong(cut(&escape_line(title.as_bytes()), 80).trim_end()) + "\n";
    let head = format!(
        "{:<16} {:>16} {:>12}  {:>20}",
        "price", "count", "cycles each", "cycles"
    );
    text += &(paint.faint(&head) + "\n");
    let tally = Tally::of(&run.counts);
    for (name, due, figure, cost) in items(&tally, list) {
        let mark = figure.basis.mark();
        let (due, each, cost) = (
            exact(due.unsigned_abs()),
            exact(figure.cycles),
            exact(cost as u64),
        );
        text += &format!("{name:<16} {due:>16} {each:>12}{mark} {cost:>20}\n");
    }
    let all = exact(list.cycles(&run.counts));
    let mark = without_tlb(run.counts.tlb.is_none());
    text + &format!("{:<16} {all:>51}{mark}\n\n", "in all")
}
