//! A bad tour ends in an error that says where and what, and often what was meant.

mod common;

use std::time::{Duration, Instant};

use common::Folder;
use scenarios::tour::{Tour, Walk, WalkError, json_schema, limit};

/// A tour that is good so far: two lines; and a stop: two more.
const GOOD: &str = "title = \"t\"\nscenario = \"popf\"\n";
const STOP: &str = "[[stop]]\nsay = \"here\"\n";

/// What is said of a tour with this text, without the folder's path.
fn error(folder: &Folder, toml: &str) -> String {
    folder.write("tour.toml", toml.as_bytes());
    let path = folder.0.join("tour.toml");
    let start = Instant::now();
    let error = Tour::find(&path.display().to_string()).expect_err(toml);
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "a bad file is refused at once"
    );
    error.to_string().replace(&format!("{}/", folder.0.display()), "")
}

#[test]
fn mistakes_are_told_with_place_and_suggestion() {
    let folder = Folder::new("bad-tours");
    let long = "x".repeat(limit::SAY + 1);
    let many = STOP.repeat(limit::STOPS + 1);
    let cases: &[(&str, &str)] = &[
        ("", "tour.toml:1:1: error: a tour without stops"),
        (
            "[[stop]]\nsya = \"x\"",
            "tour.toml:4:1: error: unknown field 'sya'",
        ),
        ("[[stop]]\nmode = \"trap\"", "missing field 'say'"),
        (
            "[[stop]]\nsay = \"\"",
            "what is said of 0 characters: expected 1 to 480",
        ),
        (
            &format!("[[stop]]\nsay = \"{long}\""),
            "what is said of 482 characters",
        ),
        (&many, "too many stops: expected at most 100"),
        // Names.
        (
            "[[stop]]\nsay = \"x\"\nmode = \"tarp\"",
            "tour.toml:5:8: error: unknown mode, of those in which this scenario runs on this profile, 'tarp': \
             expected one of bare, interpret, trap, trap:0/3/3, translate, translate:all, translate:callouts, hybrid, \
             hundred; did you mean 'trap'?",
        ),
        ("[[stop]]\nsay = \"x\"\nmode = \"para\"", "unknown mode"),
        ("[[stop]]\nsay = \"x\"\nmode = \"assist\"", "unknown mode"),
        (
            "[[stop]]\nsay = \"x\"\nprofile = \"leeky\"",
            "; did you mean 'leaky'?",
        ),
        (
            "[[stop]]\nsay = \"x\"\nprices = \"prescot\"",
            "; did you mean 'prescott'?",
        ),
        (
            "[[stop]]\nsay = \"x\"\nview = \"macine\"",
            "tour.toml:5:8: error: unknown view 'macine'",
        ),
        (
            "[[stop]]\nsay = \"x\"\nscenario = \"pop\"",
            "tour.toml:5:12: error: scenario 'pop': no scenario is named 'pop'",
        ),
        (
            "[[stop]]\nsay = \"x\"\nprofile = \"assist\"\nmode = \"assist\"\n\
             [[stop]]\nsay = \"y\"\nprofile = \"leaky\"",
            "tour.toml:7:1: error: scenario 'popf' does not run in mode 'assist' on profile leaky",
        ),
        (
            "[[stop]]\nsay = \"x\"\nname = \"a b\"",
            "'a b' is no name of a stop",
        ),
        (
            "[[stop]]\nsay = \"x\"\nname = \"a\"\n[[stop]]\nsay = \"x\"\nname = \"a\"",
            "two stops are named 'a'",
        ),
        (
            "[[stop]]\nsay = \"x\"\ncompare = [\"bare\"]",
            "expected 2 to 4 of them",
        ),
        // Where to.
        (
            "[[stop]]\nsay = \"x\"\nto = { }",
            "expected one of event, instruction, symbol, and end = true",
        ),
        (
            "[[stop]]\nsay = \"x\"\nto = { end = false }",
            "expected one of event",
        ),
        (
            "[[stop]]\nsay = \"x\"\nto = { end = true, instruction = 7 }",
            "expected one of event",
        ),
        (
            "[[stop]]\nsay = \"x\"\nto = { event = \"exti\" }",
            "; did you mean 'exit'?",
        ),
        (
            "[[stop]]\nsay = \"x\"\nto = { event = \"exit\", cuase = \"x\" }",
            "; did you mean 'cause'?",
        ),
        (
            "[[stop]]\nsay = \"x\"\nto = { event = \"exit\", cause = \"timer interupt\" }",
            "; did you mean 'timer interrupt'?",
        ),
        (
            "[[stop]]\nsay = \"x\"\nto = { event = \"exit\", row = \"csrw statsu\" }",
            "unknown row 'csrw statsu'",
        ),
        (
            "[[stop]]\nsay = \"x\"\nto = { event = \"resume\", row = \"csrw status\" }",
            "'row' does not belong here: events that have it are exit, vm-exit, emulate",
        ),
        (
            "[[stop]]\nsay = \"x\"\nto = { end = true, to_ring = 3 }",
            "'to_ring' does not belong here",
        ),
        (
            "[[stop]]\nsay = \"x\"\nto = { event = \"exit\", ring = 4 }",
            "there is no ring 4: expected 0 to 3",
        ),
        (
            "[[stop]]\nsay = \"x\"\nto = { instruction = 5, ring = 3 }",
            "'ring' does not belong here",
        ),
        (
            "[[stop]]\nsay = \"x\"\nto = { event = \"exit\", nth = 0 }",
            "nth: 0 is out of range",
        ),
        (
            "[[stop]]\nsay = \"x\"\nto = { instruction = 5, nth = 2 }",
            "'nth' does not belong here",
        ),
        ("[[stop]]\nsay = \"x\"\nto = { instruction = -5 }", "expected u64"),
        (
            "[[stop]]\nsay = \"x\"\nto = { event = \"enter\", how = \"device\" }",
            "unknown way 'device'",
        ),
        (
            "[[stop]]\nsay = \"x\"\nto = { symbol = \"wiat\" }",
            "the guest has no symbol 'wiat'; did you mean 'wait'?",
        ),
        // Texts.
        (
            "[[stop]]\nsay = \"{exist}\"",
            "tour.toml:4:9: error: unknown figure 'exist'",
        ),
        (
            "[[stop]]\nsay = \"{exits of tarp}\"",
            "unknown mode of this scenario 'tarp'",
        ),
        (
            "[[stop]]\nsay = \"{exits until}\"",
            "unknown word 'until': expected one of since, at, of, on",
        ),
        ("[[stop]]\nsay = \"{exits at here}\"", "unknown stop 'here'"),
        (
            "[[stop]]\nsay = \"{exits of trap since}\"",
            "expected no 'since' and no 'at'",
        ),
        (
            "[[stop]]\nsay = \"{ring since}\"",
            "expected no 'since' and no 'at'",
        ),
        (
            "[[stop]]\nsay = \"{slowdown}\"",
            "expected 'slowdown of' and a mode",
        ),
        (
            "[[stop]]\nsay = \"{equivalence of trap}\"",
            "expected it in `holds` only",
        ),
        (
            "[[stop]]\nsay = \"{exits | exit}\"",
            "expected a figure, one with what it counts",
        ),
        (
            "[[stop]]\nsay = \"{exits / traps | a | b}\"",
            "a ratio counts nothing",
        ),
        ("[[stop]]\nsay = \"{exits\"", "a brace alone"),
        ("[[stop]]\nsay = \"exits}\"", "a brace alone"),
        (
            "[[stop]]\nsay = \"x\"\nholds = [\"exits\"]",
            "expected two figures, numbers or words",
        ),
        (
            "[[stop]]\nsay = \"x\"\nholds = [\"exits = 12x\"]",
            "'12x' is no number",
        ),
        (
            "[[stop]]\nsay = \"x\"\nholds = [\"exits = maybe\"]",
            "unknown figure 'maybe'",
        ),
        // Questions.
        (
            "[[stop]]\nsay = \"x\"\nask = { question = \"q\", choices = [\"a\"], right = 1, answer = \"a\" }",
            "a question has 2 to 4 answers",
        ),
        (
            "[[stop]]\nsay = \"x\"\nask = { question = \"q\", choices = [\"a\", \"b\"], right = 3, answer = \"a\" }",
            "there is no choice 3: expected 1 to 2",
        ),
        (
            "[[stop]]\nsay = \"x\"\n\
             ask = { question = \"{exits}?\", choices = [\"a\", \"b\"], right = 1, answer = \"a\" }",
            "a question is read before the run is at the stop",
        ),
    ];
    for (toml, expected) in cases {
        let error = error(&folder, &format!("{GOOD}{toml}"));
        assert!(error.contains(expected), "{toml}\n  {error}\n  lacks {expected}");
    }
    let error = error(&folder, "# nothing\n");
    assert!(
        error.contains("the tour is empty: expected at least a title"),
        "{error}"
    );
}

