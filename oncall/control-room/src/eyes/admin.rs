//! Admin ports of the services: readiness, active faults, protections. One client for all, which keeps its connections:
//! they are asked every second.

use std::sync::Arc;

use observe::innermost;
use reqwest::Client;
use serde_json::Value;
use switchboard::{FaultPoint, Protection};
use url::Url;

use super::PATIENCE;
use crate::config::Instance;

/// The client of one admin port.
#[derive(Clone)]
pub struct Admin {
    /// Whose port it is.
    pub instance: Instance,
    client: Client,
    token: Option<Arc<str>>,
}

/// Whether an instance is ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// It takes requests.
    Ready,
    /// It runs and takes none; why.
    NotReady(String),
    /// It does not answer; why.
    Gone(String),
}

impl Admin {
    pub(super) fn all(instances: &[Instance], token: Option<&str>) -> Arc<[Self]> {
        // Without TLS, building the client cannot fail.
        let client = Client::builder().timeout(PATIENCE).no_proxy().build().unwrap_or_default();
        let token: Option<Arc<str>> = token.map(Into::into);
        let admin = |instance: &Instance| Self {
            instance: instance.clone(),
            client: client.clone(),
            token: token.clone(),
        };
        instances.iter().map(admin).collect()
    }

    /// Host and port, as Prometheus writes them in the label `instance` if it scrapes this address.
    #[must_use]
    pub fn address(&self) -> String {
        let address = |url: Url| Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?));
        Url::parse(&self.instance.admin).ok().and_then(address).unwrap_or_default()
    }

    /// Whether it is ready.
    pub async fn readiness(&self) -> Readiness {
        match self.get("/readyz").await {
            Ok((200..=299, _)) => Readiness::Ready,
            Ok((status, body)) => Readiness::NotReady(reason(status, &body)),
            Err(error) => Readiness::Gone(innermost(&error)),
        }
    }

    /// The faults that somebody switched on; nothing if it has no fault switch or does not answer. Without what
    /// fails by design from the start.
    pub async fn faults(&self) -> Vec<FaultPoint> {
        let mut points: Vec<FaultPoint> = self.list("faults").await;
        let switched_on = |point: &FaultPoint| {
            point.active.as_ref().is_some_and(|plan| plan.rest.get("baseline") != Some(&Value::Bool(true)))
        };
        points.retain(switched_on);
        points
    }

    /// The protections that are switched off.
    pub async fn unprotected(&self) -> Vec<Protection> {
        let mut all: Vec<Protection> = self.list("protections").await;
        all.retain(|protection| !protection.enabled);
        all
    }

    async fn list<T: serde::de::DeserializeOwned>(&self, what: &str) -> Vec<T> {
        let Ok((200, body)) = self.get(&format!("/{what}")).await else { return Vec::new() };
        let answer: Value = serde_json::from_str(&body).unwrap_or_default();
        serde_json::from_value(answer[what].clone()).unwrap_or_default()
    }

    async fn get(&self, path: &str) -> reqwest::Result<(u16, String)> {
        let request = self.client.get(format!("{}{path}", self.instance.admin));
        let request = if let Some(token) = &self.token { request.bearer_auth(token) } else { request };
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        Ok((status, answer.text().await?))
    }
}

/// The reason in a problem document: its detail, and what it says about each check.
fn reason(status: u16, body: &str) -> String {
    let problem: Value = serde_json::from_str(body).unwrap_or_default();
    let checks = problem["errors"].as_object().into_iter().flatten();
    let checks = checks.filter_map(|(name, why)| Some(format!("{name}: {}", why.as_str()?)));
    let checks: Vec<String> = checks.collect();
    match (checks.is_empty(), problem["detail"].as_str()) {
        (false, _) => checks.join("; "),
        (true, Some(detail)) => detail.to_owned(),
        (true, None) => format!("it answers {status}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_names_the_checks_that_fail() {
        let body = r#"{"detail":"Not ready: postgres.","errors":{"postgres":"connection refused"}}"#;
        assert_eq!(reason(503, body), "postgres: connection refused");
        assert_eq!(reason(503, r#"{"detail":"stopping"}"#), "stopping");
        assert_eq!(reason(502, "<html>"), "it answers 502");
    }

    #[tokio::test]
    async fn nobody_there_is_gone_and_has_neither_faults_nor_protections() {
        // Nobody listens on port 1 without being root.
        let instance = Instance {
            name: "order-api".to_owned(),
            service: "order-api".to_owned(),
            admin: "http://127.0.0.1:1".to_owned(),
        };
        let admins = Admin::all(&[instance], Some("secret"));
        assert_eq!(admins[0].address(), "127.0.0.1:1");
        assert!(matches!(admins[0].readiness().await, Readiness::Gone(_)));
        assert!(admins[0].faults().await.is_empty() && admins[0].unprotected().await.is_empty());
    }
}
