//! Datagrams to beacons: everything a stranger can send is refused here, and only counted.

use std::net::SocketAddrV4;

use coronaz_model::{Field, Position};
use coronaz_wire::{
    Beacon,
    beacon::BEACON_BYTES_MAX,
    seal::{RadioKey, ReplayWindow, Sealed},
};
use uuid::Uuid;

use crate::{
    cache::{Cache, Verdict},
    refusals::{Refusal, Refusals},
};

/// Which beacons a device listens to.
#[derive(Debug, Clone)]
pub struct Expectations {
    /// Its own run. A beacon without one is the paper's and is heard by every run.
    pub run: Option<Uuid>,
    /// The field that positions lie on.
    pub field: Field,
    /// With a key, only sealed beacons are heard, each once.
    pub key: Option<RadioKey>,
}

impl Expectations {
    fn read(&self, bytes: &[u8]) -> Verdict {
        let sealed = match &self.key {
            Some(key) => key.verify(bytes).map_err(|error| Refusal::from(&error))?,
            None => {
                let beacon = Beacon::decode(bytes).map_err(|error| Refusal::from(&error))?;
                Sealed { beacon, counter: 0 }
            }
        };
        let beacon = &sealed.beacon;
        if beacon.run.is_some_and(|run| Some(run) != self.run) {
            return Err(Refusal::OtherRun);
        }
        let [x, y] = beacon.position;
        if !self.field.contains(Position { x, y }) {
            return Err(Refusal::OffField);
        }
        Ok(sealed)
    }
}

/// A beacon that is one, for devices that received it at once.
#[derive(Debug)]
pub struct Heard<'a> {
    sealed: &'a Sealed,
    keyed: bool,
    from: SocketAddrV4,
    refusals: &'a mut Refusals,
    refused_last: &'a mut Option<SocketAddrV4>,
}

impl<'a> Heard<'a> {
    /// What it says. Whether a device may hear it says [`Heard::is_admitted`].
    #[must_use]
    pub fn beacon(&self) -> &'a Beacon {
        &self.sealed.beacon
    }

    /// Whether the device with this window may hear it; if not, it is a replay there, and counted. Without a radio key
    /// the window stays empty.
    pub fn is_admitted(&mut self, window: &mut ReplayWindow, now_us: i64) -> bool {
        let Sealed { beacon, counter } = self.sealed;
        let admitted = !self.keyed || window.admit(beacon.uuid, *counter, now_us).is_ok();
        if !admitted {
            self.refusals.count(Refusal::Replayed);
            *self.refused_last = Some(self.from);
        }
        admitted
    }
}

/// The ear of the devices of one thread.
#[derive(Debug)]
pub struct Ear {
    expectations: Expectations,
    cache: Cache,
    refusals: Refusals,
    refused_last: Option<SocketAddrV4>,
}

impl Ear {
    /// An ear for these beacons.
    #[must_use]
    pub fn new(expectations: Expectations) -> Self {
        Ear { expectations, cache: Cache::new(), refusals: Refusals::default(), refused_last: None }
    }

    /// The beacon in a datagram that the device with this window received, or nothing, counted.
    /// Without a radio key the window stays empty.
    pub fn hear(
        &mut self,
        window: &mut ReplayWindow,
        bytes: &[u8],
        from: SocketAddrV4,
        now_us: i64,
    ) -> Option<&Beacon> {
        let mut heard = self.hear_for_many(bytes, from)?;
        heard.is_admitted(window, now_us).then(|| heard.beacon())
    }

