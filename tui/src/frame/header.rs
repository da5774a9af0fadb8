//! The header: what is run and where it is, the timeline, the tabs of the views.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use scenarios::terminal::escape_line;
use vmm_core::numbers::exact;

use super::at_the_right;
use crate::app::App;
use crate::theme::Role;
use crate::views::View;

/// Draws it into the first three lines.
pub(super) fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    let line = |number| Rect {
        y: area.y + number,
        height: 1,
        ..area
    };
    let right = at_the_right(place(app), line(0), buffer);
    let left = Rect {
        width: area.width.saturating_sub(right + 1),
        ..line(0)
    };
    subject(app).render(left, buffer);
    tabs(app).render(line(2), buffer);
}

/// What is run.
fn subject(app: &App) -> Line<'static> {
    let theme = &app.theme;
    let dot = format!(" {} ", theme.glyphs().dot);
    let session = &app.session;
    let dim = theme.style(Role::Dim);
    Line::from(vec![
        Span::styled(" Trapeze ", theme.style(Role::Title)),
        Span::styled(
            escape_line(session.scenario.name.as_bytes()),
            theme.style(Role::Strong),
        ),
        Span::styled(dot.clone(), dim),
        Span::styled(session.mode.name(), theme.style(Role::Strong)),
        Span::styled(dot, dim),
        Span::styled(session.scenario.setup.profile.base().name(), dim),
    ])
}

/// Where it is.
fn place(app: &App) -> Line<'static> {
    let theme = &app.theme;
    let view = app.session.run().guest();
    let ring = view.hart.ring();
    let role = if ring == 3 {
        Role::GuestUser
    } else {
        Role::GuestKernel
    };
    Line::from(vec![
        Span::styled(format!("ring {ring}"), theme.style(role)),
        Span::raw(format!("  instruction {:>13} ", exact(view.pace.retired()))),
    ])
}

/// What is written on a tab: its key and its name.
fn label(view: View) -> String {
    format!(" {} {} ", view as usize + 1, view.name())
}

fn tabs(app: &App) -> Line<'static> {
    let tab = |view: View| {
        let role = if view == app.view {
            Role::Current
        } else {
            Role::Dim
        };
        Span::styled(label(view), app.theme.style(role))
    };
    Line::from_iter(View::ALL.map(tab))
}

/// The view whose tab is at this place.
pub(super) fn tab_at(_app: &App, area: Rect, at: Position) -> Option<View> {
    let mut left = area.x;
    View::ALL.into_iter().find(|view| {
        let width = label(*view).len() as u16;
        let tab = Rect::new(left, area.y + 2, width, 1);
        left += width;
        tab.contains(at)
    })
}
