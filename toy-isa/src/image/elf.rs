//! Images as ELF files: ELF32, little-endian, RISC-V, executable.

use object::elf;
use object::read::elf::{FileHeader as _, ProgramHeader as _, SectionTable, Sym as _};
use object::write::StringId;
use object::write::elf::{FileHeader, ProgramHeader, SectionHeader, SectionIndex, Sym, Writer};
use object::{Endianness, LittleEndian};

use super::{Image, Segment, Symbol, SymbolKind, dwarf};

/// More memory than any guest has: a header that asks for more is a mistake, or an attack.
const MOST_MEMORY: u64 = 256 << 20;
const PAGE: u32 = 4096;

type Header = elf::FileHeader32<LittleEndian>;

/// Why a file is no image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// The first four bytes are not those of ELF.
    #[error("not an ELF file: expected it to begin with 7f 45 4c 46")]
    NotElf,
    /// A 64-bit file.
    #[error("a 64-bit ELF file: expected ELF32; compile with -march=rv32em -mabi=ilp32e")]
    Elf64,
    /// Neither 32 nor 64 bits.
    #[error("ELF class {0}: expected 1, ELF32")]
    Class(u8),
    /// Big-endian, or neither.
    #[error("ELF data encoding {0}: expected 1, little-endian")]
    Encoding(u8),
    /// A program for another machine.
    #[error("a program for {name} (ELF machine {number}): expected RISC-V (243)")]
    Machine {
        /// As people call it.
        name: &'static str,
        /// The number in the file.
        number: u16,
    },
    /// The file ends too early.
    #[error("the file is truncated: {0} would lie beyond its end")]
    Truncated(&'static str),
    /// An object file, a shared library or a core dump.
    #[error("{0}: expected an executable; link it with ld, without -r or -shared")]
    NotExecutable(&'static str),
    /// Nothing to load.
    #[error("the file has no loadable segment: expected at least one")]
    NoSegments,
    /// A segment that goes beyond 2^32.
    #[error("the segment at {address:#x} with {size:#x} bytes goes beyond the end of the address space")]
    Wraps {
        /// Where it begins.
        address: u32,
        /// Its size in memory.
        size: u32,
    },
    /// A segment with more bytes in the file than in memory.
    #[error("the segment at {address:#x} has {file:#x} bytes in the file but only {memory:#x} in memory")]
    FileExceedsMemory {
        /// Where it begins.
        address: u32,
        /// Its size in the file.
        file: u32,
        /// Its size in memory.
        memory: u32,
    },
    /// Two segments at one address.
    #[error("the segments at {0:#x} and {1:#x} overlap")]
    Overlap(u32, u32),
    /// More than any machine of this laboratory has.
    #[error("the image needs {0} bytes of memory: expected at most 268435456 (256 MiB)")]
    TooLarge(u64),
}

impl Image {
    /// Reads an ELF executable. Symbols and lines that cannot be read are left out.
    ///
    /// # Errors
    /// If it is no executable for a 32-bit little-endian RISC-V, or does not describe memory that could be filled.
    /// No input panics, or allocates more than it could fill.
    pub fn from_elf(data: &[u8]) -> Result<Image, ImageError> {
        let header = header(data)?;
        let segments = segments(header, data)?;
        // What only helps people to read the program must not keep it from running.
        let sections = header.sections(LittleEndian, data).unwrap_or_default();
        Ok(Image {
            entry: header.e_entry.get(LittleEndian),
            segments,
            symbols: symbols(&sections, data),
            lines: dwarf::read(&sections, data),
        })
    }

    /// Writes an ELF executable with section headers, symbols and DWARF lines, as `objdump` and `gdb` read it.
    pub fn to_elf(&self) -> Vec<u8> {
        let mut out = Vec::new();
        write(self, &mut out);
        out
    }
}

fn header(data: &[u8]) -> Result<&Header, ImageError> {
    if !data.starts_with(&elf::ELFMAG) {
        return Err(ImageError::NotElf);
    }
    match data.get(4..6).ok_or(ImageError::Truncated("the file header"))? {
        [elf::ELFCLASS32, elf::ELFDATA2LSB] => {}
        [elf::ELFCLASS64, _] => return Err(ImageError::Elf64),
        [elf::ELFCLASS32, encoding] => return Err(ImageError::Encoding(*encoding)),
        [class, ..] => return Err(ImageError::Class(*class)),
        [] => return Err(ImageError::NotElf),
    }
    let header = Header::parse(data).map_err(|_| ImageError::Truncated("the file header"))?;
    let machine = header.e_machine.get(LittleEndian);
    if machine != elf::EM_RISCV {
        return Err(ImageError::Machine {
            name: machine_name(machine),
            number: machine,
        });
    }
    match header.e_type.get(LittleEndian) {
        elf::ET_EXEC => Ok(header),
        elf::ET_REL => Err(ImageError::NotExecutable("an object file")),
        elf::ET_DYN => Err(ImageError::NotExecutable(
            "a shared library or a position-independent program",
        )),
        elf::ET_CORE => Err(ImageError::NotExecutable("a core dump")),
        _ => Err(ImageError::NotExecutable("a file of an unknown ELF type")),
    }
}

fn machine_name(number: u16) -> &'static str {
    match number {
        elf::EM_386 => "x86",
        elf::EM_X86_64 => "x86-64",
        elf::EM_ARM => "ARM",
        elf::EM_AARCH64 => "AArch64",
        elf::EM_MIPS => "MIPS",
        elf::EM_PPC | elf::EM_PPC64 => "PowerPC",
        elf::EM_S390 => "S/390",
        elf::EM_SPARC | elf::EM_SPARCV9 => "SPARC",
        elf::EM_68K => "68000",
        elf::EM_LOONGARCH => "LoongArch",
        _ => "an unknown machine",
    }
}

