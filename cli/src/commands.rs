//! The commands, one module each, with its arguments and a `run`.

pub(crate) mod asm;
pub(crate) mod challenges;
pub(crate) mod compare;
pub(crate) mod completions;
pub(crate) mod crowd;
pub(crate) mod dis;
pub(crate) mod doctor;
pub(crate) mod exec;
pub(crate) mod fastest;
pub(crate) mod isa;
pub(crate) mod kvm_exits;
pub(crate) mod list;
pub(crate) mod nano;
pub(crate) mod port;
pub(crate) mod price;
pub(crate) mod products;
pub(crate) mod recursion;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod sweep;
pub(crate) mod tour;
pub(crate) mod tui;
pub(crate) mod units;
pub(crate) mod why;
