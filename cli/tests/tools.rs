//! The commands that run no guest, and what they say about bad input.

mod common;

use std::path::Path;

use common::{folder, json, run};

#[test]
fn the_table_marks_the_holes_of_a_profile() {
    let classic = run(&["isa"]);
    assert!(
        classic.out.contains("No holes") && classic.out.contains("csrw status"),
        "{}",
        classic.out
    );
    let leaky = run(&["isa", "--profile", "leaky"]);
    let row = leaky
        .out
        .lines()
        .find(|line| line.starts_with("csrw status"))
        .expect("the row");
    assert!(row.contains("0x7c0") && row.contains("!partial"), "{row}");
    assert!(leaky.out.lines().all(|line| line.chars().count() <= 80));
    let object = json(&["isa", "--profile", "leaky"]);
    let rows = object["rows"].as_array().expect("an array");
    let popf = rows
        .iter()
        .find(|row| row["name"] == "csrw status")
        .expect("the row");
    assert_eq!((&popf["hole"], &popf["cousin"]), (&true.into(), &"POPF".into()));
    assert_eq!(popf["outside_ring_0"], "partial");
}

#[test]
fn one_row_is_shown_in_full() {
    let done = run(&["isa", "--row", "csrw status"]);
    for part in [
        "POPF",
        "control:",
        "leaky           partial  a hole",
        "classic         traps",
    ] {
        assert!(done.out.contains(part), "{part}: {}", done.out);
    }
    let done = run(&["isa", "--row", "addi"]);
    assert!(
        done.out.contains("....... ..... ..... 000 ..... 0010011"),
        "{}",
        done.out
    );
    assert_eq!(run(&["isa", "--row", "nonsense"]).code, 2);
}

#[test]
fn a_program_is_assembled_listed_and_read_back() {
    let source = "_start: li a0, 42\n        addi a0, a0, 1\n        .data\nword:   .word 7\n";
    let folder = folder("cli-asm", &[("program.s", source)]);
    let (source, elf) = (folder.join("program.s"), folder.join("program.elf"));
    let (source, elf) = (source.to_str().unwrap(), elf.to_str().unwrap());
    let listing = run(&["asm", source, "--origin", "0x2000"]);
    assert!(
        listing.out.starts_with("# ") && listing.out.contains("\n00002000 <_start>:"),
        "{}",
        listing.out
    );
    assert!(
        listing.out.contains("addi a0, a0, 1") && listing.out.contains("Data:"),
        "{}",
        listing.out
    );
    let done = run(&["asm", source, "-o", elf]);
    assert_eq!((done.code, done.out.as_str()), (0, ""), "{}", done.err);
    assert!(std::fs::read(elf).unwrap().starts_with(b"\x7fELF"));
    let back = run(&["dis", elf]);
    assert!(
        back.out.contains("li a0, 42") && back.out.contains("program.s\n"),
        "{}",
        back.out
    );
    let object = json(&["dis", elf]);
    assert_eq!(object["code"][1]["instruction"], "addi a0, a0, 1");
    assert_eq!(object["code"][1]["line"], 2);
}

#[test]
fn words_and_scenarios_are_disassembled() {
    assert_eq!(run(&["dis", "--word", "0x30200073"]).out, "mret\n");
    assert_eq!(json(&["dis", "--word", "0"])["instruction"], ".word 0x00000000");
    let done = run(&["dis", "guest-os"]);
    assert!(
        done.out.contains("<boot>:") && done.out.contains("# hal-cpu.s\n"),
        "{}",
        done.out
    );
}

#[test]
fn scenarios_are_listed_and_have_a_schema() {
    assert!(run(&["list"]).out.contains("guest-os  "));
    let names = json(&["list"]);
    assert!(
        names["scenarios"]
            .as_array()
            .is_some_and(|all| all.iter().any(|one| one["name"] == "guest-os"))
    );
    assert!(json(&["schema"])["properties"]["guest"].is_object());
}

