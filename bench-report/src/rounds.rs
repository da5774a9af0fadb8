//! Rounds: commands are run one after the other, and the whole of it again and again, so that what disturbs the machine
//! disturbs all of them.

use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use serde::Serialize;

/// Why a command has no measurement.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It could not be started.
    #[error("{program} does not start: {error}")]
    Start {
        /// The program.
        program: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// It failed.
    #[error("{program} ended with {status}: {message}")]
    Failed {
        /// The program.
        program: String,
        /// How it ended.
        status: std::process::ExitStatus,
        /// The end of what it complained about.
        message: String,
    },
    /// The system does not tell how much time children have used.
    #[error("the system does not tell the CPU time of a process: {0}")]
    Clock(#[from] nix::Error),
}

/// Runs a command to its end: the CPU time that it has used, user and system, and what it printed.
///
/// # Errors
/// If it cannot be started, or fails.
pub fn time(command: &mut Command) -> Result<(Duration, String), RunError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let before = used()?;
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| RunError::Start {
            program: program.clone(),
            error,
        })?;
    let time = used()?.saturating_sub(before);
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let message: Vec<&str> = said.lines().rev().take(3).collect();
        return Err(RunError::Failed {
            program,
            status: output.status,
            message: message.into_iter().rev().collect::<Vec<_>>().join("; "),
        });
    }
    Ok((time, String::from_utf8_lossy(&output.stdout).into_owned()))
}

/// The CPU time of all children that have ended.
fn used() -> Result<Duration, nix::Error> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let all = [usage.user_time(), usage.system_time()];
    let micros = all.iter().map(|time| time.tv_sec() * 1_000_000 + time.tv_usec());
    Ok(Duration::from_micros(micros.sum::<i64>().unsigned_abs()))
}

/// Several measurements of the same thing.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Sample {
    /// In seconds, in the order in which they were taken.
    pub seconds: Vec<f64>,
}

impl Sample {
    /// The middle one, or between the two middle ones; none of nothing.
    pub fn median(&self) -> Option<f64> {
        let mut sorted = self.seconds.clone();
        sorted.sort_by(f64::total_cmp);
        let (low, high) = (sorted.len().checked_sub(1)? / 2, sorted.len() / 2);
        Some((sorted[low] + sorted[high]) / 2.0)
    }

    /// The distance of the slowest from the fastest, as a share of the median.
    pub fn spread(&self) -> Option<f64> {
        let least = self.seconds.iter().copied().min_by(f64::total_cmp)?;
        let most = self.seconds.iter().copied().max_by(f64::total_cmp)?;
        Some((most - least) / self.median()?.max(f64::MIN_POSITIVE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(seconds: &[f64]) -> Sample {
        Sample {
            seconds: seconds.to_vec(),
        }
    }

    #[test]
    fn the_median_is_in_the_middle_whatever_the_order() {
        assert_eq!(sample(&[]).median(), None);
        assert_eq!(sample(&[3.0, 1.0, 2.0]).median(), Some(2.0));
        assert_eq!(sample(&[4.0, 1.0, 2.0, 3.0]).median(), Some(2.5));
        assert_eq!(sample(&[1.0, 2.0, 1.5]).spread(), Some(1.0 / 1.5));
    }

    #[test]
    fn the_time_is_that_of_the_process_and_not_of_the_clock() {
        let (asleep, _) = time(Command::new("sleep").arg("0.3")).expect("it runs");
        assert!(asleep < Duration::from_millis(150), "{asleep:?}");
        let busy = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo done";
        let (busy, said) = time(Command::new("sh").args(["-c", busy])).expect("it runs");
        assert!(busy > asleep && said == "done\n");
        let failed = time(Command::new("sh").args(["-c", "echo why >&2; exit 3"])).expect_err("it fails");
        assert!(failed.to_string().contains("why"), "{failed}");
        assert!(time(&mut Command::new("there-is-no-such-program")).is_err());
    }
}
