//! Begins and ends each fault.

use std::{collections::BTreeMap, fs, time::Duration};

use coronaz_store::WriteLock;
use rustix::process::{Rlimit, Signal};
use tokio::time::{Instant, sleep};

use super::{
    air::Weather,
    fault::{Event, Kind},
    ground::{Ground, Held},
    proxy::{Mode, Proxy},
    records::Records,
    schedule::is_devices,
    tools,
};

mod replace;

/// A part that is just being started again is waited for this long.
const PROCESS_WITHIN: Duration = Duration::from_secs(6);
/// The second of two equal beacons comes so much later.
const TWICE_AFTER: Duration = Duration::from_millis(250);
/// Seconds of a day.
const DAY_S: i64 = 86_400;
/// Why a fault cannot be done to a laboratory that runs already.
const OWN_ONLY: &str = "only a laboratory that chaos starts itself has that";

/// What has to be taken back at a fault's end.
enum Undo {
    Resume(u32),
    Release(String),
    Open(Vec<String>),
    Clear,
    Empty(u32, Rlimit),
    Unlock(WriteLock),
    SetRight(Vec<String>),
    LetBack(Held),
    StartBroker,
    RestoreStore,
}

/// Does faults to a laboratory.
pub(super) struct Injector {
    pub(super) ground: Ground,
    pub(super) records: Option<Records>,
    undo: BTreeMap<usize, Undo>,
}

impl Injector {
    pub(super) fn new(ground: Ground, records: Option<Records>) -> Self {
        Injector { ground, records, undo: BTreeMap::new() }
    }

    /// Begins a fault; says what was done beyond its name, or why it could not be.
    pub(super) async fn begin(&mut self, number: usize, event: &Event) -> Result<String, String> {
        let target = event.target.as_str();
        let undo = match event.kind {
            Kind::Kill | Kind::Down | Kind::Pause | Kind::DiskFull => {
                return self.begin_on_process(number, event).await;
            }
            Kind::RestartAll => return self.kill_all(),
            Kind::Cut | Kind::Stall | Kind::Delay | Kind::HalfOpen => {
                self.proxy(target)?.set(mode_of(event));
                Undo::Open(vec![target.to_owned()])
            }
            Kind::Reset => {
                self.proxy(target)?.reset();
                return Ok(String::new());
            }
            Kind::AirSplit | Kind::AirLoss | Kind::AirDelay | Kind::AirDouble => {
                self.set_weather(weather_of(event))?;
                Undo::Clear
            }
            Kind::StoreAway => self.take_store().await?,
            Kind::Clock => self.set_clocks(vec![target.to_owned()], event.amount)?,
            Kind::ClockAll => {
                let parts = self.ground.parts().into_iter().map(|part| part.name);
                self.set_clocks(parts.filter(|part| is_devices(part)).collect(), event.amount)?
            }
            Kind::ClockAhead => {
                let stage = self.ground.stage_mut().ok_or(OWN_ONLY)?;
                let group = stage.next_group();
                let file = stage.clock_file(&group);
                tools::set_clock(&file, event.amount.saturating_mul(DAY_S))
                    .map_err(|error| error.to_string())?;
                stage.join(1, 0).map_err(|error| error.to_string())?;
                Undo::SetRight(vec![group])
            }
            Kind::BrokerReplaced => self.replace_broker().await?,
            Kind::StoreRestored => self.copy_store().await?,
            Kind::Copies | Kind::Shuffled | Kind::Poison => {
                let records = self.records.as_ref().ok_or("nobody follows the topic")?;
                return records.send(event.kind, usize::try_from(event.amount).unwrap_or(0)).await;
            }
            Kind::Join => {
                return self.ground.join(u32::try_from(event.amount).unwrap_or(0)).await;
            }
        };
        self.undo.insert(number, undo);
        Ok(String::new())
    }

    async fn begin_on_process(&mut self, number: usize, event: &Event) -> Result<String, String> {
        let target = event.target.as_str();
        if let (Kind::Down, Ground::Foreign(foreign)) = (event.kind, &self.ground) {
            self.process(target).await?;
            self.undo.insert(number, Undo::LetBack(foreign.hold(target)));
            return Ok("killed again whenever it comes back".to_owned());
        }
        if event.kind == Kind::Down {
            let held = self.ground.stage()?.held_file(target);
            fs::write(held, "").map_err(|error| error.to_string())?;
            self.undo.insert(number, Undo::Release(target.to_owned()));
        }
        let pid = self.process(target).await?;
        let done = match event.kind {
            Kind::Pause => {
                self.undo.insert(number, Undo::Resume(pid));
                tools::signal(pid, Signal::STOP)
            }
            Kind::DiskFull => tools::fill_disk(pid).map(|before| {
                self.undo.insert(number, Undo::Empty(pid, before));
            }),
            _ => tools::signal(pid, Signal::KILL),
        };
        done.map(|()| String::new()).map_err(|error| error.to_string())
    }

