//! The header: what is run and where it is, the timeline, the tabs of the views. Everything has its place, whatever
//! the figures are.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use scenarios::terminal::escape_line;
use vmm_core::numbers::{counted, exact};

use super::{at_the_right, cut, line_of};
use crate::app::App;
use crate::session::Motion;
use crate::theme::{Role, Theme};
use crate::tour::Guide;
use crate::views::{self, View};

/// Columns of a number of instructions, and of events.
const INSTRUCTIONS: u16 = 14;
const EVENTS: u16 = 16;

/// Columns of what snapshots take; on a wide screen, with how many there are.
fn memory_columns(line: Rect) -> u16 {
    if line.width < 120 { 18 } else { 24 }
}

/// Draws it into the first three lines.
pub(super) fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    let right = at_the_right(state(app), line_of(area, 0), buffer);
    let left = Rect {
        width: area.width.saturating_sub(right + 1),
        ..line_of(area, 0)
    };
    subject(app, left.width).render(left, buffer);
    timeline(app, line_of(area, 1), buffer);
    tabs(app).render(line_of(area, 2), buffer);
}

/// What is run.
fn subject(app: &App, width: u16) -> Line<'static> {
    let theme = &app.theme;
    let dot = format!(" {} ", theme.glyphs().dot);
    let session = &app.session;
    let profile = session.scenario.setup.profile.base().name();
    let rest = " Trapeze ".len() + session.mode.name().len() + profile.len() + 2 * 3;
    let name = escape_line(session.scenario.name.as_bytes());
    let name = cut(theme, &name, usize::from(width).saturating_sub(rest));
    let dim = theme.style(Role::Dim);
    Line::from(vec![
        Span::styled(" Trapeze ", theme.style(Role::Title)),
        Span::styled(name, theme.style(Role::Strong)),
        Span::styled(dot.clone(), dim),
        Span::styled(session.mode.name(), theme.style(Role::Strong)),
        Span::styled(dot, dim),
        Span::styled(profile, dim),
    ])
}

/// Whether it runs, and in which ring.
fn state(app: &App) -> Line<'static> {
    let (theme, session) = (&app.theme, &app.session);
    let glyphs = theme.glyphs();
    let travels = app.guide.as_ref().is_some_and(Guide::travels);
    let motion = if travels {
        Motion::Pursuing
    } else {
        session.motion()
    };
    let (sign, word, role) = match (motion, session.timeline().ended()) {
        (Motion::Pursuing, _) => (glyphs.playing, "on its way".to_string(), Role::Warn),
        (Motion::Playing { speed, .. }, _) => (glyphs.playing, speed.name(), Role::Good),
        (Motion::Still, Some(_)) => (glyphs.ended, "ended".to_string(), Role::Dim),
        (Motion::Still, None) => (glyphs.paused, "paused".to_string(), Role::Strong),
    };
    let ring = session.run().guest().hart.ring();
    let of_user = if ring == 3 {
        Role::GuestUser
    } else {
        Role::GuestKernel
    };
    Line::from(vec![
        Span::styled(format!("{sign} {word:<10}"), theme.style(role)),
        Span::styled(format!("ring {ring} "), theme.style(of_user)),
    ])
}

/// Where the bar of the timeline is.
fn bar(line: Rect) -> Rect {
    Rect {
        x: line.x + INSTRUCTIONS,
        width: line.width - 2 * INSTRUCTIONS - EVENTS - memory_columns(line),
        ..line
    }
}

