//! The processor's cycle: look at interrupts, fetch, execute, take traps.

use crate::bus::{Bus, Width};
use crate::devices::Transfer;
use crate::hart::Hart;
use crate::instruction::{Instruction, Registers, decode};
use crate::mmu::{self, Access, PAGE};
use crate::semantics::execute;
use crate::trap::{Cause, Trap};

/// The latest clock value that `wfi` skips to. Counting cannot reach it; so deadlines, which lie at most 2^39 ticks
/// ahead, never overflow the clock.
const END_OF_TIME: u64 = 1 << 63;

/// What [`poll`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Poll {
    /// Nothing: go on with the instruction at `pc`.
    Go,
    /// An interrupt was taken.
    Interrupted(Trap),
    /// The power is off.
    PowerOff(u32),
    /// The processor waits for an interrupt that can never come.
    Deadlock,
}

/// What one attempt at an instruction came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It retired.
    Retired(Instruction),
    /// It trapped, and the processor has entered the handler in ring 0.
    Trapped(Trap),
    /// The handler's first instruction cannot be fetched.
    DoubleFault(Trap),
}

/// Everything that happens between two instructions: devices do what is due, a halted processor waits, an
/// interrupt is taken. Must run before an instruction whenever the clock has reached [`crate::bus::Pace::attention`].
pub fn poll<B: Bus>(hart: &mut Hart, bus: &mut B) -> Poll {
    if let Some(code) = bus.devices().power_off {
        return Poll::PowerOff(code);
    }
    serve_disk(bus);
    let mut clock = bus.pace().clock;
    if bus.pace().halted {
        while bus.devices().wanted(clock) == 0 {
            if bus.devices().next_wake().is_none_or(|wake| wake <= clock) {
                return Poll::Deadlock;
            }
            let Some(event) = bus.devices().next_event(clock).filter(|at| *at <= END_OF_TIME) else {
                return Poll::Deadlock;
            };
            bus.pace().skipped += event - clock;
            bus.pace().clock = event;
            clock = event;
            serve_disk(bus);
        }
        bus.pace().halted = false;
    }
    let wanted = bus.devices().wanted(clock);
    if hart.csr.status.interrupts() && wanted != 0 {
        let devices_win = wanted & !crate::devices::line::TIMER != 0;
        let cause = if devices_win {
            Cause::DeviceInterrupt
        } else {
            Cause::TimerInterrupt
        };
        let trap = Trap { cause, tval: 0 };
        enter(hart, bus, trap);
        return Poll::Interrupted(trap);
    }
    bus.pace().attention = bus.devices().next_event(clock).unwrap_or(u64::MAX);
    Poll::Go
}

/// Fetches, decodes and executes the instruction at `pc`, and takes the trap if it raises one.
pub fn step<B: Bus>(hart: &mut Hart, bus: &mut B, registers: Registers) -> Step {
    let word = match fetch(hart, bus) {
        Ok(word) => word,
        Err(trap) if bus.pace().entering => return Step::DoubleFault(trap),
        Err(trap) => return trapped(hart, bus, trap),
    };
    bus.pace().entering = false;
    let Some(insn) = decode(word, registers) else {
        return trapped(hart, bus, Trap::illegal(word));
    };
    match execute(hart, bus, insn) {
        Ok(next) => {
            hart.pc = next;
            bus.pace().clock += 1;
            Step::Retired(insn)
        }
        Err(trap) => trapped(hart, bus, trap),
    }
}

/// The word at `pc`.
///
/// # Errors
/// The trap that the fetch raises.
pub fn fetch<B: Bus>(hart: &Hart, bus: &mut B) -> Result<u32, Trap> {
    let physical = mmu::translate(hart, bus, Access::Fetch, hart.pc, Width::Word)?;
    bus.read(physical, Width::Word)
        .ok_or(Access::Fetch.access_fault(hart.pc))
}

/// Takes a trap: ring 0, at `tvec`.
pub fn enter<B: Bus>(hart: &mut Hart, bus: &mut B, trap: Trap) {
    hart.enter(trap);
    bus.pace().entering = true;
    bus.attend();
}

fn trapped<B: Bus>(hart: &mut Hart, bus: &mut B, trap: Trap) -> Step {
    enter(hart, bus, trap);
    Step::Trapped(trap)
}

/// Moves the disk transfer that is due, if there is one.
fn serve_disk<B: Bus>(bus: &mut B) {
    let clock = bus.pace().clock;
    if let Some(due) = bus.devices().disk.take_due(clock) {
        let moved = due.is_ok_and(|transfer| move_transfer(bus, transfer).is_some());
        bus.devices().disk.finish(moved);
    }
}

/// Moves all bytes of a transfer; `None`, and none moved, if some of its memory does not exist.
fn move_transfer<B: Bus>(bus: &mut B, transfer: Transfer) -> Option<()> {
    let Transfer {
        address,
        offset,
        length,
        to_disk,
    } = transfer;
    let last = address.checked_add(length - 1)?;
    for page in address / PAGE..=last / PAGE {
        bus.read(page * PAGE, Width::Byte)?;
    }
    for i in 0..length {
        let at = address + i;
        let place = offset + i as usize;
        if to_disk {
            let byte = bus.read(at, Width::Byte)?;
            bus.devices().disk.data_mut()[place] = byte as u8;
        } else {
            let byte = bus.devices().disk.data()[place];
            bus.write(at, Width::Byte, u32::from(byte))?;
        }
    }
    Some(())
}
