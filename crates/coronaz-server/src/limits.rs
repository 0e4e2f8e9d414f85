//! How many requests at once, how large, and how long.

use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::time::Instant;

use crate::{app::App, problem::Problem};

/// No request needs a larger body.
const BODY_BYTES_MAX: u64 = 8 * 1024;
/// The longest address: a page's link with all its settings is a tenth of it.
const ADDRESS_CHARS_MAX: usize = 4096;

/// Answers within the limits, or not at all; and says so in the log.
pub(crate) async fn apply(State(app): State<App>, request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let began = Instant::now();
    let response = match refuse(&request) {
        Some(problem) => problem.into_response(),
        None => within_time(&app, request, next).await,
    };
    let (status, took_ms) = (response.status().as_u16(), began.elapsed().as_millis());
    tracing::debug!(%method, path, status, took_ms, "answered");
    response
}

fn refuse(request: &Request) -> Option<Problem> {
    let address_chars = request.uri().path_and_query().map_or(0, |address| address.as_str().len());
    if address_chars > ADDRESS_CHARS_MAX {
        return Some(Problem::new(StatusCode::URI_TOO_LONG));
    }
    let length = request.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse::<u64>().ok()?;
    let too_large = || {
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE).detail(format!("at most {BODY_BYTES_MAX} bytes are read"))
    };
    (length > BODY_BYTES_MAX).then(too_large)
}

async fn within_time(app: &App, request: Request, next: Next) -> Response {
    let answer = async {
        // The semaphore is never closed; without a place the request waits until its time is over.
        let _place = app.requests().acquire().await;
        next.run(request).await
    };
    let answered = tokio::time::timeout(app.limits().request_time_max, answer).await;
    answered.unwrap_or_else(|_| Problem::unavailable().into_response())
}
