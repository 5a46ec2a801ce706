//! Hypotheses: stated, tested, ruled out or confirmed.

use axum::extract::State as Shared;
use chassis_http::Json;
use incident::What;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Answer, act, answer};
use crate::{
    access::Visitor,
    api::{
        input::{Part, Proof, Text, Which, Why, required, text},
        openapi::Changes,
    },
    room::Room,
};

/// States what might be the cause.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/hypotheses", operation_id = "state_hypothesis", request_body = Text,
    params(("id" = String, Path, description = "The incident, such as INC-7")), responses(Changes))]
pub(crate) async fn state(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Which(id): Which,
    Json(asked): Json<Text>,
) -> Answer {
    let text = text("/text", asked.text)?;
    answer(&room, &room.desk.hypothesis(id, visitor.source(), &text).await?, &visitor)
}

/// What speaks for or against a hypothesis.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewFinding {
    /// For, or against.
    supports: bool,
    /// What was found.
    text: String,
    /// The query that shows it.
    #[serde(default)]
    evidence: Option<Proof>,
}

/// Adds what speaks for or against it.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/hypotheses/{n}/findings", operation_id = "test_hypothesis",
    request_body = NewFinding,
    params(("id" = String, Path, description = "The incident, such as INC-7"), ("n" = u32, Path, description = "The hypothesis")),
    responses(Changes))]
pub(crate) async fn findings(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Part(id, hypothesis): Part,
    Json(asked): Json<NewFinding>,
) -> Answer {
    let evidence = asked.evidence.map(Proof::evidence).transpose()?;
    let text = text("/text", asked.text)?;
    let what = What::HypothesisTested { id: hypothesis, supports: asked.supports, text, evidence };
    act(&room, id, &visitor, what).await
}

/// Rules it out.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/hypotheses/{n}/rule-out", operation_id = "rule_out_hypothesis",
    request_body = Why,
    params(("id" = String, Path, description = "The incident, such as INC-7"), ("n" = u32, Path, description = "The hypothesis")),
    responses(Changes))]
pub(crate) async fn rule_out(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Part(id, hypothesis): Part,
    Json(asked): Json<Why>,
) -> Answer {
    let why = required(asked.why)?;
    act(&room, id, &visitor, What::HypothesisRuledOut { id: hypothesis, why }).await
}

/// Confirms it.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/hypotheses/{n}/confirm", operation_id = "confirm_hypothesis",
    request_body = Why,
    params(("id" = String, Path, description = "The incident, such as INC-7"), ("n" = u32, Path, description = "The hypothesis")),
    responses(Changes))]
pub(crate) async fn confirm(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Part(id, hypothesis): Part,
    Json(asked): Json<Why>,
) -> Answer {
    let why = required(asked.why)?;
    act(&room, id, &visitor, What::HypothesisConfirmed { id: hypothesis, why }).await
}
