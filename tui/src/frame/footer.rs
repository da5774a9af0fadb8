//! The footer: a message or the line that is being typed, and the keys of the context.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use scenarios::terminal::escape_line;
use unicode_width::UnicodeWidthStr;

use super::{at_the_right, cut};
use crate::action::Action;
use crate::app::App;
use crate::prompt::Prompt;
use crate::theme::Role;

/// Draws it into the last two lines.
pub(super) fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    let line = |from_below| Rect {
        y: area.bottom() - from_below,
        height: 1,
        ..area
    };
    message(app, area.width).render(line(2), buffer);
    keys(app, line(1), buffer);
}

fn message(app: &App, width: u16) -> Line<'static> {
    let room = usize::from(width).saturating_sub(2);
    if let Some(prompt) = &app.prompt {
        let sign = Span::styled(format!(" {}", prompt.purpose.sign()), app.theme.style(Role::Key));
        return Line::from(vec![sign, Span::raw(window(prompt, room).0.to_string())]);
    }
    let Some(notice) = &app.notice else {
        return Line::default();
    };
    let (role, sign) = match notice.bad {
        true => (Role::Warn, app.theme.glyphs().warn),
        false => (Role::Dim, app.theme.glyphs().dot),
    };
    let text = format!(" {sign} {}", escape_line(notice.text.as_bytes()));
    Line::styled(cut(&app.theme, &text, room), app.theme.style(role))
}

/// The part of a line that fits around its cursor, and the column of the cursor in it.
fn window(prompt: &Prompt, room: usize) -> (&str, u16) {
    let text = &prompt.text;
    let mut start = 0;
    while text[start..prompt.cursor].width() >= room {
        start += text[start..].chars().next().map_or(1, char::len_utf8);
    }
    (&text[start..], text[start..prompt.cursor].width() as u16)
}

/// Where the cursor stands, if a line is being typed.
pub(super) fn cursor(app: &App, area: Rect) -> Option<Position> {
    let prompt = app.prompt.as_ref()?;
    let (_, column) = window(prompt, usize::from(area.width).saturating_sub(2));
    Some(Position::new(
        area.x + 2 + column,
        area.bottom().saturating_sub(2),
    ))
}

/// The keys of the context: as many as there is room for, and always those for help and for the end.
fn keys(app: &App, area: Rect, buffer: &mut Buffer) {
    let pair = |action: Action| {
        let key = Span::styled(format!(" {}", app.keys.name(action)), app.theme.style(Role::Key));
        let what = Span::styled(format!(" {} ", action.entry().short), app.theme.style(Role::Dim));
        [key, what]
    };
    let in_front = app.help.is_some() || app.menu.is_some();
    match &app.guide {
        _ if app.prompt.is_some() => {
            let keys = [("enter", "do it"), ("esc", "leave it")].map(|(key, what)| (key.to_string(), what));
            return these_keys(app, &keys, area, buffer);
        }
        Some(guide) if !in_front => return these_keys(app, &guide.keys(&app.keys), area, buffer),
        _ => {}
    }
    let own: &[Action] = match (&app.menu, app.help) {
        (Some(_), _) => &[Action::Down, Action::Up, Action::Select],
        (None, Some(_)) => &[Action::Down, Action::Up, Action::PageDown, Action::PageUp],
        (None, None) => app.screen().actions(),
    };
    let always = match in_front {
        true => [Action::Close, Action::Theme],
        false => [Action::Help, Action::Quit],
    };
    let end = Line::from_iter(always.into_iter().flat_map(pair));
    let mut room = area.width.saturating_sub(at_the_right(end, area, buffer));
    let common = [Action::Zoom, Action::NextPane, Action::NextView, Action::Prompt];
    let mut line = Line::default();
    let wanted = own.iter().chain(common.iter().filter(|_| !in_front));
    for action in wanted.filter(|action| !app.keys.keys(**action).is_empty()) {
        let pair = pair(*action);
        let width = pair.iter().map(Span::width).sum::<usize>() as u16;
        if width > room {
            break;
        }
        room -= width;
        line.extend(pair);
    }
    line.render(area, buffer);
}

/// Keys that are always the same, while a line is being typed or a tour is taken.
fn these_keys(app: &App, pairs: &[(String, &str)], area: Rect, buffer: &mut Buffer) {
    let spans = pairs.iter().flat_map(|(key, what)| {
        let key = Span::styled(format!(" {key}"), app.theme.style(Role::Key));
        [key, Span::styled(format!(" {what} "), app.theme.style(Role::Dim))]
    });
    Line::from_iter(spans).render(area, buffer);
}
