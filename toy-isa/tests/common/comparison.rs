//! Generated programs on two engines at a time.

use toy_isa::engine::{Engine, Exit};
use toy_isa::machine::Machine;

use super::Rng;
use super::programs::generate;

/// Programs, unless `TRAPEZE_FUZZ` multiplies them.
pub(crate) const PROGRAMS: u64 = 12_000;

/// How many programs a test runs: `share` of all.
pub(crate) fn seeds(share: u64) -> std::ops::Range<u64> {
    let times =
        std::env::var("TRAPEZE_FUZZ").map_or(1, |text| text.parse().expect("TRAPEZE_FUZZ is a number"));
    0..PROGRAMS / share * times
}

/// Whether the run cannot go on.
pub(crate) fn is_end(exit: Exit) -> bool {
    matches!(exit, Exit::PowerOff(_) | Exit::Deadlock | Exit::DoubleFault(_))
}

/// What differs between two machines; `None` if they are the same in everything that an engine is answerable for:
/// with what the TLB counted, if both engines count it.
pub(crate) fn difference(a: &Machine, b: &Machine, tlb: bool) -> Option<&'static str> {
    let (x, y) = (&a.board, &b.board);
    let pace = |m: &Machine| {
        let pace = &m.board.pace;
        (
            pace.clock,
            pace.skipped,
            pace.halted,
            pace.entering,
            pace.returned,
        )
    };
    let checks = [
        (a.hart == b.hart, "hart"),
        (pace(a) == pace(b), "pace"),
        (a.attempts == b.attempts, "attempts"),
        (a.histogram == b.histogram, "histogram"),
        (x.devices == y.devices, "devices"),
        (!tlb || x.tlb.counts == y.tlb.counts, "TLB counts"),
        (
            x.ram.slice(0, x.ram.size()) == y.ram.slice(0, y.ram.size()),
            "memory",
        ),
    ];
    checks
        .into_iter()
        .find_map(|(same, what)| (!same).then_some(what))
}

/// Runs the program of `seed` on both engines with the same slices of fuel and compares them at every exit; says
/// where they part, if they do.
pub(crate) fn compare(
    seed: u64,
    a: &mut dyn Engine,
    b: &mut dyn Engine,
    tlb: bool,
    mut look: impl FnMut(&Machine, Exit),
) -> Option<String> {
    let generated = generate(seed);
    let (mut left, mut right) = (generated.machine.clone(), generated.machine);
    let mut rng = Rng(!seed);
    while left.attempts < generated.fuel {
        let slice = u64::from(rng.below(300)) + 1;
        let exits = (a.run(&mut left, slice), b.run(&mut right, slice));
        let what = if exits.0 != exits.1 {
            Some("exit")
        } else {
            difference(&left, &right, tlb)
        };
        if let Some(what) = what {
            return Some(format!(
                "seed {seed}, attempt {}: {what}\n{}: {:?} {:x?} {:?}\n{}: {:?} {:x?} {:?}",
                left.attempts,
                a.name(),
                exits.0,
                left.hart,
                left.board.tlb.counts,
                b.name(),
                exits.1,
                right.hart,
                right.board.tlb.counts
            ));
        }
        look(&left, exits.0);
        if is_end(exits.0) {
            break;
        }
    }
    None
}

/// Runs in slices of at most `longest` until there is an exit or the fuel is used up.
pub(crate) fn sliced(
    engine: &mut dyn Engine,
    machine: &mut Machine,
    fuel: u64,
    longest: u32,
    rng: &mut Rng,
) -> Exit {
    let end = machine.attempts + fuel;
    loop {
        let slice = u64::from(rng.below(longest) + 1).min(end - machine.attempts);
        let before = machine.attempts;
        let exit = engine.run(machine, slice);
        if exit != Exit::Fuel {
            assert!(machine.attempts - before <= slice);
            return exit;
        }
        assert_eq!(machine.attempts, before + slice, "fuel ends on the exact attempt");
        if machine.attempts == end {
            return Exit::Fuel;
        }
    }
}
