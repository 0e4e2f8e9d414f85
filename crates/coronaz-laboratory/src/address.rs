//! Listening addresses: taken or free.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
};

/// Why nobody can listen at an address.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// Another program listens there.
    #[error("{address} is in use by another program; choose another with {flag} ADDR:PORT")]
    InUse {
        /// The address asked for.
        address: SocketAddr,
        /// The flag that chooses it.
        flag: &'static str,
    },
    /// The system refuses for another reason.
    #[error("cannot listen on {address}")]
    Refused {
        /// The address asked for.
        address: SocketAddr,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

/// Finds out whether an address is free, by listening there for a moment; gives it back, with a free port for port 0.
/// `flag` is what chooses it, for the error.
///
/// # Errors
/// [`AddressError::InUse`] names the port; anything else carries the system's reason.
pub fn ensure_free(address: SocketAddr, flag: &'static str) -> Result<SocketAddr, AddressError> {
    match TcpListener::bind(address).and_then(|listener| listener.local_addr()) {
        Ok(free) => Ok(free),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Err(AddressError::InUse { address, flag }),
        Err(source) => Err(AddressError::Refused { address, source }),
    }
}

/// A loopback address with a port that nobody listens on now.
///
/// # Errors
/// What the system says when it has none.
pub fn free_loopback() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_named() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = taken.local_addr().expect("its address");
        let error = ensure_free(address, "--broker-listen").unwrap_err().to_string();
        assert!(error.starts_with(&format!("{address} is in use")), "{error}");
        assert!(error.ends_with("choose another with --broker-listen ADDR:PORT"), "{error}");
        drop(taken);
        assert!(ensure_free(address, "--listen").is_ok());
    }
}
