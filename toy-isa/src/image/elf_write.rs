//! Writing ELF files, with all that `objdump` and `gdb` want to know.

use object::write::StringId;
use object::write::elf::{FileHeader, ProgramHeader, SectionHeader, SectionIndex, Sym, Writer};
use object::{Endianness, elf};

use super::{Image, Symbol, SymbolKind, dwarf};
use crate::instruction::Registers;

const PAGE: u32 = 4096;

impl Image {
    /// Writes an ELF executable with section headers, symbols and DWARF lines, as `objdump` and `gdb` read
    /// it.
    pub fn to_elf(&self) -> Vec<u8> {
        let mut out = Vec::new();
        write(self, &mut out);
        out
    }
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
    let registers = match image.registers {
        Registers::Sixteen => elf::EF_RISCV_RVE,
        Registers::ThirtyTwo => 0,
    };
    // The writer fails only for numbers of sections that need 64 bits.
    let _ = writer.write_file_header(&FileHeader {
        os_abi: elf::ELFOSABI_NONE,
        abi_version: 0,
        e_type: elf::ET_EXEC,
        e_machine: elf::EM_RISCV,
        e_entry: u64::from(image.entry),
        e_flags: registers | elf::EF_RISCV_FLOAT_ABI_SOFT,
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
