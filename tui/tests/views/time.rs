//! The guest's time, by keys, commands and the mouse.

use ratatui::layout::Position;
use tui::app::{Request, Zoom};
use tui::message::{Mouse, MouseKind};
use tui::session::Motion;
use tui::views::View;
use tui::{App, Message};
use vmm_core::mode::ModeName;

use crate::common::{SIZES, app, enter, finish, press, shown};

fn retired(app: &App) -> u64 {
    app.session.timeline().retired()
}

fn notice(app: &App) -> &str {
    app.notice.as_ref().map_or("", |notice| &notice.text)
}

#[test]
fn what_small_letters_do_shift_undoes() {
    let mut app = app("guest-os", "trap");
    press(&mut app, "s F7 s");
    assert_eq!(retired(&app), 3);
    press(&mut app, "S shift-F7 S");
    assert_eq!(retired(&app), 0);
    press(&mut app, "S");
    assert_eq!(notice(&app), "this is the beginning of the run");
    enter(&mut app, ":5000");
    for (there, back) in [
        ("t", "T"),
        ("x", "X"),
        ("r", "R"),
        ("y", "Y"),
        ("e", "E"),
        ("o", "O"),
        ("F8", "shift-F8"),
    ] {
        press(&mut app, there);
        let first = app.session.timeline().position();
        press(&mut app, &format!("{there} {back}"));
        assert_eq!(app.session.timeline().position(), first, "{there} and {back}");
    }
}

#[test]
fn the_run_ends_and_is_played_back() {
    let mut app = app("guest-os", "trap");
    press(&mut app, "c");
    assert_eq!(notice(&app), "the guest switched itself off with exit code 0");
    let end = retired(&app);
    press(&mut app, "C");
    assert_eq!(retired(&app), 0);
    press(&mut app, ">");
    assert_eq!(retired(&app), end);
    press(&mut app, "<");
    assert_eq!(retired(&app), 0);
}

#[test]
fn breakpoints_stop_it_where_their_condition_holds() {
    let mut app = app("guest-os", "trap");
    enter(&mut app, ":break hal_put if a0 == 10");
    press(&mut app, "c");
    assert!(
        notice(&app).starts_with("stopped at pc") && notice(&app).contains("if a0 == 10"),
        "{}",
        notice(&app)
    );
    assert_eq!(app.session.run().guest().hart.x[10], 10);
    let first = retired(&app);
    press(&mut app, "c C");
    assert_eq!(retired(&app), first);
    enter(&mut app, ":off 1");
    press(&mut app, "C");
    assert_eq!(retired(&app), 0);
    enter(&mut app, ":delete all");
    enter(&mut app, ":watch sp");
    press(&mut app, "c");
    assert!(notice(&app).contains("write to sp"), "{}", notice(&app));
}

#[test]
fn a_bad_command_says_what_is_wrong() {
    let mut app = app("guest-os", "trap");
    for (line, wanted) in [
        (":brake 5", "is it 'break'?"),
        (":xyzzy", ":help lists them"),
        (":12x", "'12x' is no number"),
        (":event", "is no number of an event"),
        (":break nowhere", "'nowhere' is no place"),
        (":break vectors.s:1000000", "line 1000000"),
        (":break hal_put if a0", "is no comparison"),
        (":watch 12,0000000000", "is no place"),
        (":delete 7", "there is no breakpoint '7'"),
        (":next teatime", "'teatime' is no event"),
        (":mode fast", "'fast' is no mode"),
        (":view window", "'window' is no view"),
        (":theme mauve", "'mauve' is no theme"),
        (":play fast", "'fast' is no speed"),
        (":set a0", "expected what to change"),
        (":set zero 1", "x0 cannot be changed"),
        (":set [3] 1", "not a multiple of 4"),
        (":set status 1", "'status' cannot be changed"),
    ] {
        enter(&mut app, line);
        let notice = app
            .notice
            .as_ref()
            .unwrap_or_else(|| panic!("{line} says nothing"));
        assert!(
            notice.bad && notice.text.contains(wanted),
            "{line}: {}",
            notice.text
        );
        assert_eq!(retired(&app), 0, "{line}");
    }
}

