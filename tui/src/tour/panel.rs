//! The panel of a tour: what is asked, answered and said. It lies below the view, and covers nothing of it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use scenarios::tour::{Stop, Wholes};

use super::prose::{Part, lines};
use super::{Guide, Phase};
use crate::app::App;
use crate::frame::boxed;
use crate::theme::{Role, Theme};

/// Longer lines are hard to read.
const WIDEST: u16 = 100;

/// Lines that there are in any case: for what has gone wrong.
const LEAST: usize = 3;

/// The height of the panel on a screen of this width. It is the same at all stops, so that nothing jumps.
pub fn height(guide: &Guide, width: u16) -> u16 {
    let columns = columns(width);
    let of = |text: &str| lines(text, columns).len();
    let tallest = guide.tour.stops.iter().map(|stop| {
        let asked = stop.ask.as_ref().map_or(0, |ask| {
            let choices = ask
                .choices
                .iter()
                .map(|choice| of(&format!("1  {}", choice.widest())));
            let question = of(&ask.question.widest()) + choices.sum::<usize>();
            question.max(1 + of(&ask.answer.widest()))
        });
        asked.max(of(&stop.say.widest()))
    });
    tallest.max().unwrap_or(0).max(LEAST) as u16 + 2
}

/// The columns of text on a screen of this width.
fn columns(width: u16) -> usize {
    usize::from(width.saturating_sub(4).min(WIDEST))
}

/// Draws it.
pub fn draw(app: &App, guide: &Guide, area: Rect, buffer: &mut Buffer) {
    let theme = &app.theme;
    let (stop, phase) = guide.place;
    let title = match phase {
        Phase::End => format!("{}: the end", guide.tour.title),
        _ => format!(
            "{}: stop {} of {}",
            guide.tour.title,
            stop + 1,
            guide.tour.stops.len()
        ),
    };
    let inner = boxed(theme, &title, false, area, buffer);
    for (y, parts) in (inner.y..inner.bottom()).zip(text(theme, guide, columns(area.width))) {
        let spans = parts
            .into_iter()
            .map(|(role, text)| Span::styled(text, theme.style(role)));
        let place = Rect {
            x: inner.x + 1,
            y,
            width: inner.width.saturating_sub(1),
            height: 1,
        };
        Line::from_iter(spans).render(place, buffer);
    }
}

/// What stands in it.
fn text(theme: &Theme, guide: &Guide, columns: usize) -> Vec<Vec<Part>> {
    let none = Wholes::default();
    let known = guide.known(&none);
    let stop = guide.stop();
    if let Some(trouble) = guide.trouble() {
        return lines(&format!("{} {trouble}", theme.glyphs().bad), columns);
    }
    match guide.place.1 {
        Phase::Ask => {
            let Some(ask) = &stop.ask else { return Vec::new() };
            let mut all = lines(&ask.question.fill(&known), columns);
            for (place, choice) in ask.choices.iter().enumerate() {
                let chosen = guide.chosen(guide.place.0) == Some(place);
                all.extend(choice_lines(theme, place, &choice.fill(&known), chosen, columns));
            }
            all
        }
        _ if guide.travels() => lines("On the way to the next stop.", columns),
        Phase::Answer => answer(theme, guide, stop, columns),
        Phase::Say => lines(&stop.say.fill(&known), columns),
        Phase::End => end(guide, columns),
    }
}

fn choice_lines(theme: &Theme, place: usize, text: &str, chosen: bool, columns: usize) -> Vec<Vec<Part>> {
    let sign = if chosen { theme.glyphs().selected } else { " " };
    let mut all = lines(text, columns.saturating_sub(4));
    for (number, line) in all.iter_mut().enumerate() {
        let head = match number {
            0 => vec![
                (Role::Text, sign.to_string()),
                (Role::Key, format!("{} ", place + 1)),
            ],
            _ => vec![(Role::Text, "   ".to_string())],
        };
        line.splice(0..0, head);
    }
    all
}

/// Whether the prediction was right, and why.
fn answer(theme: &Theme, guide: &Guide, stop: &Stop, columns: usize) -> Vec<Vec<Part>> {
    let none = Wholes::default();
    let known = guide.known(&none);
    let Some(ask) = &stop.ask else { return Vec::new() };
    let glyphs = theme.glyphs();
    let right = ask.choices[ask.right].fill(&known);
    let right = right.trim_end_matches('.');
    let (role, verdict) = match guide.chosen(guide.place.0) {
        Some(chosen) if chosen == ask.right => (Role::Good, format!("{} Right: {right}.", glyphs.good)),
        Some(chosen) => {
            let (said, right_one) = (chosen + 1, ask.right + 1);
            (
                Role::Bad,
                format!("{} Not {said} but {right_one}: {right}.", glyphs.bad),
            )
        }
        None => (Role::Strong, format!("{} {right}.", ask.right + 1)),
    };
    let verdict = lines(&verdict, columns).into_iter();
    let verdict = verdict.map(|line| line.into_iter().map(|(_, text)| (role, text)).collect());
    verdict.chain(lines(&ask.answer.fill(&known), columns)).collect()
}

/// How many predictions were right, and which were not.
fn end(guide: &Guide, columns: usize) -> Vec<Vec<Part>> {
    let (answered, right, asked) = guide.score();
    let mut text = match (answered, asked) {
        (0, _) => "No predictions were made.".to_string(),
        _ => format!("*{right} of {answered}* predictions were right."),
    };
    let missed = guide.tour.stops.iter().enumerate().filter_map(|(place, stop)| {
        let (ask, chosen) = (stop.ask.as_ref()?, guide.chosen(place)?);
        (chosen != ask.right).then(|| (place + 1).to_string())
    });
    let missed: Vec<String> = missed.collect();
    if !missed.is_empty() {
        let stops = if missed.len() == 1 { "stop" } else { "stops" };
        text += &format!(
            " It was otherwise at {stops} {}: backspace goes back there.",
            missed.join(", ")
        );
    }
    text += "\nThe guest stays where it is when the tour is left: look around.";
    lines(&text, columns)
}
