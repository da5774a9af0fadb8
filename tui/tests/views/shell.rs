//! What stands around the views.

use ratatui::layout::Size;
use tui::theme::{Colours, Theme};
use tui::views::View;

use crate::common::{SIZES, app, compare, press, screen, shown, text};

#[test]
fn header_tabs_and_footer() {
    compare(&mut app("guest-os", "trap"), "shell", true);
}

#[test]
fn help_explains_the_view_and_names_every_key() {
    let mut app = app("guest-os", "trap");
    press(&mut app, "?");
    compare(&mut app, "help", true);
    let first = shown(&mut app, SIZES[0]);
    press(&mut app, "G");
    let last = shown(&mut app, SIZES[0]);
    assert!(first != last && last.contains("help, quit"), "{last}");
    press(&mut app, "esc");
    assert!(!shown(&mut app, SIZES[0]).contains("Help"));
}

#[test]
fn below_the_minimum_it_says_what_it_needs_and_recovers() {
    let mut app = app("guest-os", "trap");
    let before = shown(&mut app, SIZES[0]);
    for (width, height) in [(79, 24), (80, 23), (40, 10), (10, 3), (1, 1), (0, 0), (300, 5)] {
        let small = shown(&mut app, Size::new(width, height));
        assert!(width < 40 || small.contains("80 x 24"), "{small}");
    }
    assert_eq!(shown(&mut app, SIZES[0]), before);
}

#[test]
fn ascii_draws_with_characters_of_ascii_only() {
    for view in View::ALL {
        for zoom in ["", "z", "?"] {
            let mut app = app("guest-os", "trap");
            press(&mut app, &format!("{} {zoom}", view as usize + 1));
            let theme = Theme {
                ascii: true,
                ..Theme::default()
            };
            let text = text(&screen(&mut app, SIZES[1], theme));
            assert!(text.is_ascii(), "{view:?} {zoom}: {text}");
        }
    }
}

#[test]
fn without_colours_there_are_none() {
    for colours in Colours::ALL {
        let theme = Theme {
            colours,
            plain: true,
            ascii: false,
        };
        let screen = screen(&mut app("guest-os", "trap"), SIZES[0], theme);
        let coloured = |cell: &ratatui::buffer::Cell| {
            cell.fg != ratatui::style::Color::Reset || cell.bg != ratatui::style::Color::Reset
        };
        assert!(!screen.content.iter().any(coloured));
    }
}
