//! One person with a device, second by second.
//!
//! A tick has this order (the paper's): move, count the illness down, broadcast, hear, report. The
//! first two are [`Person::begin_tick`]; what is broadcast is [`Person::emission`]; whether a
//! beacon was a contact says [`Person::hears`]; what hearing infectious people led to is decided once, at the
//! end of the tick, by [`Person::end_tick`], so it does not depend on the order of arrival.

use crate::{
    Draws, Health, Illness, Parameters, Position, Stream, Tick, illness,
    movement::{
        Movement,
        avoid::{Alarm, Direction, flight},
        places,
        start::standing,
        step_towards, waypoint_step,
    },
};

/// A person's number within a run; keys its draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonId(pub u32);

/// What others know a device by: the 128 bits of its UUID.
pub type Identity = u128;

/// How a person enters the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spawn {
    /// A given x, or a random one.
    pub x: Option<i32>,
    /// A given y, or a random one.
    pub y: Option<i32>,
    /// Infected from the start.
    pub infected: bool,
}

/// What one beacon tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Emission {
    /// Whose it is.
    pub identity: Identity,
    /// Where the sender stands.
    pub position: Position,
    /// Whether the sender is infectious.
    pub infectious: bool,
    /// False in the last message.
    pub alive: bool,
}

/// Who was infected by whom, when and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Infection {
    /// Who infected; chosen by a keyed draw when several were in range.
    pub infector: Identity,
    /// Who was infected.
    pub infectee: Identity,
    /// When.
    pub tick: Tick,
    /// Where the infected person stood.
    pub place: Position,
}

/// What the beginning of a tick brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Broadcast, hear, report.
    Alive,
    /// Died in this tick: broadcast and report once more, hear nothing.
    LastMessage,
    /// Was dead already: nothing to do.
    Gone,
}

/// A person and the device it carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Number within the run.
    pub id: PersonId,
    /// The device's UUID.
    pub identity: Identity,
    /// Where it stands.
    pub position: Position,
    /// Where it walks to.
    pub goal: Position,
    /// How it fares.
    pub illness: Illness,
    /// Whether it was infectious when it died.
    pub died_infectious: bool,
    /// The tick at which it appeared.
    pub born: Tick,
    /// From this tick on its present illness shows: [`illness::onset`].
    pub onset: Tick,
    /// Which way it flees in the next tick, where people avoid the infectious.
    pub flees: Option<Direction>,
    /// The nearest infectious person noticed in this tick; none between ticks.
    pub alarm: Option<Alarm>,
}

impl Person {
    /// A new person. Random coordinates are keyed by (seed, person), so they do not depend on who came before.
    ///
    /// Where nothing is given, it is where people of these parameters are at the start ([`movement::start`](crate::movement::start)).
    /// A given coordinate must lie on the field; the caller has checked it. Who is put somewhere stands there at `born`.
    #[must_use]
    pub fn spawn(
        parameters: &Parameters,
        draws: Draws,
        id: PersonId,
        identity: Identity,
        spawn: Spawn,
        born: Tick,
    ) -> Self {
        let (position, goal) = match (spawn.x, spawn.y) {
            (None, None) => standing(parameters, draws, id, born),
            (x, y) => {
                let random = draws.place(Stream::Spawn, id, 0, parameters.field());
                let given = Position { x: x.unwrap_or(random.x), y: y.unwrap_or(random.y) };
                (given, given)
            }
        };
        let illness = if spawn.infected { Illness::infected(parameters) } else { Illness::SUSCEPTIBLE };
        Person {
            id,
            identity,
            position,
            goal,
            illness,
            died_infectious: false,
            born,
            onset: if spawn.infected { illness::onset(parameters, draws, id, born) } else { 0 },
            flees: None,
            alarm: None,
        }
    }

