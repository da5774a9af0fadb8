//! Which handlers there are, and which of them a page uses. An instruction is fused only where it stands: a jump into
//! the middle of a sequence finds the handler that begins there.

use std::sync::LazyLock;

use super::handlers::{Handler, four, from, one, three, two};
use crate::table::{OPS, Op};

/// An instruction as far as the choice of a handler looks at it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) op: Op,
    /// How far back the instructions that compute its sources are, if not more than three; else 0.
    pub(super) back: (u8, u8),
}

/// A handler of several instructions.
struct Fused {
    shapes: Vec<Shape>,
    handler: Handler,
}

/// The handler of one instruction of this kind.
fn single(op: Op) -> Option<Handler> {
    macro_rules! each {
        ($($op:ident)*) => { match op { $( Op::$op => Some(Handler(one::<{ Op::$op as u8 }>)), )* _ => None } };
    }
    each!(Lui Auipc Addi Slti Sltiu Xori Ori Andi Slli Srli Srai Add Sub Sll Slt Sltu Xor Srl Sra Or And
        Mul Mulh Mulhsu Mulhu Div Divu Rem Remu Jal Jalr Beq Bne Blt Bge Bltu Bgeu Lb Lh Lw Lbu Lhu Sb Sh Sw Fence)
}

impl Fused {
    /// How many sources are results that the handler has already.
    fn taken_over(&self) -> usize {
        let sources = self.shapes.iter().flat_map(|shape| [shape.back.0, shape.back.1]);
        sources.filter(|back| *back != 0).count()
    }
}

/// The handlers of several instructions, by the operations of the first two; see [`slot`].
static FUSED: LazyLock<Vec<Vec<Fused>>> = LazyLock::new(|| {
    let mut all: Vec<Vec<Fused>> = Vec::new();
    all.resize_with(OPS.len() * OPS.len(), Vec::new);
    for fused in sequences().into_iter().chain(pairs()) {
        all[slot(fused.shapes[0].op, fused.shapes[1].op)].push(fused);
    }
    // Of handlers that do the same, the first is taken: the one that reads the fewest registers.
    for fused in &mut all {
        fused.sort_by_key(|fused| std::cmp::Reverse(fused.taken_over()));
    }
    all
});

fn slot(first: Op, second: Op) -> usize {
    first as usize * OPS.len() + second as usize
}

/// All pairs of what compiled code consists of.
fn pairs() -> Vec<Fused> {
    let mut pairs = Vec::new();
    macro_rules! each {
        ($($op:ident)*) => { $( pairs_of::<{ Op::$op as u8 }>(&mut pairs); )* };
    }
    each!(Addi Add Sub Slli Srli And Andi Or Xor Mul Lw Lbu Sw Sb Lui);
    pairs
}

fn pairs_of<const A: u8>(pairs: &mut Vec<Fused>) {
    let a = OPS[A as usize].op;
    macro_rules! each {
        ($($op:ident)*) => { $(
            let b = Op::$op;
            if result(a) {
                pairs.push(pair(a, b, (1, 0), Handler(two::<A, { Op::$op as u8 }, { from(1, 0) }>)));
                pairs.push(pair(a, b, (0, 1), Handler(two::<A, { Op::$op as u8 }, { from(0, 1) }>)));
            }
            pairs.push(pair(a, b, (0, 0), Handler(two::<A, { Op::$op as u8 }, { from(0, 0) }>)));
        )* };
    }
    each!(Addi Add Sub Slli Srli And Andi Or Xor Mul Lw Lbu Sw Sb Lui Jal Jalr Beq Bne Blt Bge Bltu Bgeu);
}

fn pair(a: Op, b: Op, back: (u8, u8), handler: Handler) -> Fused {
    let shapes = vec![Shape { op: a, back: (0, 0) }, Shape { op: b, back }];
    Fused { shapes, handler }
}

/// Whether an instruction has a result that the next one may take over.
pub(super) fn result(op: Op) -> bool {
    !matches!(op, Op::Sb | Op::Sh | Op::Sw | Op::Fence)
}

