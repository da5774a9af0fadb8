//! The engine itself: finds blocks, enters them, answers what they leave by. The design is in
//! `docs/adr/0012-x86-64-engine.md`.

mod cache;
mod confinement;
mod encode;
mod gate;
mod layout;
mod listing;
mod lower;
mod mapped;
mod spaces;

use toy_isa::bus::Width;
use toy_isa::cpu::{self, Poll, Step};
use toy_isa::engine::{Engine, Exit};
use toy_isa::instruction::{Instruction, Registers, decode};
use toy_isa::machine::{Board, Machine};
use toy_isa::mmu::{self, Access, PAGE};
use toy_isa::ram::flag;
use toy_isa::table::Op;

use crate::{Translated, Unavailable};
use cache::{Cache, Known};
use gate::Gate;
use layout::{BRANCHES, Branch, COUNTED, LONGEST, MARKED, Window};
use lower::{Leave, Memory, trace};
use spaces::{Regime, Spaces};

/// Executes blocks of Ring32 as x86-64 code. What is not plain computation in plain memory, and what is seldom
/// executed, goes step by step, as on the reference.
pub struct X86_64 {
    gate: Gate,
    cache: Cache,
    spaces: Spaces,
    /// What the memory was like when the spaces were made.
    seen: Seen,
    /// A page in the window for stores while translation is off.
    focus: u32,
    /// That window, and what it depends on.
    windowed: Option<((u64, u32), Window)>,
    /// How often it was the wrong one.
    misses: u32,
    /// There is no window that is right for long.
    scattered: bool,
    /// What the model of the TLB counts is what it counts on the reference: emitted code reaches no page that the model
    /// does not hold.
    counts_tlb: bool,
    /// A jump that emitted code was left by, and that can be led to the block that is entered next.
    open: Option<usize>,
}

/// What spaces and code depend on, beside the regime.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Seen {
    /// Address and size of the guest's memory.
    memory: (u64, u32),
    /// See [`mmu::Tlb::epoch`].
    epoch: u32,
    /// See [`toy_isa::ram::Ram::raised`].
    raised: u64,
    /// Somebody counts instructions by their addresses.
    tallied: bool,
}

/// Room for code, in bytes.
const ARENA: usize = 32 << 20;

/// How often code is executed step by step before it is translated.
const PATIENCE: u8 = 6;

/// How often the window for stores is moved.
const MISSES: u32 = 64;

/// Steps in a row, at most, before somebody looks for a block again.
const STROLL: u64 = 64;

impl X86_64 {
    /// Makes one.
    ///
    /// # Errors
    /// If the processor lacks an extension that emitted code uses, or the host gives no memory for code.
    pub fn new() -> Result<X86_64, Unavailable> {
        X86_64::with_patience(PATIENCE)
    }

    /// As [`X86_64::new`], with another number of times that code is executed step by step before it is translated.
    ///
    /// # Errors
    /// As [`X86_64::new`].
    pub fn with_patience(patience: u8) -> Result<X86_64, Unavailable> {
        X86_64::with_arena(patience, ARENA)
    }

    /// As [`X86_64::with_patience`], with room for so many bytes of code, and for some blocks at least.
    ///
    /// # Errors
    /// As [`X86_64::new`].
    pub fn with_arena(patience: u8, bytes: usize) -> Result<X86_64, Unavailable> {
        if !std::arch::is_x86_feature_detected!("bmi2") {
            return Err(Unavailable("the processor has no BMI2".to_string()));
        }
        let refused = |error| Unavailable(format!("the host gives no memory for code ({error})"));
        Ok(X86_64 {
            gate: Gate::new().map_err(refused)?,
            cache: Cache::new(patience, bytes).map_err(refused)?,
            spaces: Spaces::new().map_err(refused)?,
            seen: Seen::default(),
            focus: u32::MAX,
            windowed: None,
            misses: 0,
            scattered: false,
            open: None,
            counts_tlb: true,
        })
    }

    /// The same without counting what the TLB does, which costs a program dear that reaches for more than its entries.
    #[must_use]
    pub fn without_tlb(self) -> X86_64 {
        X86_64 {
            counts_tlb: false,
            ..self
        }
    }

    /// What it has translated so far.
    pub fn translated(&self) -> Translated {
        self.cache.translated
    }
}

