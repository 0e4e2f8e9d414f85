//! The paper's six cases: its section V, "Scalability and fault tolerance".

use super::{Cast, Event, Kind, Schedule};

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
    let cases = [
        one(Kind::StoreAway, "", 0),
        one(Kind::Down, "ingest", 0),
        one(Kind::Down, "serve", 0),
        broker,
        one(Kind::Join, "", JOINING),
        one(Kind::Down, "devices-1", 0),
    ];
    let mut events = Vec::new();
    for (case, faults) in (0..).zip(cases) {
        let at_ms = WARM_UP_MS + case * PERIOD_MS;
        for (kind, target, amount) in faults {
            if cast.targets(kind).contains(&target) {
                let lasts_ms = if kind.is_instant() { 0 } else { AWAY_MS };
                events.push(Event { at_ms, lasts_ms, kind, target, amount });
            }
        }
    }
    Schedule { name: "paper".to_owned(), events }
}
