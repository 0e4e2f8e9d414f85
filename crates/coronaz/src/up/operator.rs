//! The operator's token: made once, kept in the data folder, given to the server in a file.

use std::{
    fs::File,
    io::{self, Write},
    net::SocketAddr,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

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
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                std::fs::read_to_string(&file).map_err(|error| named(&error))?.trim().to_owned()
            }
            Err(error) => return Err(named(&error)),
        };
        let checked: Result<Token, _> = secret.parse();
        checked.map_err(|error| Failure::usage(format!("{}: {}", file.display(), chain(&error))))?;
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
        std::fs::write(&file, "short\n").expect("a file");
        assert!(Operator::of(file).is_err());
    }
}
