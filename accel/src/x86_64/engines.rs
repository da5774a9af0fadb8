//! The engines that others see: one translator, two grounds.

use std::arch::is_x86_feature_detected;

use toy_isa::engine::{Engine, Exit, Figures};
use toy_isa::machine::Machine;

use super::Translator;
use super::cache::Cache;
use super::gate::Process;
use super::ground::Ground;
use super::virtualized::Virtualized;
use crate::kvm::KvmError;
use crate::kvm::calls::{Calls, Calm};
use crate::{Confinement, HostCode, Translated, Unavailable};

/// Room for code, in bytes.
pub(super) const ARENA: usize = 32 << 20;

/// How often code is executed step by step before it is translated.
const PATIENCE: u8 = 6;
/// The same for a virtual machine, where code is entered for the instructions that run inside.
const VIRTUAL_PATIENCE: u8 = 0;

/// Executes blocks of Ring32 as x86-64 code, in this process.
pub struct X86_64(pub(super) Translator<Process>);

impl X86_64 {
    /// Makes one.
    ///
    /// # Errors
    /// If the processor lacks an extension that emitted code uses, or the host gives no memory for code.
    pub fn new() -> Result<X86_64, Unavailable> {
        X86_64::with_patience(PATIENCE)
    }

    /// As [`X86_64::new`], with another number of times that code is executed step by step before it is translated.
    ///
    /// # Errors
    /// As [`X86_64::new`].
    pub fn with_patience(patience: u8) -> Result<X86_64, Unavailable> {
        X86_64::with_arena(patience, ARENA)
    }

    /// As [`X86_64::with_patience`], with room for so many bytes of code, and for some blocks at least.
    ///
    /// # Errors
    /// As [`X86_64::new`].
    pub fn with_arena(patience: u8, bytes: usize) -> Result<X86_64, Unavailable> {
        if !is_x86_feature_detected!("bmi2") {
            return Err(Unavailable("the processor has no BMI2".to_string()));
        }
        let refused = |error| Unavailable(format!("the host gives no memory for code ({error})"));
        let ground = Process::new().map_err(refused)?;
        let cache = Cache::new(patience, bytes, Process::ways).map_err(refused)?;
        Ok(X86_64(Translator::on(ground, cache, true)))
    }

    /// What it has translated so far.
    pub fn translated(&self) -> Translated {
        self.0.cache.translated
    }

    /// From now on, remembers of each block what its code is for, and [`X86_64::code`] has it.
    pub fn keep_listing(&mut self) {
        self.0.keep_listing();
    }

    /// The blocks that the engine holds and was asked to remember, without those that it has forgotten.
    pub fn code(&self) -> HostCode {
        self.0.code()
    }

    /// What of the host's memory emitted code can reach by the addresses of `machine`, which ran on this engine.
    pub fn confinement(&self, machine: &Machine) -> Confinement {
        self.0.confinement(machine)
    }

    /// The same without counting what the TLB does, which costs a program dear that reaches for more than its entries.
    #[must_use]
    pub fn without_tlb(mut self) -> X86_64 {
        self.0.counts_tlb = false;
        self
    }
}

/// Executes blocks of Ring32 as x86-64 code, in a virtual machine made with KVM.
pub struct Kvm(Translator<Virtualized>);

impl Kvm {
    /// Makes one, and its virtual machine.
    ///
    /// # Errors
    /// If there is no KVM for this user, it fails, or the processor lacks an extension that emitted code uses.
    pub fn new() -> Result<Kvm, KvmError> {
        Kvm::with_patience(VIRTUAL_PATIENCE)
    }

    /// As [`Kvm::new`], with another number of times that code is executed step by step before it is translated.
    ///
    /// # Errors
    /// As [`Kvm::new`].
    pub fn with_patience(patience: u8) -> Result<Kvm, KvmError> {
        Kvm::with_calls(patience, Calls::new(Box::new(Calm)))
    }

    /// As [`Kvm::with_patience`], with requests to KVM that may not come through.
    pub(super) fn with_calls(patience: u8, calls: Calls) -> Result<Kvm, KvmError> {
        if !is_x86_feature_detected!("bmi2") {
            return Err(KvmError::Processor("BMI2"));
        }
        let refused = |error: std::io::Error| KvmError::Memory(error.to_string());
        let cache = Cache::new(patience, ARENA, Virtualized::ways).map_err(refused)?;
        let ground = Virtualized::new(calls, &cache)?;
        Ok(Kvm(Translator::on(ground, cache, false)))
    }
}

impl Engine for X86_64 {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn run(&mut self, machine: &mut Machine, fuel: u64) -> Exit {
        self.0.run(machine, fuel)
    }

    fn forget(&mut self) {
        self.0.forget();
    }

    fn counts_tlb(&self) -> bool {
        self.0.counts_tlb()
    }

    fn figures(&self) -> Figures {
        self.0.figures()
    }
}

impl Engine for Kvm {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn run(&mut self, machine: &mut Machine, fuel: u64) -> Exit {
        self.0.run(machine, fuel)
    }

    fn forget(&mut self) {
        self.0.forget();
    }

    fn counts_tlb(&self) -> bool {
        self.0.counts_tlb()
    }

    fn figures(&self) -> Figures {
        self.0.figures()
    }
}
