//! The bare machine: a processor on a board with memory and devices.

use std::sync::Arc;

use crate::bus::{Bus, Pace, Width};
use crate::devices::Devices;
use crate::hart::Hart;
use crate::image::Image;
use crate::instruction::Registers;
use crate::mmu::Tlb;
use crate::profile::Profile;
use crate::ram::{Ram, flag};
use crate::row::Row;
use crate::table::OPS;

/// Everything that a machine is made of at power-on.
#[derive(Clone, Debug)]
pub struct Config {
    /// RAM in bytes, at most [`Ram::LIMIT`].
    pub memory: u32,
    /// What sensitive rows do outside ring 0.
    pub profile: Arc<Profile>,
    /// Contents of the disk.
    pub disk: Vec<u8>,
    /// Waiting console input.
    pub input: Vec<u8>,
    /// Entries in each half of the TLB's counting model, a power of two.
    pub tlb: usize,
}

/// The entries of each half of the TLB, unless a scenario says otherwise: those of the Intel Pentium 4's data TLB.
pub const TLB_ENTRIES: usize = 64;

/// Everything but the processor.
#[derive(Clone)]
pub struct Board {
    /// Physical memory.
    pub ram: Ram,
    /// Console, timer, disk, power.
    pub devices: Devices,
    /// The clock.
    pub pace: Pace,
    /// The counting model of the TLB.
    pub tlb: Tlb,
    /// What outsiders look at while the machine runs.
    pub observer: Observer,
    profile: Arc<Profile>,
    stale_code: Vec<u32>,
}

/// What the board notes for those who look at it from outside. None of it changes what a program sees.
#[derive(Clone, Debug, Default)]
pub struct Observer {
    /// Whose the frames are, if somebody watches who touches them.
    pub ledger: Option<Ledger>,
    /// The physical addresses of such accesses, with the world they came from ([`Hart::world`]); the first few of
    /// them.
    pub intrusions: Vec<(u32, u32)>,
    /// The first sensitive row that code outside ring 0 executed to its full effect, while there is a ledger.
    pub seized: Option<Row>,
    /// Counts the instructions that retire at marked addresses.
    pub tally: Option<Tally>,
    /// Numbers of pages that were [`flag::CLEAN`] and have been stored to.
    pub dirty: Vec<u32>,
}

/// Whose each frame of memory is, by number; 0 is the monitor.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// By frame.
    pub owners: Vec<u16>,
    /// Who has the processor while the monitor has not.
    pub running: u16,
    /// How often it was asked: once for each page that code outside ring 0 or in non-root operation reaches, and again
    /// whenever the page's translation is made anew.
    pub asked: u64,
}

/// A count of the instructions that retire at certain addresses: a performance counter for those who look on from
/// outside.
#[derive(Clone, Debug)]
pub struct Tally {
    /// The linear address of the first word that can be marked.
    start: u32,
    /// For each word from there on, whether it counts. Copies of a machine share it until one of them marks another.
    marked: Arc<Vec<bool>>,
    /// How many have retired.
    pub retired: u64,
}

impl Tally {
    /// No marks on `words` words from `start` on, a multiple of the page size.
    pub fn new(start: u32, words: usize) -> Tally {
        Tally {
            start,
            marked: Arc::new(vec![false; words]),
            retired: 0,
        }
    }

    /// Marks a word, or takes its mark away.
    pub fn mark(&mut self, address: u32, counts: bool) {
        if self.counts(address) == counts {
            return;
        }
        let index = (address.wrapping_sub(self.start) / 4) as usize;
        if let Some(mark) = Arc::make_mut(&mut self.marked).get_mut(index) {
            *mark = counts;
        }
    }

    /// Whether any word of this page can be marked.
    pub(crate) fn covers(&self, page_start: u32) -> bool {
        ((page_start.wrapping_sub(self.start) / 4) as usize) < self.marked.len()
    }

    /// Whether this word is marked.
    pub fn counts(&self, address: u32) -> bool {
        let index = (address.wrapping_sub(self.start) / 4) as usize;
        self.marked.get(index).copied().unwrap_or(false)
    }

    /// An instruction at this address has retired.
    pub(crate) fn retired(&mut self, address: u32) {
        self.retired += u64::from(self.counts(address));
    }
}

/// How many intrusions are kept; one is enough for a verdict.
const INTRUSIONS_KEPT: usize = 16;

/// A processor on its board.
#[derive(Clone)]
pub struct Machine {
    /// The processor.
    pub hart: Hart,
    /// The rest.
    pub board: Board,
    /// Attempts at an instruction, and interrupts taken: what a budget counts.
    pub attempts: u64,
    /// Retired instructions by operation, in the order of [`OPS`].
    pub histogram: [u64; OPS.len()],
}