impl Engine for X86_64 {
    fn name(&self) -> &'static str {
        "x86-64"
    }

    fn counts_tlb(&self) -> bool {
        self.counts_tlb
    }

    fn run(&mut self, machine: &mut Machine, fuel: u64) -> Exit {
        let end = machine.attempts.saturating_add(fuel);
        while machine.attempts < end {
            self.forget_stale(machine);
            if machine.board.pace.clock >= machine.board.pace.attention {
                self.open = None;
                match cpu::poll(&mut machine.hart, &mut machine.board) {
                    Poll::Go => {}
                    Poll::Interrupted(trap) => {
                        machine.attempts += 1;
                        return Exit::taken(&mut machine.board, trap);
                    }
                    Poll::PowerOff(code) => return Exit::PowerOff(code),
                    Poll::Deadlock => return Exit::Deadlock,
                }
                // The disk may have moved data into code.
                self.forget_stale(machine);
            }
            self.settle(machine);
            let found = self.find(machine);
            let open = self.open.take();
            if !is_free(machine, end) {
                // The fetch has marked an entry of a page table, and somebody has to look at that.
                continue;
            }
            let exit = match found {
                Some(Known::Code(block)) => {
                    if let Some(site) = open {
                        self.cache.link(site, block);
                    }
                    match self.execute(machine, block, end) {
                        Left::Open(site) => {
                            self.open = site;
                            None
                        }
                        Left::Before(data) if is_free(machine, end) => self.step_over(machine, data),
                        Left::Before(_) => None,
                        Left::Short(count) => stroll(machine, end, count),
                    }
                }
                Some(Known::Cold | Known::Warm) => stroll(machine, end, STROLL),
                Some(Known::Never) | None => step(machine),
            };
            if let Some(exit) = exit {
                return exit;
            }
        }
        Exit::Fuel
    }
}

/// How emitted code was left.
enum Left {
    /// At the end of a block; the jump there, if it can be led on.
    Open(Option<usize>),
    /// Before an instruction that it does not execute; perhaps because of the data that it would reach.
    Before(bool),
    /// Before a block that is longer than the budget, which is this.
    Short(u64),
}

impl X86_64 {
    fn forget_code(&mut self) {
        self.cache.flush();
        self.spaces.forget();
        self.windowed = None;
        self.open = None;
    }

    fn forget_stale(&mut self, machine: &mut Machine) {
        let stale = machine.take_stale_code();
        if stale.is_empty() {
            return;
        }
        for frame in stale {
            self.cache.forget(frame);
        }
        self.open = None;
        // Under a new number, no entry of the indirect-branch cache is found again.
        self.spaces.forget();
    }

    /// Takes in what has changed in the machine since emitted code ran last.
    fn settle(&mut self, machine: &mut Machine) -> Regime {
        let ram = &mut machine.board.ram;
        let size = ram.size();
        let now = Seen {
            memory: (ram.parts().0.as_ptr() as u64, size),
            epoch: machine.board.tlb.epoch(),
            raised: ram.raised(),
            tallied: machine.board.observer.tally.is_some(),
        };
        if now != self.seen {
            if (now.memory, now.tallied) != (self.seen.memory, self.seen.tallied) {
                self.forget_code();
            } else if now.epoch != self.seen.epoch {
                self.spaces.forget();
            } else {
                self.spaces.forget_stores();
            }
            self.seen = now;
        }
        if self.counts_tlb && machine.board.tlb.has_lost() {
            let lost = machine.board.tlb.take_lost();
            if lost.all {
                self.spaces.forget();
            }
            if lost.fetches {
                self.spaces.renumber();
            }
            for page in lost.pages {
                self.spaces.forget_page(page);
            }
        }
        if self.spaces.begin_again() {
            self.gate.context().branches.fill(Branch::default());
        }
        let regime = Regime::of(machine, self.scattered);
        self.spaces.enter(regime);
        regime
    }

