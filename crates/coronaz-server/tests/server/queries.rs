//! Unknown parameters are refused on every route.

use serde_json::Value;

use crate::{
    http,
    stage::{Stage, node, run},
};

/// Every path that can be asked for, from the description, with its methods and its parameters.
fn routes() -> Vec<(String, Vec<String>, Vec<String>)> {
    let description: Value = serde_json::from_str(&coronaz_server::openapi()).expect("JSON");
    let fill = |path: &str| {
        let path = path.replace("{run}", &run(1).to_string()).replace("{id}", &node(1).to_string());
        path.replace("{table}", "nodes").replace("{name}", "broker").replace("{action}", "kill")
    };
    let mut routes = Vec::new();
    for (path, methods) in description["paths"].as_object().expect("paths") {
        let methods = methods.as_object().expect("methods");
        let parameters = methods.values().filter_map(|of| of["parameters"].as_array()).flatten();
        let in_query = parameters.filter(|of| of["in"] == "query");
        let names = in_query.map(|of| of["name"].as_str().expect("a name").to_owned()).collect();
        routes.push((fill(path), methods.keys().map(|method| method.to_uppercase()).collect(), names));
    }
    let others = ["/login", "/sign-in.js", "/api/v1/openapi.json", &fill("/api/v1/runs/{run}/live")]
        .map(str::to_owned);
    routes.extend(others.map(|path| (path, vec!["GET".to_owned()], Vec::new())));
    routes
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_parameter_is_a_400_on_every_route_and_is_named() {
    let stage = Stage::open_with_a_story_and_a_token().await;
    let bearer = format!("Bearer {}", Stage::TOKEN);
    let mut asked = 0;
    for (path, methods, names) in routes() {
        for method in methods {
            for unknown in ["colour=red", "colour", "limit%20=1", "run_=x", "limit=1&colour=red&limit=2"] {
                let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
                let answer =
                    http::send(stage.address, &method, &format!("{path}?{unknown}"), &headers, "").await;
                let detail = answer.problem(400);
                assert!(detail.contains("there is no parameter"), "{method} {path}?{unknown}: {detail}");
                assert!(names.iter().all(|name| detail.contains(name.as_str())), "{path}: {detail}");
                asked += 1;
            }
        }
    }
    assert!(asked > 100, "{asked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_query_is_none_and_the_page_reads_its_own() {
    let stage = Stage::open_with_a_story().await;
    for path in ["/data?", "/healthz?", "/api/v1/runs?", "/?anything=1", "/?renderer=canvas&utm_source=x"] {
        assert_eq!(stage.get(path).await.status, 200, "{path}");
    }
    stage.get("/api/v1/nosuch?colour=red").await.problem(404);
    stage.get("/nosuch?colour=red").await.problem(404);
}
