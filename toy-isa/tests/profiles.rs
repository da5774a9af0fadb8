//! Profiles: which holes each has, and which overrides make sense.

use toy_isa::profile::{Behaviour, Profile, ProfileName};
use toy_isa::row::Row;

const BEHAVIOURS: [Behaviour; 6] = [
    Behaviour::Innocuous,
    Behaviour::Traps,
    Behaviour::Leaks,
    Behaviour::Ignored,
    Behaviour::Partial,
    Behaviour::TakesEffect,
];

fn row(name: &str) -> Row {
    Row::from_name(name).unwrap_or_else(|| panic!("{name} is a row"))
}

fn holes(profile: ProfileName) -> Vec<String> {
    Profile::new(profile).holes().map(|row| row.to_string()).collect()
}

#[test]
fn classic_has_no_hole() {
    assert_eq!(holes(ProfileName::Classic), [""; 0]);
}

#[test]
fn hybrid_has_the_one_of_the_pdp_10() {
    assert_eq!(holes(ProfileName::Hybrid), ["mret"]);
}

#[test]
fn leaky_has_many_and_assist_the_same() {
    let leaky = [
        "prober",
        "probew",
        "csrr tvec",
        "csrr scratch",
        "csrr status",
        "csrw status",
        "csrr ptbr",
        "csrr base",
        "csrr bound",
        "csrr xbound",
        "csrr window",
        "csrr instret",
        "csrr instreth",
        "csrr cpuid",
    ];
    assert_eq!(holes(ProfileName::Leaky), leaky);
    assert_eq!(holes(ProfileName::Assist), leaky);
}

#[test]
fn at_least_eight_holes_are_cousins_of_different_instructions_of_robin_and_irvine() {
    // Sensitive and unprivileged according to "Analysis of the Intel Pentium's Ability to Support a Secure Virtual
    // Machine Monitor" (2000), section 3. The last is a form of what they call MOVE.
    let theirs = [
        "SGDT",
        "SIDT",
        "SLDT",
        "SMSW",
        "PUSHF",
        "POPF",
        "LAR",
        "LSL",
        "VERR",
        "VERW",
        "POP",
        "PUSH",
        "CALL",
        "JMP",
        "INT n",
        "RET",
        "STR",
        "MOV r, sreg",
    ];
    let profile = Profile::new(ProfileName::Leaky);
    let mut cousins: Vec<&str> = profile
        .holes()
        .map(|hole| {
            hole.cousin()
                .unwrap_or_else(|| panic!("{hole} has a cousin among the x86 instructions"))
        })
        .filter(|cousin| theirs.contains(cousin))
        .collect();
    cousins.sort_unstable();
    cousins.dedup();
    assert!(cousins.len() >= 8, "{cousins:?}");
}

#[test]
fn every_sensitive_row_traps_outside_ring_0_on_classic() {
    let classic = Profile::new(ProfileName::Classic);
    for row in Row::all() {
        if !row.sensitive().is_empty() {
            assert_eq!(classic.behaviour(row), Behaviour::Traps, "{row}");
        }
    }
}

/// What an override may say of a row, in words: a reading leaks or is ignored; a writing takes effect or is ignored,
/// and only that of `status` can be partial; what always traps can do nothing else, and what computes neither.
fn possible(name: &str) -> &'static [Behaviour] {
    use Behaviour::*;
    match name {
        "csrw status" => &[Traps, Ignored, Partial, TakesEffect],
        "prober" | "probew" => &[Traps, Leaks, Ignored],
        "mret" | "wfi" | "sfence.vma" | "in" | "out" => &[Traps, Ignored, TakesEffect],
        "ecall" | "ebreak" | "hcall" | "wlw" | "wsw" | "vmon" | "vmoff" | "vmenter" | "vmresume"
        | "vminval" => &[Traps],
        _ if name.starts_with("csrr ") => &[Traps, Leaks, Ignored],
        _ if name.starts_with("csrw ") => &[Traps, Ignored, TakesEffect],
        _ => &[Innocuous],
    }
}

#[test]
fn overrides_that_make_no_sense_are_refused() {
    for row in Row::all() {
        for behaviour in BEHAVIOURS {
            let mut profile = Profile::new(ProfileName::Leaky);
            let before = profile.clone();
            let name = row.to_string();
            if possible(&name).contains(&behaviour) {
                profile.set(row, behaviour).expect("it makes sense");
                assert_eq!(profile.behaviour(row), behaviour, "{name}");
                let others = Row::all().filter(|other| *other != row);
                for other in others {
                    assert_eq!(profile.behaviour(other), before.behaviour(other));
                }
            } else {
                let error = profile.set(row, behaviour).expect_err("it makes no sense");
                assert_eq!(profile, before, "a refused override changes nothing");
                let message = error.to_string();
                assert!(
                    message.contains(&name) && message.contains(behaviour.name()),
                    "{message}"
                );
            }
        }
    }
}

#[test]
fn what_a_shipped_profile_does_is_possible() {
    for profile in ProfileName::ALL {
        for row in Row::all() {
            let behaviour = Profile::new(profile).behaviour(row);
            assert!(
                possible(&row.to_string()).contains(&behaviour),
                "{row} on {}",
                profile.name()
            );
        }
    }
}

#[test]
fn a_message_says_what_would_have_been_possible() {
    let mut profile = Profile::new(ProfileName::Classic);
    let refused = |profile: &mut Profile, name, behaviour| {
        profile
            .set(row(name), behaviour)
            .expect_err("refused")
            .to_string()
    };
    assert_eq!(
        refused(&mut profile, "csrr status", Behaviour::Partial),
        "'csrr status' cannot be 'partial' outside ring 0; it can be 'traps' or 'leaks' or 'ignored'"
    );
    assert_eq!(
        refused(&mut profile, "add", Behaviour::Traps),
        "'add' cannot be 'traps' outside ring 0; it can be only 'innocuous'"
    );
}

#[test]
fn overrides_add_and_close_holes_and_are_named() {
    let mut profile = Profile::new(ProfileName::Classic);
    assert_eq!(profile.describe(), "classic");
    profile
        .set(row("csrr status"), Behaviour::Leaks)
        .expect("a 68000");
    assert_eq!(profile.holes().collect::<Vec<_>>(), [row("csrr status")]);
    profile
        .set(row("csrw status"), Behaviour::Partial)
        .expect("a POPF");
    assert_eq!(
        profile.describe(),
        "classic with csrr status=leaks, csrw status=partial"
    );
    profile
        .set(row("csrr status"), Behaviour::Traps)
        .expect("a 68010");
    assert_eq!(profile.holes().collect::<Vec<_>>(), [row("csrw status")]);
}

#[test]
fn names_come_back() {
    for profile in ProfileName::ALL {
        assert_eq!(ProfileName::from_name(profile.name()), Some(profile));
    }
    for behaviour in BEHAVIOURS {
        assert_eq!(Behaviour::from_name(behaviour.name()), Some(behaviour));
    }
    for row in Row::all() {
        assert_eq!(Row::from_name(&row.to_string()), Some(row));
    }
    assert_eq!(Row::from_name("csrw instret"), None, "it is read-only");
    assert_eq!(
        Row::from_name("csrrw"),
        None,
        "what it does is the row of its register"
    );
}
