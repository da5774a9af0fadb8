//! From a block of Ring32 to x86-64. What a block means for the rest of the machine (where it may be entered, what
//! its memory accesses may reach) is decided by who runs it: nothing here knows how.
//!
//! A block pays for all of its instructions when it is entered, in the budget and in the lanes. Whatever is not plain
//! computation in plain memory leaves the block *before* the instruction; then whoever runs it gives back what was paid
//! for the rest, and the state is that of the reference before that instruction. A block that is a loop of its own pays
//! lanes when it is left.

use toy_isa::instruction::Instruction;
use toy_isa::mmu::PAGE;
use toy_isa::table::Op;

use super::encode::{Alu, Assembler, Gpr, Place, RAX, RCX, RDX, Shift, Wide, condition};
use super::layout::{self, BASE, BUDGET, LANES, PAGES, VECTORS, field, lane};

/// Instructions in a block, at most.
pub(super) const LONGEST_BLOCK: usize = 48;

/// How loads and stores find their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Memory {
    /// Addresses are places in memory, within windows.
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

/// Whether a block of these instructions is a loop of its own: it counts when it is left.
pub(super) fn is_loop(instructions: &[Instruction]) -> bool {
    let last = instructions.len().wrapping_sub(1);
    instructions.last().is_some_and(|insn| {
        let branch = ends(insn.op) && !matches!(insn.op, Op::Jal | Op::Jalr);
        branch && insn.imm == -4 * last as i32
    })
}

/// The number that an odd one times which is 1, modulo 2^32: Newton's iteration doubles the bits that are right.
fn inverse(odd: u32) -> u32 {
    let two = |x: u32| 2_u32.wrapping_sub(odd.wrapping_mul(x));
    (0..5).fold(odd, |x, _| x.wrapping_mul(two(x)))
}

/// Vector registers that hold no lanes.
const TIMES: u8 = VECTORS as u8;
const HELPER: u8 = TIMES + 1;

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
        instructions,
        index: 0,
        facts: Vec::new(),
        borrowed: Vec::new(),
    };
    lowering.block(more);
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
    instructions: &'a [Instruction],
    /// Which of them is at hand.
    index: usize,
    facts: Vec<Fact>,
    /// Registers without a home, with those whose homes they have.
    borrowed: Vec<(u8, u8)>,
}

/// What has been found out about the value of a register: accesses relative to it, in this range, reach plain memory
/// if they are as aligned as `anchor`, which is so to `1 << size` bytes.
#[derive(Clone, Copy)]
struct Fact {
    base: u8,
    from: i32,
    to: i32,
    anchor: i32,
    size: u8,
    storing: bool,
}

impl Fact {
    fn covers(&self, access: &Accessed) -> bool {
        self.base == access.base
            && self.storing >= access.storing
            && self.from <= access.from
            && access.to() <= self.to
            && self.suits(access)
    }

    /// Whether an access is aligned if the anchor is.
    fn suits(&self, access: &Accessed) -> bool {
        access.size <= self.size && (access.from - self.anchor) & ((1 << access.size) - 1) == 0
    }

    /// The fact that would cover both.
    fn with(self, access: &Accessed) -> Option<Fact> {
        let larger = Fact {
            from: self.from.min(access.from),
            to: self.to.max(access.to()),
            storing: self.storing | access.storing,
            ..self
        };
        (self.suits(access) && larger.to - larger.from <= LARGEST_GROUP).then_some(larger)
    }
}

/// Neighbours that are checked together lie within so many bytes: less than a page.
const LARGEST_GROUP: i32 = 2048;

/// What an instruction accesses, relative to a register.
#[derive(Clone, Copy)]
struct Accessed {
    base: u8,
    from: i32,
    size: u8,
    storing: bool,
}

impl Accessed {
    fn by(insn: &Instruction) -> Option<Accessed> {
        let (size, storing) = match insn.op {
            Op::Lb | Op::Lbu => (0, false),
            Op::Lh | Op::Lhu => (1, false),
            Op::Lw => (2, false),
            Op::Sb => (0, true),
            Op::Sh => (1, true),
            Op::Sw => (2, true),
            _ => return None,
        };
        Some(Accessed {
            base: insn.rs1,
            from: insn.imm,
            size,
            storing,
        })
    }

    fn to(&self) -> i32 {
        self.from + (1 << self.size)
    }
}

