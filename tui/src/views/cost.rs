//! View Cost: where the cycles went. They are simulated ones, of a processor of the list of prices; nothing here is a
//! time of the host.

mod draw;
mod parts;

use std::sync::LazyLock;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use vmm_core::price::PriceList;
use vmm_core::tally::Tally;

use super::{Answer, Screen};
use crate::action::Action;
use crate::app::App;
use crate::frame;
use parts::Bill;

/// Its panes, by their places.
const PARTS: usize = 0;
const LISTS: usize = 1;
const PRICES: usize = 2;

/// The lists that ship.
static SHIPPED: LazyLock<Vec<PriceList>> = LazyLock::new(|| {
    let lists = PriceList::NAMES.into_iter();
    lists.filter_map(|name| PriceList::shipped(name).ok()).collect()
});

/// What the view keeps.
#[derive(Default)]
pub struct State {
    /// The list that is chosen, by its place.
    list: usize,
    /// The one that was before it.
    before: usize,
    /// How many lines of the prices are above the pane.
    scroll: usize,
}

impl State {
    /// The list that is chosen.
    pub fn prices(&self) -> &'static PriceList {
        &SHIPPED[self.list]
    }

    /// The one that was before it.
    fn prices_before(&self) -> &'static PriceList {
        &SHIPPED[self.before]
    }

    /// Chooses the list of this name, if it ships.
    pub(crate) fn choose_named(&mut self, name: &str) {
        if let Some(list) = SHIPPED.iter().position(|list| list.name == name) {
            self.choose(list);
        }
    }

    fn choose(&mut self, list: usize) {
        if list != self.list {
            self.before = std::mem::replace(&mut self.list, list);
        }
    }

    /// Chooses the next list, or the one before.
    fn turn(&mut self, onwards: bool) {
        let count = SHIPPED.len();
        self.choose((self.list + if onwards { 1 } else { count - 1 }) % count);
    }
}

/// What the run has cost so far, and what for.
fn bill(app: &App) -> (Tally, Bill) {
    let tally = Tally::of(&app.session.run().counts());
    let state = &app.views.cost;
    let bill = Bill::new(&tally, state.prices(), state.prices_before());
    (tally, bill)
}

/// Scrolls the prices by so many lines.
fn scroll(app: &mut App, by: isize) {
    let lines = bill(app).1.items.len();
    let room = draw::room(frame::inside_of(app, PRICES).height);
    let scroll = &mut app.views.cost.scroll;
    *scroll = scroll.saturating_add_signed(by).min(lines.saturating_sub(room));
}

/// The view.
pub struct Cost;

impl Screen for Cost {
    fn panes(&self) -> &'static [&'static str] {
        &["Parts", "Lists", "Prices"]
    }

    fn layout(&self, _app: &App, area: Rect) -> Vec<Rect> {
        // Frame, heads, and the seven parts or lists; then what is left.
        let top = 10.min(area.height);
        let left = area.width * 11 / 20;
        vec![
            Rect::new(area.x, area.y, left, top),
            Rect::new(area.x + left, area.y, area.width - left, top),
            Rect::new(area.x, area.y + top, area.width, area.height - top),
        ]
    }

    fn title(&self, app: &App, pane: usize) -> String {
        match pane {
            PARTS => draw::parts_title(app),
            LISTS => "Price lists".to_string(),
            _ => draw::prices_title(app),
        }
    }

    fn draw(&self, app: &App, pane: usize, area: Rect, buffer: &mut Buffer) {
        match pane {
            PARTS => draw::parts(app, area, buffer),
            LISTS => draw::lists(app, area, buffer),
            _ => draw::prices(app, area, buffer),
        }
    }

    fn update(&self, app: &mut App, action: Action) -> bool {
        let page = isize::try_from(frame::inside_of(app, PRICES).height).unwrap_or(1);
        match (app.focus(), action) {
            (_, Action::Left) | (LISTS, Action::Up) => app.views.cost.turn(false),
            (_, Action::Right) | (LISTS, Action::Down) => app.views.cost.turn(true),
            (_, Action::Up) => scroll(app, -1),
            (_, Action::Down) => scroll(app, 1),
            (_, Action::PageUp) => scroll(app, -page),
            (_, Action::PageDown) => scroll(app, page),
            (_, Action::Top) => scroll(app, isize::MIN),
            (_, Action::Bottom) => scroll(app, isize::MAX),
            _ => return false,
        }
        true
    }

    fn click(&self, app: &mut App, pane: usize, at: Position) {
        let list = usize::from(at.y)
            .checked_sub(1)
            .filter(|list| *list < SHIPPED.len());
        if let (LISTS, Some(list)) = (pane, list) {
            app.views.cost.choose(list);
        }
    }

    fn command(&self, app: &mut App, line: &str) -> Answer {
        let name = line.strip_prefix("prices ")?.trim();
        let place = SHIPPED.iter().position(|list| list.name == name);
        Some(match place {
            Some(place) => {
                app.views.cost.choose(place);
                Ok(String::new())
            }
            None => Err(format!(
                "no list of prices is named '{name}': {}",
                PriceList::NAMES.join(", ")
            )),
        })
    }

    fn help(&self) -> &'static str {
        "What the run has cost so far, in cycles of an imagined or a real processor: how often everything happened, \
         times what it costs on the chosen list. Nothing here is a time of this computer.\n\
         \n\
         Parts is where the cycles went, by what a method is made of. Price lists has what the same run costs on each \
         list that ships; left and right choose another one, and :prices NAME does. Prices has every single price: how \
         often it is due, what it is on the list and what it was on the list before (+ dearer, - cheaper).\n\
         \n\
         A price without a sign has a source; f was fitted to a nano-benchmark; * is assumed. ~ says that the engine \
         does not count the hardware's walks through page tables: they are missing."
    }

    fn actions(&self) -> &'static [Action] {
        &[
            Action::Play,
            Action::Left,
            Action::Right,
            Action::StepInto,
            Action::Mode,
        ]
    }
}
