//! How messages change the state.

use ratatui::layout::{Position, Size};

use crate::action::Action;
use crate::app::{App, Prompt, Purpose, Request, Zoom};
use crate::frame;
use crate::key::{Code, Key, Named};
use crate::message::{Message, Mouse, MouseKind};
use crate::views::View;

impl App {
    /// Does what a message asks for. What comes out depends on the state and the message only.
    pub fn update(&mut self, message: Message) {
        match message {
            Message::Key(key) => self.key(key),
            Message::Mouse(mouse) => self.mouse(mouse),
            Message::Resize { width, height } => self.size = Size::new(width, height),
            Message::Tick { .. } => {}
            Message::Work => self.view.screen().work(self),
            Message::Notice(text) => self.complain(text),
        }
    }

    fn key(&mut self, key: Key) {
        if self.prompt.is_some() {
            return self.type_key(key);
        }
        self.notice = None;
        match self.keys.action(key) {
            Some(action) => self.act(action),
            None => {
                let help = self.keys.name(Action::Help);
                self.complain(format!("'{key}' means nothing here; {help} shows all keys"));
            }
        }
    }

    /// Does what an action means: first in what is in front, then in the view, then everywhere.
    pub fn act(&mut self, action: Action) {
        if self.help.is_some() && self.act_in_help(action) {
            return;
        }
        if self.view.screen().update(self, action) {
            return;
        }
        match action {
            Action::Quit => self.request(Request::Quit),
            Action::Suspend => self.request(Request::Suspend),
            Action::Redraw => self.request(Request::Redraw),
            Action::Close => self.zoom = Zoom::Off,
            Action::Help => self.help = Some(0),
            Action::Show(view) => self.show(view),
            Action::NextView => self.show(self.view.next()),
            Action::PreviousView => self.show(self.view.previous()),
            Action::NextPane => self.turn_focus(1),
            Action::PreviousPane => self.turn_focus(self.panes() - 1),
            Action::Zoom => {
                self.zoom = match self.zoom {
                    Zoom::Off => Zoom::Whole,
                    Zoom::Whole => Zoom::Off,
                }
            }
            Action::Prompt => self.ask(Purpose::Command),
            Action::Search => self.ask(Purpose::Search),
            Action::Theme => {
                self.theme.colours = self.theme.colours.next();
                let name = self.theme.colours.name();
                self.say(match self.theme.plain {
                    true => format!("theme {name}, but NO_COLOR is set"),
                    false => format!("theme {name}"),
                });
            }
            Action::Mouse => {
                self.mouse = !self.mouse;
                self.request(Request::Mouse(self.mouse));
                self.say(match self.mouse {
                    true => "the mouse moves the selection",
                    false => "the mouse is the terminal's: text can be selected",
                });
            }
            _ => {
                let what = action.entry().what;
                self.complain(format!("this view has no answer to: {what}"));
            }
        }
    }

    fn act_in_help(&mut self, action: Action) -> bool {
        let Some(line) = &mut self.help else {
            return false;
        };
        let page = self.size.height.saturating_sub(frame::AROUND);
        match action {
            Action::Up => *line = line.saturating_sub(1),
            Action::Down => *line = line.saturating_add(1),
            Action::PageUp => *line = line.saturating_sub(page),
            Action::PageDown => *line = line.saturating_add(page),
            Action::Top => *line = 0,
            Action::Bottom => *line = u16::MAX,
            Action::Close | Action::Help | Action::Quit | Action::Select => {
                self.help = None;
                return true;
            }
            _ => return false,
        }
        let last = frame::last_line_of_help(self);
        self.help = self.help.map(|line| line.min(last));
        true
    }

    fn ask(&mut self, purpose: Purpose) {
        let text = String::new();
        self.prompt = Some(Prompt { purpose, text });
    }

    fn type_key(&mut self, key: Key) {
        let Some(prompt) = &mut self.prompt else {
            return;
        };
        match key.code {
            Code::Named(Named::Escape) => self.prompt = None,
            Code::Char('c') if key.ctrl => self.prompt = None,
            Code::Named(Named::Backspace) => {
                if prompt.text.pop().is_none() {
                    self.prompt = None;
                }
            }
            Code::Named(Named::Enter) => {
                let Some(prompt) = self.prompt.take() else {
                    return;
                };
                self.answer(prompt);
            }
            _ => prompt.text.extend(key.typed()),
        }
    }

    fn answer(&mut self, prompt: Prompt) {
        let screen = self.view.screen();
        let text = prompt.text.trim();
        let answer = match prompt.purpose {
            Purpose::Command => screen.command(self, text),
            Purpose::Search => screen.search(self, text, true),
        };
        match answer {
            Some(Ok(said)) if said.is_empty() => {}
            Some(Ok(said)) => self.say(said),
            Some(Err(complaint)) => self.complain(complaint),
            None => self.complain(format!("'{text}' means nothing here")),
        }
    }

    fn show(&mut self, view: View) {
        self.view = view;
        self.zoom = Zoom::Off;
        self.help = None;
    }

    fn panes(&self) -> usize {
        self.view.screen().panes().len()
    }

    fn turn_focus(&mut self, by: usize) {
        let focus = (self.focus() + by) % self.panes();
        self.views.focus[self.view as usize] = focus;
    }

    fn mouse(&mut self, mouse: Mouse) {
        if !self.mouse || self.help.is_some() || self.prompt.is_some() {
            return;
        }
        if let Some(view) = frame::tab_at(self, mouse.at) {
            if mouse.kind == MouseKind::Press {
                self.show(view);
            }
            return;
        }
        let Some((pane, inner)) = frame::pane_at(self, mouse.at) else {
            return;
        };
        self.views.focus[self.view as usize] = pane;
        match mouse.kind {
            MouseKind::WheelUp => self.act(Action::Up),
            MouseKind::WheelDown => self.act(Action::Down),
            MouseKind::Press if inner.contains(mouse.at) => {
                let at = Position::new(mouse.at.x - inner.x, mouse.at.y - inner.y);
                self.view.screen().click(self, pane, at);
            }
            MouseKind::Press => {}
        }
    }
}
