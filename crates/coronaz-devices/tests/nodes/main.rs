//! Devices of one process in real time, on real radio, against a broker in memory.

mod air;
mod flood;
mod guests;
mod hearing;
mod hostile;
mod reports;
