//! The control structure: one page of ordinary memory, word by word.
//!
//! Offsets are in bytes from the beginning of the page. What is not listed is reserved for software up to the end of
//! the page: the processor neither reads nor changes it.

use crate::bus::{Bus, Width};
use crate::hart::{Csrs, Hart};

/// The guest: `pc`, x1 to x15, the control registers in the order of [`Csrs::words`], and ACTIVITY.
pub const GUEST: u32 = 0x000;
/// The guest's control registers, from `status` on.
pub const GUEST_CSRS: u32 = GUEST + 4 * 16;
/// Of these, `ptbr`.
pub const GUEST_PTBR: u32 = GUEST_CSRS + 4 * 6;
/// What the guest is about to do, bit by bit: [`ENTERING`], [`HALTED`].
pub const ACTIVITY: u32 = GUEST_CSRS + 4 * Csrs::COUNT as u32;
/// In ACTIVITY: it has taken a trap and not fetched the handler's first instruction.
pub const ENTERING: u32 = 1;
/// In ACTIVITY: it waits for an interrupt.
pub const HALTED: u32 = 2;

/// The host, where the processor goes on when the guest leaves: `pc`, `sp` and the control registers.
pub const HOST: u32 = 0x080;
/// The host's control registers, from `status` on.
pub const HOST_CSRS: u32 = HOST + 8;

/// Must hold [`REVISION_1`]: that the page is meant to be a control structure.
pub const REVISION: u32 = 0x0c0;
/// The revision of this processor.
pub const REVISION_1: u32 = 1;
/// 0 before the first entry, 1 after it. Software may write 0 to begin anew.
pub const STATE: u32 = 0x0c4;
/// Instructions that make the guest leave.
pub const EXIT_OPS: u32 = 0x0c8;
/// Control registers whose reading makes it leave.
pub const EXIT_READS: u32 = 0x0cc;
/// Control registers whose writing makes it leave.
pub const EXIT_WRITES: u32 = 0x0d0;
/// Traps that make it leave, by the code of their cause.
pub const EXIT_TRAPS: u32 = 0x0d4;
/// [`EXTERNAL`], [`WINDOW`].
pub const OPTIONS: u32 = 0x0d8;
/// In OPTIONS: interrupts of the real machine make the guest leave.
pub const EXTERNAL: u32 = 1;
/// In OPTIONS: the guest leaves as soon as it can take an interrupt, and `wfi` does not wait.
pub const WINDOW: u32 = 2;
/// The nested page table: root in bits 31..12, on in bit 0.
pub const NESTED: u32 = 0x0dc;
/// The guest leaves after so many clock ticks; 0 for never.
pub const COUNTDOWN: u32 = 0x0e0;
/// Two words, low one first, added to the clock where the guest reads `instret`.
pub const OFFSET: u32 = 0x0e4;
/// 1 to let the guest take a trap at the entry, which clears it.
pub const INJECT: u32 = 0x0ec;
/// The cause of that trap.
pub const INJECT_CAUSE: u32 = 0x0f0;
/// What that trap is about.
pub const INJECT_VALUE: u32 = 0x0f4;

/// The guest leaves in place of the trap after so many of its own; 0 for never. A trap takes no time, so that a guest
/// that only traps is not reached by a countdown.
pub const TRAPS: u32 = 0x0f8;

/// Why the guest left: the code of the cause.
pub const REASON: u32 = 0x100;
/// What the reason is about: what a trap would leave in `tval`; the guest-physical address of a nested fault.
pub const VALUE: u32 = 0x104;
/// The word of the instruction at the guest's `pc`; 0 where none was fetched; for a double fault, the cause of the
/// second fault.
pub const DETAIL: u32 = 0x108;
/// Two words, low one first: clock ticks since the entry.
pub const RAN: u32 = 0x10c;
/// Why an entry was refused: [`super::EntryError::number`].
pub const ERROR: u32 = 0x114;

/// Where software's own words begin.
pub const SOFTWARE: u32 = 0x200;

/// The word at this offset. The structure is in memory: the entry has looked.
pub fn get<B: Bus>(bus: &mut B, structure: u32, offset: u32) -> u32 {
    bus.read(structure.wrapping_add(offset), Width::Word)
        .unwrap_or_default()
}

/// Writes the word at this offset.
pub fn put<B: Bus>(bus: &mut B, structure: u32, offset: u32, value: u32) {
    let written = bus.write(structure.wrapping_add(offset), Width::Word, value);
    debug_assert!(written.is_some(), "a control structure is in memory");
}

fn words<const N: usize, B: Bus>(bus: &mut B, structure: u32, offset: u32) -> [u32; N] {
    std::array::from_fn(|index| get(bus, structure, offset + 4 * index as u32))
}

/// The words of the guest's state, as they stand there.
pub(super) struct GuestWords {
    pub(super) pc: u32,
    pub(super) x: [u32; 15],
    pub(super) csrs: [u32; Csrs::COUNT],
    pub(super) activity: u32,
}

pub(super) fn get_guest<B: Bus>(bus: &mut B, structure: u32) -> GuestWords {
    GuestWords {
        pc: get(bus, structure, GUEST),
        x: words(bus, structure, GUEST + 4),
        csrs: words(bus, structure, GUEST_CSRS),
        activity: get(bus, structure, ACTIVITY),
    }
}

pub(super) fn put_guest<B: Bus>(bus: &mut B, structure: u32, hart: &Hart, activity: u32) {
    let registers = std::iter::once(hart.pc).chain(hart.x[1..16].iter().copied());
    let all = registers.chain(hart.csr.words()).chain([activity]);
    for (offset, word) in (GUEST..).step_by(4).zip(all) {
        put(bus, structure, offset, word);
    }
}

/// The words of the host's state, as they stand there.
pub(super) struct HostWords {
    pub(super) pc: u32,
    pub(super) sp: u32,
    pub(super) csrs: [u32; Csrs::COUNT],
}

pub(super) fn get_host<B: Bus>(bus: &mut B, structure: u32) -> HostWords {
    HostWords {
        pc: get(bus, structure, HOST),
        sp: get(bus, structure, HOST + 4),
        csrs: words(bus, structure, HOST_CSRS),
    }
}
