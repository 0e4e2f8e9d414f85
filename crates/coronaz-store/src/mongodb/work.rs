//! A batch cut into commits: what each run has in it, in pieces that fit a document.

use crate::{Batch, FrameRecord, ReportRecord};
use coronaz_wire::announcement::Announcement;
use coronaz_wire::frame::Frame;
use std::collections::HashMap;
use uuid::Uuid;

/// Rows that one commit makes of reports, about: each some 250 bytes, and a document has 16 MiB.
const ROWS_MAX: usize = 20_000;
/// Frames of one commit: each makes a row, and the infections it tells of.
const FRAMES_MAX: usize = 2_000;

/// What is committed to a run at once.
pub(super) struct Work<'a> {
    pub(super) run: Uuid,
    pub(super) announcements: Vec<&'a Announcement>,
    pub(super) reports: Vec<&'a ReportRecord>,
    pub(super) frames: Vec<&'a FrameRecord>,
    /// The partition's records below this offset are in afterwards, as far as they are this run's.
    pub(super) next: i64,
}

impl Work<'_> {
    /// Records in it.
    pub(super) fn records(&self) -> u64 {
        (self.announcements.len() + self.reports.len() + self.frames.len()) as u64
    }
}

/// The batch by runs, in the order in which they are met. A report without a run belongs to the run with the nil UUID.
pub(super) fn by_run(batch: &Batch) -> Vec<Work<'_>> {
    let mut all: Vec<Work<'_>> = Vec::new();
    let mut places: HashMap<Uuid, usize> = HashMap::new();
    let mut of = |run: Uuid, all: &mut Vec<Work<'_>>| {
        *places.entry(run).or_insert_with(|| {
            let (announcements, reports, frames) = (Vec::new(), Vec::new(), Vec::new());
            all.push(Work { run, announcements, reports, frames, next: batch.to });
            all.len() - 1
        })
    };
    for record in &batch.announcements {
        let at = of(record.announcement.run, &mut all);
        all[at].announcements.push(&record.announcement);
    }
    for record in &batch.reports {
        let at = of(record.report.run.unwrap_or(Uuid::nil()), &mut all);
        all[at].reports.push(record);
    }
    for record in &batch.frames {
        // Made from good bytes only.
        let Ok(frame) = Frame::decode(record.bytes()) else { continue };
        let at = of(frame.header.stamp.population.run, &mut all);
        all[at].frames.push(record);
    }
    all.into_iter().flat_map(pieces).collect()
}

/// A run's records in pieces that fit, each up to an offset below which everything of the run is in the pieces so far.
fn pieces(work: Work<'_>) -> Vec<Work<'_>> {
    let rows: usize = work.reports.iter().map(|record| 1 + record.report.contacts.len()).sum();
    if rows <= ROWS_MAX && work.frames.len() <= FRAMES_MAX {
        return vec![work];
    }
    let Work { run, announcements, reports, frames, next } = work;
    let mut cuts: Vec<i64> = Vec::new();
    let (mut rows, mut count) = (0, 0);
    let mut weighed: Vec<(i64, usize, usize)> = Vec::with_capacity(reports.len() + frames.len());
    weighed.extend(reports.iter().map(|record| (record.offset, 1 + record.report.contacts.len(), 0)));
    weighed.extend(frames.iter().map(|record| (record.offset(), 0, 1)));
    weighed.sort_unstable();
    for (offset, more_rows, more_frames) in weighed {
        if rows + more_rows > ROWS_MAX || count + more_frames > FRAMES_MAX {
            cuts.push(offset);
            (rows, count) = (0, 0);
        }
        rows += more_rows;
        count += more_frames;
    }
    cuts.push(next);
    let mut from = i64::MIN;
    let mut pieces = Vec::with_capacity(cuts.len());
    for to in cuts {
        let within = |offset: i64| (from..to).contains(&offset);
        pieces.push(Work {
            run,
            // They stand in the first: repeating one changes nothing.
            announcements: if pieces.is_empty() { announcements.clone() } else { Vec::new() },
            reports: reports.iter().copied().filter(|record| within(record.offset)).collect(),
            frames: frames.iter().copied().filter(|record| within(record.offset())).collect(),
            next: to,
        });
        from = to;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use coronaz_wire::Report;

    #[test]
    fn a_large_batch_is_cut_into_pieces_that_hold_everything_once() {
        let json = br#"{"uuid":"5603b252-36de-11eb-b339-0242ac160009","position":[72,33],"infected":false,
            "timestamp":"2020-12-05 09:43:10.000001","alive":true,"contacts":[]}"#;
        let report = Report::decode(json).expect("the paper's report");
        let mut batch = Batch::new(0, 1, 100);
        batch.reports = (100..50_100).map(|offset| ReportRecord { offset, report: report.clone() }).collect();
        batch.to = 50_105;
        let pieces = by_run(&batch);
        let sizes: Vec<_> = pieces.iter().map(|piece| (piece.reports.len(), piece.next)).collect();
        assert_eq!(sizes, [(20_000, 20_100), (20_000, 40_100), (10_000, 50_105)]);
    }
}
