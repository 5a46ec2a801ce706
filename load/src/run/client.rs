//! Sends the requests of a step, and says what came back.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use opentelemetry::TraceId;
use serde_json::Value;
use tokio::time::Instant;

use super::trace::parent;
use crate::scenario::{Scenario, Step, Values, fill};

/// Largest response that is read. A load test measures a service, not a download.
const LARGEST: usize = 16 << 20;

/// A client of all targets of a scenario.
pub(super) struct Browser {
    client: Client<HttpConnector, Full<Bytes>>,
    bases: Vec<(String, String)>,
    timeout: Duration,
}

/// A response as steps see it.
struct Answer {
    status: u16,
    body: Value,
}

impl Browser {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let base =
            |(name, uri): (&String, &Uri)| (name.clone(), uri.to_string().trim_end_matches('/').to_owned());
        Self {
            client: crate::http::client(),
            bases: scenario.targets.iter().map(base).collect(),
            timeout: scenario.timeout,
        }
    }

    /// Takes a step: sends its request, or repeats it until its result is there. Saves the variables of the response. All its requests
    /// belong to `trace`, if there is one.
    ///
    /// # Errors
    /// Why the step failed, from a small set of texts.
    pub(super) async fn take(
        &self,
        step: &Step,
        values: &mut Values,
        trace: Option<TraceId>,
    ) -> Result<(), String> {
        let Some(until) = &step.until else {
            let answer = self.ask(step, values, trace).await?;
            return self.save(step, &answer, values);
        };
        let end = Instant::now() + until.within;
        loop {
            // An error while polling ends the step only if it lasts: what counts is whether the result arrives in time.
            let answer = self.ask(step, values, trace).await;
            if let Ok(answer) = &answer
                && answer.body.pointer(&until.pointer).is_some_and(|seen| until.values.contains(seen))
            {
                return self.save(step, answer, values);
            }
            if Instant::now() + until.every > end {
                return Err(answer.err().unwrap_or_else(|| "no result in time".to_owned()));
            }
            tokio::time::sleep(until.every).await;
        }
    }

    fn save(&self, step: &Step, answer: &Answer, values: &mut Values) -> Result<(), String> {
        for (name, pointer) in &step.save {
            let value = answer.body.pointer(pointer).ok_or_else(|| format!("nothing at {pointer}"))?;
            values.insert(name.clone(), value.clone());
        }
        Ok(())
    }

    /// Sends one request and checks its response.
    async fn ask(&self, step: &Step, values: &Values, trace: Option<TraceId>) -> Result<Answer, String> {
        let request = self.request(step, values, trace)?;
        let exchange = async {
            let response = self.client.request(request).await.map_err(|_| "no answer".to_owned())?;
            let status = response.status().as_u16();
            let body = Limited::new(response.into_body(), LARGEST).collect().await;
            Ok::<_, String>((status, body.map_err(|_| "the answer broke off".to_owned())?.to_bytes()))
        };
        let exchanged = tokio::time::timeout(self.timeout, exchange).await;
        let (status, body): (u16, Bytes) = exchanged.unwrap_or_else(|_| Err("timeout".to_owned()))?;
        let right =
            if step.status.is_empty() { (200..400).contains(&status) } else { step.status.contains(&status) };
        if !right {
            return Err(format!("status {status}"));
        }
        let needed = !(step.json.is_empty() && step.save.is_empty()) || step.until.is_some();
        let body = if needed { serde_json::from_slice(&body).unwrap_or_default() } else { Value::Null };
        let answer = Answer { status, body };
        match step.json.iter().find(|(pointer, value)| answer.body.pointer(pointer) != Some(value)) {
            Some((pointer, _)) => Err(format!("wrong value at {pointer} ({})", answer.status)),
            None => Ok(answer),
        }
    }

    fn request(
        &self,
        step: &Step,
        values: &Values,
        trace: Option<TraceId>,
    ) -> Result<Request<Full<Bytes>>, String> {
        let base = self.bases.iter().find(|(name, _)| *name == step.target);
        let base = base.map(|(_, base)| base.as_str()).unwrap_or_default();
        let body = step.body.as_ref().map(|body| fill(body, values).to_string());
        let mut request = Request::new(Full::new(Bytes::from(body.clone().unwrap_or_default())));
        *request.method_mut() = step.method.clone();
        let url = format!("{base}{}", step.path.fill(values));
        *request.uri_mut() = url.parse().map_err(|_| "the path is not valid".to_owned())?;
        let headers = request.headers_mut();
        let agent = concat!("load/", env!("CARGO_PKG_VERSION"));
        headers.insert(header::USER_AGENT, HeaderValue::from_static(agent));
        if body.is_some() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        if let Some(trace) = trace.and_then(|trace| HeaderValue::from_str(&parent(trace)).ok()) {
            headers.insert("traceparent", trace);
        }
        for (name, value) in &step.headers {
            let name: HeaderName = name.parse().map_err(|_| "a header is not valid".to_owned())?;
            let value: HeaderValue =
                value.fill(values).parse().map_err(|_| "a header is not valid".to_owned())?;
            headers.insert(name, value);
        }
        Ok(request)
    }
}
