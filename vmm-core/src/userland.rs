//! Programs in ring 3.