    /// What is known of the code at the program counter; `None` if not the whole of its page may be fetched from.
    fn find(&mut self, machine: &mut Machine) -> Option<Known> {
        let Machine { hart, board, .. } = &mut *machine;
        let (pc, start) = (hart.pc, hart.pc & !(PAGE - 1));
        // Where relocation is off a page boundary, a page of addresses is not a page of memory.
        let split = hart.csr.status.relocates() && !hart.csr.base.is_multiple_of(PAGE);
        if split || !mmu::within(hart.ring(), hart.csr.xbound, start, PAGE) {
            return None;
        }
        let physical = mmu::translate(hart, board, Access::Fetch, pc, Width::Word).ok()?;
        let frame = physical / PAGE;
        board.ram.page(frame)?;
        board.pace.entering = false;
        let memory = Regime::of(machine, self.scattered).memory();
        let known = self.cache.find(frame, pc, memory);
        if known != Known::Warm {
            return Some(known);
        }
        if !self.cache.has_room() {
            self.forget_code();
        }
        machine.board.ram.set(physical, flag::CODE);
        let Board { ram, observer, .. } = &machine.board;
        Some(
            self.cache
                .translate(frame, ram.page(frame)?, observer.tally.as_ref(), pc, memory),
        )
    }

    /// Executes from this block on, until something else has to be done.
    #[allow(unsafe_code, reason = "emitted code is entered")]
    fn execute(&mut self, machine: &mut Machine, block: usize, end: u64) -> Left {
        let regime = self.settle(machine);
        let pace = &machine.board.pace;
        let left = (end - machine.attempts).min(pace.attention - pace.clock);
        let budget = left.min(LONGEST);
        let loads = Window::new(0, regime.limit(machine.board.ram.size()));
        let stores = self.window(machine, regime);
        let bytes = machine.board.ram.parts().0;
        let number = u64::from(self.spaces.number()) << 32;
        let base = match regime.memory() {
            Memory::Flat => bytes.as_mut_ptr() as u64,
            Memory::Paged => self.spaces.base(),
        };
        let code = self.cache.memory.address(block);
        let context = self.gate.context();
        context.x.copy_from_slice(&machine.hart.x[..16]);
        context.budget = budget;
        context.base = base;
        context.loads = loads;
        context.stores = stores;
        context.regime = number;
        let pc = machine.hart.pc;
        context.branches[pc as usize / 4 % BRANCHES] = Branch {
            key: number | u64::from(pc),
            code,
        };
        // SAFETY: `block` and the cache's entrance are what the cache made, and blocks that are not forgotten are
        // reached only from blocks of the same page, or under the number of a regime in which they were found. Base and
        // limits are the guest's memory, of which `machine` is the only reference; or addends that lead into it, for
        // they are forgotten when it moves, or its pages come to mean something else.
        unsafe { self.gate.run(&self.cache.memory, self.cache.enter, block) };
        self.account(machine, budget, left)
    }

    /// Brings the machine to where emitted code was left.
    fn account(&mut self, machine: &mut Machine, budget: u64, left: u64) -> Left {
        let context = self.gate.context();
        machine.hart.x[..16].copy_from_slice(&context.x);
        machine.hart.x[0] = 0;
        let exit = self.cache.exit(context.exit);
        let mut unspent = context.budget;
        let came = match exit.leave {
            Leave::Unknown => {
                machine.hart.pc = context.target;
                Left::Open(None)
            }
            Leave::To { target, site } => {
                machine.hart.pc = target;
                Left::Open(Some(site))
            }
            Leave::Budget => {
                let trace = self.cache.trace(exit);
                let count = trace.steps.len() as u64;
                machine.hart.pc = trace.start;
                unspent = unspent.wrapping_add(count);
                let rest = left - (budget - unspent);
                if rest >= count {
                    Left::Open(None)
                } else {
                    Left::Short(rest)
                }
            }
            Leave::Before { index, data } => {
                let trace = self.cache.trace(exit);
                let (executed, rest) = trace.steps.split_at(usize::from(index));
                machine.hart.pc = rest.first().map_or(trace.next, |step| step.at);
                unspent += rest.len() as u64;
                let lanes = context.lanes.as_flattened_mut();
                for (lane, more) in lanes.iter_mut().zip(trace::composition(executed).as_flattened()) {
                    // What was skipped is counted below zero until now.
                    *lane = lane.wrapping_add(*more);
                }
                Left::Before(data)
            }
        };
        for (op, lane) in COUNTED.iter().zip(context.lanes.as_flattened()) {
            machine.histogram[*op as usize] += u64::from(*lane);
        }
        if let Some(tally) = &mut machine.board.observer.tally {
            tally.retired += u64::from(context.lanes.as_flattened()[MARKED]);
        }
        let spent = budget - unspent;
        machine.attempts += spent;
        machine.board.pace.clock += spent;
        came
    }

