//! The whole: start, watch, break, recover, settle, audit.

use std::{path::PathBuf, time::Duration};

use coronaz_store::StoreLocation;
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};
use uuid::Uuid;

use super::{
    ground::{Foreign, Ground, PartNow},
    inject::Injector,
    records::Records,
    report::{Audited, Done, LinkFigures, PAGE_BACK_LIMIT_MS, PartFigures, Report},
    schedule::{Cast, Schedule, ScheduleError},
    settle::settle,
    silence::{self, Arrivals},
    stage::{FLEET, Stage, StageError, StageOrder},
    visitor::{Line, Seen, Visitor},
};
use crate::audit::{self, AuditOptions, Until};

/// How long everything may take to be there for the first time, on a slow machine.
const ARRIVE_WITHIN: Duration = Duration::from_secs(90);
/// After the last fault the visitor looks at least so long …
const LOOK_AFTERWARDS_MIN: Duration = Duration::from_secs(6);
/// … and until everything moves again, at most so long.
const LOOK_AFTERWARDS_MAX: Duration = Duration::from_secs(60);
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// What failed so soon after a fault failed because of it: a killed part is noticed by the next request. An outage of a
/// picture begins with its last movement, however late that is noticed, so the same holds for it.
const SHORTLY_MS: u64 = 1_500;

/// What to break.
#[derive(Debug)]
pub enum What {
    /// A laboratory of our own, started for it.
    Own(StageOrder),
    /// One that runs already, and its runs by name.
    Foreign(Foreign, Vec<(String, Uuid)>),
}

/// Which schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Faults {
    /// Of chance, so many milliseconds long.
    Random(u64),
    /// The paper's six cases.
    Paper,
    /// From a file.
    File(PathBuf),
}

impl Faults {
    /// The schedule for what there is to break.
    ///
    /// # Errors
    /// A file that is no schedule, or names what is not there; a schedule without a fault.
    pub fn schedule(&self, seed: u64, cast: &Cast) -> Result<Schedule, ScheduleError> {
        let schedule = match self {
            Faults::Random(length_ms) => Schedule::random(seed, *length_ms, cast),
            Faults::Paper => Schedule::paper(cast),
            Faults::File(path) => Schedule::load(path, cast)?,
        };
        schedule.check(cast)?;
        Ok(schedule)
    }
}

/// What to do.
#[derive(Debug)]
pub struct Order {
    /// To what.
    pub what: What,
    /// The seed of schedule and poison.
    pub seed: u64,
    /// Which faults.
    pub faults: Faults,
    /// How long everything may take to be stored in the end.
    pub settle_within: Duration,
}

/// Why nothing could be broken.
#[derive(Debug, thiserror::Error)]
pub enum ChaosError {
    /// The parts cannot be started.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// The schedule cannot be carried out.
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    /// It was not well before the first fault.
    #[error("the laboratory was not well before the first fault: {0}; the parts' logs are in {1}")]
    NotWell(String, String),
}

