//! Where things stand in the virtual machine that runs emitted code.
//!
//! Its physical memory has three parts, each given to KVM by itself: what the machine needs for itself, from 0 on; the
//! arena of emitted code; and the memory of Ring32's machine. The first two are mapped at their own addresses. The
//! third is reached through the *window* alone: 4 GiB of addresses, one for each that Ring32 has, in which only those
//! pages are mapped that the guest may reach now. Nothing is mapped for gigabytes on either side of it, so that an
//! address and a displacement that leave it find nothing.

/// The descriptor tables and the task state, for the processor.
pub(crate) const GDT: u64 = 0x1000;
pub(crate) const IDT: u64 = 0x2000;
pub(crate) const TSS: u64 = 0x3000;
/// What runs in ring 0.
pub(crate) const STUBS: u64 = 0x4000;
/// One past the stack on which exceptions are delivered.
pub(crate) const STACK: u64 = 0x6000;
/// What the stub that changes page tables is to do: the number of changes, and the changes.
pub(crate) const COUNT: u64 = 0x6000;
/// The number of an exception that nobody foresaw, and 1.
pub(crate) const UNFORESEEN: u64 = 0x6008;
pub(crate) const CHANGES: u64 = 0x8000;
/// How many changes there can be at a time, of three words each.
pub(crate) const MOST_CHANGES: usize = 1024;
/// What emitted code reaches by its stack pointer.
pub(crate) const CONTEXT: u64 = 0x2_0000;
/// The tables that all regimes share.
pub(crate) const SHARED: u64 = 0x4_0000;
/// Page tables that change.
pub(crate) const TABLES: u64 = 0x20_0000;
/// The end of the machine's own memory.
pub(crate) const OWN: u64 = 0x100_0000;
/// The arena of emitted code.
pub(crate) const CODE: u64 = 0x4000_0000;
/// The memory of Ring32's machine; a physical address only.
pub(crate) const RAM: u64 = 0x1_0000_0000;
/// The window.
pub(crate) const WINDOW: u64 = 0x81_0000_0000;

/// The port by which emitted code leaves.
pub(crate) const PORT: u8 = 0xf4;
