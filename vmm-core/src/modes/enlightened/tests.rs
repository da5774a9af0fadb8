//! Guests that know of their monitor: drivers under every monitor that offers hypercalls, and guests that ask for
//! nonsense.

use std::sync::Arc;

use proptest::prelude::*;
use toy_isa::asm::{Options as AsmOptions, Source, assemble};
use toy_isa::cpu::poll;
use toy_isa::machine::Machine;
use toy_isa::profile::{Profile, ProfileName};

use super::*;
use crate::check::resource;
use crate::engine::EngineName;
use crate::guest::Guest;
use crate::mode::{End, ModeName};
use crate::modes::assist::Paging;
use crate::modes::estate::Estate;
use crate::modes::para::interface::disk;
use crate::modes::translate::Scope;
use crate::modes::trap::Layout;
use crate::run::Run;
use crate::setup::{Parts, Setup, StartError};

const MEMORY: u32 = 64 * PAGE;

const DRIVERS: Parts = Parts {
    disk: true,
    console: true,
    timer: true,
    ..Parts::NONE
};

const KERNEL: Parts = Parts {
    kernel: Some(PortedPages::Shadowed),
    ..DRIVERS
};

const MODES: [ModeName; 5] = [
    ModeName::Trap(Layout::RingDeprivileging),
    ModeName::Trap(Layout::RingCompression),
    ModeName::Translate(Scope::Kernel),
    ModeName::Assist(Paging::Nested),
    ModeName::Assist(Paging::Shadow),
];

fn setup(text: &str, parts: Parts) -> Setup {
    let header = format!(
        "
        .equ    DISK, {0}
        .equ    REQUESTS, {0}+{1}
        .equ    RESPONSES, {0}+{2}
        .equ    RESPONSE_EVENT, {0}+{3}
        .equ    SECTORS, {0}+{4}
        .equ    INTERRUPT, {0}+{5}
        .equ    ENTRY, {0}+{6}
        .equ    OFF, 48
        .macro  call number, a0, a1
        li      t0, \\number
        li      a0, \\a0
        li      a1, \\a1
        hcall
        .endm
        ",
        4 * PAGE,
        disk::REQUESTS,
        disk::RESPONSES,
        disk::RESPONSE_EVENT,
        disk::SECTORS,
        disk::INTERRUPT,
        disk::ENTRIES,
    );
    let sources = [Source::new("header.s", header), Source::new("guest.s", text)];
    let options = AsmOptions {
        origin: 0x1000,
        ..AsmOptions::default()
    };
    let image = assemble(&sources, &options).unwrap_or_else(|errors| panic!("{}", errors[0]));
    let mut setup = Setup::new(image.clone(), MEMORY, Profile::new(ProfileName::Assist));
    setup.disk = (0..4 * 512u32).map(|at| (at / 512 + at) as u8).collect();
    setup.port = Some(Port {
        image: Arc::new(image),
        parts,
        batch: 1,
        streams: Vec::new(),
        process: None,
    });
    setup
}

/// On hardware without holes; where assistance is wanted, its holes do not matter.
fn finish(setup: &Setup, mode: ModeName) -> (Run, End) {
    let profile = match mode {
        ModeName::Assist(_) => ProfileName::Assist,
        _ => ProfileName::Classic,
    };
    let setup = Setup {
        profile: Arc::new(Profile::new(profile)),
        ..setup.clone()
    };
    let mut run = Run::new(&setup, mode, EngineName::Auto).expect("it fits");
    resource::guard(&mut run);
    let end = run.finish(1_000_000);
    (run, end)
}

/// Reads sector 2 to 0x8000 through the ring, waits for the interrupt line, takes it back, and looks that it is down.
const READER: &str = "
_start: call    48, 1, DISK             # connect_ring
        bnez    a0, fail
        li      t1, 0x20000             # line 1
        csrw    irq, t1
        li      t1, DISK
        li      t2, 1
        sw      t2, ENTRY-DISK+4(t1)    # read
        li      t2, 2
        sw      t2, ENTRY-DISK+8(t1)
        li      t2, 0x8000
        sw      t2, ENTRY-DISK+12(t1)
        li      t2, 1
        sw      t2, RESPONSE_EVENT-DISK(t1)
        sw      t2, REQUESTS-DISK(t1)
        call    32, 4, 1                # event_channel_op send
        bnez    a0, fail
        wfi
        li      t1, DISK
        lw      t2, INTERRUPT-DISK(t1)
        beqz    t2, fail
        csrr    t2, irq
        andi    t2, t2, 2
        beqz    t2, fail
        sw      zero, INTERRUPT-DISK(t1)
        csrr    t2, irq                 # asks the monitor, which looks
        andi    t2, t2, 2
        bnez    t2, fail
        lw      t2, RESPONSES-DISK(t1)
        addi    t2, t2, -1
        bnez    t2, fail
        lw      a0, SECTORS-DISK(t1)
        li      t1, 0x8000
        lw      a1, 0(t1)
        slli    a0, a0, 28
        xor     a0, a0, a1
        li      t0, OFF
        out     t0, a0
