//! A crowd: several guests under one monitor, run and judged. Whether each had its share while all ran, whether none
//! reached what is another's, and whether each ended as it does alone under the same monitor.

use serde::{Serialize, Serializer};

use crate::check::difference::{Difference, difference};
use crate::check::streams::{Likeness, Outcome};
use crate::check::{Verdict, resource};
use crate::engine::EngineName;
use crate::guest::GuestView;
use crate::mode::{End, ModeName};
use crate::numbers::{counted, exact};
use crate::run::Run;
use crate::setup::{Port, Setup, StartError};
use crate::several::{Several, TURN, Tenant};

/// By how much a measured share may differ from the one that is due, in percent of that.
pub const BOUND: f64 = 2.0;

/// Guests that are to share a machine.
#[derive(Clone, Debug)]
pub struct Crowd {
    /// The different guests, each with the name that a report gives it. All are run on the machine of the first.
    pub kinds: Vec<(String, Setup)>,
    /// For each guest, the number of its kind, and its weight.
    pub members: Vec<(usize, u32)>,
}

/// How to run a crowd.
#[derive(Clone, Copy)]
pub struct Options {
    /// The mode of all guests.
    pub mode: ModeName,
    /// What executes their code.
    pub engine: EngineName,
    /// What an exit costs in fuel, at least 1.
    pub exit_fuel: u64,
    /// Fuel after which a guest is ended.
    pub budget: u64,
    /// Fuel of all together after which all are ended.
    pub fuel: u64,
    /// A clock of the host in nanoseconds, from any beginning. What has no clock passes a constant.
    pub now: fn() -> u64,
}

/// What became of a crowd.
#[derive(Debug, Serialize)]
pub struct CrowdReport {
    /// In the order of the crowd.
    pub guests: Vec<GuestReport>,
    /// The fuel that all had used when the first one ended: what the shares are shares of.
    pub together: u64,
    /// The fuel that all used to the end.
    pub used: u64,
    /// How often the ledger was asked whose a page is.
    pub asked: u64,
    /// Real memory of the machine, in bytes: guests, monitors and what is nobody's.
    pub memory: u32,
    /// Host time that the crowd took.
    pub wall_ns: u64,
    /// Host time that one run alone took for each kind.
    pub alone_ns: u64,
    /// Whether each guest had its share; `None` if the first one ended too early to tell.
    pub shares: Option<Verdict>,
    /// Whether each guest ended as it does alone.
    pub alone: Verdict,
    /// Whether no guest reached what is not its own.
    pub isolation: Verdict,
}

/// What became of one guest of a crowd.
#[derive(Debug, Serialize)]
pub struct GuestReport {
    /// The name of its kind.
    pub name: String,
    /// How large its share is, relative to the others'.
    pub weight: u32,
    /// Its share of the processor by the weights, of 1.
    pub due: f64,
    /// Its share of the fuel until the first guest ended, of 1.
    pub measured: f64,
    /// How often it had the processor.
    pub turns: u64,
    /// How often it paid for an exit.
    pub exits: u64,
    /// The fuel that it used to its end.
    pub used: u64,
    /// How it ended.
    #[serde(serialize_with = "in_words")]
    pub end: End,
    /// What is not as in its run alone.
    #[serde(serialize_with = "in_a_sentence")]
    pub difference: Option<Difference>,
}

impl GuestReport {
    /// By how much its measured share differs from what is due, in percent of that.
    pub fn deviation(&self) -> f64 {
        (self.measured / self.due - 1.0) * 100.0
    }
}

fn in_words<S: Serializer>(end: &End, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(end)
}

fn in_a_sentence<S: Serializer>(difference: &Option<Difference>, serializer: S) -> Result<S::Ok, S::Error> {
    difference.as_ref().map(sentence).serialize(serializer)
}

fn sentence(difference: &Difference) -> String {
    let Difference { what, bare, guest } = difference;
    format!("{what} is {bare} alone, {guest} here")
}

