//! Many guests: each ends as it would alone, each gets its share, none reads another's memory.

use std::collections::BTreeSet;

use toy_isa::asm::{Options as AsmOptions, Source, assemble};
use toy_isa::engine::EngineName;
use toy_isa::profile::{Profile, ProfileName};

use crate::guest::Frames;
use crate::mode::{End, ModeName};
use crate::modes::assist::Paging;
use crate::modes::estate::Estate;
use crate::modes::translate::Scope;
use crate::modes::trap::Layout;
use crate::run::Run;
use crate::setup::Setup;
use crate::several::Several;

const GUESTS: usize = 64;
const MODES: [ModeName; 4] = [
    ModeName::Trap(Layout::RingDeprivileging),
    ModeName::Trap(Layout::RingCompression),
    ModeName::Translate(Scope::Kernel),
    ModeName::Assist(Paging::Nested),
];

fn guest(mode: ModeName, text: &str) -> Setup {
    let image = assemble(&[Source::new("guest.s", text)], &AsmOptions::default()).expect("it assembles");
    let profile = match mode {
        ModeName::Assist(_) => ProfileName::Assist,
        _ => ProfileName::Classic,
    };
    Setup::new(image, 64 << 10, Profile::new(profile))
}

/// A guest that computes something of its own with a timer ticking, prints it and ends with it.
fn worker(mode: ModeName, seed: usize) -> Setup {
    let text = format!(
        "
        la      t0, tick
        csrw    tvec, t0
        li      t0, 0x10001
        csrw    irq, t0
        li      t0, 500
        csrw    timer, t0
        csrsi   status, 16
        li      a0, {seed}
        li      a1, {rounds}
        li      a2, 0x8000
1:      li      a3, 1664525
        mul     a0, a0, a3
        addi    a0, a0, 1013
        andi    a3, a0, 0x3fc
        add     a3, a3, a2
        sw      a0, 0(a3)
        addi    a1, a1, -1
        bnez    a1, 1b
        srli    a0, a0, 25
        addi    a0, a0, 1
        out     zero, a0
        li      t0, 48
        out     t0, a0
tick:   csrw    scratch, t0
        csrr    t0, instret
        addi    t0, t0, 700
        csrw    timer, t0
        addi    a4, a4, 1
        csrr    t0, scratch
        mret
        ",
        rounds = 300 + 40 * (seed % 7)
    );
    guest(mode, &text)
}

#[test]
fn each_of_64_guests_ends_as_it_would_alone() {
    for mode in MODES {
        let setups: Vec<Setup> = (0..GUESTS).map(|seed| worker(mode, seed)).collect();
        let mut several = Several::new(&setups, &[1], mode, EngineName::Auto).expect("they fit");
        several.run(u64::MAX);
        let mut results = BTreeSet::new();
        for (index, setup) in setups.iter().enumerate() {
            let mut alone = Run::new(setup, ModeName::Bare, EngineName::Auto).expect("it fits");
            let end = alone.finish(1_000_000);
            assert_eq!(several.guests()[index].ended, Some(end), "{mode}, guest {index}");
            let (a, b) = (
                alone.guest(),
                several.guest(index).expect("there is such a guest"),
            );
            assert_eq!(
                (&a.hart.x, a.hart.pc),
                (&b.hart.x, b.hart.pc),
                "{mode}, guest {index}"
            );
            assert_eq!(a.pace.clock, b.pace.clock, "{mode}, guest {index}");
            assert_eq!(a.devices.console.output(), b.devices.console.output());
            for page in 0..a.pages() {
                assert_eq!(a.page(page), b.page(page), "{mode}, guest {index}, page {page}");
            }
            results.insert(b.hart.x[10]);
        }
        assert!(results.len() > 5, "the guests differ: {results:?}");
        assert_eq!(several.machine().board.observer.intrusions, []);
    }
}

/// Guests that never end, of every kind: computing, trapping, with interrupts off.
const ENDLESS: [&str; 4] = [
    "1: addi a0, a0, 1\n j 1b\n",
    "1: csrr a0, instret\n j 1b\n",
    "csrci status, 16\n1: j 1b\n",
    "la t0, 1f\n csrw tvec, t0\n1: ecall\n",
];

