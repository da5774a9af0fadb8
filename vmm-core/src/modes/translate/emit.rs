//! From a unit to words of Ring32 code for the cache.
//!
//! Translated code runs in real ring 1, above `bound`: there, and only there, window accesses work, and the window
//! is the save area. Guest registers stay where they are; where a sequence needs a register of its own, it borrows one
//! and keeps the guest's value in the save area meanwhile. For every word emitted, a [`Place`] says what of
//! the guest's state stands where just before it, so that the monitor can answer a trap at any of them.
//!
//! A unit begins, when it is entered through the lookup table, with a check that it is the right one; then, however it
//! is entered, it takes its number of instructions off the guest's time ([`slot::LEFT`]), and where not that many
//! are left before the next virtual event it calls the monitor, which interprets the rest: so time is exact.

use toy_isa::hart::Status;
use toy_isa::instruction::Instruction;
use toy_isa::table::{Csr, Op};

use crate::modes::translate::unit::{Guest, Inline, Treatment};
use crate::modes::trap::allocator::Allocator;

/// Words of the save area that translated code uses, after the guest's state.
pub mod slot {
    /// Guest instructions left before the monitor must look.
    pub const LEFT: u32 = 32;
    /// The low word of the guest's clock when none are left.
    pub const DEADLINE: u32 = 33;
    /// The virtual interrupt lines that are pending and enabled.
    pub const PENDING: u32 = 34;
    /// A borrowed register's value; three of them.
    pub const SPILL: u32 = 35;
    /// All registers as they really were at an exit in the middle of a sequence.
    pub const RAW: u32 = 64;
    /// The lookup tables: of supervisor code, and of user code.
    pub const TABLES: [u32; 2] = [256, 384];
    /// Entries in a lookup table.
    pub const ENTRIES: u32 = 128;
}

/// The register that holds the guest's target address on the way through the lookup table: t0.
pub const TARGET: u8 = 5;
/// The other register that is borrowed on the way: t1.
const INDEX: u8 = 6;
/// The bits of an address that choose its entry in the lookup table.
const HASH: i32 = (4 * (slot::ENTRIES - 1)) as i32;

/// The port of the timer's register NOW, the clock's low word.
const NOW: i32 = 16;

/// Where the guest's program counter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// Here.
    Address(u32),
    /// In [`TARGET`].
    Target,
}

/// The guest's state just before a word of translated code executes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its program counter.
    pub at: At,
    /// Instructions that were taken off its time but have not retired.
    pub ahead: u32,
    /// Guest registers whose values are not in themselves but in a spill slot: register and slot.
    pub spilled: [Option<(u8, u32)>; 2],
    /// What the word is for.
    pub part: Part,
}

/// What a word of translated code is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The check at the entrance from the lookup table.
    Entrance,
    /// Taking time.
    Toll,
    /// The translation of this instruction of the unit, by number.
    Of(usize),
    /// The way out to this address of the guest.
    Way(u32),
}

/// Why a word of translated code calls the monitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Too little time is left for the whole unit.
    Deadline,
    /// The code at this address of the guest is not translated, or not yet known here: once it is, this word
    /// jumps to it.
    Way(u32),
    /// The lookup found another unit, or none.
    Missed,
    /// For this instruction of the unit.
    Callout(usize),
}

/// A translated unit, at its place.
#[derive(Clone, Debug)]
pub struct Code {
    /// The words.
    pub words: Vec<u32>,
    /// For each word.
    pub places: Vec<Place>,
    /// The words that call the monitor.
    pub calls: Vec<(usize, Call)>,
    /// The first word of what is executed however the unit is entered.
    pub body: usize,
    /// The first word of each instruction's translation.
    pub starts: Vec<usize>,
}

/// Writes instructions down, with the place of each.
struct Emitter {
    code: Code,
    place: Place,
    total: u32,
}

/// Translates a unit. `table` is the lookup table for its jumps.
pub fn emit(unit: &[Guest], table: u32) -> Code {
    let first = unit.first().map_or(0, |guest| guest.pc);
    let mut emitter = Emitter {
        code: Code {
            words: Vec::new(),
            places: Vec::new(),
            calls: Vec::new(),
            body: 0,
            starts: Vec::new(),
        },
        place: Place {
            at: At::Target,
            ahead: 0,
            spilled: [Some((TARGET, slot::SPILL + 1)), Some((INDEX, slot::SPILL + 2))],
            part: Part::Entrance,
        },
        total: unit.len() as u32,
    };
    emitter.entrance(first);
    emitter.toll(first);
    for (index, guest) in unit.iter().enumerate() {
        emitter.instruction(index, guest, table);
    }
    let last = unit.last();
    let goes_on = last.is_some_and(|last| {
        matches!(
            last.treatment,
            Treatment::Identical
                | Treatment::Constant(_)
                | Treatment::Inline(_)
                | Treatment::Callout
                | Treatment::Adapted
        )
    });
    if let Some(last) = last.filter(|_| goes_on) {
        emitter.way(last.pc.wrapping_add(4));
    }
    emitter.out_of_time(first);
    emitter.code
}

