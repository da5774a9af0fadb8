//! Instruction sets that are looked at: a shipped profile, a machine of history, or the machine of a scenario.

use toy_isa::profile::{Profile, ProfileName};
use toy_isa::row::Row;

use crate::machines::{self, Machine, MachineError};

/// An instruction set.
#[derive(Clone, Debug)]
pub struct Subject {
    /// What its rows do outside ring 0.
    pub profile: Profile,
    /// The machine of history that it is.
    pub machine: Option<Machine>,
}

impl Subject {
    /// The machine of a scenario.
    pub fn of(profile: &Profile) -> Subject {
        Subject {
            profile: profile.clone(),
            machine: None,
        }
    }

    /// A shipped profile.
    pub fn shipped(name: ProfileName) -> Subject {
        Subject::of(&Profile::new(name))
    }

    /// A machine of history.
    ///
    /// # Errors
    /// If there is none of this name, or its file is not as it should be.
    pub fn of_history(name: &str) -> Result<Subject, MachineError> {
        let machine = machines::load(name)?;
        Ok(Subject {
            profile: machine.profile.clone(),
            machine: Some(machine),
        })
    }

    /// The name for people.
    pub fn name(&self) -> String {
        match &self.machine {
            Some(machine) => machine.name.to_string(),
            None => self.profile.describe(),
        }
    }

    /// The instruction that a row stands for: of this machine, or else of x86.
    pub fn stands_for(&self, row: Row) -> Option<&str> {
        let of_machine = self.machine.iter().flat_map(|machine| &machine.rows);
        let told = of_machine.into_iter().find(|stand| stand.row == row);
        match told {
            Some(stand) => Some(&stand.instruction),
            None if self.profile.base() == ProfileName::Classic => None,
            None => row.cousin(),
        }
    }

    /// What has to be said of it as a whole.
    pub fn note(&self) -> Option<&'static str> {
        (self.profile.base() == ProfileName::Assist).then_some(
            "This is the machine without root operation: as leaky. In root operation the holes no longer matter, \
             because a guest runs in non-root operation, in ring 0, where the control structure says what leaves to \
             the monitor.",
        )
    }
}
