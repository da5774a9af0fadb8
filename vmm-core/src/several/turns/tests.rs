//! What is reached backwards is what was reached forwards.

use std::hash::{DefaultHasher, Hash, Hasher};

use toy_isa::mmu::PAGE;

use super::super::tests::{MODES, guest, worker};
use super::Turns;
use crate::engine::EngineName;
use crate::mode::ModeName;
use crate::several::Several;

/// Guests of which some end soon, one never does, and one ends by its budget.
fn start(mode: ModeName) -> Turns {
    let endless = super::super::tests::endless(mode)[0];
    let setups = [worker(mode, 1), guest(mode, endless), worker(mode, 3)];
    let several = Several::new(&setups, &[1, 3, 2], mode, EngineName::Auto).expect("they fit");
    Turns::new(several, 500_000)
}

/// All that there is to see of the guests.
fn fingerprint(turns: &Turns) -> u64 {
    let mut hasher = DefaultHasher::new();
    let several = turns.several();
    for (index, tenant) in several.guests().iter().enumerate() {
        let view = several.guest(index).expect("it is there");
        (tenant.used, tenant.turns, tenant.exits, &tenant.exit_codes).hash(&mut hasher);
        format!(
            "{:?} {:?} {:?} {:?}",
            tenant.ended, tenant.counts, view.hart, view.pace
        )
        .hash(&mut hasher);
        view.devices.console.output().hash(&mut hasher);
        (0..view.pages()).for_each(|page| view.page(page).hash(&mut hasher));
    }
    let ram = &several.machine().board.ram;
    for number in 0..ram.pages() {
        // Most of it is zeros.
        let page = ram.page(number).filter(|page| **page != [0; PAGE as usize]);
        page.map(|page| (number, page)).hash(&mut hasher);
    }
    (
        several.last(),
        several.queue(),
        turns.position(),
        turns.last().map(|turn| turn.guest),
    )
        .hash(&mut hasher);
    hasher.finish()
}

#[test]
fn back_is_where_it_was() {
    for mode in MODES {
        let mut turns = start(mode);
        let mut seen = vec![(0, fingerprint(&turns))];
        while turns.step().is_some() {
            // Some places, far apart and side by side.
            if turns.position() % 61 < 2 || turns.position() < 4 {
                seen.push((turns.position(), fingerprint(&turns)));
            }
        }
        let end = turns.position();
        assert!(end > 150, "{mode}: {end}");
        seen.push((end, fingerprint(&turns)));
        let past: Vec<usize> = turns.past().1.map(|turn| turn.guest).collect();
        // There and back, near and far.
        let order = (0..seen.len())
            .rev()
            .chain((0..seen.len()).step_by(3))
            .chain([seen.len() - 1]);
        for place in order {
            let (position, wanted) = seen[place];
            turns.go(position);
            assert_eq!(fingerprint(&turns), wanted, "{mode}: after {position} turns");
            let (first, here) = turns.past();
            assert_eq!(first, 0);
            assert!(
                here.map(|turn| turn.guest)
                    .eq(past[..position as usize].iter().copied())
            );
        }
        assert!(turns.step().is_none());
        assert_eq!((turns.position(), turns.furthest()), (end, end));
    }
}

#[test]
fn snapshots_are_few_and_small() {
    let mut turns = start(MODES[0]);
    turns.go(u64::MAX);
    assert!((3..=128).contains(&turns.snapshots()), "{}", turns.snapshots());
    assert!(turns.memory() < 4 << 20, "{}", turns.memory());
}

#[test]
fn of_a_longer_past_only_some_snapshots_are_kept() {
    let mut turns = start(MODES[0]);
    turns.interval = 1;
    turns.go(140);
    let wanted = fingerprint(&turns);
    assert!(turns.interval > 1 && turns.snapshots() <= 128);
    turns.go(139);
    turns.go(3);
    turns.go(140);
    assert_eq!(fingerprint(&turns), wanted);
}
