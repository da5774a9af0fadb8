//! `trapeze isa --all`: the shipped profiles and the machines of history, side by side.

use scenarios::machines;
use scenarios::subject::Subject;
use serde_json::{Value, json};
use toy_isa::profile::ProfileName;
use vmm_core::classify::part::Reading;
use vmm_core::classify::{Classification, Known, LAYOUTS};

use super::classify::{agreement, fixed, names, sign, wrap_names};
use super::subject::of_history;
use crate::failure::Failure;
use crate::output::{Output, Paint};
use crate::text::wrap;

/// Runs the command.
pub(super) fn run(output: &Output) -> Result<(), Failure> {
    let mut subjects: Vec<Subject> = ProfileName::ALL.into_iter().map(Subject::shipped).collect();
    for name in machines::names() {
        subjects.push(of_history(name)?);
    }
    let mut known = Known::default();
    let all: Vec<(Subject, Classification)> = output.busy("classifying all machines".to_string(), || {
        let classified = subjects.into_iter().map(|subject| {
            let found = known.classify(&subject.profile);
            (subject, found)
        });
        classified.collect()
    });
    if output.json {
        let machines: Vec<Value> = all
            .iter()
            .map(|(subject, found)| object(subject, found))
            .collect();
        output.object(&json!({ "machines": machines }))?;
    } else {
        output.text(&render(&all, output.paint))?;
    }
    all.iter().try_for_each(|(_, found)| agreement(found))
}

fn object(subject: &Subject, found: &Classification) -> Value {
    let layout = LAYOUTS[0];
    let machine = subject.machine.as_ref();
    let rows = machine.map(|machine| {
        let rows = machine.rows.iter().map(|stand| {
            json!({
                "name": stand.row.to_string(),
                "outside_ring_0": stand.behaviour.name(),
                "instruction": stand.instruction,
                "source": stand.source,
            })
        });
        rows.collect::<Vec<_>>()
    });
    json!({
        "name": subject.name(),
        "title": machine.map(|machine| &machine.title),
        "story": machine.map(|machine| &machine.story),
        "base": subject.profile.base().name(),
        "rows": rows,
        "left_out": machine.map(|machine| &machine.left_out),
        "theorems": found.theorems(Reading::Of1974, layout),
        "theorems_extended": found.theorems(Reading::Extended, layout),
        "holes": names(&found.holes(Reading::Of1974, layout)),
        "holes_extended": names(&found.holes(Reading::Extended, layout)),
    })
}

fn render(all: &[(Subject, Classification)], paint: Paint) -> String {
    let mut text = "Popek and Goldberg's theorems, computed; a guest in rings {1,3}\n\n".to_string();
    text += &paint.faint(&format!("{:<10}{:>8}{:>13}", "", "1974", "extended"));
    text += "\n";
    let head = format!(
        "{:<10}{:>4}{:>4}{:>4}{:>5}{:>4}{:>4}  sensitive and not privileged",
        "machine", 1, 2, 3, 1, 2, 3
    );
    text += &(paint.faint(&head) + "\n");
    let (shipped, history) = all.split_at(ProfileName::ALL.len());
    text += &shipped
        .iter()
        .map(|(subject, found)| line(subject, found, paint))
        .collect::<String>();
    text += "\n";
    text += &history
        .iter()
        .map(|(subject, found)| line(subject, found, paint))
        .collect::<String>();
    text += "\n";
    text += &wrap(
        "",
        "1 virtualizable, 2 recursively virtualizable by a monitor without timing dependencies, 3 hybrid monitor \
         possible. In brackets: in the extended reading only. NO has a witness; yes means that none was found.",
    );
    text + "Try next: trapeze isa --classify --profile 68000\n"
}

fn line(subject: &Subject, found: &Classification, paint: Paint) -> String {
    let layout = LAYOUTS[0];
    let (of_1974, extended) = (
        found.theorems(Reading::Of1974, layout),
        found.theorems(Reading::Extended, layout),
    );
    let signs = [
        (of_1974.virtualizable, 4),
        (of_1974.recursively, 4),
        (of_1974.hybrid, 4),
        (extended.virtualizable, 5),
        (extended.recursively, 4),
        (extended.hybrid, 4),
    ];
    let holes_of_1974 = found.holes(Reading::Of1974, layout);
    let mut guilty: Vec<String> = found
        .holes(Reading::Extended, layout)
        .into_iter()
        .map(|row| {
            let name = subject.machine.as_ref().and_then(|_| subject.stands_for(row));
            let name = name.map_or_else(|| row.to_string(), str::to_string);
            fixed(&if holes_of_1974.contains(&row) {
                name
            } else {
                format!("({name})")
            })
        })
        .collect();
    // Two rows may stand for one instruction.
    guilty.dedup();
    let plain = signs.iter().map(|(verdict, width)| {
        let word = if verdict.holds { "yes" } else { "NO" };
        format!("{word:>width$}")
    });
    let first = format!("{:<10}{}  ", subject.name(), plain.collect::<String>());
    let text = wrap_names(&first, &guilty.join(", "));
    let painted: String = signs
        .iter()
        .map(|(verdict, width)| sign(verdict.holds, *width, paint))
        .collect();
    let text = text.replacen(&first, &format!("{:<10}{painted}  ", subject.name()), 1);
    text.trim_end().to_string() + "\n"
}
