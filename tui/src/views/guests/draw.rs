//! What view Guests draws.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Paragraph, Widget, Wrap};
use scenarios::terminal::escape_line;
use vmm_core::modes::para::interface::channel;
use vmm_core::modes::para::look::{Channel, Place, Ring, Stream};
use vmm_core::numbers::exact;
use vmm_core::several::Turns;

use super::Crowd;
use crate::app::App;
use crate::frame::{cut, put_line};
use crate::session::Speed;
use crate::theme::Role;

/// The title of the pane with the guests.
pub(super) fn title(crowd: &Crowd, playing: Option<Speed>) -> String {
    let turns = crowd.turns.as_ref().map_or(0, Turns::position);
    let way = match playing {
        Some(speed) => format!(", played at {}", speed.name()),
        None if crowd.turns.as_ref().is_ok_and(Turns::pursues) => ", on their way".to_string(),
        None => String::new(),
    };
    let instead = match crowd.under == crowd.mode {
        true => String::new(),
        false => format!(" (mode {} runs one guest)", crowd.mode),
    };
    let count = crowd.names.len();
    format!(
        "{count} guests under {}{instead}; turns: {}{way}",
        crowd.under,
        exact(turns)
    )
}

/// Why there are no guests.
pub(super) fn complaint(app: &App, why: &str, area: Rect, buffer: &mut Buffer) {
    Paragraph::new(why)
        .style(app.theme.style(Role::Warn))
        .wrap(Wrap { trim: true })
        .render(area, buffer);
}

/// A line for each guest, as many as there is room for around the selected one.
pub(super) fn guests(
    app: &App,
    crowd: &Crowd,
    turns: &Turns,
    selected: usize,
    area: Rect,
    buffer: &mut Buffer,
) {
    let several = turns.several();
    let guests = several.guests();
    let head = format!(
        "{:>4} {:<12}{:>6}{:>7}{:>7} {:<8}{:>11}{:>7}  {}",
        "", "guest", "weight", "asked", "got", "", "fuel", "exits", "state"
    );
    put_line(app, area, 0, &head, Role::Dim, buffer);
    let weights: u64 = guests.iter().map(|guest| u64::from(guest.weight)).sum();
    let used = several.used();
    let queue = several.queue();
    let room = usize::from(area.height.saturating_sub(1));
    let first = (selected + 1).saturating_sub(room);
    let glyphs = app.theme.glyphs();
    // How a guest has ended is a sentence.
    let wide = area.width >= 100;
    for (y, (number, guest)) in (1..).zip(guests.iter().enumerate().skip(first).take(room)) {
        let part = |of: u64, all: u64| match all {
            0 => 0.0,
            _ => of as f64 * 100.0 / all as f64,
        };
        let (asked, got) = (part(guest.weight.into(), weights), part(guest.used, used));
        let (state, role) = match guest.ended {
            Some(end) if wide => (end.to_string(), Role::Dim),
            Some(_) => ("ended".to_string(), Role::Dim),
            None if queue.first() == Some(&number) => ("next".to_string(), Role::Good),
            None => {
                let place = queue.iter().position(|waiting| *waiting == number).unwrap_or(0);
                (format!("{} in line", ordinal(place + 1)), Role::Text)
            }
        };
        let sign = match (number == selected, several.last() == Some(number)) {
            (true, _) => glyphs.selected,
            (false, true) => glyphs.current,
            (false, false) => " ",
        };
        let bar = glyphs.full.repeat((got / 100.0 * 8.0).round() as usize);
        let text = format!(
            "{sign}{:>3} {:<12}{:>6}{asked:>6.1}%{got:>6.1}% {bar:<8}{:>11}{:>7}  {state}",
            number + 1,
            cut(&app.theme, &escape_line(crowd.names[number].as_bytes()), 11),
            guest.weight,
            exact(guest.used),
            exact(guest.exits),
        );
        let role = if number == selected { Role::Selection } else { role };
        put_line(app, area, y, &text, role, buffer);
    }
}

fn ordinal(number: usize) -> String {
    match number {
        2 => "2nd".to_string(),
        3 => "3rd".to_string(),
        _ => format!("{number}th"),
    }
}

