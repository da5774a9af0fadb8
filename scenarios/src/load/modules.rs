//! `[guest] modules`: other scenarios' guests, placed in memory beside the guest as a boot loader would.

use std::path::Path;

use toml::Spanned;
use toy_isa::image::{Image, Segment};
use toy_isa::instruction::Registers;

use super::Loader;
use crate::error::Error;
use crate::files::Files;
use crate::limit;
use crate::parse;
use crate::schema::{GuestTable, ModuleTable};
use crate::shipped::FILE;

/// A module, ready to be placed.
pub(super) struct Module<'a> {
    table: &'a Spanned<ModuleTable>,
    registers: Registers,
    segments: Vec<Segment>,
    entry: u32,
    memory: u32,
}

impl Loader<'_> {
    /// The modules of a guest.
    pub(super) fn modules<'a>(&self, guest: &'a GuestTable) -> Result<Vec<Module<'a>>, Error> {
        if let Some(beyond) = guest.modules.get(limit::MODULES) {
            let message = format!("too many modules: expected at most {}", limit::MODULES);
            return Err(self.error(beyond.span(), message, None));
        }
        guest.modules.iter().map(|table| self.module(table)).collect()
    }

    fn module<'a>(&self, table: &'a Spanned<ModuleTable>) -> Result<Module<'a>, Error> {
        let scenario = &table.get_ref().scenario;
        let (files, text) = self.neighbour(scenario)?;
        let file = files.show(FILE);
        let document = parse::document(&file, &text)?;
        if !document.guest.get_ref().modules.is_empty() {
            let message = "a module that has modules itself: expected a guest without";
            return Err(self.error(scenario.span(), message, None));
        }
        let loader = Loader {
            files: &files,
            file: &file,
            text: &text,
        };
        let (image, _) = loader.guest(&document.guest)?;
        let memory = loader.memory(&document.machine)?;
        loader.fits(&image, memory, &document)?;
        Ok(Module {
            table,
            registers: image.registers,
            segments: self.placed(table, image.segments)?,
            entry: image.entry,
            memory,
        })
    }

    /// The files and the text of the scenario in another folder.
    pub(super) fn neighbour(&self, scenario: &Spanned<String>) -> Result<(Files, String), Error> {
        let files = self.files.folder(scenario.get_ref());
        let path = Path::new(scenario.get_ref()).join(FILE);
        let read = self.files.read_text(&path.display().to_string(), limit::TOML);
        match (files, read) {
            (Some(files), Ok(text)) => Ok((files, text)),
            (_, Err(problem)) => {
                let message = format!("'{}': {problem}", path.display());
                Err(self.error(scenario.span(), message, None))
            }
            (None, Ok(_)) => {
                let message = format!("'{}' is no folder", scenario.get_ref());
                Err(self.error(scenario.span(), message, None))
            }
        }
    }

    /// The segments where the module wants them.
    fn placed(&self, table: &Spanned<ModuleTable>, segments: Vec<Segment>) -> Result<Vec<Segment>, Error> {
        let at = &table.get_ref().at;
        let place = |mut segment: Segment| {
            let address = segment.address.checked_add(at.get_ref().0)?;
            address.checked_add(segment.size)?;
            segment.address = address;
            Some(segment)
        };
        let placed: Option<Vec<Segment>> = segments.into_iter().map(place).collect();
        placed.ok_or_else(|| {
            let message = "the module would go beyond the end of the address space";
            self.error(at.span(), message, None)
        })
    }

    /// Puts modules into an image.
    pub(super) fn join(&self, image: &mut Image, modules: Vec<Module>) -> Result<(), Error> {
        for module in modules {
            if module.registers != image.registers {
                let message = format!(
                    "the module is compiled for {} registers, and the guest for {}: expected one processor for both",
                    module.registers.count(),
                    image.registers.count()
                );
                return Err(self.error(module.table.get_ref().scenario.span(), message, None));
            }
            let meets = |segment: &&Segment| {
                let end = |segment: &Segment| segment.address.saturating_add(segment.size);
                let own = &module.segments;
                own.iter()
                    .any(|own| own.address < end(segment) && segment.address < end(own))
            };
            if let Some(segment) = image.segments.iter().find(meets) {
                let message = format!(
                    "the module would overwrite what stands at {:#x}: expected another place",
                    segment.address
                );
                return Err(self.error(module.table.get_ref().at.span(), message, None));
            }
            image.segments.extend(module.segments);
        }
        Ok(())
    }
}

impl Module<'_> {
    /// The symbols by which the guest's sources know it.
    pub(super) fn symbols(&self) -> impl Iterator<Item = (String, i64)> + use<> {
        let table = self.table.get_ref();
        let name = table.name.clone();
        let values = [
            ("", table.at.get_ref().0),
            ("_ENTRY", self.entry),
            ("_MEMORY", self.memory),
        ];
        values
            .into_iter()
            .map(move |(suffix, value)| (format!("{name}{suffix}"), i64::from(value)))
    }
}

impl Files {
    /// The files of a folder that a path leads to from this one.
    fn folder(&self, path: &str) -> Option<Files> {
        match self {
            Files::Folder(folder) => Some(Files::Folder(folder.join(path))),
            Files::Shipped(all, folder) => {
                let path = crate::files::inside(&Path::new(folder).join(path))?;
                let name = all.get_dir(path)?.path().to_str()?;
                Some(Files::Shipped(all, name))
            }
        }
    }
}
