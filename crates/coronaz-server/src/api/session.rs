//! Who asks: so that a page knows what to offer.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::{app::App, guard, problem::Problem, rest::operator::Session};

/// Whether the request is the operator's, and what there is for one.
#[utoipa::path(
    get, path = "/api/v1/session", operation_id = "session",
    responses((status = 200, body = Session)),
)]
pub(super) async fn session(State(app): State<App>, headers: HeaderMap) -> Json<Session> {
    Json(Session {
        operator: guard::is_operator(&app, &headers),
        can_sign_in: app.token().is_some(),
        laboratory: app.control().is_ok(),
    })
}

/// Signs a browser out.
#[utoipa::path(
    delete, path = "/api/v1/session", operation_id = "signOut",
    security(("operator" = [])),
    responses(
        (status = 204, description = "Signed out"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "The token is missing or wrong"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "From another origin, or the operator's part is closed"),
    ),
)]
pub(super) async fn sign_out() -> Response {
    let expired = format!("{}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict", guard::COOKIE);
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, expired)]).into_response()
}
