//! The accept loop: HTTP/1.1 with resettable connections and a drain that ends.
//!
//! `axum::serve` leaves its connections behind when it is dropped and has no limit for slow headers; here every
//! connection belongs to the server, so a drain has an end and a dropped server closes them all.

use std::{convert::Infallible, io, net::SocketAddr, time::Duration};

use axum::{Router, extract::ConnectInfo, serve::Listener};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tower::ServiceExt;

use super::AbortableListener;

/// Time in which the head of the next request must have come. Hyper counts idle time too, so it is longer than clients keep
/// idle connections (reqwest: 90 s): a server that closes first resets requests that are on their way.
const HEADER_TIMEOUT: Duration = Duration::from_secs(120);

/// A listening server. Dropping it closes the listener and every connection at once.
pub struct Server {
    /// The bound address.
    pub address: SocketAddr,
    drain: CancellationToken,
    serving: AbortOnDropHandle<()>,
}

impl Server {
    /// Binds `address` and serves `routes` in the background.
    ///
    /// # Errors
    /// When the address cannot be bound; the message names it.
    pub async fn bind(address: SocketAddr, routes: Router) -> io::Result<Self> {
        let named =
            |error: io::Error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}"));
        let listener = TcpListener::bind(address).await.map_err(named)?;
        let address = listener.local_addr().map_err(named)?;
        let drain = CancellationToken::new();
        let serving = tokio::spawn(serve(AbortableListener(listener), routes, drain.clone()));
        Ok(Self { address, drain, serving: AbortOnDropHandle::new(serving) })
    }

    /// Refuses new connections, lets the requests under way finish, then returns. Cancel it to cut them off.
    pub async fn drain(self) {
        self.drain.cancel();
        // It ends by itself; a panic in it has been reported by the runtime.
        let _ = self.serving.await;
    }
}

async fn serve(mut listener: AbortableListener, routes: Router, drain: CancellationToken) {
    let graceful = GracefulShutdown::new();
    // Owned here, so that they end with this future.
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            () = drain.cancelled() => break,
        };
        let abort = ConnectInfo(stream.abort());
        let routes = routes.clone();
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(abort.clone());
            let answer = routes.clone().oneshot(request.map(axum::body::Body::new));
            async move { Ok::<_, Infallible>(answer.await.unwrap_or_else(|never| match never {})) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        connections.spawn(async move {
            // A connection that breaks is the client's business: its requests count as cancelled.
            let _ = connection.await;
        });
    }
    drop(listener);
    graceful.shutdown().await;
}
