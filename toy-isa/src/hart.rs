//! The processor's own state: registers, program counter, control registers.

use crate::root::{Controls, Operation};
use crate::trap::{Cause, Trap};

/// `status`: rings, interrupt enable, relocation enable, I/O privilege level.
///
/// | bits | field |
/// |---|---|
/// | 1..0 | current ring |
/// | 3..2 | previous ring |
/// | 4, 5 | interrupt enable, and its previous value |
/// | 6, 7 | relocation enable, and its previous value |
/// | 9..8 | I/O privilege level |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Status(pub u32);

impl Status {
    /// Interrupt enable.
    pub const IE: u32 = 1 << 4;
    /// Interrupt enable before the last trap.
    pub const PIE: u32 = 1 << 5;
    /// Relocation enable.
    pub const RE: u32 = 1 << 6;
    /// Relocation enable before the last trap.
    pub const PRE: u32 = 1 << 7;
    /// The two bits of the I/O privilege level.
    pub const IOPL: u32 = 3 << 8;
    /// The two bits of the previous ring.
    pub const PRING: u32 = 3 << 2;
    /// The bits that a write changes in ring 0 (IOPL only where the profile has one).
    pub const WRITABLE: u32 = Status::PRING | Status::IE | Status::PIE | Status::RE | Status::PRE;
    /// The bits that a *partial* write outside ring 0 changes: those of the trap frame. IE, RE and IOPL are
    /// dropped in silence, as POPF drops IF and IOPL.
    pub const PARTIAL: u32 = Status::PRING | Status::PIE | Status::PRE;

    /// The bits that exist; the others are 0.
    pub const ALL: u32 = 3 | Status::WRITABLE | Status::IOPL;

    /// Current ring, 0..=3.
    #[inline]
    pub fn ring(self) -> u32 {
        self.0 & 3
    }

    /// Previous ring, 0..=3.
    pub fn previous_ring(self) -> u32 {
        self.0 >> 2 & 3
    }

    /// Whether interrupts are taken.
    pub fn interrupts(self) -> bool {
        self.0 & Status::IE != 0
    }

    /// Whether addresses are relocated by `base`.
    #[inline]
    pub fn relocates(self) -> bool {
        self.0 & Status::RE != 0
    }

    /// I/O privilege level, 0..=3.
    pub fn iopl(self) -> u32 {
        self.0 >> 8 & 3
    }

    /// The status after the entry of a trap: ring, IE and RE move to their previous places and become 0.
    pub fn entered(self) -> Status {
        let kept = self.0 & Status::IOPL;
        let saved = self.ring() << 2 | (self.0 & (Status::IE | Status::RE)) << 1;
        Status(kept | saved)
    }

    /// The status after `mret`: the previous values come back; PRING = 3, PIE = 1, PRE = 0.
    pub fn returned(self) -> Status {
        let kept = self.0 & Status::IOPL;
        let restored = self.previous_ring() | (self.0 & (Status::PIE | Status::PRE)) >> 1;
        Status(kept | restored | Status::PRING | Status::PIE)
    }
}

/// The control registers that are the processor's own. The timer, the interrupt lines and the clock belong to
/// the board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Csrs {
    /// Rings and enables.
    pub status: Status,
    /// Trap vector, a multiple of 4.
    pub tvec: u32,
    /// The handler's own word.
    pub scratch: u32,
    /// Where the last trap was, a multiple of 4.
    pub epc: u32,
    /// Why the last trap was.
    pub cause: u32,
    /// What the last trap is about.
    pub tval: u32,
    /// Page-table root in bits 31..12, paging on in bit 0.
    pub ptbr: u32,
    /// Relocation.
    pub base: u32,
    /// Limit of loads and stores outside ring 0.
    pub bound: u32,
    /// Limit of fetches outside ring 0.
    pub xbound: u32,
    /// Where window accesses begin.
    pub window: u32,
}

impl Csrs {
    /// The values at reset: ring 0, everything off, no limits.
    pub const RESET: Csrs = Csrs {
        status: Status(0),
        tvec: 0,
        scratch: 0,
        epc: 0,
        cause: 0,
        tval: 0,
        ptbr: 0,
        base: 0,
        bound: u32::MAX,
        xbound: u32::MAX,
        window: 0,
    };