    /// Moves and counts the illness down; after `zombie_lifetime` seconds, dies instead.
    pub fn begin_tick(&mut self, parameters: &Parameters, draws: Draws, tick: Tick) -> Phase {
        if self.illness.health == Health::Deceased {
            return Phase::Gone;
        }
        let lifetime = u64::from(parameters.zombie_lifetime);
        if lifetime > 0 && tick >= self.born + lifetime {
            self.die();
            return Phase::LastMessage;
        }
        if parameters.move_when_infected || !(self.illness.health.is_infectious() && tick >= self.onset) {
            self.walk(parameters, draws, tick);
        }
        let illness = self.illness.count_down(parameters);
        let over = self.illness.health == Health::Infectious && illness.health != Health::Infectious;
        if over && illness::is_fatal(parameters, draws, self.id, tick, self.onset) {
            self.die();
            return Phase::LastMessage;
        }
        self.illness = illness;
        Phase::Alive
    }

    fn walk(&mut self, parameters: &Parameters, draws: Draws, tick: Tick) {
        let (at, field) = (self.position, parameters.field());
        let flight = self.flees.take().map(|way| way.step_from(at)).filter(|&to| field.contains(to));
        (self.position, self.goal) = match (parameters.movement, flight) {
            (Movement::Avoid, Some(to)) => (to, self.goal),
            (Movement::Waypoint | Movement::Avoid, _) => {
                waypoint_step(at, self.goal, draws, self.id, tick, field)
            }
            (Movement::Places, _) => {
                let goal = places::goal(at, self.goal, parameters, draws, self.id, tick);
                (step_towards(at, goal), goal)
            }
        };
    }

    /// Dies where it stands.
    pub fn die(&mut self) {
        self.died_infectious = self.illness.health.is_infectious();
        self.flees = None;
        self.illness = Illness { health: Health::Deceased, left_s: 0 };
    }

    /// The beacon of this tick.
    #[must_use]
    pub fn emission(&self) -> Emission {
        Emission {
            identity: self.identity,
            position: self.position,
            infectious: self.illness.health.is_infectious() || self.died_infectious,
            alive: self.illness.health != Health::Deceased,
        }
    }

    /// The squared distance if hearing this beacon is a contact: not one's own, and in range.
    #[inline]
    #[must_use]
    pub fn hears(&self, parameters: &Parameters, beacon: &Emission) -> Option<u64> {
        let distance_squared = self.position.distance_squared(beacon.position);
        let in_range = distance_squared <= parameters.reach().distance_squared_max;
        (in_range && beacon.identity != self.identity && self.illness.health != Health::Deceased)
            .then_some(distance_squared)
    }

    /// Notices the infectious sender of a beacon nearby, where the scenario has people avoid them. To be called for
    /// every beacon of a tick, in any order, also for those too far for a contact.
    pub fn notice(&mut self, parameters: &Parameters, beacon: &Emission) {
        let Some(sensing) = parameters.sensing() else { return };
        if beacon.infectious
            && beacon.identity != self.identity
            && sensing.covers(self.position, beacon.position)
        {
            let alarm = Alarm {
                distance_squared: self.position.distance_squared(beacon.position),
                identity: beacon.identity,
                position: beacon.position,
            };
            self.alarm = Some(self.alarm.map_or(alarm, |nearest| nearest.min(alarm)));
        }
    }

    /// Ends the tick: who is susceptible and heard infectious people in range is infected now (or,
    /// where transmission is not certain, perhaps); who is susceptible still will flee from whom it noticed.
    pub fn end_tick(
        &mut self,
        parameters: &Parameters,
        draws: Draws,
        tick: Tick,
        infectious_heard: impl IntoIterator<Item = Identity>,
    ) -> Option<Infection> {
        let alarm = self.alarm.take();
        self.flees = None;
        if self.illness.health != Health::Susceptible {
            return None;
        }
        let infecting = (infectious_heard.into_iter())
            .filter(|&candidate| infects(parameters, draws, self.id, tick, candidate));
        if let Some(infector) = choose_infector(draws, self.id, tick, infecting) {
            self.illness = Illness::caught(parameters, draws, self.id, tick);
            self.onset = illness::onset(parameters, draws, self.id, tick);
            return Some(Infection { infector, infectee: self.identity, tick, place: self.position });
        }
        let flees =
            |alarm: Alarm| flight(self.position, alarm.position, draws, self.id, tick, parameters.field());
        self.flees = alarm.and_then(flees);
        None
    }
}

/// Whether an infectious person in range infects `person` in this tick.
#[inline]
#[must_use]
pub fn infects(
    parameters: &Parameters,
    draws: Draws,
    person: PersonId,
    tick: Tick,
    infectious: Identity,
) -> bool {
    let probability = parameters.transmission_probability;
    probability >= 1.0 || draws.chance_between(Stream::Transmission, person, tick, infectious, probability)
}

