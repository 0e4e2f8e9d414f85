//! Requests, taken apart. Names and bytes are borrowed from the buffer that they came in.

use super::groups::GroupQuestion;
use super::reader::{DecodeError, Reader};
use super::{APIS, Api};

/// A request, taken apart.
#[derive(Debug)]
pub struct Request<'a> {
    /// The version of the message, and so of the answer.
    pub(crate) version: i16,
    /// Given back with the answer.
    pub(crate) correlation: i32,
    /// What the client calls itself.
    pub(crate) client: &'a str,
    pub(crate) question: Question<'a>,
}

/// What is asked.
#[derive(Debug)]
pub(crate) enum Question<'a> {
    /// `None`: in a version of the question itself that is not spoken.
    Versions {
        spoken: bool,
    },
    /// `None` asks for every topic.
    Metadata {
        topics: Option<Vec<&'a str>>,
        /// Say also what the client may do, with the cluster and with each topic.
        operations: [bool; 2],
    },
    CreateTopics {
        topics: Vec<NewTopic<'a>>,
        validate_only: bool,
    },
    DeleteTopics {
        topics: Vec<&'a str>,
    },
    InitProducerId {
        transactional: bool,
    },
    Produce(Produce<'a>),
    Fetch(Fetch<'a>),
    ListOffsets {
        topics: Vec<Of<'a, At>>,
    },
    FindCoordinator(Coordinates),
    Group(GroupQuestion<'a>),
    DescribeConfigs {
        resources: Vec<Resource<'a>>,
    },
}

/// What a coordinator is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coordinates {
    Group,
    Transaction,
    Other,
}

/// Something for each of some partitions of a topic.
#[derive(Debug)]
pub(crate) struct Of<'a, T> {
    pub(crate) topic: &'a str,
    pub(crate) partitions: Vec<(i32, T)>,
}

/// A moment, in milliseconds since 1970; -1 stands for the end, -2 for the start.
pub(crate) type At = i64;

#[derive(Debug)]
pub(crate) struct NewTopic<'a> {
    pub(crate) name: &'a str,
    pub(crate) partitions: i32,
    /// Brokers that hold each record; -1 leaves it to the broker.
    pub(crate) copies: i16,
    pub(crate) settings: Vec<(&'a str, Option<&'a str>)>,
}

#[derive(Debug)]
pub(crate) struct Produce<'a> {
    pub(crate) transactional: bool,
    /// 0 when no answer is wanted.
    pub(crate) acks: i16,
    pub(crate) topics: Vec<Of<'a, Option<&'a [u8]>>>,
}

#[derive(Debug)]
pub(crate) struct Fetch<'a> {
    pub(crate) wait_ms_max: i32,
    pub(crate) bytes_min: i32,
    pub(crate) bytes_max: i32,
    /// 0 unless the client thinks that it has a session.
    pub(crate) session: i32,
    pub(crate) topics: Vec<Of<'a, From>>,
}

/// From where a partition is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct From {
    pub(crate) offset: i64,
    pub(crate) bytes_max: i32,
}

#[derive(Debug)]
pub(crate) struct Resource<'a> {
    pub(crate) kind: i8,
    pub(crate) name: &'a str,
    /// `None` asks for every setting.
    pub(crate) settings: Option<Vec<&'a str>>,
}

impl<'a> Request<'a> {
    /// Takes a request apart, without the four bytes of its length.
    ///
    /// # Errors
    /// When the bytes are no request that this broker knows. The connection cannot go on then.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut from = Reader::new(bytes);
        let (key, version) = (from.i16()?, from.i16()?);
        let correlation = from.i32()?;
        let client = from.nullable_string()?.unwrap_or_default();
        let known = APIS.iter().find(|(api, ..)| *api as i16 == key);
        let question = match known {
            Some((api, first, last)) if (*first..=*last).contains(&version) => {
                Question::decode(*api, version, &mut from)?
            }
            Some((Api::Versions, ..)) => Question::Versions { spoken: false },
            _ => return Err(DecodeError::Unknown { key, version }),
        };
        Ok(Self { version, correlation, client, question })
    }
}

impl<'a> Question<'a> {
    fn decode(api: Api, version: i16, from: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(match api {
            Api::Versions => Self::Versions { spoken: true },
            Api::Metadata => {
                let topics = from.nullable_array(Reader::string)?;
                if version >= 4 {
                    // Whether to make topics that are missing: never.
                    from.bool()?;
                }
                let operations = if version >= 8 { [from.bool()?, from.bool()?] } else { [false; 2] };
                // In its first version an empty list asked for all.
                let topics = topics.filter(|topics| version > 0 || !topics.is_empty());
                Self::Metadata { topics, operations }
            }
            Api::CreateTopics => {
                let topics = from.array(NewTopic::decode)?;
                from.i32()?;
                Self::CreateTopics { topics, validate_only: from.bool()? }
            }
            Api::DeleteTopics => Self::DeleteTopics { topics: from.array(Reader::string)? },
            Api::InitProducerId => Self::InitProducerId { transactional: from.nullable_string()?.is_some() },
            Api::Produce => Self::Produce(Produce {
                transactional: from.nullable_string()?.is_some(),
                acks: from.i16()?,
                topics: {
                    // How long other brokers may take; there are none.
                    from.i32()?;
                    by_topic(from, Reader::nullable_bytes)?
                },
            }),
            Api::Fetch => Self::Fetch(Fetch::decode(version, from)?),
            Api::ListOffsets => {
                from.i32()?;
                if version >= 2 {
                    from.i8()?;
                }
                let topics = by_topic(from, |from| {
                    if version >= 4 {
                        from.i32()?;
                    }
                    from.i64()
                })?;
                Self::ListOffsets { topics }
            }
            Api::FindCoordinator => {
                from.string()?;
                Self::FindCoordinator(match if version >= 1 { from.i8()? } else { 0 } {
                    0 => Coordinates::Group,
                    1 => Coordinates::Transaction,
                    _ => Coordinates::Other,
                })
            }
            Api::DescribeConfigs => Self::DescribeConfigs { resources: from.array(Resource::decode)? },
            about_groups => Self::Group(GroupQuestion::decode(about_groups, version, from)?),
        })
    }
}

