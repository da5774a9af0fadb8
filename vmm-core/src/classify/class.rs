//! The class of a row: as it is declared in the table, and as it was observed.

use std::fmt;

use toy_isa::profile::{Behaviour, Profile};
use toy_isa::row::Row;
use toy_isa::table::{Form, Sensitive, State};

use super::observe::Observed;
use super::part::{Parts, Reading};
use crate::modes::trap::Layout;

/// What a row is, in the words of Popek and Goldberg. Two classes are equal if and only if they read the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class(String);

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What the table says of a row on a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declaration {
    /// By what it is sensitive, on a machine on which it does not trap.
    pub sensitive: Vec<Sensitive>,
    /// What it does outside ring 0.
    pub outside: Behaviour,
    /// Whether it can do nothing but trap there, whatever the profile.
    pub traps_only: bool,
    /// Whether a program can tell at once that it did nothing: it names a register, memory or a next instruction that
    /// then stays as it was.
    pub shows: bool,
}

impl Declaration {
    /// What the table says of `row` on `profile`.
    pub fn of(row: Row, profile: &Profile) -> Declaration {
        Declaration {
            sensitive: row.sensitive().to_vec(),
            outside: profile.behaviour(row),
            traps_only: row.possible() == [Behaviour::Traps],
            shows: shows(row),
        }
    }

    /// The class that follows. A machine need not know every row, and may know some in root operation only: of a row
    /// that is nowhere executed, nothing is claimed.
    pub fn class(&self, observed: &Observed) -> Class {
        if self.traps_only && observed.is_absent() {
            return absent();
        }
        let traps = self.outside == Behaviour::Traps;
        if self.traps_only && self.sensitive.is_empty() {
            return always_traps();
        }
        let has = |why| self.sensitive.contains(&why);
        let only_extended = has(Sensitive::Extended);
        let silent = matches!(self.outside, Behaviour::Ignored | Behaviour::Partial);
        // To depend on the ring, it has to be executed in two.
        let mode = !traps && has(Sensitive::Mode) || silent && self.shows;
        let of_1974 = [
            (has(Sensitive::Control) && !only_extended, CONTROL),
            (has(Sensitive::Location) && !only_extended, LOCATION),
            (mode, MODE),
        ];
        let extended = only_extended.then_some(has(Sensitive::Control));
        class(traps, of_1974, extended)
    }

    /// What is wrong with the declaration, in sentences; nothing if it agrees with what was observed.
    pub fn disagreements(&self, observed: &Observed) -> Vec<String> {
        let mut found = Vec::new();
        let (declared, seen) = (self.class(observed), observed.class());
        if declared != seen {
            found.push(format!("declared '{declared}', observed '{seen}'"));
        }
        for ring in 1..4 {
            let did = outside(observed, ring);
            if !self.allows(did, observed) {
                found.push(format!(
                    "declared to be '{}' outside ring 0, but in ring {ring} it {}",
                    self.outside.name(),
                    did.verb()
                ));
            }
        }
        found
    }

    fn allows(&self, did: Outside, observed: &Observed) -> bool {
        // What does nothing in ring 0 either can be told from nothing.
        let idle = observed.changed[0].is_empty();
        match (self.outside, did) {
            (Behaviour::Traps, did) => did == Outside::Traps,
            (_, Outside::Traps | Outside::Sometimes) => false,
            (Behaviour::Ignored, did) => did == Outside::Nothing,
            (Behaviour::Partial, did) => did == Outside::Partly,
            (Behaviour::Innocuous | Behaviour::Leaks | Behaviour::TakesEffect, did) => {
                did == Outside::AsInRing0 || idle && did == Outside::Nothing
            }
        }
    }
}

const CONTROL: &str = "control sensitive";
const LOCATION: &str = "location sensitive";
const MODE: &str = "mode sensitive";

fn absent() -> Class {
    Class("illegal in every state".to_string())
}

fn always_traps() -> Class {
    Class("traps in every ring".to_string())
}

/// The class in words. `extended`: whether it is sensitive in the extended reading only, and then whether by control.
fn class(privileged: bool, of_1974: [(bool, &str); 3], extended: Option<bool>) -> Class {
    let mut words = Vec::new();
    if privileged {
        words.push("privileged");
    }
    let sensitive: Vec<&str> = of_1974
        .into_iter()
        .filter_map(|(is, word)| is.then_some(word))
        .collect();
    match (sensitive.is_empty(), extended) {
        (false, _) => words.extend(sensitive),
        (true, Some(true)) => words.push("control sensitive (extended)"),
        (true, Some(false)) => words.push("behaviour sensitive (extended)"),
        (true, None) => words.push("innocuous"),
    }
    Class(words.join(", "))
}

/// Whether an instruction of this row names a register, memory or a next instruction.
fn shows(row: Row) -> bool {
    match row {
        Row::Read(_) | Row::Write(_) => true,
        Row::Op(op) => {
            let writes = op.row().writes;
            let target = matches!(
                op.row().form,
                Form::R | Form::I | Form::Shift | Form::Load | Form::U | Form::J | Form::RdRs1
            );
            target || writes.contains(&State::Pc) || writes.contains(&State::Memory)
        }
    }
}

impl Observed {
    /// The class, for a guest in layout {1,3}.
    pub fn class(&self) -> Class {
        if self.is_absent() {
            return absent();
        }
        if self.never_executes() {
            return always_traps();
        }
        let layout = Layout::RingDeprivileging;
        let of_1974 = self.sensitive(layout, Reading::Of1974);
        let extended = self.sensitive(layout, Reading::Extended);
        class(
            self.privileged(layout),
            [
                (of_1974.control, CONTROL),
                (of_1974.location, LOCATION),
                (of_1974.mode, MODE),
            ],
            extended.any().then_some(extended.control),
        )
    }
}

/// What a row was seen to do in a ring outside ring 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outside {
    /// It traps.
    Traps,
    /// It traps in some states and is executed in others.
    Sometimes,
    /// It is executed and changes nothing.
    Nothing,
    /// It changes part of what it changes in ring 0.
    Partly,
    /// It changes what it changes in ring 0.
    AsInRing0,
    /// It changes what it does not change in ring 0.
    More,
}

impl Outside {
    fn verb(self) -> &'static str {
        match self {
            Outside::Traps => "traps",
            Outside::Sometimes => "traps in some states only",
            Outside::Nothing => "is executed with no effect",
            Outside::Partly => "does a part of what it does in ring 0",
            Outside::AsInRing0 => "is executed as in ring 0",
            Outside::More => "does what it does not do in ring 0",
        }
    }
}

fn outside(observed: &Observed, ring: usize) -> Outside {
    let (inside, outside): (Parts, Parts) = (observed.changed[0], observed.changed[ring]);
    match (observed.executed[ring] > 0, observed.trapped[ring] > 0) {
        (false, _) => Outside::Traps,
        (true, true) => Outside::Sometimes,
        (true, false) if outside.is_empty() => Outside::Nothing,
        (true, false) if outside == inside => Outside::AsInRing0,
        (true, false) if outside.without(inside).is_empty() => Outside::Partly,
        (true, false) => Outside::More,
    }
}