/// Which of the infectious people in range was the infector: the one of the smallest keyed rank.
#[inline]
#[must_use]
pub fn choose_infector(
    draws: Draws,
    person: PersonId,
    tick: Tick,
    candidates: impl IntoIterator<Item = Identity>,
) -> Option<Identity> {
    candidates
        .into_iter()
        .min_by_key(|&candidate| (draws.rank(Stream::Infector, person, tick, candidate), candidate))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person_at(x: i32, y: i32, infected: bool) -> Person {
        let spawn = Spawn { x: Some(x), y: Some(y), infected };
        Person::spawn(&Parameters::default(), Draws::new(1), PersonId(0), 77, spawn, 0)
    }

    #[test]
    fn an_infected_person_stands_still_and_walks_again_when_immune() {
        let (parameters, draws) = (Parameters::default(), Draws::new(1));
        let mut person = person_at(50, 50, true);
        for tick in 1..=15 {
            person.begin_tick(&parameters, draws, tick);
            assert_eq!(person.position, Position { x: 50, y: 50 });
        }
        assert_eq!(person.illness.health, Health::Immune);
        person.begin_tick(&parameters, draws, 16);
        assert_ne!(person.position, Position { x: 50, y: 50 });
    }

    #[test]
    fn an_infected_person_walks_when_the_scenario_says_so() {
        let parameters = Parameters { move_when_infected: true, ..Parameters::default() };
        let mut person = person_at(50, 50, true);
        person.begin_tick(&parameters, Draws::new(1), 1);
        assert_ne!(person.position, Position { x: 50, y: 50 });
    }

    #[test]
    fn a_person_dies_at_the_end_of_its_life_and_dies_infected_when_it_was() {
        let (parameters, draws) = (Parameters { zombie_lifetime: 3, ..Parameters::default() }, Draws::new(1));
        let mut person = person_at(50, 50, true);
        assert_eq!(person.begin_tick(&parameters, draws, 1), Phase::Alive);
        assert_eq!(person.begin_tick(&parameters, draws, 2), Phase::Alive);
        assert_eq!(person.begin_tick(&parameters, draws, 3), Phase::LastMessage);
        let last = person.emission();
        assert!(!last.alive && last.infectious);
        assert_eq!(person.begin_tick(&parameters, draws, 4), Phase::Gone);
    }

    #[test]
    fn an_immune_or_infected_person_is_not_infected_again() {
        let (parameters, draws) = (Parameters::default(), Draws::new(1));
        let mut person = person_at(1, 1, true);
        assert_eq!(person.end_tick(&parameters, draws, 1, [5]), None);
        person.illness = Illness { health: Health::Immune, left_s: 9 };
        assert_eq!(person.end_tick(&parameters, draws, 1, [5]), None);
        person.illness = Illness::SUSCEPTIBLE;
        assert_eq!(person.end_tick(&parameters, draws, 1, []), None);
        assert_eq!(person.end_tick(&parameters, draws, 1, [5]).map(|i| i.infector), Some(5));
        assert!(person.illness.health.is_infectious());
    }

    #[test]
    fn the_infector_does_not_depend_on_the_order_of_hearing() {
        let draws = Draws::new(4);
        let forward = choose_infector(draws, PersonId(1), 8, 100..120);
        assert_eq!(forward, choose_infector(draws, PersonId(1), 8, (100..120).rev()));
        let chosen: std::collections::BTreeSet<_> =
            (0..500).filter_map(|tick| choose_infector(draws, PersonId(1), tick, 100..120)).collect();
        assert_eq!(chosen.len(), 20, "every candidate is the infector at times");
    }

    #[test]
    fn nobody_hears_themselves_and_the_dead_hear_nothing() {
        let parameters = Parameters::default();
        let mut person = person_at(5, 5, false);
        let own = person.emission();
        assert_eq!(person.hears(&parameters, &own), None);
        let other = Emission { identity: 1, ..own };
        assert_eq!(person.hears(&parameters, &other), Some(0));
        person.die();
        assert_eq!(person.hears(&parameters, &other), None);
    }
}
