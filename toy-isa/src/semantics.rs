//! What each instruction does: once, in one match, generic over the bus.
//!
//! The reference processor, the interpreter, a monitor that emulates a trapped instruction and the simulated
//! hardware assistance all come here. Unprivileged instructions follow the RISC-V Unprivileged Specification
//! 20191213; the others are Ring32's own.

use crate::bus::{Bus, Width};
use crate::devices::Register;
use crate::hart::{Csrs, Hart, Status};
use crate::instruction::Instruction;
use crate::mmu::{self, Access, WalkFault};
use crate::profile::Behaviour;
use crate::root;
use crate::row::Row;
use crate::table::{Csr, Op};
use crate::trap::{Cause, Trap};

/// The value of `cpuid`: the letters "R32" and version 1.
pub const CPUID: u32 = u32::from_be_bytes(*b"R32\x01");

/// Executes one instruction that stands at `hart.pc`, and says where the next one is. `hart.pc` itself is the
/// caller's to move.
///
/// # Errors
/// The trap that it raises; then nothing of it has happened.
#[inline(always)]
pub fn execute<B: Bus>(hart: &mut Hart, bus: &mut B, insn: Instruction) -> Result<u32, Trap> {
    let Instruction {
        op,
        rd,
        rs1,
        rs2,
        imm,
    } = insn;
    // The mask lets the compiler drop the bounds check: x has 32 elements.
    let a = hart.x[(rs1 & 31) as usize];
    let b = hart.x[(rs2 & 31) as usize];
    let imm_word = imm as u32;
    let pc = hart.pc;
    let next = pc.wrapping_add(4);

    if let Some(value) = computed(op, a, b, imm, pc) {
        set(hart, rd, value);
        return Ok(next);
    }
    if let Some(taken) = condition(op, a, b) {
        return if taken {
            aligned(pc.wrapping_add(imm_word))
        } else {
            Ok(next)
        };
    }
    let address = a.wrapping_add(imm_word);
    match op {
        Op::Jal => {
            let target = aligned(pc.wrapping_add(imm_word))?;
            set(hart, rd, next);
            Ok(target)
        }
        Op::Jalr => {
            let target = aligned(address & !1)?;
            set(hart, rd, next);
            Ok(target)
        }
        Op::Lb | Op::Lh | Op::Lw | Op::Lbu | Op::Lhu => {
            let value = load(hart, bus, address, width(op))?;
            set(hart, rd, extended(op, value));
            Ok(next)
        }
        Op::Sb | Op::Sh | Op::Sw => store(hart, bus, address, width(op), b).map(|()| next),
        Op::Fence | Op::FenceI => Ok(next),
        _ => privileged(hart, bus, insn, a, b),
    }
}

/// The result of an instruction that only computes one: from the source registers `a` and `b`, its immediate and its
/// address. `None` for every other instruction.
#[inline(always)]
pub(crate) fn computed(op: Op, a: u32, b: u32, imm: i32, pc: u32) -> Option<u32> {
    let imm_word = imm as u32;
    Some(match op {
        Op::Lui => imm_word,
        Op::Auipc => pc.wrapping_add(imm_word),
        Op::Addi => a.wrapping_add(imm_word),
        Op::Slti => u32::from((a as i32) < imm),
        Op::Sltiu => u32::from(a < imm_word),
        Op::Xori => a ^ imm_word,
        Op::Ori => a | imm_word,
        Op::Andi => a & imm_word,
        Op::Slli => a << (imm & 31),
        Op::Srli => a >> (imm & 31),
        Op::Srai => (a as i32 >> (imm & 31)) as u32,
        Op::Add => a.wrapping_add(b),
        Op::Sub => a.wrapping_sub(b),
        Op::Sll => a << (b & 31),
        Op::Slt => u32::from((a as i32) < b as i32),
        Op::Sltu => u32::from(a < b),
        Op::Xor => a ^ b,
        Op::Srl => a >> (b & 31),
        Op::Sra => (a as i32 >> (b & 31)) as u32,
        Op::Or => a | b,
        Op::And => a & b,

        Op::Mul => a.wrapping_mul(b),
        Op::Mulh => ((i64::from(a as i32) * i64::from(b as i32)) >> 32) as u32,
        Op::Mulhsu => ((i64::from(a as i32) * i64::from(b)) >> 32) as u32,
        Op::Mulhu => ((u64::from(a) * u64::from(b)) >> 32) as u32,
        Op::Div if b == 0 => u32::MAX,
        Op::Div => (a as i32).wrapping_div(b as i32) as u32,
        Op::Divu => a.checked_div(b).unwrap_or(u32::MAX),
        Op::Rem if b == 0 => a,
        Op::Rem => (a as i32).wrapping_rem(b as i32) as u32,
        Op::Remu => a.checked_rem(b).unwrap_or(a),
        _ => return None,
    })
}

