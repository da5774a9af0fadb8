//! `cargo xtask peers`: the C kernels on Trapeze and on its peers, in rounds, by CPU time.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use bench_report::kernels::{self, Kernel};
use bench_report::peers::{self, BASE, Form, Peer};
use bench_report::rounds::{Sample, time};
use bench_report::table::Table;

use crate::cc::{self, Target};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Measure only these kernels; may be repeated
    #[arg(long, value_name = "K")]
    kernel: Vec<String>,
    /// Measure only these peers, and gcc-O2; may be repeated
    #[arg(long, value_name = "P")]
    peer: Vec<String>,
    /// Run everything so many times
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=99))]
    rounds: u32,
    /// Give each kernel one part in N of its work, for a quick look
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    divide: u32,
    /// Write all measurements to this file as well, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Builds, measures and prints the table.
pub(crate) fn run(args: &Args) -> Result<()> {
    let kernels = chosen(
        &args.kernel,
        |kernel: &Kernel| kernel.name.to_string(),
        &kernels::ALL,
    )?;
    let kernels: Vec<Kernel> = kernels
        .into_iter()
        .map(|kernel| kernel.divided(args.divide))
        .collect();
    let mut peers = chosen(&args.peer, |peer: &Peer| peer.name(), &peers::ALL)?;
    if !peers.contains(&BASE) {
        peers.insert(0, BASE);
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = root.join("target/peers");
    std::fs::create_dir_all(&folder)?;
    let trapeze = root.join("target/release/trapeze");
    if peers.iter().any(|peer| peer.ours()) {
        let mut cargo = Command::new(env!("CARGO"));
        let built = cargo
            .args(["build", "--release", "--quiet", "--package", "trapeze"])
            .current_dir(&root)
            .status()?;
        ensure!(built.success(), "trapeze does not compile");
    }
    build(&mut peers, &kernels, &folder)?;
    let expected = try_all(&mut peers, &kernels, &folder, &trapeze)?;
    let table = measure(&peers, &kernels, &expected, args.rounds, &folder, &trapeze)?;
    println!("{}", table.markdown());
    if let Some(path) = &args.json {
        let text = serde_json::to_string_pretty(&table.rows())?;
        std::fs::write(path, text).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// Those of all that are named; all, if none is.
fn chosen<T: Copy>(names: &[String], name: impl Fn(&T) -> String, all: &[T]) -> Result<Vec<T>> {
    let known = |wanted: &String| {
        let found = all.iter().find(|one| name(one) == *wanted);
        found.copied().with_context(|| {
            let all: Vec<String> = all.iter().map(&name).collect();
            format!("there is no '{wanted}': expected one of {}", all.join(", "))
        })
    };
    match names {
        [] => Ok(all.to_vec()),
        names => names.iter().map(known).collect(),
    }
}

/// Compiles what the peers need. A peer for which that cannot be done is told of and left out.
fn build(peers: &mut Vec<Peer>, kernels: &[Kernel], folder: &Path) -> Result<()> {
    let forms: BTreeSet<Form> = peers.iter().map(|peer| peer.form()).collect();
    for form in forms {
        for kernel in kernels {
            if let Err(error) = compile(form, kernel, &form.file(folder, kernel)) {
                let without: Vec<String> = leave_out(peers, |peer| peer.form() == form);
                eprintln!("without {}: {error:#}", without.join(", "));
                break;
            }
        }
    }
    ensure!(peers.contains(&BASE), "there is nothing to compare with");
    Ok(())
}

/// Takes peers out; their names.
fn leave_out(peers: &mut Vec<Peer>, out: impl Fn(&Peer) -> bool) -> Vec<String> {
    let names = peers
        .iter()
        .filter(|peer| out(peer))
        .map(|peer| peer.name())
        .collect();
    peers.retain(|peer| !out(peer));
    names
}

fn compile(form: Form, kernel: &Kernel, output: &Path) -> Result<()> {
    let programs = cc::programs_folder();
    let source = programs.join(kernel.name).with_extension("c");
    let flags = format!("-O2 {}", kernel.defines().join(" "));
    let with = |program: &str, get: &str, arguments: &[&str]| -> Result<()> {
        let mut command = Command::new(program);
        command.args(arguments).args(kernel.defines());
        command.arg(format!("-I{}", programs.join("runtime").display()));
        command.arg(&source).arg("-o").arg(output);
        let status = command
            .status()
            .with_context(|| format!("{program} does not start; to get it: {get}"))?;
        ensure!(
            status.success(),
            "{program} could not compile {}",
            source.display()
        );
        Ok(())
    };
    match form {
        Form::Native(level) => with("gcc", "apt-get install gcc", &[&format!("-O{level}")]),
        Form::Image => cc::compile(&source, output, &flags, Target::Ring32),
        Form::Virt => {
            cc::compile(&source, output, &flags, Target::Virt)?;
            cc::move_to(output, 0x7fff_0000)
        }
        Form::Wasm => with(
            "clang",
            "apt-get install clang lld",
            &[
                "--target=wasm32",
                "-O2",
                "-mbulk-memory",
                "-ffreestanding",
                "-nostdlib",
                "-Wl,--no-entry",
                "-Wl,--export=kernel",
                "-Wl,--allow-undefined",
                // The linker keeps a function of this name, and with it what prints.
                "-Dmain=program",
            ],
        ),
    }
}

/// Runs each kernel once on each peer. What native code computes is right; a peer that cannot be run, or computes
/// something else, is told of and left out.
fn try_all(
    peers: &mut Vec<Peer>,
    kernels: &[Kernel],
    folder: &Path,
    trapeze: &Path,
) -> Result<BTreeMap<&'static str, u32>> {
    let once = |peer: Peer, kernel: &Kernel| -> Result<u32> {
        let program = peer.form().file(folder, kernel);
        let (_, printed) = time(&mut peer.command(&program, kernel, trapeze))?;
        let result = peer.result(&printed);
        result.with_context(|| format!("{} has no result: {}", kernel.name, printed.trim()))
    };
    let mut expected = BTreeMap::new();
    for kernel in kernels {
        expected.insert(kernel.name, once(BASE, kernel)?);
    }
    for peer in peers.clone() {
        let right = kernels.iter().try_for_each(|kernel| match once(peer, kernel)? {
            result if result == expected[kernel.name] => Ok(()),
            result => bail!(
                "{} computes {result:08x}, not {:08x}",
                kernel.name,
                expected[kernel.name]
            ),
        });
        if let Err(error) = right {
            ensure!(peer != BASE, "{error:#}");
            leave_out(peers, |other| *other == peer);
            eprintln!(
                "without {}: {error:#}; to get it: {}",
                peer.name(),
                peer.where_from()
            );
        }
    }
    Ok(expected)
}

fn measure(
    peers: &[Peer],
    kernels: &[Kernel],
    expected: &BTreeMap<&'static str, u32>,
    rounds: u32,
    folder: &Path,
    trapeze: &Path,
) -> Result<Table> {
    let mut rows: Vec<(Peer, Vec<Sample>)> = peers
        .iter()
        .map(|peer| (*peer, vec![Sample::default(); kernels.len()]))
        .collect();
    let steps = u64::from(rounds) * (peers.len() * kernels.len()) as u64;
    let bar = indicatif::ProgressBar::new(steps);
    for _ in 0..rounds {
        for (column, kernel) in kernels.iter().enumerate() {
            for (peer, samples) in &mut rows {
                let program = peer.form().file(folder, kernel);
                let (took, printed) = time(&mut peer.command(&program, kernel, trapeze))?;
                ensure!(
                    peer.result(&printed) == Some(expected[kernel.name]),
                    "{} on {} was right before and is not now",
                    kernel.name,
                    peer.name()
                );
                samples[column].seconds.push(took.as_secs_f64());
                bar.inc(1);
            }
        }
    }
    bar.finish_and_clear();
    Ok(Table {
        kernels: kernels.to_vec(),
        rows,
    })
}
