//! KVM: real virtual machines on this host.

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
pub(crate) mod calls;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod exits;
#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
#[path = "kvm/elsewhere.rs"]
mod exits;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
pub(crate) mod machine;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
pub(crate) mod place;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod stats;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod stubs;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
pub(crate) mod tables;

use std::io;

use serde::Serialize;

pub use exits::{available, measure};

/// Why KVM cannot be used, or did not do what it should.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KvmError {
    /// The host has none.
    #[error(
        "this host has no /dev/kvm. On a real machine: switch virtualization on in the firmware, and load the module \
         (sudo modprobe kvm_intel or kvm_amd). In a virtual machine: its host has to offer nested virtualization"
    )]
    Absent,
    /// It has, for others.
    #[error(
        "/dev/kvm may not be opened by this user: join its group (sudo usermod -aG kvm $USER) and log in again"
    )]
    Permission,
    /// It is not the interface that this program knows.
    #[error(
        "KVM of this host has API version {0}, and 12 is needed: the kernel is older than 2007, or is none of Linux"
    )]
    Version(i32),
    /// A request to it failed.
    #[error("KVM: {call} failed: {error}")]
    Call {
        /// Which.
        call: &'static str,
        /// What the system says.
        error: Errno,
    },
    /// Memory that is to be the guest's cannot be had or reached.
    #[error("the memory of a virtual machine: {0}")]
    Memory(String),
    /// It is too old.
    #[error("KVM of this host lacks {0}: a kernel of Linux 4.17 or newer has it")]
    Lacks(&'static str),
    /// The guest left in a way that nobody foresaw.
    #[error("KVM: the guest left by {0}, which nobody foresaw")]
    Exit(String),
    /// Emitted code could not run.
    #[error("mode kvm runs code that needs {0}, which the processor does not have")]
    Processor(&'static str),
    /// It is another kind of host.
    #[error("KVM is for x86-64 hosts with Linux, and this is none")]
    Elsewhere,
}

impl KvmError {
    /// Whether the host lacks KVM or keeps it from this user, as against a failure of it.
    pub fn unavailable(&self) -> bool {
        matches!(
            self,
            KvmError::Absent
                | KvmError::Permission
                | KvmError::Version(_)
                | KvmError::Lacks(_)
                | KvmError::Processor(_)
                | KvmError::Elsewhere
        )
    }

    /// Why /dev/kvm does not open.
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    fn open(error: Errno) -> KvmError {
        match error.0 {
            // Or the device file is there, and no module behind it.
            libc::ENOENT | libc::ENXIO | libc::ENODEV => KvmError::Absent,
            libc::EACCES | libc::EPERM => KvmError::Permission,
            _ => KvmError::Call {
                call: "opening /dev/kvm",
                error,
            },
        }
    }
}

/// A number by which the host's system says why it refuses something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Errno(pub i32);

impl std::fmt::Display for Errno {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        io::Error::from_raw_os_error(self.0).fmt(f)
    }
}

/// What a guest does again and again, and what each time costs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Exit {
    /// What the guest does, as an assembler has it.
    pub does: &'static str,
    /// In which ring.
    pub ring: u8,
    /// Why it leaves to this program each time; `None` if it does not.
    pub reason: Option<&'static str>,
    /// Nanoseconds each, what the loop around it takes left out: the median of the rounds. `None` if this KVM refuses
    /// to run it.
    pub nanoseconds: Option<f64>,
    /// The distance of the slowest round from the fastest, as a share of the median.
    pub spread: f64,
    /// How often it left to the host's kernel, each time, if the kernel counts that.
    pub kernel_exits: Option<f64>,
}

/// What was measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Exits {
    /// One for each thing that the guest does.
    pub exits: Vec<Exit>,
    /// Nanoseconds of the smallest exit to a program that there can be: nothing but the ioctl around an `out`.
    pub floor: f64,
    /// The same for code that the engine of mode `kvm` emits.
    pub emitted: Trips,
}

/// Nanoseconds that it takes emitted code to leave its virtual machine and to come back, which runs in 64-bit mode with
/// page tables: the fastest of the rounds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Trips {
    /// The least that there can be in such a machine: nothing but the ioctl around an `out`.
    pub floor: f64,
    /// Out of a block and into the next, with all registers and counters.
    pub trip: f64,
    /// In addition, where an access is refused: by way of ring 0.
    pub fault: f64,
    /// In addition, where the stub changes an entry of a page table.
    pub change: f64,
    /// In addition, where the next block runs under another root.
    pub root: f64,
}

#[cfg(test)]
mod tests;
