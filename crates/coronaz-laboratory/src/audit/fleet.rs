//! A fleet: computed again, and compared with what the store has of it, tick by tick.

use coronaz_model::fleet::{Columns, Pool};
use coronaz_model::{Health, Tick};
use coronaz_store::{
    Queries, StoreError,
    ledger::ShardKept,
    queries::Span,
    view::{Moment, Run},
};
use coronaz_wire::{
    frame::{self, ShardMirror},
    guests,
    timestamp::SECOND_US,
};

use super::{
    AuditError, AuditOptions, Compared, Until, Verdict, Watch,
    crew::Crew,
    frames::Frames,
    history::{Caught, History, Met},
    infections::Infections,
    merge::{Difference, Tally, merge},
    tell,
};

/// Moments asked for at once.
const MOMENTS_A_PAGE: u64 = 256;
/// Strips of the map that one job compares.
const STRIPS_A_JOB: usize = 64;

/// Audits a fleet's run.
pub(super) fn audit(
    store: &dyn Queries,
    run: &Run,
    options: &AuditOptions,
    watch: Watch<'_>,
) -> Result<Verdict, AuditError> {
    let crew = Crew::new(options.threads)?;
    let mut verdict = Verdict::new(run.id, "fleet");
    let mut shards = store.fleet_shards(run.id)?;
    bound(&mut shards, &mut verdict);
    let Some(newest) = shards.iter().map(|shard| shard.last).max().max(options.ticks) else {
        verdict.unchecked.push("everything: no frame of the fleet is in the store".to_owned());
        return Ok(verdict);
    };
    let history = History::begin(store, run, &crew, watch)?;
    let last = last_tick(run, options, &shards, newest, &history);
    verdict.watermark.tick = last;
    verdict.watermark.newest_tick = Some(newest);
    verdict.watermark.shards = shards.iter().map(|shard| shard.last).collect();
    let Some(last) = last else {
        verdict
            .unchecked
            .push("everything: some shard of the fleet has no frame in the store yet".to_owned());
        return Ok(verdict);
    };
    verdict.waiting = shards.iter().map(|shard| shard.last.saturating_sub(last)).sum();
    let mut comparing = Comparing::new(store, run, history, crew, verdict)?;
    comparing.run(last, watch)?;
    Ok(comparing.finish())
}

/// Ticks without a frame that are computed all the same, an hour of them: outages in which frames were lost.
const GAPS_MAX: Tick = 3_600;

/// Computes nothing up to a tick that a single frame claims: a shard reaches as far as it has frames, and some gaps.
fn bound(shards: &mut [ShardKept], verdict: &mut Verdict) {
    for shard in shards {
        let most = shard.first.saturating_add(shard.ticks).saturating_add(GAPS_MAX);
        if shard.last > most {
            verdict.unchecked.push(format!(
                "ticks after {most} of shard {}: its newest frame says tick {}, and there are frames of {} ticks only",
                shard.shard, shard.last, shard.ticks
            ));
            shard.last = most;
        }
    }
}

/// Up to which tick is compared; `None`: a shard has nothing yet.
fn last_tick(
    run: &Run,
    options: &AuditOptions,
    shards: &[ShardKept],
    newest: Tick,
    history: &History,
) -> Option<Tick> {
    if options.until == Until::End {
        return Some(newest.max(history.first_tick));
    }
    let people = u32::try_from(run.nodes).unwrap_or(u32::MAX);
    // A population is cut into as many shards as are needed, or more; all begin in the first tick.
    let least = people.div_ceil(frame::SHARD_PEOPLE_MAX) as usize;
    let whole = shards.iter().zip(0..).all(|(kept, number)| kept.shard == number) && shards.len() >= least;
    let reached = shards.iter().map(|shard| shard.last).min().filter(|_| whole)?;
    // Of the newest tick some parts may still be on their way, unless it is a moment already.
    Some(if run.moments > reached { reached } else { reached.saturating_sub(1).max(history.first_tick) })
}

/// The comparison, at some tick.
struct Comparing<'a> {
    store: &'a dyn Queries,
    run: &'a Run,
    crew: Crew,
    history: History,
    frames: Frames,
    rows: Infections,
    moments: Vec<Moment>,
    verdict: Verdict,
    contacts: Compared,
    infections: Compared,
    infection_rows: Compared,
    people: Compared,
    moment_rows: Compared,
    frame_rows: Compared,
    /// The time of tick 0.
    origin_us: Option<i64>,
    guests: Guests,
}

/// Devices on a real radio that were in the fleet's world.
enum Guests {
    None,
    /// Their run, and how many infections are theirs.
    Some {
        run: uuid::Uuid,
        infections: u64,
    },
}

