//! Topics made, deleted, described.

use super::Broker;
use crate::data::TopicError;
use crate::protocol::ErrorCode;
use crate::protocol::request::{NewTopic, Resource};
use crate::protocol::writer::Writer;
use crate::topic::Settings;

/// Partitions of a topic that leaves the number to the broker.
const PARTITIONS_DEFAULT: i32 = 4;
/// Kinds of resources, and where a setting comes from, by the protocol's numbers.
const RESOURCE_TOPIC: i8 = 2;
const RESOURCE_BROKER: i8 = 4;
const SOURCE_TOPIC: i8 = 1;
const TYPE_STRING: i8 = 2;
/// Resources described at once: a question of a few bytes each has an answer of some hundred.
const RESOURCES_MAX: usize = 1000;

/// An error code and what to say beside it.
type Refusal = (ErrorCode, String);

fn refusal(error: &TopicError) -> Refusal {
    let code = match error {
        TopicError::Name => ErrorCode::InvalidTopic,
        TopicError::Exists => ErrorCode::TopicAlreadyExists,
        TopicError::Partitions => ErrorCode::InvalidPartitions,
        TopicError::TooMany => ErrorCode::PolicyViolation,
        TopicError::Unknown => ErrorCode::UnknownTopicOrPartition,
        TopicError::Storage(_) => ErrorCode::StorageError,
    };
    (code, error.to_string())
}

impl Broker {
    pub(super) fn create_topics(&self, topics: &[NewTopic<'_>], validate_only: bool, to: &mut Writer) {
        to.i32(0);
        to.array(topics, |to, topic| {
            let made = self.create_topic(topic, validate_only);
            to.string(topic.name);
            to.error(made.as_ref().err().map_or(ErrorCode::None, |(code, _)| *code));
            to.nullable_string(made.as_ref().err().map(|(_, reason)| reason.as_str()));
        });
    }

    fn create_topic(&self, topic: &NewTopic<'_>, validate_only: bool) -> Result<(), Refusal> {
        let mut settings = Settings::default();
        for (name, value) in &topic.settings {
            if let Some(value) = value {
                settings.set(name, value).map_err(|reason| (ErrorCode::InvalidConfig, reason))?;
            }
        }
        if !matches!(topic.copies, -1 | 1) {
            let reason = format!(
                "replication factor {} is more than the 1 broker there is: use 1, or an Apache Kafka cluster",
                topic.copies
            );
            return Err((ErrorCode::InvalidReplicationFactor, reason));
        }
        let partitions = if topic.partitions == -1 { PARTITIONS_DEFAULT } else { topic.partitions };
        let made = if validate_only {
            self.data.can_make(topic.name, partitions)
        } else {
            self.data.make(topic.name, partitions, &settings)
        };
        made.map_err(|error| refusal(&error))
    }

    pub(super) fn delete_topics(&self, topics: &[&str], to: &mut Writer) {
        to.i32(0);
        to.array(topics, |to, name| {
            to.string(name);
            let deleted = self.data.delete(name);
            if deleted.is_ok() {
                self.groups.forget_topic(name);
            }
            to.error(deleted.err().map_or(ErrorCode::None, |error| refusal(&error).0));
        });
    }

    /// What topics are set to. Of the broker itself nothing can be set.
    pub(super) fn describe(&self, version: i16, resources: &[Resource<'_>], to: &mut Writer) {
        to.i32(0);
        to.array(&resources[..resources.len().min(RESOURCES_MAX)], |to, resource| {
            let settings = match resource.kind {
                RESOURCE_TOPIC => match self.data.topic(resource.name) {
                    Some(topic) => Ok(topic.settings().list().to_vec()),
                    None => Err(ErrorCode::UnknownTopicOrPartition),
                },
                RESOURCE_BROKER => Ok(Vec::new()),
                _ => Err(ErrorCode::InvalidRequest),
            };
            to.error(settings.as_ref().err().copied().unwrap_or(ErrorCode::None));
            to.nullable_string(None);
            to.i8(resource.kind);
            to.string(resource.name);
            let mut settings = settings.unwrap_or_default();
            if let Some(wanted) = &resource.settings {
                settings.retain(|(name, _)| wanted.contains(name));
            }
            to.array(&settings, |to, (name, value)| {
                to.string(name);
                to.string(value);
                to.bool(false);
                to.i8(SOURCE_TOPIC);
                to.bool(false);
                to.count(0);
                if version >= 3 {
                    to.i8(TYPE_STRING);
                    to.nullable_string(None);
                }
            });
        });
    }
}
