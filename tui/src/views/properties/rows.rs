//! The rows of the instruction set, by the regions of the picture.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use toy_isa::row::Row;
use vmm_core::classify::observe::Virtual;
use vmm_core::classify::part::Reading;
use vmm_core::classify::region::Region;
use vmm_core::classify::{Classification, RowReport};

use super::picture;
use super::subjects::{WAYS, regions};
use super::text::{lines_of, more, wrap};
use crate::app::App;
use crate::frame::put;
use crate::theme::Role;
use crate::views::next_of;

/// A line of the list.
enum Entry<'a> {
    /// What the rows below are, and how many.
    Heading(Region, usize),
    Row(Region, &'a RowReport),
}

/// The rows in the order of the list.
pub(super) fn order(found: &Classification, way: usize) -> Vec<(Region, Row)> {
    let all = regions(found, way).into_iter();
    let rows = all.flat_map(|(region, rows)| rows.into_iter().map(move |report| (region, report.row)));
    rows.collect()
}

fn entries(found: &Classification, way: usize) -> Vec<Entry<'_>> {
    let mut entries = Vec::new();
    for (region, rows) in regions(found, way) {
        if !rows.is_empty() {
            entries.push(Entry::Heading(region, rows.len()));
        }
        entries.extend(rows.into_iter().map(|report| Entry::Row(region, report)));
    }
    entries
}

fn heading(region: Region) -> &'static str {
    match region {
        Region::Hole => "holes: sensitive, not privileged",
        Region::Guarded => "sensitive and privileged",
        Region::Needless => "privileged without need",
        Region::Innocuous => "innocuous",
        Region::AlwaysTraps => "trap in every ring",
        Region::Absent => "illegal in every state tried",
    }
}

/// How many lines of so many are for what is told of the selected row, with a rule above it.
fn told_height(height: u16) -> u16 {
    (height / 3).clamp(3, 12)
}

/// The line of the list that is the first one shown: the selected row stays in the middle, as far as possible.
fn first_line(app: &App, entries: &[Entry], height: u16) -> usize {
    let selected = app.views.properties.row();
    let is_it = |entry: &Entry| matches!(entry, Entry::Row(_, report) if Some(report.row) == selected);
    let place = entries.iter().position(is_it).unwrap_or(0);
    let most = entries.len().saturating_sub(usize::from(height));
    place.saturating_sub(usize::from(height) / 2).min(most)
}

/// The row in a line of a pane of this height, if there is one.
pub(super) fn at(app: &App, height: u16, line: u16) -> Option<Row> {
    let state = &app.views.properties;
    let entries = entries(state.subjects.found()?, state.way);
    let height = height.saturating_sub(told_height(height) + 1);
    let first = first_line(app, &entries, height);
    match entries.get(first + usize::from(line)).filter(|_| line < height)? {
        Entry::Heading(..) => None,
        Entry::Row(_, report) => Some(report.row),
    }
}

/// Draws the list, and what is to be told of the row that is selected.
pub(super) fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    let (theme, state) = (&app.theme, &app.views.properties);
    let Some(found) = state.subjects.found() else {
        return;
    };
    let told = told_height(area.height);
    let list = lines_of(area, 0, area.height.saturating_sub(told + 1));
    let entries = entries(found, state.way);
    let first = first_line(app, &entries, list.height);
    for (number, entry) in (0..list.height).zip(&entries[first..]) {
        match entry {
            Entry::Heading(region, count) => {
                let text = format!("{}: {count}", heading(*region));
                put(theme, list, (0, number), &text, theme.style(Role::Dim), buffer);
            }
            Entry::Row(region, report) => line(app, *region, report, lines_of(list, number, 1), buffer),
        }
    }
    let end = first + usize::from(list.height);
    more(theme, list, first > 0, end < entries.len(), buffer);
    let rule = theme.glyphs().horizontal.repeat(usize::from(area.width));
    put(
        theme,
        area,
        (0, list.height),
        &rule,
        theme.style(Role::Border),
        buffer,
    );
    let report = found.rows.iter().find(|report| Some(report.row) == state.row());
    if let Some(report) = report {
        tell(app, report, lines_of(area, list.height + 1, told), buffer);
    }
}

