//! The rows of the tables.

use coronaz_model::{Identity, Infection, Tick};

use crate::table::{Cells, Column, Kind, Row};

/// How the people of a replicate fare at a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Statistics {
    /// The tick.
    pub tick: Tick,
    /// People, the dead included.
    pub total: u32,
    /// Who can be infected.
    pub susceptible: u32,
    /// Infected, not yet infectious.
    pub latent: u32,
    /// Infectious now.
    pub infectious: u32,
    /// Immune for now.
    pub immune: u32,
    /// Dead.
    pub deceased: u32,
    /// Of the dead, those who were infectious when they died.
    pub deceased_infectious: u32,
    /// Infections in this tick.
    pub infections: u32,
    /// Contacts in this tick: ordered pairs, hearer and heard.
    pub contacts: u64,
}

/// A [`Statistics`] and the replicate it is of.
pub(crate) struct StatisticsRow<'a> {
    pub(crate) replicate: u32,
    pub(crate) statistics: &'a Statistics,
}

impl Row for StatisticsRow<'_> {
    const TABLE: &'static str = "statistics";
    const COLUMNS: &'static [Column] = &[
        ("replicate", Kind::Whole),
        ("tick", Kind::Whole),
        ("total", Kind::Whole),
        ("susceptible", Kind::Whole),
        ("latent", Kind::Whole),
        ("infectious", Kind::Whole),
        ("immune", Kind::Whole),
        ("deceased", Kind::Whole),
        ("deceased_infectious", Kind::Whole),
        ("infections", Kind::Whole),
        ("contacts", Kind::Whole),
    ];

    fn cells(&self, cells: &mut impl Cells) {
        let s = self.statistics;
        cells.whole(self.replicate.into());
        cells.whole(s.tick);
        for count in [s.total, s.susceptible, s.latent, s.infectious, s.immune, s.deceased] {
            cells.whole(count.into());
        }
        cells.whole(s.deceased_infectious.into());
        cells.whole(s.infections.into());
        cells.whole(s.contacts);
    }
}

/// Who was infected by whom.
pub(crate) struct InfectionRow<'a> {
    pub(crate) replicate: u32,
    pub(crate) infection: &'a Infection,
}

impl Row for InfectionRow<'_> {
    const TABLE: &'static str = "infections";
    const COLUMNS: &'static [Column] = &[
        ("replicate", Kind::Whole),
        ("tick", Kind::Whole),
        ("infectee", Kind::Uuid),
        ("infector", Kind::Uuid),
        ("x", Kind::Coordinate),
        ("y", Kind::Coordinate),
    ];

    fn cells(&self, cells: &mut impl Cells) {
        cells.whole(self.replicate.into());
        cells.whole(self.infection.tick);
        cells.uuid(self.infection.infectee);
        cells.uuid(self.infection.infector);
        cells.coordinate(self.infection.place.x);
        cells.coordinate(self.infection.place.y);
    }
}

/// Who heard whom in a tick.
pub(crate) struct ContactRow {
    pub(crate) replicate: u32,
    pub(crate) tick: Tick,
    pub(crate) hearer: Identity,
    pub(crate) heard: Identity,
    /// In units.
    pub(crate) distance: f64,
}

impl Row for ContactRow {
    const TABLE: &'static str = "contacts";
    const COLUMNS: &'static [Column] = &[
        ("replicate", Kind::Whole),
        ("tick", Kind::Whole),
        ("hearer", Kind::Uuid),
        ("heard", Kind::Uuid),
        ("distance", Kind::Real),
    ];

    #[inline]
    fn cells(&self, cells: &mut impl Cells) {
        cells.whole(self.replicate.into());
        cells.whole(self.tick);
        cells.uuid(self.hearer);
        cells.uuid(self.heard);
        cells.real(self.distance);
    }
}

/// Two people who were in range of each other for a while.
pub(crate) struct EncounterRow {
    pub(crate) replicate: u32,
    /// The one with the lower number.
    pub(crate) a: Identity,
    pub(crate) b: Identity,
    pub(crate) from: Tick,
    pub(crate) to: Tick,
    /// Smallest distance, in units.
    pub(crate) nearest: f64,
    /// In how many ticks they were in range.
    pub(crate) ticks: u32,
}

impl Row for EncounterRow {
    const TABLE: &'static str = "encounters";
    const COLUMNS: &'static [Column] = &[
        ("replicate", Kind::Whole),
        ("a", Kind::Uuid),
        ("b", Kind::Uuid),
        ("from_tick", Kind::Whole),
        ("to_tick", Kind::Whole),
        ("nearest", Kind::Real),
        ("ticks", Kind::Whole),
    ];

    fn cells(&self, cells: &mut impl Cells) {
        cells.whole(self.replicate.into());
        cells.uuid(self.a);
        cells.uuid(self.b);
        cells.whole(self.from);
        cells.whole(self.to);
        cells.real(self.nearest);
        cells.whole(self.ticks.into());
    }
}
