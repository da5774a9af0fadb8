//! What guests do that makes them leave, and what a monitor does with their instructions, in words.

use toy_isa::devices::Register;
use toy_isa::disasm::REGISTER_NAMES;
use toy_isa::hart::Status;
use toy_isa::instruction::{Instruction, Registers, decode};
use toy_isa::table::{Csr, Op};
use toy_isa::trap::{Cause, Trap};

use crate::chain::Chain;
use crate::event::{CalloutReason, Event, Record};

/// An instruction that the guest could not execute by itself.
pub(super) struct Attempt {
    /// The instruction.
    pub(super) insn: Instruction,
    /// What its sources held, if somebody has emulated it.
    sources: Option<[u32; 2]>,
}

impl Attempt {
    /// The one that set a chain off, if the chain knows it.
    pub(super) fn of(chain: &Chain) -> Option<Attempt> {
        let cause = chain.root.event.trap()?;
        let emulated = chain.rest.iter().find_map(|record| match record.event {
            Event::Emulate { word, sources, .. } => Some((word, Some(sources))),
            _ => None,
        });
        let (word, sources) = match cause.cause {
            Cause::Illegal | Cause::Intercepted => emulated.unwrap_or((cause.tval, None)),
            Cause::Hypercall => emulated?,
            _ => return None,
        };
        let insn = decode(word, Registers::Sixteen)?;
        Some(Attempt { insn, sources })
    }

    /// What it was to do: "write 0x10 to `timer`".
    pub(super) fn infinitive(&self) -> String {
        let insn = self.insn;
        if let Some(csr) = insn.csr() {
            return self.access(csr);
        }
        match insn.op {
            Op::Mret => "return from its trap handler (`mret`)".to_string(),
            Op::Wfi => "wait for an interrupt (`wfi`)".to_string(),
            Op::SfenceVma => "have old translations forgotten (`sfence.vma`)".to_string(),
            Op::Prober => "ask whether an address may be read (`prober`)".to_string(),
            Op::Probew => "ask whether an address may be written (`probew`)".to_string(),
            Op::Wlw => "load through its window (`wlw`)".to_string(),
            Op::Wsw => "store through its window (`wsw`)".to_string(),
            Op::In => match self.sources {
                Some([port, _]) => format!("read from the {} (`in` from port {port:#x})", device(port)),
                None => "read from a port (`in`)".to_string(),
            },
            Op::Out => match self.sources {
                Some([port, value]) => {
                    let (value, device) = (output(value), device(port));
                    format!("write {value} to the {device} (`out` to port {port:#x})")
                }
                None => "write to a port (`out`)".to_string(),
            },
            op => format!("execute `{}`", op.row().mnemonic),
        }
    }

    fn access(&self, csr: Csr) -> String {
        let (insn, name) = (self.insn, csr.row().name);
        let immediate = matches!(insn.op, Op::Csrrwi | Op::Csrrsi | Op::Csrrci);
        let value = match immediate {
            true => Some(u32::from(insn.rs1)),
            false => self.sources.map(|[value, _]| value),
        };
        let bits = || value.map_or("bits".to_string(), |value| bits(csr, value));
        match insn.op {
            _ if !insn.writes_csr() => format!("read `{name}`"),
            Op::Csrrs | Op::Csrrsi => format!("set {} in `{name}`", bits()),
            Op::Csrrc | Op::Csrrci => format!("clear {} in `{name}`", bits()),
            _ if insn.rd != 0 && insn.rd == insn.rs1 && !immediate => {
                format!(
                    "swap `{}` with `{name}`",
                    REGISTER_NAMES[usize::from(insn.rd & 15)]
                )
            }
            _ if insn.rd != 0 => format!("read `{name}` and write another value to it"),
            _ => match value {
                Some(value) => format!("write {value:#x} to `{name}`"),
                None => format!("write `{name}`"),
            },
        }
    }
}

