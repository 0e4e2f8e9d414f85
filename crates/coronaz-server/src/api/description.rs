//! The description of the interface, made from the routes and their bodies.
//!
//! What holds for every route is added here once, by rule: answers that any of them may give, and the ranges of whole
//! numbers, which follow from their types.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};
use utoipa::{
    Modify, OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};

use super::{change_runs, export, jobs, laboratory, nodes, parts, runs, scenarios, session};
use crate::{data, health, problem::Problem, rest};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "CoronaZ", version = "1", description = "Runs of the laboratory, as the store has them.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        runs::runs, runs::run, runs::state, runs::statistics, runs::infections,
        nodes::nodes, nodes::node, nodes::contacts, nodes::encounters, parts::parts,
        export::export, session::session, session::sign_out,
        laboratory::laboratory, laboratory::act, laboratory::add_people, scenarios::scenarios,
        change_runs::start, change_runs::stop, change_runs::fork, change_runs::delete,
        jobs::start_audit, jobs::audit, jobs::start_chaos, jobs::chaos, jobs::stop_chaos,
        data::data, health::alive, health::ready,
    ),
    components(schemas(Problem, rest::Run)),
    modifiers(&OperatorToken),
)]
struct Description;

struct OperatorToken;

impl Modify for OperatorToken {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        openapi
            .components
            .get_or_insert_default()
            .add_security_scheme("operator", SecurityScheme::Http(bearer));
    }
}

static DESCRIBED: LazyLock<Value> = LazyLock::new(|| {
    let mut description = serde_json::to_value(Description::openapi()).expect("a description is plain JSON");
    bound_numbers(&mut description);
    for methods in description["paths"].as_object_mut().into_iter().flat_map(Map::values_mut) {
        for operation in methods.as_object_mut().into_iter().flat_map(Map::values_mut) {
            add_answers(operation);
        }
    }
    description
});

/// The description (OpenAPI 3.1), as a value.
///
/// # Panics
/// Never: it is made of plain members.
pub(crate) fn described() -> &'static Value {
    &DESCRIBED
}

/// Whole numbers have the range of their type, unless they name a narrower one.
fn bound_numbers(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(bound_numbers),
        Value::Object(members) => {
            if members.get("type").is_some_and(|kind| kind == "integer") {
                bound(members);
            }
            members.values_mut().for_each(bound_numbers);
        }
        _ => {}
    }
}

fn bound(schema: &mut Map<String, Value>) {
    let is_unsigned = schema.get("minimum").and_then(Value::as_f64).is_some_and(|minimum| minimum >= 0.0);
    let (format, min, max) = match (schema.get("format").and_then(Value::as_str), is_unsigned) {
        (Some("int32"), true) => ("uint32", json!(0), json!(u32::MAX)),
        (Some("int32"), false) => ("int32", json!(i32::MIN), json!(i32::MAX)),
        (Some("int64"), true) => ("uint64", json!(0), json!(u64::MAX)),
        (Some("int64"), false) => ("int64", json!(i64::MIN), json!(i64::MAX)),
        (None, true) => ("uint64", json!(0), json!(u64::MAX)),
        _ => return,
    };
    schema.insert("format".to_owned(), format.into());
    schema.entry("minimum").or_insert(min);
    schema.entry("maximum").or_insert(max);
}

/// Answers that follow from what an operation is.
fn add_answers(operation: &mut Value) {
    let is_operators = operation.get("security").is_some();
    let has_body = operation.get("requestBody").is_some();
    let Some(answers) = operation["responses"].as_object_mut() else { return };
    let mut add = |status: &str, description: &str| {
        answers.entry(status).or_insert_with(|| {
            let problem = json!({"schema": {"$ref": "#/components/schemas/Problem"}});
            json!({"description": description, "content": {"application/problem+json": problem}})
        });
    };
    add("400", "A parameter is wrong or unknown");
    if !is_operators {
        add("401", "The token is missing or wrong; reading on this machine needs none");
    }
    add("414", "The address is too long");
    add("421", "The request names another server");
    add("503", "Temporarily unavailable");
    if has_body {
        add("413", "What is sent is too large");
        add("415", "What is sent is not application/json");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operations() -> impl Iterator<Item = (&'static String, &'static Value)> {
        let paths = described()["paths"].as_object().into_iter().flatten();
        paths.flat_map(|(path, methods)| {
            methods.as_object().into_iter().flatten().map(move |(_, of)| (path, of))
        })
    }

    #[test]
    fn every_answer_says_what_it_means() {
        for (path, operation) in operations() {
            for (status, answer) in operation["responses"].as_object().expect("answers") {
                let said = answer["description"].as_str().unwrap_or_default();
                assert!(!said.is_empty(), "{path} {}: {status}", operation["operationId"]);
            }
        }
    }

    #[test]
    fn every_whole_number_has_a_format_and_a_range() {
        fn look(value: &Value, at: &str, seen: &mut usize) {
            if value["type"] == "integer" {
                *seen += 1;
                for member in ["format", "minimum", "maximum"] {
                    assert!(value.get(member).is_some(), "{at} has no {member}");
                }
            }
            match value {
                Value::Array(items) => {
                    for item in items {
                        look(item, at, seen);
                    }
                }
                Value::Object(members) => {
                    for (name, of) in members {
                        look(of, &format!("{at}/{name}"), seen);
                    }
                }
                _ => {}
            }
        }
        let mut seen = 0;
        look(described(), "", &mut seen);
        assert!(seen > 50, "{seen}");
    }

    #[test]
    fn what_takes_a_body_says_that_it_may_be_too_large_or_of_another_kind() {
        let taking: Vec<_> = operations().filter(|(_, of)| of.get("requestBody").is_some()).collect();
        assert!(taking.len() >= 5);
        for (path, operation) in taking {
            for status in ["400", "413", "415"] {
                assert!(operation["responses"].get(status).is_some(), "{path}: {status}");
            }
        }
    }
}
