//! Binary translation, as VMware did it: Ring32 in, Ring32 out.
//!
//! The guest's kernel is never executed as it stands. It is translated, a [unit](mod@unit) at a time and only when it
//! is about to run, into code that is safe in ring 1, and that is executed from a [cache] in the monitor's memory.
//! Most instructions translate to themselves; a sensitive one becomes a few instructions on the virtual processor,
//! or a call of the monitor ([`emit`]). So it does not matter whether it would have trapped: the holes of a
//! processor are cured. The guest's user code runs directly, as under trap-and-emulate; everything else (allocator,
//! shadow tables, reflection) is that monitor's too.
//!
//! K. Adams, O. Agesen: A Comparison of Software and Hardware Techniques for x86 Virtualization, ASPLOS 2006.

pub mod cache;
pub mod emit;
pub mod listing;
mod look;
pub mod unit;

use std::collections::BTreeMap;
use std::sync::Arc;

use toy_isa::bus::Width;
use toy_isa::cpu::{self, Step};
use toy_isa::engine::Engine;
use toy_isa::hart::{Csrs, Hart, Status};
use toy_isa::instruction::Registers;
use toy_isa::machine::{LoadError, Machine};
use toy_isa::mmu::{self, Access, PAGE};
use toy_isa::profile::Profile;
use toy_isa::table::Op;
use toy_isa::trap::{Cause, Trap};

use crate::edit::{Edit, EditError, set};
use crate::event::{AccessReason, CalloutReason, Delivery, Event};
use crate::guest::GuestView;
use crate::mode::{Answer, End, Exit, Inside, Mode, Notes, Rewind, Sync, entered, hosted};
use crate::modes::estate::Estate;
use crate::modes::para::look::Interface;
use crate::modes::touched;
use crate::modes::trap::shadow::Mapping;
use crate::modes::trap::{Layout, TrapAndEmulate, routines};
use crate::setup::Setup;
use crate::walk::hardware::{Execution, Hardware};
use cache::{Cache, Context, Found, UnitId};
use emit::{At, Call, Place, TARGET, slot};
use unit::{Policy, Treatment};

pub use look::{Habit, Standing};

/// What is translated, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The guest's kernel; its user code runs directly.
    Kernel,
    /// User code as well, whole: so that what leaks in user code is cured too.
    Everything,
    /// The kernel, with a call of the monitor for each sensitive instruction and nothing inline: for comparison.
    Callouts,
}

/// Pages of the cache: as far as one jump reaches.
pub const CACHE_PAGES: u32 = 256;

/// An innocuous instruction that has trapped this often, because what it touches is not plain memory, is translated
/// to a call of the monitor; and one that this often in a row touched plain memory after all, back again.
const ADAPT_AFTER: u32 = 3;

/// The monitor.
#[derive(Clone)]
pub struct Translate {
    /// The monitor under it: everything but the translator.
    monitor: TrapAndEmulate,
    scope: Scope,
    cache: Cache,
    /// While translated code runs: the guest's clock at which it must stop.
    deadline: Option<u64>,
    /// Where to go on in the cache.
    stage: Stage,
    /// Where the guest just left the cache, and the deadline that it had.
    left: Option<(Found, u64)>,
    /// A way out of a unit that was taken: it is linked to the unit that is entered next.
    link: Option<(u32, UnitId)>,
    /// The lookup table did not know the unit that is entered next.
    missed: bool,
    /// Innocuous instructions that trapped: by context and address, how often, and those adapted to it.
    trouble: BTreeMap<(Context, u32), Trouble>,
}

/// An innocuous instruction that has trapped.
#[derive(Clone, Copy, Debug, Default)]
struct Trouble {
    /// How often; or, once it is adapted, how often in a row it was called for nothing.
    times: u32,
    /// Whether it is translated to a call.
    adapted: bool,
    /// The guest's clock when that changed last.
    since: Option<u64>,
}

