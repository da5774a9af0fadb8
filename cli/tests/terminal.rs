//! What reaches a terminal, a pipe or a file: colours, control bytes, broken pipes, traces.

mod common;

use std::io::Read;
use std::process::{Command, Stdio};

use common::{folder, json, printer, run, scenario, trapeze};
use serde_json::Value;

/// Runs the binary on a terminal of its own, with this environment; `None` where that cannot be done.
fn on_a_terminal(arguments: &str, environment: &[(&str, &str)]) -> Option<Vec<u8>> {
    let command = format!("{} {arguments}", env!("CARGO_BIN_EXE_trapeze"));
    let output = Command::new("script")
        .args(["--quiet", "--command", &command, "/dev/null"])
        .env_remove("NO_COLOR")
        .env("TERM", "xterm")
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output();
    match output {
        Ok(output) if !output.stdout.is_empty() => Some(output.stdout),
        _ => {
            println!("skipped: script(1) of util-linux is not installed");
            None
        }
    }
}

#[test]
fn colour_is_for_terminals_only_and_not_with_no_color() {
    assert!(!run(&["isa", "--profile", "leaky"]).out.contains('\x1b'));
    if let Some(output) = on_a_terminal("isa --profile leaky", &[]) {
        assert!(output.contains(&0x1b));
        let plain = on_a_terminal("isa --profile leaky", &[("NO_COLOR", "1")]).expect("it was there before");
        assert!(!plain.contains(&0x1b));
    }
}

#[test]
fn no_control_byte_of_a_guest_reaches_a_terminal() {
    let path = scenario("cli-escape", &printer("\x1b]0;evil\x07\x01 ok\n", 0), "");
    let done = run(&["run", &path]);
    assert!(
        done.out.starts_with("\\x1b]0;evil\\x07\\x01 ok\n"),
        "{}",
        done.out
    );
    for command in ["run", "compare --console"] {
        if let Some(output) = on_a_terminal(&format!("{command} {path}"), &[("NO_COLOR", "1")]) {
            let output = String::from_utf8_lossy(&output);
            assert!(output.contains("\\x1b]0;evil\\x07\\x01 ok"), "{output}");
            assert!(!output.contains("\x1b]0") && !output.contains('\x07'), "{output}");
        }
    }
}

#[test]
fn a_program_in_ring_3_is_escaped_on_a_terminal() {
    let source = "_start: li t0, 64\n        li a0, 1\n        la a1, text\n        li a2, 2\n        ecall\n\
                  \n        li t0, 93\n        li a0, 0\n        ecall\n        .data\ntext:   .byte 7, 10\n";
    let elf = folder("cli-escape-exec", &[("program.s", source)]).join("program.elf");
    let source = elf.with_extension("s");
    let (source, elf) = (source.to_str().unwrap(), elf.to_str().unwrap());
    assert_eq!(run(&["asm", source, "-o", elf, "--origin", "0x1000"]).code, 0);
    if let Some(output) = on_a_terminal(&format!("exec {elf}"), &[]) {
        assert_eq!(String::from_utf8_lossy(&output), "\\x07\r\n");
    }
}

#[test]
fn a_message_about_a_hostile_file_is_escaped() {
    let path = scenario("cli-escape-error", "_start: \x1b[2J\n", "");
    let done = run(&["run", &path]);
    assert_eq!(done.code, 10);
    assert!(
        !done.err.contains('\x1b') && done.err.contains("guest.s:1:"),
        "{}",
        done.err
    );
}

#[test]
fn a_reader_who_has_seen_enough_is_no_error() {
    for arguments in [
        &["isa"][..],
        &["dis", "guest-os"],
        &["list"],
        &["compare", "--json"],
    ] {
        let mut child = trapeze(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        drop(child.stdout.take());
        let mut err = String::new();
        child
            .stderr
            .take()
            .expect("a pipe")
            .read_to_string(&mut err)
            .expect("text");
        let status = child.wait().expect("it ends");
        assert!(
            status.success() && err.is_empty(),
            "{arguments:?}: {status} {err}"
        );
    }
}

#[test]
fn a_trace_is_json_lines_or_opens_in_perfetto() {
    let path = scenario("cli-trace", &printer("x", 0), "");
    let folder = folder("cli-traces", &[]);
    let (lines, perfetto) = (folder.join("trace.jsonl"), folder.join("trace.json"));
    for (command, file) in [("run", &lines), ("compare", &perfetto)] {
        assert_eq!(run(&[command, &path, "--trace", file.to_str().unwrap()]).code, 0);
    }
    let text = std::fs::read_to_string(&lines).unwrap();
    let events: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect();
    assert!(
        events
            .iter()
            .any(|event| event["event"] == "emulate" && event["mode"] == "trap")
    );
    let trace: Value = serde_json::from_str(&std::fs::read_to_string(&perfetto).unwrap()).expect("JSON");
    let events = trace["traceEvents"].as_array().expect("an array");
    for lane in ["guest user", "guest kernel", "monitor", "hardware"] {
        let named = |event: &&Value| event["name"] == "thread_name" && event["args"]["name"] == lane;
        assert_eq!(events.iter().filter(named).count(), 3, "{lane} of three modes");
    }
    for event in events.iter().filter(|event| event["ph"] != "M") {
        assert!(
            event["ts"].is_u64() && event["tid"].is_u64() && event["pid"].is_u64(),
            "{event}"
        );
    }
    assert!(
        events.iter().any(|event| event["ph"] == "X"),
        "the guest's own time"
    );
}

#[test]
fn a_trace_that_lost_events_says_so() {
    let path = scenario("cli-trace-bounded", common::TRAP_LOOP, "");
    let file = folder("cli-traces-bounded", &[]).join("trace.jsonl");
    let done = run(&[
        "compare",
        &path,
        "--modes",
        "trap",
        "--trace",
        file.to_str().unwrap(),
    ]);
    assert!(done.err.contains("were dropped"), "{}", done.err);
    let text = std::fs::read_to_string(&file).unwrap();
    let first: Value = serde_json::from_str(text.lines().next().expect("a line")).unwrap();
    assert_eq!(first["event"], "dropped");
    let kept = text.lines().count() as u64 - 1;
    assert!(kept > 0 && first["count"].as_u64().is_some_and(|count| count > 0));
}

#[test]
fn human_output_never_tells_host_time() {
    let object = json(&["run"]);
    let time = object["wall_ns"].as_u64().expect("a number").to_string();
    assert!(!run(&["run"]).out.contains(&time));
}
