//! Paths and queries of a request; what does not fit is a problem that says what would.

use axum::{
    Json,
    extract::{
        FromRequest, FromRequestParts, Request,
        rejection::{JsonRejection, PathRejection},
    },
    http::{StatusCode, request::Parts},
};
use coronaz_store::queries::Span;
use coronaz_store::view::Cursor;
use serde::{Deserialize, de::DeserializeOwned};
use utoipa::{IntoParams, ToSchema};

use crate::problem::Problem;

/// What stands in the path.
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path: Result<axum::extract::Path<T>, PathRejection> =
            axum::extract::Path::from_request_parts(parts, state).await;
        path.map(|axum::extract::Path(value)| Path(value)).map_err(|_| {
            Problem::wrong("runs and nodes are named by UUIDs in the path, actions by their word")
        })
    }
}

/// What stands behind the question mark.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Query::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Query(value)) => Ok(Query(value)),
            Err(rejection) => Err(Problem::wrong(rejection.body_text())),
        }
    }
}

/// What is sent.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match Json::<T>::from_request(request, state).await {
            Ok(Json(value)) => Ok(Body(value)),
            Err(JsonRejection::MissingJsonContentType(_)) => {
                Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE).detail("send application/json"))
            }
            Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE))
            }
            Err(rejection) => Err(Problem::wrong(rejection.body_text())),
        }
    }
}

/// In which order a list is given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Order {
    /// By time.
    #[default]
    Oldest,
    /// Against time.
    Newest,
}

/// A stretch of time, and a page of what lies in it.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageOfTime {
    /// Not before this time.
    #[param(nullable = false)]
    pub(crate) from_ms: Option<i64>,
    /// Not after this time.
    #[param(nullable = false)]
    pub(crate) to_ms: Option<i64>,
    /// The `next` of the page before.
    #[param(nullable = false, pattern = "^-?[0-9]{1,19}[.][0-9]{1,10}$")]
    pub(crate) after: Option<String>,
    /// At most so many.
    #[param(nullable = false, minimum = 1, maximum = 10_000, default = 100)]
    pub(crate) limit: Option<usize>,
    /// `oldest` first, or `newest` first; then `after` goes back in time.
    #[param(nullable = false, inline)]
    pub(crate) order: Option<Order>,
}

impl PageOfTime {
    /// Items of a page when nothing else is asked for.
    const LIMIT_DEFAULT: usize = 100;
    /// Items of the longest page.
    const LIMIT_MAX: usize = 10_000;

    /// The store's words for it.
    pub(crate) fn read(&self) -> Result<(Span, Option<Cursor>, usize), Problem> {
        let span = Span {
            from_us: self.from_ms.map_or(i64::MIN, |ms| ms.saturating_mul(1000)),
            to_us: self.to_ms.map_or(i64::MAX, |ms| ms.saturating_mul(1000).saturating_add(999)),
        };
        let after = match &self.after {
            None => None,
            Some(text) => Some(
                parse_cursor(text)
                    .ok_or_else(|| Problem::wrong("after has to be the next of an earlier answer"))?,
            ),
        };
        Ok((span, after, limit(self.limit, Self::LIMIT_DEFAULT, Self::LIMIT_MAX)?))
    }
}

/// A limit within its range.
pub(crate) fn limit(asked: Option<usize>, default: usize, max: usize) -> Result<usize, Problem> {
    match asked.unwrap_or(default) {
        limit if (1..=max).contains(&limit) => Ok(limit),
        limit => Err(Problem::wrong(format!("limit has to be 1 to {max}, not {limit}"))),
    }
}

/// A place in a list as a visitor carries it.
pub(crate) fn write_cursor(cursor: Cursor) -> String {
    format!("{}.{}", cursor.time_us, cursor.slot)
}

/// What has the form of a cursor is one: a place beyond all times is behind everything, or before it.
fn parse_cursor(text: &str) -> Option<Cursor> {
    let (time_us, slot) = text.split_once('.')?;
    let (earlier, time_us) = time_us.strip_prefix('-').map_or((false, time_us), |time_us| (true, time_us));
    let is_number = |text: &str, digits: usize| {
        (1..=digits).contains(&text.len()) && text.bytes().all(|digit| digit.is_ascii_digit())
    };
    if !is_number(time_us, 19) || !is_number(slot, 10) {
        return None;
    }
    let time_us: i128 = time_us.parse().ok()?;
    let time_us = if earlier { -time_us } else { time_us };
    let beyond = if earlier { i64::MIN } else { i64::MAX };
    Some(Cursor { time_us: i64::try_from(time_us).unwrap_or(beyond), slot: slot.parse().unwrap_or(u32::MAX) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_went() {
        for cursor in [Cursor { time_us: -5, slot: 0 }, Cursor { time_us: i64::MAX, slot: u32::MAX }] {
            assert_eq!(parse_cursor(&write_cursor(cursor)), Some(cursor));
        }
        for text in
            ["", "1", "1.", ".1", "1.-1", "1.1.1", "x.1", "+1.1", "1.+1", "--1.1", "12345678901234567890.1"]
        {
            assert_eq!(parse_cursor(text), None, "{text:?}");
        }
        let (last, first) = ("9999999999999999999.9999999999", "-9999999999999999999.0");
        assert_eq!(parse_cursor(last), Some(Cursor { time_us: i64::MAX, slot: u32::MAX }));
        assert_eq!(parse_cursor(first), Some(Cursor { time_us: i64::MIN, slot: 0 }));
    }

    #[test]
    fn the_ends_of_time_do_not_overflow() {
        let page = |from_ms, to_ms| PageOfTime { from_ms, to_ms, after: None, limit: None, order: None };
        let (span, ..) = page(Some(i64::MIN), Some(i64::MAX)).read().expect("a page");
        assert_eq!((span.from_us, span.to_us), (i64::MIN, i64::MAX));
        let (span, ..) = page(Some(1), Some(1)).read().expect("a page");
        assert_eq!((span.from_us, span.to_us), (1000, 1999));
    }
}
