//! `trapeze isa`: classification, witnesses, the machines of history, the cousins of x86's instructions.

mod common;

use common::{folder, json, run, scenario};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use scenarios::Scenario;
use serde_json::Value;
use tui::session::Session;
use tui::{App, Message};
use vmm_core::engine::EngineName;
use vmm_core::mode::ModeName;

/// Runs it, and holds it to 80 columns.
fn text(arguments: &[&str]) -> String {
    let done = run(arguments);
    assert_eq!(done.code, 0, "{arguments:?}: {}", done.err);
    for line in done.out.lines() {
        assert!(line.chars().count() <= 80, "{arguments:?}: {line}");
        assert_eq!(line.trim_end(), line, "{arguments:?}");
    }
    done.out
}

fn holds(object: &Value) -> [bool; 3] {
    ["1", "2", "3"].map(|theorem| object[theorem]["holds"].as_bool().expect("a verdict"))
}

fn row<'a>(object: &'a Value, name: &str) -> &'a Value {
    let rows = object["rows"].as_array().expect("rows");
    rows.iter()
        .find(|row| row["name"] == name)
        .unwrap_or_else(|| panic!("{name}"))
}

fn holes(object: &Value) -> Vec<&str> {
    let rows = object["rows"].as_array().expect("rows").iter();
    rows.filter(|row| row["hole"] == true)
        .map(|row| row["name"].as_str().expect("a name"))
        .collect()
}

/// The interface, with the view of properties in front.
fn interface() -> App {
    let scenario = Scenario::shipped("popf").expect("it ships");
    let session = Session::new(scenario.into(), ModeName::Bare, EngineName::Interpreter).expect("it runs");
    let mut app = App::new(
        session,
        EngineName::Interpreter,
        Default::default(),
        Default::default(),
        Default::default(),
    );
    keys(&mut app, ["4"]);
    app
}

fn keys<'a>(app: &mut App, keys: impl IntoIterator<Item = &'a str>) {
    for key in keys {
        app.update(Message::Key(key.parse().expect("a key")));
    }
    while app.busy() {
        app.update(Message::Work);
    }
}

/// What the interface says of a profile: the words in its table of theorems, by lines.
fn words_on_screen(app: &mut App, profile: &str) -> Vec<Vec<String>> {
    keys(
        app,
        ":profile".split("").filter(|c| !c.is_empty()).chain(["space"]),
    );
    keys(app, profile.split("").filter(|c| !c.is_empty()).chain(["enter"]));
    let area = Rect::new(0, 0, 160, 50);
    let mut buffer = Buffer::empty(area);
    tui::frame::paint(app, area, &mut buffer);
    let line = |y| {
        (0..area.width)
            .map(|x| buffer[(x, y)].symbol())
            .collect::<String>()
    };
    let words_of = |line: String| {
        let words = line
            .split_whitespace()
            .filter(|word| ["yes", "NO"].contains(word));
        words.map(str::to_string).collect::<Vec<_>>()
    };
    let theorems = ["1 trap-and-emulate", "2 recursively", "3 a hybrid"];
    let of = |theorem: &str| (0..area.height).map(line).find(|line| line.contains(theorem));
    theorems
        .map(|theorem| words_of(of(theorem).expect(theorem)))
        .to_vec()
}

#[test]
fn the_shipped_profiles_have_the_verdicts_of_their_stories() {
    let mut interface = interface();
    for (profile, theorems, holes_expected) in [
        ("classic", [true, true, true], 0),
        ("leaky", [false, false, false], 14),
        ("hybrid", [false, false, true], 1),
        ("assist", [false, false, false], 14),
    ] {
        let object = json(&["isa", "--classify", "--profile", profile]);
        assert_eq!(object["profile"], profile);
        assert_eq!(holds(&object["theorems"]), theorems, "{profile}");
        // What no classifier can tell, a command shows; it is no evidence where the machine is not virtualizable.
        let recursively = object["theorems"]["2"]["detail"].as_str().expect("a detail");
        let shown = "not for this computation: on profile classic, `trapeze recursion` demonstrates it";
        assert_eq!(recursively.contains(shown), theorems[1], "{recursively}");
        let found = holes(&object);
        assert_eq!(found.len(), holes_expected, "{profile}");
        let verdicts = object["verdicts"].as_array().expect("verdicts");
        assert_eq!(verdicts.len(), 4, "two readings, two layouts");
        let words = |theorem: usize| {
            let all = verdicts
                .iter()
                .map(|verdict| holds(&verdict["theorems"])[theorem]);
            all.map(|holds| if holds { "yes" } else { "NO" }.to_string())
                .collect()
        };
        let words: Vec<Vec<String>> = (0..3).map(words).collect();
        assert_eq!(words_on_screen(&mut interface, profile), words, "{profile}");
        for verdict in verdicts {
            assert_eq!(holds(&verdict["theorems"]), theorems, "{verdict}");
        }
        for row in object["rows"].as_array().expect("rows") {
            assert_eq!(row["declared"], row["observed"], "{row}");
            assert_eq!(row["disagreements"], Value::Array(vec![]));
            let sensitive = row["sensitive"]["extended"]
                .as_array()
                .is_some_and(|kinds| !kinds.is_empty());
            assert_eq!(row["witness"].is_object(), sensitive, "{row}");
            assert!(row["hole"].is_boolean());
        }
        for part in [
            "/domain/enumerated/instructions",
            "/domain/sampled/instructions",
            "/domain/seed",
            "/domain/steps",
            "/domain/pairs",
        ] {
            let count = object.pointer(part).and_then(Value::as_u64);
            assert!(count.is_some_and(|count| count > 0), "{part}");
        }
    }
}

