//! The back-end: the paper's `/data`, REST under `/api/v1`, the live WebSocket, and the page.
//!
//! It reads the store. For the operator alone it asks the laboratory, over its control socket, to change what
//! runs, and deletes runs. Whatever is the matter behind it looks the
//! same to a visitor (I-7), and no request can do more than take its bounded share (I-6).
//!
//! - [`server`]: takes connections and stops in an orderly way; [`config`]: what it is told before
//! - `app`: what requests share, and which way each goes
//! - `headers`, `guard`, `limits`: what lies around every route; [`token`], `login`: the operator's token
//! - `api`: `/api/v1`; [`rest`]: its bodies; `describe`: the store's answers in those words
//! - `control`: the way to the laboratory; `describe_laboratory`: its answers in those words; `flows`: rates and
//!   lag; `new_run`: the form that starts a run, checked; `deletion`: runs deleted one after the other
//! - `data`: the paper's `/data`; `health`: probes
//! - `live`: the WebSocket of a run
//! - `page`: the built page and its headers
//! - `readers`: questions to the store, bounded; `pieces`: long answers; `extract`: what stands in an address
//! - [`problem`]: what a visitor is told when something is wrong

mod api;
mod app;
pub mod config;
mod control;
mod data;
mod deletion;
mod describe;
mod describe_laboratory;
mod extract;
mod flows;
mod guard;
mod headers;
mod health;
mod limits;
mod live;
mod login;
mod new_run;
mod page;
mod pieces;
pub mod problem;
mod readers;
pub mod rest;
pub mod server;
pub mod token;

pub use api::openapi;
pub use config::{Config, ConfigError, Limits};
pub use page::PageError;
pub use problem::Problem;
pub use server::{ServeError, Server};
pub use token::{Token, TokenError};
