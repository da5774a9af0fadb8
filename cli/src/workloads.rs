//! The workloads that methods are compared with: run once, under every method, to be priced on every list.

use scenarios::{Scenario, Variant};
use toy_isa::profile::{Profile, ProfileName};
use vmm_core::engine::EngineName;
use vmm_core::fit::{Loop, Loops};
use vmm_core::mode::{End, ModeName};
use vmm_core::modes::assist::Paging;
use vmm_core::modes::translate::Scope;
use vmm_core::modes::trap::Layout;
use vmm_core::run::Run;
use vmm_core::tally::Tally;

use crate::exit_code::ExitCode;
use crate::failure::{Failure, OrFail};

pub(crate) const BARE: ModeName = ModeName::Bare;
pub(crate) const TRAP: ModeName = ModeName::Trap(Layout::RingDeprivileging);
pub(crate) const TRANSLATE: ModeName = ModeName::Translate(Scope::Kernel);
pub(crate) const CALLOUTS: ModeName = ModeName::Translate(Scope::Callouts);
pub(crate) const SHADOW: ModeName = ModeName::Assist(Paging::Shadow);
pub(crate) const NESTED: ModeName = ModeName::Assist(Paging::Nested);

/// The methods that are compared.
const MODES: [ModeName; 7] = [BARE, TRAP, TRANSLATE, CALLOUTS, SHADOW, NESTED, ModeName::Para];

/// A loop of a shipped scenario: its cost is that of a run of twice the turns beyond that of a run of the turns.
#[derive(Clone, Copy)]
pub(crate) struct Workload {
    /// The scenario.
    pub(crate) scenario: &'static str,
    /// Its `N`, for the shorter run.
    turns: u64,
}

const fn workload(scenario: &'static str, turns: u64) -> Workload {
    Workload { scenario, turns }
}

/// Whole workloads, on the guest's kernel.
pub(crate) const WHOLE: [Workload; 7] = [
    workload("work-compute", 20_000),
    workload("work-syscalls", 200),
    workload("work-forkwait", 30),
    workload("work-switch", 150),
    workload("work-disk", 20),
    workload("work-idle", 50),
    workload("work-server", 30),
];

/// Single operations, on a kernel that does nothing else.
pub(crate) const NANO: [Workload; 8] = [
    workload("nano-syscall", 500),
    workload("nano-in", 500),
    workload("nano-csrw", 500),
    workload("nano-call", 500),
    workload("nano-pgfault", 500),
    workload("nano-fault", 500),
    workload("nano-ptemod", 500),
    workload("nano-instret", 500),
];

/// Runs the loops of these workloads under every method that can run them.
pub(crate) fn run(workloads: &[Workload]) -> Result<Loops, Failure> {
    let run_all = |workload: &Workload| {
        let workload = *workload;
        move || one(workload)
    };
    // Each is a run of its own, so they can share the processors.
    let ran: Vec<Result<Loops, Failure>> = std::thread::scope(|scope| {
        let running: Vec<_> = workloads.iter().map(|one| scope.spawn(run_all(one))).collect();
        let panicked = |_| Err(Failure::new(ExitCode::Internal, "a run has panicked"));
        running
            .into_iter()
            .map(|run| run.join().unwrap_or_else(panicked))
            .collect()
    });
    let mut all = Loops::new();
    for loops in ran {
        all.extend(loops?);
    }
    Ok(all)
}

fn one(workload: Workload) -> Result<Loops, Failure> {
    let short = with_turns(workload, workload.turns)?;
    let long = with_turns(workload, 2 * workload.turns)?;
    let mut loops = Loops::new();
    for mode in MODES {
        if mode == ModeName::Para && short.setup.port.is_none() {
            continue;
        }
        let tally = tally(&long, mode)?.beyond(&tally(&short, mode)?);
        let turns = workload.turns;
        loops.insert((workload.scenario, mode.name()), Loop { turns, tally });
    }
    Ok(loops)
}

fn with_turns(workload: Workload, turns: u64) -> Result<Scenario, Failure> {
    let variant = Variant {
        set: vec![("N".to_string(), turns as i64)],
        parts: None,
    };
    let found = Scenario::find_with(workload.scenario, &variant);
    found.map_err(|error| Failure::bad_input(error.render()))
}

/// What a run of the scenario under a mode has to pay for. Where its machine lacks what the mode needs, it runs on one
/// of profile `assist`.
pub(crate) fn tally(scenario: &Scenario, mode: ModeName) -> Result<Tally, Failure> {
    let mut setup = scenario.setup.clone();
    if !mode.runs_on(&setup.profile) {
        setup.profile = Profile::new(ProfileName::Assist).into();
    }
    let what = || format!("cannot start '{}' in mode {mode}", scenario.name);
    // An engine that counts what the TLB does.
    let mut run = Run::new(&setup, mode, EngineName::Interpreter).or_bad_input(what)?;
    match run.finish(scenario.budget) {
        End::PowerOff(0) => Ok(Tally::of(&run.counts())),
        end => {
            let message = format!(
                "'{}' in mode {mode} did not go as it should: {end}",
                scenario.name
            );
            Err(Failure::new(ExitCode::NotAsExpected, message))
        }
    }
}
