//! The guest's disk.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use toy_isa::devices::SECTOR;
use vmm_core::numbers::{counted, exact};

use super::{lines, memory::character};
use crate::app::App;
use crate::theme::Role;

/// Bytes in a line.
const LINE: usize = 16;

/// How many lines there are, with the one above them.
pub(super) fn rows(app: &App) -> usize {
    app.session.run().guest().devices.disk.data().len().div_ceil(LINE) + 1
}

pub(super) fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    let theme = &app.theme;
    let guest = app.session.run().guest();
    let disk = &guest.devices.disk;
    let data = disk.data();
    let state = match (disk.due(), disk.done()) {
        (Some(due), _) => format!("busy until clock {}", exact(due)),
        (None, true) => "done, and says so by its line".to_string(),
        (None, false) => "idle".to_string(),
    };
    let sectors = counted((data.len() / SECTOR as usize) as u64, "sector", "sectors");
    let mut area = lines(area);
    if let Some((_, line)) = area.next() {
        Line::styled(format!("{sectors}, {state}"), theme.style(Role::Strong)).render(line, buffer);
    }
    let first = app.views.machine.disk;
    for ((_, line), (number, bytes)) in area.zip(data.chunks(LINE).enumerate().skip(first)) {
        let at = number * LINE;
        let sector = at / SECTOR as usize;
        let text: String = bytes.iter().copied().map(character).collect();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut spans = vec![
            Span::styled(
                format!("{sector:>4}+{:03x} ", at % SECTOR as usize),
                theme.style(Role::Dim),
            ),
            Span::raw(format!("{text:<LINE$}")),
        ];
        if line.width >= 58 {
            spans.push(Span::styled(format!("  {hex}"), theme.style(Role::Dim)));
        }
        Line::from(spans).render(line, buffer);
    }
}
