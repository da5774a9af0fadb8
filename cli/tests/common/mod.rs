//! Running the binary, and scenarios to run it on.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// The binary, ready for more arguments.
pub fn trapeze(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trapeze"));
    command.args(arguments).stdin(Stdio::null()).env_remove("NO_COLOR");
    command
}

/// What a command printed, and how it ended.
pub struct Done {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// Runs the binary with these arguments.
pub fn run(arguments: &[&str]) -> Done {
    done(trapeze(arguments).output().expect("the binary starts"))
}

pub fn done(output: Output) -> Done {
    Done {
        code: output.status.code().expect("no signal ended it"),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Runs the binary with `--json` and reads its one object.
pub fn json(arguments: &[&str]) -> Value {
    let done = run(&[arguments, &["--json"]].concat());
    serde_json::from_str(&done.out).unwrap_or_else(|error| panic!("{error}: {}{}", done.out, done.err))
}

/// A file of the repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// A new folder with these files, as the path of a scenario; each test has its own.
pub fn folder(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    for (file, text) in files {
        std::fs::write(folder.join(file), text).unwrap();
    }
    folder
}

/// A scenario with this guest, and these lines after the head of its file.
pub fn scenario(name: &str, guest: &str, more: &str) -> String {
    let head = format!(
        "title = \"A test\"\nsources = [\"guest.s\"]\nmemory = \"64KiB\"\nprofile = \"classic\"\n\
         budget = 100000\nmodes = [\"bare\", \"interpret\", \"trap\"]\n{more}"
    );
    let folder = folder(name, &[("guest.s", guest), ("scenario.toml", &head)]);
    folder.to_str().expect("a path that is text").to_string()
}
