//! A chain in one sentence: what the guest did; what the hardware did; what the monitor did.

use toy_isa::devices::{MMIO, Register};
use toy_isa::instruction::{Registers, decode};
use toy_isa::mmu::Access;
use toy_isa::trap::{Cause, Trap};

use super::Kind;
use super::doings::{self, Attempt, list};
use crate::chain::Chain;
use crate::event::{AccessReason, CalloutReason, Delivery, Event, Record, access_name, reason};
use crate::mode::ModeName;
use crate::modes::para::interface::{Hypercall, channel, event as port, sched};
use crate::numbers::counted;

/// The sentence of a chain in a run under this mode.
pub(super) fn of(chain: &Chain, mode: ModeName) -> String {
    let (root, kind) = (&chain.root, Kind::of(mode));
    match &root.event {
        Event::Exit { trap, real_ring } => {
            let guest = guest(chain, *trap, &who(root.ring, *real_ring));
            let monitor = monitor(chain, chain.rest.iter(), mode);
            format!("{guest}; {}; {monitor}.", hardware(chain, *trap))
        }
        Event::VmExit { trap } if kind == Kind::Assisted => {
            let guest = guest(chain, *trap, &non_root(root.ring));
            let monitor = monitor(chain, chain.rest.iter(), mode);
            format!("{guest}; {}; {monitor}.", hardware(chain, *trap))
        }
        // The guest is itself a monitor.
        Event::VmExit { trap } => format!(
            "a guest of the guest's left by `{}`; {} gave control to the guest's own monitor.",
            reason(*trap),
            processor(kind)
        ),
        Event::Enter {
            trap,
            how: Delivery::Hardware,
        } => {
            let ring = match kind {
                Kind::Emulated => format!("*virtual* ring {}", root.ring),
                Kind::Assisted => non_root(root.ring),
                Kind::Bare | Kind::Hosted => who(root.ring, root.ring),
            };
            let what = match kind {
                Kind::Emulated => "entered the guest kernel's handler, in *virtual* ring 0",
                Kind::Assisted => {
                    "entered the guest kernel's handler, in ring 0, and the monitor was not asked"
                }
                Kind::Bare | Kind::Hosted => "trapped to the guest kernel, in ring 0",
            };
            let (guest, processor) = (guest(chain, *trap, &ring), processor(kind));
            format!("{guest}; {processor} {what}.")
        }
        Event::Return { ring } if kind.takes_its_own_traps() => {
            let what = match kind {
                Kind::Emulated => format!("went on in *virtual* ring {ring}"),
                Kind::Assisted => format!("went on in ring {ring}, and the monitor was not asked"),
                Kind::Bare | Kind::Hosted => format!("went on in ring {ring}"),
            };
            let processor = processor(kind);
            format!("the guest kernel returned from its trap handler; {processor} {what}.")
        }
        _ => format!("{}.", monitor(chain, chain.records(), mode)),
    }
}

/// A ring of the guest's, and the one that it really is.
fn who(ring: u32, real: u32) -> String {
    if ring == real {
        format!("ring {real}")
    } else {
        format!("ring {real} (*virtual* ring {ring})")
    }
}

/// A ring of non-root operation, in which the guest is where it believes to be.
fn non_root(ring: u32) -> String {
    format!("non-root ring {ring}")
}

fn processor(kind: Kind) -> &'static str {
    match kind {
        Kind::Emulated => "the monitor, which plays the hardware,",
        Kind::Bare | Kind::Assisted | Kind::Hosted => "the hardware",
    }
}

