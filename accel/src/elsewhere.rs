//! The stand-in where the host is no x86-64 Linux: nobody can make one.

use std::convert::Infallible;

use toy_isa::engine::{Engine, Exit};
use toy_isa::machine::Machine;

use crate::kvm::KvmError;
use crate::{Confinement, HostCode, Translated, Unavailable};

/// An engine that this host does not have.
pub struct X86_64(Infallible);

impl X86_64 {
    /// Says why there is none.
    ///
    /// # Errors
    /// Always.
    pub fn new() -> Result<X86_64, Unavailable> {
        X86_64::with_patience(0)
    }

    /// As [`X86_64::new`].
    ///
    /// # Errors
    /// Always.
    pub fn with_patience(_: u8) -> Result<X86_64, Unavailable> {
        X86_64::with_arena(0, 0)
    }

    /// As [`X86_64::new`].
    ///
    /// # Errors
    /// Always.
    pub fn with_arena(_: u8, _: usize) -> Result<X86_64, Unavailable> {
        Err(Unavailable("it needs an x86-64 processor and Linux".to_string()))
    }

    /// The same without counting what the TLB does.
    #[must_use]
    pub fn without_tlb(self) -> X86_64 {
        match self.0 {}
    }

    /// What it has translated.
    pub fn translated(&self) -> Translated {
        match self.0 {}
    }

    /// From now on, remembers what code is for.
    pub fn keep_listing(&mut self) {
        match self.0 {}
    }

    /// The blocks that it remembers.
    pub fn code(&self) -> HostCode {
        match self.0 {}
    }

    /// What emitted code can reach.
    pub fn confinement(&self, _: &Machine) -> Confinement {
        match self.0 {}
    }
}

impl Engine for X86_64 {
    fn name(&self) -> &'static str {
        match self.0 {}
    }

    fn run(&mut self, _: &mut Machine, _: u64) -> Exit {
        match self.0 {}
    }

    fn forget(&mut self) {
        match self.0 {}
    }
}

/// An engine that this host does not have.
pub struct Kvm(Infallible);

impl Kvm {
    /// Says why there is none.
    ///
    /// # Errors
    /// Always.
    pub fn new() -> Result<Kvm, KvmError> {
        Kvm::with_patience(0)
    }

    /// As [`Kvm::new`].
    ///
    /// # Errors
    /// Always.
    pub fn with_patience(_: u8) -> Result<Kvm, KvmError> {
        Err(KvmError::Elsewhere)
    }
}

impl Engine for Kvm {
    fn name(&self) -> &'static str {
        match self.0 {}
    }

    fn run(&mut self, _: &mut Machine, _: u64) -> Exit {
        match self.0 {}
    }

    fn forget(&mut self) {
        match self.0 {}
    }
}
