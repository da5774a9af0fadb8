//! Program images: what the assembler makes, what gcc makes, and what a machine loads.

mod dwarf;
mod elf;
mod elf_write;
mod lines;

pub use elf::ImageError;
pub use lines::{LineRow, LineTable};

use crate::instruction::Registers;

/// A program, ready to be loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image {
    /// Address of the first instruction.
    pub entry: u32,
    /// How many registers it is compiled for: Ring32's sixteen, or those of a foreign processor.
    pub registers: Registers,
    /// Contents of memory. They do not overlap.
    pub segments: Vec<Segment>,
    /// In the order of their addresses.
    pub symbols: Vec<Symbol>,
    /// Which source line an instruction comes from.
    pub lines: LineTable,
}

/// A part of the address space; virtual and physical address are the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Segment {
    /// Where it begins. `address + size` is at most 2^32.
    pub address: u32,
    /// Its first bytes.
    pub bytes: Vec<u8>,
    /// Its size in memory, at least that of `bytes`; the rest is zero.
    pub size: u32,
    /// Whether it may be read.
    pub read: bool,
    /// Whether it may be written.
    pub write: bool,
    /// Whether it may be executed.
    pub execute: bool,
}

/// A name for a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// Its name.
    pub name: String,
    /// Its value.
    pub address: u32,
    /// The size of what it names, 0 if that is not known.
    pub size: u32,
    /// Whether other files could see it.
    pub global: bool,
    /// What it names.
    pub kind: SymbolKind,
}

/// What a symbol names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SymbolKind {
    /// A place, of which nothing more is known.
    Label,
    /// A function.
    Function,
    /// A variable.
    Object,
    /// No place but a number, as by `.equ`.
    Absolute,
}

impl Image {
    /// The word at an address, if the image has all of its bytes.
    pub fn word(&self, address: u32) -> Option<u32> {
        let segment = self.segments.iter().find(|segment| segment.contains(address))?;
        let offset = (address - segment.address) as usize;
        let bytes = segment.bytes.get(offset..offset.checked_add(4)?)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    }

    /// The symbol of this name; a global one before a local one.
    pub fn symbol(&self, name: &str) -> Option<&Symbol> {
        let named = || self.symbols.iter().filter(|symbol| symbol.name == name);
        named().find(|symbol| symbol.global).or_else(|| named().next())
    }

    /// The symbol that an address is best told by, and the distance to it: the nearest one at or below the
    /// address in the same segment. Of several at one place, a function or variable before a label, and a
    /// global one before a local one.
    pub fn symbolize(&self, address: u32) -> Option<(&Symbol, u32)> {
        let segment = self.segments.iter().find(|segment| segment.contains(address))?;
        let reachable = segment.address..=address;
        let best = self
            .symbols
            .iter()
            .filter(|symbol| symbol.kind != SymbolKind::Absolute && reachable.contains(&symbol.address))
            .max_by_key(|symbol| (symbol.address, symbol.kind != SymbolKind::Label, symbol.global))?;
        Some((best, address - best.address))
    }
}

impl Segment {
    /// Whether the address lies in it.
    pub fn contains(&self, address: u32) -> bool {
        address
            .checked_sub(self.address)
            .is_some_and(|offset| offset < self.size)
    }
}

#[cfg(test)]
mod tests;
