//! Running one program in ring 3, with a few system calls answered in place of an operating system.
//!
//! System calls are Linux's on RV32E: the number in `t0`, arguments from `a0` on, the result in `a0`. So the same ELF
//! file runs under `qemu-riscv32`.

use std::sync::Arc;

use toy_isa::bus::{Bus, Width};
use toy_isa::engine::Exit;
use toy_isa::hart::{Hart, Status};
use toy_isa::image::Image;
use toy_isa::machine::{Config, LoadError, Machine, TLB_ENTRIES};
use toy_isa::mmu::{PAGE, pte};
use toy_isa::profile::{Profile, ProfileName};
use toy_isa::table::OPS;
use toy_isa::trap::{Cause, Trap};

use crate::engine::EngineName;
use crate::setup::StartError;

/// How to run a program.
#[derive(Clone, Debug)]
pub struct Options {
    /// What executes it.
    pub engine: EngineName,
    /// Attempts at an instruction after which it is ended.
    pub budget: u64,
    /// Memory in bytes for program, heap and stack, and for page tables, if there are any.
    pub memory: u32,
    /// Whether the program's addresses are translated by page tables, as under an operating system; else they are
    /// those of memory, or are relocated.
    pub paging: bool,
    /// `argv`; the first is the program's own name.
    pub arguments: Vec<String>,
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// By its own `exit`, with this code.
    Exited(u32),
    /// By a trap that no system call is, at this address.
    Killed {
        /// Why.
        trap: Trap,
        /// Where.
        pc: u32,
    },
    /// Its budget was used up.
    Budget,
}

/// What became of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub ending: Ending,
    /// Instructions that retired.
    pub retired: u64,
    /// The same by operation, in the order of [`OPS`].
    pub histogram: [u64; OPS.len()],
}

/// System call numbers.
const WRITE: u32 = 64;
const EXIT: u32 = 93;
const EXIT_GROUP: u32 = 94;
/// Errors, as Linux returns them.
const EBADF: u32 = 9u32.wrapping_neg();
const EFAULT: u32 = 14u32.wrapping_neg();
const ENOSYS: u32 = 38u32.wrapping_neg();

/// A program in its address space.
struct Process {
    machine: Machine,
    /// What is added to a virtual address to reach memory.
    base: u32,
    /// Bytes of memory that are the program's.
    memory: u32,
}

/// Runs a program to its end; what it writes to files 1 and 2 goes to `output`, at once.
///
/// # Errors
/// If it does not fit into the memory or is for another processor, the host has no such engine, or fails it.
pub fn run(image: &Image, options: &Options, output: &mut dyn FnMut(&[u8])) -> Result<Outcome, StartError> {
    let mut process = Process::start(image, options)?;
    let mut engine = options.engine.build(false)?;
    let ending = loop {
        let left = options.budget.saturating_sub(process.machine.attempts);
        match engine.run(&mut process.machine, left) {
            Exit::Trap(trap) if matches!(trap.cause, Cause::SystemCall(_)) => {
                if let Some(code) = process.system_call(output) {
                    break Ending::Exited(code);
                }
            }
            Exit::Trap(trap) | Exit::DoubleFault(trap) => {
                break Ending::Killed {
                    trap,
                    pc: process.machine.hart.csr.epc,
                };
            }
            // A program in ring 3 neither returns from traps, nor halts, nor switches the power off, nor is it a guest.
            Exit::Return | Exit::Left(_) | Exit::Deadlock | Exit::PowerOff(_) => {}
            Exit::Fuel => break Ending::Budget,
            Exit::Failed => return Err(StartError::Failed(engine.figures().failure.unwrap_or_default())),
        }
    };
    // The call of `exit` does not return, but on Linux it is an instruction like any other.
    let exited = u64::from(matches!(ending, Ending::Exited(_)));
    Ok(Outcome {
        ending,
        retired: process.machine.board.pace.retired() + exited,
        histogram: process.machine.histogram,
    })
}

impl Process {
    fn start(image: &Image, options: &Options) -> Result<Process, LoadError> {
        let all = options.memory.div_ceil(PAGE).max(1);
        let tables = if options.paging { tables(all) } else { 0 };
        let memory = PAGE * all.saturating_sub(tables);
        let base = place(image, memory)?;
        let mut machine = Machine::new(Config {
            memory: all * PAGE,
            profile: Arc::new(Profile::new(ProfileName::Classic)),
            disk: Vec::new(),
            input: Vec::new(),
            tlb: TLB_ENTRIES,
        });
        let mut loaded = image.clone();
        for segment in &mut loaded.segments {
            segment.address = segment.address.wrapping_add(base);
        }
        loaded.entry = loaded.entry.wrapping_add(base);
        machine.load(&loaded)?;
        machine.hart = Hart::new(image.entry);
        if options.paging {
            machine.hart.csr.status = Status(3);
            machine.hart.csr.ptbr = map(&mut machine, base, memory) | 1;
        } else {
            machine.hart.csr.status = Status(3 | if base == 0 { 0 } else { Status::RE });
            machine.hart.csr.base = base;
        }
        // A program that is linked near the top has its stack beyond 2^32, at low addresses.
        let limit = u64::from(base.wrapping_neg()) + u64::from(memory);
        machine.hart.csr.bound = u32::try_from(limit).unwrap_or(u32::MAX);
        machine.hart.csr.xbound = machine.hart.csr.bound;
        let mut process = Process {
            machine,
            base,
            memory,
        };
        process.push_arguments(&options.arguments);
        Ok(process)
    }

