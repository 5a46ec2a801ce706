//! `/protections`: the protection switches.
//!
//! * `GET /protections[/{name}]` -- which are in force.
//! * `PUT /protections/{name}?enabled=false[&ttl=5m]` -- off, permanently or for a time; `enabled=true` is on.
//! * `DELETE /protections/{name}` -- back on; `DELETE /protections` -- all of them.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{RawQuery, State},
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
    routing::get,
};
use http::StatusCode;
use serde_json::{Value, json};

use super::guard::{guard, not_allowed, not_found};
use chassis_faults::FaultsConfig;
use chassis_faults::protection::{Protection, Protections};
use chassis_http::{Path, Problem};
use chassis_telemetry::Chassis;

/// Longest time that a protection stays off by itself.
const MAX_TTL: Duration = Duration::from_secs(3600);

/// The routes under `/protections`.
pub(super) fn router(chassis: &Chassis, config: &FaultsConfig) -> Router {
    Router::new()
        .route("/protections", get(list).delete(reset).fallback(|| async { not_allowed("GET, DELETE") }))
        .route(
            "/protections/{name}",
            get(show).put(set).delete(clear).fallback(|| async { not_allowed("GET, PUT, DELETE") }),
        )
        .route_layer(from_fn_with_state(Arc::new(config.clone()), guard))
        .with_state(chassis.protections.clone())
}

async fn list(State(switches): State<Protections>) -> Response {
    let all: Vec<Value> = Protection::ALL.into_iter().map(|one| report(&switches, one)).collect();
    Json(json!({ "protections": all })).into_response()
}

async fn show(State(switches): State<Protections>, Path(name): Path<String>) -> Result<Response, Problem> {
    Ok(Json(report(&switches, find(&name)?)).into_response())
}

async fn set(
    State(switches): State<Protections>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let protection = find(&name)?;
    match Change::parse(query.as_deref().unwrap_or_default())? {
        Change::On => switches.set(protection, true),
        Change::Off(None) => switches.set(protection, false),
        Change::Off(Some(time)) => switches.off_for(protection, time),
    }
    show(State(switches), Path(name)).await
}

async fn clear(State(switches): State<Protections>, Path(name): Path<String>) -> Result<Response, Problem> {
    switches.set(find(&name)?, true);
    show(State(switches), Path(name)).await
}

async fn reset(State(switches): State<Protections>) -> StatusCode {
    Protection::ALL.into_iter().for_each(|protection| switches.set(protection, true));
    StatusCode::NO_CONTENT
}

fn find(name: &str) -> Result<Protection, Problem> {
    name.parse().map_err(|error: chassis_faults::protection::UnknownProtection| not_found(error.to_string()))
}

fn report(switches: &Protections, protection: Protection) -> Value {
    json!({
        "name": protection.name(),
        "summary": protection.summary(),
        "enabled": switches.on(protection),
        "seconds_left": switches.off_left(protection).map(|left| left.as_secs_f64()),
    })
}

/// The request of a PUT.
#[derive(Debug, PartialEq, Eq)]
enum Change {
    On,
    Off(Option<Duration>),
}

impl Change {
    fn parse(query: &str) -> Result<Self, Problem> {
        let (mut enabled, mut ttl) = (None, None);
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let twice = match name.as_ref() {
                "enabled" => enabled.replace(parse_switch(&value)?).is_some(),
                "ttl" => ttl.replace(parse_ttl(&value)?).is_some(),
                _ => return Err(Problem::invalid(name, "unknown parameter; there are: enabled, ttl")),
            };
            if twice {
                return Err(Problem::invalid(name, "was given twice; give it once"));
            }
        }
        match (enabled, ttl) {
            (None, _) => Err(Problem::invalid("enabled", "is missing: true or false")),
            (Some(true), Some(_)) => Err(Problem::invalid("ttl", "goes with enabled=false only")),
            (Some(true), None) => Ok(Self::On),
            (Some(false), ttl) => Ok(Self::Off(ttl)),
        }
    }
}

fn parse_switch(value: &str) -> Result<bool, Problem> {
    value.parse().map_err(|_| Problem::invalid("enabled", "true or false"))
}

fn parse_ttl(value: &str) -> Result<Duration, Problem> {
    let allowed = Duration::from_millis(10)..=MAX_TTL;
    humantime::parse_duration(value)
        .ok()
        .filter(|ttl| allowed.contains(ttl))
        .ok_or_else(|| Problem::invalid("ttl", "a duration such as 30s or 5m, from 10ms to 1h"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_has_a_state_and_a_duration() {
        assert_eq!(Change::parse("enabled=true").unwrap(), Change::On);
        assert_eq!(Change::parse("enabled=false").unwrap(), Change::Off(None));
        assert_eq!(
            Change::parse("ttl=5m&enabled=false").unwrap(),
            Change::Off(Some(Duration::from_secs(300)))
        );
    }

    #[test]
    fn a_wrong_change_names_its_parameter() {
        for (query, field) in [
            ("", "enabled"),
            ("enabled=maybe", "enabled"),
            ("enabled=false&enabled=true", "enabled"),
            ("enabled=true&ttl=5m", "ttl"),
            ("enabled=false&ttl=2h", "ttl"),
            ("enabled=false&ttl=0s", "ttl"),
            ("enabled=false&tl=5m", "tl"),
        ] {
            let problem = Change::parse(query).expect_err(query);
            assert!(problem.errors.contains_key(field), "{query}: {:?}", problem.errors);
        }
    }
}
