//! Guided tours, taken with the keyboard.

use ratatui::layout::{Position, Size};
use scenarios::tour::{self, Tour, Walk};
use tui::tour::{Guide, Notes, Phase, Presented};
use tui::views::View;
use tui::{App, Message, frame};

use crate::common::{SIZES, app, enter, finish, shown};

/// The interface at the beginning of this tour.
fn on(tour: Tour) -> App {
    let mut app = app("guest-os", "trap");
    app.begin_tour(tour);
    press(&mut app, "F12");
    app
}

/// Presses these keys, and waits for what the tour has to do; what the view does meanwhile is its own affair.
fn press(app: &mut App, keys: &str) {
    for key in keys.split_whitespace() {
        app.update(Message::Key(key.parse().expect("a key")));
        while app.guide.as_ref().is_some_and(Guide::busy) {
            app.update(Message::Work);
        }
    }
}

fn shipped(name: &str) -> Tour {
    Tour::find(name).unwrap_or_else(|error| panic!("{error}"))
}

fn place(app: &App) -> (usize, Phase) {
    app.guide.as_ref().expect("a tour is taken").place()
}

/// The lines of the panel, without its frame, as one text.
fn panel(app: &mut App, size: Size) -> String {
    let screen = shown(app, size);
    let lines: Vec<&str> = screen.lines().collect();
    let title = app.guide.as_ref().expect("a tour is taken").tour().title.clone();
    let top = lines
        .iter()
        .rposition(|line| line.contains(&title))
        .expect("its title is shown");
    let inner = lines[top + 1..].iter().take_while(|line| line.starts_with('│'));
    let inner: Vec<&str> = inner.map(|line| line.trim_matches('│').trim()).collect();
    inner.join(" ").trim().to_string()
}

