//! What the monitor does at a hypercall (section 3.2.1). Arguments come from the guest, so every one is looked at
//! before it is used, and each word of the guest's memory is read once: what was checked is what is done.

use toy_isa::hart::Hart;
use toy_isa::machine::Machine;
use toy_isa::mmu::PAGE;

use super::interface::{BATCH_LIMIT, Errno, Hypercall, channel, event, sched, update};
use super::pages::Kind;
use super::rings::Passed;
use super::{HANDLERS, Para};
use crate::event::Event;
use crate::mode::{Answer, End, Notes, Sync};

impl Para {
    /// Answers the hypercall at which the guest stands, and moves its program counter behind it.
    pub(super) fn hypercall(&mut self, machine: &mut Machine, notes: &mut Notes) -> Answer {
        let mut hart = self.allocator.load(&machine.board);
        let before = hart.clone();
        let number = hart.x[5];
        hart.pc = hart.pc.wrapping_add(4);
        self.allocator.store(&mut machine.board, &hart);
        // The guest has executed it, as it would have executed the instruction that it stands for.
        self.guest.pace.clock += 1;

        let Some(call) = Hypercall::from_number(number) else {
            self.finish(machine, &before, "unknown", Err(Errno::NoSuchCall), notes);
            return Answer::Resume;
        };
        let (a0, a1) = (hart.x[10], hart.x[11]);
        let result = match call {
            Hypercall::SetTrapTable => self.set_trap_table(machine, a0, a1),
            Hypercall::MmuUpdate => self.mmu_update(machine, &before, notes),
            Hypercall::SetCallbacks => {
                self.callback = a0 & !3;
                Ok(())
            }
            Hypercall::SetTimerOp => {
                self.guest.set_timer(a0);
                Ok(())
            }
            Hypercall::Iret => {
                notes.hypercall(&self.guest, &before, call.name(), 0);
                self.leave_kernel(machine);
                return Answer::Sync(Sync::Return);
            }
            Hypercall::SchedOp => match a0 {
                sched::YIELD => Ok(()),
                sched::BLOCK => {
                    self.blocked = true;
                    Ok(())
                }
                sched::SHUTDOWN => {
                    // What the guest has said to the end is heard, though it need not have notified; where its
                    // indices cannot be, there is nothing to hear.
                    let _ = self.serve(machine, channel::CONSOLE, notes);
                    self.finish(machine, &before, call.name(), Ok(()), notes);
                    return Answer::End(End::PowerOff(a1));
                }
                _ => Err(Errno::Invalid),
            },
            Hypercall::EventChannelOp if a0 == event::SEND => self.serve(machine, a1, notes),
            Hypercall::EventChannelOp => Err(Errno::Invalid),
            Hypercall::ConnectRing => self.connect_ring(machine, a0, a1, notes),
            Hypercall::LoadTable => Err(Errno::NoSuchCall),
        };
        self.finish(machine, &before, call.name(), result, notes);
        Answer::Resume
    }

    /// Gives the guest the result, and writes down what was asked and answered.
    fn finish(
        &mut self,
        machine: &mut Machine,
        before: &Hart,
        name: &'static str,
        result: Result<(), Errno>,
        notes: &mut Notes,
    ) {
        let result = result.map_or_else(Errno::code, |()| 0);
        let mut hart = self.allocator.load(&machine.board);
        hart.x[10] = result as u32;
        self.allocator.store(&mut machine.board, &hart);
        notes.hypercall(&self.guest, before, name, result);
    }

    fn set_trap_table(&mut self, machine: &mut Machine, table: u32, count: u32) -> Result<(), Errno> {
        if count > HANDLERS {
            return Err(Errno::Invalid);
        }
        for row in 0..count {
            let (cause, handler) = self.pair(machine, table, row)?;
            let slot = self.handlers.get_mut(cause as usize).ok_or(Errno::Invalid)?;
            *slot = handler & !3;
        }
        Ok(())
    }