/// Where to go on in the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// At the unit of the guest's program counter.
    Find,
    /// In this unit, before this instruction, if the guest's program counter is still there.
    Inside(UnitId, usize),
    /// At this very word, with the registers as they really were: the guest was interrupted in the midst of a sequence.
    Amid {
        /// The word's address.
        address: u32,
        /// The guest's clock at which it must stop, on which what is in the borrowed registers depends.
        deadline: u64,
    },
}

impl Translate {
    /// A machine with room for guest and monitor, and the guest in it at power-on.
    ///
    /// # Errors
    /// If the image does not fit the guest's memory.
    pub fn build(setup: &Setup, scope: Scope) -> Result<(Machine, Translate), LoadError> {
        Self::build_on(setup, scope, Arc::clone(&setup.profile), CACHE_PAGES)
    }

    /// As [`Translate::build`], on hardware with another profile than the guest expects, and with a cache of
    /// `cache_pages` pages, at most [`CACHE_PAGES`].
    ///
    /// # Errors
    /// If the image does not fit the guest's memory.
    pub fn build_on(
        setup: &Setup,
        scope: Scope,
        hardware: Arc<Profile>,
        cache_pages: u32,
    ) -> Result<(Machine, Translate), LoadError> {
        let (mut machine, estate) = Estate::alone(setup, hardware);
        let monitor = Self::settle_on(setup, scope, &mut machine, estate, cache_pages)?;
        Ok((machine, monitor))
    }

    /// A monitor and its guest at power-on, on their own part of a machine.
    ///
    /// # Errors
    /// If the image does not fit the guest's memory.
    pub fn settle_on(
        setup: &Setup,
        scope: Scope,
        machine: &mut Machine,
        estate: Estate,
        cache_pages: u32,
    ) -> Result<Translate, LoadError> {
        let cache_pages = cache_pages.clamp(1, CACHE_PAGES);
        let mut monitor =
            TrapAndEmulate::settle_on(setup, Layout::RingDeprivileging, machine, estate, cache_pages)?;
        monitor.translates_user = scope == Scope::Everything;
        let cache = Cache::new(&monitor.allocator, &mut machine.board);
        Ok(Translate {
            monitor,
            scope,
            cache,
            deadline: None,
            stage: Stage::Find,
            left: None,
            link: None,
            missed: false,
            trouble: BTreeMap::new(),
        })
    }

    /// Whether code in this state of the guest is translated.
    fn translates(&self, hart: &Hart) -> bool {
        hart.ring() < 3 || self.scope == Scope::Everything
    }

    fn context(hart: &Hart) -> Context {
        Context {
            ring: hart.ring(),
            limit: if hart.ring() == 0 {
                u32::MAX
            } else {
                hart.csr.xbound
            },
            space: (hart.ring() == 3).then_some(hart.csr.ptbr),
        }
    }

