//! View Compare: two to four modes of the same guest side by side, kept at the same instruction of the guest. Where one
//! parts from the bare machine it stays, and the view says by what.

mod companion;
mod rows;

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use scenarios::Scenario;
use scenarios::tour::Stop;
use vmm_core::mode::ModeName;
use vmm_core::timeline::Timeline;

use super::checks::Check;
use super::{Answer, Screen, States};
use crate::action::Action;
use crate::app::App;
use crate::frame;
use crate::menu::Menu;
use crate::theme::Role;
use companion::{Companion, Target};

/// The most modes that are shown, with that of the session.
const MOST: usize = 4;

/// Lines for what the checker says, where there is room.
const DETAIL: u16 = 3;

/// Columns for the names of rows.
const NAMES: u16 = 12;

/// The narrowest column that says something, in large letters too.
const NARROWEST: u16 = 13;

/// What the view keeps.
#[derive(Default)]
pub struct State {
    /// The guest that the companions were made for.
    scenario: Option<Arc<Scenario>>,
    /// The mode of the session when they were.
    own: Option<ModeName>,
    companions: Vec<Companion>,
    /// Modes that somebody has asked for.
    asked: Vec<ModeName>,
    /// The column that is selected: 0 is the session's.
    selected: usize,
    /// The first rows that are shown, by pane.
    scroll: [usize; 2],
}

/// A mode of the guest, in its column.
struct Column<'a> {
    mode: ModeName,
    selected: bool,
    timeline: &'a Timeline,
    /// What the checker says of it.
    check: Option<&'a Check>,
    /// The companion, of all columns but the session's.
    companion: Option<&'a Companion>,
}

/// The view.
pub struct Compare;

const STATE: usize = 0;
const FIGURES: usize = 1;

