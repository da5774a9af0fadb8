//! View Compare: modes side by side.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Screen;
use crate::app::App;

/// What the view keeps.
#[derive(Default)]
pub struct State {}

/// The view.
pub struct Compare;

impl Screen for Compare {
    fn panes(&self) -> &'static [&'static str] {
        &["Compare"]
    }

    fn layout(&self, area: Rect) -> Vec<Rect> {
        vec![area]
    }

    fn draw(&self, _app: &App, _pane: usize, _area: Rect, _buffer: &mut Buffer) {}

    fn help(&self) -> &'static str {
        "Here is shown: modes side by side."
    }
}
