//! `trapeze nano`: the nano-benchmarks under the methods, beside what was measured on a real processor.

use serde_json::{Value, json};
use vmm_core::fit::{BENCHMARKS, CLOCK, Loops, determines, points};
use vmm_core::mode::ModeName;
use vmm_core::price::{Basis, PriceList};

use crate::arguments::prices;
use crate::checked::price_note;
use crate::failure::Failure;
use crate::output::{Output, Paint};
use crate::text::{exact, wrap};
use crate::workloads::{self, BARE, CALLOUTS, NANO, NESTED, SHADOW, TRANSLATE, TRAP};

/// Arguments of `nano`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The list of prices. What was measured, was measured on a Prescott
    #[arg(long, value_name = "L", default_value = "prescott")]
    list: String,
}

/// Runs the command.
pub(crate) fn run(args: &Args, output: &Output) -> Result<(), Failure> {
    let list = prices(&args.list)?;
    let loops = output.busy("running nano-benchmarks".to_string(), || workloads::run(&NANO))?;
    if output.json {
        let rows: Vec<Value> = BENCHMARKS
            .into_iter()
            .chain([CLOCK])
            .map(|one| row_json(one, &list, &loops))
            .collect();
        return output.object(&json!({ "price_list": super::price::head(&list), "benchmarks": rows }));
    }
    output.text(&render(&list, &loops, output.paint))
}

fn cycles(list: &PriceList, loops: &Loops, scenario: &'static str, mode: ModeName) -> Option<u64> {
    let cycles = loops.get(&(scenario, mode.name()))?.cycles(list);
    Some(cycles.round() as u64)
}

/// What was measured, and whether a price of the list was fitted to it.
fn published(list: &PriceList, benchmark: &str, mode: ModeName) -> Option<(u64, bool)> {
    let points = points();
    let point = points
        .iter()
        .find(|point| (point.benchmark, point.mode) == (benchmark, mode))?;
    let figure = determines(point).and_then(|price| list.figures().get(price));
    let fits = figure.is_some_and(|figure| matches!(figure.basis, Basis::Fitted(_)));
    Some((point.published, fits))
}

fn row_json((benchmark, scenario): (&'static str, &'static str), list: &PriceList, loops: &Loops) -> Value {
    let modes = [BARE, TRAP, TRANSLATE, CALLOUTS, SHADOW, NESTED];
    let of_mode = |mode: ModeName| {
        let found = published(list, benchmark, mode);
        json!({
            "mode": mode.name(),
            "cycles": cycles(list, loops, scenario, mode),
            "published": found.map(|(cycles, _)| cycles),
            "determines_a_price": found.is_some_and(|(_, fits)| fits),
        })
    };
    json!({ "benchmark": benchmark, "scenario": scenario, "modes": modes.map(of_mode) })
}

fn render(list: &PriceList, loops: &Loops, paint: Paint) -> String {
    let title = "Cycles of one turn, theirs (Adams and Agesen 2006, Pentium 4) and ours";
    let mut text = paint.strong(title) + "\n\n";
    let head = format!(
        "{:<8}|{:^15}|{:^15}|{:^15}|{:>7}{:>9}{:>7}\n{:<8}|{}{}{}",
        "",
        "native",
        "translate",
        "assist:shadow",
        "trap",
        "callouts",
        "nested",
        "",
        " theirs   ours |".repeat(3),
        "   ours",
        "     ours   ours"
    );
    text += &(head
        .lines()
        .map(|line| paint.faint(line))
        .collect::<Vec<_>>()
        .join("\n")
        + "\n");
    let number = |cycles: Option<u64>| cycles.map_or("-".to_string(), exact);
    for (benchmark, scenario) in BENCHMARKS {
        text += &format!("{benchmark:<8}|");
        for mode in [BARE, TRANSLATE, SHADOW] {
            let (theirs, fits) = published(list, benchmark, mode).unzip();
            let mark = if fits == Some(true) { 'f' } else { ' ' };
            let ours = number(cycles(list, loops, scenario, mode));
            text += &format!("{:>7}{ours:>7}{mark}|", number(theirs));
        }
        for (mode, width) in [(TRAP, 7), (CALLOUTS, 9), (NESTED, 7)] {
            text += &format!("{:>width$}", number(cycles(list, loops, scenario, mode)));
        }
        text += "\n";
    }
    text += &format!(
        "\n{}\n",
        paint.strong("One instruction, several mechanisms: reading the clock")
    );
    let (benchmark, scenario) = CLOCK;
    for (mode, how) in [
        (TRAP, "trap-and-emulate"),
        (CALLOUTS, "a call out of translated code"),
        (TRANSLATE, "inline in translated code"),
        (NESTED, "directly, with hardware assistance"),
        (BARE, "native"),
    ] {
        let (theirs, fits) = published(list, benchmark, mode).unzip();
        let mark = if fits == Some(true) { 'f' } else { ' ' };
        let ours = number(cycles(list, loops, scenario, mode));
        let line = format!("  {how:<36} theirs {:>6}  ours {ours:>6}{mark}", number(theirs));
        text += &format!("{}\n", line.trim_end());
    }
    text += "\n";
    text += &wrap(
        "",
        "f: this figure of theirs determines a price, so ours agrees as far as it can. All others are checks.",
    );
    text + &price_note(list)
}
