//! Places in the program that runs: names, and lines of sources. All texts are safe for a terminal.

use scenarios::terminal::escape_line;
use toy_isa::image::{Symbol, SymbolKind};
use vmm_core::timeline::{Breakpoint, Point};

use super::Session;

impl Session {
    /// Where the image has what the guest has at this address: they differ where the guest relocates.
    fn in_image(&self, address: u32) -> u32 {
        let csr = self.run().guest().hart.csr;
        match csr.paging() {
            true => address,
            false => address.wrapping_add(csr.relocation()),
        }
    }

    /// `symbol+0x4`, if there is a symbol at or before an address of the guest's.
    pub fn near(&self, address: u32) -> Option<String> {
        let (symbol, offset) = self.program().0.symbolize(self.in_image(address))?;
        let name = escape_line(symbol.name.as_bytes());
        Some(match offset {
            0 => name,
            offset => format!("{name}+{offset:#x}"),
        })
    }

    /// The same, if there is code: what a return address on a stack looks like.
    pub fn near_code(&self, address: u32) -> Option<String> {
        let place = self.in_image(address);
        let mut code = self.program().0.segments.iter().filter(|segment| segment.execute);
        code.any(|segment| segment.contains(place))
            .then(|| self.near(address))
            .flatten()
    }

    /// A breakpoint, with the symbol that its address is near.
    pub fn describe(&self, breakpoint: &Breakpoint) -> String {
        let near = match breakpoint.point {
            Point::Address(address) | Point::Write(address) => self.near(address),
            _ => None,
        };
        let near = near.map(|near| format!("  {near}")).unwrap_or_default();
        format!("{breakpoint}{near}")
    }

    /// The name of exactly this place, if it has one: of several, one that others can see.
    pub fn label(&self, address: u32) -> Option<String> {
        let place = self.in_image(address);
        let symbols = &self.program().0.symbols;
        let first = symbols.partition_point(|symbol| symbol.address < place);
        let here = symbols[first..]
            .iter()
            .take_while(|symbol| symbol.address == place);
        let names = here.filter(|symbol| symbol.kind != SymbolKind::Absolute);
        let best: Option<&Symbol> =
            names.max_by_key(|symbol| (symbol.kind != SymbolKind::Label, symbol.global));
        best.map(|symbol| escape_line(symbol.name.as_bytes()))
    }

    /// File, line, and the text of the line that the instruction at this address comes from.
    pub fn source_of(&self, address: u32) -> Option<(String, u32, String)> {
        let (image, sources) = self.program();
        let (file, line) = image.lines.find(self.in_image(address))?;
        let source = sources.iter().find(|source| source.name == file);
        let text = source.and_then(|source| source.text.lines().nth(line.checked_sub(1)? as usize));
        // Blanks that align columns would only take room.
        let words: Vec<&str> = text.unwrap_or_default().split_whitespace().collect();
        Some((
            escape_line(file.as_bytes()),
            line,
            escape_line(words.join(" ").as_bytes()),
        ))
    }
}
