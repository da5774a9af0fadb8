//! View 1.

use ratatui::layout::{Position, Size};
use tui::message::{Mouse, MouseKind};
use tui::{App, Message};
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
    let first = |app: &mut App| shown(app, SIZES[0]).lines().nth(4).map(str::to_string);
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

#[test]
fn what_is_searched_for_is_found_in_code_console_and_memory() {
    let mut app = app("guest-os", "trap");
    shown(&mut app, SIZES[1]);
    enter(&mut app, ":300000");
    let search = |app: &mut App, text: &str| {
        enter(app, &format!("/{text}"));
        shown(app, SIZES[1])
    };
    let screen = search(&mut app, "frame_free:");
    assert!(screen.contains("'frame_free:' is not in the code"), "{screen}");
    let screen = search(&mut app, "frame_free");
    assert!(
        screen.contains("call frame_free") && screen.contains("places"),
        "{screen}"
    );
    press(&mut app, "w w w");
    // What stands in the console's last line is what was found.
    let screen = search(&mut app, "MY CHILD, PID");
    let lines: Vec<&str> = screen.lines().collect();
    let found = lines.iter().position(|line| line.contains("my child, pid"));
    let last = lines.iter().rposition(|line| line.contains("my child, pid"));
    assert!(
        found.is_some() && screen.contains("lines, in the last line here"),
        "{screen}"
    );
    assert!(lines[last.unwrap_or(0) + 1].starts_with('╚'), "{screen}");
    press(&mut app, "w");
    let screen = search(&mut app, "nowhere at all");
    assert!(screen.contains("'nowhere at all' is not in memory"), "{screen}");
    let screen = search(&mut app, "family");
    let place = |screen: &str| screen.split("Memory  ").nth(1).map(|rest| rest[..8].to_string());
    let first = place(&screen);
    press(&mut app, "n");
    assert_ne!(first, place(&shown(&mut app, SIZES[1])));
    press(&mut app, "N");
    assert_eq!(first, place(&shown(&mut app, SIZES[1])));
    // A number is a word of it: here the first instruction.
    let word = app.session.run().guest().at(0x1088).expect("it is there");
    press(&mut app, "g");
    let screen = search(&mut app, &format!("{word:#x}"));
    assert!(screen.contains("Memory  00001088 _start"), "{screen}");
}
