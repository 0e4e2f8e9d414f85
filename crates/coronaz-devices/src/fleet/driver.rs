//! The engine with everything around it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use coronaz_bus::ContentType;
use coronaz_model::{Fleet, Health, Tick};
use coronaz_wire::{
    Announcement, Scenario, announcement::ForkedFrom, announcement::RunKind, guests, names,
    timestamp::SECOND_US,
};

use super::{
    FleetConfig, FleetError, Summary,
    beginning::{self, Begun},
    bridge::{Bridge, WallPace},
    checkpoint::{self, Heading},
    crew::Crew,
    keeper::Keeper,
    pace::{Pace, Speed},
    progress::Progress,
    publisher::{Outgoing, Publisher},
    scribe::Scribe,
    tracker::Tracker,
};
use crate::{
    nodes::{
        Stop,
        clock::{self, SystemClock},
    },
    scenario,
};

/// While nothing is due, so often the fleet looks whether it was asked to stop.
const STOP_LOOK: Duration = Duration::from_millis(50);
/// So often a bridge looks at its radio.
const RADIO_LOOK: Duration = Duration::from_millis(5);
/// A resumed run that is behind by more goes on from where it was; by less, it catches up with the clock.
const CATCH_UP_MAX: Duration = Duration::from_secs(3_600);
/// It has caught up when it is behind by no more.
const CAUGHT_UP: Duration = Duration::from_secs(1);

pub(super) struct Driver<'a> {
    config: &'a FleetConfig,
    fleet: Fleet,
    scribes: Vec<Scribe>,
    tracker: Tracker,
    publisher: Publisher,
    /// When tick 0 was.
    started_us: i64,
    /// The run's first tick, and when it was by the clock.
    first: (Tick, i64),
    resumed: bool,
    forked_from: Option<ForkedFrom>,
    keeper: Option<Keeper>,
    /// With guests: what the fleet is to them, and its pace.
    bridge: Option<(Bridge, WallPace)>,
}

impl<'a> Driver<'a> {
    /// A fleet ready to live; `None` when asked to stop before it was.
    pub(super) fn new(
        config: &'a FleetConfig,
        publisher: Publisher,
        stop: &Stop,
    ) -> Result<Option<Self>, FleetError> {
        let keeper = config.checkpoints.as_ref().map(|config_of| Keeper::new(config_of, config.run));
        let keeper = keeper.transpose()?;
        let Some(begun) = beginning::begin(config, stop)? else { return Ok(None) };
        let Begun { fleet, scribes, tracker, mut started_us, first, forked_from, resumed } = begun;
        let bridge = match &config.bridge {
            Some(bridge) => {
                // Ticks are the seconds of the clock: the next one is the first.
                let now = clock::now_us();
                started_us += clock::beginning_us(clock::second_of(now) + 1) - now;
                started_us -= started_us.rem_euclid(SECOND_US);
                let people = (fleet.parameters(), fleet.base(), fleet.count());
                let pace = WallPace::new(Arc::new(SystemClock));
                Some((Bridge::new(bridge, config.run, people, now)?, pace))
            }
            None => None,
        };
        let driver = Driver {
            config,
            fleet,
            scribes,
            tracker,
            publisher,
            started_us,
            first,
            resumed,
            forked_from,
            keeper,
            bridge,
        };
        Ok(Some(driver))
    }

    pub(super) fn live(mut self, stop: &Stop) -> Summary {
        if !self.resumed {
            self.save_beginning();
        }
        self.announce();
        let begun = Instant::now();
        let (pace, mut catching_up) = self.pace(begun);
        let mut progress = Progress::new(begun, self.fleet.tick(), self.fleet.count());
        if !self.resumed {
            let time_us = self.time_us();
            self.tracker.place(&self.fleet, time_us);
            self.publish();
        }
        while !self.is_over(begun) && self.wait(&pace, stop) {
            let hurries = self.config.speed == Speed::Max || catching_up;
            if hurries && !self.publisher.wait_for_room(stop) {
                break;
            }
            self.tick();
            let behind = self.behind(&pace);
            catching_up &= behind > CAUGHT_UP;
            progress.tell(&self.fleet, behind, &self.publisher.figures());
        }
        let behind = self.behind(&pace);
        if self.fleet.has_begun() {
            self.wait(&pace, stop);
            self.end_tick();
        }
        self.conclude(behind)
    }