    /// Lays out the stack as Linux does: argc, argv, an empty environment, an empty auxiliary vector.
    fn push_arguments(&mut self, arguments: &[String]) {
        let mut top = self.memory;
        let mut pointers = Vec::new();
        for argument in arguments {
            let mut text = argument.as_bytes().to_vec();
            text.push(0);
            top = top.saturating_sub(text.len() as u32);
            // Arguments that do not fit are cut off by the end of memory.
            let _ = self.machine.board.ram.load(top, &text);
            pointers.push(top.wrapping_sub(self.base));
        }
        let mut words = vec![arguments.len() as u32];
        words.extend(pointers);
        words.extend([0; 4]);
        let sp = (top & !15).saturating_sub((4 * words.len() as u32).next_multiple_of(16));
        for (at, word) in (sp..).step_by(4).zip(words) {
            let _ = self.machine.board.ram.load(at, &word.to_le_bytes());
        }
        self.machine.hart.x[2] = sp.wrapping_sub(self.base);
    }

    /// Answers the system call that the program has made; the exit code if it was `exit`.
    fn system_call(&mut self, output: &mut dyn FnMut(&[u8])) -> Option<u32> {
        let x = &self.machine.hart.x;
        let (number, a0, a1, a2) = (x[5], x[10], x[11], x[12]);
        let result = match number {
            EXIT | EXIT_GROUP => return Some(a0),
            WRITE if a0 == 1 || a0 == 2 => match self.read(a1, a2) {
                Some(text) => {
                    output(&text);
                    a2
                }
                None => EFAULT,
            },
            WRITE => EBADF,
            _ => ENOSYS,
        };
        let hart = &mut self.machine.hart;
        hart.x[10] = result;
        hart.pc = hart.csr.epc.wrapping_add(4);
        hart.csr.status = hart.csr.status.returned();
        let pace = &mut self.machine.board.pace;
        pace.entering = false;
        // On Linux the call is an instruction that retires.
        pace.clock += 1;
        None
    }

    /// Bytes of the program's memory; `None` if not all of them are there.
    fn read(&self, address: u32, length: u32) -> Option<Vec<u8>> {
        if !toy_isa::mmu::within(3, self.machine.hart.csr.bound, address, length) {
            return None;
        }
        let ram = &self.machine.board.ram;
        Some(ram.slice(address.wrapping_add(self.base), length)?.to_vec())
    }
}

/// How many page tables so many pages need, wherever they begin: a root, and one for each superpage that they touch.
fn tables(pages: u32) -> u32 {
    2 + pages.div_ceil(PAGE / 4)
}

/// Maps a program's memory, behind which the tables stand; the address of the root.
fn map(machine: &mut Machine, base: u32, memory: u32) -> u32 {
    let first = base.wrapping_neg() >> 22;
    let mut put = |address: u32, entry: u32| {
        let written = machine.board.write(address, Width::Word, entry);
        debug_assert!(written.is_some(), "there is room for the tables");
    };
    let everything = pte::V | pte::R | pte::W | pte::X | pte::U | pte::A | pte::D;
    for physical in (0..memory).step_by(PAGE as usize) {
        let linear = physical.wrapping_sub(base);
        let superpage = linear >> 22;
        let table = memory + PAGE * (1 + (superpage.wrapping_sub(first) & 1023));
        put(memory + 4 * superpage, pte::entry(table, pte::V));
        put(
            table + 4 * (linear >> 12 & 1023),
            pte::entry(physical, everything),
        );
    }
    memory
}

/// What must be added to the image's addresses so that they fall into memory: nothing if they do, else what
/// brings its lowest page to the beginning.
fn place(image: &Image, memory: u32) -> Result<u32, LoadError> {
    let end = image
        .segments
        .iter()
        .map(|segment| u64::from(segment.address) + u64::from(segment.size))
        .max();
    let (end, lowest) = (
        end.unwrap_or(0),
        image.segments.iter().map(|segment| segment.address).min(),
    );
    if end <= u64::from(memory) {
        return Ok(0);
    }
    let lowest = lowest.unwrap_or(0) & !(PAGE - 1);
    if end - u64::from(lowest) > u64::from(memory) {
        return Err(LoadError::TooLarge {
            end: end - u64::from(lowest),
            memory,
        });
    }
    Ok(lowest.wrapping_neg())
}

#[cfg(test)]
mod tests;
