//! Signals: noticed by a flag each, and answered between two pictures.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::{getppid, getsid, kill_current_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
use signal_hook::{flag, low_level};

/// What a signal wants.
pub(super) enum Signal {
    /// The process is to stop until it is resumed.
    Stop,
    /// The process is to end, by this signal.
    End(i32),
}

/// Signals that end a process.
const ENDS: [i32; 4] = [SIGINT, SIGTERM, SIGHUP, SIGQUIT];

/// Flags that signals set.
pub(super) struct Signals {
    stop: Arc<AtomicBool>,
    ends: [Arc<AtomicBool>; ENDS.len()],
}

impl Signals {
    /// Watches out for signals from now on.
    ///
    /// # Errors
    /// If the system refuses that.
    pub(super) fn watch() -> io::Result<Signals> {
        let signals = Signals {
            stop: Arc::default(),
            ends: Default::default(),
        };
        flag::register(SIGTSTP, Arc::clone(&signals.stop))?;
        for (signal, flag) in ENDS.iter().zip(&signals.ends) {
            flag::register(*signal, Arc::clone(flag))?;
        }
        Ok(signals)
    }

    /// A signal that has come since it was last asked.
    pub(super) fn take(&self) -> Option<Signal> {
        let mut ends = ENDS.iter().zip(&self.ends);
        let end = ends.find(|(_, flag)| flag.swap(false, Ordering::SeqCst));
        if let Some((signal, _)) = end {
            return Some(Signal::End(*signal));
        }
        self.stop.swap(false, Ordering::SeqCst).then_some(Signal::Stop)
    }

    /// Stops this process, and those that were started with it, as `cargo run` was; returns when it is resumed.
    pub(super) fn stop(&self) {
        // The others stop by it; this process has a handler, and stops by what that would have done.
        let _ = kill_current_process_group(rustix::process::Signal::TSTP);
        let _ = low_level::emulate_default_handler(SIGTSTP);
        self.stop.store(false, Ordering::SeqCst);
    }
}

/// Whether anybody would resume the process if it stopped; if not, what to say.
///
/// # Errors
/// If not.
pub(super) fn can_stop() -> Result<(), &'static str> {
    let session = getsid(None);
    let of_parent = getppid().map(|parent| getsid(Some(parent)));
    match (session, of_parent) {
        (Ok(own), Some(Ok(parent))) if own == parent => Ok(()),
        _ => Err("no shell is here that could resume the program"),
    }
}

/// Ends the process as this signal does. The terminal must have been given back.
pub(super) fn end_by(signal: i32) {
    let _ = low_level::emulate_default_handler(signal);
}