/// As it is shown: one blank between words, and no signs of emphasis.
fn as_shown(text: &str) -> String {
    let emphasis = |word: &str| word.replace('*', "");
    text.split_whitespace()
        .map(emphasis)
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn every_tour_is_taken_to_its_end_and_all_of_its_words_are_shown_on_every_screen() {
    for listed in tour::list() {
        let tour = shipped(&listed.name);
        let walk = Walk::through(&tour).expect("every host can take it");
        let mut app = on(shipped(&listed.name));
        for (stop, wanted) in tour.stops.iter().enumerate() {
            let known = walk.known(&tour, stop);
            if let Some(ask) = &wanted.ask {
                assert_eq!(place(&app), (stop, Phase::Ask), "{}", tour.name);
                let asked = panel(&mut app, SIZES[0]);
                assert!(
                    asked.starts_with(&as_shown(&ask.question.fill(&known))),
                    "{asked}"
                );
                for (number, choice) in ask.choices.iter().enumerate() {
                    let choice = format!("{} {}", number + 1, as_shown(&choice.fill(&known)));
                    assert!(asked.contains(&choice), "{asked}\n  lacks {choice}");
                }
                let answer = as_shown(&ask.answer.fill(&known));
                assert!(!asked.contains(&answer), "not before the prediction");
                press(&mut app, &(ask.right + 1).to_string());
                let answered = panel(&mut app, SIZES[0]);
                assert!(
                    answered.contains("Right: ") && answered.ends_with(&answer),
                    "{answered}\n  {answer}"
                );
                press(&mut app, "space");
            }
            assert_eq!(place(&app), (stop, Phase::Say), "{}", tour.name);
            for size in SIZES {
                let said = panel(&mut app, size);
                assert_eq!(
                    said,
                    as_shown(&wanted.say.fill(&known)),
                    "{} {}",
                    tour.name,
                    stop + 1
                );
            }
            let mark = walk.marks[stop].as_ref().expect("it was found");
            assert_eq!(app.session.timeline().position(), mark.position);
            assert_eq!(app.session.mode, wanted.mode);
            press(&mut app, "space");
        }
        let end = panel(&mut app, SIZES[0]);
        let asked = tour.stops.iter().filter(|stop| stop.ask.is_some()).count();
        assert!(
            end.starts_with(&format!("{asked} of {asked} predictions were right.")),
            "{end}"
        );
    }
}

#[test]
fn every_view_and_pane_that_a_tour_speaks_of_is_there() {
    for tour in tour::list().iter().map(|listed| shipped(&listed.name)) {
        for (place, stop) in tour.stops.iter().enumerate() {
            let panes = tui::views::screen(stop.view).panes();
            let known = |name: &String| panes.iter().any(|pane| pane.eq_ignore_ascii_case(name));
            assert!(
                stop.pane.as_ref().is_none_or(known),
                "{} {}: {:?} is none of {panes:?}",
                tour.name,
                place + 1,
                stop.pane
            );
        }
    }
}

#[test]
fn a_prediction_comes_first_and_the_first_one_counts() {
    let mut app = on(shipped("first-trap"));
    press(&mut app, "space");
    assert_eq!(place(&app), (1, Phase::Ask));
    let before = app.session.timeline().position();
    press(&mut app, "space 4 9 f");
    assert_eq!(
        place(&app),
        (1, Phase::Ask),
        "no such choice, and no way on without one"
    );
    assert_eq!(app.session.timeline().position(), before);
    press(&mut app, "c");
    assert_eq!(place(&app), (1, Phase::Answer));
    assert!(panel(&mut app, SIZES[0]).contains("Not 3 but 2: "));
    press(&mut app, "backspace");
    assert_eq!(place(&app), (1, Phase::Ask));
    assert_eq!(
        app.session.timeline().position(),
        before,
        "the question is asked where it was"
    );
    press(&mut app, "2");
    assert!(
        panel(&mut app, SIZES[0]).contains("Not 3 but 2: "),
        "it was predicted before"
    );
    press(
        &mut app,
        "space space 2 space space space 2 space space 3 space space",
    );
    assert_eq!(place(&app).1, Phase::End);
    let end = panel(&mut app, SIZES[0]);
    assert!(
        end.contains("3 of 4 predictions were right.") && end.contains("at stop 2:"),
        "{end}"
    );
}

#[test]
fn back_and_forth_lead_to_the_same_places() {
    let mut app = on(shipped("page-tables"));
    let mut places = Vec::new();
    while place(&app).1 != Phase::End {
        places.push((place(&app), app.session.timeline().position(), app.session.mode));
        let asks = place(&app).1 == Phase::Ask;
        press(&mut app, if asks { "1" } else { "space" });
    }
    press(&mut app, "backspace");
    while let Some(wanted) = places.pop() {
        assert_eq!(
            (place(&app), app.session.timeline().position(), app.session.mode),
            wanted
        );
        press(&mut app, "backspace");
    }
    assert_eq!(place(&app), (0, Phase::Ask));
}

#[test]
fn who_looks_around_is_brought_back_by_the_next_stop() {
    let tour = shipped("system-call");
    let walk = Walk::through(&tour).expect("every host can take it");
    let mut app = on(tour);
    press(&mut app, "s s 1 t z");
    enter(&mut app, ":mode interpret");
    finish(&mut app);
    press(&mut app, "space");
    assert_eq!(place(&app), (1, Phase::Say));
    let wanted = walk.marks[1].as_ref().map(|mark| mark.position);
    assert_eq!(Some(app.session.timeline().position()), wanted);
    assert_eq!((app.session.mode.name(), app.view), ("bare", View::Flow));
}

#[test]
fn a_tour_is_left_and_begun_from_inside() {
    let mut app = app("guest-os", "trap");
    enter(&mut app, ":tour");
    assert!(shown(&mut app, SIZES[0]).contains("first-trap system-call popf"));
    enter(&mut app, ":tour pop");
    assert!(shown(&mut app, SIZES[0]).contains("did you mean 'popf'?"));
    for leave in ["q", "esc"] {
        enter(&mut app, ":tour popf");
        assert_eq!(app.session.scenario.name, "popf");
        press(&mut app, leave);
        assert!(
            app.guide.is_none() && app.take_requests().is_empty(),
            "{leave} leaves the tour only"
        );
    }
    enter(&mut app, ":tour popf");
    press(&mut app, "z esc");
    assert!(app.guide.is_some(), "Escape leaves the zoom first");
    press(&mut app, "? q esc");
    assert!(app.guide.is_none());
}

#[test]
fn the_panel_covers_no_pane() {
    for size in SIZES.into_iter().chain([Size::new(80, 30), Size::new(200, 24)]) {
        let mut app = on(shipped("popf"));
        let screen = shown(&mut app, size);
        let rows = screen.lines().enumerate().skip(3);
        let mut panes = 0;
        for (y, line) in rows.take(usize::from(size.height) - 5) {
            let of_panel = y
                >= screen.lines().count()
                    - 2
                    - usize::from(tui::tour::height(app.guide.as_ref().unwrap(), size.width));
            for x in (0..size.width).step_by(9) {
                let pane = frame::pane_at(&app, Position::new(x, y as u16));
                assert_eq!(pane.is_none(), of_panel, "{x} {y} {line}");
                panes += usize::from(pane.is_some());
            }
        }
        assert!(panes >= usize::from(size.width).div_ceil(9) * 6);
    }
}

#[test]
fn a_stop_that_is_not_met_is_told_and_can_be_left() {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("missed.toml");
    let text = "title = \"Missed\"\nscenario = \"popf\"\n[[stop]]\nsay = \"here\"\n[[stop]]\nsay = \"there\"\n\
                to = { event = \"hypercall\" }\n";
    std::fs::write(&path, text).expect("the folder is ours");
    let mut app = on(shipped(path.to_str().expect("a path that is text")));
    press(&mut app, "space");
    let said = panel(&mut app, SIZES[0]);
    assert!(
        said.contains("this stop was not met: the guest switched itself off"),
        "{said}"
    );
    press(&mut app, "backspace");
    assert_eq!(panel(&mut app, SIZES[0]), "here");
    assert_eq!(app.session.timeline().retired(), 0);
}

#[test]
fn notes_follow_the_presentation_and_page_by_themselves_without_one() {
    let tour = shipped("popf");
    let walk = Walk::through(&tour).expect("every host can take it");
    let mut notes = Notes::new(shipped("popf"), walk);
    let mut app = on(tour);
    press(&mut app, "space space");
    let presented = app.guide.as_ref().map(Guide::presented);
    assert!(notes.follow(presented.as_ref()));
    assert!(!notes.follow(presented.as_ref()), "nothing is new");
    assert_eq!(notes.place(), place(&app));
    notes.turn(true);
    assert_eq!(notes.place(), place(&app), "the presentation leads");
    let text = notes_text(&notes, Size::new(80, 40));
    for part in [
        "stop 3 of 12 (ask); follows",
        "popf-takes-effect",
        "✓ 3 Neither",
        "Nobody told the monitor",
        "Next",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    notes.follow(None);
    for _ in 0..100 {
        notes.turn(true);
    }
    assert_eq!(notes.place(), (11, Phase::End));
    for _ in 0..100 {
        notes.turn(false);
    }
    assert_eq!(notes.place(), (0, Phase::Say));
    // What a file can say, and is not so.
    let bad = |tour: &str, stop: usize, phase: &str| Presented {
        tour: tour.to_string(),
        stop,
        phase: phase.to_string(),
    };
    for bad in [
        bad("other", 1, "say"),
        bad("popf", 12, "say"),
        bad("popf", 1, "sing"),
        bad("popf", 0, "ask"),
    ] {
        notes.follow(Some(&bad));
        assert_eq!(notes.place(), (0, Phase::Say), "{bad:?}");
    }
    for (width, height) in [(0, 0), (1, 1), (3, 2), (20, 5), (300, 3)] {
        notes_text(&notes, Size::new(width, height));
    }
}

fn notes_text(notes: &Notes, size: Size) -> String {
    let area = ratatui::layout::Rect::from((Position::ORIGIN, size));
    let mut buffer = ratatui::buffer::Buffer::empty(area);
    notes.draw(&tui::theme::Theme::default(), area, &mut buffer);
    crate::common::text(&buffer)
}
