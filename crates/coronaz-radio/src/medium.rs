//! The air in memory: everybody hears everybody, except for what range, loss and delay take away.
//!
//! No clock and no thread: time is the number given to [`Medium::set_now_us`], and whether a datagram
//! is lost or late is a function of its number, so the same calls give the same answers.

use std::{
    collections::{BinaryHeap, VecDeque},
    io,
    net::{Ipv4Addr, SocketAddrV4},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{DATAGRAMS_A_LOOK_MAX, Radio};

/// One datagram on its way to one hearer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hop {
    /// Place of the sender's radio, in the order in which they were switched on.
    pub from: usize,
    /// Place of the hearer's radio.
    pub to: usize,
    /// Counts the datagrams of the whole medium, from 0: the key of a draw.
    pub number: u64,
}

/// What becomes of a hop: `None` if it is lost or out of range, else its delay in microseconds.
pub type Fate = dyn FnMut(Hop) -> Option<i64> + Send;

/// An air that radios share. Clones are the same air.
#[derive(Clone)]
pub struct Medium {
    air: Arc<Mutex<Air>>,
}

struct Air {
    now_us: i64,
    sent: u64,
    fate: Box<Fate>,
    inboxes: Vec<Inbox>,
}

#[derive(Default)]
struct Inbox {
    ready: VecDeque<Arc<Datagram>>,
    late: BinaryHeap<Late>,
}

struct Datagram {
    bytes: Vec<u8>,
    from: SocketAddrV4,
}

/// On its way; the heap's greatest is the next to arrive.
struct Late {
    at_us: i64,
    number: u64,
    datagram: Arc<Datagram>,
}

impl Late {
    fn key(&self) -> std::cmp::Reverse<(i64, u64)> {
        std::cmp::Reverse((self.at_us, self.number))
    }
}

impl PartialEq for Late {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}
impl Eq for Late {}
impl PartialOrd for Late {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Late {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

/// Datagrams waiting for one hearer at most, as a socket's buffer is bounded; more are lost.
const INBOX_DATAGRAMS_MAX: usize = 65_536;

impl Medium {
    /// An air in which nothing is lost and nothing takes time.
    #[must_use]
    pub fn perfect() -> Self {
        Medium::new(|_| Some(0))
    }

    /// An air in which `fate` decides over every datagram on its way to every hearer.
    #[must_use]
    pub fn new(fate: impl FnMut(Hop) -> Option<i64> + Send + 'static) -> Self {
        let air = Air { now_us: 0, sent: 0, fate: Box::new(fate), inboxes: Vec::new() };
        Medium { air: Arc::new(Mutex::new(air)) }
    }

    /// Switches a radio on. It hears what is sent from now on, its own included.
    #[must_use]
    pub fn radio(&self) -> MediumRadio {
        let mut air = self.lock();
        air.inboxes.push(Inbox::default());
        MediumRadio { medium: self.clone(), place: air.inboxes.len() - 1 }
    }

    /// Sets the time that delays are counted by.
    pub fn set_now_us(&self, now_us: i64) {
        self.lock().now_us = now_us;
    }

    fn lock(&self) -> MutexGuard<'_, Air> {
        self.air.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A radio in a [`Medium`].
pub struct MediumRadio {
    medium: Medium,
    place: usize,
}

impl Radio for MediumRadio {
    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        let mut guard = self.medium.lock();
        let air = &mut *guard;
        let port = u16::try_from(self.place % 60_000).unwrap_or_default() + 1_024;
        let from = SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
        let datagram = Arc::new(Datagram { bytes: datagram.to_vec(), from });
        for (to, inbox) in air.inboxes.iter_mut().enumerate() {
            let number = air.sent;
            air.sent += 1;
            let Some(delay_us) = (air.fate)(Hop { from: self.place, to, number }) else { continue };
            if inbox.ready.len() + inbox.late.len() >= INBOX_DATAGRAMS_MAX {
                continue;
            }
            let datagram = Arc::clone(&datagram);
            if delay_us <= 0 {
                inbox.ready.push_back(datagram);
            } else {
                inbox.late.push(Late { at_us: air.now_us.saturating_add(delay_us), number, datagram });
            }
        }
        Ok(())
    }

    fn receive(&mut self, visit: &mut dyn FnMut(&[u8], SocketAddrV4)) -> io::Result<usize> {
        let arrived: Vec<Arc<Datagram>> = {
            let mut guard = self.medium.lock();
            let now_us = guard.now_us;
            let inbox = &mut guard.inboxes[self.place];
            while inbox.late.peek().is_some_and(|late| late.at_us <= now_us) {
                inbox.ready.extend(inbox.late.pop().map(|late| late.datagram));
            }
            let count = inbox.ready.len().min(DATAGRAMS_A_LOOK_MAX);
            inbox.ready.drain(..count).collect()
        };
        for datagram in &arrived {
            visit(&datagram.bytes, datagram.from);
        }
        Ok(arrived.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(radio: &mut MediumRadio) -> Vec<Vec<u8>> {
        let mut heard = Vec::new();
        radio.receive(&mut |bytes, _| heard.push(bytes.to_vec())).expect("memory");
        heard
    }

    #[test]
    fn everybody_hears_everybody_and_themselves() {
        let medium = Medium::perfect();
        let (mut a, mut b) = (medium.radio(), medium.radio());
        a.send(b"1").expect("memory");
        b.send(b"2").expect("memory");
        assert_eq!(heard(&mut a), [b"1", b"2"]);
        assert_eq!(heard(&mut b), [b"1", b"2"]);
        assert!(heard(&mut b).is_empty());
    }

    #[test]
    fn range_and_loss_are_what_the_given_fate_says() {
        let medium = Medium::new(|hop| (hop.from.abs_diff(hop.to) == 1).then_some(0));
        let mut radios: Vec<_> = (0..4).map(|_| medium.radio()).collect();
        radios[1].send(b"x").expect("memory");
        let counts: Vec<_> = radios.iter_mut().map(|radio| heard(radio).len()).collect();
        assert_eq!(counts, [1, 0, 1, 0]);
    }

    #[test]
    fn a_delayed_datagram_arrives_when_its_time_has_come_in_order() {
        let medium = Medium::new(|hop| Some(if hop.number < 2 { 300 } else { 100 }));
        let (mut a, mut b) = (medium.radio(), medium.radio());
        a.send(b"slow").expect("memory");
        a.send(b"fast").expect("memory");
        assert!(heard(&mut b).is_empty());
        medium.set_now_us(100);
        assert_eq!(heard(&mut b), [b"fast"]);
        medium.set_now_us(300);
        assert_eq!(heard(&mut b), [b"slow"]);
    }
}