/// Whether a conditional branch is taken; `None` for every other instruction.
#[inline(always)]
pub(crate) fn condition(op: Op, a: u32, b: u32) -> Option<bool> {
    Some(match op {
        Op::Beq => a == b,
        Op::Bne => a != b,
        Op::Blt => (a as i32) < b as i32,
        Op::Bge => a as i32 >= b as i32,
        Op::Bltu => a < b,
        Op::Bgeu => a >= b,
        _ => return None,
    })
}

/// How much of memory a load or store moves.
#[inline(always)]
pub(crate) fn width(op: Op) -> Width {
    match op {
        Op::Lb | Op::Lbu | Op::Sb => Width::Byte,
        Op::Lh | Op::Lhu | Op::Sh => Width::Half,
        _ => Width::Word,
    }
}

/// What a load makes of the bits that it read, which have zeros above them.
#[inline(always)]
pub(crate) fn extended(op: Op, value: u32) -> u32 {
    match op {
        Op::Lb => value as i8 as u32,
        Op::Lh => value as i16 as u32,
        _ => value,
    }
}

#[inline(always)]
fn set(hart: &mut Hart, rd: u8, value: u32) {
    hart.x[(rd & 31) as usize] = value;
    hart.x[0] = 0;
}

#[inline(always)]
fn aligned(target: u32) -> Result<u32, Trap> {
    if target & 3 != 0 {
        return Err(Trap {
            cause: Cause::FetchMisaligned,
            tval: target,
        });
    }
    Ok(target)
}

#[inline(always)]
fn load<B: Bus>(hart: &mut Hart, bus: &mut B, address: u32, width: Width) -> Result<u32, Trap> {
    let physical = mmu::translate(hart, bus, Access::Load, address, width)?;
    match bus.read(physical, width) {
        Some(value) => Ok(value),
        None => device_load(bus, physical, width).ok_or(Access::Load.access_fault(address)),
    }
}

#[inline(always)]
fn store<B: Bus>(hart: &mut Hart, bus: &mut B, address: u32, width: Width, value: u32) -> Result<(), Trap> {
    let physical = mmu::translate(hart, bus, Access::Store, address, width)?;
    match bus.write(physical, width, value) {
        Some(()) => Ok(()),
        None => device_store(bus, physical, width, value).ok_or(Access::Store.access_fault(address)),
    }
}

#[cold]
fn device_load<B: Bus>(bus: &mut B, physical: u32, width: Width) -> Option<u32> {
    let register = Register::from_address(physical).filter(|_| width == Width::Word)?;
    bus.attend();
    let clock = bus.pace().clock;
    bus.devices().read(register, clock)
}

#[cold]
fn device_store<B: Bus>(bus: &mut B, physical: u32, width: Width, value: u32) -> Option<()> {
    let register = Register::from_address(physical).filter(|_| width == Width::Word)?;
    bus.attend();
    let clock = bus.pace().clock;
    bus.devices().write(register, value, clock)
}

