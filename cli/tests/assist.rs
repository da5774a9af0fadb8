//! Hardware assistance from the command line: what has no root operation is told so, and exits are shown by reason.

mod common;

use common::{json, run};

#[test]
fn a_profile_without_root_operation_is_told_once_with_what_to_do() {
    for arguments in [
        &["run", "guest-os", "--mode", "assist"][..],
        &["compare", "guest-os", "--modes", "bare,assist:shadow"],
        &["why", "--mode", "assist"],
    ] {
        let done = run(arguments);
        assert_eq!(done.code, 10, "{arguments:?}: {}", done.err);
        assert_eq!(done.err.matches("--profile assist").count(), 1, "{}", done.err);
        assert!(done.err.contains("profile classic does not have"), "{}", done.err);
    }
}

#[test]
fn a_comparison_has_the_assist_modes_only_where_the_profile_has_them() {
    let modes = |arguments: &[&str]| -> Vec<String> {
        let object = json(arguments);
        let reports = object["modes"].as_array().expect("an array").clone();
        reports
            .iter()
            .filter_map(|report| Some(report["mode"].as_str()?.to_string()))
            .filter(|mode| mode.starts_with("assist"))
            .collect()
    };
    assert_eq!(modes(&["compare", "popf"]), [""; 0]);
    assert_eq!(
        modes(&["compare", "popf", "--profile", "assist"]),
        ["assist", "assist:shadow"]
    );
}

#[test]
fn exits_are_shown_by_reason_and_explained() {
    let arguments = ["run", "red-pill", "--mode", "assist", "--profile", "assist"];
    let text = run(&arguments).out;
    assert!(text.contains("exits by reason   out "), "{text}");
    let object = json(&arguments);
    let reasons = object["counts"]["exits_by_reason"]
        .as_object()
        .expect("an object");
    assert!(reasons["nested fetch fault"].as_u64() >= Some(1), "{reasons:?}");
    let sum: u64 = reasons.values().filter_map(serde_json::Value::as_u64).sum();
    assert_eq!(object["counts"]["vm_exits"].as_u64(), Some(sum));
    // The first exit: no page of the guest is mapped yet.
    let done = run(&["why", "1", "red-pill", "--mode", "assist", "--profile", "assist"]);
    for sentence in [
        "left non-root operation",
        "filled the nested table",
        "entered the guest",
    ] {
        let words = done.out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(sentence), "{}", done.out);
    }
}

#[test]
fn the_hypervisor_in_assembly_prints_the_guests_console_and_its_books() {
    let done = run(&["run", "hypervisor", "--mode", "bare"]);
    assert_eq!(done.code, 0, "{}", done.err);
    for part in [
        "Power off.",
        "Hypervisor: exits: out 2260, in ",
        "exits by reason   out 2,260",
    ] {
        assert!(done.out.contains(part), "{}", done.out);
    }
}