/// Runs a crowd, and each kind of its guests alone.
///
/// # Errors
/// If a guest cannot be started, or there is not enough memory in a machine for all of them.
pub fn run(crowd: &Crowd, options: Options) -> Result<CrowdReport, StartError> {
    let setups: Vec<Setup> = crowd
        .members
        .iter()
        .map(|(kind, _)| crowd.kinds[*kind].1.clone())
        .collect();
    let weights: Vec<u32> = crowd.members.iter().map(|(_, weight)| *weight).collect();
    let start = (options.now)();
    let mut several = Several::new(&setups, &weights, options.mode, options.engine)?;
    several.set_exit_fuel(options.exit_fuel);
    let together = to_the_end(&mut several, options);
    let ran = (options.now)();
    let differences = alone(crowd, &several, options)?;
    let alone_ns = (options.now)() - ran;

    let of_all: u64 = together.iter().sum();
    let of_weights: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
    let tenants = several.guests().iter().zip(&crowd.members);
    let guests: Vec<GuestReport> = tenants
        .zip(together)
        .zip(differences)
        .map(|(((tenant, (kind, _)), used), difference)| GuestReport {
            name: crowd.kinds[*kind].0.clone(),
            weight: tenant.weight,
            due: f64::from(tenant.weight) / of_weights as f64,
            measured: used as f64 / of_all.max(1) as f64,
            turns: tenant.turns,
            exits: tenant.exits,
            used: tenant.used,
            end: end(tenant),
            difference,
        })
        .collect();
    let board = &several.machine().board;
    Ok(CrowdReport {
        together: of_all,
        used: several.used(),
        asked: board.observer.ledger.as_ref().map_or(0, |ledger| ledger.asked),
        memory: board.ram.size(),
        wall_ns: ran - start,
        alone_ns,
        shares: judge_shares(&guests, of_all, options.exit_fuel),
        alone: judge_alone(&guests, options.mode),
        isolation: judge_isolation(&several, options.mode),
        guests,
    })
}

/// Runs until all have ended; the fuel that each had used when the first one did.
fn to_the_end(several: &mut Several, options: Options) -> Vec<u64> {
    let fuel = |several: &Several| several.guests().iter().map(|guest| guest.used).collect();
    let mut together: Option<Vec<u64>> = None;
    let mut used = 0;
    while used < options.fuel {
        let before = several.used();
        let Some(index) = several.turn() else { break };
        used += several.used() - before;
        if several.guests()[index].used >= options.budget {
            several.stop(index);
        }
        if together.is_none() && several.guests()[index].ended.is_some() {
            together = Some(fuel(several));
        }
    }
    let together = together.unwrap_or_else(|| fuel(several));
    (0..several.guests().len()).for_each(|index| several.stop(index));
    together
}

fn end(tenant: &Tenant) -> End {
    tenant.ended.unwrap_or(End::Budget)
}

/// For each guest, what is not as in a run alone.
fn alone(crowd: &Crowd, several: &Several, options: Options) -> Result<Vec<Option<Difference>>, StartError> {
    // A run alone that needs more than all of them together does not end as they did.
    let limit = several.machine().attempts.saturating_mul(2);
    let attempts = |(_, tenant, view): &(usize, &Tenant, GuestView)| view.pace.retired() + tenant.exits;
    let mut differences: Vec<Option<Difference>> = crowd.members.iter().map(|_| None).collect();
    for (kind, (_, setup)) in crowd.kinds.iter().enumerate() {
        let members = crowd.members.iter().zip(several.guests()).zip(0..);
        let mut members: Vec<(usize, &Tenant, GuestView)> = members
            .filter(|(((of, _), _), _)| *of == kind)
            .filter_map(|((_, tenant), index)| Some((index, tenant, several.guest(index)?)))
            .collect();
        // One run meets them all, if those that were stopped first come first.
        members.sort_by_key(|(_, tenant, view)| (end(tenant) != End::Budget, view.pace.retired()));
        let mut solo = Run::new(setup, options.mode, options.engine)?;
        match &setup.port {
            Some(port) if options.mode == ModeName::Para => {
                let limit = match members.iter().all(|(_, tenant, _)| end(tenant) == End::Budget) {
                    // As far as they came, and it is their beginning that is compared.
                    true => members.iter().map(attempts).max().unwrap_or(0),
                    false => limit,
                };
                let original = Outcome::of(&mut solo, &port.streams, limit);
                for (index, tenant, view) in members {
                    differences[index] = outcome_differs(&original, tenant, &view, port);
                }
            }
            _ => {
                for (index, tenant, view) in members {
                    differences[index] = state_differs(&mut solo, limit, end(tenant), &view);
                }
            }
        }
    }
    Ok(differences)
}

