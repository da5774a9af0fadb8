//! What the host's hardware does for Trapeze. This is the only crate with unsafe code, and each block of it says why it
//! is sound.

pub mod kvm;
