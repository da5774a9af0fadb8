//! Ring32: a toy machine with four privilege rings, and everything that a bare one is made of.
//!
//! Read in this order: [`table`] (the instruction set, one row each), [`semantics`] (what each row does),
//! [`cpu`] (traps, interrupts, halting), [`mmu`] (relocation and paging), [`devices`], [`machine`], [`root`]
//! (root and non-root operation).

pub mod asm;
pub mod bus;
pub mod cpu;
pub mod devices;
pub mod disasm;
pub mod engine;
pub mod hart;
pub mod image;
pub mod instruction;
pub mod machine;
pub mod mmu;
pub mod profile;
pub mod ram;
pub mod root;
pub mod row;
pub mod semantics;
pub mod table;
pub mod trap;