    /// Resumes the guest in the cache. `Some` if there is something to be done first.
    fn enter_cache(&mut self, machine: &mut Machine, notes: &mut Notes) -> Option<Exit> {
        let hart = self.monitor.allocator.load(&machine.board);
        // Translated code stands where it stands: it cannot be relocated.
        if hart.csr.status.relocates() {
            return self.interpret_one(machine, AccessReason::Deadline, notes);
        }
        let context = Self::context(&hart);
        let switch = self.monitor.use_address_space(machine, &hart, notes);
        if switch.changed {
            self.check_mappings(machine, notes, &hart, switch.fresh);
        }
        let (x, address) = match std::mem::replace(&mut self.stage, Stage::Find) {
            Stage::Amid { address, deadline } => {
                self.deadline = Some(deadline);
                (self.raw_registers(machine), address)
            }
            stage => {
                let address = match self.inside(stage, &hart, context) {
                    Some(address) => address,
                    None => match self.find_unit(machine, notes, context, &hart) {
                        Ok(unit) => self.cache.unit(unit)?.body(),
                        Err(exit) => return exit,
                    },
                };
                let found = self.cache.at(address)?;
                let unit = self.cache.unit(found.unit?)?;
                // Whole units only: what is left of the time after the last of them is interpreted.
                let time = self.monitor.guest.undisturbed();
                let toll = if address == unit.body() {
                    unit.len()
                } else {
                    found.place.ahead
                };
                if time < u64::from(toll) {
                    return self.interpret_one(machine, AccessReason::Deadline, notes);
                }
                let deadline = self.monitor.guest.pace.clock + time;
                self.deadline = Some(deadline);
                self.put(machine, slot::LEFT, time as u32 - found.place.ahead);
                self.put(machine, slot::DEADLINE, deadline as u32);
                let clock = self.monitor.guest.pace.clock;
                let pending = self.monitor.guest.devices.wanted(clock);
                self.put(machine, slot::PENDING, pending);
                (hart.x, address)
            }
        };
        self.cache
            .use_table(&mut machine.board, &self.monitor.allocator, context);
        let real = Hart {
            x,
            pc: address,
            csr: self.cache_csrs(self.monitor.real_csrs(&hart, switch.root)),
            ..Hart::new(address)
        };
        // The guest's own deadline is kept by the toll of the units; the real timer only gives control back.
        let quantum = (machine.board.pace.clock + self.monitor.guest.quantum) as u32;
        self.monitor.launch(machine, &hart, real, quantum.max(1), notes);
        None
    }

    /// The real control registers under which translated code runs, where the guest's own code would run under these.
    fn cache_csrs(&self, direct: Csrs) -> Csrs {
        Csrs {
            status: Status(1 | Status::IE),
            base: 0,
            xbound: self.monitor.allocator.cache().end,
            window: self.monitor.allocator.save_area(),
            ..direct
        }
    }

    fn put(&self, machine: &mut Machine, word: u32, value: u32) {
        self.monitor.allocator.put(&mut machine.board, word, value);
    }

    /// Where in the cache the guest can go on in the middle of a unit, if it still stands there.
    fn inside(&self, stage: Stage, hart: &Hart, context: Context) -> Option<u32> {
        let Stage::Inside(id, index) = stage else {
            return None;
        };
        let unit = self.cache.unit(id).filter(|unit| unit.live)?;
        let here = unit.context == context && unit.guest.get(index)?.pc == hart.pc && index > 0;
        here.then(|| unit.start_of(index))
    }

    /// The registers as they really were when the guest was interrupted.
    fn raw_registers(&self, machine: &Machine) -> [u32; 32] {
        let mut x = [0; 32];
        for register in 1..16 {
            let word = slot::RAW + register;
            x[register as usize] = self.monitor.allocator.word(&machine.board, word);
        }
        x
    }

