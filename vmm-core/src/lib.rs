//! The monitor: every method of virtualization behind one small trait, run by one loop, checked while it runs.
//!
//! Read in this order: [`hundred`] (a monitor in a hundred lines), [`mode`] and [`run`] (the trait and the
//! loop), [`modes`] (one file or folder for each method), [`check`] (Popek and Goldberg's three properties),
//! [`price`] (what it costs), [`fastest`] (which method that makes the fastest) and [`fit`] (how prices were found);
//! [`recursion`] looks at monitors inside monitors, and [`walk`] at what becomes of an address.

pub mod chain;
pub mod check;
pub mod classify;
pub mod counts;
pub mod edit;
pub mod engine;
pub mod event;
pub mod fastest;
pub mod fit;
pub mod flow;
pub mod guest;
pub mod hundred;
pub mod mode;
pub mod modes;
pub mod numbers;
pub mod policy;
pub mod price;
pub mod recursion;
pub mod run;
pub mod setup;
pub mod several;
pub mod stored;
pub mod tally;
pub mod timeline;
pub mod userland;
pub mod walk;
