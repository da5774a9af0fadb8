//! The state of the whole program.

use ratatui::layout::Size;
use vmm_core::engine::EngineName;
use vmm_core::mode::ModeName;
use vmm_core::timeline::{Goal, Point};

use crate::action::KeyMap;
use crate::menu::Menu;
use crate::prompt::{Prompt, Purpose};
use crate::session::{Session, Stopped};
use crate::settings::Settings;
use crate::theme::Theme;
use crate::tour::Guide;
use crate::views::{self, Screen, States, View};

/// All state. It changes only by [`App::update`].
pub struct App {
    /// The guest that is looked at.
    pub session: Session,
    /// What executes guests.
    pub engine: EngineName,
    /// The view that is shown.
    pub view: View,
    /// What each view keeps.
    pub views: States,
    /// How the pane that keys go to is shown.
    pub zoom: Zoom,
    /// Whether the view is being explained, and from which line on.
    pub help: Option<u16>,
    /// The tour that is taken, if one is.
    pub guide: Option<Guide>,
    /// Modes that are being chosen from.
    pub menu: Option<Menu>,
    /// The line that is being typed, if one is.
    pub prompt: Option<Prompt>,
    /// What there is to say to the user.
    pub notice: Option<Notice>,
    /// How it looks.
    pub theme: Theme,
    /// What keys mean.
    pub keys: KeyMap,
    /// What is remembered from one time to the next.
    pub settings: Settings,
    /// The size of the screen.
    pub size: Size,
    /// The text that was searched for last.
    pub(crate) searched: String,
    past: Past,
    requests: Vec<Request>,
    forced: Forced,
}

/// Lines that were entered, oldest first.
#[derive(Default)]
struct Past {
    commands: Vec<String>,
    searches: Vec<String>,
}

/// What this start of the program says about the looks, whatever the settings are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forced {
    /// No colours: NO_COLOR.
    pub plain: bool,
    /// Only characters of ASCII.
    pub ascii: bool,
}

impl Forced {
    /// The looks that these settings come to.
    pub fn theme(self, settings: &Settings) -> Theme {
        Theme {
            colours: settings.theme,
            plain: self.plain,
            ascii: settings.ascii || self.ascii,
        }
    }
}

/// How one pane is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Zoom {
    /// Among the others.
    #[default]
    Off,
    /// On the whole screen.
    Whole,
    /// On the whole screen, in large letters.
    Large,
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
    /// Keep the settings for the next time.
    Save(Settings),
}

impl App {
    /// The state at the beginning.
    pub fn new(
        session: Session,
        engine: EngineName,
        settings: Settings,
        forced: Forced,
        keys: KeyMap,
    ) -> App {
        let mut app = App {
            session,
            engine,
            view: View::Machine,
            views: States::default(),
            zoom: Zoom::Off,
            help: None,
            guide: None,
            menu: None,
            prompt: None,
            notice: None,
            theme: Theme::default(),
            keys,
            settings,
            size: Size::new(80, 24),
            searched: String::new(),
            past: Past::default(),
            requests: Vec::new(),
            forced,
        };
        app.dress();
        app
    }

    /// Makes the looks what the settings and this start of the program say.
    fn dress(&mut self) {
        self.theme = self.forced.theme(&self.settings);
    }

    /// The settings were changed: they take effect, and are kept.
    pub(crate) fn settings_changed(&mut self) {
        self.dress();
        let settings = self.settings.clone();
        self.request(Request::Save(settings));
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

    /// The pane that keys go to, by its place in [`Screen::panes`].
    pub fn focus(&self) -> usize {
        self.views.focus[self.view as usize]
    }

    /// What the view shows.
    pub fn screen(&self) -> &'static dyn Screen {
        views::screen(self.view)
    }

    /// Shows a view.
    pub(crate) fn show(&mut self, view: View) {
        self.view = view;
        self.zoom = Zoom::Off;
        self.help = None;
        self.screen().arranged(self);
        self.screen().moved(self);
    }

    /// Whether there is work to be done: [`Message::Work`](crate::Message::Work) does a slice of it.
    pub fn busy(&self) -> bool {
        let guided = self.guide.as_ref().is_some_and(Guide::busy);
        guided || self.session.busy() || self.screen().busy(self)
    }

    /// Whether something moves with the time: [`Message::Tick`](crate::Message::Tick) moves it.
    pub fn needs_time(&self) -> bool {
        self.session.needs_time() || self.screen().needs_time(self)
    }

    /// Sets out for a place of the run; the work that is to be done goes there.
    pub fn set_out(&mut self, goal: Goal) {
        self.session.set_out(goal);
    }

    /// The guest stands again.
    pub(crate) fn stopped(&mut self, stopped: Stopped) {
        match stopped {
            Stopped::There(None) => {}
            Stopped::There(Some(breakpoint)) => match breakpoint.point {
                Point::Address(_) | Point::Write(_) | Point::Register(_) => {
                    self.say(format!("stopped at {}", self.session.describe(&breakpoint)));
                }
                _ => {
                    let last = self.session.timeline().history().iter().next_back();
                    let said = last.map(|last| format!("event {}: {}", last.number, last.event.sentence()));
                    self.say(said.unwrap_or_default());
                }
            },
            Stopped::Ended(end) => self.say(end.to_string()),
            Stopped::Nothing => self.complain("there is none before"),
            Stopped::NotEdited(error) => self.complain(format!("not changed as it was: {error}")),
        }
    }

    /// The same guest, at the same instruction, in another mode: the work that is to be done goes there.
    pub(crate) fn switch(&mut self, mode: ModeName) {
        match self.session.in_mode(mode, self.engine) {
            Ok(session) => {
                self.session = session;
                self.say(format!("{mode}: {}", mode.describe()));
            }
            Err(error) => self.complain(format!("mode {mode}: {error}")),
        }
    }

    /// Begins to ask for a line.
    pub(crate) fn ask(&mut self, purpose: Purpose, text: &str) {
        self.prompt = Some(Prompt::new(purpose, text));
    }

    /// The lines that were entered for this purpose, oldest first.
    pub(crate) fn past(&mut self, purpose: Purpose) -> &mut Vec<String> {
        match purpose {
            Purpose::Command => &mut self.past.commands,
            Purpose::Search => &mut self.past.searches,
        }
    }
}
