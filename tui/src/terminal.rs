//! The driver: a real terminal, the clock, and what the state asks for.

mod input;
mod screen;

use std::io;
use std::time::{Duration, Instant};

use ratatui::crossterm::event;

use crate::app::{App, Request};
use crate::frame;
use crate::message::Message;
use screen::Screen;

/// The least time between two pictures.
const FRAME: Duration = Duration::from_millis(16);

/// Shows the program on the terminal of this process until the user ends it.
///
/// # Errors
/// If the terminal cannot be read or written.
pub fn run(app: &mut App) -> io::Result<()> {
    let mut screen = Screen::open(app.mouse)?;
    let size = screen.size()?;
    app.update(Message::Resize {
        width: size.width,
        height: size.height,
    });
    let (mut drawn, mut ticked) = (None::<Instant>, Instant::now());
    let mut changed = true;
    loop {
        if changed && drawn.is_none_or(|drawn| drawn.elapsed() >= FRAME) {
            screen.draw(|frame| frame::draw(app, frame))?;
            drawn = Some(Instant::now());
            changed = false;
        }
        let patience = match (app.busy(), changed) {
            (true, _) => Duration::ZERO,
            (false, true) => FRAME,
            (false, false) => Duration::from_millis(100),
        };
        if event::poll(patience)?
            && let Some(message) = input::message(&event::read()?)
        {
            app.update(message);
            changed = true;
        }
        let millis = ticked.elapsed().as_millis() as u64;
        if millis > 0 {
            ticked += Duration::from_millis(millis);
            app.update(Message::Tick { millis });
        }
        if app.busy() {
            app.update(Message::Work);
            changed = true;
        }
        for request in app.take_requests() {
            match request {
                Request::Quit => return Ok(()),
                Request::Redraw | Request::Suspend => screen.forget()?,
                Request::Mouse(ours) => screen.mouse(ours)?,
            }
        }
    }
}
