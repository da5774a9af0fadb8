//! What the host's hardware does for Trapeze. This is the only crate with unsafe code, and each block of it says why it
//! is sound.
//!
//! [`X86_64`] is an engine that translates blocks of Ring32 to x86-64. Where the host is no x86-64 Linux it has the
//! same interface, and cannot be made: [`Unavailable`] says why, so that callers carry no conditions.
//! [`kvm`] makes real virtual machines.

pub mod kvm;

/// Why the host has no such engine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("engine x86-64 is not available: {0}; --engine interpreter runs everywhere")]
pub struct Unavailable(pub String);

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod x86_64;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
pub use x86_64::{Kvm, X86_64};

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
mod elsewhere;
#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
pub use elsewhere::{Kvm, X86_64};

/// A test reports that it cannot say anything here.
#[cfg(test)]
fn skipped(name: &str, reason: &dyn std::fmt::Display) {
    println!("skipped: {name}: {reason}");
}
