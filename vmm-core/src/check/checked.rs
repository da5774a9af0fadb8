//! A checked run of one mode, at once or in slices.

use crate::check::difference::Difference;
use crate::check::equivalence::{Comparison, Grain, Pair};
use crate::check::fuel::{self, Fuel};
use crate::check::holes::{Findings, Search};
use crate::check::sentence::equivalence;
use crate::check::streams::{Course, Likeness, Outcome};
use crate::check::{Verdict, Verdicts, efficiency, resource};
use crate::engine::EngineName;
use crate::mode::{End, ModeName};
use crate::numbers::exact;
use crate::run::{Run, Stop};
use crate::setup::{Port, Setup, StartError};

/// On which terms a run is checked.
#[derive(Clone, Copy)]
pub struct Terms {
    /// What executes the guest's code.
    pub engine: EngineName,
    /// Attempts at an instruction, of either side, after which a run is ended.
    pub budget: u64,
    /// How finely states are compared.
    pub grain: Grain,
    /// A clock of the host in nanoseconds, from any beginning. What has no clock passes a constant.
    pub now: fn() -> u64,
}

/// A checked run on its way.
pub struct Checked {
    setup: Setup,
    mode: ModeName,
    terms: Terms,
    wall_ns: u64,
    stage: Stage,
}

/// What is being done.
enum Stage {
    /// The guest runs beside the bare machine, and their states are compared as they go.
    Beside(Box<Pair>),
    /// They differ. The guest goes on alone, so that one sees what becomes of it.
    Onwards(Box<Run>, Comparison),
    /// It has ended, and what made the difference is looked for.
    Search(Box<Run>, Comparison, Box<Search>),
    /// The guest runs, and there is no bare machine to compare it with.
    Alone(Box<Run>),
    /// The guest was ported: the original runs on the bare machine.
    Original(Box<Run>, Course),
    /// Then the port runs.
    Port(Box<Run>, Course, Outcome),
}

/// What became of a slice.
pub enum Pursued {
    /// There is more to do.
    Working(Box<Checked>),
    /// It is over.
    Over(Box<Judged>),
}

/// How far a checked run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub doing: Doing,
    /// Attempts at an instruction that were made in the run that is shown.
    pub attempts: u64,
    /// Points at which states were compared and equal.
    pub compared: u64,
}

/// What is being done in a checked run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// The guest and the bare machine run beside each other.
    Comparing,
    /// They differ, and the guest runs to its end.
    Ending,
    /// They differ, and the instructions are looked for through which they do; so many were found.
    Searching(usize),
    /// The guest was ported, and the original runs on the bare machine.
    Original,
    /// The guest runs, with nothing to be compared with on the way.
    Running,
}

/// A run that was checked to its end.
pub struct Judged {
    /// How the guest ended.
    pub end: End,
    /// Points at which states were compared and equal; of a ported guest, output streams.
    pub compared: u64,
    /// The three properties.
    pub verdict: Verdicts,
    /// Where the guest left the path of the bare machine, and through which holes.
    pub findings: Option<Findings>,
    /// Host time that the run took, without the checks.
    pub wall_ns: u64,
    /// The guest at its end.
    pub run: Run,
}

/// Whether there is hardware on which the guest could run as it is: without, there is nothing to hold a mode to.
pub(super) fn has_hardware(setup: &Setup) -> bool {
    ModeName::Bare.runs_with(setup.image.registers)
}

