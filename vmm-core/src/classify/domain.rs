//! Which states are paired, and which instructions are tried in them: what is enumerated and what is sampled.
//!
//! A program of two pages, [0, 0x2000), stands in real memory in *reference* situations: four are enumerated, with
//! relocation off and on and with paging off and on; in others, everything that a monitor could have set is drawn at
//! random. From each reference, *situations* are made that differ from it in one part of the state and in nothing that
//! the program could call its own. The instruction stands at 0x1000 and is executed in every situation in every ring.
//!
//! One part at a time is enough to find what depends on it, and says which it is: to be the same is transitive.
//!
//! Outside ring 0 the program is confined as a monitor confines it: fetches and accesses stay below `bound`, and the
//! I/O privilege level is 0.

use std::sync::{Arc, LazyLock};

use toy_isa::devices::{Devices, line};
use toy_isa::hart::{Csrs, Hart, Status};
use toy_isa::mmu::{PAGE, pte};
use toy_isa::semantics::CPUID;

use super::part::{Part, Reading};
use super::random::{Random, SEED};
use super::state::{MEMORY, Memory, State};

/// Where the instruction stands.
pub(crate) const PC: u32 = 0x1000;
/// Bytes of the program's own memory, from virtual address 0.
pub(crate) const OWN: u32 = 2 * PAGE;

/// A situation: everything about a state but the ring, the operands and the instruction.
pub(crate) struct Situation {
    /// In what it differs from its reference; `None` for the reference itself.
    pub(crate) part: Option<Part>,
    /// The state, in ring 0.
    pub(crate) state: State,
    /// The frames in which the program's pages stand.
    frames: [u32; 2],
}

impl Situation {
    /// Whether its difference from the reference is one of this reading.
    pub(crate) fn is_of(&self, reading: Reading) -> bool {
        self.part.is_none_or(|part| part.reading() == reading)
    }

    /// Whether the program stands in the same real memory in both.
    pub(crate) fn stands_as(&self, other: &Situation) -> bool {
        self.frames == other.frames
    }

    /// The real address of the program's virtual `address`; `None` if it is not the program's.
    pub(crate) fn real(&self, address: u32) -> Option<u32> {
        let frame = self.frames.get((address / PAGE) as usize)?;
        Some(frame * PAGE + address % PAGE)
    }

    /// The virtual address at which the program has this real one; `None` if it is not the program's.
    pub(crate) fn own(&self, real: u32) -> Option<u32> {
        let page = self.frames.iter().position(|frame| *frame == real / PAGE)?;
        Some(page as u32 * PAGE + real % PAGE)
    }
}

/// References that are enumerated.
pub(crate) const FAMILIES: usize = 4;
/// References that are drawn at random.
pub(crate) const RANDOM_FAMILIES: usize = 12;

/// The situations: for each reference, the reference first. Those that are enumerated come before those that
/// are random.
pub(crate) fn families() -> &'static [Vec<Situation>] {
    static ALL: LazyLock<Vec<Vec<Situation>>> = LazyLock::new(|| {
        let plain = (0..FAMILIES as u32).map(|number| family(Plan::new(number)));
        let mut random = Random(SEED);
        let drawn =
            (0..RANDOM_FAMILIES as u32).map(|number| family(Plan::new(number).randomized(&mut random)));
        plain.chain(drawn).collect()
    });
    &ALL
}

/// What a situation is made from.
#[derive(Clone)]
struct Plan {
    csr: Csrs,
    clock: u64,
    identity: u32,
    devices: Devices,
    /// Where the program's pages stand if a page table says so.
    frames: [u32; 2],
    /// Make the program's memory, and the rest of real memory, another one.
    salts: [u32; 2],
}

/// Where the tables of a page-table root are: the second level one frame above the first.
const ROOT: u32 = 8 * PAGE;
const OTHER_ROOT: u32 = 12 * PAGE;

