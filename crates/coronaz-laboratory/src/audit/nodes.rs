//! Devices with a radio: nobody can compute what they heard, so their own word is compared: each report counts itself
//! and tells how many contacts the device has recorded, with a digest of them; and the journals, if there are any.

use coronaz_store::{
    Queries,
    ledger::{Ledger, Ledgers},
    view::{Claimed, Run, Session},
};
use std::ops::ControlFlow;

use super::{
    AuditError, AuditOptions, Compared, Until, Verdict, Watch,
    merge::{Difference, Tally, merge},
    tell,
};
use crate::journal::{self, Journals, Recorded};

/// A device that has reported this much before the run's newest report, or later, may have contacts on their way while the
/// run goes on (microseconds): it sends the rest of a long list at once.
const SETTLED_US: i64 = 10_000_000;
/// The watcher is told after so many devices.
const TELL_EVERY_DEVICES: usize = 1_024;
/// A device reports once a second. One that made this many more reports than seconds passed until its next start was still
/// running then (microseconds; after an outage some follow each other at once).
const OVERLAP_US_MIN: i64 = 5_000_000;
/// Restarts of a device that are told apart by trying: beyond that only the two plain cases are.
const RESTARTS_TRIED_MAX: usize = 12;

/// Audits a run of nodes.
pub(super) fn audit(
    store: &dyn Queries,
    run: &Run,
    options: &AuditOptions,
    watch: Watch<'_>,
) -> Result<Verdict, AuditError> {
    let mut verdict = Verdict::new(run.id, "nodes");
    let ledgers = store.ledgers(run.id)?;
    let newest_us = ledgers.nodes.iter().filter_map(|ledger| ledger.latest_us).max();
    verdict.watermark.time_ms = newest_us.map(|time_us| time_us / 1_000);
    verdict.watermark.devices =
        Some(ledgers.nodes.iter().filter(|ledger| ledger.latest_us.is_some()).count() as u64);
    verdict.watermark.reports = Some(ledgers.report_rows);
    let reports = compare_reports(&ledgers, &mut verdict);
    let due_us = match options.until {
        Until::End => None,
        Until::Now => newest_us.map(|newest_us| newest_us.saturating_sub(SETTLED_US)),
    };
    let journals = options.journal.as_ref().map(|folder| journal::read(folder, run.id)).transpose()?;
    let mut totals = Totals { contacts: Compared::of("contacts"), unclaimed: 0, due_us };
    for (done, ledger) in ledgers.nodes.iter().enumerate() {
        if done.is_multiple_of(TELL_EVERY_DEVICES) {
            tell(watch, "devices", done as u64, ledgers.nodes.len() as u64)?;
        }
        // A device that wrote down each contact is compared by that.
        if !journals.as_ref().is_some_and(|journals| journals.devices.contains(&ledger.node.id)) {
            totals.compare(ledger, &mut verdict);
        }
    }
    if totals.unclaimed > 0 {
        verdict
            .unchecked
            .push(format!("contacts of {} devices whose reports tell no totals", totals.unclaimed));
    }
    let kept: u64 = ledgers.nodes.iter().map(|ledger| ledger.kept.contacts).sum();
    let mut contacts = totals.contacts;
    if let Some(journals) = journals {
        tell_of_gaps(&journals, &ledgers, &mut verdict);
        compare_journals(store, run, journals, options.until, newest_us, (&mut contacts, &mut verdict))?;
    }
    (verdict.recorded, verdict.stored) = (contacts.expected, contacts.stored);
    verdict.rows = vec![contacts, reports, counted(&ledgers, kept, &mut verdict)];
    if options.journal.is_none() {
        let reason = "what a device recorded and never reported (it was killed without a spool) shows in journals alone";
        verdict.unchecked.push(format!("the last seconds of killed devices: {reason}"));
    }
    Ok(verdict)
}

/// Reports by their numbers: below the highest of each start none may be missing, and none be there twice.
fn compare_reports(ledgers: &Ledgers, verdict: &mut Verdict) -> Compared {
    let mut reports = Compared::of("reports");
    let (mut seen, mut numbered) = (0, true);
    for ledger in &ledgers.nodes {
        for session in &ledger.sessions {
            numbered &= session.start_us.is_some();
            let missing = missing(session);
            reports.expected += session.next_seq;
            reports.lost += missing;
            seen += session.next_seq.saturating_sub(missing);
            if missing > 0 {
                let gaps = session.gaps.as_deref().unwrap_or_default();
                verdict.tell(|| format!("device {}: its reports {gaps} are not stored", ledger.node.id));
            }
        }
    }
    reports.stored = ledgers.report_rows;
    if numbered {
        reports.doubled = ledgers.report_rows.saturating_sub(seen);
        // Rows that are gone although they had come.
        reports.lost += seen.saturating_sub(ledgers.report_rows);
        if seen != ledgers.report_rows {
            verdict.tell(|| format!("{seen} reports have come, {} are there", ledgers.report_rows));
        }
    } else {
        verdict.unchecked.push("reports without numbers: whether some are missing".to_owned());
    }
    reports
}

