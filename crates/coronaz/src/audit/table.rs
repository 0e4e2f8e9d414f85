//! A verdict for people.

use coronaz_laboratory::audit::{Verdict, Watermark};
use coronaz_wire::timestamp;

use crate::output::Output;

/// Prints a verdict.
pub(super) fn print(verdict: &Verdict, out: &mut Output) {
    out.line(format_args!("run        {} ({})", verdict.run, verdict.kind));
    out.line(format_args!("compared   {}", compared(&verdict.watermark)));
    out.line("");
    out.line(format_args!(
        "{:<15} {:>12} {:>12} {:>9} {:>9} {:>9} {:>9}",
        "", "expected", "stored", "lost", "doubled", "wrong", "unknown"
    ));
    for row in &verdict.rows {
        out.line(format_args!(
            "{:<15} {:>12} {:>12} {:>9} {:>9} {:>9} {:>9}",
            row.what, row.expected, row.stored, row.lost, row.doubled, row.wrong, row.unknown
        ));
    }
    out.line(format_args!(
        "{:<15} {:>12} {:>12} {:>9} {:>9} {:>9} {:>9}",
        "all", "", "", verdict.lost, verdict.doubled, verdict.wrong, verdict.unknown
    ));
    out.line("");
    match (verdict.late, verdict.latest_ms) {
        (Some(late), Some(latest_ms)) => {
            out.line(format_args!("late       {late} (the latest by {} s)", latest_ms as f64 / 1e3));
        }
        _ => out.line("late       not known"),
    }
    if verdict.waiting > 0 {
        out.line(format_args!("on its way {}", verdict.waiting));
    }
    for what in &verdict.unchecked {
        out.line(format_args!("not seen   {what}"));
    }
    if !verdict.examples.is_empty() {
        out.line(format_args!("\nthe first differences:"));
    }
    for example in &verdict.examples {
        out.line(format_args!("  {example}"));
    }
    out.line("");
}

fn compared(watermark: &Watermark) -> String {
    let until = watermark.time_ms.map_or_else(String::new, |time_ms| {
        format!(", {} UTC", timestamp::format(time_ms.saturating_mul(1_000)))
    });
    match *watermark {
        Watermark { tick: Some(tick), newest_tick, .. } => {
            let newest = newest_tick.unwrap_or(tick);
            format!("ticks up to {tick}{until} (the newest in the store is {newest})")
        }
        Watermark { reports: Some(reports), devices: Some(devices), .. } => {
            format!("{reports} reports of {devices} devices{until}")
        }
        _ => "nothing yet".to_owned(),
    }
}