    /// The beacon in a datagram that several devices received at once, or nothing, counted once. Each device
    /// has to ask whether it may hear it: [`Heard::is_admitted`].
    pub fn hear_for_many(&mut self, bytes: &[u8], from: SocketAddrV4) -> Option<Heard<'_>> {
        let Ear { expectations, cache, refusals, refused_last } = self;
        let verdict = match bytes.len() {
            0..=BEACON_BYTES_MAX => cache.verdict(bytes, |bytes| expectations.read(bytes)),
            _ => &Err(Refusal::TooLong),
        };
        match verdict {
            Ok(sealed) => {
                Some(Heard { sealed, keyed: expectations.key.is_some(), from, refusals, refused_last })
            }
            Err(refusal) => {
                refusals.count(*refusal);
                *refused_last = Some(from);
                None
            }
        }
    }

    /// What was refused so far.
    #[must_use]
    pub fn refusals(&self) -> &Refusals {
        &self.refusals
    }

    /// Who sent the last datagram refused.
    #[must_use]
    pub fn refused_last(&self) -> Option<SocketAddrV4> {
        self.refused_last
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::net::Ipv4Addr;

    const NOW_US: i64 = 1_606_925_945_123_456;
    const FROM: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 50_000);
    const RUN: Uuid = Uuid::from_u128(1);

    fn beacon() -> Beacon {
        Beacon {
            uuid: Uuid::from_u128(7),
            position: [1, 5],
            infected: false,
            timestamp_us: NOW_US,
            alive: true,
            run: Some(RUN),
            tick: None,
        }
    }

    fn ear(key: Option<RadioKey>) -> Ear {
        Ear::new(Expectations { run: Some(RUN), field: Field::new(100, 100), key })
    }

    fn refusal_of(ear: &mut Ear, bytes: &[u8]) -> Option<Refusal> {
        let before = *ear.refusals();
        let heard = ear.hear(&mut ReplayWindow::default(), bytes, FROM, NOW_US).is_some();
        let new = ear.refusals().since(&before);
        assert_eq!(new.total(), u64::from(!heard), "heard or counted once");
        Refusal::ALL.into_iter().find(|&refusal| new.of(refusal) > 0)
    }

    #[test]
    fn what_strangers_send_is_counted_by_kind() {
        let ear = &mut ear(None);
        let changed = |from: &str, to: &str| {
            let text = String::from_utf8(beacon().encode()).expect("JSON is text");
            assert!(text.contains(from), "{text}");
            text.replace(from, to).into_bytes()
        };
        assert_eq!(refusal_of(ear, &beacon().encode()), None);
        assert_eq!(refusal_of(ear, &changed("[1,5]", "[1,5],\"mood\":3")), None, "extra members are allowed");
        assert_eq!(refusal_of(ear, b""), Some(Refusal::NotJson));
        assert_eq!(refusal_of(ear, b"stop"), Some(Refusal::NotJson));
        assert_eq!(refusal_of(ear, &[0xff; 1_024]), Some(Refusal::NotJson));
        assert_eq!(refusal_of(ear, &[0xff; 2_048]), Some(Refusal::TooLong));
        assert_eq!(refusal_of(ear, b"{}"), Some(Refusal::NotJson));
        assert_eq!(refusal_of(ear, &changed("false", "\"no\"")), Some(Refusal::NotJson));
        assert_eq!(refusal_of(ear, &changed("[1,5]", "[1,5,9]")), Some(Refusal::NotJson));
        assert_eq!(refusal_of(ear, &changed("[1,5]", "[1,99999999999]")), Some(Refusal::NotJson));
        assert_eq!(refusal_of(ear, &changed("[1,5]", "[1,-5]")), Some(Refusal::BadValue));
        assert_eq!(refusal_of(ear, &changed("[1,5]", "[1,101]")), Some(Refusal::OffField));
        let other = Beacon { run: Some(Uuid::from_u128(2)), ..beacon() };
        assert_eq!(refusal_of(ear, &other.encode()), Some(Refusal::OtherRun));
        let papers = Beacon { run: None, ..beacon() };
        assert_eq!(refusal_of(ear, &papers.encode()), None, "without a run it is the paper's");
        let no_run = &mut Ear::new(Expectations { run: None, field: Field::new(100, 100), key: None });
        assert_eq!(refusal_of(no_run, &beacon().encode()), Some(Refusal::OtherRun));
    }

    #[test]
    fn with_a_key_each_device_hears_each_sealed_beacon_once() {
        let key = RadioKey::new(b"the key of this radio").expect("long enough");
        let other_key = RadioKey::new(b"another radio's secret").expect("long enough");
        let ear = &mut ear(Some(key.clone()));
        let bytes = key.seal(&beacon(), NOW_US);
        let windows = &mut [ReplayWindow::default(), ReplayWindow::default()];
        for window in windows.iter_mut() {
            assert!(ear.hear(window, &bytes, FROM, NOW_US).is_some());
        }
        for window in windows.iter_mut() {
            assert!(ear.hear(window, &bytes, FROM, NOW_US).is_none());
        }
        assert_eq!(ear.refusals().of(Refusal::Replayed), 2);
        assert_eq!(refusal_of(ear, &other_key.seal(&beacon(), NOW_US)), Some(Refusal::Forged));
        assert_eq!(refusal_of(ear, &beacon().encode()), Some(Refusal::Unsealed));
        assert_eq!(refusal_of(ear, &key.seal(&beacon(), NOW_US - 9_000_000)), Some(Refusal::Replayed));
    }

    proptest! {
        #[test]
        fn any_bytes_are_heard_or_counted(bytes in proptest::collection::vec(any::<u8>(), 0..1_500)) {
            refusal_of(&mut ear(None), &bytes);
        }
    }
}
