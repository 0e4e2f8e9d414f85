//! Where the control socket is, however long the path of its folder.
//!
//! The system takes no more than some hundred bytes for the address of a Unix socket. A longer path is reached by way of the
//! open folder: `/proc/self/fd/N/NAME` is the same file, and short.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

/// The longest path of a socket, in bytes, that every system takes.
const PATH_BYTES_MAX: usize = 100;

/// An address by which the socket with some path can be bound or connected to.
#[derive(Debug)]
pub struct SocketAddress {
    path: PathBuf,
    /// Held open for as long as the address is used.
    _folder: Option<File>,
}

impl SocketAddress {
    /// The address of the socket at `path`.
    ///
    /// # Errors
    /// The path is long, and its folder cannot be opened, or the system has no other way to it.
    pub fn of(path: &Path) -> io::Result<Self> {
        if path.as_os_str().len() <= PATH_BYTES_MAX {
            return Ok(SocketAddress { path: path.to_owned(), _folder: None });
        }
        by_folder(path)
    }

    /// What to bind or connect to.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(target_os = "linux")]
fn by_folder(path: &Path) -> io::Result<SocketAddress> {
    use std::os::fd::AsRawFd;
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return Err(too_long(path)) };
    let folder = File::open(parent)?;
    let short = Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string()).join(name);
    if !short.parent().is_some_and(Path::is_dir) {
        return Err(too_long(path));
    }
    Ok(SocketAddress { path: short, _folder: Some(folder) })
}

#[cfg(not(target_os = "linux"))]
fn by_folder(path: &Path) -> io::Result<SocketAddress> {
    Err(too_long(path))
}

fn too_long(path: &Path) -> io::Error {
    let text = format!(
        "the path of the control socket, {}, has {} bytes, and this system takes {PATH_BYTES_MAX}; \
         choose a data folder with a shorter path",
        path.display(),
        path.as_os_str().len()
    );
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::{UnixListener, UnixStream};

    #[test]
    fn a_socket_is_reached_whatever_the_length_of_its_path() {
        let home = std::env::temp_dir().join(format!("coronaz-socket-{}", std::process::id()));
        for length in [5, 60, 94, 120, 200] {
            let folder = home.join("x".repeat(length));
            std::fs::create_dir_all(&folder).expect("a folder");
            let path = folder.join("control.sock");
            let _listener =
                UnixListener::bind(SocketAddress::of(&path).expect("an address").path()).expect("bound");
            let address = SocketAddress::of(&path).expect("an address");
            assert!(UnixStream::connect(address.path()).is_ok(), "{length}");
            assert!(path.exists(), "it lies in its folder");
        }
        std::fs::remove_dir_all(&home).expect("ours");
    }
}