/// A list of topics with lists of partitions, the form of all requests about partitions.
pub(super) fn by_topic<'a, T>(
    from: &mut Reader<'a>,
    value: impl FnMut(&mut Reader<'a>) -> Result<T, DecodeError>,
) -> Result<Vec<Of<'a, T>>, DecodeError> {
    nullable_by_topic(from, value).map(Option::unwrap_or_default)
}

/// The same, or none.
pub(super) fn nullable_by_topic<'a, T>(
    from: &mut Reader<'a>,
    mut value: impl FnMut(&mut Reader<'a>) -> Result<T, DecodeError>,
) -> Result<Option<Vec<Of<'a, T>>>, DecodeError> {
    from.nullable_array(|from| {
        let topic = from.string()?;
        let partitions = from.array(|from| Ok((from.i32()?, value(from)?)))?;
        Ok(Of { topic, partitions })
    })
}

impl<'a> NewTopic<'a> {
    fn decode(from: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let name = from.string()?;
        let announced = from.i32()?;
        let copies = from.i16()?;
        let assigned = from.array(|from| {
            from.i32()?;
            from.array(Reader::i32)
        })?;
        let settings = from.array(|from| Ok((from.string()?, from.nullable_string()?)))?;
        let partitions =
            if assigned.is_empty() { announced } else { i32::try_from(assigned.len()).unwrap_or(i32::MAX) };
        // By hand, each partition lists the brokers that hold it.
        let most = assigned.iter().map(|brokers| i16::try_from(brokers.len()).unwrap_or(i16::MAX)).max();
        Ok(Self { name, partitions, copies: most.unwrap_or(copies), settings })
    }
}

impl<'a> Fetch<'a> {
    fn decode(version: i16, from: &mut Reader<'a>) -> Result<Self, DecodeError> {
        // Which broker asks: none, a client.
        from.i32()?;
        let (wait_ms_max, bytes_min, bytes_max) = (from.i32()?, from.i32()?, from.i32()?);
        // Whether to see transactions that may fail; there are none.
        from.i8()?;
        let session = if version >= 7 {
            let session = from.i32()?;
            from.i32()?;
            session
        } else {
            0
        };
        let topics = by_topic(from, |from| {
            if version >= 9 {
                from.i32()?;
            }
            let offset = from.i64()?;
            if version >= 5 {
                from.i64()?;
            }
            Ok(From { offset, bytes_max: from.i32()? })
        })?;
        Ok(Self { wait_ms_max, bytes_min, bytes_max, session, topics })
    }
}

impl<'a> Resource<'a> {
    fn decode(from: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self { kind: from.i8()?, name: from.string()?, settings: from.nullable_array(Reader::string)? })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_bytes_make_the_decoder_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..600), api in 0..APIS.len(), newer in 0_i16..3) {
            let (api, first, _) = APIS[api];
            bytes.splice(0..bytes.len().min(4), [(api as i16).to_be_bytes(), (first + newer).to_be_bytes()].concat());
            let _ = Request::decode(&bytes);
        }
    }

    #[test]
    fn a_request_that_is_not_spoken_says_which() {
        let bytes = [0, 28, 0, 3, 0, 0, 0, 1, 0xff, 0xff];
        assert_eq!(Request::decode(&bytes).err(), Some(DecodeError::Unknown { key: 28, version: 3 }));
        let newest = [0, 18, 0, 99, 0, 0, 0, 1, 0xff, 0xff];
        let request = Request::decode(&newest).expect("the question for versions is always understood");
        assert!(matches!(request.question, Question::Versions { spoken: false }));
    }

    #[test]
    fn a_fetch_is_taken_apart_in_its_newest_version() {
        let mut bytes = vec![0, 1, 0, 11, 0, 0, 0, 9, 0, 1, b'c'];
        bytes.extend([0xff; 4]);
        for number in [500_i32, 1, 1 << 20] {
            bytes.extend(number.to_be_bytes());
        }
        bytes.push(0);
        bytes.extend([0; 8]);
        bytes.extend([0, 0, 0, 1, 0, 1, b't', 0, 0, 0, 1, 0, 0, 0, 3]);
        bytes.extend((-1_i32).to_be_bytes());
        bytes.extend(42_i64.to_be_bytes());
        bytes.extend((-1_i64).to_be_bytes());
        bytes.extend(4096_i32.to_be_bytes());
        let request = Request::decode(&bytes).expect("a request");
        let Question::Fetch(fetch) = request.question else { panic!("no fetch") };
        assert_eq!((request.correlation, fetch.wait_ms_max, fetch.topics[0].topic), (9, 500, "t"));
        let (partition, from) = fetch.topics[0].partitions[0];
        assert_eq!((partition, from.offset, from.bytes_max), (3, 42, 4096));
    }
}
