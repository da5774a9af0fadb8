//! The guest's registers.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use toy_isa::disasm::register_names;

use super::{MEMORY, ask_for, lines, memory};
use crate::action::Action;
use crate::app::App;
use crate::theme::Role;

/// Columns of a register.
const WIDTH: u16 = 16;

/// How many stand side by side, and in how many lines, in this area.
fn shape(registers: usize, width: u16) -> (usize, usize) {
    let side_by_side = usize::from(width / WIDTH).clamp(1, 4);
    (side_by_side, registers.div_ceil(side_by_side))
}

fn count(app: &App) -> usize {
    usize::from(app.session.program().0.registers.count())
}

/// The first line that is shown.
fn top(app: &App, area: Rect) -> usize {
    let (_, rows) = shape(count(app), area.width);
    let height = usize::from(area.height);
    let at = app.views.machine.register % rows.max(1);
    (at + 1).saturating_sub(height).min(rows.saturating_sub(height))
}

pub(super) fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    let (theme, session) = (&app.theme, &app.session);
    let (hart, before) = (session.run().guest().hart, &session.before().hart);
    let names: Vec<&str> = register_names(session.program().0.registers).collect();
    let (columns, rows) = shape(names.len(), area.width);
    let width = area.width / columns as u16;
    let top = top(app, area);
    for (number, line) in lines(area)
        .map(|(number, line)| (top + number, line))
        .take_while(|(row, _)| *row < rows)
    {
        for column in 0..columns {
            let register = column * rows + number;
            let Some(name) = names.get(register) else {
                continue;
            };
            let changed = hart.x[register] != before.x[register];
            let (sign, role) = match changed {
                true => (theme.glyphs().changed, Role::Changed),
                false => (" ", Role::Text),
            };
            let place = Rect {
                x: line.x + column as u16 * width,
                width,
                ..line
            };
            Line::from(vec![
                Span::styled(format!("{name:<4}"), theme.style(Role::Dim)),
                Span::styled(format!("{sign}{:08x}", hart.x[register]), theme.style(role)),
            ])
            .render(place, buffer);
            if app.focus() == super::REGISTERS && app.views.machine.register == register {
                let place = Rect {
                    width: 13.min(place.width),
                    ..place
                };
                buffer.set_style(place, theme.style(Role::Selection));
            }
        }
    }
}

pub(super) fn update(app: &mut App, action: Action, _lines: usize) -> bool {
    let count = count(app);
    let width = crate::frame::size_of(app, super::REGISTERS).width;
    let (_, rows) = shape(count, width);
    let selected = &mut app.views.machine.register;
    *selected = match action {
        Action::Up => selected.saturating_sub(1),
        Action::Down => *selected + 1,
        Action::Left => selected.saturating_sub(rows),
        Action::Right if *selected + rows < count => *selected + rows,
        Action::Right => *selected,
        Action::Top | Action::PageUp => 0,
        Action::Bottom | Action::PageDown => count - 1,
        Action::Select => {
            let number = *selected;
            let name = register_names(app.session.program().0.registers).nth(number);
            if let Some(name) = name {
                ask_for(app, name);
            }
            return true;
        }
        _ => return false,
    }
    .min(count - 1);
    true
}

/// Selects a register; a second click shows the memory that it points to.
pub(super) fn click(app: &mut App, at: Position) {
    let size = crate::frame::size_of(app, super::REGISTERS);
    let area = Rect::new(0, 0, size.width, size.height);
    let (columns, rows) = shape(count(app), area.width);
    let column = usize::from(at.x / (area.width / columns as u16).max(1));
    let register = column * rows + top(app, area) + usize::from(at.y);
    if register >= count(app) {
        return;
    }
    if app.views.machine.register == register {
        let address = app.session.run().guest().hart.x[register];
        memory::State::show(&mut app.views.machine.memory, address);
        app.views.focus[app.view as usize] = MEMORY;
    }
    app.views.machine.register = register;
}
