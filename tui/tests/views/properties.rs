//! View Properties: what it says is what the checker and the classifier compute, and it goes on in slices.

use scenarios::Scenario;
use toy_isa::profile::{Profile, ProfileName};
use tui::action::KeyMap;
use tui::app::Forced;
use tui::session::Session;
use tui::settings::Settings;
use tui::theme::Theme;
use tui::{App, Message};
use vmm_core::check::Verdict;
use vmm_core::check::equivalence::Grain;
use vmm_core::check::report::{self, Options};
use vmm_core::engine::EngineName;
use vmm_core::mode::ModeName;
use vmm_core::price::PriceList;

use crate::common::{SIZES, compare, enter, press, shown, text};

/// The interface with view 4 in front, of a shipped scenario on another profile.
fn app(name: &str, profile: ProfileName, mode: &str) -> App {
    let mut scenario = Scenario::shipped(name).expect("it ships");
    if scenario.setup.profile.base() != profile {
        scenario.set_profile(Profile::new(profile));
    }
    let (mode, engine) = (
        ModeName::from_name(mode).expect("a mode"),
        EngineName::Interpreter,
    );
    let session = Session::new(scenario.into(), mode, engine).expect("every host can run it");
    let (settings, keys) = (Settings::default(), KeyMap::default());
    let mut app = App::new(session, engine, settings, Forced::default(), keys);
    app.update(Message::Key("4".parse().expect("a key")));
    app
}

/// The large screen.
fn screen(app: &mut App) -> String {
    shown(app, SIZES[1])
}

