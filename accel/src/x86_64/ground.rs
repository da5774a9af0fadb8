//! Where emitted code runs: in this process, or in a virtual machine. The engine is the same.

use toy_isa::mmu::Access;
use toy_isa::ram::Ram;

use super::cache::{Cache, Ways};
use super::encode::Assembler;
use super::layout::Context;
use super::lower::Memory;
use crate::kvm::KvmError;

/// A place to run emitted code in.
pub(super) trait Ground {
    /// The name of the engine that runs it there.
    const NAME: &'static str;

    /// How code reaches memory there, if this is how it would in the process.
    fn memory(memory: Memory) -> Memory;

    /// Emits the ways in and out.
    fn ways(asm: &mut Assembler) -> Ways;

    /// The context, while no emitted code runs.
    fn context(&mut self) -> &mut Context;

    /// The address at which this place of the arena is executed.
    fn code(&self, cache: &Cache, place: usize) -> u64;

    /// The memory of the machine is here from now on. Nothing is mapped.
    ///
    /// # Errors
    /// If the host refuses it.
    fn settle(&mut self, ram: &mut Ram) -> Result<(), KvmError>;

    /// What code in this space finds in the register for the base of memory.
    fn base(&self, memory: Memory, space: usize) -> u64;

    /// Lets accesses of this kind to a page of addresses reach a page of memory, from the next run on. Who may store
    /// may load, too.
    fn map(&mut self, space: usize, page: u32, physical: u32, access: Access);

    /// Lets nobody store to a page of addresses.
    fn protect(&mut self, space: usize, page: u32);

    /// Lets a page of addresses lead nowhere.
    fn unmap(&mut self, space: usize, page: u32);

    /// How often code has left the ground, by why, as far as that means something there.
    fn exits(&self) -> Vec<(&'static str, u64)> {
        Vec::new()
    }

    /// Runs the block at this place, in this space, and those that it leads to, until they leave.
    ///
    /// # Errors
    /// If the host fails. Then the state of the guest is lost.
    ///
    /// # Safety The place is one that the cache has made, and what the context says of memory holds: windows are
    /// inside the memory that the ground was settled on, which nobody else has a reference to and which is where it
    /// was.
    #[allow(unsafe_code, reason = "emitted code is entered")]
    unsafe fn run(&mut self, cache: &Cache, block: usize, space: usize) -> Result<(), KvmError>;
}