/// What differs between a guest of a ported kernel and its run alone, of what a user has of it. Its states name real
/// frames, which are others, so they cannot be compared.
fn outcome_differs(alone: &Outcome, tenant: &Tenant, view: &GuestView, port: &Port) -> Option<Difference> {
    let exits = tenant.exit_codes.clone();
    let outcome = Outcome::at_end(view, exits, end(tenant), &port.streams);
    match outcome.likeness(alone, port.process.as_deref()) {
        Likeness::Equal | Likeness::Renumbered => None,
        Likeness::Different(difference) => Some(difference),
    }
}

/// What differs between the state of a guest at its end and that of its run alone: all of it is compared. The run is
/// continued to the same end, or for a guest that was stopped, to where as many instructions have retired.
fn state_differs(solo: &mut Run, limit: u64, end: End, view: &GuestView) -> Option<Difference> {
    /// How many traps there may be between two instructions that retire.
    const TRAPS: u64 = 64;
    let differs = |solo: &Run| difference(&solo.guest(), view, 0..view.pages(), true);
    if end != End::Budget {
        let alone = solo.finish(limit);
        let other = (alone != end).then(|| Difference {
            what: "the end".to_string(),
            bare: alone.to_string(),
            guest: end.to_string(),
        });
        return other.or_else(|| differs(solo));
    }
    let retired = view.pace.retired();
    let going = |solo: &Run| solo.ended().is_none() && solo.machine().attempts < limit;
    while going(solo) && solo.guest().pace.retired() < retired {
        let left = retired - solo.guest().pace.retired();
        solo.advance((left / 2).max(1));
    }
    let first = differs(solo)?;
    for _ in 0..TRAPS {
        solo.advance(1);
        if solo.guest().pace.retired() != retired {
            break;
        }
        differs(solo)?;
    }
    Some(first)
}

fn judge_shares(guests: &[GuestReport], together: u64, exit_fuel: u64) -> Option<Verdict> {
    let worst = guests.iter().map(|guest| guest.deviation().abs());
    let worst = worst.max_by(f64::total_cmp).unwrap_or(0.0);
    let smallest = guests.iter().map(|guest| guest.due).min_by(f64::total_cmp);
    let found = format!(
        "measured while all ran, over {} of fuel, each guest's share is within {worst:.2} percent of what is due",
        exact(together)
    );
    if worst <= BOUND {
        return Some(Verdict::yes(format!("{found}; the bound is {BOUND} percent")));
    }
    // The scheduler cannot be finer than a turn.
    let turn = (TURN + exit_fuel) as f64;
    let long_enough = turn * 100.0 <= BOUND * together as f64 * smallest.unwrap_or(0.0);
    long_enough.then(|| Verdict::no(format!("{found}; it has to be within {BOUND} percent")))
}

fn judge_alone(guests: &[GuestReport], mode: ModeName) -> Verdict {
    let what = match mode {
        ModeName::Para => "console, exit codes of processes and disk are those",
        _ => "registers, clock, memory, console and disk are those",
    };
    let differing = guests.iter().filter(|guest| guest.difference.is_some()).count();
    let first = guests.iter().zip(1..).find_map(|(guest, number)| {
        let difference = guest.difference.as_ref()?;
        Some(format!(
            "guest {number}, {}: {}",
            guest.name,
            sentence(difference)
        ))
    });
    match first {
        None => Verdict::yes(format!(
            "{what} of a run alone under {mode}, for {}",
            counted(guests.len() as u64, "guest", "guests")
        )),
        Some(first) => Verdict::no(format!(
            "{} of {} differ from a run alone under {mode}; {first}",
            exact(differing as u64),
            exact(guests.len() as u64)
        )),
    }
}

fn judge_isolation(several: &Several, mode: ModeName) -> Verdict {
    let machine = several.machine();
    let mut broken = resource::trespasses(machine, mode);
    broken.extend(resource::device_reached(machine));
    if !broken.is_empty() {
        return Verdict::no(broken.join("; "));
    }
    let asked = machine
        .board
        .observer
        .ledger
        .as_ref()
        .map_or(0, |ledger| ledger.asked);
    Verdict::yes(format!(
        "{} made by the processor for a guest, and each was looked up in the ledger of frames: none led to a frame of \
         another guest or of the monitor",
        counted(asked, "translation", "translations")
    ))
}

#[cfg(test)]
mod tests;
