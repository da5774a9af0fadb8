//! `trapeze fastest`: which method is the fastest, for which workload, on which processor.

use serde_json::{Value, json};
use vmm_core::fastest::{Candidate, Cell, Crossover, cell, crossover};
use vmm_core::fit::{self, Loop, Loops};
use vmm_core::mode::ModeName;
use vmm_core::price::PriceList;

use crate::failure::Failure;
use crate::output::{Output, Paint};
use crate::text::{cut, exact, wrap};
use crate::workloads::{self, BARE, NANO, NESTED, SHADOW, TRANSLATE, TRAP, WHOLE, Workload};

/// Arguments of `fastest`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Show what an exit may cost until hardware assistance is slower than translation
    #[arg(long)]
    crossover: bool,
    /// Show which prices were fitted, what is predicted from them, and how wrong that is
    #[arg(long)]
    validate: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Args, output: &Output) -> Result<(), Failure> {
    let all: Vec<Workload> = WHOLE.into_iter().chain(NANO).collect();
    let loops = output.busy(format!("running {} workloads", all.len()), || {
        workloads::run(&all)
    })?;
    let lists = PriceList::processors();
    if output.json {
        let rows: Vec<Value> = all.iter().map(|work| row_json(*work, &loops, &lists)).collect();
        return output.object(&json!({
            "price_lists": lists.iter().map(super::price::head).collect::<Vec<_>>(),
            "workloads": rows,
            "validation": validation_json(&lists[0], &loops),
        }));
    }
    let paint = output.paint;
    output.text(&match (args.crossover, args.validate) {
        (false, false) => maps(&all, &loops, &lists, paint),
        (crossover, validate) => {
            let mut text = String::new();
            if crossover {
                text += &crossovers(&all, &loops, &lists, paint);
            }
            if validate {
                text += &validation(&lists[0], &loops, paint);
            }
            text
        }
    })
}

/// The methods that run on this processor; a ported kernel only if it is wanted.
fn methods(list: &PriceList, ported: bool) -> Vec<ModeName> {
    let mut modes = vec![TRANSLATE, SHADOW];
    modes.extend(list.nested_paging.then_some(NESTED));
    modes.extend(ported.then_some(ModeName::Para));
    modes
}

fn find(loops: &Loops, workload: Workload, mode: ModeName) -> Option<&Loop> {
    loops.get(&(workload.scenario, mode.name()))
}

fn fastest(list: &PriceList, loops: &Loops, workload: Workload, ported: bool) -> Option<Cell> {
    let candidate = |mode| {
        let tally = find(loops, workload, mode)?.tally.clone();
        Some(Candidate { mode, tally })
    };
    let candidates: Vec<Candidate> = methods(list, ported).into_iter().filter_map(candidate).collect();
    cell(list, &candidates)
}

/// How much slower than the bare machine a cost is.
fn slowdown(list: &PriceList, loops: &Loops, workload: Workload, cycles: i128) -> f64 {
    let bare = find(loops, workload, BARE).map_or(1, |bare| bare.tally.cycles(list));
    cycles as f64 / bare.max(1) as f64
}

/// The letter of a method in the map.
fn letter(mode: ModeName) -> char {
    match mode {
        TRANSLATE => 'T',
        SHADOW => 'S',
        NESTED => 'N',
        _ => 'P',
    }
}

fn maps(all: &[Workload], loops: &Loops, lists: &[PriceList], paint: Paint) -> String {
    let mut text = paint.strong("The fastest method, and how much slower than the bare machine it is") + "\n";
    text += "\nGuests as they are:\n";
    text += &map(all, loops, lists, false, paint);
    text += "\nGuests whose kernel is ported:\n";
    text += &map(&WHOLE, loops, lists, true, paint);
    text += "\nT translation, S hardware assistance with shadow tables, N with nested paging,\n\
             P the port. (trap): trap-and-emulate on classic hardware, for comparison.\n";
    text += &wrap(
        "",
        "* another would be the fastest if one assumed price were between a half and the double of what it is, ~ if \
         several were. Cycles are simulated; each cell is a loop without what comes before it. \
         `trapeze price --list L` says what is assumed.",
    );
    text + "Try next: trapeze fastest --crossover, trapeze fastest --validate\n"
}

fn heading(lists: &[PriceList], paint: Paint) -> String {
    let mut head = format!("{:<13}", "");
    for list in lists {
        let short = cut(&list.name, 10);
        head += &format!("{short:>11}");
    }
    paint.faint(&head) + "\n"
}

fn map(all: &[Workload], loops: &Loops, lists: &[PriceList], ported: bool, paint: Paint) -> String {
    let mut text = heading(lists, paint);
    for workload in all {
        text += &format!("{:<13}", workload.scenario);
        for list in lists {
            let found = fastest(list, loops, *workload, ported);
            let shown = found.map_or("-".to_string(), |cell| {
                let best = cell.costs[0];
                let slowdown = slowdown(list, loops, *workload, best.cycles);
                format!("{} {slowdown:.2}{:1}", letter(best.mode), cell.certainty.mark())
            });
            text += &format!("{shown:>11}");
        }
        text += "\n";
        if workload.scenario.starts_with("work-") && !ported {
            text += &format!("{:>13}", "(trap)");
            for list in lists {
                let trap = find(loops, *workload, TRAP).map_or(0, |trap| trap.tally.cycles(list));
                text += &format!("{:>10.2} ", slowdown(list, loops, *workload, trap));
            }
            text += "\n";
        }
    }
    text
}

/// The hardware assistance that is compared with translation on this processor.
fn assistance(list: &PriceList) -> ModeName {
    if list.nested_paging { NESTED } else { SHADOW }
}

