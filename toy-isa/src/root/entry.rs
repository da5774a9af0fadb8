//! Entering non-root operation: what a processor checks before it believes a control structure, and what it then does.

use super::controls::{Controls, Exits};
use super::{Operation, layout};
use crate::bus::{Bus, Width};
use crate::hart::{Csrs, Hart, Status};
use crate::mmu::PAGE;
use crate::trap::{Cause, Trap};

/// Which instruction enters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// `vmenter`: a guest that has not been entered.
    First,
    /// `vmresume`: one that has left.
    Again,
}

/// Why an entry is refused. The text is the documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum EntryError {
    /// There is no structure to put a number into: the instruction traps.
    #[error("the control structure must be a page of memory: {0}")]
    Nowhere(Trap),
    /// A page that is not meant to be one.
    #[error("REVISION is not 1: this page is no control structure")]
    Revision,
    /// `vmenter` once more.
    #[error("vmenter, but STATE is not 0: the guest has been entered before; vmresume goes on with it")]
    EnteredBefore,
    /// `vmresume` too early.
    #[error("vmresume, but STATE is not 1: the guest has not been entered yet; vmenter begins")]
    NotEntered,
    /// Bits that control nothing.
    #[error("a reserved bit is set in EXIT_OPS, EXIT_READS, EXIT_WRITES, EXIT_TRAPS or OPTIONS")]
    Controls,
    /// A nested table that cannot be one.
    #[error("NESTED has a reserved bit set, or names a root that is not in memory")]
    Nested,
    /// The host could not go on.
    #[error("the host's pc, tvec, epc or base is not a multiple of 4")]
    HostAddress,
    /// The host is ring 0.
    #[error("the host's status names another ring than 0, or has a reserved bit set")]
    HostStatus,
    /// The host's own paging.
    #[error("the host's ptbr has a reserved bit set")]
    HostTable,
    /// The guest could not go on.
    #[error("the guest's pc, tvec, epc or base is not a multiple of 4")]
    GuestAddress,
    /// Bits that the guest's status does not have.
    #[error("the guest's status has a reserved bit set")]
    GuestStatus,
    /// The guest's own paging.
    #[error("the guest's ptbr has a reserved bit set")]
    GuestTable,
    /// Bits that mean nothing.
    #[error("the guest's ACTIVITY has a reserved bit set")]
    Activity,
    /// A trap that a guest cannot take.
    #[error("INJECT is neither 0 nor 1, or INJECT_CAUSE is no trap that a guest can take")]
    Injection,
    /// An interrupt against the guest's will.
    #[error("an interrupt is to be injected while the guest's IE is 0")]
    InjectionMasked,
}

impl EntryError {
    /// Those with a number, in the order of the checks.
    pub const NUMBERED: [EntryError; 14] = [
        EntryError::Revision,
        EntryError::EnteredBefore,
        EntryError::NotEntered,
        EntryError::Controls,
        EntryError::Nested,
        EntryError::HostAddress,
        EntryError::HostStatus,
        EntryError::HostTable,
        EntryError::GuestAddress,
        EntryError::GuestStatus,
        EntryError::GuestTable,
        EntryError::Activity,
        EntryError::Injection,
        EntryError::InjectionMasked,
    ];

    /// What the processor writes to ERROR, from 1 on; 0 where there is no structure to write to.
    pub fn number(self) -> u32 {
        let position = EntryError::NUMBERED.iter().position(|error| *error == self);
        position.map_or(0, |position| position as u32 + 1)
    }
}

/// Enters non-root operation with the guest of the control structure at this physical address. The guest's first
/// instruction executes at clock value `start`. Afterwards the processor is the guest's.
///
/// # Errors
/// The first check that the structure fails; then nothing has changed.
pub fn enter<B: Bus>(
    hart: &mut Hart,
    bus: &mut B,
    structure: u32,
    how: How,
    start: u64,
) -> Result<(), EntryError> {
    let checked = check(bus, structure, how, start)?;
    layout::put(bus, structure, layout::STATE, 1);
    layout::put(bus, structure, layout::INJECT, 0);
    layout::put(bus, structure, layout::ERROR, 0);
    let guest = checked.guest;
    hart.pc = guest.pc;
    hart.x[1..16].copy_from_slice(&guest.x);
    hart.csr = Csrs::from_words(guest.csrs);
    hart.nested = checked.nested;
    hart.operation = Operation::NonRoot(Box::new(checked.controls));
    if let Some(tlb) = bus.tlb() {
        tlb.enter_space(checked.nested);
    }
    let pace = bus.pace();
    pace.entering = guest.activity & layout::ENTERING != 0;
    pace.halted = guest.activity & layout::HALTED != 0;
    if let Some(trap) = checked.inject {
        pace.halted = false;
        pace.entering = true;
        hart.enter(trap);
    }
    bus.attend();
    Ok(())
}

