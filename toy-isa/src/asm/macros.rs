//! Blocks: macros, repetition and conditions, and the replacing of parameters in their text.

use std::rc::Rc;

use super::diagnostic::{Fault, Problem};
use super::expression::{self, Scope};
use super::lexer::Cursor;
use super::program::{MOST_CHARACTERS, Program};
use super::source::Statement;

/// A macro.
pub(crate) struct Macro {
    name: String,
    parameters: Vec<Parameter>,
    body: Vec<Statement>,
}

struct Parameter {
    name: String,
    default: String,
    /// `:req`
    required: bool,
    /// `:vararg`: takes all that is left, commas included.
    rest: bool,
}

const REPEATS: [&str; 2] = [".rept", ".irp"];
const CONDITIONS: [&str; 7] = [".if", ".ifne", ".ifeq", ".ifdef", ".ifndef", ".ifb", ".ifnb"];

/// The directives that begin or end a block, for suggestions.
pub(crate) fn block_directives() -> impl Iterator<Item = &'static str> {
    let ends = [".macro", ".endm", ".endr", ".else", ".elseif", ".endif"];
    REPEATS.into_iter().chain(CONDITIONS).chain(ends)
}

impl Program<'_> {
    /// Runs the block that `name` begins, taking it from `rest`; `false` if it begins none.
    pub(crate) fn block(
        &mut self,
        name: &str,
        at: usize,
        cursor: &mut Cursor<'_>,
        rest: &mut &[Statement],
    ) -> Result<bool, Fault> {
        let fault = |problem| Fault::new(at, problem);
        if name == ".macro" {
            let body = take_block(name, &[".macro"], ".endm", rest).map_err(fault)?;
            self.define_macro(cursor, body)?;
        } else if REPEATS.contains(&name) {
            let body = take_block(name, &REPEATS, ".endr", rest).map_err(fault)?;
            self.repeat(name, at, cursor, body)?;
        } else if CONDITIONS.contains(&name) {
            let body = take_block(name, &CONDITIONS, ".endif", rest).map_err(fault)?;
            let holds = self.condition(name, cursor)?;
            self.branches(holds, at, body)?;
        } else if matches!(name, ".endm" | ".endr" | ".else" | ".elseif" | ".endif") {
            return Err(fault(Problem::StrayEnd(name.to_string())));
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn define_macro(&mut self, cursor: &mut Cursor<'_>, body: &[Statement]) -> Result<(), Fault> {
        let name = cursor.name("the name of the macro")?.to_string();
        cursor.eat(",");
        let mut parameters = Vec::new();
        while !cursor.is_end() {
            parameters.push(parameter(cursor)?);
            cursor.eat(",");
        }
        self.macros.insert(
            name.clone(),
            Rc::new(Macro {
                name,
                parameters,
                body: body.to_vec(),
            }),
        );
        Ok(())
    }

    /// Replaces the use of a macro by its body.
    pub(crate) fn expand(&mut self, name: &str, at: usize, text: &str, s: &Statement) -> Result<(), Fault> {
        let Some(definition) = self.macros.get(name).cloned() else {
            return Ok(());
        };
        let arguments = definition
            .arguments(text)
            .map_err(|problem| Fault::new(at, problem))?;
        let count = self.uses;
        self.uses += 1;
        let names = definition
            .parameters
            .iter()
            .map(|parameter| parameter.name.as_str());
        let bindings: Vec<(&str, &str)> = names.zip(arguments.iter().map(String::as_str)).collect();
        self.run_replaced(&definition.body, &bindings, count, Some(s))
            .map_err(|problem| Fault::new(at, problem))
    }

    /// Runs `body` with parameters replaced; its statements stand where `user` stands, if there is one.
    fn run_replaced(
        &mut self,
        body: &[Statement],
        bindings: &[(&str, &str)],
        count: u32,
        user: Option<&Statement>,
    ) -> Result<(), Problem> {
        let mut statements = Vec::with_capacity(body.len());
        for statement in body {
            let text = replace(&statement.text, bindings, count);
            self.charge(text.len() + 1)?;
            let place = user.unwrap_or(statement);
            statements.push(Statement {
                text: text.into(),
                at: place.at,
                expanded: true,
            });
        }
        self.run_inside(&statements)
    }

    /// `.rept count` and `.irp name, value, ...`
    fn repeat(
        &mut self,
        name: &str,
        at: usize,
        cursor: &mut Cursor<'_>,
        body: &[Statement],
    ) -> Result<(), Fault> {
        let fault = |problem| Fault::new(at, problem);
        if name == ".rept" {
            for _ in 0..self.constant(cursor, "the count of '.rept'")?.max(0) {
                self.charge(1)
                    .and_then(|()| self.run_inside(body))
                    .map_err(fault)?;
            }
            return Ok(());
        }
        let parameter = cursor.name("the name of a parameter")?;
        cursor.eat(",");
        for value in split_arguments(cursor.rest(), usize::MAX) {
            let count = self.uses;
            self.uses += 1;
            self.run_replaced(body, &[(parameter, value)], count, None)
                .map_err(fault)?;
        }
        Ok(())
    }

    fn condition(&mut self, name: &str, cursor: &mut Cursor<'_>) -> Result<bool, Fault> {
        Ok(match name {
            ".ifdef" | ".ifndef" => {
                let symbol = cursor.name("a symbol")?;
                self.symbols.contains_key(symbol) == (name == ".ifdef")
            }
            ".ifb" | ".ifnb" => cursor.is_end() == (name == ".ifb"),
            _ => (self.constant(cursor, "a condition")? != 0) == (name != ".ifeq"),
        })
    }

    /// Runs the branch whose condition holds, the first of them if `holds`.
    fn branches(&mut self, mut holds: bool, at: usize, body: &[Statement]) -> Result<(), Fault> {
        let mut body = body;
        while !holds {
            let Some(next) = find_at_this_depth(body, &CONDITIONS, ".endif", &[".else", ".elseif"]) else {
                return Ok(());
            };
            let (statement, after) = (&body[next], &body[next + 1..]);
            body = after;
            holds = statement.keyword() == ".else" || self.elseif(statement);
        }
        let end =
            find_at_this_depth(body, &CONDITIONS, ".endif", &[".else", ".elseif"]).unwrap_or(body.len());
        self.run_inside(&body[..end])
            .map_err(|problem| Fault::new(at, problem))
    }

    /// Whether the condition of an `.elseif` holds; one that cannot be read does not.
    fn elseif(&mut self, statement: &Statement) -> bool {
        let holds = super::lexer::tokens(&statement.text).and_then(|tokens| {
            let mut cursor = Cursor::new(&tokens, &statement.text);
            cursor.next();
            self.condition(".if", &mut cursor)
        });
        holds.unwrap_or_else(|fault| {
            self.report(statement, fault);
            false
        })
    }

    /// A number that must be known here.
    pub(crate) fn constant(&self, cursor: &mut Cursor<'_>, what: &'static str) -> Result<i64, Fault> {
        let at = cursor.at();
        let scope: &dyn Scope = self;
        let expression = expression::parse(cursor, scope)?;
        expression
            .number()
            .ok_or_else(|| Fault::new(at, Problem::NotConstant(what)))
    }
}

impl Macro {
    /// The value of each parameter: by name, or by position.
    fn arguments(&self, text: &str) -> Result<Vec<String>, Problem> {
        let mut values: Vec<Option<&str>> = vec![None; self.parameters.len()];
        let too_many = || Problem::TooManyArguments {
            name: self.name.clone(),
            expected: self.parameters.len(),
        };
        let takes_rest = self.parameters.last().is_some_and(|parameter| parameter.rest);
        let most = if takes_rest {
            self.parameters.len()
        } else {
            usize::MAX
        };
        for (i, written) in split_arguments(text, most).into_iter().enumerate() {
            let named = written.split_once('=').and_then(|(name, value)| {
                let i = self
                    .parameters
                    .iter()
                    .position(|parameter| parameter.name == name.trim())?;
                Some((i, value.trim()))
            });
            let (i, value) = named.unwrap_or((i, written));
            // As in GNU as, quotes hold an argument together and are no part of it.
            let inner = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
            let value = inner.unwrap_or(value);
            *values.get_mut(i).ok_or_else(too_many)? = Some(value).filter(|value| !value.is_empty());
        }
        let take = |(parameter, value): (&Parameter, Option<&str>)| match value {
            None if parameter.required => Err(Problem::MissingArgument {
                name: self.name.clone(),
                parameter: parameter.name.clone(),
            }),
            _ => Ok(value.unwrap_or(&parameter.default).to_string()),
        };
        self.parameters.iter().zip(values).map(take).collect()
    }
}

/// `name`, `name=default`, `name:req` or `name:vararg`
fn parameter(cursor: &mut Cursor<'_>) -> Result<Parameter, Fault> {
    let name = cursor.name("the name of a parameter")?.to_string();
    let (mut required, mut rest) = (false, false);
    if cursor.eat(":") {
        match cursor.clone().name("")? {
            "req" => required = true,
            "vararg" => rest = true,
            _ => return Err(cursor.expected("'req' or 'vararg'")),
        }
        cursor.next();
    }
    let mut default = String::new();
    if cursor.eat("=") {
        let text = cursor.rest();
        let end = text.find([',', ' ']).unwrap_or(text.len());
        default = text[..end].to_string();
        let stop = cursor.at() + end;
        while !cursor.is_end() && cursor.at() < stop {
            cursor.next();
        }
    }
    Ok(Parameter {
        name,
        default,
        required,
        rest,
    })
}

/// Cuts at the commas that are in no parentheses and no string, into `most` parts at most.
fn split_arguments(text: &str, most: usize) -> Vec<&str> {
    if text.trim().is_empty() {
        return Vec::new();
    }
    let mut depth = 0;
    let mut quoted = false;
    let mut parts = Vec::new();
    let mut begin = 0;
    for (i, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 && parts.len() + 1 < most => {
                parts.push(text[begin..i].trim());
                begin = i + 1;
            }
            _ => {}
        }
    }
    parts.push(text[begin..].trim());
    parts
}

