//! The help: what the view shows, what its colours mean, and all keys.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::{MINIMUM, boxed, view_area};
use crate::action::{ACTIONS, Group};
use crate::app::App;
use crate::command::COMMANDS;
use crate::key::Key;
use crate::theme::Role;
use crate::views;

/// Draws it, from this line on.
pub(super) fn draw(app: &App, first: u16, area: Rect, buffer: &mut Buffer) {
    let title = format!("Help: {}", views::title(app.view));
    let inner = boxed(&app.theme, &title, true, area, buffer);
    let lines = lines(app, inner.width).into_iter().skip(usize::from(first));
    for (y, line) in (inner.y..inner.bottom()).zip(lines) {
        let place = Rect {
            y,
            height: 1,
            ..inner
        };
        line.render(place, buffer);
    }
}

/// The line from which the end of the help is in sight.
pub fn last_line(app: &App) -> u16 {
    let (width, height) = (
        app.size.width.max(MINIMUM.width),
        app.size.height.max(MINIMUM.height),
    );
    let inner = view_area(Rect::new(0, 0, width, height));
    let lines = lines(app, inner.width - 2).len() as u16;
    lines.saturating_sub(inner.height - 2)
}

fn lines(app: &App, width: u16) -> Vec<Line<'static>> {
    let theme = &app.theme;
    let mut lines = Vec::new();
    let text = app.screen().help();
    for paragraph in text.split("\n\n") {
        lines.extend(
            wrap(paragraph, usize::from(width).saturating_sub(2)).map(|line| Line::raw(format!(" {line}"))),
        );
        lines.push(Line::default());
    }
    for group in Group::ALL {
        lines.push(Line::styled(
            format!(" {}", group.title()),
            theme.style(Role::Title),
        ));
        for entry in ACTIONS
            .iter()
            .filter(|entry| entry.group == group && !entry.what.is_empty())
        {
            let keys: Vec<String> = app.keys.keys(entry.action).iter().map(Key::to_string).collect();
            lines.push(Line::from(vec![
                Span::styled(format!("  {:<14}", keys.join("  ")), theme.style(Role::Key)),
                Span::raw(format!("{:<45}", entry.what)),
                Span::styled(entry.name, theme.style(Role::Dim)),
            ]));
        }
        lines.push(Line::default());
    }
    lines.push(Line::styled(" Commands, after :", theme.style(Role::Title)));
    for (command, what) in COMMANDS {
        lines.push(Line::from(vec![
            Span::styled(format!("  {command:<22}"), theme.style(Role::Key)),
            Span::raw(*what),
        ]));
    }
    lines
}

/// The words of a paragraph in lines of at most so many columns.
fn wrap(text: &str, width: usize) -> impl Iterator<Item = String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines
            .last_mut()
            .filter(|line| line.is_empty() || line.len() + 1 + word.len() <= width);
        match line {
            Some(line) if line.is_empty() => *line += word,
            Some(line) => *line = format!("{line} {word}"),
            None => lines.push(word.to_string()),
        }
    }
    lines.into_iter()
}
