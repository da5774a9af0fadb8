//! Generated programs: structured code that uses everything that the machine has, from a seed.
//!
//! Physical pages: 0 the trap handler, 1 and 2 code, 3 and 6 data, 4 and 5 page tables, 9 and 10 more code, where
//! relocation by 32 KiB leads. The tables map all of it to itself, and again by aliases.

use super::*;
use toy_isa::mmu::{PAGE, pte};
use toy_isa::table::{CSRS, OPS};

const ROOT: u32 = 0x4000;
const SECOND: u32 = 0x5000;
/// Where the aliases of the second-level table begin, and the superpage that maps everything once more.
const ALIASES: u32 = 0x1_0000;
const SUPERPAGE: u32 = 0x0040_0000;
/// Relocation by this leads from code to other code.
const FAR: u32 = 0x8000;
const CODE_BYTES: u32 = 0x600;

const ALL: u32 = pte::V | pte::R | pte::W | pte::X | pte::U;

/// A machine with a program, and the attempts that are worth making at it.
pub(crate) struct Generated {
    pub(crate) machine: Machine,
    pub(crate) fuel: u64,
}

/// The program of this seed.
pub(crate) fn generate(seed: u64) -> Generated {
    let mut g = Generator {
        rng: Rng(seed),
        words: Vec::new(),
        start: CODE + 0x800,
    };
    // Near the end of the page, so that the code goes on in the next one.
    g.start = CODE + 0x800 + 4 * g.rng.below(0x180);
    let profile = Profile::new(g.rng.pick(&ProfileName::ALL));
    let tlb = g.rng.pick(&[1, 2, 64]);
    let disk = g.code(8 * 512);
    let input = if g.rng.one_in(4) {
        b"input".to_vec()
    } else {
        Vec::new()
    };
    let mut machine = Machine::new(Config {
        memory: MEMORY,
        profile: Arc::new(profile),
        disk: disk.iter().flat_map(|word| word.to_le_bytes()).collect(),
        input,
        tlb,
    });
    put(&mut machine, 0, &g.code(0x200));
    put(&mut machine, HANDLER, &g.handler());
    for at in [0, FAR] {
        put(&mut machine, g.start + at, &g.code(CODE_BYTES));
        for data in [0x3000, 0x6000] {
            put(&mut machine, data + at, &g.code(0x200));
        }
    }
    g.tables(&mut machine);
    g.registers(&mut machine);
    Generated { machine, fuel: 1500 }
}

struct Generator {
    rng: Rng,
    words: Vec<u32>,
    /// Where the code begins.
    start: u32,
}

impl Generator {
    fn tables(&mut self, machine: &mut Machine) {
        put(machine, ROOT, &[pte::entry(SECOND, pte::V), pte::entry(0, ALL)]);
        for page in 0..32 {
            let entry = if page < 16 {
                let closed = if self.rng.one_in(16) {
                    self.rng.below(256)
                } else {
                    0
                };
                pte::entry(page * PAGE, ALL ^ closed)
            } else {
                self.entry()
            };
            put(machine, SECOND + 4 * page, &[entry]);
        }
    }

    fn registers(&mut self, machine: &mut Machine) {
        for x in 1..16 {
            machine.hart.x[x] = self.value();
        }
        let [data, code, table, alias] = self.pointers();
        machine.hart.x[1] = data;
        machine.hart.x[8] = code;
        machine.hart.x[9] = table;
        machine.hart.x[11] = alias;
        machine.hart.pc = self.start;
        machine.hart.csr.tvec = HANDLER;
        machine.hart.csr.status.0 = self.rng.below(4) | self.rng.below(2) << 4 | self.rng.below(4) << 8;
        if self.rng.one_in(2) {
            machine.hart.csr.ptbr = ROOT | 1;
        }
        machine.board.pace.clock = self.rng.pick(&[0, 0xffff_ff00, 0x1_0000_0000]);
    }

    /// Data, code, a page table, an alias.
    fn pointers(&mut self) -> [u32; 4] {
        let near = |g: &mut Generator| 4 * g.rng.below(64);
        [
            self.rng.pick(&[0x3100, 0x6100]) + near(self),
            self.start + near(self),
            SECOND + near(self) / 2,
            self.rng.pick(&[ALIASES, SUPERPAGE]) + self.start + near(self),
        ]
    }

    /// A page-table entry: nearly always one that allows something.
    fn entry(&mut self) -> u32 {
        let frame = self.rng.pick(&[0, 1, 1, 2, 3, 5, 6, 9, 10]) * PAGE;
        let flags = match self.rng.below(8) {
            0 => self.rng.below(256),
            1 => ALL & !pte::U,
            2 => ALL | pte::A,
            _ => ALL,
        };
        pte::entry(frame, flags)
    }