#[test]
fn the_guilty_rows_are_named() {
    let object = json(&["isa", "--classify", "--profile", "leaky"]);
    let detail = object["theorems"]["1"]["detail"].as_str().expect("a detail");
    for name in ["csrr status", "csrw status", "csrr tvec", "csrr ptbr", "prober"] {
        assert!(detail.contains(name), "{detail}");
        assert_eq!(row(&object, name)["hole"], true);
    }
    for name in ["csrr instret", "csrr cpuid"] {
        assert!(!detail.contains(name), "only in the extended reading: {detail}");
        assert_eq!(row(&object, name)["hole"], true);
        assert_eq!(row(&object, name)["sensitive"]["1974"], Value::Array(vec![]));
    }
    let hybrid = json(&["isa", "--classify", "--profile", "hybrid"]);
    let mret = row(&hybrid, "mret");
    assert_eq!(mret["user_sensitive"]["extended"], Value::Array(vec![]));
    assert_eq!(mret["supervisor_sensitive"]["1974"][0], "control");
}

#[test]
fn people_get_verdicts_then_holes_then_counts() {
    for argument in ["classic", "leaky", "vax"] {
        let text = text(&["isa", "--classify", "--profile", argument]);
        let place = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part}: {text}"));
        assert!(place("Theorem 1") < place("oles"));
        assert!(place("oles") < place("96 rows"));
        assert!(place("96 rows") < place("Enumerated"));
        assert!(place("Enumerated") < place("Sampled"));
        assert!(text.contains("not proved"));
    }
    assert!(text(&["isa", "--classify", "--profile", "assist"]).contains("root operation"));
}

#[test]
fn every_hole_has_a_witness_that_can_be_read() {
    let object = json(&["isa", "--classify", "--profile", "leaky"]);
    let privileged = ["csrw tvec", "wsw", "wfi", "in"];
    for name in holes(&object).into_iter().chain(privileged) {
        let text = text(&["isa", "--witness", name, "--profile", "leaky"]);
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in [
            "1. Two states",
            "2. At pc stands",
            "3. What each has become",
            "They part:",
            "Hence:",
            "Popek and Goldberg",
        ] {
            assert!(words.contains(part), "{text}");
        }
        assert_eq!(
            words.contains("And: privileged"),
            privileged.contains(&name),
            "{text}"
        );
    }
    let mret = text(&["isa", "--witness", "mret", "--profile", "hybrid"]);
    assert!(
        mret.contains("m1 ≠ m2") && mret.contains("in ring 1 it is executed"),
        "{mret}"
    );
    let object = json(&["isa", "--witness", "csrr base", "--profile", "leaky"]);
    assert_eq!(object["witness"]["kind"], "location");
    assert_eq!(object["witness"]["outcome"][1], "executed");
}

#[test]
fn rows_without_a_witness_say_so() {
    assert!(text(&["isa", "--witness", "add"]).contains("No two states were found"));
    assert!(text(&["isa", "--witness", "ecall"]).contains("ADR 5"));
    assert!(json(&["isa", "--witness", "add"])["witness"].is_null());
}

