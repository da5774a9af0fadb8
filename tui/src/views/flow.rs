//! View Flow: each trap on its way.

mod lanes;
mod log;
mod registers;
mod words;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use vmm_core::chain::Chain;
use vmm_core::event::{Event, Record};
use vmm_core::mode::ModeName;
use vmm_core::timeline::Goal;

use super::{Answer, Screen};
use crate::action::Action;
use crate::app::App;
use crate::frame;
use crate::session::{Around, Motion};

/// Its panes, by their places.
const FLOW: usize = 0;
const LOG: usize = 1;
const REGISTERS: usize = 2;

/// What the view keeps.
#[derive(Default)]
pub struct State {
    /// The event that is selected.
    selected: Option<u64>,
    /// How many events there were when the guest stood last, and under which mode.
    seen: Option<(ModeName, u64)>,
    /// Only events whose line has this text are listed; all, if it is empty.
    filter: String,
    /// How many lines of the registers are above the pane.
    scroll: usize,
    /// The registers before and after a chain, as far as there are any.
    around: Option<(Question, Option<Around>)>,
}

/// What registers are asked for: those around a chain of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Question {
    mode: ModeName,
    edits: usize,
    first: u64,
    last: u64,
}

/// The view.
pub struct Flow;

/// The event that is selected.
fn selected(app: &App) -> Option<&Record> {
    app.session.timeline().history().get(app.views.flow.selected?)
}

/// The most events after an exit that are taken for what it set off. Where a monitor interprets the guest's kernel,
/// there is no end to them.
const CONSEQUENCES: u64 = 256;

/// The chain of an event.
fn chain(app: &App, number: u64) -> Option<Chain> {
    let history = app.session.timeline().history();
    let root = history.get(number)?.exit.unwrap_or(number);
    let near = |other: u64| other == number || other <= root + CONSEQUENCES;
    Chain::of(number, |number| history.get(number).filter(|_| near(number)))
}

/// The last event of a chain before the guest was resumed: what came of it.
fn outcome(chain: &Chain) -> &Record {
    let resumes = |record: &&Record| {
        matches!(
            record.event,
            Event::Resume { .. } | Event::VmEntry { inject: None }
        )
    };
    chain
        .rest
        .iter()
        .rfind(|record| !resumes(record))
        .unwrap_or(&chain.root)
}

/// The registers that are to be shown now; none for what no instruction set off.
fn question(app: &App) -> Option<Question> {
    let chain = chain(app, selected(app)?.number)?;
    let set_off = chain.root.event.trap().is_some() || matches!(chain.root.event, Event::Return { .. });
    set_off.then(|| Question {
        mode: app.session.mode,
        edits: app.session.timeline().edits().count(),
        first: chain.root.number,
        last: outcome(&chain).number,
    })
}

/// Selects an event.
fn select(app: &mut App, number: Option<u64>) {
    if number.is_some() && number != app.views.flow.selected {
        app.views.flow.selected = number;
        app.views.flow.scroll = 0;
    }
}

/// Selects the newest event of those that are listed.
fn follow(app: &mut App, look: usize) {
    let total = app.session.timeline().history().total();
    let newest = log::before(app, total, look).map(|record| record.number);
    select(app, newest);
}

/// The listed event next to this one.
fn neighbour(app: &App, number: u64, onwards: bool) -> Option<u64> {
    let next = match onwards {
        true => log::from(app, number + 1, usize::MAX),
        false => log::before(app, number, usize::MAX),
    };
    next.map(|record| record.number)
}

/// Selects the event so many listed ones further on, or back.
fn turn_event(app: &mut App, onwards: bool, times: usize) {
    for _ in 0..times {
        let next = app
            .views
            .flow
            .selected
            .and_then(|here| neighbour(app, here, onwards));
        if next.is_none() {
            return;
        }
        select(app, next);
    }
}

/// Selects the chain before the selected one, or the one after it.
fn turn_chain(app: &mut App, onwards: bool) {
    let Some(here) = selected(app).and_then(|record| chain(app, record.number)) else {
        return;
    };
    let last = here
        .records()
        .last()
        .map_or(here.root.number, |record| record.number);
    let next = neighbour(app, if onwards { last } else { here.root.number }, onwards);
    // It is entered where it begins, unless that is not listed.
    let all = app.views.flow.filter.is_empty();
    let next = next.map(|number| match chain(app, number) {
        Some(chain) if all => chain.root.number,
        _ => number,
    });
    select(app, next);
}

