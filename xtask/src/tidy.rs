//! The layout of the house, enforced: which crate may know which, and how wide a line is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use clap::Args as ClapArgs;
use serde_json::Value;

/// No arguments.
#[derive(ClapArgs)]
pub(crate) struct Args {}

/// The rooms, from the ground up. A crate may depend on those before it in the list, never on those after it.
const ROOMS: &[&str] = &[
    "toy-isa",
    "accel",
    "vmm-core",
    "scenarios",
    "tui",
    "bench-report",
    "trapeze",
];

/// Crates that hold no room of the product: chores and the book. Of the product, only tests depend on them.
const OUTSIDE: &[&str] = &["xtask", "trapeze-book"];

/// The widest line of a source file, in characters.
const WIDEST: usize = 120;

/// Checks the arrows between crates and the width of lines.
pub(crate) fn run(_: &Args) -> Result<()> {
    let root = root();
    let metadata = metadata(&root)?;
    let mut findings = arrows(&metadata)?;
    findings.extend(wide_lines(&root)?);
    for finding in &findings {
        eprintln!("tidy: {finding}");
    }
    ensure!(findings.is_empty(), "{} findings", findings.len());
    println!("tidy: crates and lines are in order");
    Ok(())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn metadata(root: &Path) -> Result<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(root)
        .output()
        .context("cargo metadata did not start")?;
    if !output.status.success() {
        bail!(
            "cargo metadata failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Dependencies inside the workspace that point the wrong way.
fn arrows(metadata: &Value) -> Result<Vec<String>> {
    let packages = metadata["packages"]
        .as_array()
        .context("cargo metadata lists packages")?;
    let local: Vec<&Value> = packages
        .iter()
        .filter(|package| package["source"].is_null())
        .collect();
    let place: BTreeMap<&str, usize> = ROOMS.iter().enumerate().map(|(i, name)| (*name, i)).collect();
    let mut findings = Vec::new();
    for package in &local {
        let name = package["name"].as_str().unwrap_or_default();
        if !place.contains_key(name) && !OUTSIDE.contains(&name) {
            findings.push(format!(
                "crate {name} has no place in the house: give it one in xtask/src/tidy.rs"
            ));
            continue;
        }
        let dependencies = package["dependencies"].as_array().into_iter().flatten();
        for dependency in dependencies {
            let of_tests = dependency["kind"] == "dev";
            let dependency = dependency["name"].as_str().unwrap_or_default();
            let allowed = match (place.get(name), place.get(dependency)) {
                (Some(user), Some(used)) => used < user,
                (Some(_), None) => of_tests || !OUTSIDE.contains(&dependency),
                (None, _) => true,
            };
            if !allowed {
                findings.push(format!(
                    "{name} must not depend on {dependency}: arrows point one way only"
                ));
            }
        }
    }
    Ok(findings)
}

fn wide_lines(root: &Path) -> Result<Vec<String>> {
    let listed = Command::new("git")
        .args(["ls-files", "*.rs"])
        .current_dir(root)
        .output()
        .context("git ls-files")?;
    let mut findings = Vec::new();
    for name in String::from_utf8_lossy(&listed.stdout).lines() {
        let Ok(text) = std::fs::read_to_string(root.join(name)) else {
            continue;
        };
        for (number, line) in text.lines().enumerate() {
            if line.chars().count() > WIDEST {
                findings.push(format!("{name}:{}: wider than {WIDEST} characters", number + 1));
            }
        }
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arrow_the_wrong_way_is_found() {
        let metadata = serde_json::json!({ "packages": [
            { "name": "toy-isa", "source": null, "dependencies": [{ "name": "vmm-core" }] },
            { "name": "vmm-core", "source": null, "dependencies": [{ "name": "toy-isa" }] },
            { "name": "scenarios", "source": null, "dependencies": [{ "name": "xtask", "kind": null }] },
            { "name": "attic", "source": null, "dependencies": [] },
        ]});
        let findings = arrows(&metadata).expect("it is metadata");
        assert_eq!(findings.len(), 3, "{findings:?}");
    }

    #[test]
    fn tests_may_use_what_is_outside_but_climb_no_stairs() {
        let metadata = serde_json::json!({ "packages": [
            { "name": "trapeze", "source": null, "dependencies": [{ "name": "trapeze-book", "kind": "dev" }] },
            { "name": "toy-isa", "source": null, "dependencies": [{ "name": "vmm-core", "kind": "dev" }] },
        ]});
        let findings = arrows(&metadata).expect("it is metadata");
        assert_eq!(
            findings,
            ["toy-isa must not depend on vmm-core: arrows point one way only"]
        );
    }
}
