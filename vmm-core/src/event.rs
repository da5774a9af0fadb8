//! Events: what happened, as plain owned values. Consumers read these and snapshots, never a live machine.

use serde::Serialize;
use serde::ser::SerializeMap;
use toy_isa::hart::Hart;
use toy_isa::instruction::{Registers, decode};
use toy_isa::mmu::Access;
use toy_isa::row::Row;
use toy_isa::trap::{Cause, Trap};

use crate::modes::para::interface::channel;

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
        why: &'static str,
    },
    /// A unit was translated.
    Translate {
        /// Instructions of the guest in it.
        instructions: u32,
        /// Words that were made of them.
        words: u32,
    },
    /// A ported kernel called the monitor.
    Hypercall {
        /// The name of the hypercall.
        name: &'static str,
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

impl Event {
    /// The name in traces.
    pub fn name(&self) -> &'static str {
        match self {
            Event::Exit { .. } => "exit",
            Event::VmExit { .. } => "vm-exit",
            Event::VmEntry { .. } => "vm-entry",
            Event::NestedFill { .. } => "nested-fill",
            Event::Callout { .. } => "callout",
            Event::Translate { .. } => "translate",
            Event::Hypercall { .. } => "hypercall",
            Event::TableUpdates { .. } => "table-updates",
            Event::EventSent { .. } => "event-sent",
            Event::RingServed { .. } => "ring-served",
            Event::Emulate { .. } => "emulate",
            Event::EmulateAccess { .. } => "emulate-access",
            Event::ShadowFill { .. } => "shadow-fill",
            Event::ShadowDrop { .. } => "shadow-drop",
            Event::ShadowSwitch { .. } => "shadow-switch",
            Event::Enter { .. } => "enter",
            Event::Return { .. } => "return",
            Event::Resume { .. } => "resume",
        }
    }

    /// The event in a sentence, in plain words.
    pub fn sentence(&self) -> String {
        match self {
            Event::Exit { trap, real_ring } => {
                format!("the hardware left ring {real_ring} and entered the monitor in ring 0: {trap}")
            }
            Event::VmExit { trap } => match trap.cause {
                Cause::Intercepted => format!(
                    "the guest left non-root operation, because its control structure names `{}`",
                    reason(*trap)
                ),
                Cause::Countdown => "the guest left non-root operation: its countdown was over".to_string(),
                Cause::TrapLimit => {
                    "the guest left non-root operation: it had taken as many traps as it may in one go"
                        .to_string()
                }
                Cause::Window => {
                    "the guest left non-root operation: it can take the interrupt that waits for it"
                        .to_string()
                }
                Cause::NestedFetch | Cause::NestedLoad | Cause::NestedStore => format!(
                    "the guest left non-root operation: the nested table does not allow the access to its physical \
                     address {:#010x}",
                    trap.tval
                ),
                _ => format!("the guest left non-root operation by its own trap: {trap}"),
            },
            Event::VmEntry { inject: None } => {
                "the monitor entered the guest in non-root operation".to_string()
            }
            Event::VmEntry { inject: Some(trap) } => {
                format!(
                    "the monitor entered the guest in non-root operation and had the hardware inject: {trap}"
                )
            }
            Event::NestedFill {
                guest_frame,
                host_frame,
                ..
            } => format!(
                "the monitor filled the nested table: guest frame {guest_frame:#x} is real frame {host_frame:#x}"
            ),
            Event::Emulate { row, .. } => {
                format!("the monitor's routine for `{row}` did it to the virtual processor")
            }
            Event::EmulateAccess { access, address, why } => {
                let why = match why {
                    AccessReason::Device => "it means a device, which is virtual",
                    AccessReason::Traced => "it changes a page table that is shadowed",
                    AccessReason::Code => "it changes code that has been translated",
                    AccessReason::AboveLimit => "its address is above the limit, where the monitor lives",
                    AccessReason::Plain => "earlier it had meant something else than plain memory",
                    AccessReason::Deadline => "the timer was due after this very instruction",
                };
                format!(
                    "the monitor carried out the {} at {address:#010x}, because {why}",
                    access_name(*access)
                )
            }
            Event::ShadowFill {
                address,
                guest_frame,
                host_frame,
                ..
            } => format!(
                "the monitor filled the shadow table for {address:#010x}: \
                 guest frame {guest_frame:#x} is real frame {host_frame:#x}"
            ),
            Event::ShadowDrop { entry } => format!(
                "the guest changed its page-table entry at {entry:#010x}; \
                 the monitor dropped what it had made from it"
            ),
            Event::ShadowSwitch { ptbr, fresh } => {
                let which = if *fresh { "a new" } else { "the" };
                let of = match ptbr & 1 {
                    0 => "table for a guest that does not page".to_string(),
                    _ => format!("of the guest's page table {:#x}", ptbr & !1),
                };
                format!("the monitor switched to {which} shadow {of}")
            }
            Event::Callout { why } => format!("the translated code called the monitor: {why}"),
            Event::Translate { instructions, words } => format!(
                "the monitor translated a unit: {instructions} instructions of the guest, {words} words in the cache"
            ),
            Event::Hypercall { name, result: 0 } => format!("the monitor answered the hypercall {name}"),
            Event::Hypercall { name, result } => {
                format!("the monitor refused the hypercall {name}, with error {result}")
            }
            Event::TableUpdates {
                requests,
                done,
                validated,
            } => format!(
                "the monitor validated {validated} page-table entries and carried out {done} of {requests} updates"
            ),
            Event::EventSent { channel } => format!(
                "the monitor marked event channel {channel} ({}) as pending in the shared page",
                channel::name(*channel)
            ),
            Event::RingServed {
                channel,
                requests,
                responses,
            } => format!(
                "the monitor took {requests} entries from the {} ring, and put {responses} into it",
                channel::name(*channel)
            ),
            Event::Enter { trap, how } => match how {
                Delivery::Hardware => format!("the processor entered the trap handler in ring 0: {trap}"),
                Delivery::Reflected => format!("the monitor reflected it to the guest kernel: {trap}"),
                Delivery::Injected => format!("the monitor injected a virtual interrupt: {trap}"),
                Delivery::Upcall => {
                    "the monitor entered the guest kernel where it takes upcalls: events are pending".into()
                }
            },
            Event::Return { ring } => format!("the guest kernel returned from its handler to ring {ring}"),
            Event::Resume { real_ring } => {
                format!("the monitor resumed the guest, in ring {real_ring} of the real processor")
            }
        }
    }
}

