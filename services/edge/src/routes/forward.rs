//! Every request: which route it takes, whether it may, and who answers it.

use std::{net::IpAddr, pin::pin, sync::Arc};

use axum::{
    body::to_bytes,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use chassis_faults::protection::Protection;
use chassis_http::{Connection, Problem, access::Proxied};
use chassis_telemetry::traces;
use http::{HeaderName, Method, StatusCode, request::Parts, uri::PathAndQuery};
use tokio::time::{Duration, Instant, sleep};
use tracing::{Instrument as _, Span, field};

use super::headers::{inward, outward, request_id, trace};
use crate::{
    adapters::{Exchange, Failed, Found, Outbound, Place, Refused, Target},
    domain::{
        outlier::Seen,
        retry::{Failure, repeatable},
        waf::Asked,
    },
    error::EdgeError,
    state::{AppState, Inner},
};

/// By this header, the services know a request again.
static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// First pause before the same replica is tried again; doubles, with full jitter.
const BACKOFF: Duration = Duration::from_millis(20);

/// Sends a request to the upstream of its route, and passes the answer on.
pub async fn forward(State(state): State<AppState>, request: Request) -> Response {
    let id = request_id(request.headers());
    let mut said = Proxied { request_id: id.clone(), ..Proxied::default() };
    let answer = {
        // Pinned here: a future that is moved into the next is copied.
        let work = pin!(serve(&state.inner, request, &mut said));
        work.await
    };
    let relayed = answer.is_ok();
    let mut response = answer.unwrap_or_else(|error| Problem::from(error).into_response());
    outward(response.headers_mut(), relayed, &id);
    response.extensions_mut().insert(said);
    response
}

async fn serve(edge: &Inner, request: Request, said: &mut Proxied) -> Result<Response, EdgeError> {
    let begun = Instant::now();
    let (parts, body) = request.into_parts();
    let live = edge.live.load();
    let found = live.route(&parts.method, parts.uri.path()).ok_or(EdgeError::NoRoute)?;
    said.route = Some(Arc::clone(found.name));
    let peer = parts.extensions.get().map(Connection::peer);
    admit(edge, &found, &parts, peer)?;
    // In memory already: the stack reads a request before it is handled.
    let body = to_bytes(body, usize::MAX).await.map_err(|_| EdgeError::Incomplete)?;
    let asked = Asked {
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        headers: &parts.headers,
        body: &body,
    };
    if let Err(refused) = edge.firewall.judge(&asked).await {
        return Err(match refused {
            Refused::Blocked(rule) => {
                said.rule = Some(Arc::clone(&rule));
                EdgeError::Blocked(rule)
            }
            Refused::Stuck => EdgeError::Stuck { after: edge.firewall.patience() },
        });
    }
    let target = found.choose(&parts.headers).ok_or(EdgeError::NoRoute)?;
    said.upstream = Some(Arc::clone(&target.upstream.name));
    let outbound = Outbound {
        target: parts.uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/")),
        headers: inward(&parts.headers, peer, &said.request_id),
        method: parts.method,
        body,
    };
    let visit = Visit { edge, found: &found, target, outbound: &outbound };
    let answer = visit.answer(&mut said.attempts).await;
    let status = answer.as_ref().map_or_else(EdgeError::status, |answer| answer.status());
    target.meter.answered(status, begun.elapsed());
    answer
}

/// Whether the client may ask once more: by what was set for all, and by what the route says.
fn admit(edge: &Inner, found: &Found<'_>, parts: &Parts, peer: Option<IpAddr>) -> Result<(), EdgeError> {
    let now = edge.now();
    let of_all = edge.limit.load();
    let of_all = of_all.as_ref().map_or(Ok(()), |limiter| limiter.take(&parts.headers, peer, now));
    of_all.and_then(|()| found.admit(&parts.headers, peer, now)).map_err(|wait| EdgeError::Limited { wait })
}

/// One request on its way to its upstream.
struct Visit<'a> {
    edge: &'a Inner,
    found: &'a Found<'a>,
    target: &'a Target,
    outbound: &'a Outbound,
}

