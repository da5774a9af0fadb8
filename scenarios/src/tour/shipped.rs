//! The tours that are part of this program.

use include_dir::{Dir, include_dir};

use super::{Tour, load};
use crate::Origin;
use crate::error::{Error, nearest};
use crate::files::Files;
use crate::shipped::Listed;

static SHIPPED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/tours");

/// The order in which they build on each other; tours that are not here follow.
const ORDER: [&str; 6] = [
    "first-trap",
    "system-call",
    "popf",
    "page-tables",
    "paravirtual-io",
    "which-is-fastest",
];

/// All shipped tours, in the order in which they build on each other.
pub fn list() -> Vec<Listed> {
    let mut names: Vec<&str> = names().collect();
    names.sort_by_key(|name| (place(name), *name));
    let listed = |name: &str| Listed {
        name: name.to_string(),
        title: load::title(&FILES, &file(name)).unwrap_or_default(),
    };
    names.into_iter().map(listed).collect()
}

const FILES: Files = Files::Shipped(&SHIPPED, "");

fn place(name: &str) -> usize {
    ORDER
        .iter()
        .position(|known| *known == name)
        .unwrap_or(ORDER.len())
}

fn file(name: &str) -> String {
    format!("{name}.toml")
}

fn names() -> impl Iterator<Item = &'static str> {
    let stem = |path: &'static std::path::Path| path.file_stem()?.to_str();
    SHIPPED.files().filter_map(move |file| stem(file.path()))
}

/// Whether a shipped tour has this name.
pub(super) fn exists(name: &str) -> bool {
    names().any(|shipped| shipped == name)
}

pub(super) fn load(name: &str) -> Result<Tour, Error> {
    if !exists(name) {
        return Err(Error::UnknownTour {
            name: name.to_string(),
            suggestion: nearest(name, names()),
        });
    }
    load::from_files(&FILES, &file(name), name, Origin::Shipped)
}