    /// The unit at the guest's program counter, translated if it was not yet.
    fn find_unit(
        &mut self,
        machine: &mut Machine,
        notes: &mut Notes,
        context: Context,
        hart: &Hart,
    ) -> Result<UnitId, Option<Exit>> {
        // As the guest's own processor would fetch it.
        let fetched = self.monitor.virtually(machine, notes, |hart, board| {
            mmu::translate(hart, board, Access::Fetch, hart.pc, Width::Word)
        });
        self.take_news(machine);
        let physical = match fetched {
            Ok(physical) => physical,
            Err(trap) if self.monitor.guest.pace.entering => {
                return Err(Some(Exit::End(End::DoubleFault(trap))));
            }
            Err(trap) => {
                self.monitor.reflect(machine, trap, notes);
                return Err(Some(Exit::Virtual(Sync::Enter(trap), Delivery::Reflected)));
            }
        };
        let frame = physical / PAGE;
        let beyond = hart.pc >= self.monitor.allocator.cache().start;
        if beyond || self.monitor.guest.frames.host(frame).is_none() {
            // Where the monitor lives there is no room for a shadow of the guest's page; and where there is no memory
            // the fetch faults.
            return Err(self.interpret_one(machine, AccessReason::AboveLimit, notes));
        }
        self.monitor.guest.pace.entering = false;
        let known = self.cache.find(context, hart.pc);
        let id = match known {
            Some(id) if self.cache.unit(id).is_some_and(|unit| unit.frame == frame) => id,
            _ => self.translate(machine, notes, context, hart, physical),
        };
        self.cache
            .use_table(&mut machine.board, &self.monitor.allocator, context);
        if let Some((word, from)) = self.link.take() {
            let same = self
                .cache
                .unit(from)
                .is_some_and(|unit| unit.live && unit.context == context);
            let way = self.cache.at(word).and_then(|found| found.call);
            if same && way == Some(Call::Way(hart.pc)) {
                self.cache.link(&mut machine.board, word, id);
                notes.counts.links += 1;
            }
        }
        if std::mem::take(&mut self.missed) {
            self.cache.enlist(&mut machine.board, &self.monitor.allocator, id);
        }
        Ok(id)
    }

    fn translate(
        &mut self,
        machine: &mut Machine,
        notes: &mut Notes,
        context: Context,
        hart: &Hart,
        physical: u32,
    ) -> UnitId {
        let frame = physical / PAGE;
        // Stores to the code, and changes of the tables that map it, must be noticed from now on.
        let mapping = self.monitor.virtually(machine, notes, |hart, board| {
            Mapping::of(hart, board, Access::Fetch, hart.pc)
        });
        let key = self.monitor.root_key(hart);
        let frames = &self.monitor.guest.frames;
        let shadow = &mut self.monitor.shadow;
        shadow.watch_code(&mut machine.board, frames, frame);
        let host = frames.host(frame).unwrap_or_default();
        shadow.fill(&mut machine.board, frames, key, hart.pc, mapping, host);
        let limit = u64::from(context.limit);
        let within = |address: u32| u64::from(address) + 4 <= limit;
        let words = (0..(PAGE - physical % PAGE) / 4)
            .take_while(|index| *index == 0 || within(hart.pc.wrapping_add(4 * index)))
            .map_while(|index| {
                let host = self.monitor.guest.frames.address(physical + 4 * index)?;
                machine.board.ram.read(host, Width::Word)
            });
        let policy = Policy {
            // Outside its ring 0 a sensitive instruction does what the guest's profile says.
            inline: self.scope != Scope::Callouts && context.ring == 0,
            adapted: &|pc| {
                self.trouble
                    .get(&(context, pc))
                    .is_some_and(|trouble| trouble.adapted)
            },
        };
        let guest = unit::form(hart.pc, words, &policy);
        let instructions = guest.len() as u32;
        let allocator = &self.monitor.allocator;
        let added = self
            .cache
            .add(&mut machine.board, allocator, context, frame, guest);
        if added.emptied {
            self.link = None;
            self.monitor.shadow.forget_all_code(frame);
            notes.counts.cache_flushes += 1;
        }
        let words = self
            .cache
            .unit(added.unit)
            .map_or(0, |unit| unit.code.words.len() as u32);
        notes.counts.units += 1;
        notes.counts.translated_instructions += u64::from(instructions);
        notes.event(
            &self.monitor.guest,
            hart,
            Event::Translate { instructions, words },
        );
        added.unit
    }