fn segments(header: &Header, data: &[u8]) -> Result<Vec<Segment>, ImageError> {
    let headers = header
        .program_headers(LittleEndian, data)
        .map_err(|_| ImageError::Truncated("the table of program headers"))?;
    let mut total = 0;
    let mut segments = Vec::new();
    for header in headers {
        let (address, size) = (header.p_paddr.get(LittleEndian), header.p_memsz.get(LittleEndian));
        if header.p_type.get(LittleEndian) != elf::PT_LOAD || size == 0 {
            continue;
        }
        if u64::from(address) + u64::from(size) > 1 << 32 {
            return Err(ImageError::Wraps { address, size });
        }
        let file = header.p_filesz.get(LittleEndian);
        if file > size {
            return Err(ImageError::FileExceedsMemory {
                address,
                file,
                memory: size,
            });
        }
        total += u64::from(size);
        if total > MOST_MEMORY {
            return Err(ImageError::TooLarge(total));
        }
        let bytes = header
            .data(LittleEndian, data)
            .map_err(|()| ImageError::Truncated("the contents of a segment"))?
            .to_vec();
        let flags = header.p_flags.get(LittleEndian);
        let may = |flag| flags & flag != 0;
        let (read, write, execute) = (may(elf::PF_R), may(elf::PF_W), may(elf::PF_X));
        segments.push(Segment {
            address,
            bytes,
            size,
            read,
            write,
            execute,
        });
    }
    segments.sort_by_key(|segment| segment.address);
    if let Some([a, b]) = segments
        .array_windows()
        .find(|[a, b]| b.address - a.address < a.size)
    {
        return Err(ImageError::Overlap(a.address, b.address));
    }
    if segments.is_empty() {
        Err(ImageError::NoSegments)
    } else {
        Ok(segments)
    }
}

fn symbols(sections: &SectionTable<'_, Header>, data: &[u8]) -> Vec<Symbol> {
    let Ok(table) = sections.symbols(LittleEndian, data, elf::SHT_SYMTAB) else {
        return Vec::new();
    };
    // Names may share their bytes, so a small file could name gigabytes.
    let mut room = 4 * data.len();
    let mut symbols = Vec::new();
    for symbol in table.iter() {
        let kind = match (symbol.st_type(), symbol.st_shndx(LittleEndian)) {
            (_, elf::SHN_UNDEF) | (elf::STT_FILE | elf::STT_SECTION | elf::STT_TLS, _) => continue,
            (_, elf::SHN_ABS) => SymbolKind::Absolute,
            (elf::STT_FUNC, _) => SymbolKind::Function,
            (elf::STT_OBJECT, _) => SymbolKind::Object,
            _ => SymbolKind::Label,
        };
        let Ok(name) = symbol.name(LittleEndian, table.strings()) else {
            continue;
        };
        // `$x` and its like mark code and data for disassemblers.
        if name.is_empty() || name.starts_with(b"$") || name.len() > room {
            continue;
        }
        room -= name.len();
        symbols.push(Symbol {
            name: String::from_utf8_lossy(name).into_owned(),
            address: symbol.st_value.get(LittleEndian),
            size: symbol.st_size.get(LittleEndian),
            global: symbol.st_bind() != elf::STB_LOCAL,
            kind,
        });
    }
    symbols.sort_by(|a, b| (a.address, &a.name).cmp(&(b.address, &b.name)));
    symbols
}