impl<'a> Comparing<'a> {
    fn new(
        store: &'a dyn Queries,
        run: &'a Run,
        history: History,
        crew: Crew,
        verdict: Verdict,
    ) -> Result<Self, AuditError> {
        let guests = match store.run(guests::run_of(run.id)) {
            Ok(guests) => Guests::Some { run: guests.id, infections: 0 },
            Err(StoreError::NoSuchRun(_)) => Guests::None,
            Err(error) => return Err(error.into()),
        };
        Ok(Comparing {
            frames: Frames::new(run.id, history.fleet.count()),
            rows: Infections::of(run.id),
            moments: Vec::new(),
            contacts: Compared::of("contacts"),
            infections: Compared::of("infections"),
            infection_rows: Compared::of("infection rows"),
            people: Compared::of("people"),
            moment_rows: Compared::of("moments"),
            frame_rows: Compared::of("frames"),
            origin_us: None,
            store,
            run,
            crew,
            history,
            verdict,
            guests,
        })
    }

    /// Compares all ticks up to the last.
    fn run(&mut self, last: Tick, watch: Watch<'_>) -> Result<(), AuditError> {
        let (first, sensing) = (self.history.first_tick, self.history.fleet.parameters().sensing().is_some());
        loop {
            let tick = self.history.fleet.tick();
            tell(watch, "ticks", tick - first, last - first + 1)?;
            if sensing && matches!(self.guests, Guests::Some { .. }) && tick > first {
                let reason = "where people avoid the infectious, guests on the radio change who goes where";
                self.verdict.unchecked.push(format!("ticks {tick} to {last}: {reason}"));
                self.verdict.watermark.tick = Some(tick - 1);
                break;
            }
            self.compare(tick)?;
            if tick >= last {
                break;
            }
            self.history.step(&self.crew);
        }
        self.verdict.watermark.time_ms = self.time_us(self.history.fleet.tick()).map(|time| time / 1_000);
        self.end_rows()
    }

    /// The time of a tick, once a frame has told one.
    fn time_us(&self, tick: Tick) -> Option<i64> {
        let since_us = i64::try_from(tick).unwrap_or(i64::MAX).saturating_mul(SECOND_US);
        self.origin_us.map(|origin_us| origin_us.saturating_add(since_us))
    }

    fn compare(&mut self, tick: Tick) -> Result<(), AuditError> {
        let told_us = self.frames.read(self.store, tick, self.time_us(tick))?;
        if let (None, Some(told_us)) = (self.origin_us, told_us) {
            let since_us = i64::try_from(tick).unwrap_or(i64::MAX).saturating_mul(SECOND_US);
            self.origin_us = Some(told_us.saturating_sub(since_us));
        }
        self.compare_frames();
        self.take_guests(tick)?;
        self.compare_contacts(tick);
        self.compare_infections(tick);
        self.compare_infection_rows(tick)?;
        self.compare_people(tick);
        self.compare_moment(tick)
    }

    fn compare_frames(&mut self) {
        let frames = &self.frames;
        let (strange, unreadable) = (frames.strange.len() as u64, frames.unreadable);
        self.frame_rows.wrong += strange + unreadable;
        for what in &frames.strange {
            self.verdict.tell(|| what.clone());
        }
        if unreadable > 0 {
            self.verdict
                .tell(|| format!("tick {}: {unreadable} frames cannot be read", self.history.fleet.tick()));
        }
    }

    /// Infections by somebody who is none of the fleet are taken from the frames, if that somebody was there: the
    /// guests' run has to have a contact of the infected person in this second.
    fn take_guests(&mut self, tick: Tick) -> Result<(), AuditError> {
        let (Guests::Some { run, .. }, Some(time_us)) = (&self.guests, self.time_us(tick)) else {
            return Ok(());
        };
        let guests = *run;
        let theirs: Vec<u32> = (self.frames.infections.iter())
            .filter(|(infectee, infector)| infector.is_none() && *infectee < self.history.fleet.count())
            .map(|&(infectee, _)| infectee)
            .collect();
        for infectee in theirs {
            // A guest's beacon carries its own clock's second, which may be the one before.
            let span = Span { from_us: time_us - SECOND_US, to_us: time_us + 2 * SECOND_US };
            let id = self.history.id_of(infectee);
            let met = match self.store.contacts(guests, id, span, None, 1) {
                Ok(page) => !page.items.is_empty(),
                Err(StoreError::NoSuchNode { .. }) => false,
                Err(error) => return Err(error.into()),
            };
            if met {
                self.history.infect(infectee);
                if let Guests::Some { infections, .. } = &mut self.guests {
                    *infections += 1;
                }
            }
        }
        Ok(())
    }

