//! The bus: records on their way from devices to the store, over the Kafka protocol.
//!
//! The only crate that knows the Kafka client. Everything here is synchronous and belongs to the
//! thread that calls it; no method waits longer than the time it is given.
//!
//! | module | what it holds |
//! |---|---|
//! | `record` | what is sent and what is read: `Record`, `Message`, `ContentType` |
//! | `sink` | `RecordSink`, how records are handed over and how they are acknowledged |
//! | `source` | `RecordSource`, how partitions are read from offsets that the caller keeps |
//! | `config` | `BusConfig`: where the brokers are, the topic, everything that can be set |
//! | `positions` | what comes next in each partition: repeats dropped, gaps told, logs told apart (pure) |
//! | `mark` | what a record looked like, by which a log is recognised (pure) |
//! | `partitioner` | which partition a key belongs to (pure) |
//! | `kafka` | both traits over librdkafka, and the topic's creation |
//! | `memory` | both traits in memory, with faults to order, for tests and simulation |
//!
//! # Example
//!
//! ```
//! use coronaz_bus::{ContentType, Limits, Incoming, MemoryBus, Record, RecordSink, RecordSource};
//! use std::time::Duration;
//!
//! let bus = MemoryBus::new(4);
//! let sink = bus.sink();
//! sink.send(&Record { key: b"device", payload: b"{}", content_type: ContentType::JSON, token: 7 })?;
//! assert!(sink.flush(Duration::from_secs(1)));
//!
//! let mut source = bus.source();
//! for partition in 0..4 {
//!     source.assign(partition, 0)?;
//! }
//! let mut incoming = Vec::new();
//! source.poll(Duration::ZERO, Limits::default(), &mut incoming)?;
//! assert!(matches!(&incoming[0], Incoming::Record(message) if message.payload == b"{}"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod config;
mod kafka;
mod mark;
mod memory;
mod partitioner;
mod positions;
mod record;
mod sink;
mod source;

pub use config::{BusConfig, ConfigError, RECORD_BYTES_MAX};
pub use kafka::{KafkaSink, KafkaSource, TopicEnds, TopicError, ensure_topic};
pub use mark::Mark;
pub use memory::{MemoryBus, MemorySink, MemorySource};
pub use partitioner::partition_of;
pub use record::{ContentType, Message, Record};
pub use sink::{Delivery, DeliveryError, Placed, RecordSink, SendError};
pub use source::{GapReason, Incoming, Limits, RecordSource, SourceError, SourceFigures, Watermarks};
