//! The presenter's notes, on a second terminal: what to say at the stop where the presentation is, the answer of its
//! question, and what comes next.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use scenarios::tour::{Tour, Walk};
use serde::{Deserialize, Serialize};

use super::prose::{Part, lines};
use super::{Phase, Place, next, previous};
use crate::theme::{Role, Theme};

/// Where a presentation is: what it tells those that follow it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Presented {
    /// The name of the tour.
    pub tour: String,
    /// The stop, from 0.
    pub stop: usize,
    /// What is shown of it: see [`Phase::name`].
    pub phase: String,
}

impl Presented {
    /// The place in this tour; `None` if it is another one, or has no such place.
    pub fn place(&self, tour: &Tour) -> Option<Place> {
        let phase = Phase::from_name(&self.phase)?;
        let stop = tour.stops.get(self.stop).filter(|_| self.tour == tour.name)?;
        let asked = matches!(phase, Phase::Ask | Phase::Answer);
        (stop.ask.is_some() || !asked).then_some((self.stop, phase))
    }
}

/// The notes, where they are open.
pub struct Notes {
    tour: Tour,
    walk: Walk,
    place: Place,
    /// Whether there is a presentation that they follow.
    follows: bool,
    /// Lines that are scrolled away.
    scrolled: usize,
}

impl Notes {
    /// The notes of a tour that was taken already, at their beginning.
    pub fn new(tour: Tour, walk: Walk) -> Notes {
        Notes {
            place: (0, Phase::first_of(&tour.stops[0])),
            tour,
            walk,
            follows: false,
            scrolled: 0,
        }
    }

    /// Where they are open.
    pub fn place(&self) -> Place {
        self.place
    }

    /// Turns to where the presentation is; without one, stays. Whether anything has changed.
    pub fn follow(&mut self, presented: Option<&Presented>) -> bool {
        let place = presented.and_then(|presented| presented.place(&self.tour));
        let before = (self.follows, self.place);
        self.follows = place.is_some();
        if let Some(place) = place {
            self.turn_to(place);
        }
        before != (self.follows, self.place)
    }

    /// One page on, or back, while there is no presentation to follow.
    pub fn turn(&mut self, onwards: bool) {
        let step = if onwards { next } else { previous };
        if let Some(place) = step(&self.tour, self.place).filter(|_| !self.follows) {
            self.turn_to(place);
        }
    }

    fn turn_to(&mut self, place: Place) {
        if place != self.place {
            (self.place, self.scrolled) = (place, 0);
        }
    }

    /// Scrolls down, or up.
    pub fn scroll(&mut self, down: bool) {
        self.scrolled = if down {
            self.scrolled + 1
        } else {
            self.scrolled.saturating_sub(1)
        };
    }

    /// Draws them, on a screen of any size.
    pub fn draw(&self, theme: &Theme, area: Rect, buffer: &mut Buffer) {
        buffer.set_style(area, theme.style(Role::Text));
        let mut all = self.text(theme, usize::from(area.width.saturating_sub(2)));
        let head = all.remove(0);
        let first = self.scrolled.min(all.len().saturating_sub(1));
        let shown = [head].into_iter().chain(all.into_iter().skip(first));
        for (y, parts) in (area.y..area.bottom()).zip(shown) {
            let spans = parts
                .into_iter()
                .map(|(role, text)| Span::styled(text, theme.style(role)));
            let place = Rect {
                x: (area.x + 1).min(area.right()),
                y,
                width: area.width.saturating_sub(1),
                height: 1,
            };
            Line::from_iter(spans).render(place, buffer);
        }
    }

    /// All of it: the first line says where they are open.
    fn text(&self, theme: &Theme, columns: usize) -> Vec<Vec<Part>> {
        let (place, phase) = self.place;
        let follows = match self.follows {
            true => "follows the presentation",
            false => "no presentation: space on, backspace back, q ends",
        };
        let (name, count) = (&self.tour.name, self.tour.stops.len());
        let head = format!(
            "{name}: stop {} of {count} ({}); {follows}",
            place + 1,
            phase.name()
        );
        let mut all = vec![vec![(Role::Title, head)], Vec::new()];
        all.extend(self.stop(theme, place, columns));
        all.push(vec![(Role::Title, "Next".to_string())]);
        match self.tour.stops.get(place + 1) {
            Some(_) => all.extend(self.coming(theme, place + 1, columns)),
            None => all.extend(lines("The end: how many predictions were right.", columns)),
        }
        all
    }

    /// The whole of a stop, with the answer to its question.
    fn stop(&self, theme: &Theme, place: usize, columns: usize) -> Vec<Vec<Part>> {
        let (stop, known) = (&self.tour.stops[place], self.walk.known(&self.tour, place));
        let mut all = Vec::new();
        let mut section = |title: &str, text: &str| {
            if !text.is_empty() {
                all.push(vec![(Role::Title, title.to_string())]);
                all.extend(lines(text, columns));
                all.push(Vec::new());
            }
        };
        section("Notes", &stop.notes.fill(&known));
        if let Some(ask) = &stop.ask {
            let mut question = ask.question.fill(&known);
            for (number, choice) in ask.choices.iter().enumerate() {
                let sign = if number == ask.right {
                    theme.glyphs().good
                } else {
                    " "
                };
                question += &format!("\n{sign} {} {}", number + 1, choice.fill(&known));
            }
            section("Question", &question);
            section("Answer", &ask.answer.fill(&known));
        }
        section("Said", &stop.say.fill(&known));
        all
    }

    /// What comes next, in short.
    fn coming(&self, theme: &Theme, place: usize, columns: usize) -> Vec<Vec<Part>> {
        let (stop, known) = (&self.tour.stops[place], self.walk.known(&self.tour, place));
        let scenario = &self.tour.scenes[stop.scene];
        let profile = scenario.setup.profile.base().name();
        let dot = theme.glyphs().dot;
        let head = format!(
            "{} {dot} {} {dot} {profile} {dot} view {}",
            scenario.name,
            stop.mode,
            stop.view.name()
        );
        let text = match &stop.ask {
            Some(ask) => ask.question.fill(&known),
            None => stop.say.fill(&known),
        };
        let mut all = lines(&head, columns);
        all.extend(lines(&text, columns));
        all
    }
}
