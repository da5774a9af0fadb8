//! Events in words: a name, a few words, a sentence.

use toy_isa::instruction::{Registers, decode};
use toy_isa::mmu::Access;
use toy_isa::trap::{Cause, Trap};

use super::{AccessReason, Delivery, Event};
use crate::modes::para::interface::channel;
use crate::numbers::counted;

impl Event {
    /// All names, in the order of the events.
    pub const NAMES: [&str; 19] = [
        "exit",
        "vm-exit",
        "vm-entry",
        "nested-fill",
        "callout",
        "translate",
        "adapt",
        "hypercall",
        "table-updates",
        "event-sent",
        "ring-served",
        "emulate",
        "emulate-access",
        "shadow-fill",
        "shadow-drop",
        "shadow-switch",
        "enter",
        "return",
        "resume",
    ];

    /// The name in traces: one of [`Event::NAMES`].
    pub fn name(&self) -> &'static str {
        match self {
            Event::Exit { .. } => "exit",
            Event::VmExit { .. } => "vm-exit",
            Event::VmEntry { .. } => "vm-entry",
            Event::NestedFill { .. } => "nested-fill",
            Event::Callout { .. } => "callout",
            Event::Translate { .. } => "translate",
            Event::Adapt { .. } => "adapt",
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

    /// The event in a few words.
    pub fn label(&self) -> String {
        match self {
            Event::Exit { trap, .. } => format!("exit: {}", trap.cause),
            Event::Emulate { row, .. } => format!("emulate {row}"),
            Event::EmulateAccess { why, .. } => format!("emulate an access ({})", why.name()),
            Event::ShadowFill { address, .. } => format!("fill the shadow of {address:#010x}"),
            Event::ShadowDrop { entry } => format!("drop the shadow of {entry:#010x}"),
            Event::ShadowSwitch { .. } => "switch shadow tables".to_string(),
            Event::Enter { trap, how } => match how {
                Delivery::Hardware => format!("enter: {}", trap.cause),
                _ => format!("{}: {}", how.name(), trap.cause),
            },
            Event::Return { ring } => format!("return to ring {ring}"),
            Event::VmExit { trap } => format!("vm exit: {}", reason(*trap)),
            Event::VmEntry { inject: None } => "vm entry".to_string(),
            Event::VmEntry { inject: Some(trap) } => format!("vm entry, inject: {}", trap.cause),
            Event::NestedFill { guest_frame, .. } => {
                format!("fill the nested table for frame {guest_frame:#x}")
            }
            Event::Hypercall { name, .. } => format!("hypercall {name}"),
            Event::TableUpdates { done, .. } => {
                let done = counted(u64::from(*done), "page-table entry", "page-table entries");
                format!("update {done}")
            }
            Event::EventSent { channel } => format!("send event {channel}"),
            Event::RingServed { channel, .. } => format!("serve the ring of channel {channel}"),
            Event::Callout { .. } => "callout".to_string(),
            Event::Translate { instructions, .. } => format!("translate {instructions} instructions"),
            Event::Adapt { address, calls: true } => format!("call for {address:#010x} from now on"),
            Event::Adapt {
                address,
                calls: false,
            } => format!("leave {address:#010x} as it is again"),
            Event::Resume { real_ring } => format!("resume in real ring {real_ring}"),
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
            Event::Callout { why } => {
                format!("the translated code called the monitor: {}", why.name())
            }
            Event::Translate { instructions, words } => format!(
                "the monitor translated a unit: {instructions} instructions of the guest, {words} words in the cache"
            ),
            Event::Adapt { address, calls: true } => format!(
                "the instruction at {address:#010x} has trapped too often: the monitor forgot its translation, and \
                 will translate it to a call"
            ),
            Event::Adapt {
                address,
                calls: false,
            } => format!(
                "the instruction at {address:#010x} has called for nothing too often: the monitor forgot its \
                 translation, and will leave it as it is"
            ),
            Event::Hypercall { name, result: 0, .. } => format!("the monitor answered the hypercall {name}"),
            Event::Hypercall { name, result, .. } => {
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