    /// `bytes` of code that ends with a jump back into it.
    fn code(&mut self, bytes: u32) -> Vec<u32> {
        self.words.clear();
        let words = bytes as usize / 4;
        while self.words.len() < words - 1 {
            self.piece();
        }
        self.words.truncate(words - 1);
        self.push(word(Op::Jal, 0, 0, 0, 8 - bytes as i32));
        std::mem::take(&mut self.words)
    }

    /// Goes on after the instruction that trapped, or begins again if the code was lost; `hcall` comes back in ring
    /// 0; an interrupt is acknowledged and the timer armed again.
    fn handler(&mut self) -> Vec<u32> {
        let interrupt = 4 * self.rng.below(30) as i32 + 1;
        let [begin, again] = li(15, self.start);
        let [disk, status] = li(14, 0x24);
        vec![
            c(Op::Csrrs, 14, Csr::Cause, 0),
            b(Op::Blt, 14, 0, 4 * 15),
            i(Op::Addi, 13, 0, 1),
            b(Op::Beq, 14, 13, 4 * 9),
            i(Op::Addi, 13, 0, 12),
            b(Op::Beq, 14, 13, 4 * 7),
            i(Op::Addi, 13, 0, 24),
            b(Op::Bne, 14, 13, 8),
            c(Op::Csrrci, 0, Csr::Status, 12),
            c(Op::Csrrs, 15, Csr::Epc, 0),
            i(Op::Addi, 15, 15, 4),
            word(Op::Jal, 0, 0, 0, 12),
            begin,
            again,
            c(Op::Csrrw, 0, Csr::Epc, 15),
            n(Op::Mret),
            disk,
            status,
            r(Op::Out, 0, 14, 0),
            c(Op::Csrrs, 15, Csr::Instret, 0),
            i(Op::Addi, 15, 15, interrupt),
            c(Op::Csrrw, 0, Csr::Timer, 15),
            n(Op::Mret),
        ]
    }

    fn push(&mut self, word: u32) {
        self.words.push(word);
    }

    fn load(&mut self, rd: u8, value: u32) {
        self.words.extend(li(rd, value));
    }

    /// A register that may be written: most of the time none of the pointers.
    fn rd(&mut self) -> u8 {
        if self.rng.one_in(24) {
            self.rng.below(16) as u8
        } else {
            self.rng.pick(&[0, 2, 3, 4, 5, 6, 7, 10, 12])
        }
    }

    fn rs(&mut self) -> u8 {
        self.rng.below(16) as u8
    }

    fn pointer(&mut self) -> u8 {
        self.rng.pick(&[1, 1, 8, 9, 11])
    }

    fn offset(&mut self) -> i32 {
        let aligned = self.rng.below(128) as i32 * 4 - 128;
        if self.rng.one_in(8) {
            aligned + self.rng.below(4) as i32
        } else {
            aligned
        }
    }

    fn value(&mut self) -> u32 {
        match self.rng.below(6) {
            0 => self.rng.below(64),
            1 => self.rng.pick(&[0, 1, u32::MAX, 0x8000_0000, 0x7fff_ffff]),
            2 => self.rng.below(MEMORY / 4) * 4,
            3 => self.rng.pick(&[0xf000_0000, 0xf000_1008, NOWHERE, SUPERPAGE]),
            4 => self.innocuous(),
            _ => self.rng.next() as u32,
        }
    }

    /// An instruction that computes.
    fn innocuous(&mut self) -> u32 {
        let row = &OPS[self.rng.below(Op::Jal as u32) as usize];
        let imm = self.rng.below(4096) as i32 - 2048;
        word(
            row.op,
            self.rd(),
            self.rs(),
            self.rs(),
            if row.bits & 0x7f == 0x13 { imm } else { imm << 12 },
        )
    }

    fn memory(&mut self) -> u32 {
        let op = self.rng.pick(&[
            Op::Lb,
            Op::Lh,
            Op::Lw,
            Op::Lw,
            Op::Lbu,
            Op::Lhu,
            Op::Sb,
            Op::Sh,
            Op::Sw,
            Op::Sw,
        ]);
        let (pointer, offset) = (self.pointer(), self.offset());
        if matches!(op, Op::Sb | Op::Sh | Op::Sw) {
            s(op, self.rs(), pointer, offset)
        } else {
            i(op, self.rd(), pointer, offset)
        }
    }

