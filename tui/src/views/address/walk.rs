//! The pane of the walk.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget, Wrap};
use scenarios::listing::Listing;
use toy_isa::mmu::{Meaning, pte};
use vmm_core::event::access_name;
use vmm_core::walk::hardware::Tables;
use vmm_core::walk::words::meaning;
use vmm_core::walk::{Keeping, Path, Step, Walk, nested_references};

use super::grid::{Cell, Content, Grid, leads};
use super::{Subject, references, walked};
use crate::app::App;
use crate::frame::{self, cut};
use crate::theme::{Role, Theme};

/// Columns for the names of rows.
const NAMES: u16 = 10;

/// The pictures of a walk: the guest's own where it stands by itself, and what the hardware walks.
pub(super) fn paths(walk: &Walk) -> impl Iterator<Item = &Path> {
    let in_two_dimensions = walk.real.as_ref().is_some_and(Path::is_nested);
    let own = Some(&walk.own).filter(|_| !in_two_dimensions);
    own.into_iter().chain(&walk.real)
}

/// Draws it.
pub(super) fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    let mut lines = Lines { area, next: 0 };
    let Some(walk) = walked(app) else {
        lines.put(Line::from(whose(app)), buffer);
        let role = app.theme.style(Role::Dim);
        let text = " The next instruction neither loads nor stores. j and k choose pc, operand or sp.";
        lines.put(Line::styled(text, role), buffer);
        return;
    };
    let all = references(&walk);
    let shown = app.views.address.revealed.unwrap_or(all).min(all);
    lines.put(subject(app, &walk), buffer);
    let grid = Grid::of(&walk);
    let spaced = if area.height >= super::grid::ROOMY { 3 } else { 2 };
    let heads = Line::from_iter(heads(app, &grid, area.width));
    lines.put(heads, buffer);
    for (number, names) in grid.rows.iter().enumerate() {
        let top = lines.skip(spaced);
        for (line, name) in (0..).zip(names) {
            let role = if line == 0 { Role::Strong } else { Role::Dim };
            put(
                app,
                area,
                0,
                top + line,
                NAMES,
                vec![(name.clone(), role)],
                buffer,
            );
        }
        for cell in grid.cells.iter().filter(|cell| cell.row == number) {
            draw_cell(app, area, cell, &grid, top, shown, buffer);
        }
    }
    let rest = Rect {
        y: area.y + lines.next.min(area.height),
        height: area.height.saturating_sub(lines.next),
        ..area
    };
    let text = comes_to(app, &walk, shown, all);
    Paragraph::new(text)
        .wrap(Wrap { trim: true })
        .render(rest, buffer);
}

/// Lines of an area, one after the other.
struct Lines {
    area: Rect,
    next: u16,
}

impl Lines {
    /// So many more lines are taken; the first of them.
    fn skip(&mut self, lines: u16) -> u16 {
        self.next += lines;
        self.next - lines
    }

    fn put(&mut self, line: Line, buffer: &mut Buffer) {
        let at = self.skip(1);
        if at < self.area.height {
            let area = Rect {
                y: self.area.y + at,
                height: 1,
                ..self.area
            };
            line.render(area, buffer);
        }
    }
}

/// Whose address it is: the choice among those that keys go through.
fn whose(app: &App) -> Vec<Span<'static>> {
    let now = app.views.address.subject;
    let fixed = [now].into_iter().filter(|now| matches!(now, Subject::Fixed(_)));
    let all = Subject::GUESTS.into_iter().chain(fixed);
    let choice = all.flat_map(|one| {
        let role = if one == now { Role::Selection } else { Role::Dim };
        [
            Span::raw(" "),
            Span::styled(format!(" {} ", one.name()), app.theme.style(role)),
        ]
    });
    choice.collect()
}

/// What is walked.
fn subject(app: &App, walk: &Walk) -> Line<'static> {
    let theme = &app.theme;
    let mut spans = whose(app);
    let (image, _) = app.session.program();
    let near = Listing::new(image, &[]).place(walk.address).near();
    spans.push(Span::styled(
        format!("  {} {:08x}", access_name(walk.access), walk.address),
        theme.style(Role::Strong),
    ));
    spans.push(Span::raw(near.map_or(String::new(), |near| format!(" {near}"))));
    let role = if walk.ring == 3 {
        Role::GuestUser
    } else {
        Role::GuestKernel
    };
    spans.push(Span::raw("  from "));
    spans.push(Span::styled(format!("ring {}", walk.ring), theme.style(role)));
    if walk.linear != walk.address {
        spans.push(Span::raw(format!(", relocated to {:08x}", walk.linear)));
    }
    Line::from(spans)
}

fn heads(app: &App, grid: &Grid, width: u16) -> Vec<Span<'static>> {
    let column = usize::from(column_width(grid, width));
    let mut spans = vec![Span::raw(" ".repeat(usize::from(NAMES)))];
    for (head, monitors) in &grid.heads {
        let role = if *monitors {
            Role::Monitor
        } else {
            Role::GuestKernel
        };
        let text = cut(&app.theme, head, column.saturating_sub(1));
        spans.push(Span::styled(format!("{text:<column$}"), app.theme.style(role)));
    }
    spans
}

