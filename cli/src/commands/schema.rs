//! `trapeze schema`: the JSON schema of scenario files and tours, for editors.

use crate::failure::Failure;
use crate::output::Output;

/// Arguments of `schema`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// That of guided tours
    #[arg(long)]
    tour: bool,
}

/// Runs the command. The schema is one JSON object in any case.
pub(crate) fn run(args: &Args, output: &Output) -> Result<(), Failure> {
    output.object(&match args.tour {
        true => scenarios::tour::json_schema(),
        false => scenarios::json_schema(),
    })
}
