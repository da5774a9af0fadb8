//! A guided tour on the screen: from stop to stop, with predictions before answers.
//!
//! At each stop the run goes where the stop is, the view is the one that it looks at, and a panel beside it says what
//! is to be said. Beside the keys of the tour all others mean what they always mean: one can look around, and the next
//! stop brings the run back to where it should be.

mod notes;
mod panel;
mod prose;

use std::sync::Arc;

use scenarios::tour::{Known, Mark, Step, Stop, Tour, Way, Wholes};
use vmm_core::setup::StartError;

pub use notes::{Notes, Presented};
pub use panel::{draw, height};

use crate::action::{Action, KeyMap};
use crate::app::{App, Zoom};
use crate::key::{Code, Key, Named};
use crate::session::Session;
use crate::views::View;

/// How many attempts at an instruction of a whole run are made in a slice of work.
const SLICE: u64 = 1 << 17;

/// What is shown of a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Its question; the run is still at the stop before.
    Ask,
    /// Whether the prediction was right, and why.
    Answer,
    /// What is said.
    Say,
    /// After the last one: how many predictions were right.
    End,
}

impl Phase {
    /// In one word, for who follows.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Ask => "ask",
            Phase::Answer => "answer",
            Phase::Say => "say",
            Phase::End => "end",
        }
    }

    /// The phase of this name.
    pub fn from_name(name: &str) -> Option<Phase> {
        [Phase::Ask, Phase::Answer, Phase::Say, Phase::End]
            .into_iter()
            .find(|phase| phase.name() == name)
    }

    /// The first that a stop has.
    pub fn first_of(stop: &Stop) -> Phase {
        if stop.ask.is_some() {
            Phase::Ask
        } else {
            Phase::Say
        }
    }
}

/// Where in a tour one is: a stop, from 0, and what is shown of it.
pub type Place = (usize, Phase);

/// The place after this one; `None` after the end.
pub fn next(tour: &Tour, (stop, phase): Place) -> Option<Place> {
    match phase {
        Phase::Ask => Some((stop, Phase::Answer)),
        Phase::Answer => Some((stop, Phase::Say)),
        Phase::Say => Some(match tour.stops.get(stop + 1) {
            Some(next) => (stop + 1, Phase::first_of(next)),
            None => (stop, Phase::End),
        }),
        Phase::End => None,
    }
}

/// The place before this one; `None` before the beginning.
pub fn previous(tour: &Tour, (stop, phase): Place) -> Option<Place> {
    match phase {
        Phase::End => Some((stop, Phase::Say)),
        Phase::Say if tour.stops[stop].ask.is_some() => Some((stop, Phase::Answer)),
        Phase::Answer => Some((stop, Phase::Ask)),
        Phase::Say | Phase::Ask => Some((stop.checked_sub(1)?, Phase::Say)),
    }
}

/// A tour that is being taken.
pub struct Guide {
    tour: Arc<Tour>,
    place: Place,
    /// The stop at which the run is, or was last; none before the first.
    stands: Option<usize>,
    /// The way there, if it is not there yet.
    way: Option<Way>,
    /// Where the stops were found.
    marks: Vec<Option<Mark>>,
    /// Whole runs that texts speak of; none any more if the host cannot make them.
    wholes: Option<Wholes>,
    /// The predictions, by stop.
    chosen: Vec<Option<usize>>,
    /// Why the stop cannot be shown.
    trouble: Option<String>,
    /// The last slice of work was for the tour, and the view has work as well.
    rests: bool,
}

impl Guide {
    fn new(tour: Tour) -> Guide {
        let count = tour.stops.len();
        Guide {
            place: (0, Phase::first_of(&tour.stops[0])),
            stands: None,
            way: None,
            marks: vec![None; count],
            wholes: Some(Wholes::new(&tour)),
            chosen: vec![None; count],
            trouble: None,
            rests: false,
            tour: Arc::new(tour),
        }
    }

    /// The tour.
    pub fn tour(&self) -> &Tour {
        &self.tour
    }

    /// Where one is.
    pub fn place(&self) -> Place {
        self.place
    }

    /// The stop whose texts are shown.
    pub fn stop(&self) -> &Stop {
        &self.tour.stops[self.place.0]
    }

