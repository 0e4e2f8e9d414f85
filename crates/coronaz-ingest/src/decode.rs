//! A record's bytes to what the store takes. They are a stranger's: whatever they are, there is an answer.

use coronaz_bus::{ContentType, Message};
use coronaz_store::validity::check_announcement;
use coronaz_store::{AnnouncementRecord, FrameRecord, Rejected, ReportRecord};
use coronaz_wire::{Announcement, Report};

/// A record, decoded.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Decoded {
    Report(ReportRecord),
    Announcement(Box<AnnouncementRecord>),
    Frame(FrameRecord),
    Rejected(Rejected),
}

/// Decodes a record by its content type.
pub(crate) fn decode(message: Message) -> Decoded {
    let content_type = &message.content_type;
    let reason = if *content_type == ContentType::JSON {
        match Report::decode(&message.payload) {
            Ok(report) => return Decoded::Report(ReportRecord { offset: message.offset, report }),
            Err(error) => error.to_string(),
        }
    } else if *content_type == ContentType::RUN {
        match announcement(&message.payload) {
            Ok(announcement) => {
                let record = AnnouncementRecord { offset: message.offset, announcement };
                return Decoded::Announcement(Box::new(record));
            }
            Err(reason) => reason,
        }
    } else if *content_type == ContentType::FRAME {
        match FrameRecord::new(message.offset, message.payload) {
            Ok(record) => return Decoded::Frame(record),
            Err((error, bytes)) => {
                return Decoded::Rejected(Rejected {
                    offset: message.offset,
                    reason: error.to_string(),
                    run: None,
                    bytes,
                });
            }
        }
    } else {
        format!("no reader for content type {content_type}")
    };
    Decoded::Rejected(Rejected { offset: message.offset, reason, run: None, bytes: message.payload })
}

/// An announcement of a run that can be.
fn announcement(payload: &[u8]) -> Result<Announcement, String> {
    let announcement = Announcement::decode(payload).map_err(|error| error.to_string())?;
    check_announcement(&announcement).map(|()| announcement)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(content_type: ContentType, payload: &[u8]) -> Message {
        Message {
            partition: 0,
            offset: 7,
            key: vec![],
            payload: payload.to_vec(),
            content_type,
            timestamp_ms: 0,
        }
    }

    #[test]
    fn the_papers_report_is_read() {
        let json = br#"{"uuid":"5603b252-36de-11eb-b339-0242ac160009","position":[72,33],"infected":false,
            "timestamp":"2020-12-05 09:43:10.000001","alive":true,"contacts":[]}"#;
        let Decoded::Report(record) = decode(message(ContentType::JSON, json)) else {
            panic!("it is a report")
        };
        assert_eq!((record.offset, record.report.position), (7, [72, 33]));
    }

    #[test]
    fn what_is_no_report_is_rejected_with_a_reason_and_its_bytes() {
        let absurd = br#"{"run":"5603b252-36de-11eb-b339-0242ac160009","name":"x","kind":"nodes","seed":7,
            "started_us":9223372036854775807,"parameters":{}}"#;
        let beyond = br#"{"run":"5603b252-36de-11eb-b339-0242ac160009","name":"x","kind":"nodes","seed":7,
            "started_us":1606925945123456,"parameters":{"field_width":-5}}"#;
        let cases: [(ContentType, &[u8]); 8] = [
            (ContentType::RUN, absurd),
            (ContentType::RUN, beyond),
            (ContentType::JSON, b""),
            (ContentType::JSON, b"stop"),
            (ContentType::RUN, b"{}"),
            (ContentType::FRAME, b""),
            (ContentType::FRAME, b"CZTF and no more"),
            (ContentType::new("text/plain"), b"hello"),
        ];
        for (content_type, payload) in cases {
            let Decoded::Rejected(rejected) = decode(message(content_type, payload)) else {
                panic!("{payload:?} is no report")
            };
            assert_eq!((rejected.offset, rejected.bytes.as_slice()), (7, payload));
            assert!(!rejected.reason.is_empty());
        }
    }
}