#[test]
fn the_machines_of_history_are_told_together() {
    let all = json(&["isa", "--all"]);
    let machines = all["machines"].as_array().expect("machines");
    let of = |name: &str| {
        machines
            .iter()
            .find(|one| one["name"] == name)
            .unwrap_or_else(|| panic!("{name}"))
    };
    for (name, theorems) in [
        ("68000", [false, false, false]),
        ("68010", [true, true, true]),
        ("vax", [false, false, false]),
        ("pdp-10", [false, false, true]),
        ("s370", [true, true, true]),
        ("armv7", [false, false, true]),
        ("risc-v", [true, true, true]),
        ("classic", [true, true, true]),
        ("leaky", [false, false, false]),
    ] {
        assert_eq!(holds(&of(name)["theorems"]), theorems, "{name}");
    }
    assert_eq!(of("68000")["rows"][0]["instruction"], "MOVE from SR");
    assert!(
        !of("s370")["theorems_extended"]["1"]["holds"]
            .as_bool()
            .expect("a verdict")
    );
    let text = text(&["isa", "--classify", "--all"]);
    assert!(
        text.contains("MOVE from SR") && text.contains("(STORE CLOCK)"),
        "{text}"
    );
}

#[test]
fn a_machine_of_history_is_a_profile_like_any_other() {
    let told = text(&["isa", "--classify", "--profile", "68000"]);
    for part in [
        "Motorola 68000 (1979)",
        "MOVE from SR",
        "Reference Manual",
        "Theorem 1  NO",
    ] {
        assert!(told.contains(part), "{told}");
    }
    assert!(text(&["isa", "--profile", "pdp-10"]).contains("!ignored"));
    let object = json(&["isa", "--classify", "--profile", "armv7"]);
    assert_eq!(holes(&object), ["csrw status"]);
    assert_eq!(row(&object, "csrw status")["stands_for"], "CPS");
}

#[test]
fn the_seventeen_of_the_pentium_have_cousins_or_reasons() {
    let object = json(&["isa", "--cousins"]);
    let all = object["cousins"].as_array().expect("cousins");
    assert_eq!((all.len(), &object["profile"]), (17, &"leaky".into()));
    for one in all {
        let none = one["rows"].as_array().is_some_and(Vec::is_empty);
        assert_eq!(none, one["no_cousin_because"].is_string(), "{one}");
    }
    let popf = all.iter().find(|one| one["instruction"] == "POPF").expect("POPF");
    assert_eq!(
        (&popf["rows"][0]["name"], &popf["rows"][0]["hole"]),
        (&"csrw status".into(), &true.into())
    );
    assert!(text(&["isa", "--cousins"]).contains("no cousin: "));
    assert!(!text(&["isa", "--cousins", "--profile", "classic"]).contains(" hole  "));
}

#[test]
fn a_scenario_makes_an_instruction_set_of_its_own() {
    let object = json(&["isa", "--classify", "--scenario", "popf-takes-effect"]);
    assert_eq!(holes(&object), ["csrw status"]);
    assert_eq!(holds(&object["theorems"]), [false; 3]);
    let guest = "_start: li t0, 48\n out t0, zero\n1: j 1b\n";
    let mine = "title = \"Mine\"\n[machine.rows]\n\"csrr cpuid\" = \"leaks\"\nwfi = \"ignored\"\n\
                [guest]\nsources = [\"guest.s\"]\n";
    let folder = folder("cli-isa-own", &[("guest.s", guest), ("scenario.toml", mine)]);
    let object = json(&[
        "isa",
        "--classify",
        "--scenario",
        folder.to_str().expect("a path"),
    ]);
    assert_eq!(
        holds(&object["theorems"]),
        [true; 3],
        "both are sensitive in the extended reading only"
    );
    assert_eq!(holes(&object), ["wfi", "csrr cpuid"]);
    let path = scenario("cli-isa-text", guest, "");
    assert!(text(&["isa", "--classify", "--scenario", &path]).contains("Theorem 1  yes"));
}

#[test]
fn the_same_question_has_the_same_answer() {
    let ask = || run(&["isa", "--classify", "--profile", "leaky", "--json"]).out;
    assert_eq!(ask(), ask());
}

#[test]
fn bad_questions_are_refused() {
    for arguments in [
        &["isa", "--classify", "--profile", "6800"][..],
        &["isa", "--classify", "--row", "add"],
        &["isa", "--all", "--profile", "leaky"],
        &["isa", "--classify", "--profile", "leaky", "--scenario", "popf"],
        &["isa", "--cousins", "--classify"],
        &["isa", "--witness", "nonsense"],
    ] {
        assert_eq!(run(arguments).code, 2, "{arguments:?}");
    }
    assert!(run(&["isa", "--profile", "6800"]).err.contains("68000"));
    let done = run(&["isa", "--classify", "--scenario", "no-such-scenario"]);
    assert_eq!(done.code, 10, "{}", done.err);
}
