//! Pages of other origins that may read: those that the operator names, and only what needs no token.

use std::{fmt, str::FromStr, time::Duration};

use axum::http::{HeaderValue, Method, Uri, request::Parts};
use tower_http::cors::{AllowOrigin, CorsLayer};

/// How long a browser may keep the answer to its first question.
const KEPT: Duration = Duration::from_secs(600);

/// Where a page of somebody else comes from: scheme, host and port, as a browser names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(String);

/// Why a text is no origin.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} is no origin; it looks like http://localhost:8080 or https://page.example, without a path")]
pub struct OriginError(String);

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let wrong = || OriginError(text.to_owned());
        let (scheme, authority) = text.split_once("://").ok_or_else(wrong)?;
        let (scheme, authority) = (scheme.to_ascii_lowercase(), authority.to_ascii_lowercase());
        let usual_port = match scheme.as_str() {
            "http" => ":80",
            "https" => ":443",
            _ => return Err(wrong()),
        };
        let is_host = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
        let parsed: Result<axum::http::uri::Authority, _> = authority.parse();
        let fits = parsed.is_ok_and(|parsed| {
            !parsed.host().is_empty()
                && parsed.as_str().chars().all(is_host)
                && has_port(parsed.as_str(), parsed.port_u16())
        });
        if !fits {
            return Err(wrong());
        }
        // Browsers leave the usual port out.
        let authority = authority.strip_suffix(usual_port).unwrap_or(&authority);
        Ok(Self(format!("{scheme}://{authority}")))
    }
}

/// Whether what stands behind a colon is a port.
fn has_port(authority: &str, port: Option<u16>) -> bool {
    let behind = authority.rsplit_once(']').map_or(authority, |(_, behind)| behind);
    !behind.contains(':') || port.is_some_and(|port| port > 0)
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Says to browsers that these pages may read; `None` where there are none. It never lets a cookie be sent, nor a
/// header with a token, nor a change be made.
pub(crate) fn layer(origins: &[Origin]) -> Option<CorsLayer> {
    if origins.is_empty() {
        return None;
    }
    let origins = origins.to_vec();
    let may_read = move |origin: &HeaderValue, request: &Parts| {
        origins.iter().any(|allowed| origin == allowed.0.as_str())
            && is_reading(&request.method, &request.uri)
    };
    let layer = CorsLayer::new().allow_origin(AllowOrigin::predicate(may_read));
    Some(layer.allow_methods([Method::GET, Method::HEAD]).max_age(KEPT))
}

/// The first question of a browser is asked with OPTIONS.
fn is_reading(method: &Method, uri: &Uri) -> bool {
    let is_method = [Method::GET, Method::HEAD, Method::OPTIONS].contains(method);
    is_method && (uri.path() == "/data" || uri.path().starts_with("/api/v1/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_host_and_port_as_browsers_write_it() {
        for (text, origin) in [
            ("http://localhost:8080", "http://localhost:8080"),
            ("HTTPS://Page.Example", "https://page.example"),
            ("https://page.example:443", "https://page.example"),
            ("http://page.example:80", "http://page.example"),
            ("http://[::1]:5173", "http://[::1]:5173"),
        ] {
            assert_eq!(
                text.parse::<Origin>().map(|origin| origin.to_string()),
                Ok(origin.to_owned()),
                "{text}"
            );
        }
        for text in [
            "",
            "*",
            "null",
            "localhost:8080",
            "http://",
            "http://localhost:8080/",
            "http://localhost/page",
            "file:///page",
            "http://user@localhost",
            "http://*.example",
            "http://localhost:",
            "http://localhost:x",
            "http://localhost:70000",
            "http://a b",
        ] {
            assert_eq!(text.parse::<Origin>(), Err(OriginError(text.to_owned())), "{text}");
        }
    }
}
