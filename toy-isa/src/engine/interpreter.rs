//! The interpreter: as the reference, but each page of code is decoded once, and executed in bursts by handlers that
//! call each other (ADR 11). What bursts do not do is done here, one instruction at a time.

mod burst;
mod census;
mod flow;
mod fuse;
mod handlers;
mod memory;
mod page;
mod sequences;
mod views;

use std::rc::Rc;

use crate::bus::Width;
use crate::cpu;
use crate::engine::{Engine, Exit, attempt, attend};
use crate::hart::Hart;
use crate::instruction::Instruction;
use crate::machine::{Board, Machine};
use crate::mmu::{self, Access, PAGE};
use crate::ram::flag;
use crate::semantics::execute;
use crate::trap::Trap;

use burst::Memos;
use census::Census;
use page::Page;
use views::Views;

/// Executes from decoded pages. A store to such a page makes the board report it, and the page is forgotten
/// before the next instruction: stored code runs at once, as on the reference.
#[derive(Default)]
pub struct Interpreter {
    /// By number in memory; for execution with paging off, and with paging on.
    pages: [Vec<Option<Rc<Page>>>; 2],
    census: Census,
    views: Views,
}

impl Engine for Interpreter {
    fn name(&self) -> &'static str {
        "interpreter"
    }

    fn run(&mut self, machine: &mut Machine, fuel: u64) -> Exit {
        let end = machine.attempts.saturating_add(fuel);
        while machine.attempts < end {
            self.forget(machine.take_stale_code());
            if machine.board.pace.clock >= machine.board.pace.attention {
                if let Some(exit) = attend(machine) {
                    return exit;
                }
                // The disk may have moved data into code.
                self.forget(machine.take_stale_code());
            }
            let exit = match self.page_at_pc(&machine.hart, &mut machine.board) {
                Some(page) if tallied(machine) => run_page::<true>(machine, &page, self.memos(), end),
                Some(page) => run_page::<false>(machine, &page, self.memos(), end),
                None => attempt(machine),
            };
            if let Some(exit) = exit {
                return exit;
            }
        }
        Exit::Fuel
    }

    fn forget(&mut self) {
        *self = Interpreter::default();
    }
}

impl Interpreter {
    fn memos(&mut self) -> Memos<'_> {
        Memos {
            census: &mut self.census,
            views: &mut self.views,
        }
    }

    fn forget(&mut self, stale: Vec<u32>) {
        for page in stale {
            for pages in &mut self.pages {
                if let Some(slot) = pages.get_mut(page as usize) {
                    *slot = None;
                }
            }
        }
    }

    /// The decoded page of `pc`, if the whole of it may be fetched from; else the caller goes one step at a time.
    fn page_at_pc(&mut self, hart: &Hart, board: &mut Board) -> Option<Rc<Page>> {
        let start = hart.pc & !(PAGE - 1);
        // Where relocation is off a page boundary, a page of addresses is not a page of memory.
        let split_page = !hart.csr.relocation().is_multiple_of(PAGE);
        if split_page || !mmu::within(hart.ring(), hart.csr.xbound, start, PAGE) {
            return None;
        }
        let physical = mmu::translate(hart, board, Access::Fetch, hart.pc, Width::Word).ok()?;
        let number = physical / PAGE;
        let bytes = board.ram.page(number)?;
        board.pace.entering = false;
        let paged = hart.translates();
        let pages = &mut self.pages[usize::from(paged)];
        if pages.len() <= number as usize {
            pages.resize(number as usize + 1, None);
        }
        let slot = &mut pages[number as usize];
        let page = slot.get_or_insert_with(|| Rc::new(Page::new(bytes, paged)));
        let page = Rc::clone(page);
        board.ram.set(physical, flag::CODE);
        Some(page)
    }
}

/// Whether somebody counts instructions on the page of the program counter.
fn tallied(machine: &Machine) -> bool {
    let start = machine.hart.pc & !(PAGE - 1);
    let tally = machine.board.observer.tally.as_ref();
    tally.is_some_and(|tally| tally.covers(start))
}

/// The most instructions of a burst, give or take a page: it bounds the stack where handlers do not jump but call.
const BURST: u64 = 8192;

/// Executes from `page` until the program counter leaves it, something wants attention, or the fuel is used up.
fn run_page<const TALLIED: bool>(
    machine: &mut Machine,
    page: &Page,
    mut memos: Memos<'_>,
    end: u64,
) -> Option<Exit> {
    // What the census counts with 32 bits does not overflow.
    let end = end.min(machine.attempts.saturating_add(u64::from(u32::MAX)));
    let exit = run_in::<TALLIED>(machine, page, &mut memos, end);
    memos.census.settle(page, &mut machine.histogram);
    exit
}

fn run_in<const TALLIED: bool>(
    machine: &mut Machine,
    page: &Page,
    memos: &mut Memos<'_>,
    end: u64,
) -> Option<Exit> {
    let Machine {
        hart,
        board,
        attempts,
        histogram,
    } = machine;
    let start = hart.pc & !(PAGE - 1);
    while *attempts < end && hart.pc.wrapping_sub(start) < PAGE && board.pace.clock < board.pace.attention {
        if !TALLIED {
            let budget = (end - *attempts)
                .min(board.pace.attention - board.pace.clock)
                .min(BURST);
            let (executed, trap) = burst::run(hart, board, page, budget, memos);
            *attempts += executed;
            if let Some(trap) = trap {
                *attempts += 1;
                return Some(trapped(hart, board, page, trap));
            }
            if executed == budget
                || hart.pc.wrapping_sub(start) >= PAGE
                || board.pace.clock >= board.pace.attention
            {
                continue;
            }
        }
        *attempts += 1;
        let Some(insn) = page.instructions[(hart.pc as usize & (PAGE as usize - 1)) / 4] else {
            return Some(illegal(hart, board));
        };
        match execute(hart, board, insn) {
            Ok(next) => {
                if TALLIED && let Some(tally) = &mut board.observer.tally {
                    tally.retired(hart.pc);
                }
                hart.pc = next;
                board.pace.clock += 1;
                histogram[insn.op as usize] += 1;
            }
            Err(trap) => return Some(trapped(hart, board, page, trap)),
        }
    }
    std::mem::take(&mut board.pace.returned).then_some(Exit::Return)
}

/// The instruction at the program counter has raised this trap.
#[cold]
fn trapped(hart: &mut Hart, board: &mut Board, page: &Page, trap: Trap) -> Exit {
    let insn = page.instructions[(hart.pc as usize & (PAGE as usize - 1)) / 4];
    let taken = cpu::take(hart, board, trap, insn.map_or(0, Instruction::encode));
    Exit::taken(board, taken)
}

#[cold]
fn illegal(hart: &mut Hart, board: &mut Board) -> Exit {
    // The page was fetched from, so the word is there.
    let word = cpu::fetch(hart, board).unwrap_or_default();
    let taken = cpu::take(hart, board, Trap::illegal(word), word);
    Exit::taken(board, taken)
}
