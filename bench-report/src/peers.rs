//! The peers: who else can run the kernels, how, and where to get them.
//!
//! Each of them gets the same C source, compiled with the same flags by what it takes: the host's gcc, gcc for RV32E,
//! or clang for WebAssembly.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::kernels::Kernel;

/// Who.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// Native code, at this level of optimization.
    Native(u8),
    /// Trapeze: an engine, with or without page tables.
    Trapeze {
        /// As `--engine` takes it.
        engine: &'static str,
        /// Whether addresses are translated.
        paging: bool,
    },
    /// QEMU's emulation of a Linux process.
    QemuUser,
    /// QEMU's emulation of a machine, with page tables.
    QemuSystem,
    /// A compiler of WebAssembly.
    Wasmtime,
    /// An interpreter of WebAssembly.
    Wasmi,
    /// A compiler of WebAssembly, as browsers have it.
    Node,
}

/// The peers, those that are native first: the second is what all are compared with.
pub const ALL: [Peer; 13] = [
    Peer::Native(0),
    BASE,
    Peer::Native(1),
    Peer::Trapeze {
        engine: "x86-64",
        paging: false,
    },
    Peer::Trapeze {
        engine: "x86-64",
        paging: true,
    },
    Peer::Trapeze {
        engine: "interpreter",
        paging: false,
    },
    Peer::Trapeze {
        engine: "interpreter",
        paging: true,
    },
    Peer::Trapeze {
        engine: "reference",
        paging: false,
    },
    Peer::Wasmtime,
    Peer::Node,
    Peer::QemuUser,
    Peer::QemuSystem,
    Peer::Wasmi,
];

/// What all are compared with.
pub const BASE: Peer = Peer::Native(2);

/// What a kernel is compiled to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// A program for the host, at this level of optimization.
    Native(u8),
    /// An ELF for ring 3 of Ring32, or for Linux on RV32E.
    Image,
    /// An ELF for QEMU's machine `virt`, with the page tables and the system calls that it needs.
    Virt,
    /// A WebAssembly module that exports `kernel`.
    Wasm,
}

impl Peer {
    /// The name in tables and on the command line.
    pub fn name(self) -> String {
        match self {
            Peer::Native(level) => format!("gcc-O{level}"),
            Peer::Trapeze {
                engine,
                paging: false,
            } => engine.to_string(),
            Peer::Trapeze { engine, paging: true } => format!("{engine}+paging"),
            Peer::QemuUser => "qemu-user".to_string(),
            Peer::QemuSystem => "qemu-system".to_string(),
            Peer::Wasmtime => "wasmtime".to_string(),
            Peer::Wasmi => "wasmi".to_string(),
            Peer::Node => "node".to_string(),
        }
    }

    /// The peer of this name.
    pub fn from_name(name: &str) -> Option<Peer> {
        ALL.into_iter().find(|peer| peer.name() == name)
    }

    /// What it takes.
    pub fn form(self) -> Form {
        match self {
            Peer::Native(level) => Form::Native(level),
            Peer::Trapeze { .. } | Peer::QemuUser => Form::Image,
            Peer::QemuSystem => Form::Virt,
            Peer::Wasmtime | Peer::Wasmi | Peer::Node => Form::Wasm,
        }
    }

    /// Whether it is one of ours.
    pub fn ours(self) -> bool {
        matches!(self, Peer::Trapeze { .. })
    }

    /// How to get it.
    pub fn where_from(self) -> &'static str {
        match self {
            Peer::Native(_) => "apt-get install gcc",
            Peer::Trapeze { .. } => "cargo build --release",
            Peer::QemuUser => "apt-get install qemu-user",
            Peer::QemuSystem => "apt-get install qemu-system-misc",
            Peer::Wasmtime => "pip install wasmtime",
            Peer::Wasmi => "cargo install wasmi_cli",
            Peer::Node => "apt-get install nodejs",
        }
    }

    /// The command that runs a program of its form. `trapeze` is our binary.
    pub fn command(self, program: &Path, kernel: &Kernel, trapeze: &Path) -> Command {
        let count = kernel.repetitions.to_string();
        let helper = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("peers").join(name);
        let with = |name: &str, arguments: &[&str]| {
            let mut command = Command::new(name);
            command.args(arguments);
            command
        };
        match self {
            Peer::Native(_) => Command::new(program),
            Peer::Trapeze { engine, paging } => {
                let mut command = Command::new(trapeze);
                command.arg("exec").arg(program).args(["--engine", engine]);
                command.args(["--budget", "1_000_000_000_000"]);
                command.args(paging.then_some("--paging"));
                command
            }
            Peer::QemuUser => with("qemu-riscv32", &[&program.to_string_lossy()]),
            Peer::QemuSystem => with(
                "qemu-system-riscv32",
                &[
                    "-machine",
                    "virt",
                    "-m",
                    "256M",
                    "-bios",
                    "none",
                    "-display",
                    "none",
                    "-monitor",
                    "none",
                    "-serial",
                    "stdio",
                    "-kernel",
                    &program.to_string_lossy(),
                ],
            ),
            Peer::Wasmtime => {
                let mut command = Command::new("python3");
                command.arg(helper("run_wasmtime.py")).arg(program).arg(count);
                command
            }
            Peer::Wasmi => {
                let mut command = with("wasmi", &["run", "--invoke", "kernel"]);
                command.arg(program).arg(count);
                command
            }
            Peer::Node => {
                let mut command = Command::new("node");
                command.arg(helper("run_node.js")).arg(program).arg(count);
                command
            }
        }
    }

    /// The number that a kernel has computed, from what its run printed.
    pub fn result(self, printed: &str) -> Option<u32> {
        let printed = printed.trim();
        match self {
            // The interpreter prints a signed number.
            Peer::Wasmi => printed.parse::<i64>().ok().map(|number| number as u32),
            _ => u32::from_str_radix(printed, 16).ok(),
        }
    }
}

impl Form {
    /// The file's name.
    pub fn file(self, folder: &Path, kernel: &Kernel) -> PathBuf {
        let ending = match self {
            Form::Native(level) => format!("O{level}"),
            Form::Image => "elf".to_string(),
            Form::Virt => "virt.elf".to_string(),
            Form::Wasm => "wasm".to_string(),
        };
        folder.join(format!("{}.{ending}", kernel.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_peer_is_found_by_its_name() {
        for peer in ALL {
            assert_eq!(Peer::from_name(&peer.name()), Some(peer));
        }
        assert_eq!(Peer::from_name("gcc"), None);
    }

    #[test]
    fn a_result_is_read_as_the_peer_prints_it() {
        assert_eq!(Peer::Wasmi.result("-1\n"), Some(u32::MAX));
        assert_eq!(Peer::Native(2).result("979933c0\n"), Some(0x9799_33c0));
        assert_eq!(Peer::Node.result("no"), None);
    }
}
