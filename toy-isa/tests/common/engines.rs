//! The engines that tests run on. A crate with more of them has a module of this name with its own, beside the tests
//! that it includes from here.
#![allow(dead_code, reason = "not every test file runs on all engines")]

use toy_isa::engine::{Engine, Interpreter, Reference};

/// The engines that run on every host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EngineName {
    /// The definition.
    Reference,
    /// The other.
    Interpreter,
}

/// All of them.
pub(crate) const ENGINES: [EngineName; 2] = [EngineName::Reference, EngineName::Interpreter];

impl EngineName {
    /// Makes one.
    pub(crate) fn build(self) -> Box<dyn Engine> {
        match self {
            EngineName::Reference => Box::new(Reference),
            EngineName::Interpreter => Box::new(Interpreter::default()),
        }
    }
}
