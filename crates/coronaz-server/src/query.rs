//! What may stand behind the question mark. A mistyped parameter would otherwise change an answer without a word.
//!
//! One rule for all routes: the parameters are those of the interface's description, and a route that is not in it, or
//! that describes none, takes none. The page itself, which is no route, reads its own address.

use std::{
    collections::{BTreeSet, HashMap},
    sync::LazyLock,
};

use axum::{
    extract::{MatchedPath, Query, Request},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde_json::Value;

use crate::{api, login, problem::Problem};

/// Names of parameters, by the path of their route.
static KNOWN: LazyLock<HashMap<String, BTreeSet<String>>> = LazyLock::new(known);

/// Refuses parameters that the route does not have.
pub(crate) async fn check(request: Request, next: Next) -> Response {
    if let Some(path) = request.extensions().get::<MatchedPath>()
        && let Some(problem) = unknown(path.as_str(), request.uri())
    {
        return problem.into_response();
    }
    next.run(request).await
}

fn unknown(path: &str, uri: &axum::http::Uri) -> Option<Problem> {
    if uri.query().is_none_or(str::is_empty) {
        return None;
    }
    let Ok(Query(sent)) = Query::<Vec<(String, String)>>::try_from_uri(uri) else {
        return Some(Problem::wrong("what stands behind the question mark has to be NAME=VALUE&…"));
    };
    let none = BTreeSet::new();
    let known = KNOWN.get(path).unwrap_or(&none);
    let (name, _) = sent.iter().find(|(name, _)| !known.contains(name))?;
    let right = match known.iter().map(String::as_str).collect::<Vec<_>>().join(", ") {
        names if names.is_empty() => "there are none here".to_owned(),
        names => format!("there are: {names}"),
    };
    Some(Problem::wrong(format!("there is no parameter {name:?}; {right}")))
}

fn known() -> HashMap<String, BTreeSet<String>> {
    let description = api::described();
    let paths = description["paths"].as_object().into_iter().flatten();
    let mut known: HashMap<_, _> = paths.map(|(path, methods)| (route(path), names(methods))).collect();
    known.insert(login::PATH.to_owned(), BTreeSet::from(["next".to_owned()]));
    known
}

/// The path as its route has it: a segment is a parameter as a whole there.
fn route(described: &str) -> String {
    described.replace("{table}.csv", "{file}")
}

/// Of all methods together: those that change something take none.
fn names(methods: &Value) -> BTreeSet<String> {
    let methods = methods.as_object().into_iter().flat_map(|methods| methods.values());
    let parameters = methods.filter_map(|method| method["parameters"].as_array()).flatten();
    let in_query = parameters.filter(|parameter| parameter["in"] == "query");
    in_query.filter_map(|parameter| parameter["name"].as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_takes_the_parameters_of_its_description_and_no_other() {
        let problem = |path: &str, uri: &'static str| unknown(path, &axum::http::Uri::from_static(uri));
        let state = "/api/v1/runs/{run}/state";
        assert_eq!(problem(state, "/x?moment=1&time_ms=2"), None);
        assert_eq!(problem(state, "/x?"), None);
        let wrong = problem(state, "/x?moment=1&colour=red").and_then(|problem| problem.detail);
        assert_eq!(wrong.as_deref(), Some("there is no parameter \"colour\"; there are: moment, time_ms"));
        let none = problem("/api/v1/runs/{run}/export/{file}", "/x?a=1").and_then(|problem| problem.detail);
        assert!(none.is_some_and(|detail| detail.contains("none here")));
        assert!(problem("/no/such/route", "/x?a").is_some(), "what is not described takes none");
        assert_eq!(problem("/login", "/login?next=%2F"), None);
    }
}
