//! Keys of the keyboard, and their names: `q`, `G`, `ctrl-c`, `shift-F7`, `space`, `pgup`.

use std::fmt;
use std::str::FromStr;

/// A key, with what was held down beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// Which.
    pub code: Code,
    /// Ctrl was held.
    pub ctrl: bool,
    /// Alt was held.
    pub alt: bool,
    /// Shift was held; never of a character, which says so itself.
    pub shift: bool,
}

/// Which key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// A character, as it was typed.
    Char(char),
    /// A function key, from 1.
    F(u8),
    /// A key with a name.
    Named(Named),
}

/// The keys that have names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Named {
    /// Return.
    Enter,
    /// Escape.
    Escape,
    /// Delete to the left.
    Backspace,
    /// Tabulator.
    Tab,
    /// Arrow.
    Up,
    /// Arrow.
    Down,
    /// Arrow.
    Left,
    /// Arrow.
    Right,
    /// To the beginning.
    Home,
    /// To the end.
    End,
    /// A page back.
    PageUp,
    /// A page on.
    PageDown,
    /// Insert.
    Insert,
    /// Delete to the right.
    Delete,
}

impl Named {
    const ALL: [(Named, &'static str); 14] = [
        (Named::Enter, "enter"),
        (Named::Escape, "esc"),
        (Named::Backspace, "backspace"),
        (Named::Tab, "tab"),
        (Named::Up, "up"),
        (Named::Down, "down"),
        (Named::Left, "left"),
        (Named::Right, "right"),
        (Named::Home, "home"),
        (Named::End, "end"),
        (Named::PageUp, "pgup"),
        (Named::PageDown, "pgdn"),
        (Named::Insert, "ins"),
        (Named::Delete, "del"),
    ];
}

impl Key {
    /// A key by itself.
    pub const fn plain(code: Code) -> Key {
        Key {
            code,
            ctrl: false,
            alt: false,
            shift: false,
        }
    }

    /// A key with a name, by itself.
    pub const fn named(name: Named) -> Key {
        Key::plain(Code::Named(name))
    }

    /// A character, by itself.
    pub const fn char(c: char) -> Key {
        Key::plain(Code::Char(c))
    }

    /// The character that it types, if it types one.
    pub fn typed(self) -> Option<char> {
        match self.code {
            Code::Char(c) if !self.ctrl && !self.alt => Some(c),
            _ => None,
        }
    }
}

/// Why a word is no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no key; keys are written like a, G, F7, shift-F7, ctrl-c, space, pgup")]
pub struct NoKey(String);

impl FromStr for Key {
    type Err = NoKey;

    fn from_str(text: &str) -> Result<Key, NoKey> {
        let mut key = Key::char(' ');
        let mut rest = text;
        loop {
            let (held, after) = match rest.split_once('-') {
                Some(("ctrl", after)) if !after.is_empty() => (&mut key.ctrl, after),
                Some(("alt", after)) if !after.is_empty() => (&mut key.alt, after),
                Some(("shift", after)) if !after.is_empty() => (&mut key.shift, after),
                _ => break,
            };
            *held = true;
            rest = after;
        }
        let no_key = || NoKey(text.to_string());
        let mut chars = rest.chars();
        key.code = match (chars.next(), chars.as_str()) {
            (Some(c), "") if !key.shift && !c.is_control() && c != ' ' => Code::Char(c),
            _ if rest == "space" && !key.shift => Code::Char(' '),
            (Some('F'), number) if number.parse().is_ok_and(|n| (1..=24).contains(&n)) => {
                Code::F(number.parse().map_err(|_| no_key())?)
            }
            _ => {
                let named = Named::ALL.into_iter().find(|(_, name)| *name == rest);
                Code::Named(named.ok_or_else(no_key)?.0)
            }
        };
        Ok(key)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = [(self.ctrl, "ctrl-"), (self.alt, "alt-"), (self.shift, "shift-")];
        for (_, name) in held.iter().filter(|(held, _)| *held) {
            f.write_str(name)?;
        }
        match self.code {
            Code::Char(' ') => f.write_str("space"),
            Code::Char(c) => write!(f, "{c}"),
            Code::F(number) => write!(f, "F{number}"),
            Code::Named(named) => {
                let name = Named::ALL.into_iter().find(|(one, _)| *one == named);
                f.write_str(name.map_or("", |(_, name)| name))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for name in [
            "q",
            "G",
            "-",
            "ctrl--",
            "ctrl-c",
            "shift-F7",
            "F12",
            "space",
            "ctrl-space",
            "pgup",
            "shift-tab",
            "é",
        ] {
            let key: Key = name.parse().unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(key.to_string(), name);
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for name in [
            "", " ", "F0", "F25", "ctrl-", "shift-a", "hyper-x", "pageup", "\u{7}",
        ] {
            assert!(name.parse::<Key>().is_err(), "{name:?}");
        }
    }
}
