//! View Address: what becomes of an address.

mod grid;
mod map;
mod walk;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use toy_isa::mmu::Access;
use vmm_core::walk::{Walk, operand};

use super::{Answer, Screen};
use crate::action::{Action, Kind};
use crate::app::App;
use crate::command;

/// Its panes, by their places.
const WALK: usize = 0;
const MAP: usize = 1;

/// What the view keeps.
#[derive(Default)]
pub struct State {
    /// Which address is walked.
    subject: Subject,
    /// What for, if somebody has said so.
    access: Option<Access>,
    /// How many references are shown; all, unless somebody goes through them one by one.
    revealed: Option<u32>,
    /// The selected range of the map, by its first address.
    selected: u32,
    /// The nested table by itself is shown, by guest-physical address.
    physical: bool,
}

/// Which address is walked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Subject {
    /// Where the guest is.
    #[default]
    ProgramCounter,
    /// What its next instruction loads or stores.
    Operand,
    /// Where its stack ends.
    Stack,
    /// This one.
    Fixed(u32),
}

impl Subject {
    /// The first three, in the order in which keys go through them.
    const GUESTS: [Subject; 3] = [Subject::ProgramCounter, Subject::Operand, Subject::Stack];

    fn name(self) -> &'static str {
        match self {
            Subject::ProgramCounter => "pc",
            Subject::Operand => "operand",
            Subject::Stack => "sp",
            Subject::Fixed(_) => "address",
        }
    }
}

/// The view.
pub struct Address;

impl Screen for Address {
    fn panes(&self) -> &'static [&'static str] {
        &["Walk", "Map"]
    }

    fn layout(&self, _: &App, area: Rect) -> Vec<Rect> {
        let upper = match area.height {
            30.. => grid::ROOMY + 2,
            _ => grid::TIGHT + 2,
        };
        let walk = Rect {
            height: upper,
            ..area
        };
        let map = Rect {
            y: area.y + upper,
            height: area.height - upper,
            ..area
        };
        vec![walk, map]
    }

    fn title(&self, app: &App, pane: usize) -> String {
        let tables = app.session.run().hardware().tables;
        match pane {
            WALK => format!("Walk: the processor walks {}", tables.name()),
            _ if map::by_physical(app, tables) => "The nested table, by guest-physical address".to_string(),
            _ => "What is mapped, by the guest's address".to_string(),
        }
    }

    fn draw(&self, app: &App, pane: usize, area: Rect, buffer: &mut Buffer) {
        match pane {
            WALK => walk::draw(app, area, buffer),
            _ => map::draw(app, area, buffer),
        }
    }

    fn update(&self, app: &mut App, action: Action) -> bool {
        match app.focus() {
            WALK => update_walk(app, action),
            _ => map::update(app, action),
        }
    }

    fn click(&self, app: &mut App, pane: usize, at: Position) {
        if pane == MAP {
            map::click(app, at);
        }
    }

    fn command(&self, app: &mut App, line: &str) -> Answer {
        let line = line.trim();
        let (place, access) = match line.rsplit_once(char::is_whitespace) {
            Some((place, word)) if access(word).is_some() => (place.trim(), access(word)),
            _ => (line, None),
        };
        let asked = place.strip_prefix("walk").filter(|rest| rest.starts_with(' '));
        let place = asked.unwrap_or(place).trim();
        // A number by itself is that of an instruction, in every view.
        let here = asked.is_some() || access.is_some() || place.starts_with("0x");
        let found = command::address(&app.session, place);
        let subject = match (place, found) {
            ("pc", _) => Subject::ProgramCounter,
            ("sp", _) => Subject::Stack,
            ("operand", _) => Subject::Operand,
            (_, Ok(address)) if here || !place.starts_with(|c: char| c.is_ascii_digit()) => {
                Subject::Fixed(address)
            }
            (_, Err(error)) if here => return Some(Err(error.to_string())),
            _ => return None,
        };
        look_at(app, subject, access);
        Some(Ok(String::new()))
    }

    fn search(&self, app: &mut App, text: &str, onwards: bool) -> Answer {
        (app.focus() == MAP).then(|| map::search(app, text, onwards))
    }

    fn help(&self) -> &'static str {
        "Above, one address is walked: for each entry that is read, where it stands (@), what it holds, and what it \
         leads \
         to. Left is what the guest's own processor would do; where the real one walks something else, that stands \
         beside it. Letters are flags: r read, w write, x execute, u ring 3, a accessed, d dirty.\n\
         \n\
         Under trap-and-emulate the processor walks a shadow table, made entry by entry out of the guest's. 'traced': \
         stores to that page trap, so that the shadow can follow. Under hardware assistance it walks in two \
         dimensions: \
         the guest's tables hold guest-physical addresses, and each of these is walked through the nested table, row \
         by \
         row. That makes (2+1)(2+1)-1 = 8 references; with the four levels of x86-64 it is 24. A paravirtual guest's \
         own tables hold real addresses: the monitor validates every change of them. In pure emulation and on the bare \
         machine there is nothing but the guest's own tables.\n\
         \n\
         j and k choose whose address: pc, the operand of the next instruction, sp; ':0x8000', ':main' or ':walk a0 \
         store' \
         any other. enter changes what for: fetch, load, store. h and l hide and reveal one reference after the other; \
         g hides all, G reveals all. Nothing of this changes the guest: no accessed bit is set by looking.\n\
         \n\
         Below, ranges of pages that are mapped alike: the guest's flags and frame, then the flags and the frame of \
         real \
         memory of what the processor uses; '~': the frames do not follow each other. Nothing under the hardware's \
         flags \
         means that the monitor has not made that entry yet. enter walks the selected range; h and l change between \
         the guest's addresses and the nested table by itself."
    }

    fn actions(&self) -> &'static [Action] {
        &[
            Action::Down,
            Action::Right,
            Action::Select,
            Action::StepInto,
            Action::Next(Kind::Trap),
            Action::Mode,
        ]
    }
}

