//! What is known of addresses without executing anything: which of them are at a constant distance from each other.

use toy_isa::table::Op;

use super::trace::{Goes, Step};

/// A value: one that is unknown, plus a constant, modulo 2^32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Symbol {
    /// Which unknown one. Whatever is found out about it holds for good: it is a value and no register.
    pub(super) root: usize,
    pub(super) offset: i32,
}

/// Farther from its root than this, a value is a root of its own.
const FARTHEST: i32 = 1 << 16;

/// What a step loads or stores.
#[derive(Clone, Copy, Debug)]
pub(super) struct Accessed {
    /// The register that the address is relative to.
    pub(super) base: u8,
    /// Its value before the step.
    pub(super) symbol: Symbol,
    /// From where, relative to the register.
    pub(super) imm: i32,
    /// `1 << size` bytes.
    pub(super) size: u8,
    pub(super) storing: bool,
}

impl Accessed {
    /// From where, relative to the root.
    pub(super) fn from(&self) -> i32 {
        self.symbol.offset + self.imm
    }

    /// To where.
    pub(super) fn to(&self) -> i32 {
        self.from() + (1 << self.size)
    }
}

/// What each step of a trace accesses.
pub(super) fn accesses(steps: &[Step]) -> Vec<Option<Accessed>> {
    let mut roots = 0..;
    let mut fresh = || Symbol {
        root: roots.next().unwrap_or_default(),
        offset: 0,
    };
    let mut registers = [(); 16].map(|()| fresh());
    let mut accesses = Vec::with_capacity(steps.len());
    for (index, step) in steps.iter().enumerate() {
        // Who comes from a branch has not executed what it skips.
        for (branch, from) in steps[..index].iter().enumerate() {
            if from.goes == Goes::Skip(index) {
                for skipped in &steps[branch + 1..index] {
                    registers[usize::from(skipped.insn.rd & 15)] = fresh();
                }
            }
        }
        let insn = step.insn;
        accesses.push(width(insn.op).map(|(size, storing)| Accessed {
            base: insn.rs1,
            symbol: registers[usize::from(insn.rs1 & 15)],
            imm: insn.imm,
            size,
            storing,
        }));
        let Symbol { root, offset } = registers[usize::from(insn.rs1 & 15)];
        let moved = offset.wrapping_add(insn.imm);
        registers[usize::from(insn.rd & 15)] = match insn.op {
            Op::Addi if moved.abs() < FARTHEST => Symbol { root, offset: moved },
            _ => fresh(),
        };
        registers[0] = Symbol { root: 0, offset: 0 };
    }
    accesses
}

/// How much an operation loads or stores, as a power of two, and which of both.
pub(in super::super) fn width(op: Op) -> Option<(u8, bool)> {
    Some(match op {
        Op::Lb | Op::Lbu => (0, false),
        Op::Lh | Op::Lhu => (1, false),
        Op::Lw => (2, false),
        Op::Sb => (0, true),
        Op::Sh => (1, true),
        Op::Sw => (2, true),
        _ => return None,
    })
}