impl Checked {
    /// A guest at power-on. Where there is hardware for it, it is to be compared with the bare machine: a port, in what
    /// comes of it; any other, in its states.
    ///
    /// # Errors
    /// If the image does not fit the machine, or there is none that the mode can run.
    pub fn new(setup: &Setup, mode: ModeName, terms: Terms) -> Result<Checked, StartError> {
        let stage = match mode {
            _ if !has_hardware(setup) => Stage::Alone(guarded(setup, mode, terms.engine)?),
            mode if mode == ModeName::Para || setup.runs_port(mode) => {
                port(setup)?;
                let original = Run::new(setup, ModeName::Bare, terms.engine)?;
                Stage::Original(Box::new(original), Course::default())
            }
            _ => {
                let mut pair = Pair::new(setup, mode, terms.engine)?;
                resource::guard(&mut pair.guest);
                Stage::Beside(Box::new(pair))
            }
        };
        Ok(Checked {
            setup: setup.clone(),
            mode,
            terms,
            wall_ns: 0,
            stage,
        })
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        let (doing, run, compared) = match &self.stage {
            Stage::Beside(pair) => (Doing::Comparing, &pair.guest, pair.compared()),
            Stage::Onwards(run, comparison) => (Doing::Ending, &**run, comparison.compared),
            Stage::Search(run, comparison, search) => {
                let found = search.findings().holes.len();
                (Doing::Searching(found), &**run, comparison.compared)
            }
            Stage::Original(run, _) => (Doing::Original, &**run, 0),
            Stage::Alone(run) | Stage::Port(run, ..) => (Doing::Running, &**run, 0),
        };
        Progress {
            doing,
            attempts: run.machine().attempts,
            compared,
        }
    }

    /// Does all of it.
    ///
    /// # Errors
    /// As [`Checked::new`].
    pub fn finish(self) -> Result<Judged, StartError> {
        let mut checked = Box::new(self);
        loop {
            checked = match checked.pursue(&mut Fuel::endless())? {
                Pursued::Working(checked) => checked,
                Pursued::Over(judged) => return Ok(*judged),
            };
        }
    }

    /// Does a slice of it. In slices it comes to the same as at once.
    ///
    /// # Errors
    /// As [`Checked::new`].
    pub fn pursue(mut self, fuel: &mut Fuel) -> Result<Pursued, StartError> {
        while !fuel.is_empty() {
            self = match self.step(fuel)? {
                Pursued::Working(checked) => *checked,
                over => return Ok(over),
            };
        }
        Ok(Pursued::Working(Box::new(self)))
    }

    /// Goes on with what is being done, until that is done or the fuel is used up.
    fn step(self, fuel: &mut Fuel) -> Result<Pursued, StartError> {
        let Checked {
            setup,
            mode,
            terms,
            mut wall_ns,
            stage,
        } = self;
        let Terms {
            engine,
            budget,
            grain,
            now,
        } = terms;
        let timed = |advance: &mut dyn FnMut()| {
            let start = now();
            advance();
            wall_ns += now() - start;
        };
        let stage = match stage {
            Stage::Beside(mut pair) => match pair.pursue(grain, budget, fuel, timed) {
                None => Stage::Beside(pair),
                Some(comparison) => {
                    let failed = pair.guest.figures().failure.is_some();
                    let run = Box::new(pair.guest);
                    if comparison.difference.is_none() || failed {
                        return Ok(compared(&setup, terms, wall_ns, *run, comparison, None));
                    }
                    Stage::Onwards(run, comparison)
                }
            },
            Stage::Onwards(mut run, comparison) => match finish(&mut run, budget, fuel, timed) {
                None => Stage::Onwards(run, comparison),
                Some(()) => {
                    let search = Search::new(&setup, mode, engine, budget)?;
                    Stage::Search(run, comparison, Box::new(search))
                }
            },
            Stage::Search(run, comparison, mut search) => match search.pursue(fuel)? {
                None => Stage::Search(run, comparison, search),
                findings => return Ok(compared(&setup, terms, wall_ns, *run, comparison, findings)),
            },
            Stage::Alone(mut run) => match finish(&mut run, budget, fuel, timed) {
                None => Stage::Alone(run),
                Some(()) => return Ok(alone(&setup, wall_ns, *run)),
            },
            Stage::Original(mut run, mut course) => {
                let names = &port(&setup)?.streams;
                match course.pursue(&mut run, names, budget, fuel, |advance| advance()) {
                    None => Stage::Original(run, course),
                    Some(outcome) => Stage::Port(guarded(&setup, mode, engine)?, Course::default(), outcome),
                }
            }
            Stage::Port(mut run, mut course, original) => {
                let port = port(&setup)?;
                match course.pursue(&mut run, &port.streams, budget, fuel, timed) {
                    None => Stage::Port(run, course, original),
                    Some(outcome) => return Ok(ported(port, wall_ns, *run, &outcome, &original)),
                }
            }
        };
        Ok(Pursued::Working(Box::new(Checked {
            setup,
            mode,
            terms,
            wall_ns,
            stage,
        })))
    }
}

