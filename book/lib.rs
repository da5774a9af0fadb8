//! What stands in the book without having been written: the reference, what the binary prints, README's picture;
//! and whether every link and listing leads somewhere.
//!
//! `cargo xtask book` writes it and `cargo xtask book --check` compares; the tests of this crate and
//! `cli/tests/book.rs` hold the book to it.

pub mod links;
pub mod outputs;
pub mod picture;
pub mod reference;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use outputs::Binary;

/// The folder of the pages, from the root of the repository.
pub const PAGES: &str = "book/src";

/// README's picture.
const PICTURE: &str = "assets/first-run.svg";

/// A file that is generated, in all or in part.
pub struct Generated {
    /// Its path from the root of the repository.
    pub path: PathBuf,
    /// What it should say.
    pub text: String,
}

impl Generated {
    /// What differs from the file as it is; `None` if nothing does.
    pub fn difference(&self) -> Option<String> {
        let path = self.path.display();
        let Ok(found) = fs::read_to_string(root().join(&self.path)) else {
            return Some(format!("{path}: missing"));
        };
        if found == self.text {
            return None;
        }
        let same = |(a, b): &(&str, &str)| a == b;
        let equal = found.lines().zip(self.text.lines()).take_while(same).count();
        let line = |text: &str| text.lines().nth(equal).unwrap_or("(the end)").to_string();
        let (found, fresh) = (line(&found), line(&self.text));
        Some(format!(
            "{path}:{}: stale\n  is         {found}\n  should be  {fresh}",
            equal + 1
        ))
    }

    /// Writes the file.
    ///
    /// # Errors
    /// If the file system says no.
    pub fn write(&self) -> Result<()> {
        fs::write(root().join(&self.path), &self.text)
            .with_context(|| format!("cannot write {}", self.path.display()))
    }
}

/// Everything that is generated, as it should be with this `trapeze` binary.
///
/// # Errors
/// If a page cannot be read, has a marked block that makes no sense, or shows a command that fails.
pub fn generate(trapeze: &Path) -> Result<Vec<Generated>> {
    let binary = Binary::new(trapeze);
    let first = binary.print("trapeze compare")?;
    let mut all = vec![
        Generated {
            path: PICTURE.into(),
            text: picture::svg(&first.context("every host can compare the methods")?),
        },
        Generated {
            path: Path::new(PAGES).join("reference.md"),
            text: reference::page(),
        },
    ];
    for path in links::pages(&root())? {
        let old = fs::read_to_string(root().join(&path))?;
        let text = outputs::refresh(&old, |command| binary.print(command))
            .with_context(|| path.display().to_string())?;
        if all.iter().all(|other| other.path != path) {
            all.push(Generated { path, text });
        }
    }
    Ok(all)
}

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
