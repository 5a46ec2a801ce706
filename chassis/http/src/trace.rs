//! The outermost layer: the server span with its parent from the W3C headers, the scope of the request, problem
//! documents completed with their instance, each 5xx logged exactly once, with its cause, and the line of the access log.

use std::{future::poll_fn, net::IpAddr, pin::pin, sync::OnceLock};

use axum::{body::HttpBody as _, extract::Request, response::Response};
use chassis_serve::Connection;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header::USER_AGENT};
use opentelemetry::{Context, trace::TraceContextExt as _};
use tokio::time::Instant;
use tracing::{Span, field};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use super::{
    Problem,
    access::{Access, AccessLog, Proxied},
    guard::Logged,
    metrics::{CANCELLED, Endpoint},
    problems::OVERLOADED,
};
use chassis_faults::{Attribute, scope::Scope};
use chassis_telemetry::traces;

/// When the last byte of a request arrived; unset until then.
pub(super) type Began = OnceLock<Instant>;

/// One request on its way through the stack.
pub(super) struct Traced {
    /// Disabled for a request that is not sampled: building a span costs more than all other layers together.
    span: Span,
    /// Trace and span id of a request without a span.
    ids: Option<Context>,
    scope: Scope,
    method: Method,
    uri: Uri,
    peer: Option<IpAddr>,
    user_agent: Option<HeaderValue>,
}

impl Traced {
    /// `ratio` (0 to 1) of the requests without a trace of their own are sampled.
    pub(super) fn new(
        request: &Request,
        endpoint: &Endpoint,
        template: Option<&str>,
        ratio: f64,
        subject: &'static [Attribute],
    ) -> Self {
        let parent = traces::remote_parent(request.headers());
        let sampled = match &parent {
            Some(parent) => parent.span().span_context().is_sampled(),
            None => ratio >= 1.0 || rand::random::<f64>() < ratio,
        };
        let span = if sampled { span(request, endpoint, template) } else { Span::none() };
        let ids = span.is_disabled().then(|| traces::unsampled(parent.as_ref()));
        if let (None, Some(parent)) = (&ids, parent) {
            // Fails only for a span that has begun; this one has not.
            let _ = span.set_parent(parent);
        }
        let baggage = request.headers().get(&traces::BAGGAGE).and_then(|value| value.to_str().ok());
        let scope = traces::scope_of(template.unwrap_or_default(), baggage, subject);
        Self {
            span,
            ids,
            scope,
            method: request.method().clone(),
            uri: request.uri().clone(),
            peer: request.extensions().get().map(Connection::peer),
            user_agent: request.headers().get(USER_AGENT).cloned(),
        }
    }

    /// Runs `work` inside the span and the scope, and has `log` write its line.
    pub(super) async fn run(
        self,
        log: &AccessLog,
        endpoint: &Endpoint,
        began: &Began,
        work: impl Future<Output = Response>,
    ) -> Response {
        let Self { span, ids, scope, method, uri, peer, user_agent } = self;
        let visit = Visit { log, endpoint, began, uri: &uri, peer, user_agent: user_agent.as_ref() };
        let mut left = Left { visit: Some(visit), span: &span, ids: ids.as_ref() };
        let mut work = pin!(work);
        // As `Instrument` does, except that it enters the span again only to drop `work` inside it.
        let inside = poll_fn(|cx| {
            let _entered = span.enter();
            let _attached = ids.clone().map(Context::attach);
            work.as_mut().poll(cx).map(|mut response| {
                let proxied = response.extensions_mut().remove::<Proxied>();
                let response = finish(response, &span, &method, &uri);
                if let Some(visit) = left.visit.take() {
                    visit.log(response.status(), response.body().size_hint().exact(), proxied.as_ref());
                }
                response
            })
        });
        scope.enter(inside).await
    }
}

/// What the access log may say of a request.
struct Visit<'a> {
    log: &'a AccessLog,
    endpoint: &'a Endpoint,
    began: &'a Began,
    uri: &'a Uri,
    peer: Option<IpAddr>,
    user_agent: Option<&'a HeaderValue>,
}

impl Visit<'_> {
    fn log(&self, status: StatusCode, bytes: Option<u64>, proxied: Option<&Proxied>) {
        let now = Instant::now();
        let Some(represents) = self.log.admit(status, now) else { return };
        let access = Access {
            method: self.endpoint.method,
            route: &self.endpoint.template,
            path: self.uri.path(),
            status,
            bytes,
            duration: self.began.get().map(|began| now.saturating_duration_since(*began)),
            peer: self.peer,
            user_agent: self.user_agent.and_then(|name| name.to_str().ok()),
            proxied,
        };
        access.write(represents);
    }
}

/// A request without an answer so far. Dropped in this state, it is one whose client has left: then its line says what the metrics
/// count. If it never arrived completely, they count nothing.
struct Left<'a> {
    visit: Option<Visit<'a>>,
    span: &'a Span,
    ids: Option<&'a Context>,
}

impl Drop for Left<'_> {
    fn drop(&mut self) {
        let Some(visit) = self.visit.take().filter(|visit| visit.began.get().is_some()) else { return };
        let _entered = self.span.enter();
        let _attached = self.ids.cloned().map(Context::attach);
        visit.log(CANCELLED, None, None);
    }
}

fn span(request: &Request, endpoint: &Endpoint, template: Option<&str>) -> Span {
    tracing::info_span!(
        "request",
        otel.name = endpoint.span_name.as_str(),
        otel.kind = "server",
        otel.status_code = field::Empty,
        http.request.method = request.method().as_str(),
        http.route = template,
        http.response.status_code = field::Empty,
        url.path = request.uri().path(),
        error.type = field::Empty,
    )
}

/// Inside the span: everything that is recorded about the response.
fn finish(mut response: Response, span: &Span, method: &Method, uri: &Uri) -> Response {
    let status = response.status();
    // Signed: the bridge to OpenTelemetry writes other integers as strings.
    span.record("http.response.status_code", i64::from(status.as_u16()));
    if status.is_success() {
        return response;
    }
    if status.is_server_error() {
        span.record("error.type", status.as_str());
        span.record("otel.status_code", "error");
    }
    let problem = response.extensions_mut().remove::<Problem>();
    if status.is_server_error() && response.extensions().get::<Logged>().is_none() {
        log(status, problem.as_ref(), method, uri);
    }
    match problem {
        Some(problem) => complete(response, problem, uri),
        None => response,
    }
}

/// Shedding is a decision, not a failure: a warning.
fn log(status: StatusCode, problem: Option<&Problem>, method: &Method, uri: &Uri) {
    let cause = problem.and_then(|problem| problem.cause.as_deref());
    let kind = problem.map(|problem| problem.kind);
    let (method, path, status) = (method.as_str(), uri.path(), status.as_u16());
    if kind == Some(&OVERLOADED) {
        tracing::warn!(
            http.request.method = method,
            url.path = path,
            http.response.status_code = status,
            "request shed"
        );
        return;
    }
    tracing::error!(
        http.request.method = method,
        url.path = path,
        http.response.status_code = status,
        problem = kind.map(|kind| kind.slug),
        cause,
        "request failed"
    );
}

/// Writes the document again with the path as its instance; headers added by handlers and router stay.
fn complete(response: Response, problem: Problem, uri: &Uri) -> Response {
    let headers: HeaderMap = response.into_parts().0.headers;
    let mut completed = problem.respond(Some(uri.path()));
    for (name, value) in &headers {
        if name != http::header::CONTENT_LENGTH {
            completed.headers_mut().insert(name.clone(), value.clone());
        }
    }
    completed
}
