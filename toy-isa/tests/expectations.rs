//! The expectation table: what every row of the ISA does in every ring on every profile, and what a trap leaves,
//! written by hand from the book's page on the machine and from the RISC-V specification. Nothing here is read from
//! the instruction table but the encodings.

mod common;
#[path = "common/engines.rs"]
mod engines;

use common::*;
use toy_isa::bus::{Bus, Width};
use toy_isa::engine::Exit;
use toy_isa::machine::Machine;
use toy_isa::mmu::pte;
use toy_isa::profile::{Behaviour, Profile, ProfileName};
use toy_isa::root::Operation;
use toy_isa::row::Row;
use toy_isa::table::{Csr, Op};

const PC: u32 = CODE;
/// A target for jumps.
const AWAY: u32 = 0x1800;
const JUNK: u32 = 0xdead_beef;

const SCRATCH: u32 = 0x5c5c_5c5c;
const EPC: u32 = 0x3000;
const CAUSE: u32 = 0x1f;
const TVAL: u32 = 0x7a1;
const PTBR: u32 = 0x8000;
const BASE: u32 = 0x1_0000;
const BOUND: u32 = 0x4000;
const XBOUND: u32 = 0x3ff0;
const WINDOW: u32 = 0x0100;
const TIMER: u32 = 0x0010_0000;
const ENABLED: u32 = 0x0003;
const CLOCK: u64 = 0x7_0000_0064;
const NEW: u32 = 0xffff_ffff;

/// PRING = 2, PIE = 1; the ring is added.
const STATUS: u32 = 2 << 2 | 1 << 5;

/// The machine that every example begins on: nothing on (IE, RE, paging), every register with a value of its own.
fn stage(profile: &Profile, ring: u32) -> Machine {
    let mut m = machine_of(profile.clone());
    m.hart.pc = PC;
    m.hart.x[1] = DATA;
    m.hart.x[2] = 7;
    m.hart.x[3] = NEW;
    m.hart.x[4] = AWAY;
    m.hart.x[5] = 0x10; // port of NOW
    m.hart.x[6] = 0x22; // port of COUNT
    m.hart.x[10] = JUNK;
    let csr = &mut m.hart.csr;
    csr.status.0 = STATUS | ring;
    csr.tvec = HANDLER;
    csr.scratch = SCRATCH;
    csr.epc = EPC;
    csr.cause = CAUSE;
    csr.tval = TVAL;
    csr.ptbr = PTBR;
    csr.base = BASE;
    csr.bound = BOUND;
    csr.xbound = XBOUND;
    csr.window = WINDOW;
    m.board.devices.timer.set(TIMER, CLOCK);
    m.board.devices.enabled = ENABLED;
    m.board.pace.clock = CLOCK;
    put(&mut m, DATA, &[0x8765_43a1]);
    put(&mut m, DATA + WINDOW, &[0x0bad_cafe]);
    m.board.attend();
    m
}

/// What an instruction does in one ring on one profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// All that it does in ring 0.
    Runs,
    /// It retires, and nothing else happens.
    Nothing,
    /// It writes a part of `status`: PRING, PIE, PRE.
    Partly,
    /// Illegal instruction.
    Illegal,
    /// The trap that it is there to raise.
    Own,
}

/// A row of the ISA by example.
struct Expected {
    /// Its name.
    row: &'static str,
    /// A word of it.
    word: u32,
    /// One letter for ring 0, then one each for rings 1 to 3 on classic, leaky, hybrid and assist: Runs, Illegal
    /// instruction, Own trap, Nothing, Partly; Assist is what runs on that profile and is illegal on others.
    outcome: &'static str,
    /// What changes if it runs, beside pc + 4 and the clock.
    effect: fn(&mut Machine),
}

fn row(row: &'static str, word: u32, outcome: &'static str, effect: fn(&mut Machine)) -> Expected {
    Expected {
        row,
        word,
        outcome,
        effect,
    }
}

fn x10(m: &mut Machine, value: u32) {
    m.hart.x[10] = value;
}

fn nothing(_: &mut Machine) {}

