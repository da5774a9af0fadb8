//! View Guests: several guests under one monitor, turn by turn: who has the processor, who is next, what each has got
//! of it, and what passes between a guest that knows its monitor and that monitor.

mod draw;

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use scenarios::Scenario;
use vmm_core::mode::ModeName;
use vmm_core::modes::trap::Layout;
use vmm_core::setup::{Setup, StartError};
use vmm_core::several::Several;
use vmm_core::several::Turns;

use super::Screen;
use crate::action::Action;
use crate::app::App;

/// Turns in a slice of work: some milliseconds.
const SLICE: u64 = 16;

/// Its panes, by their places.
const GUESTS: usize = 0;
const QUEUE: usize = 1;
const INTERFACE: usize = 2;

/// What the view keeps.
#[derive(Default)]
pub struct State {
    crowd: Option<Crowd>,
    /// The guest that is selected.
    selected: usize,
    /// Turns are played: thousandths of one that are due.
    playing: Option<u64>,
}

/// The guests of a scenario, or why there are none.
struct Crowd {
    /// What they were made of.
    scenario: Arc<Scenario>,
    mode: ModeName,
    /// The mode that they run under, which is another where that one keeps a machine to itself.
    under: ModeName,
    names: Vec<String>,
    turns: Result<Turns, String>,
}

/// The view.
pub struct Guests;