    /// The run's pace, and whether it has to catch up with it.
    fn pace(&self, now: Instant) -> (Pace, bool) {
        let (first, first_us) = self.first;
        let tick = self.fleet.tick();
        let fresh = Pace::new(now, tick, self.config.speed);
        let since = u64::try_from(clock::now_us() - first_us).map(Duration::from_micros);
        let began = since.ok().and_then(|since| now.checked_sub(since));
        let Some(began) = began else { return (fresh, false) };
        let pace = Pace::new(began, first, self.config.speed);
        let behind = pace.behind(tick, now);
        if pace.until(tick, now) > CAUGHT_UP {
            tracing::info!(
                tick,
                "the run is ahead of its pace, or the clock was set back: it continues from where it was"
            );
            return (fresh, false);
        }
        if behind > CATCH_UP_MAX {
            tracing::info!(tick, "the run goes on from where it was");
            return (fresh, false);
        }
        if behind > CAUGHT_UP {
            tracing::info!(
                tick,
                behind_s = behind.as_secs(),
                "the run goes on, and catches up with the clock"
            );
        }
        (pace, behind > CAUGHT_UP)
    }

    fn conclude(self, behind: Duration) -> Summary {
        let offered = self.publisher.offered();
        let heading = self.heading();
        let Driver { config, fleet, tracker, publisher, keeper, bridge, .. } = self;
        let (census, records) = (tracker.census(), publisher.finish());
        if let Some(keeper) = keeper {
            let make = || checkpoint::encode(heading, &tracker.memories(), &fleet);
            keeper.finish(fleet.tick(), (offered, records.safe), make);
        }
        Summary {
            tick: fleet.tick(),
            digest: fleet.digest().value(),
            behind,
            records,
            contacts: census.contacts,
            infections: census.infections,
            spooled: config.spool.is_some(),
            guests: bridge.map(|(bridge, _)| bridge.figures()),
        }
    }

    /// Goes on to the next tick. With a bridge, ends the one that has begun, and begins it.
    fn tick(&mut self) {
        if self.bridge.is_none() {
            self.fleet.step(&Crew, &mut self.scribes);
            self.tell();
            return;
        }
        if self.fleet.has_begun() {
            self.end_tick();
        }
        self.fleet.begin_tick(&Crew);
        let time_us = self.time_us();
        if let Some((bridge, pace)) = &mut self.bridge {
            bridge.begin_second(pace.second_at(time_us), &self.fleet, pace.now_us());
        }
    }

    /// The second is over in which the fleet's people were heard, and heard their guests.
    fn end_tick(&mut self) {
        let now = clock::now_us();
        let Some((bridge, _)) = &mut self.bridge else { return };
        let guests = bridge.guests(&self.fleet, now);
        self.fleet.end_tick(&Crew, &mut self.scribes, &guests);
        for report in bridge.reports(&self.fleet, &self.scribes, now) {
            self.publisher.offer(report);
        }
        self.tell();
    }

    /// Tells what the tick that is over has brought.
    fn tell(&mut self) {
        for shard in self.publisher.take_gaps() {
            self.tracker.want_key(shard);
        }
        let time_us = self.time_us();
        self.tracker.follow(&self.fleet, &mut self.scribes, time_us);
        self.publish();
        self.save();
    }

    /// Makes a checkpoint of the run's first tick.
    fn save_beginning(&mut self) {
        if self.keeper.is_none() {
            return;
        }
        let bytes = checkpoint::encode(self.heading(), &self.tracker.memories(), &self.fleet);
        if let Some(keeper) = &mut self.keeper {
            keeper.begin(self.fleet.tick(), bytes);
        }
    }

    /// Makes a checkpoint if it is time, and writes it when it can be.
    fn save(&mut self) {
        let tick = self.fleet.tick();
        let wanted = self.keeper.as_ref().is_some_and(|keeper| keeper.wants(tick));
        let made = wanted.then(|| checkpoint::encode(self.heading(), &self.tracker.memories(), &self.fleet));
        let Some(keeper) = &mut self.keeper else { return };
        if let Some(bytes) = made {
            keeper.keep(tick, self.publisher.offered(), bytes);
        }
        keeper.turn(self.publisher.figures().safe);
    }

