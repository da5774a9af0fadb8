//! What is said about a scenario or a tour that cannot be loaded.

use std::fmt;
use std::ops::Range;

use toy_isa::asm;
use toy_isa::image::ImageError;

use crate::terminal::escape_line;
use crate::values::Size;

/// Why there is no scenario, or no tour.
///
/// Displays as one line, `file:line:column: error: message` wherever there is a file. Whatever comes from a
/// file is escaped, so that it is safe to print.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A mistake in the file of a scenario or a tour, or in a file that it names.
    #[error("{0}")]
    Scenario(Box<Diagnostic>),
    /// The guest cannot be assembled: everything that was found, at least one.
    #[error("{}", first_of(.0))]
    Assembly(Vec<asm::Diagnostic>),
    /// A file that was asked for cannot be read.
    #[error("{}: error: {problem}", escape_line(.path.as_bytes()))]
    File {
        /// As it was asked for.
        path: String,
        /// Why not.
        problem: FileProblem,
    },
    /// A file that was asked for is no image.
    #[error("{}: error: {problem}", escape_line(.path.as_bytes()))]
    Image {
        /// As it was asked for.
        path: String,
        /// Why not.
        problem: ImageError,
    },
    /// No shipped scenario, and no file, has this name.
    #[error(
        "no scenario is named '{}', and there is no such file{}",
        escape_line(.name.as_bytes()),
        did_you_mean(.suggestion)
    )]
    Unknown {
        /// The name.
        name: String,
        /// The nearest that exists.
        suggestion: Option<String>,
    },
    /// No shipped tour has this name.
    #[error(
        "no tour is named '{}'{} (the name of a file ends with .toml)",
        escape_line(.name.as_bytes()),
        did_you_mean(.suggestion)
    )]
    UnknownTour {
        /// The name.
        name: String,
        /// The nearest that exists.
        suggestion: Option<String>,
    },
    /// A symbol is to be set that the scenario does not define.
    #[error(
        "the scenario defines no '{}' in [guest] defines{}",
        escape_line(.name.as_bytes()),
        did_you_mean(.suggestion)
    )]
    Define {
        /// The symbol.
        name: String,
        /// The nearest that it defines.
        suggestion: Option<String>,
    },
}

impl Error {
    /// The message, with the line of the file and a caret under the place, where there is one. For the
    /// assembler, all that it found.
    pub fn render(&self) -> String {
        match self {
            Error::Scenario(diagnostic) => diagnostic.render(),
            Error::Assembly(all) => {
                let rendered: Vec<String> = all.iter().map(|one| from_assembler(one).render()).collect();
                rendered.join("\n")
            }
            Error::File { .. }
            | Error::Image { .. }
            | Error::Unknown { .. }
            | Error::UnknownTour { .. }
            | Error::Define { .. } => self.to_string(),
        }
    }
}

/// Why a file cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileProblem {
    /// It is not there.
    #[error("no such file{}", did_you_mean(.0))]
    Missing(
        /// The nearest name in its folder.
        Option<String>,
    ),
    /// A folder, a pipe, a device.
    #[error("not a regular file: expected one that can be read to its end")]
    NotRegular,
    /// It is larger than a file of its kind may be.
    #[error("the file is too large: expected at most {}", Size(*.0))]
    TooLarge(u64),
    /// A path that leads out of what is shipped.
    #[error("a shipped scenario can only use shipped files")]
    Outside,
    /// It should be text.
    #[error("byte {0} is not UTF-8: expected a text file")]
    NotText(usize),
    /// The operating system says no.
    #[error("cannot be read: {0}")]
    System(String),
}

/// A mistake, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file, as a path that can be opened from here.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// How many characters are meant, at least 1.
    pub width: u32,
    /// What is wrong, and what was expected.
    pub message: String,
    /// The nearest that would have been right.
    pub suggestion: Option<String>,
    /// The line of the file, without its end.
    pub source_line: String,
}