/// What the guest did in this ring.
fn guest(chain: &Chain, trap: Trap, ring: &str) -> String {
    let attempt = Attempt::of(chain);
    let hypercall = chain.rest.iter().find_map(|record| match record.event {
        Event::Hypercall { name, .. } => Some(name),
        _ => None,
    });
    match (attempt, trap.cause) {
        (Some(attempt), Cause::Hypercall) => {
            format!(
                "translated code in {ring} called the monitor to {}",
                attempt.infinitive()
            )
        }
        (Some(attempt), _) => format!("{ring} tried to {}", attempt.infinitive()),
        (None, Cause::Hypercall) => match (called(chain), hypercall) {
            (Some(why), None) => {
                format!(
                    "translated code in {ring} {}, and called the monitor",
                    doings::called(why)
                )
            }
            (_, Some(name)) => format!("{ring} made the hypercall `{name}`"),
            (None, None) => format!("{ring} {}", doings::did(trap)),
        },
        (None, Cause::TimerInterrupt) => format!("the timer interrupted {ring}"),
        (None, Cause::DeviceInterrupt) => format!("a device interrupted {ring}"),
        (None, _) => format!("{ring} {}", doings::did(trap)),
    }
}

/// What the hardware did about it.
fn hardware(chain: &Chain, trap: Trap) -> String {
    let saw = chain.rest.iter().find_map(|record| match record.event {
        Event::ShadowFill { .. } => Some("found nothing there in the shadow table and "),
        Event::NestedFill { .. } => Some("found nothing there in the nested table and "),
        Event::EmulateAccess {
            why: AccessReason::Traced | AccessReason::Code,
            ..
        } => Some("found the page read-only and "),
        _ => None,
    });
    // Only the memory has such reasons.
    let fault = matches!(
        trap.cause,
        Cause::FetchPage
            | Cause::LoadPage
            | Cause::StorePage
            | Cause::NestedFetch
            | Cause::NestedLoad
            | Cause::NestedStore
    );
    let saw = saw.filter(|_| fault).unwrap_or_default();
    let went = match (&chain.root.event, trap.cause.is_interrupt()) {
        (Event::VmExit { .. }, _) => "left non-root operation, to the monitor",
        (_, true) => "entered the monitor",
        (_, false) => "trapped to the monitor",
    };
    format!("the hardware {saw}{went}")
}

/// What the monitor did. What it did several times is told once.
fn monitor<'a>(chain: &Chain, records: impl Iterator<Item = &'a Record>, mode: ModeName) -> String {
    let mut groups: Vec<Vec<&Record>> = Vec::new();
    for record in records {
        let same = |group: &&mut Vec<&Record>| key(group[0]) == key(record);
        match groups.iter_mut().find(same) {
            Some(group) => group.push(record),
            None => groups.push(vec![record]),
        }
    }
    // An interpreted kernel has returned when it has returned for the last time.
    let returns = |group: &Vec<&Record>| matches!(group[0].event, Event::Return { .. }) && group.len() > 1;
    if let Some(place) = groups.iter().position(returns) {
        let last = groups[place].pop();
        let after = |group: &Vec<&Record>| last.is_some_and(|last| group[0].number > last.number);
        let group = groups.remove(place);
        let place = groups.iter().position(after).unwrap_or(groups.len());
        groups.insert(place, last.into_iter().chain(group).collect());
    }
    let mut did: Vec<String> = groups
        .iter()
        .filter_map(|group| phrase(chain, group, mode))
        .collect();
    if let Some(nothing) = nothing(chain, did.len()) {
        did.insert(0, nothing.to_string());
    }
    format!("the monitor {}", list(&did))
}

/// What there is to say of a monitor of which no more than so much is told.
fn nothing(chain: &Chain, told: usize) -> Option<&'static str> {
    let resumed = matches!(
        chain.rest.last().map(|record| &record.event),
        Some(Event::Resume { .. })
    );
    let trap = chain.root.event.trap()?;
    match (resumed, told) {
        (true, 1) if trap.cause.is_interrupt() => Some("had nothing to deliver"),
        (true, 1) if called(chain).is_some() => Some("found the way on"),
        (true, 1) => Some("carried it out"),
        // It has not done anything yet; or it is the one of 1974, which does not tell what it does with accesses.
        (false, 0) if trap.cause.is_interrupt() || called(chain).is_some() => Some("has control"),
        (false, 0) => Some("carried it out"),
        _ => None,
    }
}

