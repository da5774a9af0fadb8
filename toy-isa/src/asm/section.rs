//! Sections: what the program puts where, before addresses are known.

use super::diagnostic::Problem;
use super::encode::Unfinished;
use super::expression::Expression;
use super::source::Statement;

/// What a section may be used for; groups are laid out in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Group {
    Code,
    /// Code that is written, too.
    WritableCode,
    Constants,
    Data,
    /// Zeros that take no room in the file.
    Zero,
    /// Not part of the program's memory: notes, debugging information.
    Dropped,
}

impl Group {
    /// The group of a section without flags of its own.
    pub(crate) fn of_name(name: &str) -> Group {
        let is = |base: &str| {
            name.strip_prefix(base)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        if is(".text") {
            Group::Code
        } else if is(".rodata") || is(".srodata") {
            Group::Constants
        } else if is(".bss") || is(".sbss") {
            Group::Zero
        } else if is(".comment") || is(".note") || is(".riscv") || name.starts_with(".debug") {
            Group::Dropped
        } else {
            Group::Data
        }
    }

    /// The group of a section with these GNU flags and type.
    pub(crate) fn of_flags(flags: &str, nobits: bool) -> Group {
        match (flags.contains('a'), flags.contains('w'), flags.contains('x')) {
            (false, ..) => Group::Dropped,
            _ if nobits => Group::Zero,
            (_, true, true) => Group::WritableCode,
            (_, false, true) => Group::Code,
            (_, true, false) => Group::Data,
            (_, false, false) => Group::Constants,
        }
    }

    pub(crate) fn is_code(self) -> bool {
        matches!(self, Group::Code | Group::WritableCode)
    }
}

/// A place in the source that an error of the last pass can point at.
#[derive(Clone, Debug)]
pub(crate) struct Mark {
    pub(crate) statement: Statement,
    /// Byte offset in it.
    pub(crate) at: usize,
}

/// Bytes that wait for the value of an expression.
#[derive(Clone, Debug)]
pub(crate) struct Fixup {
    pub(crate) offset: u32,
    pub(crate) mark: Mark,
    pub(crate) what: Patch,
}

#[derive(Clone, Debug)]
pub(crate) enum Patch {
    Code(Unfinished),
    Data { size: usize, expression: Expression },
}

/// The instruction at `offset` comes from this line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LineMark {
    pub(crate) offset: u32,
    pub(crate) file: usize,
    pub(crate) line: u32,
}

/// A section.
#[derive(Clone, Debug)]
pub(crate) struct Section {
    pub(crate) name: String,
    pub(crate) group: Group,
    /// Contents; empty in [`Group::Zero`].
    pub(crate) bytes: Vec<u8>,
    pub(crate) size: u32,
    /// A power of two.
    pub(crate) align: u32,
    pub(crate) fixups: Vec<Fixup>,
    pub(crate) lines: Vec<LineMark>,
}

impl Section {
    pub(crate) fn new(name: &str, group: Group) -> Section {
        let align = if group.is_code() { 4 } else { 1 };
        let (bytes, fixups, lines) = (Vec::new(), Vec::new(), Vec::new());
        Section {
            name: name.to_string(),
            group,
            bytes,
            size: 0,
            align,
            fixups,
            lines,
        }
    }

    /// Appends contents. The caller has checked the limit of the program's size.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        if self.group == Group::Zero {
            if bytes.iter().any(|byte| *byte != 0) {
                return Err(Problem::ContentsInBss(self.name.clone()));
            }
        } else {
            self.bytes.extend_from_slice(bytes);
        }
        self.size += bytes.len() as u32;
        Ok(())
    }

    /// Appends `count` times the byte `fill`. The caller has checked the limit of the program's size.
    pub(crate) fn fill(&mut self, count: u32, fill: u8) -> Result<(), Problem> {
        if self.group == Group::Zero {
            if fill != 0 {
                return Err(Problem::ContentsInBss(self.name.clone()));
            }
        } else {
            self.bytes.resize(self.bytes.len() + count as usize, fill);
        }
        self.size += count;
        Ok(())
    }

    /// Appends padding: in code `nop`s, after zeros up to a multiple of 4, as GNU as does.
    pub(crate) fn pad(&mut self, count: u32, fill: Option<u8>) -> Result<(), Problem> {
        const NOP: u32 = 0x0000_0013;
        if let (true, None) = (self.group.is_code(), fill) {
            self.fill(count % 4, 0)?;
            return (0..count / 4).try_for_each(|_| self.push(&NOP.to_le_bytes()));
        }
        self.fill(count, fill.unwrap_or(0))
    }
}
