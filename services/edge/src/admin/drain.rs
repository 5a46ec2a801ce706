//! `/drained`: takes one replica out of the balancing for a while. It finishes what it has, and gets no new requests.

use std::{ops::RangeInclusive, time::Duration};

use axum::{Json, extract::State};
use chassis_http::{Problem, Query, problems::NOT_FOUND};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{adapters::Kept, state::AppState};

/// How long a replica may be drained. What is forgotten comes back by itself.
const TTL: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(1);

/// Which replica, and for how long.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// Host and port, as in the file of the routes.
    endpoint: String,
    ttl: String,
    /// Only say whether it may be.
    #[serde(default)]
    dry_run: bool,
}

/// Which replica is put back; absent: every one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    endpoint: Option<String>,
}

pub(super) async fn show(State(state): State<AppState>) -> Json<Value> {
    drained(&state)
}

pub(super) async fn set(
    State(state): State<AppState>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Value>, Problem> {
    let Wanted { endpoint, ttl, dry_run } = &wanted;
    state.inner.live.drain(endpoint, lasts(ttl)?, *dry_run).map_err(|kept| kept_problem(&kept, endpoint))?;
    if !dry_run {
        tracing::warn!(endpoint, ttl, "a replica is drained");
    }
    Ok(drained(&state))
}

pub(super) async fn clear(
    State(state): State<AppState>,
    Query(Which { endpoint }): Query<Which>,
) -> Json<Value> {
    for (upstream, endpoint) in state.inner.live.undrain(endpoint.as_deref()) {
        tracing::warn!(upstream = &*upstream, endpoint, "a drained replica is back");
    }
    drained(&state)
}

/// What is drained now.
fn drained(state: &AppState) -> Json<Value> {
    let (live, now) = (state.inner.live.load(), state.inner.now());
    let each = live.upstreams().filter_map(|upstream| {
        let (endpoint, left) = upstream.drained(now)?;
        let left = left.as_secs_f64();
        Some(json!({ "upstream": &*upstream.name, "endpoint": endpoint, "seconds_left": left }))
    });
    let each: Vec<Value> = each.collect();
    Json(json!({ "drained": each }))
}

fn kept_problem(kept: &Kept, endpoint: &str) -> Problem {
    match kept {
        Kept::Unknown => {
            Problem::new(&NOT_FOUND, format!("No upstream has a replica `{endpoint}`; see /routes."))
        }
        Kept::Needed(upstream, why) => Problem::invalid(
            "endpoint",
            format!("a replica that {upstream} can do without; of {endpoint}: {why}"),
        ),
    }
}

fn lasts(ttl: &str) -> Result<Duration, Problem> {
    let parsed = humantime::parse_duration(ttl).ok().filter(|ttl| TTL.contains(ttl));
    parsed.ok_or_else(|| Problem::invalid("ttl", "a time from 1s to 1h, such as 10m"))
}
