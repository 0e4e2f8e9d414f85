//! Data exchanged under a laboratory: a broker that comes back without its log, a store that is set back to an earlier
//! copy. What is broken is what was known, not what was recorded: the broker's log goes once all of it is stored, and the
//! topic still has what a restored store has not.

use std::{fs, io, path::Path, time::Duration};

use rustix::process::Signal;
use tokio::{
    net::TcpStream,
    time::{Instant, sleep},
};

use super::{Injector, Undo};
use crate::{
    chaos::{proxy::Mode, settle::settle, stage::Stage, tools},
    plan::{BROKER, INGEST, SERVE},
};

/// Everything on the topic is stored within this time, or the broker's log is not removed.
const DRAIN_WITHIN: Duration = Duration::from_secs(30);
/// A part that is asked to end may take this long (the consumer stores what is on the topic); then it is killed.
const END_WITHIN: Duration = Duration::from_secs(12);
/// A broker listens again within this time.
const BACK_WITHIN: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// The links by which devices and fleet send.
const SENDERS: [&str; 2] = ["nodes-broker", "fleet-broker"];
/// The files of the embedded store that hold its rows; the third, `-shm`, is made from them.
const STORE_FILES: [&str; 2] = ["store.db", "store.db-wal"];
const STORE_INDEX: &str = "store.db-shm";

impl Injector {
    /// Cuts off who sends, waits until all is stored, and removes the broker's log while the broker is down.
    pub(super) async fn replace_broker(&self) -> Result<Undo, String> {
        let stage = self.ground.stage()?;
        set_senders(stage, Mode::Cut);
        let (bus, store) = (stage.bus(), stage.store().clone());
        let drained = tokio::task::spawn_blocking(move || settle(&bus, &store, DRAIN_WITHIN)).await;
        let removed = match drained.unwrap_or_else(|error| Err(error.to_string())) {
            Ok(_) => match hold(stage, BROKER).await {
                Ok(()) => fs::remove_dir_all(stage.broker_folder()).map_err(|error| error.to_string()),
                Err(reason) => Err(reason),
            },
            Err(reason) => Err(reason),
        };
        if let Err(reason) = removed {
            release(stage, BROKER)?;
            set_senders(stage, Mode::Open);
            return Err(reason);
        }
        Ok(Undo::StartBroker)
    }

    /// Lets the broker start with nothing, and those who send reach it.
    pub(super) async fn start_broker(&self) -> Result<(), String> {
        let stage = self.ground.stage()?;
        release(stage, BROKER)?;
        let until = Instant::now() + BACK_WITHIN;
        while TcpStream::connect(stage.broker()).await.is_err() {
            if Instant::now() > until {
                return Err(format!("the broker does not listen after {} s", BACK_WITHIN.as_secs()));
            }
            sleep(LOOK_EVERY).await;
        }
        set_senders(stage, Mode::Open);
        if let Some(records) = &self.records {
            records.begin_again();
        }
        Ok(())
    }

    /// Takes a copy of the store while nobody has it open.
    pub(super) async fn copy_store(&self) -> Result<Undo, String> {
        let stage = self.ground.stage()?;
        let (data, copy) = (stage.folder().to_owned(), stage.folder().join("store-copy"));
        without_store(stage, || {
            fs::create_dir_all(&copy)?;
            move_files(&data, &copy, &mut |from, to| fs::copy(from, to).map(drop))
        })
        .await?;
        Ok(Undo::RestoreStore)
    }

    /// Puts the copy back.
    pub(super) async fn restore_store(&self) -> Result<(), String> {
        let stage = self.ground.stage()?;
        let (data, copy) = (stage.folder().to_owned(), stage.folder().join("store-copy"));
        without_store(stage, || {
            for name in STORE_FILES.iter().chain([&STORE_INDEX]) {
                gone(fs::remove_file(data.join(name)))?;
            }
            move_files(&copy, &data, &mut |from, to| fs::rename(from, to))
        })
        .await
    }
}

/// Does something to the store's files while consumer and back-end are down; they come back in any case.
async fn without_store(stage: &Stage, act: impl FnOnce() -> io::Result<()>) -> Result<(), String> {
    let mut outcome = hold(stage, INGEST).await;
    if outcome.is_ok() {
        outcome = hold(stage, SERVE).await;
    }
    if outcome.is_ok() {
        outcome = act().map_err(|error| format!("the store's files: {error}"));
    }
    release(stage, INGEST)?;
    release(stage, SERVE)?;
    outcome
}

fn move_files(from: &Path, to: &Path, how: &mut dyn FnMut(&Path, &Path) -> io::Result<()>) -> io::Result<()> {
    for name in STORE_FILES {
        // An orderly end may have left one file only.
        gone(how(&from.join(name), &to.join(name)))?;
    }
    Ok(())
}

/// What is not there need not be removed.
fn gone(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    }
}

fn set_senders(stage: &Stage, mode: Mode) {
    for proxy in SENDERS.iter().filter_map(|link| stage.proxy(link)) {
        proxy.set(mode);
    }
}

/// Ends a part's process in an orderly way, and keeps the next one from starting.
async fn hold(stage: &Stage, part: &str) -> Result<(), String> {
    fs::write(stage.held_file(part), "").map_err(|error| error.to_string())?;
    let pid = || stage.status().into_iter().find(|status| status.name == part).and_then(|status| status.pid);
    let Some(before) = pid() else { return Ok(()) };
    for (signal, within) in [(Signal::TERM, END_WITHIN), (Signal::KILL, END_WITHIN)] {
        // It may have ended by itself.
        let _ = tools::signal(before, signal);
        let until = Instant::now() + within;
        while Instant::now() < until {
            // The next process is the wrapper, which waits while the part is held.
            if pid() != Some(before) {
                return Ok(());
            }
            sleep(LOOK_EVERY).await;
        }
    }
    Err(format!("{part} does not end"))
}

fn release(stage: &Stage, part: &str) -> Result<(), String> {
    gone(fs::remove_file(stage.held_file(part))).map_err(|error| error.to_string())
}
