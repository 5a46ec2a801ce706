//! The `http-*` faults: a tower layer just outside the handler, inside trace, metrics, timeout and shedding, so that what
//! it does is counted and traced like any other failure. With all points off it costs four atomic loads.

mod failures;

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    extract::Request,
    response::{IntoResponse, Response},
};
use chassis_faults::{FaultPoint, Faults, scope::Scope};
use chassis_serve::Connection;
use futures::future::{BoxFuture, Either, FutureExt};
use tower::{Layer, Service};

pub(crate) use failures::Failures;
pub use failures::{Failure, Render};

/// The inbound points that the service declares. Cheap to clone: routers do so for each request.
#[derive(Clone)]
pub(crate) struct InboundFaults {
    points: Arc<Points>,
}

struct Points {
    latency: Option<FaultPoint>,
    hang: Option<FaultPoint>,
    abort: Option<FaultPoint>,
    error: Option<FaultPoint>,
    failures: Failures,
}

impl InboundFaults {
    /// Finds the points.
    pub(crate) fn new(faults: &Faults, failures: Failures) -> Self {
        let points = Points {
            latency: faults.find("http-latency"),
            hang: faults.find("http-hang"),
            abort: faults.find("http-abort"),
            error: faults.find("http-error"),
            failures,
        };
        Self { points: Arc::new(points) }
    }
}

impl Points {
    fn any(&self, test: impl Fn(&FaultPoint) -> bool) -> bool {
        [&self.latency, &self.hang, &self.abort, &self.error].into_iter().flatten().any(test)
    }

    /// Applies the points that strike, delays first; `Some` replaces the handler's response.
    async fn inflict(&self, connection: Option<Connection>) -> Option<Response> {
        let strike = |point: &Option<FaultPoint>| point.as_ref().and_then(FaultPoint::strike);
        if let Some(strike) = strike(&self.latency) {
            tokio::time::sleep(strike.delay()).await;
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
        if !self.faults.points.any(FaultPoint::is_on) {
            return Either::Left(self.inner.call(request));
        }
        // The ready service serves this request, its clone the next one.
        let next = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, next);
        Either::Right(serve(Arc::clone(&self.faults.points), inner, request).boxed())
    }
}

async fn serve<S>(faults: Arc<Points>, mut inner: S, request: Request) -> Result<Response, Infallible>
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    let connection = request.extensions().get::<Connection>().cloned();
    // If the plan selects by subject and the request does not carry one, only the handler finds it out.
    let scope = Scope::current();
    if faults.any(|point| point.asks_more_than(&scope)) {
        let response = inner.call(request).await?;
        return Ok(faults.inflict(connection).await.unwrap_or(response));
    }
    match faults.inflict(connection).await {
        Some(response) => Ok(response),
        None => inner.call(request).await,
    }
}
