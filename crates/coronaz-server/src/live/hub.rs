//! One poller for each run that somebody watches. All its visitors share what it finds.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use coronaz_store::{At, view};
use coronaz_wire::wall_clock;
use tokio::{
    sync::{Semaphore, SemaphorePermit, watch},
    task::JoinHandle,
    time::MissedTickBehavior,
};
use uuid::Uuid;

use super::{
    Picture,
    window::{Cut, Window},
};
use crate::{
    config::Limits,
    describe,
    problem::Problem,
    readers::{ReadError, Readers},
};

/// A store that is away is asked again this often.
const RETRY_EVERY: Duration = Duration::from_millis(500);

/// KiB of frames that are being sent, to all visitors together: a hundred frames of a million people. Who
/// receives slowly holds his part of it until his time is over; the others wait.
const SENDING_KIB_MAX: u32 = 512 * 1024;

/// Pictures that are being cut at once: a cut goes over everybody, some milliseconds a million.
const CUTS_MAX: usize = 2;

/// What a poller knows of its run.
#[derive(Debug, Clone, Default)]
pub(super) struct View {
    /// The newest moment; none before the first.
    pub(super) picture: Option<Arc<Picture>>,
    /// The run that is shown when none is named.
    pub(super) default_run: Option<Uuid>,
}

/// All watched runs.
pub(crate) struct Hub {
    pub(super) readers: Readers,
    pub(super) places: Arc<Semaphore>,
    places_max: usize,
    sending: Semaphore,
    cutting: Semaphore,
    poll_every: Duration,
    rooms: Mutex<HashMap<Uuid, Weak<Room>>>,
}

/// A run that is being watched; its poller ends with the last visitor.
pub(super) struct Room {
    pub(super) run: Uuid,
    pub(super) field: [u32; 2],
    pub(super) view: watch::Receiver<View>,
    poller: JoinHandle<()>,
}

impl Drop for Room {
    fn drop(&mut self) {
        self.poller.abort();
    }
}

impl Hub {
    pub(crate) fn new(readers: Readers, limits: &Limits) -> Self {
        Self {
            readers,
            places: Arc::new(Semaphore::new(limits.sockets_max)),
            places_max: limits.sockets_max,
            sending: Semaphore::new(SENDING_KIB_MAX as usize),
            cutting: Semaphore::new(CUTS_MAX),
            poll_every: limits.poll_every,
            rooms: Mutex::default(),
        }
    }

    /// Waits until there is memory to send a message of so many bytes; it is taken until the answer is dropped.
    pub(super) async fn room_to_send(&self, bytes: usize) -> Option<SemaphorePermit<'_>> {
        let kib = u32::try_from(bytes / 1024 + 1).unwrap_or(u32::MAX).min(SENDING_KIB_MAX);
        self.sending.acquire_many(kib).await.ok()
    }

    /// Looks at a picture through a window, off the async threads; `None` only when that broke.
    pub(super) async fn cut(
        &self,
        picture: Arc<Picture>,
        window: Arc<Window>,
        before: Option<Arc<Picture>>,
    ) -> Option<Cut> {
        let _turn = self.cutting.acquire().await.ok()?;
        tokio::task::spawn_blocking(move || Cut::new(&picture, &window, before.as_deref())).await.ok()
    }

    /// Live connections now.
    pub(crate) fn connections(&self) -> usize {
        self.places_max - self.places.available_permits()
    }

    /// Runs that are watched now.
    pub(crate) fn watched_runs(&self) -> usize {
        self.rooms().values().filter(|room| room.strong_count() > 0).count()
    }

    /// Waits until every live connection is closed.
    pub(crate) async fn emptied(&self) {
        let all = u32::try_from(self.places_max).unwrap_or(u32::MAX);
        // The semaphore is never closed, so all places come back or this waits on.
        let _ = self.places.acquire_many(all).await;
    }

    /// Goes where a run is watched.
    pub(super) async fn join(&self, run: Uuid) -> Result<(Arc<Room>, view::Run), Problem> {
        let about = self.readers.ask(move |store| store.run(run)).await?;
        let mut rooms = self.rooms();
        if let Some(room) = rooms.get(&run).and_then(Weak::upgrade) {
            return Ok((room, about));
        }
        rooms.retain(|_, room| room.strong_count() > 0);
        let (sender, view) = watch::channel(View::default());
        let field = describe::field(&about);
        let poller = Poller { readers: self.readers.clone(), run, field, every: self.poll_every };
        let room = Arc::new(Room { run, field, view, poller: tokio::spawn(poller.work(sender)) });
        rooms.insert(run, Arc::downgrade(&room));
        drop(rooms);
        Ok((room, about))
    }

    fn rooms(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, Weak<Room>>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Poller {
    readers: Readers,
    run: Uuid,
    field: [u32; 2],
    every: Duration,
}

impl Poller {
    /// Asks the store until nobody watches any more.
    async fn work(self, sender: watch::Sender<View>) {
        let mut ticks = tokio::time::interval(self.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut moments = 0;
        loop {
            ticks.tick().await;
            match self.look(&sender, moments).await {
                Ok(known) => moments = known,
                // The visitor sees no change; what is the matter stands in the operator's log.
                Err(_) => tokio::time::sleep(RETRY_EVERY).await,
            }
        }
    }

    /// Publishes what is new; returns how many moments are known by then.
    async fn look(&self, sender: &watch::Sender<View>, known: u64) -> Result<u64, ReadError> {
        let run = self.run;
        let now_us = wall_clock::now_us();
        let asked = self.readers.ask(move |store| Ok((store.progress(run)?, store.default_run(now_us)?)));
        let (progress, default_run) = asked.await?;
        if progress.moments == known && sender.borrow().default_run == default_run {
            return Ok(known);
        }
        let field = self.field;
        let picture = if progress.moments == known {
            sender.borrow().picture.clone()
        } else {
            let picture = move |crowd: view::Crowd| Arc::new(Picture::new(&crowd, field));
            self.readers.ask(move |store| Ok(store.crowd(run, At::Latest)?.map(picture))).await?
        };
        let known = picture.as_ref().map_or(0, |picture| picture.moment() + 1);
        sender.send_replace(View { picture, default_run });
        Ok(known)
    }
}
