//! A burst: straight through decoded code, until something is to be done another way.

use super::census::Census;
use super::handlers::begin;
use super::memory::Memory;
use super::page::Page;
use super::views::Views;
use crate::hart::Hart;
use crate::machine::Board;
use crate::mmu::PAGE;
use crate::ram::Ram;
use crate::trap::Trap;

/// What is remembered from burst to burst.
pub(super) struct Memos<'r> {
    pub(super) census: &'r mut Census,
    pub(super) views: &'r mut Views,
}

/// What handlers share, beside the registers.
pub(super) struct Burst<'r> {
    /// The general registers; the processor's own are brought up to date when something else looks at them.
    pub(super) x: [u32; 16],
    pub(super) page: &'r Page,
    /// The processor.
    pub(super) hart: &'r mut Hart,
    /// The address of the page's first instruction.
    pub(super) start: u32,
    /// The flags of the pages of memory.
    pub(super) flags: &'r [u8],
    /// From this address on, no page has flags.
    pub(super) flagged: u32,
    /// How many instructions would be left of the budget at the next place that cannot be reached without a jump. Each
    /// jump moves it.
    pub(super) slack: i64,
    /// The board, where loads and stores have to be translated or watched, and so no memory is at hand.
    pub(super) board: Option<&'r mut Board>,
    /// Whether paging is on.
    pub(super) paged: bool,
    pub(super) views: &'r mut Views,
    /// The value of the clock if the whole burst is executed.
    pub(super) horizon: u64,
    /// The trap that the first instruction that was not executed has raised, if it has.
    pub(super) trap: Option<Trap>,
    /// The number of the first instruction that was not executed, once the burst is over.
    end: usize,
    pub(super) census: &'r mut Census,
}

impl Burst<'_> {
    /// The address of instruction number `at`.
    #[inline(always)]
    pub(super) fn address(&self, at: usize) -> u32 {
        self.start.wrapping_add(4 * at as u32)
    }

    /// The clock before it.
    pub(super) fn clock(&self, at: usize) -> u64 {
        self.horizon.wrapping_sub(self.left(at) as u64)
    }

    /// What is left of the budget before it.
    fn left(&self, at: usize) -> i64 {
        self.slack + i64::from(self.page.ends[at]) - at as i64
    }

    /// Brings the processor's registers up to date.
    pub(super) fn give_back(&mut self) {
        self.hart.x[..16].copy_from_slice(&self.x);
    }

    /// Ends the burst before it.
    #[cold]
    #[inline(never)]
    pub(super) fn leave(&mut self, at: usize) -> u32 {
        self.end = at;
        self.address(at)
    }
}

/// Executes at most `limit` instructions from the program counter on, which is in `page`; none where the next jump may
/// lie beyond. Returns how many, and the trap that the one after them has raised, if it has.
pub(super) fn run(
    hart: &mut Hart,
    board: &mut Board,
    page: &Page,
    limit: u64,
    memos: &mut Memos<'_>,
) -> (u64, Option<Trap>) {
    let at = (hart.pc % PAGE / 4) as usize;
    let slack = at as i64 + limit as i64 - i64::from(page.ends[at]);
    if slack < 0 {
        return (0, None);
    }
    let clock = board.pace.clock;
    let is_flat = is_flat(hart, board);
    let mut flags: &[u8] = &[];
    let mut flagged = 0;
    let mut slow = None;
    let paged = hart.translates();
    if paged {
        memos.views.enter(hart, board);
    }
    let memory: &mut Memory = if is_flat {
        let memory;
        (memory, flags, flagged) = window(hart, &mut board.ram);
        memory
    } else {
        slow = Some(&mut *board);
        &mut []
    };
    let mut burst = Burst {
        x: std::array::from_fn(|number| hart.x[number]),
        page,
        start: hart.pc & !(PAGE - 1),
        hart,
        flags,
        flagged,
        slack,
        board: slow,
        paged,
        views: memos.views,
        horizon: clock + limit,
        trap: None,
        end: at,
        census: memos.census,
    };
    burst.census.enter(at);
    let pc = begin(&mut burst, memory, at);
    burst.hart.pc = pc;
    burst.give_back();
    burst.census.leave(burst.end);
    let executed = limit - burst.left(burst.end) as u64;
    let trap = burst.trap;
    board.pace.clock = clock + executed;
    (executed, trap)
}

/// Whether the addresses of loads and stores are places in one piece of memory, and nobody watches.
fn is_flat(hart: &Hart, board: &Board) -> bool {
    let base = hart.csr.relocation();
    !hart.translates() && !board.watches(hart) && base.is_multiple_of(PAGE) && base < board.ram.size()
}

/// The memory that loads and stores reach by their addresses, the flags of its pages, and from where on it has none.
fn window<'r>(hart: &Hart, ram: &'r mut Ram) -> (&'r mut Memory, &'r [u8], u32) {
    let base = hart.csr.relocation();
    let (bytes, flags, flagged) = ram.parts();
    let memory = &mut bytes.as_chunks_mut().0[base as usize / 4..];
    let bound = if hart.ring() == 0 {
        u32::MAX
    } else {
        hart.csr.bound
    };
    let length = memory.len().min(bound as usize / 4);
    (
        &mut memory[..length],
        &flags[(base / PAGE) as usize..],
        flagged.saturating_sub(base),
    )
}
