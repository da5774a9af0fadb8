//! View Properties: Popek and Goldberg's three properties of the running guest, and their theorems about instruction
//! sets. Everything is computed: the checker runs the bare machine beside the monitor, and the classifier executes each
//! row in paired states.

mod lights;
mod picture;
mod rows;
mod steps;
mod subjects;
mod text;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use toy_isa::row::Row;
use vmm_core::classify::part::Reading;
use vmm_core::classify::region::Region;
use vmm_core::classify::{Classification, layout_name};

use super::checks::Check;
use super::{Answer, Screen, View};
use crate::action::Action;
use crate::app::App;
use crate::frame;
use picture::Spot;
use steps::{Move, Steps};
use subjects::{Subjects, WAYS};

/// What the view keeps.
pub struct State {
    /// The first lines that are shown: of the reasons for the lights, and of those below the table of theorems.
    scroll: [u16; 2],
    subjects: Subjects,
    /// The way of judging, by its place in [`WAYS`].
    way: usize,
    selected: Option<Row>,
    /// The witness that is looked at, instead of the list of rows.
    steps: Option<Steps>,
}

impl Default for State {
    fn default() -> State {
        State {
            scroll: [0; 2],
            subjects: Subjects::default(),
            // What is a hole in the reading of 1974 is one in the extended reading, too.
            way: WAYS
                .iter()
                .position(|(reading, _)| *reading == Reading::Extended)
                .unwrap_or(0),
            selected: None,
            steps: None,
        }
    }
}

impl State {
    /// The row that is selected.
    fn row(&self) -> Option<Row> {
        self.selected
    }

    /// Where it stands.
    fn region(&self, found: &Classification) -> Option<Region> {
        let (reading, layout) = WAYS[self.way];
        let report = found
            .rows
            .iter()
            .find(|report| Some(report.row) == self.selected)?;
        Some(report.observed.region(layout, reading))
    }

    /// As soon as there are rows, one is selected: a hole, if there is one.
    fn select_one(&mut self) {
        if let (None, Some(found)) = (self.selected, self.subjects.found()) {
            self.selected = rows::order(found, self.way).first().map(|(_, row)| *row);
        }
    }

    /// Selects the row so many lines further down.
    fn go(&mut self, by: isize) {
        let Some(found) = self.subjects.found() else {
            return;
        };
        let order = rows::order(found, self.way);
        let place = order.iter().position(|(_, row)| Some(*row) == self.selected);
        let wanted = place.unwrap_or(0) as isize + by.clamp(-1000, 1000);
        let wanted = wanted.clamp(0, order.len() as isize - 1);
        self.selected = order.get(wanted as usize).map(|(_, row)| *row);
    }

    /// Selects the first row of the next region that has one, or of the one before.
    fn go_region(&mut self, next: bool) {
        let Some(found) = self.subjects.found() else {
            return;
        };
        let Some(now) = self.region(found) else {
            return;
        };
        let mut regions: Vec<Region> = Region::ALL.to_vec();
        if !next {
            regions.reverse();
        }
        let mut after = regions.into_iter().skip_while(|region| *region != now).skip(1);
        let first = after.find_map(|region| picture::first_of(found, self.way, region));
        self.selected = first.or(self.selected);
    }
}

/// The view.
pub struct Properties;

const LIGHTS: usize = 0;
const PICTURE: usize = 1;
const ROWS: usize = 2;

