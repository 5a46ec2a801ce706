//! One attempt: a request to one replica over a kept connection, behind the `upstream-*` faults.

use std::{error::Error, time::Duration};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use chassis_client::catalogue::{
    UPSTREAM_ERROR, UPSTREAM_LATENCY, UPSTREAM_UNREACHABLE, UpstreamError, UpstreamLatency,
};
use chassis_faults::{FaultPoint, Faults, Strike};
use chassis_http::{Problem, problems::OVERLOADED};
use http::{HeaderMap, Method, Request, StatusCode, Uri, uri::Authority, uri::PathAndQuery};
use http_body_util::Full;
use hyper_util::{
    client::legacy::{Client, Error as ClientError, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use tokio::{
    net::TcpStream,
    time::{Instant, sleep, timeout_at},
};

use super::relay::{InFlight, Relay};
use crate::{domain::retry::Failure, metrics::EndpointMeter};

/// How long a connection waits for its next request. Less than the `DRAIN_DELAY` of a service (5 s in the
/// chart), in which it closes each connection with its answer, and far less than the 120 s after which it
/// closes an idle one: a connection that has waited longer may close while a request is on its way.
const IDLE: Duration = Duration::from_secs(4);
/// Time to connect: a replica is near.
const CONNECT: Duration = Duration::from_secs(1);
/// Connections to a replica that are kept.
const KEPT: usize = 256;
/// A port on which nothing listens (RFC 6335: 1 is tcpmux, unused): a connect to it is refused.
const CLOSED: &str = "127.0.0.1:1";

/// A request as it is sent, to whichever replica.
#[derive(Debug, Clone)]
pub struct Outbound {
    /// Its method.
    pub method: Method,
    /// Its target.
    pub target: PathAndQuery,
    /// Its headers, without those of the attempt.
    pub headers: HeaderMap,
    /// Its whole body.
    pub body: Bytes,
}

/// Why an attempt brought no answer.
#[derive(Debug)]
pub struct Failed {
    /// What it means.
    pub failure: Failure,
    /// The cause, for the log.
    pub cause: String,
}

/// One attempt.
pub struct Exchange<'a> {
    /// What is sent.
    pub outbound: &'a Outbound,
    /// Headers of this attempt.
    pub headers: HeaderMap,
    /// To whom.
    pub authority: &'a Authority,
    /// Until when there has to be an answer.
    pub deadline: Option<Instant>,
}

/// Sends requests. Connections are shared by all routes.
pub struct Transport {
    client: Client<HttpConnector, Full<Bytes>>,
    error: Option<FaultPoint<UpstreamError>>,
    latency: Option<FaultPoint<UpstreamLatency>>,
    unreachable: Option<FaultPoint>,
}

impl Transport {
    /// A client without connections.
    #[must_use]
    pub fn new(faults: &Faults) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(KEPT)
            .build(connector);
        Self {
            client,
            error: faults.find(&UPSTREAM_ERROR),
            latency: faults.find(&UPSTREAM_LATENCY),
            unreachable: faults.find(&UPSTREAM_UNREACHABLE),
        }
    }

    /// Sends a request, and waits for the head of the answer; its body follows piece by piece.
    ///
    /// # Errors
    /// If there is none.
    pub(crate) async fn send(
        &self,
        exchange: Exchange<'_>,
        meter: &EndpointMeter,
    ) -> Result<Response, Failed> {
        let (begun, deadline) = (Instant::now(), exchange.deadline);
        let in_flight = InFlight::new(&meter.in_flight);
        let work = self.exchange(exchange, in_flight);
        let result = match deadline {
            Some(deadline) => timeout_at(deadline, work).await.unwrap_or_else(|_| Err(late())),
            None => work.await,
        };
        match &result {
            Ok(response) => meter.answered(response.status(), begun.elapsed()),
            Err(failed) => meter.failed(failed.failure, begun.elapsed()),
        }
        result
    }

    async fn exchange(&self, exchange: Exchange<'_>, in_flight: InFlight) -> Result<Response, Failed> {
        if let Some(strike) = self.latency.as_ref().and_then(FaultPoint::strike) {
            sleep(delay(&strike)).await;
        }
        if let Some(strike) = self.error.as_ref().and_then(FaultPoint::strike) {
            return Ok(overloaded(&strike));
        }
        if self.unreachable.as_ref().and_then(FaultPoint::strike).is_some() {
            return Err(refused().await);
        }
        let request = request(exchange)?;
        let response = self.client.request(request).await.map_err(|error| failed(&error))?;
        Ok(response.map(|body| Body::new(Relay::new(body, in_flight))))
    }
}

