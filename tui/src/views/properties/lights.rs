//! The three lights: what the checker says of the running guest, which it runs beside the bare machine.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use vmm_core::check::checked::{Doing, Progress};
use vmm_core::check::{Verdict, Verdicts};
use vmm_core::mode::ModeName;
use vmm_core::numbers::{counted, exact};

use super::text::{lines_of, more, wrap};
use crate::app::App;
use crate::frame::put;
use crate::theme::{Role, Theme};
use crate::views::checks::Check;

/// A light.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Light {
    Yes,
    No,
    Unknown,
    /// There is no monitor.
    Undefined,
    /// Somebody is working on it.
    Working,
}

impl Light {
    fn of(verdict: &Verdict, mode: ModeName) -> Light {
        match verdict.answer() {
            _ if mode == ModeName::Bare => Light::Undefined,
            Some(true) => Light::Yes,
            Some(false) => Light::No,
            None => Light::Unknown,
        }
    }

    fn shown(self, theme: &Theme) -> (&'static str, &'static str, Role) {
        let glyphs = theme.glyphs();
        match self {
            Light::Yes => (glyphs.good, "yes", Role::Good),
            Light::No => (glyphs.bad, "NO", Role::Bad),
            Light::Unknown => ("?", "unknown", Role::Warn),
            Light::Undefined => ("-", "undefined", Role::Dim),
            Light::Working => (glyphs.dot, "checking", Role::Dim),
        }
    }
}

const NAMES: [&str; 3] = ["equivalence", "resource control", "efficiency"];

/// The names of the properties have so many columns, where reasons stand beside them.
const MARGIN: u16 = 18;

/// From this width on, the lights stand in one line, and reasons beside the names.
const WIDE: u16 = 77;

/// Where they stand in it, on the least of these widths: each has room for its longest word.
const PLACES: [u16; 3] = [0, 25, 55];

fn lights(app: &App) -> [Light; 3] {
    match app.views.checks.of(app.session.mode) {
        Some(Check::Over(told)) => of(&told.verdicts).map(|verdict| Light::of(verdict, app.session.mode)),
        Some(Check::Working(_)) | None => [Light::Working; 3],
        Some(Check::Failed(_)) => [Light::Unknown; 3],
    }
}

fn of(verdicts: &Verdicts) -> [&Verdict; 3] {
    let Verdicts {
        equivalence,
        resource_control,
        efficiency,
    } = verdicts;
    [equivalence, resource_control, efficiency]
}

/// How many lines the lights have, on so many columns.
fn height(columns: u16) -> u16 {
    if columns >= WIDE { 1 } else { 3 }
}

/// Draws them, and below them the reasons, from a line on.
pub(super) fn draw(app: &App, first: u16, area: Rect, buffer: &mut Buffer) {
    let theme = &app.theme;
    let places = PLACES.map(|place| place.max(place * area.width / 90));
    for (number, (light, name)) in (0..).zip(lights(app).into_iter().zip(NAMES)) {
        let (sign, word, role) = light.shown(theme);
        let style = theme.style(role);
        let at = match height(area.width) {
            1 => (places[usize::from(number)], 0),
            _ => (0, number),
        };
        let text = format!("{sign} {name} ");
        let end = put(theme, area, at, &text, style, buffer);
        let style = style.add_modifier(ratatui::style::Modifier::BOLD);
        put(theme, area, (end, at.1), word, style, buffer);
    }
    let below = lines_of(area, height(area.width), area.height);
    let lines = reasons(app, area.width);
    let shown = lines.iter().skip(usize::from(first));
    for (number, (name, text)) in (0..below.height).zip(shown) {
        let indent = if area.width >= WIDE { MARGIN } else { 2 };
        put(theme, below, (0, number), name, theme.style(Role::Strong), buffer);
        put(
            theme,
            below,
            (indent, number),
            text,
            theme.style(Role::Text),
            buffer,
        );
    }
    let after = lines.len() > usize::from(first + below.height);
    more(theme, below, first > 0, after, buffer);
}

/// The last line from which on the reasons are shown.
pub(super) fn last_line(app: &App, (columns, lines): (u16, u16)) -> u16 {
    let room = lines.saturating_sub(height(columns));
    (reasons(app, columns).len() as u16).saturating_sub(room)
}

/// The reasons in lines, each with what stands at its left. What does not hold comes first: it is what one asks for.
fn reasons(app: &App, columns: u16) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    let mut say = |name: &'static str, text: &str| {
        let beside = columns >= WIDE;
        let room = columns.saturating_sub(if beside { MARGIN } else { 2 } + 1);
        let mut text = wrap(&app.theme, text, room).into_iter();
        if beside {
            lines.extend(text.next().map(|line| (name, line)));
        } else {
            lines.push((name, String::new()));
        }
        lines.extend(text.map(|line| ("", line)));
    };
    match app.views.checks.of(app.session.mode) {
        None => {}
        Some(Check::Failed(why)) => say("why", &format!("this could not be checked: {why}")),
        Some(Check::Working(checked)) => say("checking", &progress(checked.progress())),
        Some(Check::Over(told)) => {
            let mut all: Vec<_> = NAMES.into_iter().zip(of(&told.verdicts)).collect();
            all.sort_by_key(|(_, verdict)| verdict.holds);
            all.iter().for_each(|(name, verdict)| say(name, &verdict.detail));
            say("the guest ended", &told.end);
        }
    }
    lines
}

/// What the checker is at.
fn progress(progress: Progress) -> String {
    let attempts = counted(progress.attempts, "instruction", "instructions");
    let equal = exact(progress.compared);
    match progress.doing {
        Doing::Comparing => {
            format!("beside the bare machine, {attempts} so far; equal at {equal} sync points")
        }
        Doing::Ending => format!("they differ; the guest goes on alone, {attempts} so far"),
        Doing::Searching(0) => "they differ; which instruction made the difference?".to_string(),
        Doing::Searching(found) => {
            let holes = counted(found as u64, "hole", "holes");
            format!("{holes} found; is there another, with these trapping?")
        }
        Doing::Original => format!("the original kernel on the bare machine, {attempts} so far"),
        Doing::Running => format!("the guest, {attempts} so far"),
    }
}
