//! Real exits from the command line; where there is no KVM, why.

mod common;

use common::{json, run};

#[test]
fn real_exits_are_measured_or_it_is_said_why_not() {
    let done = run(&["kvm-exits", "--times", "20", "--rounds", "2"]);
    if done.code == 10 {
        eprintln!(
            "skipped: real_exits_are_measured_or_it_is_said_why_not: {}",
            done.err
        );
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
