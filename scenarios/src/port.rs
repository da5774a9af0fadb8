//! The size of a port: what was changed of a guest to bring it to the paravirtual interface, as Xen's authors count it
//! for theirs (Barham et al. 2003, table 2).

use std::path::Path;

use serde::Serialize;
use similar::{ChangeTag, TextDiff};
use toy_isa::asm::Source;

use crate::Scenario;

/// What differs between a guest and its port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PortDiff {
    /// The files that differ, in the order of the port's sources; then those that the port does not have.
    pub files: Vec<FileDiff>,
    /// Files that are the same in both.
    pub same: usize,
    /// Lines of all sources of the original guest.
    pub original_lines: usize,
    /// Lines that were added or modified in files of the original.
    pub changed: usize,
    /// Lines of files that the original does not have.
    pub new: usize,
    /// Lines of the original that are gone, or were modified.
    pub removed: usize,
}

/// What differs in one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileDiff {
    /// Its name in the guest; `None` for a new file.
    pub original: Option<String>,
    /// Its name in the port; `None` for a file that is gone.
    pub ported: Option<String>,
    /// Lines of the port's file that are not in the original's.
    pub added: usize,
    /// Lines of the original's file that are not in the port's.
    pub removed: usize,
    /// The difference in the unified format.
    pub diff: String,
}

impl PortDiff {
    /// Of a scenario; `None` if its guest has no port.
    pub fn of(scenario: &Scenario) -> Option<PortDiff> {
        scenario.setup.port.as_ref()?;
        Some(PortDiff::between(&scenario.sources, &scenario.port_sources))
    }

    /// Between a guest's sources and its port's. A file of the port whose name the guest does not have, but of which it
    /// has one of the same name in another folder, is that one ported.
    pub fn between(original: &[Source], ported: &[Source]) -> PortDiff {
        let has = |all: &[Source], source: &Source| all.iter().any(|one| one.name == source.name);
        let replaced = |source: &Source| {
            let left = original.iter().filter(|one| !has(ported, one));
            left.clone().find(|one| file_name(one) == file_name(source))
        };
        let named = |source: &Source| original.iter().find(|one| one.name == source.name);
        let pairs: Vec<(Option<&Source>, Option<&Source>)> = ported
            .iter()
            .map(|source| (named(source).or_else(|| replaced(source)), Some(source)))
            .collect();
        let gone = original
            .iter()
            .filter(|source| {
                !pairs
                    .iter()
                    .any(|(of, _)| of.is_some_and(|of| of.name == source.name))
            })
            .map(|source| (Some(source), None));
        let differs = |(a, b): &(Option<&Source>, Option<&Source>)| a.map(|a| &a.text) != b.map(|b| &b.text);
        let same = pairs.iter().filter(|pair| !differs(pair)).count();
        let files: Vec<FileDiff> = pairs
            .iter()
            .copied()
            .chain(gone)
            .filter(differs)
            .map(|(a, b)| FileDiff::between(a, b))
            .collect();
        let sum = |of: fn(&FileDiff) -> usize, new: bool| {
            let wanted = files.iter().filter(|file| file.original.is_none() == new);
            wanted.map(of).sum()
        };
        PortDiff {
            same,
            original_lines: original.iter().map(|source| source.text.lines().count()).sum(),
            changed: sum(|file| file.added, false),
            new: sum(|file| file.added, true),
            removed: sum(|file| file.removed, false),
            files,
        }
    }

    /// The changed lines as a share of the original's, in percent.
    pub fn percent(&self) -> f64 {
        100.0 * self.changed as f64 / self.original_lines.max(1) as f64
    }
}

impl FileDiff {
    /// Its name in the port, or where it has none there, in the guest.
    pub fn name(&self) -> &str {
        self.ported
            .as_ref()
            .or(self.original.as_ref())
            .map_or("", String::as_str)
    }

    fn between(original: Option<&Source>, ported: Option<&Source>) -> FileDiff {
        let text = |source: Option<&Source>| source.map_or(String::new(), |source| source.text.clone());
        let name = |source: Option<&Source>| source.map(|source| source.name.clone());
        let (before, after) = (text(original), text(ported));
        let diff = TextDiff::from_lines(&before, &after);
        let count = |tag| {
            diff.iter_all_changes()
                .filter(|change| change.tag() == tag)
                .count()
        };
        let shown = |source| name(source).unwrap_or_else(|| "/dev/null".to_string());
        FileDiff {
            added: count(ChangeTag::Insert),
            removed: count(ChangeTag::Delete),
            diff: diff
                .unified_diff()
                .header(&shown(original), &shown(ported))
                .to_string(),
            original: name(original),
            ported: name(ported),
        }
    }
}

/// The name without its folder.
fn file_name(source: &Source) -> Option<&std::ffi::OsStr> {
    Path::new(&source.name).file_name()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_counted_by_its_lines() {
        let original = [
            Source::new("a.s", "1\n2\n3\n"),
            Source::new("hal.s", "in\nout\nmret\n"),
            Source::new("old.s", "x\n"),
        ];
        let ported = [
            Source::new("a.s", "1\n2\n3\n"),
            Source::new("../p/header.s", "y\nz\n"),
            Source::new("../p/hal.s", "in\nhcall\nhcall\nmret\n"),
        ];
        let diff = PortDiff::between(&original, &ported);
        assert_eq!((diff.same, diff.original_lines), (1, 7));
        assert_eq!((diff.changed, diff.new, diff.removed), (2, 2, 2));
        assert!((diff.percent() - 200.0 / 7.0).abs() < 1e-9);
        let names: Vec<_> = diff
            .files
            .iter()
            .map(|file| (file.original.as_deref(), file.ported.as_deref()))
            .collect();
        assert_eq!(
            names,
            [
                (None, Some("../p/header.s")),
                (Some("hal.s"), Some("../p/hal.s")),
                (Some("old.s"), None),
            ]
        );
        assert_eq!(
            diff.files[1].diff,
            "--- hal.s\n+++ ../p/hal.s\n@@ -1,3 +1,4 @@\n in\n-out\n+hcall\n+hcall\n mret\n"
        );
    }
}