    fn compare_contacts(&mut self, tick: Tick) {
        let (expected, stored) = (&self.history.contacts, &self.frames.contacts);
        let verdict = &mut self.verdict;
        let tally = merge(
            expected,
            stored,
            |met| (met.hearer, met.heard),
            |difference| {
                verdict.tell(|| tell_contact(tick, difference));
            },
        );
        self.contacts.add(expected.len(), stored.len(), tally);
    }

    fn compare_infections(&mut self, tick: Tick) {
        let expected: Vec<(u32, Option<u32>)> =
            self.history.infections.iter().map(|caught| (caught.infectee, caught.infector)).collect();
        let stored = &self.frames.infections;
        let verdict = &mut self.verdict;
        let tally = merge(
            &expected,
            stored,
            |pair| pair.0,
            |difference| {
                verdict.tell(|| format!("tick {tick}: infection in the frames {}", words(&difference)));
            },
        );
        self.infections.add(expected.len(), stored.len(), tally);
    }

    fn compare_infection_rows(&mut self, tick: Tick) -> Result<(), AuditError> {
        let Some(time_us) = self.time_us(tick) else {
            self.infection_rows.add(
                self.history.infections.len(),
                0,
                Tally { lost: self.history.infections.len() as u64, ..Tally::default() },
            );
            return Ok(());
        };
        let base = self.history.fleet.base();
        let number = |id: uuid::Uuid| {
            coronaz_model::identity::person_of(base, id.as_u128()).map_or(u32::MAX, |person| person.0)
        };
        let rows = self.rows.take_until(self.store, time_us)?;
        let (now, before): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.time_us == time_us);
        for row in &before {
            self.verdict
                .tell(|| format!("infection of {} at {} µs, which is no tick", row.infectee, row.time_us));
        }
        let mut stored: Vec<Caught> = (now.iter())
            .map(|row| Caught {
                infectee: number(row.infectee),
                infector: row.infector.map(number),
                x: row.x,
                y: row.y,
            })
            .collect();
        stored.sort_unstable();
        let verdict = &mut self.verdict;
        let mut tally = merge(
            &self.history.infections,
            &stored,
            |caught| caught.infectee,
            |difference| {
                verdict.tell(|| format!("tick {tick}: infection row {}", words(&difference)));
            },
        );
        tally.unknown += before.len() as u64;
        self.infection_rows.add(self.history.infections.len(), stored.len() + before.len(), tally);
        Ok(())
    }

    /// Everybody's place and health.
    fn compare_people(&mut self, tick: Tick) {
        let people = self.history.fleet.count() as usize;
        let (here, tally, first) = compare_people(&self.history, &self.frames, tick, &self.crew);
        if let Some(first) = first {
            self.verdict.tell(|| first);
        }
        self.people.add(people, here, tally);
    }

    /// The row with the figures.
    fn compare_moment(&mut self, tick: Tick) -> Result<(), AuditError> {
        if self.moments.last().is_none_or(|last| last.k < tick) {
            let to = tick.saturating_add(MOMENTS_A_PAGE - 1);
            self.moments = self.store.moments(self.run.id, tick, to, MOMENTS_A_PAGE as usize)?;
        }
        let stored = self.moments.iter().find(|moment| moment.k == tick);
        let mut tally = Tally::default();
        match stored {
            None => {
                tally.lost = 1;
                self.verdict.tell(|| format!("tick {tick}: no moment of it"));
            }
            Some(moment) => {
                let expected = Moment {
                    k: tick,
                    time_us: self.time_us(tick).unwrap_or(moment.time_us),
                    figures: self.history.figures(),
                    contacts: self.history.contacts_sum,
                    infections: self.history.infections_sum,
                };
                if *moment != expected {
                    tally.wrong = 1;
                    self.verdict.tell(|| format!("tick {tick}: the moment is {moment:?}, not {expected:?}"));
                }
            }
        }
        self.moment_rows.add(1, usize::from(stored.is_some()), tally);
        Ok(())
    }

    /// Rows of times before the last tick compared that no tick claimed.
    fn end_rows(&mut self) -> Result<(), AuditError> {
        let Some(time_us) = self.time_us(self.history.fleet.tick()) else { return Ok(()) };
        let left = self.rows.take_until(self.store, time_us)?.len();
        self.infection_rows.add(0, left, Tally { unknown: left as u64, ..Tally::default() });
        Ok(())
    }

    fn finish(self) -> Verdict {
        let mut verdict = self.verdict;
        if let Guests::Some { infections, .. } = self.guests {
            verdict.unchecked.push(format!(
                "{infections} infections by guests on the radio are taken from the store; what follows from them is computed"
            ));
        }
        (verdict.recorded, verdict.stored) = (self.contacts.expected, self.contacts.stored);
        verdict.rows =
            vec![self.contacts, self.infections, self.infection_rows, self.people, self.moment_rows];
        if self.frame_rows.wrong > 0 {
            verdict.rows.push(self.frame_rows);
        }
        verdict
    }
}

