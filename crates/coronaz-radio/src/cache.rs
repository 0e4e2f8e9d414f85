//! Each datagram is read once for all devices of a thread.
//!
//! Every device of a process gets the same bytes; reading JSON a thousand times for the same answer
//! would be most of the work. A table of fixed size, one place for each hash, whole bytes
//! compared: a stranger who chooses bytes can make it read again, never grow, search or mistake.

use crate::refusals::Refusal;
use coronaz_wire::seal::Sealed;

/// Places; a power of two. Twice what a thousand devices send in a second.
const PLACES: usize = 2_048;

/// What a datagram says to whoever hears it.
pub(crate) type Verdict = Result<Sealed, Refusal>;

#[derive(Debug)]
struct Place {
    bytes: Vec<u8>,
    verdict: Verdict,
}

/// What was read lately.
#[derive(Debug)]
pub(crate) struct Cache {
    places: Vec<Option<Place>>,
}

impl Cache {
    pub(crate) fn new() -> Self {
        Cache { places: (0..PLACES).map(|_| None).collect() }
    }

    /// The verdict on these bytes, by `read` if it is not known.
    pub(crate) fn verdict(&mut self, bytes: &[u8], read: impl FnOnce(&[u8]) -> Verdict) -> &Verdict {
        let index = crc32fast::hash(bytes) as usize % PLACES;
        let place = &mut self.places[index];
        if place.as_ref().is_none_or(|known| known.bytes != bytes) {
            *place = Some(Place { bytes: bytes.to_vec(), verdict: read(bytes) });
        }
        &place.as_ref().expect("the place was filled above").verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_bytes_are_read_once_and_other_bytes_always() {
        let (mut cache, mut reads) = (Cache::new(), 0);
        for bytes in [&b"a"[..], b"a", b"b", b"a", b"b"] {
            let _ = cache.verdict(bytes, |_| {
                reads += 1;
                Err(Refusal::NotJson)
            });
        }
        assert_eq!(reads, 2);
    }

    #[test]
    fn two_datagrams_of_one_place_are_never_mistaken_for_each_other() {
        let mut cache = Cache::new();
        for round in 0..3 {
            for number in 0..10_000u32 {
                let kind = Refusal::ALL[number as usize % Refusal::ALL.len()];
                let verdict = cache.verdict(&number.to_le_bytes(), |_| Err(kind));
                assert_eq!(*verdict, Err(kind), "round {round}");
            }
        }
    }
}
