//! The way from Rust into emitted code and back, in this process.
#![allow(unsafe_code, reason = "emitted code is entered here, and nowhere else")]

use std::io;
use std::mem::transmute;

use toy_isa::mmu::{Access, PAGE};
use toy_isa::ram::Ram;

use super::cache::{Cache, Ways};
use super::encode::{Assembler, Place, R12, R13, R14, R15, RAX, RBP, RBX, RDI, RSI, RSP};
use super::ground::Ground;
use super::layout::{BASE, BUDGET, Context, PAGES, VECTORS, field, home, place};
use super::lower::Memory;
use super::mapped::Zeros;
use super::spaces::SPACES;
use crate::kvm::KvmError;

/// Room below the context. Emitted code has no stack, but while it runs the stack pointer stands at the context, and
/// the host may deliver a signal there.
const SIGNALS: usize = 256 << 10;

/// Words for the addends of each space: for loads, then for stores.
const WORDS: usize = 2 * PAGES;

/// This process: code reaches memory by windows, or by what is to be added to an address of a page of the guest to
/// reach the host's memory, which is 0 where it has to ask.
pub(super) struct Process {
    /// The context in its memory.
    context: Zeros,
    /// By space.
    addends: Zeros,
    /// Where the machine's memory is.
    memory: u64,
}

/// Registers that the host's calling convention wants back (System V ABI, x86-64 supplement, figure 3.4).
const KEPT: [u8; 6] = [RBX, RBP, R12, R13, R14, R15];

impl Process {
    pub(super) fn new() -> io::Result<Process> {
        Ok(Process {
            context: Zeros::new(SIGNALS + size_of::<Context>())?,
            addends: Zeros::new(8 * WORDS * SPACES)?,
            memory: 0,
        })
    }

    fn pointer(&self) -> *mut Context {
        self.context.start().wrapping_add(SIGNALS).cast()
    }

    /// Where the host has a page of addresses for this kind of access, if code reaches it.
    pub(super) fn leads(&self, space: usize, access: Access, page: u32) -> Option<u64> {
        let half = if access == Access::Store { PAGES } else { 0 };
        let addend = self.addends.get(space * WORDS + half + page as usize);
        (addend != 0).then(|| addend.wrapping_add(u64::from(page) * u64::from(PAGE)))
    }

    /// Plants an addend, for a test of who watches them.
    #[cfg(test)]
    pub(super) fn plant(&mut self, space: usize, index: usize, addend: u64) {
        self.addends.set(space * WORDS + index, addend);
    }

    fn set(&mut self, space: usize, access: Access, page: u32, addend: u64) {
        let half = if access == Access::Store { PAGES } else { 0 };
        self.addends.set(space * WORDS + half + page as usize, addend);
    }
}

impl Ground for Process {
    const NAME: &'static str = "x86-64";

    fn memory(memory: Memory) -> Memory {
        memory
    }

    fn ways(asm: &mut Assembler) -> Ways {
        let enter = asm.here();
        for register in KEPT {
            asm.push(register);
        }
        asm.store_wide(Place::At(RDI, field::CALLER), RSP);
        asm.mov_wide(RSP, Place::Reg(RDI));
        asm.mov_wide(RAX, Place::Reg(RSI));
        load(asm);
        asm.jmp_to(Place::Reg(RAX));
        let unknown = unknown(asm);
        let epilogue = asm.here();
        save(asm);
        asm.mov_wide(RSP, field::at(field::CALLER));
        for register in KEPT.into_iter().rev() {
            asm.pop(register);
        }
        asm.ret();
        Ways {
            enter,
            epilogue,
            unknown,
        }
    }

    fn context(&mut self) -> &mut Context {
        // SAFETY: the place lies inside the memory, which is as long as that; it is aligned, for the memory begins at a
        // page; every bit pattern is a context, zeros as well; and `&mut self` keeps others away.
        unsafe { &mut *self.pointer() }
    }

    fn code(&self, cache: &Cache, place: usize) -> u64 {
        cache.memory.address(place)
    }

    fn settle(&mut self, ram: &mut Ram) -> Result<(), KvmError> {
        self.memory = ram.parts().0.as_mut_ptr() as u64;
        Ok(())
    }

    fn base(&self, memory: Memory, space: usize) -> u64 {
        match memory {
            Memory::Paged => self.addends.start() as u64 + 8 * (space * WORDS) as u64,
            Memory::Flat | Memory::Mapped => self.memory,
        }
    }

    fn map(&mut self, space: usize, page: u32, physical: u32, access: Access) {
        let address = self.memory + u64::from(physical);
        let addend = address.wrapping_sub(u64::from(page) * u64::from(PAGE));
        self.set(space, access, page, addend);
    }

    fn protect(&mut self, space: usize, page: u32) {
        self.set(space, Access::Store, page, 0);
    }

    fn unmap(&mut self, space: usize, page: u32) {
        self.set(space, Access::Load, page, 0);
        self.set(space, Access::Store, page, 0);
    }

    /// # Safety
    /// As the trait says; and addends lead into that memory, for all of them are forgotten when it moves, or its pages
    /// come to mean something else.
    unsafe fn run(&mut self, cache: &Cache, block: usize, _: usize) -> Result<(), KvmError> {
        let enter: extern "sysv64" fn(*mut Context, u64) =
            // SAFETY: it is the address of code with this signature, which `ways` has emitted there.
            unsafe { transmute(cache.memory.address(cache.ways.enter) as usize) };
        enter(self.pointer(), cache.memory.address(block));
        Ok(())
    }
}

/// Emits what brings the guest's registers from the context, with the counters at zero. rax is kept.
pub(super) fn load(asm: &mut Assembler) {
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
}

/// Emits what writes down that the target in eax is unknown, before the way out.
pub(super) fn unknown(asm: &mut Assembler) -> usize {
    let unknown = asm.here();
    asm.store(field::at(field::TARGET), RAX);
    asm.mov_imm(RAX, 0);
    unknown
}

/// Emits what puts registers and counters into the context; the number of the exit is in eax.
pub(super) fn save(asm: &mut Assembler) {
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
}
