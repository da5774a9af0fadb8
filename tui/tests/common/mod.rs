//! Playing the interface without a terminal, and looking at what it draws.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::collections::BTreeMap;
use std::fmt::Write;

use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::style::{Color, Modifier, Style};
use scenarios::Scenario;
use tui::action::KeyMap;
use tui::app::Forced;
use tui::session::Session;
use tui::settings::Settings;
use tui::theme::{Colours, Theme};
use tui::{App, Message, frame};
use vmm_core::engine::EngineName;
use vmm_core::mode::ModeName;

/// The screens that everything is looked at on.
pub(crate) const SIZES: [Size; 2] = [Size::new(80, 24), Size::new(160, 50)];

/// The interface with a shipped scenario in this mode, at its beginning.
pub(crate) fn app(scenario: &str, mode: &str) -> App {
    let scenario = Scenario::shipped(scenario).expect("it ships");
    let mode = ModeName::from_name(mode).expect("a mode");
    let engine = EngineName::Interpreter;
    let session = Session::new(scenario.into(), mode, engine).expect("every host can run it");
    App::new(
        session,
        engine,
        Settings::default(),
        Forced::default(),
        KeyMap::default(),
    )
}

/// Presses these keys, by their names, and lets all work be done after each.
pub(crate) fn press(app: &mut App, keys: &str) {
    for key in keys.split_whitespace() {
        app.update(Message::Key(key.parse().expect("a key")));
        finish(app);
    }
}

/// Types a line, such as `:goto 5`, and enters it.
pub(crate) fn enter(app: &mut App, line: &str) {
    for c in line.chars() {
        app.update(Message::Key(tui::key::Key::char(c)));
    }
    press(app, "enter");
}

/// Does all the work that is to be done.
pub(crate) fn finish(app: &mut App) {
    for _ in 0..100_000 {
        if !app.busy() {
            return;
        }
        app.update(Message::Work);
    }
    panic!("the work has no end");
}

/// The screen in this theme.
pub(crate) fn screen(app: &mut App, size: Size, theme: Theme) -> Buffer {
    let Size { width, height } = size;
    app.update(Message::Resize { width, height });
    app.theme = theme;
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    frame::paint(app, area, &mut buffer);
    buffer
}

/// The text of a screen, without the blanks at the ends of its lines.
pub(crate) fn text(buffer: &Buffer) -> String {
    let lines = rows(buffer, |x, y| buffer[(x, y)].symbol().to_string());
    lines.concat()
}

/// What the first test of a screen asks: the text of it in the usual theme.
pub(crate) fn shown(app: &mut App, size: Size) -> String {
    text(&screen(app, size, Theme::default()))
}

/// Compares the view, on both sizes of screen and in all themes, with the pictures of it that are kept; all of the
/// screen, if that is wanted. After a change that is meant, `INSTA_UPDATE=always cargo test -p tui` keeps new ones:
/// read the difference.
pub(crate) fn compare(app: &mut App, name: &str, all: bool) {
    for size in SIZES {
        let name = format!("{name}-{}x{}", size.width, size.height);
        insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(name, picture(app, size, all));
        });
    }
}

/// The text of the view, below it for each character a letter for its style, below that what each letter is in each
/// theme.
fn picture(app: &mut App, size: Size, all: bool) -> String {
    let plain = Theme {
        plain: true,
        ..Theme::default()
    };
    let coloured = Colours::ALL.map(|colours| Theme {
        colours,
        ..Theme::default()
    });
    let themes = coloured.into_iter().chain([plain]);
    let mut screens: Vec<Buffer> = themes.map(|theme| screen(app, size, theme)).collect();
    if !all {
        let view = Rect::new(0, 3, size.width, size.height - frame::AROUND);
        screens = screens.iter().map(|screen| part(screen, view)).collect();
    }
    let texts: Vec<String> = screens.iter().map(text).collect();
    // Colours do not change the text, except where it is their name.
    assert!(
        texts.iter().all(|text| *text == texts[0]),
        "themes differ in their text"
    );
    let styles = |x, y| screens.iter().map(move |screen| style(screen[(x, y)].style()));
    let mut letters: BTreeMap<Vec<String>, char> = BTreeMap::new();
    let mut names = ('a'..='z').chain('A'..='Z');
    let classes = rows(&screens[0], |x, y| {
        let styles: Vec<String> = styles(x, y).collect();
        let new = || names.next().expect("not so many styles");
        letters.entry(styles).or_insert_with(new).to_string()
    });
    let mut out = format!("{}\n{}\n", texts[0], classes.concat());
    let mut legend: Vec<_> = letters.iter().collect();
    legend.sort_by_key(|(_, letter)| **letter);
    for (styles, letter) in legend {
        let _ = writeln!(out, "{letter}  {}", styles.join(" | "));
    }
    out
}

fn part(buffer: &Buffer, area: Rect) -> Buffer {
    let mut part = Buffer::empty(Rect::new(0, 0, area.width, area.height));
    for y in 0..area.height {
        for x in 0..area.width {
            part[(x, y)] = buffer[(area.x + x, area.y + y)].clone();
        }
    }
    part
}

fn rows(buffer: &Buffer, mut cell: impl FnMut(u16, u16) -> String) -> Vec<String> {
    let area = buffer.area;
    let row = |y| {
        (0..area.width)
            .map(|x| cell(x, y))
            .collect::<String>()
            .trim_end()
            .to_string()
            + "\n"
    };
    (0..area.height).map(row).collect()
}

/// A style in a few characters: `252/234 bold`.
fn style(style: Style) -> String {
    let colour = |colour: Option<Color>| match colour {
        Some(Color::Indexed(number)) => number.to_string(),
        _ => "-".to_string(),
    };
    let mut text = format!("{}/{}", colour(style.fg), colour(style.bg));
    for (modifier, name) in [
        (Modifier::BOLD, " bold"),
        (Modifier::UNDERLINED, " underlined"),
        (Modifier::REVERSED, " reversed"),
    ] {
        if style.add_modifier.contains(modifier) {
            text += name;
        }
    }
    text
}
