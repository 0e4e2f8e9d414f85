//! Which file answers which path.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    response::{Html, IntoResponse, Response},
};

use super::files::{File, NONCE_MARK};
use crate::{api, app::App, plain_page::nonce, problem::Problem};

/// The build puts a hash into the names of what lies here: it never changes.
const HASHED_FOLDER: &str = "assets/";
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");

/// Where the page is. Its views stand in the query, which it reads in the browser.
const PAGE_PATHS: [&str; 2] = ["", "index.html"];

/// Everything that is no route: the page itself, one of its files, or nothing.
pub(crate) async fn answer(State(app): State<App>, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    if uri.path() == "/api" || uri.path().starts_with("/api/") {
        return api::missing().into_response();
    }
    if method != Method::GET && method != Method::HEAD {
        let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED);
        return ([(header::ALLOW, "GET, HEAD")], problem).into_response();
    }
    let path = uri.path().strip_prefix('/').unwrap_or_default();
    if PAGE_PATHS.contains(&path) {
        return index(&app);
    }
    match app.page().get(path) {
        Some(file) => send(path, file, &headers),
        None => Problem::missing("there is nothing at this address").into_response(),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_taken_where_it_is_asked_for_and_not_refused() {
        assert!(["gzip", " GZIP;q=0.5", "*"].into_iter().all(takes_gzip));
        assert!(!["", "br", "gzip;q=0", "x-gzip", " gzip; q=0.0 "].into_iter().any(takes_gzip));
    }
}
