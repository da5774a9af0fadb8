//! A guest of another instruction set: pure emulation runs it, every other mode refuses, and nobody claims to have
//! compared it with anything.

mod common;

use std::path::PathBuf;

use common::{Folder, GOOD, elf};
use scenarios::Scenario;
use scenarios::expect::{Expectation, Property};
use toy_isa::image::Image;
use toy_isa::instruction::{Registers, decode};
use toy_isa::profile::{Profile, ProfileName};
use vmm_core::check::equivalence::{Grain, Pair};
use vmm_core::check::report::{Options, Report, compare};
use vmm_core::engine::EngineName;
use vmm_core::mode::{End, ModeName};
use vmm_core::price::PriceList;
use vmm_core::run::Run;
use vmm_core::setup::StartError;
use vmm_core::userland;

fn foreign() -> Scenario {
    Scenario::shipped("foreign").unwrap_or_else(|error| panic!("{}", error.render()))
}

fn report(scenario: &Scenario, grain: Grain) -> Report {
    let options = Options {
        engine: EngineName::Auto,
        budget: scenario.budget,
        grain,
        prices: &PriceList::textbook(),
        now: || 0,
    };
    let reports = compare(&scenario.setup, &[ModeName::Interpret], options);
    reports.expect("the image fits").remove(0)
}

#[test]
fn one_program_prints_the_same_on_both_processors() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("c/images/chacha.elf");
    let native = Image::from_elf(&std::fs::read(path).expect("it ships")).expect("an executable");
    assert_eq!(native.registers, Registers::Sixteen);
    let options = userland::Options {
        engine: EngineName::Auto,
        budget: 100_000_000,
        paging: false,
        memory: 1 << 20,
        arguments: Vec::new(),
    };
    let mut printed = Vec::new();
    let outcome = userland::run(&native, &options, &mut |bytes| printed.extend_from_slice(bytes));
    let outcome = outcome.expect("it fits");
    assert_eq!(outcome.ending, userland::Ending::Exited(0));

    let foreign = report(&foreign(), Grain::SyncPoints);
    assert_eq!(foreign.end, End::PowerOff(0));
    assert_eq!(
        String::from_utf8_lossy(&foreign.console),
        String::from_utf8_lossy(&printed)
    );
    // What twice as many registers are good for.
    assert!(
        outcome.retired * 2 > foreign.retired * 3,
        "{} {}",
        outcome.retired,
        foreign.retired
    );
}

/// Most instructions of the block function name a register that Ring32 does not have.
#[test]
fn the_program_really_uses_the_upper_half() {
    let scenario = foreign();
    let image = &scenario.setup.image;
    let block = image.symbol("block").expect("the function");
    let words = (block.address..block.address + block.size)
        .step_by(4)
        .map(|address| image.word(address).expect("it is in the image"));
    let words: Vec<u32> = words.collect();
    let upper = words
        .iter()
        .filter(|word| decode(**word, Registers::Sixteen).is_none());
    assert!(
        words
            .iter()
            .all(|word| decode(*word, Registers::ThirtyTwo).is_some())
    );
    assert!(
        upper.clone().count() * 2 > words.len(),
        "{} of {}",
        upper.count(),
        words.len()
    );

    let last = report(&scenario, Grain::SyncPoints).last;
    let x = last.guest().hart.x;
    assert!(x[16..].iter().filter(|value| **value != 0).count() > 2, "{x:x?}");
}

#[test]
fn every_mode_that_runs_guests_on_the_hardware_refuses() {
    let mut setup = foreign().setup;
    // The only profile that has what every mode needs.
    setup.profile = Profile::new(ProfileName::Assist).into();
    let others: Vec<ModeName> = ModeName::ALL
        .into_iter()
        .filter(|mode| *mode != ModeName::Interpret)
        .collect();
    assert!(others.contains(&ModeName::Bare));
    for mode in others {
        let refused = Run::new(&setup, mode, EngineName::Auto).err();
        assert_eq!(refused, Some(StartError::Foreign), "{mode}");
        let pair = Pair::new(&setup, mode, EngineName::Auto).err();
        assert_eq!(pair, Some(StartError::Foreign), "{mode}");
    }
    let message = StartError::Foreign.to_string();
    for part in [
        "32 registers",
        "has 16",
        "--mode interpret",
        "-march=rv32em -mabi=ilp32e",
    ] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn nobody_claims_to_have_compared_it() {
    for grain in [Grain::SyncPoints, Grain::Lockstep] {
        let report = report(&foreign(), grain);
        let equivalence = &report.verdict.equivalence;
        assert_eq!((equivalence.answer(), equivalence.holds), (None, false));
        assert!(
            equivalence.detail.starts_with("not compared"),
            "{}",
            equivalence.detail
        );
        assert_eq!((report.slowdown, report.compared), (None, 0));
        let json = serde_json::to_value(&report).expect("a report is always JSON");
        assert!(json["verdict"]["equivalence"]["holds"].is_null(), "{json}");
        assert!(json["slowdown"].is_null(), "{json}");
        assert_eq!(json["verdict"]["resource_control"]["holds"], true);
        // Neither answer is one that a scenario could expect.
        for expected in [true, false] {
            let failure = Expectation::Holds(Property::Equivalence, expected).failure(&report);
            let failure = failure.expect("there is no verdict");
            assert!(failure.found.starts_with("no verdict: not compared"), "{failure}");
        }
    }
}

#[test]
fn a_file_can_only_ask_for_what_such_a_guest_can_do() {
    let folder = Folder::new("foreign");
    let mut image = Image::from_elf(&elf()).expect("a good file");
    image.registers = Registers::ThirtyTwo;
    folder.write("guest.elf", &image.to_elf());
    let head = "title = \"t\"\n[guest]\nelf = \"guest.elf\"\n";
    let error = folder.error(&format!("{head}[run]\nmodes = [\"interpret\", \"trap\"]\n"));
    assert_eq!(
        error,
        "scenario.toml:5:23: error: mode 'trap' runs on hardware of 16 registers, and the guest is compiled for 32: \
         expected only interpret"
    );

    folder.write(
        "scenario.toml",
        format!("{head}[expect]\nregisters.t6 = 1\n").as_bytes(),
    );
    let scenario = Scenario::load(&folder.0).expect("its processor has t6");
    assert_eq!(
        (scenario.modes.as_slice(), scenario.default_mode()),
        (&[ModeName::Interpret][..], ModeName::Interpret)
    );
    let error = folder.error(&format!("{GOOD}[expect]\nregisters.t6 = 1\n"));
    assert!(error.contains("unknown register 't6'"), "{error}");

    let inner = Folder::new("foreign/inner");
    inner.write("guest.elf", &image.to_elf());
    inner.write("scenario.toml", head.as_bytes());
    let error = folder.error(&format!(
        "{GOOD}modules = [{{ scenario = \"inner\", at = 0x8000, name = \"A\" }}]\n"
    ));
    assert!(
        error.contains("the module is compiled for 32 registers, and the guest for 16"),
        "{error}"
    );
}