/// The instruction that the guest is at, the bar up to the furthest one that was visited, that one, the events, the
/// snapshots with the memory that they take.
fn timeline(app: &App, line: Rect, buffer: &mut Buffer) {
    let (theme, timeline) = (&app.theme, app.session.timeline());
    let (here, furthest) = (timeline.retired(), timeline.furthest_retired());
    let dim = theme.style(Role::Dim);
    let bar = bar(line);
    let at = format!("{:>width$} ", exact(here), width = usize::from(INSTRUCTIONS) - 1);
    buffer.set_string(line.x, line.y, at, theme.style(Role::Strong));
    let of = format!(
        " {:<width$}",
        exact(furthest),
        width = usize::from(INSTRUCTIONS) - 1
    );
    buffer.set_string(bar.right(), line.y, of, dim);
    let events = format!("event {}", exact(timeline.position().events));
    let x = bar.right() + INSTRUCTIONS;
    buffer.set_stringn(x, line.y, events, usize::from(EVENTS), dim);
    let room = memory_columns(line);
    let count = timeline.snapshots().len() as u64;
    let memory = match line.width < 120 {
        true => format!("snapshots {}", amount(timeline.memory())),
        false => format!(
            "{}, {}",
            counted(count, "snapshot", "snapshots"),
            amount(timeline.memory())
        ),
    };
    let memory = format!("{memory:>width$}", width = usize::from(room) - 1);
    buffer.set_string(x + EVENTS, line.y, memory, dim);
    let column = |instruction: u64| bar.x + column(instruction, furthest, bar.width);
    buffer.set_string(
        bar.x,
        line.y,
        theme.glyphs().horizontal.repeat(usize::from(bar.width)),
        dim,
    );
    for (_, retired) in timeline.snapshots() {
        buffer.set_string(column(retired), line.y, theme.glyphs().snapshot, dim);
    }
    buffer.set_string(
        column(here),
        line.y,
        theme.glyphs().here,
        theme.style(Role::Current),
    );
}

/// The column of a bar that an instruction is at.
fn column(instruction: u64, furthest: u64, width: u16) -> u16 {
    let last = u128::from(width.saturating_sub(1));
    let place = u128::from(instruction.min(furthest)) * last / u128::from(furthest.max(1));
    u16::try_from(place).unwrap_or(0)
}

/// The instruction that a click at this place means.
pub(super) fn instruction_at(app: &App, area: Rect, at: Position) -> Option<u64> {
    let bar = bar(line_of(area, 1));
    if !bar.contains(at) {
        return None;
    }
    let (place, last) = (u128::from(at.x - bar.x), u128::from(bar.width - 1));
    let furthest = u128::from(app.session.timeline().furthest_retired());
    u64::try_from(furthest * place / last.max(1)).ok()
}

/// An amount of memory in a few characters.
fn amount(bytes: usize) -> String {
    match bytes {
        0..0x2800 => format!("{bytes} B"),
        0x2800..0xa0_0000 => format!("{} KiB", bytes >> 10),
        _ => format!("{} MiB", bytes >> 20),
    }
}

/// What is written on a tab: its key and its name. All of them just fit the smallest screen.
fn label(view: View) -> String {
    format!(" {} {}", view as usize + 1, views::title(view))
}

fn tabs(app: &App) -> Line<'static> {
    let tab = |view: View| Span::styled(label(view), tab_style(&app.theme, view == app.view));
    Line::from_iter(View::ALL.map(tab))
}

fn tab_style(theme: &Theme, shown: bool) -> ratatui::style::Style {
    theme.style(if shown { Role::Current } else { Role::Dim })
}

/// The view whose tab is at this place.
pub(super) fn tab_at(area: Rect, at: Position) -> Option<View> {
    let mut left = area.x;
    View::ALL.into_iter().find(|view| {
        let width = label(*view).len() as u16;
        let tab = Rect::new(left, area.y + 2, width, 1);
        left += width;
        tab.contains(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_begins_and_ends_with_the_run() {
        assert_eq!(column(0, 0, 20), 0);
        assert_eq!(column(0, 1000, 20), 0);
        assert_eq!(column(1000, 1000, 20), 19);
        assert_eq!(column(u64::MAX, u64::MAX, 20), 19);
        assert_eq!(column(5, 1, 1), 0);
    }

    #[test]
    fn amounts_are_short() {
        for (bytes, wanted) in [
            (0, "0 B"),
            (9999, "9999 B"),
            (1 << 20, "1024 KiB"),
            (300 << 20, "300 MiB"),
        ] {
            assert_eq!(amount(bytes), wanted);
        }
    }
}