#[test]
fn tours_are_found_by_name_or_by_the_path_of_a_file() {
    let error = |name: &str| Tour::find(name).expect_err(name).to_string();
    assert_eq!(
        error("pop"),
        "no tour is named 'pop'; did you mean 'popf'? (the name of a file ends with .toml)"
    );
    assert!(error("nowhere.toml").contains("nowhere.toml: error: no such file"));
    let folder = Folder::new("own-tour");
    folder.write("scenario.toml", common::GOOD.as_bytes());
    folder.write(
        "mine.toml",
        b"title = \"mine\"\nscenario = \"scenario.toml\"\n[[stop]]\nto = { end = true }\nsay = \"x\"",
    );
    let tour = Tour::find(&folder.0.join("mine.toml").display().to_string()).expect("a good tour");
    assert_eq!(
        (tour.name.as_str(), tour.scenes[0].name.as_str()),
        ("mine", "own-tour")
    );
    assert!(Walk::through(&tour).is_ok());
}

#[test]
fn texts_of_a_hostile_file_are_harmless_on_a_terminal() {
    let folder = Folder::new("hostile-tour");
    let toml =
        "title = \"a\\u001bb\"\nscenario = \"popf\"\n[[stop]]\nsay = \"x\\u001b[31m y\\u202e\"".to_string();
    folder.write("tour.toml", toml.as_bytes());
    let tour = Tour::find(&folder.0.join("tour.toml").display().to_string()).expect("a good tour");
    let walk = Walk::through(&tour).expect("it can be taken");
    assert_eq!(tour.title, "a\\x1bb");
    assert_eq!(
        tour.stops[0].say.fill(&walk.known(&tour, 0)),
        "x\\x1b[31m y\\u{202e}"
    );
}

