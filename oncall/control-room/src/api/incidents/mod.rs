//! Incidents: reading them, and everything that people do about one. Each verb answers the incident as it is afterwards.

pub(crate) mod hypotheses;
pub(crate) mod life;
pub(crate) mod list;
pub(crate) mod people;
pub(crate) mod postmortem;
pub(crate) mod talk;
pub(crate) mod work;

use std::sync::Arc;

use chassis_http::{Json, Problem};
use incident::{Id, Incident, What};
use serde_json::Value;

use super::view;
use crate::{access::Visitor, room::Room};

/// JSON, or why not.
pub(crate) type Answer = Result<Json<Value>, Problem>;

/// The incident for this visitor.
fn answer(room: &Room, found: &Arc<Incident>, visitor: &Visitor) -> Answer {
    Ok(Json(view::incident(found, visitor.role, room.drills.hides_truth(visitor))?))
}

/// Does one thing to an incident.
async fn act(room: &Room, id: Id, visitor: &Visitor, what: What) -> Answer {
    answer(room, &room.desk.act(id, visitor.source(), what).await?, visitor)
}