#[test]
fn shares_of_64_guests_are_their_weights_within_two_percent() {
    for mode in MODES {
        let setups: Vec<Setup> = (0..GUESTS)
            .map(|index| guest(mode, ENDLESS[index % ENDLESS.len()]))
            .collect();
        let weights: Vec<u32> = (0..GUESTS as u32)
            .map(|index| 1 + index % 4 + index / 16)
            .collect();
        let mut several = Several::new(&setups, &weights, mode, EngineName::Auto).expect("they fit");
        several.run(60_000_000);
        let (all, total) = (several.used() as f64, weights.iter().sum::<u32>());
        for (index, tenant) in several.guests().iter().enumerate() {
            let wanted = f64::from(tenant.weight) / f64::from(total);
            let got = tenant.used as f64 / all;
            assert!(
                (got / wanted - 1.0).abs() < 0.02,
                "{mode}, guest {index}: {got:.4} of the processor, for {wanted:.4}"
            );
        }
    }
}

#[test]
fn a_guest_that_loops_with_interrupts_off_starves_nobody() {
    for mode in MODES {
        let setups = [guest(mode, ENDLESS[2]), worker(mode, 1), guest(mode, ENDLESS[3])];
        let mut several = Several::new(&setups, &[1], mode, EngineName::Auto).expect("they fit");
        several.run(2_000_000);
        let ended: Vec<bool> = several
            .guests()
            .iter()
            .map(|guest| guest.ended.is_some())
            .collect();
        assert_eq!(ended, [false, true, false], "{mode}");
        assert!(matches!(several.guests()[1].ended, Some(End::PowerOff(_))));
    }
}

/// A guest that reads all that it can, above its memory too, and goes on behind each fault.
const READER: &str = "
        la      t0, fault
        csrw    tvec, t0
        li      a0, 0
        li      a1, 0x2000000
        li      a2, 0x1000
1:      lw      t1, 0(a0)
        add     a0, a0, a2
        bltu    a0, a1, 1b
        li      t0, 48
        out     t0, zero
fault:  csrr    t0, epc
        addi    t0, t0, 4
        csrw    epc, t0
        mret
";

#[test]
fn no_guest_reaches_the_memory_of_another() {
    for mode in MODES {
        let setups: Vec<Setup> = (0..8).map(|_| guest(mode, READER)).collect();
        let mut several = Several::new(&setups, &[1], mode, EngineName::Auto).expect("they fit");
        several.run(u64::MAX);
        assert!(
            several
                .guests()
                .iter()
                .all(|guest| guest.ended == Some(End::PowerOff(0)))
        );
        assert_eq!(several.machine().board.observer.intrusions, [], "{mode}");
    }
}

#[test]
fn an_allocator_that_deals_a_frame_twice_is_caught() {
    for mode in MODES {
        let setups = [guest(mode, READER), guest(mode, READER)];
        let (machine, mut estates) = Estate::several(&setups).expect("they fit");
        // The planted bug: the second guest's last frame is one of the first guest's.
        let (first, second) = (estates[0].frames.host(9), estates[1].frames.len() - 1);
        let mut hosts: Vec<u32> = estates[1].frames.pairs().map(|(_, host)| host).collect();
        hosts[second as usize] = first.expect("the guest has such a frame");
        estates[1].frames = Frames::at(hosts);
        let mut several =
            Several::on(machine, estates, &setups, &[1], mode, EngineName::Auto).expect("they fit");
        several.run(u64::MAX);
        assert!(!several.machine().board.observer.intrusions.is_empty(), "{mode}");
    }
}

#[test]
fn more_guests_than_a_machine_has_room_for_are_refused() {
    let mode = MODES[0];
    let setups: Vec<Setup> = (0..300).map(|_| guest(mode, ENDLESS[0])).collect();
    let error = Several::new(&setups, &[1], mode, EngineName::Auto)
        .err()
        .expect("too many");
    assert!(error.to_string().contains("300 guests"), "{error}");
}
