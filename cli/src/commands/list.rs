//! `trapeze list`: the shipped scenarios.

use serde_json::json;

use crate::failure::Failure;
use crate::output::Output;
use crate::text::wrap;

/// Runs the command.
pub(crate) fn run(output: &Output) -> Result<(), Failure> {
    let all = scenarios::list();
    if output.json {
        let all: Vec<_> = all
            .iter()
            .map(|one| json!({ "name": one.name, "title": one.title }))
            .collect();
        return output.object(&json!({ "scenarios": all }));
    }
    let width = all.iter().map(|one| one.name.chars().count()).max().unwrap_or(0);
    let lines: Vec<String> = all
        .iter()
        .map(|one| wrap(&format!("{:<width$}  ", one.name), &one.title))
        .collect();
    output.text(&format!("{}\nTry next: trapeze compare popf\n", lines.concat()))
}
