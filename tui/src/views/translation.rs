//! View Translation: a unit of translated code beside what it was made from, the cache that it stands in, the links to
//! other units, and what the translator has found out about instructions that trap.

mod draw;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use scenarios::terminal::escape_line;
use vmm_core::modes::translate::Translate;
use vmm_core::numbers::counted;

use super::{Answer, Screen, next_of};
use crate::action::{Action, Kind};
use crate::app::App;
use crate::command::address;
use crate::frame;

/// Its panes, by their places.
const UNIT: usize = 0;
const UNITS: usize = 1;

/// What the view keeps.
#[derive(Default)]
pub struct State {
    /// The unit that is selected, by its number; without, it is the one where the guest stands.
    selected: Option<usize>,
    /// How many lines further the unit is shown than it would be to have the guest's place in sight.
    scroll: isize,
}

/// The view.
pub struct Translation;

impl Screen for Translation {
    fn panes(&self) -> &'static [&'static str] {
        &["Unit", "Units", "Cache"]
    }

    fn layout(&self, _app: &App, area: Rect) -> Vec<Rect> {
        let upper = area.height * 3 / 5;
        let left = area.width / 2;
        super::one_above_two(area, upper, left)
    }

    fn title(&self, app: &App, pane: usize) -> String {
        let Some(translator) = app.session.run().translator() else {
            return self.panes()[pane].to_string();
        };
        match pane {
            UNIT => draw::unit_title(app, translator, shown(app, translator)),
            UNITS => format!("Units: {}", translator.cache().units().len()),
            _ => "Cache, links, and what was found out".to_string(),
        }
    }

    fn draw(&self, app: &App, pane: usize, area: Rect, buffer: &mut Buffer) {
        let Some(translator) = app.session.run().translator() else {
            if pane == UNIT {
                draw::nothing(app, area, buffer);
            }
            return;
        };
        let unit = shown(app, translator);
        match pane {
            UNIT => draw::unit(app, translator, unit, app.views.translation.scroll, area, buffer),
            UNITS => draw::units(app, translator, unit, area, buffer),
            _ => draw::cache(app, translator, unit, area, buffer),
        }
    }

    fn update(&self, app: &mut App, action: Action) -> bool {
        let Some(translator) = app.session.run().translator() else {
            return false;
        };
        let (now, last) = (
            shown(app, translator),
            translator.cache().units().len().checked_sub(1),
        );
        let Some(last) = last else {
            return false;
        };
        let unit = app.focus() == UNIT;
        let page = usize::from(frame::inside_of(app, app.focus()).height).max(1);
        let state = &mut app.views.translation;
        let by = match action {
            Action::Up => -1,
            Action::Down => 1,
            Action::PageUp => -(page as isize),
            Action::PageDown => page as isize,
            Action::Top => isize::MIN,
            Action::Bottom => isize::MAX,
            // Back to where the guest stands.
            Action::Select => {
                *state = State::default();
                return true;
            }
            _ => return false,
        };
        if unit {
            state.scroll = state
                .scroll
                .saturating_add(by)
                .clamp(-draw::LONGEST, draw::LONGEST);
        } else {
            let now = now.unwrap_or(last);
            state.selected = Some(now.saturating_add_signed(by).min(last));
            state.scroll = 0;
        }
        true
    }

    fn click(&self, app: &mut App, pane: usize, at: Position) {
        let Some(translator) = app.session.run().translator() else {
            return;
        };
        let height = usize::from(frame::inside_of(app, UNITS).height);
        let count = translator.cache().units().len();
        let first = draw::first_unit(shown(app, translator), count, height);
        let unit = first + usize::from(at.y);
        if pane == UNITS && unit < count {
            app.views.translation = State {
                selected: Some(unit),
                scroll: 0,
            };
        }
    }

    fn command(&self, app: &mut App, line: &str) -> Answer {
        let place = line.strip_prefix("unit ")?.trim();
        let translator = app.session.run().translator()?;
        let wanted = match address(&app.session, place) {
            Ok(wanted) => wanted,
            Err(error) => return Some(Err(error.to_string())),
        };
        let units = translator.cache().units().iter();
        let holds = |guests: &[vmm_core::modes::translate::unit::Guest]| {
            guests.iter().any(|guest| guest.pc == wanted)
        };
        let found = units.rev().position(|unit| holds(&unit.guest));
        let count = translator.cache().units().len();
        Some(match found {
            Some(back) => {
                app.views.translation = State {
                    selected: Some(count - 1 - back),
                    scroll: 0,
                };
                Ok(String::new())
            }
            None => Err(format!("no unit holds {wanted:#010x}: it was not translated yet")),
        })
    }

    fn search(&self, app: &mut App, text: &str, onwards: bool) -> Answer {
        let translator = app.session.run().translator()?;
        let wanted = text.to_lowercase();
        let units = translator.cache().units().iter().enumerate();
        let has = |address| draw::name(app, address).to_lowercase().contains(&wanted);
        let found: Vec<usize> = units
            .filter(|(_, unit)| has(unit.pc()))
            .map(|(number, _)| number)
            .collect();
        let here = shown(app, translator).unwrap_or_default();
        Some(match next_of(&found, here, onwards) {
            Some(unit) => {
                app.views.translation = State {
                    selected: Some(unit),
                    scroll: 0,
                };
                Ok(counted(found.len() as u64, "unit", "units"))
            }
            None => Err(format!(
                "'{}' is the name of no unit",
                escape_line(text.as_bytes())
            )),
        })
    }

    fn help(&self) -> &'static str {
        "On the left of the unit are the guest's instructions with why each is translated as it is, on the right the \
         words that stand for them in the cache: = the same word, otherwise what replaces it. The translator adds the \
         entrance (is this the right unit?), the toll (takes its length off the time that is left) and the ways out.\n\
         \n\
         A window access (wlw, wsw) reaches the monitor's save area, hcall calls the monitor. A way out is linked when \
         its target has been translated: then one unit jumps straight to the next, and no monitor is needed.\n\
         \n\
         An innocuous instruction that traps again and again is translated to a call; one that calls for nothing, back \
         again. The list says since when, the last change first, and how often each has; a change on the way here is \
         marked. ':next adapt' goes to the next change.\n\
         \n\
         Units: the guest stands in the marked one, x was forgotten since. up and down select another, enter goes back \
         to where the guest stands, ':unit PLACE' finds the unit of a symbol or an address, '/' searches their names."
    }

    fn actions(&self) -> &'static [Action] {
        &[
            Action::StepInto,
            Action::Next(Kind::Exit),
            Action::Play,
            Action::Down,
            Action::Select,
            Action::Mode,
        ]
    }
}

/// The unit that is shown: the selected one, that where the guest stands, or the last one.
fn shown(app: &App, translator: &Translate) -> Option<usize> {
    let last = translator.cache().units().len().checked_sub(1)?;
    let stands = || Some(translator.stands_at(app.session.run().machine())?.unit);
    let wanted = app.views.translation.selected.or_else(stands);
    Some(wanted.map_or(last, |wanted| wanted.min(last)))
}
