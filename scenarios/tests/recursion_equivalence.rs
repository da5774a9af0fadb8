//! The machine that the monitor in Ring32 assembly gives to its guest is like the bare one: random programs, which use
//! everything privileged in every ring, leave the same memory behind at every depth, to the clock values in it.

use std::fmt::Write;

use scenarios::Scenario;
use toy_isa::asm::{Options, Source, assemble};
use toy_isa::image::Image;
use toy_isa::profile::{Profile, ProfileName};
use vmm_core::engine::EngineName;
use vmm_core::mode::{End, ModeName};
use vmm_core::run::Run;
use vmm_core::setup::Setup;

const PAGE: u32 = 4096;
const MONITOR_SIZE: u32 = 2 * PAGE;
/// Memory of a random program.
const ROOM: u32 = 1 << 20;
/// Where it may store, and how much of that.
const WORK: std::ops::Range<u32> = 0x400..0x440;
const BUDGET: u64 = 100_000_000;

const FRAME: &str = include_str!("recursion_equivalence/frame.s");

/// Vigna's xorshift64*.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) as u32
    }

    fn below(&mut self, limit: u32) -> u32 {
        self.next() % limit
    }

    fn one<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u32) as usize]
    }
}

/// Registers that programs may change, with their numbers.
const FREE: [(&str, u32); 7] = [
    ("a0", 10),
    ("a1", 11),
    ("a2", 12),
    ("a3", 13),
    ("a4", 14),
    ("a5", 15),
    ("t2", 7),
];

/// Numbers of all control registers, and some that no control register has.
const CSRS: [u32; 22] = [
    0x300, 0x305, 0x340, 0x341, 0x342, 0x343, 0x7c0, 0x7c1, 0x7c2, 0x7c3, 0x7c4, 0x7c5, 0x7c6, 0x7c7, 0xc02,
    0xc82, 0xf14, 0xfc0, 0x304, 0x7c8, 0x34f, 0xc01,
];
const TVEC: u32 = 0x305;
const STATUS: u32 = 0x7c0;
const PTBR: u32 = 0x7c1;

/// A program that is being made.
struct Program {
    random: Random,
    text: String,
    /// Whether what comes next will run in ring 0. There it must not lose its own footing.
    kernel: bool,
    /// Where its memory ends.
    limit: u32,
}

impl Program {
    fn line(&mut self, text: &str) {
        self.text += "        ";
        self.text += text;
        self.text += "\n";
    }

    fn word(&mut self, word: u32) {
        self.line(&format!(".word {word:#x}"));
    }

    /// Gives a free register a value, and says which.
    fn set(&mut self, value: u32) -> (&'static str, u32) {
        let register = self.random.one(&FREE);
        self.line(&format!("li {}, {value:#x}", register.0));
        register
    }

    /// A number to write to; of one register in twelve that there is not.
    fn register(&mut self) -> u32 {
        match self.random.below(12) {
            0 => 0,
            1 => 16 + self.random.below(16),
            _ => self.random.one(&FREE).1,
        }
    }

    fn value(&mut self) -> u32 {
        match self.random.below(5) {
            0 => self.random.next(),
            1 => self.random.below(64),
            2 => (self.limit + self.random.below(16)).wrapping_sub(8),
            3 => 1 << self.random.below(32),
            _ => !self.random.below(16),
        }
    }

