//! Reading ELF files: ELF32, little-endian, RISC-V, executable.

use object::LittleEndian;
use object::elf;
use object::read::elf::{FileHeader as _, ProgramHeader as _, SectionTable, Sym as _};

use super::{Image, Segment, Symbol, SymbolKind, dwarf};
use crate::instruction::Registers;

/// More memory than any guest has: a header that asks for more is a mistake, or an attack.
const MOST_MEMORY: u64 = 256 << 20;

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
    /// Reads an ELF executable. Symbols and lines that cannot be read are left out. A program that does not claim to
    /// make do with the registers of RV32E is one for all 32, whichever it names.
    ///
    /// # Errors
    /// If it is no executable for a 32-bit little-endian RISC-V, or does not describe memory that could be
    /// filled. No input panics, or allocates more than it could fill.
    pub fn from_elf(data: &[u8]) -> Result<Image, ImageError> {
        let header = header(data)?;
        let segments = segments(header, data)?;
        // What only helps people to read the program must not keep it from running.
        let sections = header.sections(LittleEndian, data).unwrap_or_default();
        Ok(Image {
            entry: header.e_entry.get(LittleEndian),
            registers: registers(header),
            segments,
            symbols: symbols(&sections, data),
            lines: dwarf::read(&sections, data),
        })
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

/// What the flag of the ABI says (RISC-V ELF psABI 1.0, "File Header").
fn registers(header: &Header) -> Registers {
    match header.e_flags.get(LittleEndian) & elf::EF_RISCV_RVE {
        0 => Registers::ThirtyTwo,
        _ => Registers::Sixteen,
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
    let neighbours = segments.iter().zip(segments.iter().skip(1));
    if let Some((a, b)) = neighbours
        .into_iter()
        .find(|(a, b)| b.address - a.address < a.size)
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
