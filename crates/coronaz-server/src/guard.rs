//! Who is let in: the right name of this server, the same origin, and the token where it is needed.
//!
//! On loopback reading is open, to requests that name this machine as `localhost` or by a loopback
//! address (a page of another site that points its own name here is refused). Off loopback every
//! request but the probes and the sign-in needs the token, as `Authorization: Bearer …` or as the
//! cookie that `/login` gives. Names that a proxy in front sends requests under (`--allow-host`) count as
//! elsewhere.
//!
//! What changes anything, or tells which part is how, is the operator's anywhere; and a change has to come
//! from a page of this server, or from no page at all.

use std::net::IpAddr;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, Uri, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};

use crate::{app::App, problem::Problem, token::Token};

/// The cookie that a browser gets for the token.
pub(crate) const COOKIE: &str = "coronaz";
/// What needs no token anywhere: probes, which say only yes or no, and the way to sign in.
const OPEN_PATHS: [&str; 3] = ["/healthz", "/readyz", "/login"];

/// Refuses what is not for this server, and off loopback who has no token.
pub(crate) async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    match admit(&app, &request) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal,
    }
}

#[expect(clippy::result_large_err, reason = "the refusal is the response itself, made once and sent")]
fn admit(app: &App, request: &Request) -> Result<(), Response> {
    let (headers, uri) = (request.headers(), request.uri());
    if app.on_loopback() {
        let host = host(headers, uri);
        let host = host.as_ref().map_or("", Authority::host);
        if is_this_machine(host) {
            return Ok(());
        }
        if !app.allow_hosts().iter().any(|name| name.eq_ignore_ascii_case(host)) {
            return Err(Problem::new(StatusCode::MISDIRECTED_REQUEST)
                .detail("this server answers to localhost and to the address it listens on")
                .into_response());
        }
    }
    if OPEN_PATHS.contains(&uri.path()) || is_signed_in(app.token(), headers) {
        return Ok(());
    }
    let wants_page = request.method() == Method::GET
        && !uri.path().starts_with("/api")
        && headers
            .get(header::ACCEPT)
            .and_then(|accept| accept.to_str().ok())
            .is_some_and(|accept| accept.contains("text/html"));
    Err(if wants_page { Redirect::to("/login").into_response() } else { unauthorized() })
}

/// Lets the operator alone through, and changes only from this server's own page or from none.
pub(crate) async fn operator(State(app): State<App>, request: Request, next: Next) -> Response {
    match admit_operator(&app, &request) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal,
    }
}

#[expect(clippy::result_large_err, reason = "the refusal is the response itself, made once and sent")]
fn admit_operator(app: &App, request: &Request) -> Result<(), Response> {
    let headers = request.headers();
    if app.token().is_none() {
        let closed = "the operator's part is closed: this server was started without --token-file";
        return Err(Problem::new(StatusCode::FORBIDDEN).detail(closed).into_response());
    }
    if !is_signed_in(app.token(), headers) {
        return Err(unauthorized());
    }
    if !request.method().is_safe() && !is_own_change(app.token(), headers, request.uri()) {
        let elsewhere = "changes are made on this server's own page, or with the token in a header";
        return Err(Problem::new(StatusCode::FORBIDDEN).detail(elsewhere).into_response());
    }
    Ok(())
}

/// Whether the request carries the operator's token or cookie.
pub(crate) fn is_operator(app: &App, headers: &HeaderMap) -> bool {
    is_signed_in(app.token(), headers)
}

/// Whether a change comes from this server's own page, or from no page at all. Browsers say where a change comes
/// from; one with a cookie that does not say so is not believed. Other ports of this machine are other sites here,
/// although a browser sends them the same cookie.
fn is_own_change(token: Option<&Token>, headers: &HeaderMap, uri: &Uri) -> bool {
    let fetched = headers.get("sec-fetch-site").and_then(|site| site.to_str().ok());
    let says_own = fetched.is_none_or(|site| site == "same-origin" || site == "none");
    let may_be_silent = is_bearer(token, headers);
    says_own && is_same_origin(headers, uri) && (may_be_silent || headers.contains_key(header::ORIGIN))
}

fn unauthorized() -> Response {
    let problem = Problem::new(StatusCode::UNAUTHORIZED)
        .detail("send the operator's token as `Authorization: Bearer …`, or sign in at /login");
    ([(header::WWW_AUTHENTICATE, "Bearer")], problem).into_response()
}

