//! `cargo bench -p bench-report --bench instructions`: how many instructions of the host things take, as valgrind
//! counts them. That is the same from run to run, so a count that has grown by more than [`CREEP`] percent since the
//! last run is an error.
//!
//! It needs valgrind, and the runner of gungraun in the same version as the library; without, it says so and ends well.

#![allow(
    missing_docs,
    unused_qualifications,
    reason = "the macros of gungraun make what has none, and too many"
)]

mod common;

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How much more than the last time is too much, in percent.
const CREEP: f64 = 3.0;

/// What is counted.
mod counted {
    use std::hint::black_box;

    use gungraun::prelude::*;
    use gungraun::{Callgrind, EventKind, library_benchmark, library_benchmark_group, main};
    use toy_isa::image::Image;
    use vmm_core::engine::EngineName;
    use vmm_core::mode::ModeName;
    use vmm_core::run::Run;
    use vmm_core::userland::{self, Options};

    use super::{CREEP, common};

    fn program() -> Image {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/c/images/sieve.elf");
        scenarios::load_elf(path.as_ref()).unwrap_or_else(|error| panic!("{}", error.render()))
    }

    #[library_benchmark]
    #[bench::flat(program(), false)]
    #[bench::paging(program(), true)]
    fn interpreter_per_million(image: Image, paging: bool) -> u64 {
        let options = Options {
            engine: EngineName::Interpreter,
            budget: 1_000_000,
            memory: 16 << 20,
            paging,
            arguments: Vec::new(),
        };
        let outcome = userland::run(&image, &options, &mut |_| {});
        black_box(outcome).expect("it starts").retired
    }

    #[library_benchmark]
    #[bench::once(common::once())]
    fn translation(image: Image) -> Option<u64> {
        common::translate(black_box(&image))
    }

    fn ready(scenario: &str, turns: Option<i64>, mode: &str) -> Option<Run> {
        Some(common::start(
            &common::scenario(scenario, turns),
            common::mode(mode)?,
        ))
    }

    #[library_benchmark(setup = trip_in)]
    #[benches::mode(
        "bare",
        "interpret",
        "jit",
        "trap",
        "translate",
        "hybrid",
        "assist",
        "assist:shadow"
    )]
    fn trip(run: Option<Run>) -> Option<Run> {
        black_box(run).map(common::finish)
    }

    fn trip_in(mode: &str) -> Option<Run> {
        ready("nano-syscall", Some(200), mode)
    }

    #[library_benchmark(setup = boot_in)]
    #[benches::mode("bare", "interpret", "jit", "trap", "translate", "para", "assist")]
    fn boot(run: Option<Run>) -> Option<Run> {
        black_box(run).map(common::finish)
    }

    fn boot_in(mode: &str) -> Option<Run> {
        debug_assert!(ModeName::from_name(mode).is_some(), "the list has names of modes");
        ready("guest-os", None, mode)
    }

    library_benchmark_group!(
        name = all;
        benchmarks = interpreter_per_million, translation, trip, boot
    );

    main!(
        config = LibraryBenchmarkConfig::default().tool(
            Callgrind::default()
                // Emitted code is written at another address than it is executed at.
                .args(["--smc-check=all"])
                .soft_limits([(EventKind::Ir, CREEP)])
        );
        library_benchmark_groups = all
    );

    /// What the macro has made.
    pub(super) fn run() {
        main();
    }
}

/// What is missing, if anything is.
fn missing() -> Option<String> {
    let starts = |program: &Path| Command::new(program).arg("--version").output().is_ok();
    if !starts("valgrind".as_ref()) {
        return Some("there is no valgrind: install the package of that name".to_string());
    }
    let runner =
        env::var_os("GUNGRAUN_RUNNER").map_or_else(|| PathBuf::from("gungraun-runner"), PathBuf::from);
    if !starts(&runner) {
        let install = "cargo install gungraun-runner, in the version that Cargo.lock has of gungraun";
        return Some(format!("there is no gungraun-runner: {install}"));
    }
    None
}

fn main() {
    // The runner calls this very program, in valgrind.
    let called = env::args().any(|argument| argument == "--gungraun-run");
    match missing().filter(|_| !called) {
        Some(what) => println!("skipped: {what}"),
        None => counted::run(),
    }
}
