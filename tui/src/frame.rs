//! What stands around a view: header, tabs, frames of panes, footer; and what may lie over it.

mod footer;
mod header;
mod help;
mod large;
mod popup;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Margin, Position, Rect, Size};
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::Widget;

use crate::app::{App, Zoom};
use crate::theme::{Role, Theme};
use crate::tour;
use crate::views::View;

pub use help::last_line as last_line_of_help;

/// The smallest screen on which everything has its place.
pub const MINIMUM: Size = Size::new(80, 24);

/// Lines around a view: header, timeline and tabs above it, a message and the keys below.
pub const AROUND: u16 = HEAD + FOOT;
const HEAD: u16 = 3;
const FOOT: u16 = 2;

/// Lines that the panel of a tour leaves to the view at the least.
const LEAST: u16 = 6;

/// Draws the whole screen.
pub fn draw(app: &App, frame: &mut Frame) {
    let area = frame.area();
    paint(app, area, frame.buffer_mut());
    if let Some(cursor) = footer::cursor(app, area).filter(|_| fits(area)) {
        frame.set_cursor_position(cursor);
    }
}

/// As [`draw`], into a buffer.
pub fn paint(app: &App, area: Rect, buffer: &mut Buffer) {
    buffer.set_style(area, app.theme.style(Role::Text));
    if !fits(area) {
        return too_small(&app.theme, area, buffer);
    }
    header::draw(app, area, buffer);
    footer::draw(app, area, buffer);
    let inner = view_area(area);
    match app.help {
        Some(line) => help::draw(app, line, inner, buffer),
        None => {
            let (view, panel) = beside(app, inner);
            for (pane, area) in panes(app, view) {
                draw_pane(app, pane, area, buffer);
            }
            if let (Some(guide), Some(panel)) = (&app.guide, panel) {
                tour::draw(app, guide, panel, buffer);
            }
        }
    }
    if let Some(menu) = &app.menu {
        popup::draw(app, menu, inner, buffer);
    }
}

fn fits(area: Rect) -> bool {
    area.width >= MINIMUM.width && area.height >= MINIMUM.height
}

/// What is left for a view.
fn view_area(area: Rect) -> Rect {
    Rect {
        y: area.y + HEAD,
        height: area.height - AROUND,
        ..area
    }
}

/// What of it the view has, and what the panel of a tour: it covers nothing. A pane that is zoomed has all.
fn beside(app: &App, area: Rect) -> (Rect, Option<Rect>) {
    let Some(guide) = app.guide.as_ref().filter(|_| app.zoom == Zoom::Off) else {
        return (area, None);
    };
    let panel = tour::height(guide, area.width).min(area.height.saturating_sub(LEAST));
    let [view, panel] = Layout::vertical([Constraint::Min(0), Constraint::Length(panel)]).areas(area);
    (view, Some(panel))
}

/// The panes that are shown, with where they are. Where the panel of a tour leaves too little room for all, it is the
/// one that keys go to.
fn panes(app: &App, area: Rect) -> Vec<(usize, Rect)> {
    match app.zoom {
        Zoom::Whole | Zoom::Large => vec![(app.focus(), area)],
        Zoom::Off if area.height < MINIMUM.height - AROUND => vec![(app.focus(), area)],
        Zoom::Off => {
            let all = app.screen().layout(app, area).into_iter().enumerate();
            all.filter(|(_, area)| !area.is_empty()).collect()
        }
    }
}

fn draw_pane(app: &App, pane: usize, area: Rect, buffer: &mut Buffer) {
    let screen = app.screen();
    let focus = app.focus() == pane;
    let mut title = screen.title(app, pane);
    let pointed = app.guide.as_ref().and_then(|guide| guide.pane(app.view));
    if pointed.is_some_and(|name| name.eq_ignore_ascii_case(screen.panes()[pane])) {
        title = format!("{} {title}", app.theme.glyphs().selected);
    }
    let inner = boxed(&app.theme, &title, focus, area, buffer);
    if app.zoom != Zoom::Large || !large::fits(inner) {
        return screen.draw(app, pane, inner, buffer);
    }
    let small = large::small(inner);
    let mut pane_buffer = Buffer::empty(small);
    pane_buffer.set_style(small, app.theme.style(Role::Text));
    screen.draw(app, pane, small, &mut pane_buffer);
    large::blow_up(&pane_buffer, inner, buffer);
}

