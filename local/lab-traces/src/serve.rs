//! The four listeners of the process, from bind to the last answer.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context;
use axum::Router;
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;
use tonic::transport::{Server, server::TcpIncoming};

use crate::{
    admin,
    config::TracesConfig,
    jaeger,
    metrics::TraceMetrics,
    receive::{self, Intake},
    store::Store,
    ui,
};

/// Longest wait for answers under way at the end.
const DRAIN: Duration = Duration::from_secs(3);

/// A running store.
pub struct Running {
    /// Address of OTLP/HTTP.
    pub otlp_http: SocketAddr,
    /// Address of OTLP/gRPC.
    pub otlp_grpc: SocketAddr,
    /// Address of the query API and the UI.
    pub query: SocketAddr,
    /// Address of the admin port.
    pub admin: SocketAddr,
    /// The traces.
    pub store: Arc<Store>,
    stop: CancellationToken,
    servers: JoinSet<anyhow::Result<()>>,
}

impl Running {
    /// Binds all ports (0 allowed), then serves in background tasks.
    ///
    /// # Errors
    /// When a port cannot be bound; names the port and the flag.
    pub async fn start(config: &TracesConfig) -> anyhow::Result<Self> {
        let store = Arc::new(Store::new(config.memory, config.slow));
        let metrics = Arc::new(TraceMetrics::new(Arc::clone(&store))?);
        let intake = Intake::new(Arc::clone(&store), Arc::clone(&metrics));

        let http = bind(config.otlp_http_addr, "--otlp-http-addr").await?;
        let grpc = bind(config.otlp_grpc_addr, "--otlp-grpc-addr").await?;
        let query = bind(config.ui_addr, "--ui-addr").await?;
        let admin = bind(config.admin_addr, "--admin-addr").await?;

        let mut running = Self {
            otlp_http: http.local_addr()?,
            otlp_grpc: grpc.local_addr()?,
            query: query.local_addr()?,
            admin: admin.local_addr()?,
            store: Arc::clone(&store),
            stop: CancellationToken::new(),
            servers: JoinSet::new(),
        };
        running.serve(http, receive::http::router(intake.clone()));
        running.serve(query, jaeger::router(store).merge(ui::router()));
        running.serve(admin, admin::router(metrics));
        running.serve_grpc(grpc, intake);
        Ok(running)
    }

    fn serve(&mut self, listener: TcpListener, router: Router) {
        let stop = self.stop.clone().cancelled_owned();
        self.servers
            .spawn(async move { Ok(axum::serve(listener, router).with_graceful_shutdown(stop).await?) });
    }

    fn serve_grpc(&mut self, listener: TcpListener, intake: Intake) {
        let stop = self.stop.clone().cancelled_owned();
        let server = Server::builder().add_service(receive::grpc::service(intake));
        self.servers.spawn(async move {
            Ok(server.serve_with_incoming_shutdown(TcpIncoming::from(listener), stop).await?)
        });
    }

    /// Refuses new connections and waits, for three seconds at most, for answers under way.
    pub async fn stop(mut self) {
        self.stop.cancel();
        let ended = async { while self.servers.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(DRAIN, ended).await;
    }
}

async fn bind(address: SocketAddr, flag: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address} ({flag})"))
}
