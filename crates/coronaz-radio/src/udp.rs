//! One socket for a device's whole life, so that nothing is lost between two datagrams.
//!
//! The socket is bound to the destination address itself: every socket bound to it with reuse hears
//! what is sent there, and nothing else. With the default, 127.255.255.255, that is this machine
//! alone. Sending is done from a second socket with a port of the system's choice.

use std::{
    collections::HashSet,
    io,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket},
};

use coronaz_wire::beacon::BEACON_BYTES_MAX;
use rustix::net::sockopt;
use socket2::{Domain, Protocol, Socket, Type};

use crate::{DATAGRAMS_A_LOOK_MAX, Radio};

/// The paper's port.
pub const PORT: u16 = 4_711;
/// The default destination: every device on this machine, and no network.
pub const THIS_MACHINE: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(127, 255, 255, 255), PORT);
/// The receive buffer asked for, in bytes. A queued beacon costs about 768 bytes of it, so that this
/// holds ten seconds of a thousand devices: what a process sleeps through it still hears.
const RECEIVE_BUFFER_BYTES: usize = 8 * 1024 * 1024;
/// One more than fits a beacon would do to know a longer datagram.
const DATAGRAM_BYTES_READ: usize = 2 * BEACON_BYTES_MAX;

/// Where to send and listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UdpConfig {
    /// A broadcast address (127.255.255.255 stays on this machine, 255.255.255.255 is the local
    /// network) or a multicast group, and the port. Default [`THIS_MACHINE`].
    pub destination: SocketAddrV4,
}

impl Default for UdpConfig {
    fn default() -> Self {
        UdpConfig { destination: THIS_MACHINE }
    }
}

/// Why a radio could not be switched on.
#[derive(Debug, thiserror::Error)]
pub enum UdpError {
    /// Nothing can be sent to it, or everybody would be heard.
    #[error(
        "a radio cannot use {destination}: write a broadcast address (127.255.255.255:{PORT} for this machine, \
         255.255.255.255:{PORT} for the network) or a multicast group, with a port from 1 to 65535"
    )]
    Destination {
        /// What was given.
        destination: SocketAddrV4,
    },
    /// Another program listens there and shares the port with nobody.
    #[error(
        "the radio address {destination} is held by another program; stop it, or choose another port with --radio {}:PORT",
        destination.ip()
    )]
    Held {
        /// Where it was to listen.
        destination: SocketAddrV4,
    },
    /// The operating system refused a socket.
    #[error("no radio on {destination}: {doing}")]
    Socket {
        /// Where it was to listen.
        destination: SocketAddrV4,
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

/// A radio over UDP.
#[derive(Debug)]
pub struct UdpRadio {
    destination: SocketAddrV4,
    /// `None`: it only sends.
    listening: Option<Listening>,
    sending: UdpSocket,
}

#[derive(Debug)]
struct Listening {
    socket: UdpSocket,
    buffer: Box<[u8; DATAGRAM_BYTES_READ]>,
}

impl UdpRadio {
    /// Switches a radio on.
    ///
    /// # Errors
    /// See [`UdpError`].
    pub fn new(config: UdpConfig) -> Result<Self, UdpError> {
        let deaf = Self::deaf(config)?;
        let destination = config.destination;
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::AddrInUse => UdpError::Held { destination },
            _ => UdpError::Socket { destination, doing: "listening", source },
        };
        let socket = listen(destination).map_err(failed)?;
        let buffer = Box::new([0; DATAGRAM_BYTES_READ]);
        Ok(UdpRadio { listening: Some(Listening { socket, buffer }), ..deaf })
    }

    /// Switches a radio on that only sends: its owner hears by another one. It never receives anything.
    ///
    /// # Errors
    /// See [`UdpError`].
    pub fn deaf(config: UdpConfig) -> Result<Self, UdpError> {
        let destination = config.destination;
        if destination.ip().is_unspecified() || destination.port() == 0 {
            return Err(UdpError::Destination { destination });
        }
        let doing = "opening the socket to send from";
        let sending =
            sender(destination).map_err(|source| UdpError::Socket { destination, doing, source })?;
        Ok(UdpRadio { destination, listening: None, sending })
    }

    /// Where it sends and listens.
    #[must_use]
    pub fn config(&self) -> UdpConfig {
        UdpConfig { destination: self.destination }
    }

    /// The port it sends from.
    ///
    /// # Errors
    /// The operating system does not tell.
    pub fn sending_port(&self) -> io::Result<u16> {
        Ok(self.sending.local_addr()?.port())
    }

    /// The number by which the system knows the socket it listens with.
    #[must_use]
    pub fn inode(&self) -> Option<u64> {
        let socket = &self.listening.as_ref()?.socket;
        rustix::fs::fstat(socket).ok().map(|stat| stat.st_ino)
    }

    /// How many bytes the system keeps for it between two looks; 0 where it only sends.
    ///
    /// # Errors
    /// The operating system does not tell.
    pub fn receive_buffer_bytes(&self) -> io::Result<usize> {
        let socket = self.listening.as_ref().map(|listening| &listening.socket);
        Ok(socket.map_or(Ok(0), sockopt::socket_recv_buffer_size)?)
    }
}

