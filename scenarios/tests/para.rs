//! The port of the guest operating system, under the paravirtual monitor.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use scenarios::Scenario;
use scenarios::port::PortDiff;
use toy_isa::asm::{Options as AsmOptions, Source, assemble};
use toy_isa::image::Image;
use toy_isa::instruction::{Registers, decode};
use toy_isa::profile::{Profile, ProfileName};
use toy_isa::row::Row;
use toy_isa::table::Op;
use vmm_core::check::equivalence::Grain;
use vmm_core::check::report::{Options, Report, compare};
use vmm_core::check::streams::{Likeness, Outcome};
use vmm_core::engine::EngineName;
use vmm_core::mode::{End, ModeName};
use vmm_core::modes::para::interface::*;
use vmm_core::price::PriceList;
use vmm_core::run::{Run, Stop};
use vmm_core::setup::StartError;

fn guest_os() -> Scenario {
    Scenario::shipped("guest-os").unwrap_or_else(|error| panic!("{}", error.render()))
}

fn with_batch(batch: u32) -> Scenario {
    let mut scenario = guest_os();
    scenario.setup.port.as_mut().expect("it has a port").batch = batch;
    scenario
}

fn run(scenario: &Scenario) -> Report {
    let prices = PriceList::textbook();
    let options = Options {
        engine: EngineName::Auto,
        budget: scenario.budget,
        grain: Grain::SyncPoints,
        prices: &prices,
        now: || 0,
    };
    compare(&scenario.setup, &[ModeName::Para], options)
        .expect("the image fits")
        .remove(0)
}

fn assert_good(report: &Report, what: &str) {
    assert_eq!(report.exit_code(), Some(0), "{what}: {}", report.end);
    let verdict = &report.verdict;
    for property in [
        &verdict.equivalence,
        &verdict.resource_control,
        &verdict.efficiency,
    ] {
        assert!(property.holds, "{what}: {}", property.detail);
    }
}

#[test]
fn the_port_runs_on_every_profile_with_the_holes_and_without() {
    for name in ProfileName::ALL {
        let mut scenario = guest_os();
        scenario.set_profile(Profile::new(name));
        assert_good(&run(&scenario), name.name());
    }
}

#[test]
fn the_result_does_not_depend_on_the_batch_but_the_number_of_hypercalls_does() {
    let mut hypercalls = Vec::new();
    for batch in [1, 2, 3, 16, 127, 1024, BATCH_LIMIT] {
        let report = run(&with_batch(batch));
        assert_good(&report, &format!("batch {batch}"));
        let largest = report.counts.batches.keys().max();
        assert!(largest.is_some_and(|largest| *largest <= batch), "{largest:?}");
        hypercalls.push(report.counts.hypercalls["mmu_update"]);
    }
    assert!(hypercalls.is_sorted_by(|a, b| a > b), "{hypercalls:?}");
}

#[test]
fn the_result_does_not_depend_on_the_frames_nor_on_the_engine() {
    for seed in [1, 2, 3] {
        let mut scenario = guest_os();
        scenario.setup.seed = seed;
        assert_good(&run(&scenario), &format!("seed {seed}"));
    }
    let counts = |engine| {
        let scenario = guest_os();
        let mut run = Run::new(&scenario.setup, ModeName::Para, engine).expect("it fits");
        assert_eq!(run.finish(scenario.budget), End::PowerOff(0));
        run.counts()
    };
    assert_eq!(counts(EngineName::Reference), counts(EngineName::Interpreter));
}

#[test]
fn the_result_does_not_depend_on_how_a_run_is_sliced() {
    let scenario = guest_os();
    let counts = |slice| {
        let mut run = Run::new(&scenario.setup, ModeName::Para, EngineName::Auto).expect("it fits");
        loop {
            if let Stop::End(end) = run.advance(slice) {
                assert_eq!(end, End::PowerOff(0));
                return run.counts();
            }
        }
    };
    let whole = counts(scenario.budget);
    for slice in [1, 7, 1000] {
        assert_eq!(counts(slice), whole, "slices of {slice}");
    }
}

/// The timer strikes at other places of the kernel each time, and the processes take their turns in another order.
#[test]
fn the_port_is_equivalent_with_every_length_of_a_quantum() {
    let mut renumbered = 0;
    for quantum in (600..4000).step_by(67) {
        let line = ".equ    QUANTUM,        4000";
        let instead = format!(".equ QUANTUM, {quantum}");
        let mut scenario = with_mistake(line, &instead);
        scenario.setup.image = Arc::new(assembled(&replaced(&scenario.sources, line, &instead)));
        let report = run(&scenario);
        assert_good(&report, &format!("quantum {quantum}"));
        renumbered += u32::from(
            report
                .verdict
                .equivalence
                .detail
                .contains("the numbers of processes"),
        );
    }
    assert!(renumbered > 0, "some orders of births differ");
}

