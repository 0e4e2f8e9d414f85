//! A run's head: its counters and figures after its newest commit. Whoever reads sees what the head in the run's document
//! says, and no row of a commit after it.

use super::codec::{Fields, bytes, count, uuid};
use super::trouble::Trouble;
use crate::Figures;
use crate::run_clock::RunClock;
use coronaz_wire::frame::Population;
use mongodb::bson::{Bson, Document, doc};
use std::collections::BTreeMap;
use uuid::Uuid;

/// The head of a run that was deleted: above every commit, so that none of it comes back.
pub(super) const DELETED: i64 = i64::MAX;

/// What a commit reads and changes of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Head {
    /// The number of its newest commit; 0: none yet.
    pub(super) n: i64,
    pub(super) announced: bool,
    pub(super) started_us: Option<i64>,
    /// What time it is in the run.
    pub(super) last_us: Option<i64>,
    pub(super) clock: RunClock,
    /// When it was written to last, by the clocks of those who wrote.
    pub(super) stored_us: i64,
    pub(super) nodes: u32,
    pub(super) reports: u64,
    pub(super) states: u64,
    pub(super) since_state: u32,
    pub(super) snapshot_at: u64,
    pub(super) figures: Figures,
    pub(super) contacts: u64,
    pub(super) infections: u64,
    /// The people, if it is a fleet.
    pub(super) fleet: Option<Population>,
    /// The highest coordinates of the field, if it was announced.
    pub(super) field: Option<[i64; 2]>,
    /// By partition: its records below this place are in.
    pub(super) next: BTreeMap<i32, Place>,
}

/// A place in one of the logs that a partition has had, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Place {
    /// Which log: [`crate::PartitionOffset::life`].
    pub(super) life: u32,
    pub(super) offset: i64,
}

impl Place {
    /// The offset in this log; the beginning if it is a place in an earlier one.
    pub(super) fn in_life(self, life: u32) -> i64 {
        if self.life == life { self.offset } else { 0 }
    }

    /// In the first log it is the offset alone, as it was before there could be others.
    pub(super) fn bson(self) -> Bson {
        match self.life {
            0 => Bson::Int64(self.offset),
            life => doc! {"life": i64::from(life), "offset": self.offset}.into(),
        }
    }

    fn read(bson: &Bson) -> Result<Self, Trouble> {
        match (bson.as_i64(), bson.as_document()) {
            (Some(offset), _) => Ok(Self { life: 0, offset }),
            (_, Some(place)) => Self::of(place),
            _ => Err(Trouble::Damaged("next")),
        }
    }

    /// Of a document that stands at `offset`, of a log after the first one with `life`.
    pub(super) fn of(document: &Document) -> Result<Self, Trouble> {
        let life = document.optional_int("life").unwrap_or(0);
        Ok(Self {
            life: u32::try_from(life).map_err(|_| Trouble::Damaged("life"))?,
            offset: document.int("offset")?,
        })
    }
}

impl Head {
    /// The place from which on a partition's records are not in yet.
    pub(super) fn next(&self, partition: i32) -> Place {
        self.next.get(&partition).copied().unwrap_or_default()
    }

    /// Whether the run was deleted.
    pub(super) fn is_deleted(&self) -> bool {
        self.n == DELETED
    }

    pub(super) fn document(&self) -> Document {
        let next: Document = self.next.iter().map(|(p, next)| (p.to_string(), next.bson())).collect();
        // `n` is first: a head gives way to one with a higher number.
        let mut head = doc! {
            "n": self.n,
            "announced": self.announced,
            "stored_us": self.stored_us,
            "nodes": i64::from(self.nodes),
            "reports": count(self.reports),
            "states": count(self.states),
            "since_state": i64::from(self.since_state),
            "snapshot_at": count(self.snapshot_at),
            "contacts": count(self.contacts),
            "infections": count(self.infections),
            "next": next,
            "recent": bytes(self.clock.to_bytes()),
        };
        put_figures(&mut head, &self.figures);
        if let Some(started_us) = self.started_us {
            head.insert("started_us", started_us);
        }
        if let Some(last_us) = self.last_us {
            head.insert("last_us", last_us);
        }
        if let Some([width, height]) = self.field {
            head.insert("field", vec![width, height]);
        }
        if let Some(Population { base, people, shard_people, .. }) = self.fleet {
            let (people, shard_people) = (i64::from(people), i64::from(shard_people));
            head.insert("fleet", doc! {"base": uuid(base), "people": people, "shard_people": shard_people});
        }
        head
    }

    pub(super) fn read(run: Uuid, head: &Document) -> Result<Self, Trouble> {
        let fleet = match head.get("fleet").and_then(Bson::as_document) {
            Some(fleet) => Some(Population {
                run,
                base: fleet.uuid("base")?,
                people: fleet.small("people")?,
                shard_people: fleet.small("shard_people")?,
            }),
            None => None,
        };
        let mut next = BTreeMap::new();
        for (partition, offset) in head.part("next")? {
            let partition = partition.parse().map_err(|_| Trouble::Damaged("next"))?;
            next.insert(partition, Place::read(offset)?);
        }
        Ok(Self {
            n: head.int("n")?,
            announced: head.flag("announced"),
            started_us: head.optional_int("started_us"),
            last_us: head.optional_int("last_us"),
            // Heads of earlier versions have none.
            clock: head.blob("recent").map(RunClock::from_bytes).unwrap_or_default(),
            stored_us: head.int("stored_us")?,
            nodes: head.small("nodes")?,
            reports: head.count("reports")?,
            states: head.count("states")?,
            since_state: head.small("since_state")?,
            snapshot_at: head.count("snapshot_at")?,
            figures: read_figures(head)?,
            contacts: head.count("contacts")?,
            infections: head.count("infections")?,
            fleet,
            field: read_field(head),
            next,
        })
    }
}

/// Heads of earlier versions have none.
fn read_field(head: &Document) -> Option<[i64; 2]> {
    match head.get_array("field").ok()?.as_slice() {
        [width, height] => Some([width.as_i64()?, height.as_i64()?]),
        _ => None,
    }
}

/// Puts figures into a document.
pub(super) fn put_figures(document: &mut Document, figures: &Figures) {
    let Figures { total, zombies, deaths, dead_zombies, immune } = *figures;
    let all = [
        ("total", total),
        ("zombies", zombies),
        ("deaths", deaths),
        ("dead_zombies", dead_zombies),
        ("immune", immune),
    ];
    for (name, figure) in all {
        document.insert(name, i64::from(figure));
    }
}

/// The figures of a document.
pub(super) fn read_figures(document: &Document) -> Result<Figures, Trouble> {
    Ok(Figures {
        total: document.small("total")?,
        zombies: document.small("zombies")?,
        deaths: document.small("deaths")?,
        dead_zombies: document.small("dead_zombies")?,
        immune: document.small("immune")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_comes_back_from_its_document() {
        let run = Uuid::from_u128(7);
        let population = Population { run, base: Uuid::from_u128(9), people: 10, shard_people: 5 };
        let head = Head {
            n: 12,
            started_us: Some(-5),
            reports: 9,
            figures: Figures { total: 1, zombies: 2, deaths: 3, dead_zombies: 4, immune: 5 },
            fleet: Some(population),
            field: Some([100, 60]),
            next: [(0, Place { life: 0, offset: 17 }), (12, Place { life: 3, offset: i64::MAX })].into(),
            ..Head::default()
        };
        assert_eq!(Head::read(run, &head.document()).expect("a head"), head);
        assert_eq!(head.document().keys().next().map(String::as_str), Some("n"));
    }
}