impl Diagnostic {
    /// A mistake at these bytes of a file's text.
    pub(crate) fn at(file: &str, text: &str, span: Range<usize>, message: String) -> Diagnostic {
        let start = boundary(text, span.start);
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = text[start..]
            .find('\n')
            .map_or(text.len(), |length| start + length);
        let end = boundary(text, span.end.clamp(start, line_end));
        Diagnostic {
            file: file.to_string(),
            line: text[..start].matches('\n').count() as u32 + 1,
            column: text[line_start..start].chars().count() as u32 + 1,
            width: (text[start..end].chars().count() as u32).max(1),
            message,
            suggestion: None,
            source_line: text[line_start..line_end].trim_end_matches('\r').to_string(),
        }
    }

    /// The message, then the line of the file with carets under what is meant.
    pub fn render(&self) -> String {
        /// Characters before the place, and in all, that are shown of a long line.
        const BEFORE: usize = 60;
        const SHOWN: usize = 120;
        let at = self.column.saturating_sub(1) as usize;
        let skipped = if at > SHOWN - BEFORE / 2 { at - BEFORE } else { 0 };
        let part = |from: usize, count: usize| -> String {
            let text: String = self.source_line.chars().skip(from).take(count).collect();
            escape_line(text.replace('\t', " ").as_bytes())
        };
        let indent = part(skipped, at - skipped).chars().count();
        let carets = part(at, (self.width as usize).min(SHOWN.saturating_sub(at - skipped)));
        format!(
            "{self}\n {line} | {}\n {:margin$} | {:indent$}{}",
            part(skipped, SHOWN),
            "",
            "",
            "^".repeat(carets.chars().count().max(1)),
            line = self.line,
            margin = self.line.to_string().len(),
        )
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}:{}: error: {}{}",
            escape_line(self.file.as_bytes()),
            self.line,
            self.column,
            escape_line(self.message.as_bytes()),
            did_you_mean(&self.suggestion)
        )
    }
}

impl std::error::Error for Diagnostic {}

/// The assembler's finding in the same form: its text comes from a file and has to be escaped too.
fn from_assembler(found: &asm::Diagnostic) -> Diagnostic {
    let expansion = found.expansion.as_ref().map_or(String::new(), |text| {
        format!(" (in '{text}', which a macro wrote)")
    });
    Diagnostic {
        file: found.file.clone(),
        line: found.line,
        column: found.column,
        width: 1,
        message: format!("{}{expansion}", found.problem),
        suggestion: found.suggestion.clone(),
        source_line: found.source_line.clone(),
    }
}

/// The last boundary of characters at or before a byte.
fn boundary(text: &str, at: usize) -> usize {
    let mut candidates = (0..=at.min(text.len())).rev();
    candidates.find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

fn first_of(all: &[asm::Diagnostic]) -> String {
    let first = all
        .first()
        .map_or(String::new(), |one| from_assembler(one).to_string());
    match all.len() {
        0 | 1 => first,
        count => format!("{first} (and {} more)", count - 1),
    }
}

pub(crate) fn did_you_mean(suggestion: &Option<String>) -> String {
    suggestion.as_ref().map_or(String::new(), |name| {
        format!("; did you mean '{}'?", escape_line(name.as_bytes()))
    })
}

/// The candidate nearest to what was written, if one is near enough to be what was meant.
pub(crate) fn nearest(
    written: &str,
    candidates: impl IntoIterator<Item = impl AsRef<str>>,
) -> Option<String> {
    /// Longer names are not typed by hand, and the distance is quadratic in the length.
    const LONGEST: usize = 64;
    if written.len() > LONGEST {
        return None;
    }
    let furthest = (written.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .filter(|candidate| candidate.as_ref().len() <= LONGEST && candidate.as_ref() != written)
        .map(|candidate| {
            (
                strsim::osa_distance(written, candidate.as_ref()),
                candidate.as_ref().to_string(),
            )
        })
        .filter(|(distance, _)| *distance <= furthest)
        .min()
        .map(|(_, candidate)| candidate)
}
