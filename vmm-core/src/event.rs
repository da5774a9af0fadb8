//! Events: what happened, as plain owned values. Consumers read these and snapshots, never a live machine.

mod json;
mod words;

use toy_isa::hart::Hart;
use toy_isa::mmu::Access;
use toy_isa::row::Row;
use toy_isa::trap::Trap;

pub use words::{access_name, reason};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Hardware entered ring 0 where the monitor lives: the guest left.
    Exit {
        /// Why.
        trap: Trap,
        /// The ring that the processor was really in.
        real_ring: u32,
    },
    /// The guest left non-root operation, to where its control structure says.
    VmExit {
        /// Why.
        trap: Trap,
    },
    /// The guest was entered, in non-root operation.
    VmEntry {
        /// The trap that the processor was to take there and then.
        inject: Option<Trap>,
    },
    /// A frame of the guest was taken into the nested page table.
    NestedFill {
        /// What the guest wanted there.
        access: Access,
        /// The guest-physical frame.
        guest_frame: u32,
        /// The frame of real memory.
        host_frame: u32,
    },
    /// Translated code called the monitor.
    Callout {
        /// Why.
        why: CalloutReason,
    },
    /// A unit was translated.
    Translate {
        /// Instructions of the guest in it.
        instructions: u32,
        /// Words that were made of them.
        words: u32,
    },
    /// The translator changed its mind about an innocuous instruction, whose units were forgotten.
    Adapt {
        /// The instruction's address.
        address: u32,
        /// From now on it calls the monitor, because it has trapped too often; else it stands as it is again, because
        /// it has called for nothing.
        calls: bool,
    },
    /// A ported kernel called the monitor.
    Hypercall {
        /// The name of the hypercall.
        name: &'static str,
        /// What was in a0 and a1.
        arguments: [u32; 2],
        /// What it returned: 0, or a small negative number.
        result: i32,
    },
    /// A batch of page-table updates was validated and carried out.
    TableUpdates {
        /// How many were asked for.
        requests: u32,
        /// How many were carried out; one that is refused is the last.
        done: u32,
        /// Valid page-table entries that had to be checked for it.
        validated: u64,
    },
    /// An event channel was marked pending.
    EventSent {
        /// Its number.
        channel: u32,
    },
    /// Something passed through a ring that the guest shares with the monitor.
    RingServed {
        /// The event channel of the ring.
        channel: u32,
        /// Requests taken, or bytes of output.
        requests: u32,
        /// Responses given, or bytes of input.
        responses: u32,
    },
    /// The interpreter routine of a privileged row did to the virtual processor what the instruction asked for.
    Emulate {
        /// The row.
        row: Row,
        /// The instruction word.
        word: u32,
        /// What its source registers held; an immediate in the place of the first.
        sources: [u32; 2],
        /// What its destination register holds now.
        result: u32,
    },
    /// An instruction that touched memory was carried out by the monitor.
    EmulateAccess {
        /// What it was for.
        access: Access,
        /// The virtual address.
        address: u32,
        /// Why the hardware could not do it.
        why: AccessReason,
    },
    /// A translation was taken from the guest's tables into the shadow table.
    ShadowFill {
        /// The access that missed it.
        access: Access,
        /// The virtual address.
        address: u32,
        /// The guest-physical frame.
        guest_frame: u32,
        /// The frame of real memory.
        host_frame: u32,
    },
    /// A write to a guest page table made shadow entries invalid.
    ShadowDrop {
        /// The guest-physical address of the table's entry.
        entry: u32,
    },
    /// The processor was given another shadow table.
    ShadowSwitch {
        /// The guest's `ptbr`.
        ptbr: u32,
        /// Whether the table had to be begun anew.
        fresh: bool,
    },
    /// The guest's processor entered its trap handler.
    Enter {
        /// Why.
        trap: Trap,
        /// How it got there.
        how: Delivery,
    },
    /// The guest's processor returned from its trap handler.
    Return {
        /// The virtual ring that it returned to.
        ring: u32,
    },
    /// The guest was resumed after an exit.
    Resume {
        /// The ring that the processor is really in.
        real_ring: u32,
    },
}

/// How a trap reached the guest's handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// By the hardware, or by the emulated hardware of pure emulation.
    Hardware,
    /// The monitor handed on a trap that the guest itself caused.
    Reflected,
    /// The monitor injected a virtual interrupt.
    Injected,
    /// The monitor made an upcall, because events are pending.
    Upcall,
}

impl Delivery {
    /// In one word.
    pub fn name(self) -> &'static str {
        match self {
            Delivery::Hardware => "hardware",
            Delivery::Reflected => "reflected",
            Delivery::Injected => "injected",
            Delivery::Upcall => "upcall",
        }
    }
}

/// Why the monitor had to carry out a memory access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessReason {
    /// It reached a device, or no memory at all.
    Device,
    /// It stored to a page table that is shadowed.
    Traced,
    /// It stored to a page of code that has been translated.
    Code,
    /// Its address is above the limit, where the monitor lives.
    AboveLimit,
    /// The timer could not be armed for the next instruction.
    Deadline,
    /// No reason any more: it touched plain memory, but was expected to touch something else.
    Plain,
}

