//! `/drained`: takes one replica out of the balancing for a while. It finishes what it has, and gets no new requests.

use std::{ops::RangeInclusive, sync::Arc, time::Duration};

use axum::{Json, extract::State};
use chassis_http::{Problem, Query, problems::NOT_FOUND};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    adapters::{Live, Upstream},
    state::AppState,
};

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
    drain(&state, &wanted)?;
    Ok(drained(&state))
}

pub(super) async fn clear(
    State(state): State<AppState>,
    Query(Which { endpoint }): Query<Which>,
) -> Json<Value> {
    let (live, now) = (state.inner.live.load_full(), state.inner.now());
    for upstream in live.upstreams() {
        let Some((drained, _)) = upstream.drained(now) else { continue };
        if endpoint.as_ref().is_some_and(|wanted| *wanted != drained) {
            continue;
        }
        if upstream.at(&drained).is_some_and(|index| upstream.undrain(index, now)) {
            tracing::warn!(upstream = &*upstream.name, endpoint = drained, "a drained replica is back");
        }
    }
    self::drained(&state)
}

/// What is drained now.
fn drained(state: &AppState) -> Json<Value> {
    let (live, now) = (state.inner.live.load_full(), state.inner.now());
    let each = live.upstreams().filter_map(|upstream| {
        let (endpoint, left) = upstream.drained(now)?;
        let left = left.as_secs_f64();
        Some(json!({ "upstream": &*upstream.name, "endpoint": endpoint, "seconds_left": left }))
    });
    let each: Vec<Value> = each.collect();
    Json(json!({ "drained": each }))
}

/// Drains a replica in every upstream that has it, or says why that may not be.
fn drain(state: &AppState, wanted: &Wanted) -> Result<(), Problem> {
    let ttl = lasts(&wanted.ttl)?;
    let (live, now) = (state.inner.live.load_full(), state.inner.now());
    let having = having(&live, &wanted.endpoint)?;
    // First all of them without doing it: one that refuses keeps the others as they are.
    for dry in [true, wanted.dry_run] {
        for (upstream, index) in &having {
            upstream.drain(*index, ttl, now, dry).map_err(|refused| {
                let expected = format!(
                    "a replica that {} can do without; of {}: {refused}",
                    upstream.name, wanted.endpoint
                );
                Problem::invalid("endpoint", expected)
            })?;
        }
    }
    if !wanted.dry_run {
        tracing::warn!(endpoint = wanted.endpoint, ttl = wanted.ttl, "a replica is drained");
    }
    Ok(())
}

/// The upstreams that have a replica, and its place in each.
fn having<'l>(live: &'l Live, endpoint: &str) -> Result<Vec<(&'l Arc<Upstream>, usize)>, Problem> {
    let having: Vec<_> =
        live.upstreams().filter_map(|upstream| Some((upstream, upstream.at(endpoint)?))).collect();
    if having.is_empty() {
        return Err(Problem::new(
            &NOT_FOUND,
            format!("No upstream has a replica `{endpoint}`; see /routes."),
        ));
    }
    Ok(having)
}

fn lasts(ttl: &str) -> Result<Duration, Problem> {
    let parsed = humantime::parse_duration(ttl).ok().filter(|ttl| TTL.contains(ttl));
    parsed.ok_or_else(|| Problem::invalid("ttl", "a time from 1s to 1h, such as 10m"))
}