    /// Whether the run is on its way to the stop.
    pub fn travels(&self) -> bool {
        self.way.is_some()
    }

    /// Whether there is work to be done for the tour.
    pub fn busy(&self) -> bool {
        self.travels() || self.wholes.as_ref().is_some_and(Wholes::busy)
    }

    /// What it tells those that follow it.
    pub fn presented(&self) -> Presented {
        let (stop, phase) = self.place;
        Presented {
            tour: self.tour.name.clone(),
            stop,
            phase: phase.name().to_string(),
        }
    }

    /// Why the stop cannot be shown, if it cannot.
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// What was predicted at a stop, from 0.
    pub fn chosen(&self, stop: usize) -> Option<usize> {
        self.chosen[stop]
    }

    /// How many questions were answered, how many of these rightly, and how many there are.
    pub fn score(&self) -> (usize, usize, usize) {
        let asked = self.tour.stops.iter().zip(&self.chosen);
        let asked: Vec<_> = asked
            .filter_map(|(stop, chosen)| Some((stop.ask.as_ref()?, chosen)))
            .collect();
        let right = asked.iter().filter(|(ask, chosen)| **chosen == Some(ask.right));
        let answered = asked.iter().filter(|(_, chosen)| chosen.is_some());
        (answered.count(), right.count(), asked.len())
    }

    /// What is known where one is. A question is asked before anything is known of its own stop.
    pub fn known<'a>(&'a self, none: &'a Wholes) -> Known<'a> {
        let wholes = self.wholes.as_ref().unwrap_or(none);
        self.tour.known(self.place.0, &self.marks, wholes)
    }

    /// The pane that is pointed out in this view, by its name.
    pub fn pane(&self, view: View) -> Option<&str> {
        let stop = &self.tour.stops[self.stands?];
        stop.pane.as_deref().filter(|_| stop.view == view)
    }

    /// The keys of the tour, and what each means.
    pub fn keys(&self, keys: &KeyMap) -> Vec<(String, &'static str)> {
        let choice = match (&self.stop().ask, self.place.1) {
            (Some(ask), Phase::Ask) => Some((["1-2", "1-3", "1-4"][ask.choices.len() - 2], "predict")),
            _ => None,
        };
        let on = match (choice, self.place.1) {
            (_, Phase::End) => None,
            (Some(_), _) if self.chosen[self.place.0].is_none() => None,
            _ => Some(("space", "on")),
        };
        let own = choice.into_iter().chain(on).chain([("backspace", "back")]);
        let own = own.map(|(key, what)| (key.to_string(), what));
        let rest = [
            (keys.name(Action::Zoom), "zoom"),
            (keys.name(Action::Help), "help"),
            (keys.name(Action::Quit), "leave the tour"),
        ];
        own.chain(rest).collect()
    }

    /// Whether a prediction has to be made first.
    fn waits(&self) -> bool {
        self.place.1 == Phase::Ask && self.chosen[self.place.0].is_none()
    }

    /// The choice that a key means: by its number or by its letter.
    fn choice(&self, key: Key) -> Option<usize> {
        let ask = self.stop().ask.as_ref().filter(|_| self.place.1 == Phase::Ask)?;
        let Code::Char(c) = key.code else { return None };
        let place = match c {
            '1'..='9' => c as usize - '1' as usize,
            'a'..='i' => c as usize - 'a' as usize,
            _ => return None,
        };
        (!key.ctrl && !key.alt && place < ask.choices.len()).then_some(place)
    }
}

impl App {
    /// Begins a tour.
    pub fn begin_tour(&mut self, tour: Tour) {
        let guide = Guide::new(tour);
        let place = guide.place;
        self.guide = Some(guide);
        self.go_to(place);
    }

