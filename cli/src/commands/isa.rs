//! `trapeze isa`: the instruction set, which of its rows are holes, and what follows from that.

mod classify;
mod cousins;
mod history;
mod subject;
mod witness;

use serde_json::{Value, json};
use toy_isa::profile::{Behaviour, Profile, ProfileName};
use toy_isa::row::Row;
use toy_isa::table::Sensitive;

use crate::failure::Failure;
use crate::output::{Output, Paint};
use crate::text::wrap;

/// Arguments of `isa`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The profile of the machine: a shipped one (default: classic), or a machine of history
    #[arg(long, value_name = "P", value_parser = subject::name(), hide_possible_values = true)]
    profile: Option<String>,
    /// The profile of this scenario, with the rows that it overrides: a name or a path
    #[arg(long, value_name = "S", conflicts_with = "profile")]
    scenario: Option<String>,
    /// Show one row in full: a mnemonic, or `csrr NAME` or `csrw NAME`
    #[arg(long, value_name = "NAME", value_parser = row)]
    row: Option<Row>,
    /// Compute which rows are sensitive and which privileged, and which of Popek and Goldberg's theorems hold
    #[arg(long, conflicts_with_all = ["row", "cousins"])]
    classify: bool,
    /// Show two states in which this row shows that it is sensitive
    #[arg(long, value_name = "NAME", value_parser = row, conflicts_with_all = ["row", "cousins", "all"])]
    witness: Option<Row>,
    /// Classify every shipped profile and every machine of history
    #[arg(long, conflicts_with_all = ["row", "cousins", "profile", "scenario"])]
    all: bool,
    /// List the sensitive instructions of the Pentium, and what stands for each (default profile: leaky)
    #[arg(long, conflicts_with = "row")]
    cousins: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Args, output: &Output) -> Result<(), Failure> {
    if args.all {
        return history::run(output);
    }
    let default = if args.cousins {
        ProfileName::Leaky
    } else {
        ProfileName::Classic
    };
    let (subject, option) = subject::choose(args.profile.as_deref(), args.scenario.as_deref(), default)?;
    if let Some(row) = args.witness {
        return witness::run(row, &subject, output);
    }
    if args.classify {
        return classify::run(&subject, &option, output);
    }
    if args.cousins {
        return cousins::run(&subject, output);
    }
    let profile = &subject.profile;
    match (args.row, output.json) {
        (Some(row), true) => output.object(&describe(row, profile)),
        (Some(row), false) => output.text(&in_full(row, output.paint)),
        (None, true) => {
            let rows: Vec<Value> = Row::all().map(|row| describe(row, profile)).collect();
            output.object(&json!({ "profile": profile.describe(), "rows": rows }))
        }
        (None, false) => output.text(&table(profile, output.paint)),
    }
}

fn row(name: &str) -> Result<Row, String> {
    Row::from_name(name).ok_or_else(|| {
        "no such row; `trapeze isa` lists them all, and 'csrr status' needs its quotes".to_string()
    })
}

/// A row as a JSON object.
fn describe(row: Row, profile: &Profile) -> Value {
    json!({
        "name": row.to_string(),
        "encoding": encoding(row),
        "doc": row.doc(),
        "sensitive": row.sensitive().iter().map(|why| sensitivity(*why)).collect::<Vec<_>>(),
        "outside_ring_0": profile.behaviour(row).name(),
        "hole": is_hole(row, profile),
        "cousin": row.cousin(),
    })
}

/// Whether the row is sensitive and does not trap.
fn is_hole(row: Row, profile: &Profile) -> bool {
    profile.holes().any(|hole| hole == row)
}

/// The fixed bits and the mask that says which they are; for a control register, its number.
fn encoding(row: Row) -> String {
    match row {
        Row::Op(op) => format!("{:08x}/{:08x}", op.row().bits, op.row().mask),
        Row::Read(csr) | Row::Write(csr) => format!("register {:#05x}", csr.row().number),
    }
}

/// The whole table, holes marked by a sign.
fn table(profile: &Profile, paint: Paint) -> String {
    let mut text = format!("Ring32, profile {}\n\n", profile.describe());
    let head = format!(
        "{:<13} {:<17}  {:<14} what it does [x86 cousin]",
        "row", "bits/mask", "outside ring 0"
    );
    text += &(paint.faint(&head) + "\n");
    for row in Row::all() {
        let behaviour = profile.behaviour(row).name();
        let mark = if is_hole(row, profile) { '!' } else { ' ' };
        let doc = match row {
            Row::Op(op) => op.row().doc(),
            Row::Read(csr) | Row::Write(csr) => csr.row().doc(),
        };
        let cousin = row
            .cousin()
            .map_or(String::new(), |cousin| format!(" [{cousin}]"));
        let first = format!("{row:<13} {:<17} {mark}{behaviour:<14} ", encoding(row));
        let line = wrap(&first, &format!("{doc}{cousin}"));
        let marked = format!("!{behaviour}");
        text += &line.replacen(&marked, &paint.bad(&marked), 1);
    }
    let holes = profile.holes().count();
    text += &match holes {
        0 => "\nNo holes: every sensitive row traps outside ring 0.\n".to_string(),
        _ => format!("\n{holes} holes, marked !: sensitive rows that do not trap outside ring 0.\n"),
    };
    text + "Try next: trapeze isa --row \"csrw status\"\n"
}

/// One row, with its behaviour on every profile.
fn in_full(row: Row, paint: Paint) -> String {
    let line = |name: &str, value: &str| wrap(&format!("  {name:<14}  "), value);
    let mut text = paint.strong(&row.to_string()) + "\n";
    text += &line("does", &row.doc());
    text += &line("encoding", &encoding(row));
    if let Row::Op(op) = row {
        text += &line("bits", &bits(op.row().bits, op.row().mask));
        text += &line("price class", op.row().cost.name());
    }
    let mut name = "sensitive";
    for why in row.sensitive() {
        text += &line(name, sensitivity(*why));
        name = "";
    }
    if row.sensitive().is_empty() {
        text += &line(name, "no: it is innocuous");
    }
    text += &line("x86 cousin", row.cousin().unwrap_or("none"));
    text += "\n  outside ring 0\n";
    for name in ProfileName::ALL {
        let profile = Profile::new(name);
        let mark = if is_hole(row, &profile) { "  a hole" } else { "" };
        let behaviour = profile.behaviour(row).name();
        text += &format!("  {:<14}  {behaviour}{}\n", name.name(), paint.bad(mark));
    }
    let possible: Vec<_> = row
        .possible()
        .iter()
        .map(|behaviour: &Behaviour| behaviour.name())
        .collect();
    text + &line("can be made", &possible.join(", "))
}

/// The word from bit 31 down, with a point for each bit that is an operand's.
fn bits(fixed: u32, mask: u32) -> String {
    let bit = |index: u32| match (mask >> index & 1, fixed >> index & 1) {
        (0, _) => '.',
        (_, 0) => '0',
        _ => '1',
    };
    let field = |high: u32, low: u32| (low..=high).rev().map(bit).collect::<String>();
    [(31, 25), (24, 20), (19, 15), (14, 12), (11, 7), (6, 0)]
        .map(|(high, low)| field(high, low))
        .join(" ")
}

fn sensitivity(why: Sensitive) -> &'static str {
    match why {
        Sensitive::Control => "control: it changes the ring, R, or other control state",
        Sensitive::Location => "location: what it does depends on where the program stands in real memory",
        Sensitive::Mode => "mode: what it does depends on the ring",
        Sensitive::Extended => "extended: only where clock, devices and the like count as state",
    }
}
