//! Objectives: those of the files, and those that are declared beside them, with what is left of their budgets.

use std::collections::BTreeMap;

use axum::{
    extract::State as Shared,
    response::{IntoResponse as _, Response},
};
use chassis_http::{Json, Path, Problem};
use chrono::Utc;
use http::StatusCode;
use serde_json::{Value, json};
use slo::{
    Slo,
    report::{self, Line, Report},
};

use super::{
    incidents::Answer,
    openapi::{Changes, Reads, Refusals},
};
use crate::{
    access::Visitor,
    error,
    eyes::within,
    objectives::{Declared, ObjectiveFields},
    room::Room,
};

/// Every objective as it is written, whose it is, and its state: budget, burn rates by window, what fires. `state` is null if
/// Prometheus does not answer.
#[utoipa::path(get, path = "/api/v1/slos", operation_id = "list_slos", responses(Reads))]
pub(crate) async fn list_slos(Shared(room): Shared<Room>, _visitor: Visitor) -> Answer {
    let lines = lines(&room).await;
    let files = room.content.slos().iter().map(|slo| of_file(slo, lines.get(&slo.name)));
    let declared = room.objectives.all();
    let declared = declared.iter().map(|one| of_api(&room, one));
    Ok(Json(json!({ "slos": files.chain(declared).collect::<Vec<_>>() })))
}

/// An objective.
#[utoipa::path(get, path = "/api/v1/slos/{slo}", operation_id = "read_slo",
    params(("slo" = String, Path, description = "Name of the objective")), responses(Reads))]
pub(crate) async fn read_slo(
    Shared(room): Shared<Room>,
    _visitor: Visitor,
    Path(name): Path<String>,
) -> Answer {
    let Some(slo) = room.content.slo(&name) else { return Ok(Json(declared(&room, &name)?)) };
    Ok(Json(of_file(slo, lines(&room).await.get(&name))))
}

/// Declares an objective, or changes one that was declared: it is measured, and its alerts reach Alertmanager, at once. 409, if
/// dashboards/slos has the name.
#[utoipa::path(put, path = "/api/v1/slos/{slo}", operation_id = "declare_slo",
    params(("slo" = String, Path, description = "Name of the objective")), request_body = ObjectiveFields,
    responses(Changes, (status = 201, description = "It is new.")))]
pub(crate) async fn declare_slo(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Path(name): Path<String>,
    Json(asked): Json<ObjectiveFields>,
) -> Result<Response, Problem> {
    let new = room.objectives.declare(&room.changes, &visitor.name, &name, asked).await?;
    let status = if new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(declared(&room, &name)?)).into_response())
}

/// Withdraws an objective that was declared: its alerts end. 409, if dashboards/slos has it.
#[utoipa::path(delete, path = "/api/v1/slos/{slo}", operation_id = "withdraw_slo",
    params(("slo" = String, Path, description = "Name of the objective")),
    responses(Refusals, (status = 204, description = "It is gone.")))]
pub(crate) async fn withdraw_slo(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    room.objectives.withdraw(&room.changes, &visitor.name, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What Prometheus has recorded of the objectives of the files, by name; nothing if it does not answer.
async fn lines(room: &Room) -> BTreeMap<String, Line> {
    let prometheus = &room.eyes.prometheus;
    let both = async { tokio::try_join!(prometheus.answer(report::QUERY), prometheus.alerts_answer()) };
    let Ok((series, alerts)) = within("Prometheus", both).await else { return BTreeMap::new() };
    let report = Report::new(room.content.slos(), room.config.clock, Utc::now(), &series, &alerts);
    report.slos.into_iter().map(|line| (line.slo.clone(), line)).collect()
}

fn declared(room: &Room, name: &str) -> error::Result<Value> {
    let one = room.objectives.declared(name).ok_or_else(|| room.objectives.unknown(name))?;
    Ok(of_api(room, &one))
}

fn of_file(slo: &Slo, state: Option<&Line>) -> Value {
    json!({
        "slo": {
            "name": slo.name, "title": slo.title, "service": slo.service, "owner": slo.owner,
            "promise": slo.promise, "reason": slo.reason, "description": slo.description,
            "objective": slo.objective, "window": slo.period.nominal(),
        },
        "owner": "file", "by": null, "at": null, "in_force": true, "problem": null, "state": state,
    })
}

fn of_api(room: &Room, one: &Declared) -> Value {
    let mut written = json!(one.fields);
    written["name"] = json!(one.name);
    let measured = room.objectives.measured(&one.name);
    let state = one.live(&room.content, room.config.clock).map(|live| live.line(&measured));
    json!({
        "slo": written, "owner": "api", "by": one.by, "at": one.at, "in_force": one.slo.is_ok(),
        "problem": one.slo.as_ref().err(), "state": state,
    })
}
