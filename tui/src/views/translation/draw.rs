//! What view Translation draws.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Paragraph, Widget, Wrap};
use scenarios::listing::Listing;
use vmm_core::mode::ModeName;
use vmm_core::modes::translate::Translate;
use vmm_core::modes::translate::listing::{PartListing, list};
use vmm_core::numbers::exact;

use crate::app::App;
use crate::frame::put_line;
use crate::theme::Role;

/// More lines than any unit has.
pub(super) const LONGEST: isize = 200;

/// Where a mode translates nothing.
pub(super) fn nothing(app: &App, area: Rect, buffer: &mut Buffer) {
    let run = app.session.run();
    let text = match run.mode_name {
        ModeName::Jit => {
            let counts = run.counts();
            format!(
                "Mode jit translates the guest's code to code of this computer: {} blocks so far, {} jumps between \
                 them led straight on, all forgotten {} times. `trapeze dis --host` shows such code.\n\n\
                 Mode translate makes Ring32 of Ring32, which is shown here: {} then translate.",
                exact(counts.units),
                exact(counts.links),
                exact(counts.cache_flushes),
                app.keys.name(crate::action::Action::Mode)
            )
        }
        mode => format!(
            "Mode {mode} translates nothing. Mode translate does: {} then translate, and the same guest goes on at the \
             same instruction.",
            app.keys.name(crate::action::Action::Mode)
        ),
    };
    Paragraph::new(text)
        .style(app.theme.style(Role::Text))
        .wrap(Wrap { trim: true })
        .render(area, buffer);
}

/// The name of a place of the guest's.
pub(super) fn name(app: &App, address: u32) -> String {
    let (image, sources) = app.session.program();
    Listing::new(image, sources).place(address).name()
}

/// Which unit is shown.
pub(super) fn unit_title(app: &App, translator: &Translate, shown: Option<usize>) -> String {
    let Some((number, unit)) = shown.and_then(|number| Some((number, translator.cache().unit(number)?)))
    else {
        return "Nothing is translated yet: step on".to_string();
    };
    let stands = translator.stands_at(app.session.run().machine());
    let here = match stands.is_some_and(|stands| stands.unit == number) {
        true => ", where the guest stands",
        false if unit.live => "",
        false => ", forgotten since",
    };
    format!(
        "Unit {number} of {}, ring {}{here}: the guest's instructions | the cache",
        name(app, unit.pc()),
        unit.context.ring
    )
}

/// Draws a unit, from a line on: on the left the guest's, on the right the cache's.
pub(super) fn unit(
    app: &App,
    translator: &Translate,
    shown: Option<usize>,
    scroll: isize,
    area: Rect,
    buffer: &mut Buffer,
) {
    let Some(unit) = shown.and_then(|number| translator.cache().unit(number)) else {
        return;
    };
    let stands = translator.stands_at(app.session.run().machine());
    let at = stands.map(|stands| stands.address);
    let left = Rect {
        width: area.width / 2,
        ..area
    };
    let right = Rect {
        x: area.x + left.width + 2,
        width: area.width - left.width - 2,
        ..area
    };
    let parts = list(unit).parts;
    let mut rows: Vec<(String, Role, String, Role)> = Vec::new();
    for part in &parts {
        part_rows(app, part, at, &mut rows);
    }
    let height = usize::from(area.height);
    let here = rows
        .iter()
        .position(|(_, role, _, word)| [*role, *word].contains(&Role::Current));
    let last = rows.len().saturating_sub(1);
    let first = here.map_or(0, |here| (here + 1).saturating_sub(height / 2 + 1));
    let first = first.saturating_add_signed(scroll).min(last);
    for (y, (original, of_original, word, of_word)) in (0..area.height).zip(rows.into_iter().skip(first)) {
        put_line(app, left, y, &original, of_original, buffer);
        put_line(app, right, y, &word, of_word, buffer);
    }
}

/// The lines of a part of a unit.
fn part_rows(app: &App, part: &PartListing, at: Option<u32>, rows: &mut Vec<(String, Role, String, Role)>) {
    let same = matches!((&part.original, part.translated.as_slice()),
        (Some((_, original)), [(_, word)]) if original == word);
    let here = part.translated.iter().any(|(address, _)| Some(*address) == at);
    let mut left = Vec::new();
    if let Some((pc, original)) = &part.original {
        let sign = if here { app.theme.glyphs().current } else { " " };
        let role = if here { Role::Current } else { Role::GuestKernel };
        left.push((format!("{sign} {pc:08x}  {original}"), role));
    }
    if !same {
        left.push((format!("    {}", part.reason), Role::Dim));
    }
    let sign = if same { "=" } else { " " };
    let words = part.translated.iter().map(|(address, word)| {
        let role = match Some(*address) == at {
            true => Role::Current,
            false if same => Role::Dim,
            false => Role::Monitor,
        };
        (format!("{sign} {address:08x}  {word}"), role)
    });
    let words: Vec<(String, Role)> = words.collect();
    for row in 0..left.len().max(words.len()) {
        let blank = || (String::new(), Role::Text);
        let (original, of_original) = left.get(row).cloned().unwrap_or_else(blank);
        let (word, of_word) = words.get(row).cloned().unwrap_or_else(blank);
        rows.push((original, of_original, word, of_word));
    }
}

