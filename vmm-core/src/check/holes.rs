//! Naming the guilty instruction, and confirming it.
//!
//! A divergence names the instruction after which the states part. If its row does not trap outside ring 0, the
//! finding is *confirmed* by a rerun on hardware on which only that row traps: the divergence must vanish, or move
//! later. Repeated, this lists every hole that the guest falls into.

use std::sync::Arc;

use toy_isa::profile::{Behaviour, Profile};
use toy_isa::row::Row;
use toy_isa::table::Op;

use crate::check::equivalence::{Divergence, Grain, Locate, Pair};
use crate::check::fuel::Fuel;
use crate::engine::EngineName;
use crate::mode::ModeName;
use crate::run::Run;
use crate::setup::{Setup, StartError};

/// A hole that a guest fell into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hole {
    /// The row that does not trap.
    pub row: Row,
    /// What it does instead.
    pub behaviour: Behaviour,
    /// Where the guest fell into it.
    pub divergence: Divergence,
    /// Whether a rerun with only this row (and those before it in the list) trapping moved or cured the
    /// divergence.
    pub confirmed: bool,
}

/// What the search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Findings {
    /// The first divergence, hole or not.
    pub first: Option<Divergence>,
    /// The holes, in the order in which the guest falls into them.
    pub holes: Vec<Hole>,
    /// Whether the guest is equivalent once all of them trap.
    pub cured: bool,
}

impl Findings {
    /// Whether the guest is a monitor itself, and wanted what no virtual machine has (ADR 6).
    pub fn lacks_root_operation(&self) -> bool {
        let operation = |row: Row| {
            matches!(
                row,
                Row::Op(Op::Vmon | Op::Vmoff | Op::Vmenter | Op::Vmresume | Op::Vminval)
            )
        };
        let row = self.first.as_ref().and_then(|divergence| divergence.row);
        self.holes.is_empty() && row.is_some_and(operation)
    }
}

/// The most holes that are looked for in one run.
const MOST: usize = 24;

/// The search for the holes through which a guest of a mode differs from the bare machine.
pub struct Search {
    setup: Setup,
    mode: ModeName,
    engine: EngineName,
    budget: u64,
    /// What the guest runs on: the rows that were found trap. The guest, and the bare machine that it is compared with,
    /// keep the profile of the setup.
    hardware: Profile,
    findings: Findings,
    stage: Stage,
}

/// How far the search for the next divergence is.
enum Stage {
    Compare(Box<Pair>),
    Locate(Box<Locate>),
}

impl Search {
    /// At its beginning.
    ///
    /// # Errors
    /// If the image does not fit the machine.
    pub fn new(setup: &Setup, mode: ModeName, engine: EngineName, budget: u64) -> Result<Search, StartError> {
        let hardware = (*setup.profile).clone();
        Ok(Search {
            stage: Stage::Compare(pair(setup, mode, &hardware, engine)?),
            setup: setup.clone(),
            mode,
            engine,
            budget,
            hardware,
            findings: Findings {
                first: None,
                holes: Vec::new(),
                cured: false,
            },
        })
    }

    /// What was found so far.
    pub fn findings(&self) -> &Findings {
        &self.findings
    }

    /// Goes on with it; `None` while it is not over.
    ///
    /// # Errors
    /// As [`Search::new`].
    pub fn pursue(&mut self, fuel: &mut Fuel) -> Result<Option<Findings>, StartError> {
        while !fuel.is_empty() {
            let divergence = match &mut self.stage {
                Stage::Compare(pair) => {
                    let comparison = pair.pursue(Grain::SyncPoints, self.budget, fuel, |advance| advance());
                    match comparison {
                        None => continue,
                        Some(comparison) if comparison.difference.is_none() => None,
                        Some(comparison) => {
                            let locate = Locate::new(*self.pair()?, comparison.compared, self.budget);
                            self.stage = Stage::Locate(Box::new(locate));
                            continue;
                        }
                    }
                }
                Stage::Locate(locate) => match locate.pursue(fuel) {
                    None => continue,
                    Some(divergence) => divergence,
                },
            };
            if self.over(divergence) {
                return Ok(Some(self.findings.clone()));
            }
            self.stage = Stage::Compare(self.pair()?);
        }
        Ok(None)
    }

    fn pair(&self) -> Result<Box<Pair>, StartError> {
        pair(&self.setup, self.mode, &self.hardware, self.engine)
    }

    /// Notes the next divergence, if there is one, and makes its row trap; whether there is nothing more to look for.
    fn over(&mut self, divergence: Option<Divergence>) -> bool {
        let findings = &mut self.findings;
        if let Some(last) = findings.holes.last_mut() {
            last.confirmed = divergence
                .as_ref()
                .is_none_or(|next| next.clock > last.divergence.clock);
        }
        let Some(divergence) = divergence else {
            findings.cured = true;
            return true;
        };
        findings.first.get_or_insert_with(|| divergence.clone());
        let stuck = findings.holes.last().is_some_and(|hole| !hole.confirmed);
        let hole = divergence.row.map(|row| (row, self.hardware.behaviour(row)));
        let Some((row, behaviour)) = hole.filter(|(row, _)| row.possible().contains(&Behaviour::Traps))
        else {
            return true;
        };
        if stuck || behaviour == Behaviour::Traps || findings.holes.len() == MOST {
            return true;
        }
        if self.hardware.set(row, Behaviour::Traps).is_err() {
            return true;
        }
        findings.holes.push(Hole {
            row,
            behaviour,
            divergence,
            confirmed: false,
        });
        false
    }
}

/// The bare machine, and a guest of this mode on hardware with this profile.
fn pair(
    setup: &Setup,
    mode: ModeName,
    hardware: &Profile,
    engine: EngineName,
) -> Result<Box<Pair>, StartError> {
    let bare = Run::new(setup, ModeName::Bare, engine)?;
    let (machine, monitor) = mode.build_on(setup, Arc::new(hardware.clone()))?;
    let guest = Run::with(mode, machine, monitor, engine)?;
    Ok(Box::new(Pair::with(bare, guest)))
}
