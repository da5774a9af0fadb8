//! Equivalence: the guest's state under the map f equals that of the bare machine, at every point where the guest's
//! processor changes hands (or, in lockstep, after every instruction), and at the end.

use toy_isa::disasm::disassemble;
use toy_isa::hart::Hart;
use toy_isa::instruction::{Registers, decode};
use toy_isa::mmu::PAGE;
use toy_isa::ram::flag;
use toy_isa::row::Row;
use toy_isa::trap::Cause;

use crate::check::difference::{Difference, difference};
use crate::check::fuel::{self, Fuel};
use crate::engine::EngineName;
use crate::mode::{End, ModeName, Sync};
use crate::numbers::exact;
use crate::run::{Run, Stop};
use crate::setup::{Setup, StartError};

/// How finely two runs are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grain {
    /// Where the guest's processor changes hands.
    SyncPoints,
    /// After every instruction.
    Lockstep,
}

/// The first instruction after which the guest is not what it would be on the bare machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// The clock before the instruction.
    pub clock: u64,
    /// Its address.
    pub pc: u32,
    /// The ring in which the guest believes to execute it.
    pub ring: u32,
    /// Its text.
    pub instruction: String,
    /// Its row; `None` if it could not be fetched.
    pub row: Option<Row>,
    /// What differs after it.
    pub difference: Difference,
}

/// What a comparison came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// Sync points, or instructions, at which the states were compared and equal.
    pub compared: u64,
    /// The first difference, at the grain of the comparison.
    pub difference: Option<Difference>,
    /// How the bare machine ended; `Budget` if it was stopped by a difference.
    pub bare_end: End,
}

/// A bare machine and a guest of a monitor, side by side.
pub struct Pair {
    /// The bare machine.
    pub bare: Run,
    /// The guest.
    pub guest: Run,
    compared: u64,
    /// Why the bare machine stopped, while the guest is on its way to the same point.
    arrived: Option<Stop>,
}

/// What became of the way to the next point of comparison.
enum Next {
    /// The fuel was used up before.
    Working,
    /// Both are there, and equal, and can go on.
    Equal,
    /// It was the last.
    Over(Comparison),
}

impl Pair {
    /// Both at power-on.
    ///
    /// # Errors
    /// If the image does not fit the machine.
    pub fn new(setup: &Setup, mode: ModeName, engine: EngineName) -> Result<Pair, StartError> {
        Ok(Pair::with(
            Run::new(setup, ModeName::Bare, engine)?,
            Run::new(setup, mode, engine)?,
        ))
    }

    /// From two runs at power-on.
    pub fn with(mut bare: Run, mut guest: Run) -> Pair {
        watch_all(&mut bare);
        watch_all(&mut guest);
        Pair {
            bare,
            guest,
            compared: 0,
            arrived: None,
        }
    }

    /// Sync points, or instructions, at which both were equal so far.
    pub fn compared(&self) -> u64 {
        self.compared
    }

    /// Advances both to the next point of comparison and compares. `around` is called around every advance of the
    /// guest, to measure it.
    fn next(
        &mut self,
        grain: Grain,
        budget: u64,
        fuel: &mut Fuel,
        around: &mut impl FnMut(&mut dyn FnMut()),
    ) -> Next {
        self.arrived = self
            .arrived
            .or_else(|| advance(&mut self.bare, grain, budget, fuel));
        let Some(bare) = self.arrived else {
            return Next::Working;
        };
        let mut guest = None;
        around(&mut || guest = advance(&mut self.guest, grain, budget, fuel));
        let Some(guest) = guest else {
            return Next::Working;
        };
        self.arrived = None;
        fuel.compare();
        match self.judge(bare, guest, grain, budget) {
            Some(comparison) => Next::Over(comparison),
            None => Next::Equal,
        }
    }

