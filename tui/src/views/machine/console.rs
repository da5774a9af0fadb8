//! What the guest has printed.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use scenarios::terminal::{escape, escape_line};
use vmm_core::numbers::counted;

use super::{CONSOLE, lines};
use crate::app::App;
use crate::frame;
use crate::theme::Role;
use crate::views::next_of;

/// How many lines back it can be looked.
pub(super) const LEAST: usize = 1000;

/// How many bytes are looked at: enough for so many lines.
const LOOKED_AT: usize = 32 << 10;

/// A line, and from where on it is new.
#[derive(Default)]
struct Printed {
    text: String,
    columns: usize,
    new: Option<usize>,
}

pub(super) fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    let guest = app.session.run().guest();
    let output = guest.devices.console.output();
    // Time may have gone backwards: then nothing of it is new.
    let new = match app.session.before().printed {
        printed if printed < output.len() => printed,
        _ => output.len(),
    };
    let all = wrapped(output, new, usize::from(area.width).max(1));
    let height = usize::from(area.height);
    let back = app.views.machine.console.min(all.len().saturating_sub(height));
    let first = (all.len() - back).saturating_sub(height);
    for ((_, line), printed) in lines(area).zip(&all[first..]) {
        let (old, new) = printed.text.split_at(printed.new.unwrap_or(printed.text.len()));
        Line::from(vec![
            Span::raw(old),
            Span::styled(new, app.theme.style(Role::Changed)),
        ])
        .render(line, buffer);
    }
}

/// Looks for a text in the lines, from the last one that is shown on or back, and around the end.
pub(super) fn search(app: &mut App, text: &str, onwards: bool) -> Result<String, String> {
    let width = usize::from(frame::size_of(app, CONSOLE).width).max(1);
    let all = wrapped(app.session.run().guest().devices.console.output(), 0, width);
    let wanted = text.to_lowercase();
    let has = |line: &Printed| line.text.to_lowercase().contains(&wanted);
    let found: Vec<usize> = (0..all.len()).filter(|line| has(&all[*line])).collect();
    let last = all.len() - 1;
    let here = last.saturating_sub(app.views.machine.console);
    let Some(next) = next_of(&found, here, onwards) else {
        return Err(format!("'{}' was not printed", escape_line(text.as_bytes())));
    };
    app.views.machine.console = last - next;
    Ok(format!(
        "{}, in the last line here",
        counted(found.len() as u64, "line", "lines")
    ))
}

/// The last lines, of at most so many columns; what comes from `new` on is new.
fn wrapped(output: &[u8], new: usize, width: usize) -> Vec<Printed> {
    let start = output.len().saturating_sub(LOOKED_AT);
    let begins = |at: &usize| output.get(*at).is_none_or(|byte| byte & 0xc0 != 0x80);
    // No character is cut in two.
    let start = (start..output.len()).find(begins).unwrap_or(start);
    let new = (start..=new.max(start)).rev().find(begins).unwrap_or(start);
    let mut lines = vec![Printed::default()];
    for (part, is_new) in [(&output[start..new], false), (&output[new..], true)] {
        for c in escape(part).chars() {
            let columns = unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
            let full = lines.last().is_some_and(|line| line.columns + columns > width);
            if c == '\n' || full {
                lines.push(Printed::default());
            }
            let Some(line) = lines.last_mut() else {
                continue;
            };
            if is_new && line.new.is_none() {
                line.new = Some(line.text.len());
            }
            match c {
                '\n' => {}
                '\t' => {
                    line.text.push(' ');
                    line.columns += 1;
                }
                _ => {
                    line.text.push(c);
                    line.columns += columns;
                }
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(lines: &[Printed]) -> Vec<(&str, Option<usize>)> {
        lines.iter().map(|line| (line.text.as_str(), line.new)).collect()
    }

    #[test]
    fn lines_are_wrapped_and_what_is_new_is_known() {
        let lines = wrapped(b"ab\ncdefg", 4, 3);
        assert_eq!(texts(&lines), [("ab", None), ("cde", Some(1)), ("fg", Some(0))]);
        assert_eq!(texts(&wrapped(b"", 0, 5)), [("", None)]);
    }

    #[test]
    fn control_bytes_are_shown_and_not_sent() {
        let lines = wrapped(b"a\x1b[2J\tb", 7, 80);
        assert_eq!(texts(&lines), [("a\\x1b[2J b", None)]);
    }

    #[test]
    fn a_character_that_is_half_new_is_new_as_a_whole() {
        let lines = wrapped("aá".as_bytes(), 2, 80);
        assert_eq!(texts(&lines), [("aá", Some(1))]);
        // Half printed, it is shown as the byte that it is.
        assert_eq!(texts(&wrapped(&"á".as_bytes()[..1], 0, 80)), [("\\xc3", Some(0))]);
    }
}
