//! The instructions and operands with which a row is tried. They come from the row's encoding alone; what the table
//! declares about the row is not looked at.

use toy_isa::instruction::Instruction;
use toy_isa::row::Row;
use toy_isa::table::{Csr, Form, Op};

use super::domain::{FAMILIES, OWN, RANDOM_FAMILIES};
use super::random::{Random, SEED};

/// An instruction with the values of its operands, and where it is tried.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// The instruction.
    pub(crate) insn: Instruction,
    /// What a0 holds: the first operand of what is enumerated.
    pub(crate) a0: u32,
    /// What a1 holds: the second operand of what is enumerated.
    pub(crate) a1: u32,
    /// The references in whose situations it is tried: all that are enumerated, or one that was drawn at random.
    pub(crate) families: (usize, usize),
}

impl Sample {
    /// Whether its operands were drawn at random.
    pub(crate) fn is_random(&self) -> bool {
        self.families.0 >= FAMILIES
    }
}

/// Random samples of each row.
pub(crate) const RANDOM: u32 = 64;

const A0: u8 = 10;
const A1: u8 = 11;
const A2: u8 = 12;

/// Values of the first operand: extremes, the edges of the program's memory, single bits of `status`.
const FIRST: [u32; 10] = [
    0x10,
    0,
    1,
    3,
    0x40,
    OWN - 4,
    OWN,
    0x7fff_ffff,
    0x8000_0000,
    u32::MAX,
];
/// Values of the second operand.
const SECOND: [u32; 6] = [1, 0, 3, 0x5555_5555, 0x8000_0000, u32::MAX];

/// Every sample of a row: first what is enumerated, then what is drawn at random.
pub(crate) fn samples(row: Row) -> Vec<Sample> {
    let mut all = Vec::new();
    for insn in instructions(row) {
        let first = if insn.rs1 == A0 && !is_immediate(insn) {
            &FIRST[..]
        } else {
            &FIRST[..1]
        };
        let second = if insn.rs2 == A1 { &SECOND[..] } else { &SECOND[..1] };
        for a0 in first {
            all.extend(second.iter().map(|a1| Sample {
                insn,
                a0: *a0,
                a1: *a1,
                families: (0, FAMILIES),
            }));
        }
    }
    let mut random = Random(SEED ^ ((row.index() as u64 + 1) << 32));
    let shapes = instructions(row);
    for _ in 0..RANDOM {
        let shape = shapes[random.below(shapes.len() as u32) as usize];
        let family = FAMILIES + random.below(RANDOM_FAMILIES as u32) as usize;
        all.push(Sample {
            insn: randomized(shape, &mut random),
            a0: operand(&mut random),
            a1: operand(&mut random),
            families: (family, family + 1),
        });
    }
    all
}

/// Whether the field of the first operand is a value and no register's name.
fn is_immediate(insn: Instruction) -> bool {
    insn.op.row().form == Form::CsrImm
}

/// The operand classes of a row: each of its instructions with plain registers, with one register for everything,
/// with x0 as target, and with extreme immediates.
fn instructions(row: Row) -> Vec<Instruction> {
    match row {
        Row::Op(op) => of_op(op),
        Row::Read(csr) => {
            let read = |op, rd| access(op, rd, 0, csr);
            vec![
                read(Op::Csrrs, A2),
                read(Op::Csrrc, A2),
                read(Op::Csrrsi, A2),
                read(Op::Csrrci, A2),
                read(Op::Csrrs, 0),
            ]
        }
        Row::Write(csr) => vec![
            access(Op::Csrrw, 0, A0, csr),
            access(Op::Csrrw, A2, A0, csr),
            access(Op::Csrrs, A2, A0, csr),
            access(Op::Csrrc, A2, A0, csr),
            access(Op::Csrrw, A0, A0, csr),
            access(Op::Csrrw, A2, 0, csr),
            access(Op::Csrrwi, A2, 0, csr),
            access(Op::Csrrwi, A2, 31, csr),
            access(Op::Csrrsi, A2, 31, csr),
            access(Op::Csrrci, A2, 31, csr),
        ],
    }
}

