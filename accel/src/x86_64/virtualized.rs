//! The ground of mode `kvm`: emitted code runs in ring 3 of a virtual machine, and the page tables of that machine
//! decide what it reaches. See `docs/adr/0013-kvm.md`.
#![allow(
    unsafe_code,
    reason = "memory is given to a virtual machine, and its context is in memory that it shares"
)]

pub(crate) mod trips;

use toy_isa::mmu::Access;
use toy_isa::ram::Ram;

use super::cache::{Cache, Ways};
use super::encode::{Alu, Assembler, Wide, condition};
use super::gate;
use super::ground::Ground;
use super::layout::{Context, field};
use super::lower::Memory;
use crate::kvm::KvmError;
use crate::kvm::calls::Calls;
use crate::kvm::machine::{Left, Machine};
use crate::kvm::place::{CODE, MOST_CHANGES, PORT, SHARED, WINDOW};
use crate::kvm::tables::{TREES, Tables};

const _: () = assert!(size_of::<Context>() as u64 <= SHARED - crate::kvm::place::CONTEXT);
const _: () = assert!(super::spaces::SPACES <= TREES);

/// What emitted code does when it is entered, by [`Context::service`]: it goes on; or it has page tables changed
/// before; or it does that and leaves again, for there is more to be changed.
const CHANGE: u64 = 1;
const CHANGE_AND_LEAVE: u64 = 2;

/// A virtual machine as the ground of emitted code.
pub(super) struct Virtualized {
    machine: Machine,
    tables: Tables,
    /// The context, in the machine's own memory.
    context: *mut Context,
    counts: Counts,
}

/// How often the guest left to this process, by why; and what else was done for it.
#[derive(Clone, Copy, Default)]
struct Counts {
    /// By its port.
    out: u64,
    /// By an access that the page tables or the alignment check refused.
    faults: u64,
    /// By its port, with more page tables to be changed.
    more: u64,
    /// Changed entries of page tables.
    changes: u64,
    /// Other roots loaded.
    roots: u64,
}

impl Virtualized {
    /// A machine that has no memory of Ring32's yet, and has run to where emitted code is entered.
    pub(super) fn new(calls: Calls, cache: &Cache) -> Result<Virtualized, KvmError> {
        let mut machine = Machine::new(calls)?;
        let (host, length) = cache.memory.shared();
        // SAFETY: the arena is mapped from the beginning of a page. Whoever has this ground has the cache, too, and
        // drops it later. What is in the arena is made by the lowering, and does to the memories what it is for.
        unsafe { machine.give_code(host, length)? };
        let context = machine.context()?.cast();
        let mut ground = Virtualized {
            machine,
            tables: Tables::new(),
            context,
            counts: Counts::default(),
        };
        // At the beginning of the arena it leaves at once.
        match ground.machine.run()? {
            Left::Out => Ok(ground),
            Left::Fault(at) => Err(stray(at)),
        }
    }

    /// Runs the guest until it leaves by its port. What is refused to it makes it leave, too: before the instruction.
    fn resume(&mut self, cache: &Cache) -> Result<(), KvmError> {
        loop {
            match self.machine.run()? {
                Left::Out => return Ok(()),
                Left::Fault(at) => {
                    let place = at.checked_sub(CODE).and_then(|place| cache.fault(place as usize));
                    let to = place.ok_or_else(|| stray(at))?;
                    self.machine.divert(CODE + to as u64)?;
                    self.counts.faults += 1;
                }
            }
        }
    }
}

fn stray(at: u64) -> KvmError {
    KvmError::Exit(format!("a fault at {at:#x}, where nothing can fault"))
}

impl Ground for Virtualized {
    const NAME: &'static str = "kvm";

    fn memory(_: Memory) -> Memory {
        Memory::Mapped
    }

    fn ways(asm: &mut Assembler) -> Ways {
        // Here the machine begins, and here it leaves.
        let out = asm.here();
        asm.out(PORT);
        let enter = asm.here();
        let service = field::at(field::SERVICE);
        asm.alu_imm(Wide::Yes, Alu::Cmp, service, 0);
        let nothing = asm.skip(condition::EQUAL);
        asm.int3();
        asm.alu_imm(Wide::Yes, Alu::Cmp, service, CHANGE as i32);
        asm.jcc(condition::NOT_EQUAL, out);
        asm.land(nothing);
        gate::load(asm);
        asm.jmp_to(field::at(field::BLOCK));
        let unknown = gate::unknown(asm);
        let epilogue = asm.here();
        gate::save(asm);
        asm.jmp(out);
        Ways {
            enter,
            epilogue,
            unknown,
        }
    }

    fn context(&mut self) -> &mut Context {
        // SAFETY: the place lies inside the machine's own memory, which has room for it there and is mapped as long as
        // the machine exists; it is aligned; every bit pattern is a context; the guest does not run, and `&mut self`
        // keeps others away.
        unsafe { &mut *self.context }
    }

    fn code(&self, _: &Cache, place: usize) -> u64 {
        CODE + place as u64
    }

    fn settle(&mut self, ram: &mut Ram) -> Result<(), KvmError> {
        let bytes = ram.parts().0;
        let (host, length) = (bytes.as_mut_ptr() as u64, bytes.len() as u64);
        // SAFETY: memory begins at a page, and is as long as that. Where it may have gone away or moved since, the
        // machine does not run before this function is called again: by the contract of `run`.
        unsafe { self.machine.give_ram(host, length) }
    }

    fn base(&self, _: Memory, _: usize) -> u64 {
        WINDOW
    }

    fn map(&mut self, space: usize, page: u32, physical: u32, access: Access) {
        self.tables.map(space, page, physical, access == Access::Store);
    }

    fn protect(&mut self, space: usize, page: u32) {
        self.tables.protect(space, page);
    }

    fn unmap(&mut self, space: usize, page: u32) {
        self.tables.unmap(space, page);
    }

    fn exits(&self) -> Vec<(&'static str, u64)> {
        let Counts {
            out,
            faults,
            more,
            changes,
            roots,
        } = self.counts;
        vec![
            ("port written", out + more),
            ("access refused by page table or alignment check", faults),
            ("page-table entries changed by the stub", changes),
            ("roots loaded", roots),
            ("KVM_RUN repeated after a signal", self.machine.repeated()),
        ]
    }

    unsafe fn run(&mut self, cache: &Cache, block: usize, space: usize) -> Result<(), KvmError> {
        let code = CODE + block as u64;
        self.context().block = code;
        self.counts.roots += u64::from(self.machine.enter_tree(Tables::root(space)));
        while self.tables.are_due() {
            let changes = self.tables.take(MOST_CHANGES);
            self.machine.prepare(&changes)?;
            self.counts.changes += changes.len() as u64;
            if !self.tables.are_due() {
                self.context().service = CHANGE;
                break;
            }
            self.context().service = CHANGE_AND_LEAVE;
            self.resume(cache)?;
            self.counts.more += 1;
        }
        self.resume(cache)?;
        self.context().service = 0;
        self.counts.out += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
