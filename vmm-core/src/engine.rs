//! Engines by name.

use accel::{Kvm, X86_64};
use toy_isa::engine::{Engine, Interpreter, Reference};

use crate::setup::StartError;

/// Which engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum EngineName {
    /// The fastest that the host has.
    #[default]
    Auto,
    /// The definition: fetch, decode, execute, one by one.
    Reference,
    /// Decodes each page once.
    Interpreter,
    /// Translates blocks to code of the host.
    X86_64,
    /// The same, and runs them in a virtual machine: what mode `kvm` executes with.
    Kvm,
}

impl EngineName {
    /// All of them.
    pub const ALL: [EngineName; 5] = [
        EngineName::Auto,
        EngineName::Reference,
        EngineName::Interpreter,
        EngineName::X86_64,
        EngineName::Kvm,
    ];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            EngineName::Auto => "auto",
            EngineName::Reference => "reference",
            EngineName::Interpreter => "interpreter",
            EngineName::X86_64 => "x86-64",
            EngineName::Kvm => "kvm",
        }
    }

    /// The engine of this name.
    pub fn from_name(name: &str) -> Option<EngineName> {
        EngineName::ALL.into_iter().find(|engine| engine.name() == name)
    }

    /// Makes one. `tlb`: what the TLB does is to be counted.
    ///
    /// # Errors
    /// If the host does not have it.
    pub fn build(self, tlb: bool) -> Result<Box<dyn Engine>, StartError> {
        Ok(match self {
            EngineName::Reference => Box::new(Reference),
            EngineName::Interpreter => Box::new(Interpreter::default()),
            EngineName::X86_64 if tlb => Box::new(X86_64::new()?),
            EngineName::X86_64 => Box::new(X86_64::new()?.without_tlb()),
            EngineName::Auto => match EngineName::X86_64.build(tlb) {
                Ok(engine) => engine,
                Err(_) => EngineName::Interpreter.build(tlb)?,
            },
            EngineName::Kvm => Box::new(Kvm::new()?),
        })
    }
}
