//! What the terminal reports, as messages.

use ratatui::crossterm::event::{
    Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use ratatui::layout::Position;

use crate::key::{Code, Key, Named};
use crate::message::{Message, Mouse, MouseKind};

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
