//! The words of a tour in lines: `*this*` is emphasized, and what stands in backquotes is code.

use unicode_width::UnicodeWidthChar;

use crate::theme::Role;

/// A part of a line, and what it is.
pub(super) type Part = (Role, String);

/// The text in lines of at most so many columns. Paragraphs begin on new lines; a word that is too long is broken.
pub(super) fn lines(text: &str, width: usize) -> Vec<Vec<Part>> {
    text.lines()
        .flat_map(|paragraph| paragraph_lines(paragraph, width.max(1)))
        .collect()
}

/// Characters with their roles, without the signs of emphasis.
fn roles(text: &str) -> Vec<(Role, char)> {
    let (mut emphasis, mut code) = (false, false);
    let mut roles = Vec::new();
    let chars: Vec<char> = text.chars().collect();
    for (place, c) in chars.iter().copied().enumerate() {
        let before = place.checked_sub(1).map_or(' ', |before| chars[before]);
        let after = chars.get(place + 1).copied().unwrap_or(' ');
        match c {
            '*' if !code && !emphasis && !before.is_alphanumeric() && after.is_alphanumeric() => {
                emphasis = true
            }
            '*' if emphasis => emphasis = false,
            '`' => {
                code = !code;
                roles.push((Role::Strong, c));
            }
            _ if code || emphasis => roles.push((Role::Strong, c)),
            _ => roles.push((Role::Text, c)),
        }
    }
    roles
}

fn paragraph_lines(text: &str, width: usize) -> Vec<Vec<Part>> {
    let roles = roles(text);
    let columns = |c: char| c.width().unwrap_or(0);
    let mut lines = Lines::default();
    for word in roles.split(|(_, c)| *c == ' ').filter(|word| !word.is_empty()) {
        let needed: usize = word.iter().map(|(_, c)| columns(*c)).sum();
        match lines.used {
            0 => {}
            used if used + 1 + needed > width => lines.end(),
            _ => lines.push((Role::Text, ' '), 1),
        }
        for (role, c) in word {
            if lines.used + columns(*c) > width {
                lines.end();
            }
            lines.push((*role, *c), columns(*c));
        }
    }
    lines.end();
    lines.done
}

/// Lines that are being filled.
#[derive(Default)]
struct Lines {
    done: Vec<Vec<Part>>,
    line: Vec<(Role, char)>,
    /// Columns of it that are used.
    used: usize,
}

impl Lines {
    fn push(&mut self, character: (Role, char), columns: usize) {
        self.line.push(character);
        self.used += columns;
    }

    fn end(&mut self) {
        if !self.line.is_empty() {
            self.done.push(joined(std::mem::take(&mut self.line)));
        }
        self.used = 0;
    }
}

/// Characters of the same role together.
fn joined(line: Vec<(Role, char)>) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for (role, c) in line {
        match parts.last_mut().filter(|(last, _)| *last == role) {
            Some((_, text)) => text.push(c),
            None => parts.push((role, c.to_string())),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str, width: usize) -> Vec<String> {
        let line = |parts: Vec<Part>| parts.into_iter().map(|(_, text)| text).collect();
        lines(text, width).into_iter().map(line).collect()
    }

    #[test]
    fn words_are_wrapped_and_long_ones_broken() {
        assert_eq!(plain("one two three\nfour", 8), ["one two", "three", "four"]);
        assert_eq!(plain("ab abcdefghij x", 4), ["ab", "abcd", "efgh", "ij x"]);
        assert_eq!(plain("a b", 0), ["a", "b"]);
        assert_eq!(plain("", 10), [""; 0]);
    }

    #[test]
    fn emphasis_and_code_are_strong() {
        let parts = lines("the *shadow table*: `a * b` is 2 * 3", 80).remove(0);
        let strong: Vec<&str> = parts
            .iter()
            .filter(|(role, _)| *role == Role::Strong)
            .map(|(_, text)| text.as_str())
            .collect();
        // A blank between two words of it belongs to neither.
        assert_eq!(strong, ["shadow", "table", "`a", "*", "b`"]);
        assert_eq!(
            plain("the *shadow table*: 2 * 3", 80),
            ["the shadow table: 2 * 3"]
        );
    }
}
