//! The monitor: hypercalls with every kind of argument, events, rings, and guests that cheat.

mod calls;
mod campaign;
mod events;
mod guests;
mod rings;
mod tables;

use std::sync::Arc;

use toy_isa::asm::{Options as AsmOptions, Source, assemble};
use toy_isa::image::Image;
use toy_isa::mmu::{PAGE, pte};
use toy_isa::profile::{Profile, ProfileName};

use super::interface::*;
use super::*;
use crate::check::resource;
use crate::counts::Counts;
use crate::engine::EngineName;
use crate::event::Log;
use crate::mode::ModeName;
use crate::run::Run;
use crate::setup::{Parts, Port, Setup};
use pages::Kind;

const MEMORY: u32 = 64 * PAGE;
/// Where test guests keep what they hand to the monitor; their code is below.
const BUFFER: u32 = 0x8000;
/// Pages of test guests that nothing uses.
const SPARE: u32 = 40;

/// Pages of the console ring, the disk ring, and a buffer.
const CONSOLE_PAGE: u32 = 50;
const DISK_PAGE: u32 = 51;
const DATA_PAGE: u32 = 52;

/// The program of a test, with the numbers of the interface that it needs.
fn image(text: &str, target: u32) -> Image {
    let header = format!(
        "
        .equ    INFO, {INFO}
        .equ    BOOT, {}
        .equ    P2M, {P2M}
        .equ    M2P, {M2P}
        .equ    TARGET, {target}
        .equ    SPARE, {SPARE}
        .equ    BUFFER, {BUFFER}
        .macro  hypercall number
        li      t0, \\number
        hcall
        .endm
        .macro  off code
        li      a1, \\code
        li      a0, 2
        hypercall 29
        .endm
        ",
        start::BOOT_TABLE
    );
    let sources = [Source::new("header.s", header), Source::new("guest.s", text)];
    let options = AsmOptions {
        origin: 0x1000,
        ..AsmOptions::default()
    };
    assemble(&sources, &options).unwrap_or_else(|errors| panic!("{}", errors[0]))
}

fn setup(text: &str, target: u32) -> Setup {
    let image = image(text, target);
    let mut setup = Setup::new(image.clone(), MEMORY, Profile::new(ProfileName::Classic));
    setup.disk = (0..4 * 512u32).map(|at| (at / 512 + at) as u8).collect();
    setup.input = b"typed".to_vec();
    setup.port = Some(Port {
        image: Arc::new(image),
        parts: Parts::ALL,
        batch: 1,
        streams: Vec::new(),
        process: None,
    });
    setup
}

fn build(setup: &Setup) -> (Machine, Para) {
    let port = setup.port.as_ref().expect("test guests are ports");
    Para::build(setup, port, Arc::clone(&setup.profile)).expect("test guests fit")
}

/// A guest that stands still while a test makes its hypercalls for it.
struct Bench {
    machine: Machine,
    para: Para,
    log: Log,
    counts: Counts,
}

impl Bench {
    fn new() -> Bench {
        let (machine, para) = build(&setup("_start: j _start\n", 0));
        Bench {
            machine,
            para,
            log: Log::new(64),
            counts: Counts::default(),
        }
    }

    /// With both rings connected.
    fn with_rings() -> Bench {
        let mut bench = Bench::new();
        for (channel, page) in [(channel::CONSOLE, CONSOLE_PAGE), (channel::DISK, DISK_PAGE)] {
            let address = bench.frame(page) * PAGE;
            assert_eq!(bench.call(Hypercall::ConnectRing, channel, address).0, 0);
        }
        bench
    }

    /// Makes a hypercall; what comes back in a0 and a1.
    fn call(&mut self, call: Hypercall, a0: u32, a1: u32) -> (i32, u32) {
        self.call_number(call.documentation().number, a0, a1)
    }

    fn call_number(&mut self, number: u32, a0: u32, a1: u32) -> (i32, u32) {
        let mut hart = self.para.allocator.load(&self.machine.board);
        (hart.x[5], hart.x[10], hart.x[11]) = (number, a0, a1);
        self.para.allocator.store(&mut self.machine.board, &hart);
        let mut notes = Notes {
            log: &mut self.log,
            counts: &mut self.counts,
        };
        self.para.hypercall(&mut self.machine, &mut notes);
        let hart = self.para.allocator.load(&self.machine.board);
        (hart.x[10] as i32, hart.x[11])
    }

    /// One batch of page-table updates.
    fn update(&mut self, requests: &[(u32, u32)]) -> (i32, u32) {
        for (row, (place, value)) in requests.iter().enumerate() {
            self.poke(BUFFER + 8 * row as u32, *place);
            self.poke(BUFFER + 8 * row as u32 + 4, *value);
        }
        self.call(Hypercall::MmuUpdate, BUFFER, requests.len() as u32)
    }

    /// The machine frame of a frame of the guest.
    fn frame(&self, guest: u32) -> u32 {
        self.para.guest.frames.host(guest).expect("the guest has it")
    }

    /// The guest frame of the table that it started on for its lowest 4 MiB; the root is before it.
    fn boot_table(&self) -> u32 {
        let root = self.para.allocator.load(&self.machine.board).csr.ptbr / PAGE;
        self.para.guest.frames.guest(root).expect("it is the guest's") + 1
    }

    /// The machine address of the entry that maps this page of the guest, in the table that it started on.
    fn entry_of(&self, page: u32) -> u32 {
        self.frame(self.boot_table()) * PAGE + 4 * page
    }

    /// The first word of a request that is a command about this frame of the guest's.
    fn command_about(&self, page: u32) -> u32 {
        self.frame(page) * PAGE + update::COMMAND
    }

    /// Lets the guest see a page of its own with these rights.
    fn remap(&mut self, page: u32, rights: u32) -> (i32, u32) {
        self.update(&[(self.entry_of(page), pte::entry(self.frame(page) * PAGE, rights))])
    }

    fn poke(&mut self, address: u32, value: u32) {
        let at = self.para.guest.frames.address(address).expect("the guest has it");
        self.machine
            .board
            .write(at, Width::Word, value)
            .expect("it is in memory");
    }

    fn peek(&self, address: u32) -> u32 {
        let at = self.para.guest.frames.address(address).expect("the guest has it");
        self.machine
            .board
            .ram
            .read(at, Width::Word)
            .expect("it is in memory")
    }

    /// Lets ticks pass for the guest's devices; the monitor collects what they have done.
    fn wait(&mut self, ticks: u64) {
        self.para.guest.pace.clock += ticks;
        let mut hart = self.para.allocator.load(&self.machine.board);
        let _ = poll(&mut hart, &mut self.para.guest.on(&mut self.machine.board));
        let mut notes = Notes {
            log: &mut self.log,
            counts: &mut self.counts,
        };
        self.para.collect(&mut self.machine, &mut notes);
    }

    fn pending(&self, channel: u32) -> bool {
        let word = self.para.shared.word(&self.machine.board, shared::PENDING);
        word >> (8 * channel) & 255 != 0
    }

    fn audit(&self) {
        let root = self.para.allocator.load(&self.machine.board).csr.ptbr / PAGE;
        let (rings, buffer) = self.para.rings.held();
        let rings = rings.into_iter().map(|page| self.frame(page / PAGE));
        let uses = rings.chain(buffer.map(|address| address / PAGE));
        let uses = uses.map(|frame| (frame, Kind::Writable));
        let others: Vec<_> = uses.chain([(root, Kind::Root)]).collect();
        self.para.pages.audit(&self.machine.board, &others);
    }
}