#[test]
fn tours_are_listed_printed_and_have_a_schema() {
    assert!(run(&["tour"]).out.starts_with("first-trap  "));
    let names = json(&["tour"]);
    assert_eq!(names["tours"].as_array().map(Vec::len), Some(6));
    assert!(json(&["schema", "--tour"])["properties"]["stop"].is_object());
    let printed = run(&["tour", "popf", "--print"]);
    assert_eq!(printed.code, 0, "{}", printed.err);
    for part in [
        "3. popf under trap, profile leaky, view flow",
        "  > 3. Neither: it does nothing, and says nothing.",
        "238 are enough on the bare machine",
    ] {
        // Wherever lines are broken.
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            words(&printed.out).contains(&words(part)),
            "{part}\n{}",
            printed.out
        );
    }
    assert!(!printed.out.contains("Notes: "));
    assert!(run(&["tour", "popf", "--notes"]).out.contains("  Notes: "));
    let stops = json(&["tour", "popf"]);
    assert_eq!(stops["stops"][2]["ask"]["right"], 3);
    assert_eq!(stops["broken"].as_array().map(Vec::len), Some(0));
}

#[test]
fn a_tour_that_cannot_be_taken_says_why() {
    let done = run(&["tour", "popf"]);
    assert_eq!(done.code, 2);
    assert!(done.err.contains("`trapeze tour popf --print`"), "{}", done.err);
    let done = run(&["tour", "pop", "--print"]);
    assert_eq!(done.code, 10);
    assert!(done.err.contains("did you mean 'popf'?"), "{}", done.err);
    let text = "title = \"t\"\nscenario = \"popf\"\n[[stop]]\nsay = \"x\"\nholds = [\"exits = 7\"]\n";
    let path = folder("tours", &[("mine.toml", text)]).join("mine.toml");
    let done = run(&["tour", path.to_str().unwrap(), "--print"]);
    assert_eq!(done.code, 1);
    assert!(
        done.err.contains("stop 1: 'exits = 7' does not hold: 0"),
        "{}",
        done.err
    );
}

#[test]
fn the_doctor_looks_at_all_that_matters() {
    let object = json(&["doctor"]);
    let checks = object["checks"].as_array().expect("an array");
    for name in [
        "processor",
        "cores",
        "memory",
        "/dev/kvm",
        "qemu-riscv32",
        "mdbook",
    ] {
        let check = checks.iter().find(|check| check["name"] == name).expect(name);
        assert!(check["found"].is_string());
        assert_eq!(check["ok"] == false, check["advice"].is_string(), "{check}");
    }
    assert_eq!(run(&["doctor"]).code, 0);
}

#[test]
fn there_are_completions_for_shells() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(run(&["completions", shell]).out.contains("doctor"), "{shell}");
    }
    assert_eq!(json(&["completions", "bash"])["shell"], "bash");
}

#[test]
fn help_documents_the_exit_codes() {
    let done = run(&["--help"]);
    assert_eq!(done.code, 0);
    for line in [
        "   0  as expected",
        "  20  the budget was used up",
        "  70  an error of Trapeze itself",
    ] {
        assert!(done.out.contains(line), "{}", done.out);
    }
}

#[test]
fn help_explains_the_methods_and_the_profiles_in_80_columns() {
    for command in ["run", "compare", "why"] {
        let help = run(&[command, "--help"]).out;
        let line = "trap-and-emulate: guest kernel in ring 1, user in ring 3\n";
        assert!(help.contains(line) && help.contains("\n  leaky  "), "{help}");
        assert!(help.lines().all(|line| line.chars().count() <= 80), "{help}");
    }
}

#[test]
fn bad_usage_is_exit_code_2_and_says_what_was_meant() {
    let done = run(&["comapre"]);
    assert_eq!(done.code, 2);
    assert!(done.err.contains("compare"), "{}", done.err);
    for arguments in [
        &["run", "guest-os", "--mode", "tarp"][..],
        &["compare", "--profile", "x"],
        &["run", "--budget", "-1"],
        &["run", "--budget", "0"],
        &["run", "--budget", "2000000000000"],
        &["dis", "--word", "0x100000000"],
        &["why", "x", "guest-os"],
        &["dis"],
        &["asm"],
        &["exec"],
    ] {
        let done = run(arguments);
        assert_eq!(done.code, 2, "{arguments:?}: {}", done.err);
        assert!(done.out.is_empty() && !done.err.is_empty());
    }
}

