//! A check that is done in slices comes to what it comes to at once.

use scenarios::Scenario;
use toy_isa::profile::{Profile, ProfileName};
use vmm_core::check::checked::{Checked, Judged, Pursued, Terms};
use vmm_core::check::equivalence::Grain;
use vmm_core::check::fuel::Fuel;
use vmm_core::engine::EngineName;
use vmm_core::mode::ModeName;

fn checked(scenario: &Scenario, mode: ModeName, grain: Grain) -> Checked {
    let terms = Terms {
        engine: EngineName::Auto,
        budget: scenario.budget.min(2_000_000),
        grain,
        now: || 0,
    };
    Checked::new(&scenario.setup, mode, terms).expect("the mode runs the guest")
}

/// Everything that a person is told of it.
fn told(judged: &Judged) -> String {
    let Judged {
        end,
        compared,
        verdict,
        findings,
        run,
        ..
    } = judged;
    let console = run.guest().devices.console.output();
    format!(
        "{end} {compared}\n{verdict:#?}\n{findings:#?}\n{:#?}\n{console:?}",
        run.counts()
    )
}

#[test]
fn slices_come_to_the_same() {
    for (name, profile, mode, fuel) in [
        ("guest-os", ProfileName::Classic, "trap", 1_000),
        ("guest-os", ProfileName::Leaky, "trap:0/3/3", 300),
        ("guest-os", ProfileName::Classic, "translate", 5_000),
        ("guest-os", ProfileName::Classic, "para", 100_000),
        ("guest-os", ProfileName::Classic, "jit", 3_000),
        ("guest-os", ProfileName::Hybrid, "hybrid", 20_000),
        ("guest-os", ProfileName::Assist, "assist", 10_000),
        ("popf", ProfileName::Leaky, "trap", 100),
        ("popf-takes-effect", ProfileName::Classic, "trap", 20),
        ("red-pill", ProfileName::Leaky, "translate", 50),
        ("relocation", ProfileName::Classic, "hundred", 50),
        ("foreign", ProfileName::Classic, "interpret", 3_000),
        ("loop", ProfileName::Classic, "trap", 150_000),
    ] {
        let mode = ModeName::from_name(mode).expect("a mode");
        if let Some(missing) = mode.missing() {
            accel::skipped(&format!("slices of mode {mode}"), &missing);
            continue;
        }
        let mut scenario = Scenario::shipped(name).expect("it ships");
        if scenario.setup.profile.base() != profile {
            scenario.set_profile(Profile::new(profile));
        }
        let whole = checked(&scenario, mode, Grain::SyncPoints).finish();
        let whole = told(&whole.expect("as before"));
        let mut part = checked(&scenario, mode, Grain::SyncPoints);
        let mut slices = 0;
        let parts = loop {
            let before = part.progress();
            part = match part.pursue(&mut Fuel::new(fuel)).expect("as before") {
                Pursued::Working(part) => *part,
                Pursued::Over(judged) => break told(&judged),
            };
            slices += 1;
            let after = part.progress();
            if before.doing == after.doing {
                // A monitor is not interrupted, but it never has more than this to do at once.
                let most = fuel + 2 * 65_536;
                assert!(after.attempts - before.attempts <= most, "{name} under {mode}");
            }
        };
        assert!(slices > 1, "{name} under {mode}: {slices} slices");
        assert_eq!(parts, whole, "{name} under {mode}");
    }
}

#[test]
fn so_do_slices_in_lockstep() {
    let scenario = Scenario::shipped("popf").expect("it ships");
    let mode = ModeName::from_name("trap").expect("a mode");
    let whole = checked(&scenario, mode, Grain::Lockstep).finish();
    let mut part = checked(&scenario, mode, Grain::Lockstep);
    let parts = loop {
        part = match part.pursue(&mut Fuel::new(1)).expect("as before") {
            Pursued::Working(part) => *part,
            Pursued::Over(judged) => break told(&judged),
        };
    };
    assert_eq!(parts, told(&whole.expect("as before")));
}