/// A section of the file to be written.
struct Output<'a> {
    name: &'static str,
    id: StringId,
    index: SectionIndex,
    address: u32,
    bytes: &'a [u8],
    /// In memory; the size of `bytes`, or with no bytes that of zeros.
    size: u32,
    flags: u32,
    offset: usize,
}

impl<'a> Output<'a> {
    fn new(
        writer: &mut Writer<'a>,
        name: &'static str,
        address: u32,
        bytes: &'a [u8],
        flags: u32,
    ) -> Output<'a> {
        let (id, index) = (
            writer.add_section_name(name.as_bytes()),
            writer.reserve_section_index(),
        );
        Output {
            name,
            id,
            index,
            address,
            bytes,
            size: bytes.len() as u32,
            flags,
            offset: 0,
        }
    }
}

/// The sections of memory: each segment's contents, and its zeros.
fn memory_sections<'a>(image: &'a Image, writer: &mut Writer<'a>) -> Vec<Output<'a>> {
    let mut outputs = Vec::new();
    for segment in &image.segments {
        let (name, flags) = match (segment.write, segment.execute) {
            (false, true) => (".text", elf::SHF_EXECINSTR),
            (true, true) => (".wtext", elf::SHF_EXECINSTR | elf::SHF_WRITE),
            (true, false) => (".data", elf::SHF_WRITE),
            (false, false) => (".rodata", 0),
        };
        let flags = flags | elf::SHF_ALLOC;
        if !segment.bytes.is_empty() {
            outputs.push(Output::new(writer, name, segment.address, &segment.bytes, flags));
        }
        let filled = segment.bytes.len() as u32;
        if segment.size > filled {
            let zeros = Output::new(writer, ".bss", segment.address + filled, &[], flags);
            outputs.push(Output {
                size: segment.size - filled,
                ..zeros
            });
        }
    }
    outputs
}

fn write(image: &Image, out: &mut Vec<u8>) {
    let debug = dwarf::write(&image.lines);
    let mut writer = Writer::new(Endianness::Little, false, out);

    // First everything gets its place, then everything is written in the same order.
    writer.reserve_file_header();
    writer.reserve_program_headers(image.segments.len() as u32);
    writer.reserve_null_section_index();
    let mut sections = memory_sections(image, &mut writer);
    let in_memory = sections.len();
    for (name, bytes) in &debug {
        sections.push(Output::new(&mut writer, name, 0, bytes, 0));
    }
    for section in &mut sections {
        if !section.bytes.is_empty() {
            // A loader maps whole pages, so the place in the file agrees with the address.
            let align = if section.flags == 0 { 1 } else { PAGE };
            let skew = section.address.wrapping_sub(writer.reserved_len() as u32) % align;
            section.offset = writer.reserve(section.bytes.len() + skew as usize, 1) + skew as usize;
        }
    }
    let symbols = reserve_symbols(image, &sections[..in_memory], &mut writer);
    writer.reserve_symtab_section_index();
    writer.reserve_strtab_section_index();
    writer.reserve_shstrtab_section_index();
    writer.reserve_symtab();
    writer.reserve_strtab();
    writer.reserve_shstrtab();
    writer.reserve_section_headers();

    write_headers(image, &sections, &mut writer);
    for section in sections.iter().filter(|section| !section.bytes.is_empty()) {
        writer.pad_until(section.offset);
        writer.write(section.bytes);
    }
    writer.write_null_symbol();
    symbols.iter().for_each(|symbol| writer.write_symbol(symbol));
    writer.write_strtab();
    writer.write_shstrtab();
    writer.write_null_section_header();
    sections
        .iter()
        .for_each(|section| write_section_header(section, &mut writer));
    let locals = symbols
        .iter()
        .filter(|symbol| symbol.st_info >> 4 == elf::STB_LOCAL)
        .count();
    writer.write_symtab_section_header(locals as u32 + 1);
    writer.write_strtab_section_header();
    writer.write_shstrtab_section_header();
}