/// The screen as one line: sentences on it are not broken any more.
fn sentences(app: &mut App) -> String {
    let screen = screen(app).replace(['│', '║'], " ");
    screen.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn it_looks_like_its_pictures() {
    let mut app = app("guest-os", ProfileName::Leaky, "trap");
    compare(&mut app, "properties-begin", false);
    press(&mut app, "g enter");
    compare(&mut app, "properties-leaky", false);
    // From the hole that the guest fell into to the states that show it.
    press(&mut app, "enter s");
    compare(&mut app, "properties-witness", false);
    press(&mut app, "esc w z");
    compare(&mut app, "properties-lights", false);
    press(&mut app, "w");
    enter(&mut app, ":profile classic");
    compare(&mut app, "properties-classic", false);
}

#[test]
fn the_lights_are_what_the_checker_says() {
    for (name, profile, mode) in [
        ("guest-os", ProfileName::Leaky, "trap"),
        ("guest-os", ProfileName::Classic, "interpret"),
        ("guest-os", ProfileName::Classic, "para"),
        ("popf-takes-effect", ProfileName::Classic, "trap"),
        ("foreign", ProfileName::Classic, "interpret"),
    ] {
        let mut app = app(name, profile, mode);
        assert!(screen(&mut app).matches("checking").count() >= 3, "{name}");
        press(&mut app, "g");
        let options = Options {
            engine: EngineName::Interpreter,
            budget: app.session.scenario.budget,
            grain: Grain::SyncPoints,
            prices: &PriceList::textbook(),
            now: || 0,
        };
        let setup = &app.session.scenario.setup;
        let reports = report::compare(setup, &[app.session.mode], options).expect("it runs");
        let verdict = &reports[0].verdict;
        let said = sentences(&mut app);
        for (property, verdict) in [
            ("equivalence", &verdict.equivalence),
            ("resource control", &verdict.resource_control),
            ("efficiency", &verdict.efficiency),
        ] {
            let light = match verdict.answer() {
                Some(true) => format!("✓ {property} yes"),
                Some(false) => format!("✗ {property} NO"),
                None => format!("? {property} unknown"),
            };
            assert!(said.contains(&light), "{name} under {mode}: {light}\n{said}");
            let Verdict { detail, .. } = verdict;
            assert!(said.contains(detail), "{name} under {mode}: {detail}\n{said}");
        }
    }
}

#[test]
fn without_a_monitor_there_is_nothing_to_judge() {
    let mut app = app("popf", ProfileName::Leaky, "bare");
    press(&mut app, "g");
    assert_eq!(screen(&mut app).matches("undefined").count(), 3);
}

#[test]
fn one_goes_from_profile_to_profile_and_stays_at_the_row() {
    let mut app = app("popf", ProfileName::Leaky, "trap");
    press(&mut app, "g enter");
    let mut seen = Vec::new();
    for _ in 0..3 {
        let text = screen(&mut app);
        let line = text
            .lines()
            .find(|line| line.contains("HOLES") || line.contains("no holes"));
        let holes = line.and_then(|line| line.split_whitespace().find_map(|word| word.parse::<u32>().ok()));
        seen.push((text.contains("Rows of leaky (running)"), holes));
        assert!(text.contains("csrw status: "), "{text}");
        press(&mut app, "p");
    }
    // Leaky itself, classic, hybrid.
    assert_eq!(seen, [(true, Some(14)), (false, None), (false, Some(1))]);
    press(&mut app, "P P P");
    assert!(screen(&mut app).contains("Rows of leaky (running)"));
    press(&mut app, "P");
    assert!(screen(&mut app).contains("Rows of x86-umip"));
    enter(&mut app, ":profile 68000");
    assert!(sentences(&mut app).contains("MOVE from SR"));
    enter(&mut app, ":profile 68001");
    assert!(screen(&mut app).contains("'68001' is no profile and no machine"));
}

#[test]
fn a_witness_is_stepped_through_and_left() {
    let mut app = app("popf", ProfileName::Leaky, "trap");
    enter(&mut app, ":row csrw status");
    press(&mut app, "w w enter");
    let before = screen(&mut app);
    assert!(
        before.contains("csrw status: witness 1 of 5") && before.contains("▶before"),
        "{before}"
    );
    assert!(!before.contains("They part"));
    press(&mut app, "s");
    let after = screen(&mut app);
    assert!(after.contains("▶after") && after.contains("They part: in ring 0 it changes relocation"));
    assert!(
        after.contains('◆') && after.contains("no monitor learns of it"),
        "{after}"
    );
    press(&mut app, "S");
    assert_eq!(screen(&mut app), before);
    press(&mut app, "l");
    assert!(screen(&mut app).contains("witness 2 of 5"));
    press(&mut app, "h h");
    assert!(screen(&mut app).contains("witness 5 of 5"));
    // The guest has not moved: the keys were for the witness.
    assert_eq!(app.session.timeline().position().attempts, 0);
    press(&mut app, "esc");
    assert!(screen(&mut app).contains("Rows of leaky"));
    press(&mut app, "G enter");
    assert!(screen(&mut app).contains("no two states part"));
    press(&mut app, "/");
    enter(&mut app, "cpuid");
    press(&mut app, "enter s");
    assert!(sentences(&mut app).contains("a2 becomes"));
}

#[test]
fn the_mouse_selects_regions_ways_and_rows() {
    use ratatui::layout::Position;
    use tui::message::{Mouse, MouseKind};
    let mut app = app("popf", ProfileName::Leaky, "trap");
    press(&mut app, "g");
    let mut click = |what: &str| {
        let text = screen(&mut app);
        let (y, line) = text
            .lines()
            .enumerate()
            .find(|(_, line)| line.contains(what))
            .expect(what);
        let byte = line.find(what).expect("it is in the line");
        let at = Position::new(line[..byte].chars().count() as u16, y as u16);
        let kind = MouseKind::Press;
        app.update(Message::Mouse(Mouse { kind, at }));
        screen(&mut app)
    };
    assert!(click("both 23").contains("›both 23"));
    assert!(click("innocuous 47").contains("›innocuous 47"));
    assert!(click("! HOLES 14").contains("›! HOLES 14"));
    let text = click("{3}");
    assert!(text.contains("leaky (running): 1974, {3}"), "{text}");
    assert!(click("!csrw status").contains("›!csrw status"));
    assert!(click("!csrw status").contains("csrw status: witness 1"));
}

#[test]
fn work_is_done_in_slices_and_says_how_far_it_is() {
    let mut app = app("guest-os", ProfileName::Leaky, "trap");
    let far = |app: &mut App| -> usize {
        let said = sentences(app);
        let (before, _) = said.split_once(" of 96").expect("it says how far it is");
        let number = before.rsplit(' ').next().expect("a word");
        number.parse().expect("a number")
    };
    let mut before = far(&mut app);
    assert_eq!(before, 0);
    for _ in 0..4 {
        for _ in 0..40 {
            assert!(app.busy());
            app.update(Message::Work);
        }
        let now = far(&mut app);
        assert!(now > before, "{now} rows");
        before = now;
    }
}

#[test]
fn ascii_is_enough_for_a_witness_too() {
    let mut app = app("popf", ProfileName::Leaky, "trap");
    enter(&mut app, ":row prober");
    press(&mut app, "w w enter s");
    let theme = Theme {
        ascii: true,
        ..Theme::default()
    };
    let text = text(&crate::common::screen(&mut app, SIZES[1], theme));
    assert!(text.is_ascii() && text.contains("e1 | r != e2"), "{text}");
}
