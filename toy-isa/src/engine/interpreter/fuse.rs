//! Which handlers there are, and which of them a page uses. An instruction is fused only where it stands: a jump into
//! the middle of a sequence finds the handler that begins there.

use std::sync::LazyLock;

use super::flow::{self, CARRIED, Place, goes_on, has_result};
use super::handlers::{Handler, apart, from, one, two};
use super::sequences::sequences;
use crate::table::{OPS, Op};

/// An instruction as far as the choice of a handler looks at it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) op: Op,
    /// How many results back its sources are; 0 where they are taken from a register.
    pub(super) back: (u8, u8),
}

/// A handler of one or several instructions.
pub(super) struct Fused {
    /// As many as `length` says, then others.
    all: [Shape; LONGEST],
    length: usize,
    handler: Handler,
    lanes: Lanes,
    /// The bits of [`Lanes::back`] that `lanes` says something about.
    mask: u32,
}

/// The most instructions of a handler.
const LONGEST: usize = 4;

/// What instructions that follow each other are looked up by, all at once: a byte for each, the first one lowest.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Lanes {
    ops: u32,
    back: u32,
}

impl Lanes {
    /// With one more before the others, of which the last is lost.
    fn after(self, shape: Shape) -> Lanes {
        Lanes {
            ops: self.ops << 8 | shape.op as u32,
            back: self.back << 8 | u32::from(from(shape.back.0, shape.back.1)),
        }
    }

    /// Only so many.
    fn first(self, length: usize) -> Lanes {
        let bits = u32::MAX >> (32 - 8 * length);
        Lanes {
            ops: self.ops & bits,
            back: self.back & bits,
        }
    }
}

impl Fused {
    pub(super) fn new(shapes: &[Shape], handler: Handler) -> Fused {
        let lanes = |shapes: &[Shape]| {
            shapes
                .iter()
                .rev()
                .fold(Lanes::default(), |lanes, shape| lanes.after(*shape))
        };
        let asks = |back: u8| if back == 0 { 0 } else { 7 };
        let masks: Vec<Shape> = shapes
            .iter()
            .map(|shape| Shape {
                back: (asks(shape.back.0), asks(shape.back.1)),
                ..*shape
            })
            .collect();
        Fused {
            all: std::array::from_fn(|number| shapes[number.min(shapes.len() - 1)]),
            length: shapes.len(),
            handler,
            lanes: lanes(shapes),
            mask: lanes(&masks).back,
        }
    }

    fn shapes(&self) -> &[Shape] {
        &self.all[..self.length]
    }

    /// Whether it does these instructions. It may read a register whose value it has.
    fn does(&self, here: Lanes) -> bool {
        let here = here.first(self.length);
        here.ops == self.lanes.ops && here.back & self.mask == self.lanes.back
    }

    /// How many registers it reads although their values are at hand, when it does the instructions that these begin
    /// with.
    fn reads(&self, places: &[Place]) -> u32 {
        let at_hand = |back: (u8, u8)| u32::from(back.0 != 0) + u32::from(back.1 != 0);
        let pairs = self.shapes().iter().zip(places);
        pairs
            .map(|(shape, place)| at_hand(place.back) - at_hand(shape.back))
            .sum()
    }
}

/// All handlers for paging off, by the operations of the first two instructions; see [`slot`].
static FLAT: LazyLock<Vec<Vec<Fused>>> = LazyLock::new(catalogue::<false>);
/// As [`FLAT`], with paging on.
static PAGED: LazyLock<Vec<Vec<Fused>>> = LazyLock::new(catalogue::<true>);

fn catalogue<const PAGED: bool>() -> Vec<Vec<Fused>> {
    let mut all: Vec<Vec<Fused>> = Vec::new();
    all.resize_with(OPS.len() * (OPS.len() + 1), Vec::new);
    for fused in singles::<PAGED>()
        .into_iter()
        .chain(sequences::<PAGED>())
        .chain(pairs::<PAGED>())
    {
        let second = fused.shapes().get(1).map(|shape| shape.op);
        all[slot(fused.all[0].op, second)].push(fused);
    }
    all
}

fn slot(first: Op, second: Option<Op>) -> usize {
    first as usize * (OPS.len() + 1) + second.map_or(0, |op| op as usize + 1)
}

