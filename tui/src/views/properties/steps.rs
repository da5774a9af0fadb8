//! A witness, step by step: two concrete states side by side, before one instruction and after it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use toy_isa::row::Row;
use vmm_core::classify::RowReport;
use vmm_core::classify::witness::{Field, Values, Witness};

use super::State;
use super::subjects::WAYS;
use super::text::{lines_of, more, shown, wrap};
use crate::app::App;
use crate::frame::put;
use crate::theme::Role;

/// The witness that is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Steps {
    /// Which of the row's.
    number: usize,
    /// Whether the step was made.
    after: bool,
    /// The first line that is shown.
    scroll: u16,
}

/// What one can do with a witness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    /// Execute the instruction, or go back to before it.
    Step(bool),
    /// The same, whichever is next.
    Turn,
    /// To the next witness, or the one before.
    Other(bool),
    /// So many lines down.
    Scroll(isize),
}

/// The witnesses of the selected row.
fn witnesses(state: &State) -> Option<(&RowReport, Vec<Witness>)> {
    let rows = &state.subjects.found()?.rows;
    let report = rows.iter().find(|report| Some(report.row) == state.row())?;
    Some((report, report.observed.witnesses()))
}

impl Steps {
    /// The first witness of a row, before the step.
    ///
    /// # Errors
    /// In words, if it has none.
    pub(super) fn of(state: &State) -> Result<Steps, String> {
        let (report, all) = witnesses(state).ok_or("the rows are not known yet")?;
        match all.is_empty() {
            false => Ok(Steps::default()),
            true => Err(nothing(report)),
        }
    }

    /// As [`Move`] says, on a pane of this size.
    pub(super) fn go(&mut self, app: &App, to: Move, size: (u16, u16)) {
        let count = witnesses(&app.views.properties)
            .map_or(0, |(_, all)| all.len())
            .max(1);
        match to {
            Move::Step(after) => self.after = after,
            Move::Turn => self.after = !self.after,
            Move::Other(next) => {
                let by = if next { 1 } else { count - 1 };
                *self = Steps {
                    number: (self.number.min(count - 1) + by) % count,
                    ..Steps::default()
                };
            }
            Move::Scroll(by) => {
                let last = lines(app, *self, size.0)
                    .len()
                    .saturating_sub(usize::from(size.1) - 1);
                let wanted = (self.scroll as isize + by).max(0) as usize;
                self.scroll = wanted.min(last) as u16;
            }
        }
    }
}

/// Why there is no witness.
fn nothing(report: &RowReport) -> String {
    match report.observed.never_executes() {
        true => format!("{} traps in every ring: no two states part (ADR 5)", report.row),
        false => format!(
            "{}: no two states were found that part; no proof that there are none",
            report.row
        ),
    }
}

/// The title of the pane.
pub(super) fn title(state: &State, steps: Steps) -> String {
    let name = state.row().map_or(String::new(), |row: Row| row.to_string());
    let count = witnesses(state).map_or(0, |(_, all)| all.len());
    match count {
        0 => format!("{name}: no witness"),
        _ => format!("{name}: witness {} of {count}", steps.number.min(count - 1) + 1),
    }
}

/// A line of the pane.
enum Line {
    Sentence(String, Role),
    Heads,
    /// A part of the state: its name, and on each side what it is, and whether it has changed.
    Part(String, [(String, bool); 2]),
}

/// Draws it.
pub(super) fn draw(app: &App, steps: Steps, area: Rect, buffer: &mut Buffer) {
    let theme = &app.theme;
    let Some((report, all)) = witnesses(&app.views.properties) else {
        return;
    };
    let Some(witness) = all.get(steps.number.min(all.len().saturating_sub(1))) else {
        for (number, line) in (0..).zip(wrap(theme, &nothing(report), area.width)) {
            put(theme, area, (0, number), &line, theme.style(Role::Text), buffer);
        }
        return;
    };
    let mut column = 0;
    for (after, word) in [(false, "before"), (true, "after")] {
        let now = after == steps.after;
        let (sign, role) = match now {
            true => (theme.glyphs().current, Role::Current),
            false => (" ", Role::Dim),
        };
        let text = format!("{sign}{word} ");
        column = put(theme, area, (column, 0), &text, theme.style(role), buffer);
    }
    let text = format!(" {}", witness.instruction);
    put(theme, area, (column, 0), &text, theme.style(Role::Strong), buffer);
    let body = lines_of(area, 1, area.height);
    let lines = lines(app, steps, area.width);
    let last = lines.len().saturating_sub(usize::from(body.height)) as u16;
    let first = usize::from(steps.scroll.min(last));
    for (number, line) in (0..body.height).zip(&lines[first..]) {
        draw_line(app, line, lines_of(body, number, 1), buffer);
    }
    more(theme, body, first > 0, first < usize::from(last), buffer);
}

