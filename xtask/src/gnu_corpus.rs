//! `cargo xtask gnu-corpus`: what GNU as makes of the corpus of the assembler's tests.
//!
//! Two of its files come from the table: `ring32.inc`, which teaches GNU as the instructions and control
//! registers of Ring32, and `rows.s`, which has every instruction with the extremes of its operands.

use std::fmt::Write as _;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result, bail};
use toy_isa::disasm::disassemble;
use toy_isa::instruction::Instruction;
use toy_isa::table::{CSRS, Form, OPS, OpRow};

const INSTALL: &str = "on Debian and Ubuntu: apt-get install binutils-riscv64-unknown-elf";
const HEADER: &str = "# Written by `cargo xtask gnu-corpus` from the table of toy-isa.\n\n";

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Change nothing; fail if a file is not what it would be
    #[arg(long)]
    check: bool,
}

/// Writes or checks the files that come from the table, and the bytes that GNU as makes of all of them.
pub(crate) fn run(args: &Args) -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../toy-isa/tests/gnu");
    settle(&folder.join("ring32.inc"), prelude().as_bytes(), args.check)?;
    settle(&folder.join("rows.s"), rows().as_bytes(), args.check)?;
    let mut sources: Vec<PathBuf> = fs::read_dir(&folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    sources.retain(|path| path.extension().is_some_and(|extension| extension == "s"));
    sources.sort();
    for source in &sources {
        let bytes = assemble(&folder, source)?;
        settle(&source.with_extension("bin"), &bytes, args.check)?;
    }
    println!(
        "{} files {}",
        sources.len(),
        if args.check {
            "are as GNU as makes them"
        } else {
            "written"
        }
    );
    Ok(())
}

fn settle(path: &Path, contents: &[u8], check: bool) -> Result<()> {
    if fs::read(path).is_ok_and(|old| old == contents) {
        return Ok(());
    }
    if check {
        bail!("{} is out of date: run `cargo xtask gnu-corpus`", path.display());
    }
    fs::write(path, contents).with_context(|| format!("writing {}", path.display()))
}

/// The memory that GNU as and ld make of one file, from address 0.
fn assemble(folder: &Path, source: &Path) -> Result<Vec<u8>> {
    let scratch = env::temp_dir().join(format!("trapeze-gnu-corpus-{}", std::process::id()));
    fs::create_dir_all(&scratch)?;
    let [object, linked, flat] =
        ["o", "elf", "bin"].map(|extension| scratch.join("out").with_extension(extension));
    let made = tool("as", |command| {
        command
            .current_dir(folder)
            .args(["-march=rv32em_zicsr_zifencei", "-mabi=ilp32e", "-mno-relax"]);
        command.arg(source).arg("-o").arg(&object)
    })
    .and_then(|()| {
        tool("ld", |command| {
            command
                .args(["-m", "elf32lriscv", "--no-relax", "-T"])
                .arg(folder.join("layout.ld"));
            command.arg(&object).arg("-o").arg(&linked)
        })
    })
    .and_then(|()| {
        tool("objcopy", |command| {
            command.args(["-O", "binary"]).arg(&linked).arg(&flat)
        })
    })
    .and_then(|()| Ok(fs::read(&flat)?));
    fs::remove_dir_all(&scratch)?;
    made.with_context(|| format!("assembling {}", source.display()))
}

fn tool(name: &str, arguments: impl FnOnce(&mut Command) -> &mut Command) -> Result<()> {
    let name = format!("riscv64-unknown-elf-{name}");
    match arguments(&mut Command::new(&name)).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => bail!("{name} failed: {status}"),
        Err(error) if error.kind() == ErrorKind::NotFound => bail!("{name} is not installed; {INSTALL}"),
        Err(error) => Err(error).with_context(|| format!("running {name}")),
    }
}

/// Ring32's own instructions as macros over `.insn`, its control registers as numbers.
fn prelude() -> String {
    const CUSTOM_0: u32 = 0x0b;
    let mut text = HEADER.to_string();
    for row in OPS.iter().filter(|row| row.bits & 0x7f == CUSTOM_0) {
        let _ = writeln!(text, "{}", insn_macro(row));
    }
    for row in CSRS {
        let _ = writeln!(text, ".equ {}, {:#x}", row.name, row.number);
    }
    text
}

fn insn_macro(row: &OpRow) -> String {
    let (funct3, funct7) = (row.bits >> 12 & 7, row.bits >> 25);
    let register = |operands: &str, parameters: &str| {
        let name = row.mnemonic;
        format!(".macro {name} {parameters}\n.insn r 0x0b, {funct3}, {funct7}, {operands}\n.endm\n")
    };
    match row.form {
        Form::None => register("x0, x0, x0", ""),
        Form::Rs1 => register("x0, \\rs1, x0", "rs1"),
        Form::Rs1Rs2 => register("x0, \\rs1, \\rs2", "rs1, rs2"),
        Form::RdRs1 => register("\\rd, \\rs1, x0", "rd, rs1"),
        Form::R => register("\\rd, \\rs1, \\rs2", "rd, rs1, rs2"),
        Form::Store => format!(
            ".macro {} rs2, address\n.insn s 0x0b, {funct3}, \\rs2, \\address\n.endm\n",
            row.mnemonic
        ),
        _ => format!(
            ".macro {} rd, address\n.insn i 0x0b, {funct3}, \\rd, \\address\n.endm\n",
            row.mnemonic
        ),
    }
}

/// Every row with several values of each operand, as the disassembler writes it.
fn rows() -> String {
    let mut text = format!("{HEADER}        .include \"ring32.inc\"\n        .text\n");
    let mut pc = 0;
    for row in OPS {
        for insn in samples(row) {
            let line = disassemble(insn.encode(), pc);
            // An access that no row describes has no text but `.word`.
            if line.starts_with('.') {
                continue;
            }
            // GNU as takes a number as target for far away, and branches around a jump to it.
            let line = match (row.form, line.rsplit_once(' ')) {
                (Form::Branch | Form::J, Some((start, _target))) => format!("{start} . + {}", insn.imm),
                _ => line,
            };
            let _ = writeln!(text, "        {line}");
            pc += 4;
        }
    }
    text
}

fn samples(row: &OpRow) -> Vec<Instruction> {
    let immediates: Vec<i32> = match row.form {
        Form::I | Form::Load | Form::Store => vec![-2048, -1, 0, 2047],
        Form::Shift => vec![0, 1, 31],
        Form::U => vec![0, 0x1000, 0x7fff_f000, i32::MIN],
        // Farther back would leave the address space.
        Form::Branch => vec![-8, 0, 4, 4094],
        Form::J => vec![-8, 0, 4, (1 << 20) - 2],
        Form::Fence => vec![0x11, 0x33, 0xf1, 0xff],
        Form::Csr | Form::CsrImm => CSRS.iter().map(|csr| i32::from(csr.number)).collect(),
        _ => vec![0],
    };
    let registers = [(10, 11, 12), (15, 1, 8), (9, 0, 10), (0, 15, 0)];
    let sample = |(rd, rs1, rs2)| {
        immediates.iter().map(move |&imm| {
            // Fences leave these fields reserved.
            let (rd, rs1) = if matches!(row.form, Form::Fence | Form::FenceI) {
                (0, 0)
            } else {
                (rd, rs1)
            };
            Instruction {
                op: row.op,
                rd,
                rs1,
                rs2,
                imm,
            }
        })
    };
    registers.into_iter().flat_map(sample).collect()
}
