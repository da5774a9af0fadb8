//! From a trace of Ring32 to x86-64. What a block means for the rest of the machine (where it may be entered, what
//! its memory accesses may reach) is decided by who runs it: nothing here knows how.
//!
//! A block takes the instructions of its whole trace off the budget when it is entered, and gives back what it does not
//! execute when it is left. Operations are counted where it is left. Whatever is not plain computation in plain memory
//! leaves the block *before* the instruction, with nothing counted; then whoever runs it counts, and the state is that
//! of the reference before that instruction.

mod arithmetic;
mod indexed;
mod jumps;
mod memory;
mod symbols;
pub(super) mod trace;

use std::ops::Range;

use toy_isa::table::Op;

use super::encode::{Alu, Assembler, Gpr, Place, RAX, RCX, Wide, condition};
use super::layout::{self, BUDGET, LANES};
use memory::Fact;
use symbols::Accessed;
pub(super) use symbols::width;
use trace::{Composition, Goes, Trace};

/// How loads and stores find their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Memory {
    /// Addresses are places in memory, within windows.
    Flat,
    /// Each page of addresses has its addend.
    Paged,
    /// Addresses are those of the host from a base on, whose page tables and alignment check decide.
    Mapped,
}

/// Why emitted code comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leave {
    /// The indirect-branch cache does not know the target.
    Unknown,
    /// The budget is too small for the block, of which nothing has happened.
    Budget,
    /// The step with this number is not for emitted code; nor is what is behind the last, if it is one more than that.
    /// `data`: because of what it would reach.
    Before { index: u16, data: bool },
    /// The block is over and goes on at `target`, in the same page. The jump at `site` may be led there for good.
    To { target: u32, site: usize },
}

/// What lowering needs to know of the code that is there.
pub(super) trait Neighbours {
    /// Where the aligned lanes are that this composition adds.
    fn lanes(&mut self, composition: [u16; LANES]) -> usize;
    /// The code of the block of this address, if there is one.
    fn block(&self, address: u32) -> Option<usize>;
    /// Where emitted code leaves, with the number of the exit in eax.
    fn epilogue(&self) -> usize;
    /// Where it leaves when the target in eax is unknown.
    fn unknown(&self) -> usize;
    /// The number of the next exit.
    fn next_exit(&self) -> u32;
}

/// A block in host code.
pub(super) struct Lowered {
    pub(super) code: Vec<u8>,
    /// Its exits, from [`Neighbours::next_exit`] on.
    pub(super) leaves: Vec<Leave>,
    /// Instructions that the host may refuse, each with where to go then.
    pub(super) faults: Vec<(usize, usize)>,
    /// Where its parts begin.
    pub(super) marks: Vec<Mark>,
}

/// Where a part of a block's code begins, and what it is for: see [`crate::Purpose`].
#[derive(Clone, Copy)]
pub(super) enum Mark {
    Enter(usize),
    Step(usize, usize, bool),
    Behind(usize),
    Branch(usize, usize),
    Stub(usize, Leave),
}

/// Lowers a trace, to stand at `origin`.
pub(super) fn lower(
    trace: &Trace,
    memory: Memory,
    origin: usize,
    neighbours: &mut dyn Neighbours,
) -> Lowered {
    let mut lowering = Lowering {
        asm: Assembler::new(origin),
        memory,
        neighbours,
        trace,
        accesses: symbols::accesses(&trace.steps),
        prefixes: trace::prefixes(&trace.steps),
        head: origin,
        index: 0,
        places: Vec::new(),
        cautious: false,
        facts: Vec::new(),
        aligned: Vec::new(),
        joins: Vec::new(),
        pointers: 0,
        doubts: Vec::new(),
        skips: Vec::new(),
        outs: Vec::new(),
        unknowns: Vec::new(),
        leaves: Vec::new(),
        faults: Vec::new(),
        sites: Vec::new(),
        borrowed: Vec::new(),
        marks: vec![Mark::Enter(origin)],
    };
    lowering.all();
    Lowered {
        code: lowering.asm.code,
        leaves: lowering.leaves,
        faults: lowering.faults,
        marks: lowering.marks,
    }
}

struct Lowering<'a> {
    asm: Assembler,
    memory: Memory,
    neighbours: &'a mut dyn Neighbours,
    trace: &'a Trace,
    accesses: Vec<Option<Accessed>>,
    /// What the first steps add to the lanes, by their number.
    prefixes: Vec<Composition>,
    /// Where a pass begins.
    head: usize,
    /// The step at hand.
    index: usize,
    /// Where the code of each step begins, in this copy of the trace.
    places: Vec<usize>,
    /// This is the copy that takes nothing for granted.
    cautious: bool,
    /// What is known of addresses, in the order in which it was found out.
    facts: Vec<Fact>,
    /// What is known to be aligned, but no more.
    aligned: Vec<Fact>,
    joins: Vec<Join>,
    /// Pointers that are in use.
    pointers: usize,
    /// Jumps to the step of this number in the cautious copy.
    doubts: Vec<(usize, usize)>,
    /// Jumps of a step to another.
    skips: Vec<(usize, usize, usize)>,
    /// Jumps of a step out of the trace.
    outs: Vec<(usize, usize, u32)>,
    /// Jumps of a step to where its target is not known.
    unknowns: Vec<(usize, usize)>,
    leaves: Vec<Leave>,
    /// What leads to the stubs of `leaves`.
    sites: Vec<Site>,
    faults: Vec<(usize, usize)>,
    /// Registers without a home, with those whose homes they have.
    borrowed: Vec<(u8, u8)>,
    marks: Vec<Mark>,
}

