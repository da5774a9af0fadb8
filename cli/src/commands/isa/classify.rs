//! `trapeze isa --classify`: which rows are sensitive, which privileged, and which theorems hold.

use scenarios::subject::Subject;
use serde_json::{Value, json};
use toy_isa::row::Row;
use vmm_core::classify::observe::{Observed, Sensitivity, Virtual};
use vmm_core::classify::part::Reading;
use vmm_core::classify::region::Region;
use vmm_core::classify::{
    Classification, Domain, LAYOUTS, RowReport, Theorem, Theorems, layout_name, ring32_rows,
};

use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::{Output, Paint};
use crate::text::{exact, wrap};

/// Runs the command.
pub(super) fn run(subject: &Subject, option: &str, output: &Output) -> Result<(), Failure> {
    let found = output.busy(format!("classifying {}", subject.name()), || {
        ring32_rows(&subject.profile, Row::all())
    });
    if output.json {
        output.object(&object(subject, &found))?;
    } else {
        output.text(&render(subject, option, &found, output.paint))?;
    }
    agreement(&found)
}

/// A failure if what the table declares is not what was observed.
pub(super) fn agreement(found: &Classification) -> Result<(), Failure> {
    let wrong = found.disagreements();
    if wrong.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = wrong
        .iter()
        .map(|(row, why)| format!("{row}: {}", why.join("; ")))
        .collect();
    let message = format!("the table declares what is not so:\n  {}", lines.join("\n  "));
    // Overrides cannot bring it about: either the table is wrong or the semantics are.
    Err(Failure::new(ExitCode::Internal, message))
}

fn object(subject: &Subject, found: &Classification) -> Value {
    let verdicts: Vec<Value> = combinations()
        .map(|(reading, layout)| {
            json!({
                "reading": reading.name(),
                "guest_in_rings": layout_name(layout),
                "theorems": found.theorems(reading, layout),
                "holes": names(&found.holes(reading, layout)),
            })
        })
        .collect();
    let rows: Vec<Value> = found.rows.iter().map(|report| row(subject, report)).collect();
    json!({
        "profile": subject.name(),
        "title": subject.machine.as_ref().map(|machine| &machine.title),
        "theorems": found.theorems(Reading::Of1974, LAYOUTS[0]),
        "verdicts": verdicts,
        "note": subject.note(),
        "rows": rows,
        "domain": found.domain(),
    })
}

fn combinations() -> impl Iterator<Item = (Reading, vmm_core::modes::trap::Layout)> {
    Reading::ALL
        .into_iter()
        .flat_map(|reading| LAYOUTS.into_iter().map(move |layout| (reading, layout)))
}

/// A row as a JSON object.
fn row(subject: &Subject, report: &RowReport) -> Value {
    let observed = &report.observed;
    let layout = LAYOUTS[0];
    let by = |who: Option<Virtual>| -> Value {
        let [of_1974, extended] = Reading::ALL.map(|reading| {
            let found = match who {
                Some(who) => observed.sensitivity(layout, reading, who),
                None => observed.sensitive(layout, reading),
            };
            kinds(found)
        });
        json!({ "1974": of_1974, "extended": extended })
    };
    json!({
        "name": report.row.to_string(),
        "declared": report.declared_class().to_string(),
        "observed": observed.class().to_string(),
        "hole": observed.is_hole(layout),
        "witness": observed.witness(),
        "disagreements": report.disagreements(),
        "outside_ring_0": report.declared.outside.name(),
        "stands_for": subject.stands_for(report.row),
        "privileged": observed.privileged(layout),
        "sensitive": by(None),
        "supervisor_sensitive": by(Some(Virtual::Supervisor)),
        "user_sensitive": by(Some(Virtual::User)),
        "reason": observed.reason(),
    })
}

fn kinds(found: Sensitivity) -> Vec<&'static str> {
    [
        (found.control, "control"),
        (found.location, "location"),
        (found.mode, "mode"),
        (found.extended, "extended"),
    ]
    .into_iter()
    .filter_map(|(is, name)| is.then_some(name))
    .collect()
}

pub(super) fn names(rows: &[Row]) -> Vec<String> {
    rows.iter().map(Row::to_string).collect()
}

/// Stands for a blank at which a line is not to be broken.
const FIXED: char = '\u{e000}';

