//! Places in a program: the instruction at an address, its symbol, the line of the source that it comes from.

use std::collections::HashMap;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::json;
use toy_isa::asm::Source;
use toy_isa::disasm::disassemble_for;
use toy_isa::image::{Image, SymbolKind};
use toy_isa::trap::Cause;
use vmm_core::event::{Event, Record};

use crate::terminal::escape_line;

/// A program with what is known of where it comes from.
pub struct Listing<'a> {
    image: &'a Image,
    /// The lines of its sources by their names, as far as they are at hand.
    sources: HashMap<&'a str, Vec<&'a str>>,
}

/// What is known of one address.
#[derive(Clone, Debug, Serialize)]
pub struct Place {
    /// The address.
    pub address: u32,
    /// The nearest symbol at or below it.
    pub symbol: Option<String>,
    /// The distance to the symbol.
    pub offset: Option<u32>,
    /// The word that stands there in the image.
    pub word: Option<u32>,
    /// The word as an instruction.
    pub instruction: Option<String>,
    /// The file that it comes from.
    pub file: Option<String>,
    /// The line of the file.
    pub line: Option<u32>,
    /// The text of the line.
    pub source: Option<String>,
}

impl Place {
    /// `symbol+0x4`, or the address.
    pub fn name(&self) -> String {
        self.near().unwrap_or(format!("{:#010x}", self.address))
    }

    /// `symbol+0x4`, if there is a symbol.
    pub fn near(&self) -> Option<String> {
        let symbol = escape_line(self.symbol.as_ref()?.as_bytes());
        Some(match self.offset? {
            0 => symbol,
            offset => format!("{symbol}+{offset:#x}"),
        })
    }
}

impl<'a> Listing<'a> {
    /// A listing of this program, with those of its sources that are at hand.
    pub fn new(image: &'a Image, sources: &'a [Source]) -> Listing<'a> {
        let lines = |source: &'a Source| (source.name.as_str(), source.text.lines().collect());
        Listing {
            image,
            sources: sources.iter().map(lines).collect(),
        }
    }

    /// The program.
    pub fn image(&self) -> &'a Image {
        self.image
    }

    /// The text of an instruction of this program, as it stands at this address.
    pub fn instruction(&self, word: u32, address: u32) -> String {
        disassemble_for(self.image.registers, word, address)
    }

    /// What is known of an address.
    pub fn place(&self, address: u32) -> Place {
        let symbol = self.image.symbolize(address);
        Place {
            symbol: symbol.map(|(symbol, _)| symbol.name.clone()),
            offset: symbol.map(|(_, offset)| offset),
            ..self.bare_place(address, self.image.word(address))
        }
    }

    /// Where an event happened. Where the event has the instruction word itself, the image is not asked.
    pub fn place_of(&self, record: &Record) -> Place {
        let mut place = self.place(record.address());
        let word = match (&record.event, record.event.trap()) {
            (Event::Emulate { word, .. }, _) => Some(*word),
            (_, Some(trap)) if matches!(trap.cause, Cause::Illegal | Cause::Intercepted) => Some(trap.tval),
            _ => None,
        };
        place.word = word.or(place.word);
        // Where it stands for the guest: the targets of its jumps are the guest's too.
        place.instruction = place.word.map(|word| self.instruction(word, record.pc));
        place
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
    pub fn places(&self) -> impl Iterator<Item = Place> + '_ {
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

    fn source_line(&self, file: &str, line: u32) -> Option<String> {
        let text = self.sources.get(file)?.get(line.checked_sub(1)? as usize)?;
        // Blanks that align columns would only take room.
        Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// Names of this place.
    pub fn labels(&self, address: u32) -> impl Iterator<Item = String> + '_ {
        let symbols = &self.image.symbols;
        let first = symbols.partition_point(|symbol| symbol.address < address);
        symbols[first..]
            .iter()
            .take_while(move |symbol| symbol.address == address)
            .filter(|symbol| symbol.kind != SymbolKind::Absolute)
            .map(|symbol| symbol.name.clone())
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
