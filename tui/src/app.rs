//! The state of the whole program.

use ratatui::layout::Size;

use crate::action::KeyMap;
use crate::session::Session;
use crate::theme::Theme;
use crate::views::{States, View};

/// All state. It changes only by [`App::update`].
pub struct App {
    /// The guest that is looked at.
    pub session: Session,
    /// The view that is shown.
    pub view: View,
    /// What each view keeps.
    pub views: States,
    /// How the pane that keys go to is shown.
    pub zoom: Zoom,
    /// Whether the view is being explained, and from which line on.
    pub help: Option<u16>,
    /// The line that is being typed, if one is.
    pub prompt: Option<Prompt>,
    /// What there is to say to the user.
    pub notice: Option<Notice>,
    /// How it looks.
    pub theme: Theme,
    /// What keys mean.
    pub keys: KeyMap,
    /// Whether the mouse is ours; else the terminal has it, to select text.
    pub mouse: bool,
    /// The size of the screen.
    pub size: Size,
    requests: Vec<Request>,
}

/// How one pane is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Zoom {
    /// Among the others.
    #[default]
    Off,
    /// On the whole screen.
    Whole,
}

/// A line that is being typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// What for.
    pub purpose: Purpose,
    /// What was typed so far.
    pub text: String,
}

/// What a line is typed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A command, or a place to go to.
    Command,
    /// A text to search for.
    Search,
}

impl Purpose {
    /// What stands before the line.
    pub fn sign(self) -> char {
        match self {
            Purpose::Command => ':',
            Purpose::Search => '/',
        }
    }
}

/// Something to say to the user, until the next key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What.
    pub text: String,
    /// Whether something went wrong.
    pub bad: bool,
}

/// What the driver is asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// End the program.
    Quit,
    /// Stop the program until the shell resumes it.
    Suspend,
    /// Draw everything anew.
    Redraw,
    /// Take the mouse, or leave it to the terminal.
    Mouse(bool),
}

impl App {
    /// The state at the beginning.
    pub fn new(session: Session, theme: Theme, keys: KeyMap) -> App {
        App {
            session,
            view: View::Machine,
            views: States::default(),
            zoom: Zoom::Off,
            help: None,
            prompt: None,
            notice: None,
            theme,
            keys,
            mouse: true,
            size: Size::new(80, 24),
            requests: Vec::new(),
        }
    }

    /// Takes what the driver is asked to do.
    pub fn take_requests(&mut self) -> Vec<Request> {
        std::mem::take(&mut self.requests)
    }

    pub(crate) fn request(&mut self, request: Request) {
        self.requests.push(request);
    }

    /// Says something to the user.
    pub fn say(&mut self, text: impl Into<String>) {
        let text = text.into();
        self.notice = Some(Notice { text, bad: false });
    }

    /// Says to the user that something went wrong.
    pub fn complain(&mut self, text: impl Into<String>) {
        let text = text.into();
        self.notice = Some(Notice { text, bad: true });
    }

    /// The pane that keys go to, by its place in [`Screen::panes`](crate::views::Screen::panes).
    pub fn focus(&self) -> usize {
        self.views.focus[self.view as usize]
    }

    /// Whether there is work to be done: [`Message::Work`](crate::Message::Work) does a slice of it.
    pub fn busy(&self) -> bool {
        self.view.screen().busy(self)
    }
}