    /// An instruction or a few that belong together.
    fn piece(&mut self) {
        match self.rng.below(32) {
            0..7 => {
                let word = self.innocuous();
                self.push(word);
            }
            7..11 => {
                let word = self.memory();
                self.push(word);
            }
            11 => self.store_code(),
            12 | 13 => self.jump(),
            14 => self.counted_loop(),
            15 => {
                let (rd, value) = (self.rd(), self.value());
                self.load(rd, value);
            }
            16 => {
                let pointers = self.pointers();
                for (register, value) in [1, 8, 9, 11].into_iter().zip(pointers) {
                    self.load(register, value);
                }
            }
            17 => {
                let op = self.rng.pick(&[
                    Op::Ecall,
                    Op::Ebreak,
                    Op::Hcall,
                    Op::Hcall,
                    Op::FenceI,
                    Op::Vminval,
                ]);
                self.push(n(op));
            }
            18 | 19 => self.control_register(),
            20 => self.arm_timer(),
            21 => self.paging(),
            22 => self.relocation(),
            23 => self.limits(),
            24 => self.change_ring(),
            25 => self.wait(),
            26 => {
                let rs1 = self.rng.pick(&[0, 1, 8]);
                self.push(r(Op::SfenceVma, 0, rs1, 0));
            }
            27 => self.transfer(),
            28 => self.store_entry(),
            29 => self.port(),
            30 => {
                let op = self.rng.pick(&[Op::Prober, Op::Probew, Op::Wlw, Op::Wsw]);
                let word = word(op, self.rd(), self.pointer(), self.rs(), 0);
                self.push(word);
            }
            _ => self.rarity(),
        }
    }

    /// Stores an instruction: over itself or the next one, further on, on the next page, or behind.
    fn store_code(&mut self) {
        let [high, low] = {
            let word = self.innocuous();
            li(7, word)
        };
        let offset = self.rng.pick(&[4, 8, 8, 8, 12, 16, 0x200, 0x7fc, -0x100, -64]);
        let op = self.rng.pick(&[Op::Sw, Op::Sw, Op::Sb]);
        self.words
            .extend([high, low, word(Op::Auipc, 8, 0, 0, 0), s(op, 7, 8, offset)]);
    }

    fn jump(&mut self) {
        let near = 4 * (self.rng.below(20) as i32 - 4);
        let odd = if self.rng.one_in(16) { 2 } else { 0 };
        match self.rng.below(6) {
            0 => {
                let rd = self.rd();
                self.push(word(Op::Jal, rd, 0, 0, near | odd));
            }
            1 => {
                let (rd, offset) = (self.rd(), self.offset());
                let through = self.rng.pick(&[8, 8, 11]);
                self.push(i(Op::Jalr, rd, through, offset & !3 | odd));
            }
            _ => {
                let op = self
                    .rng
                    .pick(&[Op::Beq, Op::Bne, Op::Blt, Op::Bge, Op::Bltu, Op::Bgeu]);
                let (rs1, rs2) = (self.rs(), self.rs());
                self.push(b(op, rs1, rs2, near | odd));
            }
        }
    }

    fn counted_loop(&mut self) {
        let rounds = self.rng.below(12) as i32 + 1;
        let body = if self.rng.one_in(2) {
            self.memory()
        } else {
            self.innocuous()
        };
        self.words.extend([
            i(Op::Addi, 12, 0, rounds),
            body,
            i(Op::Addi, 12, 12, -1),
            b(Op::Blt, 0, 12, -8),
        ]);
    }

    fn control_register(&mut self) {
        let op = self.rng.pick(&[
            Op::Csrrw,
            Op::Csrrs,
            Op::Csrrs,
            Op::Csrrc,
            Op::Csrrwi,
            Op::Csrrsi,
            Op::Csrrci,
        ]);
        let csr = CSRS[self.rng.below(CSRS.len() as u32) as usize].csr;
        // A lost handler ends the program; that must stay rare.
        let source = if self.rng.one_in(2) || csr == Csr::Tvec && !self.rng.one_in(8) {
            0
        } else {
            self.rs()
        };
        let op = if csr == Csr::Tvec && source == 0 {
            Op::Csrrs
        } else {
            op
        };
        let rd = self.rd();
        self.push(c(op, rd, csr, source));
    }

