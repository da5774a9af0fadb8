use object::elf;
use proptest::prelude::*;

use super::*;
use crate::asm::{Options, Source, assemble};

fn sample() -> Image {
    let text = "
        .globl _start
        .type _start, @function
_start: la   a0, message
        call print
1:      j    1b
        .size _start, . - _start
        .equ SIZE, 64
        .section .rodata
message: .asciz \"hello\"
        .data
value:  .word 1
        .bss
buffer: .space SIZE
    ";
    let sources = [
        Source::new("main.s", text),
        Source::new("lib/print.s", "print: nop\n ret\n"),
    ];
    assemble(
        &sources,
        &Options {
            origin: 0x1_0000,
            ..Options::default()
        },
    )
    .expect("a correct program")
}

#[test]
fn an_image_comes_back_from_its_file() {
    assert_eq!(Image::from_elf(&sample().to_elf()), Ok(sample()));
}

#[test]
fn an_image_without_anything_but_memory_comes_back() {
    let zeros = Segment {
        address: 0x5000,
        size: 0x100,
        read: true,
        write: true,
        ..Segment::default()
    };
    let code = Segment {
        address: 0x1234,
        bytes: vec![1, 2, 3],
        size: 3,
        execute: true,
        ..Segment::default()
    };
    let image = Image {
        entry: 0x1234,
        segments: vec![code, zeros],
        ..Image::default()
    };
    assert_eq!(Image::from_elf(&image.to_elf()), Ok(image));
}

#[test]
fn lines_are_found_both_ways() {
    let lines = sample().lines;
    assert_eq!(lines.find(0x1_0000), Some(("main.s", 4)));
    assert_eq!(
        lines.find(0x1_0007),
        Some(("main.s", 4)),
        "in the middle of the second word of la"
    );
    assert_eq!(lines.find(0x1_0014), Some(("lib/print.s", 1)));
    assert_eq!(lines.find(0x1_001c), None, "after the last instruction");
    assert_eq!(lines.find(0), None);
    assert_eq!(
        lines.addresses("main.s", 4).collect::<Vec<_>>(),
        [0x1_0000, 0x1_0004]
    );
}

#[test]
fn symbols_are_found_both_ways() {
    let image = sample();
    let told = |address| {
        image
            .symbolize(address)
            .map(|(symbol, offset)| (symbol.name.as_str(), offset))
    };
    assert_eq!(told(0x1_0004), Some(("_start", 4)));
    assert_eq!(told(0x1_1003), Some(("message", 3)));
    assert_eq!(told(64), None, "SIZE is a number, not a place");
    assert_eq!(image.symbol("SIZE").map(|symbol| symbol.address), Some(64));
}

#[test]
fn a_program_that_does_not_claim_to_be_rv32e_is_for_32_registers() {
    const FLAGS: usize = 36;
    assert_eq!(sample().registers, Registers::Sixteen);
    for flags in [0u32, elf::EF_RISCV_RVC, elf::EF_RISCV_FLOAT_ABI_DOUBLE] {
        let foreign = patched(FLAGS, &flags.to_le_bytes()).expect("an executable");
        assert_eq!(foreign.registers, Registers::ThirtyTwo, "{flags:#x}");
        assert_eq!(Image::from_elf(&foreign.to_elf()), Ok(foreign));
    }
}

/// The file of the sample with some bytes replaced.
fn patched(at: usize, bytes: &[u8]) -> Result<Image, ImageError> {
    let mut file = sample().to_elf();
    file[at..at + bytes.len()].copy_from_slice(bytes);
    Image::from_elf(&file)
}