/// The symbols in the order of an ELF file: local ones first.
fn reserve_symbols<'a>(image: &'a Image, sections: &[Output<'_>], writer: &mut Writer<'a>) -> Vec<Sym> {
    writer.reserve_null_symbol_index();
    let mut symbols: Vec<&Symbol> = image
        .symbols
        .iter()
        .filter(|symbol| !symbol.name.contains('\0'))
        .collect();
    symbols.sort_by_key(|symbol| symbol.global);
    let mut reserve = |symbol: &&'a Symbol| {
        // A symbol may stand at the end of its section.
        let home = sections.iter().filter(|section| {
            symbol
                .address
                .checked_sub(section.address)
                .is_some_and(|offset| offset <= section.size)
        });
        let section = home
            .max_by_key(|section| section.address)
            .map(|section| section.index);
        let section = section.filter(|_| symbol.kind != SymbolKind::Absolute);
        let name = writer.add_string(symbol.name.as_bytes());
        writer.reserve_symbol_index(section);
        let binding = if symbol.global {
            elf::STB_GLOBAL
        } else {
            elf::STB_LOCAL
        };
        let kind = match symbol.kind {
            SymbolKind::Function => elf::STT_FUNC,
            SymbolKind::Object => elf::STT_OBJECT,
            SymbolKind::Label | SymbolKind::Absolute => elf::STT_NOTYPE,
        };
        Sym {
            name: Some(name),
            section,
            st_info: binding << 4 | kind,
            st_other: elf::STV_DEFAULT,
            st_shndx: elf::SHN_ABS,
            st_value: u64::from(symbol.address),
            st_size: u64::from(symbol.size),
        }
    };
    symbols.iter().map(&mut reserve).collect()
}

fn write_headers(image: &Image, sections: &[Output<'_>], writer: &mut Writer<'_>) {
    // The writer fails only for numbers of sections that need 64 bits.
    let _ = writer.write_file_header(&FileHeader {
        os_abi: elf::ELFOSABI_NONE,
        abi_version: 0,
        e_type: elf::ET_EXEC,
        e_machine: elf::EM_RISCV,
        e_entry: u64::from(image.entry),
        e_flags: elf::EF_RISCV_RVE | elf::EF_RISCV_FLOAT_ABI_SOFT,
    });
    writer.write_align_program_headers();
    for segment in &image.segments {
        let flag = |may, flag| if may { flag } else { 0 };
        let contents = sections
            .iter()
            .find(|s| s.address == segment.address && !s.bytes.is_empty() && s.flags != 0);
        writer.write_program_header(&ProgramHeader {
            p_type: elf::PT_LOAD,
            p_flags: flag(segment.read, elf::PF_R)
                | flag(segment.write, elf::PF_W)
                | flag(segment.execute, elf::PF_X),
            // Without contents, any place that agrees with the address modulo the page will do.
            p_offset: contents.map_or(u64::from(segment.address % PAGE), |section| section.offset as u64),
            p_vaddr: u64::from(segment.address),
            p_paddr: u64::from(segment.address),
            p_filesz: segment.bytes.len() as u64,
            p_memsz: u64::from(segment.size),
            p_align: u64::from(PAGE),
        });
    }
}

fn write_section_header(section: &Output<'_>, writer: &mut Writer<'_>) {
    let is_zeros = section.name == ".bss";
    writer.write_section_header(&SectionHeader {
        name: Some(section.id),
        sh_type: if is_zeros {
            elf::SHT_NOBITS
        } else {
            elf::SHT_PROGBITS
        },
        sh_flags: u64::from(section.flags),
        sh_addr: u64::from(section.address),
        sh_offset: section.offset as u64,
        sh_size: u64::from(section.size),
        sh_link: 0,
        sh_info: 0,
        sh_addralign: if section.flags == 0 { 1 } else { 4 },
        sh_entsize: 0,
    });
}
