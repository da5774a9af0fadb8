//! The switch between monitor and guest: real control registers from virtual ones, and back.

use toy_isa::hart::{Csrs, Hart, Status};
use toy_isa::machine::Machine;
use toy_isa::trap::{Cause, Trap};

use crate::event::Event;
use crate::mode::Notes;
use crate::modes::trap::allocator::{ENTRY, MONITOR, STATE_WORDS};
use crate::modes::trap::shadow::{RootKey, View};
use crate::modes::trap::{Bug, Layout, TrapAndEmulate};

/// The monitor regains control after at most this many clock ticks, whatever the guest does.
pub const QUANTUM: u64 = 65_536;

impl TrapAndEmulate {
    /// The real ring in which the guest runs while it believes to be in `virtual_ring`.
    pub(super) fn real_ring(&self, virtual_ring: u32) -> u32 {
        match self.layout {
            Layout::RingDeprivileging if virtual_ring < 3 => 1,
            _ => 3,
        }
    }

    /// The shadow table that the guest runs on.
    pub(super) fn root_key(&self, hart: &Hart) -> RootKey {
        let view = match self.layout {
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
        let relocation = if hart.csr.status.relocates() {
            hart.csr.base
        } else {
            0
        };
        MONITOR.saturating_sub(relocation)
    }

    /// The real control registers under which the guest runs.
    fn real_csrs(&self, hart: &Hart, root: u32) -> Csrs {
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
            tvec: ENTRY,
            ptbr: root | 1,
            base: hart.csr.base,
            bound: if lifted { u32::MAX } else { bound },
            xbound,
            ..Csrs::RESET
        }
    }

    /// Gives the processor to the guest.
    pub(super) fn enter_guest(&mut self, machine: &mut Machine, deadline: u32, notes: &mut Notes) {
        let hart = self.allocator.load(&machine.board);
        let key = self.root_key(&hart);
        let open = self.bug == Some(Bug::ProtectionLifted);
        let switch = self
            .shadow
            .switch(&mut machine.board, &self.guest.frames, key, open);
        if switch.changed {
            notes.counts.shadow_switches += 1;
            notes.event(
                &self.guest,
                &hart,
                Event::ShadowSwitch {
                    ptbr: hart.csr.ptbr,
                    fresh: switch.fresh,
                },
            );
            machine.board.tlb.fence(None);
        }
        machine.hart.x = hart.x;
        machine.hart.pc = hart.pc;
        machine.hart.csr = self.real_csrs(&hart, switch.root);
        // The monitor keeps real interrupts on for the guest, and the timer is the only line it enables.
        let clock = machine.board.pace.clock;
        machine.board.devices.timer.set(deadline, clock);
        machine.board.devices.enabled = toy_isa::devices::line::TIMER;
        machine.board.pace.entering = false;
        machine.board.pace.attention = 0;
        self.resumed = Some((machine.board.pace.clock, machine.board.pace.skipped));
        notes.counts.words += STATE_WORDS;
        notes.event(
            &self.guest,
            &hart,
            Event::Resume {
                real_ring: machine.hart.ring(),
            },
        );
    }

    /// The value for the real timer: the next virtual event, or the end of the quantum.
    ///
    /// A deadline whose low word is 0 cannot be written to the timer, for which 0 means off. Then it comes one
    /// tick early; and where not even that is left, there is none, and the next instruction must be interpreted.
    pub(super) fn next_deadline(&self, machine: &Machine) -> Option<u32> {
        let wait = self.guest.undisturbed(QUANTUM);
        match (machine.board.pace.clock + wait) as u32 {
            0 if wait == 1 => None,
            0 => Some(u32::MAX),
            low => Some(low),
        }
    }

    /// Takes the processor back: the guest's state goes to the save area, the guest's clock goes on.
    pub(super) fn leave_guest(&mut self, machine: &mut Machine, trap: Trap, notes: &mut Notes) {
        let Some((clock, skipped)) = self.resumed.take() else {
            return;
        };
        let (ran, waited) = (
            machine.board.pace.clock - clock,
            machine.board.pace.skipped - skipped,
        );
        self.guest.pace.clock += ran;
        self.guest.pace.skipped += waited;
        self.guest.pace.attention = 0;
        // The handler's first instruction has been fetched, unless it is its fetch that faults.
        let fetching = matches!(trap.cause, Cause::FetchAccess | Cause::FetchPage);
        self.guest.pace.entering &= fetching && ran == 0;
        self.allocator
            .save(&mut machine.board, &machine.hart.x, machine.hart.csr.epc);
        notes.counts.words += STATE_WORDS;
        let hart = self.allocator.load(&machine.board);
        let real_ring = machine.hart.csr.status.previous_ring();
        notes.exit(&self.guest, &hart, trap, real_ring);
    }
}
