//! Where a partition begins, ends, or was at some time.

use super::Broker;
use crate::log::ReadError;
use crate::protocol::ErrorCode;
use crate::protocol::request::{At, Of};
use crate::protocol::writer::Writer;

/// Moments that stand for an end.
const LATEST: At = -1;
const EARLIEST: At = -2;

impl Broker {
    pub(super) fn list_offsets(&self, version: i16, topics: &[Of<'_, At>], to: &mut Writer) {
        if version >= 2 {
            to.i32(0);
        }
        to.array(topics, |to, of| {
            let topic = self.data.topic(of.topic);
            to.string(of.topic);
            to.array(&of.partitions, |to, (number, at)| {
                let partition = topic.as_deref().and_then(|topic| topic.partition(*number));
                let found = match partition {
                    None => Err(ErrorCode::UnknownTopicOrPartition),
                    Some(partition) => partition.with(|log| match *at {
                        LATEST => Ok((-1, log.end())),
                        EARLIEST => Ok((-1, log.start())),
                        at if at < 0 => Err(ErrorCode::InvalidRequest),
                        // To the batch: the first that has a record of that time or later.
                        at => match log.at_time(at) {
                            Ok(found) => Ok(found.map_or((-1, -1), |(offset, time)| (time, offset))),
                            Err(ReadError::OutOfRange | ReadError::Storage(_)) => {
                                Err(ErrorCode::StorageError)
                            }
                        },
                    }),
                };
                to.i32(*number);
                to.error(found.err().unwrap_or(ErrorCode::None));
                let (time, offset) = found.unwrap_or((-1, -1));
                to.i64(time);
                to.i64(offset);
                if version >= 4 {
                    to.i32(-1);
                }
            });
        });
    }
}
