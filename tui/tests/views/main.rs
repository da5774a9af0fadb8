//! What the views show: a file for each.

#[path = "../common/mod.rs"]
mod common;

mod address;
mod compare;
mod cost;
mod flow;
mod guests;
mod machine;
mod properties;
mod shell;
mod time;
mod tour;
mod translation;