impl Screen for Properties {
    fn panes(&self) -> &'static [&'static str] {
        &["This run", "Instruction set", "Rows"]
    }

    fn layout(&self, _app: &App, area: Rect) -> Vec<Rect> {
        super::one_above_two(area, (area.height / 4).clamp(6, 12), (area.width / 2).min(76))
    }

    fn title(&self, app: &App, pane: usize) -> String {
        let state = &app.views.properties;
        let name = state.subjects.name();
        match (pane, state.steps) {
            (LIGHTS, _) => {
                let name = &app.session.scenario.name;
                format!(
                    "Popek and Goldberg's properties: {name} under {}",
                    app.session.mode
                )
            }
            (PICTURE, _) => {
                let (reading, layout) = WAYS[state.way];
                format!("{name}: {}, {}", reading.name(), layout_name(layout))
            }
            (_, Some(steps)) => steps::title(state, steps),
            (_, None) => format!("Rows of {name}"),
        }
    }

    fn draw(&self, app: &App, pane: usize, area: Rect, buffer: &mut Buffer) {
        let state = &app.views.properties;
        match (pane, state.steps) {
            (LIGHTS, _) => lights::draw(app, state.scroll[LIGHTS], area, buffer),
            (PICTURE, _) => picture::draw(app, state.scroll[PICTURE], area, buffer),
            (_, Some(steps)) => steps::draw(app, steps, area, buffer),
            (_, None) => rows::draw(app, area, buffer),
        }
    }

    fn update(&self, app: &mut App, action: Action) -> bool {
        let pane = app.focus().min(ROWS);
        match action {
            Action::NextProfile => app.views.properties.subjects.turn(1),
            Action::PreviousProfile => app.views.properties.subjects.turn(-1),
            _ => match (pane, app.views.properties.steps) {
                (LIGHTS, _) => return in_lights(app, action),
                (PICTURE, _) => return in_picture(app, action),
                (_, Some(steps)) => return in_steps(app, steps, action),
                (_, None) => return in_rows(app, action),
            },
        }
        app.views.properties.select_one();
        true
    }

    fn close(&self, app: &mut App) -> bool {
        app.views.properties.steps.take().is_some()
    }

    fn click(&self, app: &mut App, pane: usize, at: Position) {
        let size = inside(app, pane);
        match (pane, app.views.properties.steps) {
            (PICTURE, _) => match picture::at(app, size, at) {
                Some(Spot::Way(way)) => app.views.properties.way = way,
                Some(Spot::Region(region)) => {
                    let state = &mut app.views.properties;
                    let found = state.subjects.found();
                    let first = found.and_then(|found| picture::first_of(found, state.way, region));
                    state.selected = first.or(state.selected);
                }
                None => {}
            },
            (ROWS, Some(steps)) => {
                in_steps(app, steps, Action::Select);
            }
            (ROWS, None) => {
                if let Some(row) = rows::at(app, size.1, at.y) {
                    let again = app.views.properties.selected.replace(row) == Some(row);
                    if again {
                        open(app);
                    }
                }
            }
            _ => {}
        }
    }

    fn command(&self, app: &mut App, line: &str) -> Answer {
        let (word, rest) = line.split_once(char::is_whitespace)?;
        let (state, rest) = (&mut app.views.properties, rest.trim());
        match word {
            "profile" => {
                let chosen = state.subjects.choose(rest);
                state.select_one();
                Some(chosen.map(|()| String::new()))
            }
            "row" => Some(match Row::from_name(rest) {
                Some(row) => {
                    state.selected = Some(row);
                    Ok(String::new())
                }
                None => Err(format!(
                    "'{rest}' is no row; rows are named like csrw status, mret"
                )),
            }),
            _ => None,
        }
    }

    fn search(&self, app: &mut App, text: &str, onwards: bool) -> Answer {
        Some(match rows::search(app, text, onwards) {
            Some(row) => {
                app.views.properties.selected = Some(row);
                Ok(String::new())
            }
            None => Err(format!("'{text}' is in no row")),
        })
    }

    fn moved(&self, app: &mut App) {
        let session = &app.session;
        app.views
            .checks
            .gather(&session.scenario, session.mode, app.engine);
        let state = &mut app.views.properties;
        state.subjects.gather(&app.session.scenario.setup.profile);
        state.select_one();
    }

    fn busy(&self, app: &App) -> bool {
        app.views.checks.busy(app.session.mode) || app.views.properties.subjects.busy()
    }

    fn work(&self, app: &mut App) {
        app.views.checks.work(app.session.mode);
        let state = &mut app.views.properties;
        state.subjects.work();
        state.select_one();
    }

    fn help(&self) -> &'static str {
        "Above: the three properties of the running guest in its mode (Popek and Goldberg 1974). Equivalence: but for \
         timing, it runs as on the bare machine. Resource control: the monitor alone decides on resources. Efficiency: \
         innocuous instructions run on the hardware, without the monitor. All are computed from a whole run, from \
         power-on to the end, beside the bare machine. Enter goes to the row through which equivalence was lost.\n\
         \n\
         Below: the machine's instructions by what each did when it was executed in paired states. Sensitive: it \
         changes or depends on what a monitor must control. Privileged: it runs in ring 0 and traps in the rings in \
         which a monitor runs a guest. What is sensitive and not privileged is a hole (marked !): trap-and-emulate \
         fails. p looks at the next profile, then at machines of history; P goes back.\n\
         \n\
         The table has the theorems in four ways of judging: what counts as state (1974, or extended by control \
         registers, clock, devices), and the rings in which a guest is run. h and l choose one, j and k a region. \
         Below it stands why; page down goes on.\n\
         \n\
         Of each row: what it stands for (x86's, or the historical machine's), and whom it concerns: S the guest's \
         kernel, U its programs, in brackets in the extended reading only. Enter shows a witness: two states side by \
         side. s executes the instruction in both, S goes back, h and l go to the other witnesses, esc to the list. \
         A value that changed is marked, and one that differs between left and right.\n\
         \n\
         ':profile NAME' and ':row NAME' go there; '/' searches rows."
    }

    fn actions(&self) -> &'static [Action] {
        &[
            Action::Select,
            Action::NextProfile,
            Action::StepInto,
            Action::Right,
            Action::Mode,
        ]
    }
}

