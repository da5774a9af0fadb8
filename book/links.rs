//! Whether links, listings and the table of contents lead somewhere.
//!
//! In every page of Markdown of the repository, a relative link names a file that is there and, after `#`, one of
//! its headings. A page of the book links to the book alone, because nothing else is in the built one; it includes
//! source files whole or by anchor; and `SUMMARY.md` lists it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::PAGES;

/// The pages of the book, as paths from the root of the repository.
///
/// # Errors
/// If they cannot be listed.
pub fn pages(root: &Path) -> Result<Vec<PathBuf>> {
    markdown(root, Path::new(PAGES))
}

/// Everything that leads nowhere, in words.
///
/// # Errors
/// If a page cannot be read.
pub fn findings(root: &Path) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for path in markdown(root, Path::new(""))? {
        let text = fs::read_to_string(root.join(&path))?;
        let of_book = path.starts_with(PAGES);
        let mut here = Vec::new();
        for link in Outline::of(&text).links {
            here.extend(broken_link(root, &path, &link, of_book));
        }
        if of_book {
            here.extend(broken_includes(root, &path, &text));
        }
        findings.extend(
            here.into_iter()
                .map(|finding| format!("{}: {finding}", path.display())),
        );
    }
    findings.extend(unlisted(root)?);
    Ok(findings)
}

/// All files of Markdown in this folder and below it, in order. Hidden folders and what is built are left out.
fn markdown(root: &Path, folder: &Path) -> Result<Vec<PathBuf>> {
    let listing =
        fs::read_dir(root.join(folder)).with_context(|| format!("no folder {}", folder.display()))?;
    let mut found = Vec::new();
    for entry in listing {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if entry.file_type()?.is_dir() {
            if !hidden && path != Path::new("target") && path != Path::new("book/book") {
                found.extend(markdown(root, &path)?);
            }
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// What other pages can link to in a page, and what it links to.
#[derive(Default)]
struct Outline {
    headings: BTreeSet<String>,
    links: Vec<String>,
}

impl Outline {
    fn of(page: &str) -> Outline {
        let mut outline = Outline::default();
        let mut heading: Option<String> = None;
        for event in Parser::new_ext(page, Options::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => {
                    outline.headings.extend(heading.take().map(|text| id(&text)))
                }
                Event::Text(text) | Event::Code(text) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(&text);
                    }
                }
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    outline.links.push(dest_url.into_string());
                }
                _ => {}
            }
        }
        outline
    }
}

/// The anchor of a heading, as mdBook and GitHub make it.
fn id(heading: &str) -> String {
    let kept = |c: char| match c {
        ' ' => Some('-'),
        _ if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
        _ => None,
    };
    heading.to_lowercase().chars().filter_map(kept).collect()
}

fn broken_link(root: &Path, page: &Path, link: &str, of_book: bool) -> Option<String> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (file, heading) = link
        .split_once('#')
        .map_or((link, None), |(file, id)| (file, Some(id)));
    let target = match file {
        "" => page.to_path_buf(),
        _ => beside(page, file),
    };
    if of_book && !target.starts_with(PAGES) {
        return Some(format!("'{link}' leads out of the book: name the file instead"));
    }
    if !root.join(&target).exists() {
        return Some(format!("'{link}': there is no {}", target.display()));
    }
    let heading = heading?;
    let text = fs::read_to_string(root.join(&target)).unwrap_or_default();
    let known = Outline::of(&text).headings.contains(heading);
    (!known).then(|| format!("'{link}': no heading of {} is #{heading}", target.display()))
}

/// The path that `relative` means in a page.
fn beside(page: &Path, relative: &str) -> PathBuf {
    let mut path = page.parent().map_or(PathBuf::new(), Path::to_path_buf);
    for part in Path::new(relative).components() {
        match part {
            Component::ParentDir if path.pop() => {}
            part => path.push(part),
        }
    }
    path
}

fn broken_includes(root: &Path, page: &Path, text: &str) -> Vec<String> {
    let directives = text
        .split("{{#")
        .skip(1)
        .map(|rest| rest.split("}}").next().unwrap_or_default());
    directives
        .filter_map(|directive| {
            let Some(what) = directive.strip_prefix("include ") else {
                return Some(format!("'{directive}': source is included by `include` only"));
            };
            let (file, anchor) = what
                .split_once(':')
                .map_or((what, None), |(file, name)| (file, Some(name)));
            let Ok(source) = fs::read_to_string(root.join(beside(page, file))) else {
                return Some(format!("'{what}': there is no such file"));
            };
            let has = |mark: &str, name| {
                source
                    .lines()
                    .any(|line| line.split_once(mark).is_some_and(|(_, rest)| rest.trim() == name))
            };
            let found = anchor.is_none_or(|name| has("ANCHOR: ", name) && has("ANCHOR_END: ", name));
            (!found).then(|| format!("'{what}': the file has no such anchor"))
        })
        .collect()
}

/// Pages of the book that its table of contents does not list.
fn unlisted(root: &Path) -> Result<Vec<String>> {
    let summary = Path::new(PAGES).join("SUMMARY.md");
    let text = fs::read_to_string(root.join(&summary)).context("the book has no SUMMARY.md")?;
    let listed: Vec<PathBuf> = Outline::of(&text)
        .links
        .iter()
        .map(|link| beside(&summary, link))
        .collect();
    let missing = pages(root)?
        .into_iter()
        .filter(|page| *page != summary && !listed.contains(page));
    Ok(missing
        .map(|page| format!("{}: not in SUMMARY.md", page.display()))
        .collect())
}
