//! A batch that the store refuses is halved until the record is found that it does not take. It should never
//! happen; if it does, one record is put aside instead of a partition standing still.

use coronaz_store::{Batch, FrameRecord, Rejected};

/// What to try instead of a refused batch, in this order. `None`: nothing is left to try.
pub(crate) fn split(batch: Batch, reason: &str) -> Option<Vec<Batch>> {
    if batch.records() <= 1 {
        return put_aside(batch, reason).map(|batch| vec![batch]);
    }
    let mut offsets: Vec<i64> = batch.announcements.iter().map(|record| record.offset).collect();
    offsets.extend(batch.reports.iter().map(|record| record.offset));
    offsets.extend(batch.frames.iter().map(FrameRecord::offset));
    offsets.extend(batch.rejected.iter().map(|record| record.offset));
    offsets.sort_unstable();
    let middle = offsets[offsets.len() / 2];
    let (mut left, mut right) = (batch.clone(), batch);
    left.to = middle;
    // The mark is of the last record, and the end of the log comes after it.
    (left.mark, left.replaced) = (None, false);
    right.from = middle;
    left.announcements.retain(|record| record.offset < middle);
    left.reports.retain(|record| record.offset < middle);
    left.frames.retain(|record| record.offset() < middle);
    left.rejected.retain(|record| record.offset < middle);
    left.gaps.retain(|gap| gap.from < middle);
    right.announcements.retain(|record| record.offset >= middle);
    right.reports.retain(|record| record.offset >= middle);
    right.frames.retain(|record| record.offset() >= middle);
    right.rejected.retain(|record| record.offset >= middle);
    right.gaps.retain(|gap| gap.from >= middle);
    Some(vec![left, right])
}

/// Rejects the one record of a batch; a rejected one loses its bytes.
fn put_aside(mut batch: Batch, reason: &str) -> Option<Batch> {
    let reason = format!("the store refuses it: {reason}");
    let (offset, run, bytes) = if let Some(record) = batch.announcements.pop() {
        (record.offset, Some(record.announcement.run), record.announcement.encode())
    } else if let Some(record) = batch.reports.pop() {
        (record.offset, record.report.run, record.report.encode())
    } else if let Some(record) = batch.frames.pop() {
        (record.offset(), None, record.into_bytes())
    } else {
        let record = batch.rejected.pop()?;
        if record.bytes.is_empty() {
            return None;
        }
        (record.offset, record.run, Vec::new())
    };
    batch.rejected = vec![Rejected { offset, reason, run, bytes }];
    Some(batch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use coronaz_store::ReportRecord;
    use coronaz_wire::Report;

    fn batch(offsets: impl IntoIterator<Item = i64>) -> Batch {
        let json = br#"{"uuid":"5603b252-36de-11eb-b339-0242ac160009","position":[72,33],"infected":false,
            "timestamp":"2020-12-05 09:43:10.000001","alive":true,"contacts":[]}"#;
        let report = Report::decode(json).expect("the paper's report");
        let mut batch = Batch::new(0, 1, 0);
        batch.reports =
            offsets.into_iter().map(|offset| ReportRecord { offset, report: report.clone() }).collect();
        batch.to = batch.reports.last().map_or(0, |record| record.offset + 1);
        batch
    }

    #[test]
    fn halves_make_the_whole_and_the_one_that_is_refused_is_put_aside() {
        let refused = 37;
        let mut queue = vec![batch((0..100).filter(|n| n % 3 != 2))];
        let (mut stored, mut next) = (Vec::new(), 0);
        while !queue.is_empty() {
            let batch = queue.remove(0);
            assert_eq!(batch.from, next);
            if batch.reports.iter().any(|record| record.offset == refused) {
                for (place, half) in split(batch, "no").expect("there is a way").into_iter().enumerate() {
                    queue.insert(place, half);
                }
                continue;
            }
            next = batch.to;
            stored.extend(batch.reports.iter().map(|record| record.offset));
            for record in &batch.rejected {
                assert_eq!(record.offset, refused);
                assert!(Report::decode(&record.bytes).is_ok());
            }
        }
        assert_eq!((next, stored.len()), (100, 66));
    }

    #[test]
    fn a_rejected_record_that_is_refused_loses_its_bytes_and_then_nothing_is_left_to_try() {
        let aside = split(batch([5]), "no").expect("rejected").remove(0);
        let bare = split(aside, "no").expect("without bytes").remove(0);
        assert_eq!(bare.rejected.iter().map(|record| record.bytes.len()).sum::<usize>(), 0);
        assert_eq!(split(bare, "no"), None);
    }
}
