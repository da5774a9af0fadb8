//! Arguments that several commands share.

use std::ffi::OsStr;
use std::path::Path;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use scenarios::limit::BUDGET;
use scenarios::terminal::escape_line;
use scenarios::{Define, Error, Scenario, Variant, limit, read_limited};
use toy_isa::profile::{Profile, ProfileName};
use tui::theme::Colours;
use vmm_core::engine::EngineName;
use vmm_core::mode::ModeName;
use vmm_core::modes::para::interface::BATCH_LIMIT;
use vmm_core::policy::Policy;
use vmm_core::price::PriceList;

use crate::exit_code::ExitCode;
use crate::failure::{Failure, OrFail};
use crate::text::{exact, wrap};

/// The scenario that is meant where none is named.
pub(crate) const DEFAULT_SCENARIO: &str = "guest-os";

/// How a guest is run.
#[derive(clap::Args, Default, Clone)]
pub(crate) struct GuestOptions {
    /// Run on this profile of the machine instead of the scenario's
    #[arg(long, value_name = "P", value_parser = profile(), hide_possible_values = true)]
    pub(crate) profile: Option<ProfileName>,
    /// End the guest after N attempts at an instruction
    #[arg(long, value_name = "N", value_parser = budget)]
    pub(crate) budget: Option<u64>,
    /// Let a ported kernel collect N page-table updates before it hands them over, 1 to 2048
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(BATCH_LIMIT)))]
    pub(crate) batch: Option<u32>,
    /// Set a symbol that the scenario defines, such as N, to another value
    #[arg(long, value_name = "NAME=VALUE", value_parser = define)]
    pub(crate) set: Vec<Define>,
    /// Give each half of the TLB's counting model N entries, a power of two
    #[arg(long, value_name = "N", value_parser = tlb)]
    pub(crate) tlb: Option<usize>,
    /// What executes the guest's code
    #[arg(long, value_name = "E", default_value = "auto", value_parser = engine())]
    pub(crate) engine: EngineName,
}

impl GuestOptions {
    /// The scenario of this name or at this path, changed as asked.
    pub(crate) fn load(&self, scenario: &str) -> Result<Scenario, Failure> {
        self.load_under(scenario, None)
    }

    /// As [`GuestOptions::load`], with the machine and the guest that a policy asks for.
    pub(crate) fn load_under(&self, scenario: &str, policy: Option<&Policy>) -> Result<Scenario, Failure> {
        let variant = Variant {
            set: self.set.clone(),
            parts: policy.and_then(Policy::parts),
        };
        let mut scenario = find_with(scenario, &variant)?;
        if let Some(policy) = policy {
            scenario.set_profile(Profile::new(policy.machine));
        }
        if let Some(entries) = self.tlb {
            scenario.setup.tlb = entries;
        }
        if let Some(name) = self.profile {
            scenario.set_profile(Profile::new(name));
        }
        if let Some(budget) = self.budget {
            scenario.set_budget(budget);
        }
        if let (Some(batch), Some(port)) = (self.batch, &mut scenario.setup.port) {
            port.batch = batch;
        }
        Ok(scenario)
    }

    /// What is typed to run a scenario so again: its name, and the options that were given.
    pub(crate) fn again(&self, scenario: &str) -> String {
        let engine = Some(self.engine).filter(|engine| *engine != EngineName::default());
        let options = [
            self.profile
                .map(|profile| format!(" --profile {}", profile.name())),
            self.budget.map(|budget| format!(" --budget {budget}")),
            engine.map(|engine| format!(" --engine {}", engine.name())),
            self.batch.map(|batch| format!(" --batch {batch}")),
            self.tlb.map(|tlb| format!(" --tlb {tlb}")),
            (!self.set.is_empty()).then(|| {
                let sets = self
                    .set
                    .iter()
                    .map(|(name, value)| format!(" --set {name}={value}"));
                sets.collect()
            }),
        ];
        quoted(scenario) + &options.into_iter().flatten().collect::<String>()
    }
}

/// What is typed for this mode where a scenario is run under one: nothing for its default.
pub(crate) fn mode_option(scenario: &Scenario, mode: ModeName) -> String {
    match mode == scenario.default_mode() {
        true => String::new(),
        false => format!(" --mode {mode}"),
    }
}

/// A word as a shell reads it, safe for a terminal.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_-./:,=+@%".contains(c);
    match word.chars().all(plain) && !word.is_empty() {
        true => word.to_string(),
        false => format!("'{}'", escape_line(word.replace('\'', r"'\''").as_bytes())),
    }
}

/// The policy of this name, or in this file.
pub(crate) fn policy(name_or_path: &str) -> Result<Policy, Failure> {
    if Policy::names().contains(&name_or_path) || !name_or_path.ends_with(".toml") {
        return Policy::shipped(name_or_path)
            .or_bad_input(|| "a policy in a file has a name that ends with .toml".to_string());
    }
    let what = || format!("{name_or_path} is no policy");
    let bytes = read_limited(Path::new(name_or_path), limit::TOML).or_bad_input(what)?;
    let text = String::from_utf8(bytes).or_bad_input(what)?;
    Policy::parse(&text).or_bad_input(what)
}

