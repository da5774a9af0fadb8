//! View Guests: turns forwards and back, shares, and what passes between a guest and its monitor.

use crate::common::{app, compare, finish, press, shown};
use ratatui::layout::Size;
use tui::{App, Message};

const LARGE: Size = Size::new(160, 50);

#[test]
fn it_looks_like_its_pictures() {
    let mut app = app("guest-os", "para");
    press(&mut app, "7");
    for _ in 0..300 {
        press(&mut app, "s");
    }
    compare(&mut app, "guests", false);
}

/// What is shown below the header, without the place of the selection.
fn view(app: &mut App) -> String {
    let screen = shown(app, LARGE);
    screen.lines().skip(3).take(45).collect::<Vec<_>>().join("\n")
}

#[test]
fn turns_can_be_taken_back() {
    let mut app = app("guest-os", "trap");
    press(&mut app, "7");
    let mut forwards = Vec::new();
    for _ in 0..20 {
        forwards.push(view(&mut app));
        press(&mut app, "s");
    }
    for then in forwards.into_iter().rev() {
        press(&mut app, "S");
        assert_eq!(view(&mut app), then);
    }
}

#[test]
fn every_guest_ends_and_has_its_share() {
    let mut app = app("guest-os", "trap");
    press(&mut app, "7 c");
    let screen = shown(&mut app, LARGE);
    assert!(screen.contains("all have ended"), "{screen}");
    assert_eq!(screen.matches("exit code 0").count(), 8, "{screen}");
    assert_eq!(screen.matches("12.5%").count(), 16, "asked and got: {screen}");
    press(&mut app, "<");
    assert!(shown(&mut app, LARGE).contains("turns: 0"));
}

#[test]
fn a_mode_that_runs_one_guest_says_so() {
    let mut app = app("guest-os", "bare");
    press(&mut app, "7");
    let screen = shown(&mut app, LARGE);
    assert!(screen.contains("mode bare runs one guest"), "{screen}");
    assert!(screen.contains("under trap"), "{screen}");
}

#[test]
fn turns_are_played_as_many_a_second_as_was_asked_for() {
    let mut app = app("guest-os", "trap");
    press(&mut app, "7 space");
    for _ in 0..8 {
        app.update(Message::Tick { millis: 125 });
        finish(&mut app);
    }
    let screen = shown(&mut app, LARGE);
    assert!(screen.contains("turns: 11, played at 10/s"), "{screen}");
    press(&mut app, "j + space");
    app.update(Message::Tick { millis: 250 });
    let screen = shown(&mut app, LARGE);
    assert!(screen.contains("turns: 11 "), "{screen}");
    assert!(!app.needs_time());
}