/// What a monitor did with an instruction: "changed the *virtual* flag".
pub(super) fn effect(insn: Instruction, sources: [u32; 2], result: u32) -> String {
    let first = sources[0];
    if let Some(csr) = insn.csr() {
        return match insn.writes_csr() {
            true => written(insn, csr, first),
            false => read(csr, result),
        };
    }
    match insn.op {
        Op::Mret => "did to the *virtual* status what a return does".to_string(),
        Op::Wfi => "halted the *virtual* processor until its next interrupt".to_string(),
        Op::SfenceVma => "had nothing left to forget".to_string(),
        Op::Prober | Op::Probew => {
            let answer = if result == 0 { "no" } else { "yes" };
            format!("answered {answer}, from the guest's own page tables")
        }
        Op::Wlw | Op::Wsw => "did that through the guest's *virtual* window".to_string(),
        Op::In => format!("had the *virtual* {} answer {result:#x}", device(first)),
        Op::Out => match Register::from_port(first).device {
            3 => "switched the *virtual* machine off".to_string(),
            _ => format!("gave it to the *virtual* {}", device(first)),
        },
        op => format!("did to the *virtual* machine what `{}` does", op.row().mnemonic),
    }
}

fn read(csr: Csr, value: u32) -> String {
    let name = csr.row().name;
    match csr {
        Csr::Instret | Csr::Instreth => format!("answered with the guest's own clock ({value:#x})"),
        _ => format!("answered with the *virtual* `{name}` ({value:#x})"),
    }
}

fn written(insn: Instruction, csr: Csr, value: u32) -> String {
    let name = csr.row().name;
    let single =
        matches!(insn.op, Op::Csrrs | Op::Csrrsi | Op::Csrrc | Op::Csrrci) && value.is_power_of_two();
    match csr {
        Csr::Status if single => "changed the *virtual* flag".to_string(),
        Csr::Status => "changed the *virtual* flags".to_string(),
        Csr::Tvec => "noted where it has to reflect traps to".to_string(),
        Csr::Ptbr => "noted the guest's own root".to_string(),
        Csr::Timer => "set the *virtual* timer".to_string(),
        Csr::Irq => "changed which *virtual* lines may interrupt".to_string(),
        _ if insn.rd != 0 => format!("did that with the *virtual* `{name}`"),
        _ => format!("changed the *virtual* `{name}`"),
    }
}

/// Bits of a control register, by their names where they have some.
fn bits(csr: Csr, value: u32) -> String {
    const FLAGS: [(u32, &str); 5] = [
        (Status::PRING, "PRING"),
        (Status::IE, "IE"),
        (Status::PIE, "PIE"),
        (Status::RE, "RE"),
        (Status::PRE, "PRE"),
    ];
    let names: Vec<&str> = FLAGS
        .into_iter()
        .filter(|(mask, _)| value & mask == *mask)
        .map(|(_, name)| name)
        .collect();
    let named = FLAGS.into_iter().filter(|(mask, _)| value & mask == *mask);
    let rest = named.fold(value, |rest, (mask, _)| rest & !mask);
    match csr {
        Csr::Status if rest == 0 && !names.is_empty() => list(&names),
        _ => format!("bits {value:#x}"),
    }
}

/// "a, b and c".
pub(super) fn list<T: AsRef<str>>(parts: &[T]) -> String {
    let Some((last, before)) = parts.split_last() else {
        return String::new();
    };
    if before.is_empty() {
        return last.as_ref().to_string();
    }
    let before: Vec<&str> = before.iter().map(AsRef::as_ref).collect();
    format!("{} and {}", before.join(", "), last.as_ref())
}

/// The device at a port.
fn device(port: u32) -> &'static str {
    device_name(Register::from_port(port))
}

/// The device that a register is of.
pub(super) fn device_name(register: Register) -> &'static str {
    match register.device {
        0 => "console",
        1 => "timer",
        2 => "disk",
        3 => "power switch",
        _ => "bus, where nothing is",
    }
}

/// A value on its way out: as a character too, if it is one.
fn output(value: u32) -> String {
    match u8::try_from(value) {
        Ok(byte) if byte.is_ascii_graphic() => format!("{value:#x} ('{}')", char::from(byte)),
        _ => format!("{value:#x}"),
    }
}

