//! From a scenario file to a [`Scenario`]: everything that it names is looked up, read and assembled.

mod assist;
mod crowd;
mod expectations;
mod guest;
mod machine;
mod modules;

use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toy_isa::instruction::Registers;
use vmm_core::mode::ModeName;
use vmm_core::numbers::exact;
use vmm_core::setup::{Parts, Setup};

use crate::error::{Diagnostic, Error, FileProblem, nearest};
use crate::files::{Files, text};
use crate::schema::Document;
use crate::{Origin, Scenario, limit, parse};

const DEFAULT_MEMORY: u32 = 4 << 20;
const DEFAULT_ORIGIN: u32 = 0x1000;
const DEFAULT_BUDGET: u64 = 50_000_000;

/// A symbol of a scenario's sources, and another value for it.
pub type Define = (String, i64);

/// What of a scenario is to be otherwise than its file has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variant {
    /// Symbols that are set anew; it must define them.
    pub set: Vec<Define>,
    /// What of the guest's hardware layer is ported: what mode `para` needs, if nothing is said.
    pub parts: Option<Parts>,
}

/// The scenario in this file, in this variant.
pub(crate) fn from_file(path: &Path, variant: &Variant) -> Result<Scenario, Error> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let file = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let stem = path
        .file_stem()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let name = match folder.file_name() {
        Some(folder) if file == crate::shipped::FILE => folder.to_string_lossy().into_owned(),
        _ => stem,
    };
    let bytes = crate::files::read_limited(path, limit::TOML)?;
    let loader_files = Files::Folder(folder.to_path_buf());
    from_bytes(
        &loader_files,
        path.display().to_string(),
        bytes,
        &name,
        Origin::File(path.to_path_buf()),
        variant,
    )
}

/// The scenario in this file of `files`, in this variant.
pub(crate) fn from_files(
    files: &Files,
    file: &str,
    name: &str,
    origin: Origin,
    variant: &Variant,
) -> Result<Scenario, Error> {
    let bytes = files.read(file, limit::TOML).map_err(|problem| Error::File {
        path: files.show(file),
        problem,
    })?;
    from_bytes(files, files.show(file), bytes, name, origin, variant)
}

/// Only the title of the scenario; `None` if the file is no scenario.
pub(crate) fn title(files: &Files) -> Option<String> {
    let text = files.read_text(crate::shipped::FILE, limit::TOML).ok()?;
    Some(parse::document("", &text).ok()?.title)
}

fn from_bytes(
    files: &Files,
    file: String,
    bytes: Vec<u8>,
    name: &str,
    origin: Origin,
    variant: &Variant,
) -> Result<Scenario, Error> {
    let text = text_of(&file, bytes)?;
    let mut document = parse::document(&file, &text)?;
    let defines = &mut document.guest.get_mut().defines;
    for (name, value) in &variant.set {
        match defines.iter_mut().find(|(known, _)| known.get_ref() == name) {
            Some((_, old)) => *old = *value,
            None => {
                return Err(Error::Define {
                    name: name.clone(),
                    suggestion: nearest(name, defines.keys().map(Spanned::get_ref)),
                });
            }
        }
    }
    let loader = Loader {
        files,
        file: &file,
        text: &text,
    };
    loader.scenario(document, name, origin, variant.parts)
}

/// The text of a file with these bytes.
pub(crate) fn text_of(file: &str, bytes: Vec<u8>) -> Result<String, Error> {
    text(bytes.clone()).map_err(|problem| match problem {
        FileProblem::NotText(at) => {
            let lossy = String::from_utf8_lossy(&bytes);
            let message = problem.to_string();
            // What is before the place is valid, and so as long as it was.
            Error::Scenario(Box::new(Diagnostic::at(file, &lossy, at..at + 1, message)))
        }
        problem => Error::File {
            path: file.to_string(),
            problem,
        },
    })
}

/// Where the scenario lists mode para, if it does.
fn para(document: &Document) -> Option<&Spanned<String>> {
    let modes = document.run.modes.as_ref()?;
    modes
        .get_ref()
        .iter()
        .find(|name| ModeName::from_name(name.get_ref()) == Some(ModeName::Para))
}

/// What a mistake has to be told with.
pub(crate) struct Loader<'a> {
    pub(crate) files: &'a Files,
    pub(crate) file: &'a str,
    pub(crate) text: &'a str,
}