/// The table. x1 points to the word 0x8765_43a1, x2 is 7, x3 is -1, x4 is an address of code, x5 and x6 are
/// ports; x10 is where results go.
#[rustfmt::skip]
fn table() -> Vec<Expected> {
    use Op::*;
    let read = |csr| c(Csrrs, 10, csr, 0);
    let write = |csr| c(Csrrw, 10, csr, 3);
    vec![
        row("lui",    word(Lui, 10, 0, 0, 0x7654_3000), "R RRRR", |m| x10(m, 0x7654_3000)),
        row("auipc",  word(Auipc, 10, 0, 0, 0x7654_3000), "R RRRR", |m| x10(m, 0x7654_4000)),
        row("addi",   i(Addi, 10, 2, -8), "R RRRR", |m| x10(m, 0xffff_ffff)),
        row("slti",   i(Slti, 10, 3, 0), "R RRRR", |m| x10(m, 1)),
        row("sltiu",  i(Sltiu, 10, 2, -1), "R RRRR", |m| x10(m, 1)),
        row("xori",   i(Xori, 10, 2, -1), "R RRRR", |m| x10(m, 0xffff_fff8)),
        row("ori",    i(Ori, 10, 2, 8), "R RRRR", |m| x10(m, 15)),
        row("andi",   i(Andi, 10, 2, 5), "R RRRR", |m| x10(m, 5)),
        row("slli",   i(Slli, 10, 2, 30), "R RRRR", |m| x10(m, 0xc000_0000)),
        row("srli",   i(Srli, 10, 3, 31), "R RRRR", |m| x10(m, 1)),
        row("srai",   i(Srai, 10, 3, 31), "R RRRR", |m| x10(m, 0xffff_ffff)),
        row("add",    r(Add, 10, 2, 3), "R RRRR", |m| x10(m, 6)),
        row("sub",    r(Sub, 10, 2, 3), "R RRRR", |m| x10(m, 8)),
        row("sll",    r(Sll, 10, 2, 2), "R RRRR", |m| x10(m, 7 << 7)),
        row("slt",    r(Slt, 10, 3, 2), "R RRRR", |m| x10(m, 1)),
        row("sltu",   r(Sltu, 10, 3, 2), "R RRRR", |m| x10(m, 0)),
        row("xor",    r(Xor, 10, 2, 3), "R RRRR", |m| x10(m, 0xffff_fff8)),
        row("srl",    r(Srl, 10, 3, 2), "R RRRR", |m| x10(m, 0x01ff_ffff)),
        row("sra",    r(Sra, 10, 3, 2), "R RRRR", |m| x10(m, 0xffff_ffff)),
        row("or",     r(Or, 10, 1, 2), "R RRRR", |m| x10(m, 0x2007)),
        row("and",    r(And, 10, 2, 3), "R RRRR", |m| x10(m, 7)),
        row("mul",    r(Mul, 10, 2, 3), "R RRRR", |m| x10(m, 0xffff_fff9)),
        row("mulh",   r(Mulh, 10, 2, 3), "R RRRR", |m| x10(m, 0xffff_ffff)),
        row("mulhsu", r(Mulhsu, 10, 3, 2), "R RRRR", |m| x10(m, 0xffff_ffff)),
        row("mulhu",  r(Mulhu, 10, 3, 2), "R RRRR", |m| x10(m, 6)),
        row("div",    r(Div, 10, 2, 3), "R RRRR", |m| x10(m, 0xffff_fff9)),
        row("divu",   r(Divu, 10, 3, 2), "R RRRR", |m| x10(m, 0x2492_4924)),
        row("rem",    r(Rem, 10, 1, 2), "R RRRR", |m| x10(m, 0x2000 % 7)),
        row("remu",   r(Remu, 10, 3, 2), "R RRRR", |m| x10(m, 3)),
        row("jal",    word(Jal, 10, 0, 0, 0x800), "R RRRR", |m| { x10(m, PC + 4); m.hart.pc = AWAY }),
        row("jalr",   i(Jalr, 10, 4, 4), "R RRRR", |m| { x10(m, PC + 4); m.hart.pc = AWAY + 4 }),
        row("beq",    b(Beq, 2, 2, 0x800), "R RRRR", |m| m.hart.pc = AWAY),
        row("bne",    b(Bne, 2, 3, 0x800), "R RRRR", |m| m.hart.pc = AWAY),
        row("blt",    b(Blt, 3, 2, 0x800), "R RRRR", |m| m.hart.pc = AWAY),
        row("bge",    b(Bge, 2, 3, 0x800), "R RRRR", |m| m.hart.pc = AWAY),
        row("bltu",   b(Bltu, 2, 3, 0x800), "R RRRR", |m| m.hart.pc = AWAY),
        row("bgeu",   b(Bgeu, 3, 2, 0x800), "R RRRR", |m| m.hart.pc = AWAY),
        row("lb",     i(Lb, 10, 1, 0), "R RRRR", |m| x10(m, 0xffff_ffa1)),
        row("lh",     i(Lh, 10, 1, 2), "R RRRR", |m| x10(m, 0xffff_8765)),
        row("lw",     i(Lw, 10, 1, 0), "R RRRR", |m| x10(m, 0x8765_43a1)),
        row("lbu",    i(Lbu, 10, 1, 0), "R RRRR", |m| x10(m, 0xa1)),
        row("lhu",    i(Lhu, 10, 1, 2), "R RRRR", |m| x10(m, 0x8765)),
        row("sb",     s(Sb, 2, 1, 3), "R RRRR", |m| put(m, DATA, &[0x0765_43a1])),
        row("sh",     s(Sh, 2, 1, 2), "R RRRR", |m| put(m, DATA, &[0x0007_43a1])),
        row("sw",     s(Sw, 2, 1, 0), "R RRRR", |m| put(m, DATA, &[7])),
        row("fence",   n(Fence), "R RRRR", nothing),
        row("fence.i", n(FenceI), "R RRRR", nothing),

        row("ecall",  n(Ecall), "O OOOO", nothing),
        row("ebreak", n(Ebreak), "O OOOO", nothing),
        row("hcall",  n(Hcall), "O OOOO", nothing),
        // PRING = 2 and PIE come back; PRING becomes 3, PIE 1.
        row("mret",   n(Mret), "R IINI", |m| {
            m.hart.csr.status.0 = 2 | 3 << 2 | 1 << 4 | 1 << 5;
            m.hart.pc = EPC;
        }),
        row("wfi",    n(Wfi), "R IIII", |m| m.board.pace.halted = true),
        row("sfence.vma", r(SfenceVma, 0, 0, 0), "R IIII", nothing),
        row("in",     i(In, 10, 5, 0), "R IIII", |m| x10(m, 0x64)),
        row("out",    r(Out, 0, 6, 2), "R IIII", |m| { m.board.devices.write_port(0x22, 7) }),
        // Ring 7 mod 4 = 3 may, below `bound`.
        row("prober", r(Prober, 10, 1, 2), "R IRIR", |m| x10(m, 1)),
        row("probew", r(Probew, 10, 3, 2), "R IRIR", |m| x10(m, 0)),
        // The code stands below `bound`.
        row("wlw",    i(Wlw, 10, 1, 0), "R IIII", |m| x10(m, 0x0bad_cafe)),
        row("wsw",    s(Wsw, 2, 1, 0), "R IIII", |m| put(m, DATA + WINDOW, &[7])),
        // Without root operation none of the others is legal; `root.rs` tests what they do with it.
        row("vmon",     n(Vmon), "A IIII", |m| m.hart.operation = Operation::Root),
        row("vmoff",    n(Vmoff), "I IIII", nothing),
        row("vmenter",  i(Vmenter, 0, 1, 0), "I IIII", nothing),
        row("vmresume", i(Vmresume, 0, 1, 0), "I IIII", nothing),
        row("vminval",  i(Vminval, 0, 1, 0), "I IIII", nothing),

        row("csrr mstatus",  read(Csr::Mstatus), "R IIII", |m| x10(m, 0)),
        row("csrw mstatus",  write(Csr::Mstatus), "R IIII", |m| x10(m, 0)),
        row("csrr tvec",     read(Csr::Tvec), "R IRIR", |m| x10(m, HANDLER)),
        row("csrw tvec",     write(Csr::Tvec), "R IIII", |m| { x10(m, HANDLER); m.hart.csr.tvec = NEW & !3 }),
        row("csrr scratch",  read(Csr::Scratch), "R IRIR", |m| x10(m, SCRATCH)),
        row("csrw scratch",  write(Csr::Scratch), "R IIII", |m| { x10(m, SCRATCH); m.hart.csr.scratch = NEW }),
        row("csrr epc",      read(Csr::Epc), "R IIII", |m| x10(m, EPC)),
        row("csrw epc",      write(Csr::Epc), "R IIII", |m| { x10(m, EPC); m.hart.csr.epc = NEW & !3 }),
        row("csrr cause",    read(Csr::Cause), "R IIII", |m| x10(m, CAUSE)),
        row("csrw cause",    write(Csr::Cause), "R IIII", |m| { x10(m, CAUSE); m.hart.csr.cause = NEW }),
        row("csrr tval",     read(Csr::Tval), "R IIII", |m| x10(m, TVAL)),
        row("csrw tval",     write(Csr::Tval), "R IIII", |m| { x10(m, TVAL); m.hart.csr.tval = NEW }),
        row("csrr status",   read(Csr::Status), "R IRIR", |m| { let now = m.hart.csr.status.0; x10(m, now) }),
        row("csrw status",   write(Csr::Status), "R IPIP", |m| {
            let now = m.hart.csr.status.0;
            x10(m, now);
            let iopl = if m.board.profile().base() == ProfileName::Classic { 0 } else { 0x300 };
            m.hart.csr.status.0 = now & 3 | 0xfc | iopl;
        }),
        row("csrr ptbr",     read(Csr::Ptbr), "R IRIR", |m| x10(m, PTBR)),
        row("csrw ptbr",     write(Csr::Ptbr), "R IIII", |m| { x10(m, PTBR); m.hart.csr.ptbr = 0xffff_f001 }),
        row("csrr base",     read(Csr::Base), "R IRIR", |m| x10(m, BASE)),
        row("csrw base",     write(Csr::Base), "R IIII", |m| { x10(m, BASE); m.hart.csr.base = NEW & !3 }),
        row("csrr bound",    read(Csr::Bound), "R IRIR", |m| x10(m, BOUND)),
        row("csrw bound",    write(Csr::Bound), "R IIII", |m| { x10(m, BOUND); m.hart.csr.bound = NEW }),
        row("csrr xbound",   read(Csr::Xbound), "R IRIR", |m| x10(m, XBOUND)),
        row("csrw xbound",   write(Csr::Xbound), "R IIII", |m| { x10(m, XBOUND); m.hart.csr.xbound = NEW }),
        row("csrr window",   read(Csr::Window), "R IRIR", |m| x10(m, WINDOW)),
        row("csrw window",   write(Csr::Window), "R IIII", |m| { x10(m, WINDOW); m.hart.csr.window = NEW }),
        row("csrr timer",    read(Csr::Timer), "R IIII", |m| x10(m, TIMER)),
        row("csrw timer",    write(Csr::Timer), "R IIII", |m| { x10(m, TIMER); m.board.devices.timer.set(NEW, CLOCK) }),
        row("csrr irq",      read(Csr::Irq), "R IIII", |m| x10(m, ENABLED << 16)),
        row("csrw irq",      write(Csr::Irq), "R IIII", |m| {
            x10(m, ENABLED << 16);
            m.board.devices.enabled = 0xffff;
        }),
        row("csrr instret",  read(Csr::Instret), "R IRIR", |m| x10(m, 0x64)),
        row("csrr instreth", read(Csr::Instreth), "R IRIR", |m| x10(m, 7)),
        row("csrr mhartid",  read(Csr::Mhartid), "R IIII", |m| x10(m, 0)),
        row("csrr cpuid",    read(Csr::Cpuid), "R IRIR", |m| x10(m, 0x5233_3201)),
    ]
}

