//! Breakpoints and watchpoints, with their numbers.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use scenarios::terminal::escape_line;

use super::{lines, scroll};
use crate::action::Action;
use crate::app::App;
use crate::frame::cut;
use crate::theme::Role;

/// The first one that is shown.
fn top(app: &App, height: usize) -> usize {
    (app.views.machine.breakpoint + 1).saturating_sub(height)
}

pub(super) fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    let theme = &app.theme;
    let points = app.session.timeline().breakpoints();
    if points.is_empty() {
        let key = app.keys.name(Action::Breakpoint);
        let text = format!("none: {key} in the code, or :break, :watch");
        return Line::styled(text, theme.style(Role::Dim)).render(area, buffer);
    }
    let top = top(app, usize::from(area.height));
    for ((_, line), (number, breakpoint)) in lines(area).zip(points.iter().enumerate().skip(top)) {
        let (sign, role) = match breakpoint.enabled {
            true => (theme.glyphs().breakpoint, Role::Text),
            false => (theme.glyphs().off, Role::Dim),
        };
        let text = escape_line(app.session.describe(breakpoint).as_bytes());
        let room = usize::from(line.width).saturating_sub(6);
        Line::from(vec![
            Span::styled(format!("{:>3} ", number + 1), theme.style(Role::Dim)),
            Span::styled(format!("{sign} "), theme.style(Role::Breakpoint)),
            Span::styled(cut(theme, &text, room), theme.style(role)),
        ])
        .render(line, buffer);
        if number == app.views.machine.breakpoint && app.focus() == super::BREAKPOINTS {
            buffer.set_style(line, theme.style(Role::Selection));
        }
    }
}

pub(super) fn update(app: &mut App, action: Action, page: usize) -> bool {
    let selected = &mut app.views.machine.breakpoint;
    let points = app.session.breakpoints_mut();
    let last = points.len().saturating_sub(1);
    *selected = (*selected).min(last);
    match action {
        Action::Select => {
            if let Some(breakpoint) = points.get_mut(*selected) {
                breakpoint.enabled = !breakpoint.enabled;
            }
        }
        Action::Breakpoint => {
            if *selected < points.len() {
                points.remove(*selected);
            }
            *selected = (*selected).min(points.len().saturating_sub(1));
        }
        _ => return scroll(selected, action, page, last, false),
    }
    true
}

/// A click selects; one on the sign turns the breakpoint on or off.
pub(super) fn click(app: &mut App, at: Position) {
    let height = crate::frame::size_of(app, super::BREAKPOINTS).height;
    let number = top(app, usize::from(height)) + usize::from(at.y);
    if let Some(breakpoint) = app.session.breakpoints_mut().get_mut(number) {
        if at.x <= 4 {
            breakpoint.enabled = !breakpoint.enabled;
        }
        app.views.machine.breakpoint = number;
    }
}
