//! Finding events in a run: runs are deterministic, so an event is found by running again.

use scenarios::Scenario;
use serde::Serialize;
use vmm_core::chain::Chain;
use vmm_core::engine::EngineName;
use vmm_core::event::Record;
use vmm_core::mode::ModeName;
use vmm_core::run::{Run, Stop};

use crate::exit_code::ExitCode;
use crate::failure::{Failure, OrFail};
use crate::text::counted;

/// How many attempts at an instruction are made between two looks at the log. One attempt makes a few events at
/// the most, so that none falls out of the log unseen.
const SLICE: u64 = 1000;

/// How many events after an exit are looked through for what it set off.
const CONSEQUENCES: u64 = 256;

/// Runs a scenario until the chain of this event is complete. `list` is what is typed to list the events.
pub(crate) fn find(
    scenario: &Scenario,
    mode: ModeName,
    engine: EngineName,
    number: u64,
    list: &str,
) -> Result<Chain, Failure> {
    let mut run = start(scenario, mode, engine)?;
    while run.log.total() <= number.saturating_add(CONSEQUENCES) && go_on(&mut run, scenario.budget) {}
    Chain::in_log(number, &run.log).ok_or_else(|| {
        Failure::new(
            ExitCode::BadInput,
            format!(
                "there is no event {number}: the run has {}, from 0 on; `{list}` shows some",
                counted(run.log.total(), "event", "events")
            ),
        )
    })
}

/// The first and the last events of a run.
#[derive(Serialize)]
pub(crate) struct Ends {
    /// How many events there are in all.
    pub(crate) total: u64,
    /// The first ones.
    pub(crate) first: Vec<Record>,
    /// The last ones, without those that are among the first.
    pub(crate) last: Vec<Record>,
}

/// Runs a scenario to its end and keeps what is worth a list.
pub(crate) fn ends(scenario: &Scenario, mode: ModeName, engine: EngineName) -> Result<Ends, Failure> {
    const FIRST: usize = 20;
    const LAST: usize = 10;
    let mut run = start(scenario, mode, engine)?;
    while run.log.total() < FIRST as u64 && go_on(&mut run, scenario.budget) {}
    let first: Vec<Record> = run.log.records().take(FIRST).cloned().collect();
    run.finish(scenario.budget);
    let count = run.log.records().len();
    let late = run.log.records().skip(count.saturating_sub(LAST));
    let last = late.filter(|record| record.number >= first.len() as u64);
    Ok(Ends {
        total: run.log.total(),
        last: last.cloned().collect(),
        first,
    })
}

fn start(scenario: &Scenario, mode: ModeName, engine: EngineName) -> Result<Run, Failure> {
    Run::new(&scenario.setup, mode, engine)
        .or_bad_input(|| format!("cannot load the guest of '{}'", scenario.name))
}

/// Runs a little further; `false` at the end.
fn go_on(run: &mut Run, budget: u64) -> bool {
    let left = budget.saturating_sub(run.machine().attempts);
    match run.advance(left.min(SLICE)) {
        Stop::Fuel => left > SLICE,
        Stop::Sync(_) => true,
        Stop::End(_) => false,
    }
}