/// Why an image cannot be put into a machine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// A segment reaches beyond the memory.
    #[error(
        "the image needs memory up to {end:#x}, but the machine has {memory:#x} bytes; \
         give the scenario more memory or link the image lower"
    )]
    TooLarge {
        /// One past the last address.
        end: u64,
        /// RAM in bytes.
        memory: u32,
    },
    /// The entry point is not in memory.
    #[error("the entry point {entry:#x} lies outside the memory of {memory:#x} bytes")]
    Entry {
        /// Where the image wants to begin.
        entry: u32,
        /// RAM in bytes.
        memory: u32,
    },
    /// The program may name registers that the hardware does not have.
    #[error(
        "the program is compiled for 32 registers (RV32I), and Ring32's hardware has 16; \
         compile it with -march=rv32em -mabi=ilp32e"
    )]
    Foreign,
}

impl Machine {
    /// A machine at reset, with empty memory.
    pub fn new(config: Config) -> Machine {
        let board = Board {
            ram: Ram::new(config.memory),
            devices: Devices::new(config.disk, config.input),
            pace: Pace::default(),
            tlb: Tlb::new(config.tlb),
            observer: Observer::default(),
            profile: config.profile,
            stale_code: Vec::new(),
        };
        Machine {
            hart: Hart::new(0),
            board,
            attempts: 0,
            histogram: [0; OPS.len()],
        }
    }

    /// Puts an image into memory at its own addresses, and the program counter at its entry.
    ///
    /// # Errors
    /// If a segment or the entry point lies outside memory, or the image is for another processor.
    pub fn load(&mut self, image: &Image) -> Result<(), LoadError> {
        if image.registers != Registers::Sixteen {
            return Err(LoadError::Foreign);
        }
        let memory = self.board.ram.size();
        for segment in &image.segments {
            let end = u64::from(segment.address) + u64::from(segment.size);
            if end > u64::from(memory) {
                return Err(LoadError::TooLarge { end, memory });
            }
            let loaded = self.board.ram.load(segment.address, &segment.bytes);
            debug_assert!(loaded.is_some(), "a segment holds no more bytes than its size");
        }
        if image.entry >= memory {
            return Err(LoadError::Entry {
                entry: image.entry,
                memory,
            });
        }
        self.hart.pc = image.entry;
        Ok(())
    }

    /// Takes the pages whose decoded code an engine must forget.
    pub fn take_stale_code(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.board.stale_code)
    }
}

impl Board {
    /// The bus view of the profile, shared.
    pub fn profile_handle(&self) -> Arc<Profile> {
        Arc::clone(&self.profile)
    }

    /// Whether an observer wants to hear of each page that a processor in this state reaches.
    pub fn watches(&self, hart: &Hart) -> bool {
        self.observer.ledger.is_some() && hart.world() != 0
    }

    /// Tells the tally, if there is one, that an instruction has retired at this address.
    pub(crate) fn retired_at(&mut self, address: u32) {
        if let Some(tally) = &mut self.observer.tally {
            tally.retired(address);
        }
    }

    /// What a store to a flagged page sets off.
    #[cold]
    fn flagged_store(&mut self, address: u32, flags: u8) {
        self.ram
            .clear(address, flags & (flag::CLEAN | flag::CODE | flag::TABLE));
        let page = address / crate::mmu::PAGE;
        if flags & flag::CLEAN != 0 {
            self.observer.dirty.push(page);
        }
        if flags & flag::CODE != 0 {
            self.stale_code.push(page);
            self.attend();
        }
        if flags & flag::TABLE != 0 {
            self.tlb.doubt();
            self.attend();
        }
    }
}

impl Bus for Board {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    #[inline]
    fn pace(&mut self) -> &mut Pace {
        &mut self.pace
    }

    fn devices(&mut self) -> &mut Devices {
        &mut self.devices
    }

    #[inline]
    fn read(&mut self, address: u32, width: Width) -> Option<u32> {
        self.ram.read(address, width)
    }

    #[inline]
    fn write(&mut self, address: u32, width: Width, value: u32) -> Option<()> {
        let flags = self.ram.write(address, width, value)?;
        if flags != 0 {
            self.flagged_store(address, flags);
        }
        Some(())
    }

    fn mark(&mut self, address: u32, entry: u32) -> Option<()> {
        let flags = self.ram.write(address, Width::Word, entry)? & !flag::TABLE;
        self.flagged_store(address, flags);
        Some(())
    }

    #[inline]
    fn tlb(&mut self) -> Option<&mut Tlb> {
        Some(&mut self.tlb)
    }

    fn walked(&mut self, address: u32) {
        self.ram.set(address, flag::TABLE);
    }

    fn took_effect(&mut self, row: Row) {
        if self.observer.ledger.is_some() && self.observer.seized.is_none() {
            self.observer.seized = Some(row);
        }
    }

    #[inline]
    fn translated(&mut self, world: u32, address: u32) {
        let Some(ledger) = self.observer.ledger.as_mut().filter(|_| world != 0) else {
            return;
        };
        ledger.asked += 1;
        let owner = ledger.owners.get((address / crate::mmu::PAGE) as usize);
        let foreign = owner.is_some_and(|owner| *owner != ledger.running);
        if foreign && self.observer.intrusions.len() < INTRUSIONS_KEPT {
            self.observer.intrusions.push((address, world));
        }
    }
}
