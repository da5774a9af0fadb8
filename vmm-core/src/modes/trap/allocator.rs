//! The allocator: which real memory is the guest's, and which is the monitor's own.
//!
//! Everything that the monitor owns is in simulated memory, in one superpage that stands at the top of *every*
//! guest address space and that only the simulated hardware protects:
//!
//! | what | pages |
//! |---|---|
//! | translation cache | as many as binary translation asked for; else none |
//! | entry page: where `tvec` points. The monitor's Rust code stands in for what would be here | 1 |
//! | save area: the guest's registers and virtual control registers | 1 |
//! | page tables: shadow tables | the rest |

use toy_isa::bus::{Bus, Width};
use toy_isa::hart::{Csrs, Hart};
use toy_isa::instruction::Instruction;
use toy_isa::machine::{Board, Machine};
use toy_isa::mmu::PAGE;
use toy_isa::table::{Csr, Op};

use crate::modes::SUPERPAGE_FRAMES;

/// The linear address of the monitor's superpage, the last one of the address space.
pub const MONITOR: u32 = 0xffc0_0000;

/// Words of state moved when the guest leaves, and again when it is resumed: x1..x15 and the program counter.
pub const STATE_WORDS: u64 = 16;

/// The word of the save area where the control registers begin, in the order of [`Csrs::words`].
const FIRST_CSR: u32 = 16;

/// What of real memory is the monitor's own.
#[derive(Clone)]
pub struct Allocator {
    /// Physical address of the monitor's superpage.
    monitor: u32,
    /// Pages at its beginning that hold translated code.
    cache_pages: u32,
}

impl Allocator {
    /// The monitor's part of a machine: the superpage at physical address `monitor`, with `cache_pages` pages for
    /// translated code, at most half of it.
    pub fn on(machine: &mut Machine, monitor: u32, cache_pages: u32) -> Allocator {
        let halt = Instruction {
            op: Op::Ebreak,
            rd: 0,
            rs1: 0,
            rs2: 0,
            imm: 0,
        }
        .encode();
        let entry_page = halt.to_le_bytes().repeat(PAGE as usize / 4);
        let loaded = machine.board.ram.load(monitor + cache_pages * PAGE, &entry_page);
        debug_assert!(loaded.is_some(), "the monitor's superpage is in memory");
        Allocator { monitor, cache_pages }
    }

    /// The physical address of the monitor's superpage.
    pub fn monitor(&self) -> u32 {
        self.monitor
    }

    /// The linear address of the translation cache, and of the first byte after it.
    pub fn cache(&self) -> std::ops::Range<u32> {
        MONITOR..MONITOR + self.cache_pages * PAGE
    }

    /// The linear address where the hardware enters the monitor.
    pub fn entry(&self) -> u32 {
        self.cache().end
    }

    /// The linear address of the save area.
    pub fn save_area(&self) -> u32 {
        self.entry() + PAGE
    }

    /// All pages for page tables, by physical address.
    pub fn table_pages(&self) -> Vec<u32> {
        (self.cache_pages + 2..SUPERPAGE_FRAMES)
            .rev()
            .map(|page| self.monitor + page * PAGE)
            .collect()
    }

    /// The guest's registers and virtual control registers, as the save area holds them.
    pub fn load(&self, board: &Board) -> Hart {
        let word = |index: u32| self.word(board, index);
        let mut hart = Hart::new(word(0));
        for register in 1..16 {
            hart.x[register as usize] = word(register);
        }
        hart.csr = Csrs::from_words(std::array::from_fn(|number| word(FIRST_CSR + number as u32)));
        hart
    }

    /// The inverse of [`Allocator::load`]. The slot of x0 holds the program counter.
    pub fn store(&self, board: &mut Board, hart: &Hart) {
        self.save(board, &hart.x, hart.pc);
        for (index, value) in (FIRST_CSR..).zip(hart.csr.words()) {
            self.put(board, index, value);
        }
    }

    /// Saves the state that changes while the guest runs: registers and program counter.
    pub fn save(&self, board: &mut Board, x: &[u32; 32], pc: u32) {
        self.put(board, 0, pc);
        for register in 1..16 {
            self.put(board, register, x[register as usize]);
        }
    }

    /// The word of the save area that holds a control register; `None` for those that are not the processor's own.
    pub fn word_of(csr: Csr) -> Option<u32> {
        let number = match csr {
            Csr::Status => 0,
            Csr::Tvec => 1,
            Csr::Scratch => 2,
            Csr::Epc => 3,
            Csr::Cause => 4,
            Csr::Tval => 5,
            Csr::Ptbr => 6,
            Csr::Base => 7,
            Csr::Bound => 8,
            Csr::Xbound => 9,
            Csr::Window => 10,
            _ => return None,
        };
        Some(FIRST_CSR + number)
    }

    /// A word of the save area, by its number.
    pub fn word(&self, board: &Board, index: u32) -> u32 {
        board.ram.read(self.saved(index), Width::Word).unwrap_or_default()
    }

    /// Writes a word of the save area.
    pub fn put(&self, board: &mut Board, index: u32, value: u32) {
        let written = board.write(self.saved(index), Width::Word, value);
        debug_assert!(written.is_some(), "the save area is in memory");
    }

    fn saved(&self, index: u32) -> u32 {
        self.monitor + (self.cache_pages + 1) * PAGE + 4 * index
    }
}
