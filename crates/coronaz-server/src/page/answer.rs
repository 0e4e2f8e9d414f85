//! Which file answers which path.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    response::{Html, IntoResponse, Response},
};

use super::files::{File, NONCE_MARK};
use crate::{app::App, problem::Problem};

/// The build puts a hash into the names of what lies here: it never changes.
const HASHED_FOLDER: &str = "assets/";
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");

/// Everything that is no route: a file of the page, or the page itself, which reads the address in the
/// browser. A path that looks like a file and is none is missing.
pub(crate) async fn answer(State(app): State<App>, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    if method != Method::GET && method != Method::HEAD {
        return Problem::new(StatusCode::METHOD_NOT_ALLOWED).into_response();
    }
    let path = uri.path().trim_start_matches('/');
    if let Some(file) = app.page().get(path) {
        return send(path, file, &headers);
    }
    let last = path.rsplit('/').next().unwrap_or_default();
    if last.contains('.') && path != "index.html" || path.starts_with(HASHED_FOLDER) {
        return Problem::missing("there is no such file").into_response();
    }
    index(&app)
}

fn send(path: &str, file: &File, headers: &HeaderMap) -> Response {
    let asks_gzip = headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(takes_gzip);
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|tag| tag == file.tag);
    let gzip = file.gzip.as_ref().filter(|_| asks_gzip);
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Response::new(Body::from(gzip.unwrap_or(&file.body).clone()))
    };
    let answer = response.headers_mut();
    answer.insert(header::ETAG, file.tag.clone());
    answer.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    answer.insert(header::CACHE_CONTROL, if path.starts_with(HASHED_FOLDER) { FOR_EVER } else { ASK_AGAIN });
    if !known {
        answer.insert(header::CONTENT_TYPE, file.content_type.clone());
        if gzip.is_some() {
            answer.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
    }
    response
}

fn takes_gzip(coding: &str) -> bool {
    let mut parts = coding.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    let refused = parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"));
    (name.eq_ignore_ascii_case("gzip") || name == "*") && !refused
}

fn index(app: &App) -> Response {
    let Some(nonce) = nonce() else { return Problem::unavailable().into_response() };
    let policy = format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; \
         img-src 'self'; font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let body = app.page().index.replace(NONCE_MARK, &nonce);
    ([(header::CONTENT_SECURITY_POLICY, policy)], Html(body)).into_response()
}

/// 128 random bits; `None` when the system has no randomness to give.
fn nonce() -> Option<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok()?;
    Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_taken_where_it_is_asked_for_and_not_refused() {
        assert!(["gzip", " GZIP;q=0.5", "*"].into_iter().all(takes_gzip));
        assert!(!["", "br", "gzip;q=0", "x-gzip", " gzip; q=0.0 "].into_iter().any(takes_gzip));
    }
}
