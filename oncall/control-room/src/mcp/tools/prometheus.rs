//! Queries to Prometheus with a bound on the size of what comes back: a wide one would be all of its memory.

use std::time::Duration;

use observe::innermost;
use serde_json::Value;
use url::{Url, form_urlencoded::Serializer};

use crate::error::{Error, Result};

/// Longest wait.
const PATIENCE: Duration = Duration::from_secs(4);
/// Largest answer in bytes.
const LARGEST: usize = 2 << 20;

/// What Prometheus answers, without its envelope.
///
/// # Errors
/// When it does not answer, refuses the query, or answers too much.
pub(super) async fn ask(base: &Url, path: &str, pairs: &[(&str, &str)]) -> Result<Value> {
    // Without TLS, building the client cannot fail.
    let client = reqwest::Client::builder().timeout(PATIENCE).no_proxy().build().unwrap_or_default();
    let base = base.as_str().trim_end_matches('/');
    let query = Serializer::new(String::new()).extend_pairs(pairs).finish();
    let silent = |error: reqwest::Error| {
        Error::Elsewhere(format!("Prometheus at {base} does not answer: {}", innermost(&error)))
    };
    let mut answer = client.get(format!("{base}{path}?{query}")).send().await.map_err(silent)?;
    let status = answer.status();
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(silent)? {
        if body.len() + piece.len() > LARGEST {
            let expected =
                "a narrower one: its answer is larger than 2 MiB; aggregate, or select fewer series";
            return Err(Error::field("query", expected));
        }
        body.extend_from_slice(&piece);
    }
    let mut said: Value = serde_json::from_slice(&body).unwrap_or_default();
    if status.is_success() && said["status"] == "success" {
        return Ok(said["data"].take());
    }
    let why = said["error"].as_str().unwrap_or("no reason");
    if matches!(status.as_u16(), 400 | 422) {
        return Err(Error::field("query", format!("Prometheus does not run it: {why}")));
    }
    Err(Error::Elsewhere(format!("Prometheus answers {status}: {why}")))
}
