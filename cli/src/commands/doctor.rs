//! `trapeze doctor`: what this computer can do, and what to do about what it cannot.

use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::path::Path;

use scenarios::terminal::escape_line;
use serde::Serialize;
use serde_json::json;

use crate::failure::Failure;
use crate::output::{Output, Paint};
use crate::text::{exact, wrap};

/// One thing that was looked at.
#[derive(Serialize)]
struct Check {
    /// What.
    name: &'static str,
    /// Whether it is there; `None` for what is a mere fact.
    ok: Option<bool>,
    /// What was found.
    found: String,
    /// What to do, if something is missing.
    advice: Option<String>,
}

impl Check {
    fn fact(name: &'static str, found: impl Into<String>) -> Check {
        Check {
            name,
            ok: None,
            found: found.into(),
            advice: None,
        }
    }

    fn good(name: &'static str, found: impl Into<String>) -> Check {
        Check {
            ok: Some(true),
            ..Check::fact(name, found)
        }
    }

    fn missing(name: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Check {
        Check {
            ok: Some(false),
            advice: Some(advice.into()),
            ..Check::fact(name, found)
        }
    }
}

/// Runs the command. What is missing is no error: nothing of it is needed to run guests.
pub(crate) fn run(output: &Output) -> Result<(), Failure> {
    let checks = checks();
    if output.json {
        return output.object(&json!({ "checks": checks }));
    }
    let lines: Vec<String> = checks.iter().map(|check| line(check, output.paint)).collect();
    output.text(&format!(
        "{}\nTrapeze itself needs none of these: `trapeze` runs everywhere.\n",
        lines.concat()
    ))
}

fn line(check: &Check, paint: Paint) -> String {
    let sign = match check.ok {
        None => "   ".to_string(),
        Some(true) => paint.good("yes"),
        Some(false) => paint.bad("no "),
    };
    let found = escape_line(check.found.as_bytes());
    let line = wrap(&format!("    {:<23}  ", check.name), &found).replacen("   ", &sign, 1);
    let advice = check.advice.as_deref();
    line + &advice.map_or(String::new(), |advice| {
        wrap(&" ".repeat(29), &format!("-> {advice}"))
    })
}

fn checks() -> Vec<Check> {
    let cores = std::thread::available_parallelism().map_or("unknown".to_string(), |n| n.to_string());
    vec![
        Check::fact("version", env!("CARGO_PKG_VERSION")),
        Check::fact("system", system()),
        Check::fact(
            "processor",
            field("/proc/cpuinfo", "model name").unwrap_or("unknown".to_string()),
        ),
        Check::fact("cores", cores),
        Check::fact("memory", memory().unwrap_or("unknown".to_string())),
        hardware(),
        kvm(),
        tool(
            "riscv64-unknown-elf-gcc",
            "needed only to rebuild the C programs: install the package gcc-riscv64-unknown-elf",
        ),
        tool(
            "qemu-riscv32",
            "needed only to compare `exec` with QEMU: install the package qemu-user",
        ),
        tool("mdbook", "needed only to build the book: cargo install mdbook"),
    ]
}

fn system() -> String {
    let name = fs::read_to_string("/etc/os-release").ok().and_then(|text| {
        let name = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
        Some(name.trim_matches('"').to_string())
    });
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    name.map_or(format!("{os}, {arch}"), |name| format!("{name} ({os}, {arch})"))
}

fn memory() -> Option<String> {
    mebibytes("/proc/meminfo", "MemTotal")
}

/// The most memory that this process had; `None` where the system does not tell.
pub(crate) fn peak() -> Option<String> {
    mebibytes("/proc/self/status", "VmHWM")
}

fn mebibytes(file: &str, name: &str) -> Option<String> {
    let total = field(file, name)?;
    let kib: u64 = total.split_whitespace().next()?.parse().ok()?;
    Some(format!("{} MiB", exact(kib / 1024)))
}

/// The value of the first line `name : value` of a file.
fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim().to_string())
    })
}

/// Whether the processor says that it has hardware assistance for virtualization.
fn hardware() -> Check {
    const NAME: &str = "VT-x or AMD-V";
    let Some(flags) = field("/proc/cpuinfo", "flags") else {
        return Check::fact(NAME, "unknown: this system does not say it in the x86 way");
    };
    match flags
        .split_whitespace()
        .find(|flag| ["vmx", "svm"].contains(flag))
    {
        Some(flag) => Check::good(NAME, format!("the processor has it (flag {flag})")),
        None => Check::missing(
            NAME,
            "the processor does not show it",
            "switch it on in the firmware; in a virtual machine, ask its host for nested virtualization",
        ),
    }
}

/// Whether KVM can be opened. Its version is not asked for: that takes an ioctl.
fn kvm() -> Check {
    const NAME: &str = "/dev/kvm";
    match OpenOptions::new().read(true).write(true).open(NAME) {
        Ok(_) => Check::good(NAME, "present, and can be opened (API version not asked for)"),
        Err(error) => match error.kind() {
            ErrorKind::NotFound => Check::missing(
                NAME,
                "not there",
                "load the module: modprobe kvm_intel, or kvm_amd; in a container, pass the device through",
            ),
            ErrorKind::PermissionDenied => Check::missing(
                NAME,
                "present, but it may not be opened",
                "join its group: usermod -a -G kvm USER, then log in again",
            ),
            _ => Check::missing(
                NAME,
                format!("present, but cannot be opened: {error}"),
                "in a virtual machine or a container, ask its host for nested virtualization",
            ),
        },
    }
}

/// Whether a program is on the PATH.
fn tool(name: &'static str, advice: &str) -> Check {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let found =
        std::env::split_paths(&paths).any(|folder: std::path::PathBuf| is_program(&folder.join(name)));
    if found {
        Check::good(name, "on the PATH")
    } else {
        Check::missing(name, "not on the PATH", advice)
    }
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.with_extension("exe").is_file()
}
