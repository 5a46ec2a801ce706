//! One request: with a deadline, and with the trace of its journey, so that its spans and log lines can be found.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Request, header};
use http_body_util::{BodyExt, Collected, Full, Limited};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use opentelemetry::TraceId;

use super::{
    journey::{Answer, Failure, Outcome},
    metrics::{ProbeMetrics, Upstream},
};
use crate::http::{chain, client};

/// Longest body that is read, in bytes.
const LARGEST: usize = 1 << 20;

/// How the probes call themselves in access logs.
pub const AGENT: &str = concat!("lab-probe/", env!("CARGO_PKG_VERSION"));

/// The trace of a journey. The probes export no spans: the first one is that of the edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace(u128);

impl Trace {
    /// A new one.
    #[must_use]
    pub fn begin() -> Self {
        // All zeros is no trace.
        Self(rand::random::<u128>() | 1)
    }

    /// Its id, in hex.
    #[must_use]
    pub fn id(self) -> String {
        format!("{:032x}", self.0)
    }

    /// Its id, for an exemplar.
    #[must_use]
    pub fn exemplar(self) -> TraceId {
        TraceId::from(self.0)
    }

    /// A `traceparent` (W3C Trace Context) that asks to be sampled.
    #[must_use]
    pub fn parent(self) -> String {
        format!("00-{:032x}-{:016x}-01", self.0, rand::random::<u64>() | 1)
    }
}

/// Sends requests.
pub struct Asker {
    client: Client<HttpConnector, Full<Bytes>>,
    metrics: Arc<ProbeMetrics>,
}

impl Asker {
    /// With connections of its own.
    #[must_use]
    pub fn new(metrics: Arc<ProbeMetrics>) -> Self {
        Self { client: client(), metrics }
    }

    /// Sends a request that ends at `upstream`, and waits `within` for the whole answer.
    ///
    /// # Errors
    /// When there is none.
    pub async fn ask(
        &self,
        mut request: Request<Full<Bytes>>,
        upstream: Upstream,
        trace: Trace,
        within: Duration,
    ) -> Result<Answer, Failure> {
        let headers = request.headers_mut();
        if let Ok(parent) = HeaderValue::from_str(&trace.parent()) {
            headers.insert("traceparent", parent);
        }
        headers.entry(header::USER_AGENT).or_insert(HeaderValue::from_static(AGENT));
        self.metrics.asked(upstream);
        exchange(&self.client, request, within).await
    }
}

/// Sends a request, and waits `within` for the whole answer.
///
/// # Errors
/// When there is none.
pub(crate) async fn exchange(
    client: &Client<HttpConnector, Full<Bytes>>,
    request: Request<Full<Bytes>>,
    within: Duration,
) -> Result<Answer, Failure> {
    let exchange = async {
        let response = client.request(request).await.map_err(|error| chain(&error))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), LARGEST).collect().await;
        let body = body.map(Collected::to_bytes).map_err(|error| chain(&*error))?;
        Ok(Answer { status, body })
    };
    let exchanged: Result<Result<Answer, String>, _> = tokio::time::timeout(within, exchange).await;
    let late = || format!("no answer within {}", humantime::format_duration(within));
    exchanged
        .map_err(|_| Failure::new(Outcome::Timeout, late()))?
        .map_err(|reason| Failure::new(Outcome::Transport, reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_requests_of_a_journey_are_in_one_sampled_trace() {
        let trace = Trace::begin();
        let (first, second) = (trace.parent(), trace.parent());
        for parent in [&first, &second] {
            let mut headers = http::HeaderMap::new();
            headers.insert("traceparent", parent.parse().unwrap());
            assert!(chassis_telemetry::traces::remote_parent(&headers).is_some(), "{parent}");
            assert!(parent.contains(&trace.id()) && parent.ends_with("-01"), "{parent}");
        }
        assert_ne!(first, second, "each request is a span of its own");
        assert_ne!(trace, Trace::begin());
        assert_eq!(trace.exemplar().to_string(), trace.id());
    }
}
