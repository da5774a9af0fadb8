//! The assembler against GNU as: the same files, the same bytes.
//!
//! `cargo xtask gnu-corpus` writes the bytes that GNU as makes of the files in `gnu/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use toy_isa::asm::{Options, Source, assemble};
use toy_isa::disasm::disassemble;
use toy_isa::image::Image;
use toy_isa::table::{CSRS, OPS};

fn corpus() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gnu");
    let entries = fs::read_dir(folder).expect("the corpus is there");
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("a readable folder").path())
        .collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "s"));
    files.sort();
    files
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Assembles a file of the corpus with this text in the place of `ring32.inc`.
fn assembled(path: &Path, prelude: &str) -> Image {
    let name = path.file_name().expect("a file").to_string_lossy();
    let sources = [Source::new(name, read(path)), Source::new("ring32.inc", prelude)];
    assemble(&sources, &Options::default()).unwrap_or_else(|errors| {
        let texts: Vec<_> = errors.iter().map(|error| error.render()).collect();
        panic!("{}", texts.join("\n"))
    })
}

/// Memory from address 0 up to the last byte that is not merely zeroed, as `objcopy -O binary` writes it.
fn flat(image: &Image) -> Vec<u8> {
    let mut memory = Vec::new();
    for segment in &image.segments {
        memory.resize(segment.address as usize, 0);
        memory.extend_from_slice(&segment.bytes);
    }
    memory
}

fn compare(path: &Path, image: &Image) {
    let expected = fs::read(path.with_extension("bin")).expect("run `cargo xtask gnu-corpus`");
    let ours = flat(image);
    let different = (0..ours.len().max(expected.len())).find(|i| ours.get(*i) != expected.get(*i));
    let Some(address) = different.map(|i| i as u32 & !3) else {
        return;
    };
    let word = |bytes: &[u8]| {
        let bytes = bytes.get(address as usize..)?.first_chunk()?;
        Some(disassemble(u32::from_le_bytes(*bytes), address))
    };
    panic!(
        "{} at {address:#x}, line {:?}: ours is {:?}, that of GNU as {:?}",
        path.display(),
        image.lines.find(address),
        word(&ours),
        word(&expected),
    );
}

#[test]
fn bytes_are_those_of_gnu_as() {
    for path in corpus() {
        compare(&path, &assembled(&path, ""));
    }
}

/// What GNU as needs to know Ring32 is good for our assembler, too, and makes the same words of `.insn`.
#[test]
fn bytes_are_the_same_with_ring32_as_macros() {
    for path in corpus() {
        compare(
            &path,
            &assembled(&path, &read(&path.with_file_name("ring32.inc"))),
        );
    }
}

#[test]
fn the_corpus_has_every_row() {
    let rows = read(
        &corpus()
            .into_iter()
            .find(|path| path.ends_with("rows.s"))
            .expect("rows.s"),
    );
    let words: Vec<&str> = rows.split([' ', ',', '\n']).collect();
    let names = OPS
        .iter()
        .map(|row| row.mnemonic)
        .chain(CSRS.iter().map(|row| row.name));
    let missing: Vec<_> = names.filter(|name| !words.contains(name)).collect();
    assert!(
        missing.is_empty(),
        "run `cargo xtask gnu-corpus`: rows.s lacks {missing:?}"
    );
}

#[test]
fn objdump_reads_our_files() {
    const OBJDUMP: &str = "riscv64-unknown-elf-objdump";
    let path = corpus()
        .into_iter()
        .find(|path| path.ends_with("pseudo.s"))
        .expect("pseudo.s");
    let file = std::env::temp_dir().join(format!("trapeze-objdump-{}.elf", std::process::id()));
    fs::write(&file, assembled(&path, "").to_elf()).expect("a writable temporary folder");
    let output = Command::new(OBJDUMP)
        .args(["-d", "-l", "-M", "numeric"])
        .arg(&file)
        .output();
    fs::remove_file(&file).expect("the file is ours");
    let Ok(output) = output else {
        eprintln!("skipped: {OBJDUMP} is not installed (apt-get install binutils-riscv64-unknown-elf)");
        return;
    };
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    for expected in [
        "<_start>:",
        "<back>:",
        "pseudo.s:6",
        "not\tx10,x11",
        "sgtz\tx10,x11",
    ] {
        assert!(text.contains(expected), "{expected:?} is not in\n{text}");
    }
}
