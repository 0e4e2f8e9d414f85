//! A verdict for people.

use coronaz_laboratory::audit::{Verdict, Watermark};
use coronaz_wire::timestamp;

/// Prints a verdict.
pub(super) fn print(verdict: &Verdict) {
    println!("run        {} ({})", verdict.run, verdict.kind);
    println!("compared   {}", compared(&verdict.watermark));
    println!();
    println!(
        "{:<15} {:>12} {:>12} {:>9} {:>9} {:>9} {:>9}",
        "", "expected", "stored", "lost", "doubled", "wrong", "unknown"
    );
    for row in &verdict.rows {
        println!(
            "{:<15} {:>12} {:>12} {:>9} {:>9} {:>9} {:>9}",
            row.what, row.expected, row.stored, row.lost, row.doubled, row.wrong, row.unknown
        );
    }
    println!(
        "{:<15} {:>12} {:>12} {:>9} {:>9} {:>9} {:>9}",
        "all", "", "", verdict.lost, verdict.doubled, verdict.wrong, verdict.unknown
    );
    println!();
    match (verdict.late, verdict.latest_ms) {
        (Some(late), Some(latest_ms)) => {
            println!("late       {late} (the latest by {} s)", latest_ms as f64 / 1e3);
        }
        _ => println!("late       not known"),
    }
    if verdict.waiting > 0 {
        println!("on its way {}", verdict.waiting);
    }
    for what in &verdict.unchecked {
        println!("not seen   {what}");
    }
    if !verdict.examples.is_empty() {
        println!("\nthe first differences:");
    }
    for example in &verdict.examples {
        println!("  {example}");
    }
    println!();
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
