//! Finding events in a run: runs are deterministic, so an event is found by running again.

use scenarios::Scenario;
use serde::Serialize;
use toy_isa::trap::{Cause, Trap};
use vmm_core::engine::EngineName;
use vmm_core::event::{Delivery, Event, Record};
use vmm_core::mode::ModeName;
use vmm_core::price::PriceList;
use vmm_core::run::{Run, Stop};

use crate::exit_code::ExitCode;
use crate::failure::{Failure, OrFail};
use crate::listing::{Listing, Place};
use crate::text::counted;

/// How many attempts at an instruction are made between two looks at the log. One attempt makes a few events at
/// the most, so that none falls out of the log unseen.
const SLICE: u64 = 1000;

/// How many events after an exit are looked through for what it set off.
const CONSEQUENCES: u64 = 256;

/// An event with all that has the same cause.
pub(crate) struct Chain {
    /// What set it off: an exit, or an event that stands alone.
    pub(crate) root: Record,
    /// What followed.
    pub(crate) rest: Vec<Record>,
}

impl Chain {
    /// All of it, in order.
    pub(crate) fn records(&self) -> impl Iterator<Item = &Record> {
        std::iter::once(&self.root).chain(&self.rest)
    }

    /// What it cost.
    pub(crate) fn cycles(&self, prices: &PriceList) -> u64 {
        self.records().map(|record| prices.of(&record.event)).sum()
    }
}

/// Who does what an event tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Actor {
    /// The processor.
    Hardware,
    /// The software in ring 0.
    Monitor,
}

impl Actor {
    /// Of this event.
    pub(crate) fn of(record: &Record) -> Actor {
        match record.event {
            Event::Exit { .. } | Event::VmExit { .. } => Actor::Hardware,
            Event::Enter {
                how: Delivery::Hardware,
                ..
            } => Actor::Hardware,
            Event::Return { .. } if record.exit.is_none() => Actor::Hardware,
            _ => Actor::Monitor,
        }
    }
}

/// The trap that an event is about, if it is an exit or an entry.
pub(crate) fn trap_of(event: &Event) -> Option<Trap> {
    match event {
        Event::Exit { trap, .. } | Event::VmExit { trap } | Event::Enter { trap, .. } => Some(*trap),
        _ => None,
    }
}

impl Listing<'_> {
    /// Where an event happened. Where the event has the instruction word itself, the image is not asked.
    pub(crate) fn place_of(&self, record: &Record) -> Place {
        let mut place = self.place(record.address());
        let word = match (&record.event, trap_of(&record.event)) {
            (Event::Emulate { word, .. }, _) => Some(*word),
            (_, Some(trap)) if matches!(trap.cause, Cause::Illegal | Cause::Intercepted) => Some(trap.tval),
            _ => None,
        };
        place.word = word.or(place.word);
        // Where it stands for the guest: the targets of its jumps are the guest's too.
        place.instruction = place.word.map(|word| self.instruction(word, record.pc));
        place
    }
}

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
    let Some(record) = run.log.get(number) else {
        return Err(Failure::new(
            ExitCode::BadInput,
            format!(
                "there is no event {number}: the run has {}, from 0 on; `{list}` shows some",
                counted(run.log.total(), "event", "events")
            ),
        ));
    };
    let exit = record.exit.unwrap_or(number);
    let rest = run.log.records().filter(|record| record.exit == Some(exit));
    Ok(Chain {
        // The root is a few events back at the most.
        root: run.log.get(exit).unwrap_or(record).clone(),
        rest: rest.cloned().collect(),
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
