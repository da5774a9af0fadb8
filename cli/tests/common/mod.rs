//! Running the binary, and scenarios to run it on.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// The binary, ready for more arguments.
pub(crate) fn trapeze(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trapeze"));
    command
        .args(arguments)
        .stdin(Stdio::null())
        .env_remove("NO_COLOR");
    command
}

/// What a command printed, and how it ended.
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs the binary with these arguments.
pub(crate) fn run(arguments: &[&str]) -> Done {
    done(trapeze(arguments).output().expect("the binary starts"))
}

pub(crate) fn done(output: Output) -> Done {
    Done {
        code: output.status.code().expect("no signal ended it"),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Runs the binary with `--json` and reads its one object.
pub(crate) fn json(arguments: &[&str]) -> Value {
    let done = run(&[arguments, &["--json"]].concat());
    serde_json::from_str(&done.out).unwrap_or_else(|error| panic!("{error}: {}{}", done.out, done.err))
}

/// A file of the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// A new folder with these files, as the path of a scenario; each test has its own.
pub(crate) fn folder(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    for (file, text) in files {
        std::fs::write(folder.join(file), text).unwrap();
    }
    folder
}

/// A scenario with this guest, and these lines at the end of its file.
pub(crate) fn scenario(name: &str, guest: &str, more: &str) -> String {
    let text = format!(
        "title = \"A test\"\n[machine]\nmemory = \"64 KiB\"\n[guest]\nsources = [\"guest.s\"]\n\
         [run]\nbudget = 100000\nmodes = [\"bare\", \"interpret\", \"trap\"]\n{more}"
    );
    let folder = folder(name, &[("guest.s", guest), ("scenario.toml", &text)]);
    folder.to_str().expect("a path that is text").to_string()
}

/// A guest that prints `text` and switches itself off with this code.
pub(crate) fn printer(text: &str, code: u32) -> String {
    let prints: String = text
        .bytes()
        .map(|byte| format!("        li a0, {byte}\n        out zero, a0\n"))
        .collect();
    format!("_start:\n{prints}        li t0, 48\n        li a0, {code}\n        out t0, a0\n1:      j 1b\n")
}

/// A guest that loops for ever.
pub(crate) const LOOP: &str = "_start: j _start\n";

/// A guest that traps for ever.
pub(crate) const TRAP_LOOP: &str = "_start:\n        la t0, handler\n        csrw tvec, t0\n\
                             handler:\n        ecall\n";
