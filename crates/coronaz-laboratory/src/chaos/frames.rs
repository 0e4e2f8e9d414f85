//! A broker tells its clients its address, and they go there next time, past the proxy. So in what a broker
//! answers its address is replaced by the proxy's: the same host, so that only the port's two bytes differ.
//!
//! Answers are frames: a length of four bytes, big-endian, and so many bytes (the Kafka protocol guide, "Protocol
//! Primitives", "Request and Response Headers"). An answer that names brokers is short; longer ones pass as they are.

use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt};

/// An answer about brokers and topics is shorter than this by far.
const LOOKED_INTO_BYTES_MAX: usize = 64 * 1024;
/// What passes without being looked into goes in pieces of this size.
const PIECE_BYTES: usize = 64 * 1024;

/// Replaces one address by another in a stream of frames.
#[derive(Debug, Clone)]
pub(super) struct Rewriting {
    from: Vec<u8>,
    to: Vec<u8>,
}

impl Rewriting {
    /// Replaces the port of `host:from` by `to`, where host and port stand one behind the other.
    pub(super) fn new(from: SocketAddr, to: SocketAddr) -> Self {
        let bytes = |port: u16| {
            let mut bytes = from.ip().to_string().into_bytes();
            bytes.extend_from_slice(&u32::from(port).to_be_bytes());
            bytes
        };
        Rewriting { from: bytes(from.port()), to: bytes(to.port()) }
    }

    fn rewrite(&self, frame: &mut [u8]) {
        let length = self.from.len();
        let mut at = 0;
        while at + length <= frame.len() {
            if frame[at..at + length] == self.from[..] {
                frame[at..at + length].copy_from_slice(&self.to);
                at += length;
            } else {
                at += 1;
            }
        }
    }
}

/// Cuts a stream into what can be passed on: whole short frames, rewritten, and pieces of long ones.
pub(super) struct Cutter {
    rewriting: Rewriting,
    /// Bytes of a long frame that have not come yet.
    left: usize,
}

impl Cutter {
    pub(super) fn new(rewriting: Rewriting) -> Self {
        Cutter { rewriting, left: 0 }
    }

    /// The next piece; `None` at the stream's end.
    pub(super) async fn next(
        &mut self,
        from: &mut (impl AsyncRead + Unpin),
    ) -> std::io::Result<Option<Vec<u8>>> {
        if self.left > 0 {
            let mut piece = vec![0; self.left.min(PIECE_BYTES)];
            let count = from.read(&mut piece).await?;
            piece.truncate(count);
            self.left -= count;
            return Ok((count > 0).then_some(piece));
        }
        let mut length = [0; 4];
        match from.read_exact(&mut length).await {
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        }
        let bytes = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if bytes > LOOKED_INTO_BYTES_MAX {
            self.left = bytes;
            return Ok(Some(length.to_vec()));
        }
        let mut frame = vec![0; 4 + bytes];
        frame[..4].copy_from_slice(&length);
        from.read_exact(&mut frame[4..]).await?;
        self.rewriting.rewrite(&mut frame[4..]);
        Ok(Some(frame))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(body: &[u8]) -> Vec<u8> {
        let mut frame = u32::try_from(body.len()).expect("short").to_be_bytes().to_vec();
        frame.extend_from_slice(body);
        frame
    }

    #[tokio::test]
    async fn an_address_is_replaced_and_nothing_else() {
        let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let mut cutter = Cutter::new(Rewriting::new(address(9092), address(4000)));
        let answer = b"x127.0.0.1\x00\x00\x23\x84y127.0.0.1\x00\x00\x23\x85";
        let long = vec![b'1'; LOOKED_INTO_BYTES_MAX + 5];
        let stream = [framed(answer), framed(&long), framed(b"127.0.0.1")].concat();
        let mut reading = &stream[..];
        let mut out = Vec::new();
        while let Some(piece) = cutter.next(&mut reading).await.expect("memory") {
            out.extend(piece);
        }
        let expected = b"x127.0.0.1\x00\x00\x0f\xa0y127.0.0.1\x00\x00\x23\x85";
        assert_eq!(out, [framed(expected), framed(&long), framed(b"127.0.0.1")].concat());
    }
}
