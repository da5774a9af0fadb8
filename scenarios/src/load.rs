//! From a scenario file to a [`Scenario`]: everything that it names is looked up, read and assembled.

mod expectations;

use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toy_isa::asm::{self, Source};
use toy_isa::image::Image;
use toy_isa::machine::TLB_ENTRIES;
use toy_isa::mmu::PAGE;
use toy_isa::profile::{Behaviour, Profile, ProfileName};
use toy_isa::row::Row;
use vmm_core::mode::ModeName;
use vmm_core::setup::Setup;

use crate::error::{Diagnostic, Error, FileProblem, nearest};
use crate::files::{Files, text};
use crate::schema::{Document, GuestTable, MachineTable, Size};
use crate::{Origin, Scenario, limit, parse};

const DEFAULT_MEMORY: u32 = 4 << 20;
const DEFAULT_ORIGIN: u32 = 0x1000;
const DEFAULT_BUDGET: u64 = 50_000_000;

/// The scenario in this file.
pub(crate) fn from_file(path: &Path) -> Result<Scenario, Error> {
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
    )
}

/// The scenario in this file of `files`.
pub(crate) fn from_files(files: &Files, file: &str, name: &str, origin: Origin) -> Result<Scenario, Error> {
    let bytes = files.read(file, limit::TOML).map_err(|problem| Error::File {
        path: files.show(file),
        problem,
    })?;
    from_bytes(files, files.show(file), bytes, name, origin)
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
) -> Result<Scenario, Error> {
    let text = match text(bytes.clone()) {
        Ok(text) => text,
        Err(FileProblem::NotText(at)) => {
            let lossy = String::from_utf8_lossy(&bytes);
            let message = FileProblem::NotText(at).to_string();
            // What is before the place is valid, and so as long as it was.
            return Err(Error::Scenario(Box::new(Diagnostic::at(
                &file,
                &lossy,
                at..at + 1,
                message,
            ))));
        }
        Err(problem) => return Err(Error::File { path: file, problem }),
    };
    let document = parse::document(&file, &text)?;
    let loader = Loader {
        files,
        file: &file,
        text: &text,
    };
    loader.scenario(document, name, origin)
}

/// What a mistake has to be told with.
struct Loader<'a> {
    files: &'a Files,
    file: &'a str,
    text: &'a str,
}

