//! What those who look on are told of the translator is what is in its cache.

use toy_isa::asm::{Options as AsmOptions, Source, assemble};
use toy_isa::profile::{Profile, ProfileName};

use crate::engine::EngineName;
use crate::event::Event;
use crate::mode::ModeName;
use crate::modes::translate::emit::Part;
use crate::modes::translate::{Scope, Translate};
use crate::run::{Run, Stop};
use crate::setup::Setup;

/// A loop in a loop; a load that means a device in the first rounds, and memory in the others.
const LOOPS: &str = "
        li      s0, 0xf0000000
        li      s1, 12
1:      li      a2, 4
2:      addi    a2, a2, -1
        bnez    a2, 2b
        jal     look
        addi    s1, s1, -1
        li      t0, 6
        bne     s1, t0, 3f
        li      s0, 0x8000
3:      bnez    s1, 1b
        li      t0, 48
        out     t0, zero
look:   lw      a0, 4(s0)
        ret
";

fn start() -> Run {
    let image = assemble(&[Source::new("guest.s", LOOPS)], &AsmOptions::default()).expect("it assembles");
    let setup = Setup::new(image, 1 << 20, Profile::new(ProfileName::Classic));
    Run::new(&setup, ModeName::Translate(Scope::Kernel), EngineName::Auto).expect("it fits")
}

fn translator(run: &Run) -> &Translate {
    run.translator().expect("it translates")
}

#[test]
fn it_is_known_where_in_which_unit_the_guest_stands() {
    let mut run = start();
    let mut known = 0;
    while !matches!(run.advance(1), Stop::End(_)) {
        let translator = translator(&run);
        let Some(standing) = translator.stands_at(run.machine()) else {
            continue;
        };
        let unit = translator.cache().unit(standing.unit).expect("it is there");
        let word = (standing.address - unit.start) / 4;
        let place = unit.code.places[word as usize];
        let pc = run.guest().hart.pc;
        match place.part {
            Part::Of(index) => assert_eq!(unit.guest[index].pc, pc),
            Part::Way(target) => assert!(pc == target || unit.guest.iter().any(|guest| guest.pc == pc)),
            Part::Entrance | Part::Toll => assert_eq!(unit.pc(), pc),
        }
        known += 1;
    }
    assert!(known > 200, "{known}");
}

#[test]
fn ways_are_linked_where_other_units_know_of_it() {
    let mut run = start();
    run.finish(1_000_000);
    let cache = translator(&run).cache();
    let (mut linked, mut open) = (0, 0);
    for (id, unit) in cache.units().iter().enumerate().filter(|(_, unit)| unit.live) {
        for (_, target, to) in cache.ways(unit) {
            let Some(to) = to else {
                open += 1;
                continue;
            };
            let other = cache.unit(to).expect("it is there");
            assert_eq!(other.pc(), target);
            assert!(cache.linked_to(other).contains(&id));
            linked += 1;
        }
        for from in cache.linked_to(unit) {
            let ways = cache.ways(cache.unit(from).expect("it is there"));
            assert!(ways.iter().any(|(_, _, to)| *to == Some(id)));
        }
    }
    assert!(linked >= 3 && open > 0, "{linked} {open}");
    let (all, used) = cache.room();
    let words: usize = cache.units().iter().map(|unit| unit.code.words.len()).sum();
    assert_eq!((all, used), (1 << 20, 4 + 4 * words as u32));
}

#[test]
fn habits_tell_what_is_adapted_and_when_it_is_not_any_more() {
    let mut run = start();
    let mut seen = Vec::new();
    loop {
        let stop = run.advance(1);
        let habits: Vec<(bool, u32)> = translator(&run)
            .habits()
            .map(|habit| (habit.adapted, habit.times))
            .collect();
        if seen.last() != Some(&habits) {
            seen.push(habits);
        }
        if matches!(stop, Stop::End(_)) {
            break;
        }
    }
    let adapted: Vec<bool> = seen.iter().flatten().map(|(adapted, _)| *adapted).collect();
    let turns = adapted.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert_eq!(turns, 2, "{seen:?}");
    assert!(
        seen.iter()
            .flatten()
            .all(|(_, times)| *times < Translate::PATIENCE)
    );
    let told = run.log.records().filter_map(|record| match record.event {
        Event::Adapt { address, calls } => Some((address, calls, record.clock)),
        _ => None,
    });
    let told: Vec<_> = told.collect();
    let look = translator(&run).habits().next().expect("it trapped");
    let changes: Vec<_> = told
        .iter()
        .map(|(address, calls, _)| (*address, *calls))
        .collect();
    assert_eq!(changes, [(look.pc, true), (look.pc, false)]);
    assert_eq!(look.since, told.last().map(|(.., clock)| *clock));
}
