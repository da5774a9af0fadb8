//! The engine itself: finds blocks, enters them, answers what they leave by. The design is in
//! `docs/adr/0012-x86-64-engine.md`.

mod cache;
mod confinement;
mod encode;
mod engines;
mod gate;
mod ground;
mod layout;
mod listing;
mod lower;
mod mapped;
mod quiet;
mod spaces;
mod virtualized;

use toy_isa::bus::Width;
use toy_isa::engine::{Engine, Exit, Figures, attempt, attend};
use toy_isa::hart::Hart;
use toy_isa::instruction::Instruction;
use toy_isa::machine::{Board, Machine};
use toy_isa::mmu::{self, Access, PAGE};
use toy_isa::ram::flag;

use crate::kvm::KvmError;
pub use engines::{Kvm, X86_64};
pub(crate) use virtualized::trips;

use cache::{Cache, Known};
use ground::Ground;
use layout::{BRANCHES, Branch, COUNTED, LANES, LONGEST, MARKED, Window};
use lower::{Leave, Memory, trace};
use spaces::{Regime, Spaces};

/// Executes blocks of Ring32 as x86-64 code. What is not plain computation in plain memory, and what is seldom
/// executed, goes step by step, as on the reference.
struct Translator<G: Ground> {
    // Before the code that it runs.
    ground: G,
    cache: Cache,
    spaces: Spaces,
    /// What the machine was like when code was forgotten last.
    seen: Seen,
    /// See [`mmu::Tlb::epoch`]: that of when translations were looked at.
    epoch: u32,
    /// See [`toy_isa::ram::Ram::raised`]: that of when stores were forgotten.
    raised: u64,
    /// A page in the window for stores while translation is off.
    focus: u32,
    /// That window, and what it depends on.
    windowed: Option<((u64, u32), Window)>,
    /// How often it was the wrong one.
    misses: u32,
    /// What the model of the TLB counts is what it counts on the reference: emitted code reaches no page that the model
    /// does not hold.
    counts_tlb: bool,
    /// A jump that emitted code was left by, and that can be led to the block that is entered next.
    open: Option<usize>,
    /// Instructions that emitted code has executed.
    emitted: u64,
    /// The host has failed, and the guest's state is lost.
    failure: Option<KvmError>,
}

/// What code depends on, and only outsiders change.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Seen {
    /// Address and size of the guest's memory.
    memory: (u64, u32),
    /// Somebody counts instructions by their addresses.
    tallied: bool,
}

/// How often the window for stores is moved.
const MISSES: u32 = 64;

/// Steps in a row, at most, before somebody looks for a block again.
const STROLL: u64 = 64;

impl<G: Ground> Engine for Translator<G> {
    fn name(&self) -> &'static str {
        G::NAME
    }

    fn figures(&self) -> Figures {
        Figures {
            emitted: self.emitted,
            exits: self.ground.exits(),
            failure: self.failure.as_ref().map(ToString::to_string),
        }
    }

    fn counts_tlb(&self) -> bool {
        self.counts_tlb
    }

    fn run(&mut self, machine: &mut Machine, fuel: u64) -> Exit {
        if self.failure.is_some() {
            return Exit::Failed;
        }
        if let Err(error) = self.arrive(machine) {
            return self.fail(error);
        }
        let end = machine.attempts.saturating_add(fuel);
        while machine.attempts < end {
            self.forget_stale(machine);
            if machine.board.pace.clock >= machine.board.pace.attention {
                self.open = None;
                if let Some(exit) = attend(machine) {
                    return exit;
                }
                // The disk may have moved data into code.
                self.forget_stale(machine);
            }
            let found = self.find(machine);
            let open = self.open.take();
            if !is_free(machine, end) {
                // The fetch has marked an entry of a page table, and somebody has to look at that.
                continue;
            }
            let exit = match found {
                Some((Known::Code(block), frame)) => {
                    if let Some(site) = open {
                        self.cache.link(site, block);
                    }
                    match self.execute(machine, block, frame, end) {
                        Err(error) => Some(self.fail(error)),
                        Ok(left) => self.follow(machine, left, end),
                    }
                }
                Some((Known::Cold | Known::Warm, _)) => stroll(machine, end, STROLL),
                Some((Known::Never, _)) | None => attempt(machine),
            };
            if let Some(exit) = exit {
                return exit;
            }
        }
        Exit::Fuel
    }

    fn forget(&mut self) {
        self.forget_code();
        // Everything that is remembered of a machine is looked at again.
        self.seen = Seen::default();
    }
}

