//! The timeline: what was broken when, under what the visitor saw.
//!
//! Colours are the page's (`page.rs`), which knows a light and a dark form; classes name them here.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{
    report::{Done, Report},
    visitor::Line,
};

/// Pixels. The picture is scaled to the page.
const WIDTH: f64 = 1_120.0;
const LEFT: f64 = 150.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 30.0;
const LANE: f64 = 30.0;
const BAR: f64 = 12.0;
/// What a letter of a label takes.
const LETTER: f64 = 6.4;
/// At most so many marks on the axis of time.
const MARKS_MAX: u64 = 14;

pub(super) fn svg(report: &Report) -> String {
    let lanes = lanes(&report.faults);
    let height = TOP + LANE * (lanes.len() + 1 + report.seen.pictures.len()) as f64 + 34.0;
    let mut drawing = Drawing { text: String::new(), length_ms: report.watched_ms.max(1) as f64 };
    let title = format!("{} faults, and what the visitor saw", report.faults.len());
    drawing.add(&format!(
        "<svg class=\"timeline\" viewBox=\"0 0 {WIDTH} {height:.0}\" role=\"img\" aria-label=\"{}\">",
        escaped(&title)
    ));
    drawing.axis(report.watched_ms, height);
    let mut y = TOP;
    for line in std::iter::once(&report.seen.page).chain(&report.seen.pictures) {
        drawing.line(line, report.watched_ms, y);
        y += LANE;
    }
    y += 8.0;
    for (name, faults) in &lanes {
        drawing.words(LEFT - 10.0, y + BAR, "name", "end", name);
        for (place, &(number, done)) in faults.iter().enumerate() {
            let next = faults.get(place + 1).map_or(report.watched_ms, |(_, next)| next.began_ms);
            drawing.fault(number, done, next, y);
        }
        y += LANE;
    }
    drawing.over(report.last_fault_over_ms, height);
    drawing.add("</svg>");
    drawing.text
}

type Lanes<'a> = Vec<(String, Vec<(usize, &'a Done)>)>;

/// Faults by what they were done to, in the order of the first of each.
fn lanes(faults: &[Done]) -> Lanes<'_> {
    let mut places = BTreeMap::new();
    let mut lanes: Lanes<'_> = Vec::new();
    for (number, done) in (1..).zip(faults) {
        let name = if done.event.target.is_empty() { group_of(done) } else { done.event.target.as_str() };
        let place = *places.entry(name.to_owned()).or_insert_with(|| {
            lanes.push((name.to_owned(), Vec::new()));
            lanes.len() - 1
        });
        lanes[place].1.push((number, done));
    }
    lanes
}

fn group_of(done: &Done) -> &'static str {
    let name = done.event.kind.name();
    match name {
        "restart-all" => "everything",
        "store-away" | "store-restored" => "store",
        "broker-replaced" => "broker",
        "clock-all" | "clock-ahead" => "clocks",
        "join" => "people",
        _ if name.starts_with("air") => "air",
        _ => "topic",
    }
}

struct Drawing {
    text: String,
    length_ms: f64,
}

impl Drawing {
    fn add(&mut self, piece: &str) {
        // Writing to a text cannot fail.
        let _ = writeln!(self.text, "{piece}");
    }

    fn x(&self, ms: u64) -> f64 {
        LEFT + (WIDTH - LEFT - RIGHT) * (ms as f64 / self.length_ms).min(1.0)
    }

    fn words(&mut self, x: f64, y: f64, class: &str, anchor: &str, words: &str) {
        let words = escaped(words);
        self.add(&format!(
            "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{words}</text>"
        ));
    }

    fn axis(&mut self, length_ms: u64, height: f64) {
        let steps =
            [1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 60_000, 120_000, 300_000, 600_000, 3_600_000];
        let step = steps.into_iter().find(|step| length_ms / step <= MARKS_MAX).unwrap_or(7_200_000);
        for mark in (0..=length_ms / step).map(|number| number * step) {
            let (x, bottom) = (self.x(mark), height - 28.0);
            self.add(&format!(
                "<line class=\"grid\" x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{bottom}\"/>"
            ));
            self.words(x, height - 10.0, "mark", "middle", &format!("{} s", mark / 1_000));
        }
    }

    /// What the visitor saw of one thing: well, with gaps.
    fn line(&mut self, line: &Line, length_ms: u64, y: f64) {
        self.words(LEFT - 10.0, y + BAR, "name strong", "end", &line.name);
        let (from, until) = (self.x(0), self.x(length_ms));
        let width = until - from;
        self.add(&format!(
            "<rect class=\"well\" x=\"{from:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{BAR}\" rx=\"2\"/>"
        ));
        for outage in &line.outages {
            let from = self.x(outage.from_ms);
            let width = (self.x(outage.until_ms) - from).max(1.5);
            let lasted = (outage.until_ms - outage.from_ms) as f64 / 1e3;
            self.add(&format!(
                "<rect class=\"away\" x=\"{from:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{BAR}\">\
                 <title>away for {lasted:.1} s</title></rect>"
            ));
        }
    }

    fn fault(&mut self, number: usize, done: &Done, next_ms: u64, y: f64) {
        let from = self.x(done.began_ms);
        let until = self.x(done.over_ms()).max(from + 4.0);
        let class = if done.failed.is_some() { "fault undone" } else { "fault" };
        let title = escaped(&format!("{number}: {}", done.event));
        let width = until - from;
        let shape = if done.ended_ms.is_some() {
            format!("x=\"{from:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{BAR}\" rx=\"2\"")
        } else {
            format!("x=\"{from:.1}\" y=\"{:.1}\" width=\"4\" height=\"{}\"", y - 2.0, BAR + 4.0)
        };
        self.add(&format!("<rect class=\"{class}\" {shape}><title>{title}</title></rect>"));
        let room = ((self.x(next_ms) - until - 6.0) / LETTER).max(0.0) as usize;
        let long = format!("{number} {}", done.event.kind);
        let label = if long.len() <= room { long } else { number.to_string() };
        if label.len() <= room {
            self.words(until + 3.0, y + BAR - 2.0, "label", "start", &label);
        }
    }

    /// The moment from which recovery counts.
    fn over(&mut self, ms: u64, height: f64) {
        let (x, bottom) = (self.x(ms), height - 28.0);
        self.add(&format!(
            "<line class=\"over\" x1=\"{x:.1}\" y1=\"{:.1}\" x2=\"{x:.1}\" y2=\"{bottom}\"/>",
            TOP - 8.0
        ));
        self.words(x - 4.0, TOP - 10.0, "mark", "end", "last fault over");
    }
}

/// Text as it may stand in HTML and SVG.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
