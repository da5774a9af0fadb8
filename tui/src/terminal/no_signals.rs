//! Where there are no signals: nothing comes, and nothing can be stopped.

use std::io;

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

    /// Nobody can tell it to.
    pub(super) fn told_to_stop(&self) -> bool {
        false
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
