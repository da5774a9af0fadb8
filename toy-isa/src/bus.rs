//! What the processor sees of the rest of the machine. The semantics are generic over it, so that the same code
//! runs on the bare board, on a guest's virtual board inside a monitor, and in the classifier.

use crate::devices::Devices;
use crate::hart::Hart;
use crate::mmu::Tlb;
use crate::profile::Profile;
use crate::row::Row;

/// The width of a memory access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Width {
    /// One byte.
    Byte,
    /// Two bytes.
    Half,
    /// Four bytes.
    Word,
}

impl Width {
    /// In bytes.
    #[inline]
    pub fn bytes(self) -> u32 {
        match self {
            Width::Byte => 1,
            Width::Half => 2,
            Width::Word => 4,
        }
    }
}

/// Where a processor stands in time, and what it has to look at before its next instruction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// The clock: retired instructions plus skipped ticks.
    pub clock: u64,
    /// The ticks that `wfi` skipped.
    pub skipped: u64,
    /// From this clock value on, [`crate::cpu::poll`] must run before the next instruction. 0 is "now".
    pub attention: u64,
    /// `wfi` was executed: wait for an enabled interrupt line.
    pub halted: bool,
    /// A trap was entered: a fault on the next fetch is a double fault.
    pub entering: bool,
    /// `mret` was executed.
    pub returned: bool,
    /// A guest left non-root operation.
    pub left: bool,
}

impl Pace {
    /// Instructions that retired.
    pub fn retired(&self) -> u64 {
        self.clock - self.skipped
    }
}

/// Memory, devices, clock and personality, as a processor reaches them. Addresses are physical and aligned.
pub trait Bus {
    /// What sensitive rows do outside ring 0.
    fn profile(&self) -> &Profile;

    /// Whether the processor has root operation.
    fn root_operation(&self) -> bool {
        self.profile().root_operation()
    }

    /// The clock and its neighbours.
    fn pace(&mut self) -> &mut Pace;

    /// The devices.
    fn devices(&mut self) -> &mut Devices;

    /// Reads RAM, zero-extended; `None` where there is none.
    fn read(&mut self, address: u32, width: Width) -> Option<u32>;

    /// Writes RAM; `None` where there is none.
    fn write(&mut self, address: u32, width: Width, value: u32) -> Option<()>;

    /// Replaces a word of a page table to set its A or D bit. As [`Bus::write`], but no translation that was
    /// made before becomes stale by it.
    fn mark(&mut self, address: u32, entry: u32) -> Option<()>;

    /// The counting model of the translation look-aside buffer; `None` on a board that has none.
    fn tlb(&mut self) -> Option<&mut Tlb>;

    /// Says that `address` holds a page-table entry that a walk has read.
    fn walked(&mut self, address: u32);

    /// Code in `world` (see [`crate::hart::Hart::world`]) is about to touch physical `address`, for the first time
    /// since the translation of its page was made: where an observer that checks isolation looks on.
    fn translated(&mut self, world: u32, address: u32);

    /// Code outside ring 0, or in non-root operation, has executed a sensitive row to its full effect on the real
    /// processor or device: where an observer that checks who is in control looks on.
    fn took_effect(&mut self, _row: Row) {}

    /// Code executes a hypercall with its processor in this state. Whoever stands behind the board may answer it, and
    /// says where the code goes on; on the bare machine nobody does, and it is a trap.
    fn hypercall(&mut self, _hart: &mut Hart) -> Option<u32> {
        None
    }

    /// The disk has finished a command: where whoever has taken it over looks on.
    fn disk_finished(&mut self) {}

    /// Something changed that decides on interrupts, translation or the end of the run: look at the whole
    /// state before the next instruction.
    fn attend(&mut self) {
        self.pace().attention = 0;
    }
}