/// Longer sequences that were seen to be frequent: in the inner loops of the benchmark kernels, in `hello`, `interp`
/// and `chacha`, all compiled with `gcc -O2`. After each instruction but the first stands how far back its sources are.
fn sequences() -> Vec<Fused> {
    macro_rules! handler {
        ($a:ident $b:ident $f:literal $ff:literal $c:ident $g:literal $gg:literal) => {
            Handler(
                three::<
                    { Op::$a as u8 },
                    { Op::$b as u8 },
                    { Op::$c as u8 },
                    { from($f, $ff) },
                    { from($g, $gg) },
                >,
            )
        };
        ($a:ident $b:ident $f:literal $ff:literal $c:ident $g:literal $gg:literal $d:ident $h:literal $hh:literal) => {
            Handler(
                four::<
                    { Op::$a as u8 },
                    { Op::$b as u8 },
                    { Op::$c as u8 },
                    { Op::$d as u8 },
                    { from($f, $ff) },
                    { from($g, $gg) },
                    { from($h, $hh) },
                >,
            )
        };
    }
    macro_rules! each {
        ($($a:ident: $($b:ident $f:literal $g:literal),+;)*) => {
            vec![ $( Fused {
                shapes: vec![
                    Shape { op: Op::$a, back: (0, 0) },
                    $( Shape { op: Op::$b, back: ($f, $g) }, )+
                ],
                handler: handler!($a $($b $f $g)+),
            }, )* ]
        };
    }
    each! {
        Add: Addi 0 0, Lw 2 0, Add 0 2;
        Add: Addi 0 0, Slli 0 0, Add 0 1;
        Add: Lw 0 0, Lw 0 0, Addi 0 0;
        Add: Lw 1 0, Add 0 0, Addi 0 0;
        Add: Lw 1 0, Add 0 0, Lw 1 0;
        Add: Lw 1 0, Addi 0 0, Andi 2 0;
        Add: Lw 1 0, Addi 2 0, Addi 0 0;
        Add: Lw 1 0, Slli 0 0, Add 0 1;
        Add: Lw 1 0, Xor 0 0, Bne 0 0;
        Add: Lw 1 0, Xor 0 1, Bne 0 0;
        Add: Sw 0 0, Sb 2 0, Addi 0 0;
        Addi: Add 0 0, Sw 0 2, Sb 2 0;
        Addi: Add 0 1, Lw 1 0, Addi 2 0;
        Addi: Add 0 1, Lw 1 0, Jalr 1 0;
        Addi: Addi 0 0, Add 0 0, Bltu 2 3;
        Addi: Addi 0 0, Addi 0 0, Bltu 0 0;
        Addi: Addi 0 0, Addi 2 0, Jal 0 0;
        Addi: Addi 0 0, Mul 0 0, Add 0 1;
        Addi: Andi 0 0, Add 0 0, Bltu 3 0;
        Addi: Lw 0 0, Add 0 2, Bgeu 0 0;
        Addi: Mul 0 0, Add 0 1, Bne 0 0;
        Addi: Slli 0 0, Add 0 1, Lw 1 0;
        Addi: Sw 0 1, Lui 0 0, Addi 1 0;
        Addi: Sw 1 0, Sw 2 0, Sw 3 0;
        Addi: Xor 0 0, Andi 1 0, Slli 1 0;
        Addi: Xor 0 0, Andi 1 0, Sub 0 1;
        And: Addi 0 0, Xor 0 2, Bne 2 0;
        Andi: Add 0 0, Srli 0 0, Beq 3 0;
        Andi: Add 1 0, Lw 0 0, Lw 0 0;
        Andi: Addi 0 0, Andi 0 0, Add 0 0;
        Andi: Slli 1 0, Add 0 1, Lw 1 0;
        Andi: Sub 0 1, Srli 0 0, And 2 0;
        Lbu: Addi 0 0, Addi 0 0, Beq 3 0;
        Lbu: Addi 0 0, Xor 0 2, Andi 1 0;
        Lbu: Sb 0 1, Addi 0 0, Addi 0 0;
        Lbu: Srli 0 0, Addi 0 0, Xor 3 0;
        Lui: Addi 1 0, Add 1 0, Lw 1 0;
        Lui: Addi 1 0, Addi 0 0, Bltu 2 0;
        Lui: Slli 0 0, Addi 2 0, Add 2 1;
        Lw: Add 0 0, Addi 0 0, Slli 3 0;
        Lw: Addi 0 0, Addi 0 0, Addi 0 0;
        Lw: Addi 0 0, Addi 0 0, Mul 0 3;
        Lw: Addi 0 0, Andi 2 0, Bne 1 2;
        Lw: Andi 0 0, Add 1 0, Lw 0 0;
        Lw: Lw 0 0, Addi 0 0, Addi 0 0;
        Lw: Lw 0 0, Addi 0 0, Jalr 0 0;
        Lw: Lw 0 0, Andi 2 0, Add 1 0;
        Lw: Lw 0 0, Lw 0 0, Addi 0 0;
        Lw: Lw 0 0, Lw 0 0, Lw 0 0;
        Lw: Slli 0 0, Add 0 1, Addi 0 0;
        Lw: Srli 0 0, Andi 1 0, Srli 0 0;
        Lw: Sw 0 0, Sw 0 0, Addi 3 0;
        Lw: Sw 0 1, Addi 0 0, Addi 0 0;
        Sb: Add 0 0, Add 0 0, Bgeu 0 2;
        Sb: Addi 0 0, Addi 0 0, Bne 2 0;
        Slli: Add 0 1, Addi 0 0, Lw 2 0;
        Slli: Add 0 1, Lw 1 0, Slli 0 0;
        Slli: Add 0 1, Lw 1 0, Xor 0 0;
        Slli: Add 0 1, Lw 1 0, Xor 0 1;
        Slli: Addi 0 0, Add 2 1, Lw 1 0;
        Slli: Andi 0 0, Add 2 0, Srli 0 0;
        Slli: Sw 0 0, Sw 0 0, Andi 0 0;
        Slli: Xor 1 0, Addi 0 0, Add 0 2;
        Slli: Xor 1 0, Srli 1 0, Xor 1 2;
        Srli: Addi 0 0, Xor 0 0, Andi 1 0;
        Srli: And 0 0, Addi 0 0, Xor 3 2;
        Srli: Andi 0 0, Andi 2 0, Add 0 2;
        Srli: Slli 0 0, Sw 0 0, Sw 0 0;
        Srli: Srli 0 0, Andi 2 0, Andi 2 0;
        Srli: Srli 0 0, Slli 0 0, Sw 0 0;
        Srli: Sw 0 0, Srli 0 0, Srli 0 0;
        Srli: Xor 1 0, Slli 1 0, Xor 1 2;
        Sub: Srli 0 0, And 2 0, Addi 0 0;
        Sw: Addi 0 0, Addi 0 0, Bne 2 0;
        Sw: Addi 0 0, Addi 0 0, Jal 0 0;
        Sw: Addi 0 0, Sw 0 1, Lui 0 0;
        Sw: Andi 0 0, Addi 0 0, Andi 0 0;
        Sw: Lui 0 0, Addi 1 0, Addi 0 0;
        Sw: Sb 0 0, Addi 0 0, Beq 0 0;
        Sw: Sw 0 0, Addi 0 0, Addi 0 0;
        Sw: Sw 0 0, Addi 0 0, Bgeu 1 0;
        Sw: Sw 0 0, Addi 0 0, Sw 0 1;
        Sw: Sw 0 0, Andi 0 0, Addi 0 0;
        Sw: Sw 0 0, Sw 0 0, Addi 0 0;
        Sw: Sw 0 0, Sw 0 0, Sw 0 0;
        Xor: Addi 0 0, Add 0 2, Bne 0 2;
        Xor: Andi 1 0, Slli 1 0, Add 0 1;
        Xor: Andi 1 0, Sub 0 1, Srli 3 0;
        Xor: Slli 1 0, Xor 1 2, Addi 0 0;
        Xor: Srli 1 0, Xor 1 2, Slli 1 0;
        Add: Add 0 0, Bgeu 0 2;
        Add: Addi 0 0, Lw 2 0;
        Add: Addi 0 0, Slli 0 0;
        Add: Lw 0 0, Lw 0 0;
        Add: Lw 1 0, Add 0 0;
        Add: Lw 1 0, Jalr 1 0;
        Add: Lw 1 0, Slli 0 0;
        Add: Lw 1 0, Xor 0 0;
        Add: Lw 1 0, Xor 0 1;
        Add: Srli 0 0, Beq 0 0;
        Add: Sw 0 0, Sb 2 0;
        Addi: Add 0 0, Bltu 2 0;
        Addi: Add 0 0, Bne 0 2;
        Addi: Add 0 0, Sw 0 2;
        Addi: Addi 0 0, Add 0 0;
        Addi: Addi 0 0, Addi 0 0;
        Addi: Addi 0 0, Addi 2 0;
        Addi: Addi 0 0, Beq 0 0;
        Addi: Addi 0 0, Bltu 0 0;
        Addi: Addi 0 0, Bne 2 0;
        Addi: Addi 0 0, Jal 0 0;
        Addi: Addi 0 0, Mul 0 0;
        Addi: Lw 0 0, Add 0 2;
        Addi: Mul 0 0, Add 0 1;
        Addi: Slli 0 0, Add 0 1;
        Addi: Sw 1 0, Sw 2 0;
        Addi: Xor 0 0, Andi 1 0;
        Addi: Xor 0 0, Bne 2 0;
        And: Addi 0 0, Xor 0 2;
        Andi: Add 0 0, Srli 0 0;
        Andi: Add 1 0, Lw 0 0;
        Andi: Slli 1 0, Add 0 1;
        Andi: Sub 0 1, Srli 0 0;
        Lbu: Addi 0 0, Addi 0 0;
        Lbu: Sb 0 1, Addi 0 0;
        Lbu: Srli 0 0, Addi 0 0;
        Lui: Addi 1 0, Addi 0 0;
        Lui: Slli 0 0, Addi 2 0;
        Lw: Add 0 0, Addi 0 0;
        Lw: Add 0 0, Bgeu 0 0;
        Lw: Addi 0 0, Addi 0 0;
        Lw: Addi 0 0, Jalr 0 0;
        Lw: Andi 0 0, Add 1 0;
        Lw: Lw 0 0, Addi 0 0;
        Lw: Lw 0 0, Andi 2 0;
        Lw: Lw 0 0, Lw 0 0;
        Lw: Lw 0 0, Sw 0 0;
        Lw: Slli 0 0, Add 0 1;
        Lw: Slli 0 0, Srli 0 0;
        Lw: Sw 0 0, Sw 0 0;
        Lw: Sw 0 1, Addi 0 0;
        Lw: Xor 0 0, Bne 0 0;
        Lw: Xor 0 1, Bne 0 0;
        Mul: Add 0 1, Bne 0 0;
        Or: Lw 0 0, Xor 0 0;
        Sb: Add 0 0, Add 0 0;
        Sb: Addi 0 0, Addi 0 0;
        Sb: Addi 0 0, Beq 0 0;
        Slli: Add 0 1, Addi 0 0;
        Slli: Add 0 1, Lw 1 0;
        Slli: Andi 0 0, Add 2 0;
        Slli: Srli 0 0, Or 1 2;
        Slli: Sw 0 0, Sw 0 0;
        Slli: Xor 1 0, Addi 0 0;
        Slli: Xor 1 0, Srli 1 0;
        Srli: Addi 0 0, Xor 0 0;
        Srli: And 0 0, Addi 0 0;
        Srli: Srli 0 0, Slli 0 0;
        Srli: Xor 1 0, Slli 1 0;
        Sub: Srli 0 0, And 2 0;
        Sw: Addi 0 0, Addi 0 0;
        Sw: Addi 0 0, Bgeu 1 0;
        Sw: Sb 0 0, Addi 0 0;
        Sw: Slli 0 0, Srli 0 0;
        Sw: Sw 0 0, Addi 0 0;
        Sw: Sw 0 0, Sw 0 0;
        Xor: Addi 0 0, Add 0 2;
        Xor: Andi 1 0, Slli 1 0;
        Xor: Slli 1 0, Xor 1 2;
        Xor: Srli 1 0, Xor 1 2;
    }
}

