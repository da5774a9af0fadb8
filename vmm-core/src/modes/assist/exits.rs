//! The dispatcher: why the guest left, and what the monitor does about it.

use toy_isa::bus::Bus;
use toy_isa::cpu;
use toy_isa::instruction::{Instruction, Registers, decode};
use toy_isa::machine::Machine;
use toy_isa::mmu::{self, Access, PAGE};
use toy_isa::semantics::execute;
use toy_isa::table::Op;
use toy_isa::trap::{Cause, Trap};

use super::{Assist, Bug, Tables, root_key};
use crate::event::{AccessReason, Delivery, Event};
use crate::mode::{Answer, End, Notes};
use crate::modes::touched;
use crate::modes::trap::shadow::Mapping;

impl Assist {
    /// Decides what an exit means for the guest.
    pub(super) fn dispatch(&mut self, machine: &mut Machine, trap: Trap, notes: &mut Notes) -> Answer {
        match trap.cause {
            // Control is regained; what is due for the guest is injected before it is entered.
            Cause::Countdown
            | Cause::TrapLimit
            | Cause::Window
            | Cause::TimerInterrupt
            | Cause::DeviceInterrupt => Answer::Resume,

            // A row that the control structure names, or one of root operation, which the guest does not have.
            Cause::Intercepted => match decode(trap.tval, Registers::Sixteen) {
                Some(insn) => self.carry_out(machine, insn, None, notes),
                None => self.reflect(Trap::illegal(trap.tval)),
            },

            Cause::NestedFetch => self.nested_fault(machine, Access::Fetch, trap.tval, notes),
            Cause::NestedLoad => self.nested_fault(machine, Access::Load, trap.tval, notes),
            Cause::NestedStore => self.nested_fault(machine, Access::Store, trap.tval, notes),

            Cause::FetchPage => self.page_fault(machine, Access::Fetch, trap, notes),
            Cause::LoadPage => self.page_fault(machine, Access::Load, trap, notes),
            Cause::StorePage => self.page_fault(machine, Access::Store, trap, notes),

            Cause::DoubleFault => {
                let cause = Cause::from_code(self.detail).unwrap_or(Cause::DoubleFault);
                Answer::End(End::DoubleFault(Trap { cause, ..trap }))
            }

            Cause::Hypercall if self.guest.enlightened.is_some() => self.hypercall(machine, trap, notes),

            // The guest's own trap, which somebody wanted to see.
            Cause::FetchAccess if self.guest.pace.entering => Answer::End(End::DoubleFault(trap)),
            Cause::FetchMisaligned
            | Cause::FetchAccess
            | Cause::Illegal
            | Cause::Breakpoint
            | Cause::LoadMisaligned
            | Cause::LoadAccess
            | Cause::StoreMisaligned
            | Cause::StoreAccess
            | Cause::SystemCall(_)
            | Cause::Hypercall => self.reflect(trap),
        }
    }

    /// A guest that knows of the monitor calls it; from its user code it is a trap of its own.
    fn hypercall(&mut self, machine: &mut Machine, trap: Trap, notes: &mut Notes) -> Answer {
        let answered = self.virtually(machine, notes, |hart, board| {
            hart.pc = board.answer(hart).ok_or(trap)?;
            board.pace().clock += 1;
            Ok(())
        });
        match answered {
            Ok(()) => self.guest.retired(),
            Err(trap) => self.reflect(trap),
        }
    }

    /// Lets the guest take this trap at the next entry.
    fn reflect(&mut self, trap: Trap) -> Answer {
        self.inject = Some((trap, Delivery::Reflected));
        Answer::Resume
    }

    /// Does to the guest's processor and its virtual devices what this instruction asks for; for a memory access, `why`
    /// says why the hardware could not.
    fn carry_out(
        &mut self,
        machine: &mut Machine,
        insn: Instruction,
        why: Option<AccessReason>,
        notes: &mut Notes,
    ) -> Answer {
        let before = self.structure.peek(&machine.board);
        let done = self.virtually(machine, notes, |hart, board| {
            hart.pc = execute(hart, board, insn)?;
            board.pace().clock += 1;
            Ok(hart.x[usize::from(insn.rd)])
        });
        let result = match done {
            Ok(result) => result,
            Err(trap) => return self.reflect(trap),
        };
        match why {
            None => notes.emulated(&self.guest, &before, insn, result),
            Some(why) => {
                notes.counts.access(why);
                let (access, address) = touched(&before, insn);
                notes.event(
                    &self.guest,
                    &before,
                    Event::EmulateAccess { access, address, why },
                );
            }
        }
        self.guest.retired()
    }

