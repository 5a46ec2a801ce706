//! People and services: roles, who is affected, the next level, a page by hand.

use axum::extract::State as Shared;
use chassis_http::Json;
use incident::{Role, What};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Answer, act, answer};
use crate::{
    access::Visitor,
    api::{
        input::{Which, Why, line, person, reason, required},
        openapi::Changes,
    },
    room::Room,
};

/// Who has a role.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GiveRole {
    /// commander, operations, communications or scribe.
    #[schema(value_type = String)]
    role: Role,
    /// Who takes it; null: the person who has it gives it back.
    person: Option<String>,
}

/// Gives or takes a role. The person who gets it is notified, unless they take it themselves.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/roles", operation_id = "give_role", request_body = GiveRole,
    params(("id" = String, Path, description = "The incident, such as INC-7")), responses(Changes))]
pub(crate) async fn roles(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Which(id): Which,
    Json(asked): Json<GiveRole>,
) -> Answer {
    let role = asked.role;
    let what = match asked.person {
        Some(name) => What::Assigned { role, person: person(&room, "/person", name)? },
        None => What::Relieved { role },
    };
    answer(&room, &room.duty.assign(&room, id, visitor.source(), vec![what]).await?, &visitor)
}

/// Whether a service is affected.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Affects {
    /// The service.
    service: String,
    /// Whether it is.
    affected: bool,
}

/// Says that a service is affected, or is not.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/services", operation_id = "affects", request_body = Affects,
    params(("id" = String, Path, description = "The incident, such as INC-7")), responses(Changes))]
pub(crate) async fn services(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Which(id): Which,
    Json(asked): Json<Affects>,
) -> Answer {
    let service = line("/service", asked.service)?;
    let what = if asked.affected { What::Affected { service } } else { What::Unaffected { service } };
    act(&room, id, &visitor, what).await
}

/// Asks the next level now.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/escalate", operation_id = "escalate", request_body = Why,
    params(("id" = String, Path, description = "The incident, such as INC-7")), responses(Changes))]
pub(crate) async fn escalate(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Which(id): Which,
    Json(asked): Json<Why>,
) -> Answer {
    let why = reason(asked.why)?;
    answer(&room, &room.duty.escalate(&room, id, visitor.source(), &why).await?, &visitor)
}

/// Whom to page.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PagePerson {
    /// A person of oncall.yaml.
    person: String,
    /// Why this person is needed.
    why: String,
}

/// Pages a person now, on all of that person's contact points.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/page", operation_id = "page_person", request_body = PagePerson,
    params(("id" = String, Path, description = "The incident, such as INC-7")), responses(Changes))]
pub(crate) async fn page(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Which(id): Which,
    Json(asked): Json<PagePerson>,
) -> Answer {
    let why = required(asked.why)?;
    let name = person(&room, "/person", asked.person)?;
    answer(&room, &room.duty.page(&room, id, visitor.source(), &name, &why).await?, &visitor)
}
