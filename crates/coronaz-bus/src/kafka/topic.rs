//! The topic: found, or made.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::FromClientConfig;
use rdkafka::error::RDKafkaErrorCode;
use tracing::{debug, info};

use crate::config::{BusConfig, ConfigError};

/// How long one question to the broker may take; within the caller's patience it is asked again.
const ANSWER_WAIT: Duration = Duration::from_secs(5);
/// The pause between two attempts: doubled each time, up to the second.
const RETRY_PAUSE: [Duration; 2] = [Duration::from_millis(50), Duration::from_millis(800)];

/// Makes the topic unless it is there, and says how many partitions it has. Asks again until the
/// broker answers, at most for `wait`. Any number of processes may do it at the same time.
pub fn ensure_topic(config: &BusConfig, wait: Duration) -> Result<u32, TopicError> {
    config.check()?;
    let admin = AdminClient::<DefaultClientContext>::from_config(&config.admin())
        .map_err(|error| ConfigError::Client { reason: error.to_string() })?;
    let until = Instant::now() + wait;
    let mut pause = RETRY_PAUSE[0];
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let answer_wait = left.clamp(Duration::from_millis(100), ANSWER_WAIT);
        let reason = match attempt(&admin, config, answer_wait)? {
            Attempt::There(partitions) => return Ok(partitions),
            Attempt::NotYet(reason) => reason,
        };
        if left <= pause {
            let brokers = config.bootstrap_servers.clone();
            return Err(TopicError::Unreachable { brokers, wait_ms: wait.as_millis(), reason });
        }
        debug!(reason, "the topic is not there yet");
        thread::sleep(pause);
        pause = (pause * 2).min(RETRY_PAUSE[1]);
    }
}

enum Attempt {
    There(u32),
    NotYet(String),
}

fn attempt(
    admin: &AdminClient<DefaultClientContext>,
    config: &BusConfig,
    wait: Duration,
) -> Result<Attempt, TopicError> {
    // All topics, since asking for one by name makes some brokers create it with their own defaults.
    let metadata = match admin.inner().fetch_metadata(None, wait) {
        Ok(metadata) => metadata,
        Err(error) => return Ok(Attempt::NotYet(error.to_string())),
    };
    let found = metadata.topics().iter().find(|topic| topic.name() == config.topic);
    match found.map(|topic| topic.partitions().len()) {
        Some(partitions) if partitions > 0 => {
            let partitions = u32::try_from(partitions).unwrap_or(u32::MAX);
            if partitions != config.partitions {
                info!(topic = config.topic, partitions, "the topic keeps the partitions it has");
            }
            Ok(Attempt::There(partitions))
        }
        _ => create(admin, config, wait),
    }
}

fn create(
    admin: &AdminClient<DefaultClientContext>,
    config: &BusConfig,
    wait: Duration,
) -> Result<Attempt, TopicError> {
    let retention = config.retention.as_millis().to_string();
    let partitions = i32::try_from(config.partitions).unwrap_or(i32::MAX);
    let topic =
        NewTopic::new(&config.topic, partitions, TopicReplication::Fixed(i32::from(config.replication)))
            .set("cleanup.policy", "delete")
            .set("retention.ms", &retention);
    let options = AdminOptions::new().operation_timeout(Some(wait)).request_timeout(Some(wait));
    let refused = |reason: String| TopicError::Refused { topic: config.topic.clone(), reason };
    match wait_for(admin.create_topics([&topic], &options)).as_deref() {
        Ok([Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists))]) => {
            Ok(Attempt::NotYet("made, not yet announced".to_owned()))
        }
        Ok([Err((_, code))]) if is_lasting(*code) => Err(refused(code.to_string())),
        Ok([Err((_, code))]) => Ok(Attempt::NotYet(code.to_string())),
        Ok(answers) => Err(refused(format!("{} answers to one question", answers.len()))),
        Err(error) => Ok(Attempt::NotYet(error.to_string())),
    }
}

/// Refusals that waiting does not mend. Too few brokers for the copies is none: they may come up.
fn is_lasting(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::TopicAuthorizationFailed
            | RDKafkaErrorCode::ClusterAuthorizationFailed
            | RDKafkaErrorCode::PolicyViolation
            | RDKafkaErrorCode::InvalidTopic
            | RDKafkaErrorCode::InvalidPartitions
            | RDKafkaErrorCode::InvalidConfig
    )
}

/// Waits for a future on this thread; the client's own thread completes it, within its timeout.
fn wait_for<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// Why the topic is not known to be there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TopicError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// No broker answered, or none could make it, in the time given.
    #[error("no topic from the brokers at {brokers} within {wait_ms} ms: {reason}")]
    Unreachable {
        /// Where they were looked for.
        brokers: String,
        /// For how long.
        wait_ms: u128,
        /// What the client said last.
        reason: String,
    },
    /// The broker will not make it.
    #[error("the broker does not make the topic {topic}: {reason}")]
    Refused {
        /// The topic.
        topic: String,
        /// What the broker said.
        reason: String,
    },
}