/// Whether a request comes from a page of this server, or from no page at all.
pub(crate) fn is_same_origin(headers: &HeaderMap, uri: &Uri) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, rest)| rest);
    let host = host(headers, uri);
    origin.zip(host).is_some_and(|(origin, host)| origin.eq_ignore_ascii_case(host.as_str()))
}

fn host(headers: &HeaderMap, uri: &Uri) -> Option<Authority> {
    match headers.get(header::HOST) {
        Some(host) => host.to_str().ok()?.parse().ok(),
        None => uri.authority().cloned(),
    }
}

fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    match address {
        Ok(address) => address.is_loopback(),
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}

fn is_signed_in(token: Option<&Token>, headers: &HeaderMap) -> bool {
    let is_cookie =
        |token: &Token| cookies(headers).any(|(name, value)| name == COOKIE && token.is_cookie(value));
    is_bearer(token, headers) || token.is_some_and(is_cookie)
}

fn is_bearer(token: Option<&Token>, headers: &HeaderMap) -> bool {
    let Some(token) = token else { return false };
    headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .is_some_and(|(_, secret)| token.is(secret.trim()))
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

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (header::HeaderName::from_static(name), value.parse().expect("a header value"))
            })
            .collect()
    }

    #[test]
    fn only_names_of_this_machine_are_this_machine() {
        for host in ["localhost", "LocalHost", "127.0.0.1", "127.9.9.9", "[::1]"] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in ["", "evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "10.0.0.1", "0.0.0.0"]
        {
            assert!(!is_this_machine(host), "{host}");
        }
    }

    #[test]
    fn an_origin_is_the_same_when_it_names_the_same_host_and_port() {
        let uri = Uri::from_static("/");
        let same =
            |origin: &str| is_same_origin(&headers(&[("host", "localhost:3000"), ("origin", origin)]), &uri);
        assert!(same("http://localhost:3000") && same("https://LOCALHOST:3000"));
        for origin in
            ["http://localhost:3001", "http://evil.example", "null", "http://localhost", "localhost:3000"]
        {
            assert!(!same(origin), "{origin}");
        }
        assert!(is_same_origin(&headers(&[("host", "localhost:3000")]), &uri));
    }

    #[test]
    fn a_change_with_a_cookie_has_to_say_that_it_comes_from_here() {
        let token: Token = "0123456789abcdef".parse().expect("a token");
        let cookie = format!("coronaz={}", token.cookie());
        let own = |pairs: &[(&'static str, &str)]| {
            let all = [&[("host", "localhost:3000")], pairs].concat();
            is_own_change(Some(&token), &headers(&all), &Uri::from_static("/"))
        };
        let (bearer, cookie) = (("authorization", "Bearer 0123456789abcdef"), ("cookie", cookie.as_str()));
        let (here, there) = (("origin", "http://localhost:3000"), ("origin", "http://localhost:3001"));
        assert!(own(&[bearer]) && own(&[bearer, here]) && own(&[cookie, here]));
        assert!(own(&[cookie, here, ("sec-fetch-site", "same-origin")]));
        assert!(!own(&[cookie]), "a browser says where a change comes from");
        assert!(!own(&[bearer, there]) && !own(&[cookie, there]) && !own(&[cookie, ("origin", "null")]));
        assert!(!own(&[cookie, here, ("sec-fetch-site", "cross-site")]));
        assert!(!own(&[bearer, ("sec-fetch-site", "same-site")]));
    }

    #[test]
    fn a_bearer_or_the_cookie_signs_in_and_nothing_else() {
        let token: Token = "0123456789abcdef".parse().expect("a token");
        let signed_in = |name, value: &str| is_signed_in(Some(&token), &headers(&[(name, value)]));
        assert!(signed_in("authorization", "Bearer 0123456789abcdef"));
        assert!(signed_in("cookie", &format!("a=b; coronaz={}", token.cookie())));
        assert!(!signed_in("authorization", "Basic 0123456789abcdef"));
        assert!(!signed_in("authorization", "Bearer 0123456789abcde"));
        assert!(!signed_in("cookie", "coronaz=0123456789abcdef"));
        assert!(!is_signed_in(None, &headers(&[("authorization", "Bearer ")])));
    }
}
