//! Traps and interrupts: why the hardware enters ring 0.

use std::fmt;

/// Why a trap or an interrupt is taken, or why a guest leaves non-root operation. Codes are RISC-V's where RISC-V has
/// the same thing (Privileged Specification 1.12, tables 3.6 and 8.7: nested faults are its guest-page faults, 22 is
/// its virtual instruction); a system call from ring r is 11 - r, so that ring 0 has M's code and ring 3 U's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// A jump to an address that is not a multiple of 4.
    FetchMisaligned,
    /// A fetch beyond `xbound`, or from where there is no memory.
    FetchAccess,
    /// An illegal instruction, or a privileged one outside ring 0.
    Illegal,
    /// `ebreak`.
    Breakpoint,
    /// A load from an address that is not a multiple of its size.
    LoadMisaligned,
    /// A load beyond `bound`, or from where there is neither memory nor a device.
    LoadAccess,
    /// A store to an address that is not a multiple of its size.
    StoreMisaligned,
    /// A store beyond `bound`, or to where there is neither memory nor a device.
    StoreAccess,
    /// `ecall` from this ring.
    SystemCall(u8),
    /// No valid translation for a fetch.
    FetchPage,
    /// No valid translation for a load.
    LoadPage,
    /// No valid translation for a store.
    StorePage,
    /// `hcall`.
    Hypercall,
    /// The clock reached the timer's deadline.
    TimerInterrupt,
    /// A device wants attention.
    DeviceInterrupt,
    /// Only out of non-root operation: a fetch that the nested table does not allow.
    NestedFetch,
    /// Only out of non-root operation: a load, or the reading of a page-table entry, that the nested table does not
    /// allow.
    NestedLoad,
    /// Only out of non-root operation: an instruction that the control structure says to leave by.
    Intercepted,
    /// Only out of non-root operation: a store, or the marking of a page-table entry, that the nested table does not
    /// allow.
    NestedStore,
    /// Only out of non-root operation: the first instruction of the guest's trap handler cannot be fetched.
    DoubleFault,
    /// Only out of non-root operation: the countdown is over.
    Countdown,
    /// Only out of non-root operation: the guest can take an interrupt now.
    Window,
    /// Only out of non-root operation: the guest has taken as many traps of its own as it may.
    TrapLimit,
}

impl Cause {
    /// The value in the `cause` register.
    pub fn code(self) -> u32 {
        match self {
            Cause::FetchMisaligned => 0,
            Cause::FetchAccess => 1,
            Cause::Illegal => 2,
            Cause::Breakpoint => 3,
            Cause::LoadMisaligned => 4,
            Cause::LoadAccess => 5,
            Cause::StoreMisaligned => 6,
            Cause::StoreAccess => 7,
            Cause::SystemCall(ring) => 11 - u32::from(ring & 3),
            Cause::FetchPage => 12,
            Cause::LoadPage => 13,
            Cause::StorePage => 15,
            Cause::Hypercall => 24,
            Cause::TimerInterrupt => 0x8000_0007,
            Cause::DeviceInterrupt => 0x8000_000b,
            Cause::NestedFetch => 20,
            Cause::NestedLoad => 21,
            Cause::Intercepted => 22,
            Cause::NestedStore => 23,
            Cause::DoubleFault => 25,
            Cause::Countdown => 0x8000_0018,
            Cause::Window => 0x8000_0019,
            Cause::TrapLimit => 0x8000_001a,
        }
    }

    /// Every cause.
    pub const ALL: [Cause; 26] = [
        Cause::FetchMisaligned,
        Cause::FetchAccess,
        Cause::Illegal,
        Cause::Breakpoint,
        Cause::LoadMisaligned,
        Cause::LoadAccess,
        Cause::StoreMisaligned,
        Cause::StoreAccess,
        Cause::SystemCall(3),
        Cause::SystemCall(2),
        Cause::SystemCall(1),
        Cause::SystemCall(0),
        Cause::FetchPage,
        Cause::LoadPage,
        Cause::StorePage,
        Cause::Hypercall,
        Cause::TimerInterrupt,
        Cause::DeviceInterrupt,
        Cause::NestedFetch,
        Cause::NestedLoad,
        Cause::Intercepted,
        Cause::NestedStore,
        Cause::DoubleFault,
        Cause::Countdown,
        Cause::Window,
        Cause::TrapLimit,
    ];

    /// The cause with this code.
    pub fn from_code(code: u32) -> Option<Cause> {
        Cause::ALL.into_iter().find(|cause| cause.code() == code)
    }

    /// Whether it comes from outside the instruction stream.
    pub fn is_interrupt(self) -> bool {
        self.code() >> 31 == 1
    }

    /// Whether only a guest in non-root operation can meet it, and always leaves by it: no trap handler sees it.
    pub fn is_of_root_operation(self) -> bool {
        matches!(
            self,
            Cause::NestedFetch
                | Cause::NestedLoad
                | Cause::Intercepted
                | Cause::NestedStore
                | Cause::DoubleFault
                | Cause::Countdown
                | Cause::Window
                | Cause::TrapLimit
        )
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Cause::FetchMisaligned => "misaligned jump",
            Cause::FetchAccess => "fetch access fault",
            Cause::Illegal => "illegal instruction",
            Cause::Breakpoint => "breakpoint",
            Cause::LoadMisaligned => "misaligned load",
            Cause::LoadAccess => "load access fault",
            Cause::StoreMisaligned => "misaligned store",
            Cause::StoreAccess => "store access fault",
            Cause::SystemCall(ring) => return write!(f, "system call from ring {ring}"),
            Cause::FetchPage => "fetch page fault",
            Cause::LoadPage => "load page fault",
            Cause::StorePage => "store page fault",
            Cause::Hypercall => "hypercall",
            Cause::TimerInterrupt => "timer interrupt",
            Cause::DeviceInterrupt => "device interrupt",
            Cause::NestedFetch => "nested fetch fault",
            Cause::NestedLoad => "nested load fault",
            Cause::Intercepted => "intercepted instruction",
            Cause::NestedStore => "nested store fault",
            Cause::DoubleFault => "double fault",
            Cause::Countdown => "countdown",
            Cause::Window => "interrupt window",
            Cause::TrapLimit => "trap limit",
        };
        f.pad(text)
    }
}

/// A trap: its cause and what the cause is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Trap {
    /// Why.
    pub cause: Cause,
    /// An address, an instruction word, or 0: the value of the `tval` register.
    pub tval: u32,
}

impl Trap {
    /// An illegal instruction with this word.
    pub fn illegal(word: u32) -> Trap {
        Trap {
            cause: Cause::Illegal,
            tval: word,
        }
    }
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.cause {
            Cause::SystemCall(_)
            | Cause::Hypercall
            | Cause::TimerInterrupt
            | Cause::DeviceInterrupt
            | Cause::Countdown
            | Cause::Window
            | Cause::TrapLimit => write!(f, "{}", self.cause),
            Cause::Illegal | Cause::Intercepted => write!(f, "{} (word {:#010x})", self.cause, self.tval),
            _ => write!(f, "{} at {:#010x}", self.cause, self.tval),
        }
    }
}