    fn arm_timer(&mut self) {
        let ticks = self.rng.below(40) as i32 + 1;
        self.words.extend([
            c(Op::Csrrs, 2, Csr::Instret, 0),
            i(Op::Addi, 2, 2, ticks),
            c(Op::Csrrw, 0, Csr::Timer, 2),
        ]);
        let enabled = self.rng.pick(&[1, 2, 3, 3, 7]) << 16;
        self.load(3, enabled);
        self.push(c(Op::Csrrw, 0, Csr::Irq, 3));
        let op = self.rng.pick(&[Op::Csrrsi, Op::Csrrsi, Op::Csrrci]);
        self.push(c(op, 0, Csr::Status, 16));
    }

    fn paging(&mut self) {
        let root = self.rng.pick(&[0, ROOT | 1, ROOT | 1, ROOT | 1]);
        self.load(2, root);
        self.push(c(Op::Csrrw, 0, Csr::Ptbr, 2));
    }

    fn relocation(&mut self) {
        let base = self
            .rng
            .pick(&[0, FAR, FAR, FAR + 4, FAR - 4, SUPERPAGE, 0_u32.wrapping_sub(FAR)]);
        let op = self.rng.pick(&[Op::Csrrs, Op::Csrrc]);
        self.load(2, base);
        self.load(3, 0x40);
        self.push(c(Op::Csrrw, 0, Csr::Base, 2));
        self.push(c(op, 0, Csr::Status, 3));
    }

    fn limits(&mut self) {
        let limit = self
            .rng
            .pick(&[u32::MAX, u32::MAX, MEMORY, 0x2000, 0x2102, 0x3100, 0xffff_f000]);
        let csr = self.rng.pick(&[Csr::Bound, Csr::Xbound]);
        self.load(2, limit);
        self.push(c(Op::Csrrw, 0, csr, 2));
    }

    fn change_ring(&mut self) {
        let fields = self.rng.below(4) << 2 | self.rng.below(2) << 5 | u32::from(self.rng.one_in(4)) << 7;
        let target = self.start + 4 * self.rng.below(CODE_BYTES / 4);
        self.load(2, 0xac);
        self.push(c(Op::Csrrc, 0, Csr::Status, 2));
        self.load(2, fields);
        self.push(c(Op::Csrrs, 0, Csr::Status, 2));
        self.load(2, target);
        self.push(c(Op::Csrrw, 0, Csr::Epc, 2));
        self.push(n(Op::Mret));
    }

    fn wait(&mut self) {
        if !self.rng.one_in(16) {
            self.arm_timer();
        }
        self.push(n(Op::Wfi));
    }

    /// Starts the disk, by ports or by memory; what it reads is code.
    fn transfer(&mut self) {
        let mapped = self.rng.one_in(3);
        let address = match self.rng.below(8) {
            0 => self.value(),
            1 => SECOND,
            2 => 0x3000,
            _ => (self.start & !0x1ff) + 0x200 * self.rng.below(4),
        };
        let settings = [
            self.rng.below(9),
            address,
            self.rng.below(3),
            self.rng.pick(&[1, 1, 1, 2]),
        ];
        if mapped {
            self.load(2, 0xf000_2000);
        }
        for (register, value) in settings.into_iter().enumerate() {
            self.load(3, value);
            if mapped {
                self.push(s(Op::Sw, 3, 2, 4 * register as i32));
            } else {
                self.load(2, 0x20 + register as u32);
                self.push(r(Op::Out, 0, 2, 3));
            }
        }
    }

    fn store_entry(&mut self) {
        let entry = self.entry();
        let page = self.rng.pick(&[1, 2, 3, 5, 6, 16, 17, 18, 19, 20]);
        // The code's own pages keep their places, most of the time.
        let entry = if page < 3 && !self.rng.one_in(4) {
            pte::entry(page * PAGE, ALL)
        } else {
            entry
        };
        self.load(7, entry);
        self.load(9, SECOND + 4 * page);
        self.push(s(Op::Sw, 7, 9, 0));
    }

    fn port(&mut self) {
        let port = self.rng.pick(&[0, 1, 0x10, 0x11, 0x12, 0x20, 0x24, 0x25, 0x99]);
        self.load(2, port);
        let word = if self.rng.one_in(2) {
            i(Op::In, self.rd(), 2, 0)
        } else {
            r(Op::Out, 0, 2, self.rs())
        };
        self.push(word);
    }

    fn rarity(&mut self) {
        match self.rng.below(16) {
            0 => {
                self.load(2, 0x30);
                self.push(r(Op::Out, 0, 2, 3));
            }
            1 => self.push(n(Op::Mret)),
            2 => {
                self.load(2, NOWHERE);
                self.push(c(Op::Csrrw, 0, Csr::Tvec, 2));
            }
            _ => {
                let word = self.rng.next() as u32;
                self.push(word);
            }
        }
    }
}
