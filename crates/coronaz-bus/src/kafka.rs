//! Both traits over librdkafka. Each sink and source is a client of its own with its own threads.

mod ends;
mod link;
mod scout;
mod sink;
mod source;
mod survey;
mod topic;
mod watch;

pub use ends::TopicEnds;
pub use sink::KafkaSink;
pub use source::KafkaSource;
pub use topic::{TopicError, ensure_topic};

const CONTENT_TYPE_HEADER: &str = "content-type";
