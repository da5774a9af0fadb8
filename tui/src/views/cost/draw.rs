//! The panes of the view.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use scenarios::terminal::escape_line;
use vmm_core::numbers::{exact, percent, short};
use vmm_core::price::PriceList;

use super::parts::{Bill, Part, without_walks};
use super::{SHIPPED, bill};
use crate::app::App;
use crate::frame::cut;
use crate::theme::{Role, Theme};

/// From this height on there is a line for where the prices come from.
const TALL: u16 = 14;

/// Lines of the prices, in a pane of this height.
pub(super) fn room(height: u16) -> usize {
    usize::from(height.saturating_sub(if height < TALL { 2 } else { 4 }))
}

/// Columns of the bars.
const BAR: usize = 10;

pub(super) fn parts_title(app: &App) -> String {
    let list = app.views.cost.prices();
    format!("Cycles on list {}", list.name)
}

pub(super) fn prices_title(app: &App) -> String {
    let state = &app.views.cost;
    let (list, before) = (state.prices(), state.prices_before());
    match list.name == before.name {
        true => format!("Prices of list {}", list.name),
        false => format!("Prices of list {}, beside {}", list.name, before.name),
    }
}

/// A bar for a share of a whole, in so many columns.
fn bar(theme: &Theme, part: u64, whole: u64, columns: usize) -> String {
    let eighths = theme.glyphs().eighths;
    let steps = eighths.len() - 1;
    let filled = match whole {
        0 => 0,
        whole => (u128::from(part) * (columns * steps) as u128 / u128::from(whole)) as usize,
    };
    let piece = |column: usize| eighths[filled.saturating_sub(column * steps).min(steps)];
    (0..columns).map(piece).collect()
}

/// A share with one decimal.
fn share(part: u64, whole: u64) -> String {
    let text = percent(part, whole);
    // Two decimals jump to the eye where the second says nothing.
    match text.split_once('.') {
        Some((before, after)) => format!("{before}.{}%", &after[..1]),
        None => "0.0%".to_string(),
    }
}

fn put(line: Line, area: Rect, y: u16, buffer: &mut Buffer) {
    if y < area.bottom() {
        line.render(Rect { y, height: 1, ..area }, buffer);
    }
}

/// The parts, from the hardware's work to that of devices.
pub(super) fn parts(app: &App, area: Rect, buffer: &mut Buffer) {
    let theme = &app.theme;
    let (_, bill) = bill(app);
    let most = Part::ALL.iter().map(|part| bill.of(*part).0).max().unwrap_or(0);
    let wide = usize::from(area.width).saturating_sub(33);
    let explain = wide > 45;
    let columns = if explain { wide - 44 } else { wide };
    for (y, part) in (area.top()..).zip(Part::ALL) {
        let (cycles, mark) = bill.of(part);
        let role = match (part, cycles) {
            (_, 0) => Role::Dim,
            (Part::Executed, _) => Role::Hardware,
            _ => Role::Monitor,
        };
        let mut spans = vec![
            Span::raw(format!("{:<14}", part.name())),
            Span::raw(format!(
                "{:>8}{mark} {:>6} ",
                short(cycles),
                share(cycles, bill.total)
            )),
            Span::styled(bar(theme, cycles, most, columns), theme.style(role)),
        ];
        if explain {
            spans.push(Span::styled(format!("  {}", part.what()), theme.style(Role::Dim)));
        }
        put(Line::from(spans), area, y, buffer);
    }
    let y = area.y + Part::ALL.len() as u16;
    let sum = format!(
        "{:<14}{:>8}{} {}",
        "in all",
        short(bill.total),
        missing(app),
        an_instruction(app, &bill)
    );
    put(Line::styled(sum, theme.style(Role::Strong)), area, y, buffer);
}

/// The sign for walks that were not counted.
fn missing(app: &App) -> char {
    match without_walks(&app.session.run().counts()) {
        true => '~',
        false => ' ',
    }
}

/// Cycles for each instruction of the guest.
fn an_instruction(app: &App, bill: &Bill) -> String {
    match app.session.timeline().retired() {
        0 => String::new(),
        retired => {
            let hundredths = u128::from(bill.total) * 100 / u128::from(retired);
            format!("{}.{:02}/instruction", hundredths / 100, hundredths % 100)
        }
    }
}

