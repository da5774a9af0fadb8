//! The menu of modes, over the view.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use scenarios::terminal::escape_line;

use super::{boxed, cut};
use crate::app::App;
use crate::menu::Menu;
use crate::theme::Role;

const WIDTH: u16 = 78;

/// Where it is.
fn place(menu: &Menu, area: Rect) -> Rect {
    let (width, height) = (
        WIDTH.min(area.width),
        (menu.modes.len() as u16 + 2).min(area.height),
    );
    Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - height) / 2,
        width,
        height,
    }
}

/// Draws it.
pub(super) fn draw(app: &App, menu: &Menu, area: Rect, buffer: &mut Buffer) {
    let theme = &app.theme;
    let place = place(menu, area);
    for y in place.top()..place.bottom() {
        let blank = " ".repeat(usize::from(place.width));
        buffer.set_string(place.x, y, blank, theme.style(Role::Text));
    }
    let inner = boxed(theme, "The same instruction in another mode", true, place, buffer);
    for (number, (y, (mode, why_not))) in (inner.y..inner.bottom()).zip(&menu.modes).enumerate() {
        let line = Rect {
            y,
            height: 1,
            ..inner
        };
        let selected = number == menu.selected;
        let sign = if selected { theme.glyphs().selected } else { " " };
        let (name, what, role) = match why_not {
            None => (Role::Strong, mode.describe().to_string(), Role::Text),
            Some(why) => (Role::Dim, escape_line(why.as_bytes()), Role::Dim),
        };
        let room = usize::from(inner.width).saturating_sub(22);
        let here = if *mode == app.session.mode {
            theme.glyphs().current
        } else {
            " "
        };
        Line::from(vec![
            Span::raw(format!("{sign}{here} ")),
            Span::styled(format!("{:<19}", mode.name()), theme.style(name)),
            Span::styled(cut(theme, &what, room), theme.style(role)),
        ])
        .render(line, buffer);
        if selected {
            buffer.set_style(line, theme.style(Role::Selection));
        }
    }
}

/// The item at this place.
pub(super) fn item_at(menu: &Menu, area: Rect, at: Position) -> Option<usize> {
    let place = place(menu, area);
    let inside = at.x > place.x && at.x < place.right() - 1 && at.y > place.y && at.y < place.bottom() - 1;
    inside.then(|| usize::from(at.y - place.y - 1))
}
