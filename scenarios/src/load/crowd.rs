//! `[crowd]`: how many guests, their weights, and who else is there.

use std::path::Path;

use toml::Spanned;
use vmm_core::several::EXIT_FUEL;

use super::Loader;
use crate::crowd::Crowd;
use crate::error::Error;
use crate::limit;
use crate::parse;
use crate::schema::CrowdTable;
use crate::shipped::FILE;
use crate::{Origin, Scenario};

impl Loader<'_> {
    /// The crowd of a scenario that comes from `origin`.
    pub(super) fn crowd(&self, table: &CrowdTable, origin: &Origin) -> Result<Crowd, Error> {
        let guests = match &table.guests {
            None => Crowd::DEFAULT_GUESTS,
            Some(guests) => self.in_range("guests", guests, limit::GUESTS)?,
        };
        let weights: Result<Vec<u32>, Error> = table
            .weights
            .iter()
            .map(|weight| self.in_range("a weight", weight, limit::WEIGHT))
            .collect();
        let exit_fuel = match &table.exit_fuel {
            None => EXIT_FUEL,
            Some(fuel) => self.in_range("the fuel of an exit", fuel, limit::EXIT_FUEL)?,
        };
        if let Some(beyond) = table.beside.get(limit::BESIDE) {
            let message = format!("too many other scenarios: expected at most {}", limit::BESIDE);
            return Err(self.error(beyond.span(), message, None));
        }
        let beside = table.beside.iter().map(|folder| self.other(folder, origin));
        Ok(Crowd {
            guests,
            weights: weights?,
            beside: beside.collect::<Result<_, _>>()?,
            exit_fuel,
        })
    }

    /// Another scenario's guest. A crowd of its own would be another one.
    fn other(&self, folder: &Spanned<String>, origin: &Origin) -> Result<Scenario, Error> {
        let (files, text) = self.neighbour(folder)?;
        let file = files.show(FILE);
        let mut document = parse::document(&file, &text)?;
        document.crowd = CrowdTable::default();
        let loader = Loader {
            files: &files,
            file: &file,
            text: &text,
        };
        let name = Path::new(folder.get_ref()).file_name().unwrap_or_default();
        let origin = match origin {
            Origin::Shipped => Origin::Shipped,
            Origin::File(_) => Origin::File(file.clone().into()),
        };
        loader.scenario(document, &name.to_string_lossy(), origin, None)
    }

    fn in_range<T>(&self, what: &str, number: &Spanned<T>, most: T) -> Result<T, Error>
    where
        T: Copy + Ord + From<u8> + std::fmt::Display,
    {
        let (value, least) = (*number.get_ref(), T::from(1));
        if (least..=most).contains(&value) {
            return Ok(value);
        }
        let message = format!("{what}: {value} is out of range: expected {least} to {most}");
        let near = value.clamp(least, most).to_string();
        Err(self.error(number.span(), message, Some(near)))
    }
}
