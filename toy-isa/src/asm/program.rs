//! The first pass: reads statement after statement into sections and symbols.

use std::collections::HashMap;
use std::rc::Rc;

use super::diagnostic::{Diagnostic, Fault, Problem};
use super::encode::Piece;
use super::expand;
use super::expression::{self, Expression, Scope, Value};
use super::lexer::{self, Cursor, Direction, Token};
use super::macros::Macro;
use super::section::{Fixup, Group, LineMark, Mark, Patch, Section};
use super::source::{self, Location, Statement};
use super::{Options, Source};
use crate::image::SymbolKind;

/// Limits against programs that would expand without end.
pub(crate) const MOST_CHARACTERS: usize = 16 << 20;
pub(crate) const MOST_BYTES: u32 = 64 << 20;
const DEEPEST: usize = 64;
const MOST_ERRORS: usize = 100;

/// A symbol's value, and where it got it.
pub(crate) struct Definition {
    pub(crate) value: Expression,
    at: Option<Location>,
    /// Labels keep their value; what `.equ` has set can be set again.
    is_label: bool,
}

/// What directives say about a symbol beside its value.
#[derive(Default)]
pub(crate) struct Attributes {
    pub(crate) global: bool,
    pub(crate) kind: Option<SymbolKind>,
    pub(crate) size: Option<Expression>,
}

pub(crate) struct Program<'s> {
    sources: &'s [Source],
    pub(crate) files: Vec<Rc<[Statement]>>,
    pub(crate) sections: Vec<Section>,
    pub(crate) current: usize,
    pub(crate) previous: usize,
    pub(crate) section_stack: Vec<(usize, usize)>,
    pub(crate) symbols: HashMap<String, Definition>,
    pub(crate) attributes: HashMap<String, Attributes>,
    pub(crate) macros: HashMap<String, Rc<Macro>>,
    /// How often a macro was used: the value of `\@`.
    pub(crate) uses: u32,
    /// How often each numeric label stands above, per file that is assembled on its own.
    locals: HashMap<(usize, u32), u32>,
    /// The file that is assembled on its own.
    unit: usize,
    depth: usize,
    characters: usize,
    size: u64,
    pub(crate) diagnostics: Vec<Diagnostic>,
    stopped: bool,
}

impl Scope for Program<'_> {
    fn value(&self, name: &str) -> Option<Value> {
        match self.symbols.get(name)?.value {
            Expression::Known(value) => Some(value),
            _ => None,
        }
    }

    fn here(&self) -> Value {
        Value::Place {
            section: self.current,
            offset: i64::from(self.sections[self.current].size),
        }
    }

    fn local(&self, label: u32, direction: Direction) -> String {
        let above = self.locals.get(&(self.unit, label)).copied().unwrap_or(0);
        let number = if direction == Direction::Back {
            above
        } else {
            above + 1
        };
        local_name(self.unit, label, number)
    }
}

/// The symbol of the `number`th numeric label `label` of a file; `@` keeps it apart from names of the
/// program.
fn local_name(unit: usize, label: u32, number: u32) -> String {
    format!("{label}@{number}@{unit}")
}

/// What a program calls `symbol`: a numeric label by its number, everything else by its name.
pub(crate) fn name_for_people(symbol: &str) -> &str {
    symbol.split('@').next().unwrap_or(symbol)
}

