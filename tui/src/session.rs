//! A session: one scenario under one mode, at some place of its run.

use scenarios::Scenario;
use toy_isa::asm::Source;
use toy_isa::image::Image;
use vmm_core::engine::EngineName;
use vmm_core::mode::ModeName;
use vmm_core::run::Run;
use vmm_core::setup::StartError;

/// A guest under one mode.
pub struct Session {
    /// What is run.
    pub scenario: Scenario,
    /// The method.
    pub mode: ModeName,
    run: Run,
}

impl Session {
    /// A guest at power-on.
    ///
    /// # Errors
    /// If the mode cannot run this guest, or this host cannot run the mode.
    pub fn new(scenario: Scenario, mode: ModeName) -> Result<Session, StartError> {
        let run = Run::new(&scenario.setup, mode, EngineName::Auto)?;
        Ok(Session { scenario, mode, run })
    }

    /// The run where it is.
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// The program that runs, with the sources that it was made from.
    pub fn program(&self) -> (&Image, &[Source]) {
        self.scenario.program(self.mode)
    }
}