/// `text` with `\name`, `\@` and `\()` replaced.
fn replace(text: &str, bindings: &[(&str, &str)], count: u32) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(slash) = rest.find('\\') {
        out.push_str(&rest[..slash]);
        if out.len() > MOST_CHARACTERS {
            break; // The caller will find it too long.
        }
        let after = &rest[slash + 1..];
        let length = after
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(after.len());
        let bound = bindings.iter().find(|(name, _)| *name == &after[..length]);
        if let Some((_, value)) = bound {
            out.push_str(value);
            rest = &after[length..];
        } else if let Some(after) = after.strip_prefix('@') {
            out.push_str(&count.to_string());
            rest = after;
        } else if let Some(after) = after.strip_prefix("()") {
            rest = after;
        } else {
            out.push('\\');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

/// The statements up to the end of a block, which is dropped from `rest` with them.
fn take_block<'a>(
    begin: &str,
    begins: &[&str],
    end: &'static str,
    rest: &mut &'a [Statement],
) -> Result<&'a [Statement], Problem> {
    let Some(length) = find_at_this_depth(rest, begins, end, &[end]) else {
        // What is inside an open block was not meant for the place after it.
        *rest = &[];
        return Err(Problem::UnclosedBlock {
            begin: begin.to_string(),
            end,
        });
    };
    let (body, after) = rest.split_at(length);
    *rest = &after[1..];
    Ok(body)
}

/// The first of `wanted` that is not inside a block of the same kind.
fn find_at_this_depth(body: &[Statement], begins: &[&str], end: &str, wanted: &[&str]) -> Option<usize> {
    let mut depth = 0usize;
    body.iter().position(|statement| {
        let keyword = statement.keyword();
        if depth == 0 && wanted.contains(&keyword) {
            return true;
        }
        if begins.contains(&keyword) {
            depth += 1;
        } else if keyword == end {
            depth = depth.saturating_sub(1);
        }
        false
    })
}