/// Columns and lines inside a pane.
fn inside(app: &App, pane: usize) -> (u16, u16) {
    let area = frame::inside_of(app, pane);
    (area.width, area.height)
}

/// How far an action goes up or down in a pane of so many lines.
fn way_of(action: Action, lines: u16) -> Option<isize> {
    let page = isize::try_from(lines.max(2) - 1).unwrap_or(1);
    Some(match action {
        Action::Up => -1,
        Action::Down => 1,
        Action::PageUp => -page,
        Action::PageDown => page,
        Action::Top => -1000,
        Action::Bottom => 1000,
        _ => return None,
    })
}

fn in_lights(app: &mut App, action: Action) -> bool {
    if action == Action::Select {
        // From what went wrong to the instruction that is to blame.
        let check = app.views.checks.of(app.session.mode);
        let hole = check.and_then(Check::hole);
        let state = &mut app.views.properties;
        state.selected = hole.or(state.selected);
        app.views.focus[View::Properties as usize] = ROWS;
        return true;
    }
    let size = inside(app, LIGHTS);
    let Some(by) = way_of(action, size.1) else {
        return false;
    };
    let last = lights::last_line(app, size);
    let state = &mut app.views.properties;
    let scroll = &mut state.scroll[LIGHTS];
    *scroll = (*scroll as isize + by).clamp(0, last as isize) as u16;
    true
}

fn in_picture(app: &mut App, action: Action) -> bool {
    let (page, last) = picture::below(app, inside(app, PICTURE));
    let state = &mut app.views.properties;
    let scroll = &mut state.scroll[PICTURE];
    match action {
        Action::PageUp => *scroll = scroll.saturating_sub(page),
        Action::PageDown => *scroll = (*scroll + page).min(last),
        Action::Up => state.go_region(false),
        Action::Down => state.go_region(true),
        Action::Top => state.go(-1000),
        Action::Bottom => state.go(1000),
        Action::Left => state.way = (state.way + WAYS.len() - 1) % WAYS.len(),
        Action::Right => state.way = (state.way + 1) % WAYS.len(),
        Action::Select => app.views.focus[View::Properties as usize] = ROWS,
        _ => return false,
    }
    true
}

fn in_rows(app: &mut App, action: Action) -> bool {
    let (_, lines) = inside(app, ROWS);
    let state = &mut app.views.properties;
    match action {
        Action::Left => state.go_region(false),
        Action::Right => state.go_region(true),
        Action::Select => open(app),
        _ => match way_of(action, lines) {
            Some(by) => state.go(by),
            None => return false,
        },
    }
    true
}

/// Looks at the first witness of the selected row.
fn open(app: &mut App) {
    match Steps::of(&app.views.properties) {
        Ok(steps) => app.views.properties.steps = Some(steps),
        Err(why) => app.complain(why),
    }
}

fn in_steps(app: &mut App, mut steps: Steps, action: Action) -> bool {
    let size = inside(app, ROWS);
    let to = match action {
        Action::StepInto => Move::Step(true),
        Action::StepBack => Move::Step(false),
        Action::Select => Move::Turn,
        Action::Left => Move::Other(false),
        Action::Right => Move::Other(true),
        _ => match way_of(action, size.1) {
            Some(by) => Move::Scroll(by),
            None => return false,
        },
    };
    steps.go(app, to, size);
    app.views.properties.steps = Some(steps);
    true
}
