//! What somebody at the page sees: whether it answers, whether its live connection stands, whether the picture moves.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use coronaz_wire::page_frame;
use futures_util::{SinkExt, StreamExt};
use serde::Serialize;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_tungstenite::{connect_async, tungstenite::Message};
use uuid::Uuid;

/// Between two requests, and between two looks at how things are.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// A page that takes longer has failed, to a visitor.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);
/// A broken live connection is made anew after this, as the page does.
const RECONNECT_AFTER: Duration = Duration::from_millis(250);
/// The first picture comes at once; without one the connection is of no use.
const FIRST_PICTURE_WITHIN: Duration = Duration::from_secs(5);
/// A picture without change for so long stands still: devices and fleets report once a second.
const STILL_AFTER_MS: u64 = 3_000;
/// The first bytes of an answer are enough to know its status.
const STATUS_BYTES: usize = 12;

/// A stretch in which something was not as it should be, in milliseconds after the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Outage {
    /// Its beginning.
    pub from_ms: u64,
    /// Its end; of one that lasts, the end of watching.
    pub until_ms: u64,
}

/// One thing that is well or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// What it is.
    pub name: String,
    /// When it was not well.
    pub outages: Vec<Outage>,
    /// Whether it was well in the end.
    pub well: bool,
    #[serde(skip)]
    since_ms: Option<u64>,
}

impl Line {
    fn new(name: String) -> Self {
        Line { name, outages: Vec::new(), well: true, since_ms: None }
    }

    /// Takes note of how it is from `now_ms` on; `bad_since_ms` may lie before.
    fn note(&mut self, well: bool, bad_since_ms: u64, now_ms: u64) {
        self.well = well;
        match (well, self.since_ms) {
            (false, None) => self.since_ms = Some(bad_since_ms),
            (true, Some(from_ms)) => {
                self.outages.push(Outage { from_ms, until_ms: now_ms });
                self.since_ms = None;
            }
            _ => {}
        }
    }

    fn finish(&mut self, now_ms: u64) {
        if let Some(from_ms) = self.since_ms.take() {
            self.outages.push(Outage { from_ms, until_ms: now_ms });
        }
    }

    /// How long it was not well, altogether.
    #[must_use]
    pub fn down_ms(&self) -> u64 {
        self.outages.iter().map(|outage| outage.until_ms - outage.from_ms).sum()
    }

    /// How long after `end_ms` it was well again, when a fault lasted from `begin_ms` to `end_ms`: 0 when it was not
    /// touched or was back before. What began to fail shortly after the fault counts as its doing.
    #[must_use]
    pub fn back_after_ms(&self, begin_ms: u64, end_ms: u64, shortly_ms: u64) -> u64 {
        let its_doing =
            |outage: &&Outage| outage.until_ms > begin_ms && outage.from_ms <= end_ms + shortly_ms;
        let last = self.outages.iter().filter(its_doing).map(|outage| outage.until_ms).max();
        last.unwrap_or(end_ms).saturating_sub(end_ms)
    }

    /// Of an outage that lasts now, since when.
    fn down_since(&self) -> Option<u64> {
        self.since_ms
    }
}

/// What was seen, line by line: the page first, then the picture of each run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// The page answers and each live connection stands.
    pub page: Line,
    /// Each run's picture moves.
    pub pictures: Vec<Line>,
}

impl Seen {
    /// Nothing seen yet of these runs.
    pub(super) fn of(runs: &[(String, Uuid)]) -> Seen {
        let pictures = runs.iter().map(|(name, _)| Line::new(format!("picture of {name}"))).collect();
        Seen { page: Line::new("page".to_owned()), pictures }
    }

    /// The same with times counted from `zero_ms` on.
    #[must_use]
    pub fn after(mut self, zero_ms: u64) -> Seen {
        for line in std::iter::once(&mut self.page).chain(&mut self.pictures) {
            for outage in &mut line.outages {
                outage.from_ms = outage.from_ms.saturating_sub(zero_ms);
                outage.until_ms = outage.until_ms.saturating_sub(zero_ms);
            }
        }
        self
    }
}

#[derive(Debug)]
struct Watched {
    run: Uuid,
    live: bool,
    moment: Option<u64>,
    moved_ms: u64,
}

#[derive(Debug)]
struct State {
    answers: bool,
    runs: Vec<Watched>,
    seen: Seen,
}

/// Somebody at the page. Dropping it ends the visit.
#[derive(Debug)]
pub struct Visitor {
    begun: Instant,
    state: Arc<Mutex<State>>,
    tasks: JoinSet<()>,
}

impl Visitor {
    /// Begins to watch runs, by name and UUID, at a server. To be called within a Tokio runtime.
    #[must_use]
    pub fn start(server: SocketAddr, runs: &[(String, Uuid)]) -> Visitor {
        let begun = Instant::now();
        let watched = |&(_, run): &(String, Uuid)| Watched { run, live: false, moment: None, moved_ms: 0 };
        let runs_watched = runs.iter().map(watched).collect();
        let state = State { answers: false, runs: runs_watched, seen: Seen::of(runs) };
        let state = Arc::new(Mutex::new(state));
        let mut tasks = JoinSet::new();
        tasks.spawn(ask_again_and_again(server, Arc::clone(&state)));
        for place in 0..runs.len() {
            tasks.spawn(watch_again_and_again(server, place, Arc::clone(&state), begun));
        }
        Visitor { begun, state, tasks }
    }

    /// Waits until everything is there for the first time; then all outages begin to count, and so does time.
    pub async fn arrive(&mut self, within: Duration) -> bool {
        let until = Instant::now() + within;
        while !self.is_well() {
            if Instant::now() > until {
                return false;
            }
            sleep(LOOK_EVERY).await;
        }
        self.tasks.spawn(look_again_and_again(Arc::clone(&self.state), self.begun));
        true
    }