impl Emitter {
    fn word(&mut self, word: u32) {
        self.code.words.push(word);
        self.code.places.push(self.place);
    }

    fn op(&mut self, op: Op, rd: u8, rs1: u8, rs2: u8, imm: i32) {
        self.word(
            Instruction {
                op,
                rd,
                rs1,
                rs2,
                imm,
            }
            .encode(),
        );
    }

    fn call(&mut self, call: Call) {
        self.code.calls.push((self.code.words.len(), call));
        self.op(Op::Hcall, 0, 0, 0, 0);
    }

    /// rd = a word of the save area.
    fn load(&mut self, rd: u8, word: u32) {
        self.op(Op::Wlw, rd, 0, 0, 4 * word as i32);
    }

    /// A word of the save area = rs.
    fn store(&mut self, word: u32, rs: u8) {
        self.op(Op::Wsw, 0, 0, rs, 4 * word as i32);
    }

    fn constant(&mut self, rd: u8, value: u32) {
        let upper = value.wrapping_add(0x800) & 0xffff_f000;
        let lower = value.wrapping_sub(upper) as i32;
        match (upper, lower) {
            (0, _) => self.op(Op::Addi, rd, 0, 0, lower),
            (_, 0) => self.op(Op::Lui, rd, 0, 0, upper as i32),
            _ => {
                self.op(Op::Lui, rd, 0, 0, upper as i32);
                self.op(Op::Addi, rd, rd, 0, lower);
            }
        }
    }

    fn borrow(&mut self, register: u8) {
        self.store(slot::SPILL, register);
        self.place.spilled[0] = Some((register, slot::SPILL));
    }

    fn give_back(&mut self, register: u8) {
        self.load(register, slot::SPILL);
        self.place.spilled[0] = None;
    }

    /// From the lookup table: is this the unit of the address in [`TARGET`]?
    fn entrance(&mut self, pc: u32) {
        self.constant(INDEX, pc);
        self.op(Op::Beq, 0, TARGET, INDEX, 8);
        self.call(Call::Missed);
        self.load(TARGET, slot::SPILL + 1);
        self.place.at = At::Address(pc);
        self.place.spilled[0] = None;
        self.load(INDEX, slot::SPILL + 2);
        self.place.spilled[1] = None;
    }

    /// Takes the unit's instructions off the time that is left.
    fn toll(&mut self, pc: u32) {
        self.code.body = self.code.words.len();
        self.place = Place {
            at: At::Address(pc),
            ahead: 0,
            spilled: [None, None],
            part: Part::Toll,
        };
        self.borrow(TARGET);
        self.load(TARGET, slot::LEFT);
        self.op(Op::Addi, TARGET, TARGET, 0, -(self.total as i32));
        self.store(slot::LEFT, TARGET);
        self.place.ahead = self.total;
        // Aimed at the end of the unit once that is known.
        self.op(Op::Blt, 0, TARGET, 0, 0);
        self.give_back(TARGET);
    }

    /// Where the toll could not be paid.
    fn out_of_time(&mut self, pc: u32) {
        let branch = self.code.body + 4;
        let distance = 4 * (self.code.words.len() - branch) as i32;
        self.code.words[branch] = Instruction {
            op: Op::Blt,
            rd: 0,
            rs1: TARGET,
            rs2: 0,
            imm: distance,
        }
        .encode();
        self.place = Place {
            at: At::Address(pc),
            ahead: self.total,
            spilled: [Some((TARGET, slot::SPILL)), None],
            part: Part::Toll,
        };
        self.call(Call::Deadline);
    }

    /// A way out of the unit, whose instructions have all retired.
    fn way(&mut self, target: u32) {
        self.place = Place {
            at: At::Address(target),
            ahead: 0,
            spilled: [None, None],
            part: Part::Way(target),
        };
        self.call(Call::Way(target));
    }

    /// The way that a jump takes; the jump itself retires with it.
    fn jump(&mut self, target: u32) {
        self.place.part = Part::Way(target);
        self.call(Call::Way(target));
    }

    fn instruction(&mut self, index: usize, guest: &Guest, table: u32) {
        self.code.starts.push(self.code.words.len());
        self.place = Place {
            at: At::Address(guest.pc),
            ahead: self.total - index as u32,
            spilled: [None, None],
            part: Part::Of(index),
        };
        let Some(insn) = guest.insn else {
            return self.call(Call::Callout(index));
        };
        match guest.treatment {
            Treatment::Identical => self.word(guest.word),
            Treatment::Callout | Treatment::Adapted => self.call(Call::Callout(index)),
            Treatment::Constant(value) => self.constant(insn.rd, value),
            Treatment::Jump(target) => {
                if insn.rd != 0 {
                    self.constant(insn.rd, guest.pc.wrapping_add(4));
                }
                self.jump(target);
            }
            Treatment::Branch(target) => {
                self.op(insn.op, 0, insn.rs1, insn.rs2, 8);
                self.way(guest.pc.wrapping_add(4));
                self.way(target);
            }
            Treatment::Indirect => self.indirect(index, guest, insn, table),
            Treatment::Inline(inline) => self.inline(index, insn, inline),
        }
    }