impl Screen for Compare {
    fn panes(&self) -> &'static [&'static str] {
        &["State", "Figures"]
    }

    fn layout(&self, _app: &App, area: Rect) -> Vec<Rect> {
        let upper = (area.height / 2 + 1).min(rows::STATE_ROWS as u16 + 3 + DETAIL);
        let (above, below) = (
            Rect {
                height: upper,
                ..area
            },
            Rect {
                y: area.y + upper,
                height: area.height - upper,
                ..area
            },
        );
        vec![above, below]
    }

    fn title(&self, app: &App, pane: usize) -> String {
        match pane {
            STATE => "The same guest at the same instruction".to_string(),
            _ => format!(
                "What it took so far; cycles on list {}",
                app.views.cost.prices().name
            ),
        }
        .to_string()
            + match app.views.compare.companions.is_empty() {
                true => ": no other mode runs this guest here",
                false => "",
            }
    }

    fn draw(&self, app: &App, pane: usize, area: Rect, buffer: &mut Buffer) {
        if area.height == 0 || area.width <= NAMES {
            return;
        }
        let columns = fitting(columns(app), usize::from((area.width - NAMES) / NARROWEST));
        head(app, &columns, area, buffer);
        let body = Rect {
            y: area.y + 1,
            height: area.height - 1,
            ..area
        };
        match pane {
            STATE => {
                // What the checker says of the selected mode is a sentence: it has the last lines.
                let detail = body
                    .height
                    .saturating_sub(rows::STATE_ROWS as u16)
                    .clamp(1, DETAIL);
                let rows = Rect {
                    height: body.height - detail,
                    ..body
                };
                rows::state(app, &columns, app.views.compare.scroll[STATE], rows, buffer);
                let below = Rect {
                    y: rows.bottom(),
                    height: detail,
                    ..body
                };
                if let Some(column) = columns.iter().find(|column| column.selected) {
                    rows::detail(app, column, below, buffer);
                }
            }
            _ => rows::figures(app, &columns, app.views.compare.scroll[FIGURES], body, buffer),
        }
    }

    fn update(&self, app: &mut App, action: Action) -> bool {
        let pane = app.focus().min(FIGURES);
        let state = &mut app.views.compare;
        let (last, rows) = (
            state.companions.len(),
            [rows::STATE_ROWS, rows::FIGURE_ROWS][pane],
        );
        let scroll = &mut state.scroll[pane];
        match action {
            Action::Left => state.selected = state.selected.saturating_sub(1),
            Action::Right => state.selected = (state.selected + 1).min(last),
            Action::Up => *scroll = scroll.saturating_sub(1),
            Action::Down => *scroll = (*scroll + 1).min(rows - 1),
            Action::Top => *scroll = 0,
            Action::Bottom => *scroll = rows - 1,
            Action::Select => return another_mode(app),
            _ => return false,
        }
        true
    }

    fn click(&self, app: &mut App, _: usize, at: Position) {
        let count = columns(app).len() as u16;
        let width = app.size.width.saturating_sub(2 + NAMES) / count;
        if at.x >= NAMES && width > 0 {
            app.views.compare.selected = usize::from((at.x - NAMES) / width).min(usize::from(count) - 1);
        }
    }

    fn command(&self, app: &mut App, line: &str) -> Answer {
        let rest = line.strip_prefix("compare")?;
        let mut asked = Vec::new();
        for name in rest.split_whitespace() {
            match ModeName::from_name(name) {
                Some(mode) => asked.push(mode),
                None => {
                    let names = ModeName::ALL.map(ModeName::name).join(" ");
                    return Some(Err(format!("'{name}' is no mode: {names}")));
                }
            }
        }
        app.views.compare.asked = asked;
        app.views.compare.scenario = None;
        self.moved(app);
        Some(Ok(String::new()))
    }

    fn lead(&self, app: &mut App, stop: &Stop) {
        let own = app.session.mode;
        let others = stop.compare.iter().copied().filter(|mode| *mode != own);
        app.views.compare.asked = others.collect();
        app.views.compare.scenario = None;
        self.moved(app);
    }

    fn moved(&self, app: &mut App) {
        gather(app);
        let target = Target::of(app.session.timeline());
        let States { compare, checks, .. } = &mut app.views;
        for companion in &mut compare.companions {
            let check = checks.of(companion.mode);
            companion.follow(target, check.and_then(Check::parted));
        }
    }

    fn busy(&self, app: &App) -> bool {
        let checks = &app.views.checks;
        let mut companions = app.views.compare.companions.iter();
        checks.busy(app.session.mode)
            || companions.any(|companion| companion.timeline.pursues() || checks.busy(companion.mode))
    }

    fn work(&self, app: &mut App) {
        let target = Target::of(app.session.timeline());
        let States { compare, checks, .. } = &mut app.views;
        // First where everybody is, then what they are like.
        for companion in &mut compare.companions {
            if companion.work() {
                return;
            }
        }
        for companion in &mut compare.companions {
            if checks.busy(companion.mode) {
                checks.work(companion.mode);
                // Where it parts from the others, it stays.
                companion.follow(target, checks.of(companion.mode).and_then(Check::parted));
                return;
            }
        }
        checks.work(app.session.mode);
    }

    fn help(&self) -> &'static str {
        "Each column is the same guest under another mode, the first that of the session. All stand where as many \
         instructions of the guest have retired: step, jump or play, and the others follow.\n\
         \n\
         'equal' means that registers, program counter and ring are those of the first column. 'differs' names the \
         first that is not. A mode that does not keep to the bare machine is found by the checker, which runs beside: \
         its column stays at the instruction after which it differs, and says how.\n\
         \n\
         Below is what each has cost so far: bars are relative to the longest in their row. Simulated cycles are \
         priced on the list that view 8 has chosen.\n\
         \n\
         h and l select a column, enter gives it the next mode, ':compare bare trap para' names them all."
    }

    fn actions(&self) -> &'static [Action] {
        &[
            Action::StepInto,
            Action::Next(crate::action::Kind::Trap),
            Action::Right,
            Action::Select,
            Action::Mode,
        ]
    }
}

/// Makes companions for the session's guest, if they are another's.
fn gather(app: &mut App) {
    let (scenario, mode) = (Arc::clone(&app.session.scenario), app.session.mode);
    let state = &mut app.views.compare;
    let known = state
        .scenario
        .as_ref()
        .is_some_and(|known| Arc::ptr_eq(known, &scenario));
    if known && state.own == Some(mode) {
        return;
    }
    let wanted = match state.asked.is_empty() {
        true => usual(&scenario, mode),
        false => state
            .asked
            .iter()
            .copied()
            .filter(|asked| *asked != mode)
            .collect(),
    };
    let mut kept: Vec<Companion> = match known {
        true => std::mem::take(&mut state.companions),
        false => Vec::new(),
    };
    let mut companions = Vec::new();
    let mut complaint = None;
    for mode in wanted.into_iter().take(MOST - 1) {
        let old = kept.iter().position(|companion| companion.mode == mode);
        match old.map(|place| kept.remove(place)) {
            Some(old) => companions.push(old),
            None => match Companion::new(&scenario, mode, app.engine) {
                Ok(new) => companions.push(new),
                Err(error) => complaint = Some(format!("mode {mode}: {error}")),
            },
        }
    }
    state.own = Some(mode);
    for mode in companions.iter().map(|companion| companion.mode).chain([mode]) {
        app.views.checks.gather(&scenario, mode, app.engine);
    }
    let state = &mut app.views.compare;
    state.companions = companions;
    state.selected = state.selected.min(state.companions.len());
    state.scenario = Some(scenario);
    if let Some(complaint) = complaint {
        app.complain(complaint);
    }
}

