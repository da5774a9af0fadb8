//! `trapeze challenges`, and what else a lecturer shows of adaptive translation.

mod common;

use common::{json, run};
use serde_json::Value;

/// What is looked at of a challenge, and whether the guest was equivalent, under each method in its order.
fn shown(object: &Value, challenge: &str) -> Vec<(u64, bool)> {
    let all = object["challenges"].as_array().expect("an array");
    let found = all.iter().find(|one| one["challenge"] == challenge);
    let modes = found.expect(challenge)["modes"].as_array().expect("an array");
    let look = |mode: &Value| {
        let equivalent = &mode["verdict"]["equivalence"]["holds"];
        Some((mode["looked_at"].as_u64()?, equivalent.as_bool()?))
    };
    modes.iter().map(|mode| look(mode).expect("a run")).collect()
}

/// In the order of the columns: trap, trap:0/3/3, translate, translate:all, assist.
#[test]
fn each_challenge_hurts_where_the_paper_says_and_is_cured_where_hardware_cures_it() {
    let object = json(&["challenges"]);
    let all = object["challenges"].as_array().expect("an array");
    assert_eq!(all.len(), 8, "as many as the paper has");

    let equivalent = |challenge| shown(&object, challenge).into_iter().map(|(_, yes)| yes);
    let [ring, state] = ["Ring aliasing", "Nonfaulting access to privileged state"]
        .map(|challenge| equivalent(challenge).collect::<Vec<_>>());
    assert_eq!(ring, [false, false, true, true, true]);
    assert_eq!(state, [false, false, false, true, true]);

    let counts = |challenge| {
        assert!(
            equivalent(challenge).all(|yes| yes),
            "{challenge} costs, and breaks nothing"
        );
        let counts = shown(&object, challenge).into_iter().map(|(count, _)| count);
        counts.collect::<Vec<u64>>()
    };
    assert_eq!(counts("Address-space compression"), [6, 6, 6, 6, 0]);
    // 200 system calls: the call and three privileged instructions, the call and the return, nothing.
    let calls = counts("Guest transitions");
    assert!(
        calls[0] >= 800 && (400..500).contains(&calls[2]) && calls[4] < 10,
        "{calls:?}"
    );
    // 200 critical sections: off and on, or only what the ticks of the timer take.
    let sections = counts("Interrupt virtualization");
    assert!(
        sections[0] >= 400 && sections[2] < 60 && sections[4] < 60,
        "{sections:?}"
    );
    // 100 system calls, there and back.
    let switches = counts("Ring compression");
    assert!(
        switches[0] <= 2 && switches[1] >= 200 && switches[4] == 0,
        "{switches:?}"
    );
    let resource = counts("Frequent access to privileged resources");
    assert!(
        resource.iter().all(|exits| *exits >= 400),
        "no cure: {resource:?}"
    );

    let hidden = all
        .iter()
        .find(|one| one["challenge"] == "Access to hidden state");
    let hidden = hidden.expect("it is listed");
    assert!(hidden["scenario"].is_null() && hidden["no_scenario"].is_string());
}

#[test]
fn the_table_of_challenges_fits_80_columns() {
    let done = run(&["challenges"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.out.contains("Access to hidden state"), "{}", done.out);
    for line in done.out.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn an_instruction_is_translated_anew_in_both_directions_and_units_tells_so() {
    let done = run(&["units", "adaptive", "--at", "look"]);
    assert_eq!(done.code, 0, "{}", done.err);
    let reasons: Vec<&str> = done.out.lines().skip(1).take(5).collect();
    let [plain, called] = [
        "innocuous: identical",
        "trapped often: the monitor is called at once",
    ];
    for (number, (line, reason)) in reasons
        .iter()
        .zip([plain, called, plain, called, plain])
        .enumerate()
    {
        assert!(
            line.contains(&format!("{}  {reason}", number + 1)),
            "{}",
            done.out
        );
    }
    let none = run(&["units", "adaptive", "--at", "nowhere"]);
    assert!(
        none.code == 2 && none.err.contains("no symbol of 'adaptive'"),
        "{}",
        none.err
    );
}
