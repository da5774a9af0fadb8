//! `cargo xtask sweep`: every word is disassembled, and assembled again to the same word.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use std::{fmt, thread};

use anyhow::{Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use toy_isa::asm::assemble_line;
use toy_isa::disasm::disassemble_into;
use toy_isa::instruction::{Registers, decode};

/// Words that a thread takes at a time.
const BATCH: u64 = 1 << 20;
/// The address where the words stand: not 0, so that a distance is no address.
const PC: u32 = 0x8000_1000;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The first word
    #[arg(long, default_value = "0", value_parser = number)]
    from: u64,
    /// The word after the last
    #[arg(long, default_value = "0x100000000", value_parser = number)]
    to: u64,
    /// Only each Nth word
    #[arg(long, default_value = "1", value_parser = number)]
    step: u64,
}

fn number(text: &str) -> Result<u64, std::num::ParseIntError> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    }
}

/// A word that did not come back.
struct Failure {
    word: u32,
    text: String,
    why: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#010x} is '{}', {}", self.word, self.text, self.why)
    }
}

/// Checks the words that the command line names, on all processors.
pub(crate) fn run(args: &Args) -> Result<()> {
    if args.step == 0 || args.from > args.to || args.to > 1 << 32 {
        bail!("expected --from at most --to, --to at most 0x100000000, and --step at least 1");
    }
    let start = Instant::now();
    let count = (args.to - args.from).div_ceil(args.step);
    let bar = if std::io::stderr().is_terminal() {
        ProgressBar::new(count)
    } else {
        ProgressBar::hidden()
    };
    bar.set_style(ProgressStyle::with_template(
        "{bar:40} {percent}% of {human_len} words, {eta} left",
    )?);

    let next = AtomicU64::new(0);
    let work = || -> Result<u64, Failure> {
        let mut text = String::new();
        let mut instructions = 0;
        loop {
            let begin = next.fetch_add(BATCH, Ordering::Relaxed);
            if begin >= count {
                return Ok(instructions);
            }
            let end = count.min(begin + BATCH);
            for i in begin..end {
                let word = (args.from + i * args.step) as u32;
                instructions += u64::from(decode(word, Registers::Sixteen).is_some());
                check(word, &mut text)?;
            }
            bar.inc(end - begin);
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let results: Vec<_> = thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        running.into_iter().map(|thread| thread.join()).collect()
    });
    bar.finish_and_clear();
    let mut instructions = 0;
    for result in results {
        match result {
            Ok(Ok(found)) => instructions += found,
            Ok(Err(failure)) => bail!("{failure}"),
            Err(_) => bail!("a word made the assembler or the disassembler panic; its message is above"),
        }
    }
    println!(
        "{count} words came back, {instructions} of them instructions, in {:.0?}",
        start.elapsed()
    );
    Ok(())
}

fn check(word: u32, text: &mut String) -> Result<(), Failure> {
    disassemble_into(text, word, PC);
    let why = match assemble_line(text, PC) {
        Ok(again) if again == word => return Ok(()),
        Ok(again) => format!("which is {again:#010x}"),
        Err(error) => format!("which the assembler does not read: {}", error.problem),
    };
    Err(Failure {
        word,
        text: text.clone(),
        why,
    })
}