/// Handlers of one instruction, for all that a handler executes at all: with both sources from registers, or one as
/// the last result.
fn singles<const PAGED: bool>() -> Vec<Fused> {
    let mut singles = Vec::new();
    macro_rules! each {
        ($($f:literal $g:literal: $($op:ident)*;)*) => { $( $(
            singles.push(Fused::new(
                &[Shape { op: Op::$op, back: ($f, $g) }],
                Handler(one::<{ Op::$op as u8 }, { from($f, $g) }, PAGED>),
            ));
        )* )* };
    }
    each! {
        0 0: Lui Auipc Addi Slti Sltiu Xori Ori Andi Slli Srli Srai Add Sub Sll Slt Sltu Xor Srl Sra Or And
            Mul Mulh Mulhsu Mulhu Div Divu Rem Remu Jal Jalr Beq Bne Blt Bge Bltu Bgeu
            Lb Lh Lw Lbu Lhu Sb Sh Sw Fence;
        1 0: Addi Slti Sltiu Xori Ori Andi Slli Srli Srai Add Sub Sll Slt Sltu Xor Srl Sra Or And
            Mul Mulh Mulhsu Mulhu Div Divu Rem Remu Jalr Beq Bne Blt Bge Bltu Bgeu
            Lb Lh Lw Lbu Lhu Sb Sh Sw;
        0 1: Add Sub Sll Slt Sltu Xor Srl Sra Or And Mul Mulh Mulhsu Mulhu Div Divu Rem Remu
            Beq Bne Blt Bge Bltu Bgeu Sb Sh Sw;
    }
    singles
}

/// All pairs of what compiled code consists of.
fn pairs<const PAGED: bool>() -> Vec<Fused> {
    let mut pairs = Vec::new();
    macro_rules! each {
        ($($f:literal $g:literal: $($op:ident)*;)*) => { $( $(
            pairs_of::<{ Op::$op as u8 }, { from($f, $g) }, PAGED>(($f, $g), &mut pairs);
        )* )* };
    }
    each! {
        0 0: Addi Add Sub Slli Srli And Andi Or Xor Mul Lw Lbu Sw Sb Lui;
        1 0: Addi Add Sub Slli Srli And Andi Or Xor Mul Lw Lbu Sw Sb;
        0 1: Add Sub And Or Xor Mul Sw Sb;
    }
    pairs
}

fn pairs_of<const A: u8, const E: u8, const PAGED: bool>(back: (u8, u8), pairs: &mut Vec<Fused>) {
    macro_rules! each {
        ($($f:literal $g:literal: $($op:ident)*;)*) => { $( $(
            pairs.push(Fused::new(
                &[Shape { op: OPS[A as usize].op, back }, Shape { op: Op::$op, back: ($f, $g) }],
                Handler(two::<A, { Op::$op as u8 }, E, { from($f, $g) }, PAGED>),
            ));
        )* )* };
    }
    each! {
        0 0: Addi Add Sub Slli Srli And Andi Or Xor Mul Lw Lbu Sw Sb Lui Jal Jalr Beq Bne Blt Bge Bltu Bgeu;
        1 0: Addi Add Sub Slli Srli And Andi Or Xor Mul Lw Lbu Sw Sb Jalr Beq Bne Blt Bge Bltu Bgeu;
        0 1: Add Sub And Or Xor Mul Sw Sb Beq Bne Blt Bge Bltu Bgeu;
    }
}

/// What the choice of handlers weighs: a step, and a register that is read although its value is at hand.
const STEP: u32 = 4;
const READ: u32 = 1;

/// What is chosen for an instruction.
#[derive(Clone, Copy)]
pub(super) struct Choice {
    pub(super) handler: Handler,
    /// Which of the results that are passed on it, or what follows it, uses.
    needs: [bool; CARRIED],
}

