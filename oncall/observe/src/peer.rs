//! A peer that speaks JSON over HTTP: short calls, and problems (RFC 9457) turned into sentences.

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Error, Result, error::one_line};

/// Longest wait for a call.
const PATIENCE: Duration = Duration::from_secs(10);

/// An address and how to call it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Peer {
    client: Client,
    base: String,
    token: Option<String>,
    person: Option<String>,
    role: Option<String>,
    patience: Option<Duration>,
    next: String,
}

impl Peer {
    /// The peer at this base URL.
    #[must_use]
    pub fn at(base: impl Into<String>) -> Self {
        let base = base.into().trim_end_matches('/').to_owned();
        // No proxy for this machine. Without TLS, building the client cannot fail.
        let local =
            ["http://127.", "http://localhost", "http://[::1]"].iter().any(|own| base.starts_with(own));
        let builder = Client::builder().timeout(PATIENCE);
        let builder = if local { builder.no_proxy() } else { builder };
        let next = format!("is it running there? try: curl {base}");
        let client = builder.build().unwrap_or_default();
        Self { client, base, token: None, person: None, role: None, patience: None, next }
    }

    /// With the token that the peer requires.
    #[must_use]
    pub fn token(mut self, token: Option<String>) -> Self {
        self.token = token;
        self
    }

    /// With the name of the person who acts, for a peer that records it.
    #[must_use]
    pub fn person(mut self, person: Option<String>) -> Self {
        self.person = person;
        self
    }

    /// With the role that is asked for, for a peer that tells roles apart.
    #[must_use]
    pub fn role(mut self, role: Option<String>) -> Self {
        self.role = role;
        self
    }

    /// With a different limit on the wait for a call, for slow requests.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = Some(patience);
        self
    }

    /// With a different hint for a peer that cannot be reached.
    #[must_use]
    pub fn next_step(mut self, next: impl Into<String>) -> Self {
        self.next = next.into();
        self
    }

    /// The base URL.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Calls and parses JSON; `null` if the response is empty.
    ///
    /// # Errors
    /// The peer's message, or why it could not be reached.
    pub async fn call(&self, method: Method, path: &str, query: &[(&str, &str)]) -> Result<Value> {
        let url = format!("{}{path}", self.base);
        self.send(self.client.request(method, &url).query(query), url).await
    }

    /// `GET`, and parse JSON.
    ///
    /// # Errors
    /// As [`Peer::call`].
    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value> {
        self.call(Method::GET, path, query).await
    }

    /// `GET`, whatever the format.
    ///
    /// # Errors
    /// As [`Peer::call`].
    pub async fn text(&self, path: &str, query: &[(&str, &str)]) -> Result<String> {
        let url = format!("{}{path}", self.base);
        self.exchange(self.client.get(&url).query(query), &url).await
    }

    /// `POST` JSON.
    ///
    /// # Errors
    /// As [`Peer::call`].
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let url = format!("{}{path}", self.base);
        self.send(self.client.post(&url).json(body), url).await
    }

    /// `PUT` JSON.
    ///
    /// # Errors
    /// As [`Peer::call`].
    pub async fn put(&self, path: &str, query: &[(&str, &str)], body: &Value) -> Result<Value> {
        let url = format!("{}{path}", self.base);
        self.send(self.client.put(&url).query(query).json(body), url).await
    }

    /// `PUT` a text.
    ///
    /// # Errors
    /// As [`Peer::call`].
    pub async fn put_text(&self, path: &str, text: String) -> Result<Value> {
        let url = format!("{}{path}", self.base);
        let request = self.client.put(&url).header("content-type", "text/plain; charset=utf-8");
        self.send(request.body(text), url).await
    }

    /// `POST` lines of JSON.
    ///
    /// # Errors
    /// As [`Peer::call`].
    pub async fn post_lines(&self, path: &str, query: &[(&str, &str)], lines: String) -> Result<Value> {
        let url = format!("{}{path}", self.base);
        let request = self.client.post(&url).query(query).body(lines);
        self.send(request.header("content-type", "application/x-ndjson"), url).await
    }

    /// Converts a response to its expected type.
    ///
    /// # Errors
    /// When it has another format.
    pub(crate) fn read<T: DeserializeOwned>(&self, path: &str, value: Value) -> Result<T> {
        serde_json::from_value(value).map_err(|error| self.odd(format!("{}{path}", self.base), &error))
    }

    fn odd(&self, url: String, what: &dyn std::fmt::Display) -> Error {
        Error::Odd { url, what: one_line(&what.to_string()), next: self.next.clone() }
    }

    async fn send(&self, request: RequestBuilder, url: String) -> Result<Value> {
        let body = self.exchange(request, &url).await?;
        if body.trim().is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&body).map_err(|error| self.odd(url, &error))
    }

    /// The body of a response that is no refusal.
    async fn exchange(&self, request: RequestBuilder, url: &str) -> Result<String> {
        let request = if let Some(token) = &self.token { request.bearer_auth(token) } else { request };
        let request =
            if let Some(person) = &self.person { request.header("x-person", person) } else { request };
        let request = if let Some(role) = &self.role { request.header("x-role", role) } else { request };
        let request = if let Some(patience) = self.patience { request.timeout(patience) } else { request };
        let unreachable = |error: reqwest::Error| Error::Unreachable {
            url: url.to_owned(),
            cause: innermost(&error),
            next: self.next.clone(),
        };
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let body = response.text().await.map_err(unreachable)?;
        if status.is_success() { Ok(body) } else { Err(refused(url.to_owned(), status.as_u16(), &body)) }
    }
}