    /// One instruction, with what it needs before it.
    fn instruction(&mut self) {
        match self.random.below(16) {
            0..=5 => self.control_register(),
            6 => self.port_in(),
            7 => self.port_out(),
            8 => self.timer(),
            9 => {
                let (value, rs2, rd) = (self.value(), self.register(), self.register());
                let rs1 = self.set(value).1;
                let probe = self.random.one(&[0x0600_000b, 0x0800_000b]);
                self.word(probe | rs2 << 20 | rs1 << 15 | rd << 7);
            }
            10 => self.window(),
            11 | 12 => self.memory(),
            13 => {
                // A jump to nowhere.
                let target = self
                    .random
                    .one(&[self.limit.max(0x6000), 0x4000_0000, 0x7fff_fffc, 6]);
                let register = self.set(target).0;
                self.line(&format!("jalr ra, 0({register})"));
            }
            14 => {
                // What traps in every ring, and words that mean nothing.
                let word = self.random.one(&[
                    0x0000_0073,
                    0x0010_0073,
                    0x0000_000b,
                    0,
                    0xffff_ffff,
                    0x2000_000b,
                    0x2405_000b,
                    0x0020_0073,
                    0x1050_00f3,
                    0x0a00_000b,
                    0x1300_0073,
                    0x0000_400b,
                ]);
                self.word(word);
            }
            _ if self.kernel && self.random.below(2) == 0 => self.relocation(),
            _ => {
                // Fences, of registers that there are and are not; and `mret` and `wfi`, where they trap.
                let word = match self.kernel {
                    true => self.random.one(&[
                        0x1200_0073,
                        0x12b5_0073,
                        0x1284_0073,
                        0x1390_0073,
                        0x120a_0073,
                        0x100f,
                    ]),
                    false => self
                        .random
                        .one(&[0x1200_0073, 0x12b5_0073, 0x3020_0073, 0x1050_0073, 0x000f]),
                };
                self.word(word);
            }
        }
    }

    /// One of the six instructions on one of the registers, and what it reads after that.
    fn control_register(&mut self) {
        let number = self.random.one(&CSRS);
        let mut function = self.random.one(&[1, 2, 3, 5, 6, 7]);
        let (mut source, mut small) = (self.value(), self.random.below(32));
        // Relocation of the running code, paging, and another handler would be the end of the program.
        match number {
            STATUS if self.kernel => source &= !0x40,
            PTBR if self.kernel => (source, small) = (source & !1, small & !1),
            TVEC if self.kernel => {
                (source, small) = (source & 3, small & 3);
                function += u32::from(function & 3 == 1);
            }
            _ => {}
        }
        let rs1 = self.set(source).1;
        let field = match function {
            4.. => small,
            _ => self.random.one(&[rs1, rs1, rs1, 0, 16 + rs1]),
        };
        let rd = self.register();
        self.word(number << 20 | field << 15 | function << 12 | rd << 7 | 0x73);
        self.word(number << 20 | 0x2573); // csrr a0, number
    }

    /// In ring 0, not from the disk, and not with its number for power.
    fn port_in(&mut self) {
        let port = match self.kernel {
            true => self
                .random
                .one(&[0, 1, 5, 16, 17, 18, 19, 0x1_0012, 48, 64, 0xffff]),
            false => self.random.one(&[0, 16, 18, 32, 48]),
        };
        let (rs1, rd) = (self.set(port).1, self.register());
        let word = self.random.one(&[0x0200_000b, 0x0200_000b, 0x0210_000b]);
        self.word(word | rs1 << 15 | rd << 7);
    }

    fn port_out(&mut self) {
        let port = match self.kernel {
            true => self.random.one(&[0, 1, 5, 17, 18, 19, 0x1_0000]),
            false => self.random.one(&[0, 18, 48]),
        };
        let letter = self.random.one(b"xyz");
        self.line(&format!("li a0, {port:#x}"));
        self.line(&format!("li a1, {letter}"));
        let word = self.random.one(&[0x04b5_000b, 0x04b5_000b, 0x04b5_008b]); // out a0, a1
        self.word(word);
    }

    /// The timer is due soon. In ring 0, perhaps a wait for it; or, when it was due, for the time that it is due again,
    /// which is a carry of the clock.
    fn timer(&mut self) {
        let lines = self.random.one(&[0x1_0000, 0x1_0000, 0x7_0000, 0]);
        let register = self.set(lines).0;
        self.line(&format!("csrw irq, {register}"));
        self.line("csrr a0, instret");
        let ticks = self.random.below(40);
        self.line(&format!("addi a0, a0, {ticks}"));
        self.line("csrw timer, a0");
        if !self.kernel {
            return;
        }
        let enable = self.random.one(&["csrci status, 16", "csrsi status, 16"]);
        self.line(enable);
        if lines != 0 && self.random.below(2) == 0 {
            if self.random.below(2) == 0 {
                self.line("addi a0, a0, -2000");
                self.line("csrw timer, a0");
            }
            self.line("wfi");
        }
    }

