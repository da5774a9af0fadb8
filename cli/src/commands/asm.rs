//! `trapeze asm`: from sources to an ELF executable, or to a listing.

use std::path::{Path, PathBuf};

use scenarios::limit;
use scenarios::listing::Listing;
use toy_isa::asm::{self, Source};

use crate::arguments::address;
use crate::failure::{Failure, OrFail};
use crate::listing;
use crate::output::Output;

/// Arguments of `asm`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The sources of one program, with those that they include
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Write an ELF executable instead of printing a listing
    #[arg(short, value_name = "OUT.elf")]
    output: Option<PathBuf>,
    /// Where the program begins, in decimal or after 0x in hexadecimal
    #[arg(long, value_name = "ADDRESS", default_value = "0", value_parser = address)]
    origin: u32,
}

/// Runs the command.
pub(crate) fn run(args: &Args, output: &Output) -> Result<(), Failure> {
    let sources = args
        .files
        .iter()
        .map(|path| read(path))
        .collect::<Result<Vec<_>, _>>()?;
    let options = asm::Options {
        origin: args.origin,
        ..asm::Options::default()
    };
    let image = asm::assemble(&sources, &options).map_err(|errors| {
        let errors: Vec<String> = errors.iter().map(asm::Diagnostic::render).collect();
        Failure::bad_input(errors.join("\n"))
    })?;
    if let Some(path) = &args.output {
        std::fs::write(path, image.to_elf()).or_bad_input(|| format!("cannot write {}", path.display()))?;
    }
    let listing = Listing::new(&image, &sources);
    if output.json {
        output.object(&listing)
    } else if args.output.is_some() {
        Ok(())
    } else {
        listing::print(&listing, output)
    }
}

fn read(path: &Path) -> Result<Source, Failure> {
    let bytes =
        scenarios::read_limited(path, limit::SOURCE).map_err(|error| Failure::bad_input(error.render()))?;
    let name = path.display().to_string();
    let text = String::from_utf8(bytes).or_bad_input(|| format!("{name} is no text"))?;
    Ok(Source::new(name, text))
}
