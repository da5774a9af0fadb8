//! The key map: which key means what, and the file that says otherwise.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use super::{ACTIONS, Action};
use crate::key::{Key, NoKey};

/// Which key means what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyMap {
    meanings: HashMap<Key, Action>,
    /// The keys of each action, in the order in which they are shown: by its place in [`ACTIONS`].
    keys: Vec<Vec<Key>>,
}

/// What is wrong with a key map file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyMapError {
    /// It is no TOML, or has other things in it than lists of keys.
    #[error("{0}")]
    Toml(String),
    /// It names an action that there is not.
    #[error("there is no action '{0}'; the list of all keys (?) names them")]
    Action(String),
    /// It names a key that there is not.
    #[error(transparent)]
    Key(#[from] NoKey),
    /// Two actions have the same key.
    #[error("'{key}' is given to both '{first}' and '{second}'; a key means one thing")]
    Twice {
        /// The key.
        key: String,
        /// The one action.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// Nothing would end the program.
    #[error("no key is left for 'quit'")]
    NoWayOut,
}

/// A key map file: for each action that is to have other keys than usual, its keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    keys: BTreeMap<String, Vec<String>>,
}

impl Default for KeyMap {
    fn default() -> KeyMap {
        let parse = |name: &&str| name.parse().ok();
        let keys = ACTIONS
            .iter()
            .map(|entry| entry.keys.iter().filter_map(parse).collect());
        KeyMap::of(keys.collect())
    }
}

impl KeyMap {
    fn of(keys: Vec<Vec<Key>>) -> KeyMap {
        let pairs = ACTIONS.iter().zip(&keys);
        let meanings = pairs.flat_map(|(entry, keys)| keys.iter().map(|key| (*key, entry.action)));
        KeyMap {
            meanings: meanings.collect(),
            keys,
        }
    }

    /// The usual keys with those of this file: an action that it names has the keys that it lists and no others, and
    /// they mean nothing else any more.
    ///
    /// # Errors
    /// If it is no key map; the message says why.
    pub fn parse(text: &str) -> Result<KeyMap, KeyMapError> {
        let file: File = toml::from_str(text).map_err(|error| KeyMapError::Toml(error.to_string()))?;
        let mut keys = KeyMap::default().keys;
        let mut given: HashMap<Key, usize> = HashMap::new();
        for (name, wanted) in &file.keys {
            let place = ACTIONS.iter().position(|entry| entry.name == name);
            let place = place.ok_or_else(|| KeyMapError::Action(name.clone()))?;
            let parsed: Result<Vec<Key>, NoKey> = wanted.iter().map(|key| key.parse()).collect();
            keys[place] = parsed?;
            for key in &keys[place] {
                if let Some(first) = given.insert(*key, place).filter(|first| *first != place) {
                    return Err(KeyMapError::Twice {
                        key: key.to_string(),
                        first: ACTIONS[first].name,
                        second: ACTIONS[place].name,
                    });
                }
            }
        }
        for (place, keys) in keys.iter_mut().enumerate() {
            keys.retain(|key| given.get(key).is_none_or(|owner| *owner == place));
        }
        let map = KeyMap::of(keys);
        match map.keys(Action::Quit) {
            [] => Err(KeyMapError::NoWayOut),
            _ => Ok(map),
        }
    }

    /// What a key means.
    pub fn action(&self, key: Key) -> Option<Action> {
        self.meanings.get(&key).copied()
    }

    /// The keys of an action.
    pub fn keys(&self, action: Action) -> &[Key] {
        let place = ACTIONS.iter().position(|entry| entry.action == action);
        place.map_or(&[], |place| &self.keys[place])
    }

    /// The first key of an action, as it is shown; nothing if it has none.
    pub fn name(&self, action: Action) -> String {
        self.keys(action).first().map(Key::to_string).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        name.parse().expect(name)
    }

    #[test]
    fn a_file_gives_an_action_other_keys_and_takes_them_from_the_others() {
        let map = KeyMap::parse("[keys]\nstep = [\"q\", \"F4\"]\nquit = [\"Q\"]").expect("a key map");
        assert_eq!(map.action(key("q")), Some(Action::StepInto));
        assert_eq!(map.action(key("F4")), Some(Action::StepInto));
        assert_eq!(map.action(key("s")), None);
        assert_eq!(map.action(key("Q")), Some(Action::Quit));
        assert_eq!(map.action(key("z")), Some(Action::Zoom));
        assert_eq!(map.name(Action::StepInto), "q");
    }

    #[test]
    fn a_bad_file_says_what_is_wrong() {
        for (text, wanted) in [
            ("[keys]\nfly = [\"f\"]", "no action 'fly'"),
            ("[keys]\nstep = [\"hyper-x\"]", "'hyper-x' is no key"),
            ("[keys]\nstep = [\"x\"]\nover = [\"x\"]", "both 'over' and 'step'"),
            ("[keys]\nquit = []", "'quit'"),
            ("[keys]\nstep = [\"q\", \"ctrl-c\"]", "'quit'"),
            ("[colours]", "unknown field"),
            ("[keys", "line 1"),
        ] {
            let error = KeyMap::parse(text).expect_err(text).to_string();
            assert!(error.contains(wanted), "{text}: {error}");
        }
    }
}
