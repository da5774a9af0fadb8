//! The guest as it sees itself: the map f from the state of the monitor's machine to that of a bare one.

use std::sync::Arc;

use toy_isa::bus::{Bus, Pace, Width};
use toy_isa::devices::Devices;
use toy_isa::hart::Hart;
use toy_isa::machine::{Board, Machine};
use toy_isa::mmu::{self, PAGE, Tlb, pte};
use toy_isa::profile::Profile;

use crate::mode::{Answer, Sync};
use crate::modes::enlightened::Enlightened;
use crate::modes::para::look::Interface;
use crate::setup::Setup;

/// Which frame of real memory holds each frame of guest memory.
///
/// Where the hardware can page, frames are never identity-mapped and never in a row, so that a forgotten translation
/// cannot go unseen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frames {
    host: Arc<[u32]>,
    /// By real frame; `None` for those that are not the guest's.
    guest: Arc<[Option<u32>]>,
}

impl Frames {
    /// A seeded shuffle of `guest` frames into the first `pool` frames of real memory.
    ///
    /// # Panics
    /// If the pool is not larger than the guest.
    pub fn shuffled(guest: u32, pool: u32, seed: u64) -> Frames {
        Frames::dealt(&[guest], pool, seed).remove(0)
    }

    /// For each guest, as many frames as it has, dealt from one shuffle of the first `pool` frames of real memory.
    ///
    /// # Panics
    /// If the pool is not larger than all guests together.
    pub fn dealt(guests: &[u32], pool: u32, seed: u64) -> Vec<Frames> {
        assert!(guests.iter().sum::<u32>() < pool, "a shuffle needs room");
        let mut deck: Vec<u32> = (0..pool).collect();
        let mut state = seed ^ 0x9e37_79b9_7f4a_7c15;
        for i in (1..deck.len()).rev() {
            // xorshift64*: Vigna, ACM TOMS 42 (2016), section 3.
            state ^= state >> 12;
            state ^= state << 25;
            state ^= state >> 27;
            let random = state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32;
            deck.swap(i, random as usize % (i + 1));
        }
        let mut deck = deck.into_iter();
        guests
            .iter()
            .map(|count| {
                let mut frames: Vec<u32> = deck.by_ref().take(*count as usize).collect();
                // No frame may stand where it would stand on bare metal.
                for i in 0..frames.len() {
                    if frames[i] as usize == i {
                        let other = (i + 1) % frames.len();
                        frames.swap(i, other);
                    }
                }
                Frames::at(frames)
            })
            .collect()
    }

    /// These frames, by guest frame.
    pub fn at(host: Vec<u32>) -> Frames {
        let last = host.iter().max().map_or(0, |last| *last as usize + 1);
        let mut guest = vec![None; last];
        for (number, frame) in (0..).zip(&host) {
            guest[*frame as usize] = Some(number);
        }
        Frames {
            host: host.into(),
            guest: guest.into(),
        }
    }

    /// Frames in a row, from real frame `first` on: for a machine that has only relocation and limit.
    pub fn contiguous(first: u32, count: u32) -> Frames {
        Frames::at((first..first + count).collect())
    }

    /// The real frame of a guest frame; `None` if the guest has no such frame.
    #[inline]
    pub fn host(&self, guest: u32) -> Option<u32> {
        self.host.get(guest as usize).copied()
    }

    /// The guest frame that a real frame holds; `None` if it is not the guest's.
    pub fn guest(&self, host: u32) -> Option<u32> {
        self.guest.get(host as usize).copied().flatten()
    }

    /// The real address of a guest-physical address.
    #[inline]
    pub fn address(&self, guest: u32) -> Option<u32> {
        Some(self.host(guest / PAGE)? * PAGE + guest % PAGE)
    }

    /// Guest frame and real frame, for all frames.
    pub fn pairs(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.host
            .iter()
            .enumerate()
            .map(|(guest, host)| (guest as u32, *host))
    }

    /// How many frames the guest has.
    pub fn len(&self) -> u32 {
        self.host.len() as u32
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.host.is_empty()
    }
}

