//! The paper's six cases: its section V, "Scalability and fault tolerance".

use super::{Cast, Event, Kind, Schedule, is_devices};

/// Each is away for ten seconds …
const AWAY_MS: u64 = 10_000;
/// … and twelve later the next begins, so that each recovery is seen by itself.
const PERIOD_MS: u64 = 22_000;
/// Before the first: people meet.
const WARM_UP_MS: u64 = 8_000;
/// Devices of the fifth case.
const JOINING: i64 = 5;

pub(super) fn schedule(cast: &Cast) -> Schedule {
    let one = |kind, target: &str, amount| vec![(kind, target.to_owned(), amount)];
    let broker = if cast.killable.iter().any(|part| part == "broker") {
        one(Kind::Down, "broker", 0)
    } else {
        // A broker of somebody else's is taken away by cutting everybody off.
        let links = cast.links.iter().filter(|link| link.ends_with("-broker"));
        links.map(|link| (Kind::Cut, link.clone(), 0)).collect()
    };
    // Another group than the one that joins; which one does not matter.
    let devices = cast.killable.iter().find(|part| is_devices(part)).map_or("", String::as_str);
    let cases = [
        ("the database is unavailable", one(Kind::StoreAway, "", 0)),
        ("the consumer is killed", one(Kind::Down, "ingest", 0)),
        ("the back-end is killed", one(Kind::Down, "serve", 0)),
        ("the broker is unavailable", broker),
        ("nodes join", one(Kind::Join, "", JOINING)),
        ("nodes are killed", one(Kind::Down, devices, 0)),
    ];
    let (mut events, mut left_out) = (Vec::new(), Vec::new());
    for (case, (what, faults)) in (0..).zip(cases) {
        let at_ms = WARM_UP_MS + case * PERIOD_MS;
        let before = events.len();
        for (kind, target, amount) in faults {
            if cast.targets(kind).contains(&target) {
                let lasts_ms = if kind.is_instant() { 0 } else { AWAY_MS };
                events.push(Event { at_ms, lasts_ms, kind, target, amount });
            }
        }
        if events.len() == before {
            left_out.push(format!("the paper's case {}, {what}", case + 1));
        }
    }
    Schedule { name: "paper".to_owned(), events, left_out }
}
