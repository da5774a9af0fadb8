//! Loads and stores.
//!
//! Accesses at known distances from each other are checked together: those that the rest of the trace will make if it
//! is executed to its end. If that check fails, nothing is wrong yet: the rest is executed by a copy that checks each
//! access by itself.

use toy_isa::instruction::Instruction;
use toy_isa::mmu::PAGE;
use toy_isa::table::Op;

use super::super::encode::{Alu, Gpr, Place, RAX, RCX, Shift, Wide, condition};
use super::super::layout::{BASE, PAGES, POINTERS, field};
use super::symbols::Accessed;
use super::{Lowering, Memory};

/// What has been found out about an address: accesses in this range, relative to a root, reach plain memory if they are
/// as aligned as `anchor`, which is so to `1 << size` bytes.
#[derive(Clone, Copy)]
pub(super) struct Fact {
    root: usize,
    pub(super) from: i32,
    pub(super) to: i32,
    anchor: i32,
    size: u8,
    storing: bool,
    how: How,
}

/// How memory is reached once that is known.
#[derive(Clone, Copy)]
enum How {
    /// Relative to registers that are as far from the root as this: there, no sum wraps.
    Registers { checked: i32, lowest: i32 },
    /// Relative to a pointer that the context holds, of this number.
    Pointer(usize),
}

impl Fact {
    /// As little as the access itself needs.
    fn new(access: &Accessed) -> Fact {
        Fact {
            root: access.symbol.root,
            from: access.from(),
            to: access.to(),
            anchor: access.from(),
            size: access.size,
            storing: access.storing,
            how: How::Registers {
                checked: access.symbol.offset,
                lowest: i32::MAX,
            },
        }
    }

    fn covers(&self, access: &Accessed) -> bool {
        let reaches = match self.how {
            How::Registers { checked, lowest } => {
                let offset = access.symbol.offset;
                self.storing >= access.storing && (offset == checked || offset >= lowest)
            }
            How::Pointer(_) => self.storing == access.storing,
        };
        reaches
            && self.root == access.symbol.root
            && self.from <= access.from()
            && access.to() <= self.to
            && self.suits(access)
    }

    /// Whether an access is aligned if the anchor is.
    fn suits(&self, access: &Accessed) -> bool {
        access.size <= self.size && (access.from() - self.anchor) & ((1 << access.size) - 1) == 0
    }

    /// Where the last unit begins, counted from the anchor.
    pub(super) fn last_unit(&self) -> i32 {
        let unit = 1 << self.size;
        let behind = (self.to - self.anchor) & (unit - 1);
        self.to - if behind == 0 { unit } else { behind }
    }

    /// It was checked where the register was so far from the root. The last unit is a page above the least address, at
    /// least, if it is the last of many.
    pub(super) fn reached_by(&mut self, checked: i32, last_unit: i32, many: bool) {
        let lowest = last_unit - if many { PAGE as i32 } else { 0 };
        self.how = How::Registers { checked, lowest };
    }

    /// The fact that would cover both.
    fn with(self, access: &Accessed) -> Option<Fact> {
        // The most aligned is the anchor.
        let (anchor, size) = if access.size > self.size {
            (access.from(), access.size)
        } else {
            (self.anchor, self.size)
        };
        let larger = Fact {
            from: self.from.min(access.from()),
            to: self.to.max(access.to()),
            anchor,
            size,
            storing: self.storing | access.storing,
            ..self
        };
        let aligned = (self.anchor - anchor) & ((1 << self.size) - 1) == 0;
        (aligned && larger.suits(access) && larger.to - larger.from <= LARGEST_GROUP).then_some(larger)
    }
}

/// Neighbours that are checked together lie within so many bytes: less than a page.
const LARGEST_GROUP: i32 = 2048;

/// With translation, what a group costs is less than what its members cost, from so many on.
const SMALLEST_GROUP: usize = 3;

