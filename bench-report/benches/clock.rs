//! `cargo bench -p bench-report --bench clock`: how long things take on this computer. A few minutes; `-- PART` runs
//! those whose names have that part.

#![allow(missing_docs, reason = "the macros of criterion make functions without")]

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use accel::kvm;
use bench_report::kernels::{self, Kernel};
use common::{finish, guest, mode, once, scenario, start, translate};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tui::action::{Action, KeyMap};
use tui::app::Forced;
use tui::session::Session;
use tui::settings::Settings;
use tui::views::View;
use tui::{App, Message, frame};
use vmm_core::engine::EngineName;
use vmm_core::event::Log;
use vmm_core::mode::ModeName;
use vmm_core::run::{LOG_CAPACITY, Run};
use vmm_core::timeline::{Goal, Point, Timeline};
use vmm_core::userland::{self, Ending};

/// What part of its work a kernel does: some milliseconds of native code.
const PART: u32 = 100;

/// The modes that are measured: one of each method.
const MODES: [&str; 9] = [
    "bare",
    "interpret",
    "jit",
    "trap",
    "trap:0/3/3",
    "translate",
    "hybrid",
    "assist",
    "assist:shadow",
];

/// The nano-benchmarks, in each of which a turn is one thing that a monitor may have to do.
const TRIPS: [&str; 5] = [
    "nano-syscall",
    "nano-csrw",
    "nano-in",
    "nano-pgfault",
    "nano-ptemod",
];

/// The C kernels on the fast engines, with and without page tables.
fn kernels(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("kernels");
    let engines = [EngineName::Interpreter, EngineName::X86_64];
    let engines = engines.into_iter().filter(|engine| match engine.build(false) {
        Ok(_) => true,
        Err(missing) => {
            println!("skipped: {missing}");
            false
        }
    });
    let engines: Vec<EngineName> = engines.collect();
    for kernel in kernels::ALL.map(|kernel| kernel.divided(PART)) {
        let Some(path) = compile(&kernel) else { return };
        let image = scenarios::load_elf(&path).unwrap_or_else(|error| panic!("{}", error.render()));
        for engine in &engines {
            for paging in [false, true] {
                let options = userland::Options {
                    engine: *engine,
                    budget: u64::MAX,
                    memory: 64 << 20,
                    paging,
                    arguments: Vec::new(),
                };
                let run = || userland::run(&image, &options, &mut |_| {}).expect("it starts");
                let outcome = run();
                assert_eq!(outcome.ending, Ending::Exited(0), "{}", kernel.name);
                let paging = if paging { "+paging" } else { "" };
                group.throughput(Throughput::Elements(outcome.retired));
                group.bench_function(format!("{}/{}{paging}", kernel.name, engine.name()), |bencher| {
                    bencher.iter(run);
                });
            }
        }
    }
}

/// The kernel for Ring32, by `cargo xtask cc`; none where that has no compiler.
fn compile(kernel: &Kernel) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let path = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(kernel.name)
        .with_extension("elf");
    let source = root.join("scenarios/c").join(kernel.name).with_extension("c");
    let made = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--package", "xtask", "--", "cc", "-o"])
        .args([&path, &source])
        .env("CFLAGS", format!("-O2 {}", kernel.defines().join(" ")))
        .current_dir(&root)
        .status();
    if !made.is_ok_and(|status| status.success()) {
        println!("skipped: the C kernels, because `cargo xtask cc` cannot compile them (see above)");
        return None;
    }
    Some(path)
}

/// A guest's run under each of these modes; there are so many of what is measured in it.
fn under(criterion: &mut Criterion, name: &str, guest: &str, turns: Option<u64>, modes: &[&str]) {
    let mut group = criterion.benchmark_group(name);
    let scenario = scenario(guest, turns.map(|turns| turns as i64));
    for mode in modes.iter().filter_map(|name| mode(name)) {
        if mode == ModeName::Para && scenario.setup.port.is_none() {
            continue;
        }
        if let Some(turns) = turns {
            group.throughput(Throughput::Elements(turns));
        }
        group.bench_function(mode.name(), |bencher| {
            bencher.iter_batched(|| start(&scenario, mode), finish, BatchSize::PerIteration);
        });
    }
}

/// Round trips: what a turn of a nano-benchmark takes.
fn trips(criterion: &mut Criterion) {
    for trip in TRIPS {
        under(criterion, &format!("trip/{trip}"), trip, Some(2_000), &MODES);
    }
}

/// A whole operating system, and one that switches between processes.
fn systems(criterion: &mut Criterion) {
    let modes = [&MODES[..], &["para"]].concat();
    under(criterion, "boot", "guest-os", None, &modes);
    under(criterion, "switch", "work-switch", Some(150), &modes);
}

