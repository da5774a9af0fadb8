//! Places in a program: the instruction at an address, its symbol, the line of the source that it comes from.

use std::collections::HashMap;

use scenarios::terminal::escape_line;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::json;
use toy_isa::asm::Source;
use toy_isa::disasm::disassemble_for;
use toy_isa::image::{Image, SymbolKind};

use crate::failure::Failure;
use crate::output::Output;
use crate::text::{WIDTH, counted, cut, exact};

/// A program with what is known of where it comes from.
pub(crate) struct Listing<'a> {
    image: &'a Image,
    /// The lines of its sources by their names, as far as they are at hand.
    sources: HashMap<&'a str, Vec<&'a str>>,
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
        self.near().unwrap_or(format!("{:#010x}", self.address))
    }

    /// `symbol+0x4`, if there is a symbol.
    pub(crate) fn near(&self) -> Option<String> {
        let symbol = escape_line(self.symbol.as_ref()?.as_bytes());
        Some(match self.offset? {
            0 => symbol,
            offset => format!("{symbol}+{offset:#x}"),
        })
    }
}

impl<'a> Listing<'a> {
    /// A listing of this program, with those of its sources that are at hand.
    pub(crate) fn new(image: &'a Image, sources: &'a [Source]) -> Listing<'a> {
        let lines = |source: &'a Source| (source.name.as_str(), source.text.lines().collect());
        Listing {
            image,
            sources: sources.iter().map(lines).collect(),
        }
    }

    /// The text of an instruction of this program, as it stands at this address.
    pub(crate) fn instruction(&self, word: u32, address: u32) -> String {
        disassemble_for(self.image.registers, word, address)
    }

    /// What is known of an address.
    pub(crate) fn place(&self, address: u32) -> Place {
        let symbol = self.image.symbolize(address);
        Place {
            symbol: symbol.map(|(symbol, _)| symbol.name.clone()),
            offset: symbol.map(|(_, offset)| offset),
            ..self.bare_place(address, self.image.word(address))
        }
    }

    /// What is known of an address that holds this word, without the search for a symbol.
    fn bare_place(&self, address: u32, word: Option<u32>) -> Place {
        let line = self.image.lines.find(address);
        Place {
            address,
            symbol: None,
            offset: None,
            word,
            instruction: word.map(|word| self.instruction(word, address)),
            file: line.map(|(file, _)| file.to_string()),
            line: line.map(|(_, line)| line),
            source: line.and_then(|(file, line)| self.source_line(file, line)),
        }
    }

    /// Every place in memory that can be executed, with the symbols that stand right there.
    fn places(&self) -> impl Iterator<Item = Place> + '_ {
        let code = self.image.segments.iter().filter(|segment| segment.execute);
        let words = code.flat_map(|segment| {
            let addresses = (segment.address..).step_by(4);
            addresses.zip(segment.bytes.chunks_exact(4))
        });
        words.map(|(address, bytes)| {
            let symbol = self.labels(address).next();
            Place {
                offset: symbol.as_ref().map(|_| 0),
                symbol,
                ..self.bare_place(address, bytes.try_into().ok().map(u32::from_le_bytes))
            }
        })
    }

    /// Prints all code, one line for each instruction: address, word, instruction, and the line of the source
    /// where it is another one than before. The name of the file stands above.
    pub(crate) fn print(&self, output: &Output) -> Result<(), Failure> {
        /// An image can be large, and its listing is many times larger: it is printed piece by piece.
        const PIECE: usize = 1 << 16;
        let mut text = String::new();
        let (mut last, mut first) = ((None, None), true);
        for place in self.places() {
            let here = (place.file.clone(), place.line);
            let mut head = String::new();
            if let (Some(file), true) = (&place.file, here.0 != last.0) {
                head += &format!("# {}\n", escape_line(file.as_bytes()));
            }
            for label in self.labels(place.address) {
                head += &format!("{:08x} <{}>:\n", place.address, escape_line(label.as_bytes()));
            }
            if !head.is_empty() && !first {
                text.push('\n');
            }
            first = false;
            text += &head;
            text += &line(&place, here != last);
            if text.len() > PIECE {
                output.text(&text)?;
                text.clear();
            }
            last = here;
        }
        output.text(&(text + &self.data()))
    }

    fn source_line(&self, file: &str, line: u32) -> Option<String> {
        let text = self.sources.get(file)?.get(line.checked_sub(1)? as usize)?;
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
            .map(|symbol| symbol.name.clone())
    }

    /// The parts of memory that are not code, one line each.
    fn data(&self) -> String {
        let data = self.image.segments.iter().filter(|segment| !segment.execute);
        let lines: Vec<String> = data
            .map(|segment| {
                let rights = if segment.write { "rw" } else { "r-" };
                let (address, size, bytes) = (segment.address, segment.size, segment.bytes.len());
                let size = counted(size.into(), "byte", "bytes");
                format!(
                    "{address:08x}  {rights}  {size}, {} of them in the file\n",
                    exact(bytes as u64)
                )
            })
            .collect();
        if lines.is_empty() {
            return String::new();
        }
        format!("\nData:\n{}", lines.concat())
    }
}

/// The line of a listing, with the line of the source if it is wanted.
fn line(place: &Place, with_source: bool) -> String {
    let instruction = place.instruction.as_deref().unwrap_or_default();
    let word = place.word.unwrap_or_default();
    let line = format!("  {:08x}  {word:08x}  {instruction}", place.address);
    match place.line {
        Some(number) if with_source => {
            let source = escape_line(place.source.as_deref().unwrap_or_default().as_bytes());
            cut(&format!("{line:<46}  # {number}  {source}"), WIDTH)
                .trim_end()
                .to_string()
                + "\n"
        }
        _ => line + "\n",
    }
}

/// As `--json` shows it: written piece by piece, as it is printed.
impl Serialize for Listing<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Code<'a>(&'a Listing<'a>);
        impl Serialize for Code<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_seq(self.0.places())
            }
        }
        let segments = self.image.segments.iter().map(|segment| {
            json!({
                "address": segment.address,
                "size": segment.size,
                "read": segment.read,
                "write": segment.write,
                "execute": segment.execute,
            })
        });
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("entry", &self.image.entry)?;
        map.serialize_entry("segments", &segments.collect::<Vec<_>>())?;
        map.serialize_entry("code", &Code(self))?;
        map.end()
    }
}