impl Lowering<'_> {
    fn block(&mut self, more: bool) {
        let instructions = self.instructions;
        let count = instructions.len();
        let ops: Vec<Op> = instructions.iter().map(|insn| insn.op).collect();
        let looped = is_loop(instructions);
        if looped {
            self.borrow();
            self.asm.store_wide(field::at(field::BEFORE_LOOP), BUDGET);
            self.asm.align(64);
        }
        let head = self.asm.here();
        self.asm
            .alu_imm(Wide::Yes, Alu::Sub, Place::Reg(BUDGET), count as i32);
        self.leave_if(condition::BELOW, Leave::Budget);
        if !looped {
            for (xmm, vector) in composition(&ops).into_iter().enumerate() {
                if vector != [0; LANES] {
                    self.asm.add_lanes(xmm as u8, self.neighbours.lanes(vector));
                }
            }
        }
        for (index, insn) in instructions.iter().enumerate() {
            self.index = index;
            if looped && index + 1 == count {
                self.turn(*insn, head, &ops);
            } else {
                self.instruction(*insn);
                self.facts.retain(|fact| fact.base != insn.rd);
            }
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

    /// The branch that leads back to the beginning. What has been executed is put down when the loop is over: the
    /// budget tells how often.
    fn turn(&mut self, insn: Instruction, head: usize, ops: &[Op]) {
        let condition = self.condition(insn);
        self.asm.jcc(condition, head);
        self.asm.mov(RAX, field::at(field::BEFORE_LOOP));
        self.asm.alu(Alu::Sub, RAX, Place::Reg(BUDGET));
        // An exact division: by the power of two, then by the odd rest, which has an inverse.
        let count = ops.len() as u32;
        let twos = count.trailing_zeros();
        if twos != 0 {
            self.asm.shift(Shift::Right, RAX, twos as u8);
        }
        self.asm.imul_imm(RAX, inverse(count >> twos));
        self.asm.spread(TIMES, RAX);
        for (xmm, vector) in composition(ops).into_iter().enumerate() {
            if vector != [0; LANES] {
                let at = self.neighbours.lanes(vector);
                self.asm.add_lanes_times(xmm as u8, TIMES, HELPER, at);
            }
        }
        self.give_back();
        self.go(self.pc().wrapping_add(4));
    }

    /// In a loop, registers of the guest that it uses and that have no home take those of others that it does not use.
    fn borrow(&mut self) {
        let uses = |x: u8| {
            let mut named = self
                .instructions
                .iter()
                .flat_map(|insn| [insn.rd, insn.rs1, insn.rs2]);
            named.any(|register| register == x)
        };
        let homeless = (1..16).filter(|x| layout::home(*x).is_none() && uses(*x));
        let idle = (1..16).filter(|x| layout::home(*x).is_some() && !uses(*x));
        self.borrowed = homeless.zip(idle).collect();
        for (guest, host) in self.borrowed.clone() {
            if let Place::Reg(register) = layout::place(host) {
                self.asm.store(layout::slot(host), register);
                self.asm.mov(register, layout::slot(guest));
            }
        }
    }

    /// Every register of the guest is where it belongs again. Flags stay.
    fn give_back(&mut self) {
        for (guest, host) in self.borrowed.clone() {
            if let Place::Reg(register) = layout::place(host) {
                self.asm.store(layout::slot(guest), register);
                self.asm.mov(register, layout::slot(host));
            }
        }
    }

    /// The host register of `x`, if it has one here.
    fn home(&self, x: u8) -> Option<Gpr> {
        let lender = self.borrowed.iter().find(|(guest, _)| *guest == x);
        layout::home(lender.map_or(x, |(_, host)| *host))
    }

    /// Where `x` is, which is not x0.
    fn place(&self, x: u8) -> Place {
        self.home(x).map_or(layout::slot(x), Place::Reg)
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
            if !matches!(self.leaves[i], Leave::To { .. }) {
                self.give_back();
            }
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
        match self.home(x) {
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
            self.asm.mov(to, self.place(x));
        }
    }

    /// An operand that is `x`. Flags are lost, and rcx if it is x0.
    fn operand(&mut self, x: u8) -> Place {
        if x == 0 {
            self.load_register(RCX, 0);
            Place::Reg(RCX)
        } else {
            self.place(x)
        }
    }

    /// Where the result for `rd` is made: in its own register, or in eax.
    fn result(&self, rd: u8) -> Gpr {
        self.home(rd).unwrap_or(RAX)
    }

    /// Brings a result from [`Lowering::result`] to where `rd` is.
    fn finish(&mut self, rd: u8, from: Gpr) {
        if rd != 0 {
            match self.place(rd) {
                Place::Reg(own) => self.asm.mov(own, Place::Reg(from)),
                slot => self.asm.store(slot, from),
            }
        }
    }

    fn constant(&mut self, rd: u8, value: u32) {
        match (rd, self.place(rd)) {
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
        match Accessed::by(&insn) {
            Some(access) if access.storing => return self.store(insn, access),
            Some(access) => return self.load(insn, access),
            None => {}
        }
        match op {
            Op::Jal => {
                self.constant(rd, next);
                return self.go(target);
            }
            Op::Jalr => return self.jump(insn),
            Op::Beq | Op::Bne | Op::Blt | Op::Bge | Op::Bltu | Op::Bgeu => return self.branch(insn, target),
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

    fn branch(&mut self, insn: Instruction, target: u32) {
        let condition = self.condition(insn);
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

    /// The operand that the current access reaches; the block is left if it is not plain memory. rax and rcx are used
    /// for it.
    fn memory(&mut self, access: Accessed) -> Place {
        if let (Some(own), Memory::Flat) = (self.home(access.base), self.memory) {
            if !self.facts.iter().any(|fact| fact.covers(&access)) {
                self.find_out(own, access);
            }
            return Place::Indexed(BASE, own, 0, access.from);
        }
        let address = match self.home(access.base) {
            Some(own) if access.from == 0 => own,
            Some(own) => {
                self.asm.lea(RAX, Place::At(own, access.from));
                RAX
            }
            None if access.base == 0 => {
                self.asm.mov_imm(RAX, access.from as u32);
                RAX
            }
            None => {
                self.load_register(RAX, access.base);
                if access.from != 0 {
                    self.asm.alu_imm(Wide::No, Alu::Add, Place::Reg(RAX), access.from);
                }
                RAX
            }
        };
        match self.memory {
            Memory::Flat => {
                self.check(address, 0, access.size, access.storing, false);
                Place::Indexed(BASE, address, 0, 0)
            }
            Memory::Paged => self.paged(address, access),
        }
    }

    /// Checks an access, and with it those after it that are relative to the same value of its register.
    fn find_out(&mut self, own: Gpr, access: Accessed) {
        let one = Fact {
            base: access.base,
            from: access.from,
            to: access.to(),
            anchor: access.from,
            size: access.size,
            storing: access.storing,
        };
        let mut all = one;
        for insn in &self.instructions[self.index..] {
            if let Some(next) = Accessed::by(insn).filter(|next| next.base == access.base) {
                // The most aligned is the anchor, if the others suit it.
                let anchored = Fact {
                    anchor: next.from,
                    size: next.size,
                    ..all
                };
                let all_suit = all.size < next.size && anchored.suits(&access) && all.anchor == access.from;
                all = if all_suit { anchored } else { all }.with(&next).unwrap_or(all);
            }
            if insn.rd == access.base {
                break;
            }
        }
        let single = all.from == one.from && all.to == one.to;
        let last = all.to - (1 << all.size);
        // The last unit, counted from the anchor.
        let last = last - ((last - all.anchor) & ((1 << all.size) - 1));
        let last = if last + (1 << all.size) < all.to {
            last + (1 << all.size)
        } else {
            last
        };
        self.check(own, last, all.size, all.storing, !single);
        self.facts.push(all);
    }

    /// Leaves the block unless the unit of `1 << size` bytes at `address + offset` is aligned and in its window;
    /// `upper`: so far up in it that everything less than a page below is there, too. In 64 bits, so that a sum
    /// that wraps is outside.
    fn check(&mut self, address: Gpr, offset: i32, size: u8, storing: bool, upper: bool) {
        let start = if storing {
            0
        } else {
            i32::from(upper) * PAGE as i32
        };
        let mut unit = address;
        if offset != start {
            self.asm.lea_wide(RCX, Place::At(address, offset - start));
            unit = RCX;
        }
        if storing {
            if unit != RCX {
                self.asm.mov(RCX, Place::Reg(unit));
                unit = RCX;
            }
            self.asm.alu_wide(Alu::Sub, RCX, field::start(true, upper));
        }
        if size != 0 {
            // The low bits become the highest, so that one comparison finds what is misaligned, too.
            self.asm.rorx(RCX, unit, size);
            unit = RCX;
        }
        self.asm
            .alu_wide(Alu::Cmp, unit, field::units(storing, upper, size));
        self.guard(condition::NOT_BELOW, true);
    }

    fn paged(&mut self, address: Gpr, access: Accessed) -> Place {
        let half = if access.storing { 8 * PAGES as i32 } else { 0 };
        self.asm.mov(RCX, Place::Reg(address));
        self.asm.shift(Shift::Right, RCX, 12);
        self.asm.mov_wide(RCX, Place::Indexed(BASE, RCX, 3, half));
        if access.size != 0 {
            self.asm.test_byte(address, (1 << access.size) - 1);
            self.guard(condition::NOT_EQUAL, true);
        }
        self.asm.test(Wide::Yes, RCX, RCX);
        self.guard(condition::EQUAL, true);
        Place::Indexed(RCX, address, 0, 0)
    }

    fn load(&mut self, insn: Instruction, access: Accessed) {
        let place = self.memory(access);
        let result = self.result(insn.rd);
        match insn.op {
            Op::Lb => self.asm.extend(0xbe, result, place),
            Op::Lbu => self.asm.extend(0xb6, result, place),
            Op::Lh => self.asm.extend(0xbf, result, place),
            Op::Lhu => self.asm.extend(0xb7, result, place),
            _ => self.asm.mov(result, place),
        }
        self.finish(insn.rd, result);
    }

    fn store(&mut self, insn: Instruction, access: Accessed) {
        let place = self.memory(access);
        let (place, value) = match (self.home(insn.rs2), place) {
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
        match insn.op {
            Op::Sb => self.asm.store_byte(place, value),
            Op::Sh => self.asm.store_half(place, value),
            _ => self.asm.store(place, value),
        }
    }
}
