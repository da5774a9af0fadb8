//! What is to be expected of a mode on a profile, computed: the properties hold, unless the guest fell into a hole that
//! the classifier finds on that hardware, in a ring that the mode runs directly.

use std::sync::Arc;

use toy_isa::profile::{Behaviour, Profile, ProfileName};
use toy_isa::root::Exits;
use toy_isa::row::Row;
use vmm_core::check::equivalence::{Grain, Pair};
use vmm_core::check::holes::{Findings, Hole};
use vmm_core::check::report::Report;
use vmm_core::check::resource;
use vmm_core::classify::observe::{Sensitivity, Virtual};
use vmm_core::classify::part::Reading;
use vmm_core::classify::{RowReport, ring32_rows};
use vmm_core::engine::EngineName;
use vmm_core::mode::ModeName;
use vmm_core::modes::translate::Scope;
use vmm_core::modes::trap::Layout;
use vmm_core::run::Run;
use vmm_core::setup::{Setup, StartError};

/// Whom a hole may concern.
const ANYBODY: [Virtual; 2] = [Virtual::Supervisor, Virtual::User];

/// Why a property is lost, when that is as it should be. Each was confirmed by a run in which the reason is taken away
/// and nothing is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The guest fell into holes of the hardware.
    Hole,
    /// It is a monitor itself, and the virtual machine has no root operation (ADR 6).
    NoRootOperation,
    /// The scenario takes an exit away from the monitor.
    ExitTakenAway,
}

/// Attempts after which a guest that gets nowhere has shown that it does.
const SOON: u64 = 100_000;

/// What a monitor has to run on.
pub(crate) struct Hardware {
    pub(crate) profile: Profile,
    rows: Vec<RowReport>,
}

impl Hardware {
    pub(crate) fn new(profile: &Profile) -> Hardware {
        Hardware {
            profile: profile.clone(),
            rows: ring32_rows(profile, Row::all()).rows,
        }
    }

    /// Why a guest cannot be started in this mode; `None` if it must start.
    pub(crate) fn refusal(&self, mode: ModeName, setup: &Setup) -> Option<StartError> {
        match mode {
            _ if !mode.runs_with(setup.image.registers) => Some(StartError::Foreign),
            ModeName::Assist(_) | ModeName::Kvm if self.profile.base() != ProfileName::Assist => {
                Some(StartError::NoRootOperation(self.profile.describe()))
            }
            ModeName::Para if setup.port.is_none() => Some(StartError::NoPort),
            _ => mode.missing(),
        }
    }

    /// By what the row is sensitive to the guest's kernel or to its programs where this mode runs them directly and the
    /// hardware executes it.
    fn hole(&self, mode: ModeName, who: Virtual, row: Row) -> Sensitivity {
        let report = self.rows.iter().find(|report| report.row == row);
        let observed = &report.expect("every row was observed").observed;
        match directly(mode, who) {
            Some((layout, ring)) if observed.executed[ring] > 0 => {
                observed.sensitivity(layout, Reading::Extended, who)
            }
            _ => Sensitivity::default(),
        }
    }

    /// Whether a guest can lose something in this mode.
    pub(crate) fn endangers(&self, mode: ModeName) -> bool {
        let endangers = |row| ANYBODY.iter().any(|who| self.hole(mode, *who, row).any());
        Row::all().any(endangers)
    }

