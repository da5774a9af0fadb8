//! Directives that are one statement.

use super::diagnostic::{Fault, Problem};
use super::encode::in_range;
use super::expression::{self, Expression};
use super::lexer::{Cursor, Token};
use super::macros;
use super::program::{MOST_BYTES, Program};
use super::section::{Group, Patch, Section};
use super::source::Statement;
use crate::image::SymbolKind;

#[derive(Clone, Copy)]
enum Directive {
    /// Goes to the section of the directive's own name.
    Named,
    Section,
    PushSection,
    PopSection,
    Previous,
    /// Numbers of so many bytes.
    Data(usize),
    /// Strings, with a zero byte after each or not.
    Text {
        zero: bool,
    },
    Space,
    Fill,
    /// Alignment to a power of two, given as its exponent.
    AlignPower,
    /// Alignment to a power of two, given as itself.
    AlignBytes,
    Org,
    Set,
    Global,
    Type,
    Size,
    Common,
    Include,
    Error,
    /// Accepted for the sake of programs written for GNU as, or by gcc; means nothing here.
    Ignored,
}

use Directive::*;

const DIRECTIVES: &[(&str, Directive)] = &[
    (".text", Named),
    (".rodata", Named),
    (".data", Named),
    (".bss", Named),
    (".section", Section),
    (".pushsection", PushSection),
    (".popsection", PopSection),
    (".previous", Previous),
    (".byte", Data(1)),
    (".half", Data(2)),
    (".short", Data(2)),
    (".2byte", Data(2)),
    (".word", Data(4)),
    (".long", Data(4)),
    (".4byte", Data(4)),
    (".quad", Data(8)),
    (".dword", Data(8)),
    (".8byte", Data(8)),
    (".ascii", Text { zero: false }),
    (".asciz", Text { zero: true }),
    (".string", Text { zero: true }),
    (".space", Space),
    (".skip", Space),
    (".zero", Space),
    (".fill", Fill),
    (".align", AlignPower),
    (".p2align", AlignPower),
    (".balign", AlignBytes),
    (".org", Org),
    (".equ", Set),
    (".set", Set),
    (".globl", Global),
    (".global", Global),
    (".weak", Global),
    (".type", Type),
    (".size", Size),
    (".comm", Common),
    (".lcomm", Common),
    (".include", Include),
    (".error", Error),
    (".option", Ignored),
    (".attribute", Ignored),
    (".file", Ignored),
    (".loc", Ignored),
    (".ident", Ignored),
    (".local", Ignored),
    (".hidden", Ignored),
    (".addrsig", Ignored),
    (".addrsig_sym", Ignored),
];

