//! The guest's memory, at the addresses that it uses now; and its stack.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use scenarios::terminal::escape_line;
use toy_isa::mmu::PAGE;
use vmm_core::numbers::counted;
use vmm_core::timeline::number;

use super::{MEMORY, Machine, ask_for, lines, place, word};
use crate::action::Action;
use crate::app::App;
use crate::frame;
use crate::theme::Role;
use crate::views::{Screen, next_of};

/// What the pane keeps.
#[derive(Default)]
pub(super) struct State {
    place: Option<Place>,
}

/// What is shown, once somebody has said so.
#[derive(Clone, Copy)]
struct Place {
    /// The first address, a multiple of [`LINE`].
    top: u32,
    /// The word that is selected, a multiple of 4.
    cursor: u32,
}

/// Bytes in a line.
const LINE: u32 = 16;
const WORDS: u32 = LINE / 4;

/// Columns of an address and of its words; what is left is for their characters.
const ADDRESS: u16 = 8;
const WORD: u16 = 9;

impl State {
    /// Selects an address, and shows it.
    pub(super) fn show(&mut self, address: u32) {
        self.place = Some(Place::at(address));
    }
}

impl Place {
    fn at(address: u32) -> Place {
        Place {
            top: address & !(LINE - 1),
            cursor: address & !3,
        }
    }

    /// What is shown: to begin with, the guest's variables.
    fn of(app: &App) -> Place {
        let image = app.session.program().0;
        let variables = image
            .segments
            .iter()
            .find(|segment| segment.write && !segment.execute);
        let first = variables.map_or(image.entry, |segment| segment.address);
        app.views.machine.memory.place.unwrap_or(Place::at(first))
    }
}

pub(super) fn title(app: &App) -> String {
    let at = Place::of(app).cursor;
    match app.session.near(at) {
        Some(near) => format!("Memory  {at:08x} {near}"),
        None => format!("Memory  {at:08x}"),
    }
}

pub(super) fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    let (theme, session) = (&app.theme, &app.session);
    let guest = session.run().guest();
    let shown = Place::of(app);
    for (number, line) in lines(area) {
        let address = shown.top.wrapping_add(number as u32 * LINE);
        let mut spans = vec![Span::styled(format!("{address:08x}"), theme.style(Role::Dim))];
        let mut characters = String::new();
        for at in (0..WORDS).map(|word| address.wrapping_add(4 * word)) {
            let (text, changed) = match word(session, &guest, at) {
                Some((word, changed)) => {
                    characters.extend(word.to_le_bytes().map(character));
                    (format!("{word:08x}"), changed)
                }
                None => {
                    characters += "    ";
                    ("--------".to_string(), false)
                }
            };
            let (sign, role) = match changed {
                true => (theme.glyphs().changed, Role::Changed),
                false => (" ", Role::Text),
            };
            spans.push(Span::styled(sign, theme.style(role)));
            let selected = at == shown.cursor && app.focus() == MEMORY;
            let style = theme.style(role);
            let style = if selected {
                style.patch(theme.style(Role::Selection))
            } else {
                style
            };
            spans.push(Span::styled(text, style));
        }
        if line.width >= ADDRESS + WORD * WORDS as u16 + 2 + LINE as u16 {
            spans.push(Span::styled(format!("  {characters}"), theme.style(Role::Dim)));
        }
        Line::from(spans).render(line, buffer);
    }
}

/// A byte as a character, if it is one of ASCII that can be seen.
pub(super) fn character(byte: u8) -> char {
    match byte {
        b' '..=b'~' => char::from(byte),
        _ => '.',
    }
}

pub(super) fn update(app: &mut App, action: Action, height: usize) -> bool {
    let page = LINE * height as u32;
    let end = app.session.run().guest().pages().saturating_mul(PAGE);
    let Place { top, cursor: at } = Place::of(app);
    let cursor = match action {
        Action::Up => at.saturating_sub(LINE),
        Action::Down => at.saturating_add(LINE),
        Action::Left => at.saturating_sub(4),
        Action::Right => at.saturating_add(4),
        Action::PageUp => at.saturating_sub(page),
        Action::PageDown => at.saturating_add(page),
        Action::Top => 0,
        Action::Bottom => end.saturating_sub(4),
        Action::Select => {
            ask_for(app, &format!("[{at:#x}]"));
            return true;
        }
        _ => return false,
    } & !3;
    let line = cursor & !(LINE - 1);
    let last = line.saturating_sub(page.saturating_sub(LINE));
    app.views.machine.memory.place = Some(Place {
        top: top.clamp(last, line),
        cursor,
    });
    true
}