/// Writes of the expected effect to a device, in words of the device page.
trait Ports {
    fn write_port(&mut self, port: u32, value: u32);
}

impl Ports for toy_isa::devices::Devices {
    fn write_port(&mut self, port: u32, value: u32) {
        let register = toy_isa::devices::Register {
            device: port / 16,
            index: port % 16,
        };
        self.write(register, value, CLOCK)
            .expect("a register of the device page");
    }
}

fn outcome(letters: &str, ring: u32, profile: ProfileName) -> Outcome {
    let column = match (ring, profile) {
        (0, _) => 0,
        (_, ProfileName::Classic) => 2,
        (_, ProfileName::Leaky) => 3,
        (_, ProfileName::Hybrid) => 4,
        (_, ProfileName::Assist) => 5,
    };
    match letters.as_bytes()[column] {
        b'R' => Outcome::Runs,
        b'A' if profile == ProfileName::Assist => Outcome::Runs,
        b'A' => Outcome::Illegal,
        b'N' => Outcome::Nothing,
        b'P' => Outcome::Partly,
        b'I' => Outcome::Illegal,
        b'O' => Outcome::Own,
        other => panic!("no outcome has the letter {}", char::from(other)),
    }
}

/// The state after trap entry from a machine with IE and RE off: what the book says, bit by bit.
fn entered(m: &mut Machine, cause: u32, tval: u32) {
    let status = m.hart.csr.status.0;
    let (ring, ie, re, iopl) = (status & 3, status >> 4 & 1, status >> 6 & 1, status >> 8 & 3);
    m.hart.csr.status.0 = ring << 2 | ie << 5 | re << 7 | iopl << 8;
    m.hart.csr.epc = m.hart.pc;
    m.hart.csr.cause = cause;
    m.hart.csr.tval = tval;
    m.hart.pc = m.hart.csr.tvec;
}

