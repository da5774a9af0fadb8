//! The terminal interface: a guest, its monitor and the hardware, live, forwards and backwards.
//!
//! Read in this order: [`app`] (all state), [`message`] and [`update`] (what can happen to it), [`action`] (what
//! keys mean), [`session`] (the guest that is looked at), [`views`] (the eight pictures of it), [`frame`] (what
//! stands around them), [`tour`] (a lesson on them), [`theme`] (what colours mean).
//!
//! Nothing of that reads a clock, starts a thread or knows a terminal: state changes only by messages, and what is
//! drawn depends only on the state. Long work is done in slices, one for each [`message::Message::Work`].
//! `terminal` is the driver that connects it to a real terminal, where there is one.

pub mod action;
pub mod app;
pub mod command;
pub mod frame;
pub mod key;
pub mod menu;
pub mod message;
pub mod prompt;
pub mod session;
pub mod settings;
#[cfg(not(target_family = "wasm"))]
pub mod terminal;
pub mod theme;
pub mod tour;
pub mod update;
pub mod views;

pub use app::App;
pub use message::Message;
