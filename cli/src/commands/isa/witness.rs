//! `trapeze isa --witness ROW`: two states, one instruction, and where they part.

use scenarios::subject::Subject;
use serde_json::json;
use toy_isa::row::Row;
use vmm_core::classify::witness::{Field, Witness};
use vmm_core::classify::{LAYOUTS, RowReport, ring32_rows};

use crate::failure::Failure;
use crate::output::{Output, Paint};
use crate::text::wrap;

/// Runs the command.
pub(super) fn run(row: Row, subject: &Subject, output: &Output) -> Result<(), Failure> {
    let found = ring32_rows(&subject.profile, [row]);
    for report in &found.rows {
        let witness = report.observed.witness();
        if output.json {
            output.object(&json!({
                "profile": subject.name(),
                "row": row.to_string(),
                "class": report.observed.class().to_string(),
                "hole": report.observed.is_hole(LAYOUTS[0]),
                "witness": witness,
            }))?;
        } else {
            let title = format!("{row} on {}: {}", subject.name(), report.observed.class());
            let mut text = output.paint.strong(wrap("", &title).trim_end()) + "\n";
            text += &match witness {
                Some(witness) => steps(&witness, report, output.paint),
                None => nothing(report),
            };
            output.text(&text)?;
        }
    }
    super::classify::agreement(&found)
}

fn nothing(report: &RowReport) -> String {
    let text = if report.observed.never_executes() {
        "It traps in every ring, so it is never executed, and no two states part (ADR 5)."
    } else {
        "No two states were found that part. That is no proof that there are none."
    };
    format!("\n{}", wrap("", text))
}

/// The states before, the instruction, the states after, and what that means.
fn steps(witness: &Witness, report: &RowReport, paint: Paint) -> String {
    let mut text = "\n".to_string();
    text += &wrap(
        "1. ",
        &format!(
            "Two states, alike to the program; they differ in {}.",
            witness.differ_in
        ),
    );
    let before = |field: &Field| Some([field.left.before.clone(), field.right.before.clone()]);
    text += &table(&witness.state, before, paint);
    text += "\n";
    text += &wrap(
        "2. ",
        &format!("At pc stands {:#010x}: {}", witness.word, witness.instruction),
    );
    text += &line("", &witness.outcome, paint);
    if witness.state.iter().any(|field| after(field).is_some()) {
        text += "\n3. What each has become:\n";
        text += &table(&witness.state, after, paint);
    }
    text += "\n";
    text += &wrap("They part: ", &format!("{}.", witness.parts));
    text += &wrap(
        "Hence:     ",
        &format!(
            "{} (Popek and Goldberg 1974, section 3; {} reading).",
            witness.condition, witness.reading
        ),
    );
    let layout = LAYOUTS[0];
    text + &wrap(
        "And:       ",
        match (
            report.observed.privileged(layout),
            report.observed.is_hole(layout),
        ) {
            (true, _) => "privileged: outside ring 0 it traps, and a monitor learns of it.",
            (false, true) => "not privileged: outside ring 0 it was executed, and no monitor learns of it.",
            (false, false) => "harmless in this layout.",
        },
    )
}

/// Both sides after the instruction, where one of them has changed.
fn after(field: &Field) -> Option<[String; 2]> {
    let sides = [&field.left, &field.right];
    let changed = |values: &&vmm_core::classify::witness::Values| {
        values.after.as_ref().is_some_and(|after| *after != values.before)
    };
    sides
        .iter()
        .any(changed)
        .then(|| sides.map(|values| values.after.clone().unwrap_or_else(|| "(it trapped)".to_string())))
}

fn table(state: &[Field], sides: impl Fn(&Field) -> Option<[String; 2]>, paint: Paint) -> String {
    let mut text = format!(
        "   {}\n",
        paint.faint(&format!("{:<16}{:<26}  right", "", "left"))
    );
    for field in state {
        if let Some(sides) = sides(field) {
            text += &line(&field.name, &sides, paint);
        }
    }
    text
}

/// One line of the table; a sign in the middle says that the sides differ.
fn line(name: &str, [left, right]: &[String; 2], paint: Paint) -> String {
    let differs = left != right;
    let sign = if differs {
        paint.bad("≠")
    } else {
        " ".to_string()
    };
    format!("   {name:<16}{left:<26}{sign} {right}\n")
}