/// What comes after the present zoom: large letters only where there is room for them, and characters for them.
pub fn next_zoom(app: &App) -> Zoom {
    let area = Rect::from((Position::ORIGIN, app.size));
    let large = fits(area) && large::fits(inside(view_area(area))) && !app.theme.ascii;
    match app.zoom {
        Zoom::Off => Zoom::Whole,
        Zoom::Whole if large => Zoom::Large,
        Zoom::Whole | Zoom::Large => Zoom::Off,
    }
}

/// What is inside a frame.
fn inside(area: Rect) -> Rect {
    area.inner(Margin::new(1, 1))
}

/// One line of an area.
fn line_of(area: Rect, number: u16) -> Rect {
    Rect {
        y: area.y + number,
        height: 1,
        ..area
    }
}

/// Draws a frame with a title; what is left inside.
pub fn boxed(theme: &Theme, title: &str, focus: bool, area: Rect, buffer: &mut Buffer) -> Rect {
    let glyphs = theme.glyphs();
    let (style, corners, horizontal, vertical) = match focus {
        true => {
            let (corners, horizontal) = (glyphs.strong_corners, glyphs.strong_horizontal);
            (
                theme.style(Role::Focus),
                corners,
                horizontal,
                glyphs.strong_vertical,
            )
        }
        false => {
            let (corners, horizontal) = (glyphs.corners, glyphs.horizontal);
            (theme.style(Role::Border), corners, horizontal, glyphs.vertical)
        }
    };
    if area.width < 2 || area.height < 2 {
        return Rect::new(area.x, area.y, 0, 0);
    }
    let (right, bottom) = (area.right() - 1, area.bottom() - 1);
    for x in area.x + 1..right {
        buffer.set_string(x, area.y, horizontal, style);
        buffer.set_string(x, bottom, horizontal, style);
    }
    for y in area.y + 1..bottom {
        buffer.set_string(area.x, y, vertical, style);
        buffer.set_string(right, y, vertical, style);
    }
    let places = [
        (area.x, area.y),
        (right, area.y),
        (area.x, bottom),
        (right, bottom),
    ];
    for ((x, y), corner) in places.into_iter().zip(corners) {
        buffer.set_string(x, y, corner, style);
    }
    let room = usize::from(area.width.saturating_sub(4));
    if !title.is_empty() && room > 2 {
        let title = format!(" {} ", cut(theme, title, room - 2));
        let role = if focus { Role::Focus } else { Role::Title };
        buffer.set_stringn(area.x + 2, area.y, title, room, theme.style(role));
    }
    Rect::new(area.x + 1, area.y + 1, area.width - 2, area.height - 2)
}

/// `text` in at most so many columns; where it was cut, it ends with a sign that says so.
pub fn cut(theme: &Theme, text: &str, columns: usize) -> String {
    use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};
    if text.width() <= columns {
        return text.to_string();
    }
    let mut room = columns.saturating_sub(1);
    let fits = |c: &char| {
        let width = c.width().unwrap_or(0);
        let fits = width <= room;
        room -= if fits { width } else { room };
        fits
    };
    let mut kept: String = text.chars().take_while(fits).collect();
    if columns > 0 {
        kept += theme.glyphs().cut;
    }
    kept
}

