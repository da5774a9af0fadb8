//! The instruction set as a picture of two sets, with the holes, and the table of theorems below it.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use toy_isa::row::Row;
use vmm_core::classify::part::Reading;
use vmm_core::classify::region::Region;
use vmm_core::classify::{Classification, RowReport, layout_name};
use vmm_core::numbers::counted;

use super::subjects::{WAYS, regions, theorems};
use super::text::{lines_of, more, wrap};
use crate::app::App;
use crate::frame::put;
use crate::theme::{Role, Theme};

/// Lines of the table of theorems.
const TABLE: u16 = 5;
/// Lines of the two sets, at least and at most.
const SETS: (u16, u16) = (5, 16);
/// From this width on, the table says its theorems in words.
const WIDE: u16 = 66;

/// Where everything is: the two sets, the line of what is in neither, the table, and what it means.
struct Places {
    sets: Rect,
    neither: Rect,
    table: Rect,
    reasons: Rect,
}

impl Places {
    fn new(area: Rect, reasons: u16) -> Places {
        let neither = u16::from(area.height > SETS.0 + TABLE);
        let rest = area.height.saturating_sub(SETS.0 + neither + TABLE);
        // With a blank line before them; and not at all, if there is no room for a sentence.
        let reasons = if rest < 3 { 0 } else { (reasons + 1).min(rest) };
        let sets = (SETS.0 + rest - reasons).min(SETS.1);
        Places {
            sets: lines_of(area, 0, sets),
            neither: lines_of(area, sets, neither),
            table: lines_of(area, sets + neither, TABLE),
            reasons: lines_of(area, sets + neither + TABLE + 1, reasons.saturating_sub(1)),
        }
    }
}

/// The columns of the walls: the left and right ones of the sensitive set, then those of the privileged one.
struct Walls {
    sensitive: [u16; 2],
    privileged: [u16; 2],
}

impl Walls {
    fn new(width: u16) -> Walls {
        let inside = width.min(90).saturating_sub(4);
        let third = inside * 3 / 10;
        let left = inside - 2 * third + 1;
        let middle = left + third + 1;
        Walls {
            sensitive: [0, middle],
            privileged: [left, middle + third + 1],
        }
    }
}

/// Draws it, with the reasons from a line on.
pub(super) fn draw(app: &App, first: u16, area: Rect, buffer: &mut Buffer) {
    let state = &app.views.properties;
    let Some(found) = state.subjects.found() else {
        return looking(app, area, buffer);
    };
    let reasons = reasons(app, found, area.width);
    let places = Places::new(area, reasons.len() as u16);
    let all = regions(found, state.way);
    let selected = state.region(found);
    sets(&app.theme, places.sets, &all, selected, buffer);
    neither(&app.theme, places.neither, &all, selected, buffer);
    table(app, found, places.table, buffer);
    let last = (reasons.len() as u16).saturating_sub(places.reasons.height);
    let first = first.min(last);
    for (number, line) in (0..places.reasons.height).zip(&reasons[usize::from(first)..]) {
        let style = app.theme.style(Role::Text);
        put(&app.theme, places.reasons, (0, number), line, style, buffer);
    }
    more(&app.theme, places.reasons, first > 0, first < last, buffer);
}

/// How many lines of reasons there are at once in a pane of this size, and the last one from which on they are shown.
pub(super) fn below(app: &App, (width, height): (u16, u16)) -> (u16, u16) {
    let Some(found) = app.views.properties.subjects.found() else {
        return (0, 0);
    };
    let lines = reasons(app, found, width).len() as u16;
    let shown = Places::new(Rect::new(0, 0, width, height), lines).reasons.height;
    (shown, lines.saturating_sub(shown))
}

