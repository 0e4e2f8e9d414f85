//! The spool's entries and their bytes: length, checksum, payload; little-endian.

use coronaz_model::{Health, Illness, Position, Tick, movement::avoid::Direction};
use coronaz_wire::{Contact, Totals};
use uuid::Uuid;

/// Bytes before a payload: its length (u32) and its CRC-32 (u32).
const HEADER_BYTES: usize = 8;
/// The longest payload there is.
const PAYLOAD_BYTES_MAX: usize = 256;

/// A device's number within its spool.
pub type Place = u32;

/// Who a device's carrier is and how far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carrier {
    /// Seconds of its life.
    pub tick: Tick,
    /// Where it stands.
    pub position: Position,
    /// Where it walks to.
    pub goal: Position,
    /// How it fares.
    pub illness: Illness,
    /// From this second of its life on its illness shows.
    pub onset: Tick,
    /// Which way it flees in its next second.
    pub flees: Option<Direction>,
    /// Whether it died infected.
    pub died_infectious: bool,
    /// Everything its device has recorded.
    pub totals: Totals,
    /// Who infected it, if no report that tells it has arrived yet.
    pub infected_by: Option<Uuid>,
}

/// What the spool writes down.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// A device of a run.
    Device {
        /// Its number.
        place: Place,
        /// Its UUID.
        uuid: Uuid,
        /// Its run.
        run: Option<Uuid>,
        /// When its process started, microseconds since 1970.
        start_us: i64,
    },
    /// How its carrier fares now.
    Carrier {
        /// The device.
        place: Place,
        /// Its carrier.
        carrier: Carrier,
    },
    /// A contact it recorded.
    Contact {
        /// The device.
        place: Place,
        /// The contact.
        contact: Contact,
    },
    /// The oldest contacts of it have arrived.
    Settled {
        /// The device.
        place: Place,
        /// How many.
        contacts: u64,
    },
    /// So many contacts older than those that follow were dropped here, and will be settled first.
    Dropped {
        /// The device.
        place: Place,
        /// How many.
        contacts: u64,
    },
    /// It has told its last message and is forgotten.
    Finished {
        /// The device.
        place: Place,
    },
}

impl Entry {
    /// No entry is longer.
    pub const BYTES_MAX: usize = HEADER_BYTES + PAYLOAD_BYTES_MAX;

    /// Where in `bytes` the next whole entry begins, if there is one.
    #[must_use]
    pub fn find(bytes: &[u8]) -> Option<usize> {
        (0..bytes.len()).find(|&at| Self::read(&bytes[at..]).is_some())
    }

    /// Appends the entry's bytes.
    pub fn write(&self, into: &mut Vec<u8>) {
        let header = into.len();
        into.extend_from_slice(&[0; HEADER_BYTES]);
        self.write_payload(into);
        let payload = &into[header + HEADER_BYTES..];
        let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        let checksum = crc32fast::hash(payload);
        into[header..header + 4].copy_from_slice(&length.to_le_bytes());
        into[header + 4..header + 8].copy_from_slice(&checksum.to_le_bytes());
    }

    fn write_payload(&self, into: &mut Vec<u8>) {
        let mut put = |kind: u8, place: &Place| {
            into.push(kind);
            into.extend_from_slice(&place.to_le_bytes());
        };
        match self {
            Entry::Device { place, uuid, run, start_us } => {
                put(1, place);
                into.extend_from_slice(uuid.as_bytes());
                into.push(u8::from(run.is_some()));
                into.extend_from_slice(run.unwrap_or_default().as_bytes());
                into.extend_from_slice(&start_us.to_le_bytes());
            }
            Entry::Carrier { place, carrier } => {
                put(2, place);
                write_carrier(carrier, into);
            }
            Entry::Contact { place, contact } => {
                put(3, place);
                into.extend_from_slice(contact.uuid.as_bytes());
                into.extend_from_slice(&contact.timestamp_us.to_le_bytes());
                into.extend_from_slice(&contact.distance.unwrap_or(-1.0).to_le_bytes());
            }
            Entry::Settled { place, contacts } => {
                put(4, place);
                into.extend_from_slice(&contacts.to_le_bytes());
            }
            Entry::Finished { place } => put(5, place),
            Entry::Dropped { place, contacts } => {
                put(6, place);
                into.extend_from_slice(&contacts.to_le_bytes());
            }
        }
    }

