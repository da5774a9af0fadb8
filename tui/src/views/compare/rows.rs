//! The rows of view Compare: where each guest stands, and what that took.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Paragraph, Widget, Wrap};
use scenarios::listing::Listing;
use scenarios::terminal::escape_line;
use toy_isa::disasm::REGISTER_NAMES;
use vmm_core::counts::Counts;
use vmm_core::mode::ModeName;
use vmm_core::numbers::exact;
use vmm_core::price::PriceList;

use super::companion::Companion;
use super::{Column, NAMES, place, put};
use crate::app::App;
use crate::theme::Role;
use crate::views::checks::Check;

/// Rows of the state.
pub(super) const STATE_ROWS: usize = 9;
/// Rows of the figures.
pub(super) const FIGURE_ROWS: usize = FIGURES.len();

/// Draws where each guest stands, from a row on.
pub(super) fn state(app: &App, columns: &[Column], first: usize, area: Rect, buffer: &mut Buffer) {
    let names = [
        "instruction",
        "place",
        "next",
        "ring",
        "guest",
        "checked",
        "last event",
        "console",
        "end",
    ];
    let cells: Vec<Vec<(String, Role)>> = columns
        .iter()
        .map(|column| cells(app, column, columns.first()))
        .collect();
    for (line, row) in (first..STATE_ROWS).enumerate() {
        let line = line as u16;
        put(
            app,
            Rect { width: NAMES, ..area },
            line,
            names[row],
            app.theme.style(Role::Dim),
            buffer,
        );
        for (number, cells) in cells.iter().enumerate() {
            let (text, role) = &cells[row];
            let place = place(area, number, columns.len());
            put(app, place, line, text, app.theme.style(*role), buffer);
        }
    }
}

/// What a column has in each row.
fn cells(app: &App, column: &Column, own: Option<&Column>) -> Vec<(String, Role)> {
    let (timeline, glyphs) = (column.timeline, app.theme.glyphs());
    let run = timeline.run();
    let guest = run.guest();
    let hart = &guest.hart;
    let (image, sources) = app.session.scenario.program(column.mode);
    let listing = Listing::new(image, sources);
    let spot = listing.place(hart.pc);
    let next = guest
        .at(hart.pc)
        .map_or("?".to_string(), |word| listing.instruction(word, hart.pc));
    let (virtually, really) = (hart.ring(), run.machine().hart.ring());
    let ring = match column.mode {
        mode if mode == ModeName::Bare || mode.is_emulation() => format!("{virtually}"),
        _ if really == 0 => format!("{virtually}, in the monitor"),
        _ => format!("{virtually}, really {really}"),
    };
    let of_ring = if virtually == 3 {
        Role::GuestUser
    } else {
        Role::GuestKernel
    };
    let last = timeline.history().iter().next_back();
    let console = guest.devices.console.output();
    let line = console
        .rsplit(|byte| *byte == b'\n')
        .find(|line| !line.is_empty());
    let way = if timeline.pursues() { " ..." } else { "" };
    vec![
        (format!("{}{way}", exact(guest.pace.retired())), Role::Strong),
        (spot.name(), Role::Text),
        (next, Role::Current),
        (ring, of_ring),
        equality(column, own, glyphs),
        checked(column, glyphs),
        (last.map_or(String::new(), |last| last.event.label()), Role::Text),
        (line.map_or(String::new(), escape_line), Role::Dim),
        (
            timeline.ended().map_or(String::new(), |end| end.to_string()),
            Role::Warn,
        ),
    ]
}

/// Whether a guest's processor is as that of the first column.
fn equality(column: &Column, own: Option<&Column>, glyphs: &crate::theme::Glyphs) -> (String, Role) {
    let Some(own) = own.filter(|own| !std::ptr::eq(*own, column)) else {
        return (String::new(), Role::Dim);
    };
    if column.mode == ModeName::Para || own.mode == ModeName::Para {
        return ("another kernel".to_string(), Role::Dim);
    }
    let (mine, theirs) = (own.timeline.run().guest(), column.timeline.run().guest());
    if mine.pace.retired() != theirs.pace.retired() {
        return (format!("{} stays here", glyphs.warn), Role::Warn);
    }
    let (a, b) = (&mine.hart, &theirs.hart);
    let registers = (1..16).find(|number| a.x[*number] != b.x[*number]);
    let csrs = a.csr.words() != b.csr.words();
    let what = match (a.pc == b.pc, registers, csrs) {
        (false, ..) => "pc".to_string(),
        (_, Some(number), _) => REGISTER_NAMES[number].to_string(),
        (.., true) => "a control register".to_string(),
        _ => return (format!("{} equal", glyphs.good), Role::Good),
    };
    (format!("{} {what} differs", glyphs.bad), Role::Bad)
}