/// How far the search is.
fn looking(app: &App, area: Rect, buffer: &mut Buffer) {
    let theme = &app.theme;
    let (seen, all) = app.views.properties.subjects.progress();
    let text = format!("looking at each row in paired states: {seen} of {all}");
    let lines = wrap(theme, &text, area.width);
    let bar = lines.len() as u16;
    for (number, line) in (0..).zip(lines) {
        put(theme, area, (0, number), &line, theme.style(Role::Dim), buffer);
    }
    let full = usize::from(area.width) * seen / all.max(1);
    let glyphs = theme.glyphs();
    let end = put(
        theme,
        area,
        (0, bar),
        &glyphs.full.repeat(full),
        theme.style(Role::Title),
        buffer,
    );
    let rest = usize::from(area.width) - full;
    put(
        theme,
        area,
        (end, bar),
        &glyphs.empty.repeat(rest),
        theme.style(Role::Dim),
        buffer,
    );
}

type Regions<'a> = [(Region, Vec<&'a RowReport>); 6];

fn rows<'a>(all: &'a Regions, region: Region) -> &'a [&'a RowReport] {
    let found = all.iter().find(|(of, _)| *of == region);
    found.map_or(&[], |(_, rows)| rows)
}

/// The two sets.
fn sets(theme: &Theme, area: Rect, all: &Regions, selected: Option<Region>, buffer: &mut Buffer) {
    let walls = Walls::new(area.width);
    let bottom = area.height.saturating_sub(1);
    if bottom < 4 || walls.privileged[1] < 20 {
        return;
    }
    let count = |regions: [Region; 2]| {
        regions
            .map(|region| rows(all, region).len())
            .iter()
            .sum::<usize>()
    };
    let title = format!(" sensitive {} ", count([Region::Hole, Region::Guarded]));
    outline(
        theme,
        area,
        (walls.sensitive, [0, bottom - 1]),
        Role::Sensitive,
        buffer,
    );
    put(theme, area, (2, 0), &title, theme.style(Role::Sensitive), buffer);
    let title = format!(" privileged {} ", count([Region::Guarded, Region::Needless]));
    outline(
        theme,
        area,
        (walls.privileged, [1, bottom]),
        Role::Privileged,
        buffer,
    );
    put(
        theme,
        area,
        (walls.privileged[0] + 2, bottom),
        &title,
        theme.style(Role::Privileged),
        buffer,
    );
    let cross = theme.glyphs().cross;
    for at in [(walls.sensitive[1], 1), (walls.privileged[0], bottom - 1)] {
        put(theme, area, at, cross, theme.style(Role::Border), buffer);
    }
    let inside = |left: u16, right: u16, top: u16, below: u16| Rect {
        x: area.x + left + 1,
        y: area.y + top,
        width: right - left - 1,
        height: below - top,
    };
    let [left, middle, right] = [walls.privileged[0], walls.sensitive[1], walls.privileged[1]];
    for (region, place) in [
        (Region::Hole, inside(0, left, 1, bottom - 1)),
        (Region::Guarded, inside(left, middle, 2, bottom - 1)),
        (Region::Needless, inside(middle, right, 2, bottom)),
    ] {
        inhabit(
            theme,
            place,
            region,
            rows(all, region),
            selected == Some(region),
            buffer,
        );
    }
}

/// Draws the outline of a set.
fn outline(
    theme: &Theme,
    area: Rect,
    ([left, right], [top, bottom]): ([u16; 2], [u16; 2]),
    role: Role,
    buffer: &mut Buffer,
) {
    let (glyphs, style) = (theme.glyphs(), theme.style(role));
    let mut draw = |at, sign: &str| put(theme, area, at, sign, style, buffer);
    for x in left + 1..right {
        draw((x, top), glyphs.horizontal);
        draw((x, bottom), glyphs.horizontal);
    }
    for y in top + 1..bottom {
        draw((left, y), glyphs.vertical);
        draw((right, y), glyphs.vertical);
    }
    let corners = [(left, top), (right, top), (left, bottom), (right, bottom)];
    for (at, corner) in corners.into_iter().zip(glyphs.corners) {
        draw(at, corner);
    }
}

