//! The book's links, listings and table of contents, and those of the pages beside it.

use std::fs;
use std::path::{Path, PathBuf};

use trapeze_book::links::findings;

#[test]
fn every_link_and_listing_leads_somewhere() {
    let findings = findings(&trapeze_book::root()).unwrap();
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
}

/// A repository of these files, each test its own.
fn repository(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    for (path, text) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    root
}

#[test]
fn what_leads_nowhere_is_found() {
    let page = "[gone](gone.md) [a](#a-heading) [b](#b) [out](../../README.md) [there](SUMMARY.md)\n\
                # A heading\n\
                {{#include ../../x.rs:here}} {{#include ../../x.rs:there}} {{#include ../../y.rs}}\n\
                `[code](nowhere.md)` <https://example.org/> [web](https://example.org/#x)\n";
    let root = repository(
        "links",
        &[
            (
                "README.md",
                "[one](book/src/one.md#a-heading) [two](book/src/one.md#two)",
            ),
            ("x.rs", "// ANCHOR: here\n// ANCHOR_END: here\n// ANCHOR: there\n"),
            ("book/src/SUMMARY.md", "- [One](one.md)\n"),
            ("book/src/one.md", page),
            ("book/src/two.md", "{{#playground z.rs}}"),
            ("target/built.md", "[gone](gone.md)"),
        ],
    );
    assert_eq!(
        findings(&root).unwrap(),
        [
            "README.md: 'book/src/one.md#two': no heading of book/src/one.md is #two",
            "book/src/one.md: 'gone.md': there is no book/src/gone.md",
            "book/src/one.md: '#b': no heading of book/src/one.md is #b",
            "book/src/one.md: '../../README.md' leads out of the book: name the file instead",
            "book/src/one.md: '../../x.rs:there': the file has no such anchor",
            "book/src/one.md: '../../y.rs': there is no such file",
            "book/src/two.md: 'playground z.rs': source is included by `include` only",
            "book/src/two.md: not in SUMMARY.md",
        ]
    );
}

#[test]
fn headings_have_the_anchors_of_mdbook() {
    let page = "# The hole, found & `confirmed`\n[it](#the-hole-found--confirmed)\n";
    let files = [
        ("book/src/SUMMARY.md", "[One](one.md)"),
        ("book/src/one.md", page),
    ];
    assert_eq!(findings(&repository("anchors", &files)).unwrap(), [""; 0]);
}
