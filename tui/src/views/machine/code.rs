//! The guest's code around where it is.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use scenarios::terminal::escape_line;
use toy_isa::disasm::disassemble_for;
use toy_isa::instruction::decode;
use toy_isa::profile::Behaviour;
use vmm_core::guest::GuestView;
use vmm_core::timeline::{Goal, Point};

use super::{Machine, Screen, lines, toggle};
use crate::action::Action;
use crate::app::App;
use crate::frame::cut;
use crate::session::Session;
use crate::theme::{Glyphs, Role};
use crate::views::next_of;

/// What the pane keeps.
#[derive(Default)]
pub(super) struct State {
    /// The first instruction that is shown.
    top: u32,
    /// The instruction that is selected; none: where the guest is.
    cursor: Option<u32>,
    /// Where the guest was when the pane followed it last.
    followed: Option<u32>,
    columns: Columns,
}

/// What is shown of an instruction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Columns {
    Instruction,
    #[default]
    Both,
    Source,
}

impl State {
    /// Selects an address, and shows it.
    pub(super) fn show(&mut self, address: u32) {
        self.cursor = Some(address & !3);
        self.top = (address & !3).saturating_sub(8);
    }
}

/// A line of the pane.
enum Row {
    /// A name of the place below.
    Label(String),
    /// An instruction.
    Instruction(u32),
}

/// The lines from the one of this address on.
fn rows(session: &Session, top: u32, height: usize) -> Vec<Row> {
    let mut rows = Vec::with_capacity(height);
    let mut address = top;
    while rows.len() < height {
        if let Some(label) = session.label(address) {
            rows.push(Row::Label(label));
        }
        if rows.len() < height {
            rows.push(Row::Instruction(address));
        }
        match address.checked_add(4) {
            Some(next) => address = next,
            None => break,
        }
    }
    rows
}

fn shows(session: &Session, top: u32, height: usize, wanted: u32) -> bool {
    let shown = |row: &Row| matches!(row, Row::Instruction(address) if *address == wanted);
    (top..=wanted.saturating_add(4)).contains(&wanted) && rows(session, top, height).iter().any(shown)
}

/// The instruction that is selected.
pub(super) fn cursor(app: &App) -> u32 {
    let pc = app.session.run().guest().hart.pc;
    app.views.machine.code.cursor.unwrap_or(pc)
}

/// Keeps in sight where the guest is, once it has moved; else what is selected. The pane does not move for what is in
/// sight already.
pub(super) fn follow(app: &mut App, height: usize) {
    let pc = app.session.run().guest().hart.pc;
    let state = &mut app.views.machine.code;
    if state.followed != Some(pc) {
        state.followed = Some(pc);
        state.cursor = None;
    }
    let wanted = state.cursor.unwrap_or(pc);
    if height == 0 || shows(&app.session, state.top, height, wanted) {
        return;
    }
    // A third of the pane for what comes before; less, where labels take the room.
    let before = (height / 3) as u32;
    let fits = |before: &u32| shows(&app.session, wanted.saturating_sub(4 * before), height, wanted);
    let before = (0..=before).rev().find(fits).unwrap_or(0);
    state.top = wanted.saturating_sub(4 * before);
}

pub(super) fn title(app: &App) -> String {
    let session = &app.session;
    let pc = session.run().guest().hart.pc;
    let place = session.near(pc).unwrap_or_else(|| format!("{pc:08x}"));
    match session.source_of(pc) {
        Some((file, line, _)) => format!("Code  {place}  {file}:{line}"),
        None => format!("Code  {place}"),
    }
}

pub(super) fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    let guest = app.session.run().guest();
    let state = &app.views.machine.code;
    let rows = rows(&app.session, state.top, usize::from(area.height));
    for ((_, line), row) in lines(area).zip(rows) {
        match row {
            Row::Label(label) => {
                let label = cut(&app.theme, &format!("{label}:"), usize::from(line.width));
                Line::styled(label, app.theme.style(Role::Title)).render(line, buffer);
            }
            Row::Instruction(address) => {
                let text = instruction(app, &guest, address, usize::from(line.width));
                text.render(line, buffer);
                if address == guest.hart.pc {
                    buffer.set_style(line, app.theme.style(Role::Current));
                } else if state.cursor == Some(address) {
                    buffer.set_style(line, app.theme.style(Role::Selection));
                }
            }
        }
    }
}

/// Columns of marks and address, of an instruction, and the least for the line that it comes from.
const HEAD: usize = 12;
const TEXT: usize = 24;
const LEAST: usize = 20;

