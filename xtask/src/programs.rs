//! `cargo xtask programs`: the images of the shipped C programs, `scenarios/c/images`, from their sources; and that of
//! the foreign guest, which is one of them compiled for another processor.
//!
//! The images are committed so that running them takes no cross compiler; `--check` tells whether they still
//! are what their sources say.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::cc::{self, Target};

/// The compiler that the committed images come from. Another one makes other bytes of the same source.
const BUILT_BY_GCC: &str = "12.2.0";

/// The program of the scenario `foreign`, and its image in the folder of the scenarios.
const FOREIGN: (&str, &str) = ("chacha", "shipped/foreign/chacha.elf");

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Write nothing; compare the committed images with a fresh build, byte by byte
    #[arg(long)]
    check: bool,
}

/// Rebuilds or checks all images.
pub(crate) fn run(args: &Args) -> Result<()> {
    let installed = cc::gcc_version()?;
    if installed != BUILT_BY_GCC {
        bail!("the images are built by gcc {BUILT_BY_GCC}, but {installed} is installed");
    }
    if args.check {
        check()
    } else {
        build_all(&images_folder(), &foreign_image())
    }
}

fn check() -> Result<()> {
    let fresh = cc::programs_folder().join("../../target/programs");
    fs::create_dir_all(&fresh)?;
    let fresh_foreign = fresh.join("foreign.elf");
    build_all(&fresh, &fresh_foreign)?;

    let mut stale = Vec::new();
    let mut hold = |image: PathBuf, fresh: PathBuf| -> Result<()> {
        // An image that is missing differs too.
        if fs::read(&image).ok() != Some(fs::read(fresh)?) {
            stale.push(image.display().to_string());
        }
        Ok(())
    };
    for name in program_names()? {
        let image = format!("{name}.elf");
        hold(images_folder().join(&image), fresh.join(&image))?;
    }
    hold(foreign_image(), fresh_foreign)?;
    if !stale.is_empty() {
        bail!(
            "not what their sources say: {}; `cargo xtask programs` rebuilds them",
            stale.join(", ")
        );
    }
    Ok(())
}

fn build_all(folder: &Path, foreign: &Path) -> Result<()> {
    let source = |name: &str| cc::programs_folder().join(name).with_extension("c");
    for name in program_names()? {
        let image = folder.join(&name).with_extension("elf");
        cc::compile(&source(&name), &image, cc::DEFAULT_CFLAGS, Target::Ring32)?;
    }
    cc::compile(&source(FOREIGN.0), foreign, cc::DEFAULT_CFLAGS, Target::Foreign)
}

fn foreign_image() -> PathBuf {
    cc::programs_folder().with_file_name(FOREIGN.1)
}

fn images_folder() -> PathBuf {
    cc::programs_folder().join("images")
}

/// The names of all programs, in order.
fn program_names() -> Result<Vec<String>> {
    stems(&cc::programs_folder(), "c")
}

/// The names, less `extension`, of the files in `folder` that have it; in order.
fn stems(folder: &Path, extension: &str) -> Result<Vec<String>> {
    let mut stems = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|found| found == extension)
            && let Some(stem) = path.file_stem()
        {
            stems.push(stem.to_string_lossy().into_owned());
        }
    }
    stems.sort();
    Ok(stems)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_program_ships_an_image_and_its_expected_output() {
        let folder = cc::programs_folder();
        let programs = program_names().unwrap();
        assert_eq!(stems(&folder.join("images"), "elf").unwrap(), programs);
        assert_eq!(stems(&folder.join("expected"), "txt").unwrap(), programs);
    }
}