/// Writes a line of an area from a column on, as far as there is room; the column after it.
pub fn put(
    theme: &Theme,
    area: Rect,
    (column, line): (u16, u16),
    text: &str,
    style: Style,
    buffer: &mut Buffer,
) -> u16 {
    if line >= area.height || column >= area.width {
        return column;
    }
    let text = cut(theme, text, usize::from(area.width - column));
    let (end, _) = buffer.set_stringn(
        area.x + column,
        area.y + line,
        &text,
        usize::from(area.width - column),
        style,
    );
    end - area.x
}

/// Writes a line of an area, as far as there is room.
pub fn put_line(app: &App, area: Rect, line: u16, text: &str, role: Role, buffer: &mut Buffer) {
    put(&app.theme, area, (0, line), text, app.theme.style(role), buffer);
}

/// Says what is missing. It goes away as soon as the screen is large enough.
fn too_small(theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let lines = [
        "Trapeze needs more room.".to_string(),
        format!("needed: {} x {}", MINIMUM.width, MINIMUM.height),
        format!("here:   {} x {}", area.width, area.height),
        "q ends the program".to_string(),
    ];
    let top = area.y + area.height.saturating_sub(lines.len() as u16) / 2;
    for (y, line) in (top..area.bottom()).zip(lines) {
        let room = usize::from(area.width);
        let left = room.saturating_sub(line.chars().count()) / 2;
        buffer.set_stringn(
            area.x + left as u16,
            y,
            line,
            room - left,
            theme.style(Role::Warn),
        );
    }
}

/// The area of the whole screen, if everything has its place on it.
fn whole(app: &App) -> Option<Rect> {
    Some(Rect::from((Position::ORIGIN, app.size))).filter(|area| fits(*area))
}

/// The view whose tab is at this place.
pub fn tab_at(app: &App, at: Position) -> Option<View> {
    header::tab_at(whole(app)?, at)
}

/// The instruction that this place of the timeline means.
pub fn instruction_at(app: &App, at: Position) -> Option<u64> {
    header::instruction_at(app, whole(app)?, at)
}

/// The item of the menu at this place.
pub fn menu_item_at(app: &App, at: Position) -> Option<usize> {
    popup::item_at(app.menu.as_ref()?, view_area(whole(app)?), at)
}

/// The inside of a pane that is shown; nothing if it is not, or if it is in large letters.
pub fn inside_of(app: &App, pane: usize) -> Rect {
    let area = whole(app).filter(|_| app.zoom != Zoom::Large);
    let area = area.map(|area| beside(app, view_area(area)).0);
    let mut shown = area.into_iter().flat_map(|area| panes(app, area));
    let found = shown.find(|(number, _)| *number == pane);
    found.map_or(Rect::ZERO, |(_, area)| inside(area))
}

/// The pane at this place, and its inside. In large letters nothing is inside.
pub fn pane_at(app: &App, at: Position) -> Option<(usize, Rect)> {
    let (view, _) = beside(app, view_area(whole(app)?));
    let mut shown = panes(app, view).into_iter();
    let (pane, area) = shown.find(|(_, area)| area.contains(at))?;
    let inner = match app.zoom {
        Zoom::Large => Rect::ZERO,
        Zoom::Off | Zoom::Whole => inside(area),
    };
    Some((pane, inner))
}

/// How many columns and lines are inside a pane, in the characters that it is drawn with; nothing if it is not shown.
pub fn size_of(app: &App, pane: usize) -> Size {
    let Some(area) = whole(app) else {
        return Size::ZERO;
    };
    let mut shown = panes(app, view_area(area)).into_iter();
    let inner = shown
        .find(|(of, _)| *of == pane)
        .map_or(Rect::ZERO, |(_, area)| inside(area));
    match app.zoom {
        Zoom::Large if large::fits(inner) => large::small(inner).as_size(),
        _ => inner.as_size(),
    }
}

/// Draws a line at the right end of an area; how many columns it took.
fn at_the_right(line: Line, area: Rect, buffer: &mut Buffer) -> u16 {
    let width = (line.width() as u16).min(area.width);
    let place = Rect {
        x: area.right() - width,
        width,
        ..area
    };
    line.render(place, buffer);
    width
}
