//! Faults of chance: every kind in turn, in an order of chance, with times, targets and amounts of chance.

use super::{Cast, Event, Kind, Schedule};
use crate::chaos::{draws::Draws, fault::Drawn};

/// Before the first fault: people meet.
const WARM_UP_MS: u64 = 5_000;
/// How long a fault lasts.
const LASTS_MS: (u64, u64) = (1_000, 8_000);
/// From a fault's end to the next one's beginning.
const GAP_MS: (u64, u64) = (500, 5_000);
/// One fault in so many begins while the one before still lasts.
const OVERLAP_ONE_IN: u64 = 4;

pub(super) fn schedule(seed: u64, length_ms: u64, cast: &Cast) -> Schedule {
    let mut draws = Draws::new(seed);
    // Whoever joins a laboratory that somebody else started stays there: that is asked for by name alone.
    let wanted = |kind: &Kind| !cast.targets(*kind).is_empty() && (cast.own || *kind != Kind::Join);
    let kinds: Vec<Kind> = Kind::all().filter(wanted).collect();
    let mut bag = Vec::new();
    let mut events: Vec<Event> = Vec::new();
    let mut at_ms = WARM_UP_MS;
    while !kinds.is_empty() {
        if bag.is_empty() {
            // All kinds before one comes again.
            bag.clone_from(&kinds);
            draws.shuffle(&mut bag);
        }
        let Some(kind) = bag.pop() else { break };
        let targets = cast.targets(kind);
        let target = draws.pick(&targets).cloned().unwrap_or_default();
        let amount = amount(kind, &mut draws);
        let lasts_ms = if kind.is_instant() { 0 } else { draws.between(LASTS_MS.0, LASTS_MS.1) };
        if kind.is_alone() {
            let last_ms = events.iter().map(Event::until_ms).max().unwrap_or(0);
            at_ms = at_ms.max(last_ms + GAP_MS.0);
        }
        let event = Event { at_ms, lasts_ms, kind, target, amount };
        if event.until_ms() > length_ms {
            break;
        }
        let overlap = draws.between(1, OVERLAP_ONE_IN) == 1 && lasts_ms > 0 && !kind.is_alone();
        let gap_ms = draws.between(GAP_MS.0, GAP_MS.1);
        at_ms = if overlap { at_ms + lasts_ms / 2 } else { event.until_ms() + gap_ms };
        // What is broken already cannot be broken in the same way; it waits for another turn.
        let clash = events.iter().any(|other| other.until_ms() > event.at_ms && is_alike(other, &event));
        if !clash {
            events.push(event);
        }
    }
    Schedule { name: "random".to_owned(), events, left_out: Vec::new() }
}

/// Whether ending one of them would end, or be undone by, the other.
fn is_alike(one: &Event, other: &Event) -> bool {
    let on_clocks = |kind| matches!(kind, Kind::Clock | Kind::ClockAll | Kind::ClockAhead);
    let on_air = |kind| matches!(kind, Kind::AirSplit | Kind::AirLoss | Kind::AirDelay | Kind::AirDouble);
    one.target == other.target && (!one.target.is_empty() || one.kind == other.kind)
        || on_air(one.kind) && on_air(other.kind)
        || on_clocks(one.kind) && on_clocks(other.kind)
        || one.kind.is_alone()
        || other.kind.is_alone()
        // A paused or held part must not be killed by the restart of everything before its time is over.
        || matches!(one.kind, Kind::Pause | Kind::Down | Kind::DiskFull) && other.kind == Kind::RestartAll
}

fn amount(kind: Kind, draws: &mut Draws) -> i64 {
    match kind.facts().drawn {
        Drawn::Always(amount) => amount,
        Drawn::Between(least, most) => draws.between(least, most).cast_signed(),
        Drawn::Clock => {
            let seconds = draws.between(2, 7_200).cast_signed();
            [-60, -seconds, seconds][usize::try_from(draws.between(0, 2)).unwrap_or(0)]
        }
    }
}
