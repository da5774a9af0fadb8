//! The pane of what is mapped.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use vmm_core::modes::para::pages::Kind;
use vmm_core::walk::hardware::Tables;
use vmm_core::walk::listing::{Holds, Listing, Range};
use vmm_core::walk::words::flags;

use super::{MAP, Subject, look_at, subject};
use crate::action::Action;
use crate::app::App;
use crate::frame;
use crate::theme::Role;
use crate::views::next_of;

/// Lines above the ranges.
const HEAD: usize = 1;

/// Whether the nested table is shown by itself.
pub(super) fn by_physical(app: &App, tables: Tables) -> bool {
    app.views.address.physical && tables == Tables::Nested
}

fn ranges(app: &App, listing: Listing) -> Vec<Range> {
    match by_physical(app, listing.tables) {
        true => listing.nested,
        false => listing.ranges,
    }
}

/// The range that is selected: the last that does not begin behind the selected address.
fn selected(app: &App, ranges: &[Range]) -> usize {
    let after = ranges.partition_point(|range| range.first <= app.views.address.selected);
    after.saturating_sub(1)
}

/// The first range in sight of a pane with room for so many.
fn first_in_sight(selected: usize, count: usize, room: usize) -> usize {
    selected.saturating_sub(room / 2).min(count.saturating_sub(room))
}

/// Draws it.
pub(super) fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    let theme = &app.theme;
    let listing = Listing::of(app.session.run());
    let (paging, tables, cut) = (listing.paging, listing.tables, listing.cut);
    let physical = by_physical(app, tables);
    let ranges = ranges(app, listing);
    let room = usize::from(area.height).saturating_sub(HEAD);
    let here = selected(app, &ranges);
    let first = first_in_sight(here, ranges.len(), room);
    let walked = subject(app).map(|(address, _)| address);
    let mut lines = vec![head(app, tables, physical)];
    for (number, range) in ranges.iter().enumerate().skip(first).take(room) {
        let holds_it = !physical && walked.is_some_and(|address| contains(range, address));
        lines.push(line(app, tables, range, number == here, holds_it));
    }
    let nothing = match (ranges.is_empty(), paging, tables) {
        (false, ..) => "",
        (true, false, Tables::Own) => " The guest does not page: every address is a physical one.",
        (true, false, Tables::None) => " There are no tables: relocation and limit are all there is.",
        (true, false, _) => " The guest does not page, and nothing was needed for it yet.",
        (true, true, _) => " Nothing is mapped.",
    };
    if !nothing.is_empty() {
        lines.push(Line::styled(nothing, theme.style(Role::Dim)));
    } else if cut && first + room >= ranges.len() {
        lines.pop();
        lines.push(Line::styled(
            " ... and more than can be listed",
            theme.style(Role::Warn),
        ));
    }
    for (y, line) in (area.y..area.bottom()).zip(lines) {
        let place = Rect { y, height: 1, ..area };
        line.render(place, buffer);
    }
}

fn contains(range: &Range, address: u32) -> bool {
    let pages = address.wrapping_sub(range.first) / toy_isa::mmu::PAGE;
    pages < range.pages
}

/// What the processor uses beside the guest's own entries.
fn theirs(tables: Tables) -> &'static str {
    match tables {
        Tables::Own | Tables::None => "",
        Tables::Validated => "real frame",
        Tables::Shadow { .. } => "shadow table",
        Tables::Nested => "nested table",
    }
}

fn head(app: &App, tables: Tables, physical: bool) -> Line<'static> {
    let theme = &app.theme;
    let addresses = if physical { "guest-physical" } else { "addresses" };
    let own = if physical { "" } else { "the guest's own" };
    Line::from(vec![
        Span::styled(
            format!("  {addresses:<17} {:>5}  ", "pages"),
            theme.style(Role::Dim),
        ),
        Span::styled(format!("{own:<17}"), theme.style(Role::GuestKernel)),
        Span::styled(format!("{:<16}", theirs(tables)), theme.style(Role::Monitor)),
        Span::styled("holds", theme.style(Role::Dim)),
    ])
}

