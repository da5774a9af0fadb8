//! The scenarios that are part of this program.

use include_dir::{Dir, include_dir};

use crate::error::{Error, nearest};
use crate::files::Files;
use crate::{Origin, Scenario, Variant, load};

static SHIPPED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/shipped");

/// The file that makes a folder a scenario.
pub(crate) const FILE: &str = "scenario.toml";

/// A shipped scenario, as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// What [`Scenario::find`] takes.
    pub name: String,
    /// One line.
    pub title: String,
}

/// All shipped scenarios, in the order of their names.
pub fn list() -> Vec<Listed> {
    let mut all: Vec<Listed> = names()
        .map(|name| Listed {
            name: name.to_string(),
            title: load::title(&files(name)).unwrap_or_default(),
        })
        .collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

/// Whether a shipped scenario has this name.
pub(crate) fn exists(name: &str) -> bool {
    names().any(|shipped| shipped == name)
}

pub(crate) fn load(name: &str, variant: &Variant) -> Result<Scenario, Error> {
    let shipped = names()
        .find(|shipped| *shipped == name)
        .ok_or_else(|| Error::Unknown {
            name: name.to_string(),
            suggestion: nearest(name, names()),
        })?;
    load::from_files(&files(shipped), FILE, shipped, Origin::Shipped, variant)
}

fn names() -> impl Iterator<Item = &'static str> {
    SHIPPED
        .dirs()
        .filter(|folder| folder.get_file(folder.path().join(FILE)).is_some())
        .filter_map(|folder| folder.path().to_str())
}

fn files(name: &'static str) -> Files {
    Files::Shipped(&SHIPPED, name)
}