/// The first unit that is in the list, so that the one that is shown is.
pub(super) fn first_unit(shown: Option<usize>, count: usize, height: usize) -> usize {
    let middle = shown.unwrap_or(count).saturating_sub(height / 2);
    middle.min(count.saturating_sub(height))
}

/// A line for each unit around the one that is shown.
pub(super) fn units(
    app: &App,
    translator: &Translate,
    shown: Option<usize>,
    area: Rect,
    buffer: &mut Buffer,
) {
    let units = translator.cache().units();
    let stands = translator
        .stands_at(app.session.run().machine())
        .map(|stands| stands.unit);
    let first = first_unit(shown, units.len(), usize::from(area.height));
    let glyphs = app.theme.glyphs();
    for (y, (number, unit)) in (0..area.height).zip(units.iter().enumerate().skip(first)) {
        let sign = match (stands == Some(number), unit.live) {
            (true, _) => glyphs.current,
            (_, false) => glyphs.bad,
            _ => " ",
        };
        let text = format!(
            "{sign}{number:>5}  {:08x}  {:>2} > {:>3} words  {}",
            unit.pc(),
            unit.len(),
            unit.code.words.len(),
            name(app, unit.pc())
        );
        let role = match (shown == Some(number), unit.live) {
            (true, _) => Role::Selection,
            (_, false) => Role::Dim,
            _ => Role::Text,
        };
        put_line(app, area, y, &text, role, buffer);
    }
}

/// How full the cache is, how the unit is linked, and which instructions trap.
pub(super) fn cache(
    app: &App,
    translator: &Translate,
    shown: Option<usize>,
    area: Rect,
    buffer: &mut Buffer,
) {
    let (cache, glyphs) = (translator.cache(), app.theme.glyphs());
    let (room, taken) = cache.room();
    let counts = app.session.run().counts();
    let columns = 20usize;
    let full = (u64::from(taken) * columns as u64).div_ceil(room.max(1).into()) as usize;
    let bar = glyphs.full.repeat(full) + &glyphs.empty.repeat(columns - full);
    let occupied = format!("{bar} {} of {} bytes", exact(taken.into()), exact(room.into()));
    let happened = format!(
        "{} links, {} look-ups missed, emptied {} times",
        exact(counts.links),
        exact(counts.lookup_misses),
        exact(counts.cache_flushes)
    );
    let mut lines = vec![(occupied, Role::Strong), (happened, Role::Text)];
    if let Some(unit) = shown.and_then(|number| cache.unit(number)) {
        for (_, target, to) in cache.ways(unit) {
            let (to, role) = match to {
                Some(to) => (format!("linked to unit {to}"), Role::Good),
                None => ("not linked: asks the monitor".to_string(), Role::Warn),
            };
            lines.push((format!("{} {}: {to}", glyphs.right, name(app, target)), role));
        }
        let from: Vec<String> = cache.linked_to(unit).iter().map(ToString::to_string).collect();
        let from = if from.is_empty() {
            "none".to_string()
        } else {
            from.join(", ")
        };
        lines.push((format!("{} linked from units: {from}", glyphs.left), Role::Text));
    }
    let mut habits: Vec<_> = translator.habits().collect();
    // What was changed last comes first, and is marked if that was on the way here.
    habits.sort_by_key(|habit| std::cmp::Reverse((habit.since, habit.times)));
    let before = app.session.before().pace.clock;
    for habit in habits {
        let of = Translate::PATIENCE;
        let what = match (habit.adapted, habit.since) {
            (true, Some(clock)) => format!(
                "for nothing {} of {of}, a call since clock {}",
                habit.times,
                exact(clock)
            ),
            (_, Some(clock)) => format!(
                "trapped {} of {of}, itself since clock {}",
                habit.times,
                exact(clock)
            ),
            (_, None) => format!("trapped {} of {of}", habit.times),
        };
        let (sign, role) = match habit.since {
            Some(clock) if clock >= before => (glyphs.changed, Role::Changed),
            Some(_) if habit.adapted => (" ", Role::Monitor),
            _ => (" ", Role::Dim),
        };
        lines.push((format!("{sign} {}: {what}", name(app, habit.pc)), role));
    }
    for (y, (text, role)) in (0..area.height).zip(lines) {
        put_line(app, area, y, &text, role, buffer);
    }
}
