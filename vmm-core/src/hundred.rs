//! The monitor in a hundred lines.
