//! Every shipped scenario, on every profile, in every mode, held to the bare machine: to what its file expects, on its
//! own profile in the modes that it lists, and everywhere to what is foreseen. A new scenario, a new profile and a new
//! mode are covered without another line.

mod foreseen;

use foreseen::{Hardware, Reason};
use scenarios::{Listed, Scenario};
use toy_isa::profile::{Profile, ProfileName};
use vmm_core::check::equivalence::Grain;
use vmm_core::check::report::{Options, Report, compare};
use vmm_core::engine::EngineName;
use vmm_core::mode::{End, ModeName};
use vmm_core::price::PriceList;
use vmm_core::run::Run;

/// Guests of fewer attempts than this, or a quarter of it on other profiles than their own, are compared after every
/// instruction and on the reference engine too, and run in a real virtual machine.
const SMALL: u64 = 200_000;

fn shipped(name: &str) -> Scenario {
    Scenario::shipped(name).unwrap_or_else(|error| panic!("{}", error.render()))
}

/// How the guest ends on the bare machine, or where there is none for it, under pure emulation; and after how many
/// attempts.
fn bare(scenario: &Scenario, budget: u64) -> (End, u64) {
    let mode = match ModeName::Bare.runs_with(scenario.setup.image.registers) {
        true => ModeName::Bare,
        false => ModeName::Interpret,
    };
    let mut run = Run::new(&scenario.setup, mode, EngineName::Auto).expect("the image fits");
    (run.finish(budget), run.machine().attempts)
}

/// The mode, if this host has what it needs.
fn here(mode: ModeName) -> Option<ModeName> {
    match mode.missing() {
        None => Some(mode),
        Some(missing) => {
            accel::skipped(&format!("conformance in mode {mode}"), &missing);
            None
        }
    }
}

/// One scenario on one profile.
struct Case {
    scenario: Scenario,
    /// Whether it is the scenario's own profile.
    own: bool,
    /// How the guest ends on the bare machine.
    end: End,
    /// Attempts within which every mode that does the same is done.
    enough: u64,
    small: bool,
}

impl Case {
    fn new(listed: &Listed, profile: &Profile) -> Case {
        let mut scenario = shipped(&listed.name);
        let (end, attempts) = bare(&scenario, scenario.budget);
        let own = *scenario.setup.profile == *profile;
        scenario.set_profile(profile.clone());
        // Translated code needs more attempts for the same; what goes wrong may do so for ever.
        let mut enough = match end {
            End::Budget => scenario.budget,
            _ => 4 * attempts + 100_000,
        };
        let (end, _) = bare(&scenario, enough);
        if end == End::Budget {
            enough = enough.min(SMALL);
        }
        Case {
            scenario,
            own,
            end,
            enough,
            small: attempts < if own { SMALL } else { SMALL / 4 },
        }
    }

    /// The file's budget for what it lists, as everybody runs it.
    fn budget(&self, mode: ModeName) -> u64 {
        let listed = self.own && self.scenario.modes.contains(&mode);
        if listed { self.scenario.budget } else { self.enough }
    }

    /// The modes that start; and what is wrong with the others.
    fn modes(&self, hardware: &Hardware) -> (Vec<ModeName>, Vec<String>) {
        let setup = &self.scenario.setup;
        let (mut modes, mut wrong) = (Vec::new(), Vec::new());
        for mode in ModeName::ALL {
            match (mode.build(setup).err(), hardware.refusal(mode, setup)) {
                // Where each trip out of a virtual machine costs much, long guests take minutes.
                (None, None) if mode == ModeName::Kvm && !self.small => {}
                (None, None) => modes.extend(here(mode)),
                (found, expected) if found == expected => {}
                (found, expected) => wrong.push(format!("{mode} starts: {found:?}, not {expected:?}")),
            }
        }
        (modes, wrong)
    }

    fn run(&self, modes: &[ModeName], engine: EngineName, grain: Grain) -> Vec<Report> {
        let prices = PriceList::textbook();
        let options = |mode| Options {
            engine,
            budget: self.budget(mode),
            grain,
            prices: &prices,
            now: || 0,
        };
        let run =
            |mode: &ModeName| compare(&self.scenario.setup, &[*mode], options(*mode)).expect("it starts");
        modes.iter().flat_map(run).collect()
    }

