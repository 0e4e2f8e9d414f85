//! What was done, seen and found.

use serde::Serialize;

use super::{fault::Event, silence::GroupFigures, visitor::Seen};
use crate::audit::Verdict;

/// Within this time after the last fault the visitor's page has to be back.
pub const PAGE_BACK_LIMIT_MS: u64 = 5_000;

/// A fault as it was done.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Done {
    /// What was to be done.
    #[serde(flatten)]
    pub event: Event,
    /// When it began, in milliseconds after the first picture.
    pub began_ms: u64,
    /// When it ended; `None` while it lasts, and of an instant one.
    pub ended_ms: Option<u64>,
    /// What was done beyond its name.
    pub note: String,
    /// Why it could not be done.
    pub failed: Option<String>,
    /// How long after its end the visitor's page was back: 0 when it was never away.
    pub page_back_ms: u64,
    /// The same of the picture that was back last.
    pub picture_back_ms: u64,
}

impl Done {
    /// When it was over.
    #[must_use]
    pub fn over_ms(&self) -> u64 {
        self.ended_ms.unwrap_or(self.began_ms)
    }
}

/// A part in the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartFigures {
    /// Its name.
    pub name: String,
    /// How often it was started again.
    pub restarts: u32,
}

/// What passed through a proxy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LinkFigures {
    /// Its name.
    pub name: String,
    /// Connections taken.
    pub connections: u64,
    /// Bytes passed, both ways.
    pub bytes: u64,
}

/// An audit of one run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Audited {
    /// Whose run it is.
    pub name: String,
    /// What was found.
    pub verdict: Option<Verdict>,
    /// Why there is no verdict.
    pub why: Option<String>,
}

/// The whole.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The schedule's name.
    pub scenario: String,
    /// The seed of schedule, people and poison.
    pub seed: u64,
    /// People of the fleet.
    pub devices: u32,
    /// Devices with a radio.
    pub nodes: u32,
    /// Which broker: `embedded`, or an address.
    pub broker: String,
    /// Which store: `embedded`, or `served`.
    pub store: String,
    /// How long the visitor watched, in milliseconds.
    pub watched_ms: u64,
    /// The faults, in the order of their beginning.
    pub faults: Vec<Done>,
    /// What the visitor saw.
    pub seen: Seen,
    /// When the last fault was over.
    pub last_fault_over_ms: u64,
    /// How long after that the visitor's page was back.
    pub page_back_ms: u64,
    /// How long it may take.
    pub page_back_limit_ms: u64,
    /// How long after the last fault every picture moved again.
    pub picture_back_ms: u64,
    /// How long it took after the last report until all was stored; `None` when it was not.
    pub settled_ms: Option<u64>,
    /// The parts.
    pub parts: Vec<PartFigures>,
    /// The links.
    pub links: Vec<LinkFigures>,
    /// Beacons passed from group to group, and lost.
    pub air: Option<(u64, u64)>,
    /// Who reported, and for how long they did not.
    pub groups: Vec<GroupFigures>,
    /// What belongs to the schedule and could not be had here, in words.
    pub left_out: Vec<String>,
    /// Records that could not be read, as the store counts them.
    pub rejected: u64,
    /// The audits.
    pub audits: Vec<Audited>,
    /// What is wrong; empty when all is well.
    pub findings: Vec<String>,
    /// Whether all is well.
    pub ok: bool,
}

impl Report {
    /// Says what is wrong, from everything that was seen.
    pub(super) fn judge(&mut self) {
        let mut findings = std::mem::take(&mut self.findings);
        for audited in &self.audits {
            match (&audited.verdict, &audited.why) {
                (Some(verdict), _) if !verdict.is_clean() => findings.push(format!(
                    "{}: {} lost, {} doubled, {} wrong, {} unknown",
                    audited.name, verdict.lost, verdict.doubled, verdict.wrong, verdict.unknown
                )),
                (Some(verdict), _) if verdict.recorded == 0 => {
                    findings.push(format!("{}: nobody met anybody, so nothing was proved", audited.name));
                }
                (None, why) => {
                    let why = why.as_deref().unwrap_or("unknown reasons");
                    findings.push(format!("{}: no audit for {why}", audited.name));
                }
                _ => {}
            }
        }
        if !self.seen.page.well {
            findings.push("the visitor's page did not come back".to_owned());
        } else if self.page_back_ms > self.page_back_limit_ms {
            findings.push(format!(
                "the visitor's page was back {:.1} s after the last fault, not within {:.1} s",
                self.page_back_ms as f64 / 1e3,
                self.page_back_limit_ms as f64 / 1e3
            ));
        }
        if self.faults.is_empty() {
            findings.push("no fault was done, so nothing was proved".to_owned());
        }
        for done in &self.faults {
            if let Some(reason) = &done.failed {
                findings.push(format!("the fault {} could not be done as ordered: {reason}", done.event));
            }
        }
        findings.extend(self.groups.iter().filter_map(GroupFigures::finding));
        for line in self.seen.pictures.iter().filter(|line| !line.well) {
            findings.push(format!("the {} did not move again", line.name));
        }
        self.ok = findings.is_empty();
        self.findings = findings;
    }

    /// The report as a page.
    #[must_use]
    pub fn html(&self) -> String {
        super::page::html(self)
    }

    /// The report for a terminal.
    #[must_use]
    pub fn text(&self) -> String {
        super::table::text(self)
    }
}
