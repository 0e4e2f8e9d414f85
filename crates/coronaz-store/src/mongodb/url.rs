//! `mongodb://…`: reading it, and never telling its password.

use crate::ParseLocationError;
use mongodb::options::ConnectionString;
use std::fmt;
use std::path::Path;

/// The database when the URL names none.
const DATABASE_DEFAULT: &str = "coronaz";

/// Names a file with the password, for a URL that has a user and no password: an environment is easier to read than a
/// file of one's own.
pub(crate) const PASSWORD_FILE: &str = "CORONAZ_STORE_PASSWORD_FILE";

/// Where a MongoDB is, and how to get in. What it shows of itself has no password.
#[derive(Clone, PartialEq, Eq)]
pub struct MongoUrl {
    full: String,
    shown: String,
    secrets: Vec<String>,
}

impl MongoUrl {
    /// Reads a URL; the password file comes from the environment.
    ///
    /// # Errors
    /// What is wrong with it, without its password.
    pub(crate) fn parse(text: &str) -> Result<Self, ParseLocationError> {
        Self::with_password_file(text, std::env::var_os(PASSWORD_FILE).as_deref().map(Path::new))
    }

    fn with_password_file(text: &str, file: Option<&Path>) -> Result<Self, ParseLocationError> {
        if text.starts_with("mongodb+srv:") {
            let detail =
                "mongodb+srv is not known here; write the hosts: mongodb://HOST:PORT,HOST:PORT/DATABASE";
            return Err(ParseLocationError::Mongo { detail: detail.to_owned() });
        }
        let (before, rest) = match split(text) {
            Some((user_info, rest)) => (Some(user_info), rest),
            None => (None, text.strip_prefix("mongodb://").unwrap_or(text)),
        };
        let (user, mut password) = match before.map(|info| info.split_once(':')) {
            Some(Some((user, password))) => (Some(user.to_owned()), Some(password.to_owned())),
            Some(None) => (before.map(ToOwned::to_owned), None),
            None => (None, None),
        };
        if let (Some(_), None, Some(file)) = (&user, &password, file) {
            password = Some(read_password(file)?);
        }
        let shown = match &user {
            Some(user) => format!("mongodb://{user}@{rest}"),
            None => format!("mongodb://{rest}"),
        };
        let full = match (&user, &password) {
            (Some(user), Some(password)) => format!("mongodb://{user}:{password}@{rest}"),
            _ => shown.clone(),
        };
        let secrets = password.filter(|password| !password.is_empty());
        let secrets = secrets.into_iter().flat_map(|password| [decoded(&password), password]).collect();
        let url = Self { full, shown, secrets };
        match ConnectionString::parse(&url.full) {
            Ok(_) => Ok(url),
            Err(error) => Err(ParseLocationError::Mongo { detail: url.redacted(&error.to_string()) }),
        }
    }

    /// With the password: for the driver alone.
    pub(super) fn full(&self) -> &str {
        &self.full
    }

    /// The database's name.
    pub(super) fn database(&self) -> String {
        let after = self.shown.strip_prefix("mongodb://").unwrap_or(&self.shown);
        let path = after.split_once('/').map_or("", |(_, path)| path);
        let name = path.split('?').next().unwrap_or_default();
        if name.is_empty() { DATABASE_DEFAULT.to_owned() } else { name.to_owned() }
    }

    /// A text without the password, should it be in there.
    pub(super) fn redacted(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "…"))
    }
}

/// What stands before the `@`, and what stands after it.
fn split(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix("mongodb://")?;
    let hosts = rest.split(['/', '?']).next().unwrap_or(rest);
    let at = hosts.rfind('@')?;
    Some((&rest[..at], &rest[at + 1..]))
}

fn read_password(file: &Path) -> Result<String, ParseLocationError> {
    match std::fs::read_to_string(file) {
        Ok(text) => Ok(encoded(text.trim_end_matches(['\r', '\n']))),
        Err(error) => Err(ParseLocationError::Mongo {
            detail: format!("the password file {} ({PASSWORD_FILE}) cannot be read: {error}", file.display()),
        }),
    }
}

/// As a password stands in a URL.
fn encoded(password: &str) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(password.len());
    for byte in password.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(byte.into());
        } else {
            // Writing to a string cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

/// As a password is, when it stands like this in a URL.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut parts = text.split('%');
    bytes.extend_from_slice(parts.next().unwrap_or_default().as_bytes());
    for part in parts {
        match part.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                bytes.extend_from_slice(&part.as_bytes()[2..]);
            }
            None => {
                bytes.push(b'%');
                bytes.extend_from_slice(part.as_bytes());
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl fmt::Display for MongoUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for MongoUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MongoUrl").field(&self.shown).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_goes_to_the_driver_and_nowhere_else() {
        let url = MongoUrl::with_password_file("mongodb://me:s%40cret@host:1,other/lab?tls=true", None)
            .expect("a URL");
        assert_eq!(url.full(), "mongodb://me:s%40cret@host:1,other/lab?tls=true");
        assert_eq!(url.to_string(), "mongodb://me@host:1,other/lab?tls=true");
        assert_eq!(format!("{url:?}"), "MongoUrl(\"mongodb://me@host:1,other/lab?tls=true\")");
        assert_eq!(url.redacted("s@cret or s%40cret"), "… or …");
        assert_eq!(url.database(), "lab");
    }

    #[test]
    fn a_user_without_a_password_gets_it_from_the_file() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "p:w/1\n").expect("written");
        let of = |text| MongoUrl::with_password_file(text, Some(file.path())).expect("a URL");
        assert_eq!(of("mongodb://me@host").full(), "mongodb://me:p%3Aw%2F1@host");
        assert_eq!(of("mongodb://me@host").database(), "coronaz");
        assert_eq!(of("mongodb://me:own@host").full(), "mongodb://me:own@host");
        assert_eq!(of("mongodb://host").full(), "mongodb://host");
        let missing = MongoUrl::with_password_file("mongodb://me@host", Some(Path::new("/nowhere/file")));
        assert!(missing.expect_err("no file").to_string().contains("/nowhere/file"));
    }

    #[test]
    fn what_is_no_url_is_told_without_its_password() {
        let wrong =
            MongoUrl::with_password_file("mongodb://me:secret@host:port/", None).expect_err("no port");
        assert!(!wrong.to_string().contains("secret"), "{wrong}");
        assert!(MongoUrl::with_password_file("mongodb+srv://me:secret@host", None).is_err());
        assert!(MongoUrl::with_password_file("mongodb://", None).is_err());
    }
}
