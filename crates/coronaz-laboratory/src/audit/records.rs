//! Records of the topic: each offset is one, and each is counted once. The rows of a report have identities, so a
//! replay that got past the compare-and-set leaves them as they are; that it was counted again shows here.

use coronaz_store::Queries;

use super::{AuditError, Compared, Verdict, merge::Tally};

/// Gaps of the topic looked at.
const GAPS_MAX: usize = 1_000;

/// Adds what concerns the store as a whole.
pub(super) fn audit(store: &dyn Queries, verdict: &mut Verdict) -> Result<(), AuditError> {
    let mut records = Compared::of("topic, all runs");
    for partition in store.offsets()? {
        // Offsets are of the log that is read now; those before it ended as they did.
        let offsets = u64::try_from(partition.next).unwrap_or(0);
        let counted = partition.records.saturating_sub(partition.earlier_records);
        let doubled = counted.saturating_sub(offsets);
        if doubled > 0 {
            verdict.tell(|| {
                format!(
                    "partition {}: {} records were counted below offset {}",
                    partition.partition, counted, partition.next
                )
            });
        }
        let (expected, stored) = (counted.min(offsets), counted);
        let count = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        records.add(count(expected), count(stored), Tally { doubled, ..Tally::default() });
    }
    verdict.rows.push(records);
    let gaps = store.gaps(GAPS_MAX)?;
    let missing: i64 = gaps.iter().map(|gap| gap.to.saturating_sub(gap.from)).sum();
    if missing > 0 {
        verdict.unchecked.push(format!(
            "{missing} offsets of the topic were not handed out to ingest; what was in them nobody can say"
        ));
    }
    let replaced = store.offsets()?.iter().filter(|partition| partition.life > 0).count();
    if replaced > 0 {
        verdict.unchecked.push(format!(
            "{replaced} partitions of the topic have another log than before; what the former had and was not read \
             nobody can say"
        ));
    }
    Ok(())
}