fn column_width(grid: &Grid, width: u16) -> u16 {
    width.saturating_sub(NAMES) / grid.heads.len().max(1) as u16
}

fn draw_cell(app: &App, area: Rect, cell: &Cell, grid: &Grid, top: u16, shown: u32, buffer: &mut Buffer) {
    let width = column_width(grid, area.width);
    let left = NAMES + width * cell.column as u16;
    let lines = match &cell.content {
        Content::Entry(number, ..) if *number > shown => {
            [vec![(app.theme.glyphs().dot.to_string(), Role::Dim)], Vec::new()]
        }
        Content::Note(why) => [vec![(why.to_string(), Role::Dim)], Vec::new()],
        Content::Entry(number, step, access) => {
            let newest = *number == shown && app.views.address.revealed.is_some();
            entry(&app.theme, *number, step, *access, newest)
        }
        Content::End(after, _, _) if *after > shown => [Vec::new(), Vec::new()],
        Content::End(_, Ok(address), what) => [
            vec![
                (format!("= {address:08x}"), Role::Good),
                (format!(" {what}"), Role::Dim),
            ],
            Vec::new(),
        ],
        Content::End(_, Err(trap), _) => [
            vec![(format!("{} {}", app.theme.glyphs().bad, trap.cause), Role::Bad)],
            Vec::new(),
        ],
    };
    for (line, parts) in (0..).zip(lines) {
        put(
            app,
            area,
            left,
            top + line,
            width.saturating_sub(1),
            parts,
            buffer,
        );
    }
}

/// An entry: where it stands and what it holds; what that means.
fn entry(
    theme: &Theme,
    number: u32,
    step: &Step,
    access: toy_isa::mmu::Access,
    newest: bool,
) -> [Vec<(String, Role)>; 2] {
    let word = step
        .entry
        .map_or("--------".to_string(), |entry| format!("{entry:08x}"));
    let mut first = vec![
        (
            format!("{number} "),
            if newest { Role::Current } else { Role::Key },
        ),
        (format!("@{:08x} ", step.at), Role::Dim),
        (word, Role::Strong),
    ];
    if matches!(step.keeping, Keeping::Traced | Keeping::Validated) {
        first.push((format!(" {}", step.keeping.name()), Role::Monitor));
    }
    let sign = if leads(step) {
        theme.glyphs().right
    } else {
        theme.glyphs().bad
    };
    let role = match step.meaning {
        Some(Meaning::Leaf(_)) => Role::Good,
        Some(Meaning::Table(_)) => Role::Text,
        _ => Role::Bad,
    };
    let text = meaning(step.meaning, step.entry.unwrap_or_default(), access);
    [first, vec![(format!("{sign} {text}"), role)]]
}

/// Writes parts of a line at a place, in at most so many columns.
fn put(
    app: &App,
    area: Rect,
    left: u16,
    line: u16,
    width: u16,
    parts: Vec<(String, Role)>,
    buffer: &mut Buffer,
) {
    let width = area.width.min(left + width);
    let area = Rect { width, ..area };
    let mut at = left;
    for (text, role) in parts {
        at = frame::put(&app.theme, area, (at, line), &text, app.theme.style(role), buffer);
    }
}

/// How many references that took, and what the access comes to.
fn comes_to(app: &App, walk: &Walk, shown: u32, all: u32) -> Vec<Line<'static>> {
    let theme = &app.theme;
    let path = walk.real.as_ref().unwrap_or(&walk.own);
    let mut count = match shown == all {
        true => format!("References: {}", path.references()),
        false => format!("References: {shown} of {all}"),
    };
    if path.is_nested() && path.rows.iter().any(|row| row.entry.is_some()) {
        let (n, m) = (path.own_references(), 2);
        count += &match path.references() == nested_references(n, m) {
            true => format!(" = ({n}+1)({m}+1)-1"),
            false => String::new(),
        };
        count += &format!("; x86-64, with 4 levels each: {}", nested_references(4, 4));
    } else if walk.own.linear.is_some() && walk.own.rows.is_empty() && walk.tables != Tables::None {
        count += "; the guest does not page: its addresses are physical";
    }
    let mut line = vec![Span::styled(count, theme.style(Role::Dim))];
    if shown == all {
        let marks: Vec<&str> = [(pte::A, "accessed"), (pte::D, "dirty")]
            .into_iter()
            .filter(|(bit, _)| walk.own.marks & bit != 0)
            .map(|(_, name)| name)
            .collect();
        if !marks.is_empty() {
            line.push(Span::styled(
                format!("; it will mark the guest's entry {}", marks.join(" and ")),
                theme.style(Role::Dim),
            ));
        }
    }
    let sentence = if shown == all {
        walk.sentence()
    } else {
        String::new()
    };
    vec![
        Line::from(line),
        Line::styled(sentence, theme.style(Role::Strong)),
    ]
}
