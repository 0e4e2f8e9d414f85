//! Pages that need no script and no file: signing in, and what is wrong with an address, for people.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    middleware::Next,
    response::{Html, IntoResponse, Response},
};

use crate::{problem::Problem, token::hexadecimal};

const STYLE: &str = include_str!("plain_page/page.css");

/// Whether a browser asks for a page to be shown, rather than a program or a script for an answer.
pub(crate) fn wants_page(method: &Method, uri: &Uri, headers: &HeaderMap) -> bool {
    let is_interface = uri.path() == "/data" || uri.path() == "/api" || uri.path().starts_with("/api/");
    let reads = *method == Method::GET || *method == Method::HEAD;
    reads && !is_interface && takes_html(headers)
}

/// Whether the answer may be a page.
pub(crate) fn takes_html(headers: &HeaderMap) -> bool {
    let accepts = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepts.flat_map(|value| value.split(',')).any(|kind| {
        let mut parts = kind.split(';').map(str::trim);
        parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("text/html"))
    })
}

/// Shows people what programs get as a problem.
pub(crate) async fn for_people(request: Request, next: Next) -> Response {
    let home = home_of(request.uri().path());
    let is_page = wants_page(request.method(), request.uri(), request.headers());
    let response = next.run(request).await;
    match response.extensions().get::<Problem>() {
        Some(problem) if is_page => explain(problem, &home, response.headers()),
        _ => response,
    }
}

fn explain(problem: &Problem, home: &str, said: &HeaderMap) -> Response {
    let (title, detail) = (escape(&problem.title), escape(problem.detail.as_deref().unwrap_or_default()));
    let detail = if detail.is_empty() { String::new() } else { format!("<p>{detail}.</p>") };
    let body = format!("<h1>{title}</h1>{detail}<p><a href=\"{home}\">To the map</a></p>");
    let mut page = page(problem.title.as_str(), &body, None);
    *page.status_mut() = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = page.headers_mut();
    for name in [header::ALLOW, header::RETRY_AFTER, header::WWW_AUTHENTICATE] {
        if let Some(value) = said.get(&name) {
            headers.insert(name, value.clone());
        }
    }
    headers.insert(header::VARY, HeaderValue::from_static("accept"));
    page
}

/// A page with this in its middle, and perhaps a script of this server's.
pub(crate) fn page(title: &str, body: &str, script: Option<&str>) -> Response {
    let Some(nonce) = nonce() else { return Problem::unavailable().into_response() };
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; img-src data:; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'"
    );
    let script = script.map_or_else(String::new, |script| {
        format!("<script type=\"module\" nonce=\"{nonce}\" src=\"{}\"></script>", escape(script))
    });
    let title = escape(title);
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\" />\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\" />\n\
         <meta name=\"color-scheme\" content=\"light dark\" />\n<link rel=\"icon\" href=\"data:,\" />\n\
         <title>CoronaZ: {title}</title>\n<style nonce=\"{nonce}\">\n{STYLE}</style>\n{script}\n</head>\n\
         <body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    );
    ([(header::CONTENT_SECURITY_POLICY, policy)], Html(page)).into_response()
}

/// 128 random bits; `None` when the system has no randomness to give.
pub(crate) fn nonce() -> Option<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok()?;
    Some(hexadecimal(&bytes))
}

/// The way from a path to the page, relative, so that it is right below a prefix that a proxy takes off.
pub(crate) fn home_of(path: &str) -> String {
    let folders = path.matches('/').count().saturating_sub(1);
    if folders == 0 { "./".to_owned() } else { "../".repeat(folders) }
}

/// As it stands in HTML, between tags or in quotes.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_for_browsers_that_ask_for_one() {
        let wants = |path: &'static str, accept: &'static str| {
            let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
            wants_page(&Method::GET, &Uri::from_static(path), &headers)
        };
        assert!(
            wants("/metrics", "text/html,application/xhtml+xml,*/*;q=0.8") && wants("/apian", "TEXT/HTML")
        );
        assert!(!wants("/metrics", "*/*") && !wants("/metrics", "application/json, text/htmlx"));
        assert!(
            !wants("/data", "text/html") && !wants("/api/v1/x", "text/html") && !wants("/api", "text/html")
        );
    }

    #[test]
    fn the_way_home_is_relative() {
        for (path, home) in
            [("/", "./"), ("/login", "./"), ("/a/b", "../"), ("/a/b/", "../../"), ("//x", "../")]
        {
            assert_eq!(home_of(path), home, "{path}");
        }
    }

    #[test]
    fn nothing_that_was_sent_becomes_a_tag_or_leaves_its_quotes() {
        assert_eq!(escape("<b>\"x\"&'y'</b>"), "&lt;b&gt;&quot;x&quot;&amp;&#39;y&#39;&lt;/b&gt;");
    }
}