#[test]
fn bad_input_is_exit_code_10_with_the_place() {
    let broken = folder("cli-broken", &[("guest.s", "_start: ebraek\n")]);
    let source = broken.join("guest.s");
    let done = run(&["asm", source.to_str().unwrap()]);
    assert_eq!(done.code, 10);
    assert!(
        done.err
            .contains("guest.s:1:9: error: unknown instruction 'ebraek'"),
        "{}",
        done.err
    );
    assert!(
        done.err.contains("did you mean 'ebreak'?") && done.err.contains('^'),
        "{}",
        done.err
    );
    assert!(
        run(&["run", source.to_str().unwrap()])
            .err
            .contains("`trapeze asm`")
    );
    assert!(run(&["run", "x"]).err.contains("`trapeze list`"));
    let done = run(&["run", "guest-so"]);
    assert_eq!(done.code, 10);
    assert!(done.err.contains("did you mean 'guest-os'?"), "{}", done.err);
    let toml = folder("cli-broken-toml", &[("scenario.toml", "title = \"x\"\n[gest]\n")]);
    let done = run(&["compare", toml.to_str().unwrap()]);
    assert_eq!(done.code, 10);
    assert!(done.err.contains("scenario.toml:2:"), "{}", done.err);
}

#[test]
fn files_that_cannot_be_used_are_exit_code_10() {
    let text = folder("cli-no-elf", &[("text.elf", "no ELF at all")]).join("text.elf");
    let text = text.to_str().unwrap();
    for arguments in [
        &["exec", text][..],
        &["dis", text],
        &["exec", "/nonexistent.elf"],
        &["exec", "/"],
        &["asm", "/nonexistent.s"],
        &["asm", "/dev/zero"],
        &["run", "/nonexistent/scenario.toml"],
        &["run", "guest-os", "--trace", "/nonexistent/trace.json"],
    ] {
        let done = run(arguments);
        assert_eq!(done.code, 10, "{arguments:?}: {}", done.err);
        let path = arguments.last().expect("a path");
        let name = Path::new(path)
            .file_name()
            .map_or("/", |name| name.to_str().unwrap());
        assert!(
            done.err.starts_with("trapeze: ") && done.err.contains(name),
            "{}",
            done.err
        );
    }
}

#[test]
fn code_of_the_host_stands_beside_what_it_was_made_from() {
    let done = run(&["dis", "guest-os", "--host", "--at", "hal_set_entry"]);
    if done.err.contains("cannot run here") {
        println!("skipped: {}", done.err);
        return;
    }
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(
        done.out.lines().all(|line| line.chars().count() <= 80),
        "{}",
        done.out
    );
    // The kernel uses this function before it turns paging on, and after.
    for memory in ["flat", "by pages"] {
        let head = format!(", memory {memory}\n  enter ");
        assert!(done.out.contains("Block of 0x00001010, hal_set_entry: ") && done.out.contains(&head));
    }
    for (guest, host) in [
        ("  enter", "sub r14, 2"),
        ("00001010  sw a1, 0(a0)", ""),
        ("00001014  ret", ""),
        ("  out: before 00001010", "mov eax, exit"),
    ] {
        let mut lines = done.out.lines();
        let found = lines.any(|line| line.starts_with(guest) && line.ends_with(host));
        assert!(found, "{guest}: {}", done.out);
    }
    assert_eq!(
        run(&["dis", "guest-os", "--host", "--at", "0x1010"]).out,
        done.out,
        "the same each time"
    );
    // Every instruction of a block is the guest's own.
    let shown = json(&["dis", "guest-os", "--host", "--budget", "100000"]);
    let blocks = shown["blocks"].as_array().expect("an array");
    assert!(!blocks.is_empty());
    for block in blocks {
        let parts = block["parts"].as_array().expect("an array");
        let host = parts
            .iter()
            .flat_map(|part| part["host"].as_array().expect("an array"));
        let offsets: Vec<u64> = host
            .map(|host| host["offset"].as_u64().expect("a number"))
            .collect();
        assert!(offsets.is_sorted() && offsets[0] == 0, "{offsets:?}");
        assert!(*offsets.last().expect("some code") < block["bytes"].as_u64().expect("a number"));
        assert_eq!(parts[0]["kind"], "enter");
        assert_eq!(parts[1]["address"], block["start"]);
    }
    let forgotten = run(&["dis", "self-modifying", "--host"]);
    assert!(forgotten.out.contains("no block"), "{}", forgotten.out);
    for (bad, code) in [
        (&["dis", "--host", "guest-os", "--at", "0x12"][..], 10),
        (&["dis", "--host", "program.elf"], 10),
        (&["dis", "--host", "guest-os", "--at", "nowhere"], 2),
        (&["dis", "guest-os", "--at", "hal_put"], 2),
        (&["dis", "--host"], 2),
    ] {
        assert_eq!(run(bad).code, code, "{bad:?}");
    }
}