impl Visit<'_> {
    /// The answer of a replica: of the first that is asked, or of another one if that may be.
    async fn answer(&self, attempts: &mut u64) -> Result<Response, EdgeError> {
        let (edge, upstream, route) = (self.edge, &*self.target.upstream, self.found.route);
        let Outbound { method, headers, .. } = self.outbound;
        let repeatable = repeatable(method, headers.contains_key(&IDEMPOTENCY_KEY));
        let deadline = edge.deadline(route.timeout);
        let mut tried = Vec::with_capacity(2);
        upstream.deposit();
        loop {
            // An upstream has at least one replica.
            let place = upstream.pick(&tried, edge.now()).ok_or(EdgeError::NoRoute)?;
            *attempts += 1;
            let result = self.attempt(&place, *attempts, deadline).await;
            let failure = failure(&result);
            if result.is_ok() {
                upstream.answered();
            }
            upstream.seen(place.index, seen(failure), edge.now());
            let known = tried.contains(&place.index);
            tried.push(place.index);
            let again = failure.is_some_and(|failure| {
                // A replica that answered with an error is not asked the same again, if that can be avoided; one that
                // could not be reached may be.
                let elsewhere = upstream.has_others() || !matches!(failure, Failure::Status(_));
                elsewhere && failure.may_be_repeated(repeatable)
            });
            let left = *attempts <= u64::from(route.retries);
            if !again || !left || !self.affords(deadline, known || !upstream.has_several(), *attempts).await {
                return result.map_err(|failed| self.unanswered(*attempts, failed));
            }
            upstream.meter.retries.inc();
        }
    }

    /// Why there is no answer: an upstream that has never answered may be starting, as this edge was a moment ago.
    fn unanswered(&self, attempts: u64, failed: Failed) -> EdgeError {
        let (edge, upstream) = (self.edge, &*self.target.upstream);
        if !upstream.has_answered() && edge.now() < edge.grace {
            return EdgeError::Starting { upstream: Arc::clone(&upstream.name), cause: failed.cause };
        }
        EdgeError::unanswered(&upstream.name, attempts, failed)
    }

    /// Takes a retry out of the budget. Before the same replica is asked again, it waits a moment.
    async fn affords(&self, deadline: Option<Instant>, same: bool, attempts: u64) -> bool {
        let (edge, upstream) = (self.edge, &*self.target.upstream);
        let doubled = 1 << attempts.min(5);
        let pause =
            if same { BACKOFF.mul_f64(f64::from(doubled) * rand::random::<f64>()) } else { Duration::ZERO };
        if deadline.is_some_and(|deadline| Instant::now() + pause >= deadline) {
            return false;
        }
        if edge.protections.on(Protection::RetryBudget) && !upstream.withdraw(edge.now()) {
            upstream.meter.refused.inc();
            return false;
        }
        if !pause.is_zero() {
            sleep(pause).await;
        }
        true
    }

    /// One attempt, in its span.
    async fn attempt(
        &self,
        place: &Place<'_>,
        attempt: u64,
        deadline: Option<Instant>,
    ) -> Result<Response, Failed> {
        let (edge, outbound) = (self.edge, self.outbound);
        let span = traces::span_here(|| client_span(self, place, attempt));
        let own = self.found.route.attempt_timeout.and_then(|timeout| edge.deadline(timeout));
        let deadline = deadline.into_iter().chain(own).min();
        let work = async {
            let headers = trace(&outbound.headers);
            let exchange = Exchange { outbound, headers, authority: place.authority, deadline };
            edge.transport.send(exchange, place.meter).await
        };
        let result = work.instrument(span.clone()).await;
        describe(&span, &result);
        result
    }
}

/// What kept an attempt from being a success.
fn failure(result: &Result<Response, Failed>) -> Option<Failure> {
    match result {
        Ok(response) if response.status().is_server_error() => Some(Failure::Status(response.status())),
        Ok(_) => None,
        Err(failed) => Some(failed.failure),
    }
}

/// What an attempt shows of a replica. What is not implemented (501) is no sign of sickness.
fn seen(failure: Option<Failure>) -> Seen {
    match failure {
        None | Some(Failure::Status(StatusCode::NOT_IMPLEMENTED)) => Seen::Good,
        Some(Failure::Unreachable) => Seen::Gone,
        Some(Failure::Broken | Failure::Late | Failure::Status(_)) => Seen::Bad,
    }
}

fn client_span(visit: &Visit<'_>, place: &Place<'_>, attempt: u64) -> Span {
    let (method, route) = (method_name(&visit.outbound.method), visit.found.name);
    tracing::info_span!(
        "http client",
        otel.name = %format_args!("{method} {route}"),
        otel.kind = "client",
        otel.status_code = field::Empty,
        http.request.method = method,
        // Signed: the bridge to OpenTelemetry writes other integers as strings.
        http.request.resend_count = (attempt > 1).then(|| i64::try_from(attempt - 1).unwrap_or(i64::MAX)),
        http.response.status_code = field::Empty,
        server.address = place.authority.host(),
        server.port = place.authority.port_u16().map(i64::from),
        peer.service = &*visit.target.upstream.name,
        error.type = field::Empty,
    )
}

/// Names of spans are few.
fn method_name(method: &Method) -> &str {
    let usual = [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::HEAD,
        Method::OPTIONS,
    ];
    if usual.contains(method) { method.as_str() } else { "_OTHER" }
}

/// Records how an attempt ended, as the semantic conventions for HTTP clients have it.
fn describe(span: &Span, result: &Result<Response, Failed>) {
    let failed = match result {
        Ok(response) => {
            let status = response.status();
            span.record("http.response.status_code", i64::from(status.as_u16()));
            if !status.is_server_error() {
                return;
            }
            status.as_str().to_owned()
        }
        Err(failed) => failed.failure.outcome().to_owned(),
    };
    span.record("otel.status_code", "ERROR");
    span.record("error.type", failed.as_str());
}
