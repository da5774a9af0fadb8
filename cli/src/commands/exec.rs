//! `trapeze exec`: a program in ring 3, with the few system calls that it needs.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::value_parser;
use scenarios::listing::Listing;
use scenarios::terminal::escape;
use serde_json::json;
use toy_isa::image::Image;
use toy_isa::machine::LoadError;
use vmm_core::engine::EngineName;
use vmm_core::setup::StartError;
use vmm_core::userland::{self, Ending, Outcome};

use crate::arguments::{budget, engine};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::Output;
use crate::text::counted;

/// Arguments of `exec`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// An ELF executable for RV32E
    #[arg(value_name = "PROG.elf")]
    program: PathBuf,
    /// What executes the program
    #[arg(long, value_name = "E", default_value = "auto", value_parser = engine())]
    engine: EngineName,
    /// End the program after N attempts at an instruction
    #[arg(long, value_name = "N", default_value = "10_000_000_000", value_parser = budget)]
    budget: u64,
    /// Memory for the program, its heap and its stack, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 64, value_parser = value_parser!(u32).range(1..=1024))]
    memory: u32,
    /// Translate the program's addresses by page tables, as an operating system would
    #[arg(long)]
    paging: bool,
    /// The program's own arguments
    #[arg(last = true, value_name = "ARGS")]
    arguments: Vec<String>,
}

/// How much of a program's output `--json` keeps.
const KEPT: usize = 16 << 20;

/// Runs the command. The exit code is the program's.
pub(crate) fn run(args: &Args, output: &Output) -> Result<u8, Failure> {
    let image = scenarios::load_elf(&args.program).map_err(|error| Failure::bad_input(error.render()))?;
    let mut console = Vec::new();
    let mut dropped = 0;
    let mut printed = Ok(());
    let begin = Instant::now();
    let outcome = start(args, &image, &mut |bytes| {
        if output.json {
            let room = KEPT - console.len();
            let kept = &bytes[..bytes.len().min(room)];
            console.extend_from_slice(kept);
            dropped += bytes.len() - kept.len();
        } else if printed.is_ok() {
            printed = show(bytes, output);
        }
    })?;
    let wall_ns = u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX);
    printed?;
    if output.json {
        output.object(&json!({
            "program": args.program.display().to_string(),
            "exit_code": exit_code(outcome.ending),
            "end": end(outcome.ending, &image),
            "retired": outcome.retired,
            "wall_ns": wall_ns,
            "console": String::from_utf8_lossy(&console),
            "console_dropped": dropped,
        }))?;
    }
    match outcome.ending {
        Ending::Exited(code) => Ok((code % 256) as u8),
        Ending::Killed { .. } => Err(ended(ExitCode::Killed, outcome, &image)),
        Ending::Budget => Err(ended(ExitCode::Budget, outcome, &image)),
    }
}

fn start(args: &Args, image: &Image, sink: &mut dyn FnMut(&[u8])) -> Result<Outcome, Failure> {
    let name = args.program.display().to_string();
    let options = userland::Options {
        engine: args.engine,
        budget: args.budget,
        memory: args.memory << 20,
        paging: args.paging,
        arguments: std::iter::once(name.clone())
            .chain(args.arguments.iter().cloned())
            .collect(),
    };
    userland::run(image, &options, sink).map_err(|error| {
        let advice = match error {
            StartError::Load(LoadError::TooLarge { .. }) => " (see --memory)",
            _ => "",
        };
        Failure::bad_input(format!("cannot load {name}{advice}: {error}"))
    })
}

/// The bytes themselves, unless a terminal would act on them.
fn show(bytes: &[u8], output: &Output) -> Result<(), Failure> {
    if output.terminal {
        output.text(&escape(bytes))
    } else {
        output.bytes(bytes)
    }
}

fn exit_code(ending: Ending) -> Option<u32> {
    match ending {
        Ending::Exited(code) => Some(code),
        Ending::Killed { .. } | Ending::Budget => None,
    }
}

fn ended(code: ExitCode, outcome: Outcome, image: &Image) -> Failure {
    Failure::new(
        code,
        format!(
            "{}, after {}",
            end(outcome.ending, image),
            counted(outcome.retired, "instruction", "instructions")
        ),
    )
}

/// How the program ended, in a sentence.
fn end(ending: Ending, image: &Image) -> String {
    match ending {
        Ending::Exited(code) => format!("the program exited with code {code}"),
        Ending::Budget => "the program's budget was used up (see --budget)".to_string(),
        Ending::Killed { trap, pc } => {
            let place = Listing::new(image, &[]).place(pc);
            let line = place
                .file
                .as_ref()
                .zip(place.line)
                .map_or(String::new(), |(file, line)| {
                    format!(", {}:{line}", Path::new(file).display())
                });
            format!(
                "the program died of a trap at {} ({pc:#010x}{line}): {trap}",
                place.name()
            )
        }
    }
}
