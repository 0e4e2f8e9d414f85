//! The server over real connections on loopback, with a store that the writing side has filled.

mod api;
mod data;
mod fake;
mod guards;
mod http;
mod live;
mod measure;
mod operator;
mod origins;
mod page;
mod queries;
mod sign_in;
mod stage;
mod window;
