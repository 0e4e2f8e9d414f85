//! Encounters out of contacts: which contacts of a pair belong together. Pure; knows no database.
//!
//! An encounter of a person with another is a longest chain of its contacts in which none is more than
//! [`ENCOUNTER_GAP_US`] after the one before. That is a property of the set of contacts alone, so it
//! does not depend on the order in which they arrive or on how they were batched. Contacts nearly always
//! come in order of time, and then only the newest encounter of a pair has to be known (it is *open*); a
//! contact that comes late says so, and the caller finds its chain among the stored contacts.

use crate::ENCOUNTER_GAP_US;
use std::fmt::Write as _;

/// One meeting of a person with another, as that person's device recorded it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Chain {
    pub(crate) from_us: i64,
    pub(crate) to_us: i64,
    /// The smallest distance of its contacts, if any carries one.
    pub(crate) nearest: Option<f64>,
    pub(crate) contacts: u64,
}

/// What a stranger says may be no number; JSON has no word for that.
fn finite(distance: Option<f64>) -> Option<f64> {
    distance.filter(|distance| distance.is_finite())
}

impl Chain {
    /// The encounter that has one contact.
    pub(crate) fn at(time_us: i64, distance: Option<f64>) -> Self {
        Self { from_us: time_us, to_us: time_us, nearest: finite(distance), contacts: 1 }
    }

    /// Adds a contact, wherever it lies.
    pub(crate) fn add(&mut self, time_us: i64, distance: Option<f64>) {
        self.from_us = self.from_us.min(time_us);
        self.to_us = self.to_us.max(time_us);
        self.contacts = self.contacts.saturating_add(1);
        self.nearest = match (self.nearest, finite(distance)) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }

    /// Whether a contact at `time_us` belongs to this chain.
    pub(crate) fn reaches(&self, time_us: i64) -> bool {
        time_us >= self.from_us.saturating_sub(ENCOUNTER_GAP_US)
            && time_us <= self.to_us.saturating_add(ENCOUNTER_GAP_US)
    }
}

/// What became of a contact.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Placed {
    /// It is in the open encounter, which it may have begun.
    Open,
    /// It began a new one; the one before is over.
    Closed(Chain),
    /// It is older than what is known here: its chain must be found among the stored contacts.
    Late,
}

/// The open encounters of one person.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Meetings {
    /// Every closed encounter of this person ended more than a gap before this, and every open one did not.
    pub(crate) heard_us: i64,
    /// Whom it meets, ascending, at most once each.
    open: Vec<(u32, Chain)>,
}

/// An open encounter as it is stored: other, from, to, nearest, contacts.
type Stored = (u32, i64, i64, Option<f64>, u64);

impl Default for Meetings {
    fn default() -> Self {
        Self { heard_us: i64::MIN, open: Vec::new() }
    }
}

impl Meetings {
    /// Encounters out of their stored text; one that makes no sense is as good as none, and its contacts count as late.
    pub(crate) fn open_of(text: &str) -> Vec<(u32, Chain)> {
        let stored: Vec<Stored> = serde_json::from_str(text).unwrap_or_default();
        let chain = |(other, from_us, to_us, nearest, contacts): Stored| {
            (other, Chain { from_us, to_us, nearest, contacts })
        };
        let mut open: Vec<_> = stored.into_iter().map(chain).collect();
        open.sort_unstable_by_key(|&(other, _)| other);
        open
    }

    /// As stored.
    pub(crate) fn from_stored(heard_us: i64, open: Vec<(u32, Chain)>) -> Self {
        Self { heard_us, open }
    }

    /// Those that may go on, ascending by whom.
    pub(crate) fn open(&self) -> &[(u32, Chain)] {
        &self.open
    }

    /// The text to store, in place of what is in `text`; nothing when none is open.
    pub(crate) fn write_open(&self, text: &mut String) {
        text.clear();
        for (place, (other, chain)) in self.open.iter().enumerate() {
            let Chain { from_us, to_us, contacts, .. } = chain;
            text.push_str(if place == 0 { "[[" } else { ",[" });
            // A text takes everything.
            let _ = write!(text, "{other},{from_us},{to_us},");
            let _ = match chain.nearest {
                Some(nearest) => write!(text, "{nearest:?},{contacts}]"),
                None => write!(text, "null,{contacts}]"),
            };
        }
        if !self.open.is_empty() {
            text.push(']');
        }
    }

    /// Places a contact that is new. Contacts of a person have to come in order of time within a batch.
    pub(crate) fn hear(&mut self, other: u32, time_us: i64, distance: Option<f64>) -> Placed {
        match self.open.binary_search_by_key(&other, |&(other, _)| other) {
            Ok(at) => {
                let chain = &mut self.open[at].1;
                if time_us < chain.from_us {
                    return Placed::Late;
                }
                if chain.reaches(time_us) {
                    chain.add(time_us, distance);
                    return Placed::Open;
                }
                Placed::Closed(std::mem::replace(chain, Chain::at(time_us, distance)))
            }
            Err(_) if time_us <= self.heard_us => Placed::Late,
            Err(at) => {
                self.insert(at, other, Chain::at(time_us, distance));
                Placed::Open
            }
        }
    }

