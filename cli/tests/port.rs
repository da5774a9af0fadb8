//! The paravirtual monitor from the command line: `port`, and `run` and `compare` in mode `para`.

mod common;

use common::{json, printer, run, scenario};

#[test]
fn the_port_is_shown_as_a_difference_with_its_size() {
    let done = run(&["port"]);
    assert_eq!(done.code, 0, "{}", done.err);
    for line in [
        "--- hal-cpu.s",
        "+++ ../guest-os-para/hal-cpu.s",
        "-        mret",
        "+        hypercall IRET",
        "The port of guest-os",
    ] {
        assert!(done.out.lines().any(|found| found == line), "{line}");
    }
    let object = json(&["port", "guest-os"]);
    let changed = object["changed"].as_u64().expect("a number");
    assert!((1..=250).contains(&changed), "{changed}");
    assert!(
        done.out.contains(&format!("{changed} lines added or modified")),
        "{}",
        done.out
    );
    let percent = 100.0 * changed as f64 / object["original_lines"].as_f64().expect("a number");
    assert!((object["percent"].as_f64().expect("a number") - percent).abs() < 1e-9);
    let files = object["files"].as_array().expect("an array");
    assert!(files.iter().any(|file| file["original"] == "hal-cpu.s"));
}

#[test]
fn a_scenario_without_a_port_is_told_so() {
    let path = scenario("cli-no-port", &printer("", 0), "");
    for arguments in [
        &["port", &path][..],
        &["compare", &path, "--modes", "bare,para"],
        &["run", &path, "--mode", "para"],
    ] {
        let done = run(arguments);
        assert_eq!(done.code, 10, "{arguments:?}: {}", done.err);
        assert!(done.err.contains("[guest.port]"), "{arguments:?}: {}", done.err);
    }
}

#[test]
fn the_hypercalls_are_listed() {
    let done = run(&["port", "--hypercalls"]);
    assert_eq!(done.code, 0, "{}", done.err);
    let object = json(&["port", "--hypercalls"]);
    let rows = object["hypercalls"].as_array().expect("an array");
    assert!(rows.len() >= 8);
    for row in rows {
        let name = row["name"].as_str().expect("a text");
        assert!(done.out.contains(name), "{name}");
        for key in ["does", "arguments", "result", "errors"] {
            assert!(
                row[key].as_str().is_some_and(|text| !text.is_empty()),
                "{name} {key}"
            );
        }
    }
}

#[test]
fn a_run_of_the_port_says_what_was_compared_and_what_not() {
    let done = run(&["run", "--mode", "para", "--profile", "leaky", "--batch", "16"]);
    assert_eq!(done.code, 0, "{}", done.err);
    let text = done.out.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "output streams",
        "exit codes of processes",
        "its kernel is another one",
        "of 16",
        "mmu_update",
        "iret",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let object = json(&["compare", "--modes", "bare,trap,para", "--profile", "leaky"]);
    let holds = |mode: usize| object["modes"][mode]["verdict"]["equivalence"]["holds"].as_bool();
    assert_eq!((holds(1), holds(2)), (Some(false), Some(true)));
}

#[test]
fn a_batch_is_between_1_and_2048() {
    for batch in ["0", "2049", "-1", "many"] {
        let done = run(&["run", "--mode", "para", &format!("--batch={batch}")]);
        assert_eq!(done.code, 2, "{batch}: {}", done.err);
    }
    let hypercalls = |batch: &str| {
        let object = json(&["run", "--mode", "para", "--batch", batch]);
        object["counts"]["hypercalls"]["mmu_update"]
            .as_u64()
            .expect("a number")
    };
    assert!(hypercalls("1") > hypercalls("2048"));
}

#[test]
fn why_explains_a_hypercall_in_the_lines_of_the_port() {
    let listed = run(&["why", "--mode", "para"]);
    assert!(listed.out.contains("hypercall set_callbacks"), "{}", listed.out);
    let done = run(&["why", "2", "--mode", "para"]);
    assert_eq!(done.code, 0, "{}", done.err);
    for part in [
        "../guest-os-para/hal-cpu.s",
        "hypercall SET_CALLBACKS",
        "the monitor answered the hypercall",
    ] {
        assert!(done.out.contains(part), "{part}: {}", done.out);
    }
}
