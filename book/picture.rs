//! README's picture: a terminal, as SVG, with the real output in it.
//!
//! It brings its own dark ground, so that it can be read on a light page and on a dark one. Every piece of text is
//! told where to begin and how long to be, so that columns stand in line in whatever monospaced font is there.

use std::fmt::Write;

/// The size of the letters, and of the cell that each stands in.
const FONT: f64 = 14.0;
const CELL: f64 = 8.4;
const LINE: f64 = 20.0;
/// Around the text; above it, there is a bar.
const MARGIN: f64 = 20.0;
const BAR: f64 = 32.0;
/// The columns of the terminal, unless a line is wider.
const COLUMNS: usize = 80;

/// Colours and weights, as the binary has them in a terminal. Each is doubled by a word.
const STYLE: &str = "text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', \
                     monospace; fill: #d0d7de } .strong { font-weight: bold; fill: #ffffff } .faint { fill: #8b949e } \
                     .good { fill: #56d364 } .bad { fill: #ff7b72; font-weight: bold }";

/// The picture of `trapeze compare`, which has printed `output`.
pub fn svg(output: &str) -> String {
    let command = ["$ trapeze compare", ""];
    let lines: Vec<&str> = command.into_iter().chain(output.lines()).collect();
    let columns = lines
        .iter()
        .map(|line| line.chars().count())
        .fold(COLUMNS, usize::max);
    let width = CELL * columns as f64 + 2.0 * MARGIN;
    let height = LINE * lines.len() as f64 + 2.0 * MARGIN + BAR;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\">\n\
         <title>What trapeze compare prints: one guest under several methods</title>\n\
         <style>{STYLE}</style>\n\
         <rect x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"8\" fill=\"#0d1117\" stroke=\"#444c56\"/>\n\
         <path d=\"M0.5 {BAR}h{}\" stroke=\"#30363d\"/>\n",
        width - 1.0,
        height - 1.0,
        width - 1.0,
    );
    for i in 0..3 {
        svg += &format!(
            "<circle cx=\"{}\" cy=\"16\" r=\"5\" fill=\"#444c56\"/>\n",
            20 + 18 * i
        );
    }
    for (number, line) in lines.into_iter().enumerate() {
        let y = BAR + MARGIN + LINE * number as f64 + FONT;
        for piece in pieces(line, number) {
            // Writing to a String does not fail.
            let _ = piece.write(&mut svg, y);
        }
    }
    svg + "</svg>\n"
}

/// Words of one style, one blank apart.
struct Piece {
    column: usize,
    style: &'static str,
    text: String,
}

impl Piece {
    fn write(&self, svg: &mut String, y: f64) -> std::fmt::Result {
        let x = MARGIN + CELL * self.column as f64;
        let length = CELL * self.text.chars().count() as f64;
        let text = self.text.replace('&', "&amp;").replace('<', "&lt;");
        let class = match self.style {
            "" => String::new(),
            style => format!(" class=\"{style}\""),
        };
        writeln!(
            svg,
            "<text x=\"{x:.1}\" y=\"{y}\" textLength=\"{length:.1}\" lengthAdjust=\"spacingAndGlyphs\"{class}>\
             {text}</text>"
        )
    }
}

fn pieces(line: &str, number: usize) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut column = 0;
    for word in line.split(' ') {
        let style = style(line, number, word);
        match pieces.last_mut() {
            _ if word.is_empty() => {}
            Some(last) if last.style == style && last.column + last.text.chars().count() + 1 == column => {
                last.text += " ";
                last.text += word;
            }
            _ => pieces.push(Piece {
                column,
                style,
                text: word.to_string(),
            }),
        }
        column += word.chars().count() + 1;
    }
    pieces
}

/// The style of a word: as the binary would paint it.
fn style(line: &str, number: usize, word: &str) -> &'static str {
    match word {
        "yes" => "good",
        "NO" => "bad",
        _ if line.starts_with("No ") => "bad",
        _ if line.starts_with("mode ") || word == "$" => "faint",
        // The command, and the title of its answer.
        _ if number == 0 || number == 2 => "strong",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stay_where_the_binary_puts_them() {
        let pieces = pieces("trap   1.86x yes yes  NO", 9);
        let found: Vec<_> = pieces
            .iter()
            .map(|p| (p.column, p.style, p.text.as_str()))
            .collect();
        let expected = [
            (0, "", "trap"),
            (7, "", "1.86x"),
            (13, "good", "yes yes"),
            (22, "bad", "NO"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn text_cannot_be_taken_for_markup() {
        assert!(svg("a <b> & c\n").contains(">a &lt;b> &amp; c</text>"));
    }
}