/// Everything that the rings have a say in.
#[inline(never)]
fn privileged<B: Bus>(hart: &mut Hart, bus: &mut B, insn: Instruction, a: u32, b: u32) -> Result<u32, Trap> {
    let next = hart.pc.wrapping_add(4);
    let row = insn.row();
    let traps = Err(Trap::illegal(insn.encode()));

    // Rows that decide by themselves who may execute them.
    match insn.op {
        Op::Ecall => {
            return Err(Trap {
                cause: Cause::SystemCall(hart.ring() as u8),
                tval: 0,
            });
        }
        Op::Ebreak => {
            return Err(Trap {
                cause: Cause::Breakpoint,
                tval: hart.pc,
            });
        }
        Op::Hcall => {
            return bus.hypercall(hart).ok_or(Trap {
                cause: Cause::Hypercall,
                tval: 0,
            });
        }
        Op::Wlw | Op::Wsw => return window(hart, bus, insn, a, b),
        Op::Vmon | Op::Vmoff | Op::Vmenter | Op::Vmresume | Op::Vminval => {
            return root::execute(hart, bus, insn, a);
        }
        _ => {}
    }

    let by_privilege_level = matches!(insn.op, Op::In | Op::Out) && hart.ring() <= hart.csr.status.iopl();
    let behaviour = if hart.ring() == 0 || by_privilege_level {
        Behaviour::TakesEffect
    } else {
        bus.profile().behaviour(row)
    };
    if behaviour == Behaviour::Traps {
        return traps;
    }
    // What is illegal stays the guest's own; everything else a monitor may ask to see.
    if hart
        .controls()
        .is_some_and(|controls| controls.exits.has_row(row))
    {
        return Err(Trap {
            cause: Cause::Intercepted,
            tval: insn.encode(),
        });
    }
    match behaviour {
        Behaviour::Ignored => return Ok(next),
        Behaviour::TakesEffect if is_seizure(hart, row) => bus.took_effect(row),
        _ => {}
    }

    bus.attend();
    match insn.op {
        Op::Mret => {
            let target = hart.csr.epc;
            hart.csr.status = hart.csr.status.returned();
            bus.pace().returned = true;
            return Ok(target);
        }
        Op::Wfi => bus.pace().halted = true,
        Op::SfenceVma => {
            let page = (insn.rs1 != 0).then(|| mmu::linear(hart, a));
            if let Some(tlb) = bus.tlb() {
                tlb.fence(page);
            }
        }
        Op::In => {
            let clock = bus.pace().clock;
            // A port that nothing answers floats high, as on a PC.
            let value = bus
                .devices()
                .read(Register::from_port(a), clock)
                .unwrap_or(u32::MAX);
            set(hart, insn.rd, value);
        }
        Op::Out => {
            let clock = bus.pace().clock;
            // A write that nothing answers is lost.
            let _ = bus.devices().write(Register::from_port(a), b, clock);
        }
        Op::Prober => {
            let answer = probe(hart, bus, Access::Load, a, b & 3)?;
            set(hart, insn.rd, u32::from(answer));
        }
        Op::Probew => {
            let answer = probe(hart, bus, Access::Store, a, b & 3)?;
            set(hart, insn.rd, u32::from(answer));
        }
        _ => csr_access(hart, bus, insn, a, behaviour == Behaviour::Partial),
    }
    Ok(next)
}

/// Whether a row that takes effect does so to what only the software in ring 0 may decide on. In non-root operation
/// control registers are the guest's own; devices, timer and interrupt lines are those of the real machine.
fn is_seizure(hart: &Hart, row: Row) -> bool {
    match hart.controls() {
        None => hart.ring() != 0,
        Some(_) => matches!(row, Row::Op(Op::In | Op::Out) | Row::Write(Csr::Timer | Csr::Irq)),
    }
}

/// A window access: no limit and no relocation. Outside ring 0 it executes only in rings 1 and 2, and only from
/// code at or above `bound`, which a guest that a monitor confines below `bound` cannot be.
fn window<B: Bus>(hart: &mut Hart, bus: &mut B, insn: Instruction, a: u32, b: u32) -> Result<u32, Trap> {
    let allowed = match hart.ring() {
        0 => true,
        3 => false,
        _ => hart.pc >= hart.csr.bound,
    };
    if !allowed {
        return Err(Trap::illegal(insn.encode()));
    }
    let access = if insn.op == Op::Wlw {
        Access::Load
    } else {
        Access::Store
    };
    let offset = a.wrapping_add(insn.imm as u32);
    let linear = hart.csr.window.wrapping_add(offset);
    if linear & 3 != 0 {
        let cause = if access == Access::Load {
            Cause::LoadMisaligned
        } else {
            Cause::StoreMisaligned
        };
        return Err(Trap { cause, tval: linear });
    }
    let physical = mmu::translate_linear(hart, bus, access, linear, linear)?;
    if access == Access::Load {
        let value = bus
            .read(physical, Width::Word)
            .ok_or(access.access_fault(linear))?;
        set(hart, insn.rd, value);
    } else {
        bus.write(physical, Width::Word, b)
            .ok_or(access.access_fault(linear))?;
    }
    Ok(hart.pc.wrapping_add(4))
}

