//! A guided tour on one terminal, and the presenter's notes on another.

use crate::pty::{Terminal, configuration};

/// A terminal whose runtime folder is this one.
fn terminal(test: &str, arguments: &[&str], runtime: &str) -> Terminal {
    Terminal::with(test, arguments, &[("XDG_RUNTIME_DIR", runtime)], (80, 40))
}

#[test]
fn notes_follow_the_tour_on_the_other_terminal_and_page_by_themselves_afterwards() {
    let runtime = configuration("tour-runtime");
    let runtime = runtime.to_str().expect("a path that is text");
    let mut notes = terminal("notes", &["tour", "popf", "--notes"], runtime);
    notes.wait_for("popf: stop 1 of 12 (say); no presentation");
    let mut tour = terminal("tour", &["tour", "popf"], runtime);
    tour.wait_for("POPF and the broken timer: stop 1 of 12");
    notes.wait_for("popf: stop 1 of 12 (say); follows the presentation");
    tour.types(" ");
    tour.wait_for("stop 2 of 12");
    tour.types(" ");
    tour.wait_for("3 Neither: it does nothing");
    notes.wait_for("popf: stop 3 of 12 (ask); follows");
    notes.wait_for("✓ 3 Neither");
    tour.types("1");
    tour.wait_for("Not 1 but 3: Neither");
    notes.wait_for("popf: stop 3 of 12 (answer); follows");
    // The first q leaves the tour, the second the program.
    tour.types("q");
    notes.wait_for("popf: stop 3 of 12 (answer); no presentation");
    tour.types("q");
    assert_eq!(tour.end().code(), Some(0));
    notes.types(" ");
    notes.wait_for("popf: stop 3 of 12 (say); no presentation");
    notes.types("\u{7f}\u{7f}");
    notes.wait_for("popf: stop 3 of 12 (ask); no presentation");
    notes.resize(20, 4);
    notes.types("jq");
    assert_eq!(notes.end().code(), Some(0));
}
