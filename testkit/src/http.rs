//! A small HTTP client for tests: one base address, whole responses, assertions that print the body.

use std::{net::SocketAddr, time::Duration};

use http::{HeaderMap, Method};
use serde_json::Value;

/// A client for one address. Every request has a deadline of 30 seconds, so that a hang is a failure.
#[derive(Clone)]
pub struct Http {
    base: String,
    client: reqwest::Client,
}

/// A response, read to its end.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// Body as text.
    pub body: String,
}

impl Http {
    /// A client for `addr`.
    #[must_use]
    pub fn to(addr: SocketAddr) -> Self {
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(30))
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a client");
        Self { base: format!("http://{addr}"), client }
    }

    /// Sends a request; `Err` if there was no whole response (reset, refused, too late).
    ///
    /// # Errors
    /// The error of reqwest.
    pub async fn try_send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<reqwest::Body>,
    ) -> Result<Answer, reqwest::Error> {
        let mut request = self.client.request(method, format!("{}{path}", self.base)).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Answer { status, headers, body: String::from_utf8_lossy(&response.bytes().await?).into_owned() })
    }

    /// Like [`Http::try_send`], if there must be a response.
    pub async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: String) -> Answer {
        self.try_send(method, path, headers, body).await.expect("an answer")
    }

    /// `GET`.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], String::new()).await
    }

    /// `POST` of a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.json(Method::POST, path, body).await
    }

    /// `PATCH` of a JSON body.
    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.json(Method::PATCH, path, body).await
    }

    /// `PUT` without a body, as the admin port expects.
    pub async fn put(&self, path: &str) -> Answer {
        self.send(Method::PUT, path, &[], String::new()).await
    }

    /// `DELETE`.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, &[], String::new()).await
    }

    async fn json(&self, method: Method, path: &str, body: &Value) -> Answer {
        self.send(method, path, &[("content-type", "application/json")], body.to_string()).await
    }
}

impl Answer {
    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// A header's value; empty when absent.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Asserts the status; shows the body if it differs.
    #[track_caller]
    pub fn expect_status(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    /// Asserts a problem document of type `slug` with `status` and a trace id field, and returns it.
    #[track_caller]
    pub fn expect_problem(&self, status: u16, slug: &str) -> Value {
        self.expect_status(status);
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let problem = self.json();
        let kind = problem["type"].as_str().unwrap_or_default();
        assert!(kind.ends_with(&format!("#{slug}")), "type {kind} is not {slug}: {}", self.body);
        assert_eq!(problem["status"], status, "{}", self.body);
        problem
    }

    /// Asserts a 400 `invalid-request` problem that names `field`.
    #[track_caller]
    pub fn expect_invalid(&self, field: &str) -> Value {
        let problem = self.expect_problem(400, "invalid-request");
        let named = problem["errors"].as_object().is_some_and(|errors| errors.contains_key(field));
        assert!(named, "no `{field}` in the errors: {}", self.body);
        problem
    }
}
