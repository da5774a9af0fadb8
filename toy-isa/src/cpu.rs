//! The processor's cycle: look at interrupts, fetch, execute, take traps.

use crate::bus::{Bus, Width};
use crate::devices::{Transfer, line};
use crate::hart::Hart;
use crate::instruction::{Instruction, Registers, decode};
use crate::mmu::{self, Access, PAGE};
use crate::root::{self, Operation};
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
    /// An interrupt was taken, or a guest left non-root operation.
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
    /// It trapped, and the processor has entered the handler in ring 0, or left non-root operation.
    Trapped(Trap),
    /// The handler's first instruction cannot be fetched.
    DoubleFault(Trap),
}

/// Everything that happens between two instructions: devices do what is due, a halted processor waits, an
/// interrupt is taken. Must run before an instruction whenever the clock has reached [`crate::bus::Pace::attention`].
pub fn poll<B: Bus>(hart: &mut Hart, bus: &mut B) -> Poll {
    match look(hart, bus) {
        Poll::Interrupted(trap) => Poll::Interrupted(take(hart, bus, trap, 0)),
        other => other,
    }
}

/// As [`poll`], but an interrupt that is found is not taken yet: for who lets a guest take it in another way.
pub fn look<B: Bus>(hart: &Hart, bus: &mut B) -> Poll {
    if let Some(code) = bus.devices().power_off {
        return Poll::PowerOff(code);
    }
    serve_disk(bus);
    if bus.pace().halted && !wait(hart, bus) {
        return Poll::Deadlock;
    }
    let clock = bus.pace().clock;
    let wanted = bus.devices().wanted(clock);
    if let Some(cause) = interrupt(hart, clock, wanted) {
        return Poll::Interrupted(Trap { cause, tval: 0 });
    }
    let countdown = hart.controls().and_then(|controls| controls.deadline);
    let event = bus.devices().next_event(clock);
    bus.pace().attention = [event, countdown].into_iter().flatten().min().unwrap_or(u64::MAX);
    Poll::Go
}

/// What the processor takes, or leaves non-root operation by, in place of the instruction at `pc`.
fn interrupt(hart: &Hart, clock: u64, wanted: u32) -> Option<Cause> {
    let enabled = hart.csr.status.interrupts();
    let line = match wanted {
        0 => None,
        line::TIMER => Some(Cause::TimerInterrupt),
        _ => Some(Cause::DeviceInterrupt),
    };
    match hart.controls() {
        Some(controls) if controls.external && line.is_some() => line,
        Some(controls) if controls.is_over(clock) => Some(Cause::Countdown),
        Some(controls) if controls.window && enabled => Some(Cause::Window),
        _ => line.filter(|_| enabled),
    }
}

/// Lets a halted processor wait for an enabled line, and with it the devices, unless a countdown is over before; false
/// if neither can ever come.
fn wait<B: Bus>(hart: &Hart, bus: &mut B) -> bool {
    let (window, countdown) = hart
        .controls()
        .map_or((false, None), |controls| (controls.window, controls.deadline));
    let mut clock = bus.pace().clock;
    while bus.devices().wanted(clock) == 0 && !window {
        if countdown.is_some_and(|deadline| deadline <= clock) {
            // It leaves as it is, waiting.
            return true;
        }
        let wakes = bus.devices().next_wake().is_some_and(|wake| wake > clock);
        let event = bus.devices().next_event(clock);
        let next = [event, countdown].into_iter().flatten().min();
        let Some(next) = next.filter(|at| (wakes || countdown.is_some()) && *at <= END_OF_TIME) else {
            return false;
        };
        bus.pace().skipped += next - clock;
        bus.pace().clock = next;
        clock = next;
        serve_disk(bus);
    }
    bus.pace().halted = false;
    true
}

/// Fetches, decodes and executes the instruction at `pc`, and takes the trap if it raises one.
pub fn step<B: Bus>(hart: &mut Hart, bus: &mut B, registers: Registers) -> Step {
    let word = match fetch(hart, bus) {
        Ok(word) => word,
        Err(trap) if bus.pace().entering && !hart.leaves(trap.cause) => return double_fault(hart, bus, trap),
        Err(trap) => return trapped(hart, bus, trap, 0),
    };
    bus.pace().entering = false;
    let Some(insn) = decode(word, registers) else {
        return trapped(hart, bus, Trap::illegal(word), word);
    };
    match execute(hart, bus, insn) {
        Ok(next) => {
            hart.pc = next;
            bus.pace().clock += 1;
            Step::Retired(insn)
        }
        Err(trap) => trapped(hart, bus, trap, word),
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

/// Takes a trap: in ring 0, at `tvec`; or, if it makes a guest leave, out of non-root operation. `word` is the
/// instruction's, 0 where there is none. Returns what was taken, or left by.
pub fn take<B: Bus>(hart: &mut Hart, bus: &mut B, trap: Trap, word: u32) -> Trap {
    let taken = match &mut hart.operation {
        Operation::NonRoot(controls) => controls.sift(trap),
        Operation::Off | Operation::Root => None,
    };
    let Some(taken) = taken else {
        enter(hart, bus, trap);
        return trap;
    };
    root::leave(hart, bus, taken, word);
    taken
}

/// Enters the trap handler: ring 0, at `tvec`.
pub fn enter<B: Bus>(hart: &mut Hart, bus: &mut B, trap: Trap) {
    hart.enter(trap);
    bus.pace().entering = true;
    bus.attend();
}

fn trapped<B: Bus>(hart: &mut Hart, bus: &mut B, trap: Trap, word: u32) -> Step {
    Step::Trapped(take(hart, bus, trap, word))
}

/// The handler's first instruction cannot be fetched: the end of a machine, but not of one that is a guest.
fn double_fault<B: Bus>(hart: &mut Hart, bus: &mut B, fault: Trap) -> Step {
    if hart.controls().is_none() {
        return Step::DoubleFault(fault);
    }
    let trap = Trap {
        cause: Cause::DoubleFault,
        tval: fault.tval,
    };
    trapped(hart, bus, trap, fault.cause.code())
}

/// Moves the disk transfer that is due, if there is one.
fn serve_disk<B: Bus>(bus: &mut B) {
    let clock = bus.pace().clock;
    if let Some(due) = bus.devices().disk.take_due(clock) {
        let moved = due.is_ok_and(|transfer| move_transfer(bus, transfer).is_some());
        bus.devices().disk.finish(moved);
        bus.disk_finished();
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
