//! Signing in with a browser: the token goes in once, a cookie comes back.

use axum::{
    Form,
    extract::{FromRequest, Request, State, rejection::FormRejection},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header, uri::PathAndQuery},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use crate::{
    api::now_ms,
    app::App,
    guard,
    identity::{self, COOKIE, Identity},
    plain_page::{self, escape, home_of},
    problem::Problem,
    sessions,
};

/// Where one signs in.
pub(crate) const PATH: &str = "/login";
/// Where the script of that page is.
pub(crate) const SCRIPT_PATH: &str = "/sign-in.js";
const SCRIPT: &str = include_str!("plain_page/sign-in.js");
/// The longest link that is kept while somebody signs in; encoded, it still fits into an address.
const NEXT_CHARS_MAX: usize = 1_200;
/// With the referrer hidden, browsers hide the origin of a form as well, and then it looks like a form of another site.
const REFERRER: (HeaderName, &str) = (header::REFERRER_POLICY, "same-origin");

#[derive(Deserialize)]
pub(crate) struct SignIn {
    token: String,
    /// Where to go from here, as the guard found it in the address.
    next: Option<String>,
}

/// The page that was asked for, by the query of the way in.
#[derive(Deserialize)]
pub(crate) struct Link {
    next: Option<String>,
}

/// Sends a browser to sign in first, and afterwards to what it asked for.
pub(crate) fn first(asked: &Uri) -> Response {
    let address = asked.path_and_query().map_or("/", PathAndQuery::as_str);
    let home = home_of(asked.path());
    let next = (address != "/" && is_local(address)).then(|| format!("?next={}", encode(address)));
    found(&format!("{home}login{}", next.unwrap_or_default()))
}

/// The form; for who is signed in already, what was asked for.
pub(crate) async fn form(State(app): State<App>, request: Request) -> Response {
    let link = axum::extract::Query::<Link>::try_from_uri(request.uri());
    let next = link.ok().and_then(|link| link.0.next).filter(|next| is_local(next));
    if app.access().is_none() {
        return closed();
    }
    if Identity::in_request(&request).is_operator() {
        return found(&there(next.as_deref()));
    }
    show(StatusCode::OK, next.as_deref(), None)
}

/// The script of the form.
pub(crate) async fn script() -> Response {
    let kind = (header::CONTENT_TYPE, "text/javascript; charset=utf-8");
    ([kind, (header::CACHE_CONTROL, "no-cache")], SCRIPT).into_response()
}

/// The form, sent.
pub(crate) async fn sign_in(State(app): State<App>, request: Request) -> Response {
    let Some(access) = app.access() else { return closed() };
    if !guard::is_own_form(request.headers(), request.uri()) {
        let elsewhere = "sign in on this server's own page";
        return Problem::new(StatusCode::FORBIDDEN).detail(elsewhere).into_response();
    }
    let peer = identity::peer(&request);
    let headers = request.headers().clone();
    let form: Result<Form<SignIn>, FormRejection> = Form::from_request(request, &()).await;
    let sent = match form {
        Ok(Form(sent)) => sent,
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            return Problem::new(StatusCode::PAYLOAD_TOO_LARGE).into_response();
        }
        Err(_) => return Problem::wrong("send a form with the field token").into_response(),
    };
    let next = sent.next.as_deref().filter(|next| is_local(next));
    if !access.token.is(sent.token.trim()) {
        access.attempts.failed("form", peer, &headers);
        return refused(&headers, next);
    }
    tracing::info!(peer = peer.map(|peer| peer.0.to_string()), "the operator signed in");
    welcome(app.clone(), next).await
}

