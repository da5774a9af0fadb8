//! The C programs that ship: each prints what it should, on every engine; and the interpreter among them measures what
//! pure emulation costs.

use std::path::PathBuf;

use toy_isa::image::Image;
use toy_isa::instruction::Registers;
use toy_isa::machine::LoadError;
use toy_isa::table::OPS;
use vmm_core::engine::EngineName;
use vmm_core::price::PriceList;
use vmm_core::setup::StartError;
use vmm_core::userland::{Ending, Options, Outcome, run};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../scenarios/c")
}

fn load(name: &str) -> Image {
    let path = folder().join("images").join(format!("{name}.elf"));
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Image::from_elf(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// On the engine that is not the definition, behind page tables as well, which no program sees.
fn execute(name: &str, engine: EngineName) -> (Outcome, String) {
    let outcome = execute_with(name, engine, false);
    if engine != EngineName::Reference {
        assert_eq!(execute_with(name, engine, true), outcome, "{name} with paging");
    }
    outcome
}

fn execute_with(name: &str, engine: EngineName, paging: bool) -> (Outcome, String) {
    let options = Options {
        engine,
        paging,
        budget: 100_000_000,
        memory: 16 << 20,
        arguments: vec![name.to_string()],
    };
    let mut text = Vec::new();
    let outcome = run(&load(name), &options, &mut |bytes| text.extend_from_slice(bytes)).expect("it fits");
    (outcome, String::from_utf8_lossy(&text).into_owned())
}

fn names() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder().join("images"))
        .expect("the images ship")
        .filter_map(|entry| entry.ok()?.path().file_stem()?.to_str().map(str::to_string))
        .collect();
    names.sort();
    names
}

#[test]
fn every_program_prints_what_it_should() {
    let names = names();
    assert!(names.len() >= 6, "{names:?}");
    for name in names {
        assert_eq!(load(&name).registers, Registers::Sixteen, "{name}");
        let expected = std::fs::read_to_string(folder().join("expected").join(format!("{name}.txt")));
        let (outcome, text) = execute(&name, EngineName::Interpreter);
        assert_eq!(
            (outcome.ending, Some(text)),
            (Ending::Exited(0), expected.ok()),
            "{name}"
        );
    }
}

#[test]
fn a_program_for_more_registers_than_there_are_is_refused() {
    let mut image = load("hello");
    image.registers = Registers::ThirtyTwo;
    let options = Options {
        engine: EngineName::Auto,
        budget: 100,
        paging: false,
        memory: 1 << 20,
        arguments: Vec::new(),
    };
    let refused = run(&image, &options, &mut |_| panic!("it does not run"));
    assert!(matches!(refused, Err(StartError::Load(LoadError::Foreign))));
    assert!(LoadError::Foreign.to_string().contains("-march=rv32em"));
}

#[test]
fn the_reference_prints_and_counts_the_same() {
    for name in ["hello", "fib", "sieve"] {
        assert_eq!(
            execute(name, EngineName::Reference),
            execute(name, EngineName::Interpreter),
            "{name}"
        );
    }
}

/// The price of an interpreted instruction is not assumed: it is what the instructions of an interpreter cost on the
/// list itself, for each instruction that it interprets.
#[test]
fn the_price_of_interpretation_is_the_measured_one() {
    let (outcome, text) = execute("interp", EngineName::Interpreter);
    let interpreted: u64 = text
        .lines()
        .find_map(|line| line.strip_suffix(" instructions interpreted")?.parse().ok())
        .expect("the program says how many instructions it has interpreted");
    let prices = PriceList::textbook();
    let cycles: u64 = OPS
        .iter()
        .zip(outcome.histogram)
        .map(|(row, count)| count * prices.instruction(row.cost))
        .sum();
    assert_eq!(
        prices.interpreted(),
        (cycles + interpreted / 2) / interpreted,
        "{} instructions for {interpreted} interpreted ones",
        outcome.retired
    );
}
