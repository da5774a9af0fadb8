//! On a machine without holes, a guest that looks for its monitor finds none, by whatever method it runs.

use scenarios::Scenario;
use toy_isa::profile::{Profile, ProfileName};
use vmm_core::engine::EngineName;
use vmm_core::mode::{End, ModeName};
use vmm_core::run::Run;

#[test]
fn on_classic_the_guest_finds_nothing() {
    let mut scenario = Scenario::shipped("can-it-tell").expect("it ships");
    scenario.set_profile(Profile::new(ProfileName::Classic));
    let modes = ModeName::ALL.into_iter().filter(|mode| mode.missing().is_none());
    for mode in modes.filter(|mode| mode.runs_on(&scenario.setup.profile) && *mode != ModeName::Para) {
        let mut run = Run::new(&scenario.setup, mode, EngineName::Auto).expect("it starts");
        assert_eq!(run.finish(scenario.budget), End::PowerOff(0), "{mode}");
    }
}
