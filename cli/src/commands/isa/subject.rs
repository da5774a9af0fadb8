//! Which instruction set is meant: a shipped profile, a machine of history, or the machine of a scenario.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use scenarios::machines::{self, Machine};
use scenarios::terminal::escape_line;
use toy_isa::profile::{Profile, ProfileName};
use toy_isa::row::Row;

use crate::arguments::find;
use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// An instruction set.
pub(super) struct Subject {
    /// What to call it, in output and on the command line.
    pub(super) argument: String,
    /// What its rows do outside ring 0.
    pub(super) profile: Profile,
    /// The machine of history that it is.
    pub(super) machine: Option<Machine>,
}

/// Reads the name of a profile or a machine.
pub(super) fn name() -> impl TypedValueParser<Value = String> {
    let shipped = ProfileName::ALL.map(ProfileName::name);
    PossibleValuesParser::new(shipped.into_iter().chain(machines::names()))
}

impl Subject {
    /// What is meant by these arguments.
    pub(super) fn find(
        profile: Option<&str>,
        scenario: Option<&str>,
        default: ProfileName,
    ) -> Result<Subject, Failure> {
        if let Some(scenario) = scenario {
            return Ok(Subject {
                argument: format!("--scenario {}", escape_line(scenario.as_bytes())),
                profile: (*find(scenario)?.setup.profile).clone(),
                machine: None,
            });
        }
        let name = profile.unwrap_or(default.name());
        match ProfileName::from_name(name) {
            Some(shipped) => Ok(Subject::shipped(shipped)),
            None => Subject::of_history(name),
        }
    }

    /// A shipped profile.
    pub(super) fn shipped(name: ProfileName) -> Subject {
        Subject {
            argument: format!("--profile {}", name.name()),
            profile: Profile::new(name),
            machine: None,
        }
    }

    /// A machine of history.
    pub(super) fn of_history(name: &str) -> Result<Subject, Failure> {
        // Its file is part of the program: what is wrong with it is no fault of the user's.
        let machine = machines::load(name).map_err(|error| Failure::new(ExitCode::Internal, error))?;
        Ok(Subject {
            argument: format!("--profile {name}"),
            profile: machine.profile.clone(),
            machine: Some(machine),
        })
    }

    /// The name for people.
    pub(super) fn name(&self) -> String {
        match &self.machine {
            Some(machine) => machine.name.to_string(),
            None => self.profile.describe(),
        }
    }

    /// The instruction that a row stands for: of this machine, or else of x86.
    pub(super) fn stands_for(&self, row: Row) -> Option<&str> {
        let of_machine = self.machine.iter().flat_map(|machine| &machine.rows);
        let told = of_machine.into_iter().find(|stand| stand.row == row);
        match told {
            Some(stand) => Some(&stand.instruction),
            None if self.profile.base() == ProfileName::Classic => None,
            None => row.cousin(),
        }
    }
}
