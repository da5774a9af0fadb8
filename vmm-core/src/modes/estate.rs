//! Estates: what of a machine's memory belongs to one guest and its monitor.

use std::sync::Arc;

use toy_isa::machine::{Config, Machine};
use toy_isa::mmu::PAGE;
use toy_isa::profile::Profile;
use toy_isa::ram::Ram;

use crate::guest::Frames;
use crate::modes::{SUPERPAGE_FRAMES, pool_frames};
use crate::setup::{Setup, StartError};

/// A guest's frames, and the superpage of the monitor that looks after it.
pub struct Estate {
    /// Where the guest's memory is.
    pub frames: Frames,
    /// The physical address of the monitor's superpage.
    pub monitor: u32,
}

impl Estate {
    /// A machine for one guest and its monitor.
    pub fn alone(setup: &Setup, hardware: Arc<Profile>) -> (Machine, Estate) {
        let pool = pool_frames(setup.memory);
        let machine = machine(pool, 1, setup.tlb, hardware);
        let frames = Frames::shuffled(setup.memory.div_ceil(PAGE), pool, setup.seed);
        let monitor = pool * PAGE;
        (machine, Estate { frames, monitor })
    }

    /// A machine for all these guests, whose frames are dealt from one shuffled pool, so that no two guests' memories
    /// are apart. Profile, TLB and seed are those of the first.
    ///
    /// # Errors
    /// If there is no guest, or not enough memory in a machine for all of them.
    pub fn several(setups: &[Setup]) -> Result<(Machine, Vec<Estate>), StartError> {
        let [first, ..] = setups else {
            return Err(StartError::TooManyGuests(0));
        };
        let wanted: u64 = setups.iter().map(|setup| u64::from(setup.memory)).sum();
        let disks: u64 = setups.iter().map(|setup| setup.disk.len() as u64).sum();
        let monitors = setups.len() as u64 * u64::from(SUPERPAGE_FRAMES * PAGE);
        // Disks are not in the machine's memory, but in the host's they are.
        if wanted + monitors + disks + (8 << 20) > u64::from(Ram::LIMIT) {
            return Err(StartError::TooManyGuests(setups.len()));
        }
        let pool = pool_frames(wanted as u32);
        let machine = machine(pool, setups.len() as u32, first.tlb, Arc::clone(&first.profile));
        let counts: Vec<u32> = setups.iter().map(|setup| setup.memory.div_ceil(PAGE)).collect();
        let estates = Frames::dealt(&counts, pool, first.seed)
            .into_iter()
            .zip(0..)
            .map(|(frames, number)| Estate {
                frames,
                monitor: (pool + number * SUPERPAGE_FRAMES) * PAGE,
            })
            .collect();
        Ok((machine, estates))
    }
}

fn machine(pool: u32, monitors: u32, tlb: usize, hardware: Arc<Profile>) -> Machine {
    Machine::new(Config {
        memory: (pool + monitors * SUPERPAGE_FRAMES) * PAGE,
        profile: hardware,
        disk: Vec::new(),
        input: Vec::new(),
        tlb,
    })
}