fn access(word: &str) -> Option<Access> {
    match word {
        "fetch" | "x" => Some(Access::Fetch),
        "load" | "r" => Some(Access::Load),
        "store" | "w" => Some(Access::Store),
        _ => None,
    }
}

/// Walks another address from now on.
fn look_at(app: &mut App, subject: Subject, access: Option<Access>) {
    let state = &mut app.views.address;
    (state.subject, state.access, state.revealed) = (subject, access, None);
}

/// The address that is walked, and what for; `None` if the next instruction has no operand in memory.
fn subject(app: &App) -> Option<(u32, Access)> {
    let run = app.session.run();
    let guest = run.guest();
    let hart = &guest.hart;
    let state = &app.views.address;
    let (address, access) = match state.subject {
        Subject::ProgramCounter => (hart.pc, Access::Fetch),
        Subject::Stack => (hart.x[2], Access::Load),
        Subject::Fixed(address) => (address, Access::Load),
        Subject::Operand => {
            let (access, address) = operand(hart, guest.at(hart.pc)?)?;
            (address, access)
        }
    };
    Some((address, state.access.unwrap_or(access)))
}

/// The walk that is shown.
fn walked(app: &App) -> Option<Walk> {
    let (address, access) = subject(app)?;
    Some(Walk::of(app.session.run(), access, address))
}

/// How many references a walk has, in both of its pictures.
fn references(walk: &Walk) -> u32 {
    walk::paths(walk).map(|path| path.references()).sum()
}

fn update_walk(app: &mut App, action: Action) -> bool {
    let walk = walked(app);
    let all = walk.as_ref().map_or(0, references);
    let state = &mut app.views.address;
    let shown = state.revealed.unwrap_or(all).min(all);
    match action {
        Action::Up | Action::Down => {
            let place = Subject::GUESTS.iter().position(|one| *one == state.subject);
            let next = match (place, action) {
                (None, _) => 0,
                (Some(place), Action::Down) => (place + 1) % 3,
                (Some(place), _) => (place + 2) % 3,
            };
            look_at(app, Subject::GUESTS[next], None);
        }
        Action::Left => state.revealed = Some(shown.saturating_sub(1)),
        Action::Right => state.revealed = Some(shown + 1).filter(|shown| *shown < all),
        Action::Top => state.revealed = Some(0),
        Action::Bottom => state.revealed = None,
        Action::Select => {
            let access = walk.map(|walk| match walk.access {
                Access::Fetch => Access::Load,
                Access::Load => Access::Store,
                Access::Store => Access::Fetch,
            });
            state.access = access;
        }
        _ => return false,
    }
    true
}
