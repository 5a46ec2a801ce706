//! The listener of the process, from bind to the last answer.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    config::PagerConfig,
    routes::{self, Pager},
};

/// Longest wait for answers under way at the end.
const DRAIN: Duration = Duration::from_secs(3);

/// A running pager.
pub struct Running {
    /// Address of its port.
    pub addr: SocketAddr,
    stop: CancellationToken,
    server: JoinHandle<std::io::Result<()>>,
}

impl Running {
    /// Binds the port (0 allowed), then serves in a background task.
    ///
    /// # Errors
    /// When the port cannot be bound; names the address and the flag.
    pub async fn start(config: &PagerConfig) -> anyhow::Result<Self> {
        let pager = Arc::new(Pager::new(config.keep)?);
        let address = config.admin_addr;
        let listener = TcpListener::bind(address).await;
        let listener = listener.with_context(|| format!("cannot listen on {address} (--admin-addr)"))?;
        let (addr, stop) = (listener.local_addr()?, CancellationToken::new());
        let stopped = stop.clone().cancelled_owned();
        let serving = axum::serve(listener, routes::router(pager)).with_graceful_shutdown(stopped);
        Ok(Self { addr, stop, server: tokio::spawn(serving.into_future()) })
    }

    /// Refuses new connections and waits, for three seconds at most, for answers under way.
    pub async fn stop(self) {
        self.stop.cancel();
        let _ = tokio::time::timeout(DRAIN, self.server).await;
    }
}