/// What a monitor keeps for a guest beside its processor: where its memory is, its devices, its clock, and its idea of
/// the hardware.
#[derive(Clone)]
pub struct Guest {
    /// Where the guest's memory is.
    pub frames: Frames,
    /// The guest's devices.
    pub devices: Devices,
    /// The guest's clock.
    pub pace: Pace,
    /// The guest's idea of what sensitive rows do outside ring 0.
    pub profile: Arc<Profile>,
    /// Guest-physical addresses that were stored to on the virtual board, for a monitor that shadows page tables and
    /// takes them out; `None` where nobody does.
    pub stores: Option<Vec<u32>>,
    /// Guest page-table entries read on the virtual board.
    pub references: u64,
    /// The most ticks for which it may have the processor.
    pub quantum: u64,
    /// What the monitor offers the guest beside the machine, if the guest knows of it.
    pub enlightened: Option<Enlightened>,
    /// Whether the guest's processor has root operation, as its profile says: only pure emulation gives it to a guest.
    pub root_operation: bool,
}

impl Guest {
    /// A guest at power-on, with its memory in these frames.
    pub fn new(setup: &Setup, frames: Frames) -> Guest {
        Guest {
            frames,
            devices: Devices::new(setup.disk.clone(), setup.input.clone()),
            pace: Pace::default(),
            profile: Arc::clone(&setup.profile),
            stores: None,
            references: 0,
            quantum: setup.quantum,
            enlightened: setup.port.as_ref().and_then(Enlightened::of),
            root_operation: false,
        }
    }

    /// The board that the guest believes to be on.
    pub fn on<'a>(&'a mut self, host: &'a mut Board) -> VirtualBoard<'a> {
        let mut board = VirtualBoard { host, guest: self };
        board.listen();
        board
    }

    /// The ticks in which nothing can happen to the guest from outside, but at most its quantum: how long it may have
    /// the processor.
    pub fn undisturbed(&self) -> u64 {
        let clock = self.pace.clock;
        let event = self
            .devices
            .next_event(clock)
            .map_or(self.quantum, |at| at - clock);
        event.min(self.quantum)
    }

    /// Sets the timer so many ticks from now; 0 turns it off.
    pub fn set_timer(&mut self, ticks: u32) {
        let clock = self.pace.clock;
        // The low word 0 would turn it off: one tick later.
        let deadline = (clock as u32).wrapping_add(ticks).max(1);
        let deadline = if ticks == 0 { 0 } else { deadline };
        self.devices.timer.set(deadline, clock);
    }

    /// How a monitor goes on after an instruction that it carried out has retired: whether the guest's processor
    /// changed hands by it.
    pub fn retired(&mut self) -> Answer {
        match std::mem::take(&mut self.pace.returned) {
            true => Answer::Sync(Sync::Return),
            false => Answer::Resume,
        }
    }

    /// What passes between it and its monitor beside hypercalls, if it knows of that.
    pub(crate) fn interface(&self, machine: &Machine) -> Option<Interface> {
        let enlightened = self.enlightened.as_ref()?;
        let word = |address| self.word(machine, address);
        Some(enlightened.look(&word, self.pace.halted))
    }

    /// A word of its memory.
    pub(crate) fn word(&self, machine: &Machine, address: u32) -> Option<u32> {
        let real = self.frames.address(address)?;
        machine.board.ram.read(real, Width::Word)
    }

    /// The guest as it sees itself, with its processor in this state.
    pub fn view<'a>(&'a self, hart: Hart, machine: &'a Machine) -> GuestView<'a> {
        GuestView {
            hart,
            pace: self.pace.clone(),
            devices: &self.devices,
            real_tables: false,
            machine,
            frames: Some(&self.frames),
        }
    }
}

/// The board that the guest believes to be on: its memory is scattered over real frames, its devices and its
/// clock are the monitor's.
pub struct VirtualBoard<'a> {
    /// The real one.
    pub(crate) host: &'a mut Board,
    /// Whose it is.
    pub(crate) guest: &'a mut Guest,
}

