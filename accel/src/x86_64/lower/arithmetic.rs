//! What instructions compute.

use toy_isa::instruction::Instruction;
use toy_isa::table::Op;

use super::super::encode::{Alu, Assembler, Gpr, Place, RAX, RCX, RDX, Shift, Wide, condition};
use super::super::layout::field;
use super::Lowering;

impl Lowering<'_> {
    /// An instruction that neither jumps nor accesses memory.
    pub(super) fn compute(&mut self, insn: Instruction) {
        let Instruction {
            op,
            rd,
            rs1,
            rs2,
            imm,
        } = insn;
        // It has no other effect than its result.
        if rd == 0 {
            return;
        }
        match op {
            Op::Lui => self.constant(rd, imm as u32),
            Op::Auipc => self.constant(rd, self.pc().wrapping_add(imm as u32)),
            Op::Addi => self.add_immediate(rd, rs1, imm),
            Op::Xori => self.immediate(Alu::Xor, rd, rs1, imm),
            Op::Ori => self.immediate(Alu::Or, rd, rs1, imm),
            Op::Andi => self.immediate(Alu::And, rd, rs1, imm),
            Op::Slti => self.compare(condition::LESS, rd, rs1, Err(imm)),
            Op::Sltiu => self.compare(condition::BELOW, rd, rs1, Err(imm)),
            Op::Slt => self.compare(condition::LESS, rd, rs1, Ok(rs2)),
            Op::Sltu => self.compare(condition::BELOW, rd, rs1, Ok(rs2)),
            Op::Slli => self.shift(Shift::Left, rd, rs1, imm),
            Op::Srli => self.shift(Shift::Right, rd, rs1, imm),
            Op::Srai => self.shift(Shift::Arithmetic, rd, rs1, imm),
            Op::Sll => self.shift_by(Shift::Left, rd, rs1, rs2),
            Op::Srl => self.shift_by(Shift::Right, rd, rs1, rs2),
            Op::Sra => self.shift_by(Shift::Arithmetic, rd, rs1, rs2),
            Op::Add => self.add(rd, rs1, rs2),
            Op::Sub => self.subtract(rd, rs1, rs2),
            Op::Xor => self.commutative(rd, rs1, rs2, |asm, to, from| asm.alu(Alu::Xor, to, from)),
            Op::Or => self.commutative(rd, rs1, rs2, |asm, to, from| asm.alu(Alu::Or, to, from)),
            Op::And => self.commutative(rd, rs1, rs2, |asm, to, from| asm.alu(Alu::And, to, from)),
            Op::Mul => self.commutative(rd, rs1, rs2, |asm, to, from| asm.imul(Wide::No, to, from)),
            Op::Mulh | Op::Mulhsu | Op::Mulhu => self.high_product(op, rd, rs1, rs2),
            Op::Div | Op::Rem => self.divide_signed(op == Op::Rem, rd, rs1, rs2),
            Op::Divu | Op::Remu => self.divide_unsigned(op == Op::Remu, rd, rs1, rs2),
            // The fences order what is in order.
            _ => {}
        }
    }

    fn add_immediate(&mut self, rd: u8, rs1: u8, imm: i32) {
        match (self.home(rd), self.home(rs1)) {
            _ if rs1 == 0 => self.constant(rd, imm as u32),
            _ if rd == rs1 => {
                if imm != 0 {
                    self.asm.alu_imm(Wide::No, Alu::Add, self.place(rd), imm);
                }
            }
            (Some(to), Some(from)) if imm != 0 => self.asm.lea(to, Place::At(from, imm)),
            _ => self.immediate(Alu::Add, rd, rs1, imm),
        }
    }

    fn immediate(&mut self, op: Alu, rd: u8, rs1: u8, imm: i32) {
        let result = self.result(rd);
        self.load_register(result, rs1);
        if imm != 0 || op == Alu::And {
            self.asm.alu_imm(Wide::No, op, Place::Reg(result), imm);
        }
        self.finish(rd, result);
    }

    fn shift(&mut self, op: Shift, rd: u8, rs1: u8, imm: i32) {
        let result = self.result(rd);
        self.load_register(result, rs1);
        if imm & 31 != 0 {
            self.asm.shift(op, result, (imm & 31) as u8);
        }
        self.finish(rd, result);
    }

    fn shift_by(&mut self, op: Shift, rd: u8, rs1: u8, rs2: u8) {
        let count = self.source(rs2, RAX);
        let value = self.operand(rs1);
        let result = self.result(rd);
        self.asm.shift_by(op, result, value, count);
        self.finish(rd, result);
    }

    fn compare(&mut self, condition: u8, rd: u8, rs1: u8, other: Result<u8, i32>) {
        let a = self.source(rs1, RAX);
        match other {
            Ok(rs2) => {
                let b = self.operand(rs2);
                self.asm.alu(Alu::Cmp, a, b);
            }
            Err(imm) => self.asm.alu_imm(Wide::No, Alu::Cmp, Place::Reg(a), imm),
        }
        self.asm.set(condition, RAX);
        let result = self.result(rd);
        self.asm.extend(0xb6, result, Place::Reg(RAX));
        self.finish(rd, result);
    }

    fn add(&mut self, rd: u8, rs1: u8, rs2: u8) {
        match (self.home(rd), self.home(rs1), self.home(rs2)) {
            (Some(to), Some(a), Some(b)) if rd != rs1 && rd != rs2 => {
                self.asm.lea(to, Place::Indexed(a, b, 0, 0));
            }
            _ => self.commutative(rd, rs1, rs2, |asm, to, from| asm.alu(Alu::Add, to, from)),
        }
    }

    fn commutative(&mut self, rd: u8, rs1: u8, rs2: u8, op: impl Fn(&mut Assembler, Gpr, Place)) {
        // What is already in place stays there.
        let (rs1, rs2) = if rd == rs2 { (rs2, rs1) } else { (rs1, rs2) };
        let b = self.operand(rs2);
        let result = self.result(rd);
        self.load_register(result, rs1);
        op(&mut self.asm, result, b);
        self.finish(rd, result);
    }

    fn subtract(&mut self, rd: u8, rs1: u8, rs2: u8) {
        let b = self.operand(rs2);
        // A result that is made in the register of rs2 would destroy it.
        let result = if rd == rs2 { RAX } else { self.result(rd) };
        self.load_register(result, rs1);
        self.asm.alu(Alu::Sub, result, b);
        self.finish(rd, result);
    }

    fn high_product(&mut self, op: Op, rd: u8, rs1: u8, rs2: u8) {
        let b = self.operand(rs2);
        let signed = op != Op::Mulhu;
        if op == Op::Mulh {
            self.asm.sign_extend(RCX, b);
        } else {
            self.asm.mov(RCX, b);
        }
        self.load_register(RAX, rs1);
        if signed {
            self.asm.sign_extend(RAX, Place::Reg(RAX));
        }
        self.asm.imul(Wide::Yes, RAX, Place::Reg(RCX));
        self.asm.shr_wide(RAX, 32);
        self.finish(rd, RAX);
    }

    /// Divisor to ecx, dividend to eax; rdx is set aside, for a division takes it.
    fn begin_division(&mut self, rs1: u8, rs2: u8) {
        self.load_register(RCX, rs2);
        self.load_register(RAX, rs1);
        self.asm.store_wide(field::at(field::SPILL), RDX);
    }

    fn end_division(&mut self, rd: u8) {
        self.asm.mov_wide(RDX, field::at(field::SPILL));
        self.finish(rd, RAX);
    }

    fn divide_unsigned(&mut self, remainder: bool, rd: u8, rs1: u8, rs2: u8) {
        self.begin_division(rs1, rs2);
        self.asm.test(Wide::No, RCX, RCX);
        let zero = self.asm.skip(condition::EQUAL);
        self.asm.alu(Alu::Xor, RDX, Place::Reg(RDX));
        self.asm.div(RCX);
        if remainder {
            self.asm.mov(RAX, Place::Reg(RDX));
            self.asm.land(zero);
        } else {
            let done = self.asm.skip_always();
            self.asm.land(zero);
            self.asm.mov_imm(RAX, u32::MAX);
            self.asm.land(done);
        }
        self.end_division(rd);
    }

    fn divide_signed(&mut self, remainder: bool, rd: u8, rs1: u8, rs2: u8) {
        self.begin_division(rs1, rs2);
        self.asm.test(Wide::No, RCX, RCX);
        let zero = self.asm.skip(condition::EQUAL);
        // The least number by -1 would raise an exception of the host.
        self.asm.alu_imm(Wide::No, Alu::Cmp, Place::Reg(RCX), -1);
        let minus_one = self.asm.skip(condition::EQUAL);
        self.asm.cdq();
        self.asm.idiv(RCX);
        if remainder {
            self.asm.mov(RAX, Place::Reg(RDX));
            let done = self.asm.skip_always();
            self.asm.land(minus_one);
            self.asm.alu(Alu::Xor, RAX, Place::Reg(RAX));
            self.asm.land(done);
            self.asm.land(zero);
        } else {
            let done = self.asm.skip_always();
            self.asm.land(minus_one);
            self.asm.neg(RAX);
            let negated = self.asm.skip_always();
            self.asm.land(zero);
            self.asm.mov_imm(RAX, u32::MAX);
            self.asm.land(done);
            self.asm.land(negated);
        }
        self.end_division(rd);
    }
}
