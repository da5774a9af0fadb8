//! Text for 80 columns: wrapped sentences and numbers that people can read.

pub(crate) use vmm_core::numbers::{counted, exact};

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

/// A number in at most seven characters: exact below a million, else rounded down to three decimals or fewer.
pub(crate) fn short(number: u64) -> String {
    let (divisor, unit) = match number {
        0..1_000_000 => return exact(number),
        1_000_000..1_000_000_000 => (1_000_000, 'M'),
        1_000_000_000..1_000_000_000_000 => (1_000_000_000, 'G'),
        _ => (1_000_000_000_000, 'T'),
    };
    let whole = number / divisor;
    let thousandths = number % divisor / (divisor / 1000);
    let fraction = format!("{thousandths:03}");
    let decimals = 4usize.saturating_sub(whole.to_string().len()).min(3);
    match &fraction[..decimals] {
        "" => format!("{whole}{unit}"),
        fraction => format!("{whole}.{fraction}{unit}"),
    }
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
    fn numbers_are_exact_while_they_fit() {
        assert_eq!(short(0), "0");
        assert_eq!(short(999_999), "999,999");
        assert_eq!(short(1_234_567), "1.234M");
        assert_eq!(short(12_345_678), "12.34M");
        assert_eq!(short(123_456_789), "123.4M");
        assert_eq!(short(1_000_000_000), "1.000G");
        assert_eq!(short(u64::MAX), "18446744T");
    }

    #[test]
    fn what_is_cut_says_so() {
        assert_eq!(cut("short", 5), "short");
        assert_eq!(cut("longer", 5), "long…");
    }
}