#[test]
fn the_same_instruction_in_another_mode_with_what_was_edited() {
    let mut app = app("guest-os", "trap");
    enter(&mut app, ":1000");
    enter(&mut app, ":set t2 0x1234");
    enter(&mut app, ":1010");
    let pc = app.session.run().guest().hart.pc;
    assert_eq!(app.session.run().guest().hart.x[7], 0x1234);
    enter(&mut app, ":mode bare");
    let guest = app.session.run().guest();
    assert_eq!(
        (app.session.mode, retired(&app), guest.hart.pc),
        (ModeName::Bare, 1010, pc)
    );
    assert_eq!(guest.hart.x[7], 0x1234);
}

#[test]
fn modes_are_chosen_from_a_menu_that_says_why_not() {
    let mut app = app("guest-os", "trap");
    press(&mut app, "m");
    let menu = shown(&mut app, SIZES[0]);
    assert!(
        menu.contains("bare") && menu.contains("needs a machine of profile assist"),
        "{menu}"
    );
    press(&mut app, "G k k enter");
    assert!(notice(&app).contains("profile assist"), "{}", notice(&app));
    press(&mut app, "g enter");
    assert_eq!((app.session.mode, app.menu.is_none()), (ModeName::Bare, true));
    press(&mut app, "m esc");
    assert!(app.menu.is_none());
}

#[test]
fn play_goes_with_the_time_and_stops_at_breakpoints() {
    let mut app = app("guest-os", "trap");
    enter(&mut app, ":play 5");
    let begun = retired(&app);
    for _ in 0..20 {
        app.update(Message::Tick { millis: 50 });
    }
    // The first at once, then five a second; traps count too, which retire nothing.
    assert!(
        (begun + 3..=begun + 6).contains(&retired(&app)),
        "{}",
        retired(&app)
    );
    press(&mut app, "space");
    assert_eq!(app.session.motion(), Motion::Still);
    let here = retired(&app);
    assert!(!app.update(Message::Tick { millis: 1000 }), "nothing moves");
    assert_eq!(retired(&app), here);
    enter(&mut app, ":break hal_put");
    enter(&mut app, ":play full");
    finish(&mut app);
    assert_eq!(app.session.motion(), Motion::Still);
    assert!(notice(&app).contains("stopped at"), "{}", notice(&app));
    enter(&mut app, ":play 1000");
    press(&mut app, "- + +");
    assert_eq!(app.settings.speed.name(), "10k/s");
    while app.session.plays() {
        app.update(Message::Tick { millis: 16 });
    }
    assert!(notice(&app).contains("stopped at"), "{}", notice(&app));
}

#[test]
fn a_long_way_is_given_up_by_escape() {
    let mut app = app("loop", "bare");
    app.update(Message::Key("c".parse().expect("a key")));
    assert!(app.busy());
    app.update(Message::Work);
    let here = retired(&app);
    assert!(here > 0);
    press(&mut app, "esc");
    assert!(!app.busy());
    assert_eq!(retired(&app), here);
}

/// Presses the mouse's button in this column and line.
fn click(app: &mut App, x: u16, y: u16) {
    let mouse = Mouse {
        kind: MouseKind::Press,
        at: Position::new(x, y),
    };
    app.update(Message::Mouse(mouse));
    finish(app);
}

#[test]
fn the_mouse_goes_to_views_and_along_the_timeline() {
    let mut app = app("guest-os", "trap");
    click(&mut app, 12, 2);
    assert_eq!(app.view, View::Flow);
    press(&mut app, "c");
    let end = retired(&app);
    click(&mut app, 14, 1);
    assert_eq!(retired(&app), 0);
    click(&mut app, 23, 1);
    assert!(
        (end / 3..end * 2 / 3).contains(&retired(&app)),
        "{}",
        retired(&app)
    );
    press(&mut app, "F3");
    assert!(app.take_requests().contains(&Request::Mouse(false)));
    click(&mut app, 2, 2);
    assert_eq!(app.view, View::Flow, "it is the terminal's mouse now");
}

#[test]
fn zoom_goes_from_one_pane_to_large_letters_where_there_is_room() {
    let mut app = app("guest-os", "trap");
    app.update(Message::Resize {
        width: 160,
        height: 50,
    });
    press(&mut app, "z");
    assert_eq!(app.zoom, Zoom::Whole);
    press(&mut app, "z");
    assert_eq!(app.zoom, Zoom::Large);
    press(&mut app, "z z esc");
    assert_eq!(app.zoom, Zoom::Off);
    app.update(Message::Resize {
        width: 80,
        height: 24,
    });
    press(&mut app, "z z");
    assert_eq!(app.zoom, Zoom::Off, "no room for large letters");
}
