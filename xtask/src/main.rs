//! Chores of the repository, run as `cargo xtask <chore>`. Each is a module with its arguments and a `run`.

mod book;
mod cc;
mod gnu_corpus;
mod peers;
mod programs;
mod sweep;
mod tidy;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Chores of the Trapeze repository")]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Regenerate what the book and README show: the reference, outputs, the picture
    Book(book::Args),
    /// Compile a C program for Ring32
    Cc(cc::Args),
    /// Regenerate what GNU as makes of the corpus of the assembler's tests
    GnuCorpus(gnu_corpus::Args),
    /// Time the C kernels on Trapeze and on its peers, in rounds
    Peers(peers::Args),
    /// Rebuild the images of the shipped C programs
    Programs(programs::Args),
    /// Disassemble and assemble again every one of the 2^32 words
    Sweep(sweep::Args),
    /// Check the arrows between crates and the width of lines
    Tidy(tidy::Args),
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().chore {
        Chore::Book(args) => book::run(&args),
        Chore::Cc(args) => cc::run(&args),
        Chore::GnuCorpus(args) => gnu_corpus::run(&args),
        Chore::Peers(args) => peers::run(&args),
        Chore::Programs(args) => programs::run(&args),
        Chore::Sweep(args) => sweep::run(&args),
        Chore::Tidy(args) => tidy::run(&args),
    }
}
