//! Every kind of expectation can be met, and can fail with a sentence.

use std::fs;
use std::path::PathBuf;

use scenarios::expect::Expectation;
use scenarios::{Scenario, Variant};
use toy_isa::profile::{Profile, ProfileName};
use vmm_core::check::equivalence::Grain;
use vmm_core::check::report::{Options, Report, compare};
use vmm_core::engine::EngineName;
use vmm_core::price::PriceList;

const GUEST: &str = "_start: li a0, 42\n la t0, counter\n sw a0, 0(t0)\n li t1, 65\n out zero, t1\n\
     li t0, 48\n li a1, 3\n out t0, a1\n .data\ncounter: .word 0\n";

fn scenario(name: &str, expect: &str) -> Scenario {
    scenario_of(name, GUEST, expect)
}

/// A scenario of this guest; `expect` goes on in the table `[run]`.
fn scenario_of(name: &str, guest: &str, expect: &str) -> Scenario {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).expect("the temporary folder is ours");
    fs::write(folder.join("guest.s"), guest).expect("the temporary folder is ours");
    let toml = format!(
        "title = \"t\"\n[guest]\nsources = [\"guest.s\"]\n[run]\nmodes = [\"bare\", \"trap\"]\n{expect}"
    );
    fs::write(folder.join("scenario.toml"), toml).expect("the temporary folder is ours");
    Scenario::load(&folder).unwrap_or_else(|error| panic!("{}", error.render()))
}

fn reports(scenario: &Scenario) -> Vec<Report> {
    let prices = PriceList::textbook();
    let options = Options {
        engine: EngineName::Auto,
        budget: scenario.budget,
        grain: Grain::Lockstep,
        prices: &prices,
        now: || 0,
    };
    compare(&scenario.setup, &scenario.modes_here(), options).expect("the image fits")
}

