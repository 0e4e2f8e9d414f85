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

use std::{net::IpAddr, time::Duration};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, Uri, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{
    app::App,
    identity::{self, Identity},
    login,
    plain_page::wants_page,
    problem::Problem,
    seldom::Seldom,
};

/// What needs no token anywhere: probes, which say only yes or no, and the way to sign in.
const OPEN_PATHS: [&str; 4] = ["/healthz", "/readyz", login::PATH, login::SCRIPT_PATH];
/// More than a line a second about requests under another name helps nobody.
const LOG_EVERY: Duration = Duration::from_secs(1);

/// What the guard keeps between requests.
#[derive(Debug)]
pub(crate) struct Guard {
    /// Requests under another name.
    misdirected: Seldom,
    /// Live connections that were refused.
    refused_live: Seldom,
}

impl Default for Guard {
    fn default() -> Self {
        Self { misdirected: Seldom::new(LOG_EVERY), refused_live: Seldom::new(LOG_EVERY) }
    }
}

/// Refuses what is not for this server, and off loopback who has no token.
pub(crate) async fn guard(State(app): State<App>, mut request: Request, next: Next) -> Response {
    if let Some(problem) = ambiguous(request.headers(), request.uri()) {
        return problem.into_response();
    }
    let is_here = match place(&app, request.headers(), request.uri()) {
        Ok(is_here) => is_here,
        Err(problem) => return problem.into_response(),
    };
    if request.method() == Method::POST && request.uri().path() == login::PATH {
        // Before the request takes one of the places for requests.
        if let Some(access) = app.access() {
            access.attempts.turn().await;
        }
    }
    let peer = identity::peer(&request);
    let identity = Identity::of(&app, request.headers(), peer).await;
    if !is_here && !identity.is_operator() && !OPEN_PATHS.contains(&request.uri().path()) {
        let (uri, headers) = (request.uri(), request.headers());
        if wants_page(request.method(), uri, headers) {
            return login::first(uri);
        }
        if headers.contains_key(header::UPGRADE) {
            app.guard().refused_live(headers, &Problem::new(StatusCode::UNAUTHORIZED));
        }
        return unauthorized();
    }
    request.extensions_mut().insert(identity);
    next.run(request).await
}

impl Guard {
    /// Logs that a live connection was refused, and why. A page shows nothing of it but that it has no connection.
    pub(crate) fn refused_live(&self, headers: &HeaderMap, problem: &Problem) {
        if matches!(problem.status, 400 | 404 | 426) {
            tracing::debug!(status = problem.status, "a live connection was asked for that cannot be");
            return;
        }
        let Some(held_back) = self.refused_live.pass() else { return };
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let (origin, host) = (text(header::ORIGIN), text(header::HOST));
        let reason = problem.detail.as_deref().unwrap_or(&problem.title);
        tracing::warn!(
            status = problem.status,
            reason,
            origin,
            host,
            held_back,
            "a live connection was refused"
        );
    }
}

/// A head that two programs could read in two ways: a proxy in front may have judged another of two headers.
fn ambiguous(headers: &HeaderMap, uri: &Uri) -> Option<Problem> {
    for name in [header::HOST, header::ORIGIN, header::AUTHORIZATION] {
        if headers.get_all(&name).iter().nth(1).is_some() {
            return Some(Problem::wrong(format!("send {name} once")));
        }
    }
    let named = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let differs =
        uri.authority().zip(named).is_some_and(|(uri, host)| !uri.as_str().eq_ignore_ascii_case(host));
    differs.then(|| Problem::wrong("the address and host name two servers"))
}

/// Whether the request comes from this machine's own browser or shell.
///
/// # Errors
/// It is not for this server.
fn place(app: &App, headers: &HeaderMap, uri: &Uri) -> Result<bool, Problem> {
    if !app.on_loopback() {
        return Ok(false);
    }
    let authority = host(headers, uri);
    let name = authority.as_ref().map_or("", Authority::host);
    if is_this_machine(name) {
        return Ok(true);
    }
    if app.allow_hosts().iter().any(|allowed| allowed.eq_ignore_ascii_case(name)) {
        return Ok(false);
    }
    if let Some(held_back) = app.guard().misdirected.pass() {
        tracing::warn!(host = name, held_back, "a request was refused: --allow-host does not name its host");
    }
    Err(Problem::new(StatusCode::MISDIRECTED_REQUEST)
        .detail("this server answers to localhost and to the address it listens on"))
}

