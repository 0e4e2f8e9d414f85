//! A relay between two groups of devices, each of which has the air of its own radio address. What one group
//! broadcasts the relay broadcasts to the other: unless it is told to lose, delay or double it.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    io,
    net::{Ipv4Addr, SocketAddrV4},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use coronaz_radio::{Radio, UdpConfig, UdpError, UdpRadio};

use super::draws::Draws;

/// What the relay does with a beacon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// Passes it on at once.
    Clear,
    /// Passes nothing on.
    Split,
    /// Loses so many percent.
    Loss(u8),
    /// Passes it on so much later.
    Late(Duration),
    /// Passes it on at once, and once more after so long.
    Twice(Duration),
}

/// How often the relay looks: far more often than a device, which looks once a second.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// Beacons on their way at most: ten seconds of a thousand devices.
const WAITING_MAX: usize = 10_000;

/// Between two groups of devices. Dropping it separates them for good.
#[derive(Debug)]
pub struct Air {
    shared: Arc<Shared>,
    addresses: [SocketAddrV4; 2],
    relaying: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    weather: Mutex<Weather>,
    stop: AtomicBool,
    passed: AtomicU64,
    lost: AtomicU64,
}

/// Why there is no relay.
#[derive(Debug, thiserror::Error)]
pub enum AirError {
    /// No socket.
    #[error(transparent)]
    Radio(#[from] UdpError),
    /// No port or thread.
    #[error("no relay between the devices")]
    Io(#[from] io::Error),
}

impl Air {
    /// Chooses two addresses that stay on this machine, and relays between them.
    ///
    /// # Errors
    /// The system gives no socket or thread.
    pub fn start(seed: u64) -> Result<Air, AirError> {
        let addresses = [free_address()?, free_address()?];
        let mut radios = Vec::new();
        for destination in addresses {
            radios.push(UdpRadio::new(UdpConfig { destination })?);
        }
        let shared = Arc::new(Shared {
            weather: Mutex::new(Weather::Clear),
            stop: AtomicBool::new(false),
            passed: AtomicU64::new(0),
            lost: AtomicU64::new(0),
        });
        let working = Arc::clone(&shared);
        let relaying = std::thread::Builder::new()
            .name("air".to_owned())
            .spawn(move || Relay::new(radios, seed).work(&working))?;
        Ok(Air { shared, addresses, relaying: Some(relaying) })
    }

    /// The groups' radio addresses.
    #[must_use]
    pub fn addresses(&self) -> [SocketAddrV4; 2] {
        self.addresses
    }

    /// Changes what becomes of beacons from now on.
    pub fn set(&self, weather: Weather) {
        *self.shared.weather() = weather;
    }

    /// Beacons passed on, and lost.
    #[must_use]
    pub fn figures(&self) -> (u64, u64) {
        (self.shared.passed.load(Ordering::Relaxed), self.shared.lost.load(Ordering::Relaxed))
    }
}

impl Shared {
    fn weather(&self) -> MutexGuard<'_, Weather> {
        self.weather.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Air {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(relaying) = self.relaying.take() {
            // It has no result; a panic of its own was printed.
            let _ = relaying.join();
        }
    }
}

/// A broadcast address of this machine alone with a port that nobody uses now.
fn free_address() -> io::Result<SocketAddrV4> {
    let port = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
    Ok(SocketAddrV4::new(Ipv4Addr::new(127, 255, 255, 255), port))
}

/// A beacon on its way to a group; the heap's greatest arrives next.
type Waiting = Reverse<(Instant, usize, Vec<u8>)>;

struct Relay {
    radios: Vec<UdpRadio>,
    /// The ports that the relay itself sends from: what comes from them has been passed on already.
    own_ports: Vec<u16>,
    waiting: BinaryHeap<Waiting>,
    draws: Draws,
}

impl Relay {
    fn new(radios: Vec<UdpRadio>, seed: u64) -> Self {
        let own_ports = radios.iter().filter_map(|radio| radio.sending_port().ok()).collect();
        Relay { radios, own_ports, waiting: BinaryHeap::new(), draws: Draws::new(seed) }
    }

    fn work(mut self, shared: &Shared) {
        while !shared.stop.load(Ordering::Relaxed) {
            let weather = *shared.weather();
            for group in 0..self.radios.len() {
                self.look(group, weather, shared);
            }
            self.send_due(shared);
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// Takes what a group has sent since the last look.
    fn look(&mut self, group: usize, weather: Weather, shared: &Shared) {
        let mut heard = Vec::new();
        let own_ports = &self.own_ports;
        let took = self.radios[group].receive(&mut |beacon, from| {
            if !own_ports.contains(&from.port()) {
                heard.push(beacon.to_vec());
            }
        });
        if let Err(error) = took {
            tracing::warn!(%error, "the relay between the devices cannot listen");
        }
        let now = Instant::now();
        for beacon in heard {
            let to = 1 - group;
            let times = match weather {
                Weather::Clear => [Some(now), None],
                Weather::Late(by) => [Some(now + by), None],
                Weather::Twice(after) => [Some(now), Some(now + after)],
                Weather::Loss(percent) if self.draws.between(1, 100) > u64::from(percent) => {
                    [Some(now), None]
                }
                Weather::Loss(_) | Weather::Split => [None, None],
            };
            if times[0].is_none() {
                shared.lost.fetch_add(1, Ordering::Relaxed);
            }
            for due in times.into_iter().flatten() {
                if self.waiting.len() < WAITING_MAX {
                    self.waiting.push(Reverse((due, to, beacon.clone())));
                }
            }
        }
    }

    fn send_due(&mut self, shared: &Shared) {
        let now = Instant::now();
        while self.waiting.peek().is_some_and(|Reverse((due, ..))| *due <= now) {
            let Some(Reverse((_, to, beacon))) = self.waiting.pop() else { return };
            match self.radios[to].send(&beacon) {
                Ok(()) => shared.passed.fetch_add(1, Ordering::Relaxed),
                // The system's buffers are full: on a radio that is a lost beacon.
                Err(_) => shared.lost.fetch_add(1, Ordering::Relaxed),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends numbered beacons from one group and says how often the other heard each.
    fn heard(air: &Air, weather: Weather, beacons: u8) -> Vec<u32> {
        let [a, b] = air.addresses().map(|destination| UdpRadio::new(UdpConfig { destination }));
        let (mut a, mut b) = (a.expect("a radio"), b.expect("a radio"));
        air.set(weather);
        std::thread::sleep(LOOK_EVERY * 4);
        for number in 0..beacons {
            a.send(&[b'x', number]).expect("sent");
        }
        let mut counts = vec![0; usize::from(beacons)];
        let until = Instant::now() + Duration::from_millis(400);
        while Instant::now() < until {
            b.receive(&mut |bytes, _| counts[usize::from(bytes[1])] += 1).expect("loopback");
            std::thread::sleep(LOOK_EVERY);
        }
        counts
    }

    #[test]
    fn each_weather_is_heard_on_the_other_side() {
        let air = Air::start(1).expect("a relay");
        assert_eq!(heard(&air, Weather::Clear, 20), [1; 20]);
        assert_eq!(heard(&air, Weather::Split, 20), [0; 20]);
        assert_eq!(heard(&air, Weather::Twice(Duration::from_millis(30)), 20), [2; 20]);
        let lossy: u32 = heard(&air, Weather::Loss(50), 100).iter().sum();
        assert!((20..=80).contains(&lossy), "half of 100, give or take: {lossy}");
        assert_eq!(heard(&air, Weather::Late(Duration::from_millis(100)), 5), [1; 5]);
        assert_eq!(heard(&air, Weather::Late(Duration::from_secs(60)), 5), [0; 5]);
        assert!(air.figures().1 >= 20);
    }
}
