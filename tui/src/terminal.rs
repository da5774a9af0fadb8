//! The driver: a real terminal, the clock, files, and what the state asks for.

mod beacon;
mod cast;
mod files;
mod input;
mod notes;
mod screen;
#[cfg(unix)]
mod signals;
#[cfg(not(unix))]
#[path = "terminal/no_signals.rs"]
mod signals;

use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::app::{App, Request};
use crate::frame;
use crate::message::Message;
use crate::tour::Guide;
use beacon::Beacon;
pub use files::{Found, find};
use input::Input;
pub use notes::show_notes;
use screen::Screen;
use signals::Signals;

/// The least time between two pictures; and while there is work to be done, which pictures hold up.
const FRAME: Duration = Duration::from_millis(16);
const FRAME_AT_WORK: Duration = Duration::from_millis(33);

/// How long work is done before the keyboard is looked at again.
const WORK: Duration = Duration::from_millis(8);

/// How long is waited where nothing is to be done. Signals are noticed then.
const IDLE: Duration = Duration::from_millis(100);

/// Why the terminal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The terminal itself.
    #[error("cannot use the terminal")]
    Terminal(#[from] io::Error),
    /// The file of a recording.
    #[error("cannot write the recording {path}")]
    Record {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Shows the program on the terminal of this process until the user ends it, and gives the terminal back as it was,
/// also after a panic or by a signal. `record` is a file for all that is shown, as asciicast.
///
/// # Errors
/// If the terminal cannot be read or written, or the recording cannot.
pub fn run(app: &mut App, record: Option<PathBuf>) -> Result<(), Error> {
    let cast = match record {
        Some(path) => Some(cast::Cast::create(&path).map_err(|source| Error::Record { path, source })?),
        None => None,
    };
    screen::restore_after_panic();
    let signals = Signals::watch()?;
    let screen = Screen::open(cast)?;
    let input = Input::listen();
    Driver {
        app,
        screen,
        input,
        signals,
        drawn: None,
        ticked: Instant::now(),
        changed: true,
        beacon: Beacon::new(beacon::path()),
    }
    .run()?;
    Ok(())
}

struct Driver<'a> {
    app: &'a mut App,
    screen: Screen,
    input: Input,
    signals: Signals,
    /// When the last picture was drawn.
    drawn: Option<Instant>,
    /// Until when time was reported.
    ticked: Instant,
    /// Whether the last picture may be out of date.
    changed: bool,
    /// Tells others where a tour is.
    beacon: Beacon,
}

impl Driver<'_> {
    fn run(&mut self) -> io::Result<()> {
        self.begin()?;
        loop {
            self.draw()?;
            self.listen()?;
            self.tick();
            self.work();
            self.beacon.tell(self.app.guide.as_ref().map(Guide::presented));
            if self.signals.told_to_stop() {
                self.suspend()?;
            }
            for request in self.app.take_requests() {
                match request {
                    Request::Quit => return Ok(()),
                    Request::Suspend => self.suspend()?,
                    Request::Redraw => self.screen.forget()?,
                    Request::Mouse(ours) => self.screen.mouse(ours)?,
                    Request::Save(settings) => {
                        if let Err(complaint) = files::save(&settings) {
                            self.tell(Message::Notice(complaint));
                        }
                    }
                }
                self.changed = true;
            }
        }
    }

    /// Takes the screen as it is now.
    fn begin(&mut self) -> io::Result<()> {
        self.screen.mouse(self.app.settings.mouse)?;
        let size = self.screen.size()?;
        self.tell(Message::Resize {
            width: size.width,
            height: size.height,
        });
        self.changed = true;
        Ok(())
    }

    fn tell(&mut self, message: Message) {
        self.changed |= self.app.update(message);
    }

    fn draw(&mut self) -> io::Result<()> {
        let least = if self.app.busy() { FRAME_AT_WORK } else { FRAME };
        if !self.changed || self.drawn.is_some_and(|drawn| drawn.elapsed() < least) {
            return Ok(());
        }
        self.screen.draw(|frame| frame::draw(self.app, frame))?;
        self.drawn = Some(Instant::now());
        self.changed = false;
        Ok(())
    }

    /// Takes in what was typed; waits for it if nothing else is to be done.
    fn listen(&mut self) -> io::Result<()> {
        let mut patience = match (self.app.busy(), self.changed || self.app.needs_time()) {
            (true, _) => Duration::ZERO,
            (false, true) => FRAME,
            (false, false) => IDLE,
        };
        while let Some(event) = self.input.next(patience)? {
            if let Some(message) = input::message(&event) {
                panic_if_asked(&message);
                self.tell(message);
            }
            patience = Duration::ZERO;
        }
        Ok(())
    }

    fn tick(&mut self) {
        let passed = self.ticked.elapsed().as_millis();
        let millis = u64::try_from(passed).unwrap_or(u64::MAX);
        if millis > 0 {
            self.ticked += Duration::from_millis(millis);
            self.tell(Message::Tick { millis });
        }
    }

    fn work(&mut self) {
        let begun = Instant::now();
        while self.app.busy() && begun.elapsed() < WORK {
            self.tell(Message::Work);
        }
    }

    /// Gives the terminal back, stops, and takes the terminal again when the shell resumes the process.
    fn suspend(&mut self) -> io::Result<()> {
        if let Err(complaint) = signals::can_stop() {
            self.tell(Message::Notice(complaint.to_string()));
            return Ok(());
        }
        screen::restore();
        self.signals.stop();
        self.screen.reopen()?;
        self.ticked = Instant::now();
        self.begin()
    }
}

/// For the test of what a panic leaves behind; a release does not have it.
#[cfg(debug_assertions)]
fn panic_if_asked(message: &Message) {
    if matches!(message, Message::Key(_)) && std::env::var_os("TRAPEZE_TEST_PANIC").is_some() {
        panic!("a panic was asked for");
    }
}

#[cfg(not(debug_assertions))]
fn panic_if_asked(_: &Message) {}
