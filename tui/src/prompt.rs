//! The line that is typed at the bottom of the screen.

use crate::key::{Code, Key, Named};

/// A line that is being typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// What for.
    pub purpose: Purpose,
    /// What was typed so far.
    pub text: String,
    /// Where the next character goes, in bytes.
    pub cursor: usize,
    /// How many lines back in the past of such lines this one was taken from.
    back: usize,
}

/// What a line is typed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A command, or a place to go to.
    Command,
    /// A text to search for.
    Search,
}

impl Purpose {
    /// What stands before the line.
    pub fn sign(self) -> char {
        match self {
            Purpose::Command => ':',
            Purpose::Search => '/',
        }
    }
}

/// What a key has made of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typed {
    /// It is still being typed.
    Going,
    /// It is entered.
    Entered,
    /// It is given up.
    Left,
}

/// The most characters of a line.
const LONGEST: usize = 200;

impl Prompt {
    /// A line that begins with this.
    pub fn new(purpose: Purpose, text: &str) -> Prompt {
        Prompt {
            purpose,
            text: text.to_string(),
            cursor: text.len(),
            back: 0,
        }
    }

    /// Takes a key; `past` are the lines that were entered before, oldest first.
    pub fn key(&mut self, key: Key, past: &[String]) -> Typed {
        match key.code {
            Code::Named(Named::Escape) => return Typed::Left,
            Code::Named(Named::Enter) => return Typed::Entered,
            Code::Char('c' | 'g') if key.ctrl => return Typed::Left,
            Code::Named(Named::Backspace) if self.text.is_empty() => return Typed::Left,
            Code::Named(Named::Backspace) => {
                let start = self.before();
                self.text.drain(start..self.cursor);
                self.cursor = start;
            }
            Code::Named(Named::Delete) => {
                let end = self.after();
                self.text.drain(self.cursor..end);
            }
            Code::Char('u') if key.ctrl => {
                self.text.drain(..self.cursor);
                self.cursor = 0;
            }
            Code::Char('w') if key.ctrl => {
                let kept = self.text[..self.cursor].trim_end();
                let start = kept.rfind(' ').map_or(0, |space| space + 1);
                self.text.drain(start..self.cursor);
                self.cursor = start;
            }
            Code::Named(Named::Left) => self.cursor = self.before(),
            Code::Named(Named::Right) => self.cursor = self.after(),
            Code::Named(Named::Home) => self.cursor = 0,
            Code::Named(Named::End) => self.cursor = self.text.len(),
            Code::Named(Named::Up) => self.recall(self.back + 1, past),
            Code::Named(Named::Down) => self.recall(self.back.saturating_sub(1), past),
            _ => {
                if let Some(c) = key.typed().filter(|_| self.text.chars().count() < LONGEST) {
                    self.text.insert(self.cursor, c);
                    self.cursor += c.len_utf8();
                }
            }
        }
        Typed::Going
    }

    fn before(&self) -> usize {
        let before = self.text[..self.cursor].chars().next_back();
        self.cursor - before.map_or(0, char::len_utf8)
    }

    fn after(&self) -> usize {
        let after = self.text[self.cursor..].chars().next();
        self.cursor + after.map_or(0, char::len_utf8)
    }

    fn recall(&mut self, back: usize, past: &[String]) {
        let text = match back.checked_sub(1) {
            None => "",
            Some(back) => match past.iter().nth_back(back) {
                Some(text) => text,
                None => return,
            },
        };
        *self = Prompt {
            back,
            ..Prompt::new(self.purpose, text)
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Types these keys, by their names; what is then in the line, with a bar where the cursor is.
    fn typed(keys: &str) -> String {
        let past = ["first".to_string(), "second".to_string()];
        let mut prompt = Prompt::new(Purpose::Command, "");
        for key in keys.split(' ') {
            assert_eq!(prompt.key(key.parse().expect(key), &past), Typed::Going, "{keys}");
        }
        let (left, right) = prompt.text.split_at(prompt.cursor);
        format!("{left}|{right}")
    }

    #[test]
    fn a_line_is_edited_at_its_cursor() {
        assert_eq!(typed("a b left c"), "ac|b");
        assert_eq!(typed("á é left left del x end y"), "x|é y".replace("|é y", "éy|"));
        assert_eq!(typed("a space b b ctrl-w c"), "a c|");
        assert_eq!(typed("a b left ctrl-u"), "|b");
        assert_eq!(typed("a b backspace home backspace c"), "c|a");
        assert_eq!(typed("a alt-b F7 ctrl-x"), "a|");
    }

    #[test]
    fn lines_of_the_past_come_back() {
        assert_eq!(typed("x up"), "second|");
        assert_eq!(typed("up up up"), "first|");
        assert_eq!(typed("up up down"), "second|");
        assert_eq!(typed("up down"), "|");
    }

    #[test]
    fn a_line_is_entered_or_left() {
        for (key, wanted) in [
            ("enter", Typed::Entered),
            ("esc", Typed::Left),
            ("ctrl-c", Typed::Left),
            ("backspace", Typed::Left),
        ] {
            let mut prompt = Prompt::new(Purpose::Search, "");
            assert_eq!(prompt.key(key.parse().expect(key), &[]), wanted, "{key}");
        }
    }
}
