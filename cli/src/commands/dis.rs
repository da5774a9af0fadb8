//! `trapeze dis`: from an ELF file, a scenario or a single word to instructions.

mod host;

use std::path::Path;

use scenarios::listing::Listing;
use serde_json::json;
use toy_isa::disasm::disassemble;

use crate::arguments;
use crate::arguments::address;
use crate::failure::Failure;
use crate::listing;
use crate::output::Output;

/// Arguments of `dis`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// An ELF file, or a scenario: its name or its path
    #[arg(required_unless_present = "word", value_name = "FILE.elf|SCENARIO")]
    program: Option<String>,
    /// One instruction word, in decimal or after 0x in hexadecimal
    #[arg(long, conflicts_with = "program", value_parser = address)]
    word: Option<u32>,
    /// Run the scenario, and show beside its code what of it was translated to code of the host
    #[arg(long, requires = "program", conflicts_with = "word")]
    host: bool,
    /// Only the blocks with the instruction at this address, or at this symbol
    #[arg(long, value_name = "A", requires = "host")]
    at: Option<String>,
    /// End the run after N attempts at an instruction
    #[arg(long, value_name = "N", requires = "host", value_parser = arguments::budget)]
    budget: Option<u64>,
}

/// Runs the command.
pub(crate) fn run(args: &Args, output: &Output) -> Result<(), Failure> {
    match (&args.program, args.word) {
        (_, Some(word)) => one(word, output),
        (Some(program), None) if args.host && is_elf(program) => Err(Failure::bad_input(
            "--host runs a scenario: expected one whose guest is this program",
        )),
        (Some(program), None) if args.host => host::run(program, args.at.as_deref(), args.budget, output),
        (Some(program), None) if is_elf(program) => {
            let image = scenarios::load_elf(Path::new(program));
            let image = image.map_err(|error| Failure::bad_input(error.render()))?;
            all(&Listing::new(&image, &[]), output)
        }
        (program, None) => {
            let scenario = arguments::find(program.as_deref().unwrap_or(arguments::DEFAULT_SCENARIO))?;
            let listing = Listing::new(&scenario.setup.image, &scenario.sources);
            all(&listing, output)
        }
    }
}

fn one(word: u32, output: &Output) -> Result<(), Failure> {
    let instruction = disassemble(word, 0);
    if output.json {
        return output.object(&json!({ "word": word, "instruction": instruction }));
    }
    output.text(&format!("{instruction}\n"))
}

fn all(listing: &Listing, output: &Output) -> Result<(), Failure> {
    if output.json {
        return output.object(listing);
    }
    listing::print(listing, output)
}

/// Whether the name is that of an ELF file; its contents are looked at when it is loaded.
fn is_elf(program: &str) -> bool {
    Path::new(program)
        .extension()
        .is_some_and(|extension| extension == "elf")
}
