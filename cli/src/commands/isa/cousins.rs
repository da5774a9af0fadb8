//! `trapeze isa --cousins`: the sensitive instructions of the Pentium, and what stands for each.

use scenarios::subject::Subject;
use serde_json::{Value, json};
use vmm_core::classify::cousins::{Pentium, SEVENTEEN};
use vmm_core::classify::{Classification, LAYOUTS, RowReport, ring32_rows};

use crate::failure::Failure;
use crate::output::{Output, Paint};
use crate::text::wrap;

/// Runs the command.
pub(super) fn run(subject: &Subject, output: &Output) -> Result<(), Failure> {
    let found = ring32_rows(&subject.profile, SEVENTEEN.iter().flat_map(Pentium::rows));
    if output.json {
        let cousins: Vec<Value> = SEVENTEEN.iter().map(|entry| object(entry, &found)).collect();
        output.object(&json!({ "profile": subject.name(), "cousins": cousins }))?;
    } else {
        output.text(&render(subject, &found, output.paint))?;
    }
    super::classify::agreement(&found)
}

/// The findings on the cousins of one instruction.
fn reports<'a>(entry: &'a Pentium, found: &'a Classification) -> impl Iterator<Item = &'a RowReport> {
    entry
        .rows()
        .filter_map(|row| found.rows.iter().find(|report| report.row == row))
}

fn object(entry: &Pentium, found: &Classification) -> Value {
    let rows = reports(entry, found).map(|report| {
        json!({
            "name": report.row.to_string(),
            "outside_ring_0": report.declared.outside.name(),
            "observed": report.observed.class().to_string(),
            "hole": report.observed.is_hole(LAYOUTS[0]),
        })
    });
    json!({
        "instruction": entry.name,
        "why_sensitive": entry.why,
        "rows": rows.collect::<Vec<_>>(),
        "no_cousin_because": entry.missing,
    })
}

fn render(subject: &Subject, found: &Classification, paint: Paint) -> String {
    let title = "The seventeen instructions of the Pentium that are sensitive and do not trap";
    let mut text = paint.strong(title) + "\n";
    text += &wrap(
        "",
        &format!(
            "J. S. Robin and C. E. Irvine, USENIX Security 2000; and their cousins on Ring32, profile {}",
            subject.name()
        ),
    );
    text += "\n";
    let mut closed = 0;
    for entry in SEVENTEEN {
        text += &wrap(&format!("{:<10} ", entry.name), entry.why);
        for report in reports(&entry, found) {
            let hole = report.observed.is_hole(LAYOUTS[0]);
            closed += u32::from(!hole);
            let sign = if hole { "hole" } else { "    " };
            let first = format!("           {:<13} {sign}  ", report.row.to_string());
            let line = wrap(&first, &report.observed.class().to_string());
            text += &line.replacen("hole", &paint.bad("hole"), usize::from(hole));
        }
        if let Some(missing) = entry.missing {
            text += &wrap("           no cousin: ", missing);
        }
    }
    let with = SEVENTEEN.iter().filter(|entry| entry.missing.is_none()).count();
    text += "\n";
    text += &wrap(
        "",
        &format!(
            "{with} have a cousin, {} have none; {closed} of the rows are no hole here.",
            17 - with
        ),
    );
    text + "Try next: trapeze isa --classify --profile x86\n"
}
