//! The page: the built files, held in memory, and the first of them with a nonce of its own each time.
//!
//! - `files`: reading them, from inside the program or from a folder
//! - `answer`: which file answers which path, and its headers

mod answer;
mod files;

pub(crate) use answer::answer;
pub(crate) use files::Files;
pub use files::PageError;
