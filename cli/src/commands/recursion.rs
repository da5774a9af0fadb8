//! `trapeze recursion`: a monitor inside itself, and how the cost of its innermost guest grows with the depth.

use scenarios::Scenario;
use serde_json::{Value, json};
use vmm_core::check::equivalence::Grain;
use vmm_core::check::report::{self, Report};
use vmm_core::engine::EngineName;
use vmm_core::mode::ModeName;
use vmm_core::price::PriceList;
use vmm_core::recursion::Walk;

use crate::arguments::{find, mode, prices};
use crate::checked::{Checked, price_note};
use crate::exit_code::ExitCode;
use crate::failure::{Failure, OrFail};
use crate::output::{Output, Paint};
use crate::text::{counted, exact, short, wrap};

/// Arguments of `recursion`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The method of the real monitor, below all others: one that the scenarios recursion-0 to -3 list
    #[arg(long, value_name = "M", default_value = "trap", value_parser = mode(), hide_possible_values = true)]
    mode: ModeName,
    /// The list of prices: a name (`trapeze price` lists them), or a file that ends in .toml
    #[arg(long, value_name = "L", default_value = "textbook")]
    list: String,
}

/// The same kernel, under as many monitors in assembly as its place says.
const DEPTHS: [&str; 4] = ["recursion-0", "recursion-1", "recursion-2", "recursion-3"];

/// What became of the kernel under some monitors.
struct Depth {
    /// How many of them are in assembly.
    monitors: u32,
    report: Report,
    walk: Walk,
    /// What each monitor has emulated, the innermost first, the real one last.
    emulated: Vec<u64>,
}

impl Depth {
    /// Instructions that retired in the kernel's own count.
    fn kernel(&self) -> u64 {
        match self.monitors {
            0 => self.report.retired,
            _ => self.walk.innermost + self.emulated.first().copied().unwrap_or_default(),
        }
    }

    /// What the kernel has printed, without what the monitors added.
    fn console(&self) -> &[u8] {
        let monitor = b"Level ";
        let end = self
            .report
            .console
            .windows(monitor.len())
            .position(|part| part == monitor);
        &self.report.console[..end.unwrap_or(self.report.console.len())]
    }
}

/// Runs the command.
pub(crate) fn run(args: &Args, output: &Output) -> Result<(), Failure> {
    let list = prices(&args.list)?;
    let depths = output.busy("running a monitor inside itself".to_string(), || {
        let depths = (0..).zip(DEPTHS);
        depths
            .map(|(monitors, name)| depth(args.mode, monitors, name, &list))
            .collect::<Result<Vec<Depth>, Failure>>()
    })?;
    let first = &depths[0];
    let same = |depth: &Depth| (depth.kernel(), depth.console()) == (first.kernel(), first.console());
    if let Some(other) = depths.iter().find(|depth| !same(depth)) {
        let message = format!(
            "under {} monitors, the kernel did not do what it does alone",
            other.monitors
        );
        return Err(Failure::new(ExitCode::NotAsExpected, message));
    }
    if output.json {
        let rows = depths
            .iter()
            .enumerate()
            .map(|(i, depth)| row_json(depth, before(&depths, i)));
        return output.object(&json!({
            "mode": args.mode.name(),
            "price_list": super::price::head(&list),
            "depths": rows.collect::<Vec<_>>(),
        }));
    }
    output.text(&render(args.mode, &depths, &list, output.paint))
}

fn before(depths: &[Depth], i: usize) -> Option<&Depth> {
    depths.get(i.checked_sub(1)?)
}

/// Runs the kernel under so many monitors, and the real one, as its scenario expects it; and once more alone on the
/// machine, to look at each instruction.
fn depth(mode: ModeName, monitors: u32, name: &'static str, list: &PriceList) -> Result<Depth, Failure> {
    let scenario = find(name)?;
    if !scenario.modes.contains(&mode) {
        let names: Vec<&str> = scenario.modes.iter().map(|mode| mode.name()).collect();
        let message = format!(
            "{name} is not for mode {mode}: expected one of {}",
            names.join(", ")
        );
        return Err(Failure::new(ExitCode::Usage, message));
    }
    let what = || format!("cannot load the guest of '{name}'");
    let options = report::Options {
        engine: EngineName::Auto,
        budget: scenario.budget,
        grain: Grain::SyncPoints,
        prices: list,
        now: || 0,
    };
    let reports = report::compare(&scenario.setup, &[mode], options).or_bad_input(what)?;
    let checked = Checked {
        scenario,
        reports,
        prices: list.clone(),
        engine: EngineName::Auto,
        skipped: Vec::new(),
    };
    checked.verdict(false)?;
    let Checked {
        scenario,
        mut reports,
        ..
    } = checked;
    let report = reports.remove(0);
    let kernel = symbol(&scenario, "kernel")?;
    Ok(Depth {
        monitors,
        walk: Walk::of(&scenario.setup, kernel, scenario.budget).or_bad_input(what)?,
        emulated: emulated(&scenario, monitors, &report)?,
        report,
    })
}

