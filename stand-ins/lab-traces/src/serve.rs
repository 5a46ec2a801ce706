//! The four listeners of the process, from bind to the last response.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context;
use axum::Router;
use chassis_serve::{Protocol, Server, Settings};
use tokio::task::JoinSet;
use tonic::service::Routes;

use crate::{
    admin,
    config::TracesConfig,
    jaeger,
    metrics::TraceMetrics,
    receive::{self, Intake, MAX_REQUEST},
    store::Store,
    ui,
};

/// Longest wait for requests in flight at the end.
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
    servers: Vec<Server>,
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

        let settings = Settings::new(&config.limits, MAX_REQUEST);
        let whole = |routes: Router| chassis_serve::whole_requests(routes);
        let otlp = receive::http::router(intake.clone());
        let ui = whole(jaeger::router(Arc::clone(&store)).merge(ui::router()));
        let grpc = Routes::new(receive::grpc::service(intake)).into_axum_router();

        let http =
            Server::bind(config.otlp_http_addr, otlp, settings.clone()).await.context("--otlp-http-addr")?;
        let query = Server::bind(config.ui_addr, ui, settings.clone()).await.context("--ui-addr")?;
        let admin = whole(admin::router(metrics));
        let admin = Server::bind(config.admin_addr, admin, settings.clone()).await.context("--admin-addr")?;
        let settings = settings.speaking(Protocol::Http2);
        let grpc = Server::bind(config.otlp_grpc_addr, grpc, settings).await.context("--otlp-grpc-addr")?;
        Ok(Self {
            otlp_http: http.address,
            otlp_grpc: grpc.address,
            query: query.address,
            admin: admin.address,
            store,
            servers: vec![http, grpc, query, admin],
        })
    }

    /// Refuses new connections and waits at most three seconds for requests in flight.
    pub async fn stop(self) {
        let mut draining: JoinSet<()> = self.servers.into_iter().map(Server::drain).collect();
        let ended = async { while draining.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(DRAIN, ended).await;
    }
}
