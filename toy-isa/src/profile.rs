//! Profiles: the same ISA with several personalities, and overrides of single rows.

use crate::row::Row;
use crate::table::Outside;

/// What a row does outside ring 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Behaviour {
    /// Not sensitive: the same in every ring.
    Innocuous,
    /// Raises an illegal-instruction trap (or its own trap, if it is one that traps in ring 0 too).
    Traps,
    /// Reads the real value.
    Leaks,
    /// Retires with no effect.
    Ignored,
    /// Writes some bits and drops the others in silence, as POPF does.
    Partial,
    /// Does what it does in ring 0.
    TakesEffect,
}

impl Behaviour {
    /// The name used in scenario files.
    pub fn name(self) -> &'static str {
        match self {
            Behaviour::Innocuous => "innocuous",
            Behaviour::Traps => "traps",
            Behaviour::Leaks => "leaks",
            Behaviour::Ignored => "ignored",
            Behaviour::Partial => "partial",
            Behaviour::TakesEffect => "takes-effect",
        }
    }

    /// The behaviour of this name.
    pub fn from_name(name: &str) -> Option<Behaviour> {
        use Behaviour::*;
        [Innocuous, Traps, Leaks, Ignored, Partial, TakesEffect]
            .into_iter()
            .find(|b| b.name() == name)
    }
}

/// The four shipped profiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProfileName {
    /// Every sensitive instruction traps.
    Classic,
    /// x86 before hardware assistance: instructions that leak, and one that drops bits in silence.
    Leaky,
    /// One supervisor-only hole: outside ring 0, `mret` does nothing.
    Hybrid,
    /// `leaky` with root and non-root operation.
    Assist,
}

impl ProfileName {
    /// All of them, in the order of the lecture.
    pub const ALL: [ProfileName; 4] = [
        ProfileName::Classic,
        ProfileName::Leaky,
        ProfileName::Hybrid,
        ProfileName::Assist,
    ];

    /// The name used in scenario files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            ProfileName::Classic => "classic",
            ProfileName::Leaky => "leaky",
            ProfileName::Hybrid => "hybrid",
            ProfileName::Assist => "assist",
        }
    }

    /// The profile of this name.
    pub fn from_name(name: &str) -> Option<ProfileName> {
        ProfileName::ALL.into_iter().find(|p| p.name() == name)
    }

    /// What it is, in a few words.
    pub fn describe(self) -> &'static str {
        match self {
            ProfileName::Classic => "every sensitive instruction traps",
            ProfileName::Leaky => "x86 before hardware assistance: some leak, some are ignored",
            ProfileName::Hybrid => "one hole, into which only kernels fall",
            ProfileName::Assist => "leaky, with hardware assistance",
        }
    }

    /// This profile's column of a row of the table.
    pub fn of(self, outside: Outside) -> Behaviour {
        match self {
            ProfileName::Classic => outside.classic,
            ProfileName::Leaky => outside.leaky,
            ProfileName::Hybrid => outside.hybrid,
            ProfileName::Assist => outside.assist,
        }
    }
}

/// A machine's personality: a shipped profile with, possibly, some rows overridden.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    base: ProfileName,
    behaviours: [Behaviour; Row::COUNT],
    overridden: Vec<Row>,
}

/// Why a row cannot be overridden as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{row}' cannot be '{asked}' outside ring 0; it can be {possible}")]
pub struct OverrideError {
    /// The row.
    pub row: String,
    /// The behaviour asked for.
    pub asked: &'static str,
    /// What it can be, as a list in words.
    pub possible: String,
}

impl Profile {
    /// A shipped profile as it is.
    pub fn new(base: ProfileName) -> Profile {
        let mut behaviours = [Behaviour::Innocuous; Row::COUNT];
        for row in Row::all() {
            behaviours[row.index()] = base.of(row.outside());
        }
        Profile {
            base,
            behaviours,
            overridden: Vec::new(),
        }
    }

    /// The shipped profile this one is or began as.
    pub fn base(&self) -> ProfileName {
        self.base
    }

    /// The name for people: the base, with the overridden rows.
    pub fn describe(&self) -> String {
        let mut text = self.base.name().to_string();
        for (i, row) in self.overridden.iter().enumerate() {
            text += if i == 0 { " with " } else { ", " };
            text += &format!("{row}={}", self.behaviour(*row).name());
        }
        text
    }

    /// What `row` does outside ring 0.
    #[inline]
    pub fn behaviour(&self, row: Row) -> Behaviour {
        self.behaviours[row.index()]
    }

    /// Whether the processor has root operation.
    pub fn root_operation(&self) -> bool {
        self.base == ProfileName::Assist
    }

    /// Whether ring 0 may change `status.IOPL`; hard-wired to 0 on `classic`.
    pub fn iopl_writable(&self) -> bool {
        self.base != ProfileName::Classic
    }

    /// Makes one row behave otherwise outside ring 0.
    ///
    /// # Errors
    /// If the row has no such behaviour: an innocuous row has no other, a read cannot be partial.
    pub fn set(&mut self, row: Row, behaviour: Behaviour) -> Result<(), OverrideError> {
        let possible = row.possible();
        if !possible.contains(&behaviour) {
            return Err(OverrideError {
                row: row.to_string(),
                asked: behaviour.name(),
                possible: match possible {
                    [only] => format!("only '{}'", only.name()),
                    _ => possible
                        .iter()
                        .map(|b| format!("'{}'", b.name()))
                        .collect::<Vec<_>>()
                        .join(" or "),
                },
            });
        }
        self.behaviours[row.index()] = behaviour;
        if !self.overridden.contains(&row) {
            self.overridden.push(row);
        }
        Ok(())
    }

    /// The rows that are sensitive and do not trap outside ring 0: the holes.
    pub fn holes(&self) -> impl Iterator<Item = Row> + '_ {
        Row::all().filter(|row| {
            !row.sensitive().is_empty()
                && !matches!(self.behaviour(*row), Behaviour::Traps | Behaviour::Innocuous)
        })
    }
}
