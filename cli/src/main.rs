//! The `trapeze` binary.
fn main() {}
