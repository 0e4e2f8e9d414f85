//! The auditor sees what is there and what is not: clean runs are clean, and each kind of damage is told as what it is.

mod fleet;
mod nodes;
mod stage;
mod tampered;
