//! What is going on now, and what incidents have taught: services, alerts, budgets, measures, action items.

use axum::extract::State as Shared;
use chassis_http::Json;
use chrono::Utc;
use incident::{Id, Measures, measures::Overview};
use serde_json::{Value, json};

use super::{incidents::Answer, openapi::Reads, view};
use crate::{access::Visitor, papers, room::Room};

/// Chooses the samples of the intervals: the same measures have the same intervals.
const SAMPLES: u64 = 1;

/// Services in request-path order, alerts, budgets, what answers, open incidents, who is on call.
#[utoipa::path(get, path = "/api/v1/status", operation_id = "status", responses(Reads))]
pub(crate) async fn status(Shared(room): Shared<Room>, _visitor: Visitor) -> Answer {
    let seen = room.watch.seen();
    let incidents: Vec<Value> = room.desk.open_ones().iter().map(|one| view::summary(one)).collect();
    // Field by field: what an instructor sees is never here by accident.
    Ok(Json(json!({
        "at": seen.at,
        "prometheus": seen.prometheus,
        "alertmanager": seen.alertmanager,
        "services": seen.services,
        "alerts": seen.alerts,
        "budgets": seen.budgets,
        "watchdog_silent": seen.watchdog_silent,
        "protections_off": seen.protections_off,
        "incidents": incidents,
        "on_call": room.duty.now(Utc::now()),
        "notifications_failing": room.notify.failing().await?,
    })))
}

/// How long it took until incidents were noticed, taken over, mitigated and over: each, and summaries by the start of the clock.
#[utoipa::path(get, path = "/api/v1/measures", operation_id = "measures", responses(Reads))]
pub(crate) async fn measures(Shared(room): Shared<Room>, visitor: Visitor) -> Answer {
    let all = room.desk.measures(visitor.role);
    let by_start = Overview::by_start(all.iter().map(|(_, one)| *one), SAMPLES);
    let overviews: Vec<Value> = by_start
        .iter()
        .map(|(start, overview)| json!({ "start": start, "from": start.describe(), "overview": overview }))
        .collect();
    let incidents: Vec<Value> = all.iter().map(of_incident).collect();
    Ok(Json(json!({ "incidents": incidents, "overviews": overviews })))
}

fn of_incident((id, measures): &(Id, Measures)) -> Value {
    json!({ "incident": id, "measures": measures })
}

/// Follow-ups of incidents that are not done, overdue ones first.
#[utoipa::path(get, path = "/api/v1/action-items", operation_id = "action_items", responses(Reads))]
pub(crate) async fn action_items(Shared(room): Shared<Room>, _visitor: Visitor) -> Answer {
    let now = Utc::now();
    let today = now.date_naive();
    let items = papers::action_items(&room.desk, now).into_iter().map(|(id, task)| {
        let overdue = task.due.is_some_and(|due| due < today);
        json!({ "incident": id, "task": task, "overdue": overdue })
    });
    Ok(Json(json!({ "action_items": items.collect::<Vec<Value>>() })))
}
