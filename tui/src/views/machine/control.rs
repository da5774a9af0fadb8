//! The guest's control registers.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use toy_isa::hart::{Csrs, Status};
use toy_isa::trap::Cause;
use vmm_core::numbers::exact;

use super::lines;
use crate::app::App;
use crate::frame::cut;
use crate::theme::Role;

/// Name and value of each control register but `status`, in two columns: names of seven letters in the first.
fn registers(csr: &Csrs, irq: u32, timer: u32) -> [(&'static str, u32); 12] {
    [
        ("scratch", csr.scratch),
        ("tvec", csr.tvec),
        ("epc", csr.epc),
        ("cause", csr.cause),
        ("tval", csr.tval),
        ("ptbr", csr.ptbr),
        ("base", csr.base),
        ("bound", csr.bound),
        ("xbound", csr.xbound),
        ("window", csr.window),
        ("irq", irq),
        ("timer", timer),
    ]
}

/// Columns of the first column, and letters of the names in each.
const FIRST: u16 = 17;
const LETTERS: [usize; 2] = [7, 6];

pub(super) fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    let (theme, session) = (&app.theme, &app.session);
    let (guest, before) = (session.run().guest(), session.before());
    let now = registers(
        &guest.hart.csr,
        guest.devices.irq(guest.pace.clock),
        guest.devices.timer.value(),
    );
    let then = registers(&before.hart.csr, before.irq, before.timer);
    let status = guest.hart.csr.status;
    let changed = status != before.hart.csr.status;
    let mut spoken = vec![(status_in_words(status), changed)];
    let rows = now.len() / 2;
    let cause = Cause::from_code(guest.hart.csr.cause);
    let pages = match guest.hart.csr.paging() {
        true => format!("paging on, root {:08x}", guest.hart.csr.ptbr & !0xfff),
        false => "paging off".to_string(),
    };
    let after = [
        (pages, guest.hart.csr.ptbr != before.hart.csr.ptbr),
        (
            match cause {
                // As at power-on: no jump to 0 is misaligned.
                Some(Cause::FetchMisaligned) if guest.hart.csr.tval == 0 => "no trap yet".to_string(),
                Some(cause) => format!("last trap: {cause}"),
                None => "no cause".to_string(),
            },
            guest.hart.csr.cause != before.hart.csr.cause,
        ),
        (format!("clock {}", exact(guest.pace.clock)), false),
    ];
    spoken.extend(after);
    for (number, line) in lines(area) {
        let word = match number {
            0 => spoken.first(),
            _ if number > rows => spoken.get(number - rows),
            _ => None,
        };
        if let Some((text, changed)) = word {
            let (sign, role) = mark(app, *changed);
            let text = cut(theme, &format!("{text}{sign}"), usize::from(line.width));
            Line::styled(text, theme.style(role)).render(line, buffer);
        }
        if number == 0 || number > rows {
            continue;
        }
        for (column, letters) in LETTERS.into_iter().enumerate() {
            let register = 2 * (number - 1) + column;
            let (name, value) = now[register];
            let (sign, role) = mark(app, now[register] != then[register]);
            let x = column as u16 * FIRST;
            let place = Rect {
                x: line.x + x.min(line.width),
                width: line.width.saturating_sub(x),
                ..line
            };
            Line::from(vec![
                Span::styled(format!("{name:<letters$}"), theme.style(Role::Dim)),
                Span::styled(format!("{sign}{value:08x}"), theme.style(role)),
            ])
            .render(place, buffer);
        }
    }
}

fn mark(app: &App, changed: bool) -> (&'static str, Role) {
    match changed {
        true => (app.theme.glyphs().changed, Role::Changed),
        false => (" ", Role::Text),
    }
}

/// `status` in words: the ring with the previous one; of the enables, those in capitals are set.
fn status_in_words(status: Status) -> String {
    let flag = |bit: u32, name: &str| match status.0 & bit != 0 {
        true => name.to_uppercase(),
        false => name.to_string(),
    };
    format!(
        "ring {} ({}) {} {} {} {} iopl {}",
        status.ring(),
        status.previous_ring(),
        flag(Status::IE, "ie"),
        flag(Status::PIE, "pie"),
        flag(Status::RE, "re"),
        flag(Status::PRE, "pre"),
        status.iopl()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_capitals_are_set() {
        let status = Status(1 | 3 << 2 | Status::IE | Status::PRE | 2 << 8);
        assert_eq!(status_in_words(status), "ring 1 (3) IE pie re PRE iopl 2");
    }

    #[test]
    fn every_name_fits_its_column() {
        for (number, (name, _)) in registers(&Csrs::RESET, 0, 0).into_iter().enumerate() {
            assert!(name.len() <= LETTERS[number % 2], "{name}");
        }
    }
}
