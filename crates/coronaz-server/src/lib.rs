//! The back-end: the paper's `/data`, REST under `/api/v1`, the live WebSocket, and the page.
//!
//! It reads the store and nothing else; it changes nothing. Whatever is the matter behind it looks the
//! same to a visitor (I-7), and no request can do more than take its bounded share (I-6).
//!
//! - [`server`]: takes connections and stops in an orderly way; [`config`]: what it is told before
//! - `app`: what requests share, and which way each goes
//! - `headers`, `guard`, `limits`: what lies around every route; [`token`], `login`: the operator's token
//! - `api`: `/api/v1`; [`rest`]: its bodies; `describe`: the store's answers in those words
//! - `data`: the paper's `/data`; `health`: probes
//! - `live`: the WebSocket of a run
//! - `page`: the built page and its headers
//! - `readers`: questions to the store, bounded; `extract`: what stands in an address
//! - [`problem`]: what a visitor is told when something is wrong

mod api;
mod app;
pub mod config;
mod data;
mod describe;
mod extract;
mod guard;
mod headers;
mod health;
mod limits;
mod live;
mod login;
mod page;
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
