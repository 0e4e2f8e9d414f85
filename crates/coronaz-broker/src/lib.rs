//! The embedded broker: topics over the Kafka protocol, in a folder, for one machine.
//!
//! Each connection is a thread that reads a request, answers it, and reads the next: what it waits
//! for is a file, a socket or a bell that a producer rings, and all of them are waited for by the
//! system. A broker that nobody uses does nothing.
//!
//! | module | what it holds |
//! |---|---|
//! | `options` | the command line |
//! | `serve` | accepting connections, and when to end |
//! | `connection` | one client's requests, one after the other |
//! | `connections` | all of them, and which gives way to a new one |
//! | `buffers` | how much memory requests may take |
//! | `protocol` | the part of the Kafka protocol that is spoken: reading requests, writing answers |
//! | `answer` | what is answered to each request |
//! | `disk` | files that are private, whole, or set aside |
//! | `data` | the folder: one broker at a time, its topics |
//! | `topic` | a topic: its settings and partitions |
//! | `partition` | one partition, shared by those who append and those who wait for it |
//! | `groups` | consumer groups: who reads what, and how far they are |
//! | `log` | one partition on disk: segments, batches, producers; survives `kill -9` |
//! | `keeping` | what expires, what is secured, from time to time |

mod answer;
mod buffers;
mod connection;
mod connections;
mod data;
mod disk;
mod groups;
mod keeping;
mod log;
mod options;
mod partition;
mod protocol;
mod serve;
mod topic;

pub use log::batch::{Batch, BatchError};
pub use log::codec::Opener;
pub use options::Options;
pub use protocol::reader::DecodeError;
pub use protocol::request::Request;
pub use serve::{ServeError, run};