fn instruction(app: &App, guest: &GuestView, address: u32, width: usize) -> Line<'static> {
    let (theme, session) = (&app.theme, &app.session);
    let glyphs = theme.glyphs();
    let word = guest.at(address & !3);
    let stop = session.timeline().breakpoints();
    let stop = stop
        .iter()
        .find(|breakpoint| breakpoint.point == Point::Address(address));
    let mut spans = vec![
        match stop {
            Some(stop) if stop.enabled => Span::styled(glyphs.breakpoint, theme.style(Role::Breakpoint)),
            Some(_) => Span::styled(glyphs.off, theme.style(Role::Breakpoint)),
            None => Span::raw(" "),
        },
        Span::raw(if address == guest.hart.pc {
            glyphs.current
        } else {
            " "
        }),
        Span::styled(format!("{address:08x}"), theme.style(Role::Dim)),
    ];
    let (role, sign) = kind(session, glyphs, word);
    spans.push(Span::styled(sign, theme.style(role)));
    spans.push(Span::raw(" "));
    let mut room = width.saturating_sub(HEAD);
    let columns = match app.views.machine.code.columns {
        // Where there is no room for two columns the instruction has it.
        Columns::Both if room < TEXT + LEAST => Columns::Instruction,
        columns => columns,
    };
    if columns != Columns::Source {
        let registers = session.program().0.registers;
        let text = word.map_or("no memory".to_string(), |word| {
            disassemble_for(registers, word, address)
        });
        let columns = if columns == Columns::Both { TEXT } else { room };
        let text = cut(theme, &text, columns);
        room = room.saturating_sub(columns + 1);
        spans.push(Span::styled(format!("{text:<columns$} "), theme.style(role)));
    }
    if columns != Columns::Instruction
        && let Some((_, line, text)) = session.source_of(address)
    {
        let text = cut(theme, &format!("{line:>4} {text}"), room);
        spans.push(Span::styled(text, theme.style(Role::Dim)));
    }
    Line::from(spans)
}

/// What a monitor would have to think of an instruction, as colour and as sign.
fn kind(session: &Session, glyphs: &Glyphs, word: Option<u32>) -> (Role, &'static str) {
    let profile = &session.scenario.setup.profile;
    let insn = word.and_then(|word| decode(word, session.program().0.registers));
    let Some(row) = insn.map(|insn| insn.row()) else {
        return (Role::Dim, " ");
    };
    match (row.sensitive().is_empty(), profile.behaviour(row)) {
        (_, Behaviour::Traps) => (Role::Privileged, glyphs.up),
        (true, _) | (_, Behaviour::Innocuous) => (Role::Text, " "),
        (false, _) => (Role::Hole, "!"),
    }
}

pub(super) fn update(app: &mut App, action: Action, height: usize) -> bool {
    let at = cursor(app);
    let state = &mut app.views.machine.code;
    let page = 4 * height as u32;
    let segments = |session: &Session| {
        let code = session
            .program()
            .0
            .segments
            .iter()
            .filter(|segment| segment.execute);
        let ends: Vec<_> = code.map(|segment| (segment.address, segment.size)).collect();
        ends
    };
    let wanted = match action {
        Action::Up => at.saturating_sub(4),
        Action::Down => at.saturating_add(4),
        Action::PageUp => at.saturating_sub(page),
        Action::PageDown => at.saturating_add(page),
        Action::Top => segments(&app.session)
            .into_iter()
            .map(|(start, _)| start)
            .min()
            .unwrap_or(at),
        Action::Bottom => {
            let last = |(start, size): (u32, u32)| start.saturating_add(size.saturating_sub(4));
            segments(&app.session).into_iter().map(last).max().unwrap_or(at)
        }
        Action::Left => {
            state.columns = match state.columns {
                Columns::Instruction | Columns::Both => Columns::Instruction,
                Columns::Source => Columns::Both,
            };
            return true;
        }
        Action::Right => {
            state.columns = match state.columns {
                Columns::Instruction => Columns::Both,
                Columns::Both | Columns::Source => Columns::Source,
            };
            return true;
        }
        Action::Select => {
            app.set_out(Goal::Next(Point::Address(at)));
            return true;
        }
        _ => return false,
    };
    state.cursor = Some(wanted & !3);
    true
}

/// A click on a mark sets or clears a breakpoint, one elsewhere selects.
pub(super) fn click(app: &mut App, at: Position) {
    let rows = rows(&app.session, app.views.machine.code.top, usize::from(at.y) + 1);
    let Some(Row::Instruction(address)) = rows.get(usize::from(at.y)) else {
        return;
    };
    match at.x {
        0 | 1 => toggle(app, *address),
        _ => app.views.machine.code.cursor = Some(*address),
    }
}

/// Looks for a text in labels, instructions and sources, from the selection on or back, and around the end.
pub(super) fn search(app: &mut App, text: &str, onwards: bool) -> Result<String, String> {
    let (guest, session) = (app.session.run().guest(), &app.session);
    let image = session.program().0;
    let code = image.segments.iter().filter(|segment| segment.execute);
    let addresses =
        code.flat_map(|segment| (segment.address..segment.address.saturating_add(segment.size)).step_by(4));
    let wanted = text.to_lowercase();
    let has = |text: &str| text.to_lowercase().contains(&wanted);
    let matches = |address: &u32| {
        session.label(*address).is_some_and(|label| has(&label))
            || session.source_of(*address).is_some_and(|(_, _, text)| has(&text))
            || guest
                .at(*address)
                .is_some_and(|word| has(&disassemble_for(image.registers, word, *address)))
    };
    let at = cursor(app);
    let found: Vec<u32> = addresses.filter(matches).collect();
    let Some(next) = next_of(&found, at, onwards) else {
        return Err(format!("'{}' is not in the code", escape_line(text.as_bytes())));
    };
    app.views.machine.code.cursor = Some(next);
    Machine.arranged(app);
    Ok(format!("{} places", found.len()))
}
