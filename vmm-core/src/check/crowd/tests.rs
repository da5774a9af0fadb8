//! What is wrong with a crowd is found.

use toy_isa::asm::{Options as AsmOptions, Source, assemble};
use toy_isa::profile::{Profile, ProfileName};

use super::*;
use crate::modes::trap::Layout;

const OPTIONS: Options = Options {
    mode: ModeName::Trap(Layout::RingDeprivileging),
    engine: EngineName::Auto,
    exit_fuel: 200,
    budget: 300_000,
    fuel: u64::MAX,
    now: || 0,
};

fn guest(text: &str) -> Setup {
    let image = assemble(&[Source::new("guest.s", text)], &AsmOptions::default()).expect("it assembles");
    Setup::new(image, 64 << 10, Profile::new(ProfileName::Classic))
}

/// A guest that counts to a number and ends with it.
fn counter(to: u32) -> (String, Setup) {
    let text = format!("li a1, {to}\n1: addi a0, a0, 1\n bne a0, a1, 1b\n li t0, 48\n out t0, a0\n");
    (format!("to {to}"), guest(&text))
}

/// A guest that never ends.
fn endless(step: u32) -> (String, Setup) {
    (
        "endless".to_string(),
        guest(&format!("1: addi a0, a0, {step}\n j 1b\n")),
    )
}

#[test]
fn a_crowd_is_measured_while_all_run_and_each_guest_is_compared_where_it_ended() {
    let crowd = Crowd {
        kinds: vec![counter(100_000), endless(1)],
        members: vec![(0, 2), (1, 1), (0, 3)],
    };
    let report = run(&crowd, OPTIONS).expect("they fit");
    let ends: Vec<End> = report.guests.iter().map(|guest| guest.end).collect();
    assert_eq!(
        ends,
        [End::PowerOff(100_000), End::Budget, End::PowerOff(100_000)]
    );
    // The third ends first, after a half of all that was used until then.
    let third = report.guests[2].used;
    assert!(
        (1.9..2.1).contains(&(report.together as f64 / third as f64)),
        "{report:?}"
    );
    assert!(report.shares.is_some_and(|shares| shares.holds));
    assert!(report.alone.holds, "{}", report.alone.detail);
    assert!(report.isolation.holds && report.asked > 0);
    assert!(report.guests[1].used >= OPTIONS.budget);
}

#[test]
fn a_guest_that_is_not_as_its_run_alone_is_named() {
    let mut several = Several::new(
        &[counter(1000).1, endless(1).1],
        &[1],
        OPTIONS.mode,
        OPTIONS.engine,
    )
    .expect("they fit");
    to_the_end(&mut several, OPTIONS);
    let of = |kinds: [(String, Setup); 2]| {
        let crowd = Crowd {
            kinds: kinds.into(),
            members: vec![(0, 1), (1, 1)],
        };
        let found = alone(&crowd, &several, OPTIONS).expect("they fit");
        found
            .into_iter()
            .map(|difference| difference.map(|difference| difference.what))
            .collect::<Vec<_>>()
    };
    assert_eq!(of([counter(1000), endless(1)]), [None, None]);
    assert_eq!(
        of([counter(1001), endless(2)]),
        [Some("the end".to_string()), Some("register a0".to_string())]
    );
}

#[test]
fn shares_are_judged_only_where_they_are_long_enough() {
    let guests = |measured: [f64; 2]| {
        let report = |measured| GuestReport {
            name: String::new(),
            weight: 1,
            due: 0.5,
            measured,
            turns: 0,
            exits: 0,
            used: 0,
            end: End::Budget,
            difference: None,
        };
        measured.map(report)
    };
    let judged = |measured, together| {
        judge_shares(&guests(measured), together, OPTIONS.exit_fuel).map(|verdict| verdict.holds)
    };
    assert_eq!(judged([0.505, 0.495], 1_000_000), Some(true));
    assert_eq!(judged([0.52, 0.48], 1_000_000), Some(false));
    assert_eq!(judged([0.52, 0.48], 10_000), None);
}

#[test]
fn a_trap_storm_costs_its_neighbour_what_its_exits_are_priced_too_low() {
    let storm = (
        "storm".to_string(),
        guest("la t0, 1f\n csrw tvec, t0\n1: ecall\n"),
    );
    let crowd = Crowd {
        kinds: vec![endless(1), storm],
        members: vec![(0, 1), (1, 1)],
    };
    let exits = |exit_fuel| {
        let report = run(&crowd, Options { exit_fuel, ..OPTIONS }).expect("they fit");
        report.guests[1].exits
    };
    let (cheap, dear) = (exits(2), exits(200));
    assert!((95..105).contains(&(cheap / dear)), "{cheap} exits, and {dear}");
}
