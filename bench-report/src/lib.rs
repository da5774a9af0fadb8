//! Measurements: Trapeze by the clock, and beside its peers.
//!
//! What is measured is the CPU time of a process, so that a busy machine does not count. Every figure comes with its
//! spread, and all that are compared were taken in the same [rounds]: one run of each after the other, again and again.

pub mod kernels;
pub mod peers;
pub mod rounds;
pub mod table;