impl Plan {
    /// Relocation is on in every second one, paging in every second pair.
    fn new(number: u32) -> Plan {
        let relocates = number & 1 != 0;
        let paging = number >> 1 & 1;
        let mut devices = Devices::new(vec![0x5a; 512], b"a".to_vec());
        devices.timer.set(5_000, 1_000);
        devices.enabled = line::TIMER;
        Plan {
            csr: Csrs {
                status: Status(Status::PRING | Status::IE | if relocates { Status::RE } else { 0 }),
                tvec: 0x0100,
                scratch: 0x0200,
                epc: 0x1100,
                cause: 8,
                tval: 0,
                ptbr: ROOT | paging,
                base: if relocates { 4 * PAGE } else { 0 },
                bound: OWN,
                xbound: OWN,
                window: 0,
            },
            clock: 1_000,
            identity: CPUID,
            devices,
            frames: [10, 11],
            salts: [0, 1],
        }
    }

    /// With another value in everything that does not decide where the program stands, and standing elsewhere.
    fn randomized(mut self, random: &mut Random) -> Plan {
        let free = Status::PRING | Status::IE | Status::PIE | Status::PRE;
        let csr = &mut self.csr;
        csr.status.0 = csr.status.0 & Status::RE | random.next() & free;
        csr.tvec = random.next() & !3;
        csr.scratch = random.next();
        csr.epc = random.next() & !3;
        csr.cause = random.below(16);
        csr.tval = random.next();
        csr.base = (1 + random.below(5)) * PAGE;
        csr.bound = PC + 0x400 + random.below(0xc00);
        csr.xbound = csr.bound - random.below(0x200);
        csr.window = random.below(MEMORY) & !3;
        self.clock = u64::from(random.next()) << 8 | 1;
        self.identity = random.next();
        self.devices.timer.set(random.next(), self.clock);
        self.devices.enabled = random.below(8);
        // In a row, as in 1974: only the situation that is about their order has them in another one.
        let first = 2 + random.below(5);
        self.frames = [first, first + 1];
        self.salts = [random.next(), random.next()];
        self
    }
}

fn family(reference: Plan) -> Vec<Situation> {
    let mut all = vec![situation(None, &reference)];
    let mut vary = |part: Part, change: &dyn Fn(&mut Plan)| {
        let mut plan = reference.clone();
        change(&mut plan);
        all.push(situation(Some(part), &plan));
    };
    vary(Part::Base, &|plan| plan.csr.base = 6 * PAGE);
    vary(Part::Relocation, &|plan| plan.csr.status.0 ^= Status::RE);
    vary(Part::Limits, &|plan| {
        (plan.csr.bound, plan.csr.xbound) = (0x1e00, 0x1c00);
    });
    vary(Part::Window, &|plan| plan.csr.window = 3 * PAGE);
    vary(Part::PageTable, &|plan| {
        plan.csr.ptbr = OTHER_ROOT | plan.csr.ptbr & 1;
    });
    vary(Part::PageTable, &|plan| plan.csr.ptbr ^= 1);
    vary(Part::TrapVector, &|plan| plan.csr.tvec = 0xf100);
    vary(Part::TrapFrame, &|plan| {
        let csr = &mut plan.csr;
        (csr.epc, csr.cause, csr.tval) = (0x0300, 2, 0x13);
        csr.status.0 ^= Status::PRING & 0x8 | Status::PRE;
    });
    vary(Part::Others, &|plan| plan.salts[1] ^= 0x55);
    if reference.csr.paging() {
        vary(Part::Place, &|plan| plan.frames = [14, 15]);
        vary(Part::Frames, &|plan| plan.frames.reverse());
    }
    vary(Part::Interrupts, &|plan| plan.csr.status.0 ^= Status::IE);
    vary(Part::SavedInterrupts, &|plan| plan.csr.status.0 ^= Status::PIE);
    vary(Part::Scratch, &|plan| plan.csr.scratch = 0xf200);
    vary(Part::Clock, &|plan| plan.clock ^= 0x0005_0000_4321);
    vary(Part::Timer, &|plan| plan.devices.timer.set(9_000, plan.clock));
    vary(Part::Lines, &|plan| plan.devices.enabled ^= line::DISK);
    vary(Part::Devices, &|plan| {
        plan.devices = Devices {
            timer: plan.devices.timer,
            enabled: plan.devices.enabled,
            ..Devices::new(vec![0xa5; 1024], b"b".to_vec())
        };
    });
    vary(Part::Identity, &|plan| plan.identity ^= 1);
    all
}

