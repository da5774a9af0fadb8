//! What it costs to leave emitted code, beside the least that it can cost.

use std::time::Instant;

use toy_isa::mmu::{Access, PAGE};
use toy_isa::ram::Ram;

use super::super::encode::{Place, RAX};
use super::super::engines::ARENA;
use super::super::layout::BASE;
use super::*;
use crate::kvm::Trips;
use crate::kvm::calls::Calm;

/// A page of addresses that is mapped now and then, and one that never is.
const CHANGING: u32 = 1;
const ABSENT: u32 = 2;

/// A virtual machine with code by hand.
struct Bench {
    // Before the memory that it has.
    ground: Virtualized,
    cache: Cache,
    _ram: Ram,
    /// Leaves at once.
    leave: usize,
    /// Loads from the absent page, and leaves.
    load: usize,
    /// Leaves again and again by itself.
    bare: usize,
}

impl Bench {
    fn new() -> Result<Bench, KvmError> {
        let refused = |error: std::io::Error| KvmError::Memory(error.to_string());
        let mut cache = Cache::new(0, ARENA, Virtualized::ways).map_err(refused)?;
        let mut ground = Virtualized::new(Calls::new(Box::new(Calm)), &cache)?;
        let mut ram = Ram::new(4 * PAGE);
        ground.settle(&mut ram)?;
        let epilogue = cache.ways.epilogue;
        let leave = cache.put(|asm| {
            asm.mov_imm(RAX, 0);
            asm.jmp(epilogue);
        });
        let load = cache.put(|asm| {
            asm.mov(RAX, Place::At(BASE, (ABSENT * PAGE) as i32));
            asm.jmp(leave);
        });
        cache.expect_fault(load, leave);
        let bare = cache.put(|asm| {
            let again = asm.here();
            asm.out(PORT);
            asm.jmp(again);
        });
        let mut bench = Bench {
            ground,
            cache,
            _ram: ram,
            leave,
            load,
            bare,
        };
        bench.context().base = WINDOW;
        Ok(bench)
    }

    fn context(&mut self) -> &mut Context {
        self.ground.context()
    }

    fn run(&mut self, block: usize, space: usize) -> Result<(), KvmError> {
        // SAFETY: the place is one that the cache has put code to, which reaches memory through the window alone; the
        // memory that the ground was settled on is this value's own.
        unsafe { self.ground.run(&self.cache, block, space) }
    }
}

/// Nanoseconds of each turn.
fn each(turns: u32, mut turn: impl FnMut(u32) -> Result<(), KvmError>) -> Result<f64, KvmError> {
    let start = Instant::now();
    for number in 0..turns {
        turn(number)?;
    }
    Ok(start.elapsed().as_nanos() as f64 / f64::from(turns.max(1)))
}

/// Measures; of each, the fastest of the rounds.
pub(crate) fn measure(turns: u32, rounds: u32) -> Result<Trips, KvmError> {
    let (mut bench, mut floor) = (Bench::new()?, Bench::new()?);
    let bare = floor.bare;
    floor.run(bare, 0)?;
    let mut least = [f64::INFINITY; 5];
    let Bench { leave, load, .. } = bench;
    for _ in 0..rounds.max(1) {
        let found = [
            each(turns, |_| floor.ground.machine.resume_barely())?,
            each(turns, |_| bench.run(leave, 0))?,
            each(turns, |_| bench.run(load, 0))?,
            each(turns, |turn| {
                bench.ground.map(0, CHANGING, turn % 2 * PAGE, Access::Load);
                bench.run(leave, 0)
            })?,
            each(turns, |turn| bench.run(leave, turn as usize % 2))?,
        ];
        for (least, found) in least.iter_mut().zip(found) {
            *least = least.min(found);
        }
    }
    let [floor, trip, fault, change, root] = least;
    Ok(Trips {
        floor,
        trip,
        fault: fault - trip,
        change: change - trip,
        root: root - trip,
    })
}