    /// What is wrong with these runs, in sentences; and the modes in which something was lost to a hole.
    fn judge(&self, hardware: &Hardware, reports: &[Report], fell: &mut Vec<ModeName>) -> Vec<String> {
        let failures = self.scenario.failures(reports);
        let mut wrong: Vec<String> = failures.iter().map(ToString::to_string).collect();
        for report in reports {
            match hardware.account(&self.scenario.setup, report, self.budget(report.mode)) {
                Ok(Some(Reason::Hole)) => fell.push(report.mode),
                Ok(None) if report.mode != ModeName::Para && report.end != self.end => {
                    wrong.push(format!(
                        "{}: {}, but {} on the bare machine",
                        report.mode, report.end, self.end
                    ));
                }
                Ok(_) => {}
                Err(unforeseen) => wrong.push(format!("{}: {unforeseen}", report.mode)),
            }
        }
        wrong
    }
}

/// Runs these on this hardware. What is wrong, in sentences; and the modes that lost something to a hole.
fn run_on(hardware: &Hardware, scenarios: &[Listed]) -> (Vec<String>, Vec<ModeName>) {
    let profile = &hardware.profile;
    let (mut wrong, mut fell) = (Vec::new(), Vec::new());
    for listed in scenarios {
        let case = Case::new(listed, profile);
        let (modes, refused) = case.modes(hardware);
        let place = format!("{} on {}", listed.name, profile.describe());
        let mut note = |how: &str, all: Vec<String>| {
            wrong.extend(all.iter().map(|one| format!("{place}, {how}: {one}")));
        };
        note("at its start", refused);
        let reports = case.run(&modes, EngineName::Auto, Grain::SyncPoints);
        note("at sync points", case.judge(hardware, &reports, &mut fell));
        let engines = [EngineName::Auto, EngineName::Reference];
        // One instruction at a time, code does not run in a virtual machine.
        let modes: Vec<ModeName> = modes.into_iter().filter(|mode| *mode != ModeName::Kvm).collect();
        for engine in engines.into_iter().filter(|_| case.small) {
            let reports = case.run(&modes, engine, Grain::Lockstep);
            let how = format!("in lockstep, {}", engine.name());
            note(&how, case.judge(hardware, &reports, &mut fell));
        }
    }
    (wrong, fell)
}

/// Every guest on this profile: what is lost is foreseen, and what is foreseen happens to somebody.
fn conforms(name: ProfileName) {
    let hardware = Hardware::new(&Profile::new(name));
    let (wrong, fell) = run_on(&hardware, &scenarios::list());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for mode in ModeName::ALL.into_iter().filter_map(here) {
        assert_eq!(fell.contains(&mode), hardware.endangers(mode), "{mode}");
    }
}

#[test]
fn on_classic_nothing_is_lost() {
    conforms(ProfileName::Classic);
}

#[test]
fn on_leaky_what_is_lost_is_lost_to_its_holes() {
    conforms(ProfileName::Leaky);
}

#[test]
fn on_hybrid_what_is_lost_is_lost_to_its_hole() {
    conforms(ProfileName::Hybrid);
}

#[test]
fn on_assist_what_is_lost_is_lost_to_the_holes_that_it_shares_with_leaky() {
    conforms(ProfileName::Assist);
}

#[test]
fn on_machines_of_their_own_too() {
    for listed in scenarios::list() {
        let profile = shipped(&listed.name).setup.profile;
        let of_its_own = |name: &ProfileName| *profile != Profile::new(*name);
        if ProfileName::ALL.iter().all(of_its_own) {
            let (wrong, _) = run_on(&Hardware::new(&profile), &[listed]);
            assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        }
    }
}

#[test]
fn every_shipped_scenario_says_what_it_is_and_expects_something_in_every_mode() {
    for listed in scenarios::list() {
        let scenario = shipped(&listed.name);
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