/// What it costs to write down what happens, where the most happens: with a log, and with one that keeps nothing.
fn tracing(criterion: &mut Criterion) {
    for (guest, turns) in [("guest-os", None), ("nano-csrw", Some(2_000))] {
        let scenario = scenario(guest, turns);
        let mut group = criterion.benchmark_group(format!("tracing/{guest}"));
        for (name, capacity) in [("on", LOG_CAPACITY), ("off", 0)] {
            let traced = || {
                let trap = ModeName::from_name("trap").expect("there is such a mode");
                let mut run = Run::new(&scenario.setup, trap, EngineName::Interpreter).expect("it starts");
                run.log = Log::new(capacity);
                run
            };
            group.bench_function(name, |bencher| {
                bencher.iter_batched(traced, finish, BatchSize::PerIteration);
            });
        }
    }
}

/// Instructions of the run that time travel is measured in, about.
const FAR: u64 = 90_000_000;

/// Time travel: the run with and without its past, and the ways about in it. The guest does little but system calls.
fn travel(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("travel");
    let scenario = scenario("work-syscalls", Some(200_000));
    let trap = ModeName::from_name("trap").expect("there is such a mode");
    let begin = || Timeline::new(&scenario.setup, trap, EngineName::Auto, u64::MAX).expect("it starts");
    let part = Goal::Instruction(FAR / 20);
    group.bench_function("twentieth, no past", |bencher| {
        bencher.iter_batched(
            || Run::new(&scenario.setup, trap, EngineName::Auto).expect("it starts"),
            |mut run| run.finish(FAR / 20),
            BatchSize::PerIteration,
        );
    });
    group.bench_function("twentieth", |bencher| {
        bencher.iter_batched(
            begin,
            |mut timeline| timeline.go(part.clone()),
            BatchSize::PerIteration,
        );
    });
    let mut timeline = begin();
    timeline.go(Goal::Instruction(FAR));
    let (count, bytes) = (timeline.snapshots().len(), timeline.memory());
    println!("travel: {count} snapshots, {} KiB", bytes >> 10);
    let mut to = FAR;
    group.bench_function("jump", |bencher| {
        bencher.iter(|| {
            // Anywhere, the same each time.
            to = (to.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1) >> 7) % FAR;
            timeline.go(Goal::Instruction(to))
        });
    });
    timeline.go(Goal::Instruction(FAR));
    group.bench_function("step back", |bencher| bencher.iter(|| timeline.step_back()));
    group.bench_function("step", |bencher| bencher.iter(|| timeline.step()));
    group.bench_function("trap before", |bencher| {
        bencher.iter(|| timeline.go(Goal::Previous(Point::Trap)));
    });
}

/// The terminal interface without a terminal: pictures of each view, and what is done between two while it plays.
fn interface(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("interface");
    let area = Rect::new(0, 0, 160, 50);
    for view in View::ALL {
        let trap = ModeName::from_name("trap").expect("there is such a mode");
        let scenario = scenario("guest-os", None);
        let session = Session::new(scenario.into(), trap, EngineName::Auto).expect("it starts");
        let mut app = App::new(
            session,
            EngineName::Auto,
            Settings::default(),
            Forced::default(),
            KeyMap::default(),
        );
        app.update(Message::Resize {
            width: area.width,
            height: area.height,
        });
        app.set_out(Goal::Instruction(300_000));
        app.act(Action::Show(view));
        while app.busy() {
            app.update(Message::Work);
        }
        let mut buffer = Buffer::empty(area);
        group.bench_function(format!("picture/{}", view.name()), |bencher| {
            bencher.iter(|| {
                buffer.reset();
                frame::paint(&app, area, &mut buffer);
            });
        });
    }
}

/// What it costs to translate an instruction: to x86-64, and in mode `translate` to Ring32.
fn translation(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("translation");
    let image = once();
    if let Some(instructions) = translate(&image) {
        group.throughput(Throughput::Elements(instructions));
        group.bench_function("x86-64", |bencher| bencher.iter(|| translate(&image)));
    }
    let setup = guest(image);
    let mode = mode("translate").expect("it runs everywhere");
    let begin = || Run::new(&setup, mode, EngineName::Auto).expect("it fits");
    let instructions = finish(begin()).counts().translated_instructions;
    group.throughput(Throughput::Elements(instructions));
    group.bench_function("translate", |bencher| {
        bencher.iter_batched(begin, finish, BatchSize::PerIteration);
    });
}

/// Exits of a real virtual machine, which measures itself: medians, in nanoseconds.
fn exits(_: &mut Criterion) {
    let part = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'));
    if part.is_some_and(|part| !"kvm".contains(&part)) {
        return;
    }
    match kvm::measure(500, 5) {
        Err(missing) => println!("skipped: exits of a real virtual machine, because {missing}"),
        Ok(exits) => {
            for exit in exits.exits {
                let kind = exit.reason.unwrap_or("no exit to us");
                let time = exit
                    .nanoseconds
                    .map_or("-".to_string(), |time| format!("{time:.0} ns"));
                println!("kvm/{} in ring {} ({kind}): {time}", exit.does, exit.ring);
            }
        }
    }
}

fn quick() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(500))
}

criterion_group! {
    name = all;
    config = quick();
    targets = translation, tracing, travel, interface, trips, systems, exits, kernels
}
criterion_main!(all);
