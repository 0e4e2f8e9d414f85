//! The part of the Kafka protocol that is spoken here.
//!
//! Of each request those versions whose messages are written without the "flexible" encoding, which
//! Kafka has had since 2.1 and every client of today still knows; only the question for the versions
//! itself comes in the newer form too.
//!
//! | module | what it holds |
//! |---|---|
//! | `groups` | requests about consumer groups, taken apart |
//! | `reader` | the primitive types, out of a stranger's bytes |
//! | `request` | requests, taken apart |
//! | `writer` | the primitive types of an answer |

pub(crate) mod groups;
pub(crate) mod reader;
pub(crate) mod request;
pub(crate) mod writer;

/// Kinds of requests, with the numbers that the protocol gives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i16)]
pub(crate) enum Api {
    Produce = 0,
    Fetch = 1,
    ListOffsets = 2,
    Metadata = 3,
    OffsetCommit = 8,
    OffsetFetch = 9,
    FindCoordinator = 10,
    JoinGroup = 11,
    Heartbeat = 12,
    LeaveGroup = 13,
    SyncGroup = 14,
    DescribeGroups = 15,
    ListGroups = 16,
    Versions = 18,
    CreateTopics = 19,
    DeleteTopics = 20,
    InitProducerId = 22,
    DescribeConfigs = 32,
    DeleteGroups = 42,
    OffsetDelete = 47,
}

/// What is spoken: the first and the last version of each.
pub(crate) const APIS: [(Api, i16, i16); 20] = [
    (Api::Produce, 3, 8),
    (Api::Fetch, 4, 11),
    (Api::ListOffsets, 1, 5),
    (Api::Metadata, 0, 8),
    (Api::OffsetCommit, 2, 7),
    (Api::OffsetFetch, 1, 5),
    (Api::FindCoordinator, 0, 2),
    (Api::JoinGroup, 0, 5),
    (Api::Heartbeat, 0, 3),
    (Api::LeaveGroup, 0, 3),
    (Api::SyncGroup, 0, 3),
    (Api::DescribeGroups, 0, 4),
    (Api::ListGroups, 0, 2),
    (Api::Versions, 0, 4),
    (Api::CreateTopics, 2, 4),
    (Api::DeleteTopics, 1, 3),
    (Api::InitProducerId, 0, 1),
    (Api::DescribeConfigs, 1, 3),
    (Api::DeleteGroups, 0, 1),
    (Api::OffsetDelete, 0, 0),
];

/// Outcomes, with the numbers that the protocol gives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i16)]
pub(crate) enum ErrorCode {
    None = 0,
    OffsetOutOfRange = 1,
    CorruptMessage = 2,
    UnknownTopicOrPartition = 3,
    MessageTooLarge = 10,
    OffsetMetadataTooLarge = 12,
    CoordinatorNotAvailable = 15,
    InvalidTopic = 17,
    IllegalGeneration = 22,
    InconsistentGroupProtocol = 23,
    InvalidGroupId = 24,
    UnknownMemberId = 25,
    InvalidSessionTimeout = 26,
    RebalanceInProgress = 27,
    InvalidCommitOffsetSize = 28,
    UnsupportedVersion = 35,
    TopicAlreadyExists = 36,
    InvalidPartitions = 37,
    InvalidReplicationFactor = 38,
    InvalidConfig = 40,
    InvalidRequest = 42,
    PolicyViolation = 44,
    OutOfOrderSequence = 45,
    InvalidProducerEpoch = 47,
    TransactionalIdAuthorizationFailed = 53,
    StorageError = 56,
    NonEmptyGroup = 68,
    GroupIdNotFound = 69,
    FetchSessionNotFound = 70,
    UnsupportedCompression = 76,
    MemberIdRequired = 79,
    GroupMaxSizeReached = 81,
    FencedInstanceId = 82,
    GroupSubscribedToTopic = 86,
    InvalidRecord = 87,
}
