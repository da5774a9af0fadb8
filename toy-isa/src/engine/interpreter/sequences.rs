//! The catalogue of sequences of up to four instructions that a handler of their own executes.

use super::fuse::{Fused, Shape};
use super::handlers::{Handler, four, from, three, two};
use crate::table::Op;

/// The sequences that were seen to be frequent: in the benchmark kernels, `hello`, `interp` and `chacha`, all compiled
/// with `gcc -O2`. After each instruction stands, for either source, how many results back it is: of those that the
/// handler has by then, or that were passed on to it.
#[rustfmt::skip]
pub(super) fn sequences<const PAGED: bool>() -> Vec<Fused> {
    macro_rules! handler {
        ($a:ident $e:literal $ee:literal $b:ident $f:literal $ff:literal) => {
            Handler(two::<{ Op::$a as u8 }, { Op::$b as u8 }, { from($e, $ee) }, { from($f, $ff) }, PAGED>)
        };
        ($a:ident $e:literal $ee:literal $b:ident $f:literal $ff:literal $c:ident $g:literal $gg:literal) => {
            Handler(three::<
                { Op::$a as u8 }, { Op::$b as u8 }, { Op::$c as u8 },
                { from($e, $ee) }, { from($f, $ff) }, { from($g, $gg) }, PAGED,
            >)
        };
        ($a:ident $e:literal $ee:literal $b:ident $f:literal $ff:literal $c:ident $g:literal $gg:literal
            $d:ident $h:literal $hh:literal) => {
            Handler(four::<
                { Op::$a as u8 }, { Op::$b as u8 }, { Op::$c as u8 }, { Op::$d as u8 },
                { from($e, $ee) }, { from($f, $ff) }, { from($g, $gg) }, { from($h, $hh) }, PAGED,
            >)
        };
    }
    macro_rules! each {
        ($($($op:ident $f:literal $g:literal),+;)*) => {
            vec![ $( Fused::new(
                &[ $( Shape { op: Op::$op, back: ($f, $g) } ),+ ],
                handler!($($op $f $g)+),
            ), )* ]
        };
    }
    each! {
        Add 0 0, Add 0 0, Xor 3 0, Xor 3 0;
        Add 0 0, Addi 1 0, Add 0 4, Sw 0 1;
        Add 0 0, Addi 1 0, Sw 0 2, Lw 0 0;
        Add 0 0, Blt 0 0, Lw 0 0, Sw 0 0;
        Add 0 0, Lw 0 0, Sw 0 2, Xor 2 0;
        Add 0 0, Lw 1 0, Add 0 4, Addi 0 0;
        Add 0 0, Lw 1 0, Srli 0 0, Andi 1 0;
        Add 0 0, Sb 1 2, Addi 0 0, Jal 0 0;
        Add 0 0, Sw 0 0, Addi 1 0, Xor 0 3;
        Add 0 0, Sw 0 1, Addi 0 0, Bne 0 4;
        Add 0 0, Sw 0 2, Lw 0 0, Xor 0 2;
        Add 0 1, Lw 1 0, Slli 4 0, Add 0 1;
        Add 0 1, Lw 1 0, Xor 1 0, Sw 3 1;
        Add 0 2, Lui 0 0, Addi 1 0, And 0 0;
        Add 1 0, Addi 0 0, Add 2 4, Bgeu 0 2;
        Add 1 0, Xor 0 1, Sw 0 2, Slli 0 0;
        Add 2 0, Sb 1 0, Sw 0 2, Addi 0 0;
        Add 2 1, Lbu 1 0, Xor 1 0, Sb 3 1;
        Addi 0 0, Add 0 0, Addi 4 0, Bne 4 0;
        Addi 0 0, Add 0 0, Sw 0 2, Sb 1 3;
        Addi 0 0, Add 0 2, Lui 0 0, Addi 1 0;
        Addi 0 0, Add 2 0, Sb 1 2, Sw 0 4;
        Addi 0 0, Add 2 0, Sw 2 1, Bne 2 0;
        Addi 0 0, Addi 0 0, Add 0 0, Bltu 2 3;
        Addi 0 0, Addi 0 0, Addi 0 0, Addi 0 0;
        Addi 0 0, Addi 0 0, Addi 0 0, Bne 4 0;
        Addi 0 0, Addi 0 0, Addi 3 0, Beq 0 0;
        Addi 0 0, Addi 0 0, Addi 4 0, Addi 4 0;
        Addi 0 0, Addi 0 0, Addi 4 0, Sw 0 4;
        Addi 0 0, Addi 0 0, Remu 3 2, Srli 4 0;
        Addi 0 0, Addi 0 0, Sb 1 3, Bne 2 0;
        Addi 0 0, Addi 0 0, Sw 0 0, Jal 0 0;
        Addi 0 0, Addi 0 0, Sw 0 4, Addi 3 0;
        Addi 0 0, Addi 0 0, Sw 2 0, Jal 0 0;
        Addi 0 0, Addi 1 0, Sw 2 0, Sw 2 0;
        Addi 0 0, Addi 3 0, Addi 0 0, Sw 0 4;
        Addi 0 0, Addi 3 0, Bne 2 0, Jalr 0 0;
        Addi 0 0, And 1 0, Lw 3 0, Slli 2 0;
        Addi 0 0, Andi 0 0, Add 0 4, Bltu 3 4;
        Addi 0 0, Andi 0 0, Slli 1 0, Add 1 2;
        Addi 0 0, Andi 1 0, Addi 1 0, Add 0 1;
        Addi 0 0, Beq 0 1, Addi 0 0, Beq 0 1;
        Addi 0 0, Beq 0 2, Addi 0 0, Beq 0 1;
        Addi 0 0, Bne 1 0, Addi 0 0, Bne 0 1;
        Addi 0 0, Bne 2 1, Lw 0 0, Lw 0 0;
        Addi 0 0, Lui 0 0, Sw 0 2, Addi 1 0;
        Addi 0 0, Lw 0 0, Addi 0 0, Jalr 5 0;
        Addi 0 0, Lw 2 0, Add 0 2, Bgeu 0 0;
        Addi 0 0, Mul 1 1, Addi 0 0, Bgeu 0 2;
        Addi 0 0, Mul 1 1, Addi 0 0, Bltu 0 2;
        Addi 0 0, Sw 0 3, Lw 1 0, Addi 0 0;
        Addi 0 0, Sw 1 0, Sw 1 0, Sw 1 0;
        Addi 0 0, Sw 2 3, Addi 2 0, Bne 0 2;
        Addi 0 0, Xor 2 0, Bne 2 0, Lw 0 0;
        Addi 1 0, Addi 0 0, Addi 0 0, Addi 0 0;
        Addi 1 0, Addi 0 0, And 0 2, Beq 0 2;
        Addi 1 0, Lw 1 0, Sw 4 0, Sw 4 2;
        Addi 2 0, Addi 2 0, Sub 1 2, Sw 0 1;
        Addi 2 0, Addi 2 0, Sw 0 2, Addi 0 0;
        Addi 2 0, Lui 0 0, Lui 0 0, Add 3 1;
        Addi 2 0, Sw 0 0, Sw 0 0, Addi 0 0;
        And 0 0, Add 3 1, Lbu 1 0, Addi 0 0;
        And 0 0, Slli 1 0, Add 4 1, Lw 1 0;
        And 2 0, Addi 0 0, Xor 3 2, Bne 2 0;
        Andi 0 0, Addi 0 0, Addi 0 0, Bne 3 0;
        Andi 0 0, Bne 1 0, Add 0 0, Lw 1 0;
        Andi 0 0, Slli 1 0, Andi 3 0, Add 2 1;
        Andi 1 0, Slli 1 0, Add 0 1, Lw 1 0;
        Andi 2 0, Andi 2 0, Add 0 2, Lw 1 0;
        Beq 0 0, Addi 0 0, Sw 1 0, Lui 0 0;
        Beq 0 0, Addi 2 0, Addi 0 0, Bne 2 0;
        Beq 0 0, Andi 0 0, Andi 0 0, Beq 2 0;
        Beq 2 1, Lw 0 0, Bne 1 0, Addi 0 0;
        Blt 1 2, Slli 2 0, Add 0 1, Lw 1 0;
        Bltu 0 0, Sw 0 0, Sw 0 0, Addi 0 0;
        Bne 0 0, Beq 0 0, Lui 0 0, Addi 1 0;
        Bne 0 0, Lui 0 0, Bgeu 0 1, Lw 0 0;
        Bne 1 0, Lw 0 0, Add 0 0, Sw 1 2;
        Lbu 0 0, Lui 0 0, Lw 1 0, Beq 3 0;
        Lbu 0 0, Srli 2 0, Addi 0 0, Xor 3 4;
        Lbu 1 0, Addi 0 0, Addi 0 0, Beq 3 0;
        Lbu 1 0, Addi 2 0, Addi 0 0, Bne 3 0;
        Lbu 2 0, Add 0 3, Xor 1 0, Mul 1 3;
        Lui 0 0, Add 0 0, Addi 4 0, Addi 3 0;
        Lui 0 0, Addi 0 0, Addi 0 0, Addi 3 0;
        Lui 0 0, Addi 0 0, Lui 0 0, Lui 0 0;
        Lui 0 0, Addi 1 0, Addi 0 0, Bltu 2 0;
        Lui 0 0, Addi 1 0, Addi 0 0, Jal 0 0;
        Lui 0 0, Addi 1 0, Addi 0 0, Sw 0 0;
        Lui 0 0, Addi 1 0, Addi 3 0, Addi 2 0;
        Lui 0 0, Addi 1 0, And 0 1, Bne 1 0;
        Lui 0 0, Addi 1 0, And 3 1, Lui 0 0;
        Lui 0 0, Addi 1 0, Lui 0 0, Add 0 2;
        Lui 0 0, Addi 1 0, Slli 0 0, Add 1 2;
        Lui 0 0, Bgeu 0 1, Add 0 0, Lbu 1 0;
        Lui 0 0, Lui 0 0, Addi 2 0, Add 4 2;
        Lui 0 0, Lui 0 0, Addi 2 0, Sw 0 2;
        Lui 0 0, Lui 0 0, Sw 0 0, Sw 0 0;
        Lui 0 0, Lui 0 0, Sw 0 1, Sub 3 0;
        Lui 0 0, Lw 0 0, Addi 2 0, Jal 0 0;
        Lui 0 0, Lw 0 0, Lw 0 0, Addi 4 0;
        Lui 0 0, Lw 1 0, Addi 0 0, Beq 2 0;
        Lui 0 0, Slli 0 0, Addi 2 0, Add 2 1;
        Lw 0 0, Add 0 0, Add 3 0, Add 3 5;
        Lw 0 0, Addi 0 0, Add 0 3, Lui 0 0;
        Lw 0 0, Addi 0 0, Add 2 0, Srai 1 0;
        Lw 0 0, Addi 0 0, Addi 0 0, Andi 3 0;
        Lw 0 0, Addi 0 0, Addi 0 0, Jalr 0 0;
        Lw 0 0, Addi 0 0, Addi 0 0, Jalr 3 0;
        Lw 0 0, Addi 0 0, Lw 0 0, Mul 3 2;
        Lw 0 0, Addi 3 0, Bne 3 2, Lw 0 0;
        Lw 0 0, Bgeu 2 1, Addi 0 0, Addi 0 0;
        Lw 0 0, Lui 0 0, Addi 0 0, Bne 3 2;
        Lw 0 0, Lui 0 0, Addi 1 0, Bltu 1 3;
        Lw 0 0, Lui 0 0, Addi 1 0, Srai 0 0;
        Lw 0 0, Lw 0 0, Addi 0 0, Addi 0 0;
        Lw 0 0, Lw 0 0, Addi 0 0, Jalr 0 0;
        Lw 0 0, Lw 0 0, Andi 2 0, Add 1 4;
        Lw 0 0, Lw 0 0, Lw 0 0, Addi 0 0;
        Lw 0 0, Lw 0 0, Lw 0 0, Lw 0 0;
        Lw 0 0, Lw 0 0, Lw 0 0, Sw 0 3;
        Lw 0 0, Lw 0 0, Slli 0 0, Srli 0 0;
        Lw 0 0, Lw 0 0, Sltu 2 1, Jal 0 0;
        Lw 0 0, Lw 0 0, Sltu 2 1, Xori 1 0;
        Lw 0 0, Lw 0 0, Sub 2 1, Sltiu 1 0;
        Lw 0 0, Lw 0 0, Sub 2 1, Sltu 0 1;
        Lw 0 0, Lw 0 0, Sw 0 0, Add 2 0;
        Lw 0 0, Lw 0 0, Xor 0 3, Xor 0 0;
        Lw 0 0, Or 3 0, Lw 0 0, Add 3 0;
        Lw 0 0, Or 3 0, Slli 0 0, Add 3 2;
        Lw 0 0, Srai 0 0, Andi 1 0, Andi 0 0;
        Lw 0 0, Srai 0 0, Sw 0 0, Add 1 2;
        Lw 0 0, Srli 0 0, Or 1 4, Add 3 0;
        Lw 0 0, Sub 0 0, Sub 4 2, Bge 1 2;
        Lw 0 0, Sw 0 0, Addi 0 0, Sw 0 2;
        Lw 0 0, Sw 0 0, Lw 0 0, Lw 0 0;
        Lw 0 0, Sw 0 0, Sw 0 0, Sw 0 1;
        Lw 0 0, Sw 0 1, Addi 0 0, Jal 0 0;
        Lw 0 0, Xor 0 0, Or 4 0, Slli 0 0;
        Lw 0 0, Xor 0 0, Xor 4 0, Slli 2 0;
        Lw 1 0, Addi 0 0, Andi 2 0, Bne 1 2;
        Lw 1 0, Addi 0 0, Lw 3 0, Sw 2 3;
        Lw 1 0, Sw 0 1, Sw 2 0, Bne 0 0;
        Lw 1 0, Xor 0 0, Bne 0 0, Xor 2 1;
        Lw 2 0, Slli 2 0, Srli 3 0, Or 1 2;
        Lw 2 0, Slli 2 0, Sub 1 3, Add 5 0;
        Mul 0 0, Add 0 1, Bne 4 0, Lw 0 0;
        Mul 2 0, Addi 0 0, Add 2 0, Srli 1 0;
        Or 0 0, Andi 1 0, Addi 0 0, Beq 2 0;
        Or 0 2, And 0 2, Add 2 0, Bne 2 0;
        Or 1 2, Add 0 0, Add 0 2, Addi 1 0;
        Or 1 2, Slli 0 0, Add 0 2, Srli 0 0;
        Or 2 0, Lw 0 0, Xor 0 3, Lw 0 0;
        Remu 1 0, Addi 0 0, Slli 2 0, Add 0 1;
        Remu 2 0, Addi 0 0, Addi 2 0, Beq 1 0;
        Sb 1 0, Add 2 0, Add 2 0, Bgeu 0 2;
        Sb 1 0, Addi 1 0, Bne 1 0, Lui 0 0;
        Sb 2 1, Addi 1 0, Addi 3 0, Andi 2 0;
        Slli 0 0, Addi 2 0, And 2 1, Or 5 1;
        Slli 0 0, Or 2 0, Srli 0 0, Add 0 2;
        Slli 0 0, Srli 0 0, Or 1 2, Add 0 4;
        Slli 0 0, Srli 0 0, Or 1 2, Addi 4 0;
        Slli 0 0, Srli 0 0, Or 1 2, Lw 0 0;
        Slli 0 0, Srli 0 0, Or 3 0, Or 2 3;
        Slli 0 0, Srli 0 0, Or 3 0, Sw 0 1;
        Slli 0 0, Srli 0 0, Sw 0 0, Or 1 2;
        Slli 0 0, Sw 0 0, Sw 0 3, Andi 0 0;
        Slli 1 0, Add 3 1, Lw 1 0, Xor 1 0;
        Slli 1 0, Addi 0 0, Add 3 2, Bgeu 2 0;
        Slli 2 0, Andi 3 0, Add 2 4, Srli 5 0;
        Srai 0 0, Addi 2 0, And 2 1, Or 5 1;
        Srai 0 0, Andi 0 0, Andi 2 0, Or 1 2;
        Srl 0 0, Andi 1 0, Add 3 1, Lbu 1 0;
        Srl 0 2, Andi 1 0, Add 0 1, Lbu 1 0;
        Srli 0 0, Add 0 0, Or 2 3, Lw 0 0;
        Srli 0 0, Add 0 2, Slli 0 0, Slli 0 0;
        Srli 0 0, And 1 3, Lui 0 0, And 0 1;
        Srli 0 0, Andi 1 0, Bne 1 0, Lui 0 0;
        Srli 0 0, Or 0 0, Or 2 3, Lw 0 0;
        Srli 0 0, Or 0 0, Or 2 4, Lw 0 0;
        Srli 0 0, Slli 0 0, Srli 0 0, Or 3 4;
        Srli 0 0, Sw 0 0, Or 3 0, Or 3 0;
        Srli 0 0, Sw 0 0, Srli 0 0, Srli 0 0;
        Srli 0 0, Xor 0 0, Or 2 3, Lw 0 0;
        Srli 1 0, Xor 1 2, Slli 1 0, Xor 1 2;
        Sw 0 0, Add 0 0, Xor 0 1, Lw 0 0;
        Sw 0 0, Add 0 0, Xor 0 2, Addi 0 0;
        Sw 0 0, Add 0 2, Lw 0 0, Sw 0 0;
        Sw 0 0, Addi 0 0, Sw 0 2, Addi 0 0;
        Sw 0 0, Lui 0 0, Add 0 3, Addi 0 0;
        Sw 0 0, Lw 0 0, Lw 0 0, Add 3 4;
        Sw 0 0, Lw 0 0, Xor 0 3, Sw 0 4;
        Sw 0 0, Sw 0 0, Slli 2 0, Slli 0 0;
        Sw 0 0, Sw 0 0, Sw 0 0, Sw 0 0;
        Sw 0 0, Sw 0 1, Srli 0 0, Slli 0 0;
        Sw 0 0, Xor 0 0, Slli 3 0, Sw 0 0;
        Sw 0 1, Add 2 0, Or 0 0, Lw 0 0;
        Sw 0 1, Addi 0 0, Addi 0 0, Bne 2 0;
        Sw 0 1, Addi 0 0, Addi 3 0, Bne 0 2;
        Sw 0 1, Addi 0 0, Lw 0 0, Xor 0 4;
        Sw 0 2, Lw 0 0, Sw 0 2, Lw 0 0;
        Sw 1 0, Addi 0 0, Bne 0 0, Beq 0 0;
        Sw 1 0, Lw 0 0, Addi 0 0, Bne 1 2;
        Sw 1 0, Sw 1 0, Addi 0 0, Beq 0 0;
        Sw 1 0, Sw 1 0, Addi 0 0, Bgeu 1 0;
        Sw 1 0, Sw 1 0, Beq 0 0, Lui 0 0;
        Sw 1 2, Addi 2 0, Addi 2 0, Bne 2 0;
        Sw 2 0, Addi 1 0, Addi 0 0, Lui 0 0;
        Sw 2 0, Sw 2 0, Sw 2 0, Addi 0 0;
        Xor 0 0, Lw 0 0, Xor 0 4, Slli 1 0;
        Xor 0 0, Or 0 0, Sw 0 0, Lw 0 0;
        Xor 0 0, Sw 0 0, Slli 0 0, Srli 0 0;
        Xor 0 0, Sw 0 0, Sw 0 2, Slli 3 0;
        Xor 0 0, Sw 0 2, Slli 1 0, Srli 2 0;
        Xor 0 0, Xor 2 3, Xor 0 0, Slli 2 0;
        Xor 0 1, Bne 0 0, Addi 0 0, Bne 0 1;
        Xor 0 2, Sw 0 0, Sw 2 1, Addi 0 0;
        Xor 2 0, Add 0 2, Lw 0 0, Xor 2 0;
        Add 0 0, Blt 0 0, Sw 0 0;
        Add 2 0, Bne 2 0, Lw 0 0;
        Addi 0 0, Add 0 2, Bne 0 2;
        Addi 0 0, Addi 0 0, Addi 0 0;
        Addi 0 0, Addi 0 0, Jal 0 0;
        Addi 0 0, Addi 0 0, Lui 0 0;
        Addi 0 0, Beq 0 0, Bne 3 0;
        Addi 0 0, Bltu 0 0, Bge 2 0;
        Addi 0 0, Bltu 0 0, Bgeu 0 0;
        Addi 0 0, Bne 2 0, Slli 0 0;
        Addi 0 0, Lui 0 0, Lui 0 0;
        Addi 0 0, Sb 0 0, Jal 0 0;
        Addi 0 0, Sw 0 0, Jal 0 0;
        Addi 0 0, Sw 1 0, Sw 1 0;
        And 0 2, Add 2 0, Bne 2 0;
        Andi 0 0, Add 0 0, Jal 0 0;
        Andi 0 0, Srl 0 1, Beq 0 0;
        Andi 1 0, Sub 0 1, Srli 3 0;
        Auipc 0 0, Addi 1 0, Lw 0 0;
        Beq 0 0, Addi 0 0, Jal 0 0;
        Beq 1 0, Addi 0 0, Jal 0 0;
        Bge 0 0, Addi 0 0, Lui 0 0;
        Blt 0 0, Addi 0 0, Jal 0 0;
        Bne 0 0, Lw 0 0, Jal 0 0;
        Bne 2 0, Lw 0 0, Beq 1 0;
        Lbu 1 0, Addi 0 0, Xor 4 2;
        Lui 0 0, Addi 0 0, Addi 2 0;
        Lui 0 0, Addi 1 0, Add 1 0;
        Lui 0 0, Addi 1 0, Addi 3 0;
        Lui 0 0, Addi 1 0, And 0 1;
        Lui 0 0, Addi 1 0, Bltu 1 0;
        Lui 0 0, Addi 1 0, Lui 0 0;
        Lui 0 0, And 0 1, Bne 1 0;
        Lui 0 0, Lui 0 0, Addi 0 0;
        Lui 0 0, Lui 0 0, Lui 0 0;
        Lw 0 0, Addi 0 0, Beq 2 1;
        Lw 0 0, Addi 0 0, Bne 2 1;
        Lw 0 0, Addi 0 0, Lw 2 0;
        Lw 0 0, Lw 0 0, Lw 0 0;
        Lw 0 0, Lw 0 0, Mul 2 1;
        Lw 0 0, Lw 0 0, Sw 0 0;
        Lw 0 0, Srai 0 0, Sw 0 0;
        Lw 0 0, Sw 0 0, Sw 0 2;
        Lw 1 0, Addi 2 0, Addi 4 0;
        Mul 0 0, Lw 0 0, Addi 0 0;
        Or 0 0, Bne 0 0, Sw 0 1;
        Sb 0 1, Bne 0 0, Lui 0 0;
        Slli 1 0, Add 0 1, Lw 1 0;
        Sw 0 0, Sw 0 0, Jal 0 0;
        Sw 0 0, Sw 1 2, Addi 0 0;
        Sw 0 1, Addi 0 0, Bne 0 1;
        Sw 0 1, Addi 0 0, Jal 0 0;
        Sw 0 1, Bne 0 0, Lw 0 0;
        Sw 0 2, Bne 0 1, Lui 0 0;
        Sw 1 0, Addi 1 0, Bne 0 1;
        Sw 2 0, Sw 2 0, Sw 2 0;
        Addi 2 0, Addi 0 0;
        Addi 2 0, Jal 0 0;
        Addi 2 0, Sw 0 0;
        Andi 2 0, Jalr 0 0;
        Bne 1 0, Addi 0 0;
        Bne 2 0, Lw 0 0;
        Lbu 2 0, Sb 2 1;
        Lw 0 0, Add 1 2;
        Lw 0 0, Blt 1 2;
        Lw 2 0, Sw 2 1;
        Or 1 0, Sw 0 3;
        Sll 0 0, Jalr 0 0;
        Sw 2 0, Jal 0 0;
    }
}
