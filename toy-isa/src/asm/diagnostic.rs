//! What the assembler says about a program that it cannot assemble.

use std::fmt;

/// What is wrong, and what was expected instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// No instruction or pseudo-instruction or macro has this name.
    #[error("unknown instruction '{0}'")]
    UnknownInstruction(String),
    /// No directive has this name.
    #[error("unknown directive '{0}'")]
    UnknownDirective(String),
    /// A control register was expected.
    #[error("unknown control register '{0}': expected a name, or a number from 0 to 0xfff")]
    UnknownCsr(String),
    /// A register was expected and this is not the name of one.
    #[error("expected a register, found '{0}'")]
    ExpectedRegister(String),
    /// A register of RV32I that RV32E does not have.
    #[error("no register '{0}': Ring32 has 16 registers, x0 to x15 (zero ra sp gp tp t0-t2 s0 s1 a0-a5)")]
    MissingRegister(String),
    /// A symbol that no file defines.
    #[error("undefined symbol '{0}'")]
    UndefinedSymbol(String),
    /// A numeric label that its file does not have, in that direction.
    #[error("no numeric label '{0}:' in this direction")]
    UndefinedLabel(String),
    /// A symbol is defined a second time.
    #[error("symbol '{name}' is already defined at {first}")]
    DuplicateSymbol {
        /// Its name.
        name: String,
        /// `file:line` of the first definition.
        first: String,
    },
    /// A symbol whose value depends on itself.
    #[error("the value of '{0}' depends on itself, or on a chain of too many symbols")]
    CircularSymbol(String),
    /// Something else was expected here.
    #[error("expected {expected}, found {found}")]
    Expected {
        /// What, in words.
        expected: String,
        /// What stands there instead.
        found: String,
    },
    /// No form of the instruction takes these operands.
    #[error("wrong operands for '{mnemonic}': expected {expected}")]
    Operands {
        /// The instruction.
        mnemonic: String,
        /// The forms that it has.
        expected: String,
    },
    /// A number does not fit.
    #[error("{what} {value} is out of range: expected {low} to {high}")]
    Range {
        /// What the number is for.
        what: &'static str,
        /// The number.
        value: i64,
        /// The least that fits.
        low: i64,
        /// The greatest that fits.
        high: i64,
    },
    /// A branch or jump that does not reach.
    #[error(
        "the target is {distance} bytes away: expected {low} to {high}; branch around a 'j', or use 'call'"
    )]
    TooFar {
        /// From the instruction to its target.
        distance: i32,
        /// The farthest back.
        low: i32,
        /// The farthest ahead.
        high: i32,
    },
    /// A branch or jump to the middle of an instruction's first half-word.
    #[error("target {0:#x} is odd: expected an even distance")]
    OddTarget(u32),
    /// A value is needed at once and depends on what comes later, or on where a section will stand.
    #[error("{0} must be a number that is known here: a constant, or the distance of two labels above")]
    NotConstant(&'static str),
    /// Division by zero in an expression.
    #[error("division by zero")]
    DivisionByZero,
    /// Parentheses too deep, or too many operators.
    #[error("expression too long or too deep: at most {0} operators")]
    ExpressionTooLong(usize),
    /// `%pcrel_lo` without its partner.
    #[error("expected the label of an instruction with %pcrel_hi at {0:#x}")]
    NoPcrelHi(u32),
    /// A character that no token begins with.
    #[error("unexpected character '{0}'")]
    UnexpectedCharacter(char),
    /// A string without its closing quote.
    #[error("expected a closing '\"'")]
    UnclosedString,
    /// A block comment without its end.
    #[error("expected a closing '*/'")]
    UnclosedComment,
    /// A malformed number.
    #[error("malformed number '{0}': expected decimal, 0x, 0b or 0 octal digits, at most 64 bits")]
    BadNumber(String),
    /// An escape in a string or a character constant that does not exist.
    #[error("unknown escape '\\{0}': expected one of n t r b f \\ \" ' x and octal digits")]
    BadEscape(char),
    /// A block such as `.macro` without its end.
    #[error("expected '{end}' for this '{begin}'")]
    UnclosedBlock {
        /// The directive that begins the block.
        begin: String,
        /// The one that would end it.
        end: &'static str,
    },
    /// The end of a block that did not begin.
    #[error("'{0}' without its beginning")]
    StrayEnd(String),
    /// A macro's required argument is missing.
    #[error("macro '{name}' needs a value for '{parameter}'")]
    MissingArgument {
        /// The macro.
        name: String,
        /// The parameter.
        parameter: String,
    },
    /// More arguments than parameters, or one of an unknown name.
    #[error("macro '{name}' takes {expected} argument{}", if *expected == 1 { "" } else { "s" })]
    TooManyArguments {
        /// The macro.
        name: String,
        /// How many it has.
        expected: usize,
    },
    /// Macros, conditionals or included files inside each other without end.
    #[error("blocks, macros and included files nest at most {0} deep")]
    TooDeep(usize),
    /// Repetition without end.
    #[error("the program is too long: at most {0} characters after expansion")]
    TooLong(usize),
    /// More memory than an assembled program may have.
    #[error("sections too large: at most {0} bytes in all")]
    TooLarge(u32),
    /// `.org` to a place that is already passed.
    #[error("'.org' cannot move back from offset {from:#x} to {to:#x}")]
    OrgBackwards {
        /// Where the section is.
        from: u64,
        /// Where it should go.
        to: i64,
    },
    /// Contents in a section that has none.
    #[error("section '{0}' holds only zeros: expected '.space' or '.align'")]
    ContentsInBss(String),
    /// An instruction at an address that is not a multiple of 4.
    #[error("instruction at an address that is not a multiple of 4: expected '.align 2' before it")]
    Misaligned,
    /// The program does not fit below 2^32.
    #[error("the program does not fit between its origin {0:#x} and the end of the address space")]
    AddressSpace(u32),
    /// A file to include is not among the sources.
    #[error("no source named '{0}' was given")]
    NoSuchSource(String),
    /// The program says itself that something is wrong.
    #[error("{0}")]
    Stated(String),
    /// A single line was expected to be one word.
    #[error("expected one instruction or '.word' that makes exactly one word")]
    NotOneWord,
    /// There are more, but they would not help.
    #[error("too many errors: the rest of the program was not read")]
    TooMany,
}