    /// The nested table does not allow an access to guest-physical memory: the guest has memory there, and it is taken
    /// in; or a device; or nothing.
    fn nested_fault(
        &mut self,
        machine: &mut Machine,
        access: Access,
        address: u32,
        notes: &mut Notes,
    ) -> Answer {
        let guest_frame = address / PAGE;
        let lifted = self.bug == Some(Bug::ProtectionLifted) && guest_frame < machine.board.ram.pages();
        let host_frame = self.guest.frames.host(guest_frame);
        let host_frame = host_frame.or(lifted.then_some(guest_frame));
        let (Some(host_frame), Tables::Nested(nested)) = (host_frame, &mut self.tables) else {
            return self.beyond_memory(machine, AccessReason::Device, notes);
        };
        nested.fill(&mut machine.board, guest_frame, host_frame);
        notes.counts.nested_fills += 1;
        let hart = self.structure.peek(&machine.board);
        let event = Event::NestedFill {
            access,
            guest_frame,
            host_frame,
        };
        notes.event(&self.guest, &hart, event);
        Answer::Resume
    }

    /// The guest has tried to touch what is not memory, or is no longer just memory: the instruction that did so is
    /// carried out; a fetch can only fail.
    fn beyond_memory(&mut self, machine: &mut Machine, why: AccessReason, notes: &mut Notes) -> Answer {
        if let Some(insn) = decode(self.detail, Registers::Sixteen) {
            return self.carry_out(machine, insn, Some(why), notes);
        }
        let fetched = self.virtually(machine, notes, |hart, board| cpu::fetch(hart, board));
        match fetched {
            Ok(_) => Answer::Resume,
            Err(trap) if self.guest.pace.entering => Answer::End(End::DoubleFault(trap)),
            Err(trap) => self.reflect(trap),
        }
    }

    /// A page fault: the guest's own, or one of the shadow that the processor walks.
    fn page_fault(&mut self, machine: &mut Machine, access: Access, trap: Trap, notes: &mut Notes) -> Answer {
        let Tables::Shadow(_) = self.tables else {
            return match access == Access::Fetch && self.guest.pace.entering {
                true => Answer::End(End::DoubleFault(trap)),
                false => self.reflect(trap),
            };
        };
        let address = trap.tval;
        let window =
            decode(self.detail, Registers::Sixteen).is_some_and(|insn| matches!(insn.op, Op::Wlw | Op::Wsw));
        // As the guest's own processor would translate it; this also sets A and D in the guest's tables.
        let translated = self.virtually(machine, notes, |hart, board| {
            let linear = match window {
                true => address,
                false => mmu::linear(hart, address),
            };
            let guest = mmu::translate_linear(hart, board, access, address, linear)?;
            Ok((guest, linear, Mapping::of(hart, board, access, linear)))
        });
        let (guest, linear, mapping) = match translated {
            Ok(found) => found,
            Err(fault) if access == Access::Fetch && self.guest.pace.entering => {
                return Answer::End(End::DoubleFault(fault));
            }
            Err(fault) => return self.reflect(fault),
        };
        let Some(host_frame) = self.guest.frames.host(guest / PAGE) else {
            return self.beyond_memory(machine, AccessReason::Device, notes);
        };
        let hart = self.structure.peek(&machine.board);
        let Tables::Shadow(shadow) = &mut self.tables else {
            return Answer::Resume;
        };
        if access == Access::Store && shadow.traces(guest / PAGE) {
            return self.beyond_memory(machine, AccessReason::Traced, notes);
        }
        shadow.fill(
            &mut machine.board,
            &self.guest.frames,
            root_key(&hart),
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
}
