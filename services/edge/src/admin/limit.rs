//! `/limit`: one limit for every client on every route, for the hour in which somebody sends too much.

use std::sync::Arc;

use axum::{Json, extract::State};
use chassis_http::{Problem, Query};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    adapters::Limiter,
    domain::{
        bucket::Allowance,
        table::{Client, Limit},
    },
    state::AppState,
};

/// The label `route` of what this limit refuses.
const EVERYWHERE: &str = "all";

/// What one client may send.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    rps: f64,
    burst: Option<u32>,
}

pub(super) async fn show(State(state): State<AppState>) -> Json<Value> {
    let limit = state.inner.limit.load();
    let limit = limit.as_ref().map(|limiter| {
        let Allowance { rps, burst } = limiter.limit().allowance;
        json!({ "rps": rps, "burst": burst })
    });
    Json(json!({ "limit": limit }))
}

pub(super) async fn set(
    State(state): State<AppState>,
    Query(Wanted { rps, burst }): Query<Wanted>,
) -> Result<Json<Value>, Problem> {
    if !(0.01..=1_000_000.0).contains(&rps) {
        return Err(Problem::invalid("rps", "a number from 0.01 to 1000000, as in /limit?rps=20&burst=40"));
    }
    let burst = burst.unwrap_or(1);
    if !(1..=1_000_000).contains(&burst) {
        return Err(Problem::invalid("burst", "a whole number from 1 to 1000000"));
    }
    let limit = Limit { allowance: Allowance { rps, burst }, by: Client::Peer };
    let limiter = Limiter::new(&limit, state.inner.metrics.limited(EVERYWHERE));
    state.inner.limit.store(Some(Arc::new(limiter)));
    tracing::warn!(rps, burst, "every client is limited");
    Ok(show(State(state)).await)
}

pub(super) async fn clear(State(state): State<AppState>) -> Json<Value> {
    state.inner.limit.store(None);
    tracing::warn!("the limit of every client has ended");
    show(State(state)).await
}
