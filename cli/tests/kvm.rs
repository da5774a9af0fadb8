//! Real exits from the command line; where there is no KVM, why.

mod common;

use common::{json, run};

#[test]
fn real_exits_are_measured_or_it_is_said_why_not() {
    let done = run(&["kvm-exits", "--times", "20", "--rounds", "2"]);
    if done.code == 10 {
        accel::skipped("real_exits_are_measured_or_it_is_said_why_not", &done.err);
        let advice = ["modprobe", "usermod", "x86-64", "kernel is older"];
        assert!(advice.iter().any(|what| done.err.contains(what)), "{}", done.err);
        return;
    }
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.out.contains("port written: the floor"), "{}", done.out);
    assert!(
        done.out.lines().all(|line| line.chars().count() <= 80),
        "{}",
        done.out
    );
    let object = json(&["kvm-exits", "--times", "20", "--rounds", "2"]);
    let exits = object["kvm"]["exits"].as_array().expect("an array");
    let of = |reason: &str| exits.iter().find(|exit| exit["reason"] == reason);
    for reason in ["port written", "port read", "device memory written", "halted"] {
        let nanoseconds = of(reason).and_then(|exit| exit["nanoseconds"].as_f64());
        assert!(
            nanoseconds.is_some_and(|each| each > 100.0),
            "{reason}: {nanoseconds:?}"
        );
    }
}

/// Whether there is no KVM, with a word on it.
fn absent(name: &str) -> bool {
    let missing = accel::kvm::available().err();
    missing.inspect(|missing| accel::skipped(name, missing)).is_some()
}

#[test]
fn a_guest_runs_in_a_real_virtual_machine_as_on_the_bare_machine() {
    if absent("a_guest_runs_in_a_real_virtual_machine_as_on_the_bare_machine") {
        return;
    }
    let arguments = ["run", "guest-os", "--mode", "kvm", "--profile", "assist"];
    let done = run(&arguments);
    assert_eq!(done.code, 0, "{}", done.err);
    for part in [
        "inside KVM_RUN",
        "real exits        port written",
        "page-table entries",
    ] {
        assert!(done.out.contains(part), "{}", done.out);
    }
    let object = json(&arguments);
    assert_eq!(object["verdict"]["equivalence"]["holds"], true, "{object}");
    let number = |name: &str| object["kvm"][name].as_u64().expect("a number");
    let retired = object["retired"].as_u64().expect("a number");
    assert!(10 * number("inside") >= 9 * retired, "{object}");
    let faults = number("access refused by page table or alignment check");
    assert!(number("port written") > 1000 && faults > 100, "{object}");
    assert!(object["kvm"]["failure"].is_null());
}

#[test]
fn where_several_modes_run_one_that_cannot_is_skipped() {
    let arguments = ["compare", "popf", "--profile", "assist", "--modes", "bare,kvm"];
    let done = run(&arguments);
    assert_eq!(done.code, 0, "{}", done.err);
    let missing = accel::kvm::available().is_err();
    assert_eq!(done.out.contains("skipped: mode kvm"), missing, "{}", done.out);
    let modes = json(&arguments)["modes"].as_array().map(Vec::len);
    assert_eq!(modes, Some(if missing { 1 } else { 2 }));
}