/// What a region is called in the picture, and how it is written.
fn called(theme: &Theme, region: Region, count: usize) -> (String, Role) {
    let glyphs = theme.glyphs();
    match (region, count) {
        (Region::Hole, 0) => (format!("{} no holes", glyphs.good), Role::Good),
        (Region::Hole, _) => (format!("{} HOLES {count}", glyphs.warn), Role::Hole),
        (Region::Guarded, _) => (format!("both {count}"), Role::Sensitive),
        (Region::Needless, _) => (format!("only {count}"), Role::Privileged),
        (Region::Innocuous, _) => (format!("innocuous {count}"), Role::Innocuous),
        (Region::AlwaysTraps, _) => (format!("always trap {count}"), Role::Innocuous),
        (Region::Absent, _) => (format!("absent {count}"), Role::Innocuous),
    }
}

/// How the names of a region's rows are written.
pub(super) fn role(region: Region) -> Role {
    match region {
        Region::Hole => Role::Bad,
        Region::Guarded => Role::Sensitive,
        Region::Needless => Role::Privileged,
        Region::Innocuous | Region::AlwaysTraps | Region::Absent => Role::Innocuous,
    }
}

/// Writes into a region of the picture what it is called, and as many of its rows as there is room for.
fn inhabit(
    theme: &Theme,
    area: Rect,
    region: Region,
    rows: &[&RowReport],
    selected: bool,
    buffer: &mut Buffer,
) {
    title(theme, area, (0, 0), (region, rows.len()), selected, buffer);
    let names: Vec<String> = rows.iter().map(|report| report.row.to_string()).collect();
    let lines = wrap(theme, &names.join(", "), area.width.saturating_sub(2));
    let room = area.height.saturating_sub(1);
    for (number, line) in (1..=room).zip(&lines) {
        let last = number == room && lines.len() > usize::from(room);
        let line = if last {
            format!("{} {}", line.trim_end_matches(','), theme.glyphs().cut)
        } else {
            line.clone()
        };
        put(theme, area, (1, number), &line, theme.style(role(region)), buffer);
    }
}

/// Writes what a region is called; the column after it.
fn title(
    theme: &Theme,
    area: Rect,
    at: (u16, u16),
    (region, count): (Region, usize),
    selected: bool,
    buffer: &mut Buffer,
) -> u16 {
    let (name, role) = called(theme, region, count);
    let sign = if selected { theme.glyphs().selected } else { " " };
    let after = put(theme, area, at, sign, theme.style(Role::Key), buffer);
    put(theme, area, (after, at.1), &name, theme.style(role), buffer)
}

const OUTSIDE: [Region; 3] = [Region::Innocuous, Region::AlwaysTraps, Region::Absent];

/// The rows that are in neither set.
fn neither(theme: &Theme, area: Rect, all: &Regions, selected: Option<Region>, buffer: &mut Buffer) {
    let mut column = 0;
    for region in OUTSIDE {
        let count = rows(all, region).len();
        let end = title(
            theme,
            area,
            (column, 0),
            (region, count),
            selected == Some(region),
            buffer,
        );
        column = end + u16::from(area.width >= WIDE) * 2;
    }
}

/// The names of the theorems in the table.
fn theorem_names(width: u16) -> [&'static str; 3] {
    match width {
        WIDE.. => [
            "1 trap-and-emulate is enough",
            "2 recursively virtualizable",
            "3 a hybrid monitor is possible",
        ],
        _ => ["1 monitor", "2 recursive", "3 hybrid"],
    }
}

/// The columns of the table: those of names, and those of each way of judging.
fn columns(width: u16) -> (u16, u16) {
    if width >= WIDE { (31, 8) } else { (14, 6) }
}

