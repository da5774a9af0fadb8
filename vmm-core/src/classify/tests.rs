use toy_isa::profile::{Behaviour, ProfileName};
use toy_isa::table::Sensitive;

use super::region::Region;
use super::*;

mod mutants;

fn row(name: &str) -> Row {
    Row::from_name(name).unwrap_or_else(|| panic!("{name} is a row"))
}

fn names(rows: &[Row]) -> Vec<String> {
    rows.iter().map(Row::to_string).collect()
}

fn all_rows(profile: ProfileName) -> Classification {
    ring32_rows(&Profile::new(profile), Row::all())
}

/// What history and the profiles' stories say: theorems 1 and 3 in the reading of 1974.
#[test]
fn the_shipped_profiles_are_what_their_stories_tell() {
    let leaks_in_1974 = [
        "prober",
        "probew",
        "csrr tvec",
        "csrr status",
        "csrw status",
        "csrr ptbr",
        "csrr base",
        "csrr bound",
        "csrr xbound",
        "csrr window",
    ];
    let stories: [(ProfileName, bool, &[&str]); 4] = [
        (ProfileName::Classic, true, &[]),
        (ProfileName::Leaky, false, &leaks_in_1974),
        (ProfileName::Hybrid, true, &["mret"]),
        (ProfileName::Assist, false, &leaks_in_1974),
    ];
    for (name, hybrid, holes) in stories {
        let found = all_rows(name);
        let profile = Profile::new(name);
        let declared: Vec<Row> = profile.holes().collect();
        for layout in LAYOUTS {
            assert_eq!(
                names(&found.holes(Reading::Of1974, layout)),
                holes,
                "{}",
                name.name()
            );
            assert_eq!(
                found.holes(Reading::Extended, layout),
                declared,
                "{}",
                name.name()
            );
            for reading in Reading::ALL {
                let theorems = found.theorems(reading, layout);
                assert_eq!(theorems.virtualizable.holds, holes.is_empty());
                assert_eq!(theorems.recursively.holds, holes.is_empty());
                assert_eq!(theorems.hybrid.holds, hybrid, "{}", theorems.hybrid.detail);
                for hole in &found.holes(reading, layout) {
                    assert!(theorems.virtualizable.detail.contains(&hole.to_string()));
                }
            }
        }
        assert_eq!(found.disagreements(), [], "{}", name.name());
    }
}

/// The table is right about every row on every profile that an override can make.
#[test]
fn every_possible_override_is_declared_as_it_is_observed() {
    for row in Row::all() {
        for behaviour in row.possible() {
            for base in [ProfileName::Classic, ProfileName::Leaky] {
                let mut profile = Profile::new(base);
                profile.set(row, *behaviour).expect("it is possible");
                let found = ring32_rows(&profile, [row]);
                assert_eq!(found.disagreements(), [], "{} on {}", row, profile.describe());
            }
        }
    }
}

/// A row that no override lets out of ring 0 cannot depend on the ring, so the table must not say so.
#[test]
fn no_row_that_always_traps_outside_ring_0_is_declared_mode_sensitive() {
    for row in Row::all().filter(|row| row.possible() == [Behaviour::Traps]) {
        assert!(!row.sensitive().contains(&Sensitive::Mode), "{row}");
    }
}

#[test]
fn clock_ports_and_identity_are_sensitive_only_in_the_extended_reading() {
    let layout = Layout::RingDeprivileging;
    for (name, behaviour) in [
        ("in", Behaviour::TakesEffect),
        ("out", Behaviour::TakesEffect),
        ("wfi", Behaviour::TakesEffect),
        ("csrr instret", Behaviour::Leaks),
        ("csrr instreth", Behaviour::Leaks),
        ("csrr cpuid", Behaviour::Leaks),
        ("csrr scratch", Behaviour::Leaks),
        ("csrw timer", Behaviour::TakesEffect),
        ("csrr irq", Behaviour::Leaks),
    ] {
        let mut profile = Profile::new(ProfileName::Classic);
        profile.set(row(name), behaviour).expect("it is possible");
        let found = ring32_rows(&profile, [row(name)]);
        assert_eq!(found.holes(Reading::Of1974, layout), [], "{name}");
        assert_eq!(found.holes(Reading::Extended, layout), [row(name)], "{name}");
        let theorems = found.theorems(Reading::Extended, layout);
        assert!(
            !theorems.hybrid.holds,
            "a program in ring 3 can do it too: {name}"
        );
    }
}

