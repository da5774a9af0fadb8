//! The driver of a presenter's notes.

use std::time::Duration;

use super::Error;
use super::beacon;
use super::input::{self, Input};
use super::screen::{self, Screen};
use super::signals::{self, Signals};
use crate::action::{Action, KeyMap};
use crate::key::{Key, Named};
use crate::message::Message;
use crate::theme::Theme;
use crate::tour::Notes;

/// How often the presentation is looked for.
const PATIENCE: Duration = Duration::from_millis(150);

/// Shows notes on the terminal of this process until the user ends it; they follow the presentation of the same tour
/// on another terminal, if there is one.
///
/// # Errors
/// If the terminal cannot be read or written.
pub fn show_notes(notes: &mut Notes, theme: &Theme, keys: &KeyMap) -> Result<(), Error> {
    screen::restore_after_panic();
    let signals = Signals::watch()?;
    let mut screen = Screen::open(None)?;
    let input = Input::listen();
    let path = beacon::path();
    let mut changed = true;
    loop {
        changed |= notes.follow(path.as_deref().and_then(beacon::read).as_ref());
        if changed {
            screen.draw(|frame| notes.draw(theme, frame.area(), frame.buffer_mut()))?;
            changed = false;
        }
        if let Some(event) = input.next(PATIENCE)? {
            changed = true;
            if let Some(Message::Key(key)) = input::message(&event) {
                match turn(notes, keys, key) {
                    Some(Action::Quit | Action::Close) => return Ok(()),
                    Some(Action::Suspend) => suspend(&mut screen, &signals)?,
                    _ => {}
                }
            }
        }
        if signals.told_to_stop() {
            suspend(&mut screen, &signals)?;
        }
    }
}

/// What a key means to the notes; the action, if it is none of theirs.
fn turn(notes: &mut Notes, keys: &KeyMap, key: Key) -> Option<Action> {
    let back = Key::named(Named::Backspace);
    match keys.action(key) {
        _ if key == Key::char(' ') => notes.turn(true),
        _ if key == back => notes.turn(false),
        Some(Action::Down) => notes.scroll(true),
        Some(Action::Up) => notes.scroll(false),
        action => return action,
    }
    None
}

fn suspend(screen: &mut Screen, signals: &Signals) -> Result<(), Error> {
    if signals::can_stop().is_ok() {
        screen::restore();
        signals.stop();
        screen.reopen()?;
    }
    Ok(())
}
