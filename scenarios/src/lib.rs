//! Scenarios: a guest, its machine, the modes to run it under and what is expected to come of it, in one TOML
//! file.
//!
//! Read in this order: [`Scenario`] and how it is found and loaded, [`schema`] (every key of the file),
//! [`expect`] (expectations, and how a run fails them), [`Crowd`] (several guests at once), [`tour`] (guided tours
//! through the runs of scenarios), [`error`] (what is said about a bad file).
//!
//! Scenario files, and everything they name, are hostile input: sizes are capped before anything is read,
//! only regular files are opened, and no input panics.

mod crowd;
pub mod error;
pub mod expect;
mod files;
pub mod listing;
mod load;
pub mod machines;
mod parse;
pub mod port;
pub mod schema;
mod shipped;
pub mod subject;
pub mod terminal;
pub mod tour;
mod values;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use toy_isa::asm::Source;
use toy_isa::image::Image;
use toy_isa::profile::Profile;
use vmm_core::check::report::Report;
use vmm_core::counts::Counts;
use vmm_core::mode::ModeName;
use vmm_core::modes::trap::Layout;
use vmm_core::numbers::exact;
use vmm_core::setup::Setup;

pub use crowd::Crowd;
pub use error::{Diagnostic, Error, FileProblem};
pub use expect::{Expectations, Failure};
pub use files::{load_elf, read_limited};
pub use load::{Define, Variant};
pub use shipped::{Listed, list};

/// The most that one file of each kind may hold, and other limits that a scenario cannot exceed.
pub mod limit {
    /// Bytes in a scenario file.
    pub const TOML: u64 = 1 << 20;
    /// Bytes in one source file.
    pub const SOURCE: u64 = 1 << 20;
    /// Source files in a scenario.
    pub const SOURCES: usize = 64;
    /// Modules beside a guest.
    pub const MODULES: usize = 8;
    /// Guests of a scenario in its crowd.
    pub const GUESTS: u32 = 256;
    /// Other scenarios in a crowd.
    pub const BESIDE: usize = 16;
    /// The weight of a guest in a crowd.
    pub const WEIGHT: u32 = 1000;
    /// Fuel that an exit may cost.
    pub const EXIT_FUEL: u64 = 1_000_000;
    /// Bytes in an ELF file.
    pub const ELF: u64 = 64 << 20;
    /// Bytes in a list of prices.
    pub const PRICES: u64 = 1 << 16;
    /// Bytes in a stored run.
    pub const RUN: u64 = 16 << 20;
    /// Bytes in a disk image.
    pub const DISK: u64 = 64 << 20;
    /// Entries in each half of the TLB's model.
    pub const TLB: u64 = 1 << 16;
    /// Attempts at an instruction that a run may take.
    pub const BUDGET: u64 = 1_000_000_000_000;
}

/// A scenario, ready to run: nothing in it refers to a file any more.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The name of its folder, or of its file without the ending.
    pub name: String,
    /// One line.
    pub title: String,
    /// What it shows, in a paragraph; may be empty.
    pub about: String,
    /// The guest and its machine.
    pub setup: Setup,
    /// The modes to run it under, each once, in the order of the file.
    pub modes: Vec<ModeName>,
    /// Attempts at an instruction after which a run is ended.
    pub budget: u64,
    /// Several guests under one monitor.
    pub crowd: Crowd,
    /// What is expected of the runs.
    pub expect: Expectations,
    /// What is not expected any more because the runs were changed, in words.
    pub unchecked: Option<String>,
    /// Where it comes from.
    pub origin: Origin,
    /// The guest's sources, to show lines of; empty for an ELF. Their names are those in the scenario file,
    /// and those in the image's line table.
    pub sources: Vec<Source>,
    /// The sources of the guest's port; empty if it has none.
    pub port_sources: Vec<Source>,
}

/// Where a scenario comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It is part of this program.
    Shipped,
    /// This file.
    File(PathBuf),
}

impl Scenario {
    /// The shipped scenario of this name; else the one in the file of this path, or in the `scenario.toml` of
    /// the folder of this path.
    ///
    /// # Errors
    /// If there is neither, or it is not a good scenario.
    pub fn find(name_or_path: &str) -> Result<Scenario, Error> {
        Scenario::find_with(name_or_path, &Variant::default())
    }

