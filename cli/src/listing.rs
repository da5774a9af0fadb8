//! Places in a program: the instruction at an address, its symbol, the line of the source that it comes from.

use scenarios::terminal::escape_line;
use serde::Serialize;
use toy_isa::asm::Source;
use toy_isa::disasm::disassemble;
use toy_isa::image::{Image, Segment, SymbolKind};

use crate::text::{WIDTH, cut};

/// A program with what is known of where it comes from.
pub(crate) struct Listing<'a> {
    /// The program.
    pub(crate) image: &'a Image,
    /// Its sources, as far as they are at hand.
    pub(crate) sources: &'a [Source],
}

/// What is known of one address.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Place {
    /// The address.
    pub(crate) address: u32,
    /// The nearest symbol at or below it.
    pub(crate) symbol: Option<String>,
    /// The distance to the symbol.
    pub(crate) offset: Option<u32>,
    /// The word that stands there in the image.
    pub(crate) word: Option<u32>,
    /// The word as an instruction.
    pub(crate) instruction: Option<String>,
    /// The file that it comes from.
    pub(crate) file: Option<String>,
    /// The line of the file.
    pub(crate) line: Option<u32>,
    /// The text of the line.
    pub(crate) source: Option<String>,
}

impl Place {
    /// `symbol+0x4`, or the address.
    pub(crate) fn name(&self) -> String {
        match (&self.symbol, self.offset) {
            (Some(symbol), Some(0)) => escape_line(symbol.as_bytes()),
            (Some(symbol), Some(offset)) => format!("{}+{offset:#x}", escape_line(symbol.as_bytes())),
            _ => format!("{:#010x}", self.address),
        }
    }
}

impl Listing<'_> {
    /// What is known of an address.
    pub(crate) fn place(&self, address: u32) -> Place {
        let symbol = self.image.symbolize(address);
        let line = self.image.lines.find(address);
        let word = self.word(address);
        Place {
            address,
            symbol: symbol.map(|(symbol, _)| symbol.name.clone()),
            offset: symbol.map(|(_, offset)| offset),
            word,
            instruction: word.map(|word| disassemble(word, address)),
            file: line.map(|(file, _)| file.to_string()),
            line: line.map(|(_, line)| line),
            source: line.and_then(|(file, line)| self.source_line(file, line)),
        }
    }

    /// Every place in memory that can be executed.
    pub(crate) fn places(&self) -> impl Iterator<Item = Place> + '_ {
        let code = self.image.segments.iter().filter(|segment| segment.execute);
        code.flat_map(|segment| {
            let words = segment.bytes.len() as u32 / 4;
            (0..words).map(|index| self.place(segment.address + 4 * index))
        })
    }

    /// All code, one line for each instruction: address, word, instruction, and the line of the source where it is
    /// another one than before. The name of the file stands above.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let mut last = (None, None);
        for place in self.places() {
            let here = (place.file.clone(), place.line);
            if let (Some(file), true) = (&place.file, here.0 != last.0) {
                text += &format!("\n# {}\n", escape_line(file.as_bytes()));
            }
            for label in self.labels(place.address) {
                text += &format!("\n{:08x} <{label}>:\n", place.address);
            }
            let instruction = place.instruction.as_deref().unwrap_or_default();
            let word = place.word.unwrap_or_default();
            let mut line = format!("  {:08x}  {word:08x}  {instruction}", place.address);
            if let (Some(number), true) = (place.line, here != last) {
                let source = escape_line(place.source.as_deref().unwrap_or_default().as_bytes());
                line = cut(&format!("{line:<46}  # {number}  {source}"), WIDTH)
                    .trim_end()
                    .to_string();
            }
            text += &line;
            text.push('\n');
            last = here;
        }
        text += &self.data();
        text.trim_start_matches('\n').to_string()
    }

    /// The word at an address of the image.
    fn word(&self, address: u32) -> Option<u32> {
        let within = |segment: &&Segment| segment.contains(address);
        let segment = self.image.segments.iter().find(within)?;
        let offset = (address - segment.address) as usize;
        let bytes = segment.bytes.get(offset..offset.checked_add(4)?)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    }

    fn source_line(&self, file: &str, line: u32) -> Option<String> {
        let source = self.sources.iter().find(|source| source.name == file)?;
        let text = source.text.lines().nth(line.checked_sub(1)? as usize)?;
        // Blanks that align columns would only take room.
        Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// Names of this place.
    fn labels(&self, address: u32) -> impl Iterator<Item = String> + '_ {
        let symbols = &self.image.symbols;
        let first = symbols.partition_point(|symbol| symbol.address < address);
        symbols[first..]
            .iter()
            .take_while(move |symbol| symbol.address == address)
            .filter(|symbol| symbol.kind != SymbolKind::Absolute)
            .map(|symbol| escape_line(symbol.name.as_bytes()))
    }

    /// The parts of memory that are not code, one line each.
    fn data(&self) -> String {
        let data = self.image.segments.iter().filter(|segment| !segment.execute);
        let lines: Vec<String> = data
            .map(|segment| {
                let rights = if segment.write { "rw" } else { "r-" };
                let (address, size, bytes) = (segment.address, segment.size, segment.bytes.len());
                format!("{address:08x}  {rights}  {size} bytes, {bytes} of them in the file\n")
            })
            .collect();
        if lines.is_empty() {
            return String::new();
        }
        format!("\nData:\n{}", lines.concat())
    }
}