impl AccessReason {
    /// In one word.
    pub fn name(self) -> &'static str {
        match self {
            AccessReason::Device => "device",
            AccessReason::Traced => "traced",
            AccessReason::Code => "code",
            AccessReason::AboveLimit => "above-limit",
            AccessReason::Deadline => "deadline",
            AccessReason::Plain => "plain",
        }
    }
}

/// Why translated code had to call the monitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CalloutReason {
    /// There was too little time left for a whole unit.
    Deadline,
    /// A way out of a unit, which is not linked yet.
    Way,
    /// A jump to a target that the lookup table does not know.
    Miss,
    /// An instruction that the monitor has to carry out.
    Instruction,
    /// An instruction that is innocuous but has trapped often.
    Adapted,
}

impl CalloutReason {
    /// In a few words.
    pub fn name(self) -> &'static str {
        match self {
            CalloutReason::Deadline => "too little time was left for a whole unit",
            CalloutReason::Way => "the way to the next unit was not known yet",
            CalloutReason::Miss => "the lookup table did not know the target of a jump",
            CalloutReason::Instruction => "for an instruction that is the monitor's affair",
            CalloutReason::Adapted => "for an instruction that trapped often",
        }
    }
}

impl Event {
    /// The trap that it is about, if it is an exit or an entry.
    pub fn trap(&self) -> Option<Trap> {
        match self {
            Event::Exit { trap, .. } | Event::VmExit { trap } | Event::Enter { trap, .. } => Some(*trap),
            _ => None,
        }
    }
}

/// An event with its place in the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Position in the run, from 0.
    pub number: u64,
    /// The number of the exit that it belongs to: what set it off.
    pub exit: Option<u64>,
    /// The guest's clock.
    pub clock: u64,
    /// The guest's program counter.
    pub pc: u32,
    /// What relocation added to it: 0 where it is off, and where the guest pages, whose tables would be needed to say
    /// where its instructions are.
    pub base: u32,
    /// The guest's (virtual) ring.
    pub ring: u32,
    /// What happened.
    pub event: Event,
}

impl Record {
    /// Where the image has what the program counter points to.
    pub fn address(&self) -> u32 {
        self.pc.wrapping_add(self.base)
    }
}

/// The last events of a run, in a ring of bounded size.
#[derive(Clone, Debug)]
pub struct Log {
    records: std::collections::VecDeque<Record>,
    capacity: usize,
    next: u64,
    exit: Option<u64>,
    /// The hardware is about to inject what it was entered with.
    injecting: bool,
}

impl Log {
    /// An empty log that keeps the last `capacity` events.
    pub fn new(capacity: usize) -> Log {
        Log {
            records: std::collections::VecDeque::new(),
            capacity,
            next: 0,
            exit: None,
            injecting: false,
        }
    }

    /// Records an event at this clock of a guest whose processor is in this state.
    pub fn push(&mut self, clock: u64, hart: &Hart, event: Event) {
        let number = self.next;
        self.next += 1;
        match event {
            Event::Exit { .. } | Event::VmExit { .. } => self.exit = Some(number),
            // Pure emulation and bare hardware have no exits: each entry stands alone.
            Event::Enter {
                how: Delivery::Hardware,
                ..
            } => self.exit = None,
            _ => {}
        }
        let exit = self.exit.filter(|exit| *exit != number);
        let injected = std::mem::replace(
            &mut self.injecting,
            matches!(event, Event::VmEntry { inject: Some(_) }),
        );
        let resumed = matches!(event, Event::Resume { .. } | Event::VmEntry { .. });
        if (resumed || injected) && !self.injecting {
            self.exit = None;
        }
        if self.capacity == 0 {
            return;
        }
        if self.records.len() == self.capacity {
            self.records.pop_front();
        }
        let relocated = hart.csr.status.relocates() && !hart.csr.paging();
        self.records.push_back(Record {
            number,
            exit,
            clock,
            pc: hart.pc,
            base: if relocated { hart.csr.base } else { 0 },
            ring: hart.ring(),
            event,
        });
    }

    /// A log that goes on where this one is, and keeps nothing of before.
    pub(crate) fn without_records(&self) -> Log {
        Log {
            records: std::collections::VecDeque::new(),
            ..*self
        }
    }

    /// Takes the events that are kept, oldest first.
    pub(crate) fn take(&mut self) -> std::collections::VecDeque<Record> {
        std::mem::take(&mut self.records)
    }

    /// The events that are kept, oldest first.
    pub fn records(&self) -> impl DoubleEndedIterator<Item = &Record> + ExactSizeIterator {
        self.records.iter()
    }

    /// How many events there were, kept or not.
    pub fn total(&self) -> u64 {
        self.next
    }

    /// How many of them were dropped because the log was full.
    pub fn dropped(&self) -> u64 {
        self.next - self.records.len() as u64
    }

    /// The event of this number, if it is kept.
    pub fn get(&self, number: u64) -> Option<&Record> {
        let first = self.records.front()?.number;
        self.records
            .get(usize::try_from(number.checked_sub(first)?).ok()?)
    }
}
