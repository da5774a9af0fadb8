//! The code that there is: blocks by the page that they were made from, in a bounded arena.

use std::collections::HashMap;
use std::io;

use toy_isa::instruction::{Registers, decode};
use toy_isa::machine::Tally;
use toy_isa::mmu::PAGE;

use super::encode::{Assembler, displacement};
use super::layout::{LANES, VECTORS};
use super::listing::Kept;
use super::lower::trace::{self, Trace};
use super::lower::{self, Leave, Lowered, Memory, Neighbours};
use super::mapped::CodeMemory;
use crate::Translated;

/// Blocks for which there is room in the smallest arena.
const FEWEST: usize = 2;
/// More than any block takes, with its lanes.
const LARGEST: usize = 64 << 10;
/// The most that the lanes of one block take: at every step it may be left, or a few steps skipped.
const LANES_OF_ONE: usize = 4 * trace::LONGEST * VECTORS * 2 * LANES;
/// Instead of a place in the arena: the first instruction is not for emitted code.
const NEVER: u32 = u32::MAX;
/// Words in a page.
const WORDS: usize = PAGE as usize / 4;

/// What there is for one word of a page: how often it was executed, or where its block stands, which is behind
/// the ways in and out.
type Entry = u32;
/// Where blocks begin, at least: no count is as high.
const BLOCKS: u32 = 256;

/// The blocks of a page, for one address of it and one way to memory.
struct Page {
    start: u32,
    memory: Memory,
    entries: Box<[Entry; WORDS]>,
}

/// A way out of emitted code.
#[derive(Clone, Copy)]
pub(super) struct ExitOf {
    /// Out of which block; without meaning for [`Leave::Unknown`].
    pub(super) block: u32,
    /// Why.
    pub(super) leave: Leave,
}

/// What is known of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// The place of its block.
    Code(usize),
    /// It has not been executed often.
    Cold,
    /// It is time to translate it.
    Warm,
    /// It begins with an instruction that is not for emitted code.
    Never,
}

/// Blocks and their arena.
pub(super) struct Cache {
    pub(super) memory: CodeMemory,
    /// Blocks end here.
    used: usize,
    /// Lanes stand from here to the end of the arena.
    lanes_from: usize,
    /// How often the beginning of a block is executed step by step before the block is translated.
    patience: u32,
    /// Where the arena is used from, after what is made once.
    first: usize,
    pub(super) ways: Ways,
    /// By frame.
    frames: Vec<Vec<Page>>,
    /// Of each block.
    pub(super) traces: Vec<Trace>,
    /// How many instructions the block at a place wants to be paid for, at once.
    lengths: HashMap<usize, u64>,
    exits: Vec<ExitOf>,
    lanes: HashMap<[u16; LANES], usize>,
    /// Where to go on, by the place of an instruction that the host may refuse.
    faults: HashMap<usize, usize>,
    pub(super) translated: Translated,
    /// What is remembered of blocks for people, if somebody wants that.
    pub(super) kept: Option<Vec<Kept>>,
}

/// The ways in and out of emitted code, as places of the arena.
#[derive(Clone, Copy)]
pub(super) struct Ways {
    /// Where it is entered.
    pub(super) enter: usize,
    /// Where it leaves, with the number of the exit in eax.
    pub(super) epilogue: usize,
    /// Where it leaves when the target in eax is unknown.
    pub(super) unknown: usize,
}

const UNKNOWN: ExitOf = ExitOf {
    block: 0,
    leave: Leave::Unknown,
};