impl Screen for Flow {
    fn panes(&self) -> &'static [&'static str] {
        &["Flow", "Events", "Registers"]
    }

    fn layout(&self, _app: &App, area: Rect) -> Vec<Rect> {
        let below = (area.height * 2 / 5).max(7);
        super::one_above_two(area, area.height - below, area.width * 2 / 5)
    }

    fn title(&self, app: &App, pane: usize) -> String {
        match pane {
            FLOW => lanes::title(app),
            LOG => log::title(app),
            _ => registers::title(app),
        }
    }

    fn draw(&self, app: &App, pane: usize, area: Rect, buffer: &mut Buffer) {
        match pane {
            FLOW => lanes::draw(app, area, buffer),
            LOG => log::draw(app, area, buffer),
            _ => registers::draw(app, area, buffer),
        }
    }

    fn update(&self, app: &mut App, action: Action) -> bool {
        let page = usize::from(frame::inside_of(app, app.focus()).height).max(1);
        match (app.focus(), action) {
            (REGISTERS, Action::Up) => registers::scroll(app, -1),
            (REGISTERS, Action::Down) => registers::scroll(app, 1),
            (REGISTERS, Action::PageUp) => registers::scroll(app, -(page as isize)),
            (REGISTERS, Action::PageDown) => registers::scroll(app, page as isize),
            (REGISTERS, Action::Top) => app.views.flow.scroll = 0,
            (REGISTERS, Action::Bottom) => registers::scroll(app, isize::MAX),
            (FLOW, Action::Up) | (_, Action::Left) => turn_chain(app, false),
            (FLOW, Action::Down) | (_, Action::Right) => turn_chain(app, true),
            (_, Action::Up) => turn_event(app, false, 1),
            (_, Action::Down) => turn_event(app, true, 1),
            (_, Action::PageUp) => turn_event(app, false, page),
            (_, Action::PageDown) => turn_event(app, true, page),
            (_, Action::Top) => {
                let first = app.session.timeline().history().first();
                let number = log::from(app, first, usize::MAX).map(|record| record.number);
                select(app, number);
            }
            (_, Action::Bottom) => follow(app, usize::MAX),
            (_, Action::Select) => match selected(app).map(|record| record.number) {
                Some(number) => app.set_out(Goal::Event(number)),
                None => return false,
            },
            _ => return false,
        }
        true
    }

    fn click(&self, app: &mut App, pane: usize, at: Position) {
        if pane == LOG {
            let height = frame::inside_of(app, pane).height;
            let number = log::event_at(app, at, height);
            select(app, number);
        }
    }

    fn command(&self, app: &mut App, line: &str) -> Answer {
        let text = line.strip_prefix("filter")?;
        if !text.is_empty() && !text.starts_with(' ') {
            return None;
        }
        Some(Ok(log::filter(app, text.trim())))
    }

    fn search(&self, app: &mut App, text: &str, onwards: bool) -> Answer {
        if app.views.flow.filter != text {
            return Some(Ok(log::filter(app, text)));
        }
        turn_event(app, onwards, 1);
        Some(Ok(String::new()))
    }

    fn moved(&self, app: &mut App) {
        let total = app.session.timeline().history().total();
        let here = Some((app.session.mode, total));
        if app.views.flow.seen != here {
            app.views.flow.seen = here;
            follow(app, log::LOOK);
        }
        if selected(app).is_none() {
            app.views.flow.selected = None;
        }
    }

    fn busy(&self, app: &App) -> bool {
        let asked = app.views.flow.around.as_ref().map(|(question, _)| question);
        app.session.motion() == Motion::Still
            && question(app).is_some_and(|question| asked != Some(&question))
    }

    fn work(&self, app: &mut App) {
        if let Some(question) = question(app) {
            let around = app.session.around(question.first, question.last);
            app.views.flow.around = Some((question, around));
        }
    }

    fn help(&self) -> &'static str {
        "Control passes between four lanes: the guest's programs, its kernel, the monitor and the hardware. Below its \
         name stands where a lane really is under this mode. Each arrow is a step of the event's way, from who has \
         control to who gets it; a sign without a line is work of who has control. To its right stands what it means.\n\
         \n\
         The sentence tells the same in words. A ring is the real one; where the guest believes to be in another, that \
         is named as its virtual ring.\n\
         \n\
         The events are listed with their number and the guest's ring; what an exit set off is set in. Up and down go \
         from event to event, left and right from exit to exit. A search lists only the events with that text in their \
         line, and :filter lists all again. Enter takes the guest back to the selected event. As the guest goes on, \
         the newest event is selected.\n\
         \n\
         The registers are those of the guest as it sees itself, and those of the real processor, before the event and \
         after: of the guest after all that was done for it, of the real one where the monitor has just been entered. \
         A changed value has a sign before it, and what speaks comes first."
    }

    fn actions(&self) -> &'static [Action] {
        &[
            Action::StepInto,
            Action::Next(crate::action::Kind::Exit),
            Action::Previous(crate::action::Kind::Exit),
            Action::Play,
            Action::Left,
            Action::Right,
            Action::Search,
        ]
    }
}