/// A name that is not to be broken.
pub(super) fn fixed(name: &str) -> String {
    name.replace(' ', &FIXED.to_string())
}

/// As [`wrap`], without breaking what is fixed, nor the names of rows.
pub(super) fn wrap_names(first: &str, text: &str) -> String {
    let text = text
        .replace("csrr ", &fixed("csrr "))
        .replace("csrw ", &fixed("csrw "));
    wrap(first, &text).replace(FIXED, " ")
}

fn render(subject: &Subject, option: &str, found: &Classification, paint: Paint) -> String {
    let (reading, layout) = (Reading::Of1974, LAYOUTS[0]);
    let title = wrap_names("", &format!("Ring32, profile {}", subject.name()));
    let mut text = paint.strong(title.trim_end());
    text += "\n";
    text += &about(subject);
    text += "\n";
    text += &theorems(&found.theorems(reading, layout), paint);
    text += "\n";
    text += &every_verdict(found, paint);
    if let Some(note) = subject.note() {
        text += &format!("\n{}", wrap("", note));
    }
    text += "\n";
    text += &holes(subject, found, paint);
    text += &format!("\n{}", counts(found));
    text += &declarations(found, paint);
    text += &format!("\n{}", domain(&found.domain()));
    let holes = found.rows.iter().filter(|report| report.observed.is_hole(layout));
    let telling = holes.max_by_key(|report| report.observed.reason().len());
    let example = telling.map_or("csrw status".to_string(), |report| report.row.to_string());
    let next = format!("trapeze isa {option} --witness \"{example}\"");
    text + "\n" + &wrap_names("Try next: ", &next)
}

/// What the machine of history was, and what stands for what.
fn about(subject: &Subject) -> String {
    let Some(machine) = &subject.machine else {
        return String::new();
    };
    let mut text = wrap("", &machine.title) + "\n" + &wrap("", &machine.story) + "\n";
    for stand in &machine.rows {
        let first = format!("  {:<13} {:<8} as ", stand.row, stand.behaviour.name());
        text += &wrap(&first, &format!("{} [{}]", stand.instruction, stand.source));
    }
    for left_out in &machine.left_out {
        text += &wrap("  left out: ", left_out);
    }
    text
}

/// The verdicts of 1974 in plain words.
fn theorems(found: &Theorems, paint: Paint) -> String {
    let line = |theorem: Theorem| {
        let Theorem {
            number,
            claim,
            verdict,
        } = theorem;
        let sign = if verdict.holds { "yes" } else { "NO " };
        let text = wrap_names(
            &format!("Theorem {number}  {sign}  "),
            &format!("{claim}: {}.", verdict.detail),
        );
        let painted = if verdict.holds {
            paint.good(sign)
        } else {
            paint.bad(sign)
        };
        text.replacen(sign, &painted, 1)
    };
    found.all().map(line).concat()
}

/// Both readings, both layouts.
fn every_verdict(found: &Classification, paint: Paint) -> String {
    let mut text = paint.faint("reading   guest in rings   theorem 1    2    3") + "\n";
    for (reading, layout) in combinations() {
        let theorems = found.theorems(reading, layout);
        text += &format!("{:<9} {:<16}", reading.name(), layout_name(layout));
        for (verdict, width) in [
            (theorems.virtualizable, 10),
            (theorems.recursively, 5),
            (theorems.hybrid, 5),
        ] {
            text += &sign(verdict.holds, width, paint);
        }
        text += "\n";
    }
    let [of_1974, extended] = Reading::ALL.map(Reading::describe);
    text + &wrap(
        "",
        &format!("1974: state is {of_1974}. extended: and {extended}."),
    )
}

/// A verdict as a word at the right of a column.
pub(super) fn sign(holds: bool, width: usize, paint: Paint) -> String {
    if holds {
        paint.good(&format!("{:>width$}", "yes"))
    } else {
        paint.bad(&format!("{:>width$}", "NO"))
    }
}

