//! Sentences with stressed words, in lines.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::frame::cut;
use crate::theme::{Role, Theme};

/// A sentence in at most so many lines of so many columns. What stands between stars is stressed; where something was
/// cut off, the last line ends with the sign for that.
pub(super) fn wrapped(theme: &Theme, sentence: &str, columns: usize, lines: usize) -> Vec<Line<'static>> {
    let mut rows: Vec<Vec<(String, bool)>> = vec![Vec::new()];
    let mut column = 0;
    for word in sentence.split_whitespace() {
        let stressed = word.contains('*');
        let word = word.replace('*', "");
        let length = word.chars().count();
        if column > 0 && column + 1 + length > columns {
            rows.push(Vec::new());
            column = 0;
        }
        column += length + usize::from(column > 0);
        if let Some(row) = rows.last_mut() {
            row.push((word, stressed));
        }
    }
    let left_over = rows.len() > lines;
    rows.truncate(lines);
    let last = rows.len().saturating_sub(1);
    let line = |(number, row): (usize, Vec<(String, bool)>)| {
        let mut spans: Vec<Span> = Vec::new();
        for (place, (word, stressed)) in row.into_iter().enumerate() {
            if place > 0 {
                spans.push(Span::raw(" "));
            }
            let style = if stressed {
                theme.style(Role::Strong)
            } else {
                Style::new()
            };
            spans.push(Span::styled(word, style));
        }
        if left_over && number == last {
            let text: String = spans.iter().map(|span| span.content.as_ref()).collect();
            return Line::raw(cut(
                theme,
                &(text + " and so on"),
                columns.min(columns.saturating_sub(1)),
            ));
        }
        Line::from(spans)
    };
    rows.into_iter().enumerate().map(line).collect()
}
