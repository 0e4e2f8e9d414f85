//! One node, its contacts and encounters.

use axum::{Json, extract::State};
use coronaz_store::{Queries, StoreError, queries::Span, view};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::{
    app::App,
    extract::{Order, PageOfTime, Path, Query, limit, write_cursor},
    problem::Problem,
    rest::{Contact, Contacts, Encounter, Encounters, Node, NodeName, NodeNames},
};

/// Nodes given when nothing else is asked for.
const NODES_DEFAULT: usize = 1_000;
/// Nodes given at most.
const NODES_MAX: usize = 10_000;

/// A page of the nodes.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Slots {
    /// Those with a greater slot.
    #[param(nullable = false)]
    after_slot: Option<u32>,
    /// At most so many.
    #[param(nullable = false, minimum = 1, maximum = 10_000, default = 1_000)]
    limit: Option<usize>,
}

/// Slots and names of the nodes, by slot.
#[utoipa::path(
    get, path = "/api/v1/runs/{run}/nodes", operation_id = "nodes",
    params(("run" = Uuid, Path, description = "The run"), Slots),
    responses(
        (status = 200, body = NodeNames, description = "The nodes"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "A parameter is wrong"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No such run"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "Temporarily unavailable"),
    ),
)]
pub(super) async fn nodes(
    State(app): State<App>,
    Path(run): Path<Uuid>,
    Query(slots): Query<Slots>,
) -> Result<Json<NodeNames>, Problem> {
    let limit = limit(slots.limit, NODES_DEFAULT, NODES_MAX)?;
    let from_slot = match slots.after_slot.map(|slot| slot.checked_add(1)) {
        None => 0,
        Some(Some(slot)) => slot,
        // There is no greater slot.
        Some(None) => return Ok(Json(NodeNames { nodes: Vec::new() })),
    };
    let nodes = app.readers().ask(move |store| store.nodes(run, from_slot, limit)).await?;
    Ok(Json(NodeNames { nodes: nodes.into_iter().map(NodeName::from).collect() }))
}

/// One node: its newest state and its infections.
#[utoipa::path(
    get, path = "/api/v1/runs/{run}/nodes/{id}", operation_id = "node",
    params(("run" = Uuid, Path, description = "The run"), ("id" = Uuid, Path, description = "The node")),
    responses(
        (status = 200, body = Node, description = "The node"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "Not a UUID"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No such run or node"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "Temporarily unavailable"),
    ),
)]
pub(super) async fn node(
    State(app): State<App>,
    Path((run, id)): Path<(Uuid, Uuid)>,
) -> Result<Json<Node>, Problem> {
    Ok(Json(app.readers().ask(move |store| store.node(run, id)).await?.into()))
}

/// What a list in time is asked for.
struct Asked {
    span: Span,
    after: Option<view::Cursor>,
    limit: usize,
    order: Order,
}

/// A page of a list in time.
async fn listed<T: Send + 'static>(
    app: &App,
    page: &PageOfTime,
    question: impl FnOnce(&dyn Queries, Asked) -> Result<view::Page<T>, StoreError> + Send + 'static,
) -> Result<view::Page<T>, Problem> {
    let (span, after, limit) = page.read()?;
    let asked = Asked { span, after, limit, order: page.order.unwrap_or_default() };
    Ok(app.readers().ask(move |store| question(store, asked)).await?)
}

/// What one node heard, by time.
#[utoipa::path(
    get, path = "/api/v1/runs/{run}/nodes/{id}/contacts", operation_id = "contacts",
    params(
        ("run" = Uuid, Path, description = "The run"), ("id" = Uuid, Path, description = "The node"),
        PageOfTime,
    ),
    responses(
        (status = 200, body = Contacts, description = "The contacts"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "A parameter is wrong"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No such run or node"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "Temporarily unavailable"),
    ),
)]
pub(super) async fn contacts(
    State(app): State<App>,
    Path((run, id)): Path<(Uuid, Uuid)>,
    Query(page): Query<PageOfTime>,
) -> Result<Json<Contacts>, Problem> {
    let page = listed(&app, &page, move |store, asked| match asked.order {
        Order::Oldest => store.contacts(run, id, asked.span, asked.after, asked.limit),
        Order::Newest => store.contacts_newest_first(run, id, asked.span, asked.after, asked.limit),
    });
    let page = page.await?;
    Ok(Json(Contacts {
        contacts: page.items.into_iter().map(Contact::from).collect(),
        next: page.next.map(write_cursor),
    }))
}

/// Whom one node was near, from when to when; by their beginning.
#[utoipa::path(
    get, path = "/api/v1/runs/{run}/nodes/{id}/encounters", operation_id = "encounters",
    params(
        ("run" = Uuid, Path, description = "The run"), ("id" = Uuid, Path, description = "The node"),
        PageOfTime,
    ),
    responses(
        (status = 200, body = Encounters, description = "The encounters"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "A parameter is wrong"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No such run or node"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "Temporarily unavailable"),
    ),
)]
pub(super) async fn encounters(
    State(app): State<App>,
    Path((run, id)): Path<(Uuid, Uuid)>,
    Query(page): Query<PageOfTime>,
) -> Result<Json<Encounters>, Problem> {
    let page = listed(&app, &page, move |store, asked| match asked.order {
        Order::Oldest => store.encounters(run, id, asked.span, asked.after, asked.limit),
        Order::Newest => store.encounters_newest_first(run, id, asked.span, asked.after, asked.limit),
    });
    let page = page.await?;
    Ok(Json(Encounters {
        encounters: page.items.into_iter().map(Encounter::from).collect(),
        next: page.next.map(write_cursor),
    }))
}