/// What each monitor has emulated for its guest: those in assembly keep the count in their memory.
fn emulated(scenario: &Scenario, monitors: u32, report: &Report) -> Result<Vec<u64>, Failure> {
    let guest = report.last.guest();
    let mut all = Vec::new();
    for level in (0..monitors).rev() {
        let address = level * symbol(scenario, "MONITOR_SIZE")? + symbol(scenario, "EMULATED")?;
        all.extend(guest.word(address).map(u64::from));
    }
    all.extend((report.mode != ModeName::Bare).then_some(report.emulated));
    Ok(all)
}

/// The value of a symbol that the sources of these scenarios define.
fn symbol(scenario: &Scenario, name: &str) -> Result<u32, Failure> {
    let missing = || {
        Failure::new(
            ExitCode::Internal,
            format!("{} has no symbol '{name}'", scenario.name),
        )
    };
    let symbol = scenario.setup.image.symbol(name).ok_or_else(missing)?;
    Ok(symbol.address)
}

fn growth(now: u64, before: Option<u64>) -> Option<f64> {
    before
        .filter(|before| *before > 0)
        .map(|before| now as f64 / before as f64)
}

fn row_json(depth: &Depth, before: Option<&Depth>) -> Value {
    let report = &depth.report;
    json!({
        "depth": depth.monitors,
        "kernel_retired": depth.kernel(),
        "traps": report.traps,
        "traps_growth": growth(report.traps, before.map(|before| before.report.traps)),
        "emulated": depth.emulated,
        "cycles": report.cycles,
        "cycles_growth": growth(report.cycles, before.map(|before| before.report.cycles)),
        "k": depth.walk.k(),
        "k_least": depth.walk.hot_paths.iter().min(),
        "k_most": depth.walk.hot_paths.iter().max(),
    })
}

fn render(mode: ModeName, depths: &[Depth], list: &PriceList, paint: Paint) -> String {
    let title = format!(
        "A kernel under 0 to {} monitors, one inside the other, in mode {mode}",
        depths.len() - 1
    );
    let mut text = paint.strong(&title) + "\n\n";
    let columns = |names: [&str; 8]| {
        let [depth, kernel, k, traps, more, cycles, dearer, emulated] = names;
        format!("{depth:>5} {kernel:>7} {k:>5} {traps:>8} {more:>7} {cycles:>8} {dearer:>7}  {emulated}\n")
    };
    let names = ["", "kernel", "", "", "", "", "", "emulated by each monitor,"];
    let head = columns(names)
        + &columns([
            "depth",
            "retired",
            "k",
            "traps",
            "growth",
            "cycles",
            "growth",
            "the innermost first",
        ]);
    text.extend(head.lines().map(|line| paint.faint(line) + "\n"));
    for (i, depth) in depths.iter().enumerate() {
        let before = before(depths, i).map(|before| &before.report);
        let times = |growth: Option<f64>| growth.map_or("–".to_string(), |times| format!("{times:.2}x"));
        let or_dash = |value: Option<String>| value.unwrap_or("–".to_string());
        let emulated: Vec<String> = depth.emulated.iter().map(|count| short(*count)).collect();
        let emulated = Some(emulated.join(" ")).filter(|list| !list.is_empty());
        text += &columns([
            &depth.monitors.to_string(),
            &exact(depth.kernel()),
            &or_dash(depth.walk.k().map(|k| format!("{k:.2}"))),
            &short(depth.report.traps),
            &times(growth(depth.report.traps, before.map(|before| before.traps))),
            &short(depth.report.cycles),
            &times(growth(depth.report.cycles, before.map(|before| before.cycles))),
            &or_dash(emulated),
        ]);
    }
    text + "\n" + &meaning(depths) + &price_note(list) + "Try next: trapeze run recursion-2\n"
}

/// What the table shows, in words.
fn meaning(depths: &[Depth]) -> String {
    let Some((last, rest)) = depths.split_last() else {
        return String::new();
    };
    let paths = &last.walk.hot_paths;
    let (least, most) = (paths.iter().min(), paths.iter().max());
    let before = rest.last().map(|before| before.report.traps);
    let (Some(k), Some(least), Some(most), Some(times)) =
        (last.walk.k(), least, most, growth(last.report.traps, before))
    else {
        return String::new();
    };
    let cost = format!(
        "From the entry of a trap to the return from it, a monitor executes k privileged instructions: of the first \
         one in assembly, {least} to {most} were seen, {k:.2} on average over {}. Where a monitor is itself a guest, \
         each of them traps. So one trap becomes 1+k a level further down, and the cost of depth n grows as \
         (1+k)^n. From depth {} to {} it is {times:.2} times as many traps, with what monitors do for timers and at \
         the beginning and the end.",
        counted(paths.len() as u64, "trap", "traps"),
        last.monitors - 1,
        last.monitors,
    );
    let same = format!(
        "The kernel does not notice: at every depth it retires the same {} instructions and prints the same, to the \
         number on its clock. That is the second half of theorem 2 (Popek and Goldberg 1974), a monitor without \
         timing dependencies, demonstrated by this run.",
        exact(last.kernel())
    );
    wrap("", &cost) + "\n" + &wrap("", &same) + "\n"
}