    /// Reads the entry at the beginning of `bytes`, and how many bytes it took. `None` if it is torn.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<(Entry, usize)> {
        let mut header = Reader(bytes);
        let length = header.u32()? as usize;
        let checksum = header.u32()?;
        if length > PAYLOAD_BYTES_MAX {
            return None;
        }
        let payload = header.0.get(..length)?;
        if crc32fast::hash(payload) != checksum {
            return None;
        }
        Some((Self::read_payload(&mut Reader(payload))?, HEADER_BYTES + length))
    }

    fn read_payload(reader: &mut Reader<'_>) -> Option<Entry> {
        let kind = reader.u8()?;
        let place = reader.u32()?;
        Some(match kind {
            1 => Entry::Device {
                place,
                uuid: reader.uuid()?,
                run: reader.optional_uuid()?,
                start_us: reader.i64()?,
            },
            2 => Entry::Carrier { place, carrier: read_carrier(reader)? },
            3 => {
                let (uuid, timestamp_us) = (reader.uuid()?, reader.i64()?);
                let distance = Some(f64::from_le_bytes(reader.take()?)).filter(|distance| *distance >= 0.0);
                Entry::Contact { place, contact: Contact { uuid, timestamp_us, distance } }
            }
            4 => Entry::Settled { place, contacts: reader.u64()? },
            5 => Entry::Finished { place },
            6 => Entry::Dropped { place, contacts: reader.u64()? },
            _ => return None,
        })
    }
}

fn write_carrier(carrier: &Carrier, into: &mut Vec<u8>) {
    into.extend_from_slice(&carrier.tick.to_le_bytes());
    for number in [carrier.position.x, carrier.position.y, carrier.goal.x, carrier.goal.y] {
        into.extend_from_slice(&number.to_le_bytes());
    }
    into.push(carrier.illness.health as u8);
    into.extend_from_slice(&carrier.illness.left_s.to_le_bytes());
    into.extend_from_slice(&carrier.onset.to_le_bytes());
    into.push(carrier.flees.map_or(0, |way| way as u8));
    into.push(u8::from(carrier.died_infectious));
    into.extend_from_slice(&carrier.totals.contacts.to_le_bytes());
    into.extend_from_slice(&carrier.totals.digest.to_le_bytes());
    into.push(u8::from(carrier.infected_by.is_some()));
    into.extend_from_slice(carrier.infected_by.unwrap_or_default().as_bytes());
}

fn read_carrier(reader: &mut Reader<'_>) -> Option<Carrier> {
    let tick = reader.u64()?;
    let position = Position { x: reader.i32()?, y: reader.i32()? };
    let goal = Position { x: reader.i32()?, y: reader.i32()? };
    let health = match reader.u8()? {
        0 => Health::Susceptible,
        1 => Health::Latent,
        2 => Health::Infectious,
        3 => Health::Immune,
        4 => Health::Deceased,
        _ => return None,
    };
    let illness = Illness { health, left_s: reader.u32()? };
    let onset = reader.u64()?;
    let way = reader.u8()?;
    let flees = Direction::ALL.into_iter().find(|known| *known as u8 == way);
    let died_infectious = reader.u8()? == 1;
    let totals = Totals { contacts: reader.u64()?, digest: reader.u64()? };
    let infected_by = reader.optional_uuid()?;
    Some(Carrier { tick, position, goal, illness, onset, flees, died_infectious, totals, infected_by })
}

/// Reads numbers off the front.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*first)
    }

    fn u8(&mut self) -> Option<u8> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn i32(&mut self) -> Option<i32> {
        self.take().map(i32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    fn i64(&mut self) -> Option<i64> {
        self.take().map(i64::from_le_bytes)
    }

    fn uuid(&mut self) -> Option<Uuid> {
        self.take().map(Uuid::from_bytes)
    }

    fn optional_uuid(&mut self) -> Option<Option<Uuid>> {
        let there = self.u8()? == 1;
        let uuid = self.uuid()?;
        Some(there.then_some(uuid))
    }
}
