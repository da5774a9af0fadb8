//! Time travel: the state reached backwards is the state that was reached forwards, in every mode, across traps,
//! interrupts, devices, self-modifying code, and after the end.

mod common;

use std::hash::{DefaultHasher, Hash, Hasher};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use scenarios::Scenario;
use vmm_core::counts::Counts;
use vmm_core::engine::EngineName;
use vmm_core::mode::ModeName;
use vmm_core::modes::assist::Paging;
use vmm_core::modes::translate::Scope;
use vmm_core::modes::trap::Layout;
use vmm_core::timeline::{Goal, Point, Position, Timeline};

/// Every mode that the guest OS runs under on every host.
const MODES: [ModeName; 10] = [
    ModeName::Bare,
    ModeName::Interpret,
    ModeName::Jit,
    ModeName::Trap(Layout::RingDeprivileging),
    ModeName::Trap(Layout::RingCompression),
    ModeName::Translate(Scope::Kernel),
    ModeName::Hybrid,
    ModeName::Para,
    ModeName::Assist(Paging::Nested),
    ModeName::Assist(Paging::Shadow),
];

fn timeline(name: &str, mode: ModeName, engine: EngineName) -> Option<Timeline> {
    let mut scenario = Scenario::shipped(name).expect("it ships");
    if !mode.runs_on(&scenario.setup.profile) {
        scenario.set_profile(toy_isa::profile::Profile::new(
            toy_isa::profile::ProfileName::Assist,
        ));
    }
    Timeline::new(&scenario.setup, mode, engine, scenario.budget).ok()
}

/// Everything that a run is at, in one number: the real machine with its memory, the guest as it sees itself, and what
/// was counted.
fn state(timeline: &Timeline) -> u64 {
    let mut hasher = DefaultHasher::new();
    let run = timeline.run();
    let guest = run.guest();
    let machines = std::iter::once(run.machine()).chain(run.emulated().map(|emulated| &emulated.machine));
    for machine in machines {
        let ram = &machine.board.ram;
        ram.slice(0, ram.size()).hash(&mut hasher);
        format!(
            "{:?}{:?}{:?}",
            machine.hart, machine.board.pace, machine.histogram
        )
        .hash(&mut hasher);
        format!("{:?}", machine.board.devices).hash(&mut hasher);
    }
    // An emulated machine's is not counted.
    format!("{:?}", run.machine().board.tlb.counts).hash(&mut hasher);
    format!("{:?}{:?}{:?}", guest.hart, guest.pace, guest.devices).hash(&mut hasher);
    // How often code of the host was made and linked is the affair of who made it.
    let counts = Counts {
        units: 0,
        links: 0,
        cache_flushes: 0,
        ..run.counts()
    };
    match run.mode_name {
        ModeName::Jit => format!("{counts:?}"),
        _ => format!("{:?}", run.counts()),
    }
    .hash(&mut hasher);
    format!("{:?}{:?}", run.units(), timeline.ended()).hash(&mut hasher);
    hasher.finish()
}

/// Positions along a run, in odd strides, and what it was at there.
fn visit(timeline: &mut Timeline, strides: &[u64]) -> Vec<(Position, u64)> {
    let mut visited = vec![(timeline.position(), state(timeline))];
    for stride in strides {
        timeline.begin(Goal::End);
        timeline.pursue(*stride);
        visited.push((timeline.position(), state(timeline)));
    }
    visited
}

#[test]
fn the_past_is_what_it_was_in_every_mode() {
    for mode in MODES {
        let Some(mut timeline) = timeline("guest-os", mode, EngineName::Auto) else {
            accel_missing(mode);
            continue;
        };
        let strides = [1, 90_001, 33_333, 7, 200_003, 1, 150_000, 64, 1_000_000];
        let visited = visit(&mut timeline, &strides);
        assert!(timeline.ended().is_some(), "{mode}");
        for place in [3, 9, 0, 5, 4, 8, 1, 6, 2, 7] {
            let (position, then) = visited[place];
            timeline.go(Goal::Position(position));
            assert_eq!(timeline.position(), position, "{mode}");
            assert_eq!(state(&timeline), then, "{mode} at {position:?}");
        }
    }
}