impl Cache {
    /// One with room for so many bytes, but for [`FEWEST`] blocks at least, and with ways in and out that `emit`
    /// writes.
    pub(super) fn new(
        patience: u8,
        arena: usize,
        emit: impl Fn(&mut Assembler) -> Ways,
    ) -> io::Result<Cache> {
        let mut memory = CodeMemory::new(arena.max(FEWEST * LARGEST).next_multiple_of(PAGE as usize))?;
        let mut asm = Assembler::new(0);
        let ways = emit(&mut asm);
        memory.write(0, &asm.code);
        let first = asm.code.len().next_multiple_of(64).max(BLOCKS as usize);
        Ok(Cache {
            lanes_from: memory.length(),
            memory,
            patience: u32::from(patience),
            used: first,
            first,
            ways,
            frames: Vec::new(),
            traces: Vec::new(),
            lengths: HashMap::new(),
            exits: vec![UNKNOWN],
            lanes: HashMap::new(),
            faults: HashMap::new(),
            translated: Translated::default(),
            kept: None,
        })
    }

    /// Forgets all code.
    pub(super) fn flush(&mut self) {
        self.translated.flushes += u64::from(!self.traces.is_empty());
        self.used = self.first;
        self.lanes_from = self.memory.length();
        self.frames.clear();
        self.traces.clear();
        self.lengths.clear();
        self.exits.truncate(1);
        self.lanes.clear();
        self.faults.clear();
        self.kept.iter_mut().for_each(Vec::clear);
    }

    /// Forgets the code of a frame. Other frames' code does not lead into it without asking.
    pub(super) fn forget(&mut self, frame: u32) {
        if let Some(pages) = self.frames.get_mut(frame as usize) {
            pages.clear();
        }
    }

    /// Whether there is room for one more block.
    pub(super) fn has_room(&self) -> bool {
        self.used + LARGEST <= self.lanes_from
    }

    /// Writes code that is no block behind the others.
    pub(super) fn put(&mut self, emit: impl FnOnce(&mut Assembler)) -> usize {
        let at = self.used;
        let mut asm = Assembler::new(at);
        emit(&mut asm);
        self.memory.write(at, &asm.code);
        self.used = (at + asm.code.len()).next_multiple_of(16);
        at
    }

    /// The host may refuse the access of the instruction at this place; then code goes on at another.
    pub(super) fn expect_fault(&mut self, place: usize, at: usize) {
        self.faults.insert(place, at);
    }

    /// Where code goes on if the host refuses the access of the instruction at this place.
    pub(super) fn fault(&self, place: usize) -> Option<usize> {
        self.faults.get(&place).copied()
    }

    pub(super) fn exit(&self, number: u32) -> ExitOf {
        self.exits[number as usize]
    }

    /// Whether so many instructions pay for the block at this place.
    pub(super) fn is_paid(&self, place: usize, budget: u64) -> bool {
        budget >= trace::LONGEST as u64 || self.lengths.get(&place).is_none_or(|length| *length <= budget)
    }

    /// The trace that this exit leaves.
    pub(super) fn trace(&self, exit: ExitOf) -> &Trace {
        &self.traces[exit.block as usize]
    }

    /// The number of the page of blocks for an address of a frame. None if nobody has asked for one, or all that is
    /// known of the frame has been forgotten.
    fn page(&self, frame: usize, pc: u32, memory: Memory) -> Option<usize> {
        let start = pc & !(PAGE - 1);
        let mut pages = self.frames.get(frame)?.iter();
        pages.position(|page| page.start == start && page.memory == memory)
    }

    fn entry(&mut self, frame: u32, pc: u32, memory: Memory) -> &mut Entry {
        let frame = frame as usize;
        if self.frames.len() <= frame {
            self.frames.resize_with(frame + 1, Vec::new);
        }
        let known = self.page(frame, pc, memory);
        let pages = &mut self.frames[frame];
        let place = known.unwrap_or_else(|| {
            pages.push(Page {
                start: pc & !(PAGE - 1),
                memory,
                entries: Box::new([0; WORDS]),
            });
            pages.len() - 1
        });
        &mut pages[place].entries[(pc % PAGE / 4) as usize]
    }

    /// What is known of the address `pc` in this frame; asking for what is cold warms it.
    pub(super) fn find(&mut self, frame: u32, pc: u32, memory: Memory) -> Known {
        let patience = self.patience;
        let entry = self.entry(frame, pc, memory);
        match *entry {
            NEVER => Known::Never,
            place if place >= BLOCKS => Known::Code(place as usize),
            count if count < patience => {
                *entry += 1;
                Known::Cold
            }
            _ => Known::Warm,
        }
    }

