//! The rings: where the guest believes to be, and where the processor really is.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use toy_isa::root::Operation;
use vmm_core::flow::Lane;
use vmm_core::walk::hardware::Execution;

use super::lines;
use crate::app::App;
use crate::frame::{boxed, cut};
use crate::theme::Role;

/// The real processor, while it runs the guest.
struct Real {
    /// Its ring, if it executes the guest's instructions at all.
    ring: Option<u32>,
    /// What it does, in a few words.
    how: &'static str,
}

fn real(app: &App) -> Real {
    let run = app.session.run();
    let hardware = run.hardware();
    let ring = hardware.hart.ring();
    let non_root = matches!(hardware.hart.operation, Operation::NonRoot(_));
    match hardware.execution {
        Execution::Emulated => Real {
            ring: None,
            how: "emulated: no ring of the processor's",
        },
        Execution::Translated => Real {
            ring: Some(ring),
            how: "translated, then executed",
        },
        Execution::Direct if non_root => Real {
            ring: Some(ring),
            how: "executed directly, in non-root operation",
        },
        Execution::Direct => Real {
            ring: Some(ring),
            how: "executed directly",
        },
    }
}

pub(super) fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    match area.width >= 36 && area.height >= 15 {
        true => nested(app, area, buffer),
        false => table(app, area, buffer),
    }
}

/// Whose a ring is in the guest's eyes.
fn owner(ring: u32) -> (&'static str, Role) {
    match ring {
        0 => ("kernel", Role::GuestKernel),
        3 => ("user", Role::GuestUser),
        _ => ("", Role::Dim),
    }
}

/// A line for each ring: on the left the guest's, on the right the processor's.
fn table(app: &App, area: Rect, buffer: &mut Buffer) {
    let theme = &app.theme;
    let (virtual_ring, real) = (app.session.run().guest().hart.ring(), real(app));
    let mark = |here: bool| if here { theme.glyphs().current } else { " " };
    for (number, line) in lines(area) {
        let text = match number {
            0 => Line::styled("        the guest's  the processor's", theme.style(Role::Title)),
            1..=4 => {
                let ring = 4 - number as u32;
                let (name, role) = owner(ring);
                let (here, there) = (ring == virtual_ring, Some(ring) == real.ring);
                Line::from(vec![
                    Span::styled(format!("ring {ring}  "), theme.style(Role::Dim)),
                    Span::styled(format!("{} {name:<11}", mark(here)), emphasis(app, here, role)),
                    Span::styled(
                        format!("{} {}", mark(there), if there { "here" } else { "" }),
                        emphasis(app, there, Role::Hardware),
                    ),
                ])
            }
            5 => Line::raw(cut(theme, real.how, usize::from(line.width))),
            _ => break,
        };
        text.render(line, buffer);
    }
}

fn emphasis(app: &App, here: bool, role: Role) -> ratatui::style::Style {
    match here {
        true => app.theme.style(role).patch(app.theme.style(Role::Strong)),
        false => app.theme.style(role),
    }
}

/// Boxes in one another, and whose each is.
fn nested(app: &App, area: Rect, buffer: &mut Buffer) {
    let theme = &app.theme;
    let (virtual_ring, real) = (app.session.run().guest().hart.ring(), real(app));
    let mut inner = Rect { height: 12, ..area };
    for ring in (0..4).rev() {
        let here = ring == virtual_ring;
        inner = boxed(theme, &format!("ring {ring}"), here, inner, buffer);
        let (name, role) = owner(ring);
        let mut spans = Vec::new();
        if here {
            let sign = theme.glyphs().current;
            spans.push(Span::styled(
                format!("{sign} guest {name} "),
                emphasis(app, true, role),
            ));
        } else {
            spans.push(Span::styled(format!("  {name} "), theme.style(role)));
        }
        if Some(ring) == real.ring {
            let style = emphasis(app, true, Role::Hardware);
            spans.push(Span::styled(
                format!("{} really here", theme.glyphs().mark),
                style,
            ));
        }
        let line = Rect { height: 1, ..inner };
        Line::from(spans).render(line, buffer);
        inner = Rect {
            y: inner.y + 1,
            height: inner.height.saturating_sub(1),
            ..inner
        };
    }
    let mode = app.session.mode;
    let whereabouts = |lane: Lane| format!("{}: {}", lane.name(), lane.whereabouts(mode));
    let words = [
        real.how.to_string(),
        whereabouts(Lane::Kernel),
        whereabouts(Lane::Monitor),
    ];
    let below = Rect {
        y: area.y + 12,
        height: area.height - 12,
        ..area
    };
    for ((_, line), words) in lines(below).zip(words) {
        Line::raw(cut(theme, &words, usize::from(line.width))).render(line, buffer);
    }
}
