//! The switch between monitor and guest: real control registers from virtual ones, and back.

use toy_isa::hart::{Csrs, Hart, Status};
use toy_isa::machine::Machine;
use toy_isa::trap::{Cause, Trap};

use crate::event::Event;
use crate::mode::Notes;
use crate::modes::enlightened::Mirror;
use crate::modes::trap::allocator::{MONITOR, STATE_WORDS};
use crate::modes::trap::shadow::{RootKey, Switch, View};
use crate::modes::trap::{Bug, Layout, TrapAndEmulate};

impl TrapAndEmulate {
    /// The real ring in which the guest runs while it believes to be in `virtual_ring`.
    pub(super) fn real_ring(&self, virtual_ring: u32) -> u32 {
        match self.layout {
            Layout::RingDeprivileging if virtual_ring < 3 => 1,
            _ => 3,
        }
    }

    /// The shadow table that the guest runs on.
    pub(in crate::modes) fn root_key(&self, hart: &Hart) -> RootKey {
        let view = match self.layout {
            Layout::RingDeprivileging if self.translates_user && hart.ring() == 3 => View::User,
            Layout::RingDeprivileging => View::Both,
            Layout::RingCompression if hart.ring() < 3 => View::Kernel,
            Layout::RingCompression => View::User,
        };
        RootKey {
            ptbr: if hart.csr.paging() { hart.csr.ptbr } else { 0 },
            view,
        }
    }

    /// How far the guest's virtual addresses reach before they would touch the monitor. Relocation comes after
    /// the limit, so a guest that relocates has less.
    fn reach(hart: &Hart) -> u32 {
        MONITOR.saturating_sub(hart.csr.relocation())
    }

    /// The real control registers under which the guest runs.
    pub(in crate::modes) fn real_csrs(&self, hart: &Hart, root: u32) -> Csrs {
        let ring = self.real_ring(hart.ring());
        let relocation = hart.csr.status.0 & Status::RE;
        let reach = Self::reach(hart);
        let unlimited = hart.ring() == 0;
        let bound = if unlimited {
            reach
        } else {
            reach.min(hart.csr.bound)
        };
        // Code at or above `bound` may use windows, and the guest has none: it must not get there.
        let xbound = if unlimited {
            reach
        } else {
            bound.min(hart.csr.xbound)
        };
        let lifted = self.bug == Some(Bug::ProtectionLifted);
        Csrs {
            status: Status(ring | Status::IE | relocation),
            tvec: self.allocator.entry(),
            ptbr: root | 1,
            base: hart.csr.base,
            bound: if lifted { u32::MAX } else { bound },
            xbound,
            ..Csrs::RESET
        }
    }

    /// Gives the processor to the guest's own code.
    pub(in crate::modes) fn enter_guest(&mut self, machine: &mut Machine, deadline: u32, notes: &mut Notes) {
        if self.guest.mirrors() {
            self.virtually(machine, notes, |hart, board| Mirror::show(board, hart));
        }
        let hart = self.allocator.load(&machine.board);
        let switch = self.use_address_space(machine, &hart, notes);
        let real = Hart {
            csr: self.real_csrs(&hart, switch.root),
            ..hart.clone()
        };
        self.launch(machine, &hart, real, deadline, notes);
    }

    /// Finds, or begins, the shadow table on which a guest in this state runs.
    pub(in crate::modes) fn use_address_space(
        &mut self,
        machine: &mut Machine,
        hart: &Hart,
        notes: &mut Notes,
    ) -> Switch {
        let key = self.root_key(hart);
        let open = self.bug == Some(Bug::ProtectionLifted);
        let switch = self
            .shadow
            .switch(&mut machine.board, &self.guest.frames, key, open);
        notes.shadow_switch(&self.guest, hart, &switch);
        if switch.changed {
            machine.board.tlb.fence(None);
        }
        switch
    }

    /// Starts the real processor in the state `real`, for a guest that is in the state `hart`.
    pub(in crate::modes) fn launch(
        &mut self,
        machine: &mut Machine,
        hart: &Hart,
        real: Hart,
        deadline: u32,
        notes: &mut Notes,
    ) {
        machine.hart = real;
        // The monitor keeps real interrupts on for the guest, and the timer is the only line it enables.
        let clock = machine.board.pace.clock;
        machine.board.devices.timer.set(deadline, clock);
        machine.board.devices.enabled = toy_isa::devices::line::TIMER;
        machine.board.pace.entering = false;
        machine.board.pace.attention = 0;
        self.resumed = Some((machine.board.pace.clock, machine.board.pace.skipped));
        notes.counts.words += STATE_WORDS;
        let real_ring = machine.hart.ring();
        notes.event(&self.guest, hart, Event::Resume { real_ring });
    }

    /// The value for the real timer: the next virtual event, or the end of the quantum.
    ///
    /// A deadline whose low word is 0 cannot be written to the timer, for which 0 means off. Then it comes one
    /// tick early; and where not even that is left, there is none, and the next instruction must be interpreted.
    pub(in crate::modes) fn next_deadline(&self, machine: &Machine) -> Option<u32> {
        let wait = self.guest.undisturbed();
        match (machine.board.pace.clock + wait) as u32 {
            0 if wait == 1 => None,
            0 => Some(u32::MAX),
            low => Some(low),
        }
    }

    /// Takes the processor back from the guest's own code: its clock goes on with the real one.
    pub(in crate::modes) fn leave_guest(&mut self, machine: &mut Machine, trap: Trap, notes: &mut Notes) {
        let Some((clock, skipped)) = self.resumed else {
            return;
        };
        let ran = machine.board.pace.clock - clock;
        self.guest.pace.skipped += machine.board.pace.skipped - skipped;
        // The handler's first instruction has been fetched, unless it is its fetch that faults.
        let fetching = matches!(trap.cause, Cause::FetchAccess | Cause::FetchPage);
        self.guest.pace.entering &= fetching && ran == 0;
        let (x, pc) = (machine.hart.x, machine.hart.csr.epc);
        self.settle(machine, &x, pc, self.guest.pace.clock + ran, trap, notes);
    }

    /// The guest's state at this exit goes to the save area, and its clock goes on.
    pub(in crate::modes) fn settle(
        &mut self,
        machine: &mut Machine,
        x: &[u32; 32],
        pc: u32,
        clock: u64,
        trap: Trap,
        notes: &mut Notes,
    ) {
        self.resumed = None;
        self.guest.pace.clock = clock;
        self.guest.pace.attention = 0;
        self.allocator.save(&mut machine.board, x, pc);
        notes.counts.words += STATE_WORDS;
        if self.guest.mirrors() {
            self.virtually(machine, notes, |hart, board| Mirror::heed(board, hart));
        }
        let hart = self.allocator.load(&machine.board);
        let real_ring = machine.hart.csr.status.previous_ring();
        notes.exit(&self.guest, &hart, trap, real_ring);
    }
}