/// The message of a problem document, with its messages about fields; that of Prometheus; that of Jaeger, which is a
/// list; or that of OpenSearch, which is an object.
fn refused(url: String, status: u16, body: &str) -> Error {
    let problem: Value = serde_json::from_str(body).unwrap_or_default();
    let sentence = problem["errors"][0]["msg"].as_str().or_else(|| problem["error"]["reason"].as_str());
    let sentence =
        ["detail", "title", "error"].iter().fold(sentence, |found, name| found.or(problem[name].as_str()));
    let fields = problem["errors"].as_object().into_iter().flatten().map(|(name, expected)| {
        let expected = expected.as_str().map_or_else(|| expected.to_string(), str::to_owned);
        (one_line(name), one_line(&expected))
    });
    Error::Refused { url, status, said: one_line(sentence.unwrap_or(body)), fields: fields.collect() }
}

/// The innermost cause of a failed call: the outer ones repeat the address.
#[must_use]
pub fn innermost(error: &reqwest::Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_becomes_a_sentence_and_a_line_per_field() {
        let body = r#"{"title":"Bad","detail":"no such\nfault","errors":{"rate":"0 to 1"}}"#;
        let error = refused("http://x/faults".to_owned(), 400, body);
        assert_eq!(error.to_string(), "no such\\nfault (http://x/faults: 400)\n  rate: 0 to 1");
        let jaeger = refused("http://x".to_owned(), 404, r#"{"errors":[{"msg":"trace not found"}]}"#);
        assert_eq!(jaeger.to_string(), "trace not found (http://x: 404)");
        let opensearch = refused(
            "http://x".to_owned(),
            400,
            r#"{"error":{"type":"y","reason":"no such index"},"status":400}"#,
        );
        assert_eq!(opensearch.to_string(), "no such index (http://x: 400)");
        assert_eq!(refused("http://x".to_owned(), 502, "gone\n").to_string(), "gone (http://x: 502)");
    }

    #[tokio::test]
    async fn nobody_there_names_the_address_and_the_next_step() {
        // Only root can listen there.
        let port = 1;
        let peer = Peer::at(format!("http://127.0.0.1:{port}/")).next_step("see `lab status`");
        let error = peer.get("/api", &[]).await.unwrap_err().to_string();
        assert!(error.starts_with(&format!("http://127.0.0.1:{port}/api: ")), "{error}");
        assert!(error.ends_with("; see `lab status`"), "{error}");
    }
}