/// The handler of each instruction of a page, such that straight code takes the fewest. `None` in `shapes` is an
/// instruction whose handler has been chosen already, and that no other does.
pub(super) fn choose(shapes: &[Option<Shape>], handlers: &mut [Handler]) {
    let fused = &*FUSED;
    let mut steps = vec![0_u16; shapes.len() + 1];
    for at in (0..shapes.len()).rev() {
        let Some(first) = shapes[at] else {
            steps[at] = 1;
            continue;
        };
        let after = if matches!(first.op, Op::Jal | Op::Jalr) {
            0
        } else {
            steps[at + 1]
        };
        let mut best = after + 1;
        if let Some(handler) = single(first.op) {
            handlers[at] = handler;
        }
        let Some(second) = shapes.get(at + 1).copied().flatten() else {
            steps[at] = best;
            continue;
        };
        for candidate in &fused[slot(first.op, second.op)] {
            let here = &shapes[at..(at + candidate.shapes.len()).min(shapes.len())];
            if here.len() < candidate.shapes.len() || !fits(&candidate.shapes, here) {
                continue;
            }
            let jumps = here
                .last()
                .copied()
                .flatten()
                .is_some_and(|last| matches!(last.op, Op::Jal | Op::Jalr));
            let after = if jumps { 0 } else { steps[at + here.len()] };
            if after + 1 < best {
                best = after + 1;
                handlers[at] = candidate.handler;
            }
        }
        steps[at] = best;
    }
}

/// Whether a handler of these shapes does these instructions. It may read a register whose value it has.
fn fits(shapes: &[Shape], instructions: &[Option<Shape>]) -> bool {
    let same = |back: u8, here: u8| back == 0 || back == here;
    shapes.iter().zip(instructions).all(|(shape, here)| {
        here.is_some_and(|here| {
            here.op == shape.op && same(shape.back.0, here.back.0) && same(shape.back.1, here.back.1)
        })
    })
}
