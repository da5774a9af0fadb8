//! Equivalence: the guest's state under the map f equals that of the bare machine, at every point where the guest's
//! processor changes hands (or, in lockstep, after every instruction), and at the end.

use toy_isa::disasm::disassemble;
use toy_isa::hart::Hart;
use toy_isa::instruction::{Registers, decode};
use toy_isa::mmu::PAGE;
use toy_isa::ram::flag;
use toy_isa::row::Row;
use toy_isa::trap::Cause;

use crate::engine::EngineName;
use crate::guest::GuestView;
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

/// A difference between the bare machine and the guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Which part of the state.
    pub what: String,
    /// What the bare machine holds.
    pub bare: String,
    /// What the guest holds.
    pub guest: String,
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
        }
    }

    /// Advances both to the next point of comparison and compares. `None` when they are equal and can go on.
    /// `around` is called around every advance of the guest, to measure it.
    fn next(
        &mut self,
        grain: Grain,
        budget: u64,
        around: &mut impl FnMut(&mut dyn FnMut()),
    ) -> Option<Comparison> {
        let bare = advance(&mut self.bare, grain, budget);
        let mut guest = Stop::Fuel;
        around(&mut || guest = advance(&mut self.guest, grain, budget));
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
            if let Some(comparison) = self.next(grain, budget, &mut around) {
                return comparison;
            }
        }
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

/// Finds the very instruction at which a guest and the bare machine part, after `equal` sync points that were equal.
///
/// # Errors
/// If the image does not fit the machine.
pub fn locate(mut pair: Pair, equal: u64, budget: u64) -> Option<Divergence> {
    for _ in 0..equal {
        if pair
            .next(Grain::SyncPoints, budget, &mut |advance| advance())
            .is_some()
        {
            return None;
        }
    }
    loop {
        let before = pair.bare.guest();
        let (clock, pc, ring) = (before.pace.clock, before.hart.pc, before.hart.ring());
        let hart = before.hart;
        let Some(comparison) = pair.next(Grain::Lockstep, budget, &mut |advance| advance()) else {
            continue;
        };
        let difference = comparison.difference?;
        let word = fetch(&pair.bare, &hart);
        let row = word
            .and_then(|word| decode(word, Registers::Sixteen))
            .map(|insn| insn.row());
        let instruction = word.map_or("?".to_string(), |word| disassemble(word, pc));
        return Some(Divergence {
            clock,
            pc,
            ring,
            instruction,
            row,
            difference,
        });
    }
}

/// The word that the bare machine, with its processor in an earlier state, has executed.
fn fetch(bare: &Run, hart: &Hart) -> Option<u32> {
    // On a copy, because a fetch sets A bits.
    let mut board = bare.machine().board.clone();
    toy_isa::cpu::fetch(hart, &mut board).ok()
}

fn advance(run: &mut Run, grain: Grain, budget: u64) -> Stop {
    match grain {
        Grain::SyncPoints => run.advance(budget.saturating_sub(run.machine().attempts)),
        Grain::Lockstep => run.step(budget),
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

/// The first difference between two views of a guest: in registers and clock, devices, and these pages.
pub(crate) fn difference(
    bare: &GuestView,
    guest: &GuestView,
    mut pages: impl Iterator<Item = u32>,
    with_disk: bool,
) -> Option<Difference> {
    registers(bare, guest)
        .or_else(|| devices(bare, guest, with_disk))
        .or_else(|| pages.find_map(|page| memory(bare, guest, page)))
}

fn registers(bare: &GuestView, guest: &GuestView) -> Option<Difference> {
    let (a, b) = (&bare.hart, &guest.hart);
    let general = (1..16).map(|i| (toy_isa::disasm::REGISTER_NAMES[i], a.x[i], b.x[i]));
    let csrs = [
        ("pc", a.pc, b.pc),
        ("status", a.csr.status.0, b.csr.status.0),
        ("tvec", a.csr.tvec, b.csr.tvec),
        ("scratch", a.csr.scratch, b.csr.scratch),
        ("epc", a.csr.epc, b.csr.epc),
        ("cause", a.csr.cause, b.csr.cause),
        ("tval", a.csr.tval, b.csr.tval),
        ("ptbr", a.csr.ptbr, b.csr.ptbr),
        ("base", a.csr.base, b.csr.base),
        ("bound", a.csr.bound, b.csr.bound),
        ("xbound", a.csr.xbound, b.csr.xbound),
        ("window", a.csr.window, b.csr.window),
        ("timer", bare.devices.timer.value(), guest.devices.timer.value()),
        (
            "irq",
            bare.devices.irq(bare.pace.clock),
            guest.devices.irq(guest.pace.clock),
        ),
    ];
    let clock = (bare.pace.clock != guest.pace.clock).then(|| Difference {
        what: "the clock".to_string(),
        bare: exact(bare.pace.clock),
        guest: exact(guest.pace.clock),
    });
    let word = general
        .chain(csrs)
        .find(|(_, a, b)| a != b)
        .map(|(name, a, b)| Difference {
            what: format!("register {name}"),
            bare: format!("{a:#010x}"),
            guest: format!("{b:#010x}"),
        });
    word.or(clock)
}

fn devices(bare: &GuestView, guest: &GuestView, with_disk: bool) -> Option<Difference> {
    let (a, b) = (bare.devices.console.output(), guest.devices.console.output());
    if a != b {
        let at = a.iter().zip(b).take_while(|(a, b)| a == b).count();
        let tail = |text: &[u8]| format!("...{:?}", String::from_utf8_lossy(&text[at.saturating_sub(8)..]));
        return Some(Difference {
            what: "console output".to_string(),
            bare: tail(a),
            guest: tail(b),
        });
    }
    if with_disk && bare.devices.disk != guest.devices.disk {
        let differing = bare
            .devices
            .disk
            .data()
            .iter()
            .zip(guest.devices.disk.data())
            .position(|(a, b)| a != b);
        let place = differing.map_or("in its registers".to_string(), |at| {
            format!("at byte {}", exact(at as u64))
        });
        return Some(Difference {
            what: format!("the disk, {place}"),
            bare: "-".into(),
            guest: "-".into(),
        });
    }
    None
}

fn memory(bare: &GuestView, guest: &GuestView, page: u32) -> Option<Difference> {
    let (a, b) = (bare.page(page)?, guest.page(page)?);
    if a == b {
        return None;
    }
    let at = a.iter().zip(b).position(|(a, b)| a != b)?;
    let address = (page * PAGE + at as u32) & !3;
    let word = |view: &GuestView| {
        view.word(address)
            .map_or("-".into(), |word| format!("{word:#010x}"))
    };
    Some(Difference {
        what: format!("memory at guest-physical {address:#010x}"),
        bare: word(bare),
        guest: word(guest),
    })
}
