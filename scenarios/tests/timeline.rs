//! Time travel: the state reached backwards is the state that was reached forwards, in every mode, across traps,
//! interrupts, devices, self-modifying code, and after the end.

mod common;

use std::hash::{DefaultHasher, Hash, Hasher};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use scenarios::Scenario;
use toy_isa::profile::{Profile, ProfileName};
use vmm_core::counts::Counts;
use vmm_core::edit::{Edit, EditError};
use vmm_core::engine::EngineName;
use vmm_core::mode::ModeName;
use vmm_core::modes::assist::Paging;
use vmm_core::modes::translate::Scope;
use vmm_core::modes::trap::Layout;
use vmm_core::run::Run;
use vmm_core::timeline::{Breakpoint, Condition, Goal, Point, Position, Progress, Timeline};

/// Every mode that the guest OS runs under; a host may lack the last.
const MODES: [ModeName; 11] = [
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
    ModeName::Kvm,
];

/// A shipped scenario, on a machine that has what the mode needs.
fn scenario(name: &str, mode: ModeName) -> Scenario {
    let mut scenario = Scenario::shipped(name).expect("it ships");
    if !mode.runs_on(&scenario.setup.profile) {
        scenario.set_profile(Profile::new(ProfileName::Assist));
    }
    scenario
}

fn timeline(name: &str, mode: ModeName, engine: EngineName) -> Option<Timeline> {
    let scenario = scenario(name, mode);
    Timeline::new(&scenario.setup, mode, engine, scenario.budget).ok()
}

/// Everything that a run is at, in one number: the real machine with its memory, the guest as it sees itself, and what
/// was counted.
fn state(run: &Run) -> u64 {
    let mut hasher = DefaultHasher::new();
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
    // An emulated machine's is not counted, nor is a real processor's.
    if run.mode_name != ModeName::Kvm {
        format!("{:?}", run.machine().board.tlb.counts).hash(&mut hasher);
    }
    format!("{:?}{:?}{:?}", guest.hart, guest.pace, guest.devices).hash(&mut hasher);
    // How often code of the host was made and linked is the affair of who made it.
    let counts = Counts {
        units: 0,
        links: 0,
        cache_flushes: 0,
        ..run.counts()
    };
    match run.mode_name {
        ModeName::Jit | ModeName::Kvm => format!("{counts:?}"),
        _ => format!("{:?}", run.counts()),
    }
    .hash(&mut hasher);
    format!("{:?}{:?}", run.units(), run.ended()).hash(&mut hasher);
    hasher.finish()
}

