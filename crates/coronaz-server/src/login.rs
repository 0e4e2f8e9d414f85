//! Signing in with a browser: the token goes in once, a cookie comes back.

use axum::{
    Form,
    extract::{
        Query, State,
        rejection::{FormRejection, QueryRejection},
    },
    http::{HeaderMap, StatusCode, Uri, header},
    response::{Html, IntoResponse, Redirect, Response},
};
use serde::Deserialize;

use crate::{app::App, guard, problem::Problem};

/// How long a browser stays signed in, in seconds: a working day and its evening.
const COOKIE_AGE_S: u32 = 16 * 3600;
/// The form may be sent to this server alone; nothing else happens on this page.
const POLICY: &str = "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const FORM: &str = r#"<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <title>CoronaZ: sign in</title>
  </head>
  <body>
    <h1>CoronaZ</h1>
    <form method="post" action="/login">
      <label>Token <input name="token" type="password" autocomplete="current-password" required autofocus /></label>
      <button>Sign in</button>
    </form>
  </body>
</html>
"#;

#[derive(Deserialize)]
pub(crate) struct SignIn {
    token: String,
}

/// The form, or the cookie at once for a link that carries the token.
pub(crate) async fn form(
    State(app): State<App>,
    uri: Uri,
    headers: HeaderMap,
    link: Result<Query<SignIn>, QueryRejection>,
) -> Response {
    match link {
        Ok(Query(sign_in)) => sign_in_with(&app, &sign_in.token, &headers, &uri),
        Err(_) => ([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(FORM)).into_response(),
    }
}

/// The form, sent.
pub(crate) async fn sign_in(
    State(app): State<App>,
    uri: Uri,
    headers: HeaderMap,
    form: Result<Form<SignIn>, FormRejection>,
) -> Response {
    match form {
        Ok(Form(sign_in)) => sign_in_with(&app, &sign_in.token, &headers, &uri),
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE).into_response()
        }
        Err(_) => Problem::wrong("send a form with the field token").into_response(),
    }
}

fn sign_in_with(app: &App, text: &str, headers: &HeaderMap, uri: &Uri) -> Response {
    if !guard::is_same_origin(headers, uri) {
        return Problem::new(StatusCode::FORBIDDEN)
            .detail("sign in on this server's own page")
            .into_response();
    }
    let Some(token) = app.token().filter(|token| token.is(text.trim())) else {
        return Problem::new(StatusCode::UNAUTHORIZED).detail("this is not the token").into_response();
    };
    let cookie = format!(
        "{}={}; Path=/; Max-Age={COOKIE_AGE_S}; HttpOnly; SameSite=Strict",
        guard::COOKIE,
        token.cookie()
    );
    ([(header::SET_COOKIE, cookie)], Redirect::to("/")).into_response()
}