fail:   li      t0, OFF
        li      a0, 99
        out     t0, a0
";

#[test]
fn a_driver_reads_a_sector_through_its_ring_under_every_monitor() {
    let setup = setup(READER, DRIVERS);
    let first = u32::from_le_bytes([2, 3, 4, 5]);
    for mode in MODES {
        let (run, end) = finish(&setup, mode);
        assert_eq!(end, End::PowerOff(4 << 28 ^ first), "{mode}");
        let counts = run.counts();
        assert_eq!((counts.ring_requests, counts.notifications), (1, 1), "{mode}");
        assert_eq!(counts.device_accesses, 0, "{mode}");
        assert!(resource::judge(&run).holds, "{mode}");
    }
}

#[test]
fn a_guest_without_a_port_has_its_hypercalls_to_itself() {
    let text = "
_start: la      t0, trap
        csrw    tvec, t0
        hcall
        j       fail
        .align  2
trap:   csrr    a0, cause
        li      t0, OFF
        out     t0, a0
fail:   li      t0, OFF
        li      a0, 99
        out     t0, a0
";
    let mut setup = setup(text, DRIVERS);
    setup.port = None;
    let (_, bare) = finish(&setup, ModeName::Bare);
    assert!(matches!(bare, End::PowerOff(cause) if cause != 99));
    for mode in MODES {
        assert_eq!(finish(&setup, mode).1, bare, "{mode}");
    }
}

#[test]
fn user_code_cannot_make_hypercalls() {
    let text = "
_start: la      t0, trap
        csrw    tvec, t0
        la      t0, user
        csrw    epc, t0
        li      t0, 12                  # PRING = 3
        csrs    status, t0
        mret
user:   call    48, 1, DISK
        li      a0, 99
        ecall
        .align  2
trap:   csrr    a0, cause
        li      t0, OFF
        out     t0, a0
";
    let setup = setup(text, DRIVERS);
    for mode in MODES {
        let (run, end) = finish(&setup, mode);
        assert_eq!(
            end,
            End::PowerOff(toy_isa::trap::Cause::Hypercall.code()),
            "{mode}"
        );
        assert!(run.counts().hypercalls.is_empty(), "{mode}");
    }
}

/// A monitor's view of a guest that asks for things.
struct Bench {
    machine: Machine,
    guest: Guest,
    hart: Hart,
}

impl Bench {
    fn new(parts: Parts) -> Bench {
        let setup = setup("_start: j _start\n", parts);
        let (machine, estate) = Estate::alone(&setup, Arc::clone(&setup.profile));
        let guest = Guest::new(&setup, estate.frames);
        Bench {
            machine,
            guest,
            hart: Hart::new(0x1000),
        }
    }

    /// Its kernel makes a hypercall; what comes back.
    fn call(&mut self, number: u32, a0: u32, a1: u32) -> i32 {
        self.hart.csr.status = Status(0);
        (self.hart.x[5], self.hart.x[10], self.hart.x[11]) = (number, a0, a1);
        let mut board = self.guest.on(&mut self.machine.board);
        assert!(board.answer(&mut self.hart).is_some(), "it is in ring 0");
        let news = self.guest.enlightened.as_mut().map(Enlightened::take_news);
        let mut answers = news.into_iter().flatten().filter_map(|news| match news {
            News::Called(_, result) => Some(result),
            News::Passed(..) => None,
        });
        answers.next_back().expect("it was called")
    }

    fn wait(&mut self, ticks: u64) {
        self.guest.pace.clock += ticks;
        let mut board = self.guest.on(&mut self.machine.board);
        let _ = poll(&mut self.hart, &mut board);
    }
}

fn number(call: Hypercall) -> u32 {
    call.documentation().number
}

#[test]
fn what_is_not_offered_is_refused() {
    let mut bench = Bench::new(DRIVERS);
    let connect = number(Hypercall::ConnectRing);
    for (call, a0, a1, errno) in [
        (connect, channel::DISK, MEMORY, Errno::Permission),
        (connect, channel::DISK, 4, Errno::Invalid),
        (connect, channel::TIMER, 0, Errno::Invalid),
        (
            number(Hypercall::EventChannelOp),
            event::SEND,
            channel::DISK,
            Errno::Invalid,
        ),
        (
            number(Hypercall::EventChannelOp),
            77,
            channel::DISK,
            Errno::Invalid,
        ),
        (number(Hypercall::Iret), 0, 0, Errno::NoSuchCall),
        (number(Hypercall::LoadTable), 0, 0, Errno::NoSuchCall),
        (number(Hypercall::MmuUpdate), 0, 0, Errno::NoSuchCall),
        (number(Hypercall::SchedOp), sched::SHUTDOWN, 1, Errno::NoSuchCall),
        (12_345, 0, 0, Errno::NoSuchCall),
    ] {
        assert_eq!(bench.call(call, a0, a1), errno.code(), "{call} {a0} {a1}");
    }
    assert_eq!(bench.call(connect, channel::DISK, PAGE), 0);
    assert_eq!(bench.call(connect, channel::DISK, PAGE), Errno::Busy.code());
    assert_eq!(bench.guest.devices.power_off, None);
}

