//! The live connection of a run: what is new is pushed, and moments are given when asked for.
//!
//! - `hub`: one poller for each watched run, whoever many watch it
//! - `picture`: a moment as the bytes that the page draws
//! - `window`: what of a picture a visitor looks at
//! - `conversation`: what to send next; pure
//! - `message`: the texts that go back and forth
//! - `socket`: one visitor's connection

mod conversation;
mod hub;
mod message;
mod picture;
mod socket;
mod window;

pub(crate) use hub::Hub;
pub(crate) use picture::Picture;
pub(crate) use socket::connect;
