//! The standard output: text for people, or one JSON object.

use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};

use scenarios::terminal::{escape, escape_line};
use serde::Serialize;

use crate::failure::{Failure, OrFail};
use crate::text::fold;

/// How results are printed.
pub(crate) struct Output {
    /// Whether one JSON object is wanted instead of text.
    pub(crate) json: bool,
    /// Whether a terminal reads it.
    pub(crate) terminal: bool,
    /// Colours, if they are wanted.
    pub(crate) paint: Paint,
}

impl Output {
    /// The standard output of this process.
    pub(crate) fn new(json: bool) -> Output {
        let terminal = io::stdout().is_terminal();
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Output {
            json,
            terminal,
            paint: Paint(terminal && !no_color && !dumb),
        }
    }

    /// Prints text as it is.
    pub(crate) fn text(&self, text: &str) -> Result<(), Failure> {
        self.bytes(text.as_bytes())
    }

    /// Prints one JSON object.
    pub(crate) fn object(&self, value: &impl Serialize) -> Result<(), Failure> {
        let mut stdout = BufWriter::new(io::stdout().lock());
        let written = serde_json::to_writer_pretty(&mut stdout, value).map_err(io::Error::from);
        printed(
            written
                .and_then(|()| writeln!(stdout))
                .and_then(|()| stdout.flush()),
        )
    }

    /// Prints bytes as they are, at once.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        printed(stdout.write_all(bytes).and_then(|()| stdout.flush()))
    }

    /// Runs something that may take a while, with a sign of life for people, on the standard error.
    pub(crate) fn busy<T>(&self, message: String, work: impl FnOnce() -> T) -> T {
        // Hidden by indicatif where the standard error is no terminal.
        let message = escape_line(message.as_bytes());
        let spinner = indicatif::ProgressBar::new_spinner().with_message(message);
        spinner.enable_steady_tick(std::time::Duration::from_millis(100));
        let result = work();
        spinner.finish_and_clear();
        result
    }
}

/// What became of printing. A reader who has seen enough ends the process quietly.
fn printed(result: io::Result<()>) -> Result<(), Failure> {
    match result {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        _ => result.or_bad_input(|| "cannot write to the standard output".to_string()),
    }
}

/// Tells people what is wrong, on the standard error. It may quote guests and files, so it is made safe for a
/// terminal.
pub(crate) fn complain(message: &str) {
    let mut message = format!("trapeze: {}", escape(message.as_bytes()));
    if io::stderr().is_terminal() {
        message = message.lines().map(fold).collect::<Vec<_>>().join("\n");
    }
    // Nothing is left to be done if nobody can be told.
    let _ = writeln!(io::stderr(), "{message}");
}

/// Colours for a terminal. Each is doubled by a word.
#[derive(Clone, Copy)]
pub(crate) struct Paint(pub(crate) bool);

impl Paint {
    /// What holds.
    pub(crate) fn good(self, text: &str) -> String {
        self.with("32", text)
    }

    /// What is broken.
    pub(crate) fn bad(self, text: &str) -> String {
        self.with("1;31", text)
    }

    /// What is said beside the point.
    pub(crate) fn faint(self, text: &str) -> String {
        self.with("2", text)
    }

    /// A heading.
    pub(crate) fn strong(self, text: &str) -> String {
        self.with("1", text)
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.0 {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_string()
        }
    }
}
