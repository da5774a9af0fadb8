//! The dispatcher: every trap of the guest comes here, and is emulated, reflected, or made good.

use toy_isa::bus::Width;
use toy_isa::cpu::{self, Step};
use toy_isa::instruction::{Registers, decode};
use toy_isa::machine::Machine;
use toy_isa::mmu::{self, Access, PAGE};
use toy_isa::trap::{Cause, Trap};

use crate::event::{AccessReason, Event};
use crate::mode::{Answer, End, Notes, Sync};
use crate::modes::trap::{TrapAndEmulate, routines, shadow::Mapping};

impl TrapAndEmulate {
    /// Decides what a trap means for the guest.
    pub(in crate::modes) fn dispatch(
        &mut self,
        machine: &mut Machine,
        trap: Trap,
        notes: &mut Notes,
    ) -> Answer {
        match trap.cause {
            // Control is regained; what is due for the guest is delivered before it is resumed.
            Cause::TimerInterrupt | Cause::DeviceInterrupt => Answer::Resume,

            // A privileged instruction outside real ring 0, or one that is illegal anywhere.
            Cause::Illegal => self.emulate(machine, trap.tval, notes),

            // A page that the shadow table does not have (yet).
            Cause::FetchPage => self.memory_fault(machine, Access::Fetch, trap.tval, notes),
            Cause::LoadPage => self.memory_fault(machine, Access::Load, trap.tval, notes),
            Cause::StorePage => self.memory_fault(machine, Access::Store, trap.tval, notes),

            // Beyond the limit: the guest's own, or the one that keeps it below the monitor.
            Cause::FetchAccess | Cause::LoadAccess | Cause::StoreAccess => {
                let access = match trap.cause {
                    Cause::FetchAccess => Access::Fetch,
                    Cause::LoadAccess => Access::Load,
                    _ => Access::Store,
                };
                self.step(machine, access, trap.tval, AccessReason::AboveLimit, notes)
            }

            // The guest's own affairs: its kernel gets them as bare hardware would deliver them.
            Cause::SystemCall(_) => {
                let ring = self.allocator.load(&machine.board).ring() as u8;
                self.reflect(
                    machine,
                    Trap {
                        cause: Cause::SystemCall(ring),
                        tval: 0,
                    },
                    notes,
                )
            }
            Cause::Hypercall if self.guest.enlightened.is_some() => self.hypercall(machine, notes),
            Cause::Breakpoint
            | Cause::Hypercall
            | Cause::FetchMisaligned
            | Cause::LoadMisaligned
            | Cause::StoreMisaligned => self.reflect(machine, trap, notes),

            // This monitor does not use root operation: nobody leaves by these.
            Cause::NestedFetch
            | Cause::NestedLoad
            | Cause::Intercepted
            | Cause::NestedStore
            | Cause::DoubleFault
            | Cause::Countdown
            | Cause::Window
            | Cause::TrapLimit => Answer::Resume,
        }
    }

    /// A guest that knows of the monitor calls it, or its user code does, for which that is a trap of its own.
    fn hypercall(&mut self, machine: &mut Machine, notes: &mut Notes) -> Answer {
        match self.virtually(machine, notes, |hart, board| {
            cpu::step(hart, board, Registers::Sixteen)
        }) {
            Step::Retired(_) => self.guest.retired(),
            Step::Trapped(trap) => Answer::Sync(Sync::Enter(trap)),
            Step::DoubleFault(trap) => Answer::End(End::DoubleFault(trap)),
        }
    }

    /// Hands a trap to the guest kernel: its virtual processor enters its virtual trap vector.
    pub(in crate::modes) fn reflect(
        &mut self,
        machine: &mut Machine,
        trap: Trap,
        notes: &mut Notes,
    ) -> Answer {
        self.virtually(machine, notes, |hart, board| cpu::enter(hart, board, trap));
        Answer::Sync(Sync::Enter(trap))
    }

    /// Calls the interpreter routine of a privileged row.
    fn emulate(&mut self, machine: &mut Machine, word: u32, notes: &mut Notes) -> Answer {
        let Some(insn) = decode(word, Registers::Sixteen) else {
            return self.reflect(machine, Trap::illegal(word), notes);
        };
        let row = insn.row();
        let Some(routine) = routines::routine(row) else {
            return self.reflect(machine, Trap::illegal(word), notes);
        };
        let before = self.allocator.load(&machine.board);
        let ran = self.virtually(machine, notes, |hart, board| {
            routine
                .run(hart, board, insn)
                .map(|()| hart.x[usize::from(insn.rd)])
        });
        match ran {
            Ok(result) => {
                notes.emulated(&self.guest, &before, insn, result);
                self.guest.retired()
            }
            // The virtual processor may not do it either, or not so.
            Err(trap) => self.reflect(machine, trap, notes),
        }
    }

    /// A page fault of the real processor: the guest's own, a device, a traced table, or only a shadow entry that
    /// was not made yet.
    fn memory_fault(
        &mut self,
        machine: &mut Machine,
        access: Access,
        address: u32,
        notes: &mut Notes,
    ) -> Answer {
        // As the guest's own processor would translate it; this also sets A and D in the guest's tables.
        let translated = self.virtually(machine, notes, |hart, board| {
            mmu::translate(hart, board, access, address, Width::Byte)
        });
        let guest = match translated {
            Ok(guest) => guest,
            Err(trap) if self.guest.pace.entering => return Answer::End(End::DoubleFault(trap)),
            Err(trap) => return self.reflect(machine, trap, notes),
        };
        let Some(host_frame) = self.guest.frames.host(guest / PAGE) else {
            return self.step(machine, access, address, AccessReason::Device, notes);
        };
        if access == Access::Store && self.shadow.traces(guest / PAGE) {
            let why = match self.shadow.holds_code(guest / PAGE) {
                true => AccessReason::Code,
                false => AccessReason::Traced,
            };
            return self.step(machine, access, address, why, notes);
        }
        let hart = self.allocator.load(&machine.board);
        let linear = mmu::linear(&hart, address);
        let mapping = self.virtually(machine, notes, |hart, board| {
            Mapping::of(hart, board, access, linear)
        });
        let key = self.root_key(&hart);
        self.shadow.fill(
            &mut machine.board,
            &self.guest.frames,
            key,
            linear,
            mapping,
            host_frame,
        );
        notes.counts.shadow_fills += 1;
        let event = Event::ShadowFill {
            access,
            address,
            guest_frame: guest / PAGE,
            host_frame,
        };
        notes.event(&self.guest, &hart, event);
        Answer::Resume
    }

    /// Carries out the instruction at the guest's program counter, whatever it is, on the virtual processor.
    pub(in crate::modes) fn step(
        &mut self,
        machine: &mut Machine,
        access: Access,
        address: u32,
        why: AccessReason,
        notes: &mut Notes,
    ) -> Answer {
        let before = self.allocator.load(&machine.board);
        match self.virtually(machine, notes, |hart, board| {
            cpu::step(hart, board, Registers::Sixteen)
        }) {
            Step::Retired(_) => {
                notes.counts.access(why);
                notes.event(
                    &self.guest,
                    &before,
                    Event::EmulateAccess { access, address, why },
                );
                self.guest.retired()
            }
            Step::Trapped(trap) => Answer::Sync(Sync::Enter(trap)),
            Step::DoubleFault(trap) => Answer::End(End::DoubleFault(trap)),
        }
    }
}
