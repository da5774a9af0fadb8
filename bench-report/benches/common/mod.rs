//! What is measured, by the clock and by the instructions that it takes.

#![allow(dead_code, reason = "each benchmark uses a part of it")]

use std::sync::Arc;

use accel::X86_64;
use scenarios::{Scenario, Variant};
use toy_isa::asm::{Options, Source, assemble};
use toy_isa::engine::Engine;
use toy_isa::image::Image;
use toy_isa::machine::{Config, Machine, TLB_ENTRIES};
use toy_isa::profile::{Profile, ProfileName};
use vmm_core::engine::EngineName;
use vmm_core::mode::{End, ModeName};
use vmm_core::run::Run;
use vmm_core::setup::Setup;

/// A shipped scenario, with another `N` where that is asked for.
pub(crate) fn scenario(name: &str, turns: Option<i64>) -> Scenario {
    let set = turns.map(|turns| ("N".to_string(), turns));
    let variant = Variant {
        set: set.into_iter().collect(),
        parts: None,
    };
    Scenario::find_with(name, &variant).unwrap_or_else(|error| panic!("{}", error.render()))
}

/// Its guest at power-on under a mode, on a machine that has what the mode needs.
pub(crate) fn start(scenario: &Scenario, mode: ModeName) -> Run {
    let mut setup = scenario.setup.clone();
    if !mode.runs_on(&setup.profile) {
        setup.profile = Arc::new(Profile::new(ProfileName::Assist));
    }
    Run::new(&setup, mode, EngineName::Auto).expect("it starts")
}

/// Runs a guest to its end, which has to be a good one.
pub(crate) fn finish(mut run: Run) -> Run {
    let end = run.finish(1_000_000_000);
    assert_eq!(end, End::PowerOff(0), "in mode {}", run.mode_name);
    run
}

/// The mode of this name, if this host can run it; else it is told why not.
pub(crate) fn mode(name: &str) -> Option<ModeName> {
    let mode = ModeName::from_name(name).expect("there is such a mode");
    match mode.missing() {
        None => Some(mode),
        Some(why) => {
            println!("skipped: {why}");
            None
        }
    }
}

/// How many instructions [`once`] has, about.
const LONG: usize = 8_000;

/// A program that executes each of its instructions once, in blocks of eight with a bit of everything.
pub(crate) fn once() -> Image {
    let block = "
        lw      a0, 0(s0)
        addi    a0, a0, 7
        slli    a1, a0, 3
        xor     a2, a1, a0
        sw      a2, 4(s0)
        lbu     a3, 9(s0)
        add     a4, a3, a2
        beqz    zero, 1f
    1:";
    let text = format!(
        "_start: li s0, 0x80000\n{}\nli t0, 48\nout t0, zero\n",
        block.repeat(LONG / 8)
    );
    assemble(&[Source::new("once.s", text)], &Options::default()).expect("it is correct")
}

/// Translates all of a program, by executing each block once.
pub(crate) fn translate(image: &Image) -> Option<u64> {
    let mut engine = X86_64::with_patience(0)
        .map_err(|missing| println!("skipped: {missing}"))
        .ok()?;
    let mut machine = Machine::new(Config {
        memory: 1 << 20,
        profile: Arc::new(Profile::new(ProfileName::Classic)),
        disk: Vec::new(),
        input: Vec::new(),
        tlb: TLB_ENTRIES,
    });
    machine.load(image).expect("it fits");
    engine.run(&mut machine, 10 * LONG as u64);
    Some(engine.translated().instructions)
}

/// The same program as a guest.
pub(crate) fn guest(image: Image) -> Setup {
    Setup::new(image, 1 << 20, Profile::new(ProfileName::Classic))
}
