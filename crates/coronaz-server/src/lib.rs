//! The back-end: the paper's `/data`, REST under `/api/v1`, the live WebSocket, and the page.
//!
//! It reads the store. For the operator alone it asks the laboratory, over its control socket, to change what
//! runs, and deletes runs. Whatever is the matter behind it looks the
//! same to a visitor (I-7), and no request can do more than take its bounded share (I-6).
//!
//! - [`server`]: takes connections and stops in an orderly way; [`config`]: what it is told before
//! - `app`: what requests share, and which way each goes
//! - `headers`, `guard`, `cors`, `limits`, `query`: what lies around every route
//! - [`token`], `login`, `attempts`, `sessions`, `identity`: the operator's token, and who asks
//! - `api`: `/api/v1`; [`rest`]: its bodies; `describe`: the store's answers in those words
//! - `control`: the way to the laboratory; `describe_laboratory`: its answers in those words; `flows`: rates and
//!   lag; `new_run`: the form that starts a run, checked; `deletion`: runs deleted one after the other
//! - `data`: the paper's `/data`; `health`: probes
//! - `live`: the WebSocket of a run
//! - `page`: the built page and its headers; `plain_page`: pages without it, to sign in and for what is not there
//! - `readers`: questions to the store, bounded; `pieces`: long answers; `extract`: what stands in an address
//! - [`problem`]: what a visitor is told when something is wrong; `seldom`: log lines that are limited in number

mod api;
mod app;
mod attempts;
pub mod config;
mod control;
pub mod cors;
mod data;
mod deletion;
mod describe;
mod describe_laboratory;
mod extract;
mod flows;
mod guard;
mod headers;
mod health;
mod identity;
mod limits;
mod live;
mod login;
mod new_run;
mod page;
mod pieces;
mod plain_page;
pub mod problem;
mod query;
mod readers;
pub mod rest;
mod seldom;
pub mod server;
mod sessions;
pub mod token;

pub use api::openapi;
pub use config::{Config, ConfigError, Limits};
pub use cors::{Origin, OriginError};
pub use page::PageError;
pub use problem::Problem;
pub use server::{ServeError, Server};
pub use token::{Token, TokenError};
