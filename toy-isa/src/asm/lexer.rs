//! From the text of a statement to tokens, and a cursor over them.

use super::diagnostic::{Fault, Problem};
use super::source::is_name_character;

/// A token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// A mnemonic, directive, register, symbol or `.`.
    Name(&'a str),
    /// A number or a character constant.
    Number(i64),
    /// `1b` or `1f`: the nearest numeric label above or below.
    Local(u32, Direction),
    /// What stands between the quotes of a string, escapes not yet read.
    Text(&'a str),
    /// An operator or other punctuation.
    Mark(&'a str),
    /// The end of the statement.
    End,
}

/// Which way a numeric label lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Back,
    Forward,
}

const MARKS: [&str; 25] = [
    "<<", ">>", "==", "!=", "<>", "<=", ">=", "&&", "||", "+", "-", "*", "/", "%", "&", "|", "^", "~", "!",
    "<", ">", "(", ")", ",", ":",
];

/// The tokens of a statement, each with its byte offset.
pub(crate) fn tokens(text: &str) -> Result<Vec<(Token<'_>, usize)>, Fault> {
    let mut out = Vec::with_capacity(12);
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let (token, length) = match c {
            _ if c.is_whitespace() => {
                at += c.len_utf8();
                continue;
            }
            '0'..='9' => number(rest),
            '"' => string(rest),
            '\'' => character(rest),
            _ if is_name_character(c) => {
                let length = rest.find(|c| !is_name_character(c)).unwrap_or(rest.len());
                Ok((Token::Name(&rest[..length]), length))
            }
            '=' | '@' if !rest.starts_with("==") => Ok((Token::Mark(&rest[..1]), 1)),
            _ => match MARKS.iter().find(|mark| rest.starts_with(**mark)) {
                Some(mark) => Ok((Token::Mark(&rest[..mark.len()]), mark.len())),
                None => Err(Problem::UnexpectedCharacter(c)),
            },
        }
        .map_err(|problem| Fault::new(at, problem))?;
        out.push((token, at));
        at += length;
    }
    Ok(out)
}

fn number(rest: &str) -> Result<(Token<'_>, usize), Problem> {
    let length = rest.find(|c| !is_name_character(c)).unwrap_or(rest.len());
    let word = &rest[..length];
    let bad = || Problem::BadNumber(word.to_string());
    let parse = |digits, radix| u64::from_str_radix(digits, radix).ok();
    let value = if let Some(digits) = word.strip_prefix("0x").or(word.strip_prefix("0X")) {
        parse(digits, 16)
    } else if let Some((label, direction)) = local(word) {
        return Ok((Token::Local(label, direction), length));
    } else if let Some(digits) = word.strip_prefix("0b").or(word.strip_prefix("0B")) {
        parse(digits, 2)
    } else if let Some(digits) = word.strip_prefix('0').filter(|digits| !digits.is_empty()) {
        parse(digits, 8)
    } else {
        parse(word, 10)
    };
    Ok((Token::Number(value.ok_or_else(bad)? as i64), length))
}

fn local(word: &str) -> Option<(u32, Direction)> {
    let (digits, direction) = match word.strip_suffix('b') {
        Some(digits) => (digits, Direction::Back),
        None => (word.strip_suffix('f')?, Direction::Forward),
    };
    Some((digits.parse().ok()?, direction))
}

fn string(rest: &str) -> Result<(Token<'_>, usize), Problem> {
    let mut escaped = false;
    for (i, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Ok((Token::Text(&rest[1..i]), i + 1)),
            _ => {}
        }
    }
    Err(Problem::UnclosedString)
}

/// `'a'`, or as GNU as also allows `'a`.
fn character(rest: &str) -> Result<(Token<'_>, usize), Problem> {
    let body = &rest[1..];
    let (value, length) = match body.chars().next() {
        Some('\\') => {
            let (byte, length) = escape(&body[1..])?;
            (i64::from(byte), length + 1)
        }
        Some(c) => (i64::from(u32::from(c)), c.len_utf8()),
        None => {
            let expected = "a character after the quote".to_string();
            return Err(Problem::Expected {
                expected,
                found: "the end of the line".to_string(),
            });
        }
    };
    let closed = usize::from(body[length..].starts_with('\''));
    Ok((Token::Number(value), 1 + length + closed))
}