    /// When the visit began.
    #[must_use]
    pub fn begun(&self) -> Instant {
        self.begun
    }

    /// Milliseconds since the visit began.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        ms(self.begun)
    }

    /// Whether the page answers, is live, and every picture has come.
    #[must_use]
    pub fn is_well(&self) -> bool {
        let state = lock(&self.state);
        state.answers && state.runs.iter().all(|run| run.live && run.moment.is_some())
    }

    /// Whether the page is up now, and every picture moves.
    #[must_use]
    pub fn sees_movement(&self) -> bool {
        let state = lock(&self.state);
        let seen = &state.seen;
        seen.page.down_since().is_none() && seen.pictures.iter().all(|line| line.down_since().is_none())
    }

    /// What was seen up to now.
    #[must_use]
    pub fn seen(&self) -> Seen {
        let mut seen = lock(&self.state).seen.clone();
        let now_ms = self.now_ms();
        seen.page.finish(now_ms);
        seen.pictures.iter_mut().for_each(|line| line.finish(now_ms));
        seen
    }
}

fn ms(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // Plain values, whole even after a panic of another holder.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Asks for the page and for its list of runs, as a browser does.
async fn ask_again_and_again(server: SocketAddr, state: Arc<Mutex<State>>) {
    loop {
        // A program built without the page says so with a 404; that is not a failure of this minute.
        let page = matches!(status(server, "/").await, Some(200 | 404));
        let answers = page && status(server, "/api/v1/runs").await == Some(200);
        lock(&state).answers = answers;
        sleep(LOOK_EVERY).await;
    }
}

/// The status of an answer; `None` without one in time.
async fn status(server: SocketAddr, path: &str) -> Option<u16> {
    let asked = async {
        let mut stream = TcpStream::connect(server).await?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut head = [0; STATUS_BYTES];
        stream.read_exact(&mut head).await?;
        std::io::Result::Ok(head)
    };
    let head = timeout(ANSWER_WITHIN, asked).await.ok()?.ok()?;
    std::str::from_utf8(&head).ok()?.rsplit(' ').next()?.parse().ok()
}

async fn watch_again_and_again(server: SocketAddr, place: usize, state: Arc<Mutex<State>>, begun: Instant) {
    let run = lock(&state).runs[place].run;
    let url = format!("ws://{server}/api/v1/runs/{run}/live");
    loop {
        // However it ended, it is made anew.
        let _ = watch(&url, place, &state, begun).await;
        lock(&state).runs[place].live = false;
        sleep(RECONNECT_AFTER).await;
    }
}

/// One live connection, to its end.
async fn watch(
    url: &str,
    place: usize,
    state: &Mutex<State>,
    begun: Instant,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let (mut socket, _) = timeout(FIRST_PICTURE_WITHIN, connect_async(url)).await??;
    let mut pictures = 0_u64;
    loop {
        let next = socket.next();
        let message = if pictures == 0 { timeout(FIRST_PICTURE_WITHIN, next).await? } else { next.await };
        let Some(message) = message else { return Ok(()) };
        if let Message::Binary(bytes) = message? {
            let (header, _) = page_frame::decode(&bytes)?;
            pictures += 1;
            {
                let mut state = lock(state);
                let run = &mut state.runs[place];
                run.live = true;
                if run.moment != Some(header.moment) {
                    run.moment = Some(header.moment);
                    run.moved_ms = ms(begun);
                }
            }
            let ack = format!("{{\"type\":\"ack\",\"seq\":{}}}", header.seq);
            socket.send(Message::text(ack)).await?;
        }
    }
}

async fn look_again_and_again(state: Arc<Mutex<State>>, begun: Instant) {
    loop {
        {
            let now_ms = ms(begun);
            let mut guard = lock(&state);
            let State { answers, runs, seen } = &mut *guard;
            let page = *answers && runs.iter().all(|run| run.live);
            seen.page.note(page, now_ms, now_ms);
            for (run, line) in runs.iter().zip(&mut seen.pictures) {
                let still = now_ms.saturating_sub(run.moved_ms) > STILL_AFTER_MS;
                // It stood still from the last movement on, not from when that was noticed.
                line.note(!still, run.moved_ms, now_ms);
            }
        }
        sleep(LOOK_EVERY / 2).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outages_are_told_with_their_beginnings_and_ends() {
        let mut line = Line::new("page".to_owned());
        line.note(true, 0, 10);
        line.note(false, 20, 20);
        line.note(false, 25, 25);
        line.note(true, 30, 50);
        line.note(false, 100, 130);
        line.finish(180);
        let outages = [Outage { from_ms: 20, until_ms: 50 }, Outage { from_ms: 100, until_ms: 180 }];
        assert_eq!((line.outages.as_slice(), line.down_ms(), line.well), (&outages[..], 110, false));
    }

    #[test]
    fn a_recovery_is_counted_from_the_faults_end() {
        let mut line = Line::new("page".to_owned());
        line.note(false, 1_000, 1_000);
        line.note(true, 0, 4_000);
        assert_eq!(line.back_after_ms(900, 3_000, 500), 1_000);
        assert_eq!(
            line.back_after_ms(900, 900, 500),
            3_100,
            "it began shortly after a fault that was over at once"
        );
        assert_eq!(line.back_after_ms(100, 300, 500), 0, "too late to be its doing");
        assert_eq!(line.back_after_ms(1_500, 8_000, 500), 0, "back while the fault still lasted");
    }
}
