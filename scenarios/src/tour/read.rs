//! From what is written in texts and claims to figures.

use vmm_core::mode::ModeName;
use vmm_core::price::PriceList;

use super::figure::{Figure, Of, Quantity};
use super::modes;
use super::text::{Claim, Piece, Relation, Side, Text};
use crate::Scenario;
use crate::error::nearest;
use crate::terminal::escape;

/// What is wrong with a text.
pub(super) struct Mistake {
    /// The part of the text that is meant.
    pub(super) part: String,
    pub(super) message: String,
    pub(super) suggestion: Option<String>,
}

impl Mistake {
    fn new(part: &str, message: impl Into<String>) -> Mistake {
        Mistake {
            part: part.to_string(),
            message: message.into(),
            suggestion: None,
        }
    }

    fn unknown(what: &str, name: &str, known: &[impl AsRef<str>]) -> Mistake {
        let names: Vec<&str> = known.iter().map(AsRef::as_ref).collect();
        let message = format!("unknown {what} '{name}': expected one of {}", names.join(", "));
        Mistake {
            suggestion: nearest(name, names),
            ..Mistake::new(name, message)
        }
    }
}

/// Reads the texts of one stop.
pub(super) struct Reader<'a> {
    /// The scenario there, and its place among the tour's.
    pub(super) scenario: &'a Scenario,
    pub(super) scene: usize,
    /// The names of the stops up to this one.
    pub(super) names: &'a [Option<String>],
    /// Whole runs that are spoken of, in any stop.
    pub(super) wholes: &'a mut Vec<(usize, ModeName)>,
}

