//! The report for a terminal.

use super::report::{Done, Report};

/// Lines, one below the other.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn add(&mut self, line: impl AsRef<str>) {
        self.0.push_str(line.as_ref());
        self.0.push('\n');
    }
}

pub(super) fn text(report: &Report) -> String {
    let mut text = Lines::default();
    faults(report, &mut text);
    text.add("");
    text.add(format!("The visitor watched for {}:", seconds(report.watched_ms)));
    for seen in std::iter::once(&report.seen.page).chain(&report.seen.pictures) {
        let (times, down) = (seen.outages.len(), seconds(seen.down_ms()));
        let longest = seen.outages.iter().map(|outage| outage.until_ms - outage.from_ms).max().unwrap_or(0);
        text.add(format!(
            "  {:<18} away {times} times, {down} together, at most {}",
            seen.name,
            seconds(longest)
        ));
    }
    text.add(format!(
        "After the last fault the page was back after {} (limit {}), every picture moved after {}.",
        seconds(report.page_back_ms),
        seconds(report.page_back_limit_ms),
        seconds(report.picture_back_ms)
    ));
    if let Some(settled_ms) = report.settled_ms {
        text.add(format!(
            "Everything sent was stored {} after the last device had stopped.",
            seconds(settled_ms)
        ));
    }
    text.add("");
    audits(report, &mut text);
    text.add("");
    for group in &report.groups {
        let silent = seconds(group.silent_ms);
        text.add(format!(
            "{:<18} {} senders, silent for at most {silent} beyond what the faults explain",
            group.name, group.devices
        ));
    }
    for left_out in &report.left_out {
        text.add(format!("Not here: {left_out}"));
    }
    text.add("");
    match (report.ok, report.left_out.len()) {
        (false, _) => {}
        (true, 0) => text.add("All is well."),
        (true, cases) => text.add(format!(
            "All is well, as far as it was tried: {cases} of the schedule's cases could not be had here."
        )),
    }
    for finding in &report.findings {
        text.add(format!("FOUND: {finding}"));
    }
    text.0
}

fn faults(report: &Report, text: &mut Lines) {
    text.add(format!(
        "{:>8} {:>8}  {:<34} {:>10} {:>13}",
        "at", "lasted", "fault", "page back", "picture back"
    ));
    for done in &report.faults {
        let lasted = done.ended_ms.map_or_else(|| "-".to_owned(), |end| seconds(end - done.began_ms));
        let fault = done.event.to_string();
        let (page, picture) = (back(done.page_back_ms), back(done.picture_back_ms));
        text.add(format!(
            "{:>8} {lasted:>8}  {fault:<34} {page:>10} {picture:>13}{}",
            seconds(done.began_ms),
            remark(done)
        ));
    }
}

fn remark(done: &Done) -> String {
    match (&done.failed, done.note.as_str()) {
        (Some(reason), _) => format!("  not done: {reason}"),
        (None, "") => String::new(),
        (None, note) => format!("  {note}"),
    }
}

fn audits(report: &Report, text: &mut Lines) {
    text.add(format!(
        "{:<8} {:>10} {:>10} {:>6} {:>8} {:>6} {:>8} {:>6}",
        "audit", "recorded", "stored", "lost", "doubled", "wrong", "unknown", "late"
    ));
    for audited in &report.audits {
        match &audited.verdict {
            Some(verdict) => {
                let late = verdict.late.map_or_else(|| "-".to_owned(), |late| late.to_string());
                text.add(format!(
                    "{:<8} {:>10} {:>10} {:>6} {:>8} {:>6} {:>8} {late:>6}",
                    audited.name,
                    verdict.recorded,
                    verdict.stored,
                    verdict.lost,
                    verdict.doubled,
                    verdict.wrong,
                    verdict.unknown
                ));
            }
            None => {
                text.add(format!(
                    "{:<8} no verdict: {}",
                    audited.name,
                    audited.why.as_deref().unwrap_or_default()
                ));
            }
        }
    }
    text.add(format!("Records that could not be read, set aside: {}", report.rejected));
}

/// Seconds with one digit, as `12.3 s`.
pub(super) fn seconds(ms: u64) -> String {
    format!("{:.1} s", ms as f64 / 1e3)
}

/// A recovery: a dash where nothing had to recover.
pub(super) fn back(ms: u64) -> String {
    if ms == 0 { "-".to_owned() } else { seconds(ms) }
}