/// The byte that an escape stands for, and its length; `text` begins after the backslash.
fn escape(text: &str) -> Result<(u8, usize), Problem> {
    let first = text.chars().next().ok_or(Problem::BadEscape(' '))?;
    let simple = match first {
        'n' => b'\n',
        't' => b'\t',
        'r' => b'\r',
        'b' => 8,
        'f' => 12,
        '\\' | '"' | '\'' => first as u8,
        '0'..='7' => return Ok(escape_number(text, 8, 3)),
        'x' if text[1..].starts_with(|c: char| c.is_ascii_hexdigit()) => {
            let (byte, length) = escape_number(&text[1..], 16, 2);
            return Ok((byte, 1 + length));
        }
        other => return Err(Problem::BadEscape(other)),
    };
    Ok((simple, 1))
}

/// The low byte of the number of at most `longest` digits that `text` begins with, and its length.
fn escape_number(text: &str, radix: u32, longest: usize) -> (u8, usize) {
    let digits = text.chars().map_while(|c| c.to_digit(radix)).take(longest);
    digits.fold((0, 0), |(value, length), digit| {
        ((u32::from(value) * radix + digit) as u8, length + 1)
    })
}

/// The bytes of a string token, escapes read.
pub(crate) fn string_bytes(text: &str) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(slash) = rest.find('\\') {
        bytes.extend_from_slice(&rest.as_bytes()[..slash]);
        let (byte, length) = escape(&rest[slash + 1..])?;
        bytes.push(byte);
        rest = &rest[slash + 1 + length..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    Ok(bytes)
}

/// A place in the tokens of a statement.
#[derive(Clone)]
pub(crate) struct Cursor<'a> {
    tokens: &'a [(Token<'a>, usize)],
    text: &'a str,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(tokens: &'a [(Token<'a>, usize)], text: &'a str) -> Cursor<'a> {
        Cursor { tokens, text }
    }

    pub(crate) fn peek(&self) -> Token<'a> {
        self.peek_at(0)
    }

    /// The token after `distance` others.
    pub(crate) fn peek_at(&self, distance: usize) -> Token<'a> {
        self.tokens.get(distance).map_or(Token::End, |(token, _)| *token)
    }

    /// Byte offset of the next token.
    pub(crate) fn at(&self) -> usize {
        self.tokens.first().map_or(self.text.len(), |(_, at)| *at)
    }

    pub(crate) fn next(&mut self) -> Token<'a> {
        let token = self.peek();
        *self = self.after(1);
        token
    }

    /// The place that is `count` tokens further.
    pub(crate) fn after(&self, count: usize) -> Cursor<'a> {
        Cursor {
            tokens: self.tokens.get(count..).unwrap_or_default(),
            ..*self
        }
    }

    /// Steps over `mark` if it is next.
    pub(crate) fn eat(&mut self, mark: &str) -> bool {
        let found = self.peek() == Token::Mark(mark);
        if found {
            self.next();
        }
        found
    }

    pub(crate) fn is_end(&self) -> bool {
        self.tokens.is_empty()
    }

    /// What is left, as text.
    pub(crate) fn rest(&self) -> &'a str {
        &self.text[self.at()..]
    }

    /// An error that says what was expected in place of the next token.
    pub(crate) fn expected(&self, expected: &str) -> Fault {
        let word = self.rest().split_whitespace().next().unwrap_or_default();
        let found = match self.peek() {
            Token::End => "the end of the statement".to_string(),
            Token::Name(name) => format!("'{name}'"),
            Token::Mark(mark) => format!("'{mark}'"),
            _ => format!("'{word}'"),
        };
        Fault::new(
            self.at(),
            Problem::Expected {
                expected: expected.to_string(),
                found,
            },
        )
    }

    pub(crate) fn expect(&mut self, mark: &str) -> Result<(), Fault> {
        if self.eat(mark) {
            Ok(())
        } else {
            Err(self.expected(&format!("'{mark}'")))
        }
    }

    pub(crate) fn expect_end(&self) -> Result<(), Fault> {
        if self.is_end() {
            Ok(())
        } else {
            Err(self.expected("the end of the statement"))
        }
    }

    pub(crate) fn name(&mut self, expected: &str) -> Result<&'a str, Fault> {
        match self.peek() {
            Token::Name(name) => {
                self.next();
                Ok(name)
            }
            _ => Err(self.expected(expected)),
        }
    }

    pub(crate) fn string(&mut self) -> Result<Vec<u8>, Fault> {
        match self.peek() {
            Token::Text(text) => {
                let bytes = string_bytes(text).map_err(|problem| Fault::new(self.at(), problem))?;
                self.next();
                Ok(bytes)
            }
            _ => Err(self.expected("a string in double quotes")),
        }
    }
}