impl Reader<'_> {
    /// A text with figures in braces.
    pub(super) fn text(&mut self, written: &str) -> Result<Text, Mistake> {
        let plain = |part: &str| Piece::Plain(escape(part.as_bytes()));
        let text = paragraphs(written);
        let mut pieces = Vec::new();
        let mut rest = text.as_str();
        while let Some(at) = rest.find(['{', '}']) {
            let open = rest[at..].starts_with('{');
            let Some(end) = rest[at..].find('}').filter(|_| open) else {
                let part = &rest[at..=at];
                return Err(Mistake::new(part, "a brace alone: expected a figure in braces"));
            };
            let inside = &rest[at + 1..at + end];
            pieces.push(plain(&rest[..at]));
            pieces.push(self.piece(inside)?);
            rest = &rest[at + end + 1..];
        }
        pieces.push(plain(rest));
        Ok(Text { pieces })
    }

    fn piece(&mut self, inside: &str) -> Result<Piece, Mistake> {
        let words = |text: &str| escape(text.trim().as_bytes());
        let (text, things) = match inside.split('|').collect::<Vec<_>>()[..] {
            [text] => (text, None),
            [text, one, many] => (text, Some((words(one), words(many)))),
            _ => {
                let message = "expected a figure, one with what it counts as in {exits | exit | exits}, \
                               or two as in {A / B}";
                return Err(Mistake::new(inside, message));
            }
        };
        if let Some((of, to)) = text.split_once('/') {
            let (of, to) = (self.told(of)?, self.told(to)?);
            return match things {
                None => Ok(Piece::Ratio(of, to)),
                Some(_) => Err(Mistake::new(
                    inside,
                    "a ratio counts nothing: expected only {A / B}",
                )),
            };
        }
        let figure = self.told(text)?;
        Ok(match things {
            None => Piece::Figure(figure),
            Some((one, many)) => Piece::Counted(figure, one, many),
        })
    }

    /// A figure that can be told while the tour is taken.
    fn told(&mut self, text: &str) -> Result<Figure, Mistake> {
        let figure = self.figure(text)?;
        match figure.quantity.is_verdict() {
            false => Ok(figure),
            true => {
                let message = "a verdict takes a check of the whole run: expected it in `holds` only";
                Err(Mistake::new(text.trim(), message))
            }
        }
    }

    /// `NAME`, `NAME since`, `NAME at STOP` or `NAME of MODE`, each with `on LIST`.
    fn figure(&mut self, text: &str) -> Result<Figure, Mistake> {
        let mut words = text.split_whitespace();
        let name = words.next().unwrap_or_default();
        let quantity =
            Quantity::from_name(name).ok_or_else(|| Mistake::unknown("figure", name, &Quantity::names()))?;
        let (mut at, mut since, mut whole, mut prices) = (None, false, None, None);
        while let Some(word) = words.next() {
            let mut next = || words.next().unwrap_or_default();
            match word {
                "since" => since = true,
                "at" => at = Some(self.stop(next())?),
                "of" => whole = Some(self.mode(next())?),
                "on" => prices = Some(list(next())?),
                _ => return Err(Mistake::unknown("word", word, &["since", "at", "of", "on"])),
            }
        }
        let whole_or_part = whole.is_some() && (since || at.is_some());
        if whole_or_part || since && quantity.is_state() {
            let message = format!("'{text}' is of a whole run, or a state: expected no 'since' and no 'at'");
            return Err(Mistake::new(text, message));
        }
        if whole.is_none() && quantity.is_of_whole_runs() {
            let message = format!("'{name}' is known of whole runs only: expected '{name} of' and a mode");
            return Err(Mistake::new(text, message));
        }
        let of = match whole {
            Some(mode) => Of::Whole(mode),
            None => Of::Stop { at, since },
        };
        Ok(Figure { quantity, of, prices })
    }

    fn stop(&self, name: &str) -> Result<usize, Mistake> {
        let place = |stop: &Option<String>| stop.as_deref() == Some(name);
        self.names.iter().position(place).ok_or_else(|| {
            let known: Vec<&str> = self.names.iter().flatten().map(String::as_str).collect();
            Mistake::unknown("stop", name, &known)
        })
    }

    fn mode(&mut self, name: &str) -> Result<ModeName, Mistake> {
        let known = || modes().filter(|mode| self.scenario.runs_in(*mode));
        let Some(mode) = known().find(|mode| mode.name() == name) else {
            let names: Vec<&str> = known().map(ModeName::name).collect();
            return Err(Mistake::unknown("mode of this scenario", name, &names));
        };
        // The bare machine is what all others are compared with.
        for wanted in [(self.scene, ModeName::Bare), (self.scene, mode)] {
            if !self.wholes.contains(&wanted) {
                self.wholes.push(wanted);
            }
        }
        Ok(mode)
    }

    /// `exits since = 1`, `cycles of trap > 2 * cycles of bare`.
    pub(super) fn claim(&mut self, written: &str) -> Result<Claim, Mistake> {
        let found = Relation::ALL
            .into_iter()
            .find_map(|(sign, relation)| Some((written.split_once(sign)?, relation)));
        let Some(((left, right), relation)) = found else {
            let message = "expected two figures, numbers or words with <, <=, =, >= or > between them";
            return Err(Mistake::new(written, message));
        };
        Ok(Claim {
            written: escape(written.trim().as_bytes()),
            left: self.side(left.trim())?,
            relation,
            right: self.side(right.trim())?,
        })
    }

    fn side(&mut self, text: &str) -> Result<Side, Mistake> {
        if text.starts_with(|c: char| c.is_ascii_digit()) && !text.contains('*') {
            return Ok(Side::Number(number(text)?));
        }
        if let Some(word) = ["yes", "no", "on", "off"].into_iter().find(|word| *word == text) {
            return Ok(Side::Word(word));
        }
        let (times, figure) = match text.split_once('*') {
            Some((times, figure)) => (number(times.trim())?, figure),
            None => (1.0, text),
        };
        Ok(Side::Figure(times, self.figure(figure)?))
    }
}

fn number(text: &str) -> Result<f64, Mistake> {
    let parsed = text.replace('_', "").parse::<u32>();
    parsed
        .map(f64::from)
        .map_err(|_| Mistake::new(text, format!("'{text}' is no number: expected one below 2^32")))
}

fn list(name: &str) -> Result<PriceList, Mistake> {
    PriceList::shipped(name).map_err(|_| Mistake::unknown("list of prices", name, &PriceList::NAMES))
}

/// Lines joined to paragraphs, one on each line.
pub(super) fn paragraphs(text: &str) -> String {
    let mut paragraphs: Vec<String> = vec![String::new()];
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match paragraphs.last_mut() {
            Some(last) if !words.is_empty() => {
                let gap = if last.is_empty() { "" } else { " " };
                *last += gap;
                *last += &words.join(" ");
            }
            _ => paragraphs.push(String::new()),
        }
    }
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs.join("\n")
}
