//! Many guests: each ends as it would alone, each gets its share, none reads another's memory.

mod ported;

use std::collections::BTreeSet;
use std::sync::Arc;

use toy_isa::asm::{Options as AsmOptions, Source, assemble};
use toy_isa::mmu::PAGE;
use toy_isa::profile::{Profile, ProfileName};

use crate::engine::EngineName;
use crate::guest::Frames;
use crate::mode::{End, ModeName};
use crate::modes::assist::Paging;
use crate::modes::estate::Estate;
use crate::modes::translate::Scope;
use crate::modes::trap::Layout;
use crate::run::Run;
use crate::setup::{Parts, Port, Setup};
use crate::several::Several;

const GUESTS: usize = 64;
pub(super) const MODES: [ModeName; 5] = [
    ModeName::Trap(Layout::RingDeprivileging),
    ModeName::Trap(Layout::RingCompression),
    ModeName::Translate(Scope::Kernel),
    ModeName::Para,
    ModeName::Assist(Paging::Nested),
];
/// Where a worker keeps its results.
const DATA: u32 = 0x8000;

/// A guest; for mode para, the text is that of a port.
pub(super) fn guest(mode: ModeName, text: &str) -> Setup {
    let header = match mode {
        ModeName::Para => ported::HEADER,
        _ => "",
    };
    let sources = [Source::new("header.s", header), Source::new("guest.s", text)];
    let options = AsmOptions {
        origin: 0x1000,
        ..AsmOptions::default()
    };
    let image = assemble(&sources, &options).unwrap_or_else(|errors| panic!("{}", errors[0]));
    let profile = match mode {
        ModeName::Assist(_) => ProfileName::Assist,
        _ => ProfileName::Classic,
    };
    let mut setup = Setup::new(image, 64 << 10, Profile::new(profile));
    setup.port = (mode == ModeName::Para).then(|| Port {
        image: Arc::clone(&setup.image),
        parts: Parts::ALL,
        batch: 1,
        streams: Vec::new(),
        process: None,
    });
    setup
}

/// A guest that computes something of its own with a timer ticking, prints it and ends with it.
pub(super) fn worker(mode: ModeName, seed: usize) -> Setup {
    let rounds = 300 + 40 * (seed % 7);
    if mode == ModeName::Para {
        return guest(mode, &ported::worker(seed, rounds));
    }
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
        li      a2, {DATA}
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
        "
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
            // A port cannot run on the bare machine.
            let solo = match mode {
                ModeName::Para => mode,
                _ => ModeName::Bare,
            };
            let mut alone = Run::new(setup, solo, EngineName::Auto).expect("it fits");
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
            // The tables that a port starts on name real frames, which are others.
            let pages = match mode {
                ModeName::Para => DATA / PAGE..DATA / PAGE + 1,
                _ => 0..a.pages(),
            };
            for page in pages {
                assert_eq!(a.page(page), b.page(page), "{mode}, guest {index}, page {page}");
            }
            results.extend(match end {
                End::PowerOff(code) => Some(code),
                _ => None,
            });
        }
        assert!(results.len() > 5, "the guests differ: {results:?}");
        assert_eq!(several.machine().board.observer.intrusions, []);
    }
}

/// Guests that never end, of every kind: computing, trapping, with interrupts off, and trapping without ever retiring
/// anything.
pub(super) fn endless(mode: ModeName) -> [&'static str; 4] {
    match mode {
        ModeName::Para => ported::ENDLESS,
        _ => [
            "1: addi a0, a0, 1\n j 1b\n",
            "1: csrr a0, instret\n j 1b\n",
            "csrci status, 16\n1: j 1b\n",
            "la t0, 1f\n csrw tvec, t0\n1: ecall\n",
        ],
    }
}

#[test]
fn shares_of_64_guests_are_their_weights_within_two_percent() {
    for mode in MODES {
        let setups: Vec<Setup> = (0..GUESTS)
            .map(|index| guest(mode, endless(mode)[index % 4]))
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
        let [looping, trapping] = [2, 3].map(|kind| guest(mode, endless(mode)[kind]));
        let setups = [looping, worker(mode, 1), trapping];
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

/// What a monitor interprets, it does without leaving: guests that it would never be done with.
#[test]
fn a_guest_that_is_interpreted_starves_nobody() {
    // Relocated kernels are, by binary translation.
    let relocated = "li t0, 64\n csrs status, t0\n1: j 1b\n".to_string();
    // A timer that is due after so few instructions cannot be armed, and where nothing retires, they never have.
    let soon = |ticks| {
        format!(
            "la t0, 1f\n csrw tvec, t0\n li t0, 0x10000\n csrw irq, t0\n csrsi status, 16\n\
             li t0, {ticks}\n csrw timer, t0\n1: ecall\n"
        )
    };
    for mode in MODES.into_iter().filter(|mode| *mode != ModeName::Para) {
        let mut setups = vec![worker(mode, 1), guest(mode, &relocated)];
        setups.extend((6..14).map(|ticks| guest(mode, &soon(ticks))));
        let mut several = Several::new(&setups, &[1], mode, EngineName::Auto).expect("they fit");
        several.run(2_000_000);
        let guests = several.guests();
        assert!(matches!(guests[0].ended, Some(End::PowerOff(_))), "{mode}");
        let used = guests[1..].iter().map(|guest| guest.used);
        assert!(
            used.clone().min() > used.max().map(|most| most * 9 / 10),
            "{mode}"
        );
    }
}

/// A guest that reads all that it can, above its memory too, and goes on behind each fault.
fn reader(mode: ModeName) -> Setup {
    match mode {
        ModeName::Para => guest(mode, &ported::reader()),
        _ => guest(mode, READER),
    }
}

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
        let setups: Vec<Setup> = (0..8).map(|_| reader(mode)).collect();
        let mut several = Several::new(&setups, &[1], mode, EngineName::Auto).expect("they fit");
        several.run(u64::MAX);
        assert!(
            several
                .guests()
                .iter()
                .all(|guest| guest.ended == Some(End::PowerOff(0))),
            "{mode}"
        );
        assert_eq!(several.machine().board.observer.intrusions, [], "{mode}");
    }
}

#[test]
fn a_port_that_asks_for_every_frame_of_the_machine_gets_only_its_own() {
    let setups: Vec<Setup> = (0..4).map(|_| guest(ModeName::Para, &ported::mapper())).collect();
    let mut several = Several::new(&setups, &[1], ModeName::Para, EngineName::Auto).expect("they fit");
    several.run(u64::MAX);
    let frames = setups[0].memory / PAGE;
    for tenant in several.guests() {
        // And the page that it shares with its own monitor.
        assert_eq!(tenant.ended, Some(End::PowerOff(frames + 1)));
    }
    assert_eq!(several.machine().board.observer.intrusions, []);
}

#[test]
fn an_allocator_that_deals_a_frame_twice_is_caught() {
    for mode in MODES {
        let setups = [reader(mode), reader(mode)];
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
    let setups: Vec<Setup> = (0..300).map(|_| guest(mode, endless(mode)[0])).collect();
    let error = Several::new(&setups, &[1], mode, EngineName::Auto)
        .err()
        .expect("too many");
    assert!(error.to_string().contains("300 guests"), "{error}");
}
