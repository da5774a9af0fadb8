//! How messages change the state.

mod mouse;

use ratatui::layout::Size;
use vmm_core::timeline::Goal;

use crate::action::Action;
use crate::app::{App, Request, Zoom};
use crate::command;
use crate::frame;
use crate::key::Key;
use crate::menu::Menu;
use crate::message::Message;
use crate::prompt::{Prompt, Purpose, Typed};
use crate::session::Stopped;
use crate::tour::Guide;
use crate::views;

/// How many lines that were entered are remembered.
const PAST: usize = 100;

impl App {
    /// Does what a message asks for; whether the picture may be another one now. What comes out depends on the state
    /// and the message only.
    pub fn update(&mut self, message: Message) -> bool {
        match message {
            Message::Key(key) => self.key(key),
            Message::Mouse(mouse) => self.mouse(mouse),
            Message::Resize { width, height } => {
                self.size = Size::new(width, height);
                self.arranged();
            }
            Message::Tick { millis } => {
                let (moved, stopped) = self.session.tick(millis);
                if let Some(stopped) = stopped {
                    self.stopped(stopped);
                }
                if moved {
                    self.moved();
                }
                return self.screen().tick(self, millis) || moved;
            }
            Message::Work => self.work(),
            Message::Notice(text) => self.complain(text),
        }
        true
    }

    fn work(&mut self) {
        let travels = self.guide.as_ref().is_some_and(Guide::travels);
        if (travels || !self.session.busy()) && self.tour_work() {
            return;
        }
        if self.session.busy() {
            if let Some(stopped) = self.session.work() {
                self.stopped(stopped);
            }
            return self.moved();
        }
        self.screen().work(self);
    }

    /// The guest is elsewhere now.
    fn moved(&mut self) {
        self.screen().moved(self);
    }

    /// The view is drawn otherwise now.
    fn arranged(&mut self) {
        self.screen().arranged(self);
    }

    fn key(&mut self, key: Key) {
        if self.prompt.is_some() {
            return self.type_key(key);
        }
        self.notice = None;
        if self.help.is_none() && self.menu.is_none() && self.tour_key(key) {
            return;
        }
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
        if self.menu.is_some() {
            return self.act_in_menu(action);
        }
        if self.help.is_some() && self.act_in_help(action) {
            return;
        }
        if self.act_everywhere(action) || self.screen().update(self, action) || self.act_on_time(action) {
            return;
        }
        let what = action.entry().what;
        self.complain(format!("this view has no answer to: {what}"));
    }

    /// What an action means in whatever view; whether it means something.
    fn act_everywhere(&mut self, action: Action) -> bool {
        match action {
            Action::Quit => self.request(Request::Quit),
            Action::Suspend => self.request(Request::Suspend),
            Action::Redraw => self.request(Request::Redraw),
            Action::Close => {
                if !self.session.halt() && !self.screen().close(self) {
                    self.zoom = Zoom::Off;
                    self.arranged();
                }
            }
            Action::Help => self.help = Some(0),
            Action::Show(view) => self.show(view),
            Action::NextView => self.show(views::further(self.view, 1)),
            Action::PreviousView => self.show(views::further(self.view, -1)),
            Action::NextPane => self.turn_focus(1),
            Action::PreviousPane => self.turn_focus(self.panes() - 1),
            Action::Zoom => {
                self.zoom = frame::next_zoom(self);
                self.arranged();
            }
            Action::Prompt => self.ask(Purpose::Command, ""),
            Action::Search => self.ask(Purpose::Search, ""),
            Action::NextMatch => self.search(true),
            Action::PreviousMatch => self.search(false),
            Action::Theme => {
                self.settings.theme = self.settings.theme.next();
                self.settings_changed();
                let name = self.theme.colours.name();
                self.say(match self.theme.plain {
                    true => format!("theme {name}, but NO_COLOR is set"),
                    false => format!("theme {name}"),
                });
            }
            Action::Mouse => {
                self.settings.mouse = !self.settings.mouse;
                self.request(Request::Mouse(self.settings.mouse));
                self.settings_changed();
                self.say(match self.settings.mouse {
                    true => "the mouse selects and scrolls",
                    false => "the mouse is the terminal's: text can be selected",
                });
            }
            _ => return false,
        }
        true
    }

