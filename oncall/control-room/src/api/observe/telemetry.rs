//! Metrics, logs, traces.

use axum::extract::State as Shared;
use chassis_http::{Json, Query};

use crate::{
    api::{incidents::Answer, openapi::Reads},
    mcp::{
        caller::Caller,
        tools::{self, LogsAsked, MetricsAsked, TracesAsked},
    },
    room::Room,
};

/// Asks Prometheus: values at an instant, or curves; bounded, with `notes` about what is missing.
#[utoipa::path(
    get,
    path = "/api/v1/observe/metrics",
    operation_id = "observe_metrics",
    params(MetricsAsked),
    responses(Reads)
)]
pub(crate) async fn metrics(
    Shared(room): Shared<Room>,
    caller: Caller,
    Query(asked): Query<MetricsAsked>,
) -> Answer {
    Ok(Json(tools::metrics(&room, &caller, asked).await?.into_value()))
}

/// The newest log lines that match; at least one of service, level, text and trace.
#[utoipa::path(
    get,
    path = "/api/v1/observe/logs",
    operation_id = "observe_logs",
    params(LogsAsked),
    responses(Reads)
)]
pub(crate) async fn logs(
    Shared(room): Shared<Room>,
    caller: Caller,
    Query(asked): Query<LogsAsked>,
) -> Answer {
    Ok(Json(tools::logs(&room, &caller, asked).await?.into_value()))
}

/// Traces of a service, the longest first; or one trace with its spans.
#[utoipa::path(
    get,
    path = "/api/v1/observe/traces",
    operation_id = "observe_traces",
    params(TracesAsked),
    responses(Reads)
)]
pub(crate) async fn traces(
    Shared(room): Shared<Room>,
    caller: Caller,
    Query(asked): Query<TracesAsked>,
) -> Answer {
    Ok(Json(tools::traces(&room, &caller, asked).await?.into_value()))
}
