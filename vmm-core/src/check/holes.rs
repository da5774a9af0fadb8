//! Naming the guilty instruction, and confirming it.
//!
//! A divergence names the instruction after which the states part. If its row does not trap outside ring 0, the
//! finding is *confirmed* by a rerun on hardware on which only that row traps: the divergence must vanish, or move
//! later. Repeated, this lists every hole that the guest falls into.

use std::sync::Arc;

use toy_isa::profile::{Behaviour, Profile};
use toy_isa::row::Row;
use toy_isa::table::Op;

use crate::check::equivalence::{Divergence, Grain, Pair, locate};
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

/// Lists the holes through which a guest of `mode` differs from the bare machine.
///
/// # Errors
/// If the image does not fit the machine.
pub fn find(setup: &Setup, mode: ModeName, engine: EngineName, budget: u64) -> Result<Findings, StartError> {
    let mut hardware = (*setup.profile).clone();
    let mut findings = Findings {
        first: None,
        holes: Vec::new(),
        cured: false,
    };
    loop {
        let divergence = first_divergence(setup, mode, &hardware, engine, budget)?;
        if let Some(last) = findings.holes.last_mut() {
            last.confirmed = divergence
                .as_ref()
                .is_none_or(|next| next.clock > last.divergence.clock);
        }
        let Some(divergence) = divergence else {
            findings.cured = true;
            return Ok(findings);
        };
        findings.first.get_or_insert_with(|| divergence.clone());
        let stuck = findings.holes.last().is_some_and(|hole| !hole.confirmed);
        let hole = divergence.row.map(|row| (row, hardware.behaviour(row)));
        let Some((row, behaviour)) = hole.filter(|(row, _)| row.possible().contains(&Behaviour::Traps))
        else {
            return Ok(findings);
        };
        if stuck || behaviour == Behaviour::Traps || findings.holes.len() == MOST {
            return Ok(findings);
        }
        if hardware.set(row, Behaviour::Traps).is_err() {
            return Ok(findings);
        }
        findings.holes.push(Hole {
            row,
            behaviour,
            divergence,
            confirmed: false,
        });
    }
}

/// The first divergence on hardware with this profile. The guest, and the bare machine that it is compared with,
/// keep the profile of the setup.
fn first_divergence(
    setup: &Setup,
    mode: ModeName,
    hardware: &Profile,
    engine: EngineName,
    budget: u64,
) -> Result<Option<Divergence>, StartError> {
    let pair = || -> Result<Pair, StartError> {
        let bare = Run::new(setup, ModeName::Bare, engine)?;
        let (machine, monitor) = mode.build_on(setup, Arc::new(hardware.clone()))?;
        let guest = Run::with(mode, machine, monitor, engine);
        Ok(Pair::with(bare, guest?))
    };
    let comparison = pair()?.compare(Grain::SyncPoints, budget, |advance| advance());
    match comparison.difference {
        None => Ok(None),
        Some(_) => Ok(locate(pair()?, comparison.compared, budget)),
    }
}