    fn publish(&mut self) {
        for record in self.tracker.take_records() {
            self.publisher.offer(record);
        }
    }

    /// When the fleet's tick is, in microseconds since 1970.
    fn time_us(&self) -> i64 {
        let tick = i64::try_from(self.fleet.tick()).unwrap_or(i64::MAX);
        self.started_us.saturating_add(tick.saturating_mul(SECOND_US))
    }

    fn heading(&self) -> Heading {
        Heading {
            run: self.config.run,
            started_us: self.started_us,
            first: self.first,
            seed: self.config.seed,
            people: self.fleet.count(),
            infected: self.config.infected,
            scenario: self.scenario().to_toml(),
            forked_from: self.forked_from.clone(),
            shards: Vec::new(),
        }
    }

    /// The scenario as it is run.
    fn scenario(&self) -> Scenario {
        let FleetConfig { scenario, parameters, seed, infected, .. } = self.config;
        Scenario {
            nodes: self.fleet.count() - infected,
            infected: *infected,
            seed: Some(*seed),
            parameters: scenario::settings(parameters),
            ..scenario.clone()
        }
    }

    fn announce(&mut self) {
        let FleetConfig { run, parameters, seed, .. } = self.config;
        let scenario = self.scenario();
        let announcement =
            scenario::announcement(*run, RunKind::Fleet, *seed, self.started_us, &scenario, parameters);
        self.offer_announcement(&Announcement { forked_from: self.forked_from.clone(), ..announcement });
        if self.bridge.is_some() {
            let guests = guests::run_of(*run);
            tracing::info!(
                fleet = %run,
                run = %guests,
                field_width = parameters.field_width,
                field_height = parameters.field_height,
                "guests are welcome: coronaz node --join"
            );
            let name = names::shortened(&format!("guests of {}", scenario.name));
            let scenario = Scenario { name, nodes: 0, infected: 0, ..scenario };
            let announcement =
                scenario::announcement(guests, RunKind::Nodes, *seed, self.time_us(), &scenario, parameters);
            self.offer_announcement(&Announcement { guests_of: Some(*run), ..announcement });
        }
    }

    fn offer_announcement(&mut self, announcement: &Announcement) {
        self.publisher.offer(Outgoing {
            key: announcement.run.to_string().into(),
            payload: announcement.encode(),
            content_type: ContentType::RUN,
            shard: None,
        });
    }

    fn is_over(&self, begun: Instant) -> bool {
        let of = |health| self.fleet.census().of(health);
        let FleetConfig { ticks, live_for, until_over, .. } = *self.config;
        ticks.is_some_and(|last| self.fleet.tick() >= last)
            || live_for.is_some_and(|time| begun.elapsed() >= time)
            || of(Health::Deceased) == u64::from(self.fleet.count())
            || (until_over && of(Health::Latent) + of(Health::Infectious) == 0)
    }

    fn behind(&self, pace: &Pace) -> Duration {
        match &self.bridge {
            Some((_, pace)) => pace.since(self.time_us()).saturating_sub(Duration::from_secs(1)),
            None => pace.behind(self.fleet.tick(), Instant::now()),
        }
    }

    /// How long until the next tick is due.
    fn until(&mut self, pace: &Pace, tick: Tick) -> Duration {
        let next_us = self.time_us().saturating_add(SECOND_US);
        let Some((bridge, pace)) = &mut self.bridge else { return pace.until(tick, Instant::now()) };
        if let Some(second) = pace.follow(next_us) {
            bridge.set_clock(second);
        }
        pace.until(next_us)
    }

    /// Waits until the next tick is due; `false` when asked to stop instead.
    fn wait(&mut self, pace: &Pace, stop: &Stop) -> bool {
        loop {
            if stop.is_asked() {
                return false;
            }
            let left = self.until(pace, self.fleet.tick() + 1);
            if left.is_zero() {
                return true;
            }
            let mut look = STOP_LOOK;
            if let (Some((bridge, pace)), true) = (&mut self.bridge, self.fleet.has_begun()) {
                let more = bridge.look(&self.fleet, pace.now_us());
                look = if more { Duration::ZERO } else { RADIO_LOOK };
            }
            std::thread::sleep(left.min(look));
        }
    }
}
