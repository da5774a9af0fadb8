//! `trapeze challenges`: what made x86 hard to virtualize, what each method makes of it, and what hardware did about
//! it.
//!
//! R. Uhlig et al.: Intel Virtualization Technology, IEEE Computer 38(5), 2005, the section on the challenges.

use serde_json::{Value, json};
use vmm_core::check::equivalence::Grain;
use vmm_core::check::report::{self, Report};
use vmm_core::engine::EngineName;
use vmm_core::mode::ModeName;
use vmm_core::modes::translate::Scope;
use vmm_core::modes::trap::Layout;
use vmm_core::price::PriceList;

use crate::arguments::find;
use crate::checked::Checked;
use crate::failure::{Failure, OrFail};
use crate::output::{Output, Paint};
use crate::text::{exact, wrap};
use crate::workloads::{NESTED, TRANSLATE, TRAP};

/// One of the challenges.
struct Challenge {
    /// As the paper calls it.
    name: &'static str,
    /// What is hard, and how x86 has it.
    problem: &'static str,
    /// What hardware assistance does about it.
    hardware: &'static str,
    shown: Shown,
}

/// How Ring32 shows a challenge.
enum Shown {
    /// By a scenario.
    By {
        scenario: &'static str,
        /// What is looked at, beside equivalence.
        what: &'static str,
        measure: fn(&Report) -> u64,
    },
    /// It has not got it, for this reason.
    Not(&'static str),
}

const fn by_holes(scenario: &'static str) -> Shown {
    Shown::By {
        scenario,
        what: "holes fallen into",
        measure: |report| holes(report).len() as u64,
    }
}

const fn by_exits(scenario: &'static str) -> Shown {
    Shown::By {
        scenario,
        what: "exits to the monitor",
        measure: |report| report.counts.exits,
    }
}

const CHALLENGES: [Challenge; 8] = [
    Challenge {
        name: "Ring aliasing",
        problem: "A guest's kernel is not in the ring for which it was written, and can see that, as by PUSH CS.",
        hardware: "In non-root operation all four rings are the guest's; its kernel is in ring 0.",
        shown: by_holes("ring-aliasing"),
    },
    Challenge {
        name: "Address-space compression",
        problem: "The monitor needs a place in every address space, and the guest may want to use that very place.",
        hardware: "An exit changes the address space as well, so the guest has all of its own.",
        shown: Shown::By {
            scenario: "address-compression",
            what: "accesses above the limit",
            measure: |report| report.counts.above_limit,
        },
    },
    Challenge {
        name: "Nonfaulting access to privileged state",
        problem: "Programs read the real processor's state, as by SIDT, and nothing traps.",
        hardware: "It need not trap: what is read in non-root operation is the guest's own state.",
        shown: by_holes("red-pill"),
    },
    Challenge {
        name: "Guest transitions",
        problem: "SYSENTER always enters ring 0, where the monitor is, and SYSEXIT faults outside it: the monitor \
                  emulates every system call.",
        hardware: "Ring 0 is the guest's. Neither leaves the guest.",
        shown: by_exits("guest-transitions"),
    },
    Challenge {
        name: "Interrupt virtualization",
        problem: "Kernels mask and unmask interrupts all the time, by CLI and STI, which fault. They may mask only \
                  virtual interrupts, and these have to wait until they are unmasked.",
        hardware: "The bit is the guest's own and keeps no real interrupt from the monitor, which can ask for an exit \
                   when the guest can take one.",
        shown: by_exits("interrupt-masking"),
    },
    Challenge {
        name: "Ring compression",
        problem: "Paging does not tell rings 0 to 2 apart. Without limits, as on x86-64, kernel and programs share \
                  ring 3, and only other tables keep them apart.",
        hardware: "Rings 0 and 3 are the guest's, and paging tells these two apart.",
        shown: Shown::By {
            scenario: "ring-compression",
            what: "changes of shadow table",
            measure: |report| report.counts.shadow_switches,
        },
    },
    Challenge {
        name: "Access to hidden state",
        problem: "Some state is in no register, such as the descriptors behind x86's segment registers, so no software \
                  can save it and put it back.",
        hardware: "The control structure has fields for it.",
        shown: Shown::Not(
            "No scenario: Ring32 has none that a guest could lose. Its processor is x1 to x15, pc and control \
             registers, all of which ring 0 reads and writes, and its TLB holds nothing that memory does not. That a \
             handler has not been fetched yet, or that a wfi waits, is in no register; but without assistance the \
             traps are virtual and the monitor knows, and with it there is a field (ACTIVITY).",
        ),
    },
    Challenge {
        name: "Frequent access to privileged resources",
        problem: "Kernels say all the time which interrupts may come, in the task-priority register (TPR), which the \
                  monitor cannot let go.",
        hardware: "VT-x has a shadow of the TPR, and the guest leaves only below a threshold. Ring32 has nothing like \
                   it, so assistance is no cure here.",
        shown: by_exits("task-priority"),
    },
];

/// The methods that suffer, and those that cure.
const MODES: [ModeName; 5] = [
    TRAP,
    ModeName::Trap(Layout::RingCompression),
    TRANSLATE,
    ModeName::Translate(Scope::Everything),
    NESTED,
];

/// Runs the command.
pub(crate) fn run(output: &Output) -> Result<(), Failure> {
    let ran = output.busy("running the challenges".to_string(), || {
        let ran = CHALLENGES.iter().map(|challenge| match challenge.shown {
            Shown::By { scenario, .. } => reports(scenario),
            Shown::Not(_) => Ok(Vec::new()),
        });
        ran.collect::<Result<Vec<Vec<Report>>, Failure>>()
    })?;
    let all = CHALLENGES.iter().zip(&ran);
    if output.json {
        let challenges: Vec<Value> = all
            .map(|(challenge, reports)| object(challenge, reports))
            .collect();
        return output.object(&json!({ "challenges": challenges }));
    }
    let title = "The challenges of Uhlig et al. (2005), on a machine with holes and assistance";
    let mut text = output.paint.strong(title) + "\n\n";
    let names = MODES.map(|mode| mode.name().to_string());
    text += &(output.paint.faint(&row("", &names)) + "\n");
    for (challenge, reports) in all {
        text += &(render(challenge, reports, output.paint) + "\n");
    }
    output.text(&(text + "Try next: trapeze compare ring-aliasing\n"))
}

/// Runs a scenario under all of the methods, and holds it to its expectations.
fn reports(scenario: &str) -> Result<Vec<Report>, Failure> {
    let scenario = find(scenario)?;
    let prices = PriceList::textbook();
    let options = report::Options {
        engine: EngineName::Auto,
        budget: scenario.budget,
        grain: Grain::SyncPoints,
        prices: &prices,
        now: || 0,
    };
    let what = || format!("cannot start '{}'", scenario.name);
    let reports = report::compare(&scenario.setup, &MODES, options).or_bad_input(what)?;
    let checked = Checked {
        scenario,
        reports,
        prices,
        engine: EngineName::Auto,
        skipped: Vec::new(),
    };
    // A guest that finds its monitor ends with another exit code; it is expected to, where that is listed.
    checked.verdict(false)?;
    Ok(checked.reports)
}

/// The rows through which the guest left the path of the bare machine.
fn holes(report: &Report) -> Vec<String> {
    let found = report.findings.iter().flat_map(|findings| &findings.holes);
    found.map(|hole| hole.row.to_string()).collect()
}

fn object(challenge: &Challenge, reports: &[Report]) -> Value {
    let (scenario, what, measure, reason) = match challenge.shown {
        Shown::By {
            scenario,
            what,
            measure,
        } => (Some(scenario), Some(what), Some(measure), None),
        Shown::Not(reason) => (None, None, None, Some(reason)),
    };
    let of_mode = |report: &Report| {
        json!({
            "mode": report.mode.name(),
            "verdict": report.verdict,
            "holes": holes(report),
            "exits": report.counts.exits,
            "looked_at": measure.map(|measure| measure(report)),
        })
    };
    json!({
        "challenge": challenge.name,
        "problem": challenge.problem,
        "hardware": challenge.hardware,
        "scenario": scenario,
        "no_scenario": reason,
        "looks_at": what,
        "modes": reports.iter().map(of_mode).collect::<Vec<_>>(),
    })
}

/// A line of the table.
fn row(label: &str, cells: &[String]) -> String {
    let cells = MODES.iter().zip(cells).map(|(mode, cell)| {
        let width = mode.name().len() + GAP;
        format!("{cell:>width$}")
    });
    format!("{label:<26}{}", cells.collect::<String>())
}

/// Blanks between two columns.
const GAP: usize = 2;

fn render(challenge: &Challenge, reports: &[Report], paint: Paint) -> String {
    let mut text = match challenge.shown {
        Shown::By { scenario, .. } => format!("{} ({scenario})\n", paint.strong(challenge.name)),
        Shown::Not(_) => paint.strong(challenge.name) + "\n",
    };
    text += &wrap("  ", challenge.problem);
    match challenge.shown {
        Shown::By { what, measure, .. } => {
            let answers = reports
                .iter()
                .map(|report| match report.verdict.equivalence.holds {
                    true => "yes".to_string(),
                    false => "NO".to_string(),
                });
            text += &(row("  equivalent", &answers.collect::<Vec<_>>()) + "\n");
            let counts = reports.iter().map(|report| exact(measure(report)));
            text += &(row(&format!("  {what}"), &counts.collect::<Vec<_>>()) + "\n");
        }
        Shown::Not(reason) => text += &wrap("  ", reason),
    }
    text + &wrap("  Hardware: ", challenge.hardware)
}
