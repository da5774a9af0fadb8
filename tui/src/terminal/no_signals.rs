//! Where there are no signals: nothing comes, and nothing can be stopped.

use std::io;

/// What a signal wants.
pub(super) enum Signal {
    /// The process is to stop until it is resumed.
    #[allow(dead_code, reason = "no signal comes here")]
    Stop,
    /// The process is to end, by this signal.
    #[allow(dead_code, reason = "no signal comes here")]
    End(i32),
}

/// Nothing to watch out for.
pub(super) struct Signals;

impl Signals {
    /// Watches out for nothing.
    ///
    /// # Errors
    /// Never.
    pub(super) fn watch() -> io::Result<Signals> {
        Ok(Signals)
    }

    /// Nothing has come.
    pub(super) fn take(&self) -> Option<Signal> {
        None
    }

    /// Returns at once.
    pub(super) fn stop(&self) {}
}

/// What to say to who wants to stop the program.
///
/// # Errors
/// Always.
pub(super) fn can_stop() -> Result<(), &'static str> {
    Err("programs cannot be suspended on this system")
}

/// Returns at once.
pub(super) fn end_by(_signal: i32) {}