#[test]
fn a_stop_that_is_not_met_and_a_claim_that_is_not_so_are_told() {
    let folder = Folder::new("missed");
    let walk = |toml: &str| {
        folder.write("tour.toml", format!("{GOOD}{toml}").as_bytes());
        let tour = Tour::find(&folder.0.join("tour.toml").display().to_string()).expect("a good tour");
        let walk = Walk::through(&tour);
        walk.map(|walk| walk.broken(&tour))
    };
    let missed = walk(&format!(
        "{STOP}[[stop]]\nsay = \"x\"\nto = {{ event = \"hypercall\" }}"
    ));
    assert!(
        matches!(missed, Err(WalkError::Missed { stop: 2, .. })),
        "{missed:?}"
    );
    let broken = walk(
        "[[stop]]\nsay = \"x\"\nto = { end = true }\nholds = [\"exits = 0\", \"exits > 0\", \"ring = off\"]",
    );
    let broken = broken.expect("all stops are met");
    let why: Vec<&str> = broken.iter().map(|(_, why)| why.as_str()).collect();
    assert_eq!(broken.len(), 2, "{broken:?}");
    assert!(
        why[0].starts_with("'exits = 0' does not hold: 3") && why[1].contains("ring = off"),
        "{why:?}"
    );
}

#[test]
fn the_schema_knows_every_key() {
    let schema = json_schema().to_string();
    for key in [
        "title",
        "about",
        "scenario",
        "profile",
        "mode",
        "prices",
        "stop",
        "name",
        "to",
        "view",
        "pane",
        "compare",
        "ask",
        "say",
        "notes",
        "holds",
        "event",
        "ring",
        "cause",
        "row",
        "how",
        "to_ring",
        "hypercall",
        "channel",
        "nth",
        "instruction",
        "symbol",
        "end",
        "question",
        "choices",
        "right",
        "answer",
    ] {
        assert!(schema.contains(&format!("\"{key}\"")), "{key}");
    }
    assert!(schema.contains("\"additionalProperties\":false") && schema.contains("emulate-access"));
}