    /// Updates of page tables, and commands, in a batch (section 3.3.3). One that fails is the last.
    fn mmu_update(&mut self, machine: &mut Machine, before: &Hart, notes: &mut Notes) -> Result<(), Errno> {
        let (table, requests) = (before.x[10], before.x[11]);
        let (mut done, mut changed) = (0, false);
        let mut result = match requests {
            0..=BATCH_LIMIT => Ok(()),
            _ => Err(Errno::Invalid),
        };
        while result.is_ok() && done < requests {
            let request = self.pair(machine, table, done);
            result = request.and_then(|(place, value)| {
                changed |= self.update(machine, place, value)?;
                done += 1;
                Ok(())
            });
        }
        if changed {
            // What was taken away must not live on in the processor's TLB: once for the whole batch.
            machine.board.tlb.fence(None);
        }
        let mut hart = self.allocator.load(&machine.board);
        hart.x[11] = done;
        self.allocator.store(&mut machine.board, &hart);

        let work = std::mem::take(&mut self.pages.work);
        // The guest pays for the work that it makes, so that a budget bounds the host's time too.
        machine.attempts = machine.attempts.saturating_add(work.read + u64::from(done));
        if requests <= BATCH_LIMIT {
            notes.counts.batch(requests);
        }
        notes.counts.mmu_updates += u64::from(done);
        notes.counts.guest_references += work.read;
        notes.counts.validated += work.validated;
        let event = Event::TableUpdates {
            requests,
            done,
            validated: work.validated,
        };
        notes.event(&self.guest, before, event);
        result
    }

    /// One request of a batch; true if the TLB may now hold something that is no longer so.
    fn update(&mut self, machine: &mut Machine, place: u32, value: u32) -> Result<bool, Errno> {
        let board = &mut machine.board;
        let frame = place / PAGE;
        match (place & 3, value) {
            (update::ENTRY, entry) => self.pages.update(board, place, entry),
            (update::COMMAND, update::PIN_ROOT) => self.pages.pin(board, frame).map(|()| false),
            (update::COMMAND, update::UNPIN) => self.pages.unpin(board, frame).map(|()| false),
            (update::COMMAND, update::NEW_BASE) => {
                // The table in use is a use, as a pin is: it stays what it is for as long. The old one is given back
                // first, so that a guest can leave the tables that it started on for tables in frames that those let
                // it write.
                let mut hart = self.allocator.load(board);
                let old = hart.csr.ptbr / PAGE;
                self.pages.put(board, old);
                if let Err(error) = self.pages.get(board, frame, Kind::Root) {
                    let back = self.pages.get(board, old, Kind::Root);
                    debug_assert_eq!(back, Ok(()), "nothing has changed since it was valid");
                    return Err(error);
                }
                hart.csr.ptbr = frame * PAGE;
                self.allocator.store(board, &hart);
                Ok(true)
            }
            _ => Err(Errno::Invalid),
        }
    }

    /// A row of a table of pairs in the guest's memory.
    fn pair(&self, machine: &mut Machine, table: u32, row: u32) -> Result<(u32, u32), Errno> {
        let at = table.wrapping_add(8 * row);
        let first = self.argument(machine, at)?;
        let second = self.argument(machine, at.wrapping_add(4))?;
        Ok((first, second))
    }

    /// Takes what the guest has for a ring, and gives it what there is.
    ///
    /// # Errors
    /// If the channel has no ring, or the guest's indices cannot be.
    fn serve(&mut self, machine: &mut Machine, number: u32, notes: &mut Notes) -> Result<(), Errno> {
        let mut board = self.guest.on(&mut machine.board);
        let (passed, result) = self.rings.serve(&mut board, &mut self.pages, number);
        self.passed(machine, number, passed, notes);
        result
    }

    /// Writes down what passed through a ring, and tells the guest if it has to hear of it.
    pub(super) fn passed(&mut self, machine: &mut Machine, number: u32, passed: Passed, notes: &mut Notes) {
        if let Some(event) = passed.count(number, notes.counts) {
            let hart = self.allocator.load(&machine.board);
            notes.event(&self.guest, &hart, event);
        }
        if passed.event {
            self.send(machine, number, notes);
        }
    }

    /// Takes over a page for a ring.
    fn connect_ring(
        &mut self,
        machine: &mut Machine,
        number: u32,
        address: u32,
        notes: &mut Notes,
    ) -> Result<(), Errno> {
        let mut board = self.guest.on(&mut machine.board);
        self.rings.connect(&mut board, &mut self.pages, number, address)?;
        match number {
            // What has been typed already is given at once.
            channel::CONSOLE => self.serve(machine, number, notes),
            _ => Ok(()),
        }
    }
}