/// What the run costs on each list.
pub(super) fn lists(app: &App, area: Rect, buffer: &mut Buffer) {
    let (theme, state) = (&app.theme, &app.views.cost);
    let (tally, _) = bill(app);
    let cycles = |list: &PriceList| u64::try_from(tally.cycles(list)).unwrap_or(u64::MAX);
    let most = SHIPPED.iter().map(cycles).max().unwrap_or(0);
    let wide = area.width > 50;
    let year = |text: &str| {
        if wide {
            format!("{text:>5} ")
        } else {
            String::new()
        }
    };
    let heads = format!("  {:<13}{}{:>8}", "list", year("year"), "cycles");
    let room = usize::from(area.width).saturating_sub(heads.len() + 2);
    put(Line::styled(heads, theme.style(Role::Dim)), area, area.y, buffer);
    for (place, (y, list)) in (area.y + 1..).zip(SHIPPED.iter()).enumerate() {
        let sign = match place {
            place if place == state.list => theme.glyphs().current,
            place if place == state.before => theme.glyphs().dot,
            _ => " ",
        };
        let since = year(&list.year.map_or("-".to_string(), |year| year.to_string()));
        let (cycles, mark) = (cycles(list), tally.mark(list));
        let line = Line::from(vec![
            Span::raw(format!(
                "{sign} {:<13}{since}{:>8}{mark} ",
                list.name,
                short(cycles)
            )),
            Span::styled(bar(theme, cycles, most, room), theme.style(Role::Good)),
        ]);
        put(line, area, y, buffer);
        if place == state.list && y < area.bottom() {
            buffer.set_style(Rect { y, height: 1, ..area }, theme.style(Role::Selection));
        }
    }
}

/// Every price that is due.
pub(super) fn prices(app: &App, area: Rect, buffer: &mut Buffer) {
    let (theme, state) = (&app.theme, &app.views.cost);
    let (list, (_, bill)) = (state.prices(), bill(app));
    let compares = state.list != state.before;
    let before = if compares { "before" } else { "" };
    let heads = format!(
        "{:<24}{:>13} {:>7}  {before:>7} {:>14} {:>6}",
        "", "times", "each", "cycles", ""
    );
    put(Line::styled(heads, theme.style(Role::Dim)), area, area.y, buffer);
    let room = room(area.height);
    let columns = usize::from(area.width).saturating_sub(76).max(BAR.min(2));
    let most = bill.items.iter().map(|item| item.cycles).max().unwrap_or(0);
    let scroll = state.scroll.min(bill.items.len().saturating_sub(room));
    for (y, item) in (area.y + 1..).zip(bill.items.iter().skip(scroll).take(room)) {
        let role = match item.each.cmp(&item.before) {
            std::cmp::Ordering::Greater => ("+", Role::Bad),
            std::cmp::Ordering::Less => ("-", Role::Good),
            std::cmp::Ordering::Equal => (" ", Role::Dim),
        };
        let (sign, role) = if compares { role } else { (" ", Role::Dim) };
        let was = if compares {
            exact(item.before)
        } else {
            String::new()
        };
        let bar_role = if item.part == Part::Executed {
            Role::Hardware
        } else {
            Role::Monitor
        };
        let line = Line::from(vec![
            Span::raw(cut(theme, &format!("{:<24}", item.what), 24)),
            Span::raw(format!(
                "{:>13} {:>7}{}",
                exact(item.count),
                exact(item.each),
                item.mark
            )),
            Span::styled(format!("{was:>7}{sign}"), theme.style(role)),
            Span::raw(format!(
                "{:>15} {:>6} ",
                exact(item.cycles),
                share(item.cycles, bill.total)
            )),
            Span::styled(bar(theme, item.cycles, most, columns), theme.style(bar_role)),
        ]);
        put(line, area, y, buffer);
    }
    let hidden = bill.items.len().saturating_sub(scroll + room);
    let more = if hidden > 0 {
        format!("{} more below", exact(hidden as u64))
    } else {
        String::new()
    };
    let sum = format!(
        "{:<24}{more:>31} {:>14}{}",
        "in all",
        exact(bill.total),
        missing(app)
    );
    let y = area.y + 1 + room as u16;
    put(Line::styled(sum, theme.style(Role::Strong)), area, y, buffer);
    if area.height >= TALL {
        let said = format!(
            "* assumed, f fitted to a nano-benchmark; {}: {}",
            list.name, list.source
        );
        let said = cut(theme, &escape_line(said.as_bytes()), area.width.into());
        put(Line::styled(said, theme.style(Role::Dim)), area, y + 2, buffer);
    }
}