/// What would lose the monitor its resources: RING32 demands that these break resource control.
#[test]
fn rows_that_take_effect_on_the_map_or_the_trap_vector_are_holes_in_both_readings() {
    for name in [
        "csrw ptbr",
        "csrw bound",
        "csrw xbound",
        "csrw base",
        "csrw tvec",
        "csrw status",
    ] {
        let mut profile = Profile::new(ProfileName::Classic);
        profile
            .set(row(name), Behaviour::TakesEffect)
            .expect("it is possible");
        let found = ring32_rows(&profile, [row(name)]);
        for reading in Reading::ALL {
            let theorems = found.theorems(reading, Layout::RingCompression);
            assert!(!theorems.virtualizable.holds && !theorems.hybrid.holds, "{name}");
            assert!(theorems.virtualizable.detail.contains(name));
        }
    }
}

/// A row of a hybrid profile is sensitive to the kernel, and not to programs.
#[test]
fn the_hole_of_the_pdp_10_is_supervisor_sensitive_only() {
    let found = ring32_rows(&Profile::new(ProfileName::Hybrid), [row("mret")]);
    let observed = &found.rows[0].observed;
    for layout in LAYOUTS {
        for reading in Reading::ALL {
            let supervisor = observed.sensitivity(layout, reading, Virtual::Supervisor);
            assert!(supervisor.control && supervisor.mode);
            assert!(!observed.sensitivity(layout, reading, Virtual::User).any());
        }
    }
}

#[test]
fn every_sensitive_row_has_a_witness_and_the_others_have_none() {
    for name in ProfileName::ALL {
        for report in all_rows(name).rows {
            let observed = &report.observed;
            let sensitive = observed
                .sensitive(Layout::RingDeprivileging, Reading::Extended)
                .any();
            let witness = observed.witness();
            assert_eq!(witness.is_some(), sensitive, "{} on {}", report.row, name.name());
            let Some(witness) = witness else { continue };
            assert!(!witness.parts.is_empty() && witness.condition.contains("sensitive: "));
            let ring = &witness.state[0];
            assert_eq!(ring.name, "ring");
            if observed.is_hole(Layout::RingDeprivileging) {
                assert_eq!(
                    witness.outcome[1], "executed",
                    "it shows the escape: {}",
                    report.row
                );
                assert_ne!(ring.right.before, "0", "{}", report.row);
            }
        }
    }
}

#[test]
fn popf_s_witness_shows_what_is_dropped_in_silence() {
    let found = ring32_rows(&Profile::new(ProfileName::Leaky), [row("csrw status")]);
    let witness = found.rows[0].observed.witness().expect("it is sensitive");
    assert_eq!((witness.kind, witness.reading), ("control", "1974"));
    assert_eq!(witness.outcome, ["executed", "executed"]);
    let relocation = witness
        .state
        .iter()
        .find(|field| field.name == "relocation")
        .expect("it matters");
    assert_ne!(Some(&relocation.left.before), relocation.left.after.as_ref());
    assert_eq!(Some(&relocation.right.before), relocation.right.after.as_ref());
    assert!(witness.condition.contains("r1 ≠ r2"), "{}", witness.condition);
}

#[test]
fn the_same_question_has_the_same_answer() {
    let ask = || {
        format!(
            "{:?}",
            ring32_rows(&Profile::new(ProfileName::Leaky), [row("csrw status"), row("lw")])
        )
    };
    assert_eq!(ask(), ask());
}

#[test]
fn the_domain_says_what_was_tried() {
    let found = ring32_rows(
        &Profile::new(ProfileName::Classic),
        [row("add"), row("csrr base")],
    );
    let domain = found.domain();
    assert_eq!((domain.rings, domain.enumerated.references), ([0, 1, 2, 3], 4));
    assert_eq!(domain.sampled.instructions, 2 * u64::from(sample::RANDOM));
    let enumerated = domain.enumerated.instructions * domain.enumerated.situations as u64 * 4;
    assert!(domain.steps > enumerated && domain.pairs > domain.steps);
    for part in [
        "base",
        "the limits",
        "the page-table root",
        "the order of frames",
        "the clock",
    ] {
        assert!(domain.differ_in.contains(&part), "{part}");
    }
}