#[test]
fn a_kernel_that_was_ported_runs_only_where_it_can_be_answered() {
    let setup = setup("_start: j _start\n", KERNEL);
    for mode in MODES {
        let started = Run::new(&setup, mode, EngineName::Auto);
        match mode {
            ModeName::Trap(_) => assert!(started.is_ok(), "{mode}"),
            _ => assert_eq!(
                started.err(),
                Some(StartError::PortedKernel(mode.name())),
                "{mode}"
            ),
        }
    }
}

#[test]
fn the_shared_page_and_the_processor_tell_the_same() {
    let mut bench = Bench::new(KERNEL);
    let mut hart = Hart::new(0x1000);
    hart.csr.status = Status(Status::IE);
    hart.enter(toy_isa::trap::Trap {
        cause: toy_isa::trap::Cause::LoadPage,
        tval: 0x1234,
    });
    let mut board = bench.guest.on(&mut bench.machine.board);
    board.power_on();
    Mirror::show(&mut board, &hart);
    assert_eq!(Mirror::word(&mut board, shared::EPC), 0x1000);
    assert_eq!(Mirror::word(&mut board, shared::TVAL), 0x1234);
    assert_eq!(
        Mirror::word(&mut board, shared::PREVIOUS),
        shared::PREVIOUS_ENABLED
    );
    assert_eq!(Mirror::word(&mut board, shared::ENABLED), 0);
    let mut seen = hart.clone();
    Mirror::heed(&mut board, &mut seen);
    assert_eq!(seen, hart, "nothing was changed");
    // What the kernel changes there, its processor has when it has left.
    Mirror::put(&mut board, shared::EPC, Width::Word, 0x2000);
    Mirror::put(&mut board, shared::PREVIOUS, Width::Word, 3);
    Mirror::put(&mut board, shared::ENABLED, Width::Word, 1);
    Mirror::put(&mut board, shared::MASK + channel::DISK, Width::Byte, 0);
    Mirror::heed(&mut board, &mut seen);
    let status = seen.csr.status;
    assert_eq!((seen.csr.epc, status.previous_ring()), (0x2000, 3));
    assert!(status.interrupts() && !status.returned().interrupts());
    assert_eq!(board.devices().enabled, line::DISK);
}

/// What a hostile guest might do.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Call(u32, u32, u32),
    Store(u32, u32),
    Wait(u64),
}

fn deed() -> impl Strategy<Value = Deed> {
    let numbers = Hypercall::ALL.map(number).to_vec();
    let call = prop_oneof![8 => prop::sample::select(numbers), 1 => any::<u32>()];
    let value = || prop_oneof![4 => 0..8u32, 2 => (0..70u32).prop_map(|page| page * PAGE), 1 => any::<u32>()];
    prop_oneof![
        4 => (call, value(), value()).prop_map(|(call, a, b)| Deed::Call(call, a, b)),
        4 => (0..6 * PAGE / 4, value()).prop_map(|(word, value)| Deed::Store(4 * word, value)),
        2 => (0..40u32, value()).prop_map(|(word, value)| Deed::Store(PAGE + 4 * word, value)),
        1 => (1..3_000u64).prop_map(Deed::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever a guest asks for and leaves in its memory, nothing outside that memory changes.
    #[test]
    fn a_hostile_guest_reaches_nothing_but_its_own(
        kernel in any::<bool>(),
        deeds in prop::collection::vec(deed(), 1..80),
    ) {
        let mut bench = Bench::new(if kernel { KERNEL } else { DRIVERS });
        let others = |bench: &Bench| -> Vec<u32> {
            let pages = 0..bench.machine.board.ram.pages();
            let foreign = pages.filter(|page| bench.guest.frames.guest(*page).is_none());
            foreign
                .filter(|page| {
                    let bytes = bench.machine.board.ram.page(*page);
                    bytes.is_some_and(|bytes| bytes.iter().any(|byte| *byte != 0))
                })
                .collect()
        };
        let before = others(&bench);
        for deed in deeds {
            match deed {
                Deed::Call(number, a0, a1) => {
                    bench.call(number, a0, a1);
                }
                Deed::Store(address, value) => {
                    let written = bench.guest.on(&mut bench.machine.board).write(address, Width::Word, value);
                    prop_assert!(written.is_some());
                }
                Deed::Wait(ticks) => bench.wait(ticks),
            }
        }
        prop_assert_eq!(others(&bench), before);
    }
}
