//! Line tables as DWARF: `.debug_line`, and as much of `.debug_info` as it takes to find it.

use std::collections::{HashMap, HashSet};

use gimli::write::{Address, AttributeValue, DwarfUnit, EndianVec, LineProgram, LineString, Sections};
use gimli::{Encoding, EndianSlice, Format, LineEncoding};
use object::LittleEndian;
use object::elf::FileHeader32;
use object::read::elf::{SectionHeader as _, SectionTable};

use super::lines::{LineRow, LineTable};

/// Limits against files that are small and describe much. A C library has a few hundred units.
const MOST_UNITS: usize = 4096;
const MOST_ROWS: usize = 1 << 20;
const LONGEST_NAME: usize = 1024;

type Slice<'a> = EndianSlice<'a, gimli::LittleEndian>;

/// The line table of an ELF file; what cannot be read is left out.
pub(super) fn read(sections: &SectionTable<'_, FileHeader32<LittleEndian>>, data: &[u8]) -> LineTable {
    let load = |id: gimli::SectionId| -> Result<Slice<'_>, gimli::Error> {
        let section = sections.section_by_name(LittleEndian, id.name().as_bytes());
        let bytes = section.and_then(|(_, section)| section.data(LittleEndian, data).ok());
        Ok(EndianSlice::new(bytes.unwrap_or_default(), gimli::LittleEndian))
    };
    let mut reader = Reader::default();
    if let Ok(dwarf) = gimli::Dwarf::load(load) {
        // After the first error nothing that follows can be trusted; what came before it can.
        let _ = reader.units(&dwarf);
    }
    LineTable::new(reader.files, reader.rows, reader.ends)
}

#[derive(Default)]
struct Reader {
    files: Vec<String>,
    /// The index of each of `files`.
    known: HashMap<String, u32>,
    rows: Vec<LineRow>,
    ends: Vec<u32>,
}

impl Reader {
    fn units(&mut self, dwarf: &gimli::Dwarf<Slice<'_>>) -> Result<(), gimli::Error> {
        let mut units = dwarf.units();
        // Units may share one program.
        let mut seen = HashSet::new();
        for _ in 0..MOST_UNITS {
            let Some(header) = units.next()?.filter(|_| self.has_room()) else {
                break;
            };
            let unit = dwarf.unit(header)?;
            if let Some(program) = unit.line_program.clone()
                && seen.insert(program.header().offset().0)
            {
                self.program(dwarf, &unit, program)?;
            }
        }
        Ok(())
    }

    fn program(
        &mut self,
        dwarf: &gimli::Dwarf<Slice<'_>>,
        unit: &gimli::Unit<Slice<'_>>,
        program: gimli::IncompleteLineProgram<Slice<'_>>,
    ) -> Result<(), gimli::Error> {
        let mut files = HashMap::new();
        let mut rows = program.rows();
        while self.has_room()
            && let Some((header, row)) = rows.next_row()?
        {
            let Ok(address) = u32::try_from(row.address()) else {
                continue;
            };
            if row.end_sequence() {
                self.ends.push(address);
                continue;
            }
            let file = *files.entry(row.file_index()).or_insert_with(|| {
                let name = row
                    .file(header)
                    .and_then(|file| file_name(dwarf, unit, header, file));
                self.intern(name.unwrap_or_else(|| "?".to_string()))
            });
            let line = row
                .line()
                .map_or(0, |line| u32::try_from(line.get()).unwrap_or(0));
            self.rows.push(LineRow { address, file, line });
        }
        Ok(())
    }

    fn has_room(&self) -> bool {
        self.rows.len() + self.ends.len() < MOST_ROWS
    }

    fn intern(&mut self, name: String) -> u32 {
        *self.known.entry(name).or_insert_with_key(|name| {
            self.files.push(name.clone());
            self.files.len() as u32 - 1
        })
    }
}

