//! `cargo xtask book`: what stands in the book without having been written. The work is in the crate `trapeze-book`.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use trapeze_book::{Generated, generate, links, root};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Write nothing; tell what differs, and which links lead nowhere
    #[arg(long)]
    check: bool,
}

/// Regenerates the reference, the outputs and the picture, or checks them.
pub(crate) fn run(args: &Args) -> Result<()> {
    let stale = generate(&trapeze()?)?.into_iter().filter_map(|file| {
        let difference = file.difference()?;
        Some((file, difference))
    });
    if !args.check {
        return stale.into_iter().try_for_each(|(file, _)| write(&file));
    }
    let mut findings: Vec<String> = stale.map(|(_, difference)| difference).collect();
    findings.extend(links::findings(&root())?);
    for finding in &findings {
        eprintln!("book: {finding}");
    }
    ensure!(
        findings.is_empty(),
        "{} findings; `cargo xtask book` regenerates what is stale",
        findings.len()
    );
    println!("book: what it shows is what there is");
    Ok(())
}

fn write(file: &Generated) -> Result<()> {
    println!("writing {}", file.path.display());
    file.write()
}

/// Builds the binary, and says where it is.
fn trapeze() -> Result<PathBuf> {
    let built = Command::new(env!("CARGO"))
        .args([
            "build",
            "--quiet",
            "--release",
            "--package",
            "trapeze",
            "--message-format",
            "json-render-diagnostics",
        ])
        .current_dir(root())
        .stderr(Stdio::inherit())
        .output()
        .context("cargo build did not start")?;
    ensure!(built.status.success(), "trapeze does not compile");
    let messages = String::from_utf8(built.stdout)?;
    let messages = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut executables = messages.filter_map(|message| message["executable"].as_str().map(PathBuf::from));
    executables.next().context("cargo names no executable")
}
