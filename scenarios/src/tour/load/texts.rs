//! What is said, asked, answered and claimed at a stop.

use toml::Spanned;

use super::super::read::{Mistake, Reader};
use super::super::schema::AskTable;
use super::super::text::Text;
use super::super::{Ask, Claim, limit};
use super::{Scene, TourLoader};
use crate::error::Error;

impl TourLoader<'_> {
    pub(super) fn ask(&mut self, ask: &AskTable, scene: &Scene) -> Result<Ask, Error> {
        let count = ask.choices.get_ref().len();
        if !(2..=4).contains(&count) {
            let message = "a question has 2 to 4 answers to choose from";
            return Err(self.loader.error(ask.choices.span(), message, None));
        }
        let right = *ask.right.get_ref();
        if !(1..=count).contains(&right) {
            let message = format!("there is no choice {right}: expected 1 to {count}");
            return Err(self.loader.error(ask.right.span(), message, None));
        }
        let question = self.asked(&ask.question, "a question", limit::QUESTION, scene)?;
        let mut choices = Vec::new();
        for choice in ask.choices.get_ref() {
            choices.push(self.asked(choice, "a choice", limit::CHOICE, scene)?);
        }
        Ok(Ask {
            question,
            choices,
            right: right - 1,
            answer: self.text(&ask.answer, "an answer", limit::QUESTION, scene)?,
        })
    }

    /// As [`TourLoader::text`], of one that is read before the run is at the stop.
    fn asked(
        &mut self,
        text: &Spanned<String>,
        what: &str,
        most: usize,
        scene: &Scene,
    ) -> Result<Text, Error> {
        let read = self.text(text, what, most, scene)?;
        match read.tells_of_its_stop() {
            false => Ok(read),
            true => {
                let message = format!(
                    "{what} is read before the run is at the stop: expected only figures of whole runs, or of earlier \
                     stops, as in {{exits of trap}} or {{exits at NAME}}"
                );
                Err(self.loader.error(text.span(), message, None))
            }
        }
    }

    /// A text that must say something, in so many characters.
    pub(super) fn text(
        &mut self,
        text: &Spanned<String>,
        what: &str,
        most: usize,
        scene: &Scene,
    ) -> Result<Text, Error> {
        let length = text
            .get_ref()
            .split_whitespace()
            .map(|word| word.chars().count() + 1);
        let length: usize = length.sum();
        if length == 0 || length > most {
            let message = format!("{what} of {length} characters: expected 1 to {most}");
            return Err(self.loader.error(text.span(), message, None));
        }
        let read = self.reader(scene).text(text.get_ref());
        read.map_err(|mistake| self.mistake(text, mistake))
    }

    pub(super) fn claims(&mut self, written: &[Spanned<String>], scene: &Scene) -> Result<Vec<Claim>, Error> {
        let mut claims = Vec::new();
        for claim in written {
            let read = self.reader(scene).claim(claim.get_ref());
            claims.push(read.map_err(|mistake| self.mistake(claim, mistake))?);
        }
        Ok(claims)
    }

    fn reader(&mut self, scene: &Scene) -> Reader<'_> {
        Reader {
            scenario: &self.scenes[scene.place].2,
            scene: scene.place,
            names: &self.names,
            wholes: &mut self.wholes,
        }
    }

    /// A mistake at the place in the file where the part of the text is that is meant.
    fn mistake(&self, text: &Spanned<String>, mistake: Mistake) -> Error {
        let span = text.span();
        let within = self.loader.text.get(span.clone()).unwrap_or_default();
        let span = match within.find(&mistake.part) {
            Some(at) => span.start + at..span.start + at + mistake.part.len(),
            None => span,
        };
        self.loader.error(span, mistake.message, mistake.suggestion)
    }
}
