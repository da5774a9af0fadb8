//! What a run starts from: a guest, and the machine that it expects.

use std::sync::Arc;

use toy_isa::image::Image;
use toy_isa::machine::TLB_ENTRIES;
use toy_isa::profile::Profile;
use toy_isa::ram::Ram;

/// A guest and its machine. The same setup runs in every mode.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The guest's program.
    pub image: Arc<Image>,
    /// The guest's RAM in bytes, at most [`Setup::MEMORY_LIMIT`].
    pub memory: u32,
    /// What sensitive rows do outside ring 0.
    pub profile: Arc<Profile>,
    /// Contents of the disk.
    pub disk: Vec<u8>,
    /// Waiting console input.
    pub input: Vec<u8>,
    /// Entries in each half of the TLB's counting model, a power of two.
    pub tlb: usize,
    /// Decides which real frames a monitor gives to the guest.
    pub seed: u64,
}

impl Setup {
    /// The most RAM that a guest may have: 256 MiB.
    pub const MEMORY_LIMIT: u32 = 256 << 20;

    /// A guest with `memory` bytes of RAM on this profile, no disk and no input.
    pub fn new(image: Image, memory: u32, profile: Profile) -> Setup {
        const {
            assert!(
                Setup::MEMORY_LIMIT < Ram::LIMIT,
                "a monitor needs room beside the guest"
            )
        };
        Setup {
            image: Arc::new(image),
            memory,
            profile: Arc::new(profile),
            disk: Vec::new(),
            input: Vec::new(),
            tlb: TLB_ENTRIES,
            seed: 1974,
        }
    }
}
