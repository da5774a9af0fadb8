//! `trapeze units`: translated code beside the guest's own.

use serde_json::json;
use vmm_core::mode::ModeName;
use vmm_core::modes::translate::Scope;
use vmm_core::modes::translate::listing::{PartListing, UnitListing};
use vmm_core::run::Run;

use crate::arguments::{DEFAULT_SCENARIO, GuestOptions, place};
use crate::exit_code::ExitCode;
use crate::failure::{Failure, OrFail};
use crate::output::{Output, Paint};
use crate::text::{exact, wrap};

/// Arguments of `units`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The name of a shipped scenario, or the path of one
    #[arg(default_value = DEFAULT_SCENARIO)]
    scenario: String,
    /// Only units that hold the instruction at ADDRESS: a number, or a symbol of the guest
    #[arg(long, value_name = "ADDRESS")]
    at: Option<String>,
    /// Translate user code as well
    #[arg(long, conflicts_with = "callouts")]
    all: bool,
    /// Call the monitor for each sensitive instruction, and translate none inline
    #[arg(long)]
    callouts: bool,
    #[command(flatten)]
    guest: GuestOptions,
}

/// How many units are shown where none is asked for.
const SHOWN: usize = 3;

/// Runs the command.
pub(crate) fn run(args: &Args, output: &Output) -> Result<(), Failure> {
    let scenario = args.guest.load(&args.scenario)?;
    let scope = match (args.all, args.callouts) {
        (true, _) => Scope::Everything,
        (_, true) => Scope::Callouts,
        _ => Scope::Kernel,
    };
    let at = match &args.at {
        Some(at) => Some(place(&scenario, at)?),
        None => None,
    };
    let mut run = Run::new(&scenario.setup, ModeName::Translate(scope), args.guest.engine)
        .or_bad_input(|| format!("cannot load the guest of '{}'", scenario.name))?;
    run.finish(scenario.budget);
    let all = run.units();
    let holds = |unit: &&UnitListing| {
        at.is_none_or(|at| {
            let addresses = unit.parts.iter().filter_map(|part| part.original.as_ref());
            addresses.clone().any(|(pc, _)| *pc == at)
        })
    };
    let units: Vec<&UnitListing> = all.iter().filter(holds).collect();
    if let (Some(at), []) = (at, units.as_slice()) {
        return Err(Failure::new(
            ExitCode::BadInput,
            format!(
                "no unit holds the instruction at {at:#010x}: it was never translated; \
                 `trapeze units {}` shows some that were",
                args.scenario
            ),
        ));
    }
    if output.json {
        return output.object(&json!({ "scenario": scenario.name, "units": units }));
    }
    let shown = if at.is_some() { units.len() } else { SHOWN };
    let mut text = at.map_or_else(String::new, |at| history(at, &units, output.paint));
    for unit in units.iter().take(shown) {
        text += &render(unit, output.paint);
    }
    text += &wrap(
        "",
        "A window access (wlw, wsw) reaches the monitor's save area: the virtual control registers from 64 on, the \
         time that is left at 128, pending interrupts at 136, borrowed registers from 140 on, lookup \
         tables from 1024 on. \
         hcall calls the monitor, which knows by its address what for.",
    );
    let counts = run.counts();
    text += "\n";
    text += &wrap(
        "",
        &format!(
            "{} units, {} instructions of the guest in them. Of what the guest retired, {} instructions ran from the \
             cache as they were written.",
            exact(counts.units),
            exact(counts.translated_instructions),
            exact(counts.identical)
        ),
    );
    if let Some(unit) = units.last().filter(|_| at.is_none()) {
        text += &format!(
            "Try next: trapeze units {} --at {:#010x}\n",
            args.scenario, unit.pc
        );
    }
    output.text(&text)
}

/// What became of the instruction at an address, translation after translation, if there were several.
fn history(at: u32, units: &[&UnitListing], paint: Paint) -> String {
    let here = |unit: &&UnitListing| {
        let mut parts = unit
            .parts
            .iter()
            .filter_map(|part| Some((part.original.as_ref()?, part)));
        let ((_, original), part) = parts.find(|((pc, _), _)| *pc == at)?;
        Some((unit.live, original.clone(), part.reason.clone()))
    };
    let all: Vec<(bool, String, String)> = units.iter().filter_map(here).collect();
    let [(_, original, _), _, ..] = all.as_slice() else {
        return String::new();
    };
    let title = format!("{original} at {at:#010x}, translation after translation");
    let mut text = paint.strong(&title) + "\n";
    for (number, (live, _, reason)) in all.iter().enumerate() {
        let end = if *live { "" } else { ", forgotten since" };
        text += &format!("{:>4}  {reason}{}\n", number + 1, paint.faint(end));
    }
    text + "\n"
}

/// A unit: each instruction of the guest, why it is translated as it is, and below it what it became.
fn render(unit: &UnitListing, paint: Paint) -> String {
    let state = if unit.live { "" } else { ", forgotten since" };
    let head = format!(
        "Unit of {:#010x}, ring {}, at {:#010x} in the cache{state}",
        unit.pc, unit.ring, unit.start
    );
    let mut text = paint.strong(&head) + "\n";
    for part in &unit.parts {
        text += &render_part(part, paint);
    }
    text + "\n"
}

fn render_part(part: &PartListing, paint: Paint) -> String {
    let mut text = match &part.original {
        Some((pc, original)) => format!("{pc:08x}  {original:<28}"),
        None => " ".repeat(38),
    };
    text += &paint.faint(&part.reason);
    text.push('\n');
    let same = matches!((&part.original, part.translated.as_slice()),
        (Some((_, original)), [(_, word)]) if original == word);
    for (address, word) in part.translated.iter().filter(|_| !same) {
        text += &format!("            {}  {word}\n", paint.faint(&format!("{address:08x}")));
    }
    text
}
