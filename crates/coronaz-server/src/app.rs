//! What all requests share, and which way each goes.

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderMap, StatusCode, Version, header},
    middleware,
    routing::get,
};
use coronaz_store::StoreLocation;
use coronaz_wire::Scenario;
use tokio::sync::{Mutex, Semaphore, watch};
use tower_http::{catch_panic::CatchPanicLayer, compression::CompressionLayer};

use crate::{
    api,
    attempts::Attempts,
    config::Limits,
    control::{Control, ControlError},
    cors::{self, Origin},
    data,
    flows::Flows,
    guard::{self, Guard},
    headers, health, limits,
    live::Hub,
    login, page,
    page::Files,
    plain_page,
    problem::Problem,
    query,
    readers::Readers,
    sessions::Sessions,
    token::Token,
};

/// The largest body anybody sends is the form that starts a run, with all parameters set.
const BODY_BYTES_MAX: usize = 8 * 1024;

/// What all requests share.
#[derive(Clone)]
pub(crate) struct App(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) readers: Readers,
    pub(crate) hub: Arc<Hub>,
    pub(crate) page: Files,
    pub(crate) access: Option<Access>,
    pub(crate) guard: Guard,
    pub(crate) limits: Limits,
    pub(crate) on_loopback: bool,
    pub(crate) requests: Semaphore,
    /// Whole histories and tables being written out.
    pub(crate) histories: Arc<Semaphore>,
    pub(crate) control: Option<Control>,
    pub(crate) scenarios: Vec<Scenario>,
    pub(crate) administered: Option<StoreLocation>,
    /// Held by whoever deletes a run: one at a time.
    pub(crate) deletions: Arc<Mutex<()>>,
    pub(crate) allow_hosts: Vec<String>,
    pub(crate) flows: Flows,
    pub(crate) stopping: watch::Receiver<bool>,
}

/// The operator's way in, where there is a token.
pub(crate) struct Access {
    pub(crate) token: Token,
    pub(crate) sessions: Sessions,
    pub(crate) attempts: Attempts,
}

impl App {
    pub(crate) fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }

    pub(crate) fn readers(&self) -> &Readers {
        &self.0.readers
    }

    pub(crate) fn hub(&self) -> &Arc<Hub> {
        &self.0.hub
    }

    pub(crate) fn page(&self) -> &Files {
        &self.0.page
    }

    /// The operator's way in.
    pub(crate) fn access(&self) -> Option<&Access> {
        self.0.access.as_ref()
    }

    pub(crate) fn guard(&self) -> &Guard {
        &self.0.guard
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// Whether nobody but this machine can reach the server.
    pub(crate) fn on_loopback(&self) -> bool {
        self.0.on_loopback
    }

    pub(crate) fn requests(&self) -> &Semaphore {
        &self.0.requests
    }

    pub(crate) fn histories(&self) -> &Arc<Semaphore> {
        &self.0.histories
    }

    /// The way to the laboratory.
    ///
    /// # Errors
    /// [`ControlError::None`] when this server has none.
    pub(crate) fn control(&self) -> Result<&Control, ControlError> {
        self.0.control.as_ref().ok_or(ControlError::None)
    }

    pub(crate) fn scenarios(&self) -> &[Scenario] {
        &self.0.scenarios
    }

    /// The store that runs may be deleted in.
    pub(crate) fn administered(&self) -> Option<&StoreLocation> {
        self.0.administered.as_ref()
    }

    pub(crate) fn deletions(&self) -> &Arc<Mutex<()>> {
        &self.0.deletions
    }

    /// Names under which a proxy passes requests on.
    pub(crate) fn allow_hosts(&self) -> &[String] {
        &self.0.allow_hosts
    }

    pub(crate) fn flows(&self) -> &Flows {
        &self.0.flows
    }

    /// Becomes true when the server stops.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.0.stopping.clone()
    }
}

/// Every route, and what lies around all of them; the outermost stands last.
pub(crate) fn router(app: App, allow_origins: &[Origin]) -> Router {
    let compression =
        CompressionLayer::new().gzip(true).compress_when(is_worth_compressing as fn(_, _, &_, &_) -> _);
    let router = Router::new()
        .route("/data", get(data::data))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route(login::PATH, get(login::form).post(login::sign_in))
        .route(login::SCRIPT_PATH, get(login::script))
        .nest("/api/v1", api::routes(&app))
        .fallback(page::answer)
        .method_not_allowed_fallback(async || Problem::new(StatusCode::METHOD_NOT_ALLOWED))
        .layer(middleware::from_fn(query::check))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(compression)
        .layer(middleware::from_fn_with_state(app.clone(), limits::apply))
        .layer(middleware::from_fn_with_state(app.clone(), guard::guard))
        .layer(CatchPanicLayer::custom(|_| {
            tracing::error!("answering a request panicked");
            axum::response::IntoResponse::into_response(Problem::unavailable())
        }))
        .layer(middleware::from_fn(plain_page::for_people))
        .with_state(app);
    // Before the guard: what a browser asks first of a server of another origin carries no token.
    let router = match cors::layer(allow_origins) {
        None => router,
        Some(layer) => router.layer(layer),
    };
    router.layer(middleware::from_fn(headers::add))
}

/// Text is. Frames are not: positions are random numbers.
fn is_worth_compressing(_: StatusCode, _: Version, headers: &HeaderMap, _: &axum::http::Extensions) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|kind| kind.contains("json") || kind.starts_with("text/"))
}
