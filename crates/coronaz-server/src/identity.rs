//! Who asks: the operator, by the token in `Authorization: Bearer …` or by the cookie of a signed-in browser, or a
//! visitor.

use axum::{
    extract::Request,
    http::{HeaderMap, header},
};

use crate::{api::now_ms, app::App, server::Peer};

/// The cookie that holds the name of a session.
pub(crate) const COOKIE: &str = "coronaz";

/// Who asks. Every request carries it from the guard on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Identity {
    /// Anybody.
    Visitor,
    /// The operator, with the token itself.
    Bearer,
    /// The operator, in a browser that is signed in; the name of the session.
    Session(String),
}

impl Identity {
    /// Finds out who asks. A wrong token is logged, and after many of them this waits before it looks at any.
    pub(crate) async fn of(app: &App, headers: &HeaderMap, peer: Option<Peer>) -> Identity {
        let Some(access) = app.access() else { return Identity::Visitor };
        if let Some(token) = bearer(headers) {
            access.attempts.turn().await;
            if access.token.is(token) {
                return Identity::Bearer;
            }
            access.attempts.failed("bearer", peer, headers);
        }
        let now_s = now_ms() / 1000;
        let sessions = cookies(headers).filter(|(name, _)| *name == COOKIE).map(|(_, value)| value);
        let session = sessions.take(SESSIONS_LOOKED_AT_MAX).find(|name| access.sessions.is_live(name, now_s));
        session.map_or(Identity::Visitor, |name| Identity::Session(name.to_owned()))
    }

    /// Who asks, as the guard has found out.
    pub(crate) fn in_request(request: &Request) -> Identity {
        request.extensions().get().cloned().unwrap_or(Identity::Visitor)
    }

    /// Whether the operator asks.
    pub(crate) fn is_operator(&self) -> bool {
        *self != Identity::Visitor
    }
}

/// A browser sends one, or two where it has one for a prefix of the path as well.
const SESSIONS_LOOKED_AT_MAX: usize = 4;

/// The peer of a request, where it is known.
pub(crate) fn peer(request: &Request) -> Option<Peer> {
    request.extensions().get().copied()
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(
            header::HeaderName::from_static(name),
            value.parse().expect("a header value"),
        )])
    }

    #[test]
    fn a_bearer_is_what_stands_behind_its_scheme() {
        assert_eq!(bearer(&headers("authorization", "Bearer 0123")), Some("0123"));
        assert_eq!(bearer(&headers("authorization", "bearer  0123 ")), Some("0123"));
        for other in ["Basic 0123", "0123", "Bearer"] {
            assert_eq!(bearer(&headers("authorization", other)), None, "{other}");
        }
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        let headers = headers("cookie", "a=b; coronaz=x; c; coronaz=y=z");
        let ours: Vec<_> = cookies(&headers).filter(|(name, _)| *name == COOKIE).collect();
        assert_eq!(ours, [(COOKIE, "x"), (COOKIE, "y=z")]);
    }
}
