//! `/waf`: the rules of the firewall, and its kill switch.

use std::{ops::RangeInclusive, sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{State, rejection::StringRejection},
    response::{IntoResponse, Response},
};
use chassis_http::{
    Path, Problem, Query,
    problems::{INVALID_REQUEST, NOT_FOUND},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    adapters::{Change, Firewall, Listed},
    domain::waf::{self, Mode},
    state::AppState,
};

/// Of the kill switch.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Switch {
    enabled: bool,
}

/// Of one rule.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Set {
    mode: Option<String>,
    ttl: Option<String>,
}

/// How long a pushed rule may last, if it ends by itself.
const TTL: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(24);

pub(super) async fn list(State(state): State<AppState>) -> Json<Value> {
    let (firewall, loader) = (&state.inner.firewall, &state.inner.loader);
    let rules: Vec<Value> = firewall.list().iter().map(|listed| brief(firewall, listed)).collect();
    Json(json!({
        "enabled": firewall.is_enabled(),
        "guarded": firewall.is_guarded(),
        "problems": loader.problems(),
        "rules": rules,
    }))
}

pub(super) async fn switch(
    State(state): State<AppState>,
    Query(Switch { enabled }): Query<Switch>,
) -> Result<Json<Value>, Problem> {
    change(&state, Change::Switch(enabled))?;
    tracing::warn!(enabled, "the firewall was switched");
    Ok(list(State(state)).await)
}

pub(super) async fn reset(State(state): State<AppState>) -> Result<Json<Value>, Problem> {
    change(&state, Change::Reset)?;
    tracing::info!("the firewall is as its files say");
    Ok(list(State(state)).await)
}

pub(super) async fn show(
    State(state): State<AppState>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let firewall = &state.inner.firewall;
    let listed = firewall.list().into_iter().find(|listed| listed.rule.id == id);
    let listed = listed.ok_or_else(|| unknown(&id))?;
    let mut whole = brief(firewall, &listed);
    whole["pattern"] = listed.rule.pattern.as_str().into();
    whole["cases"] = listed.rule.cases.len().into();
    whole["failures"] = waf::check(&listed.rule).into();
    Ok(Json(whole))
}

pub(super) async fn set(
    State(state): State<AppState>,
    Path(id): Path<String>,
    Query(Set { mode, ttl }): Query<Set>,
    body: Result<String, StringRejection>,
) -> Result<Response, Problem> {
    let body = body.map_err(|_| Problem::invalid("body", "a text in UTF-8"))?;
    match (mode, body.trim().is_empty(), ttl) {
        (Some(mode), true, None) => change(&state, Change::Mode(id.clone(), parse(&mode)?))?,
        (None, false, ttl) => {
            let (rule, ttl) = (Arc::new(rule(&id, body).await?), ttl.as_deref().map(lasts).transpose()?);
            change(&state, Change::Push(Arc::clone(&rule)))?;
            if let Some(ttl) = ttl {
                state.inner.firewall.expire(&rule, ttl);
            }
        }
        (_, true, Some(_)) => return Err(Problem::invalid("ttl", "a file as the body: a mode does not end")),
        _ => {
            return Err(Problem::invalid(
                "mode",
                "either ?mode=off, simulate or enforce, or a file as the body",
            ));
        }
    }
    tracing::warn!(rule = id, "a rule of the firewall was changed");
    Ok(show(State(state), Path(id)).await.into_response())
}

pub(super) async fn withdraw(
    State(state): State<AppState>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    change(&state, Change::Withdraw(id.clone()))?;
    tracing::warn!(rule = id, "a rule of the firewall is as its file says");
    Ok(list(State(state)).await)
}

fn change(state: &AppState, change: Change) -> Result<(), Problem> {
    state.inner.firewall.change(change).map_err(|wrong| Problem::new(&NOT_FOUND, format!("{wrong}.")))
}

fn unknown(id: &str) -> Problem {
    Problem::new(&NOT_FOUND, format!("There is no rule `{id}`."))
}

fn lasts(ttl: &str) -> Result<Duration, Problem> {
    let parsed = humantime::parse_duration(ttl).ok().filter(|ttl| TTL.contains(ttl));
    parsed.ok_or_else(|| Problem::invalid("ttl", "a time from 1s to 24h, such as 10m"))
}

fn parse(mode: &str) -> Result<Mode, Problem> {
    let found = Mode::WORDS.iter().find(|(word, _)| *word == mode).map(|(_, mode)| *mode);
    found.ok_or_else(|| Problem::invalid("mode", "one of off, simulate, enforce"))
}

/// Reads a rule that is pushed; it has to have the id of the path. Its table may take a second to make, in which requests need
/// this thread.
async fn rule(id: &str, text: String) -> Result<waf::Rule, Problem> {
    let file = format!("{id}.yaml");
    let read = tokio::task::spawn_blocking(move || waf::read(&file, &text)).await;
    let read = read.map_err(|error| Problem::internal().because(&error))?;
    read.map_err(|problems| {
        let problem = Problem::new(&INVALID_REQUEST, "The rule has mistakes.");
        problems.0.iter().fold(problem, |problem, wrong| {
            problem.field(format!("{} (line {})", wrong.field, wrong.line), wrong.message.clone())
        })
    })
}

fn brief(firewall: &Firewall, listed: &Listed) -> Value {
    let Listed { rule, mode, pushed, mode_set, of_file } = listed;
    let targets: Vec<String> = rule.targets.iter().map(ToString::to_string).collect();
    let of_file =
        of_file.as_ref().map(|file| json!({ "fingerprint": file.fingerprint, "mode": file.mode.as_str() }));
    json!({
        "id": rule.id,
        "title": rule.title,
        "mode": mode.as_str(),
        "mode_of_file": rule.mode.as_str(),
        "mode_set": mode_set,
        "pushed": pushed,
        "fingerprint": rule.fingerprint,
        "of_file": of_file,
        "engine": rule.engine.as_str(),
        "targets": targets,
        "cost": rule.cost,
        "counts": firewall.counts(&rule.id),
    })
}
