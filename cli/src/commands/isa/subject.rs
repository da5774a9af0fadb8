//! Which instruction set is meant: a shipped profile, a machine of history, or the machine of a scenario.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use scenarios::machines;
use scenarios::subject::Subject;
use scenarios::terminal::escape_line;
use toy_isa::profile::ProfileName;

use crate::arguments::find;
use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// Reads the name of a profile or a machine.
pub(super) fn name() -> impl TypedValueParser<Value = String> {
    let shipped = ProfileName::ALL.map(ProfileName::name);
    PossibleValuesParser::new(shipped.into_iter().chain(machines::names()))
}

/// What is meant by these arguments, and the option of the command line that says so.
pub(super) fn choose(
    profile: Option<&str>,
    scenario: Option<&str>,
    default: ProfileName,
) -> Result<(Subject, String), Failure> {
    if let Some(scenario) = scenario {
        let option = format!("--scenario {}", escape_line(scenario.as_bytes()));
        return Ok((Subject::of(&find(scenario)?.setup.profile), option));
    }
    let name = profile.unwrap_or(default.name());
    let subject = match ProfileName::from_name(name) {
        Some(shipped) => Subject::shipped(shipped),
        None => of_history(name)?,
    };
    Ok((subject, format!("--profile {name}")))
}

/// A machine of history.
pub(super) fn of_history(name: &str) -> Result<Subject, Failure> {
    // Its file is part of the program: what is wrong with it is no fault of the user's.
    Subject::of_history(name).map_err(|error| Failure::new(ExitCode::Internal, error))
}
