//! `[machine]`: profile, memory, TLB.

use toml::Spanned;
use toy_isa::machine::TLB_ENTRIES;
use toy_isa::mmu::PAGE;
use toy_isa::profile::{Behaviour, Profile, ProfileName};
use toy_isa::row::Row;
use vmm_core::setup::Setup;

use super::{DEFAULT_MEMORY, Loader};
use crate::error::{Error, nearest};
use crate::limit;
use crate::schema::{MachineTable, Size};

impl Loader<'_> {
    pub(super) fn profile(&self, machine: &MachineTable) -> Result<Profile, Error> {
        let base = match &machine.profile {
            None => ProfileName::Classic,
            Some(name) => ProfileName::from_name(name.get_ref()).ok_or_else(|| {
                self.unknown("profile", name, ProfileName::ALL.iter().map(|name| name.name()))
            })?,
        };
        let mut profile = Profile::new(base);
        for (row, asked) in &machine.rows {
            let found = self.row(row)?;
            let behaviour = Behaviour::from_name(asked.get_ref()).ok_or_else(|| {
                self.unknown(
                    "behaviour",
                    asked,
                    found.possible().iter().map(|behaviour| behaviour.name()),
                )
            })?;
            profile
                .set(found, behaviour)
                .map_err(|error| self.error(asked.span(), error.to_string(), None))?;
        }
        Ok(profile)
    }

    pub(crate) fn row(&self, name: &Spanned<String>) -> Result<Row, Error> {
        Row::from_name(name.get_ref()).ok_or_else(|| {
            let message = format!(
                "unknown row '{}': expected a mnemonic, or 'csrr' or 'csrw' and a control register",
                name.get_ref()
            );
            let suggestion = nearest(name.get_ref(), Row::all().map(|row| row.to_string()));
            self.error(name.span(), message, suggestion)
        })
    }

    pub(super) fn memory(&self, machine: &MachineTable) -> Result<u32, Error> {
        let Some(memory) = &machine.memory else {
            return Ok(DEFAULT_MEMORY);
        };
        let (size, page) = (memory.get_ref().0, u64::from(PAGE));
        match u32::try_from(size) {
            Ok(bytes) if (PAGE..=Setup::MEMORY_LIMIT).contains(&bytes) && bytes.is_multiple_of(PAGE) => {
                Ok(bytes)
            }
            _ => {
                let most = u64::from(Setup::MEMORY_LIMIT);
                let near = size.clamp(page, most).next_multiple_of(page);
                let message = format!(
                    "memory of {} is out of range: expected 4 KiB to {}, in whole pages of 4 KiB",
                    memory.get_ref(),
                    Size(most)
                );
                Err(self.error(memory.span(), message, Some(Size(near).to_string())))
            }
        }
    }

    pub(super) fn tlb(&self, machine: &MachineTable) -> Result<usize, Error> {
        let Some(tlb) = &machine.tlb else {
            return Ok(TLB_ENTRIES);
        };
        let entries = *tlb.get_ref();
        if entries.is_power_of_two() && entries <= limit::TLB {
            return Ok(entries as usize);
        }
        let message = format!(
            "a TLB of {entries} entries is out of range: expected a power of two, at most {}",
            limit::TLB
        );
        let near = entries.clamp(1, limit::TLB).next_power_of_two();
        Err(self.error(tlb.span(), message, Some(near.to_string())))
    }
}
