//! Hardware assistance: every shipped scenario, on the profile that has it, does under it what it does on the bare
//! machine, with nested paging and with shadow tables.

use scenarios::Scenario;
use toy_isa::engine::EngineName;
use toy_isa::profile::{Profile, ProfileName};
use vmm_core::check::equivalence::Grain;
use vmm_core::check::report::{Options, Report, compare};
use vmm_core::mode::ModeName;
use vmm_core::modes::assist::Paging;
use vmm_core::price::PriceList;

const MODES: [ModeName; 2] = [ModeName::Assist(Paging::Nested), ModeName::Assist(Paging::Shadow)];

fn on_assist(name: &str) -> Scenario {
    let mut scenario = Scenario::shipped(name).unwrap_or_else(|error| panic!("{}", error.render()));
    scenario.set_profile(Profile::new(ProfileName::Assist));
    scenario
}

/// The shipped scenarios whose guests any monitor can run: those that trap-and-emulate runs too.
fn for_every_monitor() -> impl Iterator<Item = Scenario> {
    scenarios::list()
        .into_iter()
        .map(|listed| on_assist(&listed.name))
        .filter(|scenario| {
            let mut modes = scenario.modes.iter();
            modes.any(|mode| matches!(mode, ModeName::Trap(_)))
        })
}

fn run(scenario: &Scenario, engine: EngineName, grain: Grain, budget: u64) -> Vec<Report> {
    let prices = PriceList::textbook();
    let options = Options {
        engine,
        budget,
        grain,
        prices: &prices,
        now: || 0,
    };
    compare(&scenario.setup, &MODES, options).expect("the image fits")
}

/// What is broken, in sentences.
fn broken(name: &str, reports: &[Report]) -> Vec<String> {
    let verdicts = reports.iter().flat_map(|report| {
        let verdict = &report.verdict;
        let all = [
            &verdict.equivalence,
            &verdict.resource_control,
            &verdict.efficiency,
        ];
        all.map(|verdict| (report.mode, verdict))
    });
    verdicts
        .filter(|(_, verdict)| !verdict.holds)
        .map(|(mode, verdict)| format!("{name}, {mode}: {}", verdict.detail))
        .collect()
}

#[test]
fn every_shipped_scenario_keeps_the_three_properties() {
    let mut wrong = Vec::new();
    for scenario in for_every_monitor() {
        let reports = run(&scenario, EngineName::Auto, Grain::SyncPoints, scenario.budget);
        wrong.extend(broken(&scenario.name, &reports));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn in_lockstep_too_on_both_engines() {
    let mut wrong = Vec::new();
    for scenario in for_every_monitor() {
        for engine in [EngineName::Interpreter, EngineName::Reference] {
            let reports = run(&scenario, engine, Grain::Lockstep, 30_000);
            wrong.extend(broken(&scenario.name, &reports));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