/// A structure that has passed.
struct Checked {
    guest: layout::GuestWords,
    controls: Controls,
    nested: u32,
    inject: Option<Trap>,
}

/// The checks, in the order of their numbers.
fn check<B: Bus>(bus: &mut B, structure: u32, how: How, start: u64) -> Result<Checked, EntryError> {
    let load = |cause| {
        EntryError::Nowhere(Trap {
            cause,
            tval: structure,
        })
    };
    if !structure.is_multiple_of(PAGE) {
        return Err(load(Cause::LoadMisaligned));
    }
    if bus.read(structure, Width::Word).is_none() {
        return Err(load(Cause::LoadAccess));
    }
    let mut get = |offset| layout::get(bus, structure, offset);
    let refuse = |wrong: bool, error| if wrong { Err(error) } else { Ok(()) };

    refuse(get(layout::REVISION) != layout::REVISION_1, EntryError::Revision)?;
    match (how, get(layout::STATE)) {
        (How::First, 0) | (How::Again, 1) => {}
        (How::First, _) => return Err(EntryError::EnteredBefore),
        (How::Again, _) => return Err(EntryError::NotEntered),
    }

    let exits = Exits {
        ops: get(layout::EXIT_OPS),
        reads: get(layout::EXIT_READS),
        writes: get(layout::EXIT_WRITES),
        traps: get(layout::EXIT_TRAPS),
    };
    let options = get(layout::OPTIONS);
    let reserved = exits.has_reserved() || options & !(layout::EXTERNAL | layout::WINDOW) != 0;
    refuse(reserved, EntryError::Controls)?;
    let (nested, countdown, traps) = (get(layout::NESTED), get(layout::COUNTDOWN), get(layout::TRAPS));
    let offset = u64::from(get(layout::OFFSET)) | u64::from(get(layout::OFFSET + 4)) << 32;
    let (inject, cause) = (get(layout::INJECT), get(layout::INJECT_CAUSE));
    let tval = get(layout::INJECT_VALUE);
    let nowhere = nested & 1 != 0 && bus.read(nested & !(PAGE - 1), Width::Word).is_none();
    refuse(nested & !Csrs::PTBR != 0 || nowhere, EntryError::Nested)?;

    let host = layout::get_host(bus, structure);
    refuse(misaligned(host.pc, &host.csrs), EntryError::HostAddress)?;
    refuse(host.csrs[0] & (!Status::ALL | 3) != 0, EntryError::HostStatus)?;
    refuse(reserved_in_table(&host.csrs), EntryError::HostTable)?;

    let guest = layout::get_guest(bus, structure);
    refuse(misaligned(guest.pc, &guest.csrs), EntryError::GuestAddress)?;
    refuse(guest.csrs[0] & !Status::ALL != 0, EntryError::GuestStatus)?;
    refuse(reserved_in_table(&guest.csrs), EntryError::GuestTable)?;
    let activity = guest.activity & !(layout::ENTERING | layout::HALTED);
    refuse(activity != 0, EntryError::Activity)?;

    let possible = Cause::from_code(cause).filter(|cause| !cause.is_of_root_operation());
    let inject = match (inject, possible) {
        (0, _) => None,
        (1, Some(cause)) => Some(Trap { cause, tval }),
        _ => return Err(EntryError::Injection),
    };
    let masked = !Status(guest.csrs[0]).interrupts();
    let interrupts = inject.is_some_and(|trap| trap.cause.is_interrupt());
    refuse(interrupts && masked, EntryError::InjectionMasked)?;

    Ok(Checked {
        controls: Controls {
            structure,
            exits,
            external: options & layout::EXTERNAL != 0,
            window: options & layout::WINDOW != 0,
            deadline: (countdown != 0).then(|| start.saturating_add(countdown.into())),
            traps: (traps != 0).then_some(traps),
            offset,
            start,
        },
        guest,
        nested: if nested & 1 != 0 { nested } else { 0 },
        inject,
    })
}

/// Whether `pc`, or `tvec`, `epc` or `base` of these control registers, could not be held by the processor.
fn misaligned(pc: u32, csrs: &[u32; Csrs::COUNT]) -> bool {
    let [_, tvec, _, epc, _, _, _, base, ..] = csrs;
    (pc | tvec | epc | base) & 3 != 0
}

fn reserved_in_table(csrs: &[u32; Csrs::COUNT]) -> bool {
    csrs[6] & !Csrs::PTBR != 0
}