async fn welcome(app: App, next: Option<&str>) -> Response {
    // It may be written to a file.
    let begun = tokio::task::spawn_blocking(move || Some(app.access()?.sessions.begin(now_ms() / 1000)));
    let Ok(Some(Ok(name))) = begun.await else { return Problem::unavailable().into_response() };
    // Without `Path` it is of the folder that the browser sees: `/`, or the prefix that a proxy takes off. Not
    // `Strict`: a link in a message leads to the page of who is signed in. Changes say by `Origin` where they come from.
    let cookie = format!("{COOKIE}={name}; Max-Age={}; HttpOnly; SameSite=Lax", sessions::AGE_S);
    let mut response = found(&there(next));
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// What takes a cookie out of a browser.
pub(crate) fn no_cookie() -> (HeaderName, String) {
    (header::SET_COOKIE, format!("{COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"))
}

fn refused(headers: &HeaderMap, next: Option<&str>) -> Response {
    if plain_page::takes_html(headers) {
        return show(StatusCode::UNAUTHORIZED, next, Some("This is not the token."));
    }
    Problem::new(StatusCode::UNAUTHORIZED).detail("this is not the token").into_response()
}

fn closed() -> Response {
    let detail = "nobody can sign in: this server was started without --token-file";
    Problem::new(StatusCode::FORBIDDEN).detail(detail).into_response()
}

fn show(status: StatusCode, next: Option<&str>, wrong: Option<&str>) -> Response {
    let next = next.map_or_else(String::new, |next| {
        format!("<input type=\"hidden\" name=\"next\" value=\"{}\" />", escape(next))
    });
    let (marks, wrong) = match wrong {
        None => ("aria-describedby=\"hint\"", String::new()),
        Some(wrong) => (
            "aria-invalid=\"true\" aria-describedby=\"wrong hint\"",
            format!("<p class=\"wrong\" id=\"wrong\" role=\"alert\">{}</p>", escape(wrong)),
        ),
    };
    let body = format!(
        "<h1>CoronaZ: sign in</h1>\n<form method=\"post\" action=\"login\">\n{next}\n\
         <label for=\"token\">Token</label>\n\
         <input id=\"token\" name=\"token\" type=\"password\" autocomplete=\"current-password\" required autofocus {marks} />\n\
         {wrong}\n<p class=\"hint\" id=\"hint\">It is in the file <code>operator-token</code> in the laboratory's data \
         directory, or in the file that <code>--token-file</code> names.</p>\n\
         <button>Sign in</button>\n</form>"
    );
    let mut page = plain_page::page("sign in", &body, Some("sign-in.js"));
    // An answer without randomness is a problem, and stays one.
    if page.status() == StatusCode::OK {
        *page.status_mut() = status;
    }
    page.headers_mut().insert(REFERRER.0, HeaderValue::from_static(REFERRER.1));
    page
}

/// The way to a page of this server, relative to the way in.
fn there(next: Option<&str>) -> String {
    format!("./{}", next.unwrap_or("/").trim_start_matches('/'))
}

/// A redirection that a browser follows with GET.
fn found(place: &str) -> Response {
    let Ok(place) = HeaderValue::try_from(place) else { return Problem::unavailable().into_response() };
    (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response()
}

/// Whether this is the address of something on this server: no other server, and no way in that leads to itself.
fn is_local(address: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
    let fits = address.len() <= NEXT_CHARS_MAX
        && address.starts_with('/')
        && !address.starts_with("//")
        && address.bytes().all(is_plain);
    let parsed = address.parse::<PathAndQuery>();
    fits && parsed.is_ok_and(|parsed| parsed.as_str() == address && parsed.path() != PATH)
}

/// As it stands in a query.
fn encode(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'-' | b'_' | b'.' | b'~' | b'/' => char::from(byte).to_string(),
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_kept_if_it_leads_to_this_server() {
        for local in ["/", "/?run=x&moment=3", "/api/v1/runs?limit=5", "/a/b", "/?view=1,2,3&x=http://a"] {
            assert!(is_local(local), "{local}");
        }
        let long = format!("/?{}", "x".repeat(NEXT_CHARS_MAX));
        for elsewhere in [
            "",
            "x",
            "//evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "///evil.example",
            "http://evil.example",
            "javascript:alert(1)",
            "/\t/evil.example",
            "/\n/evil.example",
            "/ evil",
            "/#x",
            "/login",
            "/login?next=/login",
            "/ä",
            "/\r\nset-cookie: a=b",
            &long,
        ] {
            assert!(!is_local(elsewhere), "{elsewhere:?}");
        }
    }

    #[test]
    fn the_way_on_stays_below_the_prefix_that_a_proxy_takes_off() {
        assert_eq!(there(None), "./");
        assert_eq!(there(Some("/?run=x")), "./?run=x");
        assert_eq!(there(Some("/a/b:c")), "./a/b:c");
        let place = |asked: &'static str| {
            let response = first(&Uri::from_static(asked));
            assert_eq!(response.status(), StatusCode::SEE_OTHER);
            response.headers()[header::LOCATION].to_str().expect("text").to_owned()
        };
        assert_eq!(place("/"), "./login");
        assert_eq!(place("/?run=x&moment=3"), "./login?next=/%3Frun%3Dx%26moment%3D3");
        assert_eq!(place("/a/b?c"), "../login?next=/a/b%3Fc");
        assert_eq!(place("//evil.example/x"), "../../login");
    }
}