/// A handler for each instruction of a page, such that straight code costs the least.
pub(super) fn choose(places: &[Place], paged: bool) -> Vec<Choice> {
    let fused = if paged { &*PAGED } else { &*FLAT };
    let nothing = Choice {
        handler: Handler(apart),
        needs: [false; CARRIED],
    };
    let mut choices = vec![nothing; places.len() + 1];
    let mut costs = vec![0; places.len() + 1];
    let mut here = Lanes::default();
    // How many instructions from here on one handler may do.
    let mut together = 0;
    for at in (0..places.len()).rev() {
        let place = &places[at];
        let Some(op) = place.op else {
            (costs[at], together) = (STEP, 0);
            continue;
        };
        here = here.after(Shape { op, back: place.back });
        together += 1;
        let second = places.get(at + 1).and_then(|place| place.op);
        let longer = second.map_or(&[][..], |second| &fused[slot(op, Some(second))]);
        let mut best = (u32::MAX, None);
        for candidate in fused[slot(op, None)].iter().chain(longer) {
            if candidate.length > together || !candidate.does(here) {
                continue;
            }
            let last = places[at + candidate.length - 1].op;
            let after = if goes_on(last) {
                costs[at + candidate.length]
            } else {
                0
            };
            let cost = after + STEP + READ * candidate.reads(&places[at..]);
            if cost < best.0 {
                best = (cost, Some(candidate));
            }
        }
        costs[at] = best.0;
        if let Some(candidate) = best.1 {
            choices[at] = Choice {
                handler: candidate.handler,
                needs: needs(candidate.shapes(), choices[at + candidate.length].needs),
            };
        }
        // The head of a loop begins a handler.
        if place.falls_in.is_some() {
            together = 0;
        }
    }
    choices
}

/// Which of the results that are passed on to a handler of these shapes are used, if the one after it uses these.
fn needs(shapes: &[Shape], after: [bool; CARRIED]) -> [bool; CARRIED] {
    let mut needs = [false; CARRIED];
    let mut results = 0;
    for shape in shapes {
        for back in [shape.back.0, shape.back.1] {
            if let Some(need) = usize::from(back)
                .checked_sub(results + 1)
                .and_then(|back| needs.get_mut(back))
            {
                *need = true;
            }
        }
        if flow::jumps(shape.op) {
            // A jump passes on what it has, wherever it goes.
            needs[..CARRIED.saturating_sub(results)].fill(true);
        }
        results += usize::from(has_result(shape.op));
    }
    for need in results..CARRIED {
        needs[need - results] |= after[need];
    }
    needs
}

impl Choice {
    /// Whether who leaves these results at hand may go to `place`, for which this was chosen.
    pub(super) fn takes(&self, left: &flow::History, place: &Place) -> bool {
        let wanted = place.history.iter().zip(self.needs).enumerate();
        // Of two results in the same register, the older is not what the register holds.
        wanted.into_iter().all(|(number, (wanted, need))| {
            !need || *wanted == 0 || usize::from(flow::back(left, *wanted)) == number + 1
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A handler has the results that were passed on to it, and its own; and it ends where it may not go on.
    #[test]
    fn handlers_take_over_only_what_they_have() {
        for fused in FLAT.iter().chain(PAGED.iter()).flatten() {
            let mut results = CARRIED;
            for (number, shape) in fused.shapes().iter().enumerate() {
                let furthest = usize::from(shape.back.0.max(shape.back.1));
                assert!(furthest <= results.min(flow::DEPTH), "{:?}", fused.shapes());
                assert!(
                    goes_on(Some(shape.op)) || number + 1 == fused.length,
                    "{:?}",
                    fused.shapes()
                );
                results += usize::from(has_result(shape.op));
            }
        }
    }

    /// Results that are needed behind a handler, or where it may jump to, are needed by it.
    #[test]
    fn needs_are_handed_back() {
        let shape = |op, first, second| Shape {
            op,
            back: (first, second),
        };
        let none = [false; CARRIED];
        let cases = [
            (vec![shape(Op::Addi, 0, 0)], none, none),
            (vec![shape(Op::Addi, 2, 0)], none, [false, true]),
            (vec![shape(Op::Addi, 0, 0)], [false, true], [true, false]),
            (vec![shape(Op::Sw, 0, 0)], [false, true], [false, true]),
            (
                vec![shape(Op::Lw, 0, 0), shape(Op::Add, 1, 3)],
                none,
                [false, true],
            ),
            (vec![shape(Op::Beq, 0, 0)], none, [true, true]),
            (
                vec![shape(Op::Lw, 0, 0), shape(Op::Jal, 0, 0)],
                none,
                [true, false],
            ),
            (
                vec![shape(Op::Beq, 0, 0), shape(Op::Lw, 0, 0), shape(Op::Lw, 0, 0)],
                none,
                [true, true],
            ),
        ];
        for (shapes, after, expected) in cases {
            assert_eq!(needs(&shapes, after), expected, "{shapes:?}, then {after:?}");
        }
    }
}