    /// A jump to where a register points. The table holds, by some bits of the guest's address, where in the cache to
    /// try; the unit there checks whether it is the one that is meant.
    fn indirect(&mut self, index: usize, guest: &Guest, insn: Instruction, table: u32) {
        let link = guest.pc.wrapping_add(4);
        let spills = [(TARGET, slot::SPILL + 1), (INDEX, slot::SPILL + 2)];
        self.store(spills[0].1, TARGET);
        self.place.spilled[0] = Some(spills[0]);
        self.store(spills[1].1, INDEX);
        self.place.spilled[1] = Some(spills[1]);
        self.op(Op::Addi, TARGET, insn.rs1, 0, insn.imm);
        self.op(Op::Andi, TARGET, TARGET, 0, -2);
        // A target off a word boundary traps, and the jump with it.
        self.op(Op::Andi, INDEX, TARGET, 0, 2);
        self.op(Op::Beq, 0, INDEX, 0, 8);
        self.call(Call::Callout(index));
        match spills.iter().find(|(register, _)| *register == insn.rd) {
            Some((_, spill)) => {
                self.constant(INDEX, link);
                self.store(*spill, INDEX);
            }
            None if insn.rd != 0 => self.constant(insn.rd, link),
            None => {}
        }
        self.op(Op::Andi, INDEX, TARGET, 0, HASH);
        self.op(Op::Wlw, INDEX, INDEX, 0, 4 * table as i32);
        self.op(Op::Jalr, 0, INDEX, 0, 0);
    }

    /// rd = the guest's clock: the deadline, less what is left, less what this unit has paid for and not yet done.
    fn clock(&mut self, rd: u8, borrowed: u8) {
        self.load(rd, slot::DEADLINE);
        self.load(borrowed, slot::LEFT);
        self.op(Op::Sub, rd, rd, borrowed, 0);
        self.op(Op::Addi, rd, rd, 0, -(self.place.ahead as i32));
    }

    fn inline(&mut self, index: usize, insn: Instruction, inline: Inline) {
        let Instruction { rd, rs1, .. } = insn;
        // A register to borrow: any but the instruction's own.
        let borrowed = [5, 6, 7]
            .into_iter()
            .find(|register| *register != rd && *register != rs1)
            .unwrap_or(8);
        let word = |csr| Allocator::word_of(csr).unwrap_or_default();
        match inline {
            Inline::Read(_) | Inline::Clock if rd == 0 => self.op(Op::Addi, 0, 0, 0, 0),
            Inline::Read(csr) => self.load(rd, word(csr)),
            Inline::Clock => {
                self.borrow(borrowed);
                self.clock(rd, borrowed);
                self.give_back(borrowed);
            }
            Inline::Port => {
                self.borrow(borrowed);
                self.op(Op::Addi, borrowed, rs1, 0, -NOW);
                self.op(Op::Beq, 0, borrowed, 0, 8);
                self.call(Call::Callout(index));
                self.clock(rd, borrowed);
                self.give_back(borrowed);
            }
            Inline::Write(csr) => {
                let word = word(csr);
                let masked = csr == Csr::Epc;
                if rd == 0 && !masked {
                    return self.store(word, rs1);
                }
                self.borrow(borrowed);
                match masked {
                    true => self.op(Op::Andi, borrowed, rs1, 0, -4),
                    false => self.op(Op::Addi, borrowed, rs1, 0, 0),
                }
                if rd != 0 {
                    self.load(rd, word);
                }
                self.store(word, borrowed);
                self.give_back(borrowed);
            }
            Inline::Clear(bits) => {
                let bits = bits & Status::WRITABLE;
                self.borrow(borrowed);
                self.load(borrowed, word(Csr::Status));
                if rd != 0 {
                    self.op(Op::Addi, rd, borrowed, 0, 0);
                }
                self.op(Op::Andi, borrowed, borrowed, 0, !(bits as i32));
                self.store(word(Csr::Status), borrowed);
                self.give_back(borrowed);
            }
            Inline::Set(bits) => {
                let bits = bits & Status::WRITABLE;
                self.borrow(borrowed);
                self.load(borrowed, slot::PENDING);
                self.op(Op::Beq, 0, borrowed, 0, 8);
                self.call(Call::Callout(index));
                self.load(borrowed, word(Csr::Status));
                if rd != 0 {
                    self.op(Op::Addi, rd, borrowed, 0, 0);
                }
                self.op(Op::Ori, borrowed, borrowed, 0, bits as i32);
                self.store(word(Csr::Status), borrowed);
                self.give_back(borrowed);
            }
        }
    }
}