    /// After a change of address space: kernel code that is mapped otherwise in the new one is forgotten, and so is
    /// all user code of a space that was begun anew.
    fn check_mappings(&mut self, machine: &mut Machine, notes: &mut Notes, hart: &Hart, fresh: bool) {
        if fresh {
            let space = Some(hart.csr.ptbr);
            self.forget(machine, |unit| unit.context.space == space);
        }
        for (page, frame) in self.cache.kernel_pages() {
            let mapped = if hart.csr.paging() {
                self.monitor
                    .virtually(machine, notes, |_, board| {
                        mmu::walk(hart.csr.ptbr, board, 0, Access::Fetch, page)
                    })
                    .ok()
                    .map(|leaf| leaf.frame / PAGE)
            } else {
                Some(page / PAGE)
            };
            if mapped != Some(frame) {
                self.forget(machine, |unit| {
                    unit.context.space.is_none() && unit.pc() & !(PAGE - 1) == page
                });
            }
        }
        self.take_news(machine);
    }

    /// Forgets what was translated from code, or through page tables, that the guest has changed.
    fn take_news(&mut self, machine: &mut Machine) {
        let news = self.monitor.shadow.take_news();
        if !news.code.is_empty() {
            self.forget(machine, |unit| news.code.contains(&unit.frame));
        }
        if !news.mappings.is_empty() {
            self.forget(machine, |unit| {
                news.mappings
                    .iter()
                    .any(|(first, last)| (*first..=*last).contains(&unit.pc()))
            });
        }
    }

    fn forget(&mut self, machine: &mut Machine, dead: impl Fn(&cache::Unit) -> bool) {
        let allocator = &self.monitor.allocator;
        let frames = self.cache.drop_units(&mut machine.board, allocator, dead);
        for frame in frames {
            self.monitor.shadow.forget_code(frame);
        }
    }

    /// Interprets the guest's next instruction: the rest of the time before an event, code that relocates, and code
    /// that stands where the monitor lives.
    fn interpret_one(&mut self, machine: &mut Machine, why: AccessReason, notes: &mut Notes) -> Option<Exit> {
        machine.attempts += 1;
        self.stage = Stage::Find;
        self.link = None;
        self.missed = false;
        let exit = self.monitor.interpret_one(machine, why, notes);
        self.take_news(machine);
        exit
    }

    /// The guest's registers at a place of the cache.
    fn registers(&self, machine: &Machine, place: &Place) -> [u32; 32] {
        let mut x = machine.hart.x;
        for (register, spill) in place.spilled.iter().flatten() {
            x[*register as usize] = self.monitor.allocator.word(&machine.board, *spill);
        }
        x
    }

    /// The guest's program counter and clock at a place of the cache.
    fn standing(&self, machine: &Machine, place: &Place, deadline: u64) -> (u32, u64) {
        let pc = match place.at {
            At::Address(pc) => pc,
            At::Target => machine.hart.x[TARGET as usize],
        };
        let left = self.monitor.allocator.word(&machine.board, slot::LEFT) as i32;
        let clock = deadline as i64 - i64::from(left) - i64::from(place.ahead);
        (pc, clock as u64)
    }

    /// Takes the processor back from translated code: the guest's state is made up from where it stood.
    fn leave_cache(&mut self, machine: &mut Machine, trap: Trap, deadline: u64, notes: &mut Notes) {
        let address = machine.hart.csr.epc;
        let Some(found) = self.cache.at(address) else {
            return;
        };
        let x = self.registers(machine, &found.place);
        let (mut pc, mut clock) = self.standing(machine, &found.place, deadline);
        if let (Cause::Hypercall, Some(Call::Way(target))) = (trap.cause, found.call) {
            // The unit is done: what remains is to find the next.
            clock += u64::from(found.place.ahead);
            pc = target;
        }
        if trap.cause.is_interrupt() {
            for register in 1..16 {
                let value = machine.hart.x[register as usize];
                self.put(machine, slot::RAW + register, value);
            }
        }
        self.left = Some((found, deadline));
        self.monitor.settle(machine, &x, pc, clock, trap, notes);
    }