impl Bus for VirtualBoard<'_> {
    fn profile(&self) -> &Profile {
        &self.guest.profile
    }

    fn root_operation(&self) -> bool {
        self.guest.root_operation
    }

    fn pace(&mut self) -> &mut Pace {
        &mut self.guest.pace
    }

    fn devices(&mut self) -> &mut Devices {
        &mut self.guest.devices
    }

    fn read(&mut self, address: u32, width: Width) -> Option<u32> {
        self.host.read(self.guest.frames.address(address)?, width)
    }

    fn write(&mut self, address: u32, width: Width, value: u32) -> Option<()> {
        if let Some(stores) = &mut self.guest.stores {
            stores.push(address);
        }
        self.host.write(self.guest.frames.address(address)?, width, value)
    }

    fn mark(&mut self, address: u32, entry: u32) -> Option<()> {
        self.host
            .write(self.guest.frames.address(address)?, Width::Word, entry)
    }

    fn tlb(&mut self) -> Option<&mut Tlb> {
        None
    }

    fn walked(&mut self, _address: u32) {
        self.guest.references += 1;
    }

    fn translated(&mut self, _ring: u32, _address: u32) {}

    fn hypercall(&mut self, hart: &mut Hart) -> Option<u32> {
        self.answer(hart)
    }

    fn disk_finished(&mut self) {
        self.disk_rings();
    }
}

/// The guest's state under the map f: what a bare machine would hold.
pub struct GuestView<'a> {
    /// Registers, program counter and control registers, as the guest sees them.
    pub hart: Hart,
    /// The guest's clock.
    pub pace: Pace,
    /// The guest's devices.
    pub devices: &'a Devices,
    /// Its page tables name real memory: those of a kernel that was ported to have them validated.
    pub real_tables: bool,
    machine: &'a Machine,
    frames: Option<&'a Frames>,
}

impl<'a> GuestView<'a> {
    /// The view of a bare machine: f is the identity.
    pub fn bare(machine: &'a Machine) -> GuestView<'a> {
        GuestView {
            hart: machine.hart.clone(),
            pace: machine.board.pace.clone(),
            devices: &machine.board.devices,
            real_tables: false,
            machine,
            frames: None,
        }
    }

    /// One page of guest-physical memory; `None` if the guest has no such page.
    pub fn page(&self, number: u32) -> Option<&'a [u8]> {
        let host = match self.frames {
            Some(frames) => frames.host(number)?,
            None => number,
        };
        self.machine.board.ram.page(host)
    }

    /// How many pages of memory the guest has.
    pub fn pages(&self) -> u32 {
        self.frames.map_or(self.machine.board.ram.pages(), Frames::len)
    }

    /// The word at a guest-physical address.
    pub fn word(&self, address: u32) -> Option<u32> {
        let page = self.page(address / PAGE)?;
        let at = (address % PAGE) as usize;
        Some(u32::from_le_bytes(page.get(at..at + 4)?.try_into().ok()?))
    }

    /// The address of memory that an address of the guest's means for now, whoever may reach it: in the machine whose
    /// memory is the guest's. `None` if there is none.
    pub fn real(&self, address: u32) -> Option<u32> {
        let linear = mmu::linear(&self.hart, address);
        let real = |physical: u32| match self.frames.filter(|_| !self.real_tables) {
            Some(frames) => frames.address(physical),
            None => Some(physical),
        };
        if !self.hart.csr.paging() {
            return real(linear);
        }
        let mut table = self.hart.csr.ptbr & !(PAGE - 1);
        for level in [1, 0] {
            let index = linear >> (12 + 10 * level) & 1023;
            let entry = self
                .machine
                .board
                .ram
                .read(real(table + 4 * index)?, Width::Word)?;
            if entry & pte::V == 0 {
                return None;
            }
            table = pte::frame(entry)?;
            if entry & (pte::R | pte::X) != 0 {
                let within = PAGE.wrapping_shl(10 * level) - 1;
                return real(table & !within | linear & within);
            }
        }
        None
    }

    /// The word at an address of the guest's, a multiple of 4, as [`GuestView::real`] finds it.
    pub fn at(&self, address: u32) -> Option<u32> {
        self.machine.board.ram.read(self.real(address)?, Width::Word)
    }

    /// The page of real memory that is this page of the guest, if it has one of this number.
    pub fn host_page(&self, number: u32) -> Option<u32> {
        match self.frames {
            None => Some(number).filter(|number| *number < self.machine.board.ram.pages()),
            Some(frames) => frames.host(number),
        }
    }

    /// The guest page that is this page of real memory, if it is the guest's.
    pub fn guest_page(&self, host: u32) -> Option<u32> {
        match self.frames {
            None => Some(host),
            Some(frames) => frames.guest(host),
        }
    }
}