impl<'s> Program<'s> {
    /// Reads all sources that no other one includes.
    pub(crate) fn read(sources: &'s [Source], options: &Options) -> Program<'s> {
        let sections = [".text", ".rodata", ".data", ".bss"];
        let mut program = Program {
            sources,
            files: Vec::new(),
            sections: sections
                .map(|name| Section::new(name, Group::of_name(name)))
                .into(),
            current: 0,
            previous: 0,
            section_stack: Vec::new(),
            symbols: HashMap::new(),
            attributes: HashMap::new(),
            macros: HashMap::new(),
            uses: 0,
            locals: HashMap::new(),
            unit: 0,
            depth: 0,
            characters: 0,
            size: 0,
            diagnostics: Vec::new(),
            stopped: false,
        };
        for (name, value) in &options.defines {
            let value = Expression::Known(Value::Number(*value));
            program.symbols.insert(
                name.clone(),
                Definition {
                    value,
                    at: None,
                    is_label: false,
                },
            );
        }
        program.read_sources();
        program
    }

    fn read_sources(&mut self) {
        for (i, source) in self.sources.iter().enumerate() {
            let statements = source::split(i, &source.text).unwrap_or_else(|opened| {
                let statement = Statement {
                    text: "/*".into(),
                    at: opened,
                    expanded: false,
                };
                self.report(&statement, Fault::new(0, Problem::UnclosedComment));
                Vec::new()
            });
            self.files.push(statements.into());
        }
        let mut units: Vec<usize> = (0..self.files.len())
            .filter(|unit| !self.is_included(*unit))
            .collect();
        if units.is_empty() {
            // Sources that include each other in a circle: to read one of them shows the error.
            units.extend(self.files.first().map(|_| 0));
        }
        for unit in units {
            self.unit = unit;
            (self.current, self.previous) = (0, 0);
            self.run(&self.files[unit].clone());
        }
    }

    /// Whether another source includes this one.
    fn is_included(&self, unit: usize) -> bool {
        let name = self.sources[unit].name.as_str();
        let others = self.files.iter().enumerate().filter(|(other, _)| *other != unit);
        others.flat_map(|(_, file)| file.iter()).any(|statement| {
            statement.keyword() == ".include" && statement.text.split('"').nth(1) == Some(name)
        })
    }

    /// The statements of a source.
    pub(crate) fn file(&self, name: &str) -> Option<Rc<[Statement]>> {
        self.sources
            .iter()
            .position(|source| source.name == name)
            .map(|i| self.files[i].clone())
    }

    /// Runs statements inside another one: a macro's body, a branch, an included file.
    pub(crate) fn run_inside(&mut self, statements: &[Statement]) -> Result<(), Problem> {
        if self.depth == DEEPEST {
            return Err(Problem::TooDeep(DEEPEST));
        }
        self.depth += 1;
        self.run(statements);
        self.depth -= 1;
        Ok(())
    }

    fn run(&mut self, statements: &[Statement]) {
        let mut rest = statements;
        while let [statement, after @ ..] = rest
            && !self.stopped
        {
            rest = after;
            if let Err(fault) = self.statement(statement, &mut rest) {
                self.report(statement, fault);
            }
        }
    }

    /// One statement. If it begins a block, the block is taken from `rest`.
    fn statement(&mut self, statement: &Statement, rest: &mut &[Statement]) -> Result<(), Fault> {
        self.charge(statement.text.len() + 1)
            .map_err(|problem| Fault::new(0, problem))?;
        let tokens = lexer::tokens(&statement.text)?;
        let mut cursor = Cursor::new(&tokens, &statement.text);
        self.labels(&mut cursor, statement)?;
        if cursor.is_end() {
            return Ok(());
        }
        let at = cursor.at();
        let name = cursor.name("an instruction, a directive or a label")?;
        if cursor.eat("=") {
            return self.assign(name, at, &mut cursor, statement);
        }
        if self.macros.contains_key(name) {
            return self.expand(name, at, cursor.rest(), statement);
        }
        if self.block(name, at, &mut cursor, rest)? {
            return Ok(());
        }
        if name.starts_with('.') && name != ".insn" {
            return self.directive(name, at, &mut cursor, statement);
        }
        let macros = self.macros.keys().map(String::as_str);
        let pieces = expand::instruction(name, at, &mut cursor, self, macros)?;
        self.instruction(pieces, statement)
            .map_err(|problem| Fault::new(at, problem))
    }

    /// Steps over the labels at the beginning of a statement and defines them.
    fn labels(&mut self, cursor: &mut Cursor<'_>, statement: &Statement) -> Result<(), Fault> {
        while cursor.peek_at(1) == Token::Mark(":") {
            let at = cursor.at();
            let name = match cursor.next() {
                Token::Name(name) => name.to_string(),
                Token::Number(label) => {
                    let label = u32::try_from(label)
                        .map_err(|_| Fault::new(at, Problem::BadNumber(label.to_string())))?;
                    let number = self.locals.entry((self.unit, label)).or_insert(0);
                    *number += 1;
                    local_name(self.unit, label, *number)
                }
                _ => return Err(Fault::new(at, cursor.expected("a label before ':'").problem)),
            };
            cursor.next();
            let here = Expression::Known(self.here());
            self.define(&name, here, true, statement)
                .map_err(|problem| Fault::new(at, problem))?;
        }
        Ok(())
    }

    /// `name = value`, or `. = value`, which is `.org`.
    fn assign(&mut self, name: &str, at: usize, cursor: &mut Cursor<'_>, s: &Statement) -> Result<(), Fault> {
        if name == "." {
            return self.org(cursor);
        }
        let value = expression::parse(cursor, self)?;
        cursor.expect_end()?;
        self.define(name, value, false, s)
            .map_err(|problem| Fault::new(at, problem))
    }

    /// Gives a symbol its value.
    pub(crate) fn define(
        &mut self,
        name: &str,
        value: Expression,
        is_label: bool,
        statement: &Statement,
    ) -> Result<(), Problem> {
        match self.symbols.get(name) {
            Some(first) if first.is_label || is_label => Err(Problem::DuplicateSymbol {
                name: name_for_people(name).to_string(),
                first: match first.at {
                    Some(at) => format!("{}:{}", self.sources[at.file].name, at.line),
                    None => "the options".to_string(),
                },
            }),
            _ => {
                let definition = Definition {
                    value,
                    at: Some(statement.at),
                    is_label,
                };
                self.symbols.insert(name.to_string(), definition);
                Ok(())
            }
        }
    }

    fn instruction(&mut self, pieces: Vec<Piece>, statement: &Statement) -> Result<(), Problem> {
        for piece in pieces {
            let offset = self.section().size;
            if !offset.is_multiple_of(4) {
                return Err(Problem::Misaligned);
            }
            let word = match piece {
                Piece::Word(word) => word,
                Piece::Later(unfinished) => {
                    let at = unfinished.immediate.at;
                    self.fix_later(Patch::Code(unfinished), at, statement);
                    0
                }
            };
            self.grow(4)?;
            let section = self.section();
            section.align = section.align.max(4);
            section.lines.push(LineMark {
                offset,
                file: statement.at.file,
                line: statement.at.line,
            });
            section.push(&word.to_le_bytes())?;
        }
        Ok(())
    }

    /// Has the bytes that come next patched when addresses are known.
    pub(crate) fn fix_later(&mut self, what: Patch, at: usize, statement: &Statement) {
        let mark = Mark {
            statement: statement.clone(),
            at,
        };
        let section = self.section();
        section.fixups.push(Fixup {
            offset: section.size,
            mark,
            what,
        });
    }

    pub(crate) fn section(&mut self) -> &mut Section {
        &mut self.sections[self.current]
    }

    /// Makes sure that `count` more bytes are within the limit.
    pub(crate) fn grow(&mut self, count: u64) -> Result<(), Problem> {
        self.size = self.size.saturating_add(count);
        if self.size > u64::from(MOST_BYTES) {
            self.stopped = true;
            return Err(Problem::TooLarge(MOST_BYTES));
        }
        Ok(())
    }

    /// Makes sure that `count` more characters are within the limit.
    pub(crate) fn charge(&mut self, count: usize) -> Result<(), Problem> {
        self.characters = self.characters.saturating_add(count);
        if self.characters > MOST_CHARACTERS {
            self.stopped = true;
            return Err(Problem::TooLong(MOST_CHARACTERS));
        }
        Ok(())
    }

    /// Notes an error; after too many of them the rest is not read.
    pub(crate) fn report(&mut self, statement: &Statement, fault: Fault) {
        if self.diagnostics.len() == MOST_ERRORS {
            return;
        }
        let last = self.diagnostics.len() + 1 == MOST_ERRORS;
        self.stopped |= last;
        let fault = if last {
            Fault::new(0, Problem::TooMany)
        } else {
            fault
        };
        self.diagnostics.push(diagnostic(self.sources, statement, fault));
    }
}

/// A fault, with its place in the sources.
pub(crate) fn diagnostic(sources: &[Source], statement: &Statement, fault: Fault) -> Diagnostic {
    let source = &sources[statement.at.file];
    let before = statement.text.get(..fault.at).unwrap_or_default().chars().count() as u32;
    let (column, expansion) = match statement.expanded {
        true => (statement.at.column, Some(statement.text.to_string())),
        false => (statement.at.column.saturating_add(before), None),
    };
    let line = source
        .text
        .split('\n')
        .nth(statement.at.line.saturating_sub(1) as usize)
        .unwrap_or_default();
    Diagnostic {
        file: source.name.clone(),
        line: statement.at.line,
        column,
        problem: fault.problem,
        suggestion: fault.suggestion,
        expansion,
        source_line: line.trim_end_matches('\r').to_string(),
    }
}
