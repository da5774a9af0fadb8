//! `trapeze port`: what was changed of a guest to run it under the paravirtual monitor, and what that offers.

use scenarios::port::PortDiff;
use scenarios::terminal::escape_line;
use serde_json::json;
use vmm_core::modes::para::interface::Hypercall;

use crate::arguments::{DEFAULT_SCENARIO, find};
use crate::failure::Failure;
use crate::output::{Output, Paint};
use crate::text::{exact, wrap};

/// Arguments of `port`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The name of a shipped scenario, or the path of one
    #[arg(default_value = DEFAULT_SCENARIO)]
    scenario: String,
    /// List the hypercalls instead
    #[arg(long, conflicts_with = "scenario")]
    hypercalls: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Args, output: &Output) -> Result<(), Failure> {
    if args.hypercalls {
        return hypercalls(output);
    }
    let scenario = find(&args.scenario)?;
    let Some(diff) = PortDiff::of(&scenario) else {
        return Err(Failure::bad_input(format!(
            "'{}' has no port: a scenario names the sources of its port in [guest.port]",
            scenario.name
        )));
    };
    if output.json {
        return output.object(&json!({
            "scenario": scenario.name,
            "files": diff.files,
            "same": diff.same,
            "original_lines": diff.original_lines,
            "changed": diff.changed,
            "new": diff.new,
            "removed": diff.removed,
            "percent": diff.percent(),
        }));
    }
    output.text(&render(&scenario.name, &diff, output.paint))
}

/// The differences, and then their size.
fn render(scenario: &str, diff: &PortDiff, paint: Paint) -> String {
    let mut text = String::new();
    for file in &diff.files {
        for line in file.diff.lines() {
            let safe = escape_line(line.as_bytes());
            text += &match line.as_bytes().first() {
                Some(b'+') => paint.good(&safe),
                Some(b'-') => paint.bad(&safe),
                Some(b'@') => paint.faint(&safe),
                _ => safe,
            };
            text.push('\n');
        }
    }
    let head = format!("The port of {}", escape_line(scenario.as_bytes()));
    text += &format!("\n{}\n", paint.strong(&head));
    for file in &diff.files {
        let what = match (&file.original, &file.ported) {
            (Some(_), Some(_)) => "changed",
            (None, _) => "new",
            (_, None) => "gone",
        };
        let sizes = format!("+{} -{}", exact(file.added as u64), exact(file.removed as u64));
        text += &format!(
            "  {what:<8}  {sizes:<12}  {}\n",
            escape_line(file.name().as_bytes())
        );
    }
    text + &wrap(
        "  ",
        &format!(
            "{} lines added or modified in files of the original, {:.1} % of its {}; {} lines in new files; {} files \
             as they were.",
            exact(diff.changed as u64),
            diff.percent(),
            exact(diff.original_lines as u64),
            exact(diff.new as u64),
            diff.same
        ),
    )
}

fn hypercalls(output: &Output) -> Result<(), Failure> {
    let rows = Hypercall::ALL.map(Hypercall::documentation);
    if output.json {
        return output.object(&json!({ "hypercalls": rows }));
    }
    let mut text = "hcall in ring 1: number in t0, arguments in a0 and a1, result in a0\n\n".to_string();
    for row in rows {
        let head = format!("{:>3}  {}", row.number, row.name);
        text += &format!("{}\n", output.paint.strong(&head));
        for (what, says) in [
            ("does", row.does),
            ("arguments", row.arguments),
            ("result", row.result),
            ("errors", row.errors),
        ] {
            text += &wrap(&format!("     {what:<9}  "), says);
        }
    }
    output.text(&text)
}