impl Program<'_> {
    /// Does what the directive `name` says; its operands come next.
    pub(crate) fn directive(
        &mut self,
        name: &str,
        at: usize,
        cursor: &mut Cursor<'_>,
        statement: &Statement,
    ) -> Result<(), Fault> {
        // Unwind tables describe frames to debuggers of other machines.
        if name.starts_with(".cfi_") {
            return Ok(());
        }
        let Some((_, directive)) = DIRECTIVES.iter().find(|(known, _)| *known == name) else {
            let known = DIRECTIVES
                .iter()
                .map(|(known, _)| *known)
                .chain(macros::block_directives());
            return Err(Fault::new(at, Problem::UnknownDirective(name.to_string())).suggest(name, known));
        };
        match directive {
            Ignored => return Ok(()),
            Named => self.go_to(name, Group::of_name(name)),
            Section => self.section_directive(cursor)?,
            PushSection => {
                self.section_stack.push((self.current, self.previous));
                self.section_directive(cursor)?;
            }
            PopSection => {
                let stray = || Fault::new(at, Problem::StrayEnd(name.to_string()));
                (self.current, self.previous) = self.section_stack.pop().ok_or_else(stray)?;
            }
            Previous => std::mem::swap(&mut self.current, &mut self.previous),
            Data(size) => list(cursor, |cursor| self.data(*size, cursor, statement))?,
            Text { zero } => list(cursor, |cursor| self.text(*zero, cursor))?,
            Space => self.space(cursor)?,
            Fill => self.fill(cursor)?,
            AlignPower | AlignBytes => self.align(*directive, cursor)?,
            Org => self.org(cursor)?,
            Set => self.set(cursor, statement)?,
            Global => list(cursor, |cursor| {
                let name = cursor.name("a symbol")?.to_string();
                self.attributes.entry(name).or_default().global = true;
                Ok(())
            })?,
            Type => self.type_of_symbol(cursor)?,
            Size => {
                let name = cursor.name("a symbol")?.to_string();
                cursor.expect(",")?;
                let size = expression::parse(cursor, self)?;
                self.attributes.entry(name).or_default().size = Some(size);
            }
            Common => self.common(cursor, statement)?,
            Include => self.include(cursor)?,
            Error => {
                let text = String::from_utf8_lossy(&cursor.string()?).into_owned();
                return Err(Fault::new(at, Problem::Stated(text)));
            }
        }
        cursor.expect_end()
    }

    /// Makes a section the current one; it is made if there is none of this name.
    fn go_to(&mut self, name: &str, group: Group) {
        let known = self.sections.iter().position(|section| section.name == name);
        let index = known.unwrap_or_else(|| {
            self.sections.push(Section::new(name, group));
            self.sections.len() - 1
        });
        self.previous = self.current;
        self.current = index;
    }

    /// `name, "flags", @type`, of which all but the name may be left out.
    fn section_directive(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        let name = match cursor.peek() {
            Token::Text(_) => String::from_utf8_lossy(&cursor.string()?).into_owned(),
            _ => cursor.name("the name of a section")?.to_string(),
        };
        let mut group = Group::of_name(&name);
        if cursor.eat(",") {
            let flags = String::from_utf8_lossy(&cursor.string()?).into_owned();
            let mut nobits = group == Group::Zero;
            if cursor.eat(",") {
                let _ = cursor.eat("@") || cursor.eat("%");
                nobits = cursor.name("'@progbits' or '@nobits'")? == "nobits";
            }
            group = Group::of_flags(&flags, nobits);
            // What else GNU as allows, an entry size or a group, changes nothing here.
            while !cursor.is_end() {
                cursor.next();
            }
        }
        self.go_to(&name, group);
        Ok(())
    }

    fn data(&mut self, size: usize, cursor: &mut Cursor<'_>, statement: &Statement) -> Result<(), Fault> {
        let at = cursor.at();
        let expression = expression::parse(cursor, self)?;
        let fault = |problem| Fault::new(at, problem);
        self.grow(size as u64).map_err(fault)?;
        let number = match expression.number() {
            Some(number) => fitting(size, number).map_err(fault)?,
            None => {
                self.fix_later(Patch::Data { size, expression }, at, statement);
                0
            }
        };
        self.section().push(&number.to_le_bytes()[..size]).map_err(fault)
    }

    fn text(&mut self, zero: bool, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        let at = cursor.at();
        let mut bytes = cursor.string()?;
        bytes.extend(zero.then_some(0));
        let fault = |problem| Fault::new(at, problem);
        self.grow(bytes.len() as u64).map_err(fault)?;
        self.section().push(&bytes).map_err(fault)
    }

    /// `.space count, fill`
    fn space(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        let at = cursor.at();
        let count = self.constant(cursor, "the size of '.space'")?;
        let fill = self.optional_byte(cursor)?.unwrap_or(0);
        self.reserve(count)
            .and_then(|count| self.section().fill(count, fill))
            .map_err(|p| Fault::new(at, p))
    }

    /// `.fill count, size, value`
    fn fill(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        let at = cursor.at();
        let fault = |problem| Fault::new(at, problem);
        let count = self.constant(cursor, "the count of '.fill'")?;
        let (mut size, mut value) = (1, 0);
        if cursor.eat(",") {
            size = self.constant(cursor, "the size of '.fill'")?;
            size = in_range("size", size, 0, 8).map_err(fault)?;
        }
        if cursor.eat(",") {
            value = self.constant(cursor, "the value of '.fill'")?;
        }
        self.reserve(count.saturating_mul(size)).map_err(fault)?;
        let bytes = &value.to_le_bytes()[..size as usize];
        // With size 0 there is nothing to write, however often.
        let times = if size == 0 { 0 } else { count };
        (0..times)
            .try_for_each(|_| self.section().push(bytes))
            .map_err(fault)
    }

    /// Checks a number of bytes that is to come.
    fn reserve(&mut self, count: i64) -> Result<u32, Problem> {
        let count = u64::try_from(count).map_err(|_| Problem::Range {
            what: "size",
            value: count,
            low: 0,
            high: i64::from(MOST_BYTES),
        })?;
        self.grow(count)?;
        Ok(count as u32)
    }

    fn optional_byte(&self, cursor: &mut Cursor<'_>) -> Result<Option<u8>, Fault> {
        if !cursor.eat(",") || cursor.peek() == Token::Mark(",") {
            return Ok(None);
        }
        Ok(Some(self.constant(cursor, "the fill value")? as u8))
    }

    /// `.balign boundary, fill, most`
    fn align(&mut self, directive: Directive, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        let at = cursor.at();
        let fault = |problem| Fault::new(at, problem);
        let number = self.constant(cursor, "the alignment")?;
        let boundary = if matches!(directive, AlignPower) {
            1 << in_range("exponent of the alignment", number, 0, 16).map_err(fault)?
        } else {
            number.max(1)
        };
        if boundary > 1 << 16 || boundary & (boundary - 1) != 0 {
            let expected = "a power of two, at most 65536".to_string();
            return Err(fault(Problem::Expected {
                expected,
                found: number.to_string(),
            }));
        }
        let fill = self.optional_byte(cursor)?;
        let most = if cursor.eat(",") {
            self.constant(cursor, "the greatest padding")?
        } else {
            i64::MAX
        };
        let boundary = boundary as u32;
        let padding = self.section().size.wrapping_neg() & (boundary - 1);
        if i64::from(padding) <= most {
            self.grow(u64::from(padding)).map_err(fault)?;
            let section = self.section();
            section.align = section.align.max(boundary);
            section.pad(padding, fill).map_err(fault)?;
        }
        Ok(())
    }

    /// Goes on at an offset of the section, which is given as a number or as a label of it.
    pub(crate) fn org(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        let at = cursor.at();
        let fault = |problem| Fault::new(at, problem);
        let to = match expression::parse(cursor, self)? {
            Expression::Known(expression::Value::Number(number)) => number,
            Expression::Known(expression::Value::Place { section, offset }) if section == self.current => {
                offset
            }
            _ => return Err(fault(Problem::NotConstant("the target of '.org'"))),
        };
        let fill = self.optional_byte(cursor)?.unwrap_or(0);
        let from = u64::from(self.section().size);
        let count = to.wrapping_sub(from as i64);
        if to < from as i64 {
            return Err(fault(Problem::OrgBackwards { from, to }));
        }
        self.reserve(count)
            .and_then(|count| self.section().fill(count, fill))
            .map_err(fault)
    }

    fn set(&mut self, cursor: &mut Cursor<'_>, statement: &Statement) -> Result<(), Fault> {
        let at = cursor.at();
        let name = cursor.name("a symbol")?.to_string();
        cursor.expect(",")?;
        let value = expression::parse(cursor, self)?;
        self.define(&name, value, false, statement)
            .map_err(|problem| Fault::new(at, problem))
    }

    /// `.type name, @function`
    fn type_of_symbol(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        let name = cursor.name("a symbol")?.to_string();
        cursor.expect(",")?;
        let _ = cursor.eat("@") || cursor.eat("%");
        let kind = match cursor.name("'@function' or '@object'")? {
            "function" | "STT_FUNC" => SymbolKind::Function,
            "object" | "STT_OBJECT" => SymbolKind::Object,
            _ => SymbolKind::Label,
        };
        self.attributes.entry(name).or_default().kind = Some(kind);
        Ok(())
    }

    /// `.comm name, size, alignment`: room in `.bss`.
    fn common(&mut self, cursor: &mut Cursor<'_>, statement: &Statement) -> Result<(), Fault> {
        let at = cursor.at();
        let fault = |problem| Fault::new(at, problem);
        let name = cursor.name("a symbol")?.to_string();
        cursor.expect(",")?;
        let size = self.constant(cursor, "the size")?;
        let before = (self.current, self.previous);
        self.go_to(".bss", Group::Zero);
        if cursor.eat(",") {
            self.align(AlignBytes, cursor)?;
        }
        let here = Expression::Known(expression::Scope::here(self));
        let defined = self.define(&name, here, true, statement);
        let filled = self.reserve(size).and_then(|size| self.section().fill(size, 0));
        (self.current, self.previous) = before;
        defined.and(filled).map_err(fault)
    }

    fn include(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        let at = cursor.at();
        let fault = |problem| Fault::new(at, problem);
        let name = String::from_utf8_lossy(&cursor.string()?).into_owned();
        let file = self
            .file(&name)
            .ok_or_else(|| fault(Problem::NoSuchSource(name)))?;
        self.run_inside(&file).map_err(fault)
    }
}

/// Reads items with commas between them, up to the end of the statement.
fn list(
    cursor: &mut Cursor<'_>,
    mut item: impl FnMut(&mut Cursor<'_>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    if cursor.is_end() {
        return Ok(());
    }
    loop {
        item(cursor)?;
        if !cursor.eat(",") {
            return Ok(());
        }
    }
}

/// A number that is to stand in `size` bytes, signed or unsigned.
pub(crate) fn fitting(size: usize, number: i64) -> Result<i64, Problem> {
    match size {
        8 => Ok(number),
        _ => in_range("number", number, -1 << (8 * size - 1), (1 << (8 * size)) - 1),
    }
}