impl Lowering<'_> {
    /// A load or a store.
    pub(super) fn access(&mut self, insn: Instruction, access: Accessed) {
        let place = match self.memory {
            Memory::Flat => self.flat(&access),
            Memory::Paged => self.paged(&access),
            Memory::Mapped => self.mapped(&access),
        };
        if access.storing {
            self.store(insn, place);
        } else {
            self.load(insn, place);
        }
    }

    /// The fact that covers an access and, if it can, those that follow; and how many they are.
    pub(super) fn group(&self, access: &Accessed) -> (Fact, usize) {
        let mut all = (Fact::new(access), 1);
        if self.cautious {
            return all;
        }
        for next in self.accesses[self.index + 1..].iter().flatten() {
            let kind = self.memory == Memory::Flat || next.storing == access.storing;
            if let Some(larger) = all.0.with(next)
                && next.symbol.root == access.symbol.root
                && kind
            {
                all = (larger, all.1 + 1);
            }
        }
        all
    }

    /// The operand of an access without translation; the trace is left if it is not plain memory.
    fn flat(&mut self, access: &Accessed) -> Place {
        let base = self.source(access.base, RAX);
        if !self.facts.iter().any(|fact| fact.covers(access)) {
            let (mut fact, _) = self.group(access);
            let many = fact.from != access.from() || fact.to != access.to();
            let last = fact.last_unit();
            let place = |distance| Place::At(base, distance);
            self.check(place, last - access.symbol.offset, &fact, many, many);
            fact.reached_by(access.symbol.offset, last, many);
            self.know(fact);
        }
        Place::Indexed(BASE, base, 0, access.imm)
    }

    /// The operand of an access that the host checks. An address and a displacement that leave the guest's addresses
    /// find nothing mapped.
    fn mapped(&mut self, access: &Accessed) -> Place {
        let base = self.source(access.base, RAX);
        Place::Indexed(BASE, base, 0, access.imm)
    }

    pub(super) fn know(&mut self, fact: Fact) {
        if !self.cautious {
            self.facts.push(fact);
        }
    }

    /// Goes to the careful copy of the rest if this is so.
    fn doubt(&mut self, condition: u8) {
        let site = self.asm.jcc(condition, 0);
        self.doubts.push((site, self.index));
    }

    /// Sees that the unit of `1 << size` bytes at an address plus `offset` is aligned and in its window; `many`: so far
    /// up in it that everything less than a page below is there, too. In 64 bits, so that a sum that wraps is outside.
    /// If it is not, that is no more than a `doubt`, or the trace is left.
    pub(super) fn check(
        &mut self,
        address: impl Fn(i32) -> Place,
        offset: i32,
        fact: &Fact,
        many: bool,
        doubt: bool,
    ) {
        let Fact { size, storing, .. } = *fact;
        let start = if storing { 0 } else { i32::from(many) * PAGE as i32 };
        let unit = match address(offset - start) {
            Place::At(own, 0) if !storing => own,
            place => {
                self.asm.lea_wide(RCX, place);
                RCX
            }
        };
        if storing {
            self.asm.alu_wide(Alu::Sub, RCX, field::start(true, many));
        }
        let mut compared = unit;
        if size != 0 {
            // The low bits become the highest, so that one comparison finds what is misaligned, too.
            self.asm.rorx(Wide::Yes, RCX, unit, size);
            compared = RCX;
        }
        self.asm
            .alu_wide(Alu::Cmp, compared, field::units(storing, many, size));
        if doubt {
            self.doubt(condition::NOT_BELOW);
        } else {
            self.guard(condition::NOT_BELOW, true);
        }
    }

    /// The operand of an access with translation; the trace is left if it is not plain memory.
    fn paged(&mut self, access: &Accessed) -> Place {
        if let Some(fact) = self.facts.iter().find(|fact| fact.covers(access))
            && let How::Pointer(pointer) = fact.how
        {
            let distance = access.from() - fact.from;
            self.asm.mov_wide(RCX, field::pointer(pointer));
            return Place::At(RCX, distance);
        }
        let (fact, members) = self.group(access);
        if members >= SMALLEST_GROUP && self.pointers < POINTERS {
            return self.paged_group(access, fact);
        }
        let address = match self.home(access.base) {
            Some(own) if access.imm == 0 => own,
            Some(own) => {
                self.asm.lea(RAX, Place::At(own, access.imm));
                RAX
            }
            None => {
                self.load_register(RAX, access.base);
                if access.imm != 0 {
                    self.asm.alu_imm(Wide::No, Alu::Add, Place::Reg(RAX), access.imm);
                }
                RAX
            }
        };
        self.asm.mov(RCX, Place::Reg(address));
        self.addend(RCX, access.storing);
        if access.size != 0 && !self.is_aligned(access) {
            self.asm.test_byte(address, (1 << access.size) - 1);
            self.guard(condition::NOT_EQUAL, true);
            if !self.cautious {
                self.aligned.push(Fact::new(access));
            }
        }
        self.asm.test(Wide::Yes, RCX, RCX);
        self.guard(condition::EQUAL, true);
        Place::Indexed(RCX, address, 0, 0)
    }

    /// An address becomes the addend of its page.
    fn addend(&mut self, register: Gpr, storing: bool) {
        let half = if storing { 8 * PAGES as i32 } else { 0 };
        self.asm.shift(Shift::Right, register, 12);
        self.asm
            .mov_wide(register, Place::Indexed(BASE, register, 3, half));
    }

    fn is_aligned(&self, access: &Accessed) -> bool {
        self.aligned
            .iter()
            .any(|fact| fact.root == access.symbol.root && fact.suits(access))
    }

    /// The first access of a group, whose page is looked up once for all of them.
    fn paged_group(&mut self, access: &Accessed, mut fact: Fact) -> Place {
        let unit = 1 << fact.size;
        fact.from -= (fact.from - fact.anchor) & (unit - 1);
        let pointer = self.pointers;
        self.pointers += 1;
        let base = self.source(access.base, RCX);
        self.asm
            .lea(RCX, Place::At(base, fact.from - access.symbol.offset));
        // Aligned, and all in one page: the low bits become the highest, and what is left is the place in the page.
        let place = (PAGE - 1) >> fact.size | ((unit - 1) as u32).rotate_right(u32::from(fact.size));
        self.asm.rorx(Wide::No, RAX, RCX, fact.size);
        self.asm
            .alu_imm(Wide::No, Alu::And, Place::Reg(RAX), place as i32);
        let highest = (PAGE as i32 - (fact.to - fact.from)) >> fact.size;
        self.asm.alu_imm(Wide::No, Alu::Cmp, Place::Reg(RAX), highest);
        self.doubt(condition::ABOVE);
        self.asm.mov(RAX, Place::Reg(RCX));
        self.addend(RAX, access.storing);
        self.asm.test(Wide::Yes, RAX, RAX);
        self.doubt(condition::EQUAL);
        self.asm.alu_wide(Alu::Add, RCX, Place::Reg(RAX));
        self.asm.store_wide(field::pointer(pointer), RCX);
        fact.how = How::Pointer(pointer);
        let distance = access.from() - fact.from;
        self.know(fact);
        Place::At(RCX, distance)
    }

    fn load(&mut self, insn: Instruction, place: Place) {
        let result = self.result(insn.rd);
        self.may_fault();
        self.load_to(insn.op, result, place);
        self.finish(insn.rd, result);
    }

    pub(super) fn load_to(&mut self, op: Op, to: Gpr, place: Place) {
        match op {
            Op::Lb => self.asm.extend(0xbe, to, place),
            Op::Lbu => self.asm.extend(0xb6, to, place),
            Op::Lh => self.asm.extend(0xbf, to, place),
            Op::Lhu => self.asm.extend(0xb7, to, place),
            _ => self.asm.mov(to, place),
        }
    }

    fn store_zero(&mut self, op: Op, place: Place) {
        match op {
            Op::Sb => self.asm.store_byte_imm(place, 0),
            Op::Sh => self.asm.store_half_imm(place, 0),
            _ => self.asm.store_imm(place, 0),
        }
    }

    fn store(&mut self, insn: Instruction, place: Place) {
        if insn.rs2 == 0 {
            self.may_fault();
            return self.store_zero(insn.op, place);
        }
        let (place, value) = match (self.home(insn.rs2), place) {
            (Some(own), place) => (place, own),
            // Where rcx is in use, the address is brought into it.
            (None, Place::Indexed(RCX, address, ..)) => {
                self.asm.alu_wide(Alu::Add, RCX, Place::Reg(address));
                self.load_register(RAX, insn.rs2);
                (Place::At(RCX, 0), RAX)
            }
            (None, Place::At(RCX, _)) => {
                self.load_register(RAX, insn.rs2);
                (place, RAX)
            }
            (None, place) => {
                self.load_register(RCX, insn.rs2);
                (place, RCX)
            }
        };
        self.may_fault();
        match insn.op {
            Op::Sb => self.asm.store_byte(place, value),
            Op::Sh => self.asm.store_half(place, value),
            _ => self.asm.store(place, value),
        }
    }
}