fn failures(name: &str, expect: &str) -> Vec<String> {
    let scenario = scenario(name, expect);
    scenario
        .failures(&reports(&scenario))
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn what_is_so_is_met() {
    let expect = "[expect]\nexit_code = 3\nconsole = \"A\"\nconsole_contains = [\"A\", \"\"]\n\
        registers = { a0 = 42, a1 = 3, pc = 0x1024, zero = 0 }\n\
        memory = { counter = 42, \"0x2000\" = 42, 8192 = 42 }\n\
        counts = { retired = { min = 5, max = 20 }, device_accesses = { max = 0 } }\n\
        verdict = { equivalence = true, resource_control = true, efficiency = true, holes = [] }\n\
        [expect.mode.bare]\ncounts.exits = 0\nverdict.resource_control = false";
    assert_eq!(failures("met", expect), Vec::<String>::new());
    assert_eq!(failures("nothing", ""), Vec::<String>::new());
}

#[test]
fn what_is_not_so_is_told_in_a_sentence() {
    let expect = "[expect]\nexit_code = 4\nconsole = \"A\\u001b\"\nconsole_contains = [\"B\"]\n\
        registers.a0 = -1\n\
        memory.counter = 7\ncounts.retired = 1\nverdict.equivalence = false\n\
        verdict.holes = [\"csrr tvec\"]\n[expect.mode.bare]\nend = \"deadlock\"";
    let failures = failures("failed", expect);
    let bare: Vec<&str> = failures
        .iter()
        .filter_map(|one| one.strip_prefix("in mode bare, "))
        .collect();
    assert_eq!(
        bare,
        [
            "the console output, equal up to byte 1: expected ...\"\\x1b\", found ...\"\"",
            "the console output: expected it to contain \"B\", found only \"A\"",
            "register a0: expected 4,294,967,295 (0xffffffff), found 42 (0x2a)",
            "the word of memory at counter (0x2000): expected 7 (0x7), found 42 (0x2a)",
            "the count 'retired': expected 1, found 9",
            "the end of the guest: expected a deadlock, found a power-off with exit code 3",
        ]
    );
    let trap: Vec<&str> = failures
        .iter()
        .filter_map(|one| one.strip_prefix("in mode trap, "))
        .collect();
    assert_eq!(trap[0], "the exit code: expected 4, found 3");
    assert!(
        trap[6].starts_with("equivalence: expected no, found yes: equal at "),
        "{}",
        trap[6]
    );
    assert_eq!(trap[7], "the holes: expected csrr tvec, found none");
    assert_eq!(trap.len(), 8);
}

#[test]
fn another_profile_takes_the_expectations_away() {
    let mut scenario = scenario("profile", "[expect]\nexit_code = 9");
    scenario.set_profile(Profile::new(ProfileName::Classic));
    assert_eq!(
        scenario.failures(&reports(&scenario)).len(),
        2,
        "it is the profile that it has"
    );
    scenario.set_profile(Profile::new(ProfileName::Leaky));
    assert_eq!(scenario.failures(&reports(&scenario)), []);
    assert_eq!(*scenario.setup.profile, Profile::new(ProfileName::Leaky));
}

#[test]
fn every_unexpected_end_has_words_of_its_own() {
    // The guest of these tests ends by itself; one that waits, one that loses its handler and one that loops do not.
    let ends = [
        ("power-off", GUEST, "a power-off with exit code 3"),
        ("deadlock", "_start: wfi\n", "a deadlock"),
        (
            "double-fault",
            "_start: li t0, -4096\n csrw tvec, t0\n ecall\n",
            "a double fault (fetch access fault at 0xfffff000)",
        ),
        ("budget", "_start: j _start\n", "none within the budget"),
    ];
    for (name, guest, found) in ends {
        for (other, _, _) in ends.iter().filter(|(other, _, _)| *other != name) {
            let expect = format!("budget = 1000\n[expect]\nend = \"{other}\"");
            let scenario = scenario_of(&format!("{name}-{other}"), guest, &expect);
            let failures = scenario.failures(&reports(&scenario));
            assert_eq!(failures.len(), 2, "{name} for {other}");
            assert!(failures.iter().all(|one| one.found == found), "{failures:?}");
        }
    }
    let scenario = scenario_of("budget-code", ends[3].1, "budget = 1000\n[expect]\nexit_code = 0");
    assert_eq!(
        scenario.failures(&reports(&scenario))[0].to_string(),
        "in mode bare, the end of the guest: expected a power-off with exit code 0, found none within the budget"
    );
}

#[test]
fn a_symbol_of_another_value_takes_counts_away_and_nothing_else() {
    let set = |symbols: Vec<(String, i64)>| {
        let variant = Variant {
            set: symbols,
            parts: None,
        };
        Scenario::find_with("ring-compression", &variant).expect("it ships")
    };
    let counts = |scenario: &Scenario| {
        let all = scenario.expect.of_mode.iter().flat_map(|(_, own)| own);
        all.filter(|one| matches!(one, Expectation::Count(..))).count()
    };
    let (own, other) = (set(Vec::new()), set(vec![("N".to_string(), 7)]));
    assert!(counts(&own) > 0 && own.unchecked.is_none());
    assert_eq!(counts(&other), 0);
    assert_eq!(
        other.expect.all, own.expect.all,
        "the end and the properties stay"
    );
    let unchecked = other.unchecked.expect("it is told");
    assert!(unchecked.contains("counts"), "{unchecked}");
}

#[test]
fn another_budget_takes_away_what_it_can_change() {
    let expect = "budget = 1000\n[expect]\nend = \"budget\"\ncounts.retired = { min = 900 }\n\
        verdict = { equivalence = true }\n[expect.mode.bare]\nregisters.a0 = 1\n\
        [expect.mode.trap]\nverdict = { efficiency = false }";
    let loops = "_start: li a0, 1\n j _start\n";
    let mut scenario = scenario_of("another-budget", loops, expect);
    scenario.set_budget(1000);
    assert_eq!(scenario.unchecked, None, "it is the budget that it has");
    scenario.set_budget(10);
    assert_eq!(scenario.failures(&reports(&scenario)), []);
    assert!(
        scenario
            .unchecked
            .is_some_and(|what| what.contains("its own budget, 1,000"))
    );

    let mut cut_off = self::scenario("cut-off", "[expect]\nexit_code = 3\nconsole = \"A\"");
    cut_off.set_budget(3);
    let failures = cut_off.failures(&reports(&cut_off));
    assert_eq!(failures.len(), 2, "{failures:?}");
    assert!(failures.iter().all(|one| one.what == "the end of the guest"));
}

#[test]
fn the_json_schema_knows_every_key() {
    let schema = scenarios::json_schema().to_string();
    for key in [
        "title",
        "memory",
        "rows",
        "defines",
        "budget",
        "console_contains",
        "resource_control",
        "holes",
        "trap:0/3/3",
    ] {
        assert!(schema.contains(&format!("\"{key}\"")), "{key}");
    }
    assert!(schema.contains("\"additionalProperties\":false"));
}

/// The example in the README is a good scenario, but for the files that it names.
#[test]
fn the_example_in_the_readme_is_a_scenario() {
    let readme = include_str!("../README.md");
    let example = readme
        .split("```toml\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .expect("it has one");
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("readme");
    fs::create_dir_all(&folder).expect("the temporary folder is ours");
    for (name, contents) in [
        ("scenario.toml", example),
        ("boot.s", GUEST),
        ("user.s", ""),
        ("disk.txt", ""),
    ] {
        fs::write(folder.join(name), contents).expect("the temporary folder is ours");
    }
    let scenario = Scenario::load(&folder).unwrap_or_else(|error| panic!("{}", error.render()));
    assert_eq!(scenario.setup.memory, 4 << 20);
    assert!(
        scenarios::list()
            .iter()
            .all(|listed| readme.contains(&format!("`{}`", listed.name))),
        "a scenario is missing"
    );
}
