//! Crowds: the shipped one under every method, and what a scenario can say of one.

mod common;

use common::{Folder, GOOD};
use scenarios::{Crowd, Scenario};
use toy_isa::profile::{Profile, ProfileName};
use vmm_core::check::crowd::{self, CrowdReport, Options};
use vmm_core::engine::EngineName;
use vmm_core::mode::{End, ModeName};

fn run(scenario: &Scenario, mode: ModeName) -> CrowdReport {
    let options = Options {
        mode,
        engine: EngineName::Auto,
        exit_fuel: scenario.crowd.exit_fuel,
        budget: scenario.budget,
        fuel: u64::MAX,
        now: || 0,
    };
    crowd::run(&scenario.members(), options).expect("they fit")
}

/// Eight guests in place of 64: `trapeze crowd` runs them all.
#[test]
fn the_shipped_crowd_has_its_shares_under_every_method() {
    let mut scenario = Scenario::shipped("tenant").expect("it is shipped");
    assert_eq!(scenario.members().members.len(), 64);
    scenario.crowd.guests = 6;
    let modes = scenario.modes.clone();
    for mode in modes.into_iter().filter(|mode| *mode != ModeName::Bare) {
        let mut scenario = scenario.clone();
        if !mode.runs_on(&scenario.setup.profile) {
            scenario.set_profile(Profile::new(ProfileName::Assist));
        }
        let report = run(&scenario, mode);
        let shares = report.shares.as_ref().expect("they run long enough");
        for verdict in [shares, &report.alone, &report.isolation] {
            assert!(verdict.holds, "{mode}: {}", verdict.detail);
        }
        let ends = |name| {
            let guests = report.guests.iter();
            guests
                .filter(move |guest| guest.name == name)
                .map(|guest| guest.end)
        };
        assert!(ends("tenant").eq([End::PowerOff(0); 6]), "{mode}");
        assert!(
            ends("loop").chain(ends("trap-loop")).eq([End::Budget; 2]),
            "{mode}"
        );
    }
}

#[test]
fn a_crowd_is_what_its_scenario_says() {
    let folder = Folder::new("crowd");
    std::fs::create_dir_all(folder.0.join("other")).expect("the temporary folder is ours");
    folder.write("other/guest.s", b"_start: j _start\n");
    // Its own crowd is not looked at, so that two scenarios can name each other.
    let other = "[machine]\nprofile = \"leaky\"\n[crowd]\nguests = 3\nbeside = [\"..\"]\n";
    folder.write("other/scenario.toml", format!("{GOOD}{other}").as_bytes());
    let of = |more: &str| {
        folder.write("scenario.toml", format!("{GOOD}{more}").as_bytes());
        Scenario::load(&folder.0).unwrap_or_else(|error| panic!("{}", error.render()))
    };
    let plain = of("").members();
    assert_eq!(plain.kinds.len(), 1);
    assert_eq!(plain.members, [(0, 1)].repeat(Crowd::DEFAULT_GUESTS as usize));
    let scenario = of("[crowd]\nguests = 2\nweights = [3, 5]\nbeside = [\"other\"]\nexit_fuel = 7\n");
    let crowd = scenario.members();
    assert_eq!(scenario.crowd.exit_fuel, 7);
    assert_eq!(crowd.members, [(0, 3), (0, 5), (1, 3)]);
    assert_eq!(crowd.kinds[1].0, "other");
    assert_eq!(
        crowd.kinds[1].1.profile, scenario.setup.profile,
        "they share a machine"
    );
}
