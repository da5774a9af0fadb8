//! View 1.

use ratatui::layout::{Position, Size};
use tui::Message;
use tui::message::{Mouse, MouseKind};
use vmm_core::timeline::Point;

use crate::common::{SIZES, app, compare, enter, press, shown};

#[test]
fn at_the_beginning() {
    let mut app = app("guest-os", "trap");
    press(&mut app, "1");
    compare(&mut app, "machine", false);
}

#[test]
fn in_the_midst_of_the_guest() {
    let mut app = app("guest-os", "trap");
    enter(&mut app, ":60000");
    press(&mut app, "b y o");
    compare(&mut app, "machine-busy", false);
}

#[test]
fn in_large_letters() {
    let mut app = app("popf", "trap");
    shown(&mut app, SIZES[1]);
    press(&mut app, "t z z");
    compare(&mut app, "machine-large", false);
}

#[test]
fn what_has_changed_is_marked_and_only_that() {
    let mut app = app("guest-os", "bare");
    press(&mut app, "s s");
    let screen = shown(&mut app, SIZES[0]);
    assert_eq!(screen.matches('◆').count(), 1, "{screen}");
    assert!(screen.contains("sp  ◆00005430"), "{screen}");
    press(&mut app, "S");
    let screen = shown(&mut app, SIZES[0]);
    assert!(
        screen.contains("sp  ◆00005088"),
        "it has changed backwards: {screen}"
    );
}

#[test]
fn the_pane_stays_while_the_guest_is_in_sight() {
    let mut app = app("guest-os", "bare");
    let first = |app: &mut tui::App| shown(app, SIZES[0]).lines().nth(4).map(str::to_string);
    let before = first(&mut app);
    press(&mut app, "s s s");
    assert_eq!(first(&mut app), before);
    enter(&mut app, ":5000");
    assert_ne!(first(&mut app), before);
}

#[test]
fn an_instruction_that_is_a_hole_says_so() {
    let mut app = app("popf", "trap");
    enter(&mut app, "/csrs");
    let screen = shown(&mut app, Size::new(100, 30));
    assert!(
        screen
            .lines()
            .any(|line| line.contains('!') && line.contains("status")),
        "{screen}"
    );
}

#[test]
fn breakpoints_are_set_at_the_selection_or_by_a_click() {
    let mut app = app("guest-os", "bare");
    let screen = shown(&mut app, SIZES[0]);
    press(&mut app, "j j b");
    let pc = app.session.run().guest().hart.pc;
    assert_eq!(
        app.session.timeline().breakpoints()[0].point,
        Point::Address(pc + 8)
    );
    assert!(shown(&mut app, SIZES[0]).contains('●'), "{screen}");
    press(&mut app, "c");
    assert_eq!(app.session.run().guest().hart.pc, pc + 8);
    let line = shown(&mut app, SIZES[0])
        .lines()
        .position(|line| line.contains('●'))
        .expect("it is shown");
    let click = Mouse {
        kind: MouseKind::Press,
        at: Position::new(1, line as u16),
    };
    app.update(Message::Mouse(click));
    assert!(app.session.timeline().breakpoints().is_empty());
}

#[test]
fn registers_and_memory_are_edited_where_they_stand() {
    let mut app = app("guest-os", "bare");
    shown(&mut app, SIZES[1]);
    press(&mut app, "s s w j enter");
    let prompt = app.prompt.as_ref().map(|prompt| prompt.text.clone());
    assert_eq!(prompt.as_deref(), Some("set ra "));
    enter(&mut app, "0x1234");
    assert_eq!(app.session.run().guest().hart.x[1], 0x1234);
    enter(&mut app, ":at sp");
    press(&mut app, "l enter");
    enter(&mut app, "-2");
    let guest = app.session.run().guest();
    assert_eq!(guest.at(guest.hart.x[2] + 4), Some(0xffff_fffe));
    let screen = shown(&mut app, SIZES[1]);
    assert!(screen.contains("◆fffffffe"), "{screen}");
}

#[test]
fn what_the_guest_prints_does_not_reach_the_terminal_as_it_is() {
    let mut app = app("control-bytes", "trap");
    press(&mut app, "c w w w");
    for size in SIZES {
        let screen = shown(&mut app, size);
        assert!(screen.contains("\\xff"), "{screen}");
        assert!(!screen.chars().any(|c| c.is_control() && c != '\n'), "{screen}");
    }
}

#[test]
fn on_a_small_screen_panes_share_a_place_and_the_one_with_the_keys_has_it() {
    let mut app = app("guest-os", "trap");
    shown(&mut app, SIZES[0]);
    for pane in ["Console", "Memory", "Stack", "Disk", "Rings", "Breakpoints"] {
        press(&mut app, if pane == "Console" { "w w w" } else { "w" });
        let screen = shown(&mut app, SIZES[0]);
        assert!(screen.contains(&format!("═ {pane}")), "{screen}");
    }
    press(&mut app, "w");
    let screen = shown(&mut app, SIZES[0]);
    assert!(
        screen.contains("═ Code") && screen.contains("─ Breakpoints"),
        "{screen}"
    );
}
