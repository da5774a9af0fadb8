//! `cargo xtask cc`: one C file and the runtime library become an ELF image for Ring32, or for a foreign processor.

use std::env;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf, absolute};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

const GCC: &str = "riscv64-unknown-elf-gcc";

/// What gcc is asked for unless `CFLAGS` says otherwise, and what the shipped images are built with.
pub(crate) const DEFAULT_CFLAGS: &str = "-O2";

#[derive(clap::Args)]
#[command(after_help = "CFLAGS in the environment replaces the default flags, -O2.")]
pub(crate) struct Args {
    /// The C file to compile
    source: PathBuf,
    /// The image to write
    #[arg(short)]
    output: PathBuf,
    /// Compile for the 32 registers of RV32IM, with a kernel for one program: a guest that only pure emulation can run
    #[arg(long)]
    foreign: bool,
}

/// What a program is compiled for.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    /// Ring 3 of Ring32, where somebody answers its system calls.
    Ring32,
    /// A machine of its own, whose processor has 32 registers, with a kernel that answers them.
    Foreign,
    /// QEMU's machine `virt`, with page tables and a kernel that answers them.
    Virt,
}

impl Target {
    fn registers(self) -> &'static str {
        match self {
            Target::Ring32 | Target::Virt => "rv32em",
            Target::Foreign => "rv32im",
        }
    }

    fn abi(self) -> &'static str {
        match self {
            Target::Ring32 | Target::Virt => "-mabi=ilp32e",
            Target::Foreign => "-mabi=ilp32",
        }
    }

    /// What runs first, in `runtime/`, with the symbol at which it begins.
    fn start(self) -> (&'static [&'static str], &'static str) {
        match self {
            Target::Ring32 => (&["crt0.S"], "_start"),
            Target::Foreign => (&["board.S", "crt0.S"], "board"),
            Target::Virt => (&["virt.S", "crt0.S"], "virt"),
        }
    }
}

/// Compiles what the command line names.
pub(crate) fn run(args: &Args) -> Result<()> {
    let cflags = env::var("CFLAGS").unwrap_or_else(|_| DEFAULT_CFLAGS.into());
    let target = if args.foreign {
        Target::Foreign
    } else {
        Target::Ring32
    };
    compile(&args.source, &args.output, &cflags, target)
}

/// Compiles `source` and links it with the runtime library into `output`.
///
/// The same source gives the same bytes wherever it lies: gcc runs beside it, and the prefix maps keep every
/// absolute path out of the debug information. (`-ffile-prefix-map` would not do: gcc 12 does not pass it on
/// to the assembler.)
pub(crate) fn compile(source: &Path, output: &Path, cflags: &str, target: Target) -> Result<()> {
    let (source, output) = (absolute(source)?, absolute(output)?);
    let (true, Some(folder), Some(name)) = (source.is_file(), source.parent(), source.file_name()) else {
        bail!("there is no file {}", source.display());
    };
    let runtime = programs_folder().join("runtime");
    let (start, entry) = target.start();
    let status = gcc()
        .current_dir(folder)
        .arg(format!("-march={}_zicsr_zifencei", target.registers()))
        .arg(target.abi())
        .args([
            "-ffreestanding",
            "-nostdlib",
            "-nostartfiles",
            "-Wall",
            "-Wextra",
            "-g",
        ])
        .arg(concat("-fdebug-prefix-map=", folder, "=."))
        .arg(concat("-fdebug-prefix-map=", &runtime, "=runtime"))
        .args(cflags.split_whitespace())
        .arg(concat("-I", &runtime, ""))
        .arg(concat("-T", &runtime.join("link.ld"), ""))
        .arg(format!("-Wl,--entry={entry}"))
        .args(start.iter().map(|name| runtime.join(name)))
        .arg(runtime.join("runtime.c"))
        .arg(name)
        .arg(libgcc(target)?)
        .arg("-o")
        .arg(output)
        .status()
        .map_err(explain)?;
    if !status.success() {
        bail!("{GCC} could not build {}", source.display());
    }
    Ok(())
}

/// Lets an image be loaded so far behind the addresses that it is linked for.
pub(crate) fn move_to(image: &Path, offset: u32) -> Result<()> {
    const OBJCOPY: &str = "riscv64-unknown-elf-objcopy";
    let status = Command::new(OBJCOPY)
        .arg("--change-section-lma")
        .arg(format!("*+{offset:#x}"))
        .arg(image)
        .status()
        .with_context(|| format!("{OBJCOPY} does not start"))?;
    if !status.success() {
        bail!("{OBJCOPY} could not move {}", image.display());
    }
    Ok(())
}

/// The version of the installed compiler, as in "12.2.0".
pub(crate) fn gcc_version() -> Result<String> {
    ask_gcc(&["-dumpfullversion"])
}

/// The folder of the C programs.
pub(crate) fn programs_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .with_file_name("scenarios")
        .join("c")
}

/// The library of what the target has no instruction for, such as division of 64-bit numbers. gcc does not find
/// the right one by itself: given the architecture that compiling needs, it falls back to one of another ABI.
fn libgcc(target: Target) -> Result<String> {
    let architecture = format!("-march={}", target.registers());
    ask_gcc(&[&architecture, target.abi(), "-print-libgcc-file-name"])
}

fn ask_gcc(question: &[&str]) -> Result<String> {
    let output = gcc()
        .args(question)
        .stderr(Stdio::inherit())
        .output()
        .map_err(explain)?;
    if !output.status.success() {
        bail!("{GCC} does not understand {}", question.join(" "));
    }
    let answer = String::from_utf8(output.stdout).with_context(|| format!("{GCC} answered in no UTF-8"))?;
    Ok(answer.trim_end().into())
}

fn gcc() -> Command {
    Command::new(GCC)
}

fn explain(error: std::io::Error) -> anyhow::Error {
    let missing = error.kind() == ErrorKind::NotFound;
    let error = anyhow::Error::new(error);
    if missing {
        error.context(format!(
            "{GCC} is not installed; on Debian and Ubuntu: apt-get install gcc-riscv64-unknown-elf"
        ))
    } else {
        error.context(format!("cannot run {GCC}"))
    }
}

/// An argument with a path in it, which need not be UTF-8.
fn concat(before: &str, path: &Path, after: &str) -> OsString {
    let mut argument = OsString::from(before);
    argument.push(path);
    argument.push(after);
    argument
}