fn request(exchange: Exchange<'_>) -> Result<Request<Full<Bytes>>, Failed> {
    let Exchange { outbound, headers, authority, .. } = exchange;
    let uri =
        Uri::builder().scheme("http").authority(authority.clone()).path_and_query(outbound.target.clone());
    let uri = uri.build().map_err(|error| Failed { failure: Failure::Broken, cause: error.to_string() })?;
    let mut request = Request::new(Full::new(outbound.body.clone()));
    *request.method_mut() = outbound.method.clone();
    *request.uri_mut() = uri;
    *request.headers_mut() = outbound.headers.clone();
    for (name, value) in &headers {
        request.headers_mut().insert(name, value.clone());
    }
    Ok(request)
}

/// A connection that the kernel refuses, in the words of the client. Not sent through the client, whose debug lines would name
/// the closed port.
async fn refused() -> Failed {
    let error = TcpStream::connect(CLOSED).await.err();
    let error = error.unwrap_or_else(|| std::io::ErrorKind::ConnectionRefused.into());
    Failed {
        failure: Failure::Unreachable,
        cause: format!("client error (Connect): tcp connect error: {error}"),
    }
}

fn late() -> Failed {
    Failed { failure: Failure::Late, cause: "no answer in time".to_owned() }
}

/// Whether anything was sent decides what may be done next.
fn failed(error: &ClientError) -> Failed {
    let source = error.source().and_then(|source| source.downcast_ref::<hyper::Error>());
    // Canceled: the connection had ended before the request was written to it.
    let unsent = error.is_connect() || source.is_some_and(hyper::Error::is_canceled);
    let failure = if unsent { Failure::Unreachable } else { Failure::Broken };
    Failed { failure, cause: chain(error) }
}

/// An error with its causes, `outer: inner`.
fn chain(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// How long an attempt that `upstream-latency` strikes waits: evenly spread over `jitter` to both sides of
/// `delay`.
fn delay(strike: &Strike<UpstreamLatency>) -> Duration {
    let UpstreamLatency { delay, jitter } = strike.params;
    let spread = jitter.as_secs_f64() * (2.0 * strike.sample() - 1.0);
    Duration::from_secs_f64((delay.as_secs_f64() + spread).max(0.0))
}

/// The answer of a service that sheds requests, with the status of the plan.
fn overloaded(strike: &Strike<UpstreamError>) -> Response {
    let status =
        u16::try_from(strike.params.status).ok().and_then(|status| StatusCode::from_u16(status).ok());
    let detail = "Too many requests are in flight; this one was not started.";
    let problem =
        Problem { status: status.unwrap_or(OVERLOADED.status), ..Problem::new(&OVERLOADED, detail) };
    let mut response = problem.retry_after(1).into_response();
    // It is not the edge's own problem, of which the log would say more.
    response.extensions_mut().clear();
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_fault_is_told_as_the_client_tells_a_port_on_which_nothing_listens() {
        let client: Client<HttpConnector, Full<Bytes>> =
            Client::builder(TokioExecutor::new()).build(HttpConnector::new());
        let uri = Uri::builder().scheme("http").authority(CLOSED).path_and_query("/").build().unwrap();
        let real = failed(&client.get(uri).await.unwrap_err());
        let fault = refused().await;
        assert_eq!((fault.failure, fault.cause), (real.failure, real.cause));
    }
}
