//! The list of events.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use scenarios::terminal::escape_line;
use vmm_core::chain::Actor;
use vmm_core::event::Record;
use vmm_core::numbers::exact;

use crate::app::App;
use crate::frame::cut;
use crate::theme::Role;

/// How many events are looked through for lines to draw: what is drawn takes no longer than that, whatever the filter.
pub(super) const LOOK: usize = 4096;

/// Columns before the words of an event.
const HEAD: usize = 11;

/// The words of an event, in its line.
fn words(record: &Record) -> String {
    escape_line(record.event.label().as_bytes())
}

fn is_listed(filter: &str, record: &Record) -> bool {
    filter.is_empty() || {
        let number = record.number.to_string();
        words(record).to_lowercase().contains(&filter.to_lowercase())
            || record.event.name().contains(filter)
            || number == filter
    }
}

/// The last listed event before this number, if it is among the `look` before.
pub(super) fn before(app: &App, number: u64, look: usize) -> Option<&Record> {
    let (history, filter) = (app.session.timeline().history(), &app.views.flow.filter);
    let numbers = (history.first()..number).rev().take(look);
    numbers
        .filter_map(|number| history.get(number))
        .find(|record| is_listed(filter, record))
}

/// The first listed event from this number on.
pub(super) fn from(app: &App, number: u64, look: usize) -> Option<&Record> {
    let (history, filter) = (app.session.timeline().history(), &app.views.flow.filter);
    let numbers = (number..history.total()).take(look);
    numbers
        .filter_map(|number| history.get(number))
        .find(|record| is_listed(filter, record))
}

/// Lists only the events with this text; what there is to say about that.
pub(super) fn filter(app: &mut App, text: &str) -> String {
    app.views.flow.filter = text.to_string();
    app.views.flow.selected = None;
    super::follow(app, usize::MAX);
    match (text, app.views.flow.selected) {
        ("", _) => "all events are listed".to_string(),
        (text, None) => format!("no event so far has '{text}' in its line; :filter lists all again"),
        (text, Some(_)) => format!("only events with '{text}' are listed; :filter lists all again"),
    }
}

pub(super) fn title(app: &App) -> String {
    let (history, filter) = (app.session.timeline().history(), &app.views.flow.filter);
    let all = match history.total() {
        0 => "Events: none yet".to_string(),
        total => format!("Events: {}", exact(total)),
    };
    match filter.as_str() {
        "" => all,
        filter => format!("{all}, with '{}'", escape_line(filter.as_bytes())),
    }
}

/// The events that are shown on so many lines, the selected one among them.
fn rows(app: &App, height: usize) -> Vec<&Record> {
    let Some(selected) = super::selected(app) else {
        return Vec::new();
    };
    let mut look = LOOK;
    let mut rows = vec![selected];
    let mut last = selected.number;
    // The selected one is in the middle, unless there is not so much after it.
    while rows.len() <= height / 2 {
        let Some(next) = from(app, last + 1, look) else {
            break;
        };
        look = look.saturating_sub((next.number - last) as usize);
        last = next.number;
        rows.push(next);
    }
    let mut first = selected.number;
    while rows.len() < height {
        let Some(next) = before(app, first, look) else {
            break;
        };
        look = look.saturating_sub((first - next.number) as usize);
        first = next.number;
        rows.insert(0, next);
    }
    rows
}

/// The event in the line at this place.
pub(super) fn event_at(app: &App, at: Position, height: u16) -> Option<u64> {
    let rows = rows(app, usize::from(height));
    rows.get(usize::from(at.y)).map(|record| record.number)
}

pub(super) fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    let theme = &app.theme;
    let selected = super::selected(app).map(|record| record.number);
    for (y, record) in (area.top()..area.bottom()).zip(rows(app, usize::from(area.height))) {
        let line = Rect { y, height: 1, ..area };
        let is_selected = Some(record.number) == selected;
        let sign = if is_selected { theme.glyphs().selected } else { " " };
        let role = match Actor::of(record) {
            Actor::Hardware => Role::Hardware,
            Actor::Monitor => Role::Monitor,
        };
        let set_in = if record.exit.is_some() { " " } else { "" };
        let room = usize::from(area.width).saturating_sub(HEAD);
        let words = cut(theme, &format!("{set_in}{}", words(record)), room);
        Line::from(vec![
            Span::raw(sign),
            Span::styled(
                format!("{:>7} {} ", record.number, record.ring),
                theme.style(Role::Dim),
            ),
            Span::styled(words, theme.style(role)),
        ])
        .render(line, buffer);
        if is_selected {
            buffer.set_style(line, theme.style(Role::Selection));
        }
    }
}
