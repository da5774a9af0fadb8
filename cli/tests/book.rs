//! What the book and README show of this binary is what it prints. (Links and listings: `book/tests/links.rs`.)

use std::path::Path;

#[test]
fn the_book_shows_what_the_binary_prints() {
    let trapeze = Path::new(env!("CARGO_BIN_EXE_trapeze"));
    let files = trapeze_book::generate(trapeze).unwrap();
    let stale: Vec<String> = files.iter().filter_map(|file| file.difference()).collect();
    assert!(
        stale.is_empty(),
        "\n{}\n`cargo xtask book` regenerates them",
        stale.join("\n")
    );
}
