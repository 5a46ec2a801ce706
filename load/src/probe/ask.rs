//! One request: with a deadline, and with the trace of its journey.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Request, header};
use http_body_util::{BodyExt, Collected, Full, Limited};
use hyper_util::client::legacy::{Client, connect::HttpConnector};

use super::{
    journey::{Answer, Failure, Outcome},
    metrics::{ProbeMetrics, Upstream},
    trace::Trace,
};
use crate::http::{chain, client};

/// Longest body that is read, in bytes.
const LARGEST: usize = 1 << 20;

/// How the probes call themselves in access logs.
pub const AGENT: &str = concat!("lab-probe/", env!("CARGO_PKG_VERSION"));

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
    /// When no whole answer arrives in time.
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
/// When no whole answer arrives in time.
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
