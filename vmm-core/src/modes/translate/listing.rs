//! Units for people: what the guest has beside what the cache has, and why.

use toy_isa::disasm::disassemble;

use crate::modes::translate::cache::Unit;
use crate::modes::translate::emit::Part;
use crate::numbers::counted;

/// A unit, original beside translated.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct UnitListing {
    /// The guest's address of its first instruction.
    pub pc: u32,
    /// The guest's ring.
    pub ring: u32,
    /// Where it stands in the cache.
    pub start: u32,
    /// Whether it may still be executed; what it was made from may have changed since.
    pub live: bool,
    /// Its parts, in the order of the cache.
    pub parts: Vec<PartListing>,
}

/// A part of a unit: an instruction of the guest and what became of it, or what the translator added.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct PartListing {
    /// What it is for.
    #[serde(skip)]
    pub part: Part,
    /// The instruction of the guest, with its address; `None` for what the translator added.
    pub original: Option<(u32, String)>,
    /// Its address in the cache and its text, word by word.
    pub translated: Vec<(u32, String)>,
    /// Why it is as it is.
    pub reason: String,
}

/// Lists a unit.
pub fn list(unit: &Unit) -> UnitListing {
    let mut parts: Vec<(Part, PartListing)> = Vec::new();
    for (index, (word, place)) in unit.code.words.iter().zip(&unit.code.places).enumerate() {
        let address = unit.start + 4 * index as u32;
        let text = (address, disassemble(*word, address));
        match parts.last_mut().filter(|(part, _)| *part == place.part) {
            Some((_, listing)) => listing.translated.push(text),
            None => {
                let (original, reason) = describe(unit, place.part);
                let translated = vec![text];
                parts.push((
                    place.part,
                    PartListing {
                        part: place.part,
                        original,
                        translated,
                        reason,
                    },
                ));
            }
        }
    }
    UnitListing {
        pc: unit.pc(),
        ring: unit.context.ring,
        start: unit.start,
        live: unit.live,
        parts: parts.into_iter().map(|(_, listing)| listing).collect(),
    }
}

fn describe(unit: &Unit, part: Part) -> (Option<(u32, String)>, String) {
    match part {
        Part::Entrance => (None, "from the lookup table: is it the right unit?".to_string()),
        Part::Toll => (
            None,
            format!(
                "takes {} off the time that is left",
                counted(u64::from(unit.len()), "instruction", "instructions")
            ),
        ),
        Part::Way(target) => (None, format!("the way out, to {target:#010x}")),
        Part::Of(index) => match unit.guest.get(index) {
            Some(guest) => (
                Some((guest.pc, disassemble(guest.word, guest.pc))),
                guest.treatment.reason().to_string(),
            ),
            None => (None, String::new()),
        },
    }
}