fn draw_line(app: &App, line: &Line, area: Rect, buffer: &mut Buffer) {
    let theme = &app.theme;
    let name = if area.width < 60 { 12 } else { 18 };
    let column = area.width.saturating_sub(name + 3) / 2;
    let sides = [name, name + column + 2];
    let place = |side: usize| Rect {
        width: (sides[side] + column).min(area.width),
        ..area
    };
    match line {
        Line::Sentence(text, role) => {
            put(theme, area, (0, 0), text, theme.style(*role), buffer);
        }
        Line::Heads => {
            for (side, word) in ["left", "right"].into_iter().enumerate() {
                put(
                    theme,
                    place(side),
                    (sides[side] + 1, 0),
                    word,
                    theme.style(Role::Dim),
                    buffer,
                );
            }
        }
        Line::Part(what, values) => {
            let what_place = Rect {
                width: name.min(area.width),
                ..area
            };
            put(theme, what_place, (0, 0), what, theme.style(Role::Dim), buffer);
            let differ = values[0].0 != values[1].0;
            if differ {
                let sign = theme.glyphs().differs;
                put(
                    theme,
                    area,
                    (sides[1] - 2, 0),
                    sign,
                    theme.style(Role::Bad),
                    buffer,
                );
            }
            for (side, (value, changed)) in values.iter().enumerate() {
                let (sign, role) = match changed {
                    true => (theme.glyphs().changed, Role::Changed),
                    false if differ => (" ", Role::Strong),
                    false => (" ", Role::Text),
                };
                let text = format!("{sign}{value}");
                put(
                    theme,
                    place(side),
                    (sides[side], 0),
                    &text,
                    theme.style(role),
                    buffer,
                );
            }
        }
    }
}

/// All lines but the first.
fn lines(app: &App, steps: Steps, width: u16) -> Vec<Line> {
    let state = &app.views.properties;
    let Some((report, all)) = witnesses(state) else {
        return Vec::new();
    };
    let Some(witness) = all.get(steps.number.min(all.len().saturating_sub(1))) else {
        return Vec::new();
    };
    let sentence = |text: String, role| {
        let lines = wrap(&app.theme, &text, width.saturating_sub(1)).into_iter();
        lines.map(move |line| Line::Sentence(line, role))
    };
    let alike = format!(
        "Two states, alike to the program; they differ in {}.",
        witness.differ_in
    );
    let mut lines: Vec<Line> = sentence(alike, Role::Text).collect();
    lines.push(Line::Heads);
    lines.extend(witness.state.iter().map(|field| part(field, steps.after)));
    let outcome = witness.outcome.each_ref().map(|outcome| match steps.after {
        true => (shown(&app.theme, outcome), false),
        false => (String::new(), false),
    });
    lines.push(Line::Part("the step".to_string(), outcome));
    if steps.after {
        let (_, layout) = WAYS[state.way];
        let observed = &report.observed;
        let and = match (observed.privileged(layout), observed.is_hole(layout)) {
            (true, _) => "Privileged: outside ring 0 it traps, and a monitor learns of it.",
            (false, true) => "Not privileged: outside ring 0 it was executed, and no monitor learns of it.",
            (false, false) => "Harmless in this layout.",
        };
        let role = if observed.is_hole(layout) {
            Role::Bad
        } else {
            Role::Good
        };
        let hence = format!("Hence {} ({} reading).", witness.condition, witness.reading);
        lines.extend(sentence(format!("They part: {}.", witness.parts), Role::Strong));
        lines.extend(sentence(hence, Role::Text));
        lines.extend(sentence(and.to_string(), role));
    }
    lines
}

/// A part of both states, before the step or after it.
fn part(field: &Field, after: bool) -> Line {
    let value = |values: &Values| match (&values.after, after) {
        (_, false) => (values.before.clone(), false),
        (None, true) => ("(trapped)".to_string(), false),
        (Some(now), true) => (now.clone(), *now != values.before),
    };
    Line::Part(field.name.clone(), [value(&field.left), value(&field.right)])
}