/// What the checker says, in a word or two.
fn checked(column: &Column, glyphs: &crate::theme::Glyphs) -> (String, Role) {
    let told = match column.check {
        None => return (String::new(), Role::Dim),
        Some(Check::Working(_)) => return ("checking ...".to_string(), Role::Dim),
        Some(Check::Failed(_)) => return ("? nobody can say".to_string(), Role::Warn),
        Some(Check::Over(told)) => told,
    };
    let Some(divergence) = &told.parted else {
        return match told.verdicts.equivalence.answer() {
            Some(true) => (format!("{} as bare", glyphs.good), Role::Good),
            _ => ("? nobody can say".to_string(), Role::Warn),
        };
    };
    let what = match column.companion {
        Some(companion) if companion.has_parted() => "parted here".to_string(),
        Some(Companion {
            parting: Some(at), ..
        }) => format!("parts at {}", exact(*at)),
        _ => format!("parts at clock {}", exact(divergence.clock)),
    };
    (format!("{} {what}", glyphs.bad), Role::Bad)
}

/// What the checker says, in full.
pub(super) fn detail(app: &App, column: &Column, area: Rect, buffer: &mut Buffer) {
    let (text, role) = match column.check {
        None | Some(Check::Working(_)) => return,
        Some(Check::Failed(why)) => (why, Role::Warn),
        Some(Check::Over(told)) => {
            let equivalence = &told.verdicts.equivalence;
            let role = match equivalence.answer() {
                _ if told.parted.is_some() => Role::Bad,
                Some(true) => Role::Dim,
                _ => Role::Warn,
            };
            (&equivalence.detail, role)
        }
    };
    Paragraph::new(format!("{}: {text}", column.mode))
        .style(app.theme.style(role))
        .wrap(Wrap { trim: true })
        .render(area, buffer);
}

/// A figure: its name, and how it is found.
type Figure = (&'static str, fn(&Counts, &PriceList) -> u64);

const FIGURES: [Figure; 13] = [
    ("cycles", |counts, prices| prices.cycles(counts)),
    ("direct", |counts, _| counts.direct_total()),
    ("exits", |counts, _| counts.exits + counts.vm_exits_total()),
    ("hw traps", |counts, _| counts.traps_total()),
    ("emulated", |counts, _| counts.emulated_total()),
    ("interpreted", |counts, _| {
        counts.interpreted_total() + counts.emitted_total()
    }),
    ("reflected", |counts, _| counts.reflected),
    ("injected", |counts, _| counts.injected + counts.upcalls),
    ("hypercalls", |counts, _| counts.hypercalls_total()),
    ("translated", |counts, _| counts.translated.iter().sum()),
    ("callouts", |counts, _| counts.callouts),
    ("page tables", |counts, _| {
        counts.shadow_fills + counts.shadow_drops + counts.nested_fills
    }),
    ("words moved", |counts, _| counts.words + counts.structure_words),
];

/// Draws what it took, from a row on: a number, and a bar that is as long as its part of the largest in the row.
pub(super) fn figures(app: &App, columns: &[Column], first: usize, area: Rect, buffer: &mut Buffer) {
    let (theme, prices) = (&app.theme, app.views.cost.prices());
    let counts: Vec<Counts> = columns
        .iter()
        .map(|column| column.timeline.run().counts())
        .collect();
    for (line, (name, figure)) in FIGURES.iter().skip(first).enumerate() {
        let line = line as u16;
        put(
            app,
            Rect { width: NAMES, ..area },
            line,
            name,
            theme.style(Role::Dim),
            buffer,
        );
        let values: Vec<u64> = counts.iter().map(|counts| figure(counts, prices)).collect();
        let most = values.iter().max().copied().unwrap_or(0);
        for (number, value) in values.iter().enumerate() {
            let place = place(area, number, columns.len());
            if line >= place.height || place.width < 3 {
                continue;
            }
            let digits = exact(*value);
            let room = usize::from(place.width) - 1;
            let numbers = 11.min(room);
            put(
                app,
                place,
                line,
                &format!("{digits:>numbers$}"),
                theme.style(Role::Text),
                buffer,
            );
            let bar = room.saturating_sub(numbers + 1);
            let text = bar_of(*value, most, bar, theme.glyphs());
            let role = if number == 0 { Role::Strong } else { Role::Monitor };
            buffer.set_string(
                place.x + numbers as u16 + 1,
                place.y + line,
                text,
                theme.style(role),
            );
        }
    }
}

/// A bar of `value` in a room that `most` fills.
fn bar_of(value: u64, most: u64, room: usize, glyphs: &crate::theme::Glyphs) -> String {
    let steps = glyphs.eighths.len() as u128 - 1;
    let all = room as u128 * steps;
    let filled = match most {
        0 => 0,
        // What is there is seen.
        _ => (u128::from(value) * all / u128::from(most)).max(u128::from(value > 0)),
    };
    let (full, rest) = ((filled / steps) as usize, (filled % steps) as usize);
    let mut bar = glyphs.full.repeat(full);
    if rest > 0 {
        bar += glyphs.eighths[rest];
    }
    bar
}
