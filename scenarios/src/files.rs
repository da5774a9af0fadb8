//! Files: read to a limit, from a folder or from what is shipped.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Component, Path, PathBuf};

use include_dir::Dir;
use toy_isa::image::Image;

use crate::error::{Error, FileProblem, nearest};
use crate::limit;

/// The most names of a folder that are looked at for a suggestion.
const NAMES: usize = 4096;

/// The contents of a regular file of at most `limit` bytes. Pipes, devices and folders are refused before
/// they are opened, so that nothing here can wait for ever.
///
/// # Errors
/// If it is missing, no regular file, larger, or cannot be read.
pub fn read_limited(path: &Path, limit: u64) -> Result<Vec<u8>, Error> {
    read(path, limit).map_err(|problem| Error::File {
        path: path.display().to_string(),
        problem,
    })
}

/// The image in an ELF file.
///
/// # Errors
/// If the file cannot be read, or is not an ELF32 executable for RISC-V.
pub fn load_elf(path: &Path) -> Result<Image, Error> {
    Image::from_elf(&read_limited(path, limit::ELF)?).map_err(|problem| Error::Image {
        path: path.display().to_string(),
        problem,
    })
}

/// Where the files are that a scenario names by relative paths.
#[derive(Clone, Debug)]
pub(crate) enum Files {
    /// A folder of the file system.
    Folder(PathBuf),
    /// This folder among those that are shipped.
    Shipped(&'static Dir<'static>, &'static str),
}

impl Files {
    /// The path as messages show it: one that can be opened from here, if the file can be.
    pub(crate) fn show(&self, name: &str) -> String {
        match self {
            Files::Folder(folder) => folder.join(name).display().to_string(),
            Files::Shipped(_, folder) => Path::new(folder).join(name).display().to_string(),
        }
    }

    /// The contents of a file of at most `limit` bytes.
    pub(crate) fn read(&self, name: &str, limit: u64) -> Result<Vec<u8>, FileProblem> {
        match self {
            Files::Folder(folder) => read(&folder.join(name), limit),
            Files::Shipped(all, folder) => {
                let path = inside(&Path::new(folder).join(name)).ok_or(FileProblem::Outside)?;
                match all.get_file(&path) {
                    Some(file) if file.contents().len() as u64 > limit => Err(FileProblem::TooLarge(limit)),
                    Some(file) => Ok(file.contents().to_vec()),
                    None if all.get_dir(&path).is_some() => Err(FileProblem::NotRegular),
                    None => Err(FileProblem::Missing(None)),
                }
            }
        }
    }

    /// As [`Files::read`], of a text.
    pub(crate) fn read_text(&self, name: &str, limit: u64) -> Result<String, FileProblem> {
        text(self.read(name, limit)?)
    }
}

/// The bytes as text.
pub(crate) fn text(bytes: Vec<u8>) -> Result<String, FileProblem> {
    String::from_utf8(bytes).map_err(|error| FileProblem::NotText(error.utf8_error().valid_up_to()))
}

fn read(path: &Path, limit: u64) -> Result<Vec<u8>, FileProblem> {
    let problem = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => FileProblem::Missing(neighbour(path)),
        _ => FileProblem::System(error.to_string()),
    };
    // Before it is opened: to open a pipe can wait for ever. After it: it could have been exchanged.
    if !fs::metadata(path).map_err(problem)?.is_file() {
        return Err(FileProblem::NotRegular);
    }
    let file = File::open(path).map_err(problem)?;
    let metadata = file.metadata().map_err(problem)?;
    if !metadata.is_file() {
        return Err(FileProblem::NotRegular);
    }
    if metadata.len() > limit {
        return Err(FileProblem::TooLarge(limit));
    }
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(problem)?;
    if bytes.len() as u64 > limit {
        return Err(FileProblem::TooLarge(limit));
    }
    Ok(bytes)
}

/// The nearest name in the folder of a file that is missing.
fn neighbour(path: &Path) -> Option<String> {
    let wanted = path.file_name()?.to_str()?;
    let folder = match path.parent()? {
        here if here.as_os_str().is_empty() => Path::new("."),
        folder => folder,
    };
    let names = fs::read_dir(folder).ok()?.take(NAMES);
    nearest(
        wanted,
        names.filter_map(|entry| entry.ok()?.file_name().into_string().ok()),
    )
}

/// The path without `.` and `..`; `None` if it leads out of the root.
pub(crate) fn inside(path: &Path) -> Option<PathBuf> {
    let mut inside = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => inside.push(name),
            Component::CurDir => {}
            Component::ParentDir => inside.pop().then_some(())?,
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(inside)
}