fn crossing(list: &PriceList, loops: &Loops, workload: Workload, assist: ModeName) -> Option<Crossover> {
    let [assist, other] = [assist, TRANSLATE].map(|mode| find(loops, workload, mode));
    Some(crossover(list, &assist?.tally, &other?.tally))
}

fn crossovers(all: &[Workload], loops: &Loops, lists: &[PriceList], paint: Paint) -> String {
    let mut text = paint.strong("Until which cost of an exit hardware assistance is faster than translation");
    text += "\n\n";
    text += &heading(lists, paint);
    let mut line = format!("{:<13}", "paging");
    for list in lists {
        line += &format!("{:>11}", if list.nested_paging { "nested" } else { "shadow" });
    }
    text += &(line + "\n");
    let mut line = format!("{:<13}", "an exit costs");
    for list in lists {
        line += &format!("{:>11}", exact(list.price("vm_exit") + list.price("vm_entry")));
    }
    text += &(line + "\n");
    for workload in all {
        text += &format!("{:<13}", workload.scenario);
        for list in lists {
            let shown = match crossing(list, loops, *workload, assistance(list)) {
                Some(Crossover::At(cost)) => exact(cost as u64),
                Some(Crossover::AlwaysHardware) => "no exits".to_string(),
                Some(Crossover::NeverHardware) => "never".to_string(),
                None => "-".to_string(),
            };
            text += &format!("{shown:>11}");
        }
        text += "\n";
    }
    text + "\n"
        + &wrap(
            "",
            "Cycles of a round trip, in hardware. What the monitor does about an exit comes on top, and is as on each \
             list.",
        )
}

fn row_json(workload: Workload, loops: &Loops, lists: &[PriceList]) -> Value {
    let cells: Vec<Value> = lists
        .iter()
        .map(|list| {
            let shown = |found: Option<Cell>| {
                found.map(|cell| {
                    let costs: Vec<Value> = cell
                        .costs
                        .iter()
                        .map(|cost| {
                            let slowdown = slowdown(list, loops, workload, cost.cycles);
                            json!({ "mode": cost.mode.name(), "cycles": cost.cycles as i64, "slowdown": slowdown })
                        })
                        .collect();
                    json!({ "fastest": cell.costs[0].mode.name(), "certainty": cell.certainty, "costs": costs })
                })
            };
            let trap = find(loops, workload, TRAP).map(|trap| trap.tally.cycles(list));
            json!({
                "price_list": list.name,
                "as_it_is": shown(fastest(list, loops, workload, false)),
                "ported": find(loops, workload, ModeName::Para)
                    .and_then(|_| shown(fastest(list, loops, workload, true))),
                "trap_slowdown": trap.map(|cycles| slowdown(list, loops, workload, cycles)),
                "crossover_shadow": crossing(list, loops, workload, SHADOW),
                "crossover_nested": list.nested_paging.then(|| crossing(list, loops, workload, NESTED)),
            })
        })
        .collect();
    json!({ "workload": workload.scenario, "processors": cells })
}

fn validation_json(list: &PriceList, loops: &Loops) -> Value {
    let predictions: Vec<Value> = fit::predict(list, loops)
        .into_iter()
        .map(|one| {
            json!({
                "workload": one.workload, "mode": one.mode.name(), "from": one.from,
                "published": one.published, "predicted": one.predicted.as_ref().ok(),
                "error": one.error(), "reason": one.predicted.as_ref().err(),
            })
        })
        .collect();
    json!({ "price_list": list.name, "fit": fit::fit(list, loops), "predictions": predictions })
}

fn validation(list: &PriceList, loops: &Loops, paint: Paint) -> String {
    let mut text = paint.strong("Prices that the nano-benchmarks determine (Adams and Agesen 2006)") + "\n\n";
    let head = format!(
        "{:<15} {:<9} {:<19} {:>9} {:>12} {:>9}",
        "price", "benchmark", "mode", "published", "price found", "on list"
    );
    text += &(paint.faint(&head) + "\n");
    for one in fit::fit(list, loops) {
        let found = one.cycles.map_or("none".to_string(), exact);
        text += &format!(
            "{:<15} {:<9} {:<19} {:>9} {found:>12} {:>9}\n",
            one.price,
            one.benchmark,
            one.mode.name(),
            exact(one.published),
            exact(list.price(one.price)),
        );
    }
    text += "\n";
    text += &wrap(
        "",
        "none: our loop does not pay this price, so it stays assumed. 0: the rest of our loop costs more than theirs. \
         `trapeze nano` compares all figures.",
    );
    text += "\n";
    text += &(paint.strong("What follows for whole workloads: times slower than native") + "\n\n");
    let head = format!(
        "{:<9} {:<14} {:>9} {:>9} {:>7}  {}",
        "workload", "mode", "published", "predicted", "error", "made of"
    );
    text += &(paint.faint(&head) + "\n");
    for one in fit::predict(list, loops) {
        let predicted = one
            .predicted
            .as_ref()
            .map_or("none".to_string(), |ratio| format!("{ratio:.2}"));
        let error = one
            .error()
            .map_or(String::new(), |error| format!("{:+.0} %", error * 100.0));
        let start = format!(
            "{:<9} {:<14} {:>9.2} {predicted:>9} {error:>7}  ",
            one.workload,
            one.mode.name(),
            one.published
        );
        let why = one
            .predicted
            .as_ref()
            .err()
            .map_or(String::new(), |why| format!(": {why}"));
        text += &wrap(&start, &format!("{}{why}", one.from));
    }
    text + "\n"
        + &wrap(
            "",
            "forkwait is predicted without a parameter. Of compile and Apache we do not know what they \
             are made of: the \
             share is the one at which translation slows the mixture as it did for them, so only hardware is a \
             prediction.",
        )
}