#[test]
fn all_seventeen_have_a_cousin_or_a_reason() {
    for entry in cousins::SEVENTEEN {
        assert_eq!(
            entry.rows().next().is_none(),
            entry.missing.is_some(),
            "{}",
            entry.name
        );
    }
    let of = |name: &str| {
        let entry = cousins::SEVENTEEN
            .iter()
            .find(|entry| entry.name == name)
            .expect("one of them");
        names(&entry.rows().collect::<Vec<_>>())
    };
    assert_eq!(of("POPF"), ["csrw status"]);
    assert_eq!(of("VERR/VERW"), ["prober", "probew"]);
    assert_eq!(of("MOV"), ["csrr window", "csrw window"]);
}

#[test]
fn rows_are_seen_in_slices_as_at_once() {
    let profile = Profile::new(ProfileName::Leaky);
    let mut known = Known::default();
    let mut slices = 1;
    while !known.pursue(&profile, 20_000) {
        slices += 1;
    }
    assert!(slices > 100, "{slices}");
    let [parts, whole] = [known.classification(&profile), Some(all_rows(ProfileName::Leaky))].map(|found| {
        let rows = found.expect("all rows are known").rows.into_iter();
        let seen = rows.map(
            |RowReport {
                 row,
                 declared,
                 observed,
             }| {
                let by_ring = (observed.executed, observed.trapped, observed.illegal);
                let found = (observed.changed, observed.depends, observed.differs);
                let witnesses = observed.witnesses();
                (
                    row,
                    declared,
                    by_ring,
                    found,
                    [observed.steps, observed.pairs],
                    witnesses,
                )
            },
        );
        seen.collect::<Vec<_>>()
    });
    assert!(parts == whole);
    // What is known is not looked at again; on another machine, it is.
    assert!(known.pursue(&profile, 0));
    assert!(known.classification(&Profile::new(ProfileName::Hybrid)).is_none());
}

#[test]
fn regions_are_what_the_definitions_say() {
    for name in [ProfileName::Leaky, ProfileName::Hybrid] {
        let found = all_rows(name);
        for (reading, layout) in Reading::ALL
            .into_iter()
            .flat_map(|reading| LAYOUTS.map(|layout| (reading, layout)))
        {
            let of = |region| {
                let rows = found
                    .rows
                    .iter()
                    .filter(move |report| report.observed.region(layout, reading) == region);
                rows.map(|report| report.row).collect::<Vec<_>>()
            };
            assert_eq!(of(Region::Hole), found.holes(reading, layout), "{}", name.name());
            let all: usize = Region::ALL.map(|region| of(region).len()).iter().sum();
            assert_eq!(all, Row::all().count());
            assert!(of(Region::Guarded).contains(&row("csrw ptbr")), "{}", name.name());
            assert!(of(Region::Innocuous).contains(&row("add")), "{}", name.name());
            assert!(of(Region::AlwaysTraps).contains(&row("ecall")), "{}", name.name());
        }
    }
}

#[test]
fn a_row_has_a_witness_for_each_way_in_which_it_is_sensitive() {
    let found = ring32_rows(
        &Profile::new(ProfileName::Leaky),
        [row("csrw status"), row("add"), row("csrr tvec")],
    );
    let kinds = found.rows.iter().map(|report| {
        let witnesses = report.observed.witnesses();
        assert_eq!(witnesses.first(), report.observed.witness().as_ref());
        witnesses.iter().map(|witness| witness.kind).collect::<Vec<_>>()
    });
    let kinds: Vec<_> = kinds.collect();
    let (of_1974, extended) = (["control", "mode", "location"], ["control", "extended"]);
    assert_eq!(kinds[0], [&of_1974[..], &extended].concat());
    assert_eq!(kinds[1..], [vec![], vec!["location"]]);
}
