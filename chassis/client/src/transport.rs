//! One attempt: the real request, behind the `upstream-*` faults.

use std::time::Duration;

use reqwest::StatusCode;
use serde::de::DeserializeOwned;
use tracing::{instrument::WithSubscriber as _, subscriber::NoSubscriber};

use crate::{
    ClientError,
    catalogue::{UPSTREAM_ERROR, UPSTREAM_LATENCY, UPSTREAM_UNREACHABLE, UpstreamError, UpstreamLatency},
    metrics::Outcome,
};
use chassis_faults::{FaultPoint, Faults, Params, Strike};
use chassis_telemetry::traces;

/// A port on which nothing listens (RFC 6335: 1 is tcpmux, unused): a connect to it is refused.
const CLOSED_PORT: u16 = 1;

/// The real client and the points that can break it.
pub(crate) struct Transport {
    peer: &'static str,
    base: url::Url,
    http: reqwest::Client,
    error: Option<FaultPoint<UpstreamError>>,
    latency: Option<FaultPoint<UpstreamLatency>>,
    unreachable: Option<FaultPoint>,
}

impl Transport {
    pub(crate) fn new(peer: &'static str, base: url::Url, http: reqwest::Client, faults: &Faults) -> Self {
        Self {
            peer,
            base,
            http,
            error: faults.find(&UPSTREAM_ERROR),
            latency: faults.find(&UPSTREAM_LATENCY),
            unreachable: faults.find(&UPSTREAM_UNREACHABLE),
        }
    }

    /// `GET path` as JSON; `None` on 404.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, ClientError> {
        if let Some(strike) = strike(self.latency.as_ref()) {
            tokio::time::sleep(delay(&strike)).await;
        }
        if let Some(strike) = strike(self.error.as_ref()) {
            let status = u16::try_from(strike.params.status).unwrap_or(503);
            return Err(ClientError::Status { peer: self.peer, status });
        }
        let unreachable = strike(self.unreachable.as_ref()).is_some();
        let mut request = self.http.get(self.url(path, unreachable)?);
        for (name, value) in traces::inject() {
            request = request.header(name, value);
        }
        let answer = if unreachable {
            // At level `debug` the client would log the actual port.
            request.send().with_subscriber(NoSubscriber::default()).await
        } else {
            request.send().await
        };
        let answer = answer.map_err(|e| self.failed(e))?;
        match answer.status() {
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => answer
                .json()
                .await
                .map(Some)
                .map_err(|e| ClientError::Body { peer: self.peer, source: e.without_url().into() }),
            status => Err(ClientError::Status { peer: self.peer, status: status.as_u16() }),
        }
    }

    fn url(&self, path: &str, unreachable: bool) -> Result<url::Url, ClientError> {
        let mut url = self
            .base
            .join(path)
            .map_err(|e| ClientError::Unreachable { peer: self.peer, source: e.into() })?;
        if unreachable {
            // Cannot fail: the base is an http URL with a host.
            let _ = url.set_port(Some(CLOSED_PORT));
        }
        Ok(url)
    }

    fn failed(&self, error: reqwest::Error) -> ClientError {
        if error.is_timeout() {
            ClientError::Timeout { peer: self.peer, after: Duration::ZERO }
        } else {
            // The peer's name says what could not be reached; the URL would only add an id.
            ClientError::Unreachable { peer: self.peer, source: error.without_url().into() }
        }
    }
}

fn strike<P: Params>(point: Option<&FaultPoint<P>>) -> Option<Strike<P>> {
    point.and_then(FaultPoint::strike)
}

/// How long a call that `upstream-latency` strikes waits: evenly spread over `jitter` to both sides of `delay`.
fn delay(strike: &Strike<UpstreamLatency>) -> Duration {
    let UpstreamLatency { delay, jitter } = strike.params;
    let spread = jitter.as_secs_f64() * (2.0 * strike.sample() - 1.0);
    Duration::from_secs_f64((delay.as_secs_f64() + spread).max(0.0))
}

/// The `outcome` label of an attempt.
pub(crate) fn outcome<T>(result: &Result<Option<T>, ClientError>) -> Outcome {
    match result {
        Ok(_) => Outcome::Ok,
        Err(ClientError::Status { status, .. }) if *status < 500 => Outcome::ClientError,
        Err(ClientError::Status { .. }) => Outcome::ServerError,
        Err(ClientError::Timeout { .. }) => Outcome::Timeout,
        Err(ClientError::Unreachable { .. }) => Outcome::Unreachable,
        Err(ClientError::Body { .. }) => Outcome::Body,
        Err(ClientError::Refused { .. }) => Outcome::Refused,
    }
}
