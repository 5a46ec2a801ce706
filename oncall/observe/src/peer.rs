//! How the command talks to the services: short HTTP calls to the loopback, problems turned into sentences.

use std::{sync::LazyLock, time::Duration};

use anyhow::{Context, Result, bail};
use reqwest::{Client, Method, Response};
use serde_json::Value;

use crate::terminal::visible;

/// A call may take this long: the peers are on this machine.
const PATIENCE: Duration = Duration::from_secs(10);

/// Without proxies: everything is on the loopback. Without TLS there is nothing in the builder that could fail.
static CLIENT: LazyLock<Client> =
    LazyLock::new(|| Client::builder().no_proxy().timeout(PATIENCE).build().unwrap_or_default());

/// Asks a readiness address.
///
/// # Errors
/// Why it is not ready, in words.
pub(crate) async fn ready(url: &str) -> Result<(), String> {
    let response = CLIENT.get(url).send().await.map_err(|error| cause(&error))?;
    if response.status().is_success() {
        return Ok(());
    }
    let status = response.status();
    let body = response.text().await.unwrap_or_default();
    Err(reasons(&body).unwrap_or_else(|| format!("{status}")))
}

/// Calls and reads JSON; a problem (RFC 9457) becomes the error.
///
/// # Errors
/// What the peer said, or why it could not be reached.
pub(crate) async fn call(
    method: Method,
    url: &str,
    query: &[(String, String)],
    token: Option<&str>,
) -> Result<Value> {
    let request = CLIENT.request(method, url).query(query);
    let request = if let Some(token) = token { request.bearer_auth(token) } else { request };
    let answer = request.send().await;
    let response = answer.map_err(|error| anyhow::anyhow!("{url}: {}", cause(&error)))?;
    read(response).await
}

/// `GET` and read JSON.
///
/// # Errors
/// As [`call`].
pub(crate) async fn get(url: &str) -> Result<Value> {
    call(Method::GET, url, &[], None).await
}

/// `POST` JSON; the answer does not matter.
///
/// # Errors
/// As [`call`].
pub(crate) async fn post(url: &str, body: &Value) -> Result<()> {
    let request = CLIENT.post(url).header("content-type", "application/json").body(body.to_string());
    let response = request.send().await.map_err(|error| anyhow::anyhow!("{url}: {}", cause(&error)))?;
    let status = response.status();
    if !status.is_success() {
        bail!("{url}: {status}");
    }
    Ok(())
}

async fn read(response: Response) -> Result<Value> {
    let (status, url) = (response.status(), response.url().clone());
    let body = response.text().await.with_context(|| format!("{url}: the answer broke off"))?;
    if status.is_success() {
        if body.is_empty() {
            return Ok(Value::Null);
        }
        return serde_json::from_str(&body).with_context(|| format!("{url}: the answer is not JSON"));
    }
    bail!("{}", problem(&body).unwrap_or_else(|| format!("{url}: {status} {}", visible(body.trim()))))
}

/// The sentence of a problem document, with what it says about single fields; or that of Jaeger, which has a list of them.
fn problem(body: &str) -> Option<String> {
    let problem: Value = serde_json::from_str(body).ok()?;
    if let Some(sentence) = problem["errors"][0]["msg"].as_str() {
        return Some(visible(sentence));
    }
    let mut text = problem.get("detail").or_else(|| problem.get("title"))?.as_str().map(visible)?;
    for (field, expected) in problem.get("errors").and_then(Value::as_object).into_iter().flatten() {
        let expected = expected.as_str().map_or_else(|| expected.to_string(), str::to_owned);
        // An answer repeats what somebody sent: it begins no line of its own.
        text.push_str(&format!("\n  {}: {}", visible(field), visible(&expected)));
    }
    Some(text)
}

/// What a `/readyz` that is not 200 says: the named reasons of a problem, or plain text.
fn reasons(body: &str) -> Option<String> {
    let named = serde_json::from_str::<Value>(body).ok().and_then(|problem| {
        let errors = problem.get("errors")?.as_object()?;
        let reasons =
            errors.iter().map(|(name, why)| format!("{name}: {}", why.as_str().unwrap_or_default()));
        Some(reasons.collect::<Vec<_>>().join("; ")).filter(|reasons| !reasons.is_empty())
    });
    let plain = || body.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned);
    named.or_else(|| problem(body)).or_else(plain)
}

/// The innermost reason of a failed call: the outer ones repeat the address.
fn cause(error: &reqwest::Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}