fn port(setup: &Setup) -> Result<&Port, StartError> {
    setup.port.as_ref().ok_or(StartError::NoPort)
}

/// A guest at power-on, with the ledger opened.
fn guarded(setup: &Setup, mode: ModeName, engine: EngineName) -> Result<Box<Run>, StartError> {
    let mut run = Run::new(setup, mode, engine)?;
    resource::guard(&mut run);
    Ok(Box::new(run))
}

/// Runs to the end, or until the budget is used up; `None` if the fuel was used up before.
fn finish(
    run: &mut Run,
    budget: u64,
    fuel: &mut Fuel,
    mut around: impl FnMut(&mut dyn FnMut()),
) -> Option<()> {
    loop {
        let mut stop = None;
        around(&mut || stop = fuel::advance(run, budget, fuel));
        match stop? {
            Stop::Sync(_) => {}
            Stop::Fuel | Stop::End(_) => return Some(()),
        }
    }
}

/// The verdicts on a run, with the one on equivalence known.
fn judged(
    wall_ns: u64,
    run: Run,
    compared: u64,
    equivalence: Verdict,
    findings: Option<Findings>,
) -> Pursued {
    let verdict = Verdicts {
        equivalence,
        resource_control: resource::judge(&run),
        efficiency: efficiency::judge(run.mode_name, &run.counts(), run.guest().pace.retired()),
    };
    Pursued::Over(Box::new(Judged {
        end: run.ended().unwrap_or(End::Budget),
        compared,
        verdict,
        findings,
        wall_ns,
        run,
    }))
}

/// On a run whose states were compared with the bare machine's.
fn compared(
    setup: &Setup,
    terms: Terms,
    wall_ns: u64,
    run: Run,
    comparison: Comparison,
    findings: Option<Findings>,
) -> Pursued {
    let end = run.ended().unwrap_or(End::Budget);
    let equivalence = match run.figures().failure {
        Some(failure) => Verdict::unknown(format!("not compared to the end: {failure}")),
        None => equivalence(
            run.mode_name,
            terms.grain,
            end,
            &comparison,
            findings.as_ref(),
            &setup.image,
        ),
    };
    judged(wall_ns, run, comparison.compared, equivalence, findings)
}

/// On a run for which there is no bare machine.
fn alone(setup: &Setup, wall_ns: u64, run: Run) -> Pursued {
    let equivalence = Verdict::unknown(format!(
        "not compared: the guest is compiled for {} registers, and no hardware here has them",
        setup.image.registers.count()
    ));
    judged(wall_ns, run, 0, equivalence, None)
}

/// On the run of a port: what came of it is compared with what came of the original on the bare machine.
fn ported(port: &Port, wall_ns: u64, run: Run, outcome: &Outcome, original: &Outcome) -> Pursued {
    let likeness = outcome.likeness(original, port.process.as_deref());
    let streams = outcome.streams.len() as u64;
    let what =
        "its kernel is another one, so neither states nor the order of the processes' turns are compared";
    let but = match &likeness {
        Likeness::Renumbered => {
            ", but for the numbers of processes, which come from the order of their births"
        }
        _ => "",
    };
    let equivalence = match (&likeness, outcome.end) {
        (Likeness::Different(Difference { what, bare, guest }), _) => {
            Verdict::no(format!("{what}: {bare} on the bare machine, {guest} here"))
        }
        (_, End::Budget) => Verdict::yes(format!(
            "{} output streams begin as on the bare machine{but}, until the budget was used up; {what}",
            exact(streams)
        )),
        _ => Verdict::yes(format!(
            "equal in {} output streams{but}, {} exit codes of processes, the disk and the end; {what}",
            exact(streams),
            outcome.exits.len()
        )),
    };
    let compared = match likeness {
        Likeness::Different(_) => 0,
        Likeness::Equal | Likeness::Renumbered => streams,
    };
    judged(wall_ns, run, compared, equivalence, None)
}
