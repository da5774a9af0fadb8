//! `trapeze completions`: completions for a shell.

use clap::CommandFactory;
use clap_complete::Shell;
use serde_json::json;

use crate::Cli;
use crate::failure::Failure;
use crate::output::Output;

/// Arguments of `completions`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

/// Runs the command.
pub(crate) fn run(args: &Args, output: &Output) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "trapeze", &mut script);
    if output.json {
        let script = String::from_utf8_lossy(&script);
        return output.object(&json!({ "shell": args.shell.to_string(), "script": script }));
    }
    output.bytes(&script)
}
