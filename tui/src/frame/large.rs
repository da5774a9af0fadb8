//! Large letters: a pane is drawn as on a small screen, and each of its characters in four by four characters of the
//! real one, by the quarters of block characters. It is for the last row of a lecture hall.

use std::sync::LazyLock;

use font8x8::{BASIC_FONTS, BLOCK_FONTS, BOX_FONTS, LATIN_FONTS, UnicodeFonts};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::theme;

/// How many columns, and lines, a character takes.
const SCALE: u16 = 4;

/// The smallest pane, in large characters, that has room for something.
const LEAST: (u16, u16) = (28, 7);

/// Whether an area has room for large letters.
pub(super) fn fits(area: Rect) -> bool {
    area.width / SCALE >= LEAST.0 && area.height / SCALE >= LEAST.1
}

/// The screen, in large characters, that an area is.
pub(super) fn small(area: Rect) -> Rect {
    Rect::new(0, 0, area.width / SCALE, area.height / SCALE)
}

/// Draws a small screen into a large area.
pub(super) fn blow_up(small: &Buffer, area: Rect, buffer: &mut Buffer) {
    for (place, cell) in small.content.iter().enumerate() {
        let (x, y) = small.pos_of(place);
        let bits = glyph(cell.symbol());
        for down in 0..SCALE {
            for right in 0..SCALE {
                let at = (area.x + x * SCALE + right, area.y + y * SCALE + down);
                if let Some(target) = buffer.cell_mut(at) {
                    target.set_symbol(quarters(&bits, right, down));
                    target.set_style(cell.style());
                }
            }
        }
    }
}

/// A character as eight lines of eight points, the leftmost in the lowest bit.
type Bits = [u8; 8];

fn glyph(symbol: &str) -> Bits {
    static REPLACED: LazyLock<Vec<(&str, &str)>> = LazyLock::new(|| theme::in_ascii().collect());
    let find = |c: char| {
        let basic = BASIC_FONTS.get(c).or_else(|| LATIN_FONTS.get(c));
        basic.or_else(|| BOX_FONTS.get(c)).or_else(|| BLOCK_FONTS.get(c))
    };
    let own = symbol.chars().next().and_then(find);
    let replaced = || {
        let ascii = REPLACED.iter().find(|(sign, _)| *sign == symbol);
        ascii.and_then(|(_, ascii)| find(ascii.chars().next()?))
    };
    own.or_else(replaced).or_else(|| find('?')).unwrap_or_default()
}

/// The character for four points of a glyph.
fn quarters(bits: &Bits, right: u16, down: u16) -> &'static str {
    /// By upper left, upper right, lower left, lower right, the first in the lowest bit.
    const QUARTERS: [&str; 16] = [
        " ", "▘", "▝", "▀", "▖", "▌", "▞", "▛", "▗", "▚", "▐", "▜", "▄", "▙", "▟", "█",
    ];
    let two = |line: u16| usize::from(bits[usize::from(2 * down + line)] >> (2 * right) & 3);
    QUARTERS[two(0) | two(1) << 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_is_drawn_of_quarters_in_its_style() {
        let mut small = Buffer::empty(Rect::new(0, 0, 2, 1));
        let style = ratatui::style::Style::new().fg(ratatui::style::Color::Indexed(9));
        small.set_string(0, 0, "L ", style);
        let area = Rect::new(0, 0, 8, 4);
        let mut large = Buffer::empty(area);
        blow_up(&small, area, &mut large);
        let lines: Vec<String> = (0..4)
            .map(|y| (0..8).map(|x| large[(x, y)].symbol()).collect())
            .collect();
        assert_eq!(lines, ["▜▛      ", "▐▌      ", "▐▌▗▌    ", "▀▀▀▘    "]);
        assert_eq!(large[(0, 0)].fg, ratatui::style::Color::Indexed(9));
    }

    #[test]
    fn every_sign_of_the_themes_has_a_letter() {
        let unknown = glyph("\u{10ffff}");
        for (sign, _) in theme::in_ascii() {
            assert_ne!(glyph(sign), unknown, "{sign}");
        }
    }
}