impl Loader<'_> {
    /// A mistake at this place of the file.
    pub(crate) fn error(
        &self,
        span: Range<usize>,
        message: impl Into<String>,
        suggestion: Option<String>,
    ) -> Error {
        let mut diagnostic = Diagnostic::at(self.file, self.text, span, message.into());
        diagnostic.suggestion = suggestion;
        Error::Scenario(Box::new(diagnostic))
    }

    /// Something that should be one of these names.
    pub(crate) fn unknown<'n>(
        &self,
        what: &str,
        written: &Spanned<String>,
        names: impl Iterator<Item = &'n str>,
    ) -> Error {
        let name = written.get_ref();
        let known: Vec<&str> = names.collect();
        let message = format!("unknown {what} '{name}': expected one of {}", known.join(", "));
        self.error(written.span(), message, nearest(name, known))
    }

    fn scenario(
        &self,
        document: Document,
        name: &str,
        origin: Origin,
        parts: Option<Parts>,
    ) -> Result<Scenario, Error> {
        let machine = &document.machine;
        let profile = self.profile(machine)?;
        let memory = self.memory(machine)?;
        let tlb = self.tlb(machine)?;
        let budget = self.budget(&document)?;
        let disk = match &machine.disk {
            Some(path) => self.file(path, limit::DISK)?,
            None => Vec::new(),
        };
        let (image, sources) = self.guest(&document.guest)?;
        let modes = self.modes(&document, image.registers)?;
        self.fits(&image, memory, &document)?;
        let port = self.port(&document.guest, &sources, parts)?;
        if let Some((port, _)) = &port {
            self.fits(&port.image, memory, &document)?;
        }
        if let (None, None, Some(name)) = (&port, parts, para(&document)) {
            let message = "mode para runs a ported kernel, and this guest has no port of it: expected kernel and pages \
                           in [guest.port]";
            return Err(self.error(name.span(), message, None));
        }
        let (port, port_sources) = port.unzip();
        let expect = self.expectations(&document.expect, &image, memory)?;
        let crowd = self.crowd(&document.crowd, &origin)?;
        let mut setup = Setup::new(image, memory, profile);
        setup.disk = disk;
        setup.input = machine.input.clone().into_bytes();
        setup.tlb = tlb;
        setup.seed = machine.seed.unwrap_or(setup.seed);
        setup.port = port;
        setup.exits = self.exits(&document.assist.exits)?;
        setup.no_exits = self.exits(&document.assist.no_exits)?;
        Ok(Scenario {
            name: name.to_string(),
            title: document.title,
            about: document.about.trim().to_string(),
            setup,
            modes,
            budget,
            crowd,
            expect,
            unchecked: None,
            origin,
            sources,
            port_sources: port_sources.unwrap_or_default(),
        })
    }

    fn modes(&self, document: &Document, registers: Registers) -> Result<Vec<ModeName>, Error> {
        let Some(names) = &document.run.modes else {
            let mut modes = ModeName::FOR_EVERY_GUEST.to_vec();
            modes.retain(|mode| mode.runs_with(registers));
            return Ok(modes);
        };
        let mut modes = Vec::new();
        for name in names.get_ref() {
            let mode = self.mode(name)?;
            if modes.contains(&mode) {
                return Err(self.error(
                    name.span(),
                    format!("mode '{mode}' is listed twice: expected each mode once"),
                    None,
                ));
            }
            if !mode.runs_with(registers) {
                let message = format!(
                    "mode '{mode}' runs on hardware of 16 registers, and the guest is compiled for {}: \
                     expected only interpret",
                    registers.count()
                );
                return Err(self.error(name.span(), message, None));
            }
            modes.push(mode);
        }
        if modes.is_empty() {
            return Err(self.error(
                names.span(),
                "no mode to run: expected at least one",
                Some("[\"bare\"]".into()),
            ));
        }
        Ok(modes)
    }

    fn mode(&self, name: &Spanned<String>) -> Result<ModeName, Error> {
        ModeName::from_name(name.get_ref())
            .ok_or_else(|| self.unknown("mode", name, ModeName::ALL.iter().map(|mode| mode.name())))
    }

    fn budget(&self, document: &Document) -> Result<u64, Error> {
        let Some(budget) = &document.run.budget else {
            return Ok(DEFAULT_BUDGET);
        };
        match *budget.get_ref() {
            attempts @ 1..=limit::BUDGET => Ok(attempts),
            attempts => {
                let message = format!(
                    "a budget of {} is out of range: expected 1 to {}",
                    exact(attempts),
                    exact(limit::BUDGET)
                );
                let near = attempts.clamp(1, limit::BUDGET);
                Err(self.error(budget.span(), message, Some(near.to_string())))
            }
        }
    }
}