    /// What an action means for the guest; whether it means something.
    fn act_on_time(&mut self, action: Action) -> bool {
        match action {
            Action::StepInto => {
                let stopped = self.session.step();
                self.stopped(stopped);
            }
            Action::StepBack => match self.session.step_back() {
                Stopped::Nothing => self.complain("this is the beginning of the run"),
                stopped => self.stopped(stopped),
            },
            Action::StepOver => self.set_out(Goal::Over),
            Action::StepOverBack => self.set_out(Goal::OverBack),
            Action::Continue => self.set_out(Goal::Continue),
            Action::ReverseContinue => self.set_out(Goal::ReverseContinue),
            Action::Next(kind) => self.set_out(Goal::Next(kind.point())),
            Action::Previous(kind) => self.set_out(Goal::Previous(kind.point())),
            Action::First => self.set_out(Goal::Instruction(0)),
            Action::Furthest => self.set_out(Goal::Position(self.session.timeline().furthest())),
            Action::Play => {
                if !self.session.halt() {
                    self.session.play(self.settings.speed);
                }
            }
            Action::Faster | Action::Slower => {
                let speed = self.settings.speed;
                let speed = if action == Action::Faster {
                    speed.faster()
                } else {
                    speed.slower()
                };
                self.settings.speed = speed;
                self.session.set_speed(speed);
                self.settings_changed();
                self.say(format!("speed of play: {}", speed.name()));
            }
            Action::Mode => self.menu = Some(Menu::new(&self.session)),
            _ => return false,
        }
        self.moved();
        true
    }

    fn act_in_menu(&mut self, action: Action) {
        let Some(menu) = &mut self.menu else {
            return;
        };
        let last = menu.modes.len() as isize;
        match action {
            Action::Up => menu.go(-1),
            Action::Down => menu.go(1),
            Action::Top | Action::PageUp => menu.go(-last),
            Action::Bottom | Action::PageDown => menu.go(last),
            Action::Select => {
                let (mode, why_not) = menu.modes[menu.selected].clone();
                match why_not {
                    None => {
                        self.menu = None;
                        self.switch(mode);
                    }
                    Some(why) => self.complain(format!("mode {mode}: {why}")),
                }
            }
            Action::Close | Action::Quit | Action::Mode => self.menu = None,
            Action::Redraw | Action::Suspend | Action::Theme => {
                self.act_everywhere(action);
            }
            _ => {}
        }
    }

    /// Whether the action was for the help.
    fn act_in_help(&mut self, action: Action) -> bool {
        let Some(line) = &mut self.help else {
            return false;
        };
        let page = self.size.height.saturating_sub(frame::AROUND + 2);
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

    fn type_key(&mut self, key: Key) {
        let Some(mut prompt) = self.prompt.take() else {
            return;
        };
        match prompt.key(key, self.past(prompt.purpose)) {
            Typed::Going => self.prompt = Some(prompt),
            Typed::Left => {}
            Typed::Entered => self.answer(prompt),
        }
    }

    fn answer(&mut self, prompt: Prompt) {
        let text = prompt.text.trim();
        let past = self.past(prompt.purpose);
        if !text.is_empty() && past.last().is_none_or(|last| last != text) {
            past.push(text.to_string());
            let too_many = past.len().saturating_sub(PAST);
            past.drain(..too_many);
        }
        match prompt.purpose {
            Purpose::Command => {
                let said = self.screen().command(self, text);
                let said = said.unwrap_or_else(|| command::run(self, text));
                self.told(said);
                self.moved();
            }
            Purpose::Search => {
                if !text.is_empty() {
                    self.searched = text.to_string();
                }
                self.search(true);
            }
        }
    }

    fn search(&mut self, onwards: bool) {
        let text = self.searched.clone();
        if text.is_empty() {
            let key = self.keys.name(Action::Search);
            return self.complain(format!("nothing was searched for yet: {key}"));
        }
        match self.screen().search(self, &text, onwards) {
            Some(said) => self.told(said),
            None => self.complain("there is nothing to search in this pane"),
        }
    }

    fn told(&mut self, said: Result<String, String>) {
        match said {
            Ok(said) if said.is_empty() => {}
            Ok(said) => self.say(said),
            Err(complaint) => self.complain(complaint),
        }
    }

    fn panes(&self) -> usize {
        self.screen().panes().len()
    }

    fn turn_focus(&mut self, by: usize) {
        self.focus_on((self.focus() + by) % self.panes());
    }

    /// Gives the keys to a pane.
    fn focus_on(&mut self, pane: usize) {
        self.views.focus[self.view as usize] = pane;
        self.arranged();
    }
}
