//! Arguments that several commands share.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use scenarios::Scenario;
use toy_isa::engine::EngineName;
use toy_isa::profile::{Profile, ProfileName};
use vmm_core::mode::ModeName;
use vmm_core::modes::para::interface::BATCH_LIMIT;

use crate::failure::Failure;

/// The scenario that is meant where none is named.
pub(crate) const DEFAULT_SCENARIO: &str = "guest-os";

/// How a guest is run.
#[derive(clap::Args, Default)]
pub(crate) struct GuestOptions {
    /// Run on this profile of the machine instead of the scenario's
    #[arg(long, value_name = "P", value_parser = profile())]
    pub(crate) profile: Option<ProfileName>,
    /// End the guest after N attempts at an instruction
    #[arg(long, value_name = "N")]
    pub(crate) budget: Option<u64>,
    /// Let a ported kernel collect N page-table updates before it hands them over, 1 to 2048
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(BATCH_LIMIT)))]
    pub(crate) batch: Option<u32>,
    /// What executes the guest's code
    #[arg(long, value_name = "E", default_value = "auto", value_parser = engine())]
    pub(crate) engine: EngineName,
}

impl GuestOptions {
    /// The scenario of this name or at this path, changed as asked.
    pub(crate) fn load(&self, scenario: &str) -> Result<Scenario, Failure> {
        let mut scenario = find(scenario)?;
        if let Some(name) = self.profile {
            scenario.set_profile(Profile::new(name));
        }
        if let Some(budget) = self.budget {
            scenario.budget = budget;
        }
        if let (Some(batch), Some(port)) = (self.batch, &mut scenario.setup.port) {
            port.batch = batch;
        }
        Ok(scenario)
    }
}

/// The scenario of this name or at this path.
pub(crate) fn find(scenario: &str) -> Result<Scenario, Failure> {
    Scenario::find(scenario).map_err(|error| Failure::bad_input(error.render()))
}

/// Reads the name of a profile.
pub(crate) fn profile() -> impl TypedValueParser<Value = ProfileName> {
    one_of(
        ProfileName::ALL.map(ProfileName::name).to_vec(),
        ProfileName::from_name,
    )
}

/// Reads the name of an engine.
pub(crate) fn engine() -> impl TypedValueParser<Value = EngineName> {
    one_of(
        EngineName::ALL.map(EngineName::name).to_vec(),
        EngineName::from_name,
    )
}

/// Reads the name of a mode.
pub(crate) fn mode() -> impl TypedValueParser<Value = ModeName> {
    let mut names = ModeName::ALL.map(ModeName::name).to_vec();
    names.push("trap:0/1/3");
    one_of(names, ModeName::from_name)
}

fn one_of<T: Clone + Send + Sync + 'static>(
    names: Vec<&'static str>,
    from_name: fn(&str) -> Option<T>,
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(names)
        .try_map(move |name| from_name(&name).ok_or_else(|| format!("unknown name '{name}'")))
}

/// A number of 32 bits, in decimal or after `0x` in hexadecimal.
pub(crate) fn address(text: &str) -> Result<u32, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => text.parse(),
    };
    parsed.map_err(|error| format!("{error}; expected decimal, or hexadecimal after 0x, below 2^32"))
}