#[test]
fn every_error_names_what_is_wrong() {
    /// Offsets in the file header, and in the first program header behind it.
    const TYPE: usize = 16;
    const MACHINE: usize = 18;
    const PHNUM: usize = 44;
    const PADDR: usize = 52 + 12;
    const FILESZ: usize = 52 + 16;
    const MEMSZ: usize = 52 + 20;
    let file = sample().to_elf();
    assert_eq!(Image::from_elf(b"#!/bin/sh"), Err(ImageError::NotElf));
    assert_eq!(
        Image::from_elf(b"\x7fELF"),
        Err(ImageError::Truncated("the file header"))
    );
    assert_eq!(
        Image::from_elf(&file[..40]),
        Err(ImageError::Truncated("the file header"))
    );
    assert_eq!(
        Image::from_elf(&file[..60]),
        Err(ImageError::Truncated("the table of program headers"))
    );
    assert_eq!(
        Image::from_elf(&file[..0x1008]),
        Err(ImageError::Truncated("the contents of a segment"))
    );
    assert_eq!(patched(4, &[2]), Err(ImageError::Elf64));
    assert_eq!(patched(4, &[7]), Err(ImageError::Class(7)));
    assert_eq!(patched(5, &[2]), Err(ImageError::Encoding(2)));
    assert_eq!(
        patched(MACHINE, &[62, 0]),
        Err(ImageError::Machine {
            name: "x86-64",
            number: 62
        })
    );
    assert_eq!(
        patched(TYPE, &[1, 0]),
        Err(ImageError::NotExecutable("an object file"))
    );
    assert_eq!(patched(PHNUM, &[0, 0]), Err(ImageError::NoSegments));
    let wraps = ImageError::Wraps {
        address: 0xffff_fff0,
        size: 28,
    };
    assert_eq!(patched(PADDR, &0xffff_fff0u32.to_le_bytes()), Err(wraps));
    assert_eq!(
        patched(PADDR, &0x1_0ff0u32.to_le_bytes()),
        Err(ImageError::Overlap(0x1_0ff0, 0x1_1000))
    );
    assert_eq!(
        patched(MEMSZ, &0x8000_0000u32.to_le_bytes()),
        Err(ImageError::TooLarge(1 << 31))
    );
    let exceeds = ImageError::FileExceedsMemory {
        address: 0x1_0000,
        file: 0x1000,
        memory: 28,
    };
    assert_eq!(patched(FILESZ, &0x1000u32.to_le_bytes()), Err(exceeds));
}

#[test]
fn broken_debugging_information_does_no_harm() {
    let file = sample().to_elf();
    let name = file
        .windows(7)
        .position(|bytes| bytes == b"main.s\0")
        .expect("the name of a source");
    for at in name - 40..name + 40 {
        let image = patched(at, &[0xff]).expect("loads all the same");
        assert_eq!(image.segments, sample().segments);
    }
}

/// The C programs of the laboratory are what gcc and ld make.
#[test]
fn what_gcc_makes_is_read_with_symbols_and_lines() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/c/images/hello.elf");
    let image = Image::from_elf(&std::fs::read(path).expect("a shipped image")).expect("an executable");
    let main = image.symbol("main").expect("main");
    assert_eq!(main.kind, SymbolKind::Function);
    assert_eq!(
        image.lines.find(main.address).map(|(file, _)| file),
        Some("hello.c")
    );
    assert_eq!(image.entry, image.symbol("_start").expect("_start").address);
}

proptest! {
    #[test]
    fn no_bytes_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = Image::from_elf(&bytes);
        let header = [0x7f, b'E', b'L', b'F', elf::ELFCLASS32, elf::ELFDATA2LSB];
        if let Some(start) = bytes.first_chunk_mut() {
            *start = header;
        }
        let _ = Image::from_elf(&bytes);
    }

    #[test]
    fn no_changed_file_panics(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut file = sample().to_elf();
        // All but the contents of the segments, which may be anything.
        let interesting: Vec<usize> = (0..200).chain(0x3000..file.len()).collect();
        for (index, byte) in changes {
            file[interesting[index.index(interesting.len())]] = byte;
        }
        if let Ok(image) = Image::from_elf(&file) {
            let _ = Image::from_elf(&image.to_elf());
        }
    }
}
