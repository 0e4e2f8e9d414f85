//! The reports of those of the fleet who heard guests: a device's, one for each second in which there is something to tell.

use std::collections::BTreeMap;

use coronaz_bus::ContentType;
use coronaz_model::{Health, Identity, Infection, PersonId, fleet::Standing, identity::identity_of};
use coronaz_wire::{Contact, Report, Totals};
use uuid::Uuid;

use crate::fleet::publisher::Outgoing;

/// What a person has told so far.
#[derive(Debug, Clone, Copy, Default)]
struct Told {
    seq: u64,
    totals: Totals,
}

/// Makes reports.
pub(super) struct Tellers {
    run: Uuid,
    base: Identity,
    start_us: i64,
    /// Everybody who has met a guest: as many as do, and never more than the fleet has people.
    told: BTreeMap<PersonId, Told>,
}

impl Tellers {
    pub(super) fn new(run: Uuid, base: Identity, start_us: i64) -> Self {
        Tellers { run, base, start_us, told: BTreeMap::new() }
    }

    /// The report of a person who heard guests (UUID, when, square of the distance) in a second.
    ///
    /// It is handed over once, and the publisher sends these same bytes until they have arrived: so its
    /// contacts are stored once.
    pub(super) fn report(
        &mut self,
        standing: &Standing,
        heard: Vec<(Identity, i64, u64)>,
        infections: &BTreeMap<Identity, Infection>,
        now_us: i64,
    ) -> Outgoing {
        let identity = identity_of(self.base, standing.id);
        let uuid = Uuid::from_u128(identity);
        let told = self.told.entry(standing.id).or_default();
        let mut contacts: Vec<Contact> = (heard.into_iter())
            .map(|(guest, timestamp_us, distance_squared)| Contact {
                uuid: Uuid::from_u128(guest),
                timestamp_us,
                distance: Some((distance_squared as f64).sqrt()),
            })
            .collect();
        contacts.sort_unstable_by_key(|contact| (contact.timestamp_us, contact.uuid));
        for contact in &contacts {
            told.totals.add(uuid, contact.uuid, contact.timestamp_us);
        }
        let report = Report {
            uuid,
            position: [standing.position.x, standing.position.y],
            infected: standing.health.is_infectious() || standing.died_infectious,
            timestamp_us: now_us,
            alive: standing.health != Health::Deceased,
            contacts,
            run: Some(self.run),
            start_us: Some(self.start_us),
            seq: Some(told.seq),
            tick: None,
            immune: Some(standing.health == Health::Immune),
            infected_by: infections.get(&identity).map(|infection| Uuid::from_u128(infection.infector)),
            totals: Some(told.totals),
        };
        told.seq += 1;
        Outgoing {
            key: uuid.to_string().into(),
            payload: report.encode(),
            content_type: ContentType::JSON,
            shard: None,
        }
    }
}
