//! Units: what is translated at a time, and what is done with each instruction of it.

use toy_isa::instruction::{Instruction, Registers, decode};
use toy_isa::profile::Behaviour;
use toy_isa::table::{Csr, Form, Op};

/// The most instructions in a unit, as in VMware's translator (Adams and Agesen 2006, section 3.1).
pub const LONGEST: usize = 12;

/// What the translator does with an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// It is innocuous and stays as it is.
    Identical,
    /// It computes an address from the program counter, which is another in the cache; here the value is known.
    Constant(u32),
    /// A conditional branch: taken or not, the code it goes to has moved.
    Branch(u32),
    /// A jump or a call: the code it goes to has moved.
    Jump(u32),
    /// A jump to where a register points, as returns do: looked up while it runs.
    Indirect,
    /// A privileged instruction whose effect on the virtual processor is a few instructions on its save area.
    Inline(Inline),
    /// Everything else that is sensitive: the monitor is called.
    Callout,
    /// It is innocuous, but has trapped again and again, because what it touches is not plain memory: the monitor is
    /// called at once.
    Adapted,
}

/// The privileged instructions that are translated inline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inline {
    /// Reads a control register that the save area holds.
    Read(Csr),
    /// Writes, or swaps, a control register on which nothing else depends.
    Write(Csr),
    /// Turns bits of `status` off by an immediate: interrupts go off, or nothing happens.
    Clear(u32),
    /// Turns bits of `status` on by an immediate; where an interrupt is waiting for that, the monitor is called.
    Set(u32),
    /// Reads the low word of the clock.
    Clock,
    /// Reads a port: if it turns out to be that of the clock's low word, inline; else the monitor is called.
    Port,
}

impl Treatment {
    /// Why, in a sentence.
    pub fn reason(self) -> &'static str {
        match self {
            Treatment::Identical => "innocuous: identical",
            Treatment::Constant(_) => "reads the pc, which is another in the cache: a constant here",
            Treatment::Branch(_) => "code has moved: both ways are aimed anew",
            Treatment::Jump(_) => "code has moved: aimed anew, the return address is the guest's own",
            Treatment::Indirect => "target known only when it runs: looked up in a table",
            Treatment::Inline(Inline::Clock) => "sensitive: answered with the guest's own clock, inline",
            Treatment::Inline(Inline::Port) => {
                "sensitive: if it is the clock's port, answered inline; else the monitor is called"
            }
            Treatment::Inline(_) => "sensitive: done to the virtual processor, inline",
            Treatment::Callout => "sensitive: the monitor is called",
            Treatment::Adapted => "trapped often: the monitor is called at once",
        }
    }

    /// Whether control never goes on to the instruction after it.
    fn ends(self, insn: Option<Instruction>) -> bool {
        match self {
            Treatment::Branch(_) | Treatment::Jump(_) | Treatment::Indirect => true,
            Treatment::Callout => insn.is_none_or(|insn| {
                matches!(insn.op.row().form, Form::Branch | Form::J)
                    || matches!(insn.op, Op::Mret | Op::Ecall | Op::Ebreak | Op::Hcall)
            }),
            _ => false,
        }
    }
}

/// One instruction of the guest and what becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guest {
    /// Its address.
    pub pc: u32,
    /// Its word.
    pub word: u32,
    /// `None` if the word is illegal.
    pub insn: Option<Instruction>,
    /// What is done with it.
    pub treatment: Treatment,
}

/// What the translator may do, and what it has learned.
pub struct Policy<'a> {
    /// Whether privileged instructions are translated inline where that is possible.
    pub inline: bool,
    /// Whether the instruction at this address has trapped too often.
    pub adapted: &'a dyn Fn(u32) -> bool,
}

/// The unit that begins at `pc`, whose words on the same page are `words`: at most [`LONGEST`] instructions, ending
/// with the first that never goes on.
pub fn form(pc: u32, words: impl Iterator<Item = u32>, policy: &Policy) -> Vec<Guest> {
    let mut unit = Vec::new();
    for (index, word) in (0..LONGEST as u32).zip(words) {
        let pc = pc.wrapping_add(4 * index);
        let insn = decode(word, Registers::Sixteen);
        let treatment = insn.map_or(Treatment::Callout, |insn| treat(pc, insn, policy));
        unit.push(Guest {
            pc,
            word,
            insn,
            treatment,
        });
        if treatment.ends(insn) {
            break;
        }
    }
    unit
}

fn treat(pc: u32, insn: Instruction, policy: &Policy) -> Treatment {
    let target = pc.wrapping_add(insn.imm as u32);
    let aimed = |treatment| match target & 3 {
        0 => treatment,
        // The jump itself traps, if it is taken.
        _ => Treatment::Callout,
    };
    match insn.op {
        Op::Auipc => Treatment::Constant(target),
        Op::Jal => aimed(Treatment::Jump(target)),
        Op::Jalr => Treatment::Indirect,
        _ if insn.op.row().form == Form::Branch => aimed(Treatment::Branch(target)),
        _ if insn.op.row().outside.classic != Behaviour::Innocuous || insn.csr().is_some() => {
            match inline(insn) {
                Some(inline) if policy.inline => Treatment::Inline(inline),
                _ => Treatment::Callout,
            }
        }
        _ if (policy.adapted)(pc) => Treatment::Adapted,
        _ => Treatment::Identical,
    }
}

fn inline(insn: Instruction) -> Option<Inline> {
    if insn.op == Op::In {
        return Some(Inline::Port);
    }
    let csr = insn.csr()?;
    let kept = super::super::trap::allocator::Allocator::word_of(csr).is_some();
    match insn.op {
        Op::Csrrs | Op::Csrrc | Op::Csrrsi | Op::Csrrci if !insn.writes_csr() => match csr {
            Csr::Instret => Some(Inline::Clock),
            _ if kept => Some(Inline::Read(csr)),
            _ => None,
        },
        Op::Csrrw if matches!(csr, Csr::Scratch | Csr::Epc | Csr::Cause | Csr::Tval) => {
            Some(Inline::Write(csr))
        }
        Op::Csrrci if csr == Csr::Status => Some(Inline::Clear(u32::from(insn.rs1))),
        Op::Csrrsi if csr == Csr::Status => Some(Inline::Set(u32::from(insn.rs1))),
        _ => None,
    }
}
