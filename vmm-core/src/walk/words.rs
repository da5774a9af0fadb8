//! Walks in plain words.

use toy_isa::mmu::{Access, Meaning, Refusal, pte};

use super::hardware::Tables;
use super::{Keeping, Sequel, Walk, nested_fault};
use crate::event::{AccessReason, access_name};

impl Walk {
    /// What the access comes to, in a sentence or two.
    pub fn sentence(&self) -> String {
        let trap = |how: &str| format!("the hardware traps to the monitor, which {how}");
        let sentence = match (self.sequel, self.tables) {
            (Sequel::Reached, Tables::Own) => "the processor gets there by itself".to_string(),
            (Sequel::Reached, _) => "the processor gets there by itself, and nobody is asked".to_string(),
            (Sequel::Translated, _) => {
                "the translator reads it there; what was made of it is fetched from the cache".to_string()
            }
            (Sequel::Emulated, _) => {
                "the monitor finds the way in software; the processor walks nothing".to_string()
            }
            (Sequel::Filled, Tables::Nested) => {
                let lacks = self.real.as_ref().and_then(|path| nested_fault(path.end));
                let lacks = lacks.map_or(String::new(), |address| format!(" for {address:#010x}"));
                trap(&format!(
                    "adds the missing entry{lacks} to the nested table, and resumes: the guest never knows"
                ))
            }
            (Sequel::Filled, _) => trap(
                "makes the missing entry of the shadow table out of the guest's own, and resumes: the guest never \
                 knows",
            ),
            (Sequel::CarriedOut(reason), _) => {
                let access = access_name(self.access);
                trap(&format!(
                    "carries the {access} out itself, because {}",
                    because(reason)
                ))
            }
            (Sequel::Trap(trap), Tables::Own | Tables::Nested) => {
                format!("the guest's own trap, which the hardware delivers: {trap}")
            }
            (Sequel::Trap(fault), _) => trap(&format!(
                "hands it on to the guest's kernel, for it is the guest's own: {fault}"
            )),
        };
        let mut letters = sentence.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).chain(['.']).collect()
    }
}

fn because(reason: AccessReason) -> &'static str {
    match reason {
        AccessReason::Device => "a device is meant, and that is virtual",
        AccessReason::Traced => "the page holds a page table that is shadowed, and shadows have to follow",
        AccessReason::Code => "the page holds code that was translated, which has to be forgotten",
        AccessReason::AboveLimit => "the address is above the limit, where the monitor lives",
        AccessReason::Deadline | AccessReason::Plain => "it could not be left to the processor",
    }
}

impl Tables {
    /// What the processor really walks, in a few words.
    pub fn name(self) -> &'static str {
        match self {
            Tables::Own => "the guest's own tables",
            Tables::Validated => "the guest's own tables, validated",
            Tables::Shadow { begun: true } => "shadow tables",
            Tables::Shadow { begun: false } => "shadow tables, not begun yet",
            Tables::Nested => "the guest's own tables through nested ones",
            Tables::None => "no tables: relocation and limit",
        }
    }
}

impl Keeping {
    /// In one word; nothing of what is the guest's affair alone.
    pub fn name(self) -> &'static str {
        match self {
            Keeping::Free => "",
            Keeping::Traced => "traced",
            Keeping::Validated => "validated",
            Keeping::Monitor => "monitor's",
        }
    }
}

/// What an entry leads to, or why it does not, in a few words.
pub fn meaning(meaning: Option<Meaning>, entry: u32, access: Access) -> String {
    match meaning {
        Some(Meaning::Table(table)) => format!("table {table:08x}"),
        Some(Meaning::Leaf(frame)) => format!("{frame:08x} {}", flags(entry)),
        Some(Meaning::Refused(refusal)) => match refusal {
            Refusal::Invalid => "not valid".to_string(),
            Refusal::Permission => format!("{} forbids a {}", flags(entry), access_name(access)),
            Refusal::Ring => format!("{} not for ring 3", flags(entry)),
            Refusal::WriteOnly => "w without r".to_string(),
            Refusal::Misaligned => "superpage misaligned".to_string(),
            Refusal::TooDeep => "a third level".to_string(),
            Refusal::Beyond => "beyond 4 GiB".to_string(),
        },
        None => "no memory here".to_string(),
    }
}

/// The flags of an entry by their letters: read, write, execute, user, accessed, dirty.
pub fn flags(entry: u32) -> String {
    let letters = [
        (pte::R, 'r'),
        (pte::W, 'w'),
        (pte::X, 'x'),
        (pte::U, 'u'),
        (pte::A, 'a'),
        (pte::D, 'd'),
    ];
    let letter = |(flag, letter)| if entry & flag != 0 { letter } else { '-' };
    letters.into_iter().map(letter).collect()
}
