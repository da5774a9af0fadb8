//! View Cost: where the cycles went.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Screen;
use crate::app::App;

/// What the view keeps.
#[derive(Default)]
pub struct State {}

/// The view.
pub struct Cost;

impl Screen for Cost {
    fn panes(&self) -> &'static [&'static str] {
        &["Cost"]
    }

    fn layout(&self, _app: &App, area: Rect) -> Vec<Rect> {
        vec![area]
    }

    fn draw(&self, _app: &App, _pane: usize, _area: Rect, _buffer: &mut Buffer) {}

    fn help(&self) -> &'static str {
        "Here is shown: where the cycles went."
    }
}
