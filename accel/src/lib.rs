//! What the host's hardware does for Trapeze. This is the only crate with unsafe code, and each block of it says why it
//! is sound.
//!
//! [`X86_64`] is an engine that translates blocks of Ring32 to x86-64. Where the host is no x86-64 Linux it has the
//! same interface, and cannot be made: [`Unavailable`] says why, so that callers carry no conditions.
//! [`kvm`] makes real virtual machines.

pub mod kvm;
mod listing;

pub use listing::{HostBlock, HostCode, HostPart, Purpose};

use std::fmt::Display;
use std::fs::OpenOptions;
use std::io::Write;

/// Why the host has no such engine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("engine x86-64 is not available: {0}; --engine interpreter runs everywhere")]
pub struct Unavailable(pub String);

/// What an engine that emits code has done for that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Translated {
    /// Blocks translated.
    pub blocks: u64,
    /// Instructions of the guest in them.
    pub instructions: u64,
    /// Jumps from one block to another that were led there.
    pub links: u64,
    /// Times that all code was forgotten.
    pub flushes: u64,
}

/// What of the host's memory emitted code can reach by addresses of the guest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confinement {
    /// Pages of addresses that lead straight to memory, those for loads and those for stores.
    pub pages: u64,
    /// Of these, which should not: they lead out of the guest's memory, or a store there would have to be noticed and
    /// would not be.
    pub astray: Vec<u32>,
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod x86_64;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
pub use x86_64::{Kvm, X86_64};

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
mod elsewhere;
#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
pub use elsewhere::{Kvm, X86_64};

/// For tests: says by name what this host has nothing to run it with. Where `TRAPEZE_SKIPPED` names a file, a line is
/// added there, so that somebody can count them.
pub fn skipped(name: &str, reason: &dyn Display) {
    let line = format!("{name}: {reason}\n");
    print!("skipped: {line}");
    if let Some(path) = std::env::var_os("TRAPEZE_SKIPPED") {
        let file = OpenOptions::new().create(true).append(true).open(path);
        let written = file.and_then(|mut file| file.write_all(line.as_bytes()));
        written.expect("the file of TRAPEZE_SKIPPED can be written");
    }
}