/// The theorems in all ways of judging.
fn table(app: &App, found: &Classification, area: Rect, buffer: &mut Buffer) {
    let theme = &app.theme;
    let (names, column) = columns(area.width);
    let dim = theme.style(Role::Dim);
    put(theme, area, (0, 0), "theorem", dim, buffer);
    put(theme, area, (0, 1), "guest in rings", dim, buffer);
    for (number, name) in (2..).zip(theorem_names(area.width)) {
        put(theme, area, (0, number), name, theme.style(Role::Strong), buffer);
    }
    for (place, (reading, layout)) in WAYS.into_iter().enumerate() {
        let left = names + column * place as u16;
        if place % 2 == 0 {
            put(theme, area, (left + 1, 0), reading.name(), dim, buffer);
        }
        let selected = place == app.views.properties.way;
        let (sign, role) = match selected {
            true => (theme.glyphs().selected, Role::Selection),
            false => (" ", Role::Dim),
        };
        let head = format!("{sign}{}", layout_name(layout));
        put(theme, area, (left, 1), &head, theme.style(role), buffer);
        for (number, theorem) in (2..).zip(theorems(found, place).all()) {
            let (sign, word, role) = match theorem.verdict.holds {
                true => (theme.glyphs().good, "yes", Role::Good),
                false => (theme.glyphs().bad, "NO", Role::Bad),
            };
            let text = if area.width >= WIDE {
                format!(" {sign} {word}")
            } else {
                format!(" {word}")
            };
            put(theme, area, (left, number), &text, theme.style(role), buffer);
        }
    }
}

/// Why, in the way of judging that is selected.
fn reasons(app: &App, found: &Classification, width: u16) -> Vec<String> {
    let state = &app.views.properties;
    let (reading, layout) = WAYS[state.way];
    let holes = found.holes(reading, layout);
    let user = found.user_holes(reading, layout);
    let theorems = theorems(found, state.way);
    // The rows stand in the picture, and in the list: here it is enough to say how many there are.
    let sentences = theorems.all().map(|theorem| {
        let why = match (theorem.number, theorem.verdict.holds) {
            (1, false) => {
                let rows = counted(holes.len() as u64, "row is", "rows are");
                format!("{rows} sensitive, and executed outside ring 0 without a trap")
            }
            (3, false) if user == holes => "they are all user sensitive, too".to_string(),
            _ => theorem.verdict.detail.clone(),
        };
        format!("Theorem {}. {}: {why}.", theorem.number, theorem.claim)
    });
    let of_1974 = Reading::Of1974.describe();
    let state_is = match reading {
        Reading::Of1974 => format!("State is {of_1974}."),
        Reading::Extended => format!("State is {of_1974}; and {}.", reading.describe()),
    };
    let subject = state.subjects.subject();
    let machine = subject.and_then(|subject| subject.machine.as_ref());
    let told = machine.map(|machine| format!("{}. {}", machine.title, machine.story));
    let note = subject.and_then(|subject| subject.note());
    let rest = [Some(state_is), told, note.map(str::to_string)];
    let all = sentences.into_iter().chain(rest.into_iter().flatten());
    all.flat_map(|sentence| wrap(&app.theme, &sentence, width.saturating_sub(1)))
        .collect()
}

/// What there is at a place of the pane.
pub(super) enum Spot {
    /// A region of the picture.
    Region(Region),
    /// A column of the table.
    Way(usize),
}

/// What is at this place of a pane of this size.
pub(super) fn at(app: &App, (width, height): (u16, u16), at: Position) -> Option<Spot> {
    let found = app.views.properties.subjects.found()?;
    let area = Rect::new(0, 0, width, height);
    let places = Places::new(area, reasons(app, found, width).len() as u16);
    if places.table.contains(at) {
        let (names, column) = columns(width);
        let place = usize::from(at.x.checked_sub(names)? / column);
        return (place < WAYS.len()).then_some(Spot::Way(place));
    }
    if places.neither.contains(at) {
        return Some(Spot::Region(Region::Innocuous));
    }
    if !places.sets.contains(at) {
        return None;
    }
    let walls = Walls::new(width);
    Some(Spot::Region(match at.x {
        x if x <= walls.privileged[0] => Region::Hole,
        x if x <= walls.sensitive[1] => Region::Guarded,
        _ => Region::Needless,
    }))
}

/// The first row of a region, in this way of judging.
pub(super) fn first_of(found: &Classification, way: usize, wanted: Region) -> Option<Row> {
    let all = regions(found, way);
    rows(&all, wanted).first().map(|report| report.row)
}
