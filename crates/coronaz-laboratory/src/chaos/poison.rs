//! Records that are none of ours, as a stranger or a broken program would send them. None of them is a
//! report or a frame that could be believed: those would have to be stored.

use coronaz_bus::{ContentType, Message, RECORD_BYTES_MAX};

use super::draws::Draws;

/// A record to be sent.
#[derive(Debug, Clone)]
pub(super) struct Poisoned {
    pub(super) key: Vec<u8>,
    pub(super) payload: Vec<u8>,
    pub(super) content_type: ContentType,
}

/// The next poisoned record; some are made from a good one.
pub(super) fn next(draws: &mut Draws, good: Option<&Message>) -> Poisoned {
    let kinds = [ContentType::JSON, ContentType::RUN, ContentType::FRAME, ContentType::new("text/html")];
    let content_type = draws.pick(&kinds).cloned().unwrap_or(ContentType::JSON);
    let key = garbage(draws, 16);
    match (draws.between(0, 7), good) {
        (0, _) => Poisoned { key, payload: garbage_of(draws, 1_000), content_type },
        (1, _) => Poisoned { key, payload: Vec::new(), content_type },
        (2, _) => Poisoned { key, payload: hostile(draws), content_type },
        // As large as the bus takes: far beyond what a report may have.
        (3, _) => Poisoned { payload: vec![b'['; RECORD_BYTES_MAX - key.len()], key, content_type },
        (4, Some(good)) => cut_off(draws, good),
        (5, Some(good)) => other_version(good),
        (6, Some(good)) => flipped(draws, good),
        _ => Poisoned { key, payload: hostile(draws), content_type: ContentType::JSON },
    }
}

fn garbage_of(draws: &mut Draws, bytes_max: u64) -> Vec<u8> {
    let bytes = draws.between(1, bytes_max);
    garbage(draws, bytes)
}

fn garbage(draws: &mut Draws, bytes: u64) -> Vec<u8> {
    (0..bytes).map(|_| draws.next().to_le_bytes()[0]).collect()
}

/// JSON to choke on.
fn hostile(draws: &mut Draws) -> Vec<u8> {
    let texts = [
        "[".repeat(100_000),
        format!("{}1{}", "{\"a\":".repeat(10_000), "}".repeat(10_000)),
        "\"".to_owned(),
        "null".to_owned(),
        "1e999999".to_owned(),
        "{\"uuid\":\"'; drop table contact; --\",\"position\":[1,5],\"infected\":false}".to_owned(),
        "{\"uuid\":\"ff0a1bda-34b9-11eb-b339-0242ac160009\",\"position\":[1,5],\"infected\":\"no\"}"
            .to_owned(),
        "{\"uuid\":\"ff0a1bda-34b9-11eb-b339-0242ac160009\",\"position\":[1e9,5],\"infected\":false,\
         \"timestamp\":\"0000-99-99\",\"alive\":true}"
            .to_owned(),
        format!("{{\"uuid\":\"{}\"}}", "f".repeat(60_000)),
        "\"{\\\"uuid\\\":\\\"\\u0000\\\"}\"".to_owned(),
    ];
    draws.pick(&texts).cloned().unwrap_or_default().into_bytes()
}

fn cut_off(draws: &mut Draws, good: &Message) -> Poisoned {
    let last = good.payload.len().saturating_sub(1) as u64;
    let length = usize::try_from(draws.between(0, last)).unwrap_or(0);
    Poisoned { payload: good.payload[..length].to_vec(), ..copy_of(good) }
}

/// Of a frame the version lies behind the magic; JSON with another first byte is none.
fn other_version(good: &Message) -> Poisoned {
    let mut poisoned = copy_of(good);
    let place = if good.content_type == ContentType::FRAME { 4 } else { 0 };
    if let Some(byte) = poisoned.payload.get_mut(place) {
        *byte = byte.wrapping_add(7);
    }
    poisoned
}

/// A flipped bit: a frame's checksum tells. In JSON it could make a good report of somebody else, so there the
/// first brace goes.
fn flipped(draws: &mut Draws, good: &Message) -> Poisoned {
    let mut poisoned = copy_of(good);
    let last = poisoned.payload.len().saturating_sub(1) as u64;
    let place = if good.content_type == ContentType::FRAME { draws.between(0, last) } else { 0 };
    if let Some(byte) = usize::try_from(place).ok().and_then(|place| poisoned.payload.get_mut(place)) {
        *byte ^= 1 << draws.between(0, 6);
    }
    poisoned
}

fn copy_of(good: &Message) -> Poisoned {
    let (key, payload) = (good.key.clone(), good.payload.clone());
    Poisoned { key, payload, content_type: good.content_type.clone() }
}