    /// A load and a store through the window at 0x100, at WORK, across the end of memory and beyond it.
    fn window(&mut self) {
        self.line("li a1, 0x100");
        self.line("csrw window, a1");
        let place = self.random.one(&[
            WORK.start,
            WORK.start + 2,
            WORK.start + 1,
            ROOM - 4,
            ROOM,
            ROOM - 2,
        ]);
        self.line(&format!("li a3, {:#x}", place - 0x104));
        let rd = self.random.one(&["a0", "a2", "x0"]);
        self.line(&format!("wlw {rd}, 4(a3)"));
        let place = self
            .random
            .one(&[WORK.start, WORK.start + 2, WORK.start + 1, ROOM, ROOM - 1]);
        let offset = self.random.one(&[0, 4, -4]);
        self.line(&format!(
            "li a3, {:#x}",
            (place - 0x100).wrapping_add_signed(-offset)
        ));
        self.line(&format!("wsw a2, {offset}(a3)"));
    }

    /// A load, around the limit or far beyond it; a store where that is harmless.
    fn memory(&mut self) {
        let address = match self.random.below(4) {
            0 => WORK.start + self.random.below(64),
            1 => self.limit + self.random.below(9) - 4,
            2 => self.limit + self.random.below(0x1000),
            _ => self.random.one(&[0x4000_0000, 0x7fff_fffc, 0x1234_5678]),
        };
        self.line(&format!("li a5, {address:#x}"));
        if WORK.contains(&address) || address >= self.limit {
            let store = self.random.one(&["sw", "sh", "sb"]);
            self.line(&format!("{store} zero, 0(a5)"));
        }
        let (load, rd) = (
            self.random.one(&["lw", "lh", "lhu", "lb", "lbu"]),
            self.random.one(&FREE).0,
        );
        self.line(&format!("{load} {rd}, 0(a5)"));
    }

    /// Relocation by 64 under the running code: what comes next stands 64 bytes further on, for two instructions. Then
    /// it ends, by `status` or by `base`.
    fn relocation(&mut self) {
        let (end, after) = self
            .random
            .one(&[("csrc status, a1", "nop"), ("csrw base, zero", "csrc status, a1")]);
        for line in [
            "li a1, 64",
            "csrw base, a1",
            "csrs status, a1",
            "nop",
            "nop",
            after,
            "j 2f",
            ".space 48",
        ] {
            self.line(line);
        }
        self.line(&format!("lw a2, {}(zero)", WORK.start));
        self.line(end);
        self.text += "2:\n";
    }

    /// Instructions in some ring, with some relocation and limits, on a page of their own behind an empty one.
    fn block(&mut self, number: u32) {
        let ring = self.random.below(4);
        let relocated = ring != 0 && self.random.below(3) > 0;
        let piece = 0x3000 + self.random.one(&[0, 4, 0x80, 0x1ffd]);
        let (bound, xbound) = match (ring, relocated) {
            (0, _) => (self.random.next(), self.random.next()),
            (_, false) => (ROOM + self.random.one(&[0, 4, 64, 0x1000]), u32::MAX),
            (3, true) => (piece, self.random.one(&[piece, 0x2ffc, 0x6000])),
            (_, true) => (piece, piece),
        };
        let (base, entry) = match relocated {
            true => (format!("la t0, block_{number}-{PAGE}"), format!("li t0, {PAGE}")),
            false => ("li t0, 0x1230".to_string(), format!("la t0, block_{number}")),
        };
        let status = ring << 2 | 32 | u32::from(relocated) << 7;
        for line in [
            "la t0, 1f",
            "sw t0, NEXT(zero)",
            "li s0, 0",
            &base,
            "csrw base, t0",
            &format!("li t0, {bound:#x}"),
            "csrw bound, t0",
            &format!("li t0, {xbound:#x}"),
            "csrw xbound, t0",
            &format!("li t0, {status}"),
            "csrw status, t0",
            &entry,
            "csrw epc, t0",
            "mret",
            ".align 12",
            &format!(".space {PAGE}"),
        ] {
            self.line(line);
        }
        let _ = writeln!(self.text, "block_{number}:");
        self.kernel = ring == 0;
        self.limit = if relocated { piece } else { ROOM };
        for _ in 0..30 {
            self.instruction();
        }
        self.line("li s0, 1");
        self.line("ecall");
        self.text += "1:\n";
    }
}