impl Loader<'_> {
    /// A mistake at this place of the scenario file.
    fn error(&self, span: Range<usize>, message: impl Into<String>, suggestion: Option<String>) -> Error {
        let mut diagnostic = Diagnostic::at(self.file, self.text, span, message.into());
        diagnostic.suggestion = suggestion;
        Error::Scenario(Box::new(diagnostic))
    }

    /// Something that should be one of these names.
    fn unknown<'n>(
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

    fn scenario(&self, document: Document, name: &str, origin: Origin) -> Result<Scenario, Error> {
        let machine = &document.machine;
        let profile = self.profile(machine)?;
        let memory = self.memory(machine)?;
        let tlb = self.tlb(machine)?;
        let modes = self.modes(&document)?;
        let budget = self.budget(&document)?;
        let disk = match &machine.disk {
            Some(path) => self.file(path, limit::DISK)?,
            None => Vec::new(),
        };
        let (image, sources) = self.guest(&document.guest)?;
        self.fits(&image, memory, &document)?;
        let expect = self.expectations(&document.expect, &image, memory)?;
        let mut setup = Setup::new(image, memory, profile);
        setup.disk = disk;
        setup.input = machine.input.clone().into_bytes();
        setup.tlb = tlb;
        setup.seed = machine.seed.unwrap_or(setup.seed);
        Ok(Scenario {
            name: name.to_string(),
            title: document.title,
            about: document.about.trim().to_string(),
            setup,
            modes,
            budget,
            expect,
            origin,
            sources,
        })
    }

    fn profile(&self, machine: &MachineTable) -> Result<Profile, Error> {
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

    fn row(&self, name: &Spanned<String>) -> Result<Row, Error> {
        Row::from_name(name.get_ref()).ok_or_else(|| {
            let message = format!(
                "unknown row '{}': expected a mnemonic, or 'csrr' or 'csrw' and a control register",
                name.get_ref()
            );
            let suggestion = nearest(name.get_ref(), Row::all().map(|row| row.to_string()));
            self.error(name.span(), message, suggestion)
        })
    }

    fn memory(&self, machine: &MachineTable) -> Result<u32, Error> {
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

    fn tlb(&self, machine: &MachineTable) -> Result<usize, Error> {
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

    fn modes(&self, document: &Document) -> Result<Vec<ModeName>, Error> {
        let Some(names) = &document.run.modes else {
            return Ok(ModeName::ALL.to_vec());
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
                    "a budget of {attempts} is out of range: expected 1 to {}",
                    limit::BUDGET
                );
                let near = attempts.clamp(1, limit::BUDGET);
                Err(self.error(budget.span(), message, Some(near.to_string())))
            }
        }
    }

    fn file(&self, path: &Spanned<String>, limit: u64) -> Result<Vec<u8>, Error> {
        self.files
            .read(path.get_ref(), limit)
            .map_err(|problem| self.unreadable(path, problem))
    }

    fn unreadable(&self, path: &Spanned<String>, problem: FileProblem) -> Error {
        match problem {
            FileProblem::Missing(neighbour) => {
                let found = Path::new(path.get_ref());
                let suggestion = neighbour.map(|name| found.with_file_name(name).display().to_string());
                self.error(
                    path.span(),
                    format!("'{}': {}", path.get_ref(), FileProblem::Missing(None)),
                    suggestion,
                )
            }
            problem => self.error(path.span(), format!("'{}': {problem}", path.get_ref()), None),
        }
    }

    fn guest(&self, guest: &Spanned<GuestTable>) -> Result<(Image, Vec<Source>), Error> {
        let table = guest.get_ref();
        match (&table.sources, &table.elf) {
            (Some(paths), None) => {
                let sources = self.sources(paths)?;
                Ok((self.assemble(table, &sources)?, sources))
            }
            (None, Some(path)) => {
                if let Some(origin) = &table.origin {
                    return Err(self.error(
                        origin.span(),
                        "an ELF has its own addresses: expected no origin",
                        None,
                    ));
                }
                if let Some(name) = table.defines.keys().next() {
                    return Err(self.error(
                        name.span(),
                        "an ELF is assembled already: expected no defines",
                        None,
                    ));
                }
                let image = Image::from_elf(&self.file(path, limit::ELF)?).map_err(|error| {
                    self.error(path.span(), format!("'{}': {error}", path.get_ref()), None)
                })?;
                Ok((image, Vec::new()))
            }
            (Some(_), Some(path)) => Err(self.error(
                path.span(),
                "the guest is given twice: expected either sources or elf",
                None,
            )),
            (None, None) => Err(self.error(guest.span(), "no guest: expected sources or elf", None)),
        }
    }

    fn sources(&self, paths: &Spanned<Vec<Spanned<String>>>) -> Result<Vec<Source>, Error> {
        let count = paths.get_ref().len();
        if count == 0 || count > limit::SOURCES {
            let message = format!("{count} sources: expected 1 to {}", limit::SOURCES);
            return Err(self.error(paths.span(), message, None));
        }
        let mut sources: Vec<Source> = Vec::new();
        for path in paths.get_ref() {
            if sources.iter().any(|source| source.name == *path.get_ref()) {
                let message = format!("'{}' is listed twice: expected each source once", path.get_ref());
                return Err(self.error(path.span(), message, None));
            }
            let text =
                text(self.file(path, limit::SOURCE)?).map_err(|problem| self.unreadable(path, problem))?;
            sources.push(Source::new(path.get_ref(), text));
        }
        Ok(sources)
    }

    fn assemble(&self, table: &GuestTable, sources: &[Source]) -> Result<Image, Error> {
        let options = asm::Options {
            origin: table
                .origin
                .as_ref()
                .map_or(DEFAULT_ORIGIN, |origin| origin.get_ref().0),
            defines: table
                .defines
                .iter()
                .map(|(name, value)| (name.get_ref().clone(), *value))
                .collect(),
        };
        asm::assemble(sources, &options).map_err(|mut found| {
            for diagnostic in &mut found {
                // A name in the scenario becomes a path that can be opened.
                if sources.iter().any(|source| source.name == diagnostic.file) {
                    diagnostic.file = self.files.show(&diagnostic.file);
                }
            }
            Error::Assembly(found)
        })
    }

    /// Whether the image fits the memory: what every mode would ask, said here, where the file and the line are known.
    fn fits(&self, image: &Image, memory: u32, document: &Document) -> Result<(), Error> {
        let guest = document.guest.get_ref();
        let elf = guest.elf.as_ref().map(Spanned::span);
        let origin = guest.origin.as_ref().map(Spanned::span);
        let program = elf.or(origin).unwrap_or(document.guest.span());
        let end = image
            .segments
            .iter()
            .map(|segment| u64::from(segment.address) + u64::from(segment.size))
            .max();
        if let Some(end) = end.filter(|end| *end > u64::from(memory)) {
            let span = document.machine.memory.as_ref().map_or(program, Spanned::span);
            let error = toy_isa::machine::LoadError::TooLarge { end, memory };
            let enough = end.next_multiple_of(u64::from(PAGE));
            let suggestion =
                (enough <= u64::from(Setup::MEMORY_LIMIT)).then(|| format!("memory = \"{}\"", Size(enough)));
            return Err(self.error(span, error.to_string(), suggestion));
        }
        if image.entry >= memory {
            let error = toy_isa::machine::LoadError::Entry {
                entry: image.entry,
                memory,
            };
            return Err(self.error(program, error.to_string(), None));
        }
        Ok(())
    }
}