    /// Compares both, after they have stopped so. `None` when they are equal and can go on.
    fn judge(&mut self, bare: Stop, guest: Stop, grain: Grain, budget: u64) -> Option<Comparison> {
        let difference = match (bare, guest) {
            (Stop::Fuel, Stop::Fuel) => {
                return match grain {
                    Grain::Lockstep if !self.spent(budget) => self.compare_here(None, End::Budget),
                    _ => Some(self.out_of_budget()),
                };
            }
            (Stop::Fuel, _) | (_, Stop::Fuel) if self.spent(budget) && !self.passed(bare) => {
                return Some(self.out_of_budget());
            }
            _ if bare != guest => Some(Difference {
                what: "what happens next".to_string(),
                bare: describe(bare, &self.bare),
                guest: describe(guest, &self.guest),
            }),
            _ => None,
        };
        match (difference, bare) {
            (Some(difference), _) => Some(self.differs(difference)),
            (None, Stop::End(end)) => Some(self.compare_everything(end)),
            (None, Stop::Sync(sync)) => self.compare_here(Some(sync), End::Budget),
            (None, Stop::Fuel) => self.compare_here(None, End::Budget),
        }
    }

    fn spent(&self, budget: u64) -> bool {
        self.bare.machine().attempts >= budget || self.guest.machine().attempts >= budget
    }

    /// Whether the side that the budget stopped is beyond the clock at which something happened to the other: then it
    /// did not happen there. `bare` is why the bare machine stopped.
    fn passed(&self, bare: Stop) -> bool {
        let (a, b) = (self.bare.guest().pace.clock, self.guest.guest().pace.clock);
        if bare == Stop::Fuel { a > b } else { b > a }
    }

    fn compare_here(&mut self, sync: Option<Sync>, end: End) -> Option<Comparison> {
        let disk = matches!(sync, Some(Sync::Enter(trap)) if trap.cause == Cause::DeviceInterrupt);
        let pages = self.dirty_pages();
        let found = difference(
            &self.bare.guest(),
            &self.guest.guest(),
            pages.iter().copied(),
            disk,
        );
        let Some(difference) = found else {
            self.compared += 1;
            return None;
        };
        Some(Comparison {
            compared: self.compared,
            difference: Some(difference),
            bare_end: end,
        })
    }

    fn compare_everything(&mut self, end: End) -> Comparison {
        let (bare, guest) = (self.bare.guest(), self.guest.guest());
        let difference = difference(&bare, &guest, 0..bare.pages(), true);
        self.compared += u64::from(difference.is_none());
        Comparison {
            compared: self.compared,
            difference,
            bare_end: end,
        }
    }

    fn differs(&self, difference: Difference) -> Comparison {
        Comparison {
            compared: self.compared,
            difference: Some(difference),
            bare_end: End::Budget,
        }
    }

    fn out_of_budget(&self) -> Comparison {
        Comparison {
            compared: self.compared,
            difference: None,
            bare_end: End::Budget,
        }
    }

    /// Compares until the end, the first difference, or the end of the budget (in attempts of either side).
    pub fn compare(
        &mut self,
        grain: Grain,
        budget: u64,
        mut around: impl FnMut(&mut dyn FnMut()),
    ) -> Comparison {
        loop {
            if let Some(comparison) = self.pursue(grain, budget, &mut Fuel::endless(), &mut around) {
                return comparison;
            }
        }
    }

    /// As [`Pair::compare`]; `None` if the fuel was used up before.
    pub fn pursue(
        &mut self,
        grain: Grain,
        budget: u64,
        fuel: &mut Fuel,
        mut around: impl FnMut(&mut dyn FnMut()),
    ) -> Option<Comparison> {
        while !fuel.is_empty() {
            if let Next::Over(comparison) = self.next(grain, budget, fuel, &mut around) {
                return Some(comparison);
            }
        }
        None
    }

    /// Guest pages that either side has stored to since the last comparison.
    fn dirty_pages(&mut self) -> Vec<u32> {
        let mut pages = take_dirty(&mut self.bare);
        pages.extend(take_dirty(&mut self.guest));
        pages.sort_unstable();
        pages.dedup();
        pages
    }
}

