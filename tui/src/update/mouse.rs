//! What the mouse means: it chooses tabs, panes and places, and its wheel is the keys up and down.

use ratatui::layout::Position;
use vmm_core::timeline::Goal;

use crate::action::Action;
use crate::app::App;
use crate::frame;
use crate::message::{Mouse, MouseKind};

/// Lines that a turn of the wheel is worth.
const WHEEL: usize = 3;

impl App {
    pub(super) fn mouse(&mut self, mouse: Mouse) {
        if !self.settings.mouse || self.prompt.is_some() {
            return;
        }
        if let MouseKind::WheelUp | MouseKind::WheelDown = mouse.kind {
            return self.wheel(mouse);
        }
        self.notice = None;
        if self.menu.is_some() {
            return self.click_menu(mouse.at);
        }
        if let Some(view) = frame::tab_at(self, mouse.at) {
            return self.show(view);
        }
        if let Some(instruction) = frame::instruction_at(self, mouse.at) {
            return self.set_out(Goal::Instruction(instruction));
        }
        if self.help.is_some() {
            return;
        }
        let Some((pane, inner)) = frame::pane_at(self, mouse.at) else {
            return;
        };
        self.focus_on(pane);
        if inner.contains(mouse.at) {
            let at = Position::new(mouse.at.x - inner.x, mouse.at.y - inner.y);
            self.screen().click(self, pane, at);
        }
    }

    fn wheel(&mut self, mouse: Mouse) {
        if self.menu.is_none() && self.help.is_none() {
            let Some((pane, _)) = frame::pane_at(self, mouse.at) else {
                return;
            };
            self.focus_on(pane);
        }
        let action = match mouse.kind {
            MouseKind::WheelUp => Action::Up,
            _ => Action::Down,
        };
        for _ in 0..WHEEL {
            self.act(action);
        }
    }

    /// A click selects; one on what is selected already, or outside, is as Enter and Escape.
    fn click_menu(&mut self, at: Position) {
        let Some(place) = frame::menu_item_at(self, at) else {
            self.menu = None;
            return;
        };
        let Some(menu) = &mut self.menu else {
            return;
        };
        if menu.selected == place {
            return self.act(Action::Select);
        }
        menu.selected = place;
    }
}
