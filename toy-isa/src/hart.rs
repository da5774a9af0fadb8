//! The processor's own state: registers, program counter, control registers.

use crate::trap::Trap;

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
}

impl Hart {
    /// A processor at reset that will begin at `entry`.
    pub fn new(entry: u32) -> Hart {
        Hart {
            x: [0; 32],
            pc: entry,
            csr: Csrs::RESET,
        }
    }

    /// The current ring, 0..=3.
    #[inline]
    pub fn ring(&self) -> u32 {
        self.csr.status.ring()
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
