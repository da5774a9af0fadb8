//! Commands that are typed after `:`, and what they mean everywhere.

mod places;

use scenarios::tour::{self, Tour};
use toy_isa::disasm::REGISTER_NAMES;
use vmm_core::edit::Edit;
use vmm_core::event::Event;
use vmm_core::mode::ModeName;
use vmm_core::timeline::{Breakpoint, Condition, Goal, Point, number, register};

pub use places::{PlaceError, address};

use crate::action::{Action, Kind};
use crate::app::App;
use crate::session::Speed;
use crate::theme::Colours;
use crate::views::View;

/// How each command is written, and what it does.
pub const COMMANDS: &[(&str, &str)] = &[
    ("N", "go to where N instructions of the guest have retired"),
    ("event N", "go to right after event N"),
    ("begin, end", "go to the beginning or the end of the run"),
    (
        "next KIND, prev KIND",
        "to trap exit ring interrupt call, or an event's name",
    ),
    (
        "break PLACE [if COND]",
        "a breakpoint: symbol, address, file:line, or a KIND",
    ),
    (
        "watch WHAT [if COND]",
        "stop after a write: register, symbol, address",
    ),
    ("on N, off N, delete N", "a breakpoint, by its number, or all"),
    (
        "at PLACE, code PLACE",
        "in view Machine: show memory, or code, there",
    ),
    ("set WHAT VALUE", "change a register, pc, or the word at [PLACE]"),
    ("play SPEED", "play so many instructions a second, or `full`"),
    ("mode NAME", "the same instruction in another mode"),
    ("view NAME", "another view"),
    (
        "theme NAME, ascii",
        "other colours; only characters of ASCII or all",
    ),
    ("tour NAME", "a guided tour: a name, or the path of a file"),
    ("help, quit", ""),
];

/// What a command came to: something to say, or to complain about.
type Said = Result<String, String>;

/// Carries out a command that the view did not understand.
pub(crate) fn run(app: &mut App, line: &str) -> Said {
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    match word {
        "" => return nothing(),
        "goto" | "g" => return instruction(app, rest),
        "event" | "e" => {
            let wanted = number(rest).ok_or_else(|| format!("'{rest}' is no number of an event"))?;
            app.set_out(Goal::Event(wanted));
        }
        "begin" => app.act(Action::First),
        "end" => app.set_out(Goal::End),
        "next" | "n" => {
            let point = kind(rest)?;
            app.set_out(Goal::Next(point));
        }
        "prev" | "p" => {
            let point = kind(rest)?;
            app.set_out(Goal::Previous(point));
        }
        "break" | "b" => return set(app, rest, breakpoint),
        "watch" | "w" => return set(app, rest, watchpoint),
        "on" => return each(app, rest, |points, place| points[place].enabled = true),
        "off" => return each(app, rest, |points, place| points[place].enabled = false),
        "delete" | "d" => {
            return each(app, rest, |points, place| {
                points.remove(place);
            });
        }
        "set" => return edit(app, rest),
        "play" => return play(app, rest),
        "mode" => {
            let mode = ModeName::from_name(rest).ok_or_else(|| {
                let names = ModeName::ALL.map(ModeName::name).join(" ");
                format!("'{rest}' is no mode: {names}")
            })?;
            app.switch(mode);
        }
        "view" => {
            let names = || View::ALL.map(View::name).join(" ");
            let view = View::from_name(rest).ok_or_else(|| format!("'{rest}' is no view: {}", names()))?;
            app.show(view);
        }
        "theme" => {
            let names = || Colours::ALL.map(Colours::name).join(" ");
            let theme =
                Colours::from_name(rest).ok_or_else(|| format!("'{rest}' is no theme: {}", names()))?;
            app.settings.theme = theme;
            app.settings_changed();
        }
        "ascii" => {
            app.settings.ascii = !app.theme.ascii;
            app.settings_changed();
        }
        "tour" => return tour(app, rest),
        "help" | "h" => app.act(Action::Help),
        "quit" | "q" => app.act(Action::Quit),
        _ if line.starts_with(|c: char| c.is_ascii_digit()) => return instruction(app, line),
        _ => return Err(unknown(word)),
    }
    nothing()
}

/// Begins a tour; without a name, says which there are.
fn tour(app: &mut App, name: &str) -> Said {
    if name.is_empty() {
        let names: Vec<String> = tour::list().into_iter().map(|listed| listed.name).collect();
        return Ok(format!("tours: {}", names.join(" ")));
    }
    let tour = Tour::find(name).map_err(|error| error.to_string())?;
    app.begin_tour(tour);
    nothing()
}

fn nothing() -> Said {
    Ok(String::new())
}

fn unknown(word: &str) -> String {
    const WORDS: [&str; 20] = [
        "goto", "event", "begin", "end", "next", "prev", "break", "watch", "on", "off", "delete", "set",
        "play", "mode", "view", "theme", "ascii", "tour", "help", "quit",
    ];
    let near = WORDS
        .iter()
        .map(|known| (strsim::damerau_levenshtein(word, known), known));
    match near.min().filter(|(distance, _)| *distance <= 2) {
        Some((_, near)) => format!("there is no command '{word}'; is it '{near}'?"),
        None => format!("there is no command '{word}'; :help lists them"),
    }
}