/// How many datagrams the system has thrown away because the buffers of these sockets were full.
/// `None` where it does not tell (it does on Linux, in `/proc/net/udp`).
#[must_use]
pub fn datagrams_dropped(inodes: &HashSet<u64>) -> Option<u64> {
    let table = std::fs::read_to_string("/proc/net/udp").ok()?;
    Some(dropped_in(&table, inodes))
}

/// A socket's line ends in `… uid timeout inode ref pointer drops`.
fn dropped_in(table: &str, inodes: &HashSet<u64>) -> u64 {
    let dropped = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let inode = fields.get(9)?.parse().ok()?;
        inodes.contains(&inode).then(|| fields.get(12)?.parse::<u64>().ok())?
    };
    table.lines().skip(1).filter_map(dropped).sum()
}

fn listen(destination: SocketAddrV4) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_reuse_address(true)?;
    // With the right to (CAP_NET_ADMIN) beyond the system's limit, else as much as it gives.
    if sockopt::set_socket_recv_buffer_size_force(&socket, RECEIVE_BUFFER_BYTES).is_err() {
        socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES)?;
    }
    socket.bind(&SocketAddr::V4(destination).into())?;
    if destination.ip().is_multicast() {
        socket.join_multicast_v4(destination.ip(), &Ipv4Addr::UNSPECIFIED)?;
    }
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

fn sender(destination: SocketAddrV4) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_broadcast(true)?;
    if destination.ip().is_multicast() {
        socket.set_multicast_loop_v4(true)?;
    }
    // Nobody reads it.
    socket.set_recv_buffer_size(0)?;
    socket.bind(&SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0)).into())?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