    /// Why this run has lost a property; `None` if it has not.
    ///
    /// # Errors
    /// In a sentence, if that is nothing to be expected.
    pub(crate) fn account(
        &self,
        setup: &Setup,
        report: &Report,
        budget: u64,
    ) -> Result<Option<Reason>, String> {
        let mode = report.mode;
        let (equal, control) = (&report.verdict.equivalence, &report.verdict.resource_control);
        // Of a guest for which there is no hardware nobody can tell.
        let equal_or_unknown =
            equal.holds || !equal.known && !ModeName::Bare.runs_with(setup.image.registers);
        if mode == ModeName::Bare || equal_or_unknown && control.holds {
            return Ok(None);
        }
        if matches!(mode, ModeName::Assist(_) | ModeName::Kvm) && setup.no_exits != Exits::default() {
            let mut whole = setup.clone();
            whole.no_exits = Exits::default();
            keeps(&whole, &whole, mode, &self.profile, budget)?;
            return Ok(Some(Reason::ExitTakenAway));
        }
        if !equal.holds {
            let findings = report.findings.as_ref().ok_or_else(|| equal.detail.clone())?;
            if findings.lacks_root_operation() {
                let mut without = setup.clone();
                without.profile = Arc::new(without_root_operation(&self.profile));
                keeps(&without, setup, mode, &self.profile, budget.min(SOON))?;
                return Ok(Some(Reason::NoRootOperation));
            }
            if !self.explains(mode, findings) {
                return Err(equal.detail.clone());
            }
        }
        if !control.holds {
            let seized = report.last.machine().board.observer.seized;
            let row = seized.filter(|row| ANYBODY.iter().any(|who| self.hole(mode, *who, *row).control));
            let row = row.ok_or_else(|| control.detail.clone())?;
            let mut trapping = self.profile.clone();
            trapping.set(row, Behaviour::Traps).expect("a hole can trap");
            keeps(setup, setup, mode, &trapping, budget)?;
        }
        Ok(Some(Reason::Hole))
    }

    /// Whether all that was found are holes, for those who fell into them, and there is nothing else.
    fn explains(&self, mode: ModeName, findings: &Findings) -> bool {
        let foreseen = |hole: &Hole| {
            let who = match hole.divergence.ring {
                3 => Virtual::User,
                _ => Virtual::Supervisor,
            };
            hole.confirmed && self.hole(mode, who, hole.row).any()
        };
        findings.cured && findings.holes.iter().all(foreseen)
    }
}

/// The layout and the real ring in which a mode leaves the guest's kernel, or its programs, to the hardware as they
/// are; `None` where it does not. Nor does hardware assistance, where what is sensitive acts on the guest's own control
/// state. A port has no sensitive instruction, so nothing is foreseen for it.
fn directly(mode: ModeName, who: Virtual) -> Option<(Layout, usize)> {
    let deprivileged = Some(match who {
        Virtual::Supervisor => (Layout::RingDeprivileging, 1),
        Virtual::User => (Layout::RingDeprivileging, 3),
    });
    match mode {
        ModeName::Trap(Layout::RingCompression) => Some((Layout::RingCompression, 3)),
        ModeName::Trap(Layout::RingDeprivileging) | ModeName::Hundred => deprivileged,
        ModeName::Hybrid | ModeName::Translate(Scope::Kernel | Scope::Callouts) => {
            deprivileged.filter(|_| who == Virtual::User)
        }
        ModeName::Bare | ModeName::Interpret | ModeName::Jit | ModeName::Translate(Scope::Everything) => None,
        ModeName::Para | ModeName::Assist(_) | ModeName::Kvm => None,
    }
}

/// The same machine without root operation.
fn without_root_operation(profile: &Profile) -> Profile {
    let mut without = Profile::new(ProfileName::Leaky);
    for row in Row::all() {
        if without.behaviour(row) != profile.behaviour(row) {
            without
                .set(row, profile.behaviour(row))
                .expect("it does so on the other profile");
        }
    }
    without
}

/// Runs a guest of `setup` on this hardware again, beside the `bare` machine: it must keep what it had lost.
///
/// # Errors
/// In a sentence, if it does not.
fn keeps(bare: &Setup, setup: &Setup, mode: ModeName, hardware: &Profile, budget: u64) -> Result<(), String> {
    let start = |mode: ModeName, setup, hardware| {
        let (machine, monitor) = mode.build_on(setup, hardware).expect("it fits, as before");
        Run::with(mode, machine, monitor, EngineName::Auto).expect("the mode has run here before")
    };
    let bare = start(ModeName::Bare, bare, Arc::clone(&bare.profile));
    let mut pair = Pair::with(bare, start(mode, setup, Arc::new(hardware.clone())));
    resource::guard(&mut pair.guest);
    let comparison = pair.compare(Grain::SyncPoints, budget, |advance| advance());
    let control = resource::judge(&pair.guest);
    match comparison.difference {
        None if control.holds => Ok(()),
        None => Err(format!("still, {}", control.detail)),
        Some(difference) => Err(format!("still, {difference:?}")),
    }
}