    /// Takes a fault back; what is over by itself is left as it is.
    pub(super) async fn end(&mut self, number: usize) -> Result<(), String> {
        let Some(undo) = self.undo.remove(&number) else { return Ok(()) };
        let text = |error: std::io::Error| error.to_string();
        match undo {
            // The process may have been killed meanwhile, by another fault.
            Undo::Resume(pid) => drop(tools::signal(pid, Signal::CONT)),
            Undo::Empty(pid, before) => drop(tools::empty_disk(pid, before)),
            Undo::Release(part) => fs::remove_file(self.ground.stage()?.held_file(&part)).map_err(text)?,
            Undo::Open(links) => {
                for link in links {
                    self.proxy(&link)?.set(Mode::Open);
                }
            }
            Undo::Clear => self.set_weather(Weather::Clear)?,
            Undo::Unlock(lock) => {
                let unlocked = tokio::task::spawn_blocking(move || drop(lock)).await;
                unlocked.map_err(|error| error.to_string())?;
            }
            Undo::SetRight(parts) => {
                for part in parts {
                    tools::set_clock(&self.ground.stage()?.clock_file(&part), 0).map_err(text)?;
                }
            }
            Undo::LetBack(held) => held.let_back().await?,
            Undo::StartBroker => self.start_broker().await?,
            Undo::RestoreStore => self.restore_store().await?,
        }
        Ok(())
    }

    /// Takes everything back that still lasts.
    pub(super) async fn end_all(&mut self) {
        for number in self.undo.keys().copied().collect::<Vec<_>>() {
            if let Err(reason) = self.end(number).await {
                tracing::warn!(number, reason, "a fault was not taken back");
            }
        }
    }

    fn kill_all(&self) -> Result<String, String> {
        let pids: Vec<u32> = self.ground.parts().into_iter().filter_map(|part| part.pid).collect();
        // One that ends by itself just now needs no kill.
        let killed = pids.into_iter().filter(|&pid| tools::signal(pid, Signal::KILL).is_ok()).count();
        if killed == 0 {
            Err("no part has a process now".to_owned())
        } else {
            Ok(format!("{killed} processes"))
        }
    }

    async fn take_store(&self) -> Result<Undo, String> {
        if let Some(file) = self.ground.store_file() {
            let taking = tokio::task::spawn_blocking(move || WriteLock::take(&file));
            let lock = taking.await.map_err(|error| error.to_string())?;
            return lock.map(Undo::Unlock).map_err(|error| error.to_string());
        }
        let links = ["ingest-store", "serve-store"].map(str::to_owned).to_vec();
        for link in &links {
            self.proxy(link)?.set(Mode::Cut);
        }
        Ok(Undo::Open(links))
    }

    fn set_clocks(&self, parts: Vec<String>, seconds: i64) -> Result<Undo, String> {
        let stage = self.ground.stage()?;
        for part in &parts {
            tools::set_clock(&stage.clock_file(part), seconds).map_err(|error| error.to_string())?;
        }
        if parts.is_empty() {
            return Err("there is no group of devices".to_owned());
        }
        Ok(Undo::SetRight(parts))
    }

    fn set_weather(&self, weather: Weather) -> Result<(), String> {
        let air = self.ground.stage()?.air().ok_or("there is one group of devices only")?;
        air.set(weather);
        Ok(())
    }

    fn proxy(&self, link: &str) -> Result<&Proxy, String> {
        self.ground.stage()?.proxy(link).ok_or_else(|| format!("there is no link {link:?}"))
    }

    /// A part's process, once it has one.
    async fn process(&self, part: &str) -> Result<u32, String> {
        let until = Instant::now() + PROCESS_WITHIN;
        loop {
            let now = self.ground.parts().into_iter().find(|now| now.name == part);
            let Some(now) = now else { return Err(format!("there is no part {part:?}")) };
            match now.pid {
                _ if now.ended => return Err(format!("{part} has ended for good")),
                Some(pid) => return Ok(pid),
                _ if Instant::now() > until => return Err(format!("{part} has no process now")),
                _ => sleep(Duration::from_millis(20)).await,
            }
        }
    }
}

fn mode_of(event: &Event) -> Mode {
    match event.kind {
        Kind::Cut => Mode::Cut,
        Kind::Stall => Mode::Stall,
        Kind::HalfOpen => Mode::HalfOpen,
        _ => Mode::Delay(milliseconds(event.amount)),
    }
}

fn weather_of(event: &Event) -> Weather {
    match event.kind {
        Kind::AirSplit => Weather::Split,
        // Its range was checked with the schedule.
        Kind::AirLoss => Weather::Loss(u8::try_from(event.amount).unwrap_or(100)),
        Kind::AirDelay => Weather::Late(milliseconds(event.amount)),
        _ => Weather::Twice(TWICE_AFTER),
    }
}

fn milliseconds(amount: i64) -> Duration {
    Duration::from_millis(u64::try_from(amount).unwrap_or(0))
}
