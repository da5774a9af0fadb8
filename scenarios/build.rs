//! The shipped scenarios and tours are embedded by a macro, which cannot tell cargo that a new file belongs to them.

fn main() {
    println!("cargo::rerun-if-changed=shipped");
    println!("cargo::rerun-if-changed=tours");
}
