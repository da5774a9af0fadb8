//! Messages: all that can happen to the state, as plain values.

use ratatui::layout::Position;

use crate::key::Key;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A key was pressed.
    Key(Key),
    /// The mouse did something.
    Mouse(Mouse),
    /// The screen has this size now.
    Resize {
        /// Columns.
        width: u16,
        /// Lines.
        height: u16,
    },
    /// Time has passed since the last of these.
    Tick {
        /// How much.
        millis: u64,
    },
    /// A slice of the work that [`App::busy`](crate::App::busy) speaks of is to be done.
    Work,
    /// The driver has something to say to the user.
    Notice(String),
}

/// What the mouse did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mouse {
    /// What.
    pub kind: MouseKind,
    /// Where, from the upper left corner of the screen.
    pub at: Position,
}

/// What the mouse can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MouseKind {
    /// Its main button was pressed.
    Press,
    /// Its wheel was turned away from the user.
    WheelUp,
    /// Its wheel was turned towards the user.
    WheelDown,
}
