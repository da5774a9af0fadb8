//! A walk, entry by entry.

use toy_isa::hart::Hart;
use toy_isa::mmu::{self, Access, Meaning, PAGE, WalkFault};

use super::{Keeping, Path, Role, Row, Step};

/// Memory as a walk finds it: the word at a physical address.
type Memory<'a> = &'a dyn Fn(u32) -> Option<u32>;

/// Walks as a processor in this state would, on this memory. `keeping` says what is done for the program's own entries
/// in a frame, by its number as the program has it.
pub(super) fn walk(
    hart: &Hart,
    memory: Memory,
    keeping: &dyn Fn(u32) -> Keeping,
    access: Access,
    address: u32,
) -> Path {
    let mut walker = Walker {
        hart,
        memory,
        keeping,
        access,
        rows: Vec::new(),
        marks: 0,
    };
    let linear = linear(hart, access, address);
    let end = match linear {
        None => Err(access.access_fault(address)),
        Some(linear) => walker.find(linear).map_err(|fault| fault.trap(access, address)),
    };
    Path {
        ring: hart.ring(),
        linear,
        rows: walker.rows,
        end,
        marks: walker.marks,
    }
}

/// The walk of a table that is not there yet, and will be empty.
pub(super) fn unbegun(hart: &Hart, access: Access, address: u32) -> Path {
    let linear = linear(hart, access, address);
    let fault = match linear {
        Some(_) => WalkFault::Page,
        None => WalkFault::Access,
    };
    Path {
        ring: hart.ring(),
        linear,
        rows: Vec::new(),
        end: Err(fault.trap(access, address)),
        marks: 0,
    }
}

/// The address after limit and relocation.
fn linear(hart: &Hart, access: Access, address: u32) -> Option<u32> {
    let limit = match access {
        Access::Fetch => hart.csr.xbound,
        Access::Load | Access::Store => hart.csr.bound,
    };
    mmu::within(hart.ring(), limit, address, 1).then(|| mmu::linear(hart, address))
}

struct Walker<'a> {
    hart: &'a Hart,
    memory: Memory<'a>,
    keeping: &'a dyn Fn(u32) -> Keeping,
    access: Access,
    rows: Vec<Row>,
    marks: u32,
}

impl Walker<'_> {
    fn find(&mut self, linear: u32) -> Result<u32, WalkFault> {
        if !self.hart.csr.paging() {
            return self.reach(Role::Target, self.access, linear);
        }
        let (hart, access) = (self.hart, self.access);
        let leaf = mmu::walk_with(hart.csr.ptbr, hart.ring(), access, linear, |at| {
            let level = if self.rows.is_empty() { 1 } else { 0 };
            let place = self.reach(Role::Entry(level), Access::Load, at)?;
            let step = Step {
                keeping: (self.keeping)(at / PAGE),
                ..self.read(at, place, level, access, hart.ring(), linear)
            };
            if let Some(row) = self.rows.last_mut() {
                row.entry = Some(step);
            }
            Ok((step.entry.ok_or(WalkFault::Access)?, 1))
        })?;
        let physical = self.reach(Role::Target, access, leaf.frame | linear & (PAGE - 1))?;
        self.marks = access.marks() & !leaf.entry;
        if self.marks != 0 {
            self.reach(Role::Mark, Access::Store, leaf.at)?;
        }
        Ok(physical)
    }

    /// Where in real memory a physical address of the program is: through the nested table, if there is one.
    fn reach(&mut self, role: Role, access: Access, wanted: u32) -> Result<u32, WalkFault> {
        let nested = self.hart.nested;
        let mut steps: Vec<Step> = Vec::new();
        let place = match nested & 1 {
            0 => Ok(wanted),
            _ => mmu::walk_with(nested, 0, access, wanted, |at| {
                let level = if steps.is_empty() { 1 } else { 0 };
                steps.push(self.read(at, at, level, access, 0, wanted));
                let entry = steps.last().and_then(|step| step.entry);
                Ok((entry.ok_or(WalkFault::Access)?, 1))
            })
            .map(|leaf| leaf.frame | wanted & (PAGE - 1))
            .map_err(|_| WalkFault::Nested(access.nested_fault(wanted))),
        };
        // Where nothing is nested, only entries are worth a row.
        if nested & 1 != 0 || matches!(role, Role::Entry(_)) {
            self.rows.push(Row {
                role,
                wanted,
                nested: steps,
                place: place.ok(),
                entry: None,
            });
        }
        place
    }

    /// The entry at `at`, which is at `place` in this memory.
    fn read(&self, at: u32, place: u32, level: u32, access: Access, ring: u32, address: u32) -> Step {
        let entry = (self.memory)(place);
        Step {
            level,
            at,
            entry,
            meaning: entry.map(|entry| Meaning::of(entry, level, access, ring, address)),
            keeping: Keeping::Monitor,
        }
    }
}