/// How emitted code was left.
enum Left {
    /// At the end of a block; the jump there, if it can be led on.
    Open(Option<usize>),
    /// Before an instruction that it does not execute; which, if that is because of the data that it would reach.
    Before(Option<Instruction>),
    /// Before a block that is longer than the budget, which is this.
    Short(u64),
}

impl<G: Ground> Translator<G> {
    fn on(ground: G, cache: Cache, counts_tlb: bool) -> Translator<G> {
        Translator {
            ground,
            cache,
            spaces: Spaces::default(),
            seen: Seen::default(),
            epoch: 0,
            raised: 0,
            focus: u32::MAX,
            windowed: None,
            misses: 0,
            counts_tlb,
            open: None,
            emitted: 0,
            failure: None,
        }
    }

    /// Nothing can go on.
    fn fail(&mut self, error: KvmError) -> Exit {
        self.failure = Some(error);
        Exit::Failed
    }

    /// What has to be done where emitted code was left.
    fn follow(&mut self, machine: &mut Machine, left: Left, end: u64) -> Option<Exit> {
        match left {
            Left::Open(site) => {
                self.open = site;
                None
            }
            Left::Before(insn) if is_free(machine, end) => self.step_over(machine, insn),
            Left::Before(_) => None,
            Left::Short(count) => stroll(machine, end, count),
        }
    }

    fn forget_code(&mut self) {
        self.cache.flush();
        self.spaces.forget(&mut self.ground);
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
        self.spaces.renumber();
    }

    /// Takes in what only outsiders change, between runs.
    fn arrive(&mut self, machine: &mut Machine) -> Result<(), KvmError> {
        let ram = &mut machine.board.ram;
        let size = ram.size();
        let now = Seen {
            memory: (ram.parts().0.as_ptr() as u64, size),
            tallied: machine.board.observer.tally.is_some(),
        };
        if now != self.seen {
            self.forget_code();
            self.ground.settle(ram)?;
            self.seen = now;
        }
        Ok(())
    }

    /// Takes in what has changed in the machine since emitted code ran last.
    fn settle(&mut self, machine: &mut Machine) -> Regime {
        let epoch = machine.board.tlb.epoch();
        if epoch != self.epoch {
            match self.counts_tlb {
                true => self.spaces.forget(&mut self.ground),
                false => self.spaces.doubt(),
            }
            self.epoch = epoch;
        }
        if self.counts_tlb && machine.board.tlb.has_lost() {
            let lost = machine.board.tlb.take_lost();
            if lost.all {
                self.spaces.forget(&mut self.ground);
            }
            if lost.fetches {
                self.spaces.renumber();
            }
            for page in lost.pages {
                self.spaces.forget_page(page, &mut self.ground);
            }
        }
        if self.spaces.begin_again(&mut self.ground) {
            self.ground.context().branches.fill(Branch::default());
        }
        let regime = Regime::of(machine, self.is_scattered());
        self.spaces.enter(regime, machine, &mut self.ground);
        // The look at page tables may have raised flags, too.
        let ram = &machine.board.ram;
        if ram.raised() != self.raised {
            self.spaces.forget_stores(ram, &mut self.ground);
            self.raised = ram.raised();
        }
        regime
    }

    /// What is known of the code at the program counter, and its frame; `None` if not the whole of its page may be
    /// fetched from.
    fn find(&mut self, machine: &mut Machine) -> Option<(Known, u32)> {
        let Machine { hart, board, .. } = &mut *machine;
        let (pc, start) = (hart.pc, hart.pc & !(PAGE - 1));
        // Where relocation is off a page boundary, a page of addresses is not a page of memory.
        let split = !hart.csr.relocation().is_multiple_of(PAGE);
        if split || !mmu::within(hart.ring(), hart.csr.xbound, start, PAGE) {
            return None;
        }
        let physical = mmu::translate(hart, board, Access::Fetch, pc, Width::Word).ok()?;
        let frame = physical / PAGE;
        board.ram.page(frame)?;
        board.pace.entering = false;
        let memory = G::memory(Regime::of(machine, self.is_scattered()).memory());
        let known = self.cache.find(frame, pc, memory);
        if known != Known::Warm {
            return Some((known, frame));
        }
        if !self.cache.has_room() {
            self.forget_code();
        }
        machine.board.ram.set(physical, flag::CODE);
        let Board { ram, observer, .. } = &machine.board;
        let (bytes, tally) = (ram.page(frame)?, observer.tally.as_ref());
        let known = self.cache.translate(frame, bytes, tally, pc, memory);
        Some((known, frame))
    }