fn holes(subject: &Subject, found: &Classification, paint: Paint) -> String {
    let layout = LAYOUTS[0];
    let all: Vec<&RowReport> = found
        .rows
        .iter()
        .filter(|report| report.observed.is_hole(layout))
        .collect();
    if all.is_empty() {
        return "No holes: every row that was found sensitive traps outside ring 0.\n".to_string();
    }
    let mut text = paint.strong("Holes: sensitive, and executed outside ring 0 without a trap") + "\n";
    for report in &all {
        let stands_for = subject.stands_for(report.row).unwrap_or_default();
        let first = format!(
            "{:<13} {:<12} {} ",
            report.row.to_string(),
            stands_for,
            who(&report.observed)
        );
        text += &wrap(&first, &report.observed.reason());
    }
    text + &wrap(
        "",
        "S concerns the guest's kernel, U its programs in ring 3; in brackets: in the extended reading only.",
    )
}

/// Whom a hole concerns: `S`, `U`, in brackets if in the extended reading only.
fn who(observed: &Observed) -> String {
    let letter = |letter: &str, who| match observed.concerns(LAYOUTS[0], who) {
        Some(Reading::Of1974) => format!(" {letter} "),
        Some(Reading::Extended) => format!("({letter})"),
        None => "   ".to_string(),
    };
    letter("S", Virtual::Supervisor) + &letter("U", Virtual::User)
}

fn counts(found: &Classification) -> String {
    let layout = LAYOUTS[0];
    let count = |wanted| {
        let regions = found.rows.iter();
        let regions = regions.map(|report| report.observed.region(layout, Reading::Extended));
        regions.filter(|region| *region == wanted).count()
    };
    let text = format!(
        "{} rows: {} innocuous; {} privileged and sensitive; {} privileged without need; holes: {}; {} that trap in \
         every ring; {} illegal in every state that was tried.",
        found.rows.len(),
        count(Region::Innocuous),
        count(Region::Guarded),
        count(Region::Needless),
        count(Region::Hole),
        count(Region::AlwaysTraps),
        count(Region::Absent),
    );
    wrap("", &text)
}

fn declarations(found: &Classification, paint: Paint) -> String {
    match found.disagreements().len() {
        0 => "All of them are what the table declares them to be.\n".to_string(),
        count => {
            paint.bad(&format!(
                "{count} of them are not what the table declares them to be."
            )) + "\n"
        }
    }
}

fn domain(domain: &Domain) -> String {
    let (all, random) = (&domain.enumerated, &domain.sampled);
    let enumerated = format!(
        "rings 0 to 3; relocation and paging on and off ({} references); {} situations, each a reference or different \
         from one in one part ({}); in all of them {} instructions with extreme operands.",
        all.references,
        all.situations,
        domain.differ_in.join(", "),
        exact(all.instructions),
    );
    let sampled = format!(
        "from seed {}, {} references and the {} situations around them, and {} instructions with their operands, each \
         in the situations of one reference.",
        domain.seed,
        random.references,
        random.situations,
        exact(random.instructions),
    );
    let result = format!(
        "{} states stepped, {} pairs compared. What was found has a witness. What was not found is not proved to be \
         absent.",
        exact(domain.steps),
        exact(domain.pairs),
    );
    wrap("Enumerated  ", &enumerated) + &wrap("Sampled     ", &sampled) + &wrap("In all      ", &result)
}

#[cfg(test)]
mod tests {
    use super::*;
    use toy_isa::profile::{Behaviour, Profile, ProfileName};
    use vmm_core::classify::class::Declaration;
    use vmm_core::classify::classify;
    use vmm_core::classify::state::ring32;

    /// A table that says of MOVE from SR that it traps, on a machine on which it does not.
    #[test]
    fn a_wrong_declaration_fails_with_its_row() {
        let mut profile = Profile::new(ProfileName::Classic);
        let row = Row::from_name("csrr status").expect("it is a row");
        profile.set(row, Behaviour::Leaks).expect("it is possible");
        let declared = |row| Declaration::of(row, &Profile::new(ProfileName::Classic));
        let found = classify(&ring32(&profile), [row], declared);
        let failure = agreement(&found).expect_err("it is wrong");
        assert_eq!(failure.code, ExitCode::Internal);
        let message = failure.error.to_string();
        assert!(message.contains("csrr status: declared"), "{message}");
        assert!(declarations(&found, Paint(false)).contains("1 of them are not"));
        assert!(agreement(&ring32_rows(&profile, [row])).is_ok());
    }
}
