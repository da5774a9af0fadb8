//! From a block of Ring32 to x86-64. What a block means for the rest of the machine (where it may be entered, what
//! its memory accesses may reach) is decided by who runs it: nothing here knows how.
//!
//! A block pays for all of its instructions when it is entered, in the budget and in the lanes. Whatever is not plain
//! computation in plain memory leaves the block *before* the instruction; then whoever runs it gives back what was paid
//! for the rest, and the state is that of the reference before that instruction.

use toy_isa::bus::Width;
use toy_isa::instruction::Instruction;
use toy_isa::mmu::PAGE;
use toy_isa::table::Op;

use super::encode::{Alu, Assembler, Gpr, Place, RAX, RCX, RDX, Shift, Wide, condition};
use super::layout::{self, BASE, BUDGET, LANES, PAGES, VECTORS, field, home, lane};

/// Instructions in a block, at most.
pub(super) const LONGEST_BLOCK: usize = 48;

/// How loads and stores find their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Memory {
    /// Addresses are places in memory, below a limit.
    Flat,
    /// Each page of addresses has its addend.
    Paged,
}

/// Why emitted code comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leave {
    /// The indirect-branch cache does not know the target.
    Unknown,
    /// The budget is too small for the block, of which nothing has happened.
    Budget,
    /// The instruction with this number is not for emitted code. `data`: because of what it would reach.
    Before { index: u16, data: bool },
    /// The block is over and goes on at `target`, in the same page. The jump at `site` may be led there for good.
    To { target: u32, site: usize },
}

/// What lowering needs to know of the code that is there.
pub(super) trait Neighbours {
    /// Where the aligned lanes are that this composition adds.
    fn lanes(&self, composition: [u16; LANES]) -> usize;
    /// The code of the block of this address, if there is one.
    fn block(&self, address: u32) -> Option<usize>;
    /// Where emitted code leaves, with the number of the exit in eax.
    fn epilogue(&self) -> usize;
    /// Where it leaves when the target in eax is unknown.
    fn unknown(&self) -> usize;
    /// The number of the next exit.
    fn next_exit(&self) -> u32;
}

/// Whether the instruction at `pc` can be part of a block.
pub(super) fn lowers(insn: Instruction, pc: u32) -> bool {
    let target = pc.wrapping_add(insn.imm as u32);
    match insn.op {
        Op::Jal | Op::Beq | Op::Bne | Op::Blt | Op::Bge | Op::Bltu | Op::Bgeu => target & 3 == 0,
        op => lane(op).is_some(),
    }
}

/// Whether it ends one.
pub(super) fn ends(op: Op) -> bool {
    matches!(
        op,
        Op::Jal | Op::Jalr | Op::Beq | Op::Bne | Op::Blt | Op::Bge | Op::Bltu | Op::Bgeu
    )
}

/// What operations add to the lanes.
pub(super) fn composition(ops: &[Op]) -> [[u16; LANES]; VECTORS] {
    let mut vectors = [[0; LANES]; VECTORS];
    for lane in ops.iter().filter_map(|op| lane(*op)) {
        vectors[lane / LANES][lane % LANES] += 1;
    }
    vectors
}

/// A block in host code.
pub(super) struct Lowered {
    pub(super) code: Vec<u8>,
    /// Its exits, from [`Neighbours::next_exit`] on.
    pub(super) leaves: Vec<Leave>,
}

/// Lowers the instructions from `pc` on, all of which [`lowers`] accepts, to stand at `origin`. They are in one page.
/// `more`: the instruction behind them can be lowered, too.
pub(super) fn lower(
    instructions: &[Instruction],
    pc: u32,
    memory: Memory,
    more: bool,
    origin: usize,
    neighbours: &dyn Neighbours,
) -> Lowered {
    let mut lowering = Lowering {
        asm: Assembler::new(origin),
        start: pc,
        memory,
        neighbours,
        leaves: Vec::new(),
        sites: Vec::new(),
        index: 0,
    };
    lowering.block(instructions, more);
    Lowered {
        code: lowering.asm.code,
        leaves: lowering.leaves,
    }
}

struct Lowering<'a> {
    asm: Assembler,
    start: u32,
    memory: Memory,
    neighbours: &'a dyn Neighbours,
    leaves: Vec<Leave>,
    /// Jumps to the stubs of `leaves`.
    sites: Vec<usize>,
    index: usize,
}