    /// Translated code called the monitor, or trapped.
    fn answer_cache(
        &mut self,
        machine: &mut Machine,
        trap: Trap,
        (found, deadline): (Found, u64),
        notes: &mut Notes,
    ) -> Answer {
        let address = machine.hart.csr.epc;
        if trap.cause.is_interrupt() {
            // Whatever sequence it was, it goes on.
            self.stage = Stage::Amid { address, deadline };
            return Answer::Resume;
        }
        match (trap.cause, found.call, found.unit) {
            (Cause::Hypercall, Some(Call::Deadline), _) => {
                notes.counts.callouts += 1;
                self.called(machine, notes, CalloutReason::Deadline);
                Answer::Resume
            }
            (Cause::Hypercall, Some(Call::Way(_)), Some(unit)) => {
                notes.counts.callouts += 1;
                self.called(machine, notes, CalloutReason::Way);
                self.link = Some((address, unit));
                Answer::Resume
            }
            (Cause::Hypercall, Some(Call::Missed), _) => {
                notes.counts.callouts += 1;
                notes.counts.lookup_misses += 1;
                self.called(machine, notes, CalloutReason::Miss);
                self.missed = true;
                Answer::Resume
            }
            (Cause::Hypercall, Some(Call::Callout(index)), Some(unit)) => {
                notes.counts.callouts += 1;
                self.call_out(machine, unit, index, notes)
            }
            (_, _, Some(unit)) => self.trapped(machine, trap, unit, found.place, notes),
            (_, _, None) => Answer::Resume,
        }
    }

    fn called(&self, machine: &Machine, notes: &mut Notes, why: CalloutReason) {
        let hart = self.monitor.allocator.load(&machine.board);
        notes.event(&self.monitor.guest, &hart, Event::Callout { why });
    }

    /// Carries out the instruction for which translated code called.
    fn call_out(&mut self, machine: &mut Machine, unit: UnitId, index: usize, notes: &mut Notes) -> Answer {
        let before = self.monitor.allocator.load(&machine.board);
        let adapted = self
            .cache
            .unit(unit)
            .and_then(|unit| unit.guest.get(index))
            .is_some_and(|guest| guest.treatment == Treatment::Adapted);
        self.called(
            machine,
            notes,
            if adapted {
                CalloutReason::Adapted
            } else {
                CalloutReason::Instruction
            },
        );
        let why = adapted.then(|| self.plain(machine, notes, &before)).flatten();
        let step = self.monitor.virtually(machine, notes, |hart, board| {
            cpu::step(hart, board, Registers::Sixteen)
        });
        let answer = match step {
            Step::Retired(insn) => {
                let after = self.monitor.allocator.load(&machine.board);
                if routines::routine(insn.row()).is_some() {
                    let result = after.x[usize::from(insn.rd)];
                    notes.emulated(&self.monitor.guest, &before, insn, result);
                } else if insn.op != Op::Hcall {
                    let why = why.unwrap_or(AccessReason::Plain);
                    let (access, address) = touched(&before, insn);
                    notes.counts.access(why);
                    let event = Event::EmulateAccess { access, address, why };
                    notes.event(&self.monitor.guest, &before, event);
                }
                // In another address space the next instruction is fetched anew.
                if after.csr.ptbr == before.csr.ptbr {
                    self.settle_in(unit, index + 1);
                }
                self.monitor.guest.retired()
            }
            Step::Trapped(trap) => Answer::Sync(Sync::Enter(trap)),
            Step::DoubleFault(trap) => Answer::End(End::DoubleFault(trap)),
        };
        if adapted {
            self.learn(machine, unit, before.pc, why.is_none(), notes);
        }
        self.take_news(machine);
        answer
    }

