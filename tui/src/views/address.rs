//! View Address: page tables and walks.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Screen;
use crate::app::App;

/// What the view keeps.
#[derive(Default)]
pub struct State {}

/// The view.
pub struct Address;

impl Screen for Address {
    fn panes(&self) -> &'static [&'static str] {
        &["Address"]
    }

    fn layout(&self, _app: &App, area: Rect) -> Vec<Rect> {
        vec![area]
    }

    fn draw(&self, _app: &App, _pane: usize, _area: Rect, _buffer: &mut Buffer) {}

    fn help(&self) -> &'static str {
        "Here is shown: page tables and walks."
    }
}
