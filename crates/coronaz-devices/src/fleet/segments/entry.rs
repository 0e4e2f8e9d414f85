//! A record's bytes on disk: length of the body (u32), its CRC-32 (u32), body; little-endian. The body:
//! length of the content type (u8), of the key (u16), shard (u32, all ones: none), content type, key, payload.

use std::io::{self, Read};

use coronaz_bus::{ContentType, RECORD_BYTES_MAX};

use crate::fleet::publisher::Outgoing;

/// Bytes before the body.
pub(super) const HEAD_BYTES: usize = 8;
const PREFIX_BYTES: usize = 7;
const BODY_BYTES_MAX: usize = PREFIX_BYTES + ContentType::BYTES_MAX + RECORD_BYTES_MAX;

/// The bytes of a record.
pub(super) fn write(record: &Outgoing) -> Vec<u8> {
    let name = record.content_type.as_str();
    let mut bytes = vec![0; HEAD_BYTES];
    bytes.push(u8::try_from(name.len()).unwrap_or_default());
    bytes.extend_from_slice(&u16::try_from(record.key.len()).unwrap_or_default().to_le_bytes());
    bytes.extend_from_slice(&record.shard.unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend_from_slice(name.as_bytes());
    bytes.extend_from_slice(&record.key);
    bytes.extend_from_slice(&record.payload);
    let body = &bytes[HEAD_BYTES..];
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes();
    let checksum = crc32fast::hash(body).to_le_bytes();
    bytes[..4].copy_from_slice(&length);
    bytes[4..HEAD_BYTES].copy_from_slice(&checksum);
    bytes
}

/// How long the entry with this head is; `None` when it cannot be one.
pub(super) fn length(head: [u8; HEAD_BYTES]) -> Option<u64> {
    let body = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
    (PREFIX_BYTES..=BODY_BYTES_MAX).contains(&body).then_some((HEAD_BYTES + body) as u64)
}

/// Whether these bytes can be the beginning of one entry, the rest of which was not written.
pub(super) fn may_be_torn(bytes: &[u8]) -> bool {
    match bytes.first_chunk::<HEAD_BYTES>() {
        None => true,
        Some(head) => length(*head).is_some_and(|length| length > bytes.len() as u64),
    }
}

/// Reads an entry and says how long it is; `None` when it is damaged.
pub(super) fn read(from: &mut impl Read) -> io::Result<Option<(Outgoing, u64)>> {
    let mut head = [0; HEAD_BYTES];
    from.read_exact(&mut head)?;
    let Some(length) = length(head) else { return Ok(None) };
    let mut body = vec![0; length as usize - HEAD_BYTES];
    from.read_exact(&mut body)?;
    let checksum = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
    if crc32fast::hash(&body) != checksum {
        return Ok(None);
    }
    Ok(record(&body).map(|record| (record, length)))
}

fn record(body: &[u8]) -> Option<Outgoing> {
    let (prefix, rest) = body.split_first_chunk::<PREFIX_BYTES>()?;
    let &[name_bytes, key_low, key_high, shard @ ..] = prefix;
    let (name, rest) = rest.split_at_checked(usize::from(name_bytes))?;
    let (key, payload) = rest.split_at_checked(usize::from(u16::from_le_bytes([key_low, key_high])))?;
    let shard = u32::from_le_bytes(shard);
    Some(Outgoing {
        key: key.to_vec(),
        payload: payload.to_vec(),
        content_type: ContentType::new(std::str::from_utf8(name).ok()?),
        shard: (shard != u32::MAX).then_some(shard),
    })
}
