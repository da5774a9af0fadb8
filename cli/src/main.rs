//! The `trapeze` binary: arguments in, one call, output.

mod arguments;
mod chain;
mod checked;
mod commands;
mod exit_code;
mod failure;
mod listing;
mod output;
mod text;
mod trace;
mod workloads;

use std::io::IsTerminal;

use clap::{Parser, Subcommand};

use exit_code::ExitCode;
use failure::Failure;
use output::{Output, complain};

/// A laboratory for virtualization: one guest under every method, checked and compared.
#[derive(Parser)]
#[command(
    name = "trapeze",
    version,
    max_term_width = 80,
    after_help = after_help(),
    override_usage = "trapeze [COMMAND] [OPTIONS]"
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// Print one JSON object instead of text
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// List the guests that ship with Trapeze
    List,
    /// Run a guest under several methods, and compare them
    Compare(commands::compare::Args),
    /// Watch a guest live, step by step, forwards and backwards
    Tui(commands::tui::Args),
    /// Take a guided tour, with predictions to make; or list the tours
    Tour(commands::tour::Args),
    /// Run a guest under one method, checked against the bare machine
    Run(commands::run::Args),
    /// Show which method is the fastest, for which workload, on which processor
    Fastest(commands::fastest::Args),
    /// Compare the nano-benchmarks under the methods with what was measured on a real processor
    Nano(commands::nano::Args),
    /// Show which methods real products mix, and what each method is worth to them
    Products(commands::products::Args),
    /// Show what made x86 hard to virtualize, what each method makes of it, and what hardware did about it
    Challenges,
    /// Vary the batch size, the TLB or the cost of an exit, and show what each value costs
    Sweep(commands::sweep::Args),
    /// Run a monitor inside itself, and show how the cost of a guest grows with the depth
    Recursion(commands::recursion::Args),
    /// Run several guests under one monitor, and show what each got of the processor
    Crowd(commands::crowd::Args),
    /// Price a stored run again, on any list of prices; or show a list
    Price(commands::price::Args),
    /// List the events of a run, or explain one in full
    Why(commands::why::Args),
    /// Show translated code beside the guest's own, and why each instruction became what it is
    Units(commands::units::Args),
    /// Show what was changed of a guest to port it to the paravirtual monitor
    Port(commands::port::Args),
    /// Show the instruction set, and which of its rows are holes
    Isa(commands::isa::Args),
    /// Measure what exits of a real virtual machine cost on this computer
    KvmExits(commands::kvm_exits::Args),
    /// Run an ELF program in ring 3
    Exec(commands::exec::Args),
    /// Assemble a program
    Asm(commands::asm::Args),
    /// Disassemble a program
    Dis(commands::dis::Args),
    /// Say what this computer can do, and what is missing
    Doctor,
    /// Print the JSON schema of scenario files, or of guided tours
    Schema(commands::schema::Args),
    /// Print the completions for a shell
    Completions(commands::completions::Args),
}

impl Command {
    /// The exit code of the process.
    fn run(&self, output: &Output) -> Result<u8, Failure> {
        match self {
            Command::Tui(args) => commands::tui::run(args, output),
            Command::Tour(args) => commands::tour::run(args, output),
            Command::Run(args) => commands::run::run(args, output),
            Command::Compare(args) => commands::compare::run(args, output),
            Command::Fastest(args) => commands::fastest::run(args, output),
            Command::Nano(args) => commands::nano::run(args, output),
            Command::Products(args) => commands::products::run(args, output),
            Command::Challenges => commands::challenges::run(output),
            Command::Sweep(args) => commands::sweep::run(args, output),
            Command::Recursion(args) => commands::recursion::run(args, output),
            Command::Crowd(args) => commands::crowd::run(args, output),
            Command::Price(args) => commands::price::run(args, output),
            Command::Why(args) => commands::why::run(args, output),
            Command::Units(args) => commands::units::run(args, output),
            Command::Port(args) => commands::port::run(args, output),
            Command::Isa(args) => commands::isa::run(args, output),
            Command::KvmExits(args) => commands::kvm_exits::run(args, output),
            Command::Asm(args) => commands::asm::run(args, output),
            Command::Dis(args) => commands::dis::run(args, output),
            Command::Exec(args) => return commands::exec::run(args, output),
            Command::List => commands::list::run(output),
            Command::Schema(args) => commands::schema::run(args, output),
            Command::Doctor => commands::doctor::run(output),
            Command::Completions(args) => commands::completions::run(args, output),
        }
        .map(|()| ExitCode::AsExpected as u8)
    }
}

/// What is meant where no command is given: on a terminal the guest live, else the comparison.
fn without_command(output: &Output) -> Command {
    match output.terminal && !output.json && std::io::stdin().is_terminal() {
        true => Command::Tui(commands::tui::Args::default()),
        false => Command::Compare(commands::compare::Args::default()),
    }
}

/// What the exit codes mean, and, where it is still on the screen, what to try first.
fn after_help() -> String {
    let examples = [
        ("trapeze", "a small OS live, step by step, forwards and backwards"),
        ("trapeze compare", "the same under several methods, compared"),
        (
            "trapeze compare --profile leaky",
            "on a machine with holes, as x86 was",
        ),
        ("trapeze run", "what it prints, and the verdicts in full"),
        ("trapeze why", "its life, event by event; then: trapeze why 5"),
        ("trapeze COMMAND --help", "the options of a command"),
    ];
    let lines = examples.map(|(command, what)| format!("  {command:<31}  {what}\n"));
    format!("{}\n\nTry first:\n{}", exit_code::help(), lines.concat())
}

fn main() -> std::process::ExitCode {
    let cli = Cli::parse();
    let output = Output::new(cli.json);
    let command = cli.command.unwrap_or_else(|| without_command(&output));
    // A panic is an error of ours, and must not look like a guest's exit code.
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| command.run(&output)));
    let code = match result {
        Ok(Ok(code)) => code,
        Ok(Err(failure)) => {
            complain(&format!("{:#}", failure.error));
            failure.code as u8
        }
        Err(_) => {
            complain("this is an error of Trapeze itself; please report it with the command and its files");
            ExitCode::Internal as u8
        }
    };
    code.into()
}
