//! Signals. Those that end the process are answered by a thread of their own: when a terminal goes away, whoever reads
//! from it may not come back. The one that stops it is noticed by a flag, and answered between two pictures.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use nix::sys::signal::{self, Signal};
use nix::unistd::{Pid, getppid, getsid};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
use signal_hook::iterator::Signals as Watched;
use signal_hook::{flag, low_level};

use super::screen;

/// What is watched for signals.
pub(super) struct Signals {
    stop: Arc<AtomicBool>,
}

impl Signals {
    /// Watches out for signals from now on. Those that end the process do so, after the terminal was given back.
    ///
    /// # Errors
    /// If the system refuses that.
    pub(super) fn watch() -> io::Result<Signals> {
        let stop = Arc::default();
        flag::register(SIGTSTP, Arc::clone(&stop))?;
        let mut ends = Watched::new([SIGINT, SIGTERM, SIGHUP, SIGQUIT])?;
        thread::spawn(move || {
            for signal in ends.forever() {
                screen::restore();
                let _ = low_level::emulate_default_handler(signal);
            }
        });
        Ok(Signals { stop })
    }

    /// Whether the process was told to stop since this was last asked.
    pub(super) fn told_to_stop(&self) -> bool {
        self.stop.swap(false, Ordering::SeqCst)
    }

    /// Stops this process, and those that were started with it, as `cargo run` was; returns when it is resumed.
    pub(super) fn stop(&self) {
        // The others stop by it; this process has a handler, and stops by what that would have done.
        let _ = signal::kill(Pid::from_raw(0), Signal::SIGTSTP);
        let _ = low_level::emulate_default_handler(SIGTSTP);
        self.stop.store(false, Ordering::SeqCst);
    }
}

/// Whether anybody would resume the process if it stopped; if not, what to say.
///
/// # Errors
/// If not.
pub(super) fn can_stop() -> Result<(), &'static str> {
    // A parent outside of this process's namespace has the number 0, which would ask for this process itself; a leader
    // outside of it gives its session that number.
    let parent = getppid();
    let of_parent = if parent.as_raw() == 0 {
        None
    } else {
        getsid(Some(parent)).ok()
    };
    match (getsid(None).ok(), of_parent) {
        (Some(own), Some(of_parent)) if own == of_parent => Ok(()),
        _ => Err("no shell is here that could resume the program"),
    }
}
