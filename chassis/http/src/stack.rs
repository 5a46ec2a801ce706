//! The order of the layers, written once.
//!
//! Each layer is a future around the next rather than a tower service: one allocation per request, and the order can be
//! read from top to bottom in [`Stacked::call`].

use std::{
    convert::Infallible,
    mem,
    pin::pin,
    task::{Context, Poll},
};

use axum::{
    Router,
    body::HttpBody as _,
    extract::{MatchedPath, Request},
    response::{IntoResponse, Response},
};
use futures::future::BoxFuture;
use http::Method;
use tokio::time::Instant;
use tower::{Layer, Service, ServiceBuilder};

use super::{
    HttpConfig, Problem, Routes,
    access::AccessLog,
    faults::{Failures, InboundFaults, Render},
    guard::Guard,
    metrics::{Endpoint, HttpMetrics},
    problems::{METHOD_NOT_ALLOWED, NOT_FOUND},
    trace::{Began, Traced},
};
use chassis_faults::Attribute;
use chassis_telemetry::Chassis;

/// Wraps `public` in the layers of the stack, outermost first: trace span and access log, reading of the body, RED metrics, catch-panic, request
/// timeout, concurrency limit with shedding, faults, handler. So every failure, an injected one included, is counted and traced; and
/// a client that sends its body slowly holds no slot, and that time is in neither the duration nor the deadline of the service.
///
/// The series of each declared route exist before the first request. `failures` says how this service answers when its
/// storage fails: `http-error` answers the same.
pub fn stack(public: Routes, failures: Option<Render>, config: &HttpConfig, chassis: &Chassis) -> Router {
    let shared = Shared {
        metrics: HttpMetrics::new(&chassis.metrics, &public),
        guard: Guard::new(config, chassis),
        access: AccessLog::new(config.access_log_rate, &chassis.metrics),
        trace_ratio: chassis.telemetry.trace_ratio,
        subject: chassis.faults.subject(),
    };
    let failures = Failures::new(failures, config.request_timeout);
    let faults = InboundFaults::new(&chassis.faults, failures);
    // A port lives as long as its process. A count of holders would be written twice by each request, on all cores.
    let layers = ServiceBuilder::new().layer(Stack(Box::leak(Box::new(shared)))).layer(faults);
    public.router.fallback(no_route).method_not_allowed_fallback(no_method).layer(layers)
}

async fn no_route() -> Problem {
    Problem::new(&NOT_FOUND, "There is no such route.")
}

async fn no_method(method: Method) -> Problem {
    let detail = format!("This route does not take {method}; the header `Allow` lists what it takes.");
    Problem::new(&METHOD_NOT_ALLOWED, detail)
}

/// Everything outside the faults and the handler.
#[derive(Clone)]
struct Stack(&'static Shared);

struct Shared {
    metrics: HttpMetrics,
    guard: Guard,
    access: AccessLog,
    trace_ratio: f64,
    subject: &'static [Attribute],
}

impl<S> Layer<S> for Stack {
    type Service = Stacked<S>;

    fn layer(&self, inner: S) -> Stacked<S> {
        Stacked { shared: self.0, inner }
    }
}

#[derive(Clone)]
struct Stacked<S> {
    shared: &'static Shared,
    inner: S,
}

impl<S> Service<Request> for Stacked<S>
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let shared = self.shared;
        let template = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
        let endpoint = shared.metrics.endpoint(template, request.method());
        let traced = Traced::new(&request, endpoint, template, shared.trace_ratio, shared.subject);
        if request.body().is_end_stream() {
            // axum's routes do nothing before they are polled, so nothing happens outside the layers.
            let handler = self.inner.call(request);
            return Box::pin(async move {
                let began = Began::default();
                let work = pin!(shared.work(endpoint, &began, handler));
                Ok(traced.run(&shared.access, endpoint, &began, work).await)
            });
        }
        // The ready service serves this request, its clone the next one.
        let next = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, next);
        Box::pin(async move {
            let began = Began::default();
            let work = pin!(async {
                match chassis_serve::read(request).await {
                    Ok(request) => shared.work(endpoint, &began, inner.call(request)).await,
                    Err(error) => endpoint.refuse(Problem::from(error).into_response()),
                }
            });
            Ok(traced.run(&shared.access, endpoint, &began, work).await)
        })
    }
}

impl Shared {
    /// The layers around the handler of a request that has been read.
    async fn work(
        &self,
        endpoint: &Endpoint,
        began: &Began,
        handler: impl Future<Output = Result<Response, Infallible>>,
    ) -> Response {
        let (guard, started) = (&self.guard, *began.get_or_init(Instant::now));
        // Pinned here and passed by reference: a future that is moved into the next is copied at every layer.
        let handler = pin!(handler);
        let admitted = pin!(guard.admit(handler));
        let bounded = pin!(guard.bound(started, admitted));
        let caught = pin!(guard.catch(bounded));
        let measured = pin!(endpoint.measure(started, caught));
        measured.await
    }
}
