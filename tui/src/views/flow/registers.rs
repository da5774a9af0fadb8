//! The registers before and after what is selected: those of the guest, and those of the real processor.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use toy_isa::disasm::REGISTER_NAMES;
use toy_isa::hart::{Csrs, Hart, Status};
use vmm_core::event::Event;
use vmm_core::mode::ModeName;

use super::words::wrapped;
use crate::app::App;
use crate::session::Around;
use crate::theme::Role;

/// Columns of the names, and of each value with the sign before it.
const NAME: usize = 8;
const VALUE: usize = 9;

/// The control registers, in the order of [`Csrs::words`].
const CSRS: [&str; Csrs::COUNT] = [
    "status", "tvec", "scratch", "epc", "cause", "tval", "ptbr", "base", "bound", "xbound", "window",
];

/// A register: of the guest before and after, and of the real processor, if that has a part in it.
struct Entry {
    name: &'static str,
    /// How many digits a value has.
    digits: usize,
    guest: [u32; 2],
    real: Option<[u32; 2]>,
}

impl Entry {
    fn changed(&self) -> bool {
        self.guest[0] != self.guest[1]
    }

    /// Whether something is to be seen in it.
    fn speaks(&self) -> bool {
        self.changed()
            || self
                .real
                .is_some_and(|real| real[0] != real[1] || real[0] != self.guest[0])
    }
}

/// All registers, those in which something is to be seen first.
fn entries(app: &App, around: &Around) -> Vec<Entry> {
    let guest = [&around.before, &around.after];
    let real = real(app, around);
    let entry = |name, digits, value: &dyn Fn(&Hart) -> u32| Entry {
        name,
        digits,
        guest: guest.map(value),
        real: real.as_ref().map(|real| [&real[0], &real[1]].map(value)),
    };
    let mut entries = vec![entry("ring", 1, &Hart::ring), entry("pc", 8, &|hart| hart.pc)];
    for (place, name) in CSRS.into_iter().enumerate() {
        entries.push(entry(name, 8, &|hart| hart.csr.words()[place]));
    }
    for (number, name) in REGISTER_NAMES.into_iter().enumerate().skip(1) {
        entries.push(entry(name, 8, &|hart| hart.x[number]));
    }
    // In the guest's own first, then in the real one: a sort that keeps the order of equals.
    let speech = |entry: &Entry| match (entry.name, entry.changed(), entry.speaks()) {
        ("ring" | "pc", ..) => 0,
        (_, true, _) => 1,
        (_, false, true) => 2,
        (_, false, false) => 3,
    };
    entries.sort_by_key(speech);
    entries
}

/// The real processor before and after, where it has a part in this.
fn real(app: &App, around: &Around) -> Option<[Hart; 2]> {
    let chain = super::chain(app, super::selected(app)?.number)?;
    let before = match (&chain.root.event, app.session.mode) {
        (Event::Exit { .. }, _) => undone(&around.answered),
        // In non-root operation the processor's own registers are the guest's.
        (Event::VmExit { .. }, ModeName::Assist(_) | ModeName::Kvm) => around.before.clone(),
        _ => return None,
    };
    Some([before, around.answered.clone()])
}

/// A processor before the trap by which the monitor was entered: of the registers that the hardware saves there, the
/// monitor had put nothing into the trap frame.
fn undone(entered: &Hart) -> Hart {
    let mut before = entered.clone();
    let status = entered.csr.status.returned().0 & !(Status::PRING | Status::PIE);
    before.pc = entered.csr.epc;
    before.csr.status = Status(status);
    (before.csr.epc, before.csr.cause, before.csr.tval) = (0, 0, 0);
    before
}

fn around(app: &App) -> Option<&Around> {
    let question = super::question(app)?;
    let (asked, around) = app.views.flow.around.as_ref()?;
    around.as_ref().filter(|_| *asked == question)
}

