//! `/routes` and `/reload`: what the files say, the weights that are set in their place, and how the replicas are.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use chassis_http::{
    Path, Problem, Query,
    problems::{INVALID_REQUEST, NOT_FOUND},
};
use http::Method;
use serde_json::{Value, json};

use crate::{
    adapters::{Live, Unset},
    domain::table::{Client, Route},
    state::AppState,
};

pub(super) async fn show(State(state): State<AppState>) -> Json<Value> {
    let (live, now) = (state.inner.live.load(), state.inner.now());
    let upstreams = live.upstreams().map(|upstream| {
        let drained = upstream.drained(now).map(|(endpoint, _)| endpoint);
        let replicas = upstream.replicas(now).into_iter().map(|(endpoint, out)| {
            let drained = drained.as_deref() == Some(endpoint.as_str());
            json!({ "endpoint": endpoint, "out": out, "drained": drained })
        });
        let replicas: Vec<Value> = replicas.collect();
        json!({ "name": &*upstream.name, "replicas": replicas })
    });
    let upstreams: Vec<Value> = upstreams.collect();
    let routes: Vec<Value> = live.table().routes.iter().map(|route| shown(route, &live)).collect();
    Json(json!({ "problems": state.inner.loader.problems(), "upstreams": upstreams, "routes": routes }))
}

fn shown(route: &Route, live: &Live) -> Value {
    let to = route.to.iter().map(|(upstream, weight)| json!({ "upstream": upstream, "weight": weight }));
    let to: Vec<Value> = to.collect();
    let methods: Vec<&str> = route.methods.iter().map(Method::as_str).collect();
    let limit = route.limit.as_ref().map(|limit| {
        let by = match &limit.by {
            Client::Peer => "peer".to_owned(),
            Client::Header(name) => format!("header:{name}"),
        };
        json!({ "rps": limit.allowance.rps, "burst": limit.allowance.burst, "by": by })
    });
    json!({
        "name": route.name,
        "prefix": route.prefix,
        "methods": methods,
        "to": to,
        "weights_set": live.reweighted().any(|name| name == route.name),
        "canary_header": route.canary_header.as_ref().map(http::HeaderName::as_str),
        "timeout_seconds": route.timeout.as_secs_f64(),
        "retries": route.retries,
        "limit": limit,
    })
}

pub(super) async fn weigh(
    State(state): State<AppState>,
    Path(name): Path<String>,
    Query(weights): Query<BTreeMap<String, u32>>,
) -> Result<Json<Value>, Problem> {
    state.inner.live.weigh(&name, Some(&weights)).map_err(|unset| unset_problem(unset, &name))?;
    tracing::warn!(route = name, ?weights, "the weights of a route were set");
    Ok(show(State(state)).await)
}

pub(super) async fn unweigh(
    State(state): State<AppState>,
    Path(name): Path<String>,
) -> Result<Json<Value>, Problem> {
    state.inner.live.weigh(&name, None).map_err(|unset| unset_problem(unset, &name))?;
    tracing::warn!(route = name, "the weights of a route are as its file says");
    Ok(show(State(state)).await)
}

fn unset_problem(unset: Unset, name: &str) -> Problem {
    match unset {
        Unset::Unknown => Problem::new(&NOT_FOUND, format!("There is no route `{name}`.")),
        Unset::Wrong(expected) => Problem::invalid("weights", expected),
    }
}

pub(super) async fn reload(State(state): State<AppState>) -> Result<Json<Value>, Problem> {
    let loader = std::sync::Arc::clone(&state.inner.loader);
    let loaded = tokio::task::spawn_blocking(move || loader.load()).await;
    let problems = match loaded {
        Ok(Ok(())) => return Ok(show(State(state)).await),
        Ok(Err(problems)) => problems,
        Err(_) => vec!["the files could not be read".to_owned()],
    };
    let problem = Problem::new(&INVALID_REQUEST, "The files have mistakes; those before stay in force.");
    let numbered = problems.into_iter().enumerate();
    Err(numbered.fold(problem, |problem, (number, wrong)| problem.field((number + 1).to_string(), wrong)))
}
