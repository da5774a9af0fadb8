//! Why a command failed, and what the process's exit code says about it.

use std::fmt::Display;

use crate::exit_code::ExitCode;

/// An error with its exit code. It is printed once, by `main`.
#[derive(Debug)]
pub(crate) struct Failure {
    /// How the process ends.
    pub(crate) code: ExitCode,
    /// Where it failed, why, and what to do.
    pub(crate) error: anyhow::Error,
}

impl Failure {
    /// A failure with a message.
    pub(crate) fn new(code: ExitCode, message: impl Display) -> Failure {
        Failure {
            code,
            error: anyhow::anyhow!("{message}"),
        }
    }

    /// The input cannot be used, for this reason.
    pub(crate) fn bad_input(message: impl Display) -> Failure {
        Failure::new(ExitCode::BadInput, message)
    }
}

/// Turns an error into a failure, saying what was being done.
pub(crate) trait OrFail<T> {
    /// The input cannot be used; `what` says what was being done with it.
    fn or_bad_input(self, what: impl FnOnce() -> String) -> Result<T, Failure>;
}

impl<T, E: std::error::Error + Send + Sync + 'static> OrFail<T> for Result<T, E> {
    fn or_bad_input(self, what: impl FnOnce() -> String) -> Result<T, Failure> {
        self.map_err(|error| Failure {
            code: ExitCode::BadInput,
            error: anyhow::Error::new(error).context(what()),
        })
    }
}