fn access(op: Op, rd: u8, rs1: u8, csr: Csr) -> Instruction {
    Instruction {
        op,
        rd,
        rs1,
        rs2: 0,
        imm: i32::from(csr.row().number),
    }
}

fn of_op(op: Op) -> Vec<Instruction> {
    let form = op.row().form;
    let plain = |rd, rs1, rs2, imm| Instruction {
        op,
        rd,
        rs1,
        rs2,
        imm,
    };
    let registers: &[(u8, u8, u8)] = match form {
        Form::R => &[(A2, A0, A1), (A0, A0, A0), (0, A0, A0)],
        Form::I | Form::Load | Form::Shift | Form::RdRs1 => &[(A2, A0, 0), (A0, A0, 0), (0, A0, 0)],
        Form::Store | Form::Branch => &[(0, A0, A1), (0, A0, A0)],
        Form::U | Form::J => &[(A2, 0, 0), (0, 0, 0)],
        Form::Rs1 => &[(0, A0, 0), (0, 0, 0)],
        Form::Rs1Rs2 => &[(0, A0, A1), (0, 0, 0), (0, A0, A0)],
        Form::Csr | Form::CsrImm | Form::None | Form::Fence | Form::FenceI => &[(0, 0, 0)],
    };
    let immediates: &[i32] = match form {
        Form::I | Form::Load | Form::Store => &[0, 4, -16, -2048, 2047],
        Form::Shift => &[1, 0, 31],
        Form::Branch => &[8, -8, 2, -4096, 4094],
        Form::U => &[0x1000, 0, 0x7fff_f000, -4096],
        Form::J => &[8, -8, 2, -0x10_0000, 0xf_fffe],
        Form::Fence | Form::FenceI => &[0, 0x0ff],
        _ => &[0],
    };
    let (main, others) = registers.split_at(1);
    let of_main = immediates
        .iter()
        .map(|imm| plain(main[0].0, main[0].1, main[0].2, *imm));
    let of_others = others
        .iter()
        .map(|(rd, rs1, rs2)| plain(*rd, *rs1, *rs2, immediates[0]));
    of_main.chain(of_others).collect()
}

/// The same operation with other registers and another immediate. Register and immediate fields that stand for
/// something else (the control register of an access, the source 0 of one that only reads) stay.
fn randomized(shape: Instruction, random: &mut Random) -> Instruction {
    let mut insn = shape;
    let register = |random: &mut Random| random.below(16) as u8;
    let form = insn.op.row().form;
    let reads_only = insn.csr().is_some() && !insn.writes_csr();
    if insn.rd != 0 {
        insn.rd = register(random);
    }
    if insn.rs1 != 0 && !reads_only {
        // An access whose source becomes 0 would be another row.
        insn.rs1 = register(random).max(u8::from(insn.csr().is_some()));
    }
    if insn.rs2 != 0 {
        insn.rs2 = register(random);
    }
    match form {
        Form::I | Form::Load | Form::Store => insn.imm = random.below(4096) as i32 - 2048,
        Form::Shift => insn.imm = random.below(32) as i32,
        Form::Branch => insn.imm = (random.below(4096) as i32 - 2048) * 2,
        Form::U => insn.imm = (random.next() & 0xffff_f000) as i32,
        Form::J => insn.imm = (random.below(1 << 20) as i32 - (1 << 19)) * 2,
        _ => {}
    }
    insn
}

/// Half of them are addresses of the program's own words: a load from a random word would only fault.
fn operand(random: &mut Random) -> u32 {
    let word = random.next();
    if word & 1 == 0 {
        random.next()
    } else {
        (word % OWN) & !3
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use toy_isa::instruction::{Registers, decode};

    #[test]
    fn every_sample_is_an_instruction_of_its_row() {
        for row in Row::all() {
            let all = samples(row);
            assert!(all.len() > RANDOM as usize, "{row}");
            for sample in all {
                let decoded = decode(sample.insn.encode(), Registers::Sixteen).expect("an instruction");
                assert_eq!((decoded, decoded.row()), (sample.insn, row));
            }
        }
    }
}
