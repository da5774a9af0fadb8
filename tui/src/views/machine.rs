//! View Machine: what a debugger shows of a guest, as the guest sees itself.

mod breakpoints;
mod code;
mod console;
mod control;
mod disk;
mod memory;
mod registers;
mod rings;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use toy_isa::mmu::PAGE;
use vmm_core::guest::GuestView;
use vmm_core::timeline::{Breakpoint, Point};

use super::{Answer, Screen};
use crate::action::Action;
use crate::app::App;
use crate::command;
use crate::frame;
use crate::prompt::Purpose;
use crate::session::Session;

/// The panes, in the order of [`PANES`].
const CODE: usize = 0;
const REGISTERS: usize = 1;
const CONTROL: usize = 2;
const CONSOLE: usize = 3;
const MEMORY: usize = 4;
const STACK: usize = 5;
const DISK: usize = 6;
const RINGS: usize = 7;
const BREAKPOINTS: usize = 8;

const PANES: [&str; 9] = [
    "Code",
    "Registers",
    "Control",
    "Console",
    "Memory",
    "Stack",
    "Disk",
    "Rings",
    "Breakpoints",
];

/// On a small screen these share a place, from the first of them on.
const SHARED: usize = CONSOLE;

/// What the view keeps.
#[derive(Default)]
pub struct State {
    /// Of the panes that share a place, which one was seen last, counted from the first of them.
    slot: usize,
    code: code::State,
    memory: memory::State,
    /// The register that is selected.
    register: usize,
    /// How far down the stack is looked, in words.
    stack: u32,
    /// How many lines before the end the console is looked at.
    console: usize,
    /// The first line of the disk that is shown.
    disk: usize,
    /// The breakpoint that is selected.
    breakpoint: usize,
}

/// The view.
pub struct Machine;

impl Screen for Machine {
    fn panes(&self) -> &'static [&'static str] {
        &PANES
    }

    fn layout(&self, app: &App, area: Rect) -> Vec<Rect> {
        match area.width >= 150 && area.height >= 40 {
            true => wide(area),
            false => narrow(area, app.views.machine.slot),
        }
    }

    fn title(&self, app: &App, pane: usize) -> String {
        let hart = app.session.run().guest().hart;
        match pane {
            CODE => code::title(app),
            REGISTERS => format!("Registers  pc {:08x}", hart.pc),
            MEMORY => memory::title(app),
            STACK => format!("Stack  sp {:08x}", hart.x[2]),
            _ => PANES[pane].to_string(),
        }
    }

    fn draw(&self, app: &App, pane: usize, area: Rect, buffer: &mut Buffer) {
        match pane {
            CODE => code::draw(app, area, buffer),
            REGISTERS => registers::draw(app, area, buffer),
            CONTROL => control::draw(app, area, buffer),
            CONSOLE => console::draw(app, area, buffer),
            MEMORY => memory::draw(app, area, buffer),
            STACK => memory::draw_stack(app, area, buffer),
            DISK => disk::draw(app, area, buffer),
            RINGS => rings::draw(app, area, buffer),
            _ => breakpoints::draw(app, area, buffer),
        }
    }

    fn update(&self, app: &mut App, action: Action) -> bool {
        let pane = app.focus();
        if action == Action::Breakpoint && pane != BREAKPOINTS {
            toggle(app, code::cursor(app));
            return true;
        }
        let lines = usize::from(frame::size_of(app, pane).height).max(1);
        let done = match pane {
            CODE => code::update(app, action, lines),
            REGISTERS => registers::update(app, action, lines),
            CONSOLE => scroll(
                &mut app.views.machine.console,
                action,
                lines,
                console::LEAST,
                true,
            ),
            MEMORY => memory::update(app, action, lines),
            STACK => memory::update_stack(app, action, lines),
            DISK => {
                let last = disk::rows(app).saturating_sub(lines);
                scroll(&mut app.views.machine.disk, action, lines, last, false)
            }
            BREAKPOINTS => breakpoints::update(app, action, lines),
            _ => false,
        };
        if done {
            self.arranged(app);
        }
        done
    }

    fn click(&self, app: &mut App, pane: usize, at: Position) {
        match pane {
            CODE => code::click(app, at),
            REGISTERS => registers::click(app, at),
            MEMORY => memory::click(app, at),
            BREAKPOINTS => breakpoints::click(app, at),
            _ => {}
        }
    }

    fn command(&self, app: &mut App, line: &str) -> Answer {
        let (word, place) = line.split_once(char::is_whitespace)?;
        let pane = match word {
            "at" => MEMORY,
            "code" => CODE,
            _ => return None,
        };
        let address = match command::address(&app.session, place.trim()) {
            Ok(address) => address,
            Err(error) => return Some(Err(error.to_string())),
        };
        match pane {
            MEMORY => app.views.machine.memory.show(address),
            _ => app.views.machine.code.show(address),
        }
        app.views.focus[app.view as usize] = pane;
        Some(Ok(String::new()))
    }

    fn search(&self, app: &mut App, text: &str, onwards: bool) -> Answer {
        match app.focus() {
            CODE => Some(code::search(app, text, onwards)),
            CONSOLE => Some(console::search(app, text, onwards)),
            MEMORY => Some(memory::search(app, text, onwards)),
            _ => None,
        }
    }

    fn moved(&self, app: &mut App) {
        self.arranged(app);
    }

    fn arranged(&self, app: &mut App) {
        let focus = app.focus();
        let state = &mut app.views.machine;
        if let Some(slot) = focus.checked_sub(SHARED) {
            state.slot = slot;
        }
        let lines = frame::size_of(app, CODE).height;
        code::follow(app, usize::from(lines));
        let lines = |pane| usize::from(frame::size_of(app, pane).height);
        let pages = memory::pages(app, lines(MEMORY), lines(STACK));
        app.session.show_pages(pages);
    }

    fn help(&self) -> &'static str {
        "The guest as it sees itself: its code, its registers and control registers, its memory, its console and its \
         disk, whatever the mode does to make it so. w goes from pane to pane; on a small screen, several share a place.

         Code: the word that stands in memory now, as an instruction, and the line of the source that it comes from. \
         The \
         line that will be executed next is marked with a triangle and reversed. A disc is a breakpoint, a ring one \
         that \
         is off. Before an instruction, an arrow upwards says that it traps outside ring 0, so that a monitor gets to \
         see it; an exclamation mark on a strong ground, that it is sensitive and does not: a hole. Enter runs to the \
         line that is selected; left and right choose what is shown.

         A diamond marks what has changed since the guest stood last: registers, words of memory, what was printed. \
         Enter on a register or a word changes it. Of status, in brackets stands the previous ring, and names in \
         capitals are set.

         Rings: where the guest believes to be, and where it really is. Commands here: `at PLACE` shows memory there, \
         `code PLACE` code. '/' searches code, the console, and memory: there for a text, or for a word as a number."
    }

    fn actions(&self) -> &'static [Action] {
        &[
            Action::StepInto,
            Action::StepBack,
            Action::StepOver,
            Action::Continue,
            Action::Play,
            Action::Mode,
        ]
    }
}