    /// Why the memory that the guest's next instruction touches is not plain; `None` if it is, or cannot be told.
    fn plain(&mut self, machine: &mut Machine, notes: &mut Notes, hart: &Hart) -> Option<AccessReason> {
        let word = self
            .monitor
            .virtually(machine, notes, |hart, board| cpu::fetch(hart, board).ok())?;
        let insn = toy_isa::instruction::decode(word, Registers::Sixteen)?;
        let (access, address) = touched(hart, insn);
        if address >= self.monitor.allocator.cache().start {
            return Some(AccessReason::AboveLimit);
        }
        let physical = self
            .monitor
            .virtually(machine, notes, |hart, board| {
                mmu::translate(hart, board, access, address, Width::Byte)
            })
            .ok()?;
        let frame = physical / PAGE;
        if self.monitor.guest.frames.host(frame).is_none() {
            Some(AccessReason::Device)
        } else if access == Access::Store && self.monitor.shadow.holds_code(frame) {
            Some(AccessReason::Code)
        } else if access == Access::Store && self.monitor.shadow.traces(frame) {
            Some(AccessReason::Traced)
        } else {
            None
        }
    }

    /// An instruction of a unit trapped: a page that the shadow table lacks, a device, a traced page, or the guest's
    /// own fault.
    fn trapped(
        &mut self,
        machine: &mut Machine,
        trap: Trap,
        unit: UnitId,
        place: Place,
        notes: &mut Notes,
    ) -> Answer {
        let before = self.monitor.allocator.load(&machine.board).pc;
        let emulated = notes.counts.emulated_total();
        let answer = self.monitor.dispatch(machine, trap, notes);
        let after = self.monitor.allocator.load(&machine.board).pc;
        if let emit::Part::Of(index) = place.part {
            if answer == Answer::Resume && after == before {
                self.settle_in(unit, index);
            } else if answer == Answer::Resume && after == before.wrapping_add(4) {
                self.settle_in(unit, index + 1);
            }
            if notes.counts.emulated_total() > emulated {
                self.learn(machine, unit, before, true, notes);
            }
        }
        self.take_news(machine);
        answer
    }

    fn settle_in(&mut self, unit: UnitId, index: usize) {
        self.stage = Stage::Inside(unit, index);
    }

    /// An innocuous instruction needed the monitor though it was translated identically, or did not need it though it
    /// was translated to a call: after some times, its unit is translated anew.
    fn learn(&mut self, machine: &mut Machine, unit: UnitId, pc: u32, wrong: bool, notes: &mut Notes) {
        let Some(context) = self.cache.unit(unit).map(|unit| unit.context) else {
            return;
        };
        let trouble = self.trouble.entry((context, pc)).or_default();
        trouble.times = if wrong { trouble.times + 1 } else { 0 };
        if trouble.times >= ADAPT_AFTER {
            let calls = !trouble.adapted;
            *trouble = Trouble {
                times: 0,
                adapted: calls,
                since: Some(self.monitor.guest.pace.clock),
            };
            let hart = self.monitor.allocator.load(&machine.board);
            let event = Event::Adapt { address: pc, calls };
            notes.event(&self.monitor.guest, &hart, event);
            self.forget(machine, |other| {
                other.context == context && other.guest.iter().any(|guest| guest.pc == pc)
            });
        }
    }
}

impl Mode for Translate {
    fn resume(
        &mut self,
        machine: &mut Machine,
        engine: &mut dyn Engine,
        fuel: u64,
        notes: &mut Notes,
    ) -> Exit {
        let end = machine.attempts.saturating_add(fuel);
        while self.monitor.resumed.is_none() {
            if machine.attempts >= end {
                return Exit::Fuel;
            }
            let exit = self.monitor.poll_guest(machine, notes);
            self.take_news(machine);
            if let Some(exit) = exit {
                return exit;
            }
            let hart = self.monitor.allocator.load(&machine.board);
            let exit = match self.monitor.next_deadline(machine) {
                _ if self.translates(&hart) => self.enter_cache(machine, notes),
                Some(deadline) => {
                    self.monitor.enter_guest(machine, deadline, notes);
                    None
                }
                None => self.interpret_one(machine, AccessReason::Deadline, notes),
            };
            if let Some(exit) = exit {
                return exit;
            }
        }
        let before = machine.histogram;
        let exit = hosted(engine.run(machine, end.saturating_sub(machine.attempts)));
        if self.deadline.is_some() {
            let executed = before.iter().zip(&machine.histogram).map(|(a, b)| b - a);
            for (count, executed) in notes.counts.translated.iter_mut().zip(executed) {
                *count += executed;
            }
        }
        let Exit::Hardware(trap) = exit else { return exit };
        let exit = entered(machine, exit);
        match self.deadline.take() {
            Some(deadline) => self.leave_cache(machine, trap, deadline, notes),
            None => self.monitor.leave_guest(machine, trap, notes),
        }
        exit
    }