#[test]
fn a_run_that_is_cut_short_begins_as_the_bare_machine_does() {
    let mut scenario = guest_os();
    for budget in [1000, 100_000, 300_000] {
        scenario.budget = budget;
        let report = run(&scenario);
        assert_eq!(report.end, End::Budget);
        let verdict = report.verdict.equivalence;
        assert!(
            verdict.holds && verdict.detail.contains("until the budget"),
            "{}",
            verdict.detail
        );
    }
}

#[test]
fn the_kernel_of_the_port_has_no_sensitive_instruction_left() {
    let scenario = guest_os();
    let sensitive = |mode| -> BTreeSet<String> {
        let (image, _) = scenario.program(mode);
        let end = image
            .symbol("user_code")
            .expect("the programs begin there")
            .address;
        let code = image
            .segments
            .iter()
            .find(|segment| segment.execute)
            .expect("there is code");
        let words = code
            .bytes
            .chunks_exact(4)
            .take(((end - code.address) / 4) as usize);
        let words = words.map(|word| u32::from_le_bytes(word.try_into().expect("a word is four bytes")));
        let rows = words.filter_map(|word| Some(decode(word, Registers::Sixteen)?.row()));
        rows.filter(|row| !row.sensitive().is_empty() && *row != Row::Op(Op::Hcall))
            .map(|row| row.to_string())
            .collect()
    };
    assert_eq!(sensitive(ModeName::Para), BTreeSet::new());
    assert!(
        sensitive(ModeName::Bare).len() > 10,
        "{:?}",
        sensitive(ModeName::Bare)
    );
}

#[test]
fn the_port_is_small_and_in_the_hardware_layer() {
    let diff = PortDiff::of(&guest_os()).expect("it has a port");
    let originals = diff.files.iter().filter_map(|file| file.original.as_deref());
    let changed: Vec<_> = originals.collect();
    assert_eq!(changed.len(), 5);
    assert!(changed.iter().all(|name| name.starts_with("hal-")), "{changed:?}");
    assert!(diff.changed <= 250, "{} lines", diff.changed);
    // The monitor's own header, the same for every port.
    assert!(diff.new <= 80, "{} lines", diff.new);
}

/// The sources with one line replaced.
fn replaced(sources: &[Source], line: &str, instead: &str) -> Vec<Source> {
    let changed: Vec<Source> = sources
        .iter()
        .map(|source| Source::new(&source.name, source.text.replacen(line, instead, 1)))
        .collect();
    assert_ne!(sources, changed, "the line is there");
    changed
}

/// The guest operating system, or its port.
fn assembled(sources: &[Source]) -> Image {
    let options = AsmOptions {
        origin: 0x1000,
        ..AsmOptions::default()
    };
    assemble(sources, &options).unwrap_or_else(|errors| panic!("{}", errors[0]))
}

/// The guest operating system with one line of its port changed.
fn with_mistake(line: &str, instead: &str) -> Scenario {
    let mut scenario = guest_os();
    let image = assembled(&replaced(&scenario.port_sources, line, instead));
    scenario.setup.port.as_mut().expect("it has a port").image = Arc::new(image);
    scenario.budget = 3_000_000;
    scenario
}

#[test]
fn a_mistake_in_the_port_is_a_difference_that_is_named() {
    let cases = [
        // Every byte is one too high.
        (
            "sb      a0, OUT(t2)",
            "addi a3, a0, 1\n sb a3, OUT(t2)",
            "the output",
        ),
        // Every disk transfer goes to the sector after the one that was meant.
        (
            "sw      a0, ENTRIES+SECTOR(t2)",
            "addi a0, a0, 1\n sw a0, ENTRIES+SECTOR(t2)",
            "the output",
        ),
        // Every disk transfer reads.
        (
            "sw      a2, ENTRIES+OPERATION(t2)",
            "li a2, 1\n sw a2, ENTRIES+OPERATION(t2)",
            "byte 4096 of the disk",
        ),
        // A frame that becomes a table is left writable: the monitor refuses it.
        (
            "        call    remap_space\n1:",
            "1:",
            "the output that names no process",
        ),
    ];
    for (line, instead, what) in cases {
        let report = run(&with_mistake(line, instead));
        let verdict = report.verdict.equivalence;
        assert!(!verdict.holds, "{instead}");
        assert!(verdict.detail.starts_with(what), "{instead}: {}", verdict.detail);
        assert!(report.verdict.resource_control.holds, "{instead}");
    }
}

