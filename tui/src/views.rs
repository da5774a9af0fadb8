//! The eight views, and what the shell asks of each.

pub mod address;
mod checks;
pub mod compare;
pub mod cost;
pub mod flow;
pub mod guests;
pub mod machine;
pub mod properties;
pub mod translation;

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Position, Rect};
use scenarios::tour::Stop;
pub use scenarios::tour::View;

use crate::action::Action;
use crate::app::App;

/// What a view shows.
pub fn screen(view: View) -> &'static dyn Screen {
    match view {
        View::Machine => &machine::Machine,
        View::Flow => &flow::Flow,
        View::Compare => &compare::Compare,
        View::Properties => &properties::Properties,
        View::Translation => &translation::Translation,
        View::Address => &address::Address,
        View::Guests => &guests::Guests,
        View::Cost => &cost::Cost,
    }
}

/// The name of a view as a title.
pub fn title(view: View) -> String {
    let name = view.name();
    name[..1].to_uppercase() + &name[1..]
}

/// The view so many places further, or back: after the last comes the first.
pub fn further(view: View, by: isize) -> View {
    let count = View::ALL.len() as isize;
    View::ALL[(view as isize + by).rem_euclid(count) as usize]
}

/// Panes in two rows: one of so many lines, and two below it, the left one of so many columns.
fn one_above_two(area: Rect, lines: u16, columns: u16) -> Vec<Rect> {
    let [above, below] = Layout::vertical([Constraint::Length(lines), Constraint::Min(0)]).areas(area);
    let [left, right] = Layout::horizontal([Constraint::Length(columns), Constraint::Min(0)]).areas(below);
    vec![above, left, right]
}

/// Of places in order, the one after `here` or before it, and around the end.
fn next_of<T: PartialOrd + Copy>(found: &[T], here: T, onwards: bool) -> Option<T> {
    let next = match onwards {
        true => found.iter().find(|place| **place > here).or(found.first()),
        false => found.iter().rev().find(|place| **place < here).or(found.last()),
    };
    next.copied()
}

/// What every view keeps.
#[derive(Default)]
pub struct States {
    /// The pane that keys go to, by view.
    pub focus: [usize; View::ALL.len()],
    /// Of views 3 and 4.
    checks: checks::Checks,
    /// Of view 1.
    pub machine: machine::State,
    /// Of view 2.
    pub flow: flow::State,
    /// Of view 3.
    pub compare: compare::State,
    /// Of view 4.
    pub properties: properties::State,
    /// Of view 5.
    pub translation: translation::State,
    /// Of view 6.
    pub address: address::State,
    /// Of view 7.
    pub guests: guests::State,
    /// Of view 8.
    pub cost: cost::State,
}

/// What comes of a command or a search: what there is to say to the user, or to complain about; `None` if it meant
/// nothing to the view.
pub type Answer = Option<Result<String, String>>;

/// What the shell asks of a view. The shell draws the frames of panes, moves the focus between them and zooms one; a
/// view says where its panes are and draws into them. All state is the application's.
pub trait Screen {
    /// The names of its panes: at least one.
    fn panes(&self) -> &'static [&'static str];

    /// Where its panes are, frames and all, in the order of their names; one of no size is not shown. They must not
    /// depend on what the guest does: panes never jump. On a small screen some may share a place, and the one that keys
    /// go to has it. The area is at least 80 columns by 19 lines.
    fn layout(&self, app: &App, area: Rect) -> Vec<Rect>;

    /// The title of a pane, if it says more than its name.
    fn title(&self, _app: &App, pane: usize) -> String {
        self.panes()[pane].to_string()
    }

    /// Draws the inside of a pane, into an area of any size: on a small screen among others, or zoomed.
    fn draw(&self, app: &App, pane: usize, area: Rect, buffer: &mut Buffer);

    /// Does what an action means to the pane with the focus; whether it meant something. What means the same in every
    /// view does not get here; what the guest's time is about, only if the view says no to it.
    fn update(&self, _app: &mut App, _action: Action) -> bool {
        false
    }

    /// Leaves what is open in a pane; whether something was.
    fn close(&self, _app: &mut App) -> bool {
        false
    }

    /// The inside of a pane was clicked, so far from its upper left corner.
    fn click(&self, _app: &mut App, _pane: usize, _at: Position) {}

    /// A line was typed at the prompt.
    fn command(&self, _app: &mut App, _line: &str) -> Answer {
        None
    }

    /// A text is searched for in the pane with the focus, from the selection on or back.
    fn search(&self, _app: &mut App, _text: &str, _onwards: bool) -> Answer {
        None
    }

    /// The guest has moved, or the view is shown again: what follows the guest follows.
    fn moved(&self, _app: &mut App) {}

    /// The screen has another size, a pane was zoomed, or keys go to another one: what is to be in sight gets there.
    fn arranged(&self, _app: &mut App) {}

    /// A tour has come to a stop, and this is the view that the stop looks at: shows what the stop is about.
    fn lead(&self, _app: &mut App, _stop: &Stop) {}

    /// Whether it has work of its own to be done in slices while it is shown.
    fn busy(&self, _app: &App) -> bool {
        false
    }

    /// Does a slice of it, of some milliseconds.
    fn work(&self, _app: &mut App) {}

    /// Whether something in it moves with the time.
    fn needs_time(&self, _app: &App) -> bool {
        false
    }

    /// So much time has passed; whether something has moved.
    fn tick(&self, _app: &mut App, _millis: u64) -> bool {
        false
    }

    /// What it shows, and what its colours and signs mean: paragraphs.
    fn help(&self) -> &'static str;

    /// The actions that are worth a place in the footer, best first.
    fn actions(&self) -> &'static [Action] {
        &[]
    }
}