fn retired(m: &mut Machine) {
    m.hart.pc += 4;
    m.board.pace.clock += 1;
}

#[test]
fn every_row_in_every_ring_on_every_profile() {
    let mut seen = 0;
    for profile in ProfileName::ALL {
        for ring in 0..4 {
            for entry in table() {
                let mut got = stage(&Profile::new(profile), ring);
                put(&mut got, PC, &[entry.word]);
                let mut want = got.clone();
                match outcome(entry.outcome, ring, profile) {
                    Outcome::Runs => {
                        retired(&mut want);
                        (entry.effect)(&mut want);
                    }
                    Outcome::Nothing => retired(&mut want),
                    Outcome::Partly => {
                        retired(&mut want);
                        want.hart.x[10] = STATUS | ring;
                        want.hart.csr.status.0 = ring | 3 << 2 | 1 << 5 | 1 << 7;
                    }
                    Outcome::Illegal => entered(&mut want, 2, entry.word),
                    Outcome::Own => {
                        let (cause, tval) = match entry.row {
                            "ecall" => (11 - ring, 0),
                            "ebreak" => (3, PC),
                            _ => (24, 0),
                        };
                        entered(&mut want, cause, tval);
                    }
                }
                step(&mut got);
                assert_eq!(
                    visible(&got),
                    visible(&want),
                    "{} in ring {ring} on {}",
                    entry.row,
                    profile.name()
                );
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 16 * Row::all().count());
}

#[test]
fn the_table_names_every_row_once_and_shows_it() {
    let names: Vec<String> = Row::all().map(|row| row.to_string()).collect();
    let here: Vec<&str> = table().iter().map(|entry| entry.row).collect();
    for name in &names {
        assert_eq!(here.iter().filter(|row| *row == name).count(), 1, "{name}");
    }
    assert_eq!(here.len(), names.len());
    for entry in table() {
        let decoded = toy_isa::instruction::decode(entry.word, toy_isa::instruction::Registers::Sixteen)
            .expect("a legal word");
        assert_eq!(decoded.row().to_string(), entry.row);
    }
}

/// How to bring about a trap: the word that stands at the program counter, and what else is needed.
struct Provoked {
    cause: fn(ring: u32) -> u32,
    tval: u32,
    word: u32,
    prepare: fn(&mut Machine),
}

/// A page table at 0x8000 of one leaf: the lowest 4 MiB, for everyone and everything.
fn lowest_superpage(m: &mut Machine) {
    put(
        m,
        0x8000,
        &[pte::entry(0, pte::V | pte::R | pte::W | pte::X | pte::U)],
    );
    m.hart.csr.ptbr = 0x8001;
}

const UNMAPPED: u32 = 0x0040_0000;

#[rustfmt::skip]
fn provocations() -> Vec<Provoked> {
    use Op::*;
    let p = |cause, tval, word, prepare| Provoked { cause, tval, word, prepare };
    vec![
        p(|_| 0, AWAY + 2, i(Jalr, 10, 4, 2), |_| {}),
        p(|_| 1, NOWHERE, n(Fence), |m| m.hart.pc = NOWHERE),
        p(|_| 2, 0, 0, |_| {}),
        p(|_| 2, 0xffff_ffff, 0xffff_ffff, |_| {}),
        p(|_| 3, PC, n(Ebreak), |_| {}),
        p(|_| 4, DATA + 1, i(Lh, 10, 1, 1), |_| {}),
        p(|_| 5, NOWHERE, i(Lw, 10, 7, 0), |m| m.hart.x[7] = NOWHERE),
        p(|_| 6, DATA + 2, s(Sw, 2, 1, 2), |_| {}),
        p(|_| 7, NOWHERE, s(Sb, 2, 7, 0), |m| m.hart.x[7] = NOWHERE),
        p(|ring| 11 - ring, 0, n(Ecall), |_| {}),
        p(|_| 12, UNMAPPED, n(Fence), |m| { lowest_superpage(m); m.hart.pc = UNMAPPED }),
        p(|_| 13, UNMAPPED, i(Lb, 10, 7, 0), |m| { lowest_superpage(m); m.hart.x[7] = UNMAPPED }),
        p(|_| 15, UNMAPPED, s(Sh, 2, 7, 0), |m| { lowest_superpage(m); m.hart.x[7] = UNMAPPED }),
        p(|_| 24, 0, n(Hcall), |_| {}),
        p(|_| 0x8000_0007, 0, n(Fence), |m| m.board.devices.timer.set(CLOCK as u32, CLOCK)),
        p(|_| 0x8000_000b, 0, n(Fence), |m| {
            // A command of no sectors, due long ago.
            m.board.devices.write_port(0x23, 1);
            m.board.pace.clock += 1000;
        }),
    ]
}

/// The eight bits of `status` that trap entry looks at or replaces, and IOPL.
fn every_status(ring: u32) -> impl Iterator<Item = u32> {
    (0..256).map(move |bits| ring | bits << 2)
}

#[test]
fn trap_entry_from_every_ring_and_status() {
    for entry in provocations() {
        for ring in 0..4 {
            for status in every_status(ring) {
                let interrupt = (entry.cause)(ring) & 0x8000_0000 != 0;
                if interrupt && status & 1 << 4 == 0 {
                    continue;
                }
                let mut got = stage(&Profile::new(ProfileName::Leaky), ring);
                got.hart.csr.bound = u32::MAX;
                got.hart.csr.xbound = u32::MAX;
                put(&mut got, PC, &[entry.word]);
                got.hart.csr.status.0 = status;
                // Relocation by nothing, so that both values of RE reach the same places.
                got.hart.csr.base = 0;
                got.board.devices.timer.set(0, CLOCK);
                (entry.prepare)(&mut got);
                let hart = got.hart.clone();
                let clock = got.board.pace.clock;

                step(&mut got);
                let mut want = hart;
                want.csr.epc = want.pc;
                want.csr.cause = (entry.cause)(ring);
                want.csr.tval = entry.tval;
                want.csr.status.0 = ring << 2 // PRING
                    | (status & 1 << 4) << 1 // PIE
                    | (status & 1 << 6) << 1 // PRE
                    | status & 3 << 8; // IOPL
                want.pc = HANDLER;
                assert_eq!(got.hart, want, "status {status:#x}");
                assert_eq!(got.board.pace.clock, clock, "a trap does not retire");
            }
        }
    }
}

#[test]
fn addresses_of_traps_are_virtual() {
    let relocated = |word: u32| {
        let mut m = stage(&Profile::new(ProfileName::Classic), 2);
        m.hart.csr.bound = u32::MAX;
        m.hart.csr.xbound = u32::MAX;
        m.hart.csr.base = 0x800;
        m.hart.csr.status.0 |= 1 << 6;
        m.hart.x[7] = NOWHERE;
        put(&mut m, PC + 0x800, &[word]);
        step(&mut m);
        (m.hart.csr.epc, m.hart.csr.cause, m.hart.csr.tval)
    };
    assert_eq!(relocated(i(Op::Lw, 10, 7, 0)), (PC, 5, NOWHERE));
    assert_eq!(relocated(s(Op::Sw, 2, 1, 1)), (PC, 6, DATA + 1));
    assert_eq!(relocated(n(Op::Ebreak)), (PC, 3, PC));
    assert_eq!(relocated(i(Op::Jalr, 10, 4, 2)), (PC, 0, AWAY + 2));
}

#[test]
fn mret_puts_back_every_status() {
    for before in every_status(0) {
        let mut m = stage(&Profile::new(ProfileName::Leaky), 0);
        m.hart.csr.status.0 = before;
        m.hart.csr.base = 0;
        put(&mut m, PC, &[n(Op::Mret)]);
        m.board.devices.enabled = 0;
        assert_eq!(step(&mut m), Exit::Return);
        let (pring, pie, pre) = (before >> 2 & 3, before >> 5 & 1, before >> 7 & 1);
        let after = pring | 3 << 2 | pie << 4 | 1 << 5 | pre << 6 | before & 3 << 8;
        assert_eq!(m.hart.csr.status.0, after, "from {before:#x}");
        assert_eq!(m.hart.pc, EPC);
    }
}

#[test]
fn a_trap_and_mret_come_back_to_the_same_status() {
    for ring in 0..4 {
        for status in every_status(ring).filter(|status| status & 1 << 6 == 0) {
            let mut m = stage(&Profile::new(ProfileName::Leaky), ring);
            m.hart.csr.status.0 = status;
            m.board.devices.enabled = 0;
            put(&mut m, PC, &[n(Op::Ecall)]);
            put(&mut m, HANDLER, &[n(Op::Mret)]);
            step(&mut m);
            step(&mut m);
            assert_eq!(m.hart.pc, PC);
            // RING, IE, RE and IOPL; the previous values are those that mret leaves.
            let kept = 3 | 1 << 4 | 1 << 6 | 3 << 8;
            assert_eq!(m.hart.csr.status.0, status & kept | 3 << 2 | 1 << 5);
        }
    }
}

#[test]
fn io_privilege_level_admits_rings() {
    for profile in ProfileName::ALL {
        for ring in 0..4 {
            for iopl in 0..4 {
                // Ring 0 writes IOPL as a program does; `classic` has none.
                let mut m = stage(&Profile::new(profile), 0);
                m.hart.x[8] = iopl << 8;
                put(&mut m, PC, &[c(Op::Csrrs, 0, Csr::Status, 8)]);
                step(&mut m);
                m.hart.csr.status.0 |= ring;
                let level = if profile == ProfileName::Classic { 0 } else { iopl };
                assert_eq!(m.hart.csr.status.0 >> 8, level);

                for word in [i(Op::In, 10, 5, 0), r(Op::Out, 0, 6, 2)] {
                    let mut m = m.clone();
                    m.hart.pc = PC;
                    put(&mut m, PC, &[word]);
                    let trapped = matches!(step(&mut m), Exit::Trap(_));
                    assert_eq!(
                        trapped,
                        ring > level,
                        "{} ring {ring} iopl {iopl}",
                        profile.name()
                    );
                }
            }
        }
    }
}

#[test]
fn ports_that_nothing_answers() {
    let mut m = stage(&Profile::new(ProfileName::Classic), 0);
    for port in [2, 0x13, 0x26, 0x31, 0x40, 0xffff] {
        m.hart.x[5] = port;
        execute(&mut m, i(Op::In, 10, 5, 0));
        assert_eq!(m.hart.x[10], u32::MAX, "port {port:#x}");
        let before = m.board.devices.clone();
        execute(&mut m, r(Op::Out, 0, 5, 2));
        assert_eq!(m.board.devices, before, "port {port:#x}");
        assert_eq!(m.hart.pc, CODE + 4, "port {port:#x}");
    }
    // Of a port number the low half counts.
    m.hart.x[5] = 0xabcd_0010;
    m.board.pace.clock = 99;
    execute(&mut m, i(Op::In, 10, 5, 0));
    assert_eq!(m.hart.x[10], 99);
}

#[test]
fn window_accesses_execute_where_a_monitor_puts_code() {
    // (ring, pc - bound): does it execute? In ring 0 always; in rings 1 and 2 at or above the bound; in ring 3 never.
    for ring in 0..4 {
        for below in [-8, -4, 0, 4] {
            for word in [i(Op::Wlw, 10, 1, 0), s(Op::Wsw, 2, 1, 0)] {
                let mut m = stage(&Profile::new(ProfileName::Classic), ring);
                m.hart.csr.xbound = u32::MAX;
                m.hart.csr.bound = PC.wrapping_add_signed(-below);
                put(&mut m, PC, &[word]);
                let exit = step(&mut m);
                let executes = ring == 0 || ring != 3 && below >= 0;
                assert_eq!(exit == Exit::Fuel, executes, "ring {ring}, {below} from bound");
                if !executes {
                    assert_eq!((m.hart.csr.cause, m.hart.csr.tval), (2, word));
                }
            }
        }
    }
}

#[test]
fn window_accesses_know_no_limit_and_no_relocation_but_wrap_and_translate() {
    let window = |window: u32, address: u32| {
        let mut m = stage(&Profile::new(ProfileName::Classic), 1);
        m.hart.csr.bound = 0;
        m.hart.csr.xbound = u32::MAX;
        m.hart.csr.base = 0x800;
        m.hart.csr.status.0 |= 1 << 6;
        m.hart.csr.window = window;
        m.hart.x[1] = address;
        put(&mut m, PC + 0x800, &[i(Op::Wlw, 10, 1, 0)]);
        m
    };
    let mut m = window(DATA, WINDOW);
    assert_eq!(step(&mut m), Exit::Fuel);
    assert_eq!(m.hart.x[10], 0x0bad_cafe);
    // Modulo 2^32.
    let mut m = window(0xffff_ff00, DATA + 0x100);
    step(&mut m);
    assert_eq!(m.hart.x[10], 0x8765_43a1);
    // Aligned, and where memory is; devices cannot be reached.
    for (at, cause) in [(DATA + 2, 4), (NOWHERE, 5), (0xf000_1000, 5)] {
        let mut m = window(at, 0);
        step(&mut m);
        assert_eq!((m.hart.csr.cause, m.hart.csr.tval), (cause, at));
    }
    // Paging applies.
    let mut m = window(UNMAPPED, 0);
    lowest_superpage(&mut m);
    step(&mut m);
    assert_eq!((m.hart.csr.cause, m.hart.csr.tval), (13, UNMAPPED));
}

#[test]
fn probes_answer_for_every_ring() {
    // Pages of 4 KiB from 0: all rights for all; read-only for all; all rights but not for ring 3; execute only;
    // nothing. The limit lies in the middle of the first.
    let rights = [
        pte::R | pte::W | pte::X | pte::U,
        pte::R | pte::U,
        pte::R | pte::W,
        pte::X | pte::U,
    ];
    let answer = |m: &Machine, op: Op, address: u32, ring: u32| {
        let mut m = m.clone();
        m.hart.x[8] = address;
        m.hart.x[9] = ring | 0xfff0;
        put(&mut m, 0x8000, &[r(op, 10, 8, 9)]);
        m.hart.pc = 0x8000;
        let before: Vec<u32> = (0..4).map(|page| peek(&m, 0xa000 + 4 * page)).collect();
        assert_eq!(step(&mut m), Exit::Fuel);
        let after: Vec<u32> = (0..4).map(|page| peek(&m, 0xa000 + 4 * page)).collect();
        assert_eq!(before, after, "nothing is marked");
        m.hart.x[10]
    };
    let mut m = stage(&Profile::new(ProfileName::Classic), 0);
    m.hart.csr.ptbr = 0x9001;
    put(&mut m, 0x9000, &[pte::entry(0xa000, pte::V)]);
    for (page, rights) in rights.into_iter().enumerate() {
        let page = page as u32;
        put(
            &mut m,
            0xa000 + 4 * page,
            &[pte::entry(page << 12, pte::V | rights)],
        );
    }
    put(&mut m, 0xa020, &[pte::entry(0x8000, pte::V | pte::X | pte::A)]);

    // address, (prober, probew) for rings 0, 1, 2, 3
    let no_limit = [
        (0x0000, [(1, 1), (1, 1), (1, 1), (1, 1)]),
        (0x0fff, [(1, 1), (1, 1), (1, 1), (1, 1)]),
        (0x1000, [(1, 0), (1, 0), (1, 0), (1, 0)]),
        (0x2000, [(1, 1), (1, 1), (1, 1), (0, 0)]),
        (0x3000, [(0, 0), (0, 0), (0, 0), (0, 0)]),
        (0x4000, [(0, 0), (0, 0), (0, 0), (0, 0)]),
        (NOWHERE, [(0, 0), (0, 0), (0, 0), (0, 0)]),
    ];
    let limit = [
        (0x07ff, [(1, 1), (1, 1), (1, 1), (1, 1)]),
        (0x0800, [(1, 1), (0, 0), (0, 0), (0, 0)]),
        (0x2000, [(1, 1), (0, 0), (0, 0), (0, 0)]),
    ];
    for (bound, expected) in [(u32::MAX, &no_limit[..]), (0x800, &limit[..])] {
        m.hart.csr.bound = bound;
        for (address, rings) in expected {
            for (ring, (load, store)) in rings.iter().enumerate() {
                let ring = ring as u32;
                assert_eq!(
                    answer(&m, Op::Prober, *address, ring),
                    *load,
                    "load {address:#x} ring {ring}"
                );
                assert_eq!(
                    answer(&m, Op::Probew, *address, ring),
                    *store,
                    "store {address:#x} ring {ring}"
                );
            }
        }
    }
    // A page that maps nothing: the page table allows it.
    m.hart.csr.bound = u32::MAX;
    put(&mut m, 0xa00c, &[pte::entry(NOWHERE, pte::V | pte::R | pte::U)]);
    assert_eq!(answer(&m, Op::Prober, 0x3000, 3), 1);
    assert_eq!(answer(&m, Op::Probew, 0x3000, 3), 0);
    // Relocation: address 0 means page 1, read-only. The limit is tested before. The code moves along.
    m.hart.csr.bound = 0x800;
    m.hart.csr.base = 0x1000;
    m.hart.csr.status.0 |= 1 << 6;
    put(&mut m, 0xa024, &[pte::entry(0x8000, pte::V | pte::X | pte::A)]);
    assert_eq!(answer(&m, Op::Prober, 0, 1), 1);
    assert_eq!(answer(&m, Op::Probew, 0, 1), 0);
    assert_eq!(answer(&m, Op::Prober, 0x1000, 3), 0);
    assert_eq!(answer(&m, Op::Prober, 0x1000, 0), 1);
}

#[test]
fn writes_of_status_bit_by_bit() {
    // Bits 1..0 never; PRING, IE, PIE, RE, PRE in ring 0; IOPL in ring 0 but on classic; in a partial write outside
    // ring 0 only PRING, PIE and PRE; the rest does not exist.
    let full = 0x0fc;
    let iopl = 0x300;
    let partial = 0x0ac;
    for (profile, ring, writable) in [
        (ProfileName::Classic, 0, full),
        (ProfileName::Hybrid, 0, full | iopl),
        (ProfileName::Leaky, 0, full | iopl),
        (ProfileName::Assist, 0, full | iopl),
        (ProfileName::Leaky, 1, partial),
        (ProfileName::Leaky, 2, partial),
        (ProfileName::Leaky, 3, partial),
        (ProfileName::Assist, 3, partial),
    ] {
        for bit in 0..32 {
            for (op, before, source, after) in [
                (Op::Csrrs, 0, 1 << bit, 1 << bit),
                (Op::Csrrc, writable, 1 << bit, writable & !(1 << bit)),
                (Op::Csrrw, 0, 1 << bit, 1 << bit),
                (Op::Csrrw, writable, !(1 << bit), !(1 << bit)),
            ] {
                let mut m = stage(&Profile::new(profile), ring);
                m.board.devices.enabled = 0;
                m.hart.csr.base = 0;
                m.hart.csr.status.0 = before | ring;
                m.hart.x[8] = source;
                put(&mut m, PC, &[c(op, 10, Csr::Status, 8)]);
                step(&mut m);
                assert_eq!(m.hart.x[10], before | ring);
                assert_eq!(
                    m.hart.csr.status.0,
                    after & writable | ring,
                    "{} bit {bit} in ring {ring} on {}",
                    op.row().mnemonic,
                    profile.name()
                );
            }
        }
    }
}

#[test]
fn read_only_registers_cannot_be_written_in_any_ring() {
    for csr in [Csr::Instret, Csr::Instreth, Csr::Mhartid, Csr::Cpuid] {
        // RISC-V, chapter 9: csrrw and csrrwi always write; the others do unless the source is x0 or 0, whatever
        // the register holds.
        for word in [
            c(Op::Csrrw, 10, csr, 0),
            c(Op::Csrrw, 0, csr, 2),
            c(Op::Csrrs, 10, csr, 11),
            c(Op::Csrrc, 10, csr, 11),
            c(Op::Csrrwi, 10, csr, 0),
            c(Op::Csrrsi, 10, csr, 1),
            c(Op::Csrrci, 10, csr, 16),
        ] {
            for profile in ProfileName::ALL {
                for ring in 0..4 {
                    let mut m = stage(&Profile::new(profile), ring);
                    put(&mut m, PC, &[word]);
                    step(&mut m);
                    assert_eq!((m.hart.csr.cause, m.hart.csr.tval), (2, word));
                    assert_eq!(m.hart.x[10], JUNK);
                }
            }
        }
        for word in [
            c(Op::Csrrs, 10, csr, 0),
            c(Op::Csrrc, 10, csr, 0),
            c(Op::Csrrsi, 10, csr, 0),
            c(Op::Csrrci, 10, csr, 0),
        ] {
            let mut m = stage(&Profile::new(ProfileName::Classic), 0);
            put(&mut m, PC, &[word]);
            assert_eq!(step(&mut m), Exit::Fuel);
            assert_ne!(m.hart.x[10], JUNK);
        }
    }
}

#[test]
fn control_registers_that_do_not_exist_are_illegal() {
    let known = [
        0x300, 0x305, 0x340, 0x341, 0x342, 0x343, 0x7c0, 0x7c1, 0x7c2, 0x7c3, 0x7c4, 0x7c5, 0x7c6, 0x7c7,
        0xc02, 0xc82, 0xf14, 0xfc0,
    ];
    for number in 0..0x1000 {
        let mut m = stage(&Profile::new(ProfileName::Leaky), 0);
        put(&mut m, PC, &[word(Op::Csrrs, 10, 0, 0, number)]);
        let exit = step(&mut m);
        assert_eq!(exit == Exit::Fuel, known.contains(&number), "{number:#x}");
    }
}

#[test]
fn the_six_forms_of_control_register_access() {
    // form, source register or immediate, scratch after
    for (op, source, after) in [
        (Op::Csrrw, 2, 7),
        (Op::Csrrw, 0, 0),
        (Op::Csrrs, 2, SCRATCH | 7),
        (Op::Csrrs, 0, SCRATCH),
        (Op::Csrrc, 2, SCRATCH & !7),
        (Op::Csrrc, 0, SCRATCH),
        (Op::Csrrwi, 31, 31),
        (Op::Csrrsi, 31, SCRATCH | 31),
        (Op::Csrrci, 31, SCRATCH & !31),
        (Op::Csrrci, 0, SCRATCH),
    ] {
        for rd in [0, 10] {
            let mut m = stage(&Profile::new(ProfileName::Classic), 0);
            put(&mut m, PC, &[c(op, rd, Csr::Scratch, source)]);
            assert_eq!(step(&mut m), Exit::Fuel);
            assert_eq!(m.hart.csr.scratch, after);
            assert_eq!(m.hart.x[rd as usize], if rd == 0 { 0 } else { SCRATCH });
        }
    }
    // Destination and source are the same register: the old value of both.
    let mut m = stage(&Profile::new(ProfileName::Classic), 0);
    put(&mut m, PC, &[c(Op::Csrrw, 2, Csr::Scratch, 2)]);
    step(&mut m);
    assert_eq!((m.hart.x[2], m.hart.csr.scratch), (SCRATCH, 7));
}

#[test]
fn mstatus_and_mhartid_are_harmless_in_ring_0() {
    for word in [
        c(Op::Csrrw, 10, Csr::Mstatus, 3),
        c(Op::Csrrs, 10, Csr::Mstatus, 3),
        c(Op::Csrrsi, 10, Csr::Mstatus, 8),
        c(Op::Csrrs, 10, Csr::Mhartid, 0),
    ] {
        let mut m = stage(&Profile::new(ProfileName::Classic), 0);
        put(&mut m, PC, &[word]);
        let mut want = m.clone();
        retired(&mut want);
        x10(&mut want, 0);
        step(&mut m);
        assert_eq!(visible(&m), visible(&want));
    }
}

#[test]
fn overridden_rows_do_as_they_are_told() {
    // row, override, word, the outcome in rings 1 to 3
    for (name, behaviour, word, outcome) in [
        (
            "csrr status",
            Behaviour::Leaks,
            c(Op::Csrrs, 10, Csr::Status, 0),
            'R',
        ),
        (
            "csrr status",
            Behaviour::Ignored,
            c(Op::Csrrs, 10, Csr::Status, 0),
            'N',
        ),
        (
            "csrr cause",
            Behaviour::Leaks,
            c(Op::Csrrs, 10, Csr::Cause, 0),
            'R',
        ),
        (
            "csrw tvec",
            Behaviour::TakesEffect,
            c(Op::Csrrw, 10, Csr::Tvec, 3),
            'R',
        ),
        (
            "csrw tvec",
            Behaviour::Ignored,
            c(Op::Csrrw, 10, Csr::Tvec, 3),
            'N',
        ),
        (
            "csrw status",
            Behaviour::TakesEffect,
            c(Op::Csrrw, 10, Csr::Status, 3),
            'R',
        ),
        (
            "csrw status",
            Behaviour::Partial,
            c(Op::Csrrw, 10, Csr::Status, 3),
            'P',
        ),
        ("mret", Behaviour::TakesEffect, n(Op::Mret), 'R'),
        ("mret", Behaviour::Ignored, n(Op::Mret), 'N'),
        ("wfi", Behaviour::Ignored, n(Op::Wfi), 'N'),
        ("wfi", Behaviour::TakesEffect, n(Op::Wfi), 'R'),
        ("in", Behaviour::TakesEffect, i(Op::In, 10, 5, 0), 'R'),
        ("in", Behaviour::Ignored, i(Op::In, 10, 5, 0), 'N'),
        ("out", Behaviour::TakesEffect, r(Op::Out, 0, 6, 2), 'R'),
        ("prober", Behaviour::Leaks, r(Op::Prober, 10, 1, 2), 'R'),
        ("prober", Behaviour::Ignored, r(Op::Prober, 10, 1, 2), 'N'),
    ] {
        let mut profile = Profile::new(ProfileName::Classic);
        profile
            .set(Row::from_name(name).expect("a row"), behaviour)
            .expect("an override that makes sense");
        let effect = table()
            .into_iter()
            .find(|entry| entry.row == name)
            .expect("a row of the table")
            .effect;
        for ring in 1..4 {
            let mut got = stage(&profile, ring);
            put(&mut got, PC, &[word]);
            let mut want = got.clone();
            retired(&mut want);
            match outcome {
                'R' => effect(&mut want),
                'P' => {
                    x10(&mut want, STATUS | ring);
                    want.hart.csr.status.0 = ring | 0x0ac;
                }
                _ => {}
            }
            step(&mut got);
            assert_eq!(visible(&got), visible(&want), "{name} {behaviour:?} ring {ring}");
        }
    }
    // And a hole that is closed.
    let mut profile = Profile::new(ProfileName::Leaky);
    profile
        .set(Row::Write(Csr::Status), Behaviour::Traps)
        .expect("what if POPF had trapped?");
    let mut m = stage(&profile, 1);
    put(&mut m, PC, &[c(Op::Csrrw, 10, Csr::Status, 3)]);
    step(&mut m);
    assert_eq!(m.hart.csr.cause, 2);
}

#[test]
fn reset_is_ring_0_with_everything_off() {
    let m = machine(ProfileName::Classic);
    let csr = &m.hart.csr;
    assert_eq!((csr.bound, csr.xbound), (u32::MAX, u32::MAX));
    let rest = [
        csr.status.0,
        csr.tvec,
        csr.scratch,
        csr.epc,
        csr.cause,
        csr.tval,
        csr.ptbr,
        csr.base,
        csr.window,
    ];
    assert_eq!(rest, [0; 9]);
    assert_eq!(m.board.devices.irq(0), 0);
    assert_eq!(m.board.devices.timer.value(), 0);
    assert_eq!(m.hart.x, [0; 32]);
}

#[test]
fn a_handler_that_cannot_be_fetched_is_a_double_fault() {
    for (tvec, cause) in [(NOWHERE, 1), (0xf000_0000, 1)] {
        let mut m = stage(&Profile::new(ProfileName::Classic), 3);
        m.hart.csr.tvec = tvec;
        put(&mut m, PC, &[n(Op::Ecall)]);
        step(&mut m);
        assert_eq!(m.hart.pc, tvec);
        let Exit::DoubleFault(trap) = step(&mut m) else {
            panic!("a double fault")
        };
        assert_eq!((trap.cause.code(), trap.tval), (cause, tvec));
    }
    let mut m = stage(&Profile::new(ProfileName::Classic), 3);
    lowest_superpage(&mut m);
    m.hart.csr.tvec = UNMAPPED;
    put(&mut m, PC, &[n(Op::Ecall)]);
    step(&mut m);
    let Exit::DoubleFault(trap) = step(&mut m) else {
        panic!("a double fault")
    };
    assert_eq!((trap.cause.code(), trap.tval), (12, UNMAPPED));
    // An illegal instruction in the handler is none: the run goes on, trap after trap.
    let mut m = stage(&Profile::new(ProfileName::Classic), 3);
    m.hart.csr.tvec = DATA;
    m.board.write(DATA, Width::Word, 0).expect("memory");
    put(&mut m, PC, &[n(Op::Ecall)]);
    step(&mut m);
    for _ in 0..3 {
        assert!(matches!(step(&mut m), Exit::Trap(_)));
        assert_eq!((m.hart.pc, m.hart.csr.epc), (DATA, DATA));
    }
}