/// How many reports below the highest have not come.
fn missing(session: &Session) -> u64 {
    let gaps: Vec<(u64, u64)> =
        session.gaps.as_deref().and_then(|gaps| serde_json::from_str(gaps).ok()).unwrap_or_default();
    gaps.iter().map(|&(first, last)| last.saturating_sub(first).saturating_add(1)).sum()
}

/// What the store counted as it came, against the rows there are: counters that ran ahead say that something was
/// counted twice, rows that are gone that something was removed.
fn counted(ledgers: &Ledgers, kept: u64, verdict: &mut Verdict) -> Compared {
    let mut counters = Compared::of("counters");
    let mut compare = |what: &str, counter: u64, rows: u64| {
        counters.expected += 1;
        counters.stored += 1;
        if counter != rows {
            counters.wrong += 1;
            verdict.tell(|| format!("{what}: {counter} were counted, {rows} rows are there"));
        }
    };
    compare("reports of the run", ledgers.reports, ledgers.report_rows);
    compare("contacts of the run", ledgers.contacts, kept);
    for ledger in ledgers.nodes.iter().filter(|ledger| ledger.latest_us.is_some()) {
        compare(&format!("contacts of device {}", ledger.node.id), ledger.counted, ledger.kept.contacts);
    }
    counters
}

/// Contacts by the devices' own totals.
struct Totals {
    contacts: Compared,
    /// Devices whose reports tell no totals.
    unclaimed: u64,
    /// While the run goes on: devices that have reported since may have more on its way.
    due_us: Option<i64>,
}

impl Totals {
    fn compare(&mut self, ledger: &Ledger, verdict: &mut Verdict) {
        let kept = ledger.kept;
        self.contacts.stored += kept.contacts;
        let reporting: Vec<&Session> = ledger.sessions.iter().collect();
        if reporting.is_empty() {
            if kept.contacts > 0 {
                self.contacts.unknown += kept.contacts;
                verdict
                    .tell(|| format!("device {}: {} contacts, and no report", ledger.node.id, kept.contacts));
            }
            return;
        }
        // Newest first in the ledger; oldest first here.
        let claims: Option<Vec<Claimed>> = reporting.iter().rev().map(|session| session.claimed).collect();
        let Some(claims) = claims else {
            self.unclaimed += 1;
            self.contacts.expected += kept.contacts;
            return;
        };
        let claimed = claimed(&claims, kept);
        if claimed != kept
            && let Some([one, other]) = at_once(&ledger.sessions)
        {
            self.contacts.expected += kept.contacts;
            self.contacts.wrong += 1;
            verdict.tell(|| {
                format!(
                    "device {}: two devices with one identity, started at {one} and {other} µs, reported at the same \
                     time (was a spool copied?); what each of them recorded cannot be told",
                    ledger.node.id
                )
            });
            return;
        }
        self.contacts.expected += claimed.contacts;
        if claimed == kept {
            return;
        }
        let (told, there) = (claimed.contacts, kept.contacts);
        let on_its_way = told > there
            && self
                .due_us
                .is_some_and(|due_us| ledger.latest_us.is_some_and(|latest_us| latest_us >= due_us));
        if on_its_way {
            verdict.waiting += told - there;
            return;
        }
        verdict.tell(|| {
            format!(
                "device {}: it recorded {told} contacts (digest {:016x}), {there} are there ({:016x})",
                ledger.node.id, claimed.digest, kept.digest
            )
        });
        self.contacts.lost += told.saturating_sub(there);
        self.contacts.unknown += there.saturating_sub(told);
        // As many as there should be, and others.
        self.contacts.wrong += u64::from(told == there);
    }
}

/// Two starts of a device, newest first in `sessions`, of which the earlier one was still running when the later one was:
/// it made more reports than there were seconds in between.
fn at_once(sessions: &[Session]) -> Option<[i64; 2]> {
    let starts = sessions.windows(2).filter_map(|pair| {
        let (later, earlier) = (pair[0].start_us?, pair[1].start_us?);
        let reported_us = i64::try_from(pair[1].next_seq).ok()?.saturating_mul(1_000_000);
        let between_us = later.saturating_sub(earlier);
        (reported_us > between_us.saturating_add(OVERLAP_US_MIN)).then_some([earlier, later])
    });
    starts.into_iter().next()
}