/// A row: its name, what it stands for, whom it concerns, and why.
fn line(app: &App, region: Region, report: &RowReport, area: Rect, buffer: &mut Buffer) {
    let (theme, state) = (&app.theme, &app.views.properties);
    if state.row() == Some(report.row) {
        buffer.set_style(area, theme.style(Role::Selection));
        put(
            theme,
            area,
            (0, 0),
            theme.glyphs().selected,
            theme.style(Role::Key),
            buffer,
        );
    }
    let style = theme.style(picture::role(region));
    let mark = if region == Region::Hole {
        theme.glyphs().warn
    } else {
        " "
    };
    let name = format!("{mark}{}", report.row);
    put(theme, area, (1, 0), &name, style, buffer);
    let subject = state.subjects.subject();
    let stands_for = subject.and_then(|subject| subject.stands_for(report.row));
    let part = Rect {
        width: area.width.min(31),
        ..area
    };
    put(
        theme,
        part,
        (17, 0),
        stands_for.unwrap_or(""),
        theme.style(Role::Dim),
        buffer,
    );
    put(theme, area, (32, 0), &concerns(app, report), style, buffer);
    if area.width > 50 {
        put(
            theme,
            area,
            (40, 0),
            &report.observed.reason(),
            theme.style(Role::Text),
            buffer,
        );
    }
}

/// Whom a sensitive row concerns: `S` the guest's kernel, `U` its programs; in brackets if in the extended reading
/// only.
fn concerns(app: &App, report: &RowReport) -> String {
    let (_, layout) = WAYS[app.views.properties.way];
    let letter = |letter, who| match report.observed.concerns(layout, who) {
        Some(Reading::Of1974) => format!(" {letter} "),
        Some(Reading::Extended) => format!("({letter})"),
        None => "   ".to_string(),
    };
    letter('S', Virtual::Supervisor) + &letter('U', Virtual::User)
}

/// What is to be told of a row.
fn tell(app: &App, report: &RowReport, area: Rect, buffer: &mut Buffer) {
    let theme = &app.theme;
    let observed = &report.observed;
    let reason = match observed.reason() {
        reason if reason.is_empty() => String::new(),
        reason => format!(" It {reason}."),
    };
    let sentences = [
        (
            format!("{}: {}.{reason}", report.row, observed.class()),
            Role::Text,
        ),
        (report.row.doc(), Role::Dim),
        (
            format!(
                "The table declares: {}; outside ring 0 '{}'.",
                report.declared_class(),
                report.declared.outside.name()
            ),
            Role::Dim,
        ),
    ];
    let lines = sentences.into_iter().flat_map(|(sentence, role)| {
        let lines = wrap(theme, &sentence, area.width.saturating_sub(1)).into_iter();
        lines.map(move |line| (line, role))
    });
    let lines: Vec<_> = lines.collect();
    for (number, (line, role)) in (0..area.height).zip(&lines) {
        put(theme, area, (0, number), line, theme.style(*role), buffer);
    }
    more(theme, area, false, lines.len() > usize::from(area.height), buffer);
}

/// The row after the selected one, or before it, in which the text occurs: in its name, what it stands for, or why it
/// is sensitive.
pub(super) fn search(app: &App, text: &str, onwards: bool) -> Option<Row> {
    let state = &app.views.properties;
    let found = state.subjects.found()?;
    let wanted = text.to_lowercase();
    let subject = state.subjects.subject();
    let matches = |row: &Row| {
        let report = found.rows.iter().find(|report| report.row == *row);
        let reason = report.map(|report| report.observed.reason()).unwrap_or_default();
        let stands_for = subject.and_then(|subject| subject.stands_for(*row)).unwrap_or("");
        format!("{row}\n{stands_for}\n{reason}")
            .to_lowercase()
            .contains(&wanted)
    };
    let order: Vec<Row> = order(found, state.way).into_iter().map(|(_, row)| row).collect();
    let here = order.iter().position(|row| Some(*row) == state.row());
    let places: Vec<usize> = (0..order.len()).filter(|place| matches(&order[*place])).collect();
    next_of(&places, here.unwrap_or(0), onwards).map(|place| order[place])
}