    /// As [`Scenario::find`], in a variant. Where that sets symbols, how often something happens is not expected.
    ///
    /// # Errors
    /// As [`Scenario::find`]; and if it does not define a symbol that is set, or has no port of a part that is wanted.
    pub fn find_with(name_or_path: &str, variant: &Variant) -> Result<Scenario, Error> {
        let path = Path::new(name_or_path);
        let is_name = !name_or_path.ends_with(".toml") && path.components().count() == 1;
        let mut scenario = if shipped::exists(name_or_path) || is_name && !path.exists() {
            shipped::load(name_or_path, variant)
        } else {
            Scenario::load_with(path, variant)
        }?;
        if !variant.set.is_empty() && scenario.expect.drop_counts() {
            scenario.leave_unchecked("counts, which it expects of its own symbols".to_string());
        }
        Ok(scenario)
    }

    fn leave_unchecked(&mut self, what: String) {
        self.unchecked = Some(match self.unchecked.take() {
            Some(more) => format!("{more}; {what}"),
            None => what,
        });
    }

    /// The scenario in this file, or in the `scenario.toml` of this folder.
    ///
    /// # Errors
    /// If it cannot be read, or is not a good scenario.
    pub fn load(path: &Path) -> Result<Scenario, Error> {
        Scenario::load_with(path, &Variant::default())
    }

    fn load_with(path: &Path, variant: &Variant) -> Result<Scenario, Error> {
        if path.is_dir() {
            load::from_file(&path.join(shipped::FILE), variant)
        } else {
            load::from_file(path, variant)
        }
    }

    /// The shipped scenario of this name, as it was when this program was built.
    ///
    /// # Errors
    /// If there is none of this name.
    pub fn shipped(name: &str) -> Result<Scenario, Error> {
        shipped::load(name, &Variant::default())
    }

    /// The program that runs in this mode, and its sources: those of the port, where that runs.
    pub fn program(&self, mode: ModeName) -> (&Image, &[Source]) {
        match &self.setup.port {
            Some(port) if self.setup.runs_port(mode) => (&port.image, &self.port_sources),
            _ => (&self.setup.image, &self.sources),
        }
    }

    /// Gives the machine another personality. What a scenario expects, it expects on its own profile: unless
    /// this is the same one, nothing is expected any more.
    pub fn set_profile(&mut self, profile: Profile) {
        if *self.setup.profile != profile {
            if self.expect != Expectations::default() {
                let own = self.setup.profile.describe();
                self.unchecked = Some(format!("what it expects, which is meant for profile {own}"));
            }
            self.setup.profile = Arc::new(profile);
            self.expect = Expectations::default();
        }
    }

    /// Whether it can be run in this mode: its machine has what the mode needs, and there is a program for it.
    pub fn runs_in(&self, mode: ModeName) -> bool {
        let setup = &self.setup;
        let ported = setup.port.as_ref().is_some_and(|_| setup.runs_port(mode));
        mode.runs_on(&setup.profile)
            && mode.runs_with(setup.image.registers)
            && (mode != ModeName::Para || ported)
    }

    /// The modes that it lists, as far as its machine has what they need.
    pub fn modes_here(&self) -> Vec<ModeName> {
        let modes = self.modes.iter().copied();
        modes.filter(|mode| mode.runs_on(&self.setup.profile)).collect()
    }

    /// The mode to run it under where none is named: trap-and-emulate if it lists that, else the first that it lists
    /// with a monitor.
    pub fn default_mode(&self) -> ModeName {
        const TRAP: ModeName = ModeName::Trap(Layout::RingDeprivileging);
        let modes = self.modes_here().into_iter();
        let best = modes.min_by_key(|mode| (*mode != TRAP, *mode == ModeName::Bare));
        best.unwrap_or(TRAP)
    }

    /// Gives the runs another budget. Of what a scenario expects, only that stays which does not depend on how far
    /// they get: see [`Expectations::another_budget`].
    pub fn set_budget(&mut self, budget: u64) {
        if self.budget != budget {
            if self.expect.need_the_budget() {
                let own = exact(self.budget);
                self.leave_unchecked(format!("what it expects only of runs with its own budget, {own}"));
            }
            self.budget = budget;
            self.expect.another_budget = true;
        }
    }

    /// Leaves it unchecked how often the TLB does what: for runs on an engine that does not count it.
    pub fn without_tlb_counts(&mut self) {
        if self.expect.drop_counts_of(|name| Counts::OF_TLB.contains(&name)) {
            self.leave_unchecked("counts of the TLB, which the engine does not make".to_string());
        }
    }

    /// The expectations that these runs do not meet, in the order of the runs. Of modes that the scenario does not
    /// list it expects nothing.
    pub fn failures(&self, reports: &[Report]) -> Vec<Failure> {
        reports
            .iter()
            .filter(|report| self.modes.contains(&report.mode))
            .flat_map(|report| self.expect.failures(report))
            .collect()
    }
}

/// The JSON Schema of scenario files, for editors.
pub fn json_schema() -> serde_json::Value {
    schemars::schema_for!(schema::Document).to_value()
}