/// The search for the very instruction at which a guest and the bare machine part, both at power-on, after so many sync
/// points that are equal.
pub struct Locate {
    pair: Pair,
    equal: u64,
    budget: u64,
}

impl Locate {
    /// At its beginning.
    pub fn new(pair: Pair, equal: u64, budget: u64) -> Locate {
        Locate { pair, equal, budget }
    }

    /// Goes on with it. `None` while it is not over; `Some(None)` if there is no such instruction.
    pub fn pursue(&mut self, fuel: &mut Fuel) -> Option<Option<Divergence>> {
        while self.pair.compared < self.equal {
            match self.next(Grain::SyncPoints, fuel) {
                Next::Working => return None,
                Next::Equal => {}
                Next::Over(_) => return Some(None),
            }
        }
        while !fuel.is_empty() {
            let before = self.pair.bare.guest();
            let (clock, hart) = (before.pace.clock, before.hart);
            if let Next::Over(comparison) = self.next(Grain::Lockstep, fuel) {
                let found = comparison.difference;
                return Some(found.map(|difference| self.divergence(clock, &hart, difference)));
            }
        }
        None
    }

    fn next(&mut self, grain: Grain, fuel: &mut Fuel) -> Next {
        self.pair.next(grain, self.budget, fuel, &mut |advance| advance())
    }

    /// What the bare machine, with its processor as it was, has executed.
    fn divergence(&self, clock: u64, hart: &Hart, difference: Difference) -> Divergence {
        let pc = hart.pc;
        let word = fetch(&self.pair.bare, hart);
        let row = word
            .and_then(|word| decode(word, Registers::Sixteen))
            .map(|insn| insn.row());
        Divergence {
            clock,
            pc,
            ring: hart.ring(),
            instruction: word.map_or("?".to_string(), |word| disassemble(word, pc)),
            row,
            difference,
        }
    }
}

/// The word that the bare machine, with its processor in an earlier state, has executed.
fn fetch(bare: &Run, hart: &Hart) -> Option<u32> {
    // On a copy, because a fetch sets A bits.
    let mut board = bare.machine().board.clone();
    toy_isa::cpu::fetch(hart, &mut board).ok()
}

/// Advances to the next point of comparison; `None` if the fuel was used up before. An instruction is one step.
fn advance(run: &mut Run, grain: Grain, budget: u64, fuel: &mut Fuel) -> Option<Stop> {
    match grain {
        Grain::SyncPoints => fuel::advance(run, budget, fuel),
        Grain::Lockstep => Some(run.step(budget)),
    }
}

fn describe(stop: Stop, run: &Run) -> String {
    let clock = exact(run.guest().pace.clock);
    match stop {
        Stop::Sync(Sync::Enter(trap)) => format!("{trap}, at clock {clock}"),
        Stop::Sync(Sync::Left(trap)) => format!("a guest left by {trap}, at clock {clock}"),
        Stop::Sync(Sync::Return) => format!("return from trap, at clock {clock}"),
        Stop::Fuel => format!("the next instruction, at clock {clock}"),
        Stop::End(end) => format!("{end}, at clock {clock}"),
    }
}

/// From now on, the board notes which pages are stored to.
fn watch_all(run: &mut Run) {
    let ram = &mut run.guest_machine_mut().board.ram;
    for page in 0..ram.pages() {
        ram.set(page * PAGE, flag::CLEAN);
    }
}

/// Guest pages stored to since the last call.
fn take_dirty(run: &mut Run) -> Vec<u32> {
    let board = &mut run.guest_machine_mut().board;
    let dirty = std::mem::take(&mut board.observer.dirty);
    for page in &dirty {
        board.ram.set(page * PAGE, flag::CLEAN);
    }
    let guest = run.guest();
    dirty
        .into_iter()
        .filter_map(|page| guest.guest_page(page))
        .collect()
}