/// What a device claims in all. With a spool its totals go on over a restart, without one they begin anew: which of its
/// starts were the last before they did so is found by trying what fits the rows there are. Two sets of
/// contacts that differ and have the same digest are not to be met with.
fn claimed(claims: &[Claimed], kept: Claimed) -> Claimed {
    let Some((last, earlier)) = claims.split_last() else { return Claimed { contacts: 0, digest: 0 } };
    let sum = |a: Claimed, b: Claimed| Claimed {
        contacts: a.contacts.saturating_add(b.contacts),
        digest: a.digest.wrapping_add(b.digest),
    };
    let all = earlier.iter().copied().fold(*last, sum);
    if *last == kept {
        return *last;
    }
    if all == kept {
        return all;
    }
    if earlier.len() <= RESTARTS_TRIED_MAX {
        for chosen in 1_u32..1 << earlier.len() {
            let ends = (0..).zip(earlier).filter(|(at, _)| chosen >> at & 1 == 1).map(|(_, end)| *end);
            let tried = ends.fold(*last, sum);
            if tried == kept {
                return tried;
            }
        }
    }
    // Nothing fits. A start that claims fewer than the one before it has begun anew.
    let mut ends = *last;
    for pair in claims.windows(2) {
        if pair[1].contacts < pair[0].contacts {
            ends = sum(ends, pair[0]);
        }
    }
    ends
}

/// Says what the journals do not.
fn tell_of_gaps(journals: &Journals, ledgers: &Ledgers, verdict: &mut Verdict) {
    let without = ledgers
        .nodes
        .iter()
        .filter(|ledger| ledger.latest_us.is_some() && !journals.devices.contains(&ledger.node.id));
    let without = without.count();
    if without > 0 {
        verdict.unchecked.push(format!(
            "contact by contact: {without} devices that have no journal; they are taken at the word of their reports"
        ));
    }
    let Journals { unreadable_lines, unreadable_files, .. } = journals;
    if *unreadable_lines > 0 {
        verdict.unchecked.push(format!("{unreadable_lines} lines of journals that are no contacts"));
    }
    if !unreadable_files.is_empty() {
        verdict.unchecked.push(format!("{} journals that cannot be read", unreadable_files.len()));
    }
}

/// Contact by contact, of the devices that have a journal.
fn compare_journals(
    store: &dyn Queries,
    run: &Run,
    Journals { devices, mut recorded, .. }: Journals,
    until: Until,
    newest_us: Option<i64>,
    (contacts, verdict): (&mut Compared, &mut Verdict),
) -> Result<(), AuditError> {
    recorded.sort_unstable();
    recorded.dedup();
    let mut stored = Vec::new();
    store.each_contact(run.id, &mut |contact| {
        if devices.contains(&contact.person) {
            stored.push(Recorded { hearer: contact.person, time_us: contact.time_us, heard: contact.other });
        }
        ControlFlow::Continue(())
    })?;
    stored.sort_unstable();
    let due_us = newest_us.map_or(i64::MAX, |newest_us| newest_us.saturating_sub(SETTLED_US));
    let mut waiting = 0;
    let mut tally = merge(
        &recorded,
        &stored,
        |contact| *contact,
        |difference| {
            if let (Difference::Lost(contact), Until::Now) = (difference, until)
                && contact.time_us >= due_us
            {
                waiting += 1;
                return;
            }
            verdict.tell(|| match difference {
                Difference::Lost(contact) => format!("{} is not stored", heard(contact)),
                Difference::Doubled(contact) => format!("{} is stored again", heard(contact)),
                Difference::Unknown(contact) | Difference::Wrong(_, contact) => {
                    format!("{} was recorded by nobody", heard(contact))
                }
            });
        },
    );
    tally = Tally { lost: tally.lost - waiting, ..tally };
    verdict.waiting += waiting;
    contacts.add(recorded.len(), stored.len(), tally);
    Ok(())
}

fn heard(contact: &Recorded) -> String {
    format!("device {} heard {} at {} µs: it", contact.hearer, contact.heard, contact.time_us)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(contacts: u64, digest: u64) -> Claimed {
        Claimed { contacts, digest }
    }

    #[test]
    fn totals_that_go_on_over_restarts_and_totals_that_begin_anew_are_told_apart() {
        assert_eq!(claimed(&[claim(2, 20), claim(5, 50)], claim(5, 50)), claim(5, 50));
        assert_eq!(claimed(&[claim(2, 20), claim(5, 50)], claim(7, 70)), claim(7, 70));
        let mixed = [claim(2, 20), claim(5, 50), claim(1, 7), claim(4, 9)];
        assert_eq!(
            claimed(&mixed, claim(9, 59)),
            claim(9, 59),
            "the second start was the last before the loss"
        );
    }

    #[test]
    fn totals_that_nothing_fits_are_read_as_they_most_likely_are() {
        assert_eq!(claimed(&[claim(5, 50)], claim(4, 1)), claim(5, 50));
        assert_eq!(claimed(&[claim(5, 50), claim(2, 9)], claim(6, 1)), claim(7, 59));
    }

    #[test]
    fn what_is_missing_below_the_highest_number_is_counted() {
        let session = |gaps: Option<&str>| Session {
            start_us: Some(1),
            next_seq: 10,
            gaps: gaps.map(str::to_owned),
            claimed: None,
        };
        assert_eq!(missing(&session(None)), 0);
        assert_eq!(missing(&session(Some("[[1,1],[3,5]]"))), 4);
    }
}
