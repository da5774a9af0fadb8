//! A small file by which a presentation tells where it is, so that notes on another terminal can follow it.
//!
//! It is replaced as a whole, and touched now and then: what is too old is from a presentation that is over, however
//! that came.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};
use std::{fs, io};

use etcetera::BaseStrategy;
use scenarios::read_limited;

use crate::tour::Presented;

/// How often it is written although nothing has changed.
const BEAT: Duration = Duration::from_secs(2);

/// How old it may be.
const OLD: Duration = Duration::from_secs(7);

/// The most that it may hold.
const LIMIT: u64 = 4096;

/// Where it is: among what lasts as long as a login, if the platform has a place for that.
pub(super) fn path() -> Option<PathBuf> {
    let strategy = etcetera::choose_base_strategy().ok()?;
    let folder = strategy
        .runtime_dir()
        .or_else(|| strategy.state_dir())
        .unwrap_or_else(|| strategy.cache_dir());
    Some(folder.join("trapeze").join("tour.json"))
}

/// What tells. A presentation goes on even if it cannot.
pub(super) struct Beacon {
    path: Option<PathBuf>,
    told: Option<(Presented, Instant)>,
}

impl Beacon {
    /// One that tells here, and has told nothing yet.
    pub(super) fn new(path: Option<PathBuf>) -> Beacon {
        Beacon { path, told: None }
    }

    /// Tells where the presentation is, if that is news, or old; or that it is over.
    pub(super) fn tell(&mut self, presented: Option<Presented>) {
        let Some(path) = &self.path else { return };
        let Some(presented) = presented else {
            if self.told.take().is_some() {
                let _ = fs::remove_file(path);
            }
            return;
        };
        let news = self
            .told
            .as_ref()
            .is_none_or(|(told, at)| *told != presented || at.elapsed() >= BEAT);
        if news {
            let _ = write(path, &presented);
            self.told = Some((presented, Instant::now()));
        }
    }
}

impl Drop for Beacon {
    fn drop(&mut self) {
        self.tell(None);
    }
}

fn write(path: &Path, presented: &Presented) -> io::Result<()> {
    let draft = path.with_extension("new");
    fs::create_dir_all(path.parent().unwrap_or(Path::new("")))?;
    fs::write(&draft, serde_json::to_vec(presented)?)?;
    fs::rename(&draft, path)
}

/// Where the presentation is that is running now, if one is.
pub(super) fn read(path: &Path) -> Option<Presented> {
    let modified = fs::metadata(path).ok()?.modified().ok()?;
    // A clock that was set back is no reason to stop.
    let age = SystemTime::now().duration_since(modified).unwrap_or_default();
    if age > OLD {
        return None;
    }
    serde_json::from_slice(&read_limited(path, LIMIT).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn presented(stop: usize) -> Presented {
        Presented {
            tour: "popf".to_string(),
            stop,
            phase: "say".to_string(),
        }
    }

    #[test]
    fn what_is_told_is_read_until_it_is_over_or_old() {
        let folder = std::env::temp_dir().join(format!("trapeze-beacon-{}", std::process::id()));
        let path = folder.join("not-there-yet").join("tour.json");
        assert_eq!(read(&path), None);
        let mut beacon = Beacon::new(Some(path.clone()));
        beacon.tell(None);
        assert!(!path.exists(), "nothing is told where nothing is presented");
        for stop in [0, 3] {
            beacon.tell(Some(presented(stop)));
            assert_eq!(read(&path), Some(presented(stop)));
        }
        let file = fs::File::open(&path).expect("it is there");
        file.set_modified(SystemTime::now() - 2 * OLD)
            .expect("it is ours");
        assert_eq!(read(&path), None, "nobody has touched it for long");
        drop(beacon);
        assert!(!path.exists(), "the presentation is over");
        for bad in ["", "{}", "[1]", "{\"tour\":1,\"stop\":0,\"phase\":\"say\"}"] {
            fs::write(&path, bad).expect("the folder is there");
            assert_eq!(read(&path), None, "{bad}");
        }
        fs::write(&path, " ".repeat(5000)).expect("the folder is there");
        assert_eq!(read(&path), None, "too long");
        fs::remove_dir_all(folder).expect("it is ours");
    }
}