/// The random program of this seed.
fn program(seed: u64) -> String {
    let mut program = Program {
        random: Random(seed),
        text: FRAME.to_string(),
        kernel: true,
        limit: ROOM,
    };
    for number in 0..24 {
        program.block(number);
    }
    for line in ["li t0, 48", "li t1, 5", "out t0, t1", ".align 12"] {
        program.line(line);
    }
    program.text + "random_log:\n"
}

fn image(seed: u64, depth: u32) -> Image {
    let mut sources = Vec::new();
    if depth > 0 {
        sources = Scenario::shipped("recursion-1").expect("it is good").sources;
        sources.retain(|source| ["monitor.s", "routines.s", "report.s"].contains(&source.name.as_str()));
        let mut layout = format!("        .equ    MEMORY, {}\n", memory(depth));
        let _ = writeln!(layout, "        .org    {MONITOR_SIZE}");
        for inside in (1..depth).rev() {
            let _ = writeln!(
                layout,
                "        .word   0, {}, 0, 0\n        .space  {MONITOR_SIZE}-16",
                memory(inside)
            );
        }
        sources.push(Source::new("layout.s", layout));
    }
    sources.push(Source::new("random.s", program(seed)));
    let options = Options {
        origin: 0,
        defines: vec![
            ("RANDOM_ROOM".to_string(), i64::from(ROOM)),
            ("WORK".to_string(), i64::from(WORK.start)),
        ],
    };
    assemble(&sources, &options).unwrap_or_else(|errors| panic!("{}", errors[0]))
}

/// Of so many monitors and a random program.
fn memory(depth: u32) -> u32 {
    depth * MONITOR_SIZE + ROOM
}

/// Runs the program under so many monitors: its memory at the end, and what the machine printed.
fn run(seed: u64, depth: u32) -> (Vec<u8>, String) {
    let setup = Setup::new(
        image(seed, depth),
        memory(depth),
        Profile::new(ProfileName::Classic),
    );
    let mut run = Run::new(&setup, ModeName::Bare, EngineName::Auto).expect("the program fits");
    let end = run.finish(BUDGET);
    let view = run.guest();
    let console = String::from_utf8_lossy(view.devices.console.output()).into_owned();
    assert_eq!(end, End::PowerOff(5), "seed {seed}, depth {depth}: {console}");
    let first = depth * MONITOR_SIZE / PAGE;
    let memory = (first..first + ROOM / PAGE)
        .flat_map(|page| view.page(page).expect("the page is there").to_vec())
        .collect();
    (memory, console)
}

#[test]
fn random_programs_find_the_same_machine_at_every_depth() {
    for seed in 1..=10 {
        let (bare, console) = run(seed, 0);
        for depth in 1..=2 {
            let (memory, with_log) = run(seed, depth);
            let mut words = bare.chunks(4).zip(memory.chunks(4));
            let differs = words.position(|(a, b)| a != b).map(|word| 4 * word);
            assert_eq!(
                differs, None,
                "the address of the first word, seed {seed}, depth {depth}"
            );
            assert!(
                with_log.starts_with(&format!("{console}Level {depth}:")),
                "{with_log}"
            );
        }
    }
}
