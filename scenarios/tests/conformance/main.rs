//! Every shipped scenario, in every mode that it lists, held to what it expects. A new scenario is covered
//! without another line.

use scenarios::Scenario;
use toy_isa::engine::EngineName;
use vmm_core::check::equivalence::Grain;
use vmm_core::check::report::{Options, compare};
use vmm_core::mode::ModeName;
use vmm_core::price::PriceList;
use vmm_core::run::Run;

/// Guests of fewer attempts than this are compared after every instruction, and on the reference engine too.
const SMALL: u64 = 200_000;

/// Everything that a scenario fails to meet, in sentences.
fn shortcomings(name: &str) -> Vec<String> {
    let scenario = Scenario::shipped(name).unwrap_or_else(|error| panic!("{}", error.render()));
    let mut bare = Run::new(&scenario.setup, ModeName::Bare, EngineName::Auto).expect("the image fits");
    bare.finish(scenario.budget);
    let runs: &[(EngineName, Grain)] = if bare.machine().attempts < SMALL {
        &[
            (EngineName::Auto, Grain::SyncPoints),
            (EngineName::Auto, Grain::Lockstep),
            (EngineName::Reference, Grain::Lockstep),
        ]
    } else {
        &[(EngineName::Auto, Grain::SyncPoints)]
    };
    let prices = PriceList::textbook();
    let mut shortcomings = Vec::new();
    for (engine, grain) in runs {
        let options = Options {
            engine: *engine,
            budget: scenario.budget,
            grain: *grain,
            prices: &prices,
            now: || 0,
        };
        let reports = compare(&scenario.setup, &scenario.modes_here(), options).expect("the image fits");
        let failures = scenario.failures(&reports);
        shortcomings.extend(
            failures
                .iter()
                .map(|failure| format!("{name}, {} {grain:?}, {failure}", engine.name())),
        );
    }
    shortcomings
}

#[test]
fn every_shipped_scenario_meets_its_expectations() {
    let shortcomings: Vec<String> = scenarios::list()
        .iter()
        .flat_map(|listed| shortcomings(&listed.name))
        .collect();
    assert!(shortcomings.is_empty(), "{}", shortcomings.join("\n"));
}

#[test]
fn every_shipped_scenario_says_what_it_is_and_expects_something_in_every_mode() {
    for listed in scenarios::list() {
        let scenario = Scenario::shipped(&listed.name).expect("checked above");
        assert_eq!(scenario.title, listed.title);
        assert!(
            !scenario.title.is_empty() && !scenario.about.is_empty(),
            "{}",
            listed.name
        );
        for mode in &scenario.modes {
            assert!(
                !scenario.expect.of(*mode).is_empty(),
                "{} expects nothing in {mode}",
                listed.name
            );
        }
    }
}
