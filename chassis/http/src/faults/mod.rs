//! The `http-*` faults: a tower layer just outside the handler, inside trace, metrics, timeout and shedding, so that what
//! it does is counted and traced like any other failure. With all points off it costs four atomic loads.

mod failures;

use std::{
    convert::Infallible,
    task::{Context, Poll},
};

use axum::{
    extract::Request,
    response::{IntoResponse, Response},
};
use chassis_faults::{FaultPoint, Faults, Params, Strike, scope::Scope};
use chassis_serve::Connection;
use futures::future::{BoxFuture, Either, FutureExt};
use tower::{Layer, Service};

use crate::{
    catalogue::{HTTP_ABORT, HTTP_ERROR, HTTP_HANG, HTTP_LATENCY, HttpError, HttpLatency},
    delay,
};

pub(crate) use failures::Failures;
pub use failures::{Failure, Render};

/// The inbound points that the service declares. Routers clone it for each request, so its holders are not counted, and it lives as
/// long as the process.
#[derive(Clone)]
pub(crate) struct InboundFaults {
    points: &'static Points,
}

struct Points {
    latency: Option<FaultPoint<HttpLatency>>,
    hang: Option<FaultPoint>,
    abort: Option<FaultPoint>,
    error: Option<FaultPoint<HttpError>>,
    failures: Failures,
}

impl InboundFaults {
    /// Finds the points.
    pub(crate) fn new(faults: &Faults, failures: Failures) -> Self {
        let points = Points {
            latency: faults.find(&HTTP_LATENCY),
            hang: faults.find(&HTTP_HANG),
            abort: faults.find(&HTTP_ABORT),
            error: faults.find(&HTTP_ERROR),
            failures,
        };
        Self { points: Box::leak(Box::new(points)) }
    }
}

impl Points {
    /// Whether any of them has a plan.
    fn any_on(&self) -> bool {
        is_on(&self.latency) || is_on(&self.hang) || is_on(&self.abort) || is_on(&self.error)
    }

    /// Whether one of the plans can only be decided once more is known of the request than `scope` knows.
    fn any_asks_more_than(&self, scope: &Scope) -> bool {
        self.latency.as_ref().is_some_and(|point| point.asks_more_than(scope))
            || [&self.hang, &self.abort].into_iter().flatten().any(|point| point.asks_more_than(scope))
            || self.error.as_ref().is_some_and(|point| point.asks_more_than(scope))
    }

    /// Applies the points that strike, delays first; `Some` replaces the handler's response.
    async fn inflict(&self, connection: Option<Connection>) -> Option<Response> {
        if let Some(strike) = strike(&self.latency) {
            tokio::time::sleep(delay::inbound(&strike)).await;
        }
        if strike(&self.hang).is_some() {
            std::future::pending::<()>().await;
        }
        if strike(&self.abort).is_some()
            && let Some(connection) = connection
        {
            connection.reset();
            // The server drops this request with its connection.
            std::future::pending::<()>().await;
        }
        strike(&self.error).map(|strike| self.failures.of(&strike).into_response())
    }
}

fn is_on<P: Params>(point: &Option<FaultPoint<P>>) -> bool {
    point.as_ref().is_some_and(FaultPoint::is_on)
}

fn strike<P: Params>(point: &Option<FaultPoint<P>>) -> Option<Strike<P>> {
    point.as_ref().and_then(FaultPoint::strike)
}

impl<S> Layer<S> for InboundFaults {
    type Service = InboundFaultService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        InboundFaultService { faults: self.clone(), inner }
    }
}

/// The service of [`InboundFaults`].
#[derive(Clone)]
pub(crate) struct InboundFaultService<S> {
    faults: InboundFaults,
    inner: S,
}

impl<S> Service<Request> for InboundFaultService<S>
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Either<S::Future, BoxFuture<'static, Result<Response, Infallible>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        if !self.faults.points.any_on() {
            return Either::Left(self.inner.call(request));
        }
        // The ready service serves this request, its clone the next one.
        let next = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, next);
        Either::Right(serve(self.faults.points, inner, request).boxed())
    }
}

async fn serve<S>(faults: &'static Points, mut inner: S, request: Request) -> Result<Response, Infallible>
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    let connection = request.extensions().get::<Connection>().cloned();
    // If the plan selects by subject and the request does not carry one, only the handler finds it out.
    let scope = Scope::current();
    if faults.any_asks_more_than(&scope) {
        let response = inner.call(request).await?;
        return Ok(faults.inflict(connection).await.unwrap_or(response));
    }
    match faults.inflict(connection).await {
        Some(response) => Ok(response),
        None => inner.call(request).await,
    }
}
