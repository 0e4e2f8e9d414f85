//! Encounters out of contacts: which contacts of a pair belong together. Pure; knows no database.
//!
//! An encounter of a person with another is a longest chain of its contacts in which none is more than
//! [`ENCOUNTER_GAP_US`] after the one before. That is a property of the set of contacts alone, so it
//! does not depend on the order in which they arrive or on how they were batched. Contacts nearly always
//! come in order of time, and then only the newest encounter of a pair has to be known (it is *open*); a
//! contact that comes late says so, and the caller finds its chain among the stored contacts.

use crate::ENCOUNTER_GAP_US;

/// One meeting of a person with another, as that person's device recorded it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Chain {
    pub(crate) from_us: i64,
    pub(crate) to_us: i64,
    /// The smallest distance of its contacts, if any carries one.
    pub(crate) nearest: Option<f64>,
    pub(crate) contacts: u64,
}

impl Chain {
    /// The encounter that has one contact.
    pub(crate) fn at(time_us: i64, distance: Option<f64>) -> Self {
        Self { from_us: time_us, to_us: time_us, nearest: distance, contacts: 1 }
    }

    /// Adds a contact, wherever it lies.
    pub(crate) fn add(&mut self, time_us: i64, distance: Option<f64>) {
        self.from_us = self.from_us.min(time_us);
        self.to_us = self.to_us.max(time_us);
        self.contacts = self.contacts.saturating_add(1);
        self.nearest = match (self.nearest, distance) {
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

/// An encounter that may go on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Open {
    pub(crate) other: u32,
    pub(crate) chain: Chain,
    /// The store has a row of it.
    pub(crate) stored: bool,
    /// The row is to be written.
    pub(crate) changed: bool,
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
    /// Ascending by `other`, at most one each.
    open: Vec<Open>,
    /// Whose rows are to be removed.
    gone: Vec<u32>,
}

impl Default for Meetings {
    fn default() -> Self {
        Self { heard_us: i64::MIN, open: Vec::new(), gone: Vec::new() }
    }
}

impl Meetings {
    /// As stored.
    pub(crate) fn from_stored(heard_us: i64, open: impl IntoIterator<Item = (u32, Chain)>) -> Self {
        let mut open: Vec<Open> = open
            .into_iter()
            .map(|(other, chain)| Open { other, chain, stored: true, changed: false })
            .collect();
        open.sort_unstable_by_key(|meeting| meeting.other);
        Self { heard_us, open, gone: Vec::new() }
    }

    /// Places a contact that is new. Contacts of a person have to come in order of time within a batch.
    pub(crate) fn hear(&mut self, other: u32, time_us: i64, distance: Option<f64>) -> Placed {
        match self.open.binary_search_by_key(&other, |meeting| meeting.other) {
            Ok(at) => {
                let meeting = &mut self.open[at];
                if time_us < meeting.chain.from_us {
                    return Placed::Late;
                }
                meeting.changed = true;
                if meeting.chain.reaches(time_us) {
                    meeting.chain.add(time_us, distance);
                    return Placed::Open;
                }
                Placed::Closed(std::mem::replace(&mut meeting.chain, Chain::at(time_us, distance)))
            }
            Err(_) if time_us <= self.heard_us => Placed::Late,
            Err(at) => {
                let chain = Chain::at(time_us, distance);
                self.open.insert(at, Open { other, chain, stored: false, changed: true });
                Placed::Open
            }
        }
    }

    /// Puts in a chain that was found among the stored contacts. Returns it when it is over; otherwise it
    /// is open now, in place of the parts of it that were.
    pub(crate) fn put(&mut self, other: u32, chain: Chain) -> Option<Chain> {
        match self.open.binary_search_by_key(&other, |meeting| meeting.other) {
            Ok(at) if self.open[at].chain.from_us > chain.to_us => Some(chain),
            Ok(at) if self.open[at].chain.to_us < chain.from_us => {
                self.open[at].changed = true;
                Some(std::mem::replace(&mut self.open[at].chain, chain))
            }
            Ok(at) => {
                self.open[at].chain = chain;
                self.open[at].changed = true;
                None
            }
            Err(at) => {
                self.open.insert(at, Open { other, chain, stored: false, changed: true });
                None
            }
        }
    }

    /// The person's device has been heard of at `time_us`: returns what is over by then.
    pub(crate) fn pass(&mut self, time_us: i64) -> Vec<(u32, Chain)> {
        self.heard_us = self.heard_us.max(time_us);
        let over_us = self.heard_us.saturating_sub(ENCOUNTER_GAP_US);
        if self.open.iter().all(|meeting| meeting.chain.to_us >= over_us) {
            return Vec::new();
        }
        let mut over = Vec::new();
        let gone = &mut self.gone;
        self.open.retain(|meeting| {
            let stays = meeting.chain.to_us >= over_us;
            if !stays {
                over.push((meeting.other, meeting.chain));
                if meeting.stored {
                    gone.push(meeting.other);
                }
            }
            stays
        });
        over
    }

    /// What the store's rows have to become: those to remove, and those to write. Afterwards they count
    /// as written.
    pub(crate) fn changes(&mut self) -> (Vec<u32>, Vec<(u32, Chain)>) {
        let mut written = Vec::new();
        for meeting in &mut self.open {
            if std::mem::take(&mut meeting.changed) {
                meeting.stored = true;
                written.push((meeting.other, meeting.chain));
            }
        }
        (std::mem::take(&mut self.gone), written)
    }

    #[cfg(test)]
    fn open_chains(&self) -> Vec<(u32, Chain)> {
        self.open.iter().map(|meeting| (meeting.other, meeting.chain)).collect()
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
        assert_eq!(meetings.changes(), (vec![], vec![(7, chain)]));
        assert_eq!(meetings.changes(), (vec![], vec![]));
    }

    #[test]
    fn an_encounter_is_over_when_its_hearer_passes_the_gap() {
        let mut meetings = Meetings::default();
        meetings.hear(7, S, None);
        meetings.changes();
        assert_eq!(meetings.pass(S + ENCOUNTER_GAP_US), []);
        assert_eq!(meetings.pass(S + ENCOUNTER_GAP_US + 1), [(7, Chain::at(S, None))]);
        assert_eq!(meetings.changes(), (vec![7], vec![]));
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
