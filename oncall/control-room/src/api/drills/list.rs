//! The drills, and how the caller did in them.

use axum::extract::State as Shared;
use chassis_http::{Json, Path, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{access::Visitor, api::openapi::Reads, drills::DrillView, error::Error, room::Room};

/// All drills.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct DrillList {
    /// By name.
    drills: Vec<DrillView>,
}

/// Lists all drills: what may be known before, how the caller did in each, and which one to do next.
#[utoipa::path(get, path = "/api/v1/drills", operation_id = "list_drills",
    responses(Reads, (status = 200, description = "The drills.", body = DrillList)))]
pub(crate) async fn list_drills(
    Shared(room): Shared<Room>,
    visitor: Visitor,
) -> Result<Json<DrillList>, Problem> {
    Ok(Json(DrillList { drills: room.drills.list(&visitor).await? }))
}

/// Shows one drill.
#[utoipa::path(get, path = "/api/v1/drills/{id}", operation_id = "show_drill",
    params(("id" = String, Path, description = "The drill, such as first-page")),
    responses(Reads, (status = 200, description = "The drill.", body = DrillView)))]
pub(crate) async fn show_drill(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Json<DrillView>, Problem> {
    // Says which there are, or what is wrong with its file.
    room.drills.get(&id)?;
    let found = room.drills.list(&visitor).await?.into_iter().find(|one| one.brief.id == id);
    found.map(Json).ok_or_else(|| Error::Conflict(format!("the drill {id} has changed meanwhile")).into())
}