/// What leads to a way out.
#[derive(Clone, Copy)]
enum Site {
    /// A jump, whose displacement stands here.
    Jump(usize),
    /// The instruction here, if the host refuses its access.
    Fault(usize),
}

/// A step that a branch leads to.
#[derive(Clone, Copy)]
struct Join {
    to: usize,
    /// How many facts are known there: those from before the branch.
    facts: usize,
    /// The same of what is aligned.
    aligned: usize,
}

impl Lowering<'_> {
    fn all(&mut self) {
        if self.trace.is_loop() {
            self.borrow();
            self.asm.align(64);
        }
        self.head = self.asm.here();
        let count = self.trace.steps.len() as i32;
        self.asm.alu_imm(Wide::Yes, Alu::Sub, Place::Reg(BUDGET), count);
        self.leave_if(condition::BELOW, Leave::Budget);
        self.copy(0);
        let doubts = std::mem::take(&mut self.doubts);
        if let Some(first) = doubts.iter().map(|(_, index)| *index).min() {
            self.cautious = true;
            self.copy(first);
            for (site, index) in doubts {
                self.asm.aim(site, self.places[index]);
            }
        }
        self.stubs();
    }

    /// The trace from a step on.
    fn copy(&mut self, first: usize) {
        self.facts.clear();
        self.aligned.clear();
        self.joins.clear();
        self.places = vec![0; first];
        let trace = self.trace;
        let mut next = first;
        while let Some(step) = trace.steps.get(next) {
            self.index = next;
            self.places.push(self.asm.here());
            self.marks.push(Mark::Step(self.asm.here(), next, self.cautious));
            self.forget_skipped();
            if let Some(steps) = self.indexed() {
                let rest = next + 1..next + steps;
                next += steps;
                let (here, cautious) = (self.asm.here(), self.cautious);
                self.marks
                    .extend(rest.map(|step| Mark::Step(here, step, cautious)));
                continue;
            }
            next += 1;
            match self.accesses[self.index] {
                Some(access) => self.access(step.insn, access),
                None if step.goes == Goes::On && step.insn.op != Op::Jal => self.compute(step.insn),
                None => self.jump(*step),
            }
        }
        let count = trace.steps.len();
        self.index = count;
        self.marks.push(Mark::Behind(self.asm.here()));
        match trace.steps.last() {
            Some(last) if matches!(last.goes, Goes::Back | Goes::Out) => {}
            _ if trace.more => {
                self.pay(count);
                self.go(trace.next);
            }
            _ => {
                let site = self.asm.jmp(0);
                let index = count as u16;
                self.leave_from(site, Leave::Before { index, data: false });
            }
        }
        self.detours();
    }

    /// Where a branch leads to the step at hand, what was found out behind the branch is not known.
    fn forget_skipped(&mut self) {
        let here = self.joins.iter().filter(|join| join.to == self.index);
        for Join { facts, aligned, .. } in here.copied().collect::<Vec<_>>() {
            self.facts.truncate(facts);
            self.aligned.truncate(aligned);
            for join in &mut self.joins {
                join.facts = join.facts.min(facts);
                join.aligned = join.aligned.min(aligned);
            }
        }
    }

    /// Counts the first steps, which have been executed.
    fn pay(&mut self, steps: usize) {
        self.count(0..steps, true);
    }

    /// Counts steps, or takes them back.
    fn count(&mut self, steps: Range<usize>, forth: bool) {
        let [before, after] = [steps.start, steps.end].map(|step| self.prefixes[step]);
        for (xmm, (before, mut vector)) in (0..).zip(before.into_iter().zip(after)) {
            for (lane, less) in vector.iter_mut().zip(before) {
                *lane -= less;
            }
            if vector != [0; LANES] {
                let at = self.neighbours.lanes(vector);
                self.asm.add_lanes(forth, xmm, at);
            }
        }
    }

    /// In a loop, registers of the guest that it uses and that have no home take those of others that it does not use.
    fn borrow(&mut self) {
        let uses = |x: u8| {
            let mut named = self
                .trace
                .steps
                .iter()
                .flat_map(|step| [step.insn.rd, step.insn.rs1, step.insn.rs2]);
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
        self.trace.steps[self.index].at
    }

    /// The stub of each exit: its number, and out.
    fn stubs(&mut self) {
        let first = self.neighbours.next_exit();
        for i in 0..self.leaves.len() {
            let stub = self.asm.here();
            match self.sites[i] {
                Site::Jump(site) => self.asm.aim(site, stub),
                Site::Fault(at) => self.faults.push((at, stub)),
            }
            self.marks.push(Mark::Stub(stub, self.leaves[i]));
            if !matches!(self.leaves[i], Leave::To { .. }) {
                self.give_back();
            }
            self.asm.mov_imm(RAX, first + i as u32);
            self.asm.jmp(self.neighbours.epilogue());
        }
    }

    fn leave_from(&mut self, site: usize, leave: Leave) {
        self.leaves.push(leave);
        self.sites.push(Site::Jump(site));
    }

    /// The host may refuse the access that is emitted next.
    fn may_fault(&mut self) {
        if self.memory == Memory::Mapped {
            let index = self.index as u16;
            self.leaves.push(Leave::Before { index, data: true });
            self.sites.push(Site::Fault(self.asm.here()));
        }
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
}