fn instruction(app: &mut App, text: &str) -> Said {
    let wanted = number(text).ok_or_else(|| format!("'{text}' is no number of an instruction"))?;
    app.set_out(Goal::Instruction(wanted));
    nothing()
}

/// What kind of event a command is about.
fn kind(text: &str) -> Result<Point, String> {
    if let Some(kind) = Kind::from_name(if text.is_empty() { "event" } else { text }) {
        return Ok(kind.point());
    }
    let (name, about) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    if !Event::NAMES.contains(&name) {
        return Err(format!(
            "'{name}' is no event: event trap exit ring interrupt call {}",
            Event::NAMES.join(" ")
        ));
    }
    Ok(Point::Event {
        name: name.to_string(),
        about: Some(about.trim().to_string()).filter(|about| !about.is_empty()),
    })
}

/// Sets a breakpoint: its place, and its condition if it has one.
fn set(app: &mut App, text: &str, point: impl FnOnce(&App, &str) -> Result<Point, String>) -> Said {
    let (place, condition) = match text.split_once(" if ") {
        Some((place, condition)) => (place.trim(), Some(condition)),
        None => (text, None),
    };
    let point = point(app, place)?;
    let image = app.session.program().0;
    let symbol = |name: &str| image.symbol(name).map(|symbol| symbol.address);
    let condition = condition.map(|text| Condition::parse(text, &symbol)).transpose();
    let breakpoint = Breakpoint {
        point,
        condition: condition.map_err(|error| error.to_string())?,
        enabled: true,
    };
    let said = format!(
        "breakpoint {}: {breakpoint}",
        app.session.timeline().breakpoints().len() + 1
    );
    app.session.breakpoints_mut().push(breakpoint);
    Ok(said)
}

fn breakpoint(app: &App, place: &str) -> Result<Point, String> {
    if place.is_empty() {
        return Ok(Point::Address(app.session.run().guest().hart.pc));
    }
    match address(&app.session, place) {
        Ok(address) => Ok(Point::Address(address)),
        Err(error) => kind(place).map_err(|_| error.to_string()),
    }
}

fn watchpoint(app: &App, what: &str) -> Result<Point, String> {
    if let Some(number) = register(what) {
        return Ok(Point::Register(number));
    }
    let inner = what.trim_start_matches('[').trim_end_matches(']');
    let address = address(&app.session, inner);
    address
        .map(Point::Write)
        .map_err(|error| format!("{error}, or a register: {}", REGISTER_NAMES[1..].join(" ")))
}

/// Does something with the breakpoint of this number, or with all.
fn each(app: &mut App, which: &str, mut change: impl FnMut(&mut Vec<Breakpoint>, usize)) -> Said {
    let points = app.session.breakpoints_mut();
    if which == "all" {
        (0..points.len()).rev().for_each(|place| change(points, place));
        return nothing();
    }
    let place = number(which).and_then(|number| usize::try_from(number).ok()?.checked_sub(1));
    match place.filter(|place| *place < points.len()) {
        Some(place) => change(points, place),
        None => {
            return Err(format!(
                "there is no breakpoint '{which}': they have numbers from 1 to {}",
                points.len()
            ));
        }
    }
    nothing()
}

/// Changes a register or a word of memory.
fn edit(app: &mut App, text: &str) -> Said {
    let (what, value) = text
        .rsplit_once(char::is_whitespace)
        .ok_or("expected what to change, and its value")?;
    let (what, session) = (what.trim(), &app.session);
    let place = |text| address(session, text).map_err(|error| error.to_string());
    let value = match value.strip_prefix('-').and_then(number).map(u32::try_from) {
        Some(Ok(negative)) => negative.wrapping_neg(),
        _ => place(value)?,
    };
    let edit = match (register(what), what.strip_prefix('[')) {
        (Some(number), _) => Edit::Register { number, value },
        (None, Some(inner)) => Edit::Word {
            address: place(inner.trim_end_matches(']').trim())?,
            value,
        },
        (None, None) if what == "pc" => Edit::Pc(value),
        (None, None) => {
            return Err(format!(
                "'{what}' cannot be changed: a register, pc, or [PLACE] can"
            ));
        }
    };
    app.session.edit(edit).map_err(|error| error.to_string())?;
    Ok(format!("{what} is {value:#x} now"))
}

fn play(app: &mut App, speed: &str) -> Said {
    let wanted = match (speed, number(speed)) {
        ("", _) => app.settings.speed,
        ("full", _) => Speed::at_most(u64::MAX),
        (_, Some(per_second @ 1..)) => Speed::at_most(per_second.min(u64::MAX - 1)),
        _ => return Err(format!("'{speed}' is no speed: instructions a second, or full")),
    };
    app.settings.speed = wanted;
    app.settings_changed();
    app.session.play(wanted);
    nothing()
}
