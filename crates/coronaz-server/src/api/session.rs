//! Who asks: so that a page knows what to offer.

use axum::{
    Extension, Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};

use crate::{app::App, identity::Identity, login, problem::Problem, rest::operator::Session};

/// Whether the request is the operator's, and what there is for one.
#[utoipa::path(
    get, path = "/api/v1/session", operation_id = "session",
    responses((status = 200, body = Session, description = "Who asks")),
)]
pub(super) async fn session(
    State(app): State<App>,
    Extension(identity): Extension<Identity>,
) -> Json<Session> {
    Json(Session {
        operator: identity.is_operator(),
        can_sign_in: app.access().is_some(),
        laboratory: app.control().is_ok(),
    })
}

/// Signs a browser out: its cookie is worth nothing from then on, a copy of it neither.
#[utoipa::path(
    delete, path = "/api/v1/session", operation_id = "signOut",
    security(("operator" = [])),
    responses(
        (status = 204, description = "Signed out"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "The token is missing or wrong"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "From another origin, or the operator's part is closed"),
    ),
)]
pub(super) async fn sign_out(
    State(app): State<App>,
    Extension(identity): Extension<Identity>,
) -> Result<Response, Problem> {
    if let Identity::Session(name) = identity {
        // The file of sessions is written before it is said that one has ended.
        let ended = tokio::task::spawn_blocking(move || {
            if let Some(access) = app.access() {
                access.sessions.end(&name);
            }
        });
        ended.await.map_err(|_| Problem::unavailable())?;
    }
    Ok((StatusCode::NO_CONTENT, [login::no_cookie()]).into_response())
}
