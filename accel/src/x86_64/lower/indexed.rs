//! Loads from tables. Their address is a sum, of which one part is often the last thing to be known, and waited for: so
//! a load adds up for itself, and what the program adds up is there as soon as it, or not at all if nobody needs it.

use toy_isa::instruction::Instruction;
use toy_isa::table::Op;

use super::super::encode::{Gpr, Place, RAX, Shift};
use super::super::layout::BASE;
use super::trace::{Goes, Step};
use super::{Lowering, Memory};

/// `scaled = index << scale; sum = base + scaled; value = load [sum + imm]`, of which the first may be missing.
struct Indexed {
    base: u8,
    index: u8,
    scale: u8,
    /// The register of the scaled index, if there is one.
    scaled: Option<u8>,
    sum: u8,
    load: Instruction,
}

impl Lowering<'_> {
    /// Lowers the load from a table that begins at the step at hand, if one does. Returns how many steps that are.
    pub(super) fn indexed(&mut self) -> Option<usize> {
        if self.cautious || self.memory != Memory::Flat {
            return None;
        }
        let found = self.find_indexed()?;
        let steps = 2 + usize::from(found.scaled.is_some());
        let (first, last) = (self.index, self.index + steps - 1);
        let inner = first + 1..=last;
        if (self.joins.iter()).any(|join| inner.contains(&join.to)) {
            return None;
        }
        let access = self.accesses[last].filter(|access| !access.storing)?;
        let host = |x| self.home(x);
        let (base, index) = (host(found.base)?, host(found.index)?);
        let scaled = match found.scaled {
            Some(scaled) => Some(host(scaled)?),
            None => None,
        };
        let (sum, value) = (host(found.sum)?, host(found.load.rd)?);

        self.index = last;
        let (mut fact, _) = self.group(&access);
        self.index = first;
        let many = fact.to - fact.from > 1 << access.size;
        let last_unit = fact.last_unit();
        let place = |distance| Place::Indexed(base, index, found.scale, distance);
        self.check(place, last_unit - access.symbol.offset, &fact, many, true);
        if many {
            // So far from 0 that the sum is the same in 32 bits.
            fact.reached_by(access.symbol.offset, last_unit, true);
            self.know(fact);
        }
        self.asm.lea_wide(RAX, Place::Indexed(BASE, base, 0, 0));
        self.places.resize(last + 1, self.asm.here());
        self.load_to(
            found.load.op,
            RAX,
            Place::Indexed(RAX, index, found.scale, access.imm),
        );
        self.sums(&found, (base, index), scaled, (sum, value));
        self.asm.mov(value, Place::Reg(RAX));
        self.index = last;
        Some(steps)
    }

    /// What the program adds up, where it is not overwritten by the loaded value.
    fn sums(
        &mut self,
        found: &Indexed,
        (base, index): (Gpr, Gpr),
        scaled: Option<Gpr>,
        (sum, value): (Gpr, Gpr),
    ) {
        let scaled = scaled.filter(|scaled| *scaled != sum && *scaled != value);
        let shift = |lowering: &mut Self, to: Gpr| {
            lowering.asm.mov(to, Place::Reg(index));
            lowering.asm.shift(Shift::Left, to, found.scale);
        };
        // Whoever overwrites the index comes last.
        if let Some(to) = scaled.filter(|scaled| *scaled != index) {
            shift(self, to);
        }
        if sum != value {
            self.asm.lea(sum, Place::Indexed(base, index, found.scale, 0));
        }
        if let Some(to) = scaled.filter(|scaled| *scaled == index) {
            shift(self, to);
        }
    }

    fn find_indexed(&self) -> Option<Indexed> {
        let steps = &self.trace.steps[self.index..];
        let (scaling, rest) = match steps {
            [
                Step {
                    insn, goes: Goes::On, ..
                },
                rest @ ..,
            ] if insn.op == Op::Slli && insn.rd != 0 && (1..4).contains(&insn.imm) => (Some(insn), rest),
            _ => (None, steps),
        };
        let [Step { insn: add, .. }, Step { insn: load, .. }, ..] = rest else {
            return None;
        };
        if add.op != Op::Add || load.rs1 != add.rd || add.rd == 0 {
            return None;
        }
        let (base, last) = match scaling {
            // The base is what is not the scaled index, or has been known for longer.
            Some(scaling) if add.rs1 == scaling.rd => (add.rs2, add.rs1),
            Some(scaling) if add.rs2 == scaling.rd => (add.rs1, add.rs2),
            Some(_) => return None,
            None => {
                let written = |x| {
                    self.trace.steps[..self.index]
                        .iter()
                        .rposition(|step| step.insn.rd == x)
                };
                match written(add.rs1) < written(add.rs2) {
                    true => (add.rs1, add.rs2),
                    false => (add.rs2, add.rs1),
                }
            }
        };
        if scaling.is_some() && base == last {
            return None;
        }
        Some(Indexed {
            base,
            index: scaling.map_or(last, |scaling| scaling.rs1),
            scale: scaling.map_or(0, |scaling| scaling.imm as u8),
            scaled: scaling.map(|scaling| scaling.rd),
            sum: add.rd,
            load: *load,
        })
    }
}