/// Why translated code called, if it did.
fn called(chain: &Chain) -> Option<CalloutReason> {
    chain.rest.iter().find_map(|record| match record.event {
        Event::Callout { why } => Some(why),
        _ => None,
    })
}

/// What has the same is told together.
fn key(record: &Record) -> (&'static str, &'static str) {
    let detail = match record.event {
        Event::EmulateAccess { why, .. } => why.name(),
        Event::Enter { how, .. } => how.name(),
        Event::Hypercall { name, .. } => name,
        _ => "",
    };
    (record.event.name(), detail)
}

/// What events of one kind tell of; `None` if others tell it too.
fn phrase(chain: &Chain, group: &[&Record], mode: ModeName) -> Option<String> {
    let (record, times) = (group[0], group.len());
    let several = |one: String, many: &str| match times {
        1 => one,
        _ => format!("{} {times} {many}", one.split(' ').next().unwrap_or_default()),
    };
    Some(match &record.event {
        Event::Callout { .. } | Event::Exit { .. } => return None,
        Event::VmExit { trap } => format!("saw a guest of the guest's leave by `{}`", reason(*trap)),
        Event::Emulate {
            word,
            sources,
            result,
            ..
        } => {
            let insn = decode(*word, Registers::Sixteen)?;
            let returns = |record: &Record| matches!(record.event, Event::Return { .. });
            if chain.rest.iter().any(returns) {
                return None;
            }
            doings::effect(insn, *sources, *result)
        }
        Event::EmulateAccess { access, address, why } => match why {
            AccessReason::Deadline => several(
                "interpreted one instruction up to the deadline".to_string(),
                "instructions up to the deadline",
            ),
            why => access_phrase(*access, *address, *why),
        },
        Event::ShadowFill {
            guest_frame,
            host_frame,
            ..
        } => format!("took guest frame {guest_frame:#x} (real frame {host_frame:#x}) into it"),
        Event::NestedFill {
            guest_frame,
            host_frame,
            ..
        } => format!("took guest frame {guest_frame:#x} (real frame {host_frame:#x}) into it"),
        Event::ShadowDrop { .. } => several(
            "dropped the shadow of a page-table entry".to_string(),
            "entries of the shadow",
        ),
        Event::ShadowSwitch { fresh: true, .. } => "began a new shadow table".to_string(),
        Event::ShadowSwitch { fresh: false, .. } => "switched to another shadow table".to_string(),
        Event::Translate { instructions, words } => several(
            {
                let instructions = counted(u64::from(*instructions), "instruction", "instructions");
                format!("translated {instructions} to {words} words")
            },
            "units",
        ),
        Event::Adapt { address, calls: true } => {
            format!("gave up the translation of {address:#010x}, which will be a call from now on")
        }
        Event::Adapt {
            address,
            calls: false,
        } => {
            format!("gave up the call for {address:#010x}, which will stand as it is again")
        }
        Event::Hypercall {
            name,
            arguments,
            result,
        } => hypercall(chain, name, *arguments, *result)?,
        Event::TableUpdates { requests, done, .. } if done == requests => {
            let updates = counted(u64::from(*done), "page-table update", "page-table updates");
            format!("validated and made {updates}")
        }
        Event::TableUpdates { requests, done, .. } => {
            format!("made {done} of {requests} page-table updates")
        }
        Event::EventSent { channel } => format!("sent the event `{}`", channel::name(*channel)),
        Event::RingServed { channel, .. } => format!("served the {} ring", channel::name(*channel)),
        Event::Enter { trap, how } => match how {
            // The entry into non-root operation tells it.
            _ if Kind::of(mode) == Kind::Assisted => return None,
            Delivery::Hardware => format!("entered its handler: {trap}"),
            Delivery::Reflected => "reflected it to the guest kernel".to_string(),
            Delivery::Injected => several(
                format!("injected a *virtual* {}", trap.cause),
                "*virtual* interrupts",
            ),
            Delivery::Upcall => "made an upcall of the guest kernel".to_string(),
        },
        Event::Return { ring } => {
            let ring = match mode {
                ModeName::Para => format!("ring {ring}"),
                _ => format!("*virtual* ring {ring}"),
            };
            match mode {
                ModeName::Hybrid => format!("interpreted its code until it returned to {ring}"),
                _ => format!("returned to {ring}"),
            }
        }
        Event::Resume { real_ring } => {
            let here = who(record.ring, *real_ring);
            match &chain.root.event {
                Event::Exit { real_ring, .. } if who(chain.root.ring, *real_ring) == here => {
                    "resumed".to_string()
                }
                Event::Exit { .. } => format!("resumed in {here}"),
                _ => format!("gave the processor to the guest, in {here}"),
            }
        }
        Event::VmEntry { inject } => {
            let again = match chain.root.event {
                Event::VmExit { .. } => "entered it again",
                _ => "entered the guest, in non-root operation",
            };
            match inject {
                None => again.to_string(),
                Some(trap) if trap.cause.is_interrupt() => {
                    format!("{again}, injecting a *virtual* {}", trap.cause)
                }
                Some(trap) => format!("{again}, injecting its own {}", trap.cause),
            }
        }
    })
}