    /// Translates the block at `pc` from the bytes of its frame. There must be room.
    pub(super) fn translate(
        &mut self,
        frame: u32,
        bytes: &[u8],
        tally: Option<&Tally>,
        pc: u32,
        memory: Memory,
    ) -> Known {
        let decode_at = |at| {
            let place = (at % PAGE) as usize;
            let word = bytes.get(place..place + 4)?.try_into().ok()?;
            decode(u32::from_le_bytes(word), Registers::Sixteen)
        };
        let trace = Trace::form(pc, decode_at, tally);
        if trace.steps.is_empty() {
            *self.entry(frame, pc, memory) = NEVER;
            return Known::Never;
        }
        self.translated.blocks += 1;
        self.translated.instructions += trace.steps.len() as u64;
        let page = self.page(frame as usize, pc, memory);
        let origin = self.used;
        let mut view = View {
            place: page.map(|page| (frame as usize, page)),
            cache: self,
        };
        let Lowered {
            code,
            leaves,
            faults,
            marks,
        } = lower::lower(&trace, memory, origin, &mut view);
        debug_assert!(code.len() < LARGEST - LANES_OF_ONE);
        self.memory.write(origin, &code);
        self.used = (origin + code.len()).next_multiple_of(16);
        self.faults.extend(faults);
        let block = self.traces.len() as u32;
        self.lengths.insert(origin, trace.steps.len() as u64);
        self.traces.push(trace);
        if let Some(kept) = &mut self.kept {
            kept.push(Kept {
                frame,
                memory,
                block,
                origin,
                length: code.len(),
                marks,
            });
        }
        self.exits
            .extend(leaves.into_iter().map(|leave| ExitOf { block, leave }));
        *self.entry(frame, pc, memory) = origin as u32;
        Known::Code(origin)
    }

    /// Where blocks leave; the second for targets that nobody knows.
    pub(super) fn ways_out(&self) -> [usize; 2] {
        [self.ways.epilogue, self.ways.unknown]
    }

    /// Whether the block of this address of a frame stands at `origin`.
    pub(super) fn holds(&self, frame: u32, pc: u32, memory: Memory, origin: usize) -> bool {
        let frame = frame as usize;
        self.page(frame, pc, memory)
            .is_some_and(|page| self.frames[frame][page].entries[(pc % PAGE / 4) as usize] as usize == origin)
    }

    /// Leads the jump at this site of the arena to a block.
    pub(super) fn link(&mut self, site: usize, block: usize) {
        self.translated.links += 1;
        self.memory.write(site, &displacement(site, block).to_le_bytes());
    }
}

/// The cache as lowering sees it, from a page.
struct View<'a> {
    cache: &'a mut Cache,
    /// Of which frame, and the number of the page there.
    place: Option<(usize, usize)>,
}

impl Neighbours for View<'_> {
    fn lanes(&mut self, composition: [u16; LANES]) -> usize {
        let Cache {
            memory,
            lanes,
            lanes_from,
            ..
        } = &mut *self.cache;
        *lanes.entry(composition).or_insert_with(|| {
            let bytes: Vec<u8> = composition.iter().flat_map(|lane| lane.to_le_bytes()).collect();
            *lanes_from -= bytes.len();
            memory.write(*lanes_from, &bytes);
            *lanes_from
        })
    }

    fn block(&self, address: u32) -> Option<usize> {
        let (frame, page) = self.place?;
        let entry = self.cache.frames[frame][page].entries[(address % PAGE / 4) as usize];
        (entry >= BLOCKS && entry != NEVER).then_some(entry as usize)
    }

    fn epilogue(&self) -> usize {
        self.cache.ways.epilogue
    }

    fn unknown(&self) -> usize {
        self.cache.ways.unknown
    }

    fn next_exit(&self) -> u32 {
        self.cache.exits.len() as u32
    }
}
