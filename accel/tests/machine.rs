//! What holds of the machine on every engine holds on the x86-64 engine: tests of `toy-isa`, on this one.
#![allow(
    clippy::duplicate_mod,
    reason = "each of the files has its own copy of what they share"
)]

#[path = "../../toy-isa/tests/devices.rs"]
mod devices;
#[path = "../../toy-isa/tests/root.rs"]
mod root;

/// In place of those of `toy-isa`.
mod engines {
    use accel::X86_64;
    use toy_isa::engine::{Engine, Interpreter, Reference};

    /// The engines.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) enum EngineName {
        /// The definition.
        Reference,
        /// Translates everything at once.
        Eager,
        /// Waits a little, as users' engines do.
        Patient,
    }

    /// Those that are tested here.
    pub(crate) const ENGINES: [EngineName; 2] = [EngineName::Eager, EngineName::Patient];

    impl EngineName {
        /// Makes one; where the host has none, the interpreter stands in.
        pub(crate) fn build(self) -> Box<dyn Engine> {
            let patience = match self {
                EngineName::Reference => return Box::new(Reference),
                EngineName::Eager => 0,
                EngineName::Patient => 2,
            };
            match X86_64::with_patience(patience) {
                Ok(engine) => Box::new(engine),
                Err(missing) => {
                    println!("skipped: {missing}");
                    Box::new(Interpreter::default())
                }
            }
        }
    }
}
