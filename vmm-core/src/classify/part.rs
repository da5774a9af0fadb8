//! The parts of a state, and which of the two readings knows them.

use std::fmt;

use toy_isa::hart::Status;

use super::state::State;

/// How much of the machine counts as state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// That of 1974: S = (E, M, P, R). E is memory and registers, with the two words through which a trap exchanges
    /// control (`tvec`, and what a trap leaves) at fixed places; M the ring; R all that relocates and limits.
    Of1974,
    /// With the control registers, clock, devices, identity, and which frames stand for which pages: the state of a
    /// machine with paging, I/O and interrupts (Penneman et al., Journal of Systems Architecture 59, 2013, do the same
    /// for ARMv7).
    Extended,
}

impl Reading {
    /// Both.
    pub const ALL: [Reading; 2] = [Reading::Of1974, Reading::Extended];

    /// The name in output.
    pub fn name(self) -> &'static str {
        match self {
            Reading::Of1974 => "1974",
            Reading::Extended => "extended",
        }
    }

    /// What it counts as state; the extended one, beside what that of 1974 does.
    pub fn describe(self) -> &'static str {
        match self {
            Reading::Of1974 => {
                "memory, registers, ring, program counter, and what relocates, limits and traps"
            }
            Reading::Extended => "the other control registers, clock, devices, identity, the order of frames",
        }
    }
}

/// A part of a state. Two paired states differ in one of them; an instruction changes some.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Part {
    /// The general registers.
    Registers,
    /// The program counter, beyond going on to the next instruction.
    Pc,
    /// The program's own memory.
    Memory,
    /// Real memory that is not the program's.
    Others,
    /// Where in real memory the program stands, when its page table says so.
    Place,
    /// The current ring.
    Ring,
    /// What else the processor holds beside registers, program counter and control registers: root operation, where
    /// there is one.
    Operation,
    /// Relocation on or off.
    Relocation,
    /// The relocation itself.
    Base,
    /// The limits of accesses and of fetches.
    Limits,
    /// Where window accesses begin.
    Window,
    /// Paging on or off, and the root of the page table.
    PageTable,
    /// Where a trap goes: the new PSW of 1974.
    TrapVector,
    /// What a trap leaves, with the previous ring and relocation: the old PSW of 1974.
    TrapFrame,
    /// Which frames stand for the program's pages, when their order changes.
    Frames,
    /// Interrupt enable.
    Interrupts,
    /// Interrupt enable before the last trap.
    SavedInterrupts,
    /// I/O privilege level.
    PortLevel,
    /// The trap handler's own word.
    Scratch,
    /// The clock, beyond the tick of an instruction that retires.
    Clock,
    /// Waiting for an interrupt.
    Halted,
    /// The timer.
    Timer,
    /// Which interrupt lines are enabled.
    Lines,
    /// Console, disk and power.
    Devices,
    /// What machine this is.
    Identity,
}

impl Part {
    /// All of them.
    pub const ALL: [Part; 25] = [
        Part::Registers,
        Part::Pc,
        Part::Memory,
        Part::Others,
        Part::Place,
        Part::Ring,
        Part::Operation,
        Part::Relocation,
        Part::Base,
        Part::Limits,
        Part::Window,
        Part::PageTable,
        Part::TrapVector,
        Part::TrapFrame,
        Part::Frames,
        Part::Interrupts,
        Part::SavedInterrupts,
        Part::PortLevel,
        Part::Scratch,
        Part::Clock,
        Part::Halted,
        Part::Timer,
        Part::Lines,
        Part::Devices,
        Part::Identity,
    ];

    /// As a sentence says it.
    pub fn name(self) -> &'static str {
        match self {
            Part::Registers => "registers",
            Part::Pc => "the program counter",
            Part::Memory => "memory",
            Part::Others => "real memory that is not the program's",
            Part::Place => "the program's place in real memory",
            Part::Ring => "the ring",
            Part::Operation => "root operation",
            Part::Relocation => "relocation on or off",
            Part::Base => "base",
            Part::Limits => "the limits",
            Part::Window => "window",
            Part::PageTable => "the page-table root",
            Part::TrapVector => "the trap vector",
            Part::TrapFrame => "what the last trap left",
            Part::Frames => "the order of frames",
            Part::Interrupts => "interrupts on or off",
            Part::SavedInterrupts => "interrupts before the last trap",
            Part::PortLevel => "the I/O privilege level",
            Part::Scratch => "scratch",
            Part::Clock => "the clock",
            Part::Halted => "whether the processor halts",
            Part::Timer => "the timer",
            Part::Lines => "the interrupt enables",
            Part::Devices => "the devices",
            Part::Identity => "what machine this is",
        }
    }

    /// The reading in which it first counts.
    pub fn reading(self) -> Reading {
        if (self as u8) < Part::Frames as u8 {
            Reading::Of1974
        } else {
            Reading::Extended
        }
    }

    /// Those of 1974 by which an instruction controls: M, R and the words of the trap exchange.
    pub(crate) const CONTROL_1974: Parts = Parts::between(Part::Ring, Part::TrapFrame);
    /// Those of the extended reading by which an instruction controls.
    pub(crate) const CONTROL_EXTENDED: Parts = Parts::between(Part::Interrupts, Part::Identity);
}

