//! `[guest]`: files are read, sources assembled, and the image held against the memory.

use std::path::Path;
use std::sync::Arc;

use toml::Spanned;
use toy_isa::asm::{self, Source};
use toy_isa::image::Image;
use toy_isa::machine::LoadError;
use toy_isa::mmu::PAGE;
use vmm_core::modes::para::interface::{BATCH_DEFAULT, BATCH_LIMIT};
use vmm_core::setup::{Parts, Port, PortedPages, Setup};

use super::modules::Module;
use super::{DEFAULT_ORIGIN, Loader};
use crate::error::{Error, FileProblem};
use crate::files::text;
use crate::limit;
use crate::schema::{Document, GuestTable, PortTable, Size};

impl Loader<'_> {
    pub(super) fn file(&self, path: &Spanned<String>, limit: u64) -> Result<Vec<u8>, Error> {
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

    pub(super) fn guest(&self, guest: &Spanned<GuestTable>) -> Result<(Image, Vec<Source>), Error> {
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
                let mut image = Image::from_elf(&self.file(path, limit::ELF)?).map_err(|error| {
                    self.error(path.span(), format!("'{}': {error}", path.get_ref()), None)
                })?;
                self.join(&mut image, self.modules(table)?)?;
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

    /// The port of these parts of the guest, with its sources; if none are named, of what mode `para` needs, as far as
    /// the guest has it.
    pub(super) fn port(
        &self,
        guest: &Spanned<GuestTable>,
        original: &[Source],
        parts: Option<Parts>,
    ) -> Result<Option<(Port, Vec<Source>)>, Error> {
        let Some(port) = &guest.get_ref().port else {
            return match parts {
                None => Ok(None),
                Some(_) => Err(self.error(
                    guest.span(),
                    "this guest has no port: expected [guest.port]",
                    None,
                )),
            };
        };
        if guest.get_ref().elf.is_some() {
            let message = "an ELF cannot be ported without its sources: expected no port";
            return Err(self.error(port.span(), message, None));
        }
        let table = port.get_ref();
        let batch = match &table.batch {
            None => BATCH_DEFAULT,
            Some(batch) if (1..=BATCH_LIMIT).contains(batch.get_ref()) => *batch.get_ref(),
            Some(batch) => {
                let message = format!(
                    "a batch of {} updates is out of range: expected 1 to {BATCH_LIMIT}",
                    batch.get_ref()
                );
                let near = (*batch.get_ref()).clamp(1, BATCH_LIMIT);
                return Err(self.error(batch.span(), message, Some(near.to_string())));
            }
        };
        let parts = match (parts, &table.kernel, &table.pages) {
            (Some(parts), ..) => parts,
            (None, Some(_), Some(_)) => Parts {
                kernel: Some(PortedPages::Validated),
                timer: table.timer.is_some(),
                console: table.console.is_some(),
                disk: table.disk.is_some(),
            },
            (None, ..) => return Ok(None),
        };
        let sources = self.ported(port, original, parts)?;
        let image = self.assemble(guest.get_ref(), &sources)?;
        let port = Port {
            image: Arc::new(image),
            parts,
            batch,
            streams: table.streams.clone(),
            process: table.process.clone(),
        };
        Ok(Some((port, sources)))
    }

    /// The guest's sources with these parts ported: each in the place of the one of its name.
    fn ported(
        &self,
        port: &Spanned<PortTable>,
        original: &[Source],
        parts: Parts,
    ) -> Result<Vec<Source>, Error> {
        let table = port.get_ref();
        let pages = match parts.kernel {
            Some(PortedPages::Shadowed) => ("shadowed_pages", &table.shadowed_pages),
            _ => ("pages", &table.pages),
        };
        let kernel = parts.kernel.is_some();
        let wanted = [
            (kernel, ("kernel", &table.kernel)),
            (kernel, pages),
            (parts.timer, ("timer", &table.timer)),
            (parts.console, ("console", &table.console)),
            (parts.disk, ("disk", &table.disk)),
        ];
        let mut sources = original.to_vec();
        for (_, (key, path)) in wanted.iter().filter(|(wanted, _)| *wanted) {
            let Some(path) = path else {
                let message = format!("the port lacks what is wanted of it: expected {key}");
                return Err(self.error(port.span(), message, None));
            };
            let name = Path::new(path.get_ref()).file_name();
            let place = sources
                .iter_mut()
                .find(|source| Path::new(&source.name).file_name() == name);
            let Some(place) = place else {
                let message = format!(
                    "'{}' takes no source's place: expected the name of one of the guest's",
                    path.get_ref()
                );
                return Err(self.error(path.span(), message, None));
            };
            *place = self.source(path)?;
        }
        if let Some(interface) = &table.interface {
            sources.insert(0, self.source(interface)?);
        }
        Ok(sources)
    }

    fn source(&self, path: &Spanned<String>) -> Result<Source, Error> {
        let text = text(self.file(path, limit::SOURCE)?).map_err(|problem| self.unreadable(path, problem))?;
        Ok(Source::new(path.get_ref(), text))
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
            sources.push(self.source(path)?);
        }
        Ok(sources)
    }

    fn assemble(&self, table: &GuestTable, sources: &[Source]) -> Result<Image, Error> {
        let modules = self.modules(table)?;
        let options = asm::Options {
            origin: table
                .origin
                .as_ref()
                .map_or(DEFAULT_ORIGIN, |origin| origin.get_ref().0),
            defines: table
                .defines
                .iter()
                .map(|(name, value)| (name.get_ref().clone(), *value))
                .chain(modules.iter().flat_map(Module::symbols))
                .collect(),
        };
        let mut image = asm::assemble(sources, &options).map_err(|mut found| {
            for diagnostic in &mut found {
                // A name in the scenario becomes a path that can be opened.
                if sources.iter().any(|source| source.name == diagnostic.file) {
                    diagnostic.file = self.files.show(&diagnostic.file);
                }
            }
            Error::Assembly(found)
        })?;
        self.join(&mut image, modules)?;
        Ok(image)
    }

    /// Whether the image fits the memory: what every mode would ask, said here, where the file and the line
    /// are known.
    pub(super) fn fits(&self, image: &Image, memory: u32, document: &Document) -> Result<(), Error> {
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
            let error = LoadError::TooLarge { end, memory };
            let enough = end.next_multiple_of(u64::from(PAGE));
            let suggestion =
                (enough <= u64::from(Setup::MEMORY_LIMIT)).then(|| format!("memory = \"{}\"", Size(enough)));
            return Err(self.error(span, error.to_string(), suggestion));
        }
        if image.entry >= memory {
            let error = LoadError::Entry {
                entry: image.entry,
                memory,
            };
            return Err(self.error(program, error.to_string(), None));
        }
        Ok(())
    }
}