/// One error, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Name of the source.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// What is wrong.
    pub problem: Problem,
    /// The nearest name that would have been right.
    pub suggestion: Option<String>,
    /// The statement in error, if a macro made it; the place is then that of the macro's use.
    pub expansion: Option<String>,
    /// The line of the source, without its end.
    pub source_line: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}:{}: error: {}",
            self.file, self.line, self.column, self.problem
        )?;
        if let Some(name) = &self.suggestion {
            write!(f, "; did you mean '{name}'?")?;
        }
        if let Some(statement) = &self.expansion {
            write!(f, " (in '{statement}', which a macro wrote)")?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostic {}

impl Diagnostic {
    /// The message, then the line of the source with a caret under the column.
    pub fn render(&self) -> String {
        let margin = self.line.to_string();
        // Tabs are kept, so that the caret stands where the terminal puts the character.
        let indent: String = self
            .source_line
            .chars()
            .take(self.column.saturating_sub(1) as usize)
            .map(|c| if c == '\t' { '\t' } else { ' ' })
            .collect();
        format!(
            "{self}\n {margin} | {}\n {:width$} | {indent}^",
            self.source_line,
            "",
            width = margin.len()
        )
    }
}

/// An error while its statement is read: the place is a byte offset in the statement's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) at: usize,
    pub(crate) problem: Problem,
    pub(crate) suggestion: Option<String>,
}

impl Fault {
    pub(crate) fn new(at: usize, problem: Problem) -> Fault {
        Fault {
            at,
            problem,
            suggestion: None,
        }
    }

    /// Suggests whichever of `candidates` is nearest to what was written.
    pub(crate) fn suggest<'a>(mut self, written: &str, candidates: impl Iterator<Item = &'a str>) -> Fault {
        self.suggestion = nearest(written, candidates);
        self
    }
}

/// The candidate nearest to `written`, if one is near enough to be what was meant.
pub(crate) fn nearest<'a>(written: &str, candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    /// Longer names are not typed by hand, and the distance is quadratic in the length.
    const LONGEST: usize = 64;
    if written.len() > LONGEST {
        return None;
    }
    let furthest = (written.chars().count() / 3).max(1);
    candidates
        .filter(|candidate| candidate.len() <= LONGEST && *candidate != written)
        .map(|candidate| (strsim::osa_distance(written, candidate), candidate))
        .filter(|(distance, _)| *distance <= furthest)
        .min()
        .map(|(_, candidate)| candidate.to_string())
}
