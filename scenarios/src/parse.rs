//! From the text of a file to its document; from the parser's errors to ours.

use serde::de::DeserializeOwned;

use crate::error::{Diagnostic, Error, nearest};
use crate::schema::Document;

/// Deeper than the parser goes: a key with more dots than this is what it gave up at.
const DEEP: usize = 64;

/// Reads the document of a scenario.
///
/// # Errors
/// The first mistake, with its place. `file` is the name in the message.
pub(crate) fn document(file: &str, text: &str) -> Result<Document, Error> {
    const EMPTY: &str = "the scenario is empty: expected at least a title, and [guest] with sources or elf";
    document_of(file, text, EMPTY)
}

/// Reads the document of a file; `empty` is what is said if there is nothing in it. The parser limits how deep values
/// and keys nest.
///
/// # Errors
/// As [`document`].
pub(crate) fn document_of<T: DeserializeOwned>(file: &str, text: &str, empty: &str) -> Result<T, Error> {
    if text
        .lines()
        .all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
    {
        return Err(Error::Scenario(Box::new(Diagnostic::at(
            file,
            text,
            0..0,
            empty.to_string(),
        ))));
    }
    toml::from_str(text).map_err(|error| Error::Scenario(Box::new(diagnostic(file, text, &error))))
}

fn diagnostic(file: &str, text: &str, error: &toml::de::Error) -> Diagnostic {
    // Dotted keys are the only thing that the parser gives up without saying where.
    let span = error.span().unwrap_or_else(|| deepest_key(text));
    let message = error.message().replace('\n', ", ").replace('`', "'");
    let message = match message.as_str() {
        "recursion limit" | "cannot recurse further; max recursion depth met" => {
            "nested too deep: expected at most 80 tables and arrays inside each other".to_string()
        }
        _ => message,
    };
    let mut diagnostic = Diagnostic::at(file, text, span, message);
    diagnostic.suggestion = suggestion(error.message());
    diagnostic
}

/// The nearest of the names that serde lists in "unknown field `x`, expected one of `a`, `b`".
fn suggestion(message: &str) -> Option<String> {
    let names = message
        .strip_prefix("unknown field ")
        .or_else(|| message.strip_prefix("unknown variant "))?;
    let mut names = names.split('`').skip(1).step_by(2);
    nearest(names.next()?, names)
}

/// The first line with a key of very many parts.
fn deepest_key(text: &str) -> std::ops::Range<usize> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if line.matches('.').count() > DEEP {
            return start..start + line.trim_end().len();
        }
        start += line.len();
    }
    0..0
}