/// Looks for a word that is written as a number, or else for a text, from the selection on or back, and around the end
/// of as many addresses as the guest has memory.
pub(super) fn search(app: &mut App, text: &str, onwards: bool) -> Result<String, String> {
    let guest = app.session.run().guest();
    let number = number(text).and_then(|number| u32::try_from(number).ok());
    let wanted = number.map_or(text.as_bytes().to_vec(), |word| word.to_le_bytes().to_vec());
    let step = if number.is_some() { 4 } else { 1 };
    let mut found: Vec<u32> = Vec::new();
    // What may be the beginning of it, at the end of the page before.
    let mut before: Vec<u8> = Vec::new();
    for first in (0..guest.pages()).map(|page| page * PAGE) {
        let Some(page) = place(&guest, first).and_then(|(page, _)| guest.page(page)) else {
            before.clear();
            continue;
        };
        let start = first - before.len() as u32;
        before.extend_from_slice(page);
        let places = before.windows(wanted.len()).zip(start..);
        let places = places.filter(|(bytes, at)| at % step == 0 && *bytes == wanted);
        found.extend(places.map(|(_, at)| at));
        before.drain(..before.len() - (wanted.len() - 1).min(before.len()));
    }
    let here = Place::of(app).cursor;
    let words: Vec<u32> = found.iter().map(|at| at & !3).collect();
    let Some(next) = next_of(&words, here, onwards) else {
        return Err(format!("'{}' is not in memory", escape_line(text.as_bytes())));
    };
    app.views.machine.memory.show(next);
    Machine.arranged(app);
    Ok(counted(found.len() as u64, "place", "places"))
}

pub(super) fn click(app: &mut App, at: Position) {
    let Some(column) = at.x.checked_sub(ADDRESS) else {
        return;
    };
    let top = Place::of(app).top;
    let word = u32::from(column / WORD).min(WORDS - 1);
    let cursor = top.wrapping_add(u32::from(at.y) * LINE + 4 * word);
    app.views.machine.memory.place = Some(Place { top, cursor });
}

/// Pages of the guest's memory that the panes show.
pub(super) fn pages(app: &App, memory: usize, stack: usize) -> Vec<u32> {
    let guest = app.session.run().guest();
    let ranges = [
        (Place::of(app).top, LINE * memory as u32),
        (top_of_stack(app), 4 * stack as u32),
    ];
    let shown = ranges.into_iter().flat_map(|(from, length)| {
        let to = from.saturating_add(length);
        [from, to].map(|address| place(&guest, address).map(|(page, _)| page))
    });
    let mut pages: Vec<u32> = shown.flatten().collect();
    pages.sort_unstable();
    pages.dedup();
    pages
}

fn top_of_stack(app: &App) -> u32 {
    let sp = app.session.run().guest().hart.x[2] & !3;
    sp.wrapping_add(4 * app.views.machine.stack)
}

pub(super) fn draw_stack(app: &App, area: Rect, buffer: &mut Buffer) {
    let (theme, session) = (&app.theme, &app.session);
    let guest = session.run().guest();
    let sp = guest.hart.x[2] & !3;
    for (number, line) in lines(area) {
        let address = top_of_stack(app).wrapping_add(4 * number as u32);
        let distance = format!("sp+{:<4x}", address.wrapping_sub(sp));
        let (text, changed, near) = match word(session, &guest, address) {
            Some((word, changed)) => (format!("{word:08x}"), changed, session.near_code(word)),
            None => ("--------".to_string(), false, None),
        };
        let (sign, role) = match changed {
            true => (theme.glyphs().changed, Role::Changed),
            false => (" ", Role::Text),
        };
        let room = usize::from(line.width).saturating_sub(27);
        Line::from(vec![
            Span::styled(format!("{distance} {address:08x}"), theme.style(Role::Dim)),
            Span::styled(format!("{sign}{text} "), theme.style(role)),
            Span::styled(
                frame::cut(theme, &near.unwrap_or_default(), room),
                theme.style(Role::Dim),
            ),
        ])
        .render(line, buffer);
    }
}

pub(super) fn update_stack(app: &mut App, action: Action, height: usize) -> bool {
    let state = &mut app.views.machine;
    let height = height as u32;
    state.stack = match action {
        Action::Up => state.stack.saturating_sub(1),
        Action::Down => state.stack.saturating_add(1),
        Action::PageUp => state.stack.saturating_sub(height),
        Action::PageDown => state.stack.saturating_add(height),
        Action::Top => 0,
        _ => return false,
    }
    .min(1 << 20);
    true
}