fn accel_missing(mode: ModeName) {
    println!("skipped: this host has no mode {mode}");
}

#[test]
fn steps_back_are_the_steps_forward_reversed() {
    for mode in MODES {
        for engine in [EngineName::Auto, EngineName::Interpreter] {
            let Some(mut timeline) = timeline("guest-os", mode, engine) else {
                accel_missing(mode);
                continue;
            };
            // In the midst of the kernel's work, with interrupts and page faults around.
            timeline.go(Goal::Instruction(330_000));
            assert_eq!(timeline.retired(), 330_000, "{mode}");
            timeline.go(Goal::Next(Point::Interrupt));
            for _ in 0..2 {
                timeline.step_back();
            }
            let mut forwards = Vec::new();
            for _ in 0..60 {
                forwards.push((timeline.position(), timeline.run().guest().hart.clone()));
                timeline.step();
            }
            for (position, hart) in forwards.into_iter().rev() {
                assert!(timeline.step_back());
                assert_eq!(timeline.position(), position, "{mode}");
                assert_eq!(timeline.run().guest().hart, hart, "{mode}");
            }
        }
    }
}

/// What can be done to a timeline.
#[derive(Clone, Debug)]
enum Action {
    Step,
    Back,
    On(u64),
    To(u64),
    Next(Point),
    Previous(Point),
    Over,
}

fn action() -> impl Strategy<Value = Action> {
    let point = prop_oneof![
        Just(Point::Trap),
        Just(Point::Exit),
        Just(Point::Ring),
        Just(Point::Interrupt),
        Just(Point::SystemCall),
        (0u8..16).prop_map(Point::Register),
        Just(Point::Address(0x1000)),
    ];
    prop_oneof![
        Just(Action::Step),
        Just(Action::Back),
        (1u64..40_000).prop_map(Action::On),
        (0u64..120_000).prop_map(Action::To),
        point.clone().prop_map(Action::Next),
        point.prop_map(Action::Previous),
        Just(Action::Over),
    ]
}

/// Guests that do what is hard to undo, each with its modes.
const GUESTS: [&str; 6] = [
    "guest-os",
    "self-modifying",
    "double-fault",
    "interrupt-masking",
    "popf",
    "tlb-reach",
];

#[test]
fn however_one_gets_somewhere_it_is_the_same_there() {
    let mut runner = TestRunner::new(Config {
        cases: 40,
        failure_persistence: None,
        ..Config::default()
    });
    let case = (
        0..GUESTS.len(),
        0..MODES.len(),
        prop::collection::vec(action(), 1..12),
    );
    runner
        .run(&case, |(guest, mode, actions)| {
            let (Some(mut wandering), Some(mut straight)) = (
                timeline(GUESTS[guest], MODES[mode], EngineName::Auto),
                timeline(GUESTS[guest], MODES[mode], EngineName::Reference),
            ) else {
                return Ok(());
            };
            for action in actions {
                match action {
                    Action::Step => _ = wandering.step(),
                    Action::Back => _ = wandering.step_back(),
                    Action::On(fuel) => {
                        wandering.begin(Goal::End);
                        wandering.pursue(fuel);
                    }
                    Action::To(number) => _ = wandering.go(Goal::Instruction(number)),
                    // A point that never comes would lead to the end of a long run.
                    Action::Next(point) => {
                        wandering.begin(Goal::Next(point));
                        wandering.pursue(30_000);
                    }
                    Action::Previous(point) => _ = wandering.go(Goal::Previous(point)),
                    Action::Over => {
                        wandering.begin(Goal::Over);
                        wandering.pursue(30_000);
                    }
                }
            }
            let here = wandering.position();
            // The other has never been anywhere but on its way here.
            while straight.position() < here && straight.ended().is_none() {
                let missing = here.attempts - straight.position().attempts;
                straight.begin(Goal::End);
                straight.pursue(missing.max(1));
            }
            prop_assert_eq!(straight.position(), here);
            prop_assert_eq!(&straight.run().guest().hart, &wandering.run().guest().hart);
            prop_assert_eq!(&straight.run().guest().pace, &wandering.run().guest().pace);
            prop_assert_eq!(state(&straight), state(&wandering));
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
}