#[test]
fn another_order_of_turns_is_no_difference_and_a_changed_disk_is_one() {
    let scenario = guest_os();
    let names = &scenario.setup.port.as_ref().expect("it has a port").streams;
    let outcome = |mode| {
        let mut run = Run::new(&scenario.setup, mode, EngineName::Auto).expect("it fits");
        let outcome = Outcome::of(&mut run, names, scenario.budget);
        (outcome, run.guest().devices.console.output().to_vec())
    };
    let ((bare, bare_console), (para, para_console)) = (outcome(ModeName::Bare), outcome(ModeName::Para));
    assert_ne!(
        bare_console, para_console,
        "the order of some lines differs, else this shows nothing"
    );
    assert_ne!(
        para.likeness(&bare, Some("pid #")),
        Likeness::Renumbered,
        "with this quantum, no numbers differ"
    );
    assert_eq!(para.likeness(&bare, None), Likeness::Equal);
    let mut other = para.clone();
    other.disk[8 * 512] ^= 1;
    let Likeness::Different(difference) = other.likeness(&bare, Some("pid #")) else {
        panic!("a bit of the disk is another one");
    };
    assert_eq!(difference.what, "byte 4096 of the disk");
}

#[test]
fn a_guest_without_a_port_says_so() {
    let scenario = Scenario::shipped("popf").expect("it is shipped");
    let error = Run::new(&scenario.setup, ModeName::Para, EngineName::Auto).err();
    assert_eq!(error, Some(StartError::NoPort));
    assert!(StartError::NoPort.to_string().contains("[guest.port]"));
}

/// `interface.s` says what `interface.rs` says.
#[test]
fn the_header_of_the_port_has_the_monitors_numbers() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("shipped/guest-os-para/interface.s");
    let text = fs::read_to_string(path).expect("it is shipped");
    let image = assemble(
        &[Source::new("interface.s", text.clone())],
        &AsmOptions::default(),
    )
    .expect("it assembles");
    let number = |call: Hypercall| call.documentation().number;
    let expected = [
        ("SET_TRAP_TABLE", number(Hypercall::SetTrapTable)),
        ("MMU_UPDATE", number(Hypercall::MmuUpdate)),
        ("SET_CALLBACKS", number(Hypercall::SetCallbacks)),
        ("SET_TIMER", number(Hypercall::SetTimerOp)),
        ("IRET", number(Hypercall::Iret)),
        ("SCHED", number(Hypercall::SchedOp)),
        ("SCHED_YIELD", sched::YIELD),
        ("SCHED_BLOCK", sched::BLOCK),
        ("SCHED_SHUTDOWN", sched::SHUTDOWN),
        ("EVENT", number(Hypercall::EventChannelOp)),
        ("EVENT_SEND", event::SEND),
        ("CONNECT_RING", number(Hypercall::ConnectRing)),
        ("LOAD_TABLE", number(Hypercall::LoadTable)),
        ("COMMAND", update::COMMAND),
        ("PIN_ROOT", update::PIN_ROOT),
        ("UNPIN", update::UNPIN),
        ("NEW_BASE", update::NEW_BASE),
        ("INFO", INFO),
        ("INFO_SHARED", start::SHARED),
        ("INFO_BATCH", start::BATCH),
        ("P2M", P2M),
        ("M2P", M2P),
        ("ENABLED", shared::ENABLED),
        ("PENDING", shared::PENDING),
        ("MASK", shared::MASK),
        ("TRAP_PC", shared::EPC),
        ("TRAP_CAUSE", shared::CAUSE),
        ("TRAP_VALUE", shared::TVAL),
        ("PREVIOUS", shared::PREVIOUS),
        ("SAVED_T0", shared::T0),
        ("OURS", shared::GUEST),
        ("TIMER", channel::TIMER),
        ("DISK", channel::DISK),
        ("CONSOLE", channel::CONSOLE),
        ("OUT_PRODUCED", console::OUT_PRODUCED),
        ("OUT_CONSUMED", console::OUT_CONSUMED),
        ("OUT", console::OUT),
        ("OUT_SIZE", console::OUT_SIZE),
        ("REQUESTS", disk::REQUESTS),
        ("REQUEST_EVENT", disk::REQUEST_EVENT),
        ("RESPONSE_EVENT", disk::RESPONSE_EVENT),
        ("SECTORS", disk::SECTORS),
        ("INTERRUPT", disk::INTERRUPT),
        ("ENTRIES", disk::ENTRIES),
        ("ENTRIES_COUNT", disk::COUNT),
        ("OPERATION", disk::OPERATION),
        ("SECTOR", disk::SECTOR),
        ("ADDRESS", disk::ADDRESS),
    ];
    for (name, value) in expected {
        let found = image.symbol(name).map(|symbol| symbol.address);
        assert_eq!(found, Some(value), "{name}");
    }
    let defined = text
        .lines()
        .filter(|line| line.trim_start().starts_with(".equ"))
        .count();
    assert_eq!(defined, expected.len(), "every line is compared");
}