impl Lowering<'_> {
    fn block(&mut self, instructions: &[Instruction], more: bool) {
        let count = instructions.len();
        self.asm
            .alu_imm(Wide::Yes, Alu::Sub, Place::Reg(BUDGET), count as i32);
        self.leave_if(condition::BELOW, Leave::Budget);
        let ops: Vec<Op> = instructions.iter().map(|insn| insn.op).collect();
        for (xmm, vector) in composition(&ops).into_iter().enumerate() {
            if vector != [0; LANES] {
                self.asm.add_lanes(xmm as u8, self.neighbours.lanes(vector));
            }
        }
        for (index, insn) in instructions.iter().enumerate() {
            self.index = index;
            self.instruction(*insn);
        }
        self.index = count;
        if !instructions.last().is_some_and(|insn| ends(insn.op)) {
            if more {
                self.go(self.pc());
            } else {
                let site = self.asm.jmp(0);
                self.leave_from(
                    site,
                    Leave::Before {
                        index: count as u16,
                        data: false,
                    },
                );
            }
        }
        self.stubs();
    }

    /// The address of the current instruction.
    fn pc(&self) -> u32 {
        self.start.wrapping_add(4 * self.index as u32)
    }

    /// The stub of each exit: its number, and out.
    fn stubs(&mut self) {
        let first = self.neighbours.next_exit();
        for i in 0..self.leaves.len() {
            let stub = self.asm.here();
            self.asm.aim(self.sites[i], stub);
            self.asm.mov_imm(RAX, first + i as u32);
            self.asm.jmp(self.neighbours.epilogue());
        }
    }

    fn leave_from(&mut self, site: usize, leave: Leave) {
        self.leaves.push(leave);
        self.sites.push(site);
    }

    fn leave_if(&mut self, condition: u8, leave: Leave) {
        let site = self.asm.jcc(condition, 0);
        self.leave_from(site, leave);
    }

    /// Leaves before the current instruction if this is so.
    fn guard(&mut self, condition: u8, data: bool) {
        let index = self.index as u16;
        self.leave_if(condition, Leave::Before { index, data });
    }

    /// A register that holds `x`: its own, or `temporary`.
    fn source(&mut self, x: u8, temporary: Gpr) -> Gpr {
        match home(x) {
            Some(own) => own,
            None => {
                self.load_register(temporary, x);
                temporary
            }
        }
    }

    /// Copies `x` to a host register. Flags are lost.
    fn load_register(&mut self, to: Gpr, x: u8) {
        if x == 0 {
            self.asm.alu(Alu::Xor, to, Place::Reg(to));
        } else {
            self.asm.mov(to, layout::place(x));
        }
    }

    /// An operand that is `x`. Flags are lost, and rcx if it is x0.
    fn operand(&mut self, x: u8) -> Place {
        if x == 0 {
            self.load_register(RCX, 0);
            Place::Reg(RCX)
        } else {
            layout::place(x)
        }
    }

    /// Where the result for `rd` is made: in its own register, or in eax.
    fn result(rd: u8) -> Gpr {
        home(rd).unwrap_or(RAX)
    }

    /// Brings a result from [`Lowering::result`] to where `rd` is.
    fn finish(&mut self, rd: u8, from: Gpr) {
        if rd != 0 {
            match layout::place(rd) {
                Place::Reg(own) => self.asm.mov(own, Place::Reg(from)),
                slot => self.asm.store(slot, from),
            }
        }
    }

    fn constant(&mut self, rd: u8, value: u32) {
        match (rd, layout::place(rd)) {
            (0, _) => {}
            (_, Place::Reg(own)) => self.asm.mov_imm(own, value),
            (_, slot) => self.asm.store_imm(slot, value),
        }
    }

    fn instruction(&mut self, insn: Instruction) {
        let Instruction {
            op,
            rd,
            rs1,
            rs2,
            imm,
        } = insn;
        let pc = self.pc();
        let next = pc.wrapping_add(4);
        let target = pc.wrapping_add(imm as u32);
        match op {
            Op::Lb => return self.load(insn, Width::Byte, 0xbe),
            Op::Lbu => return self.load(insn, Width::Byte, 0xb6),
            Op::Lh => return self.load(insn, Width::Half, 0xbf),
            Op::Lhu => return self.load(insn, Width::Half, 0xb7),
            Op::Lw => return self.load(insn, Width::Word, 0),
            Op::Sb => return self.store(insn, Width::Byte),
            Op::Sh => return self.store(insn, Width::Half),
            Op::Sw => return self.store(insn, Width::Word),
            Op::Jal => {
                self.constant(rd, next);
                return self.go(target);
            }
            Op::Jalr => return self.jump(insn),
            Op::Beq => return self.branch(condition::EQUAL, rs1, rs2, target),
            Op::Bne => return self.branch(condition::NOT_EQUAL, rs1, rs2, target),
            Op::Blt => return self.branch(condition::LESS, rs1, rs2, target),
            Op::Bge => return self.branch(condition::NOT_LESS, rs1, rs2, target),
            Op::Bltu => return self.branch(condition::BELOW, rs1, rs2, target),
            Op::Bgeu => return self.branch(condition::NOT_BELOW, rs1, rs2, target),
            // What only computes has no other effect than its result.
            _ if rd == 0 => return,
            _ => {}
        }
        match op {
            Op::Lui => self.constant(rd, imm as u32),
            Op::Auipc => self.constant(rd, target),
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
        match (home(rd), home(rs1)) {
            _ if rs1 == 0 => self.constant(rd, imm as u32),
            _ if rd == rs1 => {
                if imm != 0 {
                    self.asm.alu_imm(Wide::No, Alu::Add, layout::place(rd), imm);
                }
            }
            (Some(to), Some(from)) if imm != 0 => self.asm.lea(to, Place::At(from, imm)),
            _ => self.immediate(Alu::Add, rd, rs1, imm),
        }
    }

    fn immediate(&mut self, op: Alu, rd: u8, rs1: u8, imm: i32) {
        let result = Self::result(rd);
        self.load_register(result, rs1);
        if imm != 0 || op == Alu::And {
            self.asm.alu_imm(Wide::No, op, Place::Reg(result), imm);
        }
        self.finish(rd, result);
    }

    fn shift(&mut self, op: Shift, rd: u8, rs1: u8, imm: i32) {
        let result = Self::result(rd);
        self.load_register(result, rs1);
        if imm & 31 != 0 {
            self.asm.shift(op, result, (imm & 31) as u8);
        }
        self.finish(rd, result);
    }

    fn shift_by(&mut self, op: Shift, rd: u8, rs1: u8, rs2: u8) {
        let count = self.source(rs2, RAX);
        let value = self.operand(rs1);
        let result = Self::result(rd);
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
        let result = Self::result(rd);
        self.asm.extend(0xb6, result, Place::Reg(RAX));
        self.finish(rd, result);
    }

    fn add(&mut self, rd: u8, rs1: u8, rs2: u8) {
        match (home(rd), home(rs1), home(rs2)) {
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
        let result = Self::result(rd);
        self.load_register(result, rs1);
        op(&mut self.asm, result, b);
        self.finish(rd, result);
    }

    fn subtract(&mut self, rd: u8, rs1: u8, rs2: u8) {
        let b = self.operand(rs2);
        // A result that is made in the register of rs2 would destroy it.
        let result = if rd == rs2 { RAX } else { Self::result(rd) };
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

    fn branch(&mut self, condition: u8, rs1: u8, rs2: u8, target: u32) {
        let a = self.source(rs1, RAX);
        if rs2 == 0 {
            // As a comparison with 0, and shorter.
            self.asm.test(Wide::No, a, a);
        } else {
            self.asm.alu(Alu::Cmp, a, layout::place(rs2));
        }
        let next = self.pc().wrapping_add(4);
        if self.is_near(target) {
            match self.neighbours.block(target).or_else(|| self.own(target)) {
                Some(code) => {
                    self.asm.jcc(condition, code);
                }
                None => {
                    let site = self.asm.jcc(condition, 0);
                    self.leave_from(site, Leave::To { target, site });
                }
            }
            self.go(next);
        } else {
            let site = self.asm.jcc(condition ^ 1, 0);
            self.look_up(target);
            let here = self.asm.here();
            self.asm.aim(site, here);
            self.go(next);
        }
    }

    /// This block itself, if it is of that address.
    fn own(&self, address: u32) -> Option<usize> {
        (address == self.start).then_some(self.asm.origin)
    }

    fn is_near(&self, address: u32) -> bool {
        address / PAGE == self.start / PAGE
    }

    /// Goes on at an address that is known now.
    fn go(&mut self, target: u32) {
        if !self.is_near(target) {
            return self.look_up(target);
        }
        match self.neighbours.block(target).or_else(|| self.own(target)) {
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

    fn jump(&mut self, insn: Instruction) {
        self.load_register(RAX, insn.rs1);
        if insn.imm != 0 {
            self.asm.alu_imm(Wide::No, Alu::Add, Place::Reg(RAX), insn.imm);
        }
        // An odd target loses its bit, any other that is misaligned traps; neither is usual.
        self.asm.test_byte(RAX, 3);
        self.guard(condition::NOT_EQUAL, false);
        self.constant(insn.rd, self.pc().wrapping_add(4));
        self.dispatch();
    }

    /// Goes to the address in eax, by the indirect-branch cache.
    fn dispatch(&mut self) {
        let entry = |part| Place::Indexed(super::encode::RSP, RCX, 2, field::BRANCHES + part);
        self.asm.mov(RCX, Place::Reg(RAX));
        let mask = 4 * (layout::BRANCHES as i32 - 1);
        self.asm.alu_imm(Wide::No, Alu::And, Place::Reg(RCX), mask);
        self.asm.alu_wide(Alu::Add, RAX, field::at(field::REGIME));
        self.asm.alu_wide(Alu::Cmp, RAX, entry(0));
        self.asm.jcc(condition::NOT_EQUAL, self.neighbours.unknown());
        self.asm.jmp_to(entry(8));
    }

    /// The operand that an access of this width reaches; the block is left if it is not plain memory. `storing`: flags
    /// and other addends count. rax is used for it, and rcx.
    fn memory(&mut self, rs1: u8, imm: i32, width: Width, storing: bool) -> Place {
        let address = match home(rs1) {
            Some(own) if imm == 0 => own,
            Some(own) => {
                self.asm.lea(RAX, Place::At(own, imm));
                RAX
            }
            None if rs1 == 0 => {
                self.asm.mov_imm(RAX, imm as u32);
                RAX
            }
            None => {
                self.load_register(RAX, rs1);
                if imm != 0 {
                    self.asm.alu_imm(Wide::No, Alu::Add, Place::Reg(RAX), imm);
                }
                RAX
            }
        };
        match self.memory {
            Memory::Flat => self.flat(address, width, storing),
            Memory::Paged => self.paged(address, width, storing),
        }
    }

    fn flat(&mut self, address: Gpr, width: Width, storing: bool) -> Place {
        let size = width.bytes().trailing_zeros() as u8;
        let limit = field::at(field::LIMITS + 4 * i32::from(size));
        // The low bits become the highest, so that one comparison finds what is misaligned, too.
        let mut unit = address;
        if size != 0 {
            self.asm.rorx(RCX, address, size);
            unit = RCX;
        }
        self.asm.alu(Alu::Cmp, unit, limit);
        self.guard(condition::NOT_BELOW, true);
        if storing {
            self.asm.mov(RCX, Place::Reg(unit));
            self.asm.shift(Shift::Right, RCX, 12 - size);
            self.asm.alu_wide(Alu::Add, RCX, field::at(field::FLAGS));
            self.asm.cmp_byte(Place::At(RCX, 0), 0);
            self.guard(condition::NOT_EQUAL, true);
        }
        Place::Indexed(BASE, address, 0, 0)
    }

    fn paged(&mut self, address: Gpr, width: Width, storing: bool) -> Place {
        let half = if storing { 8 * PAGES as i32 } else { 0 };
        self.asm.mov(RCX, Place::Reg(address));
        self.asm.shift(Shift::Right, RCX, 12);
        self.asm.mov_wide(RCX, Place::Indexed(BASE, RCX, 3, half));
        if width != Width::Byte {
            self.asm.test_byte(address, width.bytes() as u8 - 1);
            self.guard(condition::NOT_EQUAL, true);
        }
        self.asm.test(Wide::Yes, RCX, RCX);
        self.guard(condition::EQUAL, true);
        Place::Indexed(RCX, address, 0, 0)
    }

    fn load(&mut self, insn: Instruction, width: Width, opcode: u8) {
        let place = self.memory(insn.rs1, insn.imm, width, false);
        let result = Self::result(insn.rd);
        match width {
            Width::Word => self.asm.mov(result, place),
            Width::Byte | Width::Half => self.asm.extend(opcode, result, place),
        }
        self.finish(insn.rd, result);
    }

    fn store(&mut self, insn: Instruction, width: Width) {
        let place = self.memory(insn.rs1, insn.imm, width, true);
        let (place, value) = match (home(insn.rs2), place) {
            (Some(own), place) => (place, own),
            // Where rcx is in use, the address is brought into rax.
            (None, Place::Indexed(RCX, address, ..)) => {
                self.asm.alu_wide(Alu::Add, RCX, Place::Reg(address));
                self.load_register(RAX, insn.rs2);
                (Place::At(RCX, 0), RAX)
            }
            (None, place) => {
                self.load_register(RCX, insn.rs2);
                (place, RCX)
            }
        };
        match width {
            Width::Byte => self.asm.store_byte(place, value),
            Width::Half => self.asm.store_half(place, value),
            Width::Word => self.asm.store(place, value),
        }
    }
}
