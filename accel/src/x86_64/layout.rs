//! Where things are while emitted code runs: which host register holds which register of the guest, and what lies
//! around the stack pointer.

use std::mem::offset_of;

use toy_isa::mmu::PAGE;
use toy_isa::table::{OPS, Op};

use super::encode::{Gpr, Place, R8, R9, R10, R11, R12, R13, R14, R15, RBP, RBX, RDI, RDX, RSI, RSP};

/// What emitted code may still execute: instructions before the next block must be left to the caller.
pub(super) const BUDGET: Gpr = R14;
/// The guest's memory, or the addends of the space in use.
pub(super) const BASE: Gpr = R15;

/// The host registers of x0..x15. Those that compilers seldom use live in [`Context::x`]; x0 lives nowhere.
const HOMES: [Option<Gpr>; 16] = [
    None,
    None,
    Some(R12),
    None,
    None,
    Some(RDX),
    Some(R13),
    None,
    Some(R10),
    Some(R11),
    Some(RBP),
    Some(R9),
    Some(R8),
    Some(RBX),
    Some(RDI),
    Some(RSI),
];

/// The host register of a register of the guest, if it has one.
pub(super) fn home(x: u8) -> Option<Gpr> {
    HOMES[usize::from(x & 15)]
}

/// Where a register other than x0 is.
pub(super) fn place(x: u8) -> Place {
    home(x).map_or(slot(x), Place::Reg)
}

/// Its place in [`Context::x`].
pub(super) fn slot(x: u8) -> Place {
    Place::At(RSP, 4 * i32::from(x & 15))
}

/// How many operations are counted in one vector register, and how many such registers there are: xmm0 and on.
pub(super) const LANES: usize = 8;
/// See [`LANES`].
pub(super) const VECTORS: usize = 6;

/// Instructions that emitted code executes without a break, at most: then no lane has overflowed.
pub(super) const LONGEST: u64 = u16::MAX as u64;

/// The operations that are translated, by the lane in which they are counted; those that go together stand together,
/// because a block adds to every vector that it has an operation of.
pub(super) const COUNTED: [Op; 47] = [
    Op::Addi,
    Op::Add,
    Op::Lw,
    Op::Sw,
    Op::Bne,
    Op::Beq,
    Op::Lui,
    Op::Slli,
    //
    Op::Lbu,
    Op::Sb,
    Op::Jal,
    Op::Jalr,
    Op::Bltu,
    Op::Bgeu,
    Op::Blt,
    Op::Bge,
    //
    Op::Sub,
    Op::And,
    Op::Or,
    Op::Xor,
    Op::Andi,
    Op::Srli,
    Op::Srai,
    Op::Mul,
    //
    Op::Xori,
    Op::Ori,
    Op::Sltu,
    Op::Sltiu,
    Op::Slt,
    Op::Slti,
    Op::Sll,
    Op::Srl,
    //
    Op::Sra,
    Op::Lb,
    Op::Lh,
    Op::Lhu,
    Op::Sh,
    Op::Auipc,
    Op::Fence,
    Op::FenceI,
    //
    Op::Mulh,
    Op::Mulhsu,
    Op::Mulhu,
    Op::Div,
    Op::Divu,
    Op::Rem,
    Op::Remu,
];

/// The lane in which instructions are counted that a tally has marked: the last.
pub(super) const MARKED: usize = COUNTED.len();
const _: () = assert!(
    MARKED < LANES * VECTORS,
    "there is a lane for all that is counted"
);

/// The lane of each operation; none for those that are not translated.
const LANE_OF: [Option<u8>; OPS.len()] = {
    let mut lanes = [None; OPS.len()];
    let mut lane = 0;
    while lane < COUNTED.len() {
        lanes[COUNTED[lane] as usize] = Some(lane as u8);
        lane += 1;
    }
    lanes
};

/// The lane of an operation; `None` if it is not translated.
pub(super) fn lane(op: Op) -> Option<usize> {
    LANE_OF[op as usize].map(usize::from)
}

