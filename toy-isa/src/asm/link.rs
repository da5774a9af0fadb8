//! The second pass: gives sections their addresses, symbols their values and instructions their immediates.

use std::collections::{BTreeMap, HashMap};

use super::diagnostic::{Diagnostic, Fault, Problem};
use super::directive;
use super::expression::{Names, Value};
use super::operand::Modifier;
use super::program::{Program, diagnostic, name_for_people};
use super::section::{Fixup, Group, Patch, Section};
use super::{Options, Source};
use crate::image::{Image, LineRow, LineTable, Segment, Symbol, SymbolKind};
use crate::instruction::Registers;

/// Groups begin on pages of their own, so that a loader can protect them.
const PAGE: u64 = 4096;
/// How many `.equ` may hang on each other.
const LONGEST_CHAIN: usize = 16;

/// Makes an image of a program that was read.
///
/// # Errors
/// All errors of both passes, in the order of their places.
pub(crate) fn link(
    mut program: Program<'_>,
    sources: &[Source],
    options: &Options,
) -> Result<Image, Vec<Diagnostic>> {
    let mut errors = std::mem::take(&mut program.diagnostics);
    let image = lay_out(&program.sections, options.origin).map(|bases| {
        let mut resolver = Resolver {
            program: &program,
            bases,
            values: HashMap::new(),
            chain: 0,
        };
        let contents = resolver.patch(sources, &mut errors);
        resolver.image(contents, sources, options)
    });
    match image {
        Some(image) if errors.is_empty() => Ok(image),
        Some(_) => Err(errors),
        None => {
            errors.push(Diagnostic {
                file: sources
                    .first()
                    .map_or_else(String::new, |source| source.name.clone()),
                line: 1,
                column: 1,
                problem: Problem::AddressSpace(options.origin),
                suggestion: None,
                expansion: None,
                source_line: String::new(),
            });
            Err(errors)
        }
    }
}

/// The address of each section; `None` if they do not fit below 2^32.
fn lay_out(sections: &[Section], origin: u32) -> Option<Vec<u32>> {
    let mut order: Vec<usize> = (0..sections.len()).collect();
    order.sort_by_key(|i| sections[*i].group);
    let mut bases = vec![0; sections.len()];
    let mut next = u64::from(origin);
    let mut group = Group::Code;
    for i in order {
        let section = &sections[i];
        if section.group == Group::Dropped {
            continue;
        }
        // Zeros have the permissions of the data before them.
        let same_page = section.group == group || (group, section.group) == (Group::Data, Group::Zero);
        let align = if same_page || section.size == 0 {
            u64::from(section.align)
        } else {
            PAGE
        };
        if section.size != 0 {
            group = section.group;
        }
        next = next.next_multiple_of(align.max(u64::from(section.align)));
        bases[i] = u32::try_from(next).ok()?;
        next += u64::from(section.size);
    }
    (next <= 1 << 32).then_some(bases)
}

struct Resolver<'p> {
    program: &'p Program<'p>,
    bases: Vec<u32>,
    /// Symbols that are done; `None` while one is being resolved.
    values: HashMap<String, Option<i64>>,
    chain: usize,
}

impl Names for Resolver<'_> {
    fn address(&self, value: Value) -> i64 {
        match value {
            Value::Number(number) => number,
            Value::Place { section, offset } => i64::from(self.bases[section]).wrapping_add(offset),
        }
    }

    fn symbol(&mut self, name: &str) -> Result<i64, Problem> {
        let people = || name_for_people(name).to_string();
        match self.values.get(name) {
            Some(Some(value)) => return Ok(*value),
            Some(None) => return Err(Problem::CircularSymbol(people())),
            None if self.chain == LONGEST_CHAIN => return Err(Problem::CircularSymbol(people())),
            None => {}
        }
        let program = self.program;
        let definition = program
            .symbols
            .get(name)
            .ok_or_else(|| match name.contains('@') {
                true => Problem::UndefinedLabel(people()),
                false => Problem::UndefinedSymbol(people()),
            })?;
        self.values.insert(name.to_string(), None);
        self.chain += 1;
        let value = definition.value.resolve(self);
        self.chain -= 1;
        match &value {
            Ok(value) => self.values.insert(name.to_string(), Some(*value)),
            Err(_) => self.values.remove(name),
        };
        value
    }
}