/// Who is next, and who had the last turns.
pub(super) fn queue(app: &App, turns: &Turns, area: Rect, buffer: &mut Buffer) {
    let queue: Vec<String> = turns
        .several()
        .queue()
        .iter()
        .map(|guest| (guest + 1).to_string())
        .collect();
    let arrow = format!(" {} ", app.theme.glyphs().left);
    let text = match queue.is_empty() {
        true => "all have ended".to_string(),
        false => format!("next: {}", queue.join(&arrow)),
    };
    put_line(app, area, 0, &text, Role::Strong, buffer);
    let head = format!("{:>7}{:>6}{:>8}{:>6}", "turn", "guest", "fuel", "exits");
    put_line(app, area, 1, &head, Role::Dim, buffer);
    let (first, past) = turns.past();
    let numbered: Vec<_> = (first..).zip(past).collect();
    for (y, (number, turn)) in (2..area.height).zip(numbered.into_iter().rev()) {
        let end = if turn.ended { "  ended" } else { "" };
        let text = format!(
            "{:>7}{:>6}{:>8}{:>6}{end}",
            exact(number + 1),
            turn.guest + 1,
            exact(turn.fuel),
            turn.exits
        );
        let role = if y == 2 { Role::Current } else { Role::Text };
        put_line(app, area, y, &text, role, buffer);
    }
}

/// The event channels and the rings of a guest.
pub(super) fn interface(app: &App, turns: &Turns, selected: usize, area: Rect, buffer: &mut Buffer) {
    let several = turns.several();
    let Some(interface) = several.interface(selected) else {
        let text = "This guest does not know that it has a monitor: there are no event channels and no rings. A ported \
                    one has them: m, then para.";
        return complaint(app, text, area, buffer);
    };
    let mut y = 0;
    let upcalls = match interface.upcalls {
        Some(true) => "upcalls are on",
        Some(false) => "upcalls are off",
        None => "no upcalls: events come as interrupts",
    };
    let waits = if interface.waits {
        ", and it waits for an event"
    } else {
        ""
    };
    put_line(app, area, y, &format!("{upcalls}{waits}"), Role::Text, buffer);
    let short = interface.channels.len() + 1 + 2 * interface.rings.len() > usize::from(area.height);
    if short {
        y += 1;
        let channels: Vec<String> = interface.channels.iter().map(short_channel).collect();
        put_line(app, area, y, &channels.join(", "), Role::Text, buffer);
    }
    for event in interface.channels.iter().filter(|_| !short) {
        y += 1;
        let pending = if event.pending { "p pending" } else { "- idle" };
        let masked = if event.masked { ", m masked" } else { "" };
        let text = format!(
            "channel {} {:<9}{pending}{masked}",
            event.number,
            channel::name(event.number)
        );
        let role = if event.pending { Role::Changed } else { Role::Dim };
        put_line(app, area, y, &text, role, buffer);
    }
    for ring in &interface.rings {
        y += 1;
        y += draw_ring(app, ring, area, y, buffer);
    }
    if interface.rings.is_empty() {
        put_line(app, area, y + 1, "no ring is connected yet", Role::Dim, buffer);
    }
}

/// A channel where there is no room for a line.
fn short_channel(event: &Channel) -> String {
    let pending = if event.pending { "p" } else { "-" };
    let masked = if event.masked { "m" } else { "" };
    format!("{} {pending}{masked}", channel::name(event.number))
}

/// A ring in two lines: its indices, and its places; how many lines follow the first.
fn draw_ring(app: &App, ring: &Ring, area: Rect, y: u16, buffer: &mut Buffer) -> u16 {
    let name = match ring.stream {
        Stream::ConsoleOut => "console out",
        Stream::ConsoleIn => "console in",
        Stream::Disk => "disk",
    };
    let waiting = ring
        .waiting()
        .map_or("?".to_string(), |waiting| waiting.to_string());
    let text = format!(
        "{name:<12}{waiting} of {} wait, {} at work; {} filled, {} emptied",
        ring.size,
        ring.at_work(),
        ring.produced,
        ring.consumed
    );
    put_line(app, area, y, &text, Role::Strong, buffer);
    // A ring with more places than columns is drawn in parts of as many each.
    let columns = u32::from(area.width.max(1));
    let each = ring.size.div_ceil(columns).max(1);
    let places: String = (0..ring.size.div_ceil(each))
        .map(|part| {
            let mut states = (part * each..((part + 1) * each).min(ring.size)).map(|place| ring.state(place));
            let any = states.find(|state| *state != Place::Free);
            match any {
                Some(Place::Waiting) => '#',
                Some(Place::AtWork) => '~',
                Some(Place::Free) | None => '.',
            }
        })
        .collect();
    put_line(app, area, y + 1, &places, Role::Monitor, buffer);
    1
}
