//! The lanes, with arrows through them, and the sentence.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;
use scenarios::listing::Listing;
use scenarios::terminal::escape_line;
use vmm_core::chain::Chain;
use vmm_core::flow::{Arrow, Flow, Lane};
use vmm_core::numbers::exact;

use super::words::wrapped;
use crate::action::{Action, Kind};
use crate::app::App;
use crate::frame::cut;
use crate::theme::Role;

/// Columns for what an arrow means.
const LABELS: u16 = 30;

/// The widest that a lane is.
const WIDEST: u16 = 28;

/// From this height on there is room for other chains, and for the source.
const TALL: u16 = 16;

/// The narrowest pane with room for words at arrows; in large letters there is less.
const NARROW: u16 = 60;

/// Where everything stands. It depends on the pane alone.
struct Plan {
    /// The columns of the lanes.
    lanes: [u16; 4],
    /// Columns from lane to lane.
    pitch: u16,
    /// Where the words at arrows begin.
    labels: u16,
    /// The lines for arrows.
    arrows: Rect,
    /// Lines for arrows of chains before the selected one.
    above: u16,
    /// The lines for the sentence.
    sentence: Rect,
    /// The line for where the guest was, if there is room.
    place: Option<Rect>,
}

impl Plan {
    fn new(area: Rect) -> Plan {
        let (tall, narrow) = (area.height >= TALL, area.width < NARROW);
        let labels = if narrow { 0 } else { LABELS };
        let pitch = (area.width.saturating_sub(labels) / 4).clamp(1, WIDEST);
        // In large letters the sentence is worth more than anything beside it.
        let (head, words) = match (narrow, tall) {
            (true, _) => (1, area.height.saturating_sub(5)),
            (false, false) => (2, 3),
            (false, true) => (2, 4),
        };
        let head = head.min(area.height);
        let words = words.min(area.height - head);
        let arrows = Rect {
            y: area.y + head,
            height: area.height - head - words,
            ..area
        };
        let sentence = Rect {
            y: arrows.bottom(),
            height: words - u16::from(tall),
            ..area
        };
        Plan {
            lanes: [0, 1, 2, 3].map(|number| area.x + pitch / 2 + number * pitch),
            pitch,
            labels: if narrow {
                area.right()
            } else {
                area.x + 4 * pitch + 1
            },
            arrows,
            above: if tall { arrows.height / 3 } else { 0 },
            sentence,
            place: tall.then(|| line(sentence, sentence.bottom())),
        }
    }
}

/// A line of an area.
fn line(area: Rect, y: u16) -> Rect {
    Rect { y, height: 1, ..area }
}

fn role(lane: Lane) -> Role {
    match lane {
        Lane::User => Role::GuestUser,
        Lane::Kernel => Role::GuestKernel,
        Lane::Monitor => Role::Monitor,
        Lane::Hardware => Role::Hardware,
    }
}

pub(super) fn title(app: &App) -> String {
    let Some(root) = root(app) else {
        return "Flow".to_string();
    };
    let (image, sources) = app.session.program();
    let place = Listing::new(image, sources).place_of(&root.root);
    let text = match &place.instruction {
        Some(instruction) => format!("Event {} at {}: {instruction}", root.root.number, place.name()),
        None => format!("Event {} at {}", root.root.number, place.name()),
    };
    escape_line(text.as_bytes())
}

fn root(app: &App) -> Option<Chain> {
    super::chain(app, super::selected(app)?.number)
}

pub(super) fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    let plan = Plan::new(area);
    names(app, &plan, area, buffer);
    let Some(chain) = root(app) else {
        for y in plan.arrows.top()..plan.arrows.bottom() {
            posts(app, &plan, y, buffer);
        }
        let [event, play] = [Action::Next(Kind::Event), Action::Play].map(|action| app.keys.name(action));
        let hint = format!("Nothing has happened yet: {event} runs to the next event, {play} plays.");
        return say(app, &plan, &hint, buffer);
    };
    let flow = Flow::of(&chain, app.session.mode);
    for (y, row) in (plan.arrows.top()..).zip(rows(app, &plan, &chain, &flow)) {
        row.draw(app, &plan, y, buffer);
    }
    say(app, &plan, &flow.sentence, buffer);
    if let Some(area) = plan.place {
        let text = cut(&app.theme, &whereabouts(app, &chain), usize::from(area.width));
        buffer.set_string(area.x, area.y, text, app.theme.style(Role::Dim));
    }
}

fn say(app: &App, plan: &Plan, sentence: &str, buffer: &mut Buffer) {
    let (columns, lines) = (plan.sentence.width, plan.sentence.height);
    let text = wrapped(&app.theme, sentence, columns.into(), lines.into());
    for (y, text) in (plan.sentence.top()..).zip(text) {
        text.render(line(plan.sentence, y), buffer);
    }
}

/// Where the guest was, in its source, and what the chain cost.
fn whereabouts(app: &App, chain: &Chain) -> String {
    let (image, sources) = app.session.program();
    let place = Listing::new(image, sources).place_of(&chain.root);
    let source = match (&place.file, place.line) {
        (Some(file), Some(line)) => {
            let source = place.source.as_deref().unwrap_or_default();
            format!("{file}:{line}  {source}")
        }
        _ => format!("{:#010x}", chain.root.pc),
    };
    let prices = app.views.cost.prices();
    let cycles = exact(chain.cycles(prices));
    let said = format!(
        "clock {}, {cycles} cycles on list {};  {source}",
        exact(chain.root.clock),
        prices.name
    );
    escape_line(said.as_bytes())
}