    /// Executes the instruction at which emitted code stopped; if it reached plain memory, emitted code will do so by
    /// itself next time.
    fn step_over(&mut self, machine: &mut Machine, data: bool) -> Option<Exit> {
        let access = if data { data_access(machine) } else { None };
        let epoch = machine.board.tlb.epoch();
        let exit = step(machine);
        // A store may have been to the very table that led to it; then nothing is known of its page any more.
        if let (Some((access, address)), None) = (access, exit)
            && machine.board.tlb.epoch() == epoch
        {
            match Regime::of(machine, self.scattered).memory() {
                Memory::Paged => self.spaces.fill(machine, access, address),
                Memory::Flat => self.look_around(machine, access, address),
            }
        }
        exit
    }

    /// An access was not in its window. If it might have been in another, that is the window from now on; if that
    /// happens often, there are no more windows.
    fn look_around(&mut self, machine: &Machine, access: Access, address: u32) {
        let ram = &machine.board.ram;
        let plain = address < ram.size() && (access == Access::Load || ram.flags(address) == 0);
        if plain {
            self.focus = address / PAGE;
            self.windowed = None;
            self.misses += 1;
            self.scattered = self.misses > MISSES;
        }
    }

    /// Where emitted code may store while translation is off: the pages without flags around the focus.
    fn window(&mut self, machine: &mut Machine, regime: Regime) -> Window {
        let ram = &mut machine.board.ram;
        let key = (ram.raised(), regime.limit(ram.size()));
        if let Some((known, window)) = self.windowed
            && known == key
        {
            return window;
        }
        let flags = &ram.parts().1[..(key.1 / PAGE) as usize];
        let focus = (self.focus as usize).min(flags.len());
        let first = flags[..focus].iter().rposition(|flags| *flags != 0);
        let last = flags[focus..].iter().position(|flags| *flags != 0);
        let (first, end) = (
            first.map_or(0, |page| page + 1),
            last.map_or(flags.len(), |at| focus + at),
        );
        let window = Window::new(first as u32 * PAGE, end as u32 * PAGE);
        self.windowed = Some((key, window));
        window
    }
}

/// What the load or store at the program counter accesses.
fn data_access(machine: &mut Machine) -> Option<(Access, u32)> {
    let Machine { hart, board, .. } = machine;
    let word = cpu::fetch(hart, board).ok()?;
    let Instruction { op, rs1, imm, .. } = decode(word, Registers::Sixteen)?;
    let access = match op {
        Op::Lb | Op::Lbu | Op::Lh | Op::Lhu | Op::Lw => Access::Load,
        Op::Sb | Op::Sh | Op::Sw => Access::Store,
        _ => return None,
    };
    let address = hart.x[usize::from(rs1 & 15)].wrapping_add(imm as u32);
    Some((access, address))
}

/// Steps until the program jumps, something wants attention, or the fuel or `count` is used up.
fn stroll(machine: &mut Machine, end: u64, count: u64) -> Option<Exit> {
    let end = end.min(machine.attempts.saturating_add(count));
    while is_free(machine, end) {
        let next = machine.hart.pc.wrapping_add(4);
        let exit = step(machine);
        if exit.is_some() {
            return exit;
        }
        if machine.hart.pc != next {
            break;
        }
    }
    None
}

/// Whether the next instruction may be executed before anything else is looked at.
fn is_free(machine: &Machine, end: u64) -> bool {
    machine.attempts < end && machine.board.pace.clock < machine.board.pace.attention
}

/// One attempt at an instruction, in the manner of the reference.
fn step(machine: &mut Machine) -> Option<Exit> {
    let Machine {
        hart,
        board,
        attempts,
        histogram,
    } = machine;
    *attempts += 1;
    let pc = hart.pc;
    match cpu::step(hart, board, Registers::Sixteen) {
        Step::Retired(insn) => {
            histogram[insn.op as usize] += 1;
            board.retired_at(pc);
        }
        Step::Trapped(trap) => return Some(Exit::taken(board, trap)),
        Step::DoubleFault(trap) => return Some(Exit::DoubleFault(trap)),
    }
    std::mem::take(&mut board.pace.returned).then_some(Exit::Return)
}