pub(super) fn title(app: &App) -> String {
    match around(app).and_then(|around| real(app, around)) {
        Some(_) => "Registers: virtual | real".to_string(),
        None => "Registers".to_string(),
    }
}

/// Scrolls by so many lines.
pub(super) fn scroll(app: &mut App, by: isize) {
    let last = around(app)
        .map_or(0, |around| entries(app, around).len())
        .saturating_sub(1);
    let scroll = &mut app.views.flow.scroll;
    *scroll = scroll.saturating_add_signed(by).min(last);
}

pub(super) fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    let theme = &app.theme;
    let Some(around) = around(app) else {
        let said = match (super::selected(app), app.session.busy()) {
            (None, _) => "Nothing has happened yet.",
            (_, true) => "While the guest is on its way nobody looks at its registers.",
            _ => "No instruction of the guest's set this off.",
        };
        let text = wrapped(theme, said, area.width.into(), area.height.into());
        for (y, text) in (area.top()..).zip(text) {
            text.style(theme.style(Role::Dim))
                .render(Rect { y, height: 1, ..area }, buffer);
        }
        return;
    };
    let entries = entries(app, around);
    let bar = theme.glyphs().vertical;
    let heads = match entries.first().and_then(|entry| entry.real) {
        Some(_) => format!(
            "{:NAME$} {:>8} {:>8} {bar} {:>8} {:>8}",
            "", "before", "after", "before", "entered"
        ),
        None => format!("{:NAME$} {:>8} {:>8}", "", "before", "after"),
    };
    buffer.set_stringn(area.x, area.y, heads, area.width.into(), theme.style(Role::Dim));
    let below = area.y + 1..area.bottom();
    for (y, entry) in below.zip(entries.iter().skip(app.views.flow.scroll)) {
        row(app, entry).render(Rect { y, height: 1, ..area }, buffer);
    }
    if entries.first().is_none_or(|entry| entry.real.is_none()) {
        note(app, area, buffer);
    }
}

/// Why there are no registers of the real processor.
fn note(app: &App, area: Rect, buffer: &mut Buffer) {
    let said = match app.session.mode {
        ModeName::Bare => "There is no monitor: these are the real ones.",
        ModeName::Interpret | ModeName::Jit => {
            "The monitor plays the processor: these are data of its. The real one takes no part."
        }
        ModeName::Assist(_) | ModeName::Kvm => {
            "In non-root operation the guest has the processor's own: these are the real ones."
        }
        _ => "The monitor did this without the guest: the real processor takes no part.",
    };
    let left = (NAME + 2 * VALUE + 3) as u16;
    let area = Rect {
        x: area.x + left.min(area.width),
        width: area.width.saturating_sub(left),
        ..area
    };
    let text = wrapped(&app.theme, said, area.width.into(), area.height.into());
    for (y, text) in (area.top()..).zip(text) {
        text.style(app.theme.style(Role::Dim))
            .render(Rect { y, height: 1, ..area }, buffer);
    }
}

fn row(app: &App, entry: &Entry) -> Line<'static> {
    let (theme, glyphs) = (&app.theme, app.theme.glyphs());
    let mut spans = vec![Span::raw(format!("{:NAME$}", entry.name))];
    let mut values = |[before, after]: [u32; 2], role| {
        let text = |value: u32| format!("{:>8}", format!("{value:0digits$x}", digits = entry.digits));
        let changed = before != after;
        let (sign, style) = match changed {
            true => (glyphs.changed, theme.style(Role::Changed)),
            false => (" ", theme.style(role)),
        };
        spans.push(Span::styled(format!(" {}", text(before)), theme.style(role)));
        spans.push(Span::styled(format!("{sign}{}", text(after)), style));
    };
    values(entry.guest, Role::Text);
    if let Some(real) = entry.real {
        values(real, Role::Hardware);
        let bar = Span::styled(format!(" {}", glyphs.vertical), theme.style(Role::Border));
        spans.insert(3, bar);
    }
    Line::from(spans)
}