/// What emitted code reaches from the stack pointer, which stands at its beginning.
#[repr(C, align(16))]
pub(super) struct Context {
    /// Registers of the guest; those with a home are here only while no emitted code runs.
    pub(super) x: [u32; 16],
    /// Where emitted code may load, while translation is off.
    pub(super) loads: Window,
    /// Where it may store: pages without flags.
    pub(super) stores: Window,
    /// What was executed, by [`lane`]. They are 16 bytes each, and aligned.
    pub(super) lanes: [[u16; LANES]; VECTORS],
    /// The stack pointer of who called.
    pub(super) caller: u64,
    /// See [`BUDGET`].
    pub(super) budget: u64,
    /// See [`BASE`].
    pub(super) base: u64,
    /// The number of the regime, in the upper half.
    pub(super) regime: u64,
    /// Why emitted code came back: the number of an exit.
    pub(super) exit: u32,
    /// Where the guest wants to go, if the exit does not say it.
    pub(super) target: u32,
    /// Where groups of accesses are in the host's memory, while a pass lasts.
    pub(super) pointers: [u64; POINTERS],
    /// A register that a division needs for itself.
    pub(super) spill: u64,
    /// The address of the code at which a virtual machine goes on.
    pub(super) block: u64,
    /// What it has to do before that: see [`super::virtualized`].
    pub(super) service: u64,
    /// The indirect-branch cache.
    pub(super) branches: [Branch; BRANCHES],
}

/// How many pointers a block may keep.
pub(super) const POINTERS: usize = 8;

const _: () = assert!(offset_of!(Context, lanes) % 16 == 0 && offset_of!(Context, branches) % 8 == 0);

/// A range of addresses that begins at a page, as emitted code compares with it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Window {
    /// Where it begins.
    pub(super) start: u64,
    /// The bytes, half-words and words in it.
    pub(super) sizes: [u64; 3],
    /// The same without the first page: there, what lies less than a page below is inside, too.
    pub(super) upper: u64,
    /// See [`Window::upper`].
    pub(super) upper_sizes: [u64; 3],
}

impl Window {
    /// From one page's beginning to any address.
    pub(super) fn new(start: u32, end: u32) -> Window {
        let (start, end) = (u64::from(start), u64::from(end));
        let upper = start + u64::from(PAGE);
        let sizes = |from: u64| {
            let bytes = end.saturating_sub(from);
            [bytes, bytes / 2, bytes / 4]
        };
        Window {
            start,
            sizes: sizes(start),
            upper,
            upper_sizes: sizes(upper),
        }
    }
}

/// An entry of the indirect-branch cache.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub(super) struct Branch {
    /// The guest's address, with the number of the regime in the upper half.
    pub(super) key: u64,
    /// The address of the code.
    pub(super) code: u64,
}

/// How many they are. Their index is the address of an instruction, without the two bits that are 0.
pub(super) const BRANCHES: usize = 4096;

/// Names of the fields, as emitted code addresses them.
pub(super) mod field {
    use super::{Context, Place, RSP, Window, offset_of};

    const fn window(storing: bool) -> usize {
        if storing {
            offset_of!(Context, stores)
        } else {
            offset_of!(Context, loads)
        }
    }

    /// Where a window begins.
    pub(in super::super) fn start(storing: bool, upper: bool) -> Place {
        let field = if upper {
            offset_of!(Window, upper)
        } else {
            offset_of!(Window, start)
        };
        at((window(storing) + field) as i32)
    }

    /// How many units of `1 << size` bytes it has.
    pub(in super::super) fn units(storing: bool, upper: bool, size: u8) -> Place {
        let field = if upper {
            offset_of!(Window, upper_sizes)
        } else {
            offset_of!(Window, sizes)
        };
        at((window(storing) + field) as i32 + 8 * i32::from(size))
    }

    pub(in super::super) const CALLER: i32 = offset_of!(Context, caller) as i32;
    pub(in super::super) const BUDGET: i32 = offset_of!(Context, budget) as i32;
    pub(in super::super) const BASE: i32 = offset_of!(Context, base) as i32;
    pub(in super::super) const REGIME: i32 = offset_of!(Context, regime) as i32;
    pub(in super::super) const EXIT: i32 = offset_of!(Context, exit) as i32;
    pub(in super::super) const TARGET: i32 = offset_of!(Context, target) as i32;
    pub(in super::super) const SPILL: i32 = offset_of!(Context, spill) as i32;
    pub(in super::super) const BLOCK: i32 = offset_of!(Context, block) as i32;
    pub(in super::super) const SERVICE: i32 = offset_of!(Context, service) as i32;
    pub(in super::super) const LANES: i32 = offset_of!(Context, lanes) as i32;
    pub(in super::super) const BRANCHES: i32 = offset_of!(Context, branches) as i32;

    /// One of the pointers.
    pub(in super::super) fn pointer(number: usize) -> Place {
        at((offset_of!(Context, pointers) + 8 * number) as i32)
    }

    /// A field as an operand.
    pub(in super::super) fn at(field: i32) -> Place {
        Place::At(RSP, field)
    }
}

/// Addends of a space: for loads first, then for stores, one for each page of addresses.
pub(super) const PAGES: usize = 1 << 20;
