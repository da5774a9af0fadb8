//! The checks: Popek and Goldberg's three properties of a run.