    /// Puts in a chain that was found among the stored contacts. Returns it when it is over; otherwise it
    /// is open now, in place of the parts of it that were.
    pub(crate) fn put(&mut self, other: u32, chain: Chain) -> Option<Chain> {
        match self.open.binary_search_by_key(&other, |&(other, _)| other) {
            Ok(at) if self.open[at].1.from_us > chain.to_us => Some(chain),
            Ok(at) if self.open[at].1.to_us < chain.from_us => {
                Some(std::mem::replace(&mut self.open[at].1, chain))
            }
            Ok(at) => {
                self.open[at].1 = chain;
                None
            }
            Err(at) => {
                self.insert(at, other, chain);
                None
            }
        }
    }

    /// Most people meet few at a time, and there are many of them: no room is kept in reserve.
    fn insert(&mut self, at: usize, other: u32, chain: Chain) {
        self.open.reserve_exact(1);
        self.open.insert(at, (other, chain));
    }

    /// The person's device has been heard of at `time_us`: returns what is over by then.
    pub(crate) fn pass(&mut self, time_us: i64) -> Vec<(u32, Chain)> {
        self.heard_us = self.heard_us.max(time_us);
        let over_us = self.heard_us.saturating_sub(ENCOUNTER_GAP_US);
        if self.open.iter().all(|(_, chain)| chain.to_us >= over_us) {
            return Vec::new();
        }
        self.open.extract_if(.., |(_, chain)| chain.to_us < over_us).collect()
    }

    #[cfg(test)]
    fn open_chains(&self) -> Vec<(u32, Chain)> {
        self.open.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: i64 = 1_000_000;

    /// The encounters of one pair, from all its contacts: the definition itself.
    fn chains(mut contacts: Vec<(i64, Option<f64>)>) -> Vec<Chain> {
        contacts.sort_by_key(|&(time_us, _)| time_us);
        let mut chains: Vec<Chain> = Vec::new();
        for (time_us, distance) in contacts {
            match chains.last_mut() {
                Some(chain) if chain.reaches(time_us) => chain.add(time_us, distance),
                _ => chains.push(Chain::at(time_us, distance)),
            }
        }
        chains
    }

    #[test]
    fn contacts_within_the_gap_are_one_encounter() {
        let mut meetings = Meetings::default();
        for second in 1..=5 {
            assert_eq!(meetings.hear(7, second * S, Some(6.0 - second as f64)), Placed::Open);
        }
        assert_eq!(meetings.pass(5 * S), []);
        let chain = Chain { from_us: S, to_us: 5 * S, nearest: Some(1.0), contacts: 5 };
        assert_eq!(meetings.open_chains(), [(7, chain)]);
        let mut text = String::new();
        meetings.write_open(&mut text);
        assert_eq!(text, "[[7,1000000,5000000,1.0,5]]");
        assert_eq!(Meetings::open_of(&text), [(7, chain)]);
    }

    #[test]
    fn an_encounter_is_over_when_its_hearer_passes_the_gap() {
        let mut meetings = Meetings::default();
        meetings.hear(7, S, None);
        assert_eq!(meetings.pass(S + ENCOUNTER_GAP_US), []);
        assert_eq!(meetings.pass(S + ENCOUNTER_GAP_US + 1), [(7, Chain::at(S, None))]);
        assert_eq!(meetings.open_chains(), []);
    }

    #[test]
    fn a_later_contact_closes_the_one_before() {
        let mut meetings = Meetings::default();
        meetings.hear(7, S, None);
        assert_eq!(meetings.hear(7, 2 * S + ENCOUNTER_GAP_US, None), Placed::Closed(Chain::at(S, None)));
    }

    #[test]
    fn a_contact_older_than_what_is_known_is_late() {
        let mut meetings = Meetings::default();
        meetings.pass(100 * S);
        assert_eq!(meetings.hear(7, 99 * S, None), Placed::Late);
        assert_eq!(meetings.put(7, Chain::at(99 * S, None)), None);
        assert_eq!(meetings.hear(7, 98 * S, None), Placed::Late);
        assert_eq!(meetings.put(7, Chain::at(50 * S, None)), Some(Chain::at(50 * S, None)));
    }

    #[test]
    fn times_at_the_ends_of_the_range_do_not_overflow() {
        let mut meetings = Meetings::default();
        meetings.hear(1, i64::MAX, None);
        meetings.hear(2, i64::MIN, None);
        meetings.pass(i64::MAX);
        assert_eq!(chains(vec![(i64::MIN, None), (i64::MAX, None)]).len(), 2);
    }
}
