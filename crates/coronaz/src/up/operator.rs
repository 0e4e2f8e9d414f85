//! The operator's token: made once, kept in the data folder, given to the server in a file.

use std::{
    fs::File,
    io::{self, Write},
    net::SocketAddr,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use coronaz_laboratory::set_aside::set_aside;
use coronaz_server::Token;

use crate::{
    chance,
    failure::{Failure, chain},
};

/// The token of a laboratory.
pub(super) struct Operator {
    file: PathBuf,
    secret: String,
}

impl Operator {
    /// Reads the token, or makes one that its owner alone can read.
    pub(super) fn of(file: PathBuf) -> Result<Operator, Failure> {
        let named = |error: &io::Error| Failure::io(format!("the token file {}: {error}", file.display()));
        let secret = match make(&file, &chance::new_secret()?) {
            Ok(secret) => secret,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match read(&file) {
                Ok(secret) => secret,
                Err(Unusable::Io(error)) => return Err(named(&error)),
                Err(Unusable::Damaged(why)) => {
                    let kept = set_aside(&file).map_err(|error| named(&error))?;
                    let (path, kept) = (file.display(), kept.display());
                    tracing::warn!(
                        "{path} holds no token: {why}; it is kept as {kept}, and a new token is made"
                    );
                    make(&file, &chance::new_secret()?).map_err(|error| named(&error))?
                }
            },
            Err(error) => return Err(named(&error)),
        };
        Ok(Operator { file, secret })
    }

    /// How the operator comes in. What stands behind the `#` stays in the browser: no server and no log sees it.
    pub(super) fn way_in(&self, listen: SocketAddr) -> String {
        if listen.ip().is_loopback() {
            return format!("http://{listen}/#sign-in={}", escaped(&self.secret));
        }
        format!("http://{listen}/login, with the token in {}", self.file.display())
    }

    pub(super) fn file(&self) -> &Path {
        &self.file
    }
}

/// Why a token file cannot be used.
enum Unusable {
    /// The system does not let it be read.
    Io(io::Error),
    /// What is in it is no token.
    Damaged(String),
}

fn read(file: &Path) -> Result<String, Unusable> {
    let bytes = match std::fs::read(file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::IsADirectory => {
            return Err(Unusable::Damaged("it is a folder".to_owned()));
        }
        Err(error) => return Err(Unusable::Io(error)),
    };
    let text = String::from_utf8(bytes).map_err(|_| Unusable::Damaged("it is no text".to_owned()))?;
    let secret = text.trim().to_owned();
    let checked: Result<Token, _> = secret.parse();
    checked.map(|_| secret).map_err(|error| Unusable::Damaged(chain(&error)))
}

fn make(file: &Path, secret: &str) -> io::Result<String> {
    let mut made: File = File::options().write(true).create_new(true).mode(0o600).open(file)?;
    writeln!(made, "{secret}")?;
    Ok(secret.to_owned())
}

/// As it stands in an address.
fn escaped(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_token_is_made_once_and_only_its_owner_can_read_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("operator-token");
        let first = Operator::of(file.clone()).expect("a token");
        let mode = std::fs::metadata(&file).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let second = Operator::of(file.clone()).expect("the same");
        let listen: SocketAddr = "127.0.0.1:3000".parse().expect("an address");
        assert_eq!(first.way_in(listen), second.way_in(listen));
        assert!(first.way_in(listen).starts_with("http://127.0.0.1:3000/#sign-in="));
        let open: SocketAddr = "0.0.0.0:3000".parse().expect("an address");
        assert!(!first.way_in(open).contains(&first.secret));
        std::fs::write(&file, "a+token/with=signs-in-it\n").expect("a file");
        let own = Operator::of(file.clone()).expect("an own token");
        assert!(own.way_in(listen).ends_with("#sign-in=a%2Btoken%2Fwith%3Dsigns-in-it"));
    }

    #[test]
    fn a_file_that_holds_no_token_is_set_aside_by_name_and_a_new_token_is_made() {
        for content in [
            &b""[..],
            b"\n",
            b"short\n",
            b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            b"\xff\xfe\xff\xfe",
            b"two words in one token\n",
        ] {
            let folder = tempfile::tempdir().expect("a folder");
            let file = folder.path().join("operator-token");
            std::fs::write(&file, content).expect("a file");
            let first = Operator::of(file.clone()).expect("a token");
            assert_eq!(first.secret.len(), 64, "{content:?}");
            let kept = std::fs::read(folder.path().join("operator-token.damaged-1")).expect("kept");
            assert_eq!(kept, content);
            assert_eq!(Operator::of(file).expect("the same").secret, first.secret);
        }
    }
}