/// The list of prices of this name, or in this file.
pub(crate) fn prices(name_or_path: &str) -> Result<PriceList, Failure> {
    if PriceList::NAMES.contains(&name_or_path) || !name_or_path.ends_with(".toml") {
        return PriceList::shipped(name_or_path)
            .or_bad_input(|| "a list in a file has a name that ends with .toml".to_string());
    }
    let what = || format!("{name_or_path} is no price list");
    let bytes = read_limited(Path::new(name_or_path), limit::PRICES).or_bad_input(what)?;
    let text = String::from_utf8(bytes).or_bad_input(what)?;
    PriceList::parse(&text).or_bad_input(what)
}

/// Reads `NAME=VALUE`.
fn define(text: &str) -> Result<Define, String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    let number = value
        .parse()
        .map_err(|error| format!("{error}; expected a number after '='"))?;
    Ok((name.to_string(), number))
}

/// Reads a number of entries of the TLB.
pub(crate) fn tlb(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(entries) if u64::is_power_of_two(entries) && entries <= limit::TLB => Ok(entries as usize),
        _ => Err(format!("expected a power of two, at most {}", limit::TLB)),
    }
}

/// The scenario of this name or at this path.
pub(crate) fn find(scenario: &str) -> Result<Scenario, Failure> {
    find_with(scenario, &Variant::default())
}

/// The scenario of this name or at this path, in a variant.
pub(crate) fn find_with(scenario: &str, variant: &Variant) -> Result<Scenario, Failure> {
    Scenario::find_with(scenario, variant).map_err(|error| {
        let advice = match error {
            Error::Unknown { suggestion: None, .. } => "; `trapeze list` shows those that ship",
            _ => elsewhere(Path::new(scenario)),
        };
        Failure::bad_input(error.render() + advice)
    })
}

/// What to do with a file that is no scenario, as far as its name tells.
fn elsewhere(path: &Path) -> &'static str {
    match path.extension().and_then(OsStr::to_str) {
        Some("elf") => "\nAn ELF program is run by `trapeze exec`, and shown by `trapeze dis`.",
        Some("s" | "S") => {
            "\nA source is assembled by `trapeze asm`; to run as a guest, it needs a scenario that names it."
        }
        _ => "",
    }
}

/// Reads a number of attempts at an instruction; its digits may be grouped, as in `1_000_000`.
pub(crate) fn budget(text: &str) -> Result<u64, String> {
    match text.replace(['_', ','], "").parse() {
        Ok(attempts @ 1..=BUDGET) => Ok(attempts),
        _ => Err(format!("expected a number from 1 to {}", exact(BUDGET))),
    }
}

/// The part of a command's help that explains the names of methods and profiles.
pub(crate) fn legend() -> String {
    let modes = ModeName::ALL.map(|mode| (mode.name(), mode.describe()));
    let profiles = ProfileName::ALL.map(|profile| (profile.name(), profile.describe()));
    let names = modes.iter().chain(&profiles).map(|(name, _)| name.len());
    let width = names.max().unwrap_or(0);
    let list = |names: &[(&str, &str)]| {
        let lines = names
            .iter()
            .map(|(name, what)| wrap(&format!("  {name:<width$}  "), what));
        lines.collect::<String>()
    };
    let (modes, profiles) = (list(&modes), list(&profiles));
    format!(
        "Methods (M):\n{modes}\nProfiles (P), by what sensitive instructions do outside ring 0:\n{profiles}"
    )
}

/// Reads the name of a profile.
pub(crate) fn profile() -> impl TypedValueParser<Value = ProfileName> {
    one_of(
        values(ProfileName::ALL.map(ProfileName::name)),
        ProfileName::from_name,
    )
}

/// Reads the name of an engine.
pub(crate) fn engine() -> impl TypedValueParser<Value = EngineName> {
    one_of(
        values(EngineName::ALL.map(EngineName::name)),
        EngineName::from_name,
    )
}

/// Reads the name of a mode.
pub(crate) fn mode() -> impl TypedValueParser<Value = ModeName> {
    let mut names = values(ModeName::ALL.map(ModeName::name));
    names.push(PossibleValue::new("trap:0/1/3").hide(true));
    one_of(names, ModeName::from_name)
}

/// Reads the name of a theme.
pub(crate) fn theme() -> impl TypedValueParser<Value = Colours> {
    one_of(values(Colours::ALL.map(Colours::name)), Colours::from_name)
}

fn values(names: impl IntoIterator<Item = &'static str>) -> Vec<PossibleValue> {
    names.into_iter().map(PossibleValue::new).collect()
}

fn one_of<T: Clone + Send + Sync + 'static>(
    names: Vec<PossibleValue>,
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

/// The address that a number or the name of a symbol says.
pub(crate) fn place(scenario: &Scenario, at: &str) -> Result<u32, Failure> {
    let symbol = scenario.setup.image.symbol(at).map(|symbol| symbol.address);
    symbol.map_or_else(|| address(at), Ok).map_err(|error| {
        let name = &scenario.name;
        let message = format!("'{at}' is no symbol of '{name}', and no address: {error}");
        Failure::new(ExitCode::Usage, message)
    })
}