/// What a mode is compared with unless somebody says otherwise: the bare machine, and what the scenario lists.
fn usual(scenario: &Scenario, own: ModeName) -> Vec<ModeName> {
    let mut modes = vec![ModeName::Bare];
    for mode in scenario.modes_here() {
        // One of each method is enough: `trap` stands for `trap:0/3/3`.
        let method = |mode: ModeName| mode.name().split(':').next();
        let again = modes.iter().any(|known| method(*known) == method(mode));
        if !again && mode.missing().is_none() {
            modes.push(mode);
        }
    }
    modes.retain(|mode| *mode != own);
    // What says most comes first: pure emulation looks like the bare machine.
    modes.sort_by_key(|mode| (*mode != ModeName::Bare, mode.is_emulation()));
    modes
}

/// Gives the selected column the next mode that can run the guest here and has no column.
fn another_mode(app: &mut App) -> bool {
    let state = &app.views.compare;
    let Some(place) = state.selected.checked_sub(1) else {
        app.act(Action::Mode);
        return true;
    };
    let mut modes: Vec<ModeName> = state.companions.iter().map(|companion| companion.mode).collect();
    let Some(now) = modes.get(place).copied() else {
        return false;
    };
    let menu = Menu::new(&app.session);
    let all: Vec<ModeName> = menu
        .modes
        .iter()
        .filter(|(_, why_not)| why_not.is_none())
        .map(|(mode, _)| *mode)
        .collect();
    let start = all.iter().position(|mode| *mode == now).unwrap_or(0);
    let next = (1..all.len())
        .map(|by| all[(start + by) % all.len()])
        .find(|mode| *mode != app.session.mode && !modes.contains(mode));
    if let Some(next) = next {
        modes[place] = next;
        app.views.compare.asked = modes;
        app.views.compare.own = None;
        Compare.moved(app);
    }
    true
}

/// Of columns for which there is too little room, the session's and those around the one that is selected.
fn fitting(mut columns: Vec<Column>, room: usize) -> Vec<Column> {
    let selected = columns.iter().position(|column| column.selected).unwrap_or(0);
    let beside = room.clamp(2, columns.len().max(2)) - 1;
    let first = (selected + 1).saturating_sub(beside).max(1);
    let kept = |place: usize| place == 0 || (first..first + beside).contains(&place);
    let mut places = 0..;
    columns.retain(|_| places.next().is_some_and(kept));
    columns
}

/// All columns, the session's first.
fn columns(app: &App) -> Vec<Column<'_>> {
    let state = &app.views.compare;
    let own = Column {
        mode: app.session.mode,
        selected: state.selected == 0,
        timeline: app.session.timeline(),
        check: app.views.checks.of(app.session.mode),
        companion: None,
    };
    let companions = (1..).zip(&state.companions).map(|(number, companion)| Column {
        mode: companion.mode,
        selected: state.selected == number,
        timeline: &companion.timeline,
        check: app.views.checks.of(companion.mode),
        companion: Some(companion),
    });
    std::iter::once(own).chain(companions).collect()
}

/// Where a column is.
fn place(area: Rect, column: usize, count: usize) -> Rect {
    let width = (area.width - NAMES) / count as u16;
    Rect {
        x: area.x + NAMES + width * column as u16,
        width,
        ..area
    }
}

/// The names of the modes, above both panes.
fn head(app: &App, columns: &[Column], area: Rect, buffer: &mut Buffer) {
    let theme = &app.theme;
    for (number, column) in columns.iter().enumerate() {
        let place = place(area, number, columns.len());
        let sign = if column.selected {
            theme.glyphs().selected
        } else {
            " "
        };
        let role = if column.selected {
            Role::Selection
        } else {
            Role::Title
        };
        let name = format!("{sign}{}", column.mode);
        put(app, place, 0, &name, theme.style(role), buffer);
    }
}

/// Writes into a line of a column, with a blank after it.
fn put(app: &App, place: Rect, line: u16, text: &str, style: Style, buffer: &mut Buffer) {
    let place = Rect {
        width: place.width.saturating_sub(1),
        ..place
    };
    frame::put(&app.theme, place, (0, line), text, style, buffer);
}