/// Positions along a run, in odd strides, and what it was at there.
fn visit(timeline: &mut Timeline, strides: &[u64]) -> Vec<(Position, u64)> {
    let mut visited = vec![(timeline.position(), state(timeline.run()))];
    for stride in strides {
        timeline.begin(Goal::End);
        timeline.pursue(*stride);
        visited.push((timeline.position(), state(timeline.run())));
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
            assert_eq!(state(timeline.run()), then, "{mode} at {position:?}");
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
        cases: 120,
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
            let Some(mut wandering) = timeline(GUESTS[guest], MODES[mode], EngineName::Auto) else {
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
            // A run that has never been anywhere but on its way here, on another engine.
            let scenario = scenario(GUESTS[guest], MODES[mode]);
            let mut straight = Run::new(&scenario.setup, MODES[mode], EngineName::Reference)
                .map_err(|error| TestCaseError::fail(error.to_string()))?;
            let at = |run: &Run| (run.machine().attempts, run.log.total(), run.ended().is_some());
            while at(&straight) < (here.attempts, here.events, here.over) {
                straight.turn((here.attempts - straight.machine().attempts).max(1));
            }
            prop_assert_eq!(at(&straight), (here.attempts, here.events, here.over));
            prop_assert_eq!(&straight.guest().hart, &wandering.run().guest().hart);
            prop_assert_eq!(&straight.guest().pace, &wandering.run().guest().pace);
            prop_assert_eq!(state(&straight), state(wandering.run()));
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
}

/// The address of a symbol of the guest's program.
fn symbol(timeline: &Timeline, scenario: &str, name: &str) -> u32 {
    let scenario = Scenario::shipped(scenario).expect("it ships");
    let (image, _) = scenario.program(timeline.run().mode_name);
    let mut symbols = image.symbols.iter();
    let found = symbols.find(|symbol| symbol.name == name);
    found.expect("the program has this symbol").address
}

#[test]
fn breakpoints_are_found_wherever_steps_would_come_upon_them() {
    const STEPS: usize = 600;
    for mode in MODES {
        let Some(mut stepping) = timeline("guest-os", mode, EngineName::Auto) else {
            accel_missing(mode);
            continue;
        };
        let address = symbol(&stepping, "guest-os", "hal_put");
        // Where the console is in use.
        stepping.go(Goal::Instruction(300_000));
        stepping.go(Goal::Next(Point::Address(address)));
        let from = stepping.position();
        let mut met = Vec::new();
        for _ in 0..STEPS {
            stepping.step();
            if stepping.run().guest().hart.pc == address {
                met.push(stepping.position());
            }
        }
        let end = stepping.position();
        assert!(!met.is_empty(), "{mode}: {} times", met.len());

        stepping.go(Goal::Position(from));
        stepping
            .breakpoints_mut()
            .push(Breakpoint::at(Point::Address(address)));
        let mut found = Vec::new();
        while stepping.position() < end {
            let reached = stepping.go(Goal::Continue);
            assert!(
                matches!(reached, Progress::Reached(Some(_))),
                "{mode}: {reached:?}"
            );
            found.push(stepping.position());
        }
        found.retain(|position| *position <= end);
        assert_eq!(found, met, "{mode}");

        stepping.go(Goal::Position(end));
        let mut back = Vec::new();
        while stepping.position() > from {
            assert!(matches!(stepping.go(Goal::ReverseContinue), Progress::Reached(_)));
            back.push(stepping.position());
        }
        back.retain(|position| *position > from && *position < end);
        back.reverse();
        met.retain(|position| *position < end);
        assert_eq!(back, met, "{mode}");
    }
}

#[test]
fn events_are_the_same_forwards_and_backwards() {
    for mode in MODES {
        for point in [Point::Trap, Point::Interrupt, Point::SystemCall, Point::Ring] {
            let Some(mut timeline) = timeline("guest-os", mode, EngineName::Auto) else {
                continue;
            };
            timeline.go(Goal::Instruction(250_000));
            let from = timeline.position();
            let mut forwards = Vec::new();
            for _ in 0..5 {
                if !matches!(timeline.go(Goal::Next(point.clone())), Progress::Reached(_)) {
                    break;
                }
                forwards.push(timeline.position());
            }
            let mut backwards = vec![timeline.position()];
            while timeline.go(Goal::Previous(point.clone())) != Progress::Nothing
                && timeline.position() > from
            {
                backwards.push(timeline.position());
            }
            backwards.reverse();
            assert_eq!(forwards, backwards, "{mode}: {point}");
        }
    }
}

#[test]
fn every_store_to_a_watched_word_is_found() {
    let (mut stores, mut spaces) = (0, 0);
    for (mode, process) in MODES.into_iter().flat_map(|mode| [(mode, false), (mode, true)]) {
        let Some(mut stepping) = timeline("guest-os", mode, EngineName::Auto) else {
            accel_missing(mode);
            continue;
        };
        stepping.go(Goal::Instruction(100_000));
        while process && stepping.run().guest().hart.ring() == 0 {
            stepping.step();
        }
        // A process's stack, and which memory it is in, begins to be after power-on.
        let from = match process {
            true => Position::default(),
            false => stepping.position(),
        };
        // A word of the stack in use, which changes often.
        let address = stepping.run().guest().hart.x[2].wrapping_sub(16) & !3;
        let look = |timeline: &Timeline| {
            let guest = timeline.run().guest();
            (guest.real(address), guest.at(address))
        };
        let mut met = Vec::new();
        let (mut place, mut before) = look(&stepping);
        for _ in 0..20_000 {
            stepping.step();
            let (here, now) = look(&stepping);
            // In another address space it is another word.
            spaces += usize::from(here != place);
            if here == place && now != before {
                met.push(stepping.position());
            }
            (place, before) = (here, now);
        }
        stores += met.len();
        let end = stepping.position();
        stepping.go(Goal::Position(from));
        let mut found = Vec::new();
        while stepping.position() < end {
            if !matches!(
                stepping.go(Goal::Next(Point::Write(address))),
                Progress::Reached(_)
            ) {
                break;
            }
            found.push(stepping.position());
        }
        for position in met {
            assert!(
                found.contains(&position),
                "{mode}: the store before {position:?} was missed"
            );
        }
    }
    assert!(stores > 0 && spaces > 0, "{stores} stores, {spaces} spaces");
}

#[test]
fn a_search_for_what_is_never_stored_comes_to_the_end() {
    for mode in MODES {
        let Some(mut timeline) = timeline("guest-os", mode, EngineName::Auto) else {
            accel_missing(mode);
            continue;
        };
        // In sight of what is: on the page of the kernel's stack.
        timeline.go(Goal::Instruction(1_000));
        let page = timeline.run().guest().hart.x[2] & !0xfff;
        timeline.go(Goal::Position(Position::default()));
        let point = Point::Write(page);
        let guard = Condition::parse("0 == 1", &|_| None).ok();
        timeline.breakpoints_mut().push(Breakpoint {
            point,
            condition: guard,
            enabled: true,
        });
        timeline.begin(Goal::Continue);
        let slices = (0..1_000).take_while(|_| timeline.pursue(10_000) == Progress::Working);
        assert!(slices.count() < 1_000, "{mode}");
        assert!(timeline.ended().is_some(), "{mode}");
    }
}

#[test]
fn conditions_hold_where_breakpoints_stop() {
    let mut timeline = timeline("guest-os", ModeName::Bare, EngineName::Auto).expect("bare runs everywhere");
    let address = symbol(&timeline, "guest-os", "hal_put");
    let condition = Condition::parse("a0 == 0x69 && ring == 0 && clock > 1000", &|_| None);
    timeline.breakpoints_mut().push(Breakpoint {
        point: Point::Address(address),
        condition: condition.ok(),
        enabled: true,
    });
    for _ in 0..3 {
        assert!(matches!(timeline.go(Goal::Continue), Progress::Reached(Some(_))));
        let guest = timeline.run().guest();
        assert_eq!((guest.hart.pc, guest.hart.x[10]), (address, 0x69));
    }
    timeline.breakpoints_mut()[0].enabled = false;
    assert!(matches!(timeline.go(Goal::Continue), Progress::Ended(_)));
    for bad in [
        "",
        "a0",
        "a0 = 5",
        "nonsense == 5",
        "[pc] == 5",
        "a0 == 5 &&",
        "== 3",
        "[0x1ffffffff] == 0",
    ] {
        assert!(Condition::parse(bad, &|_| None).is_err(), "{bad}");
    }
}

#[test]
fn over_leads_past_calls_and_traps() {
    for mode in [
        ModeName::Bare,
        ModeName::Trap(Layout::RingDeprivileging),
        ModeName::Translate(Scope::Kernel),
    ] {
        let mut timeline = timeline("guest-os", mode, EngineName::Auto).expect("it runs everywhere");
        timeline.go(Goal::Next(Point::SystemCall));
        timeline.step_back();
        let (pc, ring) = (timeline.run().guest().hart.pc, timeline.run().guest().hart.ring());
        timeline.go(Goal::Over);
        let guest = timeline.run().guest();
        assert_eq!((guest.hart.pc, guest.hart.ring()), (pc + 4, ring), "{mode}");
    }
}

#[test]
fn what_was_stepped_over_is_stepped_back_over() {
    for mode in [
        ModeName::Bare,
        ModeName::Trap(Layout::RingDeprivileging),
        ModeName::Assist(Paging::Nested),
    ] {
        let mut timeline = timeline("guest-os", mode, EngineName::Auto).expect("it runs everywhere");
        timeline.go(Goal::Instruction(1_000));
        let mut places = vec![timeline.retired()];
        for _ in 0..60 {
            timeline.go(Goal::Over);
            places.push(timeline.retired());
        }
        let strides = places.windows(2).map(|pair| pair[1] - pair[0]);
        assert!(strides.max() > Some(10), "{mode}: a call was stepped over");
        for place in places.into_iter().rev().skip(1) {
            assert_eq!(timeline.go(Goal::OverBack), Progress::Reached(None), "{mode}");
            assert_eq!(timeline.retired(), place, "{mode}");
        }
    }
}

#[test]
fn snapshots_stay_bounded_and_the_past_stays_exact() {
    let mut scenario = Scenario::find_with(
        "work-compute",
        &scenarios::Variant {
            set: vec![("N".to_string(), 20_000_000)],
            parts: None,
        },
    )
    .expect("it ships");
    scenario.set_budget(160_000_000);
    let mut timeline =
        Timeline::new(&scenario.setup, ModeName::Bare, EngineName::Auto, scenario.budget).expect("it runs");
    timeline.go(Goal::Instruction(1_000_000));
    let then = state(timeline.run());
    timeline.go(Goal::End);
    assert!(timeline.snapshots().len() <= 512);
    assert!(timeline.memory() < 256 << 20);
    timeline.go(Goal::Instruction(1_000_000));
    assert_eq!(state(timeline.run()), then);
}

#[test]
fn an_edit_takes_effect_and_stays_part_of_the_past() {
    for mode in MODES {
        let Some(mut timeline) = timeline("guest-os", mode, EngineName::Auto) else {
            accel_missing(mode);
            continue;
        };
        let put = symbol(&timeline, "guest-os", "hal_put");
        timeline.go(Goal::Next(Point::Address(put)));
        timeline.go(Goal::Next(Point::Address(put)));
        let (here, plain) = (timeline.position(), state(timeline.run()));
        // Another letter than the kernel was about to print.
        timeline
            .edit(Edit::Register {
                number: 10,
                value: u32::from(b'~'),
            })
            .unwrap_or_else(|error| panic!("{mode}: {error}"));
        assert_eq!(timeline.run().guest().hart.x[10], u32::from(b'~'), "{mode}");
        timeline.go(Goal::End);
        let output = timeline.run().guest().devices.console.output().to_vec();
        assert_eq!(output.iter().filter(|byte| **byte == b'~').count(), 1, "{mode}");
        let ended = state(timeline.run());

        // From before the edit, one comes to the same end.
        timeline.go(Goal::Instruction(50));
        timeline.go(Goal::End);
        assert_eq!(state(timeline.run()), ended, "{mode}");
        timeline.go(Goal::Position(here));
        assert_ne!(state(timeline.run()), plain, "{mode}");
        assert!(timeline.step_back());
        timeline.step();
        assert_eq!(timeline.run().guest().hart.x[10], u32::from(b'~'), "{mode}");
    }
}

#[test]
fn a_word_that_is_edited_is_what_the_guest_reads() {
    for mode in MODES {
        let Some(mut timeline) = timeline("guest-os", mode, EngineName::Auto) else {
            accel_missing(mode);
            continue;
        };
        timeline.go(Goal::Instruction(300_000));
        let address = timeline.run().guest().hart.x[2] & !3;
        let edit = Edit::Word {
            address,
            value: 0x1234_5678,
        };
        match timeline.edit(edit) {
            Ok(()) => assert_eq!(timeline.run().guest().at(address), Some(0x1234_5678), "{mode}"),
            // Said, and nothing has happened.
            Err(error) => assert_eq!(error, EditError::InUse(address), "{mode}"),
        }
        for bad in [
            Edit::Register { number: 0, value: 1 },
            Edit::Register { number: 16, value: 1 },
            Edit::Pc(2),
        ] {
            assert!(timeline.edit(bad).is_err(), "{mode}");
        }
        let nowhere = Edit::Word {
            address: 0xe000_0000,
            value: 1,
        };
        assert_eq!(
            timeline.edit(nowhere),
            Err(EditError::NoMemory(0xe000_0000)),
            "{mode}"
        );
    }
}

#[test]
fn a_search_has_an_end_where_addresses_change_between_two_attempts() {
    // The guest is a monitor that relocates: what address 0 means changes with an event that takes no attempt.
    let trap = ModeName::Trap(Layout::RingDeprivileging);
    let mut timeline = timeline("recursion-0", trap, EngineName::Auto).expect("it runs everywhere");
    let end = timeline.go(Goal::Next(Point::Write(0)));
    assert!(matches!(end, Progress::Ended(_)), "{end:?}");
    let before = timeline.go(Goal::Previous(Point::Write(0)));
    assert!(matches!(before, Progress::Nothing), "{before:?}");
}
