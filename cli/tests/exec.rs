//! `trapeze exec`: programs in ring 3, beside what they should print and beside QEMU.

mod common;

use std::path::PathBuf;
use std::process::{Command, Stdio};

use common::{done, folder, json, repository, run, trapeze};

/// The shipped C programs, by name.
fn programs() -> Vec<(String, PathBuf)> {
    let entries = std::fs::read_dir(repository("scenarios/c/images")).expect("the images are shipped");
    let mut all: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "elf"))
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_string(), path))
        .collect();
    all.sort();
    assert!(all.len() >= 10, "there are images");
    all
}

/// A program of a few lines, assembled to an ELF file.
fn program(name: &str, source: &str) -> String {
    let folder = folder(name, &[("program.s", source)]);
    let (source, elf) = (folder.join("program.s"), folder.join("program.elf"));
    let (source, elf) = (source.to_str().unwrap(), elf.to_str().unwrap());
    let done = run(&["asm", source, "-o", elf, "--origin", "0x1000"]);
    assert_eq!(done.code, 0, "{}", done.err);
    elf.to_string()
}

#[test]
fn the_shipped_programs_print_what_is_written_beside_them() {
    for (name, path) in programs() {
        let expected =
            std::fs::read_to_string(repository(&format!("scenarios/c/expected/{name}.txt"))).unwrap();
        let done = run(&["exec", path.to_str().unwrap()]);
        assert_eq!(
            (done.code, done.out, done.err.as_str()),
            (0, expected, ""),
            "{name}"
        );
    }
}

#[test]
fn qemu_says_the_same() {
    let installed = Command::new("qemu-riscv32")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    if installed.is_err() {
        println!("skipped: qemu-riscv32 is not installed");
        return;
    }
    for (name, path) in programs() {
        let qemu = Command::new("qemu-riscv32")
            .arg(&path)
            .output()
            .expect("QEMU starts");
        let ours = trapeze(&["exec", path.to_str().unwrap()])
            .output()
            .expect("the binary starts");
        assert_eq!(ours.stdout, qemu.stdout, "{name}");
        assert_eq!(ours.status.code(), qemu.status.code(), "{name}");
    }
}

#[test]
fn every_engine_runs_a_program_alike() {
    let (_, path) = programs()
        .into_iter()
        .find(|(name, _)| name == "hello")
        .expect("hello");
    let path = path.to_str().unwrap();
    let object = json(&["exec", path]);
    assert_eq!(object["exit_code"], 0);
    assert_eq!(object["console"], "Hello from ring 3.\n");
    assert!(object["retired"].as_u64().is_some_and(|retired| retired > 0) && object["wall_ns"].is_u64());
    for engine in ["reference", "interpreter"] {
        assert_eq!(
            json(&["exec", path, "--engine", engine])["retired"],
            object["retired"]
        );
    }
}

#[test]
fn the_exit_code_is_the_programs_modulo_256() {
    let elf = program(
        "cli-exec-code",
        "_start: li a0, 300\n        li t0, 93\n        ecall\n",
    );
    assert_eq!(run(&["exec", &elf]).code, 44);
    let done = done(trapeze(&["exec", &elf, "--json"]).output().unwrap());
    assert_eq!(done.code, 44);
    assert!(done.out.contains("\"exit_code\": 300"), "{}", done.out);
}

#[test]
fn arguments_reach_the_program() {
    // Exits with argc.
    let elf = program(
        "cli-exec-arguments",
        "_start: lw a0, 0(sp)\n        li t0, 93\n        ecall\n",
    );
    assert_eq!(run(&["exec", &elf, "--", "one", "--two"]).code, 3);
}

#[test]
fn a_program_that_loops_or_dies_ends_with_a_message_and_a_code() {
    let done = run(&[
        "exec",
        &program("cli-exec-loop", common::LOOP),
        "--budget",
        "1000",
    ]);
    assert_eq!(done.code, 20);
    assert!(
        done.err.contains("budget") && done.err.contains("1,000 instructions"),
        "{}",
        done.err
    );
    let calls = "_start: li t0, 1000\n        ecall\n        j _start\n";
    assert_eq!(
        run(&["exec", &program("cli-exec-calls", calls), "--budget", "1000"]).code,
        20
    );
    let done = run(&[
        "exec",
        &program("cli-exec-dies", "_start: nop\n        csrw status, zero\n"),
    ]);
    assert_eq!(done.code, 23);
    for part in ["_start+0x4", "illegal instruction", "program.s:2"] {
        assert!(done.err.contains(part), "{part}: {}", done.err);
    }
}

#[test]
fn output_is_raw_when_no_terminal_reads_it() {
    let source = "_start: li t0, 64\n        li a0, 1\n        la a1, text\n        li a2, 4\n        ecall\n\
                  \n        li t0, 93\n        li a0, 0\n        ecall\n        .data\n\
                  text:   .byte 27, 0, 255, 10\n";
    let output = trapeze(&["exec", &program("cli-exec-raw", source)])
        .output()
        .unwrap();
    assert_eq!(output.stdout, [27, 0, 255, 10]);
}