impl Radio for UdpRadio {
    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        self.sending.send_to(datagram, self.destination).map(|_| ())
    }

    fn receive(&mut self, visit: &mut dyn FnMut(&[u8], SocketAddrV4)) -> io::Result<usize> {
        let Some(Listening { socket, buffer }) = &mut self.listening else { return Ok(0) };
        for count in 0..DATAGRAMS_A_LOOK_MAX {
            match socket.recv_from(&mut buffer[..]) {
                Ok((length, SocketAddr::V4(from))) => visit(&buffer[..length], from),
                Ok((_, SocketAddr::V6(_))) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(count),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(DATAGRAMS_A_LOOK_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A port for each test, so that they do not hear each other.
    fn radio(port: u16) -> UdpRadio {
        let destination = SocketAddrV4::new(*THIS_MACHINE.ip(), port);
        UdpRadio::new(UdpConfig { destination }).expect("loopback broadcasts")
    }

    fn heard(radio: &mut UdpRadio) -> Vec<(Vec<u8>, SocketAddrV4)> {
        let mut heard = Vec::new();
        while radio.receive(&mut |bytes, from| heard.push((bytes.to_vec(), from))).expect("can be read") > 0 {
        }
        heard
    }

    #[test]
    fn every_radio_hears_every_datagram_and_its_senders_port() {
        let mut radios: Vec<_> = (0..5).map(|_| radio(27_101)).collect();
        let port = radios[2].sending_port().expect("bound");
        radios[2].send(b"hello").expect("sent");
        for radio in &mut radios {
            assert_eq!(heard(radio), [(b"hello".to_vec(), SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))]);
        }
    }

    #[test]
    fn what_arrives_between_two_looks_is_kept() {
        let (mut a, mut b) = (radio(27_102), radio(27_102));
        for _ in 0..3_000 {
            a.send(&[b'x'; 190]).expect("sent");
        }
        assert_eq!(heard(&mut b).len(), 3_000);
        assert_eq!(heard(&mut a).len(), 3_000, "its own too");
    }

    #[test]
    fn datagrams_of_any_length_arrive_and_long_ones_stay_too_long() {
        let (mut a, mut b) = (radio(27_103), radio(27_103));
        for length in [0, 1, 1_024, 1_025, 65_507] {
            a.send(&vec![7; length]).expect("sent");
        }
        let lengths: Vec<_> = heard(&mut b).into_iter().map(|(bytes, _)| bytes.len()).collect();
        assert_eq!(lengths, [0, 1, 1_024, 1_025, DATAGRAM_BYTES_READ]);
    }

    #[test]
    fn what_the_system_threw_away_is_known() {
        let (mut sender, slow) = (radio(27_105), radio(27_105));
        let socket = &slow.listening.as_ref().expect("it listens").socket;
        sockopt::set_socket_recv_buffer_size(socket, 4_096).expect("a smaller buffer");
        let inodes = HashSet::from([slow.inode().expect("Linux")]);
        assert_eq!(datagrams_dropped(&inodes), Some(0));
        for _ in 0..100 {
            sender.send(&[7; 190]).expect("sent");
        }
        let dropped = datagrams_dropped(&inodes).expect("Linux");
        assert!((50..100).contains(&dropped), "{dropped} of 100");
        assert_eq!(datagrams_dropped(&HashSet::from([u64::MAX])), Some(0), "others' do not count");
    }

    #[test]
    fn a_deaf_radio_is_heard_and_hears_nothing() {
        let mut hearer = radio(27_106);
        let mut deaf = UdpRadio::deaf(UdpConfig { destination: hearer.destination }).expect("a socket");
        deaf.send(b"hello").expect("sent");
        assert_eq!(heard(&mut hearer).len(), 1);
        assert_eq!((heard(&mut deaf).len(), deaf.inode()), (0, None));
    }

    #[test]
    fn a_port_that_another_program_holds_is_named_with_the_flag_that_helps() {
        let destination = SocketAddrV4::new(*THIS_MACHINE.ip(), 27_107);
        let _program = UdpSocket::bind(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 27_107)).expect("free");
        let error = UdpRadio::new(UdpConfig { destination }).expect_err("held").to_string();
        assert!(error.contains("127.255.255.255:27107 is held by another program"), "{error}");
        assert!(error.contains("--radio 127.255.255.255:PORT"), "{error}");
    }

    #[test]
    fn a_multicast_group_is_heard_too() {
        let destination = SocketAddrV4::new(Ipv4Addr::new(239, 255, 47, 11), 27_104);
        let on = || UdpRadio::new(UdpConfig { destination });
        let (Ok(mut a), Ok(mut b)) = (on(), on()) else {
            return; // A machine without a route for multicast.
        };
        if a.send(b"group").is_ok() {
            assert_eq!(heard(&mut b).len(), 1);
        }
    }

    #[test]
    fn an_address_that_is_none_is_refused_with_what_would_be_right() {
        for destination in ["0.0.0.0:4711", "127.255.255.255:0"] {
            let destination = destination.parse().expect("an address");
            let error = UdpRadio::new(UdpConfig { destination }).expect_err("refused");
            assert!(error.to_string().contains("127.255.255.255:4711"), "{error}");
        }
    }
}
