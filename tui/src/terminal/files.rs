//! The user's files in the platform's configuration folder: `settings.toml`, which the program writes, and
//! `keys.toml`, which it only reads.

use std::io;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use scenarios::{limit, read_limited};

use crate::action::KeyMap;
use crate::settings::Settings;

const SETTINGS: &str = "settings.toml";
const KEYS: &str = "keys.toml";

/// What was found. A bad file is no reason not to start.
#[derive(Default)]
pub struct Found {
    /// The settings, or the usual ones.
    pub settings: Settings,
    /// The key map, or the usual one.
    pub keys: KeyMap,
    /// What was wrong.
    pub complaints: Vec<String>,
}

/// The folder, if the platform has one for this user.
fn folder() -> Option<PathBuf> {
    let strategy = etcetera::choose_base_strategy().ok()?;
    Some(strategy.config_dir().join("trapeze"))
}

/// Looks for the files; `keys` is the path of a key map to be used in place of the user's own.
pub fn find(keys: Option<&Path>) -> Found {
    let mut found = Found::default();
    let folder = folder();
    if let Some(path) = folder.as_ref().map(|folder| folder.join(SETTINGS)) {
        let parsed = read(&path, false).and_then(|text| match text {
            Some(text) => Settings::parse(&text).map_err(|error| told(&path, error)),
            None => Ok(Settings::default()),
        });
        found.settings = parsed.unwrap_or_else(|complaint| {
            found.complaints.push(complaint);
            Settings::default()
        });
    }
    let own = folder.map(|folder| folder.join(KEYS));
    if let Some(path) = keys.or(own.as_deref()) {
        let parsed = read(path, keys.is_some()).and_then(|text| match text {
            Some(text) => KeyMap::parse(&text).map_err(|error| told(path, error)),
            None => Ok(KeyMap::default()),
        });
        found.keys = parsed.unwrap_or_else(|complaint| {
            found.complaints.push(complaint);
            KeyMap::default()
        });
    }
    found
}

/// The text of a file; `None` if it is not there and need not be.
fn read(path: &Path, needed: bool) -> Result<Option<String>, String> {
    if !needed && !path.exists() {
        return Ok(None);
    }
    let bytes = read_limited(path, limit::TOML).map_err(|error| told(path, error))?;
    let text = String::from_utf8(bytes).map_err(|_| told(path, "it is no text"))?;
    Ok(Some(text))
}

fn told(path: &Path, why: impl std::fmt::Display) -> String {
    format!("{}: {why}", path.display())
}

/// Keeps the settings. The file is replaced as a whole, so that it is never half written.
///
/// # Errors
/// If that cannot be done: what to say about it.
pub(super) fn save(settings: &Settings) -> Result<(), String> {
    let Some(folder) = folder() else {
        return Err("the settings are not kept: this user has no configuration folder".to_string());
    };
    let (path, draft) = (folder.join(SETTINGS), folder.join("settings.toml.new"));
    let write = || -> io::Result<()> {
        std::fs::create_dir_all(&folder)?;
        std::fs::write(&draft, settings.to_toml())?;
        std::fs::rename(&draft, &path)
    };
    write().map_err(|error| format!("the settings are not kept: {}", told(&path, error)))
}