/// Lets the operator alone through, and changes only from this server's own page or from none.
pub(crate) async fn operator(State(app): State<App>, request: Request, next: Next) -> Response {
    if app.access().is_none() {
        let closed = "the operator's part is closed: this server was started without --token-file";
        return Problem::new(StatusCode::FORBIDDEN).detail(closed).into_response();
    }
    let identity = Identity::in_request(&request);
    if !identity.is_operator() {
        return unauthorized();
    }
    if !request.method().is_safe() && !is_own_change(&identity, request.headers(), request.uri()) {
        let elsewhere = "changes are made on this server's own page, or with the token in a header";
        return Problem::new(StatusCode::FORBIDDEN).detail(elsewhere).into_response();
    }
    next.run(request).await
}

/// Whether a change comes from this server's own page, or from no page at all. Browsers say where a change comes
/// from; one with a cookie that does not say so is not believed. Other ports of this machine are other sites here,
/// although a browser sends them the same cookie.
fn is_own_change(identity: &Identity, headers: &HeaderMap, uri: &Uri) -> bool {
    let fetched = headers.get("sec-fetch-site").and_then(|site| site.to_str().ok());
    let says_own = fetched.is_none_or(|site| site == "same-origin" || site == "none");
    let may_be_silent = *identity == Identity::Bearer;
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

/// Whether a form comes from a page of this server. A browser that hides where it comes from (`Origin: null`, for the
/// sake of privacy) still says that it is from here, in a header that pages cannot write.
pub(crate) fn is_own_form(headers: &HeaderMap, uri: &Uri) -> bool {
    let is = |name: &str, value: &str| headers.get(name).is_some_and(|found| found == value);
    is_same_origin(headers, uri) || is("origin", "null") && is("sec-fetch-site", "same-origin")
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

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let header = |(name, value): &(&'static str, &str)| {
            (header::HeaderName::from_static(name), value.parse().expect("a header value"))
        };
        let mut headers = HeaderMap::new();
        for (name, value) in pairs.iter().map(header) {
            headers.append(name, value);
        }
        headers
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
    fn a_form_whose_origin_is_hidden_is_ours_only_if_the_browser_says_so() {
        let uri = Uri::from_static("/login");
        let ours = |pairs: &[(&'static str, &str)]| {
            is_own_form(&headers(&[&[("host", "localhost:3000")], pairs].concat()), &uri)
        };
        let hidden = ("origin", "null");
        assert!(ours(&[]) && ours(&[("origin", "http://localhost:3000")]));
        assert!(ours(&[hidden, ("sec-fetch-site", "same-origin")]));
        assert!(!ours(&[hidden]), "a sandboxed frame sends this too");
        for site in ["cross-site", "same-site", "none"] {
            assert!(!ours(&[hidden, ("sec-fetch-site", site)]), "{site}");
        }
        assert!(!ours(&[("origin", "http://localhost:3001"), ("sec-fetch-site", "same-origin")]));
    }

    #[test]
    fn a_change_with_a_cookie_has_to_say_that_it_comes_from_here() {
        let own = |identity: &Identity, pairs: &[(&'static str, &str)]| {
            let all = [&[("host", "localhost:3000")], pairs].concat();
            is_own_change(identity, &headers(&all), &Uri::from_static("/"))
        };
        let (bearer, cookie) = (Identity::Bearer, Identity::Session("x".to_owned()));
        let (here, there) = (("origin", "http://localhost:3000"), ("origin", "http://localhost:3001"));
        assert!(own(&bearer, &[]) && own(&bearer, &[here]) && own(&cookie, &[here]));
        assert!(own(&cookie, &[here, ("sec-fetch-site", "same-origin")]));
        assert!(!own(&cookie, &[]), "a browser says where a change comes from");
        assert!(!own(&bearer, &[there]) && !own(&cookie, &[there]) && !own(&cookie, &[("origin", "null")]));
        assert!(!own(&cookie, &[here, ("sec-fetch-site", "cross-site")]));
        assert!(!own(&bearer, &[("sec-fetch-site", "same-site")]));
    }

    #[test]
    fn a_head_that_names_two_servers_is_ambiguous() {
        let uri = |text| Uri::from_static(text);
        assert!(ambiguous(&headers(&[("host", "localhost")]), &uri("/")).is_none());
        assert!(ambiguous(&headers(&[("host", "a"), ("host", "a")]), &uri("/")).is_some());
        assert!(ambiguous(&headers(&[("host", "a")]), &uri("http://A/data")).is_none());
        assert!(ambiguous(&headers(&[("host", "a")]), &uri("http://b/data")).is_some());
        assert!(ambiguous(&headers(&[("host", "a"), ("origin", "x"), ("origin", "y")]), &uri("/")).is_some());
    }
}
