//! Sentences with stressed words, in lines.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::frame::cut;
use crate::theme::{Role, Theme};

/// A sentence in at most so many lines of so many columns. What stands between stars is stressed; where something was
/// cut off, the last line ends with the sign for that.
pub(super) fn wrapped(theme: &Theme, sentence: &str, columns: usize, lines: usize) -> Vec<Line<'static>> {
    let mut rows: Vec<Vec<&str>> = vec![Vec::new()];
    let mut column = 0;
    for word in sentence.split_whitespace() {
        let length = word.chars().filter(|c| *c != '*').count();
        if column > 0 && column + 1 + length > columns {
            rows.push(Vec::new());
            column = 0;
        }
        column += length + usize::from(column > 0);
        if let Some(row) = rows.last_mut() {
            row.push(word);
        }
    }
    let left_over = rows.split_off(lines.min(rows.len()));
    let mut out: Vec<Line> = rows.iter().map(|row| line(theme, row)).collect();
    if let (Some(next), Some(row), Some(last)) = (left_over.first(), rows.last(), out.last_mut()) {
        let text = [row.as_slice(), next.as_slice()]
            .concat()
            .join(" ")
            .replace('*', "");
        *last = Line::raw(cut(theme, &text, columns));
    }
    out
}

fn line(theme: &Theme, words: &[&str]) -> Line<'static> {
    let mut spans: Vec<Span> = Vec::new();
    for word in words {
        if !spans.is_empty() {
            spans.push(Span::raw(" "));
        }
        let style = if word.contains('*') {
            theme.style(Role::Strong)
        } else {
            Style::new()
        };
        spans.push(Span::styled(word.replace('*', ""), style));
    }
    Line::from(spans)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_full_and_the_last_says_that_it_was_cut() {
        let theme = Theme::default();
        let text = |columns, lines| -> Vec<String> {
            let wrapped = wrapped(&theme, "ring 1 (*virtual* ring 0) tried", columns, lines);
            wrapped.iter().map(Line::to_string).collect()
        };
        assert_eq!(text(40, 3), ["ring 1 (virtual ring 0) tried"]);
        assert_eq!(text(16, 3), ["ring 1 (virtual", "ring 0) tried"]);
        assert_eq!(text(16, 1), ["ring 1 (virtual…"]);
        assert_eq!(text(10, 2), ["ring 1", "(virtual …"]);
        assert_eq!(text(0, 0), [""; 0]);
    }
}
