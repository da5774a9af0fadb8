//! The assembler: the syntax of GNU as, for what teaching needs, with the instructions of Ring32.
//!
//! A program is one or more [`Source`]s. The first pass reads them into sections and symbols: a statement
//! is cut out of the text, becomes tokens, and then an instruction, a directive or the use of a macro. The
//! second pass gives sections their addresses and fills in what depends on them. Nothing is relaxed: an
//! instruction has the size that it had when it was read.
//!
//! Mnemonics, operands and control registers are those of [`crate::table`].

mod diagnostic;
mod directive;
mod encode;
mod expand;
mod expression;
mod lexer;
mod link;
mod macros;
mod operand;
pub(crate) mod pattern;
mod program;
mod section;
mod source;

pub use diagnostic::{Diagnostic, Problem};

use diagnostic::Fault;
use encode::Piece;
use expression::{Names, Scope, Value};
use lexer::{Cursor, Direction};
use program::Program;

use crate::image::Image;

/// One file of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its name, for messages, line tables and `.include`.
    pub name: String,
    /// Its text.
    pub text: String,
}

impl Source {
    /// A source of this name and text.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Source {
        Source {
            name: name.into(),
            text: text.into(),
        }
    }
}

/// How to assemble.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Where the first section stands. Sections follow one another from here: code, constants, data, zeros;
    /// those with other permissions than the one before begin a new page.
    pub origin: u32,
    /// Symbols that are defined before the first line, as by `.equ`.
    pub defines: Vec<(String, i64)>,
}

/// Assembles the sources to one program: they share their symbols; numeric labels are each file's own. A
/// source that another one includes is read there and nowhere else. The entry point is `_start`, or the
/// origin.
///
/// # Errors
/// All errors that were found, at most 100, in the order of their places. No input panics, and none takes
/// more memory or time than a fixed limit allows.
pub fn assemble(sources: &[Source], options: &Options) -> Result<Image, Vec<Diagnostic>> {
    link::link(Program::read(sources, options), sources, options)
}

/// Assembles one instruction or one `.word` that stands at `pc`. Symbols have no values here.
///
/// # Errors
/// The first error; the file of the diagnostic is `line`.
pub fn assemble_line(text: &str, pc: u32) -> Result<u32, Box<Diagnostic>> {
    let diagnose = |fault: Fault| Diagnostic {
        file: "line".to_string(),
        line: 1,
        column: text.get(..fault.at).unwrap_or_default().chars().count() as u32 + 1,
        problem: fault.problem,
        suggestion: fault.suggestion,
        expansion: None,
        source_line: text.to_string(),
    };
    one_word(text, pc).map_err(|fault| Box::new(diagnose(fault)))
}

fn one_word(text: &str, pc: u32) -> Result<u32, Fault> {
    let mut scope = Line { pc };
    let tokens = lexer::tokens(text)?;
    let mut cursor = Cursor::new(&tokens, text);
    let name = cursor.name("an instruction")?;
    let at = cursor.at();
    if name == ".word" {
        let number = expression::parse(&mut cursor, &scope)?.resolve(&mut scope);
        let number = number.and_then(|number| directive::fitting(4, number));
        cursor.expect_end()?;
        return number
            .map(|number| number as u32)
            .map_err(|problem| Fault::new(at, problem));
    }
    let pieces = expand::instruction(name, 0, &mut cursor, &scope, std::iter::empty())?;
    match pieces.as_slice() {
        [Piece::Word(word)] => Ok(*word),
        [Piece::Later(unfinished)] => {
            let value = unfinished.immediate.expression.resolve(&mut scope);
            let word = value.and_then(|value| match unfinished.immediate.modifier {
                operand::Modifier::PcrelLo => Err(Problem::NoPcrelHi(value as u32)),
                _ => unfinished.finish(pc, value),
            });
            word.map_err(|problem| Fault::new(at, problem))
        }
        _ => Err(Fault::new(0, Problem::NotOneWord)),
    }
}

/// The scope of a single line: `.` has a value and nothing else has.
struct Line {
    pc: u32,
}

impl Scope for Line {
    fn value(&self, _name: &str) -> Option<Value> {
        None
    }

    fn here(&self) -> Value {
        Value::Number(i64::from(self.pc))
    }

    fn local(&self, label: u32, direction: Direction) -> String {
        format!("{label}{}", if direction == Direction::Back { 'b' } else { 'f' })
    }
}

impl Names for Line {
    fn address(&self, value: Value) -> i64 {
        match value {
            Value::Number(number) | Value::Place { offset: number, .. } => number,
        }
    }

    fn symbol(&mut self, name: &str) -> Result<i64, Problem> {
        Err(Problem::UndefinedSymbol(name.to_string()))
    }
}

#[cfg(test)]
mod tests;