fn situation(part: Option<Part>, plan: &Plan) -> Situation {
    let csr = plan.csr;
    let first = if csr.status.relocates() {
        csr.base / PAGE
    } else {
        0
    };
    let frames = if csr.paging() {
        plan.frames
    } else {
        [first, first + 1]
    };
    let [own, others] = plan.salts;
    let mut image: Vec<u32> = (0..MEMORY / 4).map(|number| noise(number, others)).collect();
    for (page, frame) in (0..).zip(frames) {
        for word in 0..PAGE / 4 {
            image[(frame * PAGE / 4 + word) as usize] = noise(page * PAGE / 4 + word, own);
        }
    }
    if csr.paging() {
        let root = csr.ptbr & !(PAGE - 1);
        image[(root / 4) as usize..][..2 * PAGE as usize / 4].fill(0);
        image[(root / 4) as usize] = pte::entry(root + PAGE, pte::V);
        // A and D are set already: what hardware marks is no doing of the program's.
        let flags = pte::V | pte::R | pte::W | pte::X | pte::U | pte::A | pte::D;
        for (page, frame) in (first..).zip(frames) {
            image[((root + PAGE) / 4 + page) as usize] = pte::entry(frame * PAGE, flags);
        }
    }
    let mut hart = Hart::new(PC);
    hart.csr = csr;
    for (number, register) in (1..).zip(&mut hart.x[1..16]) {
        *register = 0x0101_0101 * number;
    }
    let state = State {
        hart,
        memory: Memory::new(image.into()),
        devices: Arc::new(plan.devices.clone()),
        clock: plan.clock,
        halted: false,
        identity: plan.identity,
    };
    Situation { part, state, frames }
}

/// A word without a pattern, the same on every host (the finalizer of MurmurHash3, A. Appleby, public domain).
fn noise(number: u32, salt: u32) -> u32 {
    let mut word = (number + 1).wrapping_mul(0x9e37_79b9) ^ salt.wrapping_mul(0x85eb_ca6b);
    word = (word ^ word >> 16).wrapping_mul(0x85eb_ca6b);
    word = (word ^ word >> 13).wrapping_mul(0xc2b2_ae35);
    word ^ word >> 16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_the_same_in_every_situation_of_a_reference() {
        assert_eq!(families().len(), FAMILIES + RANDOM_FAMILIES);
        for family in families() {
            let word = |situation: &Situation, address| {
                let real = situation.real(address).expect("it is the program's");
                assert_eq!(situation.own(real), Some(address));
                situation.state.memory.word(real).expect("it is in memory")
            };
            for situation in family {
                for address in (0..OWN).step_by(4) {
                    assert_eq!(word(situation, address), word(&family[0], address));
                }
                assert_eq!(situation.real(OWN), None);
                assert_eq!(situation.state.hart.x, family[0].state.hart.x);
            }
        }
    }

    #[test]
    fn the_program_can_be_fetched_and_is_confined_in_every_situation() {
        for situation in families().iter().flatten() {
            let csr = &situation.state.hart.csr;
            assert!(csr.xbound <= csr.bound && csr.bound <= OWN);
            assert!(PC + 4 <= csr.xbound && csr.status.iopl() == 0);
        }
    }
}