fn line(app: &App, tables: Tables, range: &Range, selected: bool, walked: bool) -> Line<'static> {
    let theme = &app.theme;
    let sign = match (walked, selected) {
        (true, _) => theme.glyphs().current,
        (false, true) => theme.glyphs().selected,
        _ => " ",
    };
    let own = range.own.map_or(String::new(), |own| {
        let size = if own.level == 1 { "4M" } else { "" };
        format!("{}{size:<2}", flags(own.flags))
    });
    let guest = match (range.own, range.guest) {
        (Some(_), Some(guest)) => format!("{guest:05x}"),
        _ => String::new(),
    };
    let real = range.real.map_or(String::new(), flags);
    let known = range.real.is_some() || tables == Tables::Validated;
    let host = range.host.filter(|_| known).map_or(String::new(), |host| {
        let scattered = if range.scattered { "~" } else { "" };
        format!("{host:05x}{scattered}")
    });
    let plain = [
        (format!("{sign} "), Role::Current),
        (format!("{} {:>5}  ", addresses(range), range.pages), Role::Text),
        (format!("{own:<8} {guest:<8}"), Role::GuestKernel),
        (format!("{real:<6} {host:<9}"), Role::Monitor),
        (holds(range.holds).to_string(), holds_role(range.holds)),
    ];
    let spans = plain.map(|(text, role)| {
        let role = match role {
            Role::Current if !walked => Role::Text,
            _ if selected => Role::Selection,
            role => role,
        };
        Span::styled(text, theme.style(role))
    });
    Line::from_iter(spans)
}

fn addresses(range: &Range) -> String {
    let last = range
        .first
        .wrapping_add(range.pages.wrapping_mul(toy_isa::mmu::PAGE))
        .wrapping_sub(1);
    format!("{:08x}-{last:08x}", range.first)
}

fn holds(holds: Holds) -> &'static str {
    match holds {
        Holds::Memory => "",
        Holds::Shadowed => "page table, traced",
        Holds::Code => "code, translated",
        Holds::Validated(Kind::Root) => "root table, validated",
        Holds::Validated(Kind::Table) => "page table, validated",
        Holds::Validated(Kind::Writable) => "writable",
        Holds::Devices => "devices",
        Holds::Beyond => "no memory",
        Holds::Monitor => "the monitor's",
    }
}

fn holds_role(holds: Holds) -> Role {
    match holds {
        Holds::Memory | Holds::Validated(Kind::Writable) => Role::Dim,
        Holds::Beyond => Role::Warn,
        _ => Role::Monitor,
    }
}

/// Does what an action means to the pane.
pub(super) fn update(app: &mut App, action: Action) -> bool {
    let listing = Listing::of(app.session.run());
    let tables = listing.tables;
    let ranges = ranges(app, listing);
    let here = selected(app, &ranges);
    let page = usize::from(frame::inside_of(app, MAP).height).saturating_sub(HEAD + 1);
    let last = ranges.len().saturating_sub(1);
    let there = match action {
        Action::Up => here.saturating_sub(1),
        Action::Down => here + 1,
        Action::PageUp => here.saturating_sub(page),
        Action::PageDown => here + page,
        Action::Top => 0,
        Action::Bottom => last,
        Action::Left | Action::Right => {
            if tables != Tables::Nested {
                app.complain("only under hardware assistance with nested paging is there a table by itself");
                return true;
            }
            app.views.address.physical = !app.views.address.physical;
            return true;
        }
        Action::Select => {
            let range = ranges.get(here).filter(|_| !by_physical(app, tables));
            match range.map(|range| range.first) {
                Some(address) => look_at(app, Subject::Fixed(address), None),
                None => app.complain("only an address of the guest's can be walked"),
            }
            return true;
        }
        _ => return false,
    };
    if let Some(range) = ranges.get(there.min(last)) {
        app.views.address.selected = range.first;
    }
    true
}

/// A place of the pane was clicked.
pub(super) fn click(app: &mut App, at: Position) {
    let ranges = ranges(app, Listing::of(app.session.run()));
    let room = usize::from(frame::inside_of(app, MAP).height).saturating_sub(HEAD);
    let first = first_in_sight(selected(app, &ranges), ranges.len(), room);
    let line = usize::from(at.y).checked_sub(HEAD);
    if let Some(range) = line.and_then(|line| ranges.get(first + line)) {
        app.views.address.selected = range.first;
    }
}

/// Selects the next range whose line has this text, or that has this address.
pub(super) fn search(app: &mut App, text: &str, onwards: bool) -> Result<String, String> {
    let listing = Listing::of(app.session.run());
    let tables = listing.tables;
    let ranges = ranges(app, listing);
    let here = selected(app, &ranges);
    let address = crate::command::address(&app.session, text).ok();
    let found = |number: &usize| {
        let range = &ranges[*number];
        let shown = line(app, tables, range, false, false).to_string();
        shown.contains(text) || address.is_some_and(|address| contains(range, address))
    };
    let places: Vec<usize> = (0..ranges.len()).filter(found).collect();
    match next_of(&places, here, onwards) {
        Some(number) => {
            app.views.address.selected = ranges[number].first;
            Ok(String::new())
        }
        None => Err(format!("'{text}' is in no range that is mapped")),
    }
}
