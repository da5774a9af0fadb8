//! Chores of the repository, run as `cargo xtask <chore>`. Each is a module with its arguments and a `run`.

mod cc;
mod programs;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Chores of the Trapeze repository")]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Compile a C program for Ring32
    Cc(cc::Args),
    /// Rebuild the images of the shipped C programs
    Programs(programs::Args),
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().chore {
        Chore::Cc(args) => cc::run(&args),
        Chore::Programs(args) => programs::run(&args),
    }
}