/// Everything at once.
fn wide(area: Rect) -> Vec<Rect> {
    let (code, middle) = (area.width - 42 - 50, 42);
    let columns = [
        Rect { width: code, ..area },
        Rect {
            x: area.x + code,
            width: middle,
            ..area
        },
        Rect {
            x: area.x + code + middle,
            width: area.width - code - middle,
            ..area
        },
    ];
    let [code, console] = stacked(columns[0], [area.height * 3 / 5]);
    let [registers, control, rings] = stacked(columns[1], [11, 13]);
    let third = (area.height - 14) / 3;
    let [memory, stack, disk, breakpoints] = stacked(columns[2], [14, third, third]);
    vec![
        code,
        registers,
        control,
        console,
        memory,
        stack,
        disk,
        rings,
        breakpoints,
    ]
}

/// Code and registers; the others share a place, and `slot` has it.
fn narrow(area: Rect, slot: usize) -> Vec<Rect> {
    let right = 34;
    let left = Rect {
        width: area.width - right,
        ..area
    };
    let column = Rect {
        x: left.right(),
        width: right,
        ..area
    };
    let [code, shared] = stacked(left, [area.height - (area.height * 2 / 5).max(8)]);
    let [registers, control] = stacked(column, [10]);
    let mut all = vec![code, registers, control];
    all.resize(PANES.len(), Rect::ZERO);
    all[SHARED + slot] = shared;
    all
}

/// Pieces of these heights above one another, and what is left.
fn stacked<const HEIGHTS: usize, const ALL: usize>(area: Rect, heights: [u16; HEIGHTS]) -> [Rect; ALL] {
    let mut pieces = [Rect::ZERO; ALL];
    let mut y = area.y;
    for (number, piece) in pieces.iter_mut().enumerate() {
        let left = area.bottom().saturating_sub(y);
        let height = heights.get(number).map_or(left, |height| (*height).min(left));
        *piece = Rect { y, height, ..area };
        y += height;
    }
    pieces
}

/// Scrolls: `at` stays between 0 and `last`; `back`: it counts from the end.
fn scroll(at: &mut usize, action: Action, page: usize, last: usize, back: bool) -> bool {
    let up = |at: usize, by| {
        if back {
            at.saturating_add(by)
        } else {
            at.saturating_sub(by)
        }
    };
    let down = |at: usize, by| {
        if back {
            at.saturating_sub(by)
        } else {
            at.saturating_add(by)
        }
    };
    let wanted = match action {
        Action::Up => up(*at, 1),
        Action::Down => down(*at, 1),
        Action::PageUp => up(*at, page),
        Action::PageDown => down(*at, page),
        Action::Top => up(*at, usize::MAX),
        Action::Bottom => down(*at, usize::MAX),
        _ => return false,
    };
    *at = wanted.min(last);
    true
}

/// Sets a breakpoint at an address, or clears it.
fn toggle(app: &mut App, address: u32) {
    let points = app.session.breakpoints_mut();
    let before = points.len();
    points.retain(|breakpoint| breakpoint.point != Point::Address(address));
    if points.len() == before {
        points.push(Breakpoint::at(Point::Address(address)));
    }
}

/// Asks for another value of something.
fn ask_for(app: &mut App, what: &str) {
    app.ask(Purpose::Command, &format!("set {what} "));
}

/// Page and offset in the guest's memory that an address of the guest's means now.
fn place(guest: &GuestView, address: u32) -> Option<(u32, usize)> {
    let real = guest.real(address)?;
    Some((guest.guest_page(real / PAGE)?, (real % PAGE) as usize))
}

/// The word at an address of the guest's, and whether it was another one when the guest stood last.
fn word(session: &Session, guest: &GuestView, address: u32) -> Option<(u32, bool)> {
    let now = guest.at(address)?;
    let before = place(guest, address).and_then(|(page, offset)| {
        let bytes = session.before().page(page)?.get(offset..offset + 4)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    });
    Some((now, before.is_some_and(|before| before != now)))
}

/// The lines of an area, each with its number.
fn lines(area: Rect) -> impl Iterator<Item = (usize, Rect)> {
    (0..area.height).map(move |number| {
        let line = Rect {
            y: area.y + number,
            height: 1,
            ..area
        };
        (usize::from(number), line)
    })
}