    /// Does what a key means to the tour that is taken; whether it meant something to it.
    pub(crate) fn tour_key(&mut self, key: Key) -> bool {
        let Some(guide) = &mut self.guide else {
            return false;
        };
        if let Some(choice) = guide.choice(key).filter(|_| !guide.travels()) {
            let stop = guide.place.0;
            // The first prediction counts.
            guide.chosen[stop].get_or_insert(choice);
            self.go_to((stop, Phase::Answer));
            return true;
        }
        let plain = Key { shift: false, ..key };
        let (space, backspace) = (Key::char(' '), Key::named(Named::Backspace));
        match (plain, self.keys.action(key)) {
            (_, Some(Action::Quit)) => self.guide = None,
            (_, Some(Action::Close)) if self.zoom == Zoom::Off => self.guide = None,
            (_, Some(Action::Close | Action::Help | Action::Theme | Action::Redraw | Action::Suspend)) => {
                return false;
            }
            _ if guide.travels() => {}
            (key, _) if key == space && guide.waits() => {
                let keys = guide.keys(&self.keys);
                self.complain(format!("predict first: {}", keys[0].0));
            }
            (key, _) if key == space => {
                if let Some(place) = next(&guide.tour, guide.place) {
                    self.go_to(place);
                }
            }
            (key, _) if key == backspace => {
                if let Some(place) = previous(&guide.tour, guide.place) {
                    self.go_to(place);
                }
            }
            _ => return false,
        }
        true
    }

    /// Shows this place of the tour: the run sets out for where it is, if that is another stop.
    fn go_to(&mut self, place: Place) {
        let Some(guide) = &mut self.guide else { return };
        guide.place = place;
        guide.trouble = None;
        let (stop, phase) = place;
        let wanted = if phase == Phase::Ask {
            stop.checked_sub(1)
        } else {
            Some(stop)
        };
        self.zoom = Zoom::Off;
        if wanted.is_some() && wanted == guide.stands {
            return;
        }
        let tour = Arc::clone(&guide.tour);
        guide.stands = wanted;
        if let Err(error) = self.enter_run(&tour, wanted.unwrap_or(0)) {
            if let Some(guide) = &mut self.guide {
                guide.trouble = Some(error.to_string());
            }
            return;
        }
        self.session.halt();
        if let Some(guide) = &mut self.guide {
            guide.way = Some(match wanted {
                Some(stop) => Way::to(&tour, stop, &guide.marks, self.session.timeline()),
                None => Way::to_power_on(),
            });
        }
    }

    /// Makes the session that of a stop's run.
    fn enter_run(&mut self, tour: &Tour, stop: usize) -> Result<(), StartError> {
        let mode = tour.stops[stop].mode;
        let scenario = &tour.scenes[tour.stops[stop].scene];
        let changed = self.session.timeline().changed();
        if !Arc::ptr_eq(&self.session.scenario, scenario) || self.session.mode != mode || changed {
            self.session = Session::new(Arc::clone(scenario), mode, self.engine)?;
        }
        Ok(())
    }

    /// Does a slice of work for the tour; whether there was any.
    pub(crate) fn tour_work(&mut self) -> bool {
        let view_works = self.screen().busy(self);
        let Some(guide) = &mut self.guide else {
            return false;
        };
        let Some(way) = &mut guide.way else {
            // What is told and what is shown take turns.
            guide.rests = !guide.rests && view_works;
            let Some(wholes) = guide
                .wholes
                .as_mut()
                .filter(|wholes| wholes.busy() && !guide.rests)
            else {
                return false;
            };
            if wholes.pursue(&guide.tour, SLICE).is_err() {
                guide.wholes = None;
            }
            return true;
        };
        match self.session.follow(way) {
            Step::Working => return true,
            Step::Missed(end) => guide.trouble = Some(format!("this stop was not met: {end}")),
            Step::Arrived => {}
        }
        guide.way = None;
        let (tour, stop) = (Arc::clone(&guide.tour), guide.stands);
        if let Some(stop) = stop.filter(|_| guide.trouble.is_none()) {
            guide.marks[stop] = Some(Mark::of(self.session.timeline()));
        }
        self.arrive(&tour.stops[stop.unwrap_or(0)]);
        true
    }

    /// Looks at what a stop looks at.
    fn arrive(&mut self, stop: &Stop) {
        self.views.cost.choose_named(&stop.prices.name);
        self.show(stop.view);
        let screen = self.screen();
        let pane = stop.pane.as_ref().and_then(|name| {
            let names = screen.panes().iter();
            names.copied().position(|pane| pane.eq_ignore_ascii_case(name))
        });
        if let Some(pane) = pane {
            self.views.focus[self.view as usize] = pane;
        }
        screen.lead(self, stop);
    }
}