/// A set of parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts(u32);

impl Parts {
    const fn between(first: Part, last: Part) -> Parts {
        Parts((2 << last as u32) - (1 << first as u32))
    }

    /// Puts a part in.
    pub fn insert(&mut self, part: Part) {
        self.0 |= 1 << part as u32;
    }

    /// Whether it holds none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those in either.
    pub fn or(self, other: Parts) -> Parts {
        Parts(self.0 | other.0)
    }

    /// Those in both.
    pub fn and(self, other: Parts) -> Parts {
        Parts(self.0 & other.0)
    }

    /// Those in this set only.
    pub fn without(self, other: Parts) -> Parts {
        Parts(self.0 & !other.0)
    }

    /// One by one, in the order of [`Part::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Part> {
        Part::ALL
            .into_iter()
            .filter(move |part| self.0 & 1 << *part as u32 != 0)
    }
}

/// As a sentence lists them.
impl fmt::Display for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.iter().map(Part::name).collect();
        match names.split_last() {
            Some((last, rest)) if !rest.is_empty() => write!(f, "{} and {last}", rest.join(", ")),
            _ => f.write_str(&names.concat()),
        }
    }
}

/// What an instruction has changed; going on to the next instruction, and the tick of the clock for it, are no change.
pub(crate) fn changes(before: &State, after: &State, is_own: impl Fn(u32) -> bool) -> Parts {
    let mut parts = Parts::default();
    let mut note = |part, changed: bool| {
        if changed {
            parts.insert(part);
        }
    };
    let (a, b) = (&before.hart.csr, &after.hart.csr);
    let flipped = a.status.0 ^ b.status.0;
    note(Part::Registers, before.hart.x != after.hart.x);
    note(Part::Pc, before.hart.pc.wrapping_add(4) != after.hart.pc);
    for (address, word) in after.memory.changed() {
        if before.memory.word(address) != Some(word) {
            note(
                if is_own(address) {
                    Part::Memory
                } else {
                    Part::Others
                },
                true,
            );
        }
    }
    let mut rest = before.hart.clone();
    (rest.x, rest.pc, rest.csr) = (after.hart.x, after.hart.pc, after.hart.csr);
    note(Part::Operation, rest != after.hart);
    if a != b {
        note(Part::Ring, a.status.ring() != b.status.ring());
        note(Part::Relocation, flipped & Status::RE != 0);
        note(Part::Base, a.base != b.base);
        note(Part::Limits, (a.bound, a.xbound) != (b.bound, b.xbound));
        note(Part::Window, a.window != b.window);
        note(Part::PageTable, a.ptbr != b.ptbr);
        note(Part::TrapVector, a.tvec != b.tvec);
        let left = (a.epc, a.cause, a.tval) != (b.epc, b.cause, b.tval);
        note(
            Part::TrapFrame,
            left || flipped & (Status::PRING | Status::PRE) != 0,
        );
        note(Part::Interrupts, flipped & Status::IE != 0);
        note(Part::SavedInterrupts, flipped & Status::PIE != 0);
        note(Part::PortLevel, flipped & Status::IOPL != 0);
        note(Part::Scratch, a.scratch != b.scratch);
    }
    note(Part::Clock, before.clock.wrapping_add(1) != after.clock);
    note(Part::Halted, before.halted != after.halted);
    note(Part::Identity, before.identity != after.identity);
    let (a, b) = (&before.devices, &after.devices);
    if a != b {
        note(Part::Timer, a.timer != b.timer);
        note(Part::Lines, a.enabled != b.enabled);
        let rest = (&a.console, &a.disk, a.power_off) != (&b.console, &b.disk, b.power_off);
        note(Part::Devices, rest);
    }
    parts
}