/// Why a guest left non-root operation, as exits are counted: by a row that the controls name, or by a trap.
pub fn reason(trap: Trap) -> String {
    let insn = decode(trap.tval, Registers::Sixteen).filter(|_| trap.cause == Cause::Intercepted);
    match insn {
        Some(insn) => insn.row().to_string(),
        None => trap.cause.to_string(),
    }
}

/// The name of an access, for people.
pub fn access_name(access: Access) -> &'static str {
    match access {
        Access::Fetch => "fetch",
        Access::Load => "load",
        Access::Store => "store",
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
}

impl Log {
    /// An empty log that keeps the last `capacity` events.
    pub fn new(capacity: usize) -> Log {
        Log {
            records: std::collections::VecDeque::new(),
            capacity,
            next: 0,
            exit: None,
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
        if matches!(event, Event::Resume { .. } | Event::VmEntry { .. }) {
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
    pub fn records(&self) -> impl ExactSizeIterator<Item = &Record> {
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

/// The cause by its name and by its code in the register `cause`, and what it is about.
fn serialize_trap<M: SerializeMap>(map: &mut M, trap: &Trap) -> Result<(), M::Error> {
    map.serialize_entry("cause", &trap.cause.to_string())?;
    map.serialize_entry("code", &trap.cause.code())?;
    map.serialize_entry("tval", &trap.tval)
}

impl Serialize for Record {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("number", &self.number)?;
        map.serialize_entry("clock", &self.clock)?;
        map.serialize_entry("pc", &self.pc)?;
        map.serialize_entry("base", &self.base)?;
        map.serialize_entry("ring", &self.ring)?;
        map.serialize_entry("exit", &self.exit)?;
        map.serialize_entry("event", self.event.name())?;
        match &self.event {
            Event::Exit { trap, real_ring } => {
                serialize_trap(&mut map, trap)?;
                map.serialize_entry("real_ring", real_ring)?;
            }
            Event::VmExit { trap } => {
                map.serialize_entry("reason", &reason(*trap))?;
                map.serialize_entry("cause", &trap.cause.code())?;
                map.serialize_entry("tval", &trap.tval)?;
            }
            Event::VmEntry { inject } => {
                map.serialize_entry("inject", &inject.map(|trap| trap.cause.code()))?;
            }
            Event::NestedFill {
                access,
                guest_frame,
                host_frame,
            } => {
                map.serialize_entry("access", access_name(*access))?;
                map.serialize_entry("guest_frame", guest_frame)?;
                map.serialize_entry("host_frame", host_frame)?;
            }
            Event::Callout { why } => map.serialize_entry("why", why)?,
            Event::Translate { instructions, words } => {
                map.serialize_entry("instructions", instructions)?;
                map.serialize_entry("words", words)?;
            }
            Event::Hypercall { name, result } => {
                map.serialize_entry("hypercall", name)?;
                map.serialize_entry("result", result)?;
            }
            Event::TableUpdates {
                requests,
                done,
                validated,
            } => {
                map.serialize_entry("requests", requests)?;
                map.serialize_entry("done", done)?;
                map.serialize_entry("validated", validated)?;
            }
            Event::EventSent { channel } => map.serialize_entry("channel", channel)?,
            Event::RingServed {
                channel,
                requests,
                responses,
            } => {
                map.serialize_entry("channel", channel)?;
                map.serialize_entry("requests", requests)?;
                map.serialize_entry("responses", responses)?;
            }
            Event::Emulate { row, word } => {
                map.serialize_entry("row", &row.to_string())?;
                map.serialize_entry("word", word)?;
            }
            Event::EmulateAccess { access, address, why } => {
                map.serialize_entry("access", access_name(*access))?;
                map.serialize_entry("address", address)?;
                map.serialize_entry("why", why.name())?;
            }
            Event::ShadowFill {
                access,
                address,
                guest_frame,
                host_frame,
            } => {
                map.serialize_entry("access", access_name(*access))?;
                map.serialize_entry("address", address)?;
                map.serialize_entry("guest_frame", guest_frame)?;
                map.serialize_entry("host_frame", host_frame)?;
            }
            Event::ShadowDrop { entry } => map.serialize_entry("entry", entry)?,
            Event::ShadowSwitch { ptbr, fresh } => {
                map.serialize_entry("ptbr", ptbr)?;
                map.serialize_entry("fresh", fresh)?;
            }
            Event::Enter { trap, how } => {
                serialize_trap(&mut map, trap)?;
                map.serialize_entry("how", how.name())?;
            }
            Event::Return { ring } => map.serialize_entry("to_ring", ring)?,
            Event::Resume { real_ring } => map.serialize_entry("real_ring", real_ring)?,
        }
        map.serialize_entry("text", &self.event.sentence())?;
        map.end()
    }
}