    /// Executes from this block on, until something else has to be done.
    #[allow(unsafe_code, reason = "emitted code is entered")]
    fn execute(
        &mut self,
        machine: &mut Machine,
        block: usize,
        frame: u32,
        end: u64,
    ) -> Result<Left, KvmError> {
        let regime = self.settle(machine);
        let pace = &machine.board.pace;
        let left = (end - machine.attempts).min(pace.attention - pace.clock);
        if !self.cache.is_paid(block, left) {
            return Ok(Left::Short(left));
        }
        let budget = left.min(LONGEST);
        let loads = Window::new(0, regime.limit(machine.board.ram.size()));
        let stores = self.window(machine, regime);
        let number = u64::from(self.spaces.number()) << 32;
        let space = self.spaces.current();
        let base = self.ground.base(regime.memory(), space);
        let code = self.ground.code(&self.cache, block);
        let context = self.ground.context();
        context.x.copy_from_slice(&machine.hart.x[..16]);
        context.budget = budget;
        context.base = base;
        context.loads = loads;
        context.stores = stores;
        context.regime = number;
        let pc = machine.hart.pc;
        let branch = &mut context.branches[pc as usize / 4 % BRANCHES];
        let key = number | u64::from(pc);
        if branch.key != key || branch.code != code {
            *branch = Branch { key, code };
            self.spaces.found(pc / PAGE, frame * PAGE);
        }
        // SAFETY: `block` and the cache's entrance are what the cache made, and blocks that are not forgotten are
        // reached only from blocks of the same page, or under the number of a regime in which they were found. Base and
        // limits are the guest's memory, of which `machine` is the only reference; or addends that lead into it, for
        // they are forgotten when it moves, or its pages come to mean something else.
        unsafe { self.ground.run(&self.cache, block, space)? };
        Ok(self.account(machine, budget, left))
    }

    /// Brings the machine to where emitted code was left.
    fn account(&mut self, machine: &mut Machine, budget: u64, left: u64) -> Left {
        let context = self.ground.context();
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
                Left::Before(rest.first().filter(|_| data).map(|step| step.insn))
            }
        };
        for (ops, lanes) in COUNTED.chunks(LANES).zip(&context.lanes) {
            // Most stretches have few kinds of operations.
            if *lanes != [0; LANES] {
                for (op, lane) in ops.iter().zip(lanes) {
                    machine.histogram[*op as usize] += u64::from(*lane);
                }
            }
        }
        if let Some(tally) = &mut machine.board.observer.tally {
            tally.retired += u64::from(context.lanes.as_flattened()[MARKED]);
        }
        let spent = budget - unspent;
        self.emitted += spent;
        machine.attempts += spent;
        machine.board.pace.clock += spent;
        came
    }

    /// Executes the instruction at which emitted code stopped; if it reached plain memory, emitted code will do so by
    /// itself next time.
    fn step_over(&mut self, machine: &mut Machine, insn: Option<Instruction>) -> Option<Exit> {
        let access = insn.and_then(|insn| data_access(&machine.hart, insn));
        let epoch = machine.board.tlb.epoch();
        let exit = attempt(machine);
        // A store may have been to the very table that led to it; then nothing is known of its page any more.
        if let (Some((access, address)), None) = (access, exit)
            && machine.board.tlb.epoch() == epoch
        {
            match G::memory(Regime::of(machine, self.is_scattered()).memory()) {
                Memory::Paged | Memory::Mapped => {
                    self.spaces.fill(machine, access, address, &mut self.ground);
                }
                Memory::Flat => self.look_around(machine, access, address),
            }
        }
        exit
    }

    /// Whether there is no window that is right for long.
    fn is_scattered(&self) -> bool {
        self.misses > MISSES
    }

    /// An access was not in its window. If it might have been in another, that is the window from now on; if that
    /// happens often, there are no more windows.
    fn look_around(&mut self, machine: &Machine, access: Access, address: u32) {
        let ram = &machine.board.ram;
        let plain = address < ram.size() && (access == Access::Load || ram.flags(address) == 0);
        if plain {
            self.focus = address / PAGE;
            self.windowed = None;
            self.misses = self.misses.saturating_add(1);
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

/// What this load or store, which comes next, accesses.
fn data_access(hart: &Hart, insn: Instruction) -> Option<(Access, u32)> {
    let Instruction { op, rs1, imm, .. } = insn;
    let (_, storing) = lower::width(op)?;
    let access = if storing { Access::Store } else { Access::Load };
    Some((access, hart.x[usize::from(rs1 & 15)].wrapping_add(imm as u32)))
}

/// Steps until the program jumps, something wants attention, or the fuel or `count` is used up.
fn stroll(machine: &mut Machine, end: u64, count: u64) -> Option<Exit> {
    let end = end.min(machine.attempts.saturating_add(count));
    while is_free(machine, end) {
        let next = machine.hart.pc.wrapping_add(4);
        let exit = attempt(machine);
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
