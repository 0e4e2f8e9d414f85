//! One client's requests, one after the other.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use crate::answer::{Answer, Asker, Broker};
use crate::buffers::{Buffers, is_pause};
use crate::connections::Connection;
use crate::protocol::Api;
use crate::protocol::reader::DecodeError;
use crate::protocol::request::Request;

/// The largest request with records: several batches.
pub(crate) const PRODUCE_BYTES_MAX: usize = 4 << 20;
/// The largest request without.
pub(crate) const QUESTION_BYTES_MAX: usize = 256 * 1024;
/// A request's number, version and correlation, and the length of a name.
const REQUEST_BYTES_MIN: usize = 10;
/// Requests with records that are held in memory at a time.
const PRODUCE_BYTES_ALL: usize = 64 << 20;
const QUESTION_BYTES_ALL: usize = 16 << 20;
/// A client that asks nothing for so long has gone; it connects again if it has not.
const IDLE_MAX: Duration = Duration::from_secs(10 * 60);
/// The first request comes sooner: every client asks for the versions at once.
const SILENT_MAX: Duration = Duration::from_secs(30);
/// How long a whole request may take, from its first byte on: 4 MiB with 70 kB/s.
const REQUEST_MAX: Duration = Duration::from_secs(60);
/// How often it is looked whether a request that comes slowly may still do so.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long a client may take for a piece of an answer.
const STALL_MAX: Duration = Duration::from_secs(30);
/// How much of a file is on its way from disk to client at once.
const PIECE_BYTES: usize = 256 * 1024;

/// The memory for the requests of all connections.
#[derive(Debug)]
pub(crate) struct Memory {
    produce: Buffers,
    questions: Buffers,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            produce: Buffers::new(PRODUCE_BYTES_ALL, PRODUCE_BYTES_MAX),
            questions: Buffers::new(QUESTION_BYTES_ALL, QUESTION_BYTES_MAX),
        }
    }
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Ended {
    #[error("the client has gone: {0}")]
    Gone(#[from] io::Error),
    #[error("a request of {bytes} bytes; between {REQUEST_BYTES_MIN} and {max} are taken")]
    Size { bytes: i64, max: usize },
    #[error("not a request: {0}")]
    Decode(#[from] DecodeError),
}

/// Answers a client until it goes away or sends what is no request.
pub(crate) fn serve(connection: &Connection, broker: &Broker, memory: &Memory) -> Result<(), Ended> {
    let stream = &connection.stream;
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(STALL_MAX))?;
    let mut asker = Asker::new(stream);
    loop {
        let idle_max = if connection.has_asked() { IDLE_MAX } else { SILENT_MAX };
        let Some((head, until)) = read_head(stream, idle_max)? else { return Ok(()) };
        let [length @ .., key_high, key_low] = head;
        let is_produce = i16::from_be_bytes([key_high, key_low]) == Api::Produce as i16;
        let (max, buffers) = if is_produce {
            (PRODUCE_BYTES_MAX, &memory.produce)
        } else {
            (QUESTION_BYTES_MAX, &memory.questions)
        };
        let announced = i32::from_be_bytes(length);
        let bytes = usize::try_from(announced).unwrap_or(0);
        if !(REQUEST_BYTES_MIN..=max).contains(&bytes) {
            return Err(Ended::Size { bytes: announced.into(), max });
        }
        let lease = buffers.read(&[key_high, key_low], bytes - 2, stream, until)?;
        connection.asks();
        asker.holds_memory = lease.is_counted();
        let answer = broker.answer(&Request::decode(&lease.bytes)?, &mut asker);
        // The request's memory is given back first: an answer that waits for others may wait for long.
        drop(lease);
        if let Some(answer) = answer.and_then(|answer| broker.complete(answer, &asker)) {
            send(&answer, stream)?;
        }
        connection.is_answered();
    }
}

/// A request's length and kind, and until when all of it has to be there. `None` when the client closed the connection or was silent for too long.
fn read_head(mut stream: &TcpStream, idle_max: Duration) -> io::Result<Option<([u8; 6], Instant)>> {
    let mut head = [0; 6];
    stream.set_read_timeout(Some(idle_max))?;
    let mut filled = match stream.read(&mut head) {
        // Nothing for so long: it connects again if it still is.
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => 0,
        Err(error) if error.kind() == io::ErrorKind::Interrupted => return read_head(stream, idle_max),
        read => read?,
    };
    if filled == 0 {
        return Ok(None);
    }
    let until = Instant::now() + REQUEST_MAX;
    stream.set_read_timeout(Some(LOOK_EVERY))?;
    while filled < head.len() {
        match stream.read(&mut head[filled..]) {
            Ok(0) => return Ok(None),
            Ok(read) => filled += read,
            Err(error) if is_pause(&error) => {}
            Err(error) => return Err(error),
        }
        if Instant::now() >= until {
            return Err(io::ErrorKind::TimedOut.into());
        }
    }
    Ok(Some((head, until)))
}

/// Sends an answer, batches straight from their files in pieces.
fn send(answer: &Answer, mut to: impl Write) -> io::Result<()> {
    let length = i32::try_from(answer.length()).map_err(io::Error::other)?;
    let written = &answer.writer.bytes;
    let mut out = Vec::with_capacity(written.len() + size_of_val(&length));
    out.extend(length.to_be_bytes());
    let mut sent = 0;
    for (after, slice) in &answer.slices {
        out.extend(&written[sent..*after]);
        sent = *after;
        let (mut position, end) = (slice.position, slice.position + slice.bytes);
        while position < end {
            let room = PIECE_BYTES.saturating_sub(out.len()).max(1);
            let count = room.min(usize::try_from(end - position).unwrap_or(room));
            let start = out.len();
            out.resize(start + count, 0);
            slice.file.read_exact_at(&mut out[start..], position)?;
            position += count as u64;
            if out.len() >= PIECE_BYTES {
                write_piece(&mut to, &out)?;
                out.clear();
            }
        }
    }
    out.extend(&written[sent..]);
    write_piece(&mut to, &out)
}

/// Sends a piece of an answer, which the client has to take in time, not only some of it.
fn write_piece(to: &mut impl Write, mut piece: &[u8]) -> io::Result<()> {
    let until = Instant::now() + STALL_MAX;
    while !piece.is_empty() {
        match to.write(piece) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => piece = &piece[count..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if !piece.is_empty() && Instant::now() >= until {
            return Err(io::ErrorKind::TimedOut.into());
        }
    }
    Ok(())
}