/// What happens, as it happens.
#[derive(Debug)]
pub enum Told<'a> {
    /// The schedule, before anything is started.
    Schedule(&'a Schedule),
    /// A step of the whole.
    Step(&'a str),
    /// A fault has begun (its end is open or not), could not begin, or has ended.
    Fault(&'a Done),
}

/// Breaks a laboratory and says what became of it. Ends early, and in order, when `stop` becomes true.
///
/// # Errors
/// See [`ChaosError`]; what was found is no error but in the [`Report`].
pub async fn conduct(
    order: Order,
    stop: watch::Receiver<bool>,
    tell: &mut dyn FnMut(Told<'_>),
) -> Result<Report, ChaosError> {
    let Order { what, seed, faults, settle_within } = order;
    let mut about = About::of(&what);
    let (ground, runs) = match what {
        What::Own(order) => {
            let schedule = faults.schedule(seed, &super::stage::cast_of(&order))?;
            tell(Told::Schedule(&schedule));
            let runs = runs_of(&order);
            tell(Told::Step("starting the laboratory"));
            (Ground::Own(Box::new(Stage::start(order).await?)), runs)
        }
        What::Foreign(foreign, runs) => {
            let schedule = faults.schedule(seed, &foreign.cast())?;
            tell(Told::Schedule(&schedule));
            (Ground::Foreign(foreign), runs)
        }
    };
    let schedule = faults.schedule(seed, &ground.cast())?;
    about.scenario.clone_from(&schedule.name);
    about.left_out.clone_from(&schedule.left_out);
    let mut visitor = Visitor::start(ground.listen(), &runs);
    let arrivals = Arrivals::new(visitor.begun());
    let mut injector = match arrive(ground, &mut visitor, seed, &arrivals).await {
        Ok(injector) => injector,
        Err((reason, ground)) => return Err(give_up(reason, ground).await),
    };
    tell(Told::Step("everything is there; the faults begin"));
    let zero_ms = visitor.now_ms();
    let mut done = break_it(&mut injector, &schedule, &visitor, zero_ms, stop, tell).await;
    tell(Told::Step("the faults are over; watching the recovery"));
    look_afterwards(&mut visitor).await;
    let end_ms = visitor.now_ms();
    let seen = visitor.seen().after(zero_ms);
    drop(visitor);
    credit(&mut done, &seen);
    let mut report = about.report(seed, done, seen, end_ms - zero_ms);
    report.groups = match &injector.ground {
        Ground::Own(stage) => {
            silence::figures(&arrivals.between(zero_ms, end_ms), &stage.devices(), &report.faults)
        }
        Ground::Foreign(_) => pictures(&report),
    };
    report.parts = figures_of_parts(&injector.ground);
    conclude(injector, &runs, settle_within, &mut report, tell).await;
    report.judge();
    Ok(report)
}

/// What a report says of the whole.
struct About {
    scenario: String,
    left_out: Vec<String>,
    devices: u32,
    nodes: u32,
    broker: String,
    store: String,
}

impl About {
    fn of(what: &What) -> Self {
        let embedded = || "embedded".to_owned();
        let (scenario, left_out) = (String::new(), Vec::new());
        match what {
            What::Own(order) => About {
                scenario,
                left_out,
                devices: order.devices,
                nodes: order.nodes,
                broker: order.broker.map_or_else(embedded, |address| address.to_string()),
                store: if order.store.is_some() { "served".to_owned() } else { embedded() },
            },
            What::Foreign(..) => About {
                scenario,
                left_out,
                devices: 0,
                nodes: 0,
                broker: "as it was found".to_owned(),
                store: "as it was found".to_owned(),
            },
        }
    }

    /// The report with what is known before the end.
    fn report(self, seed: u64, done: Vec<Done>, seen: Seen, watched_ms: u64) -> Report {
        let last = done.iter().max_by_key(|done| done.over_ms());
        let (over_ms, picture_back_ms) = last.map_or((0, 0), |last| (last.over_ms(), last.picture_back_ms));
        let page_back_ms = seen.page.outages.iter().map(|outage| outage.until_ms).max().unwrap_or(0);
        Report {
            scenario: self.scenario,
            seed,
            devices: self.devices,
            nodes: self.nodes,
            broker: self.broker,
            store: self.store,
            watched_ms,
            faults: done,
            seen,
            last_fault_over_ms: over_ms,
            page_back_ms: page_back_ms.saturating_sub(over_ms),
            page_back_limit_ms: PAGE_BACK_LIMIT_MS,
            picture_back_ms,
            settled_ms: None,
            parts: Vec::new(),
            links: Vec::new(),
            air: None,
            groups: Vec::new(),
            left_out: self.left_out,
            rejected: 0,
            audits: Vec::new(),
            findings: Vec::new(),
            ok: false,
        }
    }
}

/// How long each picture of a laboratory stood still whose topic is not watched.
fn pictures(report: &Report) -> Vec<silence::GroupFigures> {
    let still = |line: &Line| {
        let still: Vec<_> = line.outages.iter().map(|outage| (outage.from_ms, outage.until_ms)).collect();
        silence::of_picture(&line.name, &still, &report.faults)
    };
    report.seen.pictures.iter().map(still).collect()
}

/// Says of each fault how long after it the visitor saw the page, and the pictures, as they should be.
fn credit(done: &mut [Done], seen: &Seen) {
    for done in done {
        let (began, over) = (done.began_ms, done.over_ms());
        done.page_back_ms = seen.page.back_after_ms(began, over, SHORTLY_MS);
        let back = seen.pictures.iter().map(|line| line.back_after_ms(began, over, SHORTLY_MS));
        done.picture_back_ms = back.max().unwrap_or(0);
    }
}

fn runs_of(order: &StageOrder) -> Vec<(String, Uuid)> {
    let mut runs = Vec::new();
    if order.devices > 0 {
        runs.push((FLEET.to_owned(), order.runs.fleet));
    }
    if order.nodes > 0 {
        runs.push(("nodes".to_owned(), order.runs.nodes));
    }
    runs
}

/// Waits for the first pictures, and follows the topic.
async fn arrive(
    ground: Ground,
    visitor: &mut Visitor,
    seed: u64,
    arrivals: &Arrivals,
) -> Result<Injector, (String, Ground)> {
    if !visitor.arrive(ARRIVE_WITHIN).await {
        let seconds = ARRIVE_WITHIN.as_secs();
        return Err((format!("no picture of every run at the page after {seconds} s"), ground));
    }
    let records = match &ground {
        Ground::Own(stage) => match Records::start(stage.bus(), seed, arrivals.clone()).await {
            Ok(records) => Some(records),
            Err(error) => return Err((error.to_string(), ground)),
        },
        Ground::Foreign(_) => None,
    };
    Ok(Injector::new(ground, records))
}

async fn give_up(reason: String, ground: Ground) -> ChaosError {
    let logs = match ground {
        Ground::Own(mut stage) => {
            stage.stop_senders().await;
            stage.stop_servers().await;
            stage.folder().join("logs")
        }
        Ground::Foreign(foreign) => foreign.data_dir.join("logs"),
    };
    ChaosError::NotWell(reason, logs.display().to_string())
}

/// Carries the schedule out; times are counted from `zero_ms`.
async fn break_it(
    injector: &mut Injector,
    schedule: &Schedule,
    visitor: &Visitor,
    zero_ms: u64,
    mut stop: watch::Receiver<bool>,
    tell: &mut dyn FnMut(Told<'_>),
) -> Vec<Done> {
    let zero = Instant::now();
    let now_ms = || visitor.now_ms() - zero_ms;
    // Beginnings and ends in the order of their times.
    let mut turns: Vec<(u64, bool, usize)> = Vec::new();
    for (number, event) in schedule.events.iter().enumerate() {
        turns.push((event.at_ms, true, number));
        if event.lasts_ms > 0 {
            turns.push((event.until_ms(), false, number));
        }
    }
    turns.sort_unstable();
    let mut done: Vec<Option<Done>> = schedule.events.iter().map(|_| None).collect();
    for (at_ms, begins, number) in turns {
        tokio::select! {
            () = tokio::time::sleep_until(zero + Duration::from_millis(at_ms)) => {}
            _ = stop.wait_for(|&stop| stop) => break,
        }
        if begins {
            let event = schedule.events[number].clone();
            let began_ms = now_ms();
            let outcome = injector.begin(number, &event).await;
            let (note, failed) = match outcome {
                Ok(note) => (note, None),
                Err(reason) => (String::new(), Some(reason)),
            };
            let (page_back_ms, picture_back_ms) = (0, 0);
            let fresh = Done { event, began_ms, ended_ms: None, note, failed, page_back_ms, picture_back_ms };
            tell(Told::Fault(done[number].insert(fresh)));
        } else if let Err(reason) = injector.end(number).await
            && let Some(done) = &mut done[number]
        {
            done.failed = Some(format!("it could not be taken back: {reason}"));
        }
        if let (false, Some(done)) = (begins, &mut done[number]) {
            done.ended_ms = Some(now_ms());
            tell(Told::Fault(done));
        }
    }
    injector.end_all().await;
    let mut done: Vec<Done> = done.into_iter().flatten().collect();
    for done in done.iter_mut().filter(|done| done.event.lasts_ms > 0 && done.ended_ms.is_none()) {
        done.ended_ms = Some(now_ms());
    }
    done
}

/// Watches until everything moves again.
async fn look_afterwards(visitor: &mut Visitor) {
    let begun = Instant::now();
    while begun.elapsed() < LOOK_AFTERWARDS_MIN
        || begun.elapsed() < LOOK_AFTERWARDS_MAX && !visitor.sees_movement()
    {
        sleep(LOOK_EVERY).await;
    }
}

fn figures_of_parts(ground: &Ground) -> Vec<PartFigures> {
    let figures = |part: PartNow| PartFigures { name: part.name, restarts: part.restarts };
    ground.parts().into_iter().map(figures).collect()
}

/// Stops what sends, waits until all of it is stored, stops the rest, and audits.
async fn conclude(
    injector: Injector,
    runs: &[(String, Uuid)],
    settle_within: Duration,
    report: &mut Report,
    tell: &mut dyn FnMut(Told<'_>),
) {
    let Injector { mut ground, records, .. } = injector;
    drop(records);
    let store = ground.store().clone();
    let mut options = AuditOptions { until: Until::Now, ..AuditOptions::default() };
    if let Some(stage) = ground.stage_mut() {
        report.links = (stage.proxies())
            .map(|(name, proxy)| {
                let (connections, bytes) = proxy.figures();
                LinkFigures { name: name.to_owned(), connections, bytes }
            })
            .collect();
        report.air = stage.air().map(super::air::Air::figures);
        tell(Told::Step("stopping the devices, and waiting until all they sent is stored"));
        stage.stop_senders().await;
        let (bus, location) = (stage.bus(), store.clone());
        let settled = tokio::task::spawn_blocking(move || settle(&bus, &location, settle_within)).await;
        match settled.unwrap_or_else(|error| Err(error.to_string())) {
            Ok(took) => report.settled_ms = u64::try_from(took.as_millis()).ok(),
            Err(reason) => report.findings.push(reason),
        }
        stage.stop_servers().await;
        let (journal, ticks) = (Some(stage.journal()), stage.fleet_ticks());
        options = AuditOptions { until: Until::End, journal, ticks, ..options };
    }
    tell(Told::Step("auditing"));
    let (runs, location) = (runs.to_vec(), store.clone());
    let audited = tokio::task::spawn_blocking(move || audit_all(&location, &runs, &options)).await;
    match audited {
        Ok((audits, rejected)) => (report.audits, report.rejected) = (audits, rejected),
        Err(error) => report.findings.push(format!("the audit ended badly: {error}")),
    }
}

fn audit_all(store: &StoreLocation, runs: &[(String, Uuid)], options: &AuditOptions) -> (Vec<Audited>, u64) {
    let queries = store.queries();
    let audit = |(name, run): &(String, Uuid)| {
        // A fleet writes no journal: what it did is computed again.
        let journal = options.journal.clone().filter(|folder| folder.join(run.to_string()).is_dir());
        let ticks = options.ticks.filter(|_| name == FLEET);
        let options = AuditOptions { journal, ticks, ..options.clone() };
        let go_on = &mut |_| std::ops::ControlFlow::Continue(());
        let (verdict, why) = match audit::audit(queries.as_ref(), *run, &options, go_on) {
            Ok(verdict) => (Some(verdict), None),
            Err(error) => (None, Some(error.to_string())),
        };
        Audited { name: name.clone(), verdict, why }
    };
    let audits = runs.iter().map(audit).collect();
    let offsets = queries.offsets().unwrap_or_default();
    (audits, offsets.iter().map(|offset| offset.rejected).sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chaos::{Event, Kind};

    fn report(failed: Option<&str>) -> Report {
        let about = About {
            scenario: "mine".to_owned(),
            left_out: Vec::new(),
            devices: 0,
            nodes: 0,
            broker: String::new(),
            store: String::new(),
        };
        let event = Event { at_ms: 1, lasts_ms: 0, kind: Kind::Join, target: String::new(), amount: 3 };
        let done = Done {
            event,
            began_ms: 1,
            ended_ms: None,
            note: String::new(),
            failed: failed.map(str::to_owned),
            page_back_ms: 0,
            picture_back_ms: 0,
        };
        about.report(7, vec![done], Seen::of(&[]), 10)
    }

    #[test]
    fn a_fault_that_could_not_be_done_is_a_finding_in_every_form_of_the_report() {
        let mut well = report(None);
        well.judge();
        assert!(well.ok, "{:?}", well.findings);
        let mut report = report(Some("the run has 64 groups already"));
        report.judge();
        assert!(!report.ok);
        let finding = "the fault join 3 devices could not be done as ordered: the run has 64 groups already";
        assert_eq!(report.findings, [finding]);
        let json = serde_json::to_string(&report).expect("JSON");
        for form in [report.text(), report.html(), json] {
            assert!(form.contains(finding), "{form}");
        }
    }

    #[test]
    fn a_group_that_stopped_reporting_is_a_finding_in_every_form_of_the_report() {
        let mut report = report(None);
        report.groups = vec![silence::of_picture("devices-1", &[(10_300, 31_000)], &[])];
        report.judge();
        let json = serde_json::to_string(&report).expect("JSON");
        for form in [report.text(), report.html(), json] {
            assert!(form.contains("senders of devices-1 did not report for up to 20.7 s"), "{form}");
        }
        assert!(!report.ok);
    }

    #[test]
    fn without_a_fault_nothing_was_proved_and_what_was_left_out_is_named() {
        let mut report = report(None);
        report.left_out.push("the paper's case 1, the database is unavailable".to_owned());
        report.judge();
        assert!(report.ok && report.text().contains("1 of the schedule's cases could not be had here"));
        assert!(report.html().contains("the database is unavailable"));
        report.faults.clear();
        report.judge();
        assert!(report.findings[0].contains("no fault was done"), "{:?}", report.findings);
    }
}