/// How many people the mirror shows at this tick, how they differ, and the first who does.
fn compare_people(
    history: &History,
    frames: &Frames,
    tick: Tick,
    crew: &Crew,
) -> (usize, Tally, Option<String>) {
    let people = history.fleet.count() as usize;
    let Some(population) = frames.population() else {
        let first = format!("tick {tick}: no frame says where its people are");
        return (0, Tally { lost: people as u64, ..Tally::default() }, Some(first));
    };
    let shards: Vec<_> = (0..population.shards())
        .map(|shard| {
            frames.mirror().shard(shard).filter(|shown| shown.tick() == tick).map(ShardMirror::columns)
        })
        .collect();
    let strips: Vec<Columns<'_>> = history.fleet.columns().collect();
    let mut jobs: Vec<(&[Columns<'_>], u64, Option<String>)> =
        strips.chunks(STRIPS_A_JOB).map(|strips| (strips, 0, None)).collect();
    crew.run(&mut jobs, |(strips, wrong, first)| {
        for standing in strips.iter().flat_map(|strip| strip.present().chain(strip.buried())) {
            let id = standing.id.0;
            let (shard, at) = (id / population.shard_people, (id % population.shard_people) as usize);
            let Some(Some(columns)) = shards.get(shard as usize) else { continue };
            let expected = (
                standing.position.x,
                standing.position.y,
                health_code(standing.health, standing.died_infectious),
            );
            let shown = (columns.x[at], columns.y[at], columns.health[at]);
            if shown != expected {
                *wrong += 1;
                first.get_or_insert_with(|| {
                    format!("tick {tick}: person {id} is shown at {shown:?} (x, y, health), not {expected:?}")
                });
            }
        }
    });
    let wrong = jobs.iter().map(|(_, wrong, _)| wrong).sum();
    let mut first = jobs.into_iter().find_map(|(.., first)| first);
    let missing: Vec<u32> =
        (0..).zip(&shards).filter(|(_, shown)| shown.is_none()).map(|(shard, _)| shard).collect();
    let lost: u64 = missing.iter().map(|&shard| u64::from(population.people_of(shard))).sum();
    if let (None, Some(shard)) = (&first, missing.first()) {
        first = Some(format!("tick {tick}: nobody of shard {shard} is shown: its frames have a gap"));
    }
    (
        people - usize::try_from(lost).unwrap_or(people).min(people),
        Tally { lost, wrong, ..Tally::default() },
        first,
    )
}

fn health_code(health: Health, died_infectious: bool) -> u8 {
    let health = match health {
        Health::Susceptible => frame::Health::Susceptible,
        Health::Latent => frame::Health::Latent,
        Health::Infectious => frame::Health::Infectious,
        Health::Immune => frame::Health::Immune,
        Health::Deceased if died_infectious => frame::Health::DeceasedInfectious,
        Health::Deceased => frame::Health::Deceased,
    };
    health.code()
}

fn tell_contact(tick: Tick, difference: Difference<'_, Met>) -> String {
    let pair = |met: &Met| format!("contact of {} with {}", met.hearer, met.heard);
    match difference {
        Difference::Lost(met) => format!("tick {tick}: {} is not stored", pair(met)),
        Difference::Doubled(met) => format!("tick {tick}: {} is stored again", pair(met)),
        Difference::Unknown(met) => format!("tick {tick}: {} did not happen", pair(met)),
        Difference::Wrong(met, stored) => format!(
            "tick {tick}: {} at squared distance {}, not {}",
            pair(met),
            stored.distance_squared,
            met.distance_squared
        ),
    }
}

fn words<T: std::fmt::Debug>(difference: &Difference<'_, T>) -> String {
    match difference {
        Difference::Lost(it) => format!("{it:?} is not stored"),
        Difference::Doubled(it) => format!("{it:?} is stored again"),
        Difference::Unknown(it) => format!("{it:?} did not happen"),
        Difference::Wrong(it, stored) => format!("{stored:?} should be {it:?}"),
    }
}