    /// Whether paging is on.
    #[inline]
    pub fn paging(&self) -> bool {
        self.ptbr & 1 != 0
    }

    /// What is added to virtual addresses.
    #[inline]
    pub fn relocation(&self) -> u32 {
        if self.status.relocates() { self.base } else { 0 }
    }

    /// How many there are.
    pub const COUNT: usize = 11;

    /// Their names, in the order of the fields.
    pub const NAMES: [&str; Csrs::COUNT] = [
        "status", "tvec", "scratch", "epc", "cause", "tval", "ptbr", "base", "bound", "xbound", "window",
    ];

    /// All of them, in the order of the fields: how they stand in memory where hardware or a monitor saves them.
    pub fn words(&self) -> [u32; Csrs::COUNT] {
        [
            self.status.0,
            self.tvec,
            self.scratch,
            self.epc,
            self.cause,
            self.tval,
            self.ptbr,
            self.base,
            self.bound,
            self.xbound,
            self.window,
        ]
    }

    /// The inverse of [`Csrs::words`]. Bits that are always 0 become so.
    pub fn from_words(words: [u32; Csrs::COUNT]) -> Csrs {
        let [
            status,
            tvec,
            scratch,
            epc,
            cause,
            tval,
            ptbr,
            base,
            bound,
            xbound,
            window,
        ] = words;
        Csrs {
            status: Status(status & Status::ALL),
            tvec: tvec & !3,
            scratch,
            epc: epc & !3,
            cause,
            tval,
            ptbr: ptbr & Csrs::PTBR,
            base: base & !3,
            bound,
            xbound,
            window,
        }
    }

    /// The bits of `ptbr` that exist.
    pub const PTBR: u32 = 0xffff_f001;
}

/// The processor: what a context switch would save.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hart {
    /// x0..x15 (x0 is always 0). The upper half exists for the foreign RV32I guest of pure emulation and is 0
    /// on Ring32.
    pub x: [u32; 32],
    /// Program counter: the next instruction to execute.
    pub pc: u32,
    /// Control registers.
    pub csr: Csrs,
    /// The nested page table in use: root in bits 31..12, on in bit 0. Off outside non-root operation.
    pub nested: u32,
    /// Root operation, non-root operation, or neither.
    pub operation: Operation,
}

impl Hart {
    /// A processor at reset that will begin at `entry`.
    pub fn new(entry: u32) -> Hart {
        Hart {
            x: [0; 32],
            pc: entry,
            csr: Csrs::RESET,
            nested: 0,
            operation: Operation::Off,
        }
    }

    /// The current ring, 0..=3.
    #[inline]
    pub fn ring(&self) -> u32 {
        self.csr.status.ring()
    }

    /// Whether linear addresses are translated by page tables, its own or those that it is under.
    #[inline]
    pub fn translates(&self) -> bool {
        (self.csr.ptbr | self.nested) & 1 != 0
    }

    /// Who has the processor, for observers: the ring, with [`Hart::NON_ROOT`] added in non-root operation.
    #[inline]
    pub fn world(&self) -> u32 {
        match self.operation {
            Operation::NonRoot(_) => Hart::NON_ROOT | self.ring(),
            Operation::Off | Operation::Root => self.ring(),
        }
    }

    /// What [`Hart::world`] adds to a ring in non-root operation.
    pub const NON_ROOT: u32 = 4;

    /// What was agreed on for the guest; `None` outside non-root operation.
    #[inline]
    pub fn controls(&self) -> Option<&Controls> {
        match &self.operation {
            Operation::NonRoot(controls) => Some(controls),
            Operation::Off | Operation::Root => None,
        }
    }

    /// Whether a trap with this cause makes a guest leave non-root operation.
    pub fn leaves(&self, cause: Cause) -> bool {
        self.controls().is_some_and(|controls| controls.leaves(cause))
    }

    /// The clock as `instret` shows it.
    pub fn time(&self, clock: u64) -> u64 {
        self.controls()
            .map_or(clock, |controls| clock.wrapping_add(controls.offset))
    }

    /// Takes `trap` before the instruction at `pc`: hardware's way into ring 0.
    pub fn enter(&mut self, trap: Trap) {
        self.csr.epc = self.pc;
        self.csr.cause = trap.cause.code();
        self.csr.tval = trap.tval;
        self.csr.status = self.csr.status.entered();
        self.pc = self.csr.tvec;
    }
}