impl Screen for Guests {
    fn panes(&self) -> &'static [&'static str] {
        &["Guests", "Processor", "Interface"]
    }

    fn layout(&self, _app: &App, area: Rect) -> Vec<Rect> {
        let upper = (area.height / 2).min(14);
        let left = area.width * 2 / 5;
        super::one_above_two(area, upper, left)
    }

    fn title(&self, app: &App, pane: usize) -> String {
        let state = &app.views.guests;
        match (pane, &state.crowd) {
            (GUESTS, Some(crowd)) => draw::title(crowd, state.playing.map(|_| app.settings.speed)),
            (INTERFACE, Some(crowd)) => match crowd.names.get(state.selected) {
                Some(name) => format!("Guest {} and its monitor: {name}", state.selected + 1),
                None => "Interface".to_string(),
            },
            (QUEUE, _) => "Who has the processor, turn by turn".to_string(),
            _ => self.panes()[pane].to_string(),
        }
    }

    fn draw(&self, app: &App, pane: usize, area: Rect, buffer: &mut Buffer) {
        let Some(crowd) = &app.views.guests.crowd else {
            return;
        };
        match (&crowd.turns, pane) {
            (Err(why), GUESTS) => draw::complaint(app, why, area, buffer),
            (Err(_), _) => {}
            (Ok(turns), GUESTS) => draw::guests(app, crowd, turns, app.views.guests.selected, area, buffer),
            (Ok(turns), QUEUE) => draw::queue(app, turns, area, buffer),
            (Ok(turns), _) => draw::interface(app, turns, app.views.guests.selected, area, buffer),
        }
    }

    fn update(&self, app: &mut App, action: Action) -> bool {
        let state = &mut app.views.guests;
        let Some(Crowd { turns: Ok(turns), .. }) = &mut state.crowd else {
            return false;
        };
        let last = turns.several().guests().len().saturating_sub(1);
        let here = turns.position();
        let aim = match action {
            Action::Up => return select(state, state.selected.saturating_sub(1)),
            Action::Down => return select(state, (state.selected + 1).min(last)),
            Action::Top => return select(state, 0),
            Action::Bottom => return select(state, last),
            Action::Play if state.playing.is_some() || turns.pursues() => here,
            Action::Play => {
                state.playing = Some(1000);
                return true;
            }
            Action::StepInto | Action::StepOver => here + 1,
            Action::StepBack | Action::StepOverBack => here.saturating_sub(1),
            Action::Continue => u64::MAX,
            Action::ReverseContinue | Action::First => 0,
            Action::Furthest => turns.furthest(),
            _ => return false,
        };
        state.playing = None;
        turns.aim(aim);
        true
    }

    fn click(&self, app: &mut App, pane: usize, at: Position) {
        let guest = usize::from(at.y).checked_sub(1);
        let state = &mut app.views.guests;
        let count = match &state.crowd {
            Some(Crowd { turns: Ok(turns), .. }) => turns.several().guests().len(),
            _ => 0,
        };
        if let (GUESTS, Some(guest)) = (pane, guest.filter(|guest| *guest < count)) {
            state.selected = guest;
        }
    }

    fn moved(&self, app: &mut App) {
        let (scenario, mode) = (Arc::clone(&app.session.scenario), app.session.mode);
        let known = app.views.guests.crowd.as_ref();
        if known.is_some_and(|known| Arc::ptr_eq(&known.scenario, &scenario) && known.mode == mode) {
            return;
        }
        app.views.guests = State {
            crowd: Some(gather(app, scenario, mode)),
            ..State::default()
        };
    }

    fn busy(&self, app: &App) -> bool {
        let crowd = app.views.guests.crowd.as_ref();
        crowd.is_some_and(|crowd| crowd.turns.as_ref().is_ok_and(Turns::pursues))
    }

    fn work(&self, app: &mut App) {
        if let Some(Crowd { turns: Ok(turns), .. }) = &mut app.views.guests.crowd {
            turns.pursue(SLICE);
        }
    }

    fn needs_time(&self, app: &App) -> bool {
        app.views.guests.playing.is_some()
    }

    fn tick(&self, app: &mut App, millis: u64) -> bool {
        let speed = app.settings.speed.per_second();
        let state = &mut app.views.guests;
        let (Some(due), Some(Crowd { turns: Ok(turns), .. })) = (&mut state.playing, &mut state.crowd) else {
            return false;
        };
        if turns.several().queue().is_empty() {
            state.playing = None;
            return true;
        }
        // What is not done yet is not made up for, nor is a pause of the whole program.
        if turns.pursues() {
            return false;
        }
        let Some(per_second) = speed else {
            turns.aim(u64::MAX);
            return true;
        };
        *due += millis.min(250).saturating_mul(per_second);
        let given = *due / 1000;
        *due %= 1000;
        if given > 0 {
            turns.aim(turns.position() + given);
        }
        given > 0
    }

    fn help(&self) -> &'static str {
        "Several guests on one machine, under one monitor. The monitor gives the processor to whoever has used the \
         least fuel for its weight; fuel is an instruction that retires, or a fixed price for each exit, so that a \
         guest that traps all the time gets no more than one that computes.\n\
         \n\
         This view has a time of its own: s is a turn, S takes one back, space plays turns, + and - change how many a \
         second, c goes on until all have ended, < and > lead to the beginning and to the furthest turn.\n\
         \n\
         'asked' is a guest's share by its weight, 'got' what it has had of the fuel so far. The queue shows who is \
         next, first on the left, and the last turns, newest first.\n\
         \n\
         Of a ported guest (mode para) the selected one's event channels are shown, p pending and m masked, and its \
         rings: # waits to be taken, ~ is being done, . is free."
    }

    fn actions(&self) -> &'static [Action] {
        &[
            Action::StepInto,
            Action::StepBack,
            Action::Play,
            Action::Down,
            Action::Mode,
        ]
    }
}

fn select(state: &mut State, guest: usize) -> bool {
    state.selected = guest;
    true
}

/// The guests of a scenario's crowd, before their first turn.
fn gather(app: &App, scenario: Arc<Scenario>, mode: ModeName) -> Crowd {
    let crowd = scenario.members();
    let setups: Vec<Setup> = crowd
        .members
        .iter()
        .map(|(kind, _)| crowd.kinds[*kind].1.clone())
        .collect();
    let names = crowd
        .members
        .iter()
        .map(|(kind, _)| crowd.kinds[*kind].0.clone())
        .collect();
    let weights: Vec<u32> = crowd.members.iter().map(|(_, weight)| *weight).collect();
    let start = |under| Several::new(&setups, &weights, under, app.engine);
    let (under, several) = match start(mode) {
        Err(StartError::Alone(_)) => {
            let trap = ModeName::Trap(Layout::RingDeprivileging);
            (trap, start(trap))
        }
        started => (mode, started),
    };
    let turns = several.map(|mut several| {
        several.set_exit_fuel(scenario.crowd.exit_fuel);
        Turns::new(several, scenario.budget)
    });
    Crowd {
        turns: turns.map_err(|error| error.to_string()),
        scenario,
        mode,
        under,
        names,
    }
}