fn access_phrase(access: Access, address: u32, why: AccessReason) -> String {
    let access = access_name(access);
    match why {
        AccessReason::Device if address >= MMIO => {
            let device = Register::from_address(address).map_or("device", doings::device_name);
            format!("carried out the {access} on the *virtual* {device}")
        }
        AccessReason::Device => format!("carried out the {access} on a *virtual* device"),
        AccessReason::Traced => format!("carried out the {access} to the page table"),
        AccessReason::Code => format!("carried out the {access} to code that it had translated"),
        AccessReason::AboveLimit => format!("carried out the {access} where it lives itself"),
        AccessReason::Deadline => format!("carried out the {access} right before the deadline"),
        AccessReason::Plain => format!("carried out the {access} (to plain memory after all)"),
    }
}

/// What a monitor did at a hypercall; `None` if other events tell it.
fn hypercall(chain: &Chain, name: &str, arguments: [u32; 2], result: i32) -> Option<String> {
    if result != 0 {
        return Some(format!("refused it, with error {result}"));
    }
    let told = |wanted: fn(&Event) -> bool| chain.rest.iter().any(|record| wanted(&record.event));
    let call = Hypercall::ALL.into_iter().find(|call| call.name() == name)?;
    Some(match (call, arguments[0]) {
        (Hypercall::SetTrapTable, _) => "noted where the kernel takes traps".to_string(),
        (Hypercall::SetCallbacks, _) => "noted where the kernel takes upcalls".to_string(),
        (Hypercall::SetTimerOp, 0) => "turned its timer off".to_string(),
        (Hypercall::SetTimerOp, ticks) => format!("set its timer, {ticks} ticks from now"),
        (Hypercall::SchedOp, sched::BLOCK) => "let it wait for an event".to_string(),
        (Hypercall::SchedOp, sched::SHUTDOWN) => "ended the guest".to_string(),
        (Hypercall::SchedOp, _) => "let others go first".to_string(),
        (Hypercall::ConnectRing, number) => format!("took the {} ring over", channel::name(number)),
        (Hypercall::LoadTable, _) => "noted the guest's root".to_string(),
        (Hypercall::EventChannelOp, port::SEND)
            if !told(|event| matches!(event, Event::RingServed { .. })) =>
        {
            format!("looked at the {} ring", channel::name(arguments[1]))
        }
        (Hypercall::Iret, _) if !told(|event| matches!(event, Event::Return { .. })) => {
            "returned where the frame says".to_string()
        }
        (Hypercall::EventChannelOp | Hypercall::Iret | Hypercall::MmuUpdate, _) => return None,
    })
}
