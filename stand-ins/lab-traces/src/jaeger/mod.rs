//! Jaeger's HTTP query API, as its UI (2.14) and Grafana's data source use it. Jaeger does not call it stable, but all
//! tools use it: <https://www.jaegertracing.io/docs/latest/apis/#http-json>.
//!
//! * `GET /api/services`, `/api/services/{service}/operations`, `/api/operations?service=&spanKind=`
//! * `GET /api/traces?service=&operation=&tags=&minDuration=&maxDuration=&start=&end=&lookback=&limit=&traceID=`
//! * `GET /api/traces/{id}`
//! * `GET /api/dependencies?endTs=&lookback=`

mod dependencies;
mod duration;
mod model;
mod query;
mod tags;

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{
    Json, Router,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Serialize;

use crate::store::{Kind, Store, Trace, TraceId};
use query::{Params, TraceQuery};

type Pairs = Result<Query<Vec<(String, String)>>, QueryRejection>;

/// The routes.
pub fn router(store: Arc<Store>) -> Router {
    Router::new()
        .route("/api/services", get(services))
        .route("/api/services/{service}/operations", get(operations_of))
        .route("/api/operations", get(operations))
        .route("/api/traces", get(search))
        .route("/api/traces/{id}", get(trace))
        .route("/api/dependencies", get(service_graph))
        .route("/api/{*rest}", get(|| async { refuse(StatusCode::NOT_FOUND, "this store has no such API") }))
        .with_state(store)
}

/// The envelope of every response.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<T> {
    data: T,
    total: usize,
    limit: usize,
    offset: usize,
    errors: Option<Vec<ApiError>>,
}

#[derive(Serialize)]
struct ApiError {
    code: u16,
    msg: String,
}

fn answer<T: Serialize>(data: Vec<T>) -> Response {
    let total = data.len();
    Json(Envelope { data, total, limit: 0, offset: 0, errors: None }).into_response()
}

fn refuse(status: StatusCode, message: impl Into<String>) -> Response {
    let errors = Some(vec![ApiError { code: status.as_u16(), msg: message.into() }]);
    (status, Json(Envelope { data: (), total: 0, limit: 0, offset: 0, errors })).into_response()
}

/// Runs work that reads many traces away from the threads that receive spans.
async fn off_thread(work: impl FnOnce() -> Response + Send + 'static) -> Response {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|_| refuse(StatusCode::INTERNAL_SERVER_ERROR, "the query failed"))
}

fn now_nanos() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_nanos()).unwrap_or(u64::MAX)
}

async fn services(State(store): State<Arc<Store>>) -> Response {
    off_thread(move || {
        let traces = store.snapshot();
        let names: BTreeSet<&str> = spans(&traces).map(|span| &*span.source.service).collect();
        answer(names.into_iter().collect())
    })
    .await
}

fn spans(traces: &[Arc<Trace>]) -> impl Iterator<Item = &crate::store::StoredSpan> {
    traces.iter().flat_map(|trace| trace.spans())
}

/// Operations of a service with the kinds of their spans.
fn named_kinds<'a>(traces: &'a [Arc<Trace>], service: &str) -> BTreeSet<(&'a str, &'static str)> {
    spans(traces)
        .filter(|span| &*span.source.service == service)
        .map(|span| (&*span.name, span.kind.as_str()))
        .collect()
}

async fn operations_of(State(store): State<Arc<Store>>, Path(service): Path<String>) -> Response {
    off_thread(move || {
        let traces = store.snapshot();
        let names: BTreeSet<&str> =
            named_kinds(&traces, &service).into_iter().map(|(name, _)| name).collect();
        answer(names.into_iter().collect())
    })
    .await
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Operation<'a> {
    name: &'a str,
    span_kind: &'a str,
}

async fn operations(State(store): State<Arc<Store>>, pairs: Pairs) -> Response {
    let params = match Params::read(pairs, &["service", "spanKind"]) {
        Ok(params) => params,
        Err(message) => return refuse(StatusCode::BAD_REQUEST, message),
    };
    let Some(service) = params.first("service").map(str::to_owned) else {
        return refuse(StatusCode::BAD_REQUEST, "parameter 'service' is required");
    };
    let kind = params.first("spanKind").map(str::to_owned);
    if let Some(kind) = kind.as_deref().filter(|kind| !Kind::NAMES.contains(kind)) {
        let message = format!("spanKind `{kind}` is not one of {}", Kind::NAMES.join(", "));
        return refuse(StatusCode::BAD_REQUEST, message);
    }
    off_thread(move || {
        let traces = store.snapshot();
        let all = named_kinds(&traces, &service).into_iter();
        let wanted = all.filter(|(_, has)| kind.as_deref().is_none_or(|wanted| wanted == *has));
        answer(wanted.map(|(name, span_kind)| Operation { name, span_kind }).collect())
    })
    .await
}

async fn search(State(store): State<Arc<Store>>, pairs: Pairs) -> Response {
    let query =
        Params::read(pairs, query::SEARCH_PARAMETERS).and_then(|p| TraceQuery::parse(&p, now_nanos()));
    match query {
        Ok(query) => off_thread(move || answer(rendered(&query.run(&store)))).await,
        Err(message) => refuse(StatusCode::BAD_REQUEST, message),
    }
}

fn rendered(traces: &[Arc<Trace>]) -> Vec<model::TraceJson> {
    traces.iter().map(|trace| model::TraceJson::of(trace)).collect()
}

async fn trace(State(store): State<Arc<Store>>, Path(text): Path<String>) -> Response {
    let Some(id) = trace_id(&text) else {
        let message = format!("`{text}` is not a trace id of up to 32 hexadecimal digits");
        return refuse(StatusCode::BAD_REQUEST, message);
    };
    match store.get(id) {
        Some(trace) => answer(rendered(&[trace])),
        None => refuse(StatusCode::NOT_FOUND, "trace not found: never received, or dropped for newer ones"),
    }
}

/// A trace id in hexadecimal; leading zeroes may be missing, as in Jaeger's output.
fn trace_id(text: &str) -> Option<TraceId> {
    let digits = text.len() <= 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let id = digits.then(|| u128::from_str_radix(text, 16).ok()).flatten()?;
    (id != 0).then(|| id.to_be_bytes())
}

async fn service_graph(State(store): State<Arc<Store>>, pairs: Pairs) -> Response {
    let window = Params::read(pairs, &["endTs", "lookback"])
        .and_then(|params| dependencies::Window::parse(&params, now_nanos()));
    match window {
        Ok(window) => off_thread(move || answer(dependencies::between(&store.snapshot(), &window))).await,
        Err(message) => refuse(StatusCode::BAD_REQUEST, message),
    }
}
