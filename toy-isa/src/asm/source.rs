//! From the text of a file to statements: comments taken out, lines cut at `;`, places remembered.

use std::rc::Rc;

/// Where a statement stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Location {
    /// Index in the list of sources.
    pub(crate) file: usize,
    /// From 1.
    pub(crate) line: u32,
    /// Of its first character, from 1.
    pub(crate) column: u32,
}

/// One label, directive or instruction, or several labels and one of the others.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    pub(crate) text: Rc<str>,
    pub(crate) at: Location,
    /// Whether a macro wrote it; `at` is then the place of the macro's use.
    pub(crate) expanded: bool,
}

impl Statement {
    /// The first word after the labels: what decides whether the statement begins or ends a block.
    pub(crate) fn keyword(&self) -> &str {
        let mut rest = self.text.trim_start();
        loop {
            let end = rest.find(|c| !is_name_character(c)).unwrap_or(rest.len());
            let after = rest[end..].trim_start();
            match after.strip_prefix(':') {
                Some(next) if end > 0 => rest = next.trim_start(),
                _ => return &rest[..end],
            }
        }
    }
}

/// Whether a name may contain `c`.
pub(crate) fn is_name_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '$')
}

/// The statements of a file.
///
/// # Errors
/// The place of a block comment that does not end.
pub(crate) fn split(file: usize, source: &str) -> Result<Vec<Statement>, Location> {
    let mut splitter = Splitter {
        file,
        line: 1,
        column: 1,
        begin: 1,
        text: String::new(),
        out: Vec::new(),
    };
    let mut rest = source.chars().peekable();
    while let Some(c) = rest.next() {
        match (c, rest.peek()) {
            ('\n', _) => splitter.end_line(),
            (';', _) => splitter.end_statement(),
            ('#', _) | ('/', Some('/')) => while rest.next_if(|c| *c != '\n').is_some() {},
            ('/', Some('*')) => {
                let opened = splitter.here();
                splitter.blank(2);
                rest.next();
                loop {
                    match rest.next().ok_or(opened)? {
                        '*' if rest.next_if_eq(&'/').is_some() => break splitter.blank(2),
                        '\n' => splitter.end_line(),
                        _ => splitter.blank(1),
                    }
                }
            }
            ('"', _) => {
                splitter.push(c);
                // A string ends at its quote, or with an error at the end of the line.
                while let Some(inner) = rest.next_if(|c| *c != '\n') {
                    splitter.push(inner);
                    match inner {
                        '"' => break,
                        '\\' => rest
                            .next_if(|c| *c != '\n')
                            .into_iter()
                            .for_each(|c| splitter.push(c)),
                        _ => {}
                    }
                }
            }
            ('\'', _) => {
                splitter.push(c);
                let escaped = rest.peek() == Some(&'\\');
                for _ in 0..=usize::from(escaped) {
                    rest.next_if(|c| *c != '\n')
                        .into_iter()
                        .for_each(|c| splitter.push(c));
                }
            }
            _ => splitter.push(c),
        }
    }
    splitter.end_line();
    Ok(splitter.out)
}

struct Splitter {
    file: usize,
    line: u32,
    /// Of the next character.
    column: u32,
    /// Of the first character of `text`.
    begin: u32,
    text: String,
    out: Vec<Statement>,
}

impl Splitter {
    fn here(&self) -> Location {
        Location {
            file: self.file,
            line: self.line,
            column: self.column,
        }
    }

    fn push(&mut self, c: char) {
        self.text.push(c);
        self.column = self.column.saturating_add(1);
    }

    /// Blanks take the place of a comment, so that columns stay true.
    fn blank(&mut self, count: usize) {
        (0..count).for_each(|_| self.push(' '));
    }

    fn end_statement(&mut self) {
        let text = self.text.trim_start();
        let indent = self.text[..self.text.len() - text.len()].chars().count() as u32;
        if !text.is_empty() {
            let at = Location {
                column: self.begin.saturating_add(indent),
                ..self.here()
            };
            self.out.push(Statement {
                text: text.trim_end().into(),
                at,
                expanded: false,
            });
        }
        self.text.clear();
        self.column = self.column.saturating_add(1);
        self.begin = self.column;
    }

    fn end_line(&mut self) {
        self.end_statement();
        self.line = self.line.saturating_add(1);
        (self.column, self.begin) = (1, 1);
    }
}
