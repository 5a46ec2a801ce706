//! The listener of the process, from bind to the last response.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context;
use chassis_serve::{Server, Settings};

use crate::{
    config::PagerConfig,
    receive,
    routes::{self, Pager},
};

/// Longest wait for requests in flight at the end.
const DRAIN: Duration = Duration::from_secs(3);

/// A running pager.
pub struct Running {
    /// Address of its port.
    pub addr: SocketAddr,
    server: Server,
}

impl Running {
    /// Binds the port (0 allowed), then serves in a background task.
    ///
    /// # Errors
    /// When the port cannot be bound; names the address and the flag.
    pub async fn start(config: &PagerConfig) -> anyhow::Result<Self> {
        let pager = Arc::new(Pager::new(config.keep)?);
        let settings = Settings::new(&config.limits, receive::LARGEST);
        let server =
            Server::bind(config.admin_addr, routes::router(pager), settings).await.context("--admin-addr")?;
        Ok(Self { addr: server.address, server })
    }

    /// Refuses new connections and waits at most three seconds for requests in flight.
    pub async fn stop(self) {
        let _ = tokio::time::timeout(DRAIN, self.server.drain()).await;
    }
}
