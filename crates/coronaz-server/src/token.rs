//! The operator's token: who knows it may read from elsewhere and see the operator's part.

use std::{fmt, path::Path, str::FromStr};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// Shorter ones could be guessed.
const TOKEN_CHARS_MIN: usize = 16;
/// The longest token.
const TOKEN_CHARS_MAX: usize = 1024;

/// A secret that is compared in constant time and never printed.
#[derive(Clone)]
pub struct Token {
    secret: String,
}

/// Why a token was refused.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file cannot be read.
    #[error("the token file {path} cannot be read: {source}")]
    Unreadable {
        /// Which file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// Too short, too long, or with characters that no header can carry.
    #[error(
        "a token has {TOKEN_CHARS_MIN} to {TOKEN_CHARS_MAX} letters, digits or signs without spaces; \
         make one with `head -c 24 /dev/urandom | base64`"
    )]
    Unfit,
}

impl Token {
    /// Reads a token from a file; white space around it does not count.
    ///
    /// # Errors
    /// The file cannot be read, or what it holds is no token.
    pub fn read(path: &Path) -> Result<Token, TokenError> {
        let unreadable = |source| TokenError::Unreadable { path: path.display().to_string(), source };
        std::fs::read_to_string(path).map_err(unreadable)?.parse()
    }

    /// Whether this is the token.
    pub(crate) fn is(&self, text: &str) -> bool {
        self.secret.as_bytes().ct_eq(text.as_bytes()).into()
    }

    /// The key of the sessions that were begun with this token; the token cannot be found from it.
    pub(crate) fn session_key(&self) -> Hmac<Sha256> {
        let keyed = |key: &[u8]| Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
        let mut mac = keyed(self.secret.as_bytes());
        mac.update(b"coronaz sessions 1");
        keyed(&mac.finalize().into_bytes())
    }
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl FromStr for Token {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let secret = text.trim();
        let fits = (TOKEN_CHARS_MIN..=TOKEN_CHARS_MAX).contains(&secret.len())
            && secret.bytes().all(|byte| byte.is_ascii_graphic());
        if !fits {
            return Err(TokenError::Unfit);
        }
        Ok(Self { secret: secret.to_owned() })
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_itself_and_is_never_printed() {
        let token: Token = " 0123456789abcdef\n".parse().expect("a token");
        assert!(token.is("0123456789abcdef"));
        assert!(!token.is("0123456789abcdeg") && !token.is("0123456789abcde") && !token.is(""));
        assert!(!format!("{token:?}").contains("0123"));
    }

    #[test]
    fn what_is_short_or_has_spaces_is_no_token() {
        for text in ["", "short", "0123456789 abcdefg", "0123456789äbcdefg"] {
            assert!(matches!(text.parse::<Token>(), Err(TokenError::Unfit)), "{text:?}");
        }
    }
}
