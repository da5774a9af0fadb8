//! View 2.

use tui::session::Speed;
use tui::{App, Message};
use vmm_core::event::Event;
use vmm_core::mode::ModeName;
use vmm_core::timeline::Goal;

use crate::common::{SIZES, app, compare, enter, finish, press, shown};

/// The view, with the guest under this mode right after its first system call was answered and gone on from.
fn at_a_call(mode: &str) -> App {
    let mut app = app("guest-os", mode);
    press(&mut app, "2 y e");
    app
}

#[test]
fn at_the_beginning() {
    let mut app = app("guest-os", "trap");
    press(&mut app, "2");
    compare(&mut app, "flow", false);
}

#[test]
fn a_system_call_under_trap_and_emulate() {
    let mut app = at_a_call("trap");
    press(&mut app, "left");
    compare(&mut app, "flow-call", false);
}

#[test]
fn a_system_call_that_no_monitor_sees() {
    let mut app = at_a_call("interpret");
    press(&mut app, "left");
    compare(&mut app, "flow-call-interpret", false);
}

/// The number of the event whose chain is shown.
fn event(app: &mut App) -> u64 {
    let screen = shown(app, SIZES[0]);
    let title = screen
        .split("Event ")
        .nth(1)
        .unwrap_or_else(|| panic!("{screen}"));
    let number = title.split(' ').next().expect("a number");
    number.parse().unwrap_or_else(|_| panic!("{screen}"))
}

#[test]
fn the_newest_chain_is_shown_until_another_is_selected() {
    let mut app = app("guest-os", "trap");
    press(&mut app, "2");
    let fastest = Speed::ALL.last().expect("there are some");
    app.session.play(*fastest);
    let mut last = 0;
    for _ in 0..3 {
        app.update(Message::Work);
        let newest = app.session.timeline().history().iter().next_back().expect("one");
        let root = newest.exit.unwrap_or(newest.number);
        let now = event(&mut app);
        assert!(now == root && now > last, "{last} {now} {root}");
        last = now;
    }
    app.session.halt();
    finish(&mut app);
    press(&mut app, "left left");
    let before = event(&mut app);
    assert!(before < last);
    press(&mut app, "right right");
    assert_eq!(event(&mut app), last);
    press(&mut app, "left x");
    assert!(event(&mut app) >= last, "who goes on sees the newest again");
}

#[test]
fn events_are_listed_by_a_text_in_their_line() {
    let mut app = app("guest-os", "trap");
    press(&mut app, "2 w");
    enter(&mut app, ":10000");
    enter(&mut app, "/tvec");
    let screen = shown(&mut app, SIZES[1]);
    assert!(
        screen.contains("with 'tvec'") && screen.contains("emulate csrw tvec"),
        "{screen}"
    );
    let listed = screen
        .lines()
        .skip_while(|line| !line.contains("Events:"))
        .skip(1);
    let listed = listed.filter(|line| line.chars().skip(1).take(40).any(char::is_alphanumeric));
    assert_eq!(
        listed.count(),
        3,
        "one event, what is said about it, and the footer: {screen}"
    );
    assert_eq!(event(&mut app), 5);
    enter(&mut app, "/no such words");
    assert!(shown(&mut app, SIZES[1]).contains("no event so far has 'no such words'"));
    enter(&mut app, ":filter");
    press(&mut app, "g");
    assert_eq!(event(&mut app), 0);
}

#[test]
fn enter_takes_the_guest_back_to_the_event() {
    let mut app = at_a_call("trap");
    let there = app.session.timeline().position();
    press(&mut app, "left left left enter");
    let back = app.session.timeline().position();
    assert!(back < there && back.events > 0);
    assert_eq!(app.session.timeline().history().total(), back.events);
}

#[test]
fn registers_are_looked_at_elsewhere_and_the_guest_stays_where_it_is() {
    for mode in ["trap", "translate", "para", "hybrid", "interpret", "bare"] {
        let mut app = app("guest-os", mode);
        app.session.set_out(Goal::Instruction(60_000));
        finish(&mut app);
        let here = (app.session.timeline().position(), app.session.run().guest().hart);
        let all: Vec<_> = app.session.timeline().history().iter().cloned().collect();
        let calls = all
            .iter()
            .filter(|record| matches!(record.event, Event::Enter { .. }));
        for call in calls.take(3) {
            let first = call.exit.unwrap_or(call.number);
            let around = app.session.around(first, call.number).expect("it stands");
            let root = &all[first as usize];
            assert_eq!(
                (around.before.ring(), around.before.pc),
                (root.ring, root.pc),
                "{mode}"
            );
            let entered = if mode == "para" { 1 } else { 0 };
            assert_eq!(around.after.ring(), entered, "{mode}");
            assert_eq!(around.after.csr.epc, call.pc, "{mode}");
            if root.number != call.number {
                assert_eq!(around.answered.ring(), 0, "{mode}: the monitor has control");
            }
            let now = (app.session.timeline().position(), app.session.run().guest().hart);
            assert!(now == here, "{mode}");
        }
    }
}

#[test]
fn real_and_virtual_registers_stand_side_by_side() {
    let mut app = app("guest-os", "trap");
    press(&mut app, "2 y");
    let screen = shown(&mut app, SIZES[1]);
    let line = |name: &str| {
        let of = |line: &&str| {
            line.split('│')
                .any(|cell| cell.trim_start_matches('│').starts_with(name))
        };
        let line = screen
            .lines()
            .find(of)
            .unwrap_or_else(|| panic!("{name}: {screen}"));
        line.split(name)
            .nth(1)
            .expect("values")
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(line("ring  ").trim_end_matches(" │"), "3◆ 0 │ 3◆ 0");
    let cause = line("cause  ");
    assert!(
        cause.starts_with("8000") && cause.contains("00000008 │ 00000000◆00000008"),
        "{cause}"
    );
}

#[test]
fn a_look_at_what_is_long_takes_no_longer() {
    // Where the kernel is interpreted, what a system call sets off has no end.
    let mut app = app("guest-os", "hybrid");
    press(&mut app, "2");
    enter(&mut app, ":end");
    press(&mut app, "left left g G pgup pgdn");
    assert_eq!(app.session.mode, ModeName::Hybrid);
    assert!(shown(&mut app, SIZES[1]).contains("resume"));
}