/// What the guest did to take this trap: "made a system call".
pub(super) fn did(trap: Trap) -> String {
    let at = trap.tval;
    match trap.cause {
        Cause::SystemCall(_) => "made a system call".to_string(),
        Cause::Breakpoint => "came to a breakpoint".to_string(),
        Cause::Hypercall => "executed `hcall`".to_string(),
        Cause::Illegal | Cause::Intercepted => format!("came to {at:#010x}, which is no instruction"),
        Cause::FetchMisaligned => format!("jumped to {at:#010x}, which is misaligned"),
        Cause::LoadMisaligned => format!("loaded from {at:#010x}, which is misaligned"),
        Cause::StoreMisaligned => format!("stored to {at:#010x}, which is misaligned"),
        Cause::FetchAccess => format!("fetched from {at:#010x}, which is out of its reach"),
        Cause::LoadAccess => format!("loaded from {at:#010x}, which is out of its reach"),
        Cause::StoreAccess => format!("stored to {at:#010x}, which is out of its reach"),
        Cause::FetchPage => format!("fetched from {at:#010x}"),
        Cause::LoadPage => format!("loaded from {at:#010x}"),
        Cause::StorePage => format!("stored to {at:#010x}"),
        Cause::NestedFetch => format!("fetched from its physical {at:#010x}"),
        Cause::NestedLoad => format!("loaded from its physical {at:#010x}"),
        Cause::NestedStore => format!("stored to its physical {at:#010x}"),
        Cause::DoubleFault => "could not fetch its trap handler".to_string(),
        Cause::TimerInterrupt => "was interrupted by the timer".to_string(),
        Cause::DeviceInterrupt => "was interrupted by a device".to_string(),
        Cause::Countdown => "came to the end of its countdown".to_string(),
        Cause::Window => "could take the interrupt that waited for it".to_string(),
        Cause::TrapLimit => "had taken as many traps as it may in one go".to_string(),
    }
}

/// The same, where it stands at an arrow.
pub(super) fn label(record: &Record) -> String {
    let Some(trap) = record.event.trap() else {
        return String::new();
    };
    let at = trap.tval;
    match trap.cause {
        Cause::SystemCall(_) => "ecall".to_string(),
        Cause::Breakpoint => "ebreak".to_string(),
        Cause::Hypercall => "hcall".to_string(),
        Cause::Illegal | Cause::Intercepted => "no instruction".to_string(),
        Cause::FetchMisaligned => format!("jump to {at:#010x}"),
        Cause::FetchAccess | Cause::FetchPage | Cause::NestedFetch => format!("fetch {at:#010x}"),
        Cause::LoadMisaligned | Cause::LoadAccess | Cause::LoadPage | Cause::NestedLoad => {
            format!("load {at:#010x}")
        }
        Cause::StoreMisaligned | Cause::StoreAccess | Cause::StorePage | Cause::NestedStore => {
            format!("store {at:#010x}")
        }
        cause => cause.to_string(),
    }
}

/// A cause, without the ring that stands beside it.
pub(super) fn cause(cause: Cause) -> String {
    match cause {
        Cause::SystemCall(_) => "system call".to_string(),
        cause => cause.to_string(),
    }
}

/// Why translated code called, where it stands at an arrow.
pub(super) fn callout(why: CalloutReason) -> &'static str {
    match why {
        CalloutReason::Deadline => "callout: too little time left",
        CalloutReason::Way => "callout: way not known yet",
        CalloutReason::Miss => "callout: target not in table",
        CalloutReason::Instruction => "callout: for an instruction",
        CalloutReason::Adapted => "callout: it trapped often",
    }
}

/// What translated code did when it called for no single instruction's sake, or for one that trapped often.
pub(super) fn called(why: CalloutReason) -> &'static str {
    match why {
        CalloutReason::Deadline => "had too little time left for a whole unit",
        CalloutReason::Way => "came to the end of a unit",
        CalloutReason::Miss => "jumped to where its lookup table leads nowhere",
        CalloutReason::Instruction => "came to an instruction that is not its affair",
        CalloutReason::Adapted => "came to an access that had trapped often",
    }
}