impl Resolver<'_> {
    /// The contents of all sections, complete.
    fn patch(&mut self, sources: &[Source], errors: &mut Vec<Diagnostic>) -> Vec<Vec<u8>> {
        /// Beyond this many, more undefined symbols tell nothing new.
        const MOST_ERRORS: usize = 100;
        let program = self.program;
        let partners = self.partners();
        let mut contents: Vec<Vec<u8>> = program
            .sections
            .iter()
            .map(|section| section.bytes.clone())
            .collect();
        for (i, section) in program.sections.iter().enumerate() {
            for fixup in &section.fixups {
                let pc = self.bases[i].wrapping_add(fixup.offset);
                match self.bytes(fixup, pc, &partners) {
                    Ok((bytes, size)) => {
                        let begin = fixup.offset as usize;
                        // A fixup in a section of zeros was an error when it was made.
                        if let Some(place) = contents[i].get_mut(begin..begin + size) {
                            place.copy_from_slice(&bytes[..size]);
                        }
                    }
                    Err(problem) if errors.len() < MOST_ERRORS => {
                        let fault = self.with_suggestion(Fault::new(fixup.mark.at, problem));
                        errors.push(diagnostic(sources, &fixup.mark.statement, fault));
                    }
                    Err(_) => {}
                }
            }
        }
        errors.sort_by_key(|error| {
            (
                sources.iter().position(|source| source.name == error.file),
                error.line,
                error.column,
            )
        });
        contents
    }

    fn with_suggestion(&self, fault: Fault) -> Fault {
        match fault.problem.clone() {
            Problem::UndefinedSymbol(name) => {
                let named = self.program.symbols.keys().filter(|symbol| !symbol.contains('@'));
                fault.suggest(&name, named.map(String::as_str))
            }
            _ => fault,
        }
    }

    /// The distance that each `%pcrel_hi` has, by the address of its instruction.
    fn partners(&mut self) -> HashMap<u32, i64> {
        let mut partners = HashMap::new();
        for (i, section) in self.program.sections.iter().enumerate() {
            for fixup in &section.fixups {
                if let Patch::Code(unfinished) = &fixup.what
                    && unfinished.immediate.modifier == Modifier::PcrelHi
                    && let Ok(target) = unfinished.immediate.expression.resolve(self)
                {
                    let pc = self.bases[i].wrapping_add(fixup.offset);
                    partners.insert(pc, target.wrapping_sub(i64::from(pc)));
                }
            }
        }
        partners
    }

    /// What a fixup puts in its place, and how many bytes of it.
    fn bytes(
        &mut self,
        fixup: &Fixup,
        pc: u32,
        partners: &HashMap<u32, i64>,
    ) -> Result<([u8; 8], usize), Problem> {
        match &fixup.what {
            Patch::Data { size, expression } => {
                let number = directive::fitting(*size, expression.resolve(self)?)?;
                Ok((number.to_le_bytes(), *size))
            }
            Patch::Code(unfinished) => {
                let mut value = unfinished.immediate.expression.resolve(self)?;
                if unfinished.immediate.modifier == Modifier::PcrelLo {
                    let partner = value as u32;
                    value = *partners.get(&partner).ok_or(Problem::NoPcrelHi(partner))?;
                }
                Ok((u64::from(unfinished.finish(pc, value)?).to_le_bytes(), 4))
            }
        }
    }

    fn image(&mut self, contents: Vec<Vec<u8>>, sources: &[Source], options: &Options) -> Image {
        let symbols = self.symbols();
        let start = symbols.iter().find(|symbol| symbol.name == "_start");
        Image {
            entry: start.map_or(options.origin, |symbol| symbol.address),
            registers: Registers::Sixteen,
            segments: self.segments(contents),
            lines: self.lines(sources),
            symbols,
        }
    }

    /// One segment for the sections of one group; zeros go with the data, if there are any.
    fn segments(&self, contents: Vec<Vec<u8>>) -> Vec<Segment> {
        let mut groups: BTreeMap<Group, Segment> = BTreeMap::new();
        let sections = &self.program.sections;
        let mut order: Vec<usize> = (0..sections.len()).filter(|i| sections[*i].size != 0).collect();
        order.sort_by_key(|i| self.bases[*i]);
        for i in order {
            let Section { group, size, .. } = sections[i];
            if group == Group::Dropped {
                continue;
            }
            let key = if group == Group::Zero && groups.contains_key(&Group::Data) {
                Group::Data
            } else {
                group
            };
            let segment = groups.entry(key).or_insert_with(|| Segment {
                address: self.bases[i],
                bytes: Vec::new(),
                size: 0,
                read: true,
                write: matches!(group, Group::WritableCode | Group::Data | Group::Zero),
                execute: group.is_code(),
            });
            let offset = self.bases[i] - segment.address;
            if group != Group::Zero {
                segment.bytes.resize(offset as usize, 0);
                segment.bytes.extend_from_slice(&contents[i]);
            }
            segment.size = offset + size;
        }
        groups.into_values().collect()
    }

    fn symbols(&mut self) -> Vec<Symbol> {
        let program = self.program;
        let mut symbols = Vec::new();
        for (name, definition) in &program.symbols {
            // Numeric labels, and by the convention of GNU as what begins with `.L`, are not for debuggers.
            if name.contains('@') || name.starts_with(".L") {
                continue;
            }
            let Ok(value) = self.symbol(name) else { continue };
            let attributes = program.attributes.get(name);
            let is_place = matches!(
                definition.value,
                super::expression::Expression::Known(Value::Place { .. })
            );
            let kind = attributes.and_then(|a| a.kind).unwrap_or(SymbolKind::Label);
            let size = attributes
                .and_then(|a| a.size.as_ref())
                .and_then(|size| size.resolve(self).ok());
            symbols.push(Symbol {
                name: name.clone(),
                address: value as u32,
                size: size.unwrap_or(0) as u32,
                global: attributes.is_some_and(|a| a.global),
                kind: if is_place { kind } else { SymbolKind::Absolute },
            });
        }
        symbols.sort_by(|a, b| (a.address, &a.name).cmp(&(b.address, &b.name)));
        symbols
    }

    fn lines(&self, sources: &[Source]) -> LineTable {
        let mut rows = Vec::new();
        let mut ends = Vec::new();
        for (section, base) in self.program.sections.iter().zip(&self.bases) {
            if section.group == Group::Dropped || section.lines.is_empty() {
                continue;
            }
            rows.extend(section.lines.iter().map(|mark| LineRow {
                address: base + mark.offset,
                file: mark.file as u32,
                line: mark.line,
            }));
            ends.extend(base.checked_add(section.size));
        }
        LineTable::new(
            sources.iter().map(|source| source.name.clone()).collect(),
            rows,
            ends,
        )
    }
}
