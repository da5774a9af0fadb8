//! Where execution goes.

use toy_isa::instruction::Instruction;
use toy_isa::table::Op;

use super::super::encode::{Alu, Place, RAX, RCX, RSP, Wide, condition};
use super::super::layout::{self, field};
use super::trace::{Goes, Step, near};
use super::{Join, Leave, Lowering, Mark};

impl Lowering<'_> {
    /// A step that may go elsewhere than to the next one.
    pub(super) fn jump(&mut self, step: Step) {
        let Step { at, insn, goes, .. } = step;
        let (next, target) = (at.wrapping_add(4), at.wrapping_add(insn.imm as u32));
        match (insn.op, goes) {
            (Op::Jalr, _) => self.indirect(insn),
            (Op::Jal, _) => {
                self.constant(insn.rd, next);
                match goes {
                    Goes::Back => {
                        self.pay(self.index + 1);
                        self.asm.jmp(self.head);
                    }
                    Goes::Out => {
                        self.pay(self.index + 1);
                        self.go(target);
                    }
                    _ => {}
                }
            }
            (_, Goes::Skip(to)) => {
                let condition = self.condition(insn);
                let site = self.asm.jcc(condition, 0);
                self.skips.push((site, self.index, to));
                self.joins.push(Join {
                    to,
                    facts: self.facts.len(),
                    aligned: self.aligned.len(),
                });
            }
            (_, Goes::OutIfNot) => self.out_if(insn, false, next),
            (_, Goes::Back) => {
                self.pay(self.index + 1);
                let condition = self.condition(insn);
                self.asm.jcc(condition, self.head);
                self.give_back();
                self.go(next);
            }
            (_, Goes::Out) => {
                self.pay(self.index + 1);
                self.branch(insn, target);
            }
            _ => self.out_if(insn, true, target),
        }
    }

    /// Leaves the trace for `target`, if the branch is taken or not.
    fn out_if(&mut self, insn: Instruction, taken: bool, target: u32) {
        let condition = self.condition(insn) ^ u8::from(!taken);
        let site = self.asm.jcc(condition, 0);
        self.outs.push((site, self.index, target));
    }

    /// What is behind a copy of the trace: ways out of it, and around what is skipped.
    pub(super) fn detours(&mut self) {
        let count = self.trace.steps.len();
        for (site, index, to) in std::mem::take(&mut self.skips) {
            self.marks.push(Mark::Branch(self.asm.here(), index));
            self.land(site);
            self.refund(to - index - 1);
            self.count(index + 1..to, false);
            self.asm.jmp(self.places[to]);
        }
        for (site, index, target) in std::mem::take(&mut self.outs) {
            self.marks.push(Mark::Branch(self.asm.here(), index));
            self.land(site);
            self.index = index;
            self.refund(count - index - 1);
            self.pay(index + 1);
            self.give_back();
            self.go(target);
        }
        for (site, index) in std::mem::take(&mut self.unknowns) {
            self.land(site);
            self.unknown(index);
        }
    }

    fn land(&mut self, site: usize) {
        let here = self.asm.here();
        self.asm.aim(site, here);
    }

    /// Gives back what was paid for so many instructions.
    fn refund(&mut self, count: usize) {
        if count != 0 {
            self.asm
                .alu_imm(Wide::Yes, Alu::Add, Place::Reg(layout::BUDGET), count as i32);
        }
    }

    /// Compares, and says which condition means that a branch is taken.
    fn condition(&mut self, insn: Instruction) -> u8 {
        let a = self.source(insn.rs1, RAX);
        if insn.rs2 == 0 {
            // As a comparison with 0, and shorter.
            self.asm.test(Wide::No, a, a);
        } else {
            self.asm.alu(Alu::Cmp, a, self.place(insn.rs2));
        }
        match insn.op {
            Op::Beq => condition::EQUAL,
            Op::Bne => condition::NOT_EQUAL,
            Op::Blt => condition::LESS,
            Op::Bge => condition::NOT_LESS,
            Op::Bltu => condition::BELOW,
            _ => condition::NOT_BELOW,
        }
    }

    /// The end of a trace, with two ways on.
    fn branch(&mut self, insn: Instruction, target: u32) {
        let condition = self.condition(insn);
        let next = self.pc().wrapping_add(4);
        if near(self.trace.start, target) {
            match self.block(target) {
                Some(code) => {
                    self.asm.jcc(condition, code);
                }
                None => {
                    let site = self.asm.jcc(condition, 0);
                    self.leave_from(site, Leave::To { target, site });
                }
            }
        } else {
            let site = self.asm.jcc(condition ^ 1, 0);
            self.look_up(target);
            self.land(site);
        }
        self.go(next);
    }

    /// The block of this address, if there is one.
    fn block(&self, address: u32) -> Option<usize> {
        let own = (address == self.trace.start).then_some(self.asm.origin);
        own.or_else(|| self.neighbours.block(address))
    }

    /// Goes on at an address that is known now.
    pub(super) fn go(&mut self, target: u32) {
        if !near(self.trace.start, target) {
            return self.look_up(target);
        }
        match self.block(target) {
            Some(code) => {
                self.asm.jmp(code);
            }
            None => {
                let site = self.asm.jmp(0);
                self.leave_from(site, Leave::To { target, site });
            }
        }
    }

    /// Goes on in another page: what stands there may change while this block stays.
    fn look_up(&mut self, target: u32) {
        self.asm.mov_imm(RAX, target);
        self.dispatch();
    }

    fn indirect(&mut self, insn: Instruction) {
        self.load_register(RAX, insn.rs1);
        if insn.imm != 0 {
            self.asm.alu_imm(Wide::No, Alu::Add, Place::Reg(RAX), insn.imm);
        }
        self.find();
        let site = self.asm.jcc(condition::NOT_EQUAL, 0);
        self.unknowns.push((site, self.index));
        self.pay(self.index + 1);
        self.constant(insn.rd, self.pc().wrapping_add(4));
        self.asm.jmp_to(entry(8));
    }

    /// A jump to an address that the indirect-branch cache does not know.
    fn unknown(&mut self, index: usize) {
        self.index = index;
        // No misaligned one is ever known. An odd one loses its bit, any other traps.
        self.asm.test_byte(RAX, 3);
        self.guard(condition::NOT_EQUAL, false);
        self.pay(index + 1);
        let insn = self.trace.steps[index].insn;
        self.constant(insn.rd, self.pc().wrapping_add(4));
        self.asm.jmp(self.neighbours.unknown());
    }

    /// Goes to the address in eax, by the indirect-branch cache.
    fn dispatch(&mut self) {
        self.find();
        self.asm.jcc(condition::NOT_EQUAL, self.neighbours.unknown());
        self.asm.jmp_to(entry(8));
    }

    /// Finds the entry of the address in eax, for [`entry`], and compares: equal if it is its own.
    fn find(&mut self) {
        self.asm.mov(RCX, Place::Reg(RAX));
        let mask = 4 * (layout::BRANCHES as i32 - 1);
        self.asm.alu_imm(Wide::No, Alu::And, Place::Reg(RCX), mask);
        self.asm.alu_wide(Alu::Add, RAX, field::at(field::REGIME));
        self.asm.alu_wide(Alu::Cmp, RAX, entry(0));
    }
}

/// The entry of the indirect-branch cache that was looked for.
fn entry(part: i32) -> Place {
    Place::Indexed(RSP, RCX, 2, field::BRANCHES + part)
}
