//! A folder with a scenario in it, for tests of bad ones.
#![allow(
    dead_code,
    reason = "every test file compiles this module and uses its own part of it"
)]

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use scenarios::{Error, Scenario};
use toy_isa::asm::{Options, Source, assemble};

/// A folder of its own for a test, with a guest and a scenario in it.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Folder {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("the temporary folder is ours");
        let folder = Folder(path);
        folder.write("guest.s", b"_start: li t0, 48\n out t0, zero\n");
        folder
    }

    pub(crate) fn write(&self, name: &str, contents: &[u8]) {
        fs::write(self.0.join(name), contents).expect("the temporary folder is ours");
    }

    /// The error of a scenario with this text, without the folder's path.
    pub(crate) fn error(&self, toml: &str) -> String {
        self.fail(toml.as_bytes())
            .to_string()
            .replace(&format!("{}/", self.0.display()), "")
    }

    pub(crate) fn fail(&self, toml: &[u8]) -> Error {
        self.write("scenario.toml", toml);
        let start = Instant::now();
        let error = Scenario::load(&self.0).expect_err("the scenario is bad");
        assert!(
            start.elapsed() < Duration::from_secs(5),
            "a bad file is refused at once"
        );
        error
    }
}

/// The beginning of a scenario that is good so far: three lines.
pub(crate) const GOOD: &str = "title = \"t\"\n[guest]\nsources = [\"guest.s\"]\n";

/// An ELF file that is good.
pub(crate) fn elf() -> Vec<u8> {
    let source = Source::new("guest.s", "_start: nop\n .org 0x2000\n .word 1\n");
    assemble(
        &[source],
        &Options {
            origin: 0x1000,
            ..Options::default()
        },
    )
    .expect("it assembles")
    .to_elf()
}
