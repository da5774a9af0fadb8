//! View Compare: columns stay at the same instruction, and one that parts from the bare machine stays where it does.

use crate::common::{app, compare, enter, finish, press, shown};
use ratatui::layout::Size;
use scenarios::Scenario;
use toy_isa::profile::{Profile, ProfileName};
use tui::App;
use tui::session::Session;
use vmm_core::engine::EngineName;
use vmm_core::mode::ModeName;

/// The line of the screen that begins with this word, in its pane.
fn row(app: &mut App, name: &str) -> String {
    let screen = shown(app, Size::new(160, 50));
    let mut lines = screen
        .lines()
        .map(|line| line.trim_start_matches(['│', '║', ' ']));
    let found = lines.find(|line| line.starts_with(name));
    found
        .unwrap_or_else(|| panic!("no row {name} in\n{screen}"))
        .to_string()
}

/// What stands in each column of a row, blanks apart.
fn words(row: &str) -> Vec<&str> {
    row.trim_end_matches(['│', '║', ' '])
        .split("  ")
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .collect()
}

#[test]
fn it_looks_like_its_pictures() {
    let mut app = app("guest-os", "trap");
    press(&mut app, "3");
    enter(&mut app, ":300000");
    finish(&mut app);
    compare(&mut app, "compare", false);
}

#[test]
fn columns_stay_together_whatever_the_guest_does() {
    let mut app = app("guest-os", "trap");
    press(&mut app, "3");
    enter(&mut app, ":compare bare translate hybrid");
    for keys in ["t", "t", "s", "s", "x", "i", "y", "s s s", "S", "T", "I"] {
        press(&mut app, keys);
        let at = row(&mut app, "instruction").replace("instruction", "");
        let at = words(&at);
        assert_eq!(at.len(), 4, "{at:?}");
        assert!(at.iter().all(|number| *number == at[0]), "after {keys}: {at:?}");
        let equal = row(&mut app, "guest");
        assert_eq!(equal.matches("equal").count(), 3, "after {keys}: {equal}");
    }
}

#[test]
fn a_mode_that_parts_from_the_bare_machine_stays_where_it_does_and_says_how() {
    let mut scenario = Scenario::shipped("guest-os").expect("it ships");
    scenario.set_profile(Profile::new(ProfileName::Leaky));
    let session = Session::new(scenario.into(), ModeName::Bare, EngineName::Interpreter).expect("it runs");
    let mut app = App::new(
        session,
        EngineName::Interpreter,
        Default::default(),
        Default::default(),
        Default::default(),
    );
    press(&mut app, "3");
    enter(&mut app, ":compare trap translate");
    enter(&mut app, ":200000");
    let checked = row(&mut app, "checked");
    assert!(
        checked.contains("parted here") && checked.contains("as bare"),
        "{checked}"
    );
    let at = row(&mut app, "instruction").replace("instruction", "");
    let at: Vec<u64> = words(&at)
        .iter()
        .map(|number| number.replace(',', "").parse().expect("a number"))
        .collect();
    assert_eq!((at[0], at[2]), (200_000, 200_000));
    assert!(at[1] < 200_000, "{at:?}");
    // What it says is what the checker says: the instruction, both values, and the hole.
    press(&mut app, "l");
    let screen = shown(&mut app, Size::new(160, 50));
    for word in ["csrsi status", "register status", "POPF"] {
        assert!(screen.contains(word), "no '{word}' in\n{screen}");
    }
    // Before that instruction it was with the others.
    enter(&mut app, &format!(":{}", at[1] - 1));
    let equal = row(&mut app, "guest");
    assert_eq!(equal.matches("equal").count(), 2, "{equal}");
    compare(&mut app, "compare-leaky", false);
}

#[test]
fn columns_can_be_chosen() {
    let mut app = app("guest-os", "trap");
    press(&mut app, "3 l enter");
    let screen = shown(&mut app, Size::new(160, 50));
    assert!(screen.contains("interpret"), "{screen}");
    enter(&mut app, ":compare nonsense");
    let screen = shown(&mut app, Size::new(160, 50));
    assert!(screen.contains("'nonsense' is no mode"), "{screen}");
}

#[test]
fn in_large_letters_another_mode_comes_in_sight_when_it_is_selected() {
    let mut app = app("guest-os", "trap");
    let size = Size::new(160, 50);
    press(&mut app, "3 l l");
    shown(&mut app, size);
    press(&mut app, "z z");
    assert_eq!(app.zoom, tui::app::Zoom::Large);
    // Below the head, which marks the selected one, too.
    let body = |app: &mut App| shown(app, size).lines().skip(8).collect::<String>();
    let translate = body(&mut app);
    press(&mut app, "h");
    assert_ne!(translate, body(&mut app), "bare");
    press(&mut app, "l");
    assert_eq!(translate, body(&mut app));
}
