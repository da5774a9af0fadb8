//! Writing sentences and lines into an area.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use scenarios::terminal::escape_line;
use unicode_width::UnicodeWidthStr;

use crate::theme::{Role, Theme};

/// A sentence as it can be shown: nothing in it moves the cursor, and with characters of ASCII only if it must be so.
pub(super) fn shown(theme: &Theme, sentence: &str) -> String {
    let text = escape_line(sentence.as_bytes());
    if !theme.ascii {
        return text;
    }
    let text = text.replace('≠', "!=").replace('⊕', "(+)");
    text.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect()
}

/// A sentence in lines of at most so many columns. The name of a row is not broken.
pub(super) fn wrap(theme: &Theme, sentence: &str, columns: u16) -> Vec<String> {
    let columns = usize::from(columns);
    let text = shown(theme, sentence);
    let mut lines: Vec<String> = Vec::new();
    let mut words = text.split_whitespace().peekable();
    while let Some(word) = words.next() {
        let mut word = word.to_string();
        if word.ends_with("csrr") || word.ends_with("csrw") {
            word = words.next().map_or(word.clone(), |name| format!("{word} {name}"));
        }
        match lines.last_mut() {
            Some(line) if line.width() + 1 + word.width() <= columns => *line += &format!(" {word}"),
            _ => lines.push(word),
        }
    }
    lines
}

/// Says at the right edge of an area that there are lines above and below it.
pub(super) fn more(theme: &Theme, area: Rect, above: bool, below: bool, buffer: &mut Buffer) {
    if area.width == 0 || area.height == 0 {
        return;
    }
    let (glyphs, style) = (theme.glyphs(), theme.style(Role::Key));
    if above {
        buffer.set_string(area.right() - 1, area.y, glyphs.up, style);
    }
    if below {
        buffer.set_string(area.right() - 1, area.bottom() - 1, glyphs.down, style);
    }
}

/// A part of an area: so many lines from this one on.
pub(super) fn lines_of(area: Rect, first: u16, height: u16) -> Rect {
    let first = first.min(area.height);
    Rect {
        y: area.y + first,
        height: height.min(area.height - first),
        ..area
    }
}
