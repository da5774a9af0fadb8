//! The machine on which instructions are classified: small enough to pair its states by the thousand, concrete
//! enough that a person can follow one.

use std::sync::Arc;

use toy_isa::bus::{Bus, Pace, Width};
use toy_isa::cpu;
use toy_isa::devices::Devices;
use toy_isa::hart::Hart;
use toy_isa::instruction::{Registers, decode};
use toy_isa::mmu::{PAGE, Tlb};
use toy_isa::profile::Profile;
use toy_isa::row::Row;
use toy_isa::semantics::{CPUID, execute};
use toy_isa::table::Csr;
use toy_isa::trap::Trap;

/// Bytes of real memory.
pub const MEMORY: u32 = 16 * PAGE;

/// Everything that an instruction can see or change: Popek and Goldberg's S = (E, M, P, R), and the rest.
#[derive(Clone, Debug)]
pub struct State {
    /// Registers (of E), the ring (M), the program counter (P), relocation and limits (R), the other control registers.
    pub hart: Hart,
    /// Real memory (of E).
    pub memory: Memory,
    /// The devices.
    pub devices: Arc<Devices>,
    /// The clock.
    pub clock: u64,
    /// Whether the processor waits for an interrupt.
    pub halted: bool,
    /// What machine this is: the value of `cpuid`. On Ring32 it is a constant; here it is a strap, so that two
    /// machines can differ in it.
    pub identity: u32,
}

/// Real memory: an image that many states share, and what was stored since.
#[derive(Clone, Debug)]
pub struct Memory {
    image: Arc<[u32]>,
    /// Word numbers and their values, each once.
    stores: Vec<(u32, u32)>,
}

impl Memory {
    /// Memory that begins with these words.
    pub fn new(image: Arc<[u32]>) -> Memory {
        Memory {
            image,
            stores: Vec::new(),
        }
    }

    /// The word that holds the byte at `address`; `None` where there is no memory.
    pub fn word(&self, address: u32) -> Option<u32> {
        let number = address / 4;
        let stored = self.stores.iter().find(|(at, _)| *at == number);
        stored
            .map(|(_, value)| *value)
            .or_else(|| self.image.get(number as usize).copied())
    }

    /// An aligned read, zero-extended; `None` where there is no memory.
    pub fn read(&self, address: u32, width: Width) -> Option<u32> {
        let word = self.word(address)? >> (8 * (address % 4));
        Some(match width {
            Width::Byte => word & 0xff,
            Width::Half => word & 0xffff,
            Width::Word => word,
        })
    }

    /// An aligned write; `None` where there is no memory.
    pub fn write(&mut self, address: u32, width: Width, value: u32) -> Option<()> {
        let shift = 8 * (address % 4);
        let mask = match width {
            Width::Byte => 0xff << shift,
            Width::Half => 0xffff << shift,
            Width::Word => u32::MAX,
        };
        let word = self.word(address)? & !mask | value << shift & mask;
        let number = address / 4;
        match self.stores.iter_mut().find(|(at, _)| *at == number) {
            Some((_, stored)) => *stored = word,
            None => self.stores.push((number, word)),
        }
        Some(())
    }

    /// Addresses of the words that are not what they were in the image, with their values.
    pub fn changed(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        let differs = |(number, word): &(u32, u32)| self.image.get(*number as usize) != Some(word);
        let stores = self.stores.iter().copied().filter(differs);
        stores.map(|(number, word)| (number * 4, word))
    }
}

/// Ring32 with this profile, as a step function: what one attempt at the instruction at `pc` makes of a state.
/// Interrupts are not looked at.
///
/// The classifier sees nothing of the profile but this function.
pub fn ring32(profile: &Profile) -> impl Fn(&State) -> Result<State, Trap> + '_ {
    move |before| {
        let mut after = before.clone();
        let mut board = SmallBoard {
            profile,
            memory: &mut after.memory,
            devices: &mut after.devices,
            pace: Pace {
                clock: before.clock,
                ..Pace::default()
            },
        };
        let hart = &mut after.hart;
        let word = cpu::fetch(hart, &mut board)?;
        let insn = decode(word, Registers::Sixteen).ok_or(Trap::illegal(word))?;
        hart.pc = execute(hart, &mut board, insn)?;
        after.clock = board.pace.clock + 1;
        after.halted = board.pace.halted;
        let target = &mut hart.x[usize::from(insn.rd & 15)];
        if insn.row() == Row::Read(Csr::Cpuid) && *target == CPUID {
            *target = before.identity;
        }
        Ok(after)
    }
}

/// The board of the small machine. It has no TLB: translation is coherent, so none could be told.
struct SmallBoard<'a> {
    profile: &'a Profile,
    memory: &'a mut Memory,
    devices: &'a mut Arc<Devices>,
    pace: Pace,
}

impl Bus for SmallBoard<'_> {
    fn profile(&self) -> &Profile {
        self.profile
    }

    fn pace(&mut self) -> &mut Pace {
        &mut self.pace
    }

    fn devices(&mut self) -> &mut Devices {
        Arc::make_mut(self.devices)
    }

    fn read(&mut self, address: u32, width: Width) -> Option<u32> {
        self.memory.read(address, width)
    }

    fn write(&mut self, address: u32, width: Width, value: u32) -> Option<()> {
        self.memory.write(address, width, value)
    }

    fn mark(&mut self, address: u32, entry: u32) -> Option<()> {
        self.memory.write(address, Width::Word, entry)
    }

    fn tlb(&mut self) -> Option<&mut Tlb> {
        None
    }

    fn walked(&mut self, _address: u32) {}

    fn translated(&mut self, _ring: u32, _address: u32) {}
}