/// Whether `ring` may access the byte at `address`.
fn probe<B: Bus>(hart: &Hart, bus: &mut B, access: Access, address: u32, ring: u32) -> Result<bool, Trap> {
    if !mmu::within(ring, hart.csr.bound, address, 1) {
        return Ok(false);
    }
    if !hart.csr.paging() {
        return Ok(true);
    }
    match mmu::walk_own(hart, bus, ring, access, mmu::linear(hart, address)) {
        Ok(_) => Ok(true),
        Err(WalkFault::Nested(trap)) => Err(trap),
        Err(WalkFault::Page | WalkFault::Access) => Ok(false),
    }
}

/// One of the six control-register instructions, once it is clear that it executes.
fn csr_access<B: Bus>(hart: &mut Hart, bus: &mut B, insn: Instruction, a: u32, partial: bool) {
    let Some(csr) = insn.csr() else {
        unreachable!("the decoder yields control-register instructions only with a register of the table")
    };
    let old = csr_read(hart, bus, csr);
    let source = match insn.op {
        Op::Csrrwi | Op::Csrrsi | Op::Csrrci => u32::from(insn.rs1),
        _ => a,
    };
    if insn.writes_csr() {
        let new = match insn.op {
            Op::Csrrs | Op::Csrrsi => old | source,
            Op::Csrrc | Op::Csrrci => old & !source,
            _ => source,
        };
        csr_write(hart, bus, csr, new, partial);
    }
    set(hart, insn.rd, old);
}

/// The value of a control register.
pub fn csr_read<B: Bus>(hart: &Hart, bus: &mut B, csr: Csr) -> u32 {
    let clock = bus.pace().clock;
    let time = hart.time(clock);
    match csr {
        Csr::Mstatus | Csr::Mhartid => 0,
        Csr::Tvec => hart.csr.tvec,
        Csr::Scratch => hart.csr.scratch,
        Csr::Epc => hart.csr.epc,
        Csr::Cause => hart.csr.cause,
        Csr::Tval => hart.csr.tval,
        Csr::Status => hart.csr.status.0,
        Csr::Ptbr => hart.csr.ptbr,
        Csr::Base => hart.csr.base,
        Csr::Bound => hart.csr.bound,
        Csr::Xbound => hart.csr.xbound,
        Csr::Window => hart.csr.window,
        Csr::Timer => bus.devices().timer.value(),
        Csr::Irq => bus.devices().irq(clock),
        Csr::Instret => time as u32,
        Csr::Instreth => (time >> 32) as u32,
        Csr::Cpuid => CPUID,
    }
}

fn csr_write<B: Bus>(hart: &mut Hart, bus: &mut B, csr: Csr, value: u32, partial: bool) {
    let clock = bus.pace().clock;
    match csr {
        Csr::Mstatus => {}
        Csr::Tvec => hart.csr.tvec = value & !3,
        Csr::Scratch => hart.csr.scratch = value,
        Csr::Epc => hart.csr.epc = value & !3,
        Csr::Cause => hart.csr.cause = value,
        Csr::Tval => hart.csr.tval = value,
        Csr::Status => {
            let iopl = if bus.profile().iopl_writable() {
                Status::IOPL
            } else {
                0
            };
            let mask = if partial {
                Status::PARTIAL
            } else {
                Status::WRITABLE | iopl
            };
            hart.csr.status.0 = hart.csr.status.0 & !mask | value & mask;
        }
        Csr::Ptbr => {
            hart.csr.ptbr = value & Csrs::PTBR;
            if let Some(tlb) = bus.tlb() {
                tlb.fence(None);
            }
        }
        // A multiple of 4, so that no aligned access crosses a page by being relocated.
        Csr::Base => hart.csr.base = value & !3,
        Csr::Bound => hart.csr.bound = value,
        Csr::Xbound => hart.csr.xbound = value,
        Csr::Window => hart.csr.window = value,
        Csr::Timer => bus.devices().timer.set(value, clock),
        Csr::Irq => bus.devices().set_irq(value),
        Csr::Instret | Csr::Instreth | Csr::Mhartid | Csr::Cpuid => {
            unreachable!("the decoder rejects writes to read-only registers")
        }
    }
}
