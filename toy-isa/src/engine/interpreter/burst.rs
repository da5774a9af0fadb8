//! A burst: straight through decoded code, until something is to be done another way.

use super::census::Census;
use super::handlers::Memory;
use super::page::Page;
use crate::hart::Hart;
use crate::machine::Board;
use crate::mmu::PAGE;
use crate::ram::Ram;
use crate::trap::Trap;

/// What handlers share, beside the registers.
pub(super) struct Burst<'r> {
    /// The address of the page's first instruction.
    pub(super) start: u32,
    /// The flags of the pages of memory.
    pub(super) flags: &'r [u8],
    /// From this address on, no page has flags.
    pub(super) flagged: u32,
    /// The number of the instruction before which the budget would end if there were no more jumps; each jump moves it.
    pub(super) limit: i64,
    /// The board, where loads and stores have to be translated or watched, and so no memory is at hand.
    pub(super) board: Option<&'r mut Board>,
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
        self.horizon.wrapping_sub((self.limit - at as i64) as u64)
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
    census: &mut Census,
) -> (u64, Option<Trap>) {
    let at = (hart.pc % PAGE / 4) as usize;
    if at as u64 + limit < u64::from(page.ends[at]) {
        return (0, None);
    }
    let clock = board.pace.clock;
    let is_flat = is_flat(hart, board);
    let mut burst = Burst {
        start: hart.pc & !(PAGE - 1),
        flags: &[],
        flagged: 0,
        limit: at as i64 + limit as i64,
        board: None,
        horizon: clock + limit,
        trap: None,
        end: at,
        census,
    };
    burst.census.enter(at);
    let memory: &mut Memory = if is_flat {
        let (memory, flags, flagged) = window(hart, &mut board.ram);
        burst.flags = flags;
        burst.flagged = flagged;
        memory
    } else {
        burst.board = Some(board);
        &mut []
    };
    hart.pc = (page.handlers[at].0)(hart, memory, page, at, &mut burst);
    burst.census.leave(burst.end);
    let executed = limit - (burst.limit - burst.end as i64) as u64;
    let trap = burst.trap;
    board.pace.clock = clock + executed;
    (executed, trap)
}

/// Whether the addresses of loads and stores are places in one piece of memory, and nobody watches.
fn is_flat(hart: &Hart, board: &Board) -> bool {
    let paging = (hart.csr.ptbr | hart.nested) & 1 != 0;
    let watched = board.observer.ledger.is_some() && hart.world() != 0;
    let base = base(hart);
    !paging && !watched && base.is_multiple_of(PAGE) && base < board.ram.size()
}

fn base(hart: &Hart) -> u32 {
    if hart.csr.status.relocates() {
        hart.csr.base
    } else {
        0
    }
}

/// The memory that loads and stores reach by their addresses, the flags of its pages, and from where on it has none.
fn window<'r>(hart: &Hart, ram: &'r mut Ram) -> (&'r mut Memory, &'r [u8], u32) {
    let base = base(hart);
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
