//! The translator as those see it who look on.

use toy_isa::machine::Machine;

use super::cache::{Cache, Context, UnitId};
use super::{Stage, Translate};

/// Where in the translation cache the guest stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// In which unit.
    pub unit: UnitId,
    /// At which word, by its address in the cache.
    pub address: u32,
}

/// What the translator has found out about an innocuous instruction that trapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Habit {
    /// Whose it is.
    pub context: Context,
    /// Its address.
    pub pc: u32,
    /// Whether it is translated to a call of the monitor by now.
    pub adapted: bool,
    /// How often it has trapped as it stands; or, once it calls, how often in a row it has called for nothing.
    pub times: u32,
    /// The guest's clock when the translator changed its mind about it last.
    pub since: Option<u64>,
}

impl Translate {
    /// The units, and where they are.
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// Where the guest stands in translated code, or will go on there; `None` if it executes its own, or if what it
    /// will execute is not translated yet.
    pub fn stands_at(&self, machine: &Machine) -> Option<Standing> {
        let address = match self.stage {
            _ if self.deadline.is_some() => machine.hart.pc,
            _ if self.monitor.resumed.is_some() => return None,
            Stage::Amid { address, .. } => address,
            stage => {
                let hart = self.monitor.allocator.load(&machine.board);
                let context = Self::context(&hart);
                let unit = || self.cache.unit(self.cache.find(context, hart.pc)?);
                self.inside(stage, &hart, context)
                    .or_else(|| Some(unit()?.body()))?
            }
        };
        let unit = self.cache.at(address)?.unit?;
        Some(Standing { unit, address })
    }

    /// What was found out about instructions that trapped, by their addresses.
    pub fn habits(&self) -> impl Iterator<Item = Habit> + '_ {
        self.trouble.iter().map(|((context, pc), trouble)| Habit {
            context: *context,
            pc: *pc,
            adapted: trouble.adapted,
            times: trouble.times,
            since: trouble.since,
        })
    }

    /// After how many times it changes its mind about an instruction.
    pub const PATIENCE: u32 = super::ADAPT_AFTER;
}

#[cfg(test)]
mod tests;
