//! What the terminal reports, as messages.
//!
//! A thread of its own waits for it: whoever works in slices and only asks in between would have to wait a little each
//! time, or wake up for nothing.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use ratatui::crossterm::event::{
    self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use ratatui::layout::Position;

use crate::key::{Code, Key, Named};
use crate::message::{Message, Mouse, MouseKind};

/// What was reported and not yet taken in.
pub(super) struct Input(Receiver<io::Result<Event>>);

impl Input {
    /// Listens from now on, until the process ends.
    pub(super) fn listen() -> Input {
        let (sender, receiver) = channel();
        thread::spawn(move || {
            loop {
                let event = event::read();
                let failed = event.is_err();
                if sender.send(event).is_err() || failed {
                    break;
                }
            }
        });
        Input(receiver)
    }

    /// The next event, if one comes within this time.
    ///
    /// # Errors
    /// If the terminal cannot be read any more.
    pub(super) fn next(&self, patience: Duration) -> io::Result<Option<Event>> {
        match self.0.recv_timeout(patience) {
            Ok(event) => event.map(Some),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

/// The message of an event; `None` for those that mean nothing, such as the release of a key.
pub(super) fn message(event: &Event) -> Option<Message> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => Some(Message::Key(self::key(key)?)),
        Event::Mouse(mouse) => Some(Message::Mouse(self::mouse(mouse)?)),
        Event::Resize(width, height) => Some(Message::Resize {
            width: *width,
            height: *height,
        }),
        _ => None,
    }
}

fn key(event: &KeyEvent) -> Option<Key> {
    let held = |modifier| event.modifiers.contains(modifier);
    let named = |name| Some((Code::Named(name), held(KeyModifiers::SHIFT)));
    let (code, shift) = match event.code {
        KeyCode::Char(c) => (Code::Char(c), false),
        KeyCode::F(number) => (Code::F(number), held(KeyModifiers::SHIFT)),
        KeyCode::Enter => named(Named::Enter)?,
        KeyCode::Esc => named(Named::Escape)?,
        KeyCode::Backspace => named(Named::Backspace)?,
        KeyCode::Tab => named(Named::Tab)?,
        KeyCode::BackTab => (Code::Named(Named::Tab), true),
        KeyCode::Up => named(Named::Up)?,
        KeyCode::Down => named(Named::Down)?,
        KeyCode::Left => named(Named::Left)?,
        KeyCode::Right => named(Named::Right)?,
        KeyCode::Home => named(Named::Home)?,
        KeyCode::End => named(Named::End)?,
        KeyCode::PageUp => named(Named::PageUp)?,
        KeyCode::PageDown => named(Named::PageDown)?,
        KeyCode::Insert => named(Named::Insert)?,
        KeyCode::Delete => named(Named::Delete)?,
        _ => return None,
    };
    Some(Key {
        code,
        shift,
        ctrl: held(KeyModifiers::CONTROL),
        alt: held(KeyModifiers::ALT),
    })
}

fn mouse(event: &MouseEvent) -> Option<Mouse> {
    let kind = match event.kind {
        MouseEventKind::Down(MouseButton::Left) => MouseKind::Press,
        MouseEventKind::ScrollUp => MouseKind::WheelUp,
        MouseEventKind::ScrollDown => MouseKind::WheelDown,
        _ => return None,
    };
    let at = Position::new(event.column, event.row);
    Some(Mouse { kind, at })
}