/// The name with its directory, unless that is where the compiler ran.
fn file_name(
    dwarf: &gimli::Dwarf<Slice<'_>>,
    unit: &gimli::Unit<Slice<'_>>,
    header: &gimli::LineProgramHeader<Slice<'_>>,
    file: &gimli::FileEntry<Slice<'_>>,
) -> Option<String> {
    let text = |value| {
        let slice = dwarf.attr_string(unit, value).ok()?;
        (slice.len() <= LONGEST_NAME).then(|| slice.to_string_lossy().into_owned())
    };
    let name = text(file.path_name())?;
    if file.directory_index() == 0 {
        return Some(name);
    }
    let directory = text(file.directory(header)?)?;
    Some(format!("{}/{name}", directory.trim_end_matches('/')))
}

/// The DWARF sections of a line table, by name; none if the table is empty.
pub(super) fn write(lines: &LineTable) -> Vec<(&'static str, Vec<u8>)> {
    let mut rows = lines.rows().iter().filter(|row| row.line != 0);
    let (Some(first), Some(last)) = (rows.next(), lines.rows().last()) else {
        return Vec::new();
    };
    // Version 4 needs no further sections for strings.
    let encoding = Encoding {
        format: Format::Dwarf32,
        version: 4,
        address_size: 4,
    };
    let mut dwarf = DwarfUnit::new(encoding);
    dwarf.unit.line_program = line_program(lines, encoding);
    let root = dwarf.unit.get_mut(dwarf.unit.root());
    let name = printable(&lines.files()[first.file as usize]);
    root.set(gimli::DW_AT_name, AttributeValue::String(name));
    root.set(gimli::DW_AT_comp_dir, AttributeValue::String(b".".to_vec()));
    root.set(
        gimli::DW_AT_low_pc,
        AttributeValue::Address(Address::Constant(first.address.into())),
    );
    root.set(
        gimli::DW_AT_high_pc,
        AttributeValue::Udata((last.address - first.address).into()),
    );

    let mut sections = Sections::new(EndianVec::new(gimli::LittleEndian));
    let mut out = Vec::new();
    let written = dwarf.write(&mut sections).and_then(|()| {
        sections.for_each(|id, section| {
            if !section.slice().is_empty() {
                out.push((id.name(), section.slice().to_vec()));
            }
            Ok(())
        })
    });
    // Debugging information is a help, not a part of the program.
    if written.is_ok() { out } else { Vec::new() }
}

fn line_program(lines: &LineTable, encoding: Encoding) -> LineProgram {
    let line_encoding = LineEncoding {
        minimum_instruction_length: 4,
        ..LineEncoding::default()
    };
    let here = LineString::String(b".".to_vec());
    let main = LineString::String(printable(lines.files().first().map_or("", String::as_str)));
    let mut program = LineProgram::new(encoding, line_encoding, here, None, main, None);
    let directory = program.default_directory();
    let mut add = |name: &String| program.add_file(LineString::String(printable(name)), directory, None);
    let files: Vec<_> = lines.files().iter().map(&mut add).collect();
    let mut begin = 0;
    for row in lines.rows() {
        // Addresses in the table are counted in instructions from the beginning of a sequence.
        if row.line == 0 || program.in_sequence() && (row.address - begin) % 4 != 0 {
            if program.in_sequence() {
                program.end_sequence(u64::from(row.address - begin).next_multiple_of(4));
            }
            continue;
        }
        if !program.in_sequence() {
            begin = row.address;
            program.begin_sequence(Some(Address::Constant(begin.into())));
        }
        let next = program.row();
        next.address_offset = u64::from(row.address - begin);
        next.file = files[row.file as usize];
        next.line = u64::from(row.line);
        program.generate_row();
    }
    if program.in_sequence() {
        let last = lines.rows().last().map_or(begin, |row| row.address);
        program.end_sequence(u64::from(last - begin).next_multiple_of(4) + 4);
    }
    program
}

/// A name as DWARF can hold it: not empty, and without zero bytes.
fn printable(name: &str) -> Vec<u8> {
    let name = if name.is_empty() { "?" } else { name };
    name.bytes()
        .map(|byte| if byte == 0 { b'?' } else { byte })
        .collect()
}
