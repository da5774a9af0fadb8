//! Text of a guest, or of a hostile file, made safe to show on a terminal.

use std::fmt::Write;

/// The text with everything that a terminal could act on made visible.
///
/// Newlines and tabs stay. Other control characters (ESC, carriage return and C1 among them) and bytes that
/// are no UTF-8 are shown as `\x1b`; characters that change the order or the lines of what is shown, as
/// `\u{202e}`. A backslash stays as it is: the result is for people, and cannot be turned back.
pub fn escape(text: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\n' | '\t' => out.push(c),
                // Writing to a string cannot fail.
                _ if c.is_control() => {
                    let _ = write!(out, "\\x{:02x}", u32::from(c));
                }
                _ if reorders(c) => {
                    let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
                }
                _ => out.push(c),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

/// As [`escape`], on one line: newlines and tabs are escaped too.
pub fn escape_line(text: &[u8]) -> String {
    escape(text).replace('\n', "\\n").replace('\t', "\\t")
}

/// Line and paragraph separators, marks and overrides of direction, invisible joiners.
fn reorders(c: char) -> bool {
    matches!(
        c,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{61c}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_and_control_characters_do_not() {
        assert_eq!(escape("a\tb\nárvíz ✓".as_bytes()), "a\tb\nárvíz ✓");
        assert_eq!(
            escape(b"\x1b[31mred\x07\r\x00\x7f"),
            "\\x1b[31mred\\x07\\x0d\\x00\\x7f"
        );
        // C1 as a character and as a byte; a truncated sequence.
        assert_eq!(escape("\u{9b}31m".as_bytes()), "\\x9b31m");
        assert_eq!(escape(b"\x9b31m\xff\xe2\x82"), "\\x9b31m\\xff\\xe2\\x82");
        assert_eq!(escape("a\u{202e}b\u{2028}c".as_bytes()), "a\\u{202e}b\\u{2028}c");
    }

    #[test]
    fn no_byte_reaches_the_terminal_as_a_control() {
        let all: Vec<u8> = (0..=255).collect();
        let safe = |c: char| c == '\n' || c == '\t' || !c.is_control();
        assert!(escape(&all).chars().all(safe));
        assert!(!escape_line(&all).contains(['\n', '\t']));
    }
}
