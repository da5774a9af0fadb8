//! Real exits, where there is KVM; and why there is none, where not.

use super::*;

#[test]
fn why_it_does_not_open_is_said_with_what_to_do() {
    let opened = |code| KvmError::open(Errno(code));
    for (code, part) in [(2, "modprobe"), (13, "usermod"), (19, "nested"), (6, "firmware")] {
        let error = opened(code);
        assert!(
            error.unavailable() && error.to_string().contains(part),
            "{code}: {error}"
        );
    }
    let other = opened(24);
    assert!(
        !other.unavailable() && other.to_string().contains("opening /dev/kvm"),
        "{other}"
    );
}

#[test]
fn a_real_guest_leaves_for_each_reason_as_often_as_it_should() {
    let exits = match measure(20, 2) {
        Err(error) if error.unavailable() => {
            crate::skipped(
                "a_real_guest_leaves_for_each_reason_as_often_as_it_should",
                &error,
            );
            return;
        }
        exits => exits.expect("KVM does what it should"),
    };
    assert!(exits.floor > 0.0 && exits.emitted.floor > 0.0);
    for exit in &exits.exits {
        if exit.reason.is_some() {
            assert!(exit.nanoseconds.is_some_and(|each| each > 100.0), "{exit:?}");
        }
    }
    let reasons = exits.exits.iter().filter_map(|exit| exit.reason);
    assert_eq!(reasons.count(), 6);
}