    fn answer(&mut self, machine: &mut Machine, trap: Trap, notes: &mut Notes) -> Answer {
        match self.left.take() {
            Some(left) => self.answer_cache(machine, trap, left, notes),
            None => {
                let answer = self.monitor.dispatch(machine, trap, notes);
                self.take_news(machine);
                answer
            }
        }
    }

    fn guest<'a>(&'a self, machine: &'a Machine) -> GuestView<'a> {
        let place = self
            .deadline
            .and_then(|deadline| Some((deadline, self.cache.at(machine.hart.pc)?.place)));
        match place {
            None => self.monitor.guest(machine),
            Some((deadline, place)) => {
                let mut view = self
                    .monitor
                    .guest
                    .view(self.monitor.allocator.load(&machine.board), machine);
                view.hart.x = self.registers(machine, &place);
                (view.hart.pc, view.pace.clock) = self.standing(machine, &place, deadline);
                view
            }
        }
    }
}

impl Inside for Translate {
    fn interface(&self, machine: &Machine) -> Option<Interface> {
        self.monitor.guest.interface(machine)
    }

    fn hardware(&self, machine: &Machine) -> Hardware<'_> {
        let mut hardware = self.monitor.hardware(machine);
        let hart = self.monitor.allocator.load(&machine.board);
        if self.translates(&hart) && !hart.csr.status.relocates() {
            hardware.hart.csr = self.cache_csrs(hardware.hart.csr);
            hardware.execution = Execution::Translated;
        }
        hardware
    }

    fn translator(&self) -> Option<&Translate> {
        Some(self)
    }

    fn lent(&self) -> Vec<u32> {
        let allocator = &self.monitor.allocator;
        let first = allocator.monitor() / PAGE;
        let cache = allocator.cache();
        // The cache, the save area; between them stands the entry page.
        (first..first + cache.len() as u32 / PAGE)
            .chain([first + (allocator.save_area() - cache.start) / PAGE])
            .collect()
    }
}

impl Rewind for Translate {
    fn copy(&self) -> Box<dyn Mode> {
        Box::new(self.clone())
    }

    fn held(&self) -> usize {
        size_of::<Translate>() + self.monitor.held() + self.cache.held()
    }

    fn edit(&mut self, machine: &mut Machine, edit: Edit, notes: &mut Notes) -> Result<(), EditError> {
        let found = self.deadline.and_then(|_| self.cache.at(machine.hart.pc));
        let Some(found) = found else {
            return self.monitor.edit(machine, edit, notes);
        };
        match edit {
            Edit::Pc(_) => return Err(EditError::InUnit),
            Edit::Register { number, value } => {
                let mut spilled = found.place.spilled.iter().flatten();
                match spilled.find(|(register, _)| *register == number) {
                    Some((_, spill)) => self.monitor.allocator.put(&mut machine.board, *spill, value),
                    None => set(&mut machine.hart, edit),
                }
                return Ok(());
            }
            Edit::Word { address, .. } if self.monitor.shadow.traces(address / PAGE) => {
                return Err(EditError::InUse(address));
            }
            Edit::Word { .. } => {}
        }
        self.monitor.edit(machine, edit, notes)
    }
}

#[cfg(test)]
mod tests;
