//! Text for 80 columns: wrapped sentences and numbers that people can read.

pub(crate) use vmm_core::numbers::{counted, exact, short};

/// The columns of a projector, of a book and of a small terminal.
pub(crate) const WIDTH: usize = 80;

/// `text` in lines of at most [`WIDTH`] columns; the first begins with `first`, the others with
/// as many blanks.
pub(crate) fn wrap(first: &str, text: &str) -> String {
    let indent = first.chars().count();
    let mut out = first.to_string();
    let mut column = indent;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column > indent && column + 1 + length > WIDTH {
            out += "\n";
            out += &" ".repeat(indent);
            column = indent;
        } else if column > indent {
            out += " ";
            column += 1;
        }
        out += word;
        column += length;
    }
    out + "\n"
}

/// A line as it is if it fits or quotes a source (`12 | text`), else in several, the others further in than the first.
pub(crate) fn fold(line: &str) -> String {
    if line.chars().count() <= WIDTH || line.contains(" | ") {
        return line.to_string();
    }
    let blanks = line.len() - line.trim_start().len();
    let indent = " ".repeat(blanks + 2);
    let words = wrap(&indent, line);
    " ".repeat(blanks) + words.trim()
}

/// At most `width` characters of `text`; where it was cut, it ends with `…`.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_string();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_wrapped_under_their_beginning() {
        let text = wrap("  a: ", &"word ".repeat(20));
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH));
        assert!(text.lines().skip(1).all(|line| line.starts_with("     word")));
        assert_eq!(wrap("a ", ""), "a \n");
    }

    #[test]
    fn a_word_that_is_too_long_stands_alone() {
        let long = "x".repeat(100);
        assert_eq!(
            wrap("- ", &format!("a {long} b")),
            format!("- a\n  {long}\n  b\n")
        );
    }

    #[test]
    fn long_lines_of_a_message_are_folded_and_quoted_sources_are_not() {
        let long = format!("  in mode trap, {}", "word ".repeat(20));
        let folded = fold(long.trim_end());
        assert!(folded.starts_with("  in mode trap, word") && folded.contains("\n    word"));
        assert!(
            folded.lines().all(|line| line.chars().count() <= WIDTH),
            "{folded}"
        );
        let source = format!(" 1 | {long}");
        assert_eq!([fold(&source), fold("short")], [source, "short".to_string()]);
    }

    #[test]
    fn what_is_cut_says_so() {
        assert_eq!(cut("short", 5), "short");
        assert_eq!(cut("longer", 5), "long…");
    }
}
