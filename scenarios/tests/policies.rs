//! The presets: each runs every guest that has a port, as a product would.

use scenarios::{Scenario, Variant};
use toy_isa::profile::Profile;
use vmm_core::check::equivalence::Grain;
use vmm_core::check::report::{Options, Report, compare};
use vmm_core::engine::EngineName;
use vmm_core::mode::ModeName;
use vmm_core::policy::{Method, Pages, Policy};
use vmm_core::price::PriceList;
use vmm_core::setup::Parts;

/// The guests that have a port of each of these parts.
fn ported(parts: Option<Parts>) -> Vec<String> {
    let variant = Variant {
        set: Vec::new(),
        parts: parts.or(Some(Parts::ALL)),
    };
    let names = scenarios::list().into_iter().map(|listed| listed.name);
    names
        .filter(|name| Scenario::find_with(name, &variant).is_ok())
        .collect()
}

fn run(policy: &Policy, scenario: &str) -> Report {
    let variant = Variant {
        set: Vec::new(),
        parts: policy.parts(),
    };
    let mut scenario =
        Scenario::find_with(scenario, &variant).unwrap_or_else(|error| panic!("{}", error.render()));
    scenario.set_profile(Profile::new(policy.machine));
    let options = Options {
        engine: EngineName::Auto,
        budget: scenario.budget,
        grain: Grain::SyncPoints,
        prices: &PriceList::textbook(),
        now: || 0,
    };
    let mode = policy.mode().expect("presets can be run");
    compare(&scenario.setup, &[mode], options)
        .expect("it fits")
        .remove(0)
}

fn shipped(name: &str) -> Policy {
    Policy::shipped(name).expect("it ships")
}

#[test]
fn every_preset_runs_every_guest_that_has_a_port_to_its_end() {
    for name in Policy::names() {
        let scenarios = ported(shipped(name).parts());
        assert!(scenarios.len() >= 8, "{scenarios:?}");
        for scenario in &scenarios {
            let report = run(&shipped(name), scenario);
            assert_eq!(report.exit_code(), Some(0), "{name} {scenario}: {}", report.end);
            for verdict in [&report.verdict.equivalence, &report.verdict.resource_control] {
                assert!(verdict.holds, "{name} {scenario}: {}", verdict.detail);
            }
        }
    }
}

#[test]
fn a_ported_driver_spares_what_it_takes_the_place_of() {
    for name in ["hyper-v", "xen-pvh"] {
        let policy = shipped(name);
        let plain = run(&policy.without(Method::Paravirtualization), "work-disk").counts;
        let ported = run(&policy, "work-disk").counts;
        assert!(
            plain.device_accesses > 100 && ported.device_accesses == 0,
            "{name}"
        );
        let (spared, made) = (plain.exits, ported.exits);
        assert!(made + 400 < spared, "{name}: {spared} exits, and {made}");
        assert!(ported.ring_requests > 0 && plain.ring_requests == 0, "{name}");
    }
}

/// A validated table costs a hypercall for a batch; a shadowed one, a trap for each store.
#[test]
fn a_kernel_on_shadows_makes_no_page_table_hypercalls_and_its_stores_trap() {
    let pvm = shipped("pvm");
    assert_eq!(pvm.mode().ok(), ModeName::from_name("trap:0/3/3"));
    let shadowed = run(&pvm, "work-forkwait").counts;
    let validated = run(&shipped("xen-pv"), "work-forkwait").counts;
    assert_eq!((shadowed.mmu_updates, validated.traced_writes), (0, 0));
    assert!(shadowed.traced_writes > 0 && validated.mmu_updates > 0);
    assert_eq!(
        shadowed.emulated.values().sum::<u64>(),
        0,
        "it has no sensitive instruction left"
    );
}

#[test]
fn the_two_layouts_of_a_ported_kernel_on_shadows_come_to_the_same() {
    let mut policy = shipped("pvm");
    policy.one_ring = false;
    assert_eq!(policy.pages, Pages::Shadow);
    let report = run(&policy, "guest-os");
    assert!(
        report.verdict.equivalence.holds,
        "{}",
        report.verdict.equivalence.detail
    );
}