/// The names of the lanes, and where they really are.
fn names(app: &App, plan: &Plan, area: Rect, buffer: &mut Buffer) {
    for (lane, column) in Lane::ALL.into_iter().zip(plan.lanes) {
        let name = lane.name();
        let name = if usize::from(plan.pitch) > name.len() {
            name
        } else {
            name.trim_start_matches("guest ")
        };
        let style = app.theme.style(role(lane));
        let second = app.theme.style(Role::Dim);
        for (y, text, style) in [
            (area.y, name, style),
            (area.y + 1, lane.whereabouts(app.session.mode), second),
        ] {
            if y < plan.arrows.top() {
                let room = usize::from(plan.pitch).saturating_sub(1);
                let text = cut(&app.theme, text, room);
                let left = column.saturating_sub(text.chars().count() as u16 / 2).max(area.x);
                buffer.set_string(left, y, text, style);
            }
        }
    }
}

/// The lanes in a line without an arrow.
fn posts(app: &App, plan: &Plan, y: u16, buffer: &mut Buffer) {
    for column in plan.lanes {
        let style = app.theme.style(Role::Border);
        buffer.set_string(column, y, app.theme.glyphs().vertical, style);
    }
}

/// A line of the picture.
enum Row {
    /// Only the lanes.
    Blank,
    /// Here begins the chain of this event.
    Begin(u64),
    /// A step of a chain.
    Step {
        arrow: Arrow,
        /// It is of the chain that is selected.
        current: bool,
        /// It is of the event that is selected.
        selected: bool,
    },
}

/// All lines for arrows: the selected chain from a fixed place on, what came before and after as far as there is room.
fn rows(app: &App, plan: &Plan, chain: &Chain, flow: &Flow) -> Vec<Row> {
    let (height, above) = (usize::from(plan.arrows.height), usize::from(plan.above));
    let number = super::selected(app).map(|record| record.number);
    let mut before = vec![Row::Begin(chain.root.number)];
    let mut first = chain.root.number;
    while before.len() < above
        && let Some(chain) = first.checked_sub(1).and_then(|last| super::chain(app, last))
    {
        let steps = steps(app, &chain);
        before.splice(0..0, std::iter::once(Row::Begin(chain.root.number)).chain(steps));
        first = chain.root.number;
    }
    let mut rows: Vec<Row> = Vec::new();
    rows.extend((before.len()..above).map(|_| Row::Blank));
    let skipped = before.len().saturating_sub(above);
    rows.extend(before.into_iter().skip(skipped));
    // Of a long chain the part is shown that has the selected event.
    let place = flow.arrows.iter().rposition(|arrow| Some(arrow.event) == number);
    let hidden = place.map_or(0, |place| (place + 1).saturating_sub(height - above));
    rows.extend(flow.arrows.iter().skip(hidden).map(|arrow| Row::Step {
        arrow: arrow.clone(),
        current: true,
        selected: Some(arrow.event) == number,
    }));
    let mut last = chain.records().last().map_or(0, |record| record.number);
    while rows.len() < height
        && let Some(chain) = super::chain(app, last + 1)
    {
        rows.push(Row::Begin(chain.root.number));
        rows.extend(steps(app, &chain));
        last = chain.records().last().map_or(last + 1, |record| record.number);
    }
    rows.truncate(height);
    rows.resize_with(height, || Row::Blank);
    rows
}

/// The steps of a chain that is not selected.
fn steps(app: &App, chain: &Chain) -> Vec<Row> {
    let flow = Flow::of(chain, app.session.mode);
    let step = |arrow| Row::Step {
        arrow,
        current: false,
        selected: false,
    };
    flow.arrows.into_iter().map(step).collect()
}

impl Row {
    fn draw(&self, app: &App, plan: &Plan, y: u16, buffer: &mut Buffer) {
        let (theme, glyphs) = (&app.theme, app.theme.glyphs());
        posts(app, plan, y, buffer);
        let room = usize::from(plan.arrows.right().saturating_sub(plan.labels));
        match self {
            Row::Blank => {}
            Row::Begin(number) => {
                let text = cut(theme, &format!("event {number}"), room);
                buffer.set_string(plan.labels, y, text, theme.style(Role::Dim));
            }
            Row::Step {
                arrow,
                current,
                selected,
            } => {
                let style = match current {
                    true => theme.style(role(arrow.from)),
                    false => theme.style(Role::Dim),
                };
                let [from, to] = [arrow.from, arrow.to].map(|lane| plan.lanes[lane as usize]);
                if from == to {
                    buffer.set_string(from, y, glyphs.stays, style);
                } else {
                    for column in from.min(to) + 1..from.max(to) {
                        let crosses = plan.lanes.contains(&column);
                        let sign = if crosses { glyphs.cross } else { glyphs.horizontal };
                        buffer.set_string(column, y, sign, style);
                    }
                    let head = if from < to { glyphs.right } else { glyphs.left };
                    buffer.set_string(from, y, glyphs.start, style);
                    buffer.set_string(to, y, head, style);
                }
                let label = cut(theme, &escape_line(arrow.label.as_bytes()), room);
                buffer.set_string(plan.labels, y, label, style);
                if *selected && room > 0 {
                    buffer.set_string(plan.labels - 1, y, glyphs.selected, style);
                    let area = Rect::new(plan.labels - 1, y, room as u16 + 1, 1);
                    buffer.set_style(area, theme.style(Role::Selection));
                }
            }
        }
    }
}
