//! The way from Rust into emitted code and back.
#![allow(unsafe_code, reason = "emitted code is entered here, and nowhere else")]

use std::io;
use std::mem::transmute;

use super::encode::{Assembler, Place, R12, R13, R14, R15, RAX, RBP, RBX, RDI, RSI, RSP};
use super::layout::{BASE, BUDGET, Context, VECTORS, field, home, place};
use super::mapped::{CodeMemory, Zeros};

/// Room below the context. Emitted code has no stack, but while it runs the stack pointer stands at the context, and
/// the host may deliver a signal there.
const SIGNALS: usize = 256 << 10;

/// The context in its memory.
pub(super) struct Gate {
    memory: Zeros,
}

/// Registers that the host's calling convention wants back (System V ABI, x86-64 supplement, figure 3.4).
const KEPT: [u8; 6] = [RBX, RBP, R12, R13, R14, R15];

impl Gate {
    pub(super) fn new() -> io::Result<Gate> {
        let memory = Zeros::new(SIGNALS + size_of::<Context>())?;
        Ok(Gate { memory })
    }

    fn pointer(&self) -> *mut Context {
        self.memory.start().wrapping_add(SIGNALS).cast()
    }

    /// The context, while no emitted code runs.
    pub(super) fn context(&mut self) -> &mut Context {
        // SAFETY: the place lies inside the memory, which is as long as that; it is aligned, for the memory begins at a
        // page; every bit pattern is a context, zeros as well; and `&mut self` keeps others away.
        unsafe { &mut *self.pointer() }
    }

    /// Enters emitted code at this place and comes back when it leaves.
    ///
    /// # Safety
    /// At `enter` stands what [`enter`] makes, at `block` the entrance of a block. What the context says of base and
    /// windows is memory that may be written: the guest's, to which the caller has the only reference; or the addends
    /// of a space, whose entries lead into that memory.
    pub(super) unsafe fn run(&mut self, code: &CodeMemory, enter: usize, block: usize) {
        let enter: extern "sysv64" fn(*mut Context, u64) =
            // SAFETY: it is the address of code with this signature, by this function's contract.
            unsafe { transmute(code.address(enter) as usize) };
        enter(self.pointer(), code.address(block));
    }
}

/// Emits the way in: a function of the context and the address of a block.
pub(super) fn enter(asm: &mut Assembler) {
    for register in KEPT {
        asm.push(register);
    }
    asm.store_wide(Place::At(RDI, field::CALLER), RSP);
    asm.mov_wide(RSP, Place::Reg(RDI));
    asm.mov_wide(RAX, Place::Reg(RSI));
    asm.mov_wide(BUDGET, field::at(field::BUDGET));
    asm.mov_wide(BASE, field::at(field::BASE));
    for xmm in 0..VECTORS as u8 {
        asm.clear_lanes(xmm);
    }
    for x in 1..16 {
        if let Some(own) = home(x) {
            asm.mov(own, Place::At(RSP, 4 * i32::from(x)));
        }
    }
    asm.jmp_to(Place::Reg(RAX));
}

/// Emits the way out: the number of the exit is in eax.
pub(super) fn leave(asm: &mut Assembler) {
    asm.store(field::at(field::EXIT), RAX);
    asm.store_wide(field::at(field::BUDGET), BUDGET);
    for x in 1..16 {
        if let Place::Reg(own) = place(x) {
            asm.store(Place::At(RSP, 4 * i32::from(x)), own);
        }
    }
    for xmm in 0..VECTORS as u8 {
        asm.store_lanes(field::at(field::LANES + 16 * i32::from(xmm)), xmm);
    }
    asm.mov_wide(RSP, field::at(field::CALLER));
    for register in KEPT.into_iter().rev() {
        asm.pop(register);
    }
    asm.ret();
}
