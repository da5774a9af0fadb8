//! `[expect]`: names become registers, addresses, counts and rows.

use toml::Spanned;
use toy_isa::image::Image;

use super::Loader;
use crate::error::{Error, nearest};
use crate::expect::{Expectation, Expectations, Property, count_names, register_names};
use crate::schema::{EndName, ExpectTable, VerdictTable};

impl Loader<'_> {
    pub(super) fn expectations(
        &self,
        table: &ExpectTable,
        image: &Image,
        memory: u32,
    ) -> Result<Expectations, Error> {
        let mut of_mode = Vec::new();
        for (name, own) in &table.mode {
            if let Some(inner) = own.mode.keys().next() {
                return Err(self.error(
                    inner.span(),
                    "expectations of a mode inside a mode: expected none here",
                    None,
                ));
            }
            of_mode.push((self.mode(name)?, self.table(own, image, memory)?));
        }
        Ok(Expectations {
            all: self.table(table, image, memory)?,
            of_mode,
            another_budget: false,
        })
    }

    fn table(&self, table: &ExpectTable, image: &Image, memory: u32) -> Result<Vec<Expectation>, Error> {
        let mut all = Vec::new();
        match (&table.exit_code, &table.end) {
            (Some(_), Some(end)) if *end.get_ref() != EndName::PowerOff => {
                let message =
                    "only a guest that switches itself off has an exit code: expected end = \"power-off\"";
                return Err(self.error(end.span(), message, Some("power-off".into())));
            }
            (Some(code), _) => all.push(Expectation::ExitCode(code.get_ref().0)),
            (None, Some(end)) => all.push(Expectation::End(*end.get_ref())),
            (None, None) => {}
        }
        all.extend(table.console.clone().map(Expectation::Console));
        all.extend(table.console_contains.clone().map(Expectation::ConsoleContains));
        for (name, value) in &table.registers {
            all.push(Expectation::Register(
                self.one_of("register", name, register_names(image.registers))?,
                value.0,
            ));
        }
        for (name, value) in &table.memory {
            let address = self.address(name, image, memory)?;
            all.push(Expectation::Memory {
                address,
                name: name.get_ref().clone(),
                value: value.0,
            });
        }
        for (name, amount) in &table.counts {
            all.push(Expectation::Count(
                self.one_of("count", name, count_names())?,
                *amount,
            ));
        }
        self.verdict(&table.verdict, &mut all)?;
        Ok(all)
    }

    fn verdict(&self, table: &VerdictTable, all: &mut Vec<Expectation>) -> Result<(), Error> {
        let properties = [
            (Property::Equivalence, table.equivalence),
            (Property::ResourceControl, table.resource_control),
            (Property::Efficiency, table.efficiency),
        ];
        let stated = properties
            .into_iter()
            .filter_map(|(property, holds)| Some((property, holds?)));
        all.extend(stated.map(|(property, holds)| Expectation::Holds(property, holds)));
        if let Some(names) = &table.holes {
            let rows: Result<Vec<String>, Error> =
                names.iter().map(|name| Ok(self.row(name)?.to_string())).collect();
            let mut rows = rows?;
            rows.sort();
            all.push(Expectation::Holes(rows));
        }
        Ok(())
    }

    fn one_of(
        &self,
        what: &str,
        written: &Spanned<String>,
        names: impl Iterator<Item = &'static str>,
    ) -> Result<&'static str, Error> {
        let names: Vec<&'static str> = names.collect();
        let found = names.iter().find(|name| *name == written.get_ref());
        found
            .copied()
            .ok_or_else(|| self.unknown(what, written, names.into_iter()))
    }

    /// The address of a word of memory: a number, or a symbol of the guest.
    fn address(&self, name: &Spanned<String>, image: &Image, memory: u32) -> Result<u32, Error> {
        let text = name.get_ref();
        let number = match text.strip_prefix("0x") {
            Some(digits) => u32::from_str_radix(&digits.replace('_', ""), 16).ok(),
            None => text.replace('_', "").parse().ok(),
        };
        let address = number
            .or_else(|| image.symbol(text).map(|symbol| symbol.address))
            .ok_or_else(|| {
                let symbols = image.symbols.iter().map(|symbol| &symbol.name);
                let message = format!(
                    "'{text}' is no address: expected a number such as \"0x5000\", or a symbol of the guest"
                );
                self.error(name.span(), message, nearest(text, symbols))
            })?;
        if address % 4 != 0 || address >= memory {
            let message =
                format!("no word of memory is at {address:#x}: expected a multiple of 4 below {memory:#x}");
            return Err(self.error(
                name.span(),
                message,
                Some(format!("{:#x}", address.min(memory - 4) & !3)),
            ));
        }
        Ok(address)
    }
}
